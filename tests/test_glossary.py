"""Every page keeps to the words of docs/glossary.yml, and so do both languages."""

import importlib
import json
import re
from collections.abc import Iterator
from itertools import pairwise
from types import ModuleType

import pytest
from mkdocs.exceptions import PluginError
from playwright.sync_api import Browser, Locator, Page, expect

from book.pages import LANGUAGES, ROOT, nav_pages
from tests.site import html_path, path


def load() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "site_hooks"))
        return importlib.import_module("glossary")


glossary = load()
TERMS = glossary.terms_of((ROOT / "docs" / glossary.FILE).read_text("utf-8"))
FINDERS = {language: glossary.Finder(TERMS, language) for language in LANGUAGES}
PAGES = [page for page in nav_pages() if page != "glossary.md"]
# What is no prose: code, includes, formulas, where links lead, anchors.
NO_PROSE = re.compile(
    r"^(`{3,}).*?^\1 *$|^ *--8<--[^\n]*$|^ *\$\$\n.*?\n *\$\$ *$|`[^`\n]+`"
    r"|\$(?:\\.|[^$\\])+?\$|\]\([^)\s]+\)|\{ #\S+ \}",
    re.DOTALL | re.MULTILINE,
)
HEADING = re.compile(r"^#+ .*\{ #(\S+) \}$", re.MULTILINE)
# Words in which a rejected one stands by chance: to check, two processor cores.
HARMLESS = re.compile("核对|两核")


def sections(source: str) -> dict[str, str]:
    """The prose of a page by the anchors of its headings; before the first by ""."""
    starts = [0, *(match.start() for match in HEADING.finditer(source)), len(source)]
    parts = [source[start:end] for start, end in pairwise(starts)]
    anchors = ["", *HEADING.findall(source)]
    return {a: NO_PROSE.sub(" ", part) for a, part in zip(anchors, parts, strict=True)}


def read(language: str) -> dict[str, dict[str, str]]:
    folder = ROOT / "docs" / language
    return {page: sections((folder / page).read_text("utf-8")) for page in PAGES}


BOOK = {language: read(language) for language in LANGUAGES}


def used(text: str, language: str) -> dict:
    """The terms of a text, each with the form in which it stands there."""
    finder = FINDERS[language]
    return {finder.term(match): match[0] for match in finder.pattern.finditer(text)}


# --- What pages must hold ----------------------------------------------------


def rejected(page: str, text: str, language: str) -> list[str]:
    """The names in a text that the glossary rejects, and what it says instead."""
    # What stands inside a word of ours is not meant: 组卷积 in 分组卷积.
    ours = [*FINDERS[language].pattern.finditer(text), *HARMLESS.finditer(text)]
    inside = [match.span() for match in ours]
    edge, end = {"en": (r"(?i)\b", r"s?\b"), "zh": ("", "")}[language]
    return [
        f"{match[0]}: this book says {term.name[language]}"
        for term in TERMS
        for name, pages in term.rejected[language].items()
        if page not in pages
        for match in re.finditer(edge + re.escape(name) + end, text)
        if not any(a <= match.start() and match.end() <= b for a, b in inside)
    ]


def untranslated(english: dict[str, str], chinese: dict[str, str]) -> list[str]:
    """Terms of a page's English sections that the same Chinese sections lack."""
    return [
        f"#{anchor}: {word} in English, but no {' or '.join(term.forms('zh'))}"
        for anchor, text in english.items()
        for term, word in used(text, "en").items()
        if not term.everyday
        if not any(form in chinese.get(anchor, "") for form in term.forms("zh"))
    ]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_uses_no_other_name(page, language):
    assert not rejected(page, "\n".join(BOOK[language][page].values()), language)


@pytest.mark.parametrize("page", PAGES)
def test_a_section_has_the_terms_of_its_counterpart(page):
    assert not untranslated(BOOK["en"][page], BOOK["zh"][page])


@pytest.mark.book
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_term_is_used(language):
    found = set()
    for page in PAGES:
        found |= used("\n".join(BOOK[language][page].values()), language).keys()
    assert not [term.name for term in TERMS if term not in found]


@pytest.mark.book
@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name["en"])
def test_a_term_is_used_where_it_is_said_to_be_defined(term):
    page, _, anchor = term.at.partition("#")
    for language in LANGUAGES:
        there = BOOK[language][page]
        text = there[anchor] if anchor else "\n".join(there.values())
        assert any(form.lower() in text.lower() for form in term.forms(language)), text


@pytest.mark.book
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_exception_is_needed(language):
    """A page that no longer has the word is no longer excepted."""
    for term in TERMS:
        for name, pages in term.rejected[language].items():
            for page in pages:
                text = "\n".join(BOOK[language][page].values())
                assert name in text.lower(), f"{name}: {page}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_name_means_two_things(language):
    forms = [form.lower() for term in TERMS for form in term.forms(language)]
    others = [name.lower() for term in TERMS for name in term.rejected[language]]
    assert len(forms) == len(set(forms))
    assert len(others) == len(set(others))


# --- The checks, broken on purpose -------------------------------------------


@pytest.mark.parametrize(
    ("language", "text", "name"),
    [
        ("en", "With zero-padding it is", "zero-padding"),
        ("en", "Two filters see it", "filters"),
        ("en", "Deconvolution, so called", "Deconvolution"),
        ("zh", "步长为 2", "步长"),
        ("zh", "四周补边之后", "补边"),
        ("zh", "把核旋转", "核"),
        ("zh", "核对卷积核，再对核求和", "核"),
        ("zh", "三个滤波器", "滤波器"),
    ],
)
def test_another_name_is_noticed(language, text, name):
    (complaint,) = rejected("cnn/stride.md", text, language)
    assert complaint.startswith(f"{name}: this book says ")


@pytest.mark.parametrize("page", PAGES)
def test_a_term_gone_from_a_chinese_section_is_noticed(page):
    """Every term of every section, one at a time."""
    english, chinese = BOOK["en"][page], BOOK["zh"][page]
    for anchor, text in english.items():
        for term in used(text, "en"):
            forms = "|".join(map(re.escape, term.forms("zh")))
            without = {**chinese, anchor: re.sub(forms, "某物", chinese[anchor])}
            found = untranslated(english, without)
            assert term.everyday or found[0].startswith(f"#{anchor}: ")


def test_prose_is_what_a_reader_reads():
    source = (
        "---\ndescription: d\n---\n# A `b` { #a }\n\n[c](d.md#e) $f$ g\n\n$$\nh\n$$\n"
        '\n--8<-- "i.md:j"\n\n```sh\nk\n```\n\n## L { #l }\n\nm\n'
    )
    found = {anchor: text.split() for anchor, text in sections(source).items()}
    assert found == {
        "": ["---", "description:", "d", "---"],
        "a": ["#", "A", "[c", "g"],
        "l": ["##", "L", "m"],
    }


# --- The file ----------------------------------------------------------------

ENTRY = {"en": "a", "zh": "b", "en_is": "c", "zh_is": "d", "at": "e.md"}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        *(({name: None}, name) for name in ENTRY),
        ({"zh": 1}, "zh"),
        ({"en_also": "x"}, "en_also"),
        ({"zh_not": ["x"]}, "zh_not"),
        ({"everyday": "yes"}, "everyday"),
        ({"also": ["x"]}, "also"),
    ],
)
def test_an_entry_that_is_amiss_is_named(change, name):
    assert glossary.Term.of("g", ENTRY).name == {"en": "a", "zh": "b"}
    entry = {k: v for k, v in {**ENTRY, **change}.items() if v is not None}
    with pytest.raises(PluginError, match=rf"glossary\.yml: .*: its {name} is"):
        glossary.Term.of("g", entry)


def test_a_file_that_is_no_yaml_is_named():
    with pytest.raises(PluginError, match=r"docs/glossary\.yml: (.|\n)*line 3"):
        glossary.terms_of("a:\n- b: [\n")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_has_every_group(language):
    page = (ROOT / "docs" / language / "glossary.md").read_text("utf-8")
    assert glossary.PLACE.findall(page) == [*dict.fromkeys(t.group for t in TERMS)]


# --- The notes ---------------------------------------------------------------


def note(page: str, language: str = "en") -> str:
    """The page with notes, of which only the term in the other language is left."""
    html = glossary.noted(page, FINDERS[language], language)
    title = '(?s)<span class="gloss" title="(.*?)[:：].*?">(.*?)</span>'
    return re.sub(title, r"{\2=\1}", html)


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        ("<p>A stride, the stride.</p>", "<p>A {stride=步幅}, the stride.</p>"),
        ("<li>Max\npooling, max</li>", "<li>{Max\npooling=最大池化}, max</li>"),
        ("<p>VJPs, biases</p>", "<p>{VJPs=向量–雅可比积}, {biases=偏置}</p>"),
        ("<p>astride labelling</p>", "<p>astride labelling</p>"),
        ("<p>转置卷积</p>", "<p>{转置卷积=transposed convolution}</p>"),
        ("<p>卷积核与卷积</p>", "<p>{卷积核=kernel}与{卷积=convolution}</p>"),
    ],
)
def test_the_first_use_has_a_note(page, wanted):
    assert note(page, "zh" if "卷" in page else "en") == wanted


@pytest.mark.parametrize(
    "html",
    [
        '<h2 id="stride">stride <b>stride</b></h2>',
        '<a href="stride">stride</a>',
        "<pre><i>stride</i></pre>",
        "<code>stride</code>",
        '<img alt="stride > stride">',
        '<span class="formula" title="stride">stride</span>',
        '<div class="formula" title="stride"></div>',
        "<figure><svg><text>stride</text></svg>stride</figure>",
        "<conv-explorer>stride</conv-explorer>",
        "<!-- stride > stride -->",
    ],
)
def test_there_is_no_note_in_code_drawings_and_links(html):
    assert note(f"{html}<p>stride</p>") == f"{html}<p>{{stride=步幅}}</p>"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_is_found(language):
    for term in TERMS:
        for form in term.forms(language):
            for text in [form, form.upper()[0] + form[1:]]:
                assert [*used(text, language)] == [term]


# --- In a browser ------------------------------------------------------------

STRIDE = next(term for term in TERMS if term.name["en"] == "stride")
DESK = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request) -> str:
    return request.param


def reading(browser: Browser, served: str, language: str, **options) -> Page:
    """The page on stride."""
    page = browser.new_page(reduced_motion="reduce", **options)
    page.goto(served + path(language, "cnn/stride.md"))
    return page


@pytest.fixture(scope="module")
def reader(browser: Browser, served: str, language: str) -> Iterator[Page]:
    """At a desk; whoever reads leaves the page as it was, but for the focus."""
    page = reading(browser, served, language, **DESK)
    yield page
    page.close()


def told(page: Page) -> str:
    """What the note says, where it is to be seen."""
    return page.locator("#gloss-note").evaluate("n => n.hidden ? '' : n.textContent")


def wanted(language: str) -> str:
    (other,) = set(LANGUAGES) - {language}
    return STRIDE.name[other] + STRIDE.meaning[language]


def word(page: Page, language: str) -> Locator:
    return page.locator(".gloss", has_text=re.compile(f"^{STRIDE.name[language]}$"))


def test_the_mouse_finds_the_note_and_may_enter_it(reader, language):
    word(reader, language).hover()
    assert told(reader) == wanted(language)
    reader.locator("#gloss-note").hover()
    assert told(reader)
    reader.mouse.move(5, 5)
    assert not told(reader)
    word(reader, language).hover()
    reader.keyboard.press("Escape")
    assert not told(reader)
    reader.mouse.move(5, 5)


def test_keys_find_the_note(reader, language):
    for _ in range(200):
        reader.keyboard.press("Tab")
        if told(reader) == wanted(language):
            break
    expect(word(reader, language)).to_be_focused()
    expect(word(reader, language)).to_have_accessible_description(wanted(language))
    reader.mouse.move(5, 5)
    assert told(reader)  # as long as it has the focus
    reader.keyboard.press("Tab")
    assert told(reader) != wanted(language)


def test_a_tap_shows_the_note_within_the_screen(browser, served, language):
    reader = reading(browser, served, language, **PHONE)
    # Those of a folded solution are not in sight.
    terms = [term for term in reader.locator(".gloss").all() if term.is_visible()]
    for term in terms:
        reader.keyboard.press("Escape")
        term.evaluate("term => term.scrollIntoView({ block: 'center' })")
        term.tap()
        assert told(reader)
        box = reader.locator("#gloss-note").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["viewport"]["width"]
    reader.locator("#gloss-note").tap()
    assert not told(reader)
    term.tap()
    assert told(reader)
    reader.touchscreen.tap(5, 400)  # beside the text
    assert not told(reader)
    reader.close()


def test_each_term_has_one_note_and_print_none(reader, language):
    terms = reader.locator(".gloss")
    titles = terms.evaluate_all("terms => terms.map((term) => term.dataset.note)")
    assert len(titles) == len(set(titles)) > 15
    line = "term => getComputedStyle(term).textDecorationLine"
    assert terms.first.evaluate(line) == "underline"
    reader.emulate_media(media="print")
    assert terms.first.evaluate(line) == "none"
    reader.emulate_media(media="screen")


def test_the_search_reads_the_pages_without_notes(site, language):
    folder = (site / html_path(language, "index.md")).parent
    index = json.loads((folder / "search" / "search_index.json").read_bytes())
    texts = [
        entry["text"].replace("\u200b", "")
        for entry in index["docs"]
        if not entry["location"].startswith("glossary/")
    ]
    assert not [text for text in texts if STRIDE.meaning[language] in text]
    assert not [text for text in texts if "class=" in text]
