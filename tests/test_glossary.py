"""Every page keeps to the words of the glossary, and so do both languages."""

import json
import re
from collections.abc import Iterable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from book import glossary, pages
from book.pages import LANGUAGES, BadPage
from tests.site import html_path, path

CONTENTS = pages.contents()
TERMS = glossary.read(CONTENTS)
FINDERS = {language: glossary.Finder(TERMS, language) for language in LANGUAGES}
# Language -> page -> the prose of its sections, and what it may say all the same.
BOOK, ALLOWED = (
    {
        language: {page.name: of(page) for page in CONTENTS[language]}
        for language in LANGUAGES
    }
    for of in (pages.Page.sections, lambda page: page.front.get("allows", []))
)
PAGES = [page for page in BOOK["en"] if page != "glossary.md"]
# Words in which a rejected one stands by chance: to check, two processor cores.
HARMLESS = re.compile("核对|两核")


def prose(page: str, language: str) -> str:
    return "\n".join(BOOK[language][page].values())


def used(text: str, language: str) -> dict:
    """The terms of a text, each with the form in which it stands there."""
    finder = FINDERS[language]
    return {finder.term(match): match[0] for match in finder.pattern.finditer(text)}


# --- What pages must hold ----------------------------------------------------


def rejected(text: str, language: str, allowed: Iterable[str] = ()) -> list[str]:
    """The names in a text that the glossary rejects, and what it says instead."""
    # What stands inside a word of ours is not meant: 组卷积 in 分组卷积.
    ours = [*FINDERS[language].pattern.finditer(text), *HARMLESS.finditer(text)]
    inside = [match.span() for match in ours]
    edge, end = {"en": (r"(?i)\b", r"s?\b"), "zh": ("", "")}[language]
    return [
        f"{match[0]}: this book says {term.name[language]}"
        for term in TERMS
        for name in term.rejected[language]
        if name not in allowed
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


@pytest.mark.book  # a term of one page is used on others
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_uses_no_other_name(page, language):
    assert not rejected(prose(page, language), language, ALLOWED[language][page])


@pytest.mark.book  # a term of one page is used on others
@pytest.mark.parametrize("page", PAGES)
def test_a_section_has_the_terms_of_its_counterpart(page):
    assert not untranslated(BOOK["en"][page], BOOK["zh"][page])


@pytest.mark.book
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_term_is_used(language):
    found = set()
    for page in PAGES:
        found |= used(prose(page, language), language).keys()
    assert not [term.name for term in TERMS if term not in found]


@pytest.mark.book
@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name["en"])
def test_a_term_is_used_where_it_is_said_to_be_defined(term):
    for language in LANGUAGES:
        there = BOOK[language][term.page]
        text = there[term.anchor] if term.anchor else prose(term.page, language)
        assert any(form.lower() in text.lower() for form in term.forms(language)), text


@pytest.mark.book
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_exception_is_needed(language):
    """A page that no longer has the word no longer allows it."""
    for page, names in ALLOWED[language].items():
        for name in names:
            assert name in prose(page, language).lower(), f"{name}: {page}"


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
    (complaint,) = rejected(text, language)
    assert complaint.startswith(f"{name}: this book says ")


def test_another_name_is_allowed_where_the_page_says_so():
    text = "Deconvolution with filters: deconvolution"
    (complaint,) = rejected(text, "en", ["deconvolution"])
    assert complaint.startswith("filters: ")


@pytest.mark.parametrize("page", PAGES)
def test_a_term_gone_from_a_chinese_section_is_noticed(page):
    """The first term of the page, one for all."""
    english, chinese = BOOK["en"][page], BOOK["zh"][page]
    anchor, term = next(
        (anchor, term)
        for anchor, text in english.items()
        for term in used(text, "en")
        if not term.everyday
    )
    forms = "|".join(map(re.escape, term.forms("zh")))
    without = {**chinese, anchor: re.sub(forms, "某物", chinese[anchor])}
    assert untranslated(english, without)[0].startswith(f"#{anchor}: ")


def test_prose_is_what_a_reader_reads():
    source = (
        "---\nallows: [n]\ndescription: d\nterms:\n  o:\n    means: p\n\n  # q\n"
        "summary: r\n---\n# A `b` { #a }\n\n[c](d.md#e) $f$ g\n\n$$\nh\n$$\n"
        '\n--8<-- "i.md:j"\n\n```sh\nk\n```\n\n## L { #l }\n\nm\n'
        '\n??? success "S"\n\n    t\n'
    )
    found = pages.Page("en", "one.md", source).sections()
    assert {anchor: text.split() for anchor, text in found.items()} == {
        "": ["---", "description:", "d", "summary:", "r", "---"],
        "a": ["A", "[c", "g"],
        "l": ["L", "m", "S", "t"],
    }


# --- The terms of pages ------------------------------------------------------

SMALL = {
    "en": """---
allows: [pitch]
terms:
  stride:
    group: second
    at: one
    means: How far a window moves.
    also: [strided]
    not: [pitch]
  window:
    group: first
    means: A part of the input.
    everyday: true
---
# One { #one }

<!-- glossary: first -->

<!-- glossary: second -->
""",
    "zh": """---
terms:
  stride:
    name: 步幅
    means: 窗口移动的距离。
    not: [步长]
  window:
    name: 窗口
    means: 输入的一部分。
---
# 一 { #one }

<!-- glossary: first -->

<!-- glossary: second -->
""",
}


def read(texts: dict[str, str]) -> tuple[glossary.Term, ...]:
    book = {lang: [pages.Page(lang, "one.md", text)] for lang, text in texts.items()}
    return glossary.read(book)


def test_terms_stand_by_group():
    window, stride = read(SMALL)
    assert (window.at, stride.at) == ("one.md", "one.md#one")
    assert (window.everyday, stride.everyday) == (True, False)
    assert stride.name == {"en": "stride", "zh": "步幅"}
    assert stride.meaning == {"en": "How far a window moves.", "zh": "窗口移动的距离。"}
    assert stride.forms("en") == ["stride", "strided"]
    assert stride.rejected == {"en": ["pitch"], "zh": ["步长"]}


def test_a_table_has_the_terms_of_its_group():
    assert glossary.table(read(SMALL), "second", "zh").splitlines()[2:] == [
        "| [步幅](one.md#one) | stride | 窗口移动的距离。别处也叫步长。 |"
    ]


@pytest.mark.parametrize(
    ("languages", "old", "new", "message"),
    [
        ("en", "means: How", "# How", "en/one.md:1: the term 'stride' has no means"),
        ("en", "group: first", "# first", "the term 'window' has no group"),
        ("zh", "name: 步幅", "# 步幅", "zh/one.md:1: the term 'stride' has no name"),
        ("zh", "步幅", "1", "has a name that is no str: 1"),
        ("zh", "步幅", "''", "has a name that is no str: ''"),
        ("en", "[strided]", "strided", "has a also that is no list: 'strided'"),
        ("en", "[strided]", "[1]", r"has a also that is no list of words: \[1\]"),
        ("zh", "not: [步长]", "not: {步长: []}", "has a not that is no list"),
        ("en", "true", "always", "has a everyday that is no bool: 'always'"),
        ("en", "also", "forms", "has no key 'forms', but group, at, "),
        ("zh", "name: 步幅", "name: 步幅\n    at: x", "has no key 'at', but name, "),
        ("en", "terms:", "terms:\n  pane:", "the term 'pane' is no word with lines"),
        ("en", "window:", "1:", "the term 1 is no word with lines"),
        ("en", "[strided]", "[", r"en/one.md:1: .* no YAML: (.|\n)*line 8"),
        ("zh", "window:", "stride:", r"'stride' stands there twice(.|\n)*line 7"),
        ("zh", "window:", "pane:", "zh/one.md:1: the term 'window' of .*en/one.md is"),
        ("zh", "window:", "pane:", "en/one.md:1: the term 'pane' of .*zh/one.md is"),
        ("en", "group: first", "group: one", "en/one.md:1: .*'window' has the group"),
        ("zh", "glossary: first", "glossary: one", "zh/one.md:1: its groups of terms"),
        ("en zh", "# ", "<!-- glossary: one -->\n# ", "no term has the group 'one'"),
        ("en", "strided", "Window", "'window': 'window' is told of 'stride' in one.md"),
        ("zh", "[步长]", "[步长, 步长]", "zh/one.md:1: .*: '步长' is told of 'stride'"),
        ("en", "allows: [pitch]", "allows: [step]", "en/one.md:1: it allows 'step'"),
        ("en", "allows: [pitch]", "homonyms: [pitch]", "homonym 'pitch' is no term"),
    ],
)
def test_a_term_that_is_amiss_is_named(languages, old, new, message):
    changed = dict(SMALL)
    for language in languages.split():
        assert old in changed[language]
        changed[language] = changed[language].replace(old, new, 1)
    with pytest.raises(BadPage, match=message) as told:
        read(changed)
    assert str(told.value).startswith("docs/")


# --- The notes ---------------------------------------------------------------


def note(page: str, language: str = "en") -> str:
    """The page with notes, of which only the term in the other language is left."""
    html = glossary.noted(page, FINDERS[language])
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


def test_a_homonym_has_no_note():
    html = "<p>梯度裁剪，裁剪之后</p>"
    clipping, crop = re.findall("<span.*?</span>", glossary.noted(html, FINDERS["zh"]))
    assert ">梯度裁剪<" in clipping
    assert ">裁剪<" in crop
    left = glossary.noted(html, FINDERS["zh"], ("裁剪",))
    assert re.findall("<span.*?</span>", left) == [clipping]


@pytest.mark.book
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_homonym_is_used(language):
    for page in CONTENTS[language]:
        for name in page.front.get("homonyms", []):
            assert name in prose(page.name, language), f"{name}: {page}"


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


def twice(html: str) -> set[str]:
    """The notes that a page has more than once."""
    notes = re.findall('<span class="gloss" title="([^"]*)"', html)
    return {note for note in notes if notes.count(note) > 1}


def test_no_page_has_a_note_twice(site):
    for page in site.rglob("*.html"):
        assert not twice(page.read_text("utf-8")), page


def test_a_note_that_stands_twice_is_noticed():
    one, other = (f'<span class="gloss" title="{note}">' for note in "ab")
    assert twice(one + other + one) == {"a"}


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
