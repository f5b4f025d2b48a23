"""Small books, built with the project's own settings, and their formulas."""

import json
import pickle
import re
import subprocess
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest
from mkdocs.exceptions import Abort

from book import formulas
from book import kept as kept_
from book import typesetter as typesetter_
from book.pages import LANGUAGES, ROOT
from tests.minibook import MiniBook

PAGES = ["index.md", "one.md", "part/two.md"]


class Book(MiniBook):
    """Three pages, and what comes of their formulas."""

    def __init__(self, root: Path) -> None:
        pages = {page: f"# {page}" for page in PAGES}
        nav = [*PAGES[:2], {"Part": PAGES[2:]}]
        super().__init__(root, pages, ["site_hooks/mathematics.py"], nav=nav)

    def build(self) -> None:
        """As one `mkdocs build`: nothing is left in memory from the build before."""
        formulas.typeset._known.clear()
        super().build()

    def found(self) -> dict[str, str]:
        """What the search knows: title -> text."""
        index = self.root / "site" / "search" / "search_index.json"
        return {
            entry["title"]: entry["text"]
            for entry in json.loads(index.read_text("utf-8"))["docs"]
        }


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    """What was typeset by these tests."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(autouse=True)
def typesetter(kept: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kept_, "CACHE", kept)
    monkeypatch.chdir(ROOT)  # where the snippets are looked for
    return typesetter_


@pytest.fixture
def empty(typesetter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache in which nothing is."""
    monkeypatch.setattr(kept_, "CACHE", tmp_path / ".cache")
    return tmp_path / ".cache"


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen]:
    """Every process that is started."""
    started = []

    class Noted(subprocess.Popen):
        def __init__(self, *args, **options) -> None:
            super().__init__(*args, **options)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    return started


@pytest.fixture(scope="module")
def node(kept: Path) -> Iterator[Callable]:
    """One Typesetter for all who only look at what it makes."""
    one = typesetter_.Typesetter()
    yield one
    one.close()


@pytest.fixture
def typeset(typesetter, node) -> Callable:
    return node


@pytest.fixture
def new(typesetter, empty) -> Iterator[Callable]:
    """One that has typeset nothing."""
    one = typesetter.Typesetter()
    yield one
    one.close()


@pytest.fixture
def refused(book: Book, caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    def message() -> str:
        caplog.clear()
        with pytest.raises(Abort):
            book.build()
        return caplog.text

    return message


# --- The page ----------------------------------------------------------------

EVERYWHERE = r"""
# Title $a_1$ {#title}

## Heading $S > 1$ and $b^2$ {#heading}

Text with $\delta^l$, **$c$**, a [link $d$](#title) and `\(code\)`.[^1]

| head $e$ | |
|---|---|
| cell $f$ | $\tfrac{g}{h}$ |

!!! note "Note $i$"
    - In it $j$:

        $$
        k < 1 % "why"
        $$

> \[ l \]

\begin{align} m &= n \end{align}

```text
\[ code \]
```

[^1]: Foot $o$.
"""


def test_every_formula_is_drawn_wherever_it_stands(book: Book) -> None:
    book.page(EVERYWHERE)
    book.build()
    page = book.read("one.md", "zh")
    article = page[page.index("<article") : page.index("</article")]
    sources = re.findall('class="drawn" aria-hidden="true" data-tex="(.*?)"', article)
    assert [unescape(source) for source in sources] == [
        *("a_1", "S > 1", "b^2", r"\delta^l", "c", "d", "e", "f", r"\tfrac{g}{h}"),
        *("i", "j", 'k < 1 % "why"', "l"),
        *(r"\begin{align} m &= n \end{align}", "o"),
    ]
    assert 'class="formula" title' not in page  # which would pop up at every hover
    assert article.count("<math") == article.count('class="formula"') == len(sources)
    prose = re.sub(r"(?s)<(code|pre).*?</\1>", "", page)
    assert not re.search(r"\\[(\[]|arithmatex", prose)
    assert "assets/mathematics.css" in page
    assert "assets/mathematics.js" in page


def test_a_page_has_each_glyph_once(book: Book) -> None:
    book.page(EVERYWHERE)
    book.build()
    page = book.read("one.md")
    ids = re.findall(r'<path id="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'<use href="#([^"]*)"', page)) == set(ids)


def test_titles_and_search_read_well(book: Book) -> None:
    book.page(EVERYWHERE)
    book.build()
    page = book.read("one.md")
    assert re.search("<title>Title a_1 - ", page)
    assert re.search(r'<a href="\./" class="[^"]*">\s*<span[^>]*>\s*Title a_1', page)
    contents = page[page.index('data-md-component="toc"') : page.index("<article")]
    assert set(re.findall('data-tex="([^"]*)"><svg', contents)) == {"S &gt; 1", "b^2"}
    found = book.found()
    assert "Title a_1" in found
    text = found["Heading S &gt; 1 and b^2"]
    assert "Text with δ^l, c, a link d and" in text
    assert "cell f g/h" in text
    assert "k" not in text.partition("In it j:")[2].partition("l</p>")[0]


# --- The formula -------------------------------------------------------------

FORMULAS = [
    r"\boldsymbol{\delta} \odot a \star b",
    r"\operatorname{rot180}(W)",
    r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \\ 5 & 6 \\ 7 & 8 \\ 9 & 10 \end{bmatrix}",
    r"\begin{aligned} a &= b \\ c &= d \end{aligned}",
    r"\begin{cases} 1 & x > 0 \\ 0 & \text{否则} \end{cases}",
    r"\underbrace{a + b}_{\text{sum}} + \tfrac{1}{2} + \mathbb{R} + \mathcal{L}",
    r"\left( \frac{\hat y}{\sqrt{x}} \right)^{\mathsf T} \sum_{i=0}^{n} \boxed{z}",
]


@pytest.mark.book
def test_the_mathematics_of_the_book_is_understood(typeset: Callable) -> None:
    outlines: dict[str, str] = {}
    for tex in FORMULAS:
        for display in (True, False):
            formula = typeset(tex, display)
            assert formula.svg.startswith("<svg ")
            assert formula.svg.endswith("</svg>")
            assert ('display="block"' in formula.mathml) == display
            for name, outline in formula.glyphs.items():
                # Else formulas could not share the glyphs of a page.
                assert outlines.setdefault(name, outline) == outline
            assert set(re.findall('href="#([^"]*)"', formula.svg)) == {*formula.glyphs}


def test_bold_is_bold(typeset: Callable) -> None:
    bold, plain = typeset(r"\boldsymbol{\delta}", False), typeset(r"\delta", False)
    assert not bold.glyphs.keys() & plain.glyphs.keys()


def test_chinese_has_the_room_that_it_takes(typeset: Callable) -> None:
    svg = typeset(r"\text{其中，}x", False).svg
    size = float(re.search(r'font-size="([\d.]+)px">其中，</text>', svg)[1])
    after = float(
        re.search(r'<use href="[^"]*" transform="translate\(([\d.]+),', svg)[1]
    )
    assert after == pytest.approx(3 * size, abs=1)


def test_svg_takes_the_colour_of_the_text_and_nothing_needless(
    typeset: Callable,
) -> None:
    for tex in FORMULAS:
        svg = typeset(tex, True).svg
        assert not re.search(
            r"data-(mml|latex|c)|currentColor|xmlns|#[0-9a-f]{3}\b", svg
        )
        assert "data-" not in typeset(tex, True).mathml


def test_a_long_formula_in_the_text_may_break(typeset: Callable) -> None:
    tex = "+".join("abcdefghijklmnop")
    assert typeset(tex, False).svg.count("<svg ") > 5
    assert typeset(tex, True).svg.count("<svg ") == 1
    assert typeset("a = b", False).svg.count("<svg ") == 1


@pytest.mark.parametrize(
    "brackets",
    ["(%s)", "[%s]^2", r"\lfloor %s \rfloor", r"\left(%s\right)", "f((a)+%s)"],
)
def test_a_long_formula_does_not_break_within_brackets(typeset, brackets) -> None:
    inside, outside = "+".join("abcdefghij"), "+".join("opqrstuvwx")
    whole = typeset(f"a+{brackets % inside}", False)
    assert whole.svg.count("<svg ") == 2
    assert "linebreak" not in whole.mathml
    # Before and behind them it does, and where one is closed that was never opened.
    assert (
        typeset(f"{outside}={brackets % 'a'}+{outside}", False).svg.count("<svg ") > 20
    )
    assert typeset(f"a)+{outside}", False).svg.count("<svg ") > 9


def test_a_drawing_is_not_broken_within(book: Book) -> None:
    """A tall brace is made of drawings; after a <wbr> nothing of it would be drawn."""
    brace = r"\begin{cases} a \\ b \\ c \\ d \end{cases}"
    book.page(f"# One\n\n$$\n{brace}\n$$\n\n$a+b+c+d+e+f+g$")
    book.build()
    tall, long = re.findall(
        r'(?s)class="drawn".*?<span class="read">', book.read("one.md")
    )
    assert "</svg><svg" in tall
    assert "<wbr>" not in tall
    between = '</svg></span><wbr><span class="piece"><svg'
    assert long.count(between) == long.count("<svg") - 1 > 2


def test_punctuation_stays_with_its_formula(book: Book) -> None:
    book.page("# One\n\n\u7531 $a$\uff0c\u5f97\uff08$b$\uff09\u4e0e $c$ \u3002")
    book.build()
    kept = re.findall(
        r'<span class="kept">(.)?<span class="formula">', book.read("one.md")
    )
    assert kept == ["", "\uff08"]
    assert book.read("one.md").count("</span>\uff0c</span>") == 1


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"\partial\ell/\partial W", "∂ℓ/∂W"),
        (r"\frac{\partial\ell}{\partial W}", "∂ℓ/∂W"),
        (r"\frac{a + b}{c}", "(a + b)/c"),
        (r"\delta^{l-1}_{ij}", "δ_ij^(l − 1)"),
        (r"\sigma'(z)", "σ′(z)"),
        (r"\hat y - \bar y", "ŷ − ȳ"),
        (r"S > 1", "S > 1"),
        (r"\operatorname{rot180}(\boldsymbol{W})", "rot180(W)"),
        (r"\sqrt{a+b}", "√(a + b)"),
        (r"\sum_i x_i", "∑_ix_i"),
        (r"x \star_{\mathrm{full}} \operatorname{rot180}(W)", "x ⋆_full rot180(W)"),
    ],
)
def test_plain_text(typeset: Callable, tex: str, text: str) -> None:
    assert typeset(tex, False).text == text


# --- Numbers and references --------------------------------------------------


def test_equations_have_numbers_and_references_lead_to_them(book: Book) -> None:
    book.page(
        "# One\n\n$$ a \\label{first} $$\n\n$$ b $$\n\n\\[\nc\n\\label{second}\n\\]\n\n"
        "Here $\\eqref{second}$, there $\\eqref{third-3}$.\n\n"
        "```\n$$ \\label{code} $$\n```\n"
    )
    book.page("# Two\n\n$$ d \\label{third-3} $$\n", "part/two.md")
    book.page("# Home\n\nSee $\\eqref{first}$.\n", "index.md")
    book.build()
    for language in LANGUAGES:
        page = book.read("one.md", language)
        assert re.findall('<div class="formula" id="([^"]*)"', page) == [
            "eq-first",
            "eq-second",
        ]
        assert '<a class="number" href="#eq-first">(1.1)</a></div>' in page
        assert '<a class="number" href="#eq-second">(1.2)</a></div>' in page
        assert 'Here <a href="#eq-second">(1.2)</a>' in page
        assert 'there <a href="../part/two/#eq-third-3">(2.1)</a>' in page
        assert r"\label" not in re.sub("(?s)<pre.*?</pre>", "", page)
        assert 'See <a href="one/#eq-first">(1.1)</a>' in book.read(
            "index.md", language
        )


def test_a_link_may_lead_to_an_equation(
    book: Book, caplog: pytest.LogCaptureFixture
) -> None:
    book.page("# One\n\n$$ a \\label{first} $$\n\n[a](one.md#eq-first)")
    book.build()
    assert "eq-first" not in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$$ a \\label{x} $$\n\n$$ b \\label{x} $$", r"\label{x} stands already at "),
        ("$$ a \\label{Not_this} $$", r"one.md:3: \label{Not_this}: not of a-z"),
        ("\n$\\eqref{nowhere}$", "one.md:4: no equation has the label nowhere"),
        ("$$ a \\tag{1} $$", r"one.md:3: \tag here"),
        ("$a \\label{x}$", r"one.md:3: \label here"),
        ("$a = \\eqref{x}$", r"one.md:3: \eqref here"),
        ("$$ a \\label{x} \\label{y} $$", r"one.md:3: \label here"),
    ],
)
def test_wrong_labels(book: Book, refused, text: str, message: str) -> None:
    book.page(f"# One\n\n{text}\n")
    assert message in refused()


def test_home_has_no_number(book: Book, refused) -> None:
    book.page("# Home\n\n$$ a \\label{x} $$\n", "index.md")
    assert "index.md:3: \\label{x}: this page has no number" in refused()


def test_languages_have_the_same_labels(book: Book, refused) -> None:
    book.page("# One\n\n$$ a \\label{x} $$\n", language="en")
    message = refused()
    assert "en/one.md:3: \\label{x} is missing in another language" in message


def test_languages_have_the_same_numbers(book: Book, refused) -> None:
    book.page("# One\n\n$$ a \\label{x} $$\n\n$$ b \\label{y} $$\n", language="en")
    book.page("# One\n\n$$ b \\label{y} $$\n\n$$ a \\label{x} $$\n", language="zh")
    message = refused()
    assert "zh/one.md:5: \\label{x} is (1.2), but (1.1) at" in message
    assert "en/one.md:3" in message
    # A build that failed leaves nothing behind for the next.
    book.page("# One\n\n$$ b \\label{y} $$\n\n$$ a \\label{x} $$\n", language="en")
    book.build()


# --- Mistakes ----------------------------------------------------------------


def test_all_mistakes_are_told_with_their_places(book: Book, refused) -> None:
    book.page(
        "---\nkey: 1\n---\n# One $\\alhpa$\n\nText $\\undefined{x}$ and\n\n"
        "$$\n\\frac{a}\n$$\n\n$$ {x $$\n\n- item\n\n    $$\n    \\begin{nonsense}\n"
        "    \\end{nonsense}\n    $$\n"
    )
    message = refused()
    for line, problem in [
        (4, r"Undefined control sequence \alhpa"),
        (6, r"Undefined control sequence \undefined"),
        (9, r"Missing argument for \frac"),
        (12, "Extra open brace or missing close brace"),
        (17, "Unknown environment 'nonsense'"),
    ]:
        assert f"en/one.md:{line}: {problem}" in message
    assert r"\frac{a}" in message


@pytest.mark.parametrize(
    "text", ["text\n  \\[ \\frac{a}{b} \\]", "words $$ a $$ words", "cost \\alpha$"]
)
def test_tex_that_markdown_takes_for_text(book: Book, refused, text: str) -> None:
    book.page(f"# One\n\n{text}\n")
    assert re.search(r"one\.md:[34]: TeX that is no formula", refused())


# --- Node and the cache ------------------------------------------------------


def test_one_node_for_both_languages_and_none_when_all_is_known(
    book: Book, empty, nodes: list
) -> None:
    book.page(EVERYWHERE)
    book.page("# 另一个 $\\zeta$\n", "part/two.md", "zh")
    book.build()
    assert len(nodes) == 1
    assert nodes[0].returncode == 0
    before = book.read("one.md"), book.read("one.md", "zh")
    book.build()
    assert len(nodes) == 1
    assert before == (book.read("one.md"), book.read("one.md", "zh"))


def test_node_ends_with_a_build_that_fails(
    book: Book, refused, empty, nodes: list
) -> None:
    book.page("# One $\\undefined$")
    refused()
    assert [node.returncode for node in nodes] == [0]


def test_a_damaged_entry_is_typeset_again(new: Callable, typesetter) -> None:
    good = new("x", False)
    (entry,) = (kept_.CACHE / "mathematics").iterdir()
    entry.write_bytes(b"{")
    another = typesetter.Typesetter()
    assert another("x", False) == good
    another.close()
    assert pickle.loads(entry.read_bytes()) == good


def test_the_cache_knows_what_an_entry_depends_on(
    typesetter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def key(tex: str = "x", display: bool = False) -> str:
        return typesetter.Typesetter()._key(tex, display)

    keys = [key(), key("y"), key(display=True)]
    for name in ("SCRIPT", "NODE_LOCK"):
        changed = tmp_path / name
        changed.write_bytes(getattr(typesetter, name).read_bytes() + b" ")
        monkeypatch.setattr(typesetter, name, changed)
        keys.append(key())
    assert len(set(keys)) == 5
    assert key() == keys[-1]


def test_node_that_dies_is_told(new: Callable, typesetter, nodes: list) -> None:
    new("x", False)
    nodes[0].kill()
    nodes[0].wait()
    with pytest.raises(typesetter.CannotTypeset, match="Node ended at the formula: y"):
        new("y", False)


def test_without_mathjax_the_way_to_get_it_is_told(
    book: Book,
    refused,
    empty,
    typesetter,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    book.page("# One $x$")
    monkeypatch.setattr(typesetter, "MATHJAX", tmp_path / "nowhere")
    assert "python3 make.py build" in refused()
