r"""Graphs: nodes with arrows between them, for figures in which paths matter.

A node has a value, forward, and below it the gradient of the loss, backward. An arrow
has the derivative of its end by its start, so that what arrives at a node is a sum over
the arrows that leave it:

    @figure("two-paths")
    def two_paths(session):
        ...
        return Graph(
            [Node("x", 4, 5, 3.0, 54.0), Node("z_{0}", 13, 2, 6.0, 9.0), ...],
            [Edge("x", "z_{0}", "2", 2.0), ...],
        )

    @claim("two-paths")
    def two_paths_claim(session, graph):
        assert_allclose(graph.arriving("x"), graph["x"].gradient)

Without numbers a graph is a map: its arrows are of a kind, say a term of the glossary,
and lead to pages.
"""

import html as markup
import re
from collections.abc import Callable
from math import hypot
from typing import NamedTuple

# In em of its letters, which are as large as a phone has room for (figures.css).
WIDTH, MARGIN = 26.0, 0.2
VALUED, PLAIN = (7.4, 3.4), (5.6, 2.8)  # boxes of nodes with numbers, and without
HEAD = 0.9  # of an arrow


class Node(NamedTuple):
    name: str  # in TeX
    x: float  # where its middle is, in em
    y: float
    value: float | None = None
    gradient: float | None = None
    note: str = ""  # below the name, in no language: a shape
    page: str = ""  # where it leads: dense.md#weights


class Edge(NamedTuple):
    start: str  # names of nodes
    end: str
    name: str = ""  # in TeX
    derivative: float | None = None
    term: str = ""  # of the glossary, in place of a name
    word: str = ""  # the same in all languages, in place of a term
    page: str = ""
    kind: str = "forward"  # or backward, or kept for it


class Graph(NamedTuple):
    nodes: list[Node]
    edges: list[Edge]

    def __getitem__(self, name: str) -> Node:
        """The node of this name. Raises KeyError."""
        return {node.name: node for node in self.nodes}[name]

    def arriving(self, name: str) -> float:
        """The gradient at a node: over all arrows that leave it, the sum of the
        gradient at the end times the derivative."""
        leaving = [edge for edge in self.edges if edge.start == name]
        return sum(self[edge.end].gradient * edge.derivative for edge in leaving)

    def numbers(self) -> list[list[float]]:
        """Values, gradients and derivatives, in the order of nodes and arrows."""
        rows = (
            [node.value for node in self.nodes],
            [node.gradient for node in self.nodes],
            [edge.derivative for edge in self.edges],
        )
        found = ([number for number in row if number is not None] for row in rows)
        return [row for row in found if row]


def indices(name: str) -> tuple[int, ...]:
    """Those that a name in TeX has: z_{0,1} -> (0, 1)."""
    return tuple(map(int, re.findall(r"\d+", name.partition("_")[2])))


class Reader(NamedTuple):
    """Of whom the page is: terms in their language, addresses from where they are."""

    word: Callable[[str], str] = str
    link: Callable[[str], str] = str


ANYONE = Reader()


def drawing(graph: Graph, alternative: str, formula: Callable, reader: Reader) -> str:
    """Lines in SVG below what is written, so that a link is a link, and a formula is
    typeset as everywhere. `formula` makes HTML of TeX."""
    nodes = [_node(node, formula, reader) for node in graph.nodes]
    edges = [_edge(graph, edge, formula, reader) for edge in graph.edges]
    height = max(node.y + size(node)[1] / 2 for node in graph.nodes) + MARGIN
    linked = any(part.page for part in (*graph.nodes, *graph.edges))
    # A picture has no links in it for those who do not see it; a group has.
    return (
        f'<div class="graph" role="{"group" if linked else "img"}" '
        f'aria-label="{markup.escape(alternative)}" style="height:{height:g}em">'
        f'<svg xmlns="http://www.w3.org/2000/svg" aria-hidden="true" '
        f'viewBox="0 0 {WIDTH:g} {height:g}">'
        f"{''.join(_arrow(graph, edge) for edge in graph.edges)}"
        f"{''.join(_box(node) for node in graph.nodes)}</svg>"
        f"{''.join((*nodes, *edges))}</div>"
    )


def size(node: Node) -> tuple[float, float]:
    """Width and height of its box."""
    return PLAIN if node.value is None else VALUED


def ends(graph: Graph, edge: Edge) -> tuple[float, float, float, float]:
    """x and y where an arrow leaves a box, and where it reaches the other: on the line
    from middle to middle."""
    start, end = graph[edge.start], graph[edge.end]
    dx, dy = end.x - start.x, end.y - start.y

    def inside(node: Node) -> float:
        """How much of the line is in its box."""
        width, height = size(node)
        return min(
            width / 2 / abs(dx) if dx else 1.0, height / 2 / abs(dy) if dy else 1.0
        )

    first, last = inside(start), 1 - inside(end)
    return (
        start.x + first * dx,
        start.y + first * dy,
        start.x + last * dx,
        start.y + last * dy,
    )


def number(value: float) -> str:
    """As it is drawn, with a minus."""
    return plain(value).replace("-", "−")


def plain(value: float) -> str:
    """With two decimals at most."""
    return f"{round(value, 2) + 0.0:g}"


def _arrow(graph: Graph, edge: Edge) -> str:
    x, y, tip_x, tip_y = ends(graph, edge)
    length = hypot(tip_x - x, tip_y - y)
    dx, dy = (tip_x - x) / length * HEAD, (tip_y - y) / length * HEAD
    base_x, base_y = tip_x - dx, tip_y - dy
    left = f"{base_x + dy / 3:.4g} {base_y - dx / 3:.4g}"
    right = f"{base_x - dy / 3:.4g} {base_y + dx / 3:.4g}"
    return (
        f'<path class="{edge.kind}" d="M{x:.4g} {y:.4g}L{base_x:.4g} {base_y:.4g}"/>'
        f'<path class="{edge.kind} head" '
        f'd="M{tip_x:.4g} {tip_y:.4g}L{left}L{right}z"/>'
    )


def _box(node: Node) -> str:
    width, height = size(node)
    x, y = node.x - width / 2, node.y - height / 2
    return (
        f'<rect class="node" x="{x:g}" y="{y:g}" width="{width:g}" '
        f'height="{height:g}" rx="0.4"/>'
    )


def _node(node: Node, formula: Callable, reader: Reader) -> str:
    written = _linked(formula(node.name), node.page, reader)
    if node.value is not None:
        # The arrows say which is which without the colour.
        written = (
            f'<span class="symbol">{written}</span>'
            f'<span class="numbers"><span class="value">→ {number(node.value)}</span>'
            f'<span class="gradient">← {number(node.gradient)}</span></span>'
        )
    elif node.note:
        written += f'<span class="note">{node.note}</span>'
    width, height = size(node)
    return (
        f'<div class="at{" valued" if node.value is not None else ""}" '
        f'style="left:{node.x:g}em;top:{node.y:g}em;width:{width:g}em;'
        f'height:{height:g}em">{written}</div>'
    )


def _edge(graph: Graph, edge: Edge, formula: Callable, reader: Reader) -> str:
    word = reader.word(edge.term) if edge.term else edge.word
    written = formula(edge.name) if edge.name else markup.escape(word)
    if edge.derivative is not None:
        told = number(edge.derivative)
        written += f"<span>{' = ' if written else ''}{told}</span>"
    if not written:
        return ""
    x, y, to_x, to_y = ends(graph, edge)
    beside = " beside" if abs(to_x - x) < 1e-9 else ""
    return (
        f'<div class="on{beside}" style="left:{(x + to_x) / 2:.4g}em;'
        f'top:{(y + to_y) / 2:.4g}em">{_linked(written, edge.page, reader)}</div>'
    )


def _linked(written: str, page: str, reader: Reader) -> str:
    if not page:
        return written
    return f'<a href="{markup.escape(reader.link(page))}">{written}</a>'


def in_tex(graph: Graph) -> str:
    """Where no drawing is shown: a row for each node from which arrows lead, or that
    has numbers."""
    valued = bool(graph.numbers())
    rows = []
    for node in graph.nodes:
        leaving = [edge for edge in graph.edges if edge.start == node.name]
        numbers = (node.value, node.gradient) if valued else ()
        told = [plain(n) for n in numbers]
        if leaving or told:
            rows.append([node.name, *told, r"\quad ".join(map(_in_tex, leaving))])
    columns, head = "l|l", ""
    if valued:
        columns, head = "l|rr|l", r"& & \partial \ell / \partial\,\cdot & \\ \hline "
    written = head + r" \\[4pt] ".join(" & ".join(row) for row in rows)
    return rf"\begin{{array}}{{{columns}}} {written} \end{{array}}"


def _in_tex(edge: Edge) -> str:
    told = "" if edge.derivative is None else plain(edge.derivative)
    written = " = ".join(part for part in (edge.name, told) if part)
    if edge.kind == "kept":
        return rf"\overset{{{written}}}{{\dashrightarrow}} {edge.end}"
    return rf"\xrightarrow{{{written}}} {edge.end}"
