"""A layer in NumPy beside TensorFlow, on the CPU: what the benches of layers share.

Forward and backward with one thread on each side: CPU time, the best of the rounds, in
which the sides take turns; and by how much each side's first call raises the peak of
memory, apart from what the process has already. TensorFlow is run as a reader runs it,
eagerly and in a tf.function, whose first call also builds its graph.
"""

from collections.abc import Callable

import numpy as np

from tests.bench import goal, rounds
from tests.bench.convolution import megabytes, milliseconds

# The sides add some hundred products of order 1, or as many more, in another order.
CLOSE = {"float32": 1e-3, "float64": 1e-10}
ROUNDS = rounds(9)


def one_thread() -> None:
    """Before the first use of TensorFlow, and a page's session is one."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def taped(forward: Callable, inputs: tuple, weights: list, upstream) -> dict:
    """The output of forward(*inputs), the gradients of inputs and of weights: eagerly
    and compiled."""
    import tensorflow as tf

    inputs, upstream = [*map(tf.constant, inputs)], tf.constant(upstream)

    def eager():
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            output = forward(*inputs)
        sources = [*inputs, *weights]
        return output, *tape.gradient(output, sources, output_gradients=upstream)

    return {"eager": eager, "tf.function": tf.function(eager)}


def beside(layer: str, sides: Callable, most: float) -> None:
    """sides(dtype): what gives the same arrays, by name; NumPy may take `most` times
    as long as the tf.function."""
    print(f"{layer}: ms of CPU, best of {ROUNDS}; MB")
    for dtype, close in CLOSE.items():
        tasks = sides(dtype)
        peaks = {side: megabytes(task) for side, task in tasks.items()}  # first calls
        right = [array.numpy() for array in tasks["eager"]()]
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
        ratio = best["NumPy"] / best["tf.function"]
        goal(f"{layer} to tf.function, {dtype}", ratio, most)
