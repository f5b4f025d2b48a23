"""Attention of attention/head and attention/multihead in NumPy beside TensorFlow.

On the CPU, forward and backward: the heads alone, also in blocks of keys, and the whole
layer with its projections beside Keras. Then by which power of the length the memory
grows, with all weights of attention kept and in blocks.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from book import sessions
from book.results import namespace
from tests.bench import SMALLEST, goal
from tests.bench.beside import arrays_peak, beside, taped
from tests.bench.convolution import alone, use_threads

HEADS, T, D = (2, 3, 4) if SMALLEST else (8, 256, 64)
BLOCK = 2 if SMALLEST else 64  # keys
LENGTHS = [4, 8] if SMALLEST else [256, 512, 1024, 2048, 4096]


def session(page: str) -> dict:
    return namespace(sessions.SNIPPETS / "attention" / f"{page}.md")


def ways(dO, Q, K, V) -> dict[str, Callable]:
    """O and the gradients of Q, K and V: with P kept, and in blocks."""
    head = session("head")

    def whole():
        O, P = head["attention"](Q, K, V)
        return O, *head["attention_backward"](dO, Q, K, V, P)

    def blocks():
        O, L = head["blockwise_attention"](Q, K, V, BLOCK)
        return O, *head["blockwise_backward"](dO, Q, K, V, O, L, BLOCK)

    return {"NumPy": whole, "in blocks": blocks}


def heads(dtype: str) -> tuple[dict, dict]:
    import tensorflow as tf

    rng = np.random.default_rng(0)
    dO, *inputs = rng.standard_normal((4, HEADS, T, D)).astype(dtype)

    def forward(Q, K, V):
        return tf.nn.softmax(tf.matmul(Q, K, transpose_b=True) / D**0.5) @ V

    return ways(dO, *inputs), taped(forward, inputs, [], dO)


def layer(dtype: str) -> tuple[dict, dict]:
    """y, ∂ℓ/∂x and the gradients of all weights, of self-attention."""
    import keras

    page = session("multihead")
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 1, T, HEADS * D)).astype(dtype)
    by_keras = keras.layers.MultiHeadAttention(HEADS, D, dtype=dtype)
    by_keras.build(x.shape, x.shape)
    weights = by_keras.get_weights()

    def numpy():
        y, kept = page["multihead"](x, x, x, weights)
        *paths, gradients = page["multihead_backward"](dy, x, x, x, weights, kept)
        return y, sum(paths), *gradients

    def forward(x):
        return by_keras(x, x)

    return {"NumPy": numpy}, taped(forward, (x,), by_keras.trainable_weights, dy)


def growth() -> None:
    """Of one head in float32; the power is the slope of a line through logarithms."""
    rng = np.random.default_rng(0)
    peaks = {}
    for length in LENGTHS:
        given = rng.standard_normal((4, length, D)).astype("float32")
        for way, task in ways(*given).items():
            peaks.setdefault(way, []).append(arrays_peak(task))
    print("MB at the peak, over the length", *(f"{length:8d}" for length in LENGTHS))
    powers = {}
    for way, row in peaks.items():
        powers[way] = np.polyfit(np.log(LENGTHS), np.log(row), 1)[0]
        row = " ".join(f"{most:8.2f}" for most in row)
        print(f"{way:31s} {row}  power {powers[way]:.3f}")
    goal("power of the length, memory in blocks", powers["in blocks"], 1.05)


def measure() -> None:
    use_threads()
    beside(f"attention, {HEADS} heads of {T} × {D}", heads, 2)
    beside(f"multi-head layer, {HEADS} heads of {T} × {D}", layer, 2)
    growth()


def main(_: Path) -> None:
    alone("tests.bench.attention")


if __name__ == "__main__":
    measure()
