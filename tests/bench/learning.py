"""An epoch of learning/digits in NumPy beside Keras, on the CPU.

The same network from the same weights, the same batches, the same optimiser. Keras
takes its steps eagerly, by train_on_batch, which compiles them, and by a tf.function of
the eager step. Each side trains an epoch a round, in turns, and the best round counts:
in CPU time with one thread on each side, by the clock with two. In the end all have
learnt the same.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from book import sessions
from book.results import namespace
from tests.bench import SMALLEST, goal, rounds
from tests.bench.convolution import THREADS, alone, milliseconds, use_threads

ROUNDS = rounds(9)
BATCH = 32
EXAMPLES = 2 * BATCH if SMALLEST else 1440
ETA, BETA = 2**-5, 7 / 8  # Keras keeps both in float32
# How near the weights are after all epochs.
CLOSE = {"float64": 1e-12, "float32": 1e-4}


class Side(NamedTuple):
    step: Callable  # takes a batch, x and y
    weights: Callable  # what they are now
    batches: list[tuple]


def numpy_side(session: dict, weights: list, batches: list) -> Side:
    velocities = [np.zeros_like(w) for w in weights]

    def step(x, y):
        nonlocal weights, velocities
        _, gradients = session["lenet_gradients"](x, y, weights)
        moved = session["momentum"](weights, gradients, velocities, ETA, BETA)
        weights, velocities = moved

    return Side(step, lambda: weights, batches)


def compiled(model, dtype: str):
    """The session's model, with the loss and the optimizer of the session."""
    import keras

    keras.config.set_floatx(dtype)  # of the loss
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(ETA, momentum=BETA), loss)
    model.optimizer.build(model.trainable_variables)  # no tf.function may do so
    return model


def keras_step(model) -> Callable:
    import tensorflow as tf

    def step(x, y):
        with tf.GradientTape() as tape:
            loss = model.loss(y, model(x, training=True))
        variables = model.trainable_variables
        model.optimizer.apply(tape.gradient(loss, variables), variables)

    return step


def sides(dtype: str) -> dict[str, Side]:
    import tensorflow as tf

    session = namespace(sessions.SNIPPETS / "learning" / "digits.md")
    weights = [w.astype(dtype) for w in session["lenet_weights"](0)]
    x, y = (session[name][:EXAMPLES].astype(dtype) for name in ("x", "Y"))
    starts = range(0, EXAMPLES, BATCH)
    batches = [(x[n : n + BATCH], y[n : n + BATCH]) for n in starts]
    tensors = [(tf.constant(x), tf.constant(y)) for x, y in batches]
    models = (compiled(session["keras_lenet"](weights), dtype) for _ in range(3))
    eager, by_keras, in_graph = models
    return {
        "NumPy": numpy_side(session, weights, batches),
        "eager": Side(keras_step(eager), eager.get_weights, tensors),
        "train_on_batch": Side(by_keras.train_on_batch, by_keras.get_weights, batches),
        "tf.function": Side(
            tf.function(keras_step(in_graph)), in_graph.get_weights, tensors
        ),
    }


def epoch(side: Side) -> None:
    for x, y in side.batches:
        side.step(x, y)


def by_the_clock(task: Callable) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    task()
    return 1000 * (time.perf_counter() - start)


def compare(dtype: str, threads: int) -> None:
    found = sides(dtype)
    spent = milliseconds if threads == 1 else by_the_clock
    best = dict.fromkeys(found, np.inf)
    for side in found.values():
        epoch(side)  # TensorFlow compiles
    for _ in range(ROUNDS):
        for name, side in found.items():
            best[name] = min(best[name], spent(lambda side=side: epoch(side)))
    session = namespace(sessions.SNIPPETS / "learning" / "digits.md")
    wrong = set()
    for name, side in found.items():
        for mine, right in zip(side.weights(), found["NumPy"].weights(), strict=True):
            assert mine.dtype == right.dtype == dtype
            np.testing.assert_allclose(mine, right, rtol=0, atol=CLOSE[dtype])
        held_out = session["x_held"].astype(dtype), session["c_held"]
        wrong.add(len(session["wrong_ones"](*held_out, side.weights())))
        print(f"{dtype} {name:15s} {best[name] / 1000:7.4f}")
    assert len(wrong) == 1, wrong
    print(f"all read {wrong.pop()} of {len(session['x_held'])} images wrongly")
    ratio = best["NumPy"] / min(best["train_on_batch"], best["tf.function"])
    goal(f"digits to the faster compiled, {dtype}, threads {threads}", ratio, 1)


def measure() -> None:
    threads = int(os.environ[THREADS[0]])
    use_threads(threads)
    print(f"seconds an epoch, best of {ROUNDS}; threads: {threads}")
    for dtype in CLOSE:
        compare(dtype, threads)


def main(_: Path) -> None:
    for threads in (1, 2):
        alone("tests.bench.learning", threads)


if __name__ == "__main__":
    measure()
