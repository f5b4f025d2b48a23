"""Checks of docs/*/convolution/layer.md."""

from book.checks import check, st, values
from snippets.convolution.channels import (
    Case,
    convolution,
    forward,
    given_as,
    of_bias,
    of_input,
    of_weights,
)
from snippets.convolution.padding import same

REFUSES = "it refuses less; no check draws what is refused, and the session shows it"
WORD = "what is no word is equal to none"
# The mutants of the session's functions that compute the same, and why.
SAME = {
    (
        "amounts",
        "if isinstance(padding, str) and padding == 'valid':",
        "if padding and padding == 'valid':",
    ): WORD,
    (
        "amounts",
        "if isinstance(padding, str) and padding == 'valid':",
        "if str and padding == 'valid':",
    ): WORD,
    (
        "amounts",
        "if isinstance(padding, str) and padding == 'same':",
        "if padding and padding == 'same':",
    ): WORD,
    (
        "amounts",
        "if isinstance(padding, str) and padding == 'same':",
        "if str and padding == 'same':",
    ): WORD,
    (
        "amounts",
        "return tuple((whole('padding', side, 0) for side in padding))",
        "return tuple((side for side in padding))",
    ): REFUSES,
    (
        "amounts",
        "return tuple((whole('padding', side, 0) for side in padding))",
        "return tuple((whole('padding', side, -1) for side in padding))",
    ): REFUSES,
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
