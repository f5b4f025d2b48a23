"""The page on verification and the marks say what the record says, and if it is old."""

import json
import re
from html import unescape
from math import log10
from pathlib import Path

import pytest
from mkdocs.exceptions import Abort

from book import checks, record, verification
from book.pages import LANGUAGES, ROOT, contents
from book.results import results
from book.sessions import parse
from book.steps import MADE, SHOWN
from book.tex.evaluator import CLOSE
from tests.minibook import MiniBook


def recorded(root: Path, equations: dict, fingerprint: str) -> None:
    written = {
        "date": "2026-01-31",
        "versions": {
            "tensorflow": "2.x",
            "keras": "3.x",
            "numpy": "2.y",
            "python": "3.z",
        },
        "profile": "quick",
        "fingerprint": fingerprint,
        "equations": equations,
        "formulas": {"evaluated": 5, "definition": 1, "marked": 1, "held": 70},
        "outputs": 1234,
    }
    path = root / ".cache" / "verification.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(written), "utf-8")


def rows(table: str) -> dict[str, list[str]]:
    """The cells of each row that has an anchor."""
    found = re.findall(r'<tr id="check-([^"]*)">(.*?)</tr>', table, re.DOTALL)
    return {
        label: [
            unescape(re.sub("<[^>]*>", "", cell))
            for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)
        ]
        for label, row in found
    }


# --- A small book ------------------------------------------------------------

SESSION = """```python
# equation: a-b
def a_b(x):
    return x


# wrong: a-b, the sign
# wrong: c-d, all of it
def a_b_minus(x):
    return -x


# equation: c-d
def c_d(x):
    return x
```
"""
TABLE = (
    "# Table\n\n<!-- verification table -->\n\n<!-- formulas table -->\n\nAfter it.\n"
)
HOME = "# H\n\n<!-- last run -->\n"
ONE = "# One, $x = 2$\n\n$$\nx \\label{step-x}\n$$\n\n$$\nx \\label{a-b}\n$$\n"
TWO = """# Two { #two }

<!-- unchecked: a plan of $x$ -->

$$
x \\label{c-d}
$$
"""


class Book(MiniBook):
    """Three pages and a table in two languages, a session, and what checks it."""

    def __init__(self, root: Path) -> None:
        pages = {"index.md": HOME, "one.md": ONE, "part/two.md": TWO}
        hooks = ["contents", "mathematics", "verification"]
        hooks = [f"site_hooks/{hook}.py" for hook in hooks]
        super().__init__(root, {**pages, "table.md": TABLE}, hooks)
        self.write("snippets/s.md", SESSION)
        self.write("snippets/s.py", "1")

    def build(self) -> None:
        super().build(strict=True)

    def table(self, language: str = "en") -> str:
        return self.read("table.md", language)


@pytest.fixture
def book(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)  # where the snippets are looked for
    monkeypatch.delenv("CI", raising=False)
    book = Book(tmp_path)
    equations = {
        "a-b": {"cases": 150, "error": 2.6e-14},
        "c-d": {"cases": 70, "error": 0.0},
    }
    recorded(tmp_path, equations, record.fingerprint(tmp_path))
    return book


def told(page: str) -> list[tuple[str, ...]]:
    """The lines below its title: where each leads, what it says, its numbers."""
    pattern = r'</h1>\n<p class="verified"><a href="([^"]*)">(.*?)</a>(.*?)</p>'
    return re.findall(pattern, page)


def test_the_table_and_the_lines_of_pages_say_what_is_recorded(book):
    book.build()
    for language in LANGUAGES:
        table = book.table(language)
        assert rows(table) == {
            "a-b": ["(1.2)", "a_b", "s", "150", "3·10−14", "1"],
            "c-d": ["(2.1)", "c_d", "s", "70", "0", "1"],
        }
        assert re.search(r'id="check-a-b"><td><a href="\.\./one/#eq-a-b">', table)
        assert re.search(r'id="check-c-d"><td><a href="\.\./part/two/#eq-c-d">', table)
        assert not told(table)  # it has no equation
        for fact in ["2026-01-31", "quick", "220", "1234", "2.x", "Python 3.z"]:
            assert fact in table
        assert "admonition" not in table
        assert '<table id="main-results"' in table
        assert "verification table" not in table
        numbers = re.findall(r"<tr>\s*<td>.*?</td>\s*<td[^>]*>(.*?)</td>", table)
        assert numbers == ["5", "–", "1", "1", "–", "70"]
        assert '<a href="../part/two/#two">' in table
        assert 'data-tex="x"' in table  # in the reason

    assert told(book.read("one.md")) == [
        (
            "../table/#main-results",
            "✓ verified 2026-01-31",
            " · main results: 1 · random cases: 150",
        )
    ]
    assert told(book.read("part/two.md", "zh")) == [
        (
            "../../table/#main-results",
            "✓ 已验证（2026-01-31）",
            " · 主要结果 1 个 · 随机数据 70 组",
        )
    ]
    assert not told(book.read("index.md"))
    index = (book.root / "site" / "search" / "search_index.json").read_text("utf-8")
    assert "random cases: " not in index  # or these words would find every page


@pytest.mark.parametrize(
    ("page", "counted"),
    [
        (f"{SHOWN}1</div>{SHOWN}2</div>", ["outputs compared: 2"]),
        (f"{SHOWN}1</div>{SHOWN}2{MADE}></a></div>", ["outputs compared: 1"]),
        (f"{SHOWN}1{MADE}></a></div>", []),
        (
            f'<a class="number" href="#eq-a-b">(1.2)</a>{SHOWN}1</div>'
            '<a class="number" href="#eq-step-x">(1.1)</a>',
            ["outputs compared: 1", "main results: 1", "random cases: 150"],
        ),
        ("<p>Text</p>", []),
    ],
)
def test_a_page_counts_what_it_shows_once(book, page, counted):
    found = verification.found(contents(book.root / "docs")["en"], book.root)
    lines = told(verification.marked(f"<h1>T</h1>{page}", found, "en", "v"))
    assert [line[2].split(" · ")[1:] for line in lines] == [counted] * bool(counted)


def run_in_numbers(book: Book, language: str = "en") -> list[str]:
    html = book.read("index.md", language)
    assert "<!-- last run -->" not in html
    return re.findall(r"<li><strong>(.*?)</strong> \w", html)


def test_the_run_in_numbers(book):
    book.build()
    for language in LANGUAGES:
        assert run_in_numbers(book, language) == ["1\u202f234", "5", "220", "2"]


def change_a_session(book):
    book.write("snippets/s.md", SESSION.replace("-x", "-2 * x"))


def change_a_check(book):
    book.write("snippets/s.py", "3")


def add_a_session(book):
    book.write("snippets/t.md", "Text.")


def change_a_formula(book, old="x \\label{step", new="-x \\label{step"):
    for path in sorted(book.root.glob("docs/*/one.md")):
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")


def change_a_formula_within_a_line(book):
    change_a_formula(book, "$x = 2$", "$x = 3$")


STALE = [
    *(change_a_session, change_a_check, add_a_session),
    *(change_a_formula, change_a_formula_within_a_line),
]
UNVERIFIED = ("○ not yet verified on this machine", "")
BROKEN = ["", "{", "[]", "null", "{}", '{"equations": 3}', "\udcff"]


@pytest.mark.parametrize("change", STALE)
def test_a_stale_record_is_shown_as_such(book, change):
    change(book)
    book.build()
    assert rows(book.table())["a-b"] == ["(1.2)", "a_b", "s", "150", "3·10−14", "–"]
    assert "Out of date" in book.table()
    assert "Out of date" in book.read("index.md")
    assert run_in_numbers(book) == []
    assert "结果已过期" in book.table("zh")
    assert [line[1:] for line in told(book.read("one.md"))] == [
        ("○ changed since it was verified 2026-01-31", "")
    ]


def test_no_record_is_no_mistake(book, monkeypatch):
    monkeypatch.setenv("CI", "true")
    (book.root / ".cache" / "verification.json").unlink()
    book.build()
    assert rows(book.table())["a-b"] == ["(1.2)", "a_b", "s", "–", "–", "–"]
    assert "Not yet checked on this machine" in book.table()
    assert run_in_numbers(book) == []
    assert "在这台机器上尚未验证" in book.table("zh")
    assert [line[1:] for line in told(book.read("one.md"))] == [UNVERIFIED]


def test_an_equation_that_is_not_in_the_record_is_not_called_checked(book):
    equations = {"c-d": {"cases": 70, "error": 0.0}}
    recorded(book.root, equations, record.fingerprint(book.root))
    book.build()
    assert rows(book.table())["a-b"] == ["(1.2)", "a_b", "s", "–", "–", "–"]
    assert [line[1:] for line in told(book.read("one.md"))] == [UNVERIFIED]


@pytest.mark.parametrize("text", BROKEN)
def test_a_record_that_cannot_be_read_is_shown_as_such(book, text):
    path = book.root / ".cache" / "verification.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert record.read(book.root) == ("broken", None)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("date", "today"),
        ("date", None),
        ("versions", {}),
        ("equations", {"a-b": {}}),
        ("equations", {"a-b": {"cases": 1, "error": float("nan")}}),
        ("equations", {"a-b": {"cases": "many", "error": 0}}),
        ("equations", []),
        ("outputs", "many"),
    ],
)
def test_a_part_of_the_record_that_cannot_be_read(book, key, value):
    path = book.root / ".cache" / "verification.json"
    written = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**written, key: value}), "utf-8")
    assert record.read(book.root) == ("broken", None)
    del written[key]
    path.write_text(json.dumps(written), "utf-8")
    assert record.read(book.root) == ("broken", None)


def test_a_broken_record_is_told_on_the_page(book):
    (book.root / ".cache" / "verification.json").write_text("{")
    book.build()
    assert "The record cannot be read" in book.table()
    assert "验证记录无法读取" in book.table("zh")
    assert [line[1:] for line in told(book.read("one.md"))] == [UNVERIFIED]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (change_a_session, "is not of this code"),
        (lambda book: recorded(book.root, [], ""), "cannot be read"),
    ],
)
def test_ci_builds_no_site_from_it(book, monkeypatch, caplog, change, message):
    monkeypatch.setenv("CI", "true")
    book.build()
    change(book)
    with pytest.raises(Abort):
        book.build()
    assert f"{message}; run: python3 make.py test" in caplog.text


def test_a_tag_at_fault_is_named(book, caplog):
    book.write("snippets/s.md", SESSION.replace("a-b, the sign", "a-b"))
    with pytest.raises(Abort):
        book.build()
    assert "snippets/s.md:7: a tag stands directly above" in caplog.text


# --- The project's own -------------------------------------------------------


def test_the_fingerprint_is_of_sessions_parts_and_library(tmp_path, monkeypatch):
    book = Book(tmp_path)
    changes = [lambda book: None, *STALE]
    changes.append(lambda book: monkeypatch.setattr(record, "MODULES", []))
    seen = set()
    for change in changes:
        change(book)
        seen.add(record.fingerprint(tmp_path))
    assert len(seen) == len(changes)


def test_what_is_written_is_read(tmp_path):
    Book(tmp_path)
    equations = {"a-b": {"cases": 3, "error": 1e-15}}
    before = record.fingerprint(tmp_path)
    assert not record.write("full", equations, {"marked": 1}, 3, "other", tmp_path)
    assert record.write("full", equations, {"marked": 1}, 3, before, tmp_path)
    state, run = record.read(tmp_path)
    assert state == "fresh"
    assert run.versions == record.versions()
    assert run.profile == "full"
    assert run.equations == {"a-b": (3, 1e-15)}
    assert run.formulas == {"marked": 1}
    assert run.outputs == 3


@pytest.mark.book
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_main_equation_has_a_row(language):
    pages = contents()[language]
    found = verification.found(pages, ROOT)
    assert found.page == "verification.md"
    table = verification.table(found, language)
    shown = rows(table)
    labels = re.findall(r"\\label\{(.*?)\}", "".join(page.text for page in pages))
    main = [label for label in labels if not label.startswith("step-")]
    assert list(shown) == main
    assert set(main) == set(results())
    for label, cells in shown.items():
        assert cells[0] == f"\\(\\eqref{{{label}}}\\)"
        result = results()[label]
        assert cells[1] == result.function
        assert cells[2] == parse(result.session).name


def test_the_languages_have_the_same_texts():
    en, zh = (verification.TEXTS[language] for language in LANGUAGES)
    assert en.keys() == zh.keys()
    assert en.keys() >= {"stale", "broken", "absent"}
    for key in en:
        fields = [
            re.findall(r"\{.*?\}|<code>.*?</code>", str(t[key])) for t in (en, zh)
        ]
        assert fields[0] == fields[1]
        assert len(en[key]) == len(zh[key]) or isinstance(en[key], str)
    chinese = str([*zh.values()])
    assert not re.search("[\u4e00-\u9fff}][,:;!?]|[,:;!?][\u4e00-\u9fff]", chinese)


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (0.0, "0"),
        (1e-10, "1·10<sup>−10</sup>"),
        (9.6e-15, "1·10<sup>−14</sup>"),
        (2.4e-16, "2·10<sup>−16</sup>"),
        (3, "3·10<sup>0</sup>"),
    ],
)
def test_one_significant_digit(error, shown):
    assert verification.number(error) == shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_states_the_tolerances(language):
    text = (ROOT / "docs" / language / "verification.md").read_text("utf-8")
    exact, slope, scale, step = (
        f"10^{{{round(log10(value))}}}"
        for value in (
            *(checks.EXACT, checks.SLOPE),
            *(checks.SCALE, checks.H),
        )
    )
    assert rf"\le {exact} \cdot \max\bigl({scale}, \max_i |t_i|" in text
    assert rf"\le {slope} \cdot \max\Bigl({scale}, \sum_i |m_i v_i|" in text
    assert f"$h = {step}$" in text
    assert f"$10^{{{round(log10(CLOSE))}}}$" in text
