"""Vocabulary of docs/*/article.md."""

import numpy as np

from book.tex.evaluator import correlate
from book.tex.world import World, drawn, worlds


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
