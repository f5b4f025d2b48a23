"""What each main equation must hold on cases drawn at random, by two oracles.

A check draws a case, calls the function and compares shape and type first (broadcasting
hides a missing axis), then the values with TensorFlow and with something that shares no
line with it: for a gradient the central difference of the loss, for a forward result
its definition, both in NumPy. It stands in the .py of the page that has the label:

    @check("dense-bias")
    def dense_bias(function, draw):
        ...
        return gradient(function, {"delta": delta}, b, delta, by_tf, by_numpy, rng)

Shapes are drawn one by one, so that Hypothesis makes them as small as it can; the
values come from one seed. They are of order 1 and never 0 where 0 would hide a mistake,
and δ is random: with ones a flipped ∂ℓ/∂W passes.
"""

import re
from collections.abc import Callable
from functools import partial
from importlib import import_module

import numpy as np

from book.parts import listed, part

# Of the largest entry. The sums have some dozen terms of order 1, and both sides round
# each by 1e-16: 1e-14 together, 1e-13 where the result is as small as SCALE. A wrong
# term is of order 1e-2 or more.
EXACT = 1e-10
# A step of H leaves an error of H²/6 · ℓ''' ≈ 1e-11 (softmax; the other losses are
# linear along the step) and one of 1e-16 · |ℓ| / H ≈ 1e-10 from rounding: together
# below SLOPE · SCALE, so that no right result fails where the slope itself is tiny.
SLOPE = 1e-6
H = 1e-5
# Where the right result is 0 or nearly (softmax of one class, every ReLU dead) its
# largest entry is no scale. Results that are not are larger than this.
SCALE = 1e-3

# (function, draw) -> the largest relative error
Check = Callable[[Callable, Callable], float]

check = partial(part, "check")


def checks() -> dict[str, Check]:
    """Those of all pages, by label."""
    return {label: found.function for label, found in listed("check").items()}


class Later:
    """A module that is imported when something of it is first used: the figures beside
    the checks are drawn without TensorFlow."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, attribute: str):
        return getattr(import_module(self._name), attribute)


tf, st = Later("tensorflow"), Later("hypothesis.strategies")


# --- What is drawn -----------------------------------------------------------


def generator(draw) -> np.random.Generator:
    """Drawn last: a failure is first made small in its shapes."""
    return np.random.default_rng(draw(st.integers(0, 2**16 - 1)))


def size(draw, most: int) -> int:
    return draw(st.integers(1, most))


def sizes(draw, most: int) -> tuple[int, int]:
    """Of a kernel or an image, not always square."""
    return size(draw, most), size(draw, most)


def values(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Of both signs, 0.1 to 2 in size."""
    return rng.uniform(0.1, 2, shape) * rng.choice([-1.0, 1.0], shape)


def before_relu(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Some entries are 0, the kink; the others lie far from it."""
    return values(rng, shape) * (rng.random(shape) > 0.15)


def relu(z):
    return np.where(z > 0, z, 0)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# --- The comparison ----------------------------------------------------------


def call(function: Callable, case: dict):
    """The function's result; it must leave its arguments as they were."""
    for value in case.values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    with np.errstate(all="ignore"):
        return function(*case.values())


def report(case: dict, what: str) -> AssertionError:
    """What is wrong, and the case in which it is."""
    lines = [what]
    for name, value in case.items():
        for one in value if isinstance(value, list) else [value]:  # of any shapes
            shape = f" {np.shape(one)}" if np.ndim(one) else ""
            lines.append(f"{name}{shape} = {np.array2string(np.asarray(one))}")
    return AssertionError("\n".join(lines))


def compare(case: dict, mine, want, oracle: str) -> float:
    """The largest error relative to the largest entry; raises where it is too large."""
    want = np.asarray(want)
    if np.shape(mine) != want.shape:
        raise report(case, f"shape {np.shape(mine)}, {oracle} has {want.shape}")
    if np.asarray(mine).dtype != want.dtype:
        raise report(case, f"type {np.asarray(mine).dtype}, {oracle} has {want.dtype}")
    scale = max(np.max(np.abs(want)), SCALE)
    error = np.max(np.abs(mine - want)) / scale
    if not error <= EXACT:  # nan is no number below it
        raise report(case, f"off by {error:.1e}: {mine}\n{oracle} has {want}")
    return float(error)


def gradient(
    function: Callable,
    case: dict,
    variable: np.ndarray,
    upstream: np.ndarray,
    tf_forward: Callable,
    forward: Callable,
    rng: np.random.Generator,
    fixed: np.ndarray | bool = False,
) -> float:
    """Compare function(case) with the gradient of ℓ = Σ upstream · forward(variable).

    The direction of the difference is 0 where `fixed`: at kinks there is no slope, and
    only TensorFlow says what the value is.
    """
    mine = call(function, case)
    tensor = tf.constant(variable)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        output = tf_forward(tensor)
    want = tape.gradient(output, tensor, output_gradients=tf.constant(upstream))
    error = compare(case, mine, want.numpy(), "TensorFlow")

    direction = np.where(fixed, 0.0, values(rng, variable.shape))
    step = H * direction
    change = forward(variable + step) - forward(variable - step)
    slope = np.sum(upstream * change) / (2 * H)
    terms = mine * direction
    scale = max(np.sum(np.abs(terms)), SCALE)
    if not abs(np.sum(terms) - slope) <= SLOPE * scale:
        what = f"slope {np.sum(terms)}, by central difference {slope}: {mine}"
        raise report(case, f"{what}\nalong {direction}")
    return error


# --- However the arguments come ----------------------------------------------


def in_any_form(function: Callable, rng: np.random.Generator) -> Callable:
    """The function, which in each call is asked once more, its arguments in some other
    form: then it gives the same, or refuses what is empty and says which it is."""

    def asked(*given):
        mine = function(*given)
        rng.choice(FORMS)(function, given, mine)
        return mine

    return asked


def expect_same(function: Callable, given, mine, most: float = EXACT) -> None:
    """Of the same types, too, where nothing is to be lost."""
    again = function(*given)
    case = {str(n): value for n, value in enumerate(given)}
    for found, want in zip(results_of(again), results_of(mine), strict=True):
        if found.shape != want.shape or (most == EXACT and found.dtype != want.dtype):
            shapes = f"{found.dtype} {found.shape}, {want.dtype} {want.shape}"
            raise report(case, f"in another form, and before: {shapes}")
        scale = max(np.max(np.abs(np.nan_to_num(want))), 1)
        close = np.isclose(found, want, rtol=0, atol=most * scale, equal_nan=True)
        if not close.all():
            raise report(case, f"in another form {found}\nbefore {want}")


def results_of(mine) -> list[np.ndarray]:
    return [np.asarray(a) for a in (mine if isinstance(mine, tuple) else (mine,))]


def arrays(change: Callable, given) -> list:
    return [change(v) if isinstance(v, np.ndarray) else v for v in given]


def as_lists(function, given, mine):
    """Pairs, too."""
    lists = [list(v) if isinstance(v, tuple) else v for v in given]
    expect_same(function, arrays(np.ndarray.tolist, lists), mine)


def as_views(function, given, mine):
    """Every other entry of what is in Fortran's order, and read-only."""

    def view(a):
        a = np.asfortranarray(a.repeat(2, axis=-1))[..., ::2]
        a.flags.writeable = False
        return a

    expect_same(function, arrays(view, given), mine)


def with_small_ints(function, given, mine):
    """NumPy's, of 8 bits: the products of sizes are larger."""

    def narrow(v):
        if isinstance(v, tuple):
            return tuple(map(narrow, v))
        return np.uint8(v) if type(v) is int else v

    expect_same(function, [narrow(v) for v in given], mine)


def in_float32(function, given, mine):
    found = function(*arrays(lambda a: a.astype(np.float32), given))
    for array in results_of(found):
        if array.dtype != np.float32:
            raise report({}, f"of float32 it made {array.dtype}")
    expect_same(lambda *_: found, given, mine, 1e-3)


def of_whole_numbers(function, given, mine):
    """Of 8 bits; in these the products would wrap."""

    def whole(a):
        return np.clip(np.rint(10 * a), -100, 100)

    numbers = arrays(whole, given)
    eight_bits = arrays(lambda a: a.astype(np.int8), numbers)
    expect_same(function, eight_bits, function(*numbers))


def refuses(function, given, kind: str, change: Callable, of=np.ndarray) -> None:
    """Each array in turn, or what else is `of`, is changed, and the error names it."""
    for at, value in enumerate(given):
        if isinstance(value, of):
            try:
                function(*given[:at], change(value), *given[at + 1 :])
            except Exception as error:  # of whatever kind: it should be a ValueError
                told = re.match(r"[A-Za-z]\w*: expected .+, got ", str(error))
                if told and isinstance(error, ValueError):
                    continue
                raise report({}, f"names no argument: {error}") from None
            raise report({kind: at}, f"takes {kind}")


def of_nothing(function, given, mine=None):
    """One of the arrays without entries, at first those of no example; or none."""
    refuses(function, given, "an empty array", lambda a: a[:0])
    refuses(function, given, "lists of different lengths", lambda a: [[0.5], [1.0] * 2])
    refuses(function, given, "a number", lambda a: 0.5)


def of_huge_numbers(function, given, mine):
    """No array has as many entries, and no float is as large."""
    refuses(function, given, "10**20", lambda _: 10**20, of=int | tuple | list)
    refuses(function, given, "10**400", lambda a: [0.5, 10**400])


FORMS = [
    as_lists,
    as_views,
    with_small_ints,
    in_float32,
    of_whole_numbers,
    of_nothing,
    of_huge_numbers,
]


def not_finite(case: dict, mine, want) -> None:
    """Infinities and nan are where the definition has them, and nowhere else."""
    far = ~np.isfinite(want)
    with np.errstate(invalid="ignore"):
        compare(case, np.where(far, 0, mine), np.where(far, 0, want), "the definition")
    if not np.array_equal(np.asarray(mine)[far], want[far], equal_nan=True):
        raise report(case, f"off by nan: {mine}\nthe definition has {want}")


# --- For functions that should not pass --------------------------------------


def rejection(check: Check, function: Callable, cases: int) -> Exception | None:
    """What the check has against a function, None where it passes all the cases."""
    try:
        repeat(lambda draw: check(function, draw), cases)
    except Exception as error:
        return error
    return None


def repeat(run: Callable, cases: int) -> None:
    """Run with what draws each of the cases, whatever Hypothesis' profile is."""
    from hypothesis import HealthCheck, Phase, given, settings

    @settings(
        max_examples=cases,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def each(data):
        run(data.draw)

    each()
