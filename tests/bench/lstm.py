"""The LSTM of rnn/lstm in NumPy beside Keras, on the CPU.

Forward and backward through all steps, with the gradients of the input and of all
weights, and with one thread on each side: CPU time, the best of the rounds, in which
the sides take turns; and by how much each side's first call raises the peak of memory,
apart from what the process has already. Keras is run as a reader runs it, eagerly and
in a tf.function.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from book import sessions
from book.results import namespace
from tests.bench import SMALLEST, goal, rounds
from tests.bench.convolution import alone, megabytes, milliseconds

# Examples, steps, inputs, units.
SIZES = (2, 3, 4, 5) if SMALLEST else (32, 64, 64, 128)
# Both sides add some hundred products of order 1, in another order.
CLOSE = {"float32": 1e-3, "float64": 1e-10}
ROUNDS = rounds(9)
MOST = 1.5  # times the compiled one


def sides(dtype: str) -> dict[str, Callable]:
    """Each gives ∂ℓ/∂x, ∂ℓ/∂W, ∂ℓ/∂U and ∂ℓ/∂b."""
    import keras
    import tensorflow as tf

    session = namespace(sessions.SNIPPETS / "rnn" / "lstm.md")
    forward, backward = session["lstm_forward"], session["lstm_backward"]
    examples, steps, inputs, units = SIZES
    rng = np.random.default_rng(0)
    x, dh = (
        rng.standard_normal((examples, steps, n)).astype(dtype) for n in (inputs, units)
    )
    layer = keras.layers.LSTM(units, return_sequences=True, dtype=dtype)
    layer.build(x.shape)
    W, U, b = layer.get_weights()
    start = np.zeros((examples, units), dtype)
    watched, upstream = tf.constant(x), tf.constant(dh)

    def numpy():
        kept = forward(x, start, start, W, U, b)
        dx, _, _, *weights = backward(x, start, start, kept, dh, W, U)
        return dx, *weights

    def eager():
        with tf.GradientTape() as tape:
            tape.watch(watched)
            h = layer(watched)
        variables = [watched, *layer.trainable_weights]
        return tape.gradient(h, variables, output_gradients=upstream)

    return {"NumPy": numpy, "eager": eager, "tf.function": tf.function(eager)}


def measure() -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    print(f"examples, steps, inputs, units {SIZES}; ms of CPU, best of {ROUNDS}; MB")
    for dtype, close in CLOSE.items():
        tasks = sides(dtype)
        peaks = {side: megabytes(task) for side, task in tasks.items()}  # first calls
        right = [gradient.numpy() for gradient in tasks["eager"]()]
        for task in tasks.values():
            for mine, want in zip(task(), right, strict=True):
                assert mine.dtype == want.dtype
                error = np.max(np.abs(np.asarray(mine) - want))
                assert error <= close * np.max(np.abs(want)), error
        best = dict.fromkeys(tasks, np.inf)
        for _ in range(ROUNDS):
            for side, task in tasks.items():
                best[side] = min(best[side], milliseconds(task))
        for side in tasks:
            print(f"{dtype} {side:12s} {best[side]:8.1f} {peaks[side]:6.1f}")
        goal(f"LSTM to tf.function, {dtype}", best["NumPy"] / best["tf.function"], MOST)


def main(_: Path) -> None:
    alone("tests.bench.lstm")


if __name__ == "__main__":
    measure()
