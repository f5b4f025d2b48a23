"""An epoch of learning/digits in NumPy beside Keras, on the CPU.

The same network, batches and optimiser, from the same weights. Keras takes its steps
eagerly, by train_on_batch, which it compiles itself, and by a tf.function of the eager
step. Each side trains one epoch a round, in turns; the best round counts, in CPU time
with one thread on each side, by the clock with two. In the end all must have learnt the
same.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from book import sessions
from book.results import namespace
from tests.bench import SMALLEST, goal, rounds
from tests.bench.convolution import alone, milliseconds, use_threads

THREADS = 1, 2
ROUNDS = rounds(9)
BATCH = 32
EXAMPLES = 2 * BATCH if SMALLEST else None  # all
ETA, BETA = 2**-4, 0.875  # Keras keeps both in float32
# Of weights after all steps, each of which adds its rounding to that of the others.
CLOSE = {"float64": 1e-8, "float32": 1e-2}


class Side:
    """A network that takes steps: step(x, y), from these weights on."""

    def __init__(self, step: Callable, weights: Callable) -> None:
        self.step, self.weights = step, weights


def numpy_side(session: dict, weights: list) -> Side:
    velocities = [np.zeros_like(w) for w in weights]

    def step(x, y):
        nonlocal weights, velocities
        _, gradients = session["lenet_gradients"](x, y, weights)
        moved = session["momentum"](weights, gradients, velocities, ETA, BETA)
        weights, velocities = moved

    return Side(step, lambda: weights)


def keras_model(weights: list):
    import keras

    layers = keras.layers
    keras.config.set_floatx(str(weights[0].dtype))  # of the loss
    keras.config.set_dtype_policy(str(weights[0].dtype))
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(6, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(12, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )
    model.set_weights(weights)
    model.compile(
        keras.optimizers.SGD(ETA, momentum=BETA),
        keras.losses.CategoricalCrossentropy(from_logits=True),
    )
    return model


def keras_sides(weights: list) -> dict[str, Side]:
    import tensorflow as tf

    def stepping(model) -> Callable:
        def step(x, y):
            with tf.GradientTape() as tape:
                loss = model.loss(y, model(x, training=True))
            variables = model.trainable_variables
            model.optimizer.apply(tape.gradient(loss, variables), variables)

        return step

    eager, by_keras, compiled = (keras_model(weights) for _ in range(3))
    compiled.optimizer.build(compiled.trainable_variables)
    return {
        "eager": Side(stepping(eager), eager.get_weights),
        "train_on_batch": Side(by_keras.train_on_batch, by_keras.get_weights),
        "tf.function": Side(tf.function(stepping(compiled)), compiled.get_weights),
    }


def wall(task: Callable) -> float:
    start = time.perf_counter()
    task()
    return 1000 * (time.perf_counter() - start)


def compare(dtype: str, clock: Callable) -> None:
    import tensorflow as tf

    session = namespace(sessions.SNIPPETS / "learning" / "digits.md")
    x, c, x_held, c_held = session["digits"]()
    x, y = x[:EXAMPLES].astype(dtype), np.eye(10, dtype=dtype)[c[:EXAMPLES]]
    weights = [w.astype(dtype) for w in session["lenet_weights"](0)]
    batches = [(x[n : n + BATCH], y[n : n + BATCH]) for n in range(0, len(x), BATCH)]
    tensors = [(tf.constant(x), tf.constant(y)) for x, y in batches]
    given = {"NumPy": batches, "train_on_batch": batches}
    sides = {"NumPy": numpy_side(session, weights), **keras_sides(weights)}
    best = dict.fromkeys(sides, np.inf)
    for turn in range(1 + ROUNDS):  # in the first, TensorFlow compiles
        for name, side in sides.items():

            def epoch(side=side, batches=given.get(name, tensors)):
                for x, y in batches:
                    side.step(x, y)

            spent = clock(epoch) if turn else wall(epoch)
            best[name] = min(best[name], spent) if turn else np.inf
    right = {}
    for name, side in sides.items():
        print(name, max(np.max(np.abs(np.asarray(a) - b)) for a,b in zip(side.weights(), sides["NumPy"].weights())))
    for name, side in sides.items():
        for mine, want in zip(side.weights(), sides["NumPy"].weights(), strict=True):
            assert mine.dtype == want.dtype == dtype
            np.testing.assert_allclose(mine, want, atol=CLOSE[dtype])
        z, _ = session["lenet"](x_held.astype(dtype), side.weights())
        right[name] = int(np.sum(z.argmax(axis=1) == c_held))
        print(f"{dtype} {name:15s} {best[name] / 1000:8.4f} s {right[name]} right")
    assert len({*right.values()}) == 1, right
    ratio = best["NumPy"] / min(best["train_on_batch"], best["tf.function"])
    goal(f"epoch of the digits to compiled Keras, {dtype}", ratio, 1)
    # TODO


def measure() -> None:
    threads = int(os.environ["OMP_NUM_THREADS"])
    use_threads(threads)
    print(f"threads: {threads}; seconds an epoch, best of {ROUNDS}; of 357 held out")
    for dtype in CLOSE:
        compare(dtype, milliseconds if threads == 1 else wall)


def main(_: Path) -> None:
    for threads in THREADS:
        alone("tests.bench.learning", threads)


if __name__ == "__main__":
    measure()
