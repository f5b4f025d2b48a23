"""Vocabulary and numbers of docs/*/article.md."""

import numpy as np

from book.tex.evaluator import correlate
from book.tex.world import World, drawn, worlds

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "": {
        "25": "= len(out)",
    },
    "article": {
        "25 25": "= [len(out)] * 2",
        "09 04": "the day of the article",
    },
    "arrays": {
        "25": "= len(out)",
        "column 1": "= range(1, 26)",
        "column 2": "= out",
        "20": "number of an array",
        "12 17 21": "numbers of arrays",
        "4 8": "digits of float32",
    },
    "runs": {
        "19 25 17 18 21 22 25": "numbers of arrays, as the session counts them",
    },
    "a-dense": {
        "4×3": "= W3.shape",
    },
    "a-equations": {
        "1×4 1×3 1×4 1×3 1×3 1×4": (
            "= [n for v in (a, d, g, z, d, a) for n in (1, v.size)]"
        ),
    },
    "a-least-norm": {
        "6 6": "= [np.linalg.matrix_rank(equations)] * 2",
    },
    "a-gradients": {
        "12 17": "numbers of arrays",
    },
    "b-other": {
        "17 20": "numbers of arrays",
    },
    "b-kernel": {
        "27": "= 3 * W_b.size",
    },
    "b-gradients": {
        "19": "number of an array",
    },
    "b-delta": {
        "13": "= (np.abs(my_delta) < 1e-6).sum()",
    },
    "c-search": {
        "16": "= delta_c.size",
        "4": "= np.linalg.matrix_rank(system)",
    },
    "c-gradients": {
        "23": "number of an array",
    },
    "all": {
        "25": "= len(compared)",
    },
    "reading": {
        "25 4×4 7×7": "= [len(out), *delta.shape, *dilated.shape]",
    },
    "summary": {
        "25": "= len(out)",
        "4×3": "= W3.shape",
        "624": "= len(fits)",
        "4×4": "= delta_c.shape",
    },
}


@worlds()
def symbols():
    """a, z, delta, g and e are rows; the entries of delta have the sum 0."""
    for inputs, outputs, c in ((4, 3, 0.7), (2, 3, -0.4), (5, 2, 1.3)):
        yield dense_layer(inputs, outputs, c)


def dense_layer(inputs, outputs, c):
    """Two solutions of a W = z + constant, δ Wᵀ = g: W and W'."""
    a, delta, W = drawn(1, 1, inputs), drawn(2, 1, outputs), drawn(3, inputs, outputs)
    delta -= delta.mean()
    e = np.ones((1, outputs))

    def off(row):
        """What is left of an array once the row's part in it is taken away."""
        return np.eye(row.size) - row.T @ row / np.sum(row**2)

    N = off(a) @ drawn(4, inputs, outputs) @ off(delta)
    other = W + N + c * a.T @ e / np.sum(a**2)
    return World(
        sizes={
            **{"a": a, "delta": delta, "e": e, "c": c},
            **{"W": W, "W'": other, "z": a @ W, "g": delta @ W.T},
        }
    )


@worlds("b-kernel")
def apart():
    """Only blocks that do not overlap have a δ, each in another world elsewhere."""
    for places in (
        [(0, 2), (2, 3), (3, 0)],
        [(0, 0), (2, 1), (1, 4)],
        [(3, 4), (0, 1), (1, 3)],
    ):
        mask = np.zeros((4, 5))
        mask[tuple(np.transpose(places))] = 1
        yield stride_two(mask * drawn(3, 4, 5))


@worlds("c-search")
def weights():
    for seed in (3, 4, 5):
        yield stride_two(drawn(seed, 4, 5))


def stride_two(delta):
    """z = x ⋆ W + b at stride 2, one example and one channel."""
    rows, columns = delta.shape
    return World(
        given={
            "x": drawn(1, 2 * rows + 1, 2 * columns + 1),
            "W": drawn(2, 3, 3),
            "b": np.array(0.7),
            "delta": delta,
        },
        forward={"z": lambda v: correlate(v["x"], v["W"])[::2, ::2] + v["b"]},
        zero={"W"},
        ranges={"i": rows, "j": columns},
    )
