"""The table of conventions says what the sessions print, cell by cell."""

import re

import pytest

from book import sessions
from book.pages import LANGUAGES, ROOT

# Anchor of a row -> its cells -> a function and its result, the next function, ...
Table = dict[str, list[list[str]]]
PAIR = re.compile("`([^`]+)` → `([^`]+)`")


def page(language: str) -> str:
    return (ROOT / "docs" / language / "conventions.md").read_text("utf-8")


def table(text: str) -> Table:
    """The first table; an error where a line of a cell is not `name` → `result`."""
    rows = {}
    for line in re.search(r"(?m)^\|.*\n\|[-|]+\n((?:\|.*\n)+)", text)[1].splitlines():
        question, *cells = line.strip("|").split(" | ")
        (anchor,) = re.findall(r"\]\(#([a-z-]+)\)", question)
        assert anchor not in rows
        rows[anchor] = []
        for cell in cells:
            pairs = [PAIR.fullmatch(line.strip()) for line in cell.split("<br>")]
            assert all(pairs), f"{anchor}: held to nothing: {cell}"
            rows[anchor].append([part for pair in pairs for part in pair.groups()])
    return rows


def printed(name: str) -> Table:
    """The rows that a session shows in its section matrix, which the tests compare."""
    [block] = sessions.parse(sessions.SNIPPETS / f"{name}.md").of("matrix")
    rows = [line.split(" | ") for line in block.shown.splitlines()]
    return {
        key: [
            [part for entry in cell.split("; ") for part in entry.rsplit(": ", 1)]
            for cell in cells
        ]
        for key, *cells in rows
    }


def head(text: str) -> list[str]:
    """Of the first table: what a row is about, then the columns of the sessions."""
    line = re.search(r"(?m)^\|(.*)\|\n(?=\|[-|]+\n)", text)[1]
    return [cell.strip() for cell in line.split("|")]


def unfounded(text: str) -> list[str]:
    """Conditions in the questions that the code of their section does not tell.

    A formula such as H = 6 stands in a comment there, a list in the code.
    """
    wrong = []
    for anchor in printed("conventions"):
        question = re.search(rf"(?m)^\| \[[^\]]*\]\(#{anchor}\)([^|]*)", text)[1]
        blocks = sessions.parse(sessions.SNIPPETS / "conventions.md").of(anchor)
        code = "".join(block.code for block in blocks)
        comments = "\n".join(re.findall(r"#.*", code)).replace(" ", "")
        for formula in re.findall(r"\$([^$]*)\$", question):
            told = formula.replace(r"\sum_k y_k", "Σy").replace(" ", "")
            if not re.search(rf"{re.escape(told)}(?!\d)", comments):
                wrong.append(f"{anchor}: {formula} is in no comment of its code")
        for numbers in re.findall(r"\d(?:[,、] ?\d)+", question):
            listed = r"\D+".join(rf"{n}\.0" for n in re.findall(r"\d", numbers))
            if not re.search(rf"\[+{listed}", code):
                wrong.append(f"{anchor}: {numbers} is no array of its code")
    return wrong


def complaints(text: str) -> list[str]:
    """The rows in which a page says something else than the sessions."""
    ours, torch, shown = printed("conventions"), printed("conventions-torch"), {}
    for key in [*ours, *torch]:
        shown[key] = ours.get(key, []) + torch.get(key, [])
    there = table(text)
    return [
        f"{key}: the page has {there.get(key)}, the sessions print {shown.get(key)}"
        for key in {**there, **shown}
        if there.get(key) != shown.get(key)
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cell_is_what_the_sessions_print(language):
    text = page(language)
    assert not complaints(text)
    assert not unfounded(text)
    assert head(text)[1:] == ["TensorFlow", "NumPy", "PyTorch"]
    assert list(table(text)) == list(printed("conventions"))
    for anchor in table(text):
        assert f"{{ #{anchor} }}" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_names_the_version_that_the_session_prints(language):
    first = sessions.parse(ROOT / "snippets" / "conventions-torch.md").blocks[0].shown
    assert re.fullmatch(r"torch \d+\.\d+\.\d+\n", first)
    assert f"`{first.strip()}`" in page(language)
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    assert first.strip().replace(" ", "==") in ci


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_change_in_any_cell_is_noticed(language):
    text = page(language)
    rows = [line for line in text.splitlines() if line.startswith("| [")]
    assert len(rows) == len(printed("conventions"))
    for row in rows:
        for place in re.finditer(r"`[^`]*([^`])`", row):
            other = row[: place.start(1)] + "#" + row[place.end(1) :]
            assert len(complaints(text.replace(row, other))) == 1, place[0]
        assert len(complaints(text.replace(row + "\n", ""))) == 1
        for other in [row + " 0 |", row.replace(" → ", " ", 1)]:
            with pytest.raises(AssertionError, match="held to nothing"):
                complaints(text.replace(row, other))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_change_in_a_question_or_in_the_head_is_noticed(language):
    text = page(language)
    for number in ["H=6", "K=3", "S=2", "y_k = 2"]:
        changed = text.replace(number + "$", number[:-1] + "5$", 1)
        assert changed != text
        assert len(unfounded(changed)) == 1, number
    changed = re.sub(r"1([,、]) ?2[,、] ?2[,、] ?0", r"1\1 2\1 1\1 0", text, count=1)
    assert changed != text
    assert len(unfounded(changed)) == 1
    assert head(text.replace("TensorFlow | NumPy", "NumPy | TensorFlow")) != head(text)
