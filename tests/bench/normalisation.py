"""Batch normalisation of normalisation/batch in NumPy beside Keras, on the CPU.

After a convolution, in training, forward and backward. TensorFlow has one operation for
the whole layer as well, which Keras does not use, in float32 alone.
"""

from pathlib import Path

import numpy as np

from book import sessions
from book.results import namespace
from tests.bench import SMALLEST
from tests.bench.beside import beside, taped
from tests.bench.convolution import alone, use_threads

# Examples, rows, columns, channels.
SHAPE = (2, 3, 4, 5) if SMALLEST else (64, 28, 28, 32)


def sides(dtype: str) -> tuple[dict, dict]:
    """Each gives z, ∂ℓ/∂x, ∂ℓ/∂γ and ∂ℓ/∂β."""
    import keras
    import tensorflow as tf

    session = namespace(sessions.SNIPPETS / "normalisation" / "batch.md")
    forward, backward = session["batch_norm"], session["batch_norm_backward"]
    rng = np.random.default_rng(0)
    x, delta = (rng.standard_normal(SHAPE).astype(dtype) for _ in range(2))
    gamma, beta = (rng.standard_normal(SHAPE[-1:]).astype(dtype) for _ in range(2))
    layer = keras.layers.BatchNormalization(dtype=dtype)
    layer.build(SHAPE)
    layer.set_weights([gamma, beta, *layer.get_weights()[2:]])

    def numpy():
        z, kept = forward(x, gamma, beta)
        return z, *backward(delta, gamma, kept)

    def keras_layer(x):
        return layer(x, training=True)

    def fused(*inputs):
        return tf.compat.v1.nn.fused_batch_norm(*inputs, epsilon=1e-3)[0]

    theirs = taped(keras_layer, (x,), layer.trainable_weights, delta)
    if dtype == "float32":
        theirs["fused"] = taped(fused, (x, gamma, beta), [], delta)["tf.function"]
    return {"NumPy": numpy}, theirs


def measure() -> None:
    use_threads()
    beside("batch norm of " + " × ".join(map(str, SHAPE)), sides, 2)


def main(_: Path) -> None:
    alone("tests.bench.normalisation")


if __name__ == "__main__":
    measure()
