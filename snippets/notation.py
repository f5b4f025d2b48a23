"""Figure, vocabulary and numbers of docs/*/notation.md."""

import numpy as np
from numpy.polynomial import Polynomial
from numpy.testing import assert_allclose

from book.figures import claim, figure
from book.graphs import Edge, Graph, Node
from book.tex.world import World, drawn, worlds
from snippets.dense import dense

# What is changed in a formula without being wrong, and why.
SAME = {
    (
        "#activation",
        r"\frac{\partial \ell}{\partial z^{l-1}_i} = \sum_k [k = i]\, "
        r"\sigma'(z^{l-1}_i)\, \frac{\partial \ell}{\partial a^{l-1}_k} = "
        r"\frac{\partial \ell}{\partial a^{l-1}_i}\, \sigma'(z^{l-1}_i)",
        r"\frac{\partial \ell}{\partial z^{l-1}_i} = \sum_k [k = i]\, "
        r"\sigma'(z^{l-1}_k)\, \frac{\partial \ell}{\partial a^{l-1}_k} = "
        r"\frac{\partial \ell}{\partial a^{l-1}_i}\, \sigma'(z^{l-1}_i)",
    ): "k is i",
    (
        "#mine",
        r"\frac{\partial \ell}{\partial z} = \frac{\partial \ell}{\partial a} "
        r"\odot [z > 0]",
        r"\frac{\partial \ell}{\partial z} = \frac{\partial \ell}{\partial a} "
        r"\odot [z \ge  0]",
    ): "where z is 0, so is the derivative by a",
    (
        "#difference",
        r"\frac{\varphi(h) - \varphi(-h)}{2h} = \varphi'(0) + \frac{h^2}{6}\, "
        r"\varphi'''(0) + o(h^2)",
        r"\frac{\varphi(h) - \varphi(-h)}{2h} = \varphi'(0) + \frac{h^2}{6}\, "
        r"\varphi'''(0) + o(h^3)",
    ): "true as well: the rest goes like h^4",
    (
        "#exercise-richardson",
        r"D(h) = \varphi'(0) + \frac{h^2}{6}\, \varphi'''(0) + "
        r"\frac{h^4}{120}\, \varphi^{(5)}(0) + o(h^4)",
        r"D(h) = \varphi'(0) + \frac{h^2}{6}\, \varphi'''(0) + "
        r"\frac{h^4}{120}\, \varphi^{(5)}(0) + o(h^5)",
    ): "true as well: the rest goes like h^6",
    (
        "#exercise-richardson",
        r"\frac{4 D(h) - D(2h)}{3} = \varphi'(0) - \frac{h^4}{30}\, "
        r"\varphi^{(5)}(0) + o(h^4)",
        r"\frac{4 D(h) - D(2h)}{3} = \varphi'(0) - \frac{h^4}{30}\, "
        r"\varphi^{(5)}(0) + o(h^5)",
    ): "true as well: the rest goes like h^6",
}

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "vjp": {
        "9×9 4×4 9": "= [9, 9, 4, 4, 3**2]",
    },
    "exercise-richardson": {
        "4 16": "= [2**2, 2**4]",
    },
}


def vanishes(h):
    """o(h), where h is so small that nothing is left."""
    return 0.0


# --- Figures -----------------------------------------------------------------


@figure("two-paths")
def circuit(session):
    values, gradients = session.printed("paths", (2, 4))
    (x, z0, z1, _), names = values, ("x", "z_{0}", "z_{1}", r"\ell")
    places = (13, 2), (5, 8.5), (21, 8.5), (13, 15)
    return Graph(
        [
            Node(name, *place, value, gradient)
            for name, place, value, gradient in zip(
                names, places, values, gradients, strict=True
            )
        ],
        [
            Edge("x", "z_{0}", "", 2.0),
            Edge("x", "z_{1}", "2x", 2 * x),
            Edge("z_{0}", r"\ell", "z_{1}", z1),
            Edge("z_{1}", r"\ell", "z_{0}", z0),
        ],
    )


@claim("two-paths")
def circuit_claim(session, graph):
    x, z0, z1, loss = (node.value for node in graph.nodes)
    assert (x, z0, z1, loss) == (3, 2 * x, x**2, 2 * x**3)
    written = {"": 2, "2x": 2 * x, "z_{0}": z0, "z_{1}": z1}
    arrows = {(e.start, e.end): (e.name, e.derivative) for e in graph.edges}
    of_degree_two = {  # differences are exact
        ("x", "z_{0}"): (lambda x: 2 * x, x),
        ("x", "z_{1}"): (lambda x: x**2, x),
        ("z_{0}", r"\ell"): (lambda z: z * z1, z0),
        ("z_{1}", r"\ell"): (lambda z: z0 * z, z1),
    }
    assert arrows.keys() == of_degree_two.keys()
    for ends, (function, at) in of_degree_two.items():
        name, derivative = arrows[ends]
        assert_allclose(derivative, function(at + 0.5) - function(at - 0.5))
        assert derivative == written[name]
    assert graph[r"\ell"].gradient == 1
    for node in graph.nodes[:3]:
        assert_allclose(node.gradient, graph.arriving(node.name))


# --- The chain rule ----------------------------------------------------------


@worlds()
def symbols():
    for above, below in ((2, 3), (3, 4), (4, 2)):
        yield layers(above, below)


@worlds("by-hand")
def paths_by_hand(given):
    yield World(
        given={"x": given["x"]},
        forward={
            "z": lambda v: np.array([2 * v["x"], v["x"] ** 2]),
            "ell": lambda v: np.prod(v["z"]),
        },
    )


@worlds("chain-rule")
def one_entry():
    """i is an entry of the layer below, Delta what a small step of it does."""
    for above, below, i in ((2, 3, 0), (3, 4, 2), (4, 2, 1), (3, 4, 3)):
        world = layers(above, below)
        step = 1e-4 * np.eye(below)[i]
        change = world.run("z^l-1", step)["z^l"] - world.values["z^l"]
        for name, value in {"i": i, "h": 1e-4, "Delta": change}.items():
            world.set(name, value)
        yield world


def layers(above, below):
    """z^l has other sizes than the layer below; w is a weight of its own."""
    A, t = drawn(1, above, below), drawn(2, above)
    return World(
        given={"z^l-1": drawn(3, below), "w": np.array(0.6)},
        forward={
            "a^l-1": lambda v: np.tanh(v["z^l-1"]),
            "z^l": lambda v: A @ v["a^l-1"] + v["w"] * np.resize([1, 0], above),
            "a^l": lambda v: np.tanh(v["z^l"]),
            "ell": lambda v: np.sum(t * v["a^l"]),
        },
        gradients={"delta^l": "z^l", "delta^l-1": "z^l-1"},
        functions={
            "sigma": np.tanh,
            "sigma'": lambda z: 1 / np.cosh(z) ** 2,
            "ell": lambda z: np.sum(t * np.tanh(z)),
            "o": vanishes,
        },
    )


# --- The references ----------------------------------------------------------


@worlds("tape")
def cube():
    """The loss of this page: a cube behind ReLU."""
    for entries in (2, 3, 5):
        yield targets(drawn(1, entries), drawn(2, entries))


@worlds("mine")
def cube_with_kink():
    """One z is 0; its target, too, so that ℓ has a slope there."""
    for entries in (2, 3, 5):
        z, y = drawn(1, entries), drawn(2, entries)
        z[0] = y[0] = 0
        z[1] = 0.5
        yield targets(z, y)


def targets(z, y):
    return World(
        sizes={"y": y},
        given={"z": z},
        forward={
            "a": lambda v: np.maximum(v["z"], 0),
            "ell": lambda v: np.sum((v["a"] - y) ** 3) / 3,
        },
        functions={"sigma'": lambda z: np.heaviside(z, 0)},
    )


@worlds("difference")
def along_a_line():
    """φ(h) is ℓ at z + h v, of degree 6."""
    for entries, h in ((2, 0.02), (3, 0.03), (4, 0.01)):
        z, v, t = (drawn(seed, entries) for seed in (1, 2, 3))

        def loss(z, t=t):
            return sum(t * z**6) + z[0] * z[1]

        line = [Polynomial(pair) for pair in zip(z, v, strict=True)]
        yield World(
            sizes={"v": v, "h": h},
            given={"z": z},
            forward={"ell": lambda values, loss=loss: loss(values["z"])},
            functions={"ell": loss} | taylor(loss(np.array(line, object))),
        )


@worlds("exercise-richardson")
def degree_seven():
    for h in (0.1, 0.2, 0.05):
        varphi = Polynomial(drawn(1, 8))
        yield World(
            sizes={"h": h},
            functions={
                **taylor(varphi),
                "D": lambda h, f=varphi: (f(h) - f(-h)) / (2 * h),
            },
        )


def taylor(varphi):
    """φ, a polynomial, and its derivatives."""
    found = {"varphi^(5)": varphi.deriv(5)}
    for order in range(4):
        found["varphi" + "'" * order] = varphi.deriv(order)
    return found


@worlds("kink")
def small_step():
    for h in (0.01, 0.02, 0.005):
        yield World(sizes={"h": h})


# --- Batches and stars -------------------------------------------------------


@worlds("batch")
def batch():
    for sizes in ((2, 3, 4), (3, 4, 2), (5, 2, 3)):
        yield dense(*sizes)


@worlds("star")
@worlds("framework")
def stars():
    for H, K in ((6, 3), (5, 2), (7, 4)):
        yield World(sizes={"H": H, "K": K, "x": drawn(1, H), "w": drawn(2, K)})


@worlds("star-by-hand")
def stars_by_hand(given):
    yield World(sizes=given)


@worlds("framework-images")
def images():
    for rows, columns, K, across in ((4, 5, 2, 3), (5, 4, 3, 2), (6, 5, 3, 4)):
        yield World(sizes={"x": drawn(1, rows, columns), "W": drawn(2, K, across)})


# --- Exercises ---------------------------------------------------------------


@worlds("exercise-paths")
def two_paths(given):
    yield World(
        given={"x": given["x"]},
        forward={
            "z": lambda v: np.array([np.prod(v["x"]), np.sum(v["x"]) ** 2]),
            "ell": lambda v: np.prod(v["z"]),
        },
    )


@worlds("exercise-inverse")
def inverse():
    for n in (2, 3, 4):
        yield World(
            given={"A": drawn(1, n, n) + n * np.eye(n), "delta": drawn(2, n, n)},
            forward={"Z": lambda v: np.linalg.inv(v["A"])},
        )
