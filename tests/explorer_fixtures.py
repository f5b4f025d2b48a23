"""What TensorFlow makes of many small convolutions and pools, as JSON.

python -m tests.explorer_fixtures FILE    writes it; tests/explorer.test.mjs reads it

All entries are integers, so that the explorer's arithmetic can be asked for exactly the
same numbers.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

CONVOLUTIONS, POOLS = 180, 40
Array = np.ndarray


def integers(random: np.random.Generator, *shape: int, step: int = 1) -> Array:
    return step * random.integers(-9, 10, shape).astype(float)


def spread(kernel: tf.Tensor, dilation: int) -> tf.Tensor:
    """The kernel with dilation - 1 zeros between neighbours, by matrices.

    TensorFlow on the CPU has no gradient of a dilated convolution in float64.
    """
    rows, columns = (
        np.eye(dilation * (length - 1) + 1)[:, ::dilation] for length in kernel.shape
    )
    return rows @ kernel @ columns.T


def convolution(random: np.random.Generator, mode: str) -> dict | None:
    """None where the kernel drawn does not fit into the input drawn."""
    x = integers(random, *random.integers(1, 10, 2))
    W = integers(random, *random.integers(1, 5, 2))
    stride, dilation = (int(n) for n in random.integers(1, (5, 4)))
    explicit = random.integers(0, 4, (2, 2))
    padding = mode if mode != "EXPLICIT" else [[0, 0], *explicit.tolist(), [0, 0]]
    outer = np.add(x.shape, explicit.sum(axis=1) if mode == "EXPLICIT" else 0)
    span = dilation * (np.array(W.shape) - 1) + 1
    if mode != "SAME" and (outer < span).any():
        return None
    b = float(random.integers(-9, 10))
    with tf.GradientTape() as tape:
        tx, tW, tb = (tf.constant(array, tf.float64) for array in (x, W, b))
        tape.watch([tx, tW, tb])
        image, kernel = tx[None, :, :, None], spread(tW, dilation)[..., None, None]
        z = tf.nn.conv2d(image, kernel, stride, padding)[0, :, :, 0] + tb
        delta = integers(random, *z.shape)
        loss = tf.reduce_sum(delta * z)
    dx, dW, db = tape.gradient(loss, [tx, tW, tb])
    return {
        **{"mode": mode, "explicit": explicit.ravel().tolist(), "stride": stride},
        **{"dilation": dilation, "x": x, "W": W, "b": b, "delta": delta},
        **{"z": z.numpy(), "dx": dx.numpy(), "dW": dW.numpy(), "db": float(db)},
    }


def pool(random: np.random.Generator, kind: str, mode: str) -> dict | None:
    # Few values: ties are common. Multiples of 3600: every mean is a whole number.
    x = 3600 * random.integers(-1, 3, random.integers(1, 9, 2)).astype(float)
    size, stride = (int(n) for n in random.integers(1, 4, 2))
    if mode == "VALID" and min(x.shape) < size:
        return None
    with tf.GradientTape() as tape:
        tx = tf.constant(x)
        tape.watch(tx)
        image = tx[None, :, :, None]
        pooling = tf.nn.max_pool2d if kind == "MAX" else tf.nn.avg_pool2d
        z = pooling(image, size, stride, mode)[0, :, :, 0]
        delta = integers(random, *z.shape, step=3600)
        loss = tf.reduce_sum(delta * z)
    dx = tape.gradient(loss, tx)
    return {
        **{"kind": kind, "mode": mode, "size": size, "stride": stride, "x": x},
        **{"delta": delta, "z": z.numpy(), "dx": dx.numpy()},
    }


def until(number: int, draw) -> Iterator[dict]:
    while number:
        if case := draw(number):
            yield case
            number -= 1


def fixtures() -> dict[str, list[dict]]:
    random = np.random.default_rng(6)
    modes, kinds = ["VALID", "SAME", "EXPLICIT"], ["MAX", "AVG"]
    return {
        "convolutions": [
            *until(CONVOLUTIONS, lambda n: convolution(random, modes[n % 3]))
        ],
        "pools": [
            *until(POOLS, lambda n: pool(random, kinds[n % 2], modes[n // 2 % 2]))
        ],
    }


def main(file: str) -> None:
    text = json.dumps(fixtures(), default=np.ndarray.tolist)
    Path(file).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
