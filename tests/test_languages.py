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


GUIDES = {"en": "CONTRIBUTING.md", "zh": "CONTRIBUTING.zh.md"}


def guide(text: str) -> dict[str, list[str]]:
    """What must be equal in both guides, which have no anchors and no displays."""
    for language, name in GUIDES.items():
        text = text.replace(f"docs/{language}/", "docs/").replace(
            f"({name})", "(other)"
        )
    there = Page("", "guide", text)
    _, bags = bones(there)
    return {
        "headings": [heading.level for heading in there.headings],
        "fences": [piece.fence for piece in there.pieces if piece.fence],
        "items": re.findall(r"(?m)^ *(?:\d\.|-|\|)(?= )", text),
        "bags": [sorted(bag.elements()) for bag in bags.values()],
    }


@pytest.mark.book
def test_both_guides_say_the_same():
    english, chinese = (ROOT / name for name in GUIDES.values())
    assert guide(english.read_text("utf-8")) == guide(chinese.read_text("utf-8"))


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
    text = (ROOT / GUIDES["zh"]).read_text("utf-8")
    assert old in text
    assert guide(text) != guide(text.replace(old, new))


@pytest.mark.book
def test_chinese_has_its_own_punctuation():
    """Half-width marks between Chinese characters: typed in passing, seen at once."""
    found = []
    for path in [*sorted((ROOT / "docs" / "zh").rglob("*.md")), ROOT / GUIDES["zh"]]:
        text = re.sub(
            r"\$\$.*?\$\$|\$[^$]*\$|`[^`]*`|\{ #.*? \}|(?<=\])\(.*?\)"
            r"|(?m:^ *(?:allows|also|not): \[.*?\])",  # lists of YAML
            "x",
            path.read_text("utf-8"),
        )
        for number, line in enumerate(text.splitlines(), 1):
            if re.search("[\u4e00-\u9fff][,:;!?()]|[,;!?()][\u4e00-\u9fff]", line):
                found.append(f"{path.name}:{number}: {line}")
    assert not found
