"""How fast im2col in NumPy is beside TensorFlow and PyTorch, on the CPU.

Forward and backward of one convolution, at five sizes and with one thread on each side:
CPU time, the best of the rounds, in which the sides take turns; and by how much each
side's first call raises the peak of memory. The NumPy functions are those that the page
on im2col shows. PyTorch is left out where it is not installed.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.bench import SMALLEST, goal, rounds

ROUNDS = rounds(30)
THREADS = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"]
# Where they are set, it is for OpenBLAS builds that do not know the processor; NumPy's
# does, and would be slowed down. The two belong together, and only timing is to do
# without them.
FOR_OLD_BUILDS = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"]
MOST = 1.5  # times the faster of the others
PASSES = ["forward", "backward", "together"]


class Case(NamedTuple):
    x: tuple[int, int, int, int]
    kernel: int
    filters: int
    stride: int = 1
    padding: str = "valid"
    dtype: str = "float32"

    @property
    def name(self) -> str:
        size = "×".join(map(str, self.x))
        return f"{size} K={self.kernel} S={self.stride} {self.padding} {self.dtype}"

    def arrays(self) -> list[np.ndarray]:
        """delta, x, W and b."""
        stream, (n, h, _, c) = np.random.default_rng(0), self.x
        inside = (h - self.kernel) // self.stride + 1
        o = -(-h // self.stride) if self.padding == "same" else inside
        k, f = self.kernel, self.filters
        shapes = (n, o, o, f), self.x, (k, k, c, f), (f,)
        return [stream.standard_normal(shape).astype(self.dtype) for shape in shapes]


CASES = [
    Case((32, 64, 64, 16), 3, 32),
    Case((32, 64, 64, 16), 3, 32, stride=2),
    Case((32, 64, 64, 16), 3, 32, dtype="float64"),
    Case((16, 28, 28, 64), 3, 64, padding="same"),
    Case((8, 112, 112, 3), 7, 64, stride=2),
]
if SMALLEST:
    CASES = [Case((2, 16, 16, 4), 3, 8)]


def numpy_side(case: Case, arrays: list) -> list[Callable]:
    from book.results import function, results

    found = results()
    forward, backward = (
        function(found[f"im2col-{which}"]) for which in ("forward", "backward")
    )
    delta, x, W, b = arrays
    return [
        lambda: forward(x, W, b, case.stride, case.padding),
        lambda: backward(delta, x, W, case.stride, case.padding),
    ]


def tensorflow_side(case: Case, arrays: list) -> list[Callable]:
    """Compiled; of the gradient's graph TensorFlow drops the unused forward pass."""
    import tensorflow as tf

    delta, *variables = map(tf.constant, arrays)
    padding = case.padding.upper()

    @tf.function
    def forward(x, W, b):
        return tf.nn.bias_add(tf.nn.conv2d(x, W, case.stride, padding), b)

    @tf.function
    def backward(delta, *variables):
        with tf.GradientTape() as tape:
            tape.watch(variables)
            z = forward(*variables)
        return tape.gradient(z, variables, output_gradients=delta)

    return [lambda: forward(*variables), lambda: backward(delta, *variables)]


def pytorch_side(case: Case, arrays: list) -> list[Callable]:
    """On the same arrays, whose order in memory PyTorch calls channels_last."""
    import torch

    torch.set_num_threads(1)
    delta, x, W, b = map(torch.from_numpy, arrays)
    delta, x, W = delta.movedim(3, 1), x.movedim(3, 1), W.permute(3, 2, 0, 1)
    steps = [case.stride] * 2, [case.kernel // 2 * (case.padding == "same")] * 2, [1, 1]

    def forward():
        return torch.conv2d(x, W, b, *steps).movedim(1, 3)

    def backward():
        given = delta, x, W, list(b.shape), *steps, False, [0, 0], 1, [True] * 3
        dx, dW, db = torch.ops.aten.convolution_backward(*given)
        return dx.movedim(1, 3), dW.permute(2, 3, 1, 0), db

    return [forward, backward]


SIDES = {"NumPy": numpy_side, "TensorFlow": tensorflow_side}
if find_spec("torch"):
    SIDES["PyTorch"] = pytorch_side


def milliseconds(function: Callable) -> float:
    """CPU time; ends the program where more than one thread was at work."""
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if cpu > 1.1 * wall + 0.001:
        sys.exit(f"{cpu / wall:.1f} threads were at work, the comparison needs one")
    return 1000 * cpu


def megabytes(function: Callable) -> float:
    """By how much a call raises the peak of memory; where Linux is not, nan."""
    try:
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
        before = memory("VmRSS")
        function()
        return (memory("VmHWM") - before) / 1024
    except OSError:
        return float("nan")


def memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def use_threads(number: int = 1) -> None:
    """Before the first use of TensorFlow, and a page's session is one."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(number)
    tf.config.threading.set_inter_op_parallelism_threads(number)


def measure() -> None:
    use_threads()
    print(f"milliseconds of CPU, best of {ROUNDS}, one thread each; MB at the peak")
    for case in CASES:
        arrays = case.arrays()
        sides = {name: side(case, arrays) for name, side in SIDES.items()}
        peaks = [max(map(megabytes, passes)) for passes in sides.values()]
        right = [flat(function()) for function in sides["NumPy"]]
        for passes in sides.values():
            for function, wanted in zip(passes, right, strict=True):
                for got, want in zip(flat(function()), wanted, strict=True):
                    assert got.dtype == want.dtype
                    np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-2)
        report(case, sides, peaks)


def flat(result) -> list[np.ndarray]:
    return [*map(np.asarray, result if isinstance(result, tuple | list) else [result])]


def report(case: Case, sides: dict[str, list[Callable]], peaks: list[float]) -> None:
    best = np.full((2, len(sides)), np.inf)  # pass, side
    for _ in range(ROUNDS):
        for number in range(2):
            times = [milliseconds(passes[number]) for passes in sides.values()]
            best[number] = np.minimum(best[number], times)
    print(f"{case.name}\n{'':9s}", *(f"{name:>10s}" for name in sides), "  ratio")
    for name, row in zip(PASSES, [*best, best.sum(axis=0)], strict=True):
        ratio = row[0] / min(row[1:])
        print(f"{name:9s}", *(f"{n:10.1f}" for n in row), f"{ratio:7.2f}")
    print(f"{'MB':9s}", *(f"{peak:10.1f}" for peak in peaks))
    goal(f"together, {case.name}", ratio, MOST)


def alone(module: str, threads: int = 1) -> None:
    """A library reads the environment once, when it is loaded: so in a new process."""
    kept = {k: v for k, v in os.environ.items() if k not in FOR_OLD_BUILDS}
    environment = kept | dict.fromkeys(THREADS, str(threads))
    command = [sys.executable, "-m", module, *sys.argv[1:]]
    if code := subprocess.run(command, env=environment).returncode:
        sys.exit(code)


def main(_: Path) -> None:
    alone("tests.bench.convolution")


if __name__ == "__main__":
    measure()
