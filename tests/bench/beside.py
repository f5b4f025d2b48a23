"""A layer in NumPy beside TensorFlow, on the CPU: what the benches of layers share.

Forward and backward with one thread on each side: CPU time, the best of the rounds, in
which the sides take turns; and the most memory that arrays, or tensors, take at once,
apart from what is given. TensorFlow is run as a reader runs it, eagerly and in a
tf.function.
"""

import tracemalloc
from collections.abc import Callable

import numpy as np

from tests.bench import goal, rounds
from tests.bench.convolution import milliseconds

# The sides add some hundred products of order 1, or as many more, in another order.
CLOSE = {"float32": 1e-3, "float64": 1e-10}
ROUNDS = rounds(9)


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


def arrays_peak(task: Callable) -> float:
    """MB of NumPy's arrays."""
    tracemalloc.start()
    task()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 2**20


def tensors_peak(task: Callable) -> float:
    """MB of TensorFlow's tensors; nan where it does not count them."""
    from tensorflow.config.experimental import get_memory_info, reset_memory_stats

    try:
        reset_memory_stats("CPU:0")
        before = get_memory_info("CPU:0")["current"]
        task()
        return (get_memory_info("CPU:0")["peak"] - before) / 2**20
    except ValueError:  # without oneDNN
        return float("nan")


def beside(layer: str, sides: Callable, most: float) -> None:
    """sides(dtype): what gives the same arrays, by name, in NumPy and in TensorFlow.

    NumPy may take `most` times as long as the tf.function.
    """
    print(f"{layer}: ms of CPU, best of {ROUNDS}; MB")
    for dtype, close in CLOSE.items():
        ours, theirs = sides(dtype)
        tasks = ours | theirs
        right = [array.numpy() for array in tasks["eager"]()]
        for task in tasks.values():
            for mine, want in zip(task(), right, strict=True):
                assert mine.dtype == want.dtype
                error = np.max(np.abs(np.asarray(mine) - want))
                assert error <= close * max(1, np.max(np.abs(want))), error
        best = dict.fromkeys(tasks, np.inf)
        for _ in range(ROUNDS):
            for side, task in tasks.items():
                best[side] = min(best[side], milliseconds(task))
        for side in tasks:
            peak = arrays_peak if side in ours else tensors_peak
            print(f"{dtype} {side:12s} {best[side]:8.1f} {peak(tasks[side]):6.1f}")
        ratio = best["NumPy"] / best["tf.function"]
        goal(f"{layer} to tf.function, {dtype}", ratio, most)
