"""The figures show the numbers of the sessions, where the pages say, and no others."""

import ast
import importlib.util
import re
import shutil
from contextlib import nullcontext
from functools import cache
from html import unescape
from pathlib import Path
from types import ModuleType, SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from markdown import Markdown

from book import figures, parts, sessions
from book.figures import Box, Panel
from book.pages import LANGUAGES, ROOT, BadPage, nav_pages
from book.sessions import BadSession

SVG = "{http://www.w3.org/2000/svg}"
IMAGE = re.compile(r"!\[([^\]]*)\]\(figure:([\w-]+)\)")
FIGURES, CLAIMS = parts.listed("figure"), parts.listed("claim")


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "figures", ROOT / "site_hooks" / "figures.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hook = load()


# --- What a session shows, read by another way than the library reads it -----


class Reading:
    """What figures and claims are given in place of figures.Shown."""

    def __init__(self, page: str):
        self.page = page
        self.reads: list[tuple] = []  # printed or written, session, section, which

    def blocks(self, section: str) -> tuple[str, str, list[sessions.Block]]:
        page, _, name = section.rpartition(":")
        page = page or self.page
        session = sessions.parse(sessions.SNIPPETS / f"{page}.md")
        (part,) = [part for part in session.sections if part.name == name]
        inside = [b for b in session.blocks if part.start < b.line < part.end]
        return page, name, inside

    def text(self, section: str) -> str:
        """All that a section prints."""
        _, _, blocks = self.blocks(section)
        return "".join(block.shown for block in blocks if block.shown)

    def printed(self, section: str, shape=None, nth: int = 0) -> np.ndarray:
        page, name, _ = self.blocks(section)
        self.reads.append(("printed", page, name, nth))
        arrays, depth = [], 0
        for line in self.text(section).splitlines():
            if line.startswith("[["):
                arrays.append("")
                depth = 1
            if depth:
                arrays[-1] += line + "\n"
                depth = not line.endswith("]]")
        literal = re.sub(r"(?<=[\d\]])\s+", ",", arrays[nth])[:-1]
        return shaped(np.array(ast.literal_eval(literal)), shape)

    def written(self, section: str, variable: str, shape=None) -> np.ndarray:
        page, name, blocks = self.blocks(section)
        self.reads.append(("written", page, name, variable))
        names = {"np": np}
        for line in ast.parse("".join(block.code for block in blocks)).body:
            if isinstance(line, ast.Assign):
                targets = ast.unparse(line.targets[0])
                if targets == variable:
                    exec(ast.unparse(line), names)
        return shaped(np.squeeze(names[variable]), shape)


def shaped(array: np.ndarray, shape: tuple[int, ...] | None) -> np.ndarray:
    """With the axes of length 1 that it has in the figure."""
    if shape is None:
        return array
    assert np.squeeze(array).shape == tuple(n for n in shape if n > 1)
    return array.reshape(shape)


# --- What is drawn -----------------------------------------------------------


class Drawn(np.ndarray):
    """The array of a panel, and what is marked in the drawing. It notes of which marks
    a claim asks."""

    def __new__(cls, array: np.ndarray, svg: ElementTree.Element) -> "Drawn":
        self = np.asarray(array, dtype=float).view(cls)
        kinds = {"window": "window", "result": "result", "rings": "ring", "grey": "put"}
        self.marks = {name: boxes(svg, kind) for name, kind in kinds.items()}
        self.asked = set()
        return self

    def places(self, kind: str) -> list[tuple[slice, slice]]:
        self.asked.add(kind)
        return self.marks[kind]

    def one(self, kind: str) -> tuple[slice, slice]:
        (box,) = self.places(kind)
        return box

    def where(self, kind: str) -> np.ndarray:
        found = np.zeros(self.shape, dtype=bool)
        for box in self.places(kind):
            found[box] = True
        return found

    window = property(lambda self: self.one("window"))
    result = property(lambda self: self.one("result"))
    rings = property(lambda self: self.where("rings"))
    grey = property(lambda self: self.where("grey"))

    @property
    def unclaimed(self) -> set[str]:
        return {name for name, marks in self.marks.items() if marks} - self.asked


@cache
def panels(name: str) -> list[ElementTree.Element]:
    html = figures.drawing(name, "x")
    return list(ElementTree.fromstring(html).iter(f"{SVG}svg"))


def arrays(name: str) -> tuple[list[np.ndarray], Reading]:
    """What the panels of a figure are to show, by the other reading."""
    reading = Reading(FIGURES[name].page)
    made = FIGURES[name].function(reading)
    return [panel.array for panel in made if isinstance(panel, Panel)], reading


def numbers(panel: ElementTree.Element) -> np.ndarray:
    """What stands in the cells, each at the row and column where it is drawn."""
    cells = {}
    for text in panel.iter(f"{SVG}text"):
        if not (text.get("class") or "").startswith("index"):
            place = float(text.get("y")), float(text.get("x"))
            cells[place] = float(text.text.replace("−", "-"))
    rows, columns = (sorted({place[axis] for place in cells}) for axis in (0, 1))
    assert len(cells) == len(rows) * len(columns)
    return np.array([[cells[y, x] for x in columns] for y in rows])


def boxes(panel: ElementTree.Element, kind: str) -> list[tuple[slice, slice]]:
    """The rows and columns that an outline, or a ring, surrounds."""
    found = []
    for shape in panel.iter():
        if shape.get("class") == kind and shape.tag == f"{SVG}path":
            for step in shape.get("d").split("M")[1:]:
                left, top, width, height = map(int, re.findall(r"\d+", step)[:4])
                found.append((left, top, width, height))
        elif shape.get("class") == kind:
            edges = ("x", "y", "width", "height")
            found.append(tuple(float(shape.get(edge)) for edge in edges))

    def span(start: float, length: float, size: int) -> slice:
        first = round((start - figures.MARGIN) / size - 0.1)
        return slice(first, first + round(length / size))

    return [
        (span(top, height, figures.HEIGHT), span(left, width, figures.WIDTH))
        for left, top, width, height in found
    ]


# --- The figures of the book -------------------------------------------------

MADE = {name: part.function(Reading(part.page)) for name, part in FIGURES.items()}
PANELS = [name for name in FIGURES if isinstance(MADE[name], list)]
BOTH = [name for name in PANELS if name in CLAIMS]  # one test names those without


@pytest.mark.parametrize("name", PANELS)
def test_a_figure_shows_the_numbers_of_the_session(name):
    for panel, array in zip(panels(name), arrays(name)[0], strict=True):
        shown = numbers(panel)
        assert shown.shape == array.shape
        # Two places, and a 0 only where the number is 0.
        np.testing.assert_allclose(shown, array, atol=0.0051, rtol=0)
        zeros = [text for text in panel.iter(f"{SVG}text") if text.text == "0"]
        zeros = [text for text in zeros if text.get("class") == "zero"]
        assert len(zeros) == (array == 0).sum()


def complaints(figures: dict[str, parts.Part], claims: dict[str, parts.Part]) -> list:
    """Figures without a claim on their page, and claims without a figure."""
    wrong = []
    for kind, mine, others in [("claim", figures, claims), ("figure", claims, figures)]:
        for name, part in mine.items():
            if name not in others or others[name].path != part.path:
                message = f'{name} has no {kind} here: @{kind}("{name}")'
                wrong.append(str(part.fault(message)))
    return wrong


@pytest.mark.book
def test_every_figure_makes_a_claim():
    assert not complaints(FIGURES, CLAIMS)


def ask(claim, svgs: list[ElementTree.Element], given: list, reading: Reading) -> None:
    """Raises AssertionError where a claim does not hold, or leaves a mark unsaid."""
    drawn = [Drawn(array, svg) for array, svg in zip(given, svgs, strict=True)]
    claim(reading, *drawn)
    for nth, panel in enumerate(drawn):
        assert not panel.unclaimed, f"panel {nth}: the claim does not speak of these"


@pytest.mark.parametrize("name", BOTH)
def test_what_a_figure_claims_is_what_is_drawn(name):
    given, reading = arrays(name)
    ask(CLAIMS[name].function, panels(name), given, reading)


def elsewhere(mark: Box | np.ndarray | None, shape: tuple[int, ...]) -> list:
    """What a mark could be by mistake: one cell further, smaller, or left out."""
    if mark is None or not np.any(mark):
        return []
    if not isinstance(mark, Box):
        return [np.roll(mark, 1, axis=1), None]
    moved = []
    for axis in (0, 1):
        for step in (-1, 1):
            start = mark[axis] + step
            if start >= 0 and start + mark[axis + 2] <= shape[axis]:
                name = ("top", "left")[axis]
                moved.append(mark._replace(**{name: start}))
    return [*(moved or [mark._replace(rows=1)]), None]


@pytest.mark.parametrize("name", BOTH)
def test_a_mark_elsewhere_is_noticed(name):
    """Every window, result, set of rings and grey of the figure."""
    given, reading = arrays(name)
    made = figures.panels(name)
    made = [panel for panel in made if isinstance(panel, Panel)]
    for nth, panel in enumerate(made):
        for kind in ("window", "result", "rings", "inserted"):
            for other in elsewhere(getattr(panel, kind), panel.array.shape):
                svgs = panels(name).copy()
                changed = panel._replace(**{kind: other})
                svgs[nth] = ElementTree.fromstring(figures.svg(changed))
                with pytest.raises((AssertionError, ValueError)):
                    ask(CLAIMS[name].function, svgs, given, reading)


@pytest.mark.parametrize("name", BOTH)
def test_another_array_is_noticed(name):
    """Each array shifted by one cell, each number of the last array changed."""
    given, reading = arrays(name)
    others = [(nth, np.roll(array, 1)) for nth, array in enumerate(given)]
    for place in np.ndindex(given[-1].shape):
        other = given[-1].astype(float)
        other[place] += 0.5
        others.append((len(given) - 1, other))
    for nth, other in others:
        changed = [*given[:nth], other, *given[nth + 1 :]]
        with pytest.raises((AssertionError, ValueError)):
            ask(CLAIMS[name].function, panels(name), changed, reading)


def reads(name: str) -> list[tuple]:
    """What a figure takes of which session."""
    reading = Reading(FIGURES[name].page)
    FIGURES[name].function(reading)
    return reading.reads


READS = sorted({(name, *read) for name in FIGURES for read in reads(name)})


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book's sessions, of which a test changes one."""
    folder = tmp_path_factory.mktemp("copy") / "snippets"
    shutil.copytree(ROOT / "snippets", folder)
    return folder


@pytest.mark.parametrize(("name", "kind", "page", "section", "which"), READS)
def test_a_digit_changed_in_the_session_changes_the_figure(
    name, kind, page, section, which, copy, monkeypatch
):
    path = copy / f"{page}.md"
    text = path.read_text("utf-8")
    start, end = (text.index(f"[{mark}:{section}]") for mark in ("start", "end"))
    part = text[start:end]
    if kind == "printed":
        shown = "".join(re.findall(r"(?s)```text\n(.*?)```", part))
        array = re.findall(r"(?s)\[\[.*?\]\]", shown)[which]
        # The last number's first decimal; of all, where a graph shows one of them.
        last = name in PANELS
        decimal = r"\d(?=\d*\]\]$)" if last else r"(?<=\.)\d"
        changed = re.sub(
            decimal, lambda m: str((int(m[0]) + 5) % 10), array, count=last
        )
        at = part.index(array)
        other = part[:at] + part[at:].replace(array, changed, 1)
    else:
        at = part.index(f"{which} = ")
        other = part[:at] + re.sub(r"\d\.\d", "7.7", part[at:], count=1)
    monkeypatch.setattr(sessions, "SNIPPETS", copy)
    before = figures.drawing(name, "x")
    try:
        path.write_text(text[:start] + other + text[end:], "utf-8")
        assert figures.drawing(name, "x") != before
    finally:
        path.write_text(text, "utf-8")


def shades(array: list[list[float]]) -> list[tuple]:
    """Of the cells that are shaded: row and column, the colour and how dark."""
    svg = ElementTree.fromstring(figures.svg(Panel("", np.array(array), shaded=True)))
    kinds = ("shade", "shade below")
    return [
        (*boxes(part, kind)[0], kind, float(part.get("fill-opacity")))
        for part in svg
        for kind in kinds
        if part.get("class") == kind
    ]


def test_a_shade_tells_the_size_and_the_sign():
    (one, two, three) = shades([[0.0, 2.0], [-4.0, 1.0]])
    assert one == (slice(0, 1), slice(1, 2), "shade", 0.3)
    assert two == (slice(1, 2), slice(0, 1), "shade below", 0.6)
    assert three == (slice(1, 2), slice(1, 2), "shade", 0.15)
    assert not shades([[0.0, 0.0]])


def images(language: str) -> list[tuple[str, str, str]]:
    """Page, text alternative and name of every figure, in reading order."""
    return [
        (page, *image)
        for page in nav_pages()
        for image in IMAGE.findall(
            (ROOT / "docs" / language / page).read_text(encoding="utf-8")
        )
    ]


# --- Pages -------------------------------------------------------------------


def bare(text: str) -> list[str]:
    """The figures of a page with an empty line, or nothing, in place of a caption."""
    return re.findall(r"!\[[^\]]*\]\(figure:([\w-]+)\)[ \t]*(?:\n[ \t]*\n|\s*\Z)", text)


@pytest.mark.parametrize(
    "path",
    [f"docs/{language}/{page}" for language in LANGUAGES for page in nav_pages()],
)
def test_every_figure_has_a_caption(path):
    assert not bare((ROOT / path).read_text("utf-8"))


def test_a_figure_without_a_caption_is_named():
    one, two = "![a](figure:one)", "![b](figure:two)"
    assert bare(f"{one}\nWords.\n\n{two}\nWords.") == []
    assert bare(f"{one}\n\nWords.\n\n{two}\nWords.") == ["one"]
    assert bare(f"{one}\nWords.\n\n{two}") == ["two"]
    assert bare(f"{one}\n \nWords.\n\n{two}\n") == ["one", "two"]


@pytest.mark.book
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_figure_is_used_once_and_exists(language):
    names = [name for _, _, name in images(language)]
    assert sorted(names) == sorted(FIGURES)


@pytest.mark.book
def test_the_languages_show_the_same_figures_with_words_of_their_own():
    english, chinese = (images(language) for language in LANGUAGES)
    for (page, en, name), (other_page, zh, other) in zip(english, chinese, strict=True):
        assert (page, name) == (other_page, other)
        assert not re.search("[\u4e00-\u9fff]", en)
        assert re.search("[\u4e00-\u9fff]", zh)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PANELS)
def test_numbers_in_the_text_alternative_stand_in_the_figure(language, name):
    (text,) = [text for _, text, image in images(language) if image == name]
    shown = [cell.text for panel in panels(name) for cell in panel.iter(f"{SVG}text")]
    for number in re.findall(r"−?\d+\.\d+", text):
        assert number in shown
    # And that of the result is told, if it has places.
    for panel in panels(name):
        for cell in panel.iter(f"{SVG}text"):
            if cell.get("class") == "strong":
                assert cell.text in re.findall(r"−?\d+(?:\.\d+)?", text)


@pytest.mark.parametrize("name", PANELS)
def test_a_figure_is_one_image_with_a_text_alternative(name):
    figure = ElementTree.fromstring(figures.drawing(name, 'say "a < b" & c'))
    assert figure.tag == "figure"
    assert "data-search-exclude" in figure.attrib
    (image,) = [part for part in figure.iter() if part.get("role") == "img"]
    assert image.get("aria-label") == 'say "a < b" & c'
    assert list(image.iter(f"{SVG}svg"))
    for panel in image.iter(f"{SVG}svg"):
        assert panel.get("aria-hidden") == "true"
        assert panel.get("viewBox")
        assert not re.search(r"[^\W\d_]", "".join(panel.itertext()))


def rendered(source: str) -> str:
    """As MkDocs does it: Markdown, then the hook."""
    file = SimpleNamespace(
        abs_src_path=str(ROOT / "docs" / "en" / "page.md"), content_string=source
    )
    html = Markdown(extensions=["attr_list", "md_in_html"]).convert(source)
    config = SimpleNamespace(theme={"language": "en"})
    files = SimpleNamespace(src_uris={})
    page = SimpleNamespace(file=file)
    return hook.on_page_content(html, page=page, config=config, files=files)


def test_an_image_alone_in_its_paragraph_becomes_a_figure():
    html = rendered('Before.\n\n![Two kernels, "W" & more](figure:rot180)\n\nAfter.')
    assert html.startswith("<p>Before.</p>\n<figure")
    assert html.endswith("</figure>\n<p>After.</p>")
    label = re.search('aria-label="([^"]*)"', html)[1]
    assert unescape(label) == 'Two kernels, "W" & more'
    assert "<img" not in html


def test_what_stands_below_a_figure_is_its_caption():
    line = "![Two kernels](figure:rot180)"
    html = rendered(f"{line}\n*Turned*, a &\nb.\n\n{line}\n\n{line}\nLast.")
    assert re.findall("<figcaption>(.*?)</figcaption>", html, re.DOTALL) == [
        "<strong>Figure 1.</strong> <em>Turned</em>, a &amp;\nb.",
        "<strong>Figure 2.</strong> Last.",
    ]
    assert html.count("<figure") == 3


def test_other_images_and_code_stay():
    source = "![a](a.png)\n\n`![a](figure:rot180)`"
    assert rendered(source) == (
        '<p><img alt="a" src="a.png" /></p>\n<p><code>![a](figure:rot180)</code></p>'
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("![a](figure:no-such)", "no such figure; there are "),
        ("![](figure:rot180)", "the text alternative is empty"),
        ("![ ](figure:rot180)", "the text alternative is empty"),
        ("See ![a](figure:rot180)", "it must be the first line of its paragraph"),
        ('![a](figure:rot180 "t")', "it must be the first line of its paragraph"),
        ("![a](figure:rot180) too", "it must be the first line of its paragraph"),
        ("- ![a](figure:rot180)", "it must be the first line of its paragraph"),
    ],
)
def test_a_page_at_fault_is_named(line, message):
    with pytest.raises(BadPage) as error:
        rendered(f"# Title\n\nText.\n\n{line}\n")
    assert re.match(r"docs/en/page\.md:5: figure:[\w-]+: ", str(error.value))
    assert message in str(error.value)


# --- A small book, in which something is at fault ----------------------------

SESSION = """<!-- --8<-- [start:sums] -->
```python
import numpy as np

W = np.array([[1.0, 2.0]])
print(np.array([[0.5, -1.5], [2.0, 0.0]]))
```

<!--pytest-codeblocks:expected-output-->
```text
[[ 0.5 -1.5]
 [ 2.0  0.0]]
```
<!-- --8<-- [end:sums] -->
"""
ONE = """from numpy.testing import assert_allclose

from book.figures import Box, Panel, claim, figure
from snippets.part.helper import KERNEL


@figure("sums")
def sums(session):
    return [
        Panel("W", session.written("sums", "W", KERNEL), window=Box(0, 0)),
        Panel("z", session.printed("sums", (2, 2))),
    ]


@claim("sums")
def sums_claim(session, W, z):
    assert_allclose(W[W.window], 1.0)
"""


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two pages; the other has what the first takes from it."""
    folder = tmp_path / "snippets"
    (folder / "part").mkdir(parents=True)
    (folder / "one.md").write_text(SESSION, "utf-8")
    (folder / "one.py").write_text(ONE, "utf-8")
    (folder / "part" / "helper.md").write_text("Text.\n", "utf-8")
    (folder / "part" / "helper.py").write_text("KERNEL = (1, 2)\n", "utf-8")
    monkeypatch.setattr(sessions, "SNIPPETS", folder)
    return folder


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_a_file_and_what_it_takes_from_another_are_read_anew(book):
    assert list(parts.listed("figure")) == ["sums"]
    assert parts.listed("figure")["sums"].page == "one"
    before = figures.drawing("sums", "x")
    edit(book / "one.py", "window=Box(0, 0)", "window=Box(0, 1)")
    assert figures.drawing("sums", "x") != before
    edit(book / "part" / "helper.py", "(1, 2)", "(2, 1)")
    with pytest.raises(BadSession, match="this takes"):
        figures.drawing("sums", "x")
    assert not list(book.rglob("*.pyc"))


OUTPUT = "[[ 0.5 -1.5]\n [ 2.0  0.0]]\n"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("start:sums]", "start:other]", r"one\.md:14: section 'sums' ends but never"),
        ("sums]", "other]", r"one\.md:1: there is no section sums"),
        (OUTPUT, "1.0\n", r"one\.md:1: section sums prints 0 arrays, this takes numb"),
        (OUTPUT, "[[1.]]\n", r"its array number 1 is \(1, 1\), this takes \(2, 2\)"),
        (OUTPUT, "[[1. 2.]\n [3.]]\n", "not rectangular"),
        (OUTPUT, "[[1. ...]\n [3. 4.]]\n", "not all numbers"),
        ("[[ 0.5", "[[ nan", "finite numbers"),
        ("W = np.array(", "V = np.array(", "section sums does not write W out"),
        ("[[1.0, 2.0]]", "[[1.0], [2.0, 3.0]]", "not rectangular"),
    ],
)
def test_a_session_at_fault_is_named(book, old, new, message):
    edit(book / "one.md", old, new)
    with pytest.raises(BadSession, match=message):
        figures.drawing("sums", "x")


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("one.py", "def sums(", "def (", r"one\.py:8: SyntaxError"),
        ("one.py", "KERNEL\n\n", "KERN\n\n", r"one\.py:4: ImportError: .*KERN"),
        ("one.py", "part.helper import", "part import", r"one\.py:4: .*one by one: fr"),
        (
            "one.py",
            "from snippets",
            "import snippets.one #",
            r"one\.py:4: .*one by one",
        ),
        ("one.py", "snippets.part", ".part", r"one\.py:4: .*one by one: from snip"),
        ("part/helper.py", "(1, 2)", "1 / 0", r"helper\.py:1: ZeroDivisionError"),
        ("one.py", '@claim("sums")', '@figure("sums")', r"one\.py:15: .*one\.py:7"),
    ],
)
def test_a_file_at_fault_is_named(book, name, old, new, message):
    edit(book / name, old, new)
    with pytest.raises(BadSession, match=message):
        parts.listed("figure")


def test_two_figures_of_one_name_are_an_error(book):
    edit(
        book / "part" / "helper.py", "KERNEL", ONE.replace("from snip", "# ") + "KERNEL"
    )
    with pytest.raises(
        BadSession, match=r"helper\.py:7: the figure sums is in .*one\.py:7"
    ):
        parts.listed("figure")


def test_a_file_without_a_session_is_an_error(book):
    (book / "part" / "helper.md").unlink()
    with pytest.raises(BadSession, match=r"helper\.py:1: there is no helper\.md"):
        parts.listed("figure")


def test_a_mark_of_which_the_claim_does_not_speak_is_an_error(book):
    made = ONE.replace("(2, 2)))", "(2, 2)), result=Box(0, 0))")
    for text, said in [(ONE, True), (made, False)]:
        (book / "one.py").write_text(text, "utf-8")
        found = parts.listed("claim")["sums"].function
        drawn = figures.panels("sums")
        svgs = [ElementTree.fromstring(figures.svg(panel)) for panel in drawn]
        with nullcontext() if said else pytest.raises(AssertionError, match="panel 1"):
            ask(found, svgs, [panel.array for panel in drawn], Reading("one"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('@claim("sums")\n', "", r"one\.py:7: sums has no claim"),
        ('@figure("sums")\n', "", r"one\.py:14: sums has no figure"),
        ('@claim("sums")', '@claim("sum")', r"one\.py:7: sums has no claim"),
    ],
)
def test_a_figure_without_a_claim_is_named(book, old, new, message):
    edit(book / "one.py", old, new)
    found = complaints(parts.listed("figure"), parts.listed("claim"))
    assert re.search(message, "\n".join(found))


def test_a_page_is_named_with_the_session_at_fault(book):
    edit(book / "one.md", "sums]", "other]")
    with pytest.raises(BadPage) as error:
        rendered("# Title\n\n![a](figure:sums)\n")
    assert re.fullmatch(
        r"docs/en/page\.md:3: figure:sums: \S*one\.md:1: there is no section sums",
        str(error.value),
    )
