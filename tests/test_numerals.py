"""No number of a page stands on nothing, and the languages have the same ones."""

import re
from dataclasses import replace

import pytest

from book import numerals, sessions
from book.numerals import complaints, disagreements
from book.pages import LANGUAGES, Page, nav_pages, page

PAGES = [f"docs/{language}/{name}" for language in LANGUAGES for name in nav_pages()]


def at(path: str) -> Page:
    return page(*path.removeprefix("docs/").split("/", 1))


@pytest.mark.parametrize("path", PAGES)
def test_a_number_stands_on_its_section_or_on_an_entry(path):
    assert not complaints(at(path))


@pytest.mark.parametrize("name", nav_pages())
def test_the_languages_have_the_same_numbers(name):
    assert not disagreements(page("en", name), page("zh", name))


# --- Broken on purpose -------------------------------------------------------------


def changed(of: Page, old: str, new: str) -> Page:
    assert of.text.count(old) == 1, old
    return replace(of, text=of.text.replace(old, new))


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        # Neither in the code nor in a formula of the section.
        (
            "cnn/stride.md",
            "The 4 rows become",
            "The 6 rows become",
            "in NUMBERS 1 times",
        ),
        ("softmax.md", "which is 0.5514 for", "which is 0.5541 for", "0.5541 is in no"),
        ("convolution/im2col.md", "of 64×64×16,", "of 64×32×16,", "64×32×16 is in no"),
        # Versions are the locked ones.
        (
            "conventions.md",
            "of Keras 3.15, given",
            "of Keras 3.14, given",
            "Keras 3.14",
        ),
        ("index.md", "3.12 or 3.13", "3.12 or 3.14", "Python 3.14, here it is 3.11"),
        ("index.md", "3.12 or 3.13", "3.11 or 3.13", "has a version twice"),
        # Entries: what the session computes, the cells of a column.
        (
            "cnn/pooling.md",
            "here and not 36.",
            "here and not 35.",
            "36 stands there 0 t",
        ),
        ("article.md", "| 3 | 6 | `x`", "| 3 | 7 | `x`", "'column 2': the page has"),
        # Lists in formulas are those of the session.
        (
            "cnn/weights.md",
            "$x = (1, 3, -2, 0.5, 4)$",
            "$x = (1, 3, -2, 0.5, 5)$",
            "0.5,",
        ),
        # A section that is gone.
        ("check.md", "{ #float64 }", "{ #doubles }", "has a section float64"),
    ],
)
def test_a_number_from_nowhere_is_named(name, old, new, message):
    wrong = complaints(changed(page("en", name), old, new))
    assert any(message in line for line in wrong), wrong
    assert all(re.match(r"docs/en/\S+?:", line) for line in wrong)


def test_data_that_the_text_tells_is_held_though_no_result_depends_on_it():
    of = page("en", "pooling/max.md")
    session = sessions.parse(sessions.SNIPPETS / of.name)
    assert not numerals.untold(of, session)
    old, new = "[1.0, 4.0, 6.0, 2.0, 6.0", "[1.0, 4.0, 6.0, 3.0, 6.0"
    blocks = [replace(b, code=b.code.replace(old, new)) for b in session.blocks]
    other = replace(session, blocks=blocks)
    assert sessions.run(other).error is None
    (message,) = numerals.untold(of, other)
    assert "a = (1, 4, 6, 2, 6, 3, 5, 9) is not in pooling/max" in message


def test_an_entry_is_computed(monkeypatch):
    of = page("en", "cnn/pooling.md")
    entries = {"exercise-order": {"9 36": "= [order_delta.size, order_delta.size]"}}
    monkeypatch.setattr(numerals, "entries", lambda of: entries)
    assert "order_delta.size] is [9, 9]" in complaints(of)[0]
    entries["exercise-order"] = {"36": "= no_such_name"}
    assert "name 'no_such_name' is not defined" in complaints(of)[0]


def test_a_number_of_one_language_is_named():
    english, chinese = page("en", "cnn/stride.md"), page("zh", "cnn/stride.md")
    other = changed(
        english, "Make the input 10 rows high", "Make the input ten rows high"
    )
    (message,) = disagreements(other, chinese)
    assert message == "docs/zh/cnn/stride.md: explorer: 10 in this language only"
    # In an alternative small numbers count, too.
    other = changed(english, "and columns 4 to 6 is outlined", "and three columns are")
    assert len(disagreements(other, chinese)) == 1


def test_versions_are_read_from_the_lock_and_from_what_runs():
    assert numerals.known_versions("Keras") == [numerals.locked("keras")]
    first = sessions.parse(sessions.SNIPPETS / "conventions-torch.md").blocks[0]
    assert first.shown == f"torch {numerals.known_versions('PyTorch')[0]}\n"
    assert "3.11" in numerals.known_versions("Python")
