"""Both languages say the same: same pages, and the same bones in each."""

import re

import pytest

from book import sessions
from book.pages import LANGUAGES, ROOT, Page, bones, differences, nav_pages, page

PAGES = nav_pages()


@pytest.mark.parametrize("name", PAGES)
def test_the_languages_have_the_same_bones(name):
    assert not differences(page("en", name), page("zh", name))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", sessions.paths(), ids=sessions.name_of)
def test_every_section_is_shown_once_and_in_order(path, language):
    session = sessions.parse(path)
    shown = [
        include.section
        for name in PAGES
        for include in page(language, name).includes
        if include.session == session.name
    ]
    assert shown == [section.name for section in session.sections]


@pytest.mark.parametrize("path", sessions.paths(), ids=sessions.name_of)
def test_every_block_stands_in_a_section(path):
    session = sessions.parse(path)
    outside = [
        block.line
        for block in session.blocks
        if not any(
            section.start < block.line < section.end for section in session.sections
        )
    ]
    assert not outside, "these lines are run and never shown"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_draws_on_the_session_of_its_name(name):
    """Nobody has to search. And on an optional one, with the module that it needs."""
    used = {include.session for include in page("en", name).includes}
    own = name.removesuffix(".md")
    needed = {sessions.parse(path).needs for path in sessions.paths()} - {None}
    assert used <= {own, *(f"{own}-{module}" for module in needed)}


# What differences() must notice: each change on one side only.
CHANGES = {
    "a displayed formula dropped": (r"(?ms)^\$\$\n.*?\n\$\$$", ""),
    "a sign flipped": (r"(?<=[\w} ])-(?=[\w\\ ].*\n\$\$)", "+"),
    "a formula marked as no claim": (r"(?m)^\$\$$", "<!-- unchecked: x -->\n\n$$"),
    "a condition dropped": (r"<!-- check: .*? -->", ""),
    "another condition": (r"(<!-- check: .*?) -->", r"\1 + 1 -->"),
    "an inline formula dropped": (r"(?<!\$)\$(?!\$)[^$\n]+\$", ""),
    "an inline formula changed": (r"(?<!\$)\$(?!\$)([^$\n]+)\$", r"$-\1$"),
    "an include dropped": (r"(?m)^--8<-- .*$", ""),
    "two includes swapped": (
        r'(?ms)^(--8<-- "[^"]*")$(.*?)^(--8<-- "[^"]*")$',
        r"\3\2\1",
    ),
    "a heading one level down": (r"(?m)^## ", "### "),
    "an anchor renamed": (r"\{ #([a-z0-9-]+) \}", r"{ #\1-x }"),
    "an anchor dropped": (r" \{ #[a-z0-9-]+ \}", ""),
    "a link to elsewhere": (r"\]\(", "](x"),
    "code changed": (r"`([^`\n]+)`", r"`\1x`"),
    "a dollar lost": (r"(?<!\$)\$(?!\$)", ""),
    "no description": (r"(?m)^description: .*\n", ""),
    "a formula of the summary changed": (r"(?m)^(summary: .*?)\$", r"\1$-"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_in_one_language_is_noticed(change):
    pattern, replacement = CHANGES[change]
    english, chinese = (page(language, "cnn/stride.md") for language in LANGUAGES)
    text, count = re.subn(pattern, replacement, chinese.text, count=1)
    assert count == 1
    assert differences(english, Page("zh", chinese.name, text))


GUIDES = ["README", "CONTRIBUTING"]  # NAME.md and NAME.zh.md


def guide(name: str) -> str:
    return (ROOT / f"{name}.md").read_text("utf-8")


def bones_of(text: str) -> dict[str, list[str]]:
    """What must be equal in both guides, which have no anchors and no displays."""
    text = re.sub(r"docs/(en|zh)/", "docs/", text.replace(".zh.md)", ".md)"))
    there = Page("", "guide", text)
    _, bags = bones(there)
    return {
        "headings": [heading.level for heading in there.headings],
        "fences": [piece.fence for piece in there.pieces if piece.fence],
        "items": re.findall(r"(?m)^ *(?:\d\.|-|\|)(?= )", text),
        "bags": [sorted(bag.elements()) for bag in bags.values()],
    }


@pytest.mark.book
@pytest.mark.parametrize("name", GUIDES)
def test_both_guides_say_the_same(name):
    assert bones_of(guide(name)) == bones_of(guide(f"{name}.zh"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("make.py test tests/test_style.py", "make.py test"),
        ("## 五步写一页", "### 五步写一页"),
        ("- 句子要短。", "句子要短。"),
        ("`aligned`", "aligned"),
        ("(docs/zh/check.md)", "(docs/zh/dense.md)"),
        ("start:sum", "start:total"),
        ("$\\delta$", "δ"),
    ],
)
def test_a_change_in_one_guide_is_noticed(old, new):
    text = guide("CONTRIBUTING.zh")
    assert old in text
    assert bones_of(text) != bones_of(text.replace(old, new))


# Half-width marks at Chinese characters, quotation marks of other places, a space
# before %, and a word that is in lower case.
FOREIGN = re.compile(
    "[\u4e00-\u9fff][,:;!?()]|[,;!?()][\u4e00-\u9fff]|[「」]|\\d %|Softmax"
)


@pytest.mark.parametrize("text", ["对,错", "(错", "「错」", "错 4 %", "Softmax 的"])
def test_what_is_foreign_is_noticed(text):
    assert FOREIGN.search(text)


@pytest.mark.book
def test_chinese_has_its_own_punctuation():
    """Typed in passing, seen at once."""
    found = []
    guides = [ROOT / f"{name}.zh.md" for name in GUIDES]
    for path in [*sorted((ROOT / "docs" / "zh").rglob("*.md")), *guides]:
        text = re.sub(
            r"\$\$.*?\$\$|\$[^$]*\$|`[^`]*`|\{ #.*? \}|(?<=\])\(.*?\)"
            r"|(?m:^ *(?:allows|homonyms|names|also|not): \[.*?\])",  # lists of YAML
            "x",
            path.read_text("utf-8"),
        )
        for number, line in enumerate(text.splitlines(), 1):
            if FOREIGN.search(line):
                found.append(f"{path.name}:{number}: {line}")
    assert not found
