"""Checks of docs/*/softmax.md."""

import numpy as np

from book.checks import call, check, compare, generator, gradient, size, st, tf, values

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "epsilon": {
        "200": "= big.max() - big.min()",
    },
}


def classes(draw) -> tuple[int, ...]:
    """(..., C): none, one or two axes before the classes."""
    return (*draw(st.lists(st.integers(1, 3), max_size=2)), size(draw, 5))


def softmax(z):
    e = np.exp(z)
    return e / np.sum(e, axis=-1, keepdims=True)


@check("softmax-jacobian")
def softmax_jacobian(function, draw):
    n = size(draw, 6)
    rng = generator(draw)
    z = values(rng, (n,))
    rows = np.tile(z, (n, 1))  # a_i of the i-th copy: its gradient is row i
    return gradient(
        function,
        {"a": softmax(z)},
        rows,
        np.eye(n),
        tf.nn.softmax,
        softmax,
        rng,
    )


@check("softmax-vjp")
def softmax_vjp(function, draw):
    shape = classes(draw)
    rng = generator(draw)
    z, g = values(rng, shape), values(rng, shape)
    return gradient(
        function,
        {"g": g, "a": softmax(z)},
        z,
        g,
        tf.nn.softmax,
        softmax,
        rng,
    )


@check("softmax-cross-entropy")
def softmax_cross_entropy(function, draw):
    shape = classes(draw)
    rng = generator(draw)
    z, y = values(rng, shape), np.abs(values(rng, shape))  # Σ y is not 1
    return gradient(
        function,
        {"a": softmax(z), "y": y},
        z,
        -y,
        lambda z: tf.math.log(tf.nn.softmax(z)),
        lambda z: np.log(softmax(z)),
        rng,
    )


@check("log-sum-exp")
def log_sum_exp(function, draw):
    shape = classes(draw)
    one_by_one = draw(st.booleans())
    rng = generator(draw)
    # exp(1000) is inf and exp(-1000) is 0. Whole rows far off have results of order 1;
    # entries far from each other have an a_i that is 0 in float64, its log is not.
    far = rng.choice([-1000.0, 0.0, 1000.0], shape if one_by_one else (*shape[:-1], 1))
    z = values(rng, shape) + far
    case = {"z": z}
    mine = call(function, case)
    log_sum = np.logaddexp.reduce(z, axis=-1, keepdims=True)
    return max(
        compare(case, mine, tf.nn.log_softmax(z), "TensorFlow"),
        compare(case, mine, z - log_sum, "the definition"),
    )
