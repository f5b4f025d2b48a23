"""Vocabulary and numbers of docs/*/conventions.md."""

import numpy as np

from book.tex.world import World, drawn, worlds

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "layout-transposed": {
        "4": "of the program in PyTorch: range(1, 5)",
    },
    "leaky": {
        "0.2": "= slope(tf.nn.leaky_relu, below)[0]",
        "0.3": "= slope(leaky_layer, below)[0]",
        "0.01": "of the program in PyTorch",
    },
    "unpooling": {
        "0.4 -0.3": "= values[:2]",
    },
    "same": {
        "6": "the last entry of x",
    },
    "average": {
        "4 9": "= [2 * 2, 3 * 3]",
    },
    "layouts": {
        "4 5": "= view.shape[3:4] + turned.shape[2:3]",
    },
    "exercise-divisor": {
        "4 6 9 9": "= [*np.unique(edge_cells), 9]",
    },
}


@worlds("exercise-star")
def other_star(given):
    yield World(
        given={"x": given["x"], "w": drawn(1, 2), "delta": given["delta"]},
        forward={"z": lambda v: np.convolve(v["x"], v["w"], "valid")},
    )


@worlds("exercise-divisor")
def other_divisor():
    """z is the mean by TensorFlow's divisor m, z' that by 9."""
    for rows, columns in ((3, 4), (4, 2), (5, 3)):
        ones = np.pad(np.ones((rows, columns)), 1)
        windows = np.lib.stride_tricks.sliding_window_view(ones, (3, 3))
        yield World(
            sizes={"m": windows.sum((2, 3))},
            given={"z": drawn(1, rows, columns), "delta": drawn(2, rows, columns)},
            forward={
                "s": lambda v: v["m"] * v["z"],
                "z'": lambda v: v["s"] / 9,
            },
        )
