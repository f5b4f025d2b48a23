"""The engine of graph/engine beside TensorFlow: CPU time, and the peak of memory.

A chain of dense layers with tanh, once with large arrays and once with tiny ones, which
show what a recorded operation costs by itself.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from book import sessions
from book.results import namespace
from tests.bench import SMALLEST, goal, rounds
from tests.bench.convolution import alone, megabytes, milliseconds, use_threads

DEPTH = 3 if SMALLEST else 30
SIZES = {"large": (8, 4) if SMALLEST else (512, 256), "tiny": (2, 2)}
ROUNDS = rounds(7)


def sides(rows: int, units: int) -> dict[str, Callable]:
    """The loss alone, and its gradients by the engine and by TensorFlow."""
    import tensorflow as tf

    session = namespace(sessions.SNIPPETS / "graph" / "engine.md")
    chain, gradients, value = (session[n] for n in ("chain", "gradients", "Value"))
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(units, units)) / units**0.5 for _ in range(DEPTH)]
    x = rng.normal(size=(rows, units))
    watched = [tf.constant(W) for W in weights]

    def engine():
        given = [value(W) for W in weights]
        return gradients(chain(given, value(x)), given)

    def tape():
        with tf.GradientTape() as recorder:
            recorder.watch(watched)
            z = tf.convert_to_tensor(x)
            for W in watched:
                z = tf.tanh(z @ W)
            loss = tf.reduce_sum(z)
        return recorder.gradient(loss, watched)

    return {
        "forward": lambda: chain(weights, x),
        "engine": engine,
        "GradientTape": tape,
        "tf.function": tf.function(tape),
    }


def measure() -> None:
    use_threads()
    print(f"{DEPTH} layers; ms of CPU, best of {ROUNDS}, one thread; MB at the peak")
    for name, size in SIZES.items():
        tasks = sides(*size)
        peaks = {side: megabytes(task) for side, task in tasks.items()}  # first calls
        for mine, theirs in zip(
            tasks["engine"](), tasks["GradientTape"](), strict=True
        ):
            np.testing.assert_allclose(mine, theirs, rtol=1e-8, atol=1e-10)
        times = {
            side: min(milliseconds(task) for _ in range(ROUNDS))
            for side, task in tasks.items()
        }
        for side in tasks:
            print(f"{name:5s} {side:12s} {times[side]:8.2f} {peaks[side]:6.1f}")
        ratio = times["engine"] / times["GradientTape"]
        goal(f"engine to GradientTape, {name} arrays", ratio, 2)


def main(_: Path) -> None:
    alone("tests.bench.engine")


if __name__ == "__main__":
    measure()
