"""Graphs show the numbers of the sessions, their arrows lead where they seem to, and
links to pages."""

import re
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest
from mkdocs.exceptions import Abort

from book import alternatives, figures, sessions
from book.formulas import typeset
from book.graphs import Edge, Graph, Node
from book.pages import ROOT
from tests.minibook import MiniBook
from tests.test_figures import CLAIMS, FIGURES, MADE, Reading

SVG = "{http://www.w3.org/2000/svg}"
GRAPHS = [name for name, made in MADE.items() if isinstance(made, Graph)]


# --- What is drawn -----------------------------------------------------------


def read(html: str) -> Graph:
    """A graph out of its drawing: arrows have the ends at which they are seen."""
    figure = ElementTree.fromstring(html)
    nodes = [_node(part) for part in classed(figure, "at")]
    corners = [
        [float(box.get(key)) for key in ("x", "y", "width", "height")]
        for box in figure.iter(f"{SVG}rect")
    ]
    written = {place(part): part for part in classed(figure, "on")}

    def at(x: float, y: float) -> str:
        """The node on whose border a point is."""
        (found,) = [
            node.name
            for node, (left, top, width, height) in zip(nodes, corners, strict=True)
            if abs(max(abs(x - node.x) - width / 2, abs(y - node.y) - height / 2))
            < 0.01
            and (left, top) == pytest.approx((node.x - width / 2, node.y - height / 2))
        ]
        return found

    lines = [path for path in figure.iter(f"{SVG}path")]
    edges = []
    for line, head in zip(lines[::2], lines[1::2], strict=True):
        (x, y), (tip_x, tip_y) = start(line), start(head)
        assert head.get("class") == f"{line.get('class')} head"
        middle = (x + tip_x) / 2, (y + tip_y) / 2
        near = [key for key in written if key == pytest.approx(middle, abs=0.01)]
        label = written.pop(near[0]) if near else None
        edges.append(_edge(at(x, y), at(tip_x, tip_y), label, line.get("class")))
    assert not written  # all labels are those of arrows
    return Graph(nodes, edges)


def classed(figure: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [part for part in figure.iter() if name in part.get("class", "").split()]


def start(path: ElementTree.Element) -> tuple[float, ...]:
    return tuple(map(float, re.match(r"M(\S+) (.*?)L", path.get("d")).groups()))


def place(part: ElementTree.Element) -> tuple[float, ...]:
    found = re.match("left:(.*?)em;top:(.*?)em", part.get("style"))
    return tuple(map(float, found.groups()))


def of_class(part: ElementTree.Element, name: str) -> str:
    return "".join("".join(found.itertext()) for found in classed(part, name))


def tex(part: ElementTree.Element) -> str:
    return of_class(part, "arithmatex").removeprefix(r"\(").removesuffix(r"\)")


def number(text: str) -> float | None:
    found = re.search(r"−?\d[\d.]*$", text)
    return float(found[0].replace("−", "-")) if found else None


def link(part: ElementTree.Element) -> str:
    return "".join(anchor.get("href") for anchor in part.iter("a"))


def _node(part: ElementTree.Element) -> Node:
    value, gradient = (number(of_class(part, name)) for name in ("value", "gradient"))
    note = of_class(part, "note")
    return Node(tex(part), *place(part), value, gradient, note, link(part))


def _edge(start: str, end: str, label, kind: str) -> Edge:
    if label is None:
        return Edge(start, end, kind=kind)
    name, words = tex(label), "".join(label.itertext())
    derivative = number(words.rpartition(")")[2])
    word = "" if name or derivative is not None else words
    return Edge(start, end, name, derivative, word, page=link(label), kind=kind)


def drawn(name: str) -> Graph:
    return read(figures.drawing(name, "x"))


def as_seen(graph: Graph) -> Graph:
    """Numbers as they are rounded; who reads a word sees not whose it is."""

    def rounded(number: float | None) -> float | None:
        return None if number is None else round(float(number), 2)

    numbers = "x", "y", "value", "gradient"
    nodes = [
        n._replace(**{key: rounded(getattr(n, key)) for key in numbers})
        for n in graph.nodes
    ]
    edges = [
        e._replace(derivative=rounded(e.derivative), term=e.term or e.word, word="")
        for e in graph.edges
    ]
    return Graph(nodes, edges)


# --- The graphs of the book --------------------------------------------------


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_shows_what_its_page_makes_of_the_session(name):
    assert drawn(name) == as_seen(MADE[name])


def told(name: str, graph: Graph) -> None:
    """Raises AssertionError where the claim does not hold of it."""
    CLAIMS[name].function(Reading(FIGURES[name].page), graph)


def worded(name: str) -> Graph:
    """As it is drawn, but for what a drawing cannot tell: which word is a term."""
    seen, made = drawn(name), MADE[name]
    edges = [
        edge._replace(term=own.term, word=own.word)
        for edge, own in zip(seen.edges, made.edges, strict=True)
    ]
    return seen._replace(edges=edges)


@pytest.mark.parametrize("name", GRAPHS)
def test_what_a_graph_claims_is_what_is_drawn(name):
    told(name, worded(name))


def others(graph: Graph) -> list[Graph]:
    """What it could be by mistake: a number, a shape or a name is another, an arrow is
    missing, turned round, or leads to another node."""
    found = []
    for at, node in enumerate(graph.nodes):
        for kind in ("value", "gradient"):
            if (n := getattr(node, kind)) is not None:
                found.append((0, at, node._replace(**{kind: n + 0.5})))
        if node.note:
            found.append((0, at, node._replace(note=f"1{node.note}")))
    for at, edge in enumerate(graph.edges):
        if edge.derivative is not None:
            found.append((1, at, edge._replace(derivative=edge.derivative + 0.5)))
        if edge.name:
            # 2x may be z_0.
            unlike = [e for e in graph.edges if e.derivative != edge.derivative]
            every = graph.edges if edge.derivative is None else unlike
            for other in {e.name for e in every} - {edge.name}:
                found.append((1, at, edge._replace(name=other)))
        found.append((1, at, None))
        found.append((1, at, edge._replace(start=edge.end, end=edge.start)))
        for node in graph.nodes:
            if node.name not in edge[:2]:
                found.append((1, at, edge._replace(end=node.name)))
    graphs_ = []
    for which, at, new in found:
        lists = [[*graph.nodes], [*graph.edges]]
        lists[which][at : at + 1] = [] if new is None else [new]
        graphs_.append(Graph(*lists))
    return graphs_


@pytest.mark.parametrize("name", GRAPHS)
def test_another_graph_is_noticed(name):
    for other in others(worded(name)):
        with pytest.raises((AssertionError, ValueError, IndexError, KeyError)):
            told(name, other)


@pytest.mark.parametrize("name", GRAPHS)
def test_it_is_an_image_or_a_group_if_it_has_links(name):
    html = figures.drawing(name, 'say "a < b" & c')
    (graph,) = classed(ElementTree.fromstring(html), "graph")
    assert graph.get("aria-label") == 'say "a < b" & c'
    assert graph.get("role") == ("group" if link(graph) else "img")
    (lines,) = graph.iter(f"{SVG}svg")
    assert lines.get("aria-hidden") == "true"
    assert not "".join(lines.itertext())


@pytest.mark.parametrize("name", GRAPHS)
def test_a_notebook_has_its_numbers_as_a_formula(name):
    found = figures.in_tex(name)
    typeset(found, True)  # raises TeXError
    plain = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", found)]
    for row in MADE[name].numbers():
        assert {round(float(n), 2) for n in row} <= set(plain)


# --- One that is drawn for the tests -----------------------------------------

PAIR = Graph(
    [Node("a", 4, 2, 1.0, -6.0), Node("b", 22, 6, 2.0, 3.0)],
    [Edge("a", "b", "w", -2.0)],
)


def test_gradients_arrive_by_all_arrows_that_leave():
    more = PAIR._replace(edges=[*PAIR.edges, Edge("a", "b", "", 0.5)])
    assert (PAIR.arriving("a"), more.arriving("a")) == (-6.0, -4.5)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("a has the value 1.0 and the gradient −6.0", []),
        ("The derivative is −2.5.", ["−2.5"]),
    ],
)
def test_numbers_of_its_alternative_are_its_own(monkeypatch, text, wrong):
    monkeypatch.setattr(figures, "made", lambda name: PAIR)
    seen = alternatives.Drawn(figures.panels("pair"))
    assert alternatives.told(text, seen, None) == wrong


FIGURE = """from book.figures import figure
from book.graphs import Edge, Graph, Node

@figure("map")
def map_(session):
    return Graph(
        [Node("a", 4, 2), Node("b", 22, 2, page="two.md")],
        [Edge("a", "b", word="over", page="two.md#there")],
    )
"""
TWO = "# Two { #two }\n\n## There { #there }\n"


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MiniBook:
    folder = tmp_path / "snippets"
    folder.mkdir()
    (folder / "one.md").write_text("Text.\n", "utf-8")
    (folder / "one.py").write_text(FIGURE, "utf-8")
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sessions, "SNIPPETS", folder)
    one = "# One { #one }\n\n![A map](figure:map)\n"
    pages = {"index.md": "# Home { #home }", "one.md": one, "two.md": TWO}
    return MiniBook(tmp_path, {**pages, "verification.md": "# V { #v }"})


def test_links_lead_to_pages_of_the_language(book):
    book.build(strict=True)
    for language in ("en", "zh"):
        html = book.read("one.md", language)
        figure = html[html.index("<figure") : html.index("</figure>")]
        assert re.findall('<a [^>]*href="([^"]*)"', figure) == [
            "../two/",
            "../two/#there",
        ]
        assert ">over</a>" in unescape(figure)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"two.md")', '"three.md")', "one.md:.*figure:map: there is no page three.md"),
        ("#there", "#nowhere", "two.md#nowhere"),
        ('word="over"', 'term="over"', "figure:map: 'over' is no term of the glossary"),
    ],
)
def test_what_leads_nowhere_fails_the_build(book, caplog, old, new, message):
    path = sessions.SNIPPETS / "one.py"
    path.write_text(FIGURE.replace(old, new), "utf-8")
    with pytest.raises(Abort) as error:
        book.build(strict=True)
    assert re.search(message, f"{caplog.text}{error.value}")
