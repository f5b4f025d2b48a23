"""The LSTM of rnn/lstm in NumPy beside Keras, on the CPU.

Forward and backward through all steps, with the gradients of the input and of all
weights.
"""

from pathlib import Path

import numpy as np

from book import sessions
from book.results import namespace
from tests.bench import SMALLEST
from tests.bench.beside import beside, taped
from tests.bench.convolution import alone, use_threads

# Examples, steps, inputs, units.
SIZES = (2, 3, 4, 5) if SMALLEST else (32, 64, 64, 128)


def sides(dtype: str) -> tuple[dict, dict]:
    """Each gives h, ∂ℓ/∂x, ∂ℓ/∂W, ∂ℓ/∂U and ∂ℓ/∂b."""
    import keras

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

    def numpy():
        kept = forward(x, start, start, W, U, b)
        dx, _, _, *weights = backward(x, start, start, kept, dh, W, U)
        return kept[0], dx, *weights

    return {"NumPy": numpy}, taped(layer, (x,), layer.trainable_weights, dh)


def measure() -> None:
    use_threads()
    beside(f"LSTM, examples, steps, inputs, units {SIZES}", sides, 1.5)


def main(_: Path) -> None:
    alone("tests.bench.lstm")


if __name__ == "__main__":
    measure()
