"""Checks of docs/*/convolution/layer.md."""

from dataclasses import replace

import numpy as np

from book.checks import check, st, values
from book.tex.world import World, drawn, worlds
from snippets.convolution.channels import (
    Case,
    adding,
    blocks,
    convolution,
    forward,
    given_as,
    nhwc,
    of_bias,
    of_input,
    of_weights,
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
    },
    "exercise-uneven-sides": {
        "5": "= 3 + 2",
    },
}

REFUSES = "it refuses less; no check draws what is refused, and the session shows it"
WORD = "what is no word is equal to none"
# Changes after which the page says the same, and why.
SAME = {
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
        "padding_pairs",
        "return tuple((int_pair('padding', side, 0) for side in padding))",
        "return tuple((side for side in padding))",
    ): REFUSES,
    (
        "padding_pairs",
        "return tuple((int_pair('padding', side, 0) for side in padding))",
        "return tuple((int_pair('padding', side, -1) for side in padding))",
    ): REFUSES,
    (
        "arguments",
        "stride, dilation = (int_pair('stride', stride, 1), "
        "int_pair('dilation', dilation, 1))",
        "stride, dilation = (int_pair('stride', stride, 0), "
        "int_pair('dilation', dilation, 1))",
    ): REFUSES,
    (
        "arguments",
        "stride, dilation = (int_pair('stride', stride, 1), "
        "int_pair('dilation', dilation, 1))",
        "stride, dilation = (int_pair('stride', stride, 1), "
        "int_pair('dilation', dilation, 0))",
    ): REFUSES,
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
    settings = {"stride": given_as(draw, case.stride), "padding": padding}
    settings["dilation"] = given_as(draw, case.dilation)
    settings["groups"] = case.groups
    return case, dict(list(settings.items())[:given])


@check("layer-forward")
def layer_forward(function, draw):
    case, settings = whole_layer(draw)
    arguments = {"x": case.x, "W": case.W, "b": case.b}
    return forward(function, case, arguments | settings)


@check("layer-backward")
def layer_backward(function, draw):
    case, settings = whole_layer(draw)
    arguments = {"delta": case.delta, "x": case.x, "W": case.W} | settings

    def part(number: int):
        return lambda *arrays: function(*arrays)[number]

    return max(
        of_input(part(0), case, arguments),
        of_weights(part(1), case, arguments),
        of_bias(part(2), case, arguments),
    )


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
