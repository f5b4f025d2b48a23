"""How fast im2col in NumPy is beside TensorFlow, on the CPU.

Forward and backward of one convolution, x 32×64×64×16, kernel 3, 32 filters, without
padding and with one thread on each side. The NumPy functions are those that the page on
im2col shows. Both sides take turns, and the best of the rounds counts.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.bench import SMALLEST, rounds

ROUNDS = rounds(30)
TYPES = ["float32"] if SMALLEST else ["float32", "float64"]
STRIDES = [1] if SMALLEST else [1, 2]
EXAMPLES = 8 if SMALLEST else 32
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# Where they are set, it is for OpenBLAS builds that do not know the processor; NumPy's
# does, and would be slowed down. The two belong together, and only timing is to do
# without them.
FOR_OLD_BUILDS = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"]


def numpy_side(forward: Callable, backward: Callable, stride: int) -> list[Callable]:
    return [
        lambda delta, x, W, b: forward(x, W, b, stride),
        lambda delta, x, W, b: backward(delta, x, W, stride),
    ]


def tensorflow_side(stride: int) -> list[Callable]:
    """Compiled; of the gradient's graph TensorFlow drops the unused forward pass."""
    import tensorflow as tf

    def forward(delta, x, W, b):
        return tf.nn.bias_add(tf.nn.conv2d(x, W, stride, "VALID"), b)

    def backward(delta, x, W, b):
        with tf.GradientTape() as tape:
            tape.watch([x, W, b])
            z = forward(delta, x, W, b)
        return tape.gradient(z, [x, W, b], output_gradients=delta)

    return [tf.function(forward), tf.function(backward)]


def milliseconds(function: Callable, arrays: list) -> float:
    """Wall time; ends the program where more than one thread was at work."""
    wall, cpu = time.perf_counter(), time.process_time()
    function(*arrays)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if cpu > 1.1 * wall:
        sys.exit(f"{cpu / wall:.1f} threads were at work, the comparison needs one")
    return 1000 * wall


def measure() -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    from book.results import function, results

    found = results()
    page = [function(found[f"im2col-{which}"]) for which in ("forward", "backward")]
    print(f"milliseconds, best of {ROUNDS}, one thread each")
    print("type     stride  pass      NumPy  TensorFlow  ratio")
    for dtype in TYPES:
        for stride in STRIDES:
            stream, o = np.random.default_rng(0), (64 - 3) // stride + 1
            shapes = (EXAMPLES, o, o, 32), (EXAMPLES, 64, 64, 16), (3, 3, 16, 32), (32,)
            arrays = [stream.standard_normal(shape).astype(dtype) for shape in shapes]
            tensors = [tf.constant(a) for a in arrays]
            mine, theirs = numpy_side(*page, stride), tensorflow_side(stride)
            for a, b in zip(mine, theirs, strict=True):
                both = zip(flat(a(*arrays)), flat(b(*tensors)), strict=True)
                for got, want in both:
                    assert got.dtype == want.dtype
                    np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-2)
            report(f"{dtype}  {stride:6d}", mine, arrays, theirs, tensors)


def flat(result) -> list:
    return list(result) if isinstance(result, tuple | list) else [result]


def report(case: str, mine, arrays, theirs, tensors) -> None:
    best = np.full((2, 2), np.inf)  # pass, side
    for _ in range(ROUNDS):
        for number in range(2):
            times = (
                milliseconds(mine[number], arrays),
                milliseconds(theirs[number], tensors),
            )
            best[number] = np.minimum(best[number], times)
    rows = [*best, best.sum(axis=0)]
    for name, (ours, tensorflow) in zip(
        ["forward", "backward", "together"], rows, strict=True
    ):
        print(
            f"{case}  {name:8s} {ours:6.1f} {tensorflow:11.1f} {ours / tensorflow:6.2f}"
        )


def main(_: Path) -> None:
    """A library reads the environment once, when it is loaded: so in a new process."""
    kept = {k: v for k, v in os.environ.items() if k not in FOR_OLD_BUILDS}
    command = [sys.executable, "-m", "tests.bench.convolution", *sys.argv[1:]]
    if code := subprocess.run(command, env=kept | ONE_THREAD).returncode:
        sys.exit(code)


if __name__ == "__main__":
    measure()
