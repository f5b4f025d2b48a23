"""Figure and checks of docs/*/convolution/layer.md."""

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.testing import assert_array_equal

from book.checks import call, check, in_any_form, not_finite, st, tf, values
from book.figures import claim, figure
from book.graphs import Edge, Graph, Node
from book.tex.world import World, drawn, worlds
from snippets.convolution.channels import (
    Case,
    adding,
    blocks,
    convolution,
    definition,
    forward,
    given_as,
    nhwc,
    of_bias,
    of_input,
    of_weights,
    poisoned,
    valid,
)
from snippets.convolution.leftover import row
from snippets.convolution.padding import same

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "composition": {
        "4": "the fourth row of the table",
    },
    "by-hand": {
        "4": "= 2 + 2",
        "6": "= 2 * 2 + 2",
    },
    "exercise-uneven-sides": {
        "5": "= 3 + 2",
    },
}

# --- Figure ------------------------------------------------------------------

PARTIAL = r"\partial \ell / \partial "


@figure("kept")
def kept(session):
    """Above, forward, to the right; below, backward, to the left; what is kept goes
    down from one to the other."""
    left, middle, right = 3.2, 10.6, 22.6
    convolution = [
        Node("x", left, 1.6),
        Node("W", middle, 4.7),
        Node("z", right, 2.9),
        Node(r"\delta", right, 13.1),
        Node(f"{PARTIAL}W", left, 14.5),
        Node(f"{PARTIAL}x", middle, 11.3),
    ]
    edges = [
        Edge("x", "z", term="convolution"),
        Edge("W", "z"),
        Edge("x", f"{PARTIAL}W", "x", kind="kept"),
        Edge("W", f"{PARTIAL}x", "W", kind="kept"),
        Edge(r"\delta", f"{PARTIAL}W", kind="backward"),
        Edge(r"\delta", f"{PARTIAL}x", kind="backward"),
    ]
    poolings = []
    for y, term, keeps, a, z in (
        (20, "max pooling", r"\operatorname{argmax}", "a", "{z}"),
        (31, "average pooling", r"H \times H'", "{a}", "{{z}}"),
    ):
        delta, gradient = z.replace("z", r"\delta"), f"{PARTIAL}{a}"
        poolings += [
            Node(a, left, y),
            Node(z, right, y),
            Node(delta, right, y + 5),
            Node(gradient, left, y + 5),
        ]
        edges += [
            Edge(a, z, term=term),
            Edge(a, gradient, keeps, kind="kept"),
            Edge(delta, gradient, kind="backward"),
        ]
    return Graph([*convolution, *poolings], edges)


@claim("kept")
def kept_claim(session, graph):
    """Into each array leads an arrow from all on which it depends, and no other:
    TensorFlow's values change with them. Of a convolution whole arrays are kept."""
    x, W = drawn(1, 1, 4, 4, 1), drawn(2, 2, 2, 1, 1)
    arrays = {"x": x, "W": W, r"\delta": drawn(3, 1, 3, 3, 1)}

    def convolution(given):
        return tf.nn.conv2d(given["x"], given["W"], 1, "VALID")

    functions = {"z": convolution}
    for name in "xW":
        functions[PARTIAL + name] = partial(gradient_of, convolution, name)
    for name, function in functions.items():
        into = {edge.start for edge in graph.edges if edge.end == name}
        assert into == depends(function, arrays)
    kept = [edge for edge in graph.edges if edge.kind == "kept"]
    assert [edge.name for edge in kept[:2]] == [edge.start for edge in kept[:2]]
    pooling_claim(graph, "max pooling", tf.nn.max_pool2d)
    pooling_claim(graph, "average pooling", tf.nn.avg_pool2d)


def pooling_claim(graph, term, pool):
    """The gradient of a maximum depends on a through the places of the maxima; that of
    a mean on its shape alone."""
    (forth,) = (e for e in graph.edges if e.term == term)
    (kept,) = (e for e in graph.edges if e.start == forth.start and e.kind == "kept")
    (back,) = (e for e in graph.edges if e.end == kept.end and e.kind == "backward")
    into = {edge.start for edge in graph.edges if edge.end == kept.end}
    assert into == {kept.start, back.start}
    a, z, delta, da = (
        graph[name] for name in (forth.start, forth.end, back.start, back.end)
    )
    # Their letters; two poolings have the same.
    assert [n.name.strip("{}") for n in (a, z, delta)] == ["a", "z", r"\delta"]
    assert da.name == PARTIAL + a.name
    assert (a.y, delta.y) == (z.y, da.y)

    image, upstream = np.arange(16.0).reshape(1, 4, 4, 1), drawn(3, 1, 2, 2, 1)

    def gradient_at(image):
        given = {"a": image, r"\delta": upstream}
        return gradient_of(lambda g: pool(g["a"], 2, 2, "VALID"), "a", given)

    right = gradient_at(image)
    assert_array_equal(gradient_at(image**3), right)  # the same order
    places = not np.array_equal(gradient_at(-image), right)
    assert kept.name == (r"\operatorname{argmax}" if places else r"H \times H'")


def gradient_of(function, name, arrays):
    """Of one of the arrays, at delta."""
    given = {key: tf.constant(array) for key, array in arrays.items()}
    with tf.GradientTape() as tape:
        tape.watch(given[name])
        loss = tf.reduce_sum(function(given) * given[r"\delta"])
    return tape.gradient(loss, given[name]).numpy()


def depends(function, arrays):
    """The arrays with which the value of a function changes."""
    right = function(arrays)
    return {
        name
        for name, array in arrays.items()
        if not np.allclose(function(arrays | {name: array + 1}), right)
    }


# --- Checks ------------------------------------------------------------------

REFUSES = "it refuses less; no check draws what is refused, and the session shows it"
WORD = "what is no word is equal to none"
# Changes after which the page says the same, and why.
SAME = {
    (
        "grouped",
        "return a.reshape(*a.shape[:3], groups, -1, *a.shape[4:])",
        "return -a.reshape(*a.shape[:3], groups, -1, *a.shape[4:])",
    ): "both factors of every product are grouped",
    (
        "arguments",
        "W = floats('W', W, 'K', \"K'\", C // groups, 'F')",
        "pass",
    ): REFUSES,
    (
        "arguments",
        "W = floats('W', W, 'K', \"K'\", C // groups, 'F')",
        "W = W",
    ): REFUSES,
    (
        "padding_pairs",
        "if isinstance(padding, str) and padding == 'valid':",
        "if padding and padding == 'valid':",
    ): WORD,
    (
        "padding_pairs",
        "if isinstance(padding, str) and padding == 'valid':",
        "if str and padding == 'valid':",
    ): WORD,
    (
        "padding_pairs",
        "if isinstance(padding, str) and padding == 'same':",
        "if padding and padding == 'same':",
    ): WORD,
    (
        "padding_pairs",
        "if isinstance(padding, str) and padding == 'same':",
        "if str and padding == 'same':",
    ): WORD,
    (
        "#exercise-ones-channel",
        r"\frac{\partial \ell}{\partial \hat W_{0,0,C,f}} = \sum_{n,i,j} \hat "
        r"x_{n,\,Si,\,Sj,\,C}\, \delta_{n,i,j,f} = \sum_{n,i,j} \delta_{n,i,j,f}",
        r"\frac{\partial \ell}{\partial \hat W_{0,1,C,f}} = \sum_{n,i,j} \hat "
        r"x_{n,\,Si,\,Sj,\,C}\, \delta_{n,i,j,f} = \sum_{n,i,j} \delta_{n,i,j,f}",
    ): "the channel is 1 everywhere, so its gradient is the same at all weights",
    (
        "#exercise-ones-channel",
        r"\frac{\partial \ell}{\partial \hat W_{0,0,C,f}} = \sum_{n,i,j} \hat "
        r"x_{n,\,Si,\,Sj,\,C}\, \delta_{n,i,j,f} = \sum_{n,i,j} \delta_{n,i,j,f}",
        r"\frac{\partial \ell}{\partial \hat W_{0,0,C,f}} = \sum_{n,i,j} \hat "
        r"x_{n,\,Si,\,Si,\,C}\, \delta_{n,i,j,f} = \sum_{n,i,j} \delta_{n,i,j,f}",
    ): "the channel is 1 everywhere, so its gradient is the same at all weights",
    (
        "#exercise-balance",
        r"\sum W \odot \frac{\partial \ell}{\partial W} = \sum \delta \odot (z - "
        r"b) = \sum x \odot \frac{\partial \ell}{\partial x}",
        r"\sum W \star  \frac{\partial \ell}{\partial W} = \sum \delta \odot (z - "
        r"b) = \sum x \odot \frac{\partial \ell}{\partial x}",
    ): "of arrays of one shape the cross-correlation is the sum of the products",
    (
        "#exercise-balance",
        r"\sum W \odot \frac{\partial \ell}{\partial W} = \sum \delta \odot (z - "
        r"b) = \sum x \odot \frac{\partial \ell}{\partial x}",
        r"\sum W \odot \frac{\partial \ell}{\partial W} = \sum \delta \star  (z - "
        r"b) = \sum x \odot \frac{\partial \ell}{\partial x}",
    ): "of arrays of one shape the cross-correlation is the sum of the products",
    (
        "#exercise-balance",
        r"\sum W \odot \frac{\partial \ell}{\partial W} = \sum \delta \odot (z - "
        r"b) = \sum x \odot \frac{\partial \ell}{\partial x}",
        r"\sum W \odot \frac{\partial \ell}{\partial W} = \sum \delta \odot (z - "
        r"b) = \sum x \star  \frac{\partial \ell}{\partial x}",
    ): "of arrays of one shape the cross-correlation is the sum of the products",
}


def whole_layer(draw) -> tuple[Case, dict]:
    """A case with everything, and what the layer is handed beside its arrays."""
    given = min(draw(st.integers(0, 9)), 4)  # the settings after that: the defaults
    words = ["valid", "same", "pairs"] if given > 1 else ["valid"]
    padding = draw(st.sampled_from(words))
    case = convolution(
        draw,
        stride=given > 0,
        leftover=True,
        padding=padding != "valid",
        dilation=given > 2,
        groups=given > 3,
    )
    if padding == "pairs":
        padding = case.padding
    elif padding == "same":  # then the output is what it comes to
        both = zip(case.dilation, case.kernel, strict=True)
        extent = tuple(d * (k - 1) + 1 for d, k in both)
        around = same(case.size, extent, case.stride)
        sizes = zip(case.size, case.stride, strict=True)
        output = [-(-h // s) for h, s in sizes]
        delta = values(case.rng, (len(case.x), *output, case.W.shape[3]))
        case = case._replace(padding=around, delta=delta)
    return case, handed(draw, case, padding, given)


def handed(draw, case: Case, padding, given: int) -> dict:
    """The first so many settings of a case; the others are the defaults."""
    settings = {"stride": given_as(draw, case.stride), "padding": padding}
    settings["dilation"] = given_as(draw, case.dilation)
    settings["groups"] = case.groups
    return dict(list(settings.items())[:given])


@check("layer-forward")
def layer_forward(function, draw):
    case, settings = whole_layer(draw)
    arguments = {"x": case.x, "W": case.W, "b": case.b} | settings
    error = forward(in_any_form(function, case.rng), case, arguments)
    far = poisoned(case)
    arguments |= {"x": far.x, "W": far.W}
    not_finite(arguments, call(function, arguments), definition(far)[0] + case.b)
    return error


@check("layer-backward")
def layer_backward(function, draw):
    case, settings = whole_layer(draw)
    arguments = {"delta": case.delta, "x": case.x, "W": case.W} | settings
    asked = in_any_form(function, case.rng)

    def part(number: int):
        return lambda *arrays: asked(*arrays)[number]

    error = max(
        of_input(part(0), case, arguments),
        of_weights(part(1), case, arguments),
        of_bias(part(2), case, arguments),
    )
    far = poisoned(case)
    arguments |= {"delta": far.delta, "x": far.x, "W": far.W}
    dx, dW, _ = call(function, arguments)
    not_finite(arguments, dx, definition(far)[1])
    not_finite(arguments, dW, definition(far)[2])
    return error


# --- What the symbols mean ---------------------------------------------------


@worlds()
def symbols():
    """r is 0 and 1, then 1 and 2, then 0; of K, S and D no two are always the same."""
    yield whole(nhwc(2, (5, 4), (3, 2), 4, 2, 2, 2, 2, ((1, 3), (2, 0))))
    yield whole(nhwc(2, (7, 4), (3, 1), 2, 4, 3, 2, 2, ((1, 1), (1, 1))))
    yield whole(nhwc(2, (3, 2), (1, 2), 3, 6, 1, 2, 3, ((0, 1), (1, 1))))


def whole(world: World) -> World:
    """With the functions and the arrays that this page names."""
    v = world.values
    padding = world.arguments["padding"](v)
    wide = np.zeros((v["K_e"], v["K_e'"], *v["W"].shape[2:]))
    wide[:: v["D"], :: v["D"]] = v["W"]
    return replace(
        adding(world, {"W_uparrowD": wide, "s": seen(v)}),
        functions={
            **world.functions,
            "pad": lambda x: np.pad(x, [(0, 0), *padding, (0, 0)]),
            "conv": lambda S, G, x, W: valid(x, blocks(W, G), S),
        },
        ranges={**world.ranges, "gamma": v["G"]},
    )


def seen(v) -> np.ndarray:
    """(N, O, O', K, K', C / G, F): the entry of x beside each weight."""
    found = np.zeros(v["delta"].shape[:3] + v["W"].shape)
    for n, i, j, u, w, c, f in np.ndindex(found.shape):
        p, q = v["S"] * i + v["D"] * u, v["S"] * j + v["D"] * w
        first = f // (v["F"] // v["G"]) * (v["C"] // v["G"])
        found[n, i, j, u, w, c, f] = v["tilde x"][n, p, q, first + c]
    return found


@worlds("by-hand")
def by_hand(given):
    yield row(given, S=2, D=2, padding=((1, 0),))


@worlds("exercise-uneven-sides")
def uneven_sides(given):
    yield row(given | {"x": drawn(1, 4)}, S=3, D=2, padding=((2, 1),))


@worlds("exercise-ones-channel")
def ones_channel():
    for size, kernel, C, F in (
        ((5, 4), (3, 2), 2, 3),
        ((3, 6), (1, 2), 3, 2),
        ((4, 5), (2, 3), 2, 2),
    ):
        world = nhwc(2, size, kernel, C, F, S=2)
        x, W, b = (world.values[name] for name in ("x", "W", "b"))
        own = np.zeros((*kernel, 1, F))
        own[0, 0, 0] = b
        yield replace(
            adding(world, {"b": b}),
            given={
                "hat x": np.concatenate([x, np.ones_like(x[..., :1])], 3),
                "hat W": np.concatenate([W, own], 2),
                "delta": world.values["delta"],
            },
            forward={"z": lambda v: valid(v["hat x"], v["hat W"], 2)},
        )


@worlds("exercise-twice")
def twice():
    for size, kernel, C in (
        ((3, 2), (2, 3), 2),
        ((2, 4), (3, 1), 3),
        ((3, 3), (2, 2), 2),
    ):
        around = same(size, kernel, (1, 1))
        padding = [(0, 0), *around, (0, 0)]

        def conv(x, W, padding=padding):
            return valid(np.pad(x, padding), W)

        yield World(
            given={
                "x": drawn(1, 2, *size, C),
                "W": drawn(2, *kernel, C, C),
                "delta": drawn(3, 2, *size, C),
            },
            forward={
                "W^1": lambda v: v["W"],
                "y": lambda v, conv=conv: conv(v["x"], v["W^1"]),
                "W^2": lambda v: v["W"],
                "z": lambda v, conv=conv: conv(v["y"], v["W^2"]),
            },
            functions={"conv": conv},
        )
