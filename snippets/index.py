"""Figure of docs/*/index.md."""

import re
from itertools import pairwise

from book.figures import claim, figure
from book.graphs import Edge, Graph, Node

# From the input to the loss: each array and its gradient; and between two of them what
# leads from one to the other, a term of the glossary or a word, and where that
# is derived, there and back.
ARRAYS = (
    ("x", r"\partial \ell / \partial x"),
    ("z^{1}", r"\delta^{1}"),
    ("a^{1}", r"\partial \ell / \partial a^{1}"),
    ("z^{2}", r"\delta^{2}"),
    ("z^{3}", r"\delta^{3}"),
    ("a^{3}", r"\partial \ell / \partial a^{3}"),
    (r"\ell", "1"),
)
STEPS = (
    ("convolution", "", "cnn/forward.md#entry", "cnn/stride.md"),
    ("", "ReLU", "cnn/forward.md#relu", "cnn/pooling.md#activation"),
    ("max pooling", "", "cnn/forward.md#max-pool", "cnn/pooling.md"),
    ("dense layer", "", "cnn/forward.md#output", "dense.md#delta"),
    ("", "softmax", "softmax.md#forward", "softmax.md#vjp"),
    ("cross-entropy", "", "softmax.md#cross-entropy", "softmax.md#cross-entropy"),
)
# Weights: from which gradient theirs follows, and where.
WEIGHTS = (
    (r"\delta^{1}", "W^{1}", "cnn/weights.md"),
    (r"\delta^{3}", "W^{3}", "dense.md#weights"),
)


@figure("network")
def network(session):
    note = shapes(session)
    nodes, edges = [], []
    for row, (name, gradient) in enumerate(ARRAYS):
        y = 1.6 + 4.6 * row
        size = note.get(name, "")  # ℓ has none
        nodes += [
            Node(name, 3.2, y, note=size),
            Node(gradient, 13.6, y, note=size),
        ]
    for ((here, passed_on), (there, gradient)), (term, word, forth, back) in zip(
        pairwise(ARRAYS), STEPS, strict=True
    ):
        edges += [
            Edge(here, there, term=term, word=word, page=forth),
            Edge(gradient, passed_on, term=term, word=word, page=back, kind="backward"),
        ]
    for gradient, weight, page in WEIGHTS:
        name = rf"\partial \ell / \partial {weight}"
        y = next(node.y for node in nodes if node.name == gradient)
        nodes.append(Node(name, 22.8, y, page=page))
        edges.append(Edge(gradient, name, kind="backward"))
    return Graph(nodes, edges)


def shapes(session):
    """Of the arrays of the network, without axes of length 1, under their TeX names."""
    printed = re.findall(r"(\w+) \((.*)\)", session.text("cnn/forward:tensorflow"))
    return {
        re.sub(r"(\d)$", r"^{\1}", name): " × ".join(
            length for length in shape.split(", ") if length != "1"
        )
        for name, shape in printed
    }


@claim("network")
def network_claim(session, graph):
    """Each arrow has one that leads back, through the same; a gradient has the shape of
    its array."""
    there = [edge for edge in graph.edges if edge.kind == "forward"]
    back = [edge for edge in graph.edges if edge.kind == "backward"]
    of = dict(ARRAYS)
    assert [(edge.start, edge.end) for edge in there] == [*pairwise(of)]
    for edge, other in zip(there, back[: len(there)], strict=True):
        assert (of[edge.end], of[edge.start]) == (other.start, other.end)
        assert (edge.term, edge.word) == (other.term, other.word)
        assert edge.page
        assert other.page
    sizes = shapes(session)
    for name, gradient in ARRAYS[:-1]:
        assert graph[name].note == graph[gradient].note == sizes[name]
    last = [(edge.start, edge.end, graph[edge.end].page) for edge in back[len(there) :]]
    partial = r"\partial \ell / \partial "
    assert last == [(delta, partial + W, page) for delta, W, page in WEIGHTS]
