"""The reader's checker names the mistake that was made, and no other."""

import ast
import re
from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from book import checker, sessions
from book.pages import LANGUAGES

SEEDS = st.integers(0, 2**32 - 1)
LENGTHS = st.integers(3, 6)
SHAPES = st.lists(st.integers(2, 6), min_size=1, max_size=4).map(tuple)
NONE = "No likely mistake found"

# Not from the profile: the same cases in every run, and nothing is written.
fixed = settings(max_examples=100, deadline=None, derandomize=True, database=None)


@cache
def namespace() -> dict:
    result = sessions.run(sessions.parse(sessions.ROOT / "snippets" / "check.md"))
    assert result.error is None, result.error
    return result.namespace


def report(mine, reference, **options) -> str:
    return namespace()["check_gradient"](mine, reference, **options)


def likely(mine, reference) -> list[str]:
    """The mistakes that the report names."""
    lines = report(mine, reference).splitlines()
    return [line.removeprefix("likely  ") for line in lines if "likely  " in line]


def random(seed, *shape):
    """Entries that differ from each other and from 0, of any size in common."""
    stream = np.random.default_rng(seed)
    return stream.standard_normal(shape) * 10.0 ** stream.integers(-12, 13)


def noise(seed, array, size=5e-7):
    """Below the tolerance of 1e-6 relative to the largest entry."""
    sign = np.random.default_rng(seed + 1).uniform(-1, 1, array.shape)
    return array + size * np.max(np.abs(array)) * sign


# --- Each mistake is named, also under noise below the tolerance ---------------


@fixed
@given(SEEDS, SHAPES)
def test_equal(seed, shape):
    reference = random(seed, *shape)
    for size in (0, 1e-15, 5e-7):
        text = report(noise(seed, reference, size), reference)
        assert "\nequal " in text
        assert "likely" not in text


@fixed
@given(SEEDS, SHAPES)
def test_an_error_just_above_the_tolerance_is_no_longer_equal(seed, shape):
    reference = random(seed, *shape)
    mine = reference.copy()
    mine.flat[seed % mine.size] += 2e-6 * np.max(np.abs(reference))
    assert "equal" not in report(mine, reference)
    index = [int(i) for i in np.unravel_index(seed % mine.size, shape)]
    assert f" at {index}: " in report(mine, reference)
    assert "equal" in report(mine, reference, rtol=3e-6)


@fixed
@given(SEEDS, LENGTHS, LENGTHS)
def test_flipped(seed, height, width):
    reference = random(seed, height, width)
    mine = noise(seed, np.rot90(reference, 2))
    assert likely(mine, reference) == ["flipped on axes 0 and 1 (rot180)"]
    mine = noise(seed, reference[:, ::-1])
    assert likely(mine, reference) == ["flipped on axis 1"]


@fixed
@given(SEEDS, LENGTHS)
def test_flipped_kernel_and_batch_of_images(seed, length):
    kernel = random(seed, length, length, 2, 3)
    assert likely(kernel[::-1, ::-1], kernel) == ["flipped on axes 0 and 1 (rot180)"]
    images = random(seed, 2, length, length, 1)
    assert likely(images[:, ::-1, ::-1], images) == ["flipped on axes 1 and 2 (rot180)"]


@fixed
@given(SEEDS, LENGTHS)
def test_transposed(seed, length):
    reference = random(seed, length, length)
    mine = noise(seed, reference.T)
    assert likely(mine, reference) == ["transposed, axes 0 and 1"]


@fixed
@given(SEEDS, SHAPES, st.integers(2, 9_999))
def test_off_by_a_factor(seed, shape, n):
    reference = random(seed, *shape)
    for mine, named in [
        (n * reference, f"mine = {n} · reference"),
        (-n * reference, f"mine = -{n} · reference (sign)"),
        (reference / n, f"mine = reference / {n}"),
        (-reference / n, f"mine = reference / -{n} (sign)"),
    ]:
        assert likely(noise(seed, mine), reference) == [named]


@fixed
@given(SEEDS, SHAPES)
def test_sign_and_other_factors(seed, shape):
    reference = random(seed, *shape)
    assert "mine = -1 · reference (sign)" in likely(-reference, reference)
    assert likely(1.37 * reference, reference) == ["mine = 1.37 · reference"]


@fixed
@given(SEEDS, SHAPES, st.data())
def test_shifted(seed, shape, data):
    axis = data.draw(st.integers(0, len(shape) - 1))
    assume(shape[axis] > 3)
    reference = random(seed, *shape)
    for step in (1, -1):
        rolled = np.roll(reference, step, axis)
        zeros, other = rolled.copy(), rolled.copy()
        border = [slice(None)] * len(shape)
        border[axis] = 0 if step > 0 else -1
        zeros[tuple(border)] = 0
        other[tuple(border)] *= 0.3
        for mine in (rolled, zeros, other):
            expected = [f"shifted by {step:+d} on axis {axis}"]
            assert likely(noise(seed, mine, 1e-9), reference) == expected


@fixed
@given(SEEDS, SHAPES, st.data())
def test_leftover_rows_zero(seed, shape, data):
    ends = tuple(data.draw(st.integers(1, length)) for length in shape)
    assume(ends != shape)
    reference = random(seed, *shape)
    mine = np.zeros(shape)
    box = tuple(map(slice, ends))
    mine[box] = reference[box]
    assert f"0 after the first {ends} (leftover rows)" in likely(mine, reference)


@fixed
@given(SEEDS, SHAPES)
def test_derivative_missing(seed, shape):
    mine, z = random(seed, *shape), random(seed + 1, *shape)
    on = z > 0
    assume(1 < on.sum() < on.size)
    named = ["right where reference ≠ 0, wrong elsewhere (σ' missing)"]
    assert likely(mine, mine * on) == named
    assert likely(noise(seed, mine, 1e-7), mine * on) == named


@fixed
@given(SEEDS, st.permutations(range(3)))
def test_any_order_of_the_axes(seed, order):
    reference = random(seed, 3, 3, 3)
    moved = [axis for axis in range(3) if order[axis] != axis]
    told = likely(noise(seed, reference.transpose(order)), reference)
    if len(moved) == 2:
        assert told == [f"transposed, axes {moved[0]} and {moved[1]}"]
    elif moved:
        assert told == [f"transposed, axes in the order {tuple(order)}"]
    reference = random(seed, 2, 3, 4)
    mine = reference.transpose(order)
    if moved:
        told = likely(mine.reshape(2, 3, 4), reference)
        assert told == ["the same numbers, reshape in place of transpose"]
        if moved != [0, 1, 2]:  # otherwise there are two orders to tell apart
            back = tuple(int(axis) for axis in np.argsort(order))
            assert f"reference = mine.transpose{back}" in likely(mine, reference)


@fixed
@given(SEEDS, LENGTHS)
def test_a_quarter_turn_and_numbers_in_another_order(seed, length):
    reference = random(seed, length, length)
    for turns in (1, -1):
        told = likely(np.rot90(reference, turns), reference)
        assert told == ["a quarter turn on axes 0 and 1 (rot90)"]
    mine = np.random.default_rng(seed).permutation(reference.ravel())
    assume(not np.array_equal(mine, reference.ravel()))
    mine = mine.reshape(reference.shape)
    mixed = "the same numbers in another order"
    assert likely(mine, reference) == [mixed] or mixed not in likely(mine, reference)
    assert likely(mine, reference)
    mine.flat[0] *= 1.5
    assert mixed not in likely(mine, reference)


@fixed
@given(SEEDS, LENGTHS)
def test_factors_of_an_axis_and_of_entries(seed, length):
    reference = random(seed, 3, length, 4)
    told = likely(noise(seed, reference * [1, 0.5, -2, 3.7], 1e-8), reference)
    assert told == ["a factor for each index of axis 2: 1, 0.5, -2, 3.7"]
    border, reference = np.array([2, 3, 3, 3, 3, 2]) / 3, random(seed, 6, 6)
    told = likely(reference * np.outer(border, border), reference)
    assert told == ["a factor for each entry: 0.4444, 0.6667, 1 (windows, border)"]
    gate = np.arange(36).reshape(6, 6) % 5 > 1  # of no row or column alone
    (told,) = likely(reference * gate, reference)
    on = np.abs(reference) > 1e-3 * np.max(np.abs(reference))
    counted = f"0 at {np.sum(on & ~gate)} of {np.sum(on)} entries"
    assert told.startswith(f"{counted} where reference ≠ 0, else right (")


@fixed
@given(SEEDS, SHAPES, st.integers(2, 250))
def test_a_factor_under_noise(seed, shape, n):
    reference = random(seed, *shape)
    assume(np.sum(np.abs(reference) > 1e-2 * np.max(np.abs(reference))) > 3)
    mine = noise(seed, reference / n, 4e-4)
    assume("likely" not in report(mine, reference))  # one entry is all that differs
    assert f"nearly  mine = reference / {n}, to 3 digits" in report(mine, reference)
    same = report(noise(seed, reference, 4e-4), reference)
    assert "nearly  mine = reference, to 3 digits" in same
    assert same.endswith(NONE)


def test_few_entries_and_where_they_lie():
    z = np.array([0.7, 0.0, -1.2, 2.0, 0.0, 1.5])
    right, mine = (z > 0) + 0.5 * (z == 0), 1.0 * (z > 0)
    assert "beware  2 of 6 entries differ: a tie, a kink?" in report(mine, right)
    assert "z = 0: a kink" in report(mine, right, z=z)
    assert "a kink?" in report(mine, right, z=z + np.arange(1, 7))
    ties = np.array([1.0, 3.0, 2.0, 4.0, 3.0, 5.0])
    assert "x is equal there: a tie" in report(mine, right, x=ties)
    assert "a tie, a kink?" in report(mine, right, x=np.arange(1.0, 7))


# --- What the two sides hold ------------------------------------------------------


@fixed
@given(SEEDS, SHAPES)
def test_float32_is_judged_by_half_of_its_digits(seed, shape):
    reference = random(seed, *shape)
    single = noise(seed, reference, 1e-5).astype(np.float32)
    assume(np.max(np.abs(single - reference)) > 2e-6 * np.max(np.abs(reference)))
    for one, other in [
        (reference, single),
        (single, reference),
        (single.astype(np.float64), reference),
    ]:
        text = report(one, other)
        assert "\nequal   within 0.000345 ·" in text
        assert "holds float32" in text
        assert "equal" not in report(one, other, rtol=1e-7)
        assert "equal" not in report(1.001 * one, other)
    exact = noise(seed, reference, 1e-5)
    assert "equal" not in report(exact, reference)
    assert "float32" not in report(exact, reference)


def test_a_reference_is_no_better_than_its_own_error():
    right, reference = np.array([0.3, -0.7]), np.array([0.3, -0.7001])
    assert "equal" not in report(right, reference)
    for error in (2e-4, np.array([0.0, 2e-4])):
        text = report(right, reference, error=error)
        assert "\nequal " in text
        assert "the reference itself may be wrong by 0.0002" in text
        assert "equal" not in report(2 * right, reference, error=error)
    assert "equal" not in report(right, reference, error=0.5e-4)


# --- Shapes ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mine", "reference", "words"),
    [
        ((8, 7), (9, 9), "likely  too short by (1, 2) at the end (leftover rows)"),
        ((4, 4), (3, 3), "likely  too long by (1, 1) (leftover rows, dilation)"),
        ((5, 3, 3), (3, 3), "likely  not summed over the (5,) in front (batch)"),
        ((2, 3), (), "likely  not summed over the (2, 3) in front (batch)"),
        ((2, 3), (3, 2), "likely  transposed: the same axes in another order"),
        ((2, 5, 3), (3, 2, 5), "likely  transposed: the same axes in another order"),
        ((3,), (3, 1), "likely  only axes of length 1 differ: reshape"),
        ((3,), (4, 3), "likely  an axis is missing"),
    ],
)
def test_shape(mine, reference, words):
    lines = report(np.ones(mine), np.ones(reference)).splitlines()
    assert lines[0] == f"shape   {mine} instead of {reference}"
    assert lines[1] == words
    try:
        wide = np.broadcast_shapes(mine, reference)
    except ValueError:
        assert lines[2:] == []
    else:
        assert lines[2:] == [f"beware  mine - reference broadcasts to {wide}"]


def test_a_shape_that_nothing_explains():
    assert report(np.ones((2, 7)), np.ones((5, 3))).endswith(NONE)


def test_equal_values_do_not_excuse_another_shape():
    assert "equal" not in report(np.ones((3, 1)), np.ones(3))


# --- False alarms ---------------------------------------------------------------


@fixed
@given(SEEDS, SHAPES)
def test_unrelated_arrays_have_no_likely_mistake(seed, shape):
    assert report(random(seed, *shape), random(seed + 1, *shape)).endswith(NONE)


@fixed
@given(SEEDS)
def test_one_number_is_no_evidence_of_a_factor(seed):
    for shape in [(), (1,), (1, 1)]:
        assert report(random(seed, *shape), random(seed + 1, *shape)).endswith(NONE)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("n", [2, 3, 9_999, 1 / 2, 1 / 9_999, 10_000, 1 / 10_000, 1.5])
def test_of_one_number_the_factors_that_the_page_tells_are_named(n, sign):
    named = n not in (10_000, 1 / 10_000, 1.5)
    assert bool(likely([0.7 * n * sign], [0.7])) == named
    assert likely([-0.7], [0.7]) == ["mine = -1 · reference (sign)"]


@fixed
@given(SEEDS, SHAPES)
def test_one_wrong_entry_is_no_mistake_of_the_whole(seed, shape):
    reference = random(seed, *shape)
    assume(reference.size > 3)  # of 2 or 3 entries the others can be a shift
    mine = reference.copy()
    mine.flat[seed % mine.size] *= 1.5
    assert report(mine, reference).endswith(NONE)
    constant = np.full(shape, 0.7)
    mine = constant.copy()
    mine.flat[seed % mine.size] = 0.9
    assert report(mine, constant).endswith(NONE)


@fixed
@given(SEEDS, LENGTHS)
def test_what_a_symmetric_array_hides_is_equal(seed, length):
    square = random(seed, length, length)
    for symmetric, moved in [
        (square + square.T, np.transpose),
        (square + square[::-1, ::-1], lambda a: a[::-1, ::-1]),
        (np.full((length, length), 0.7), lambda a: np.roll(a[::-1].T, 1)),
    ]:
        assert "equal" in report(moved(symmetric), symmetric)
        assert not likely(moved(symmetric), symmetric)


@fixed
@given(SEEDS, LENGTHS)
def test_every_explanation_of_an_ambiguous_error_is_named(seed, length):
    half = random(seed, length, length)
    odd = half - half[::-1, ::-1]  # turned it is -odd
    named = likely(-odd, odd)
    assert named == ["mine = -1 · reference (sign)", "flipped on axes 0 and 1 (rot180)"]


@fixed
@given(SEEDS, LENGTHS)
def test_two_mistakes_at_once_are_not_taken_for_one(seed, length):
    reference = random(seed, length, length)
    assert report(2 * reference[::-1, ::-1], reference).endswith(NONE)
    trace = np.max(np.abs(reference)) * np.eye(length)
    assert report(reference.T + trace, reference).endswith(NONE)


# --- The table of all sentences -------------------------------------------------

TABLE = re.compile(r"(?ms)\{ #sentences \}$.*?^\|[-|]+\n(.*?)\n(?!\|)")


def reporting() -> tuple[str, str]:
    """The code that makes the reports, and all that the page prints."""
    session = sessions.parse(checker.PAGE)
    blocks = [b for name in checker.SECTIONS[:-1] for b in session.of(name)]
    shown = "\n".join(block.shown or "" for block in session.blocks)
    return "\n".join(block.code for block in blocks), shown


def texts(code: str, without: type | tuple = ()) -> set[str]:
    """The texts in the code that are words with a space, but for docstrings."""
    tree = ast.parse(code)
    functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))
    left = {ast.get_docstring(node, clean=False) for node in functions}
    for node in ast.walk(tree):
        if isinstance(node, without):
            left |= {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)}
    found = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)} - left
    words = {text for text in found if isinstance(text, str) and " " in text}
    return {text for text in words - UNSAID if re.search("[a-z]", text)}


# Words of which no sentence is made, and a number's.
UNSAID = {
    " · reference",
    "reference / ",
}


def parts(sentences) -> set[str]:
    """What is the same in every report."""
    found = (part for text in sentences for part in re.split(r"\{[^{}]*\}", text))
    return {part.strip() for part in found if len(part.strip()) > 2}


def rows(text: str) -> list[list[str]]:
    """The cells of the table."""
    lines = TABLE.search(text)[1].splitlines()
    # The first may hold the sign that divides cells, in max|reference|.
    return [re.fullmatch(r"\| `([^`]+)` \| (.+?) \|", line).groups() for line in lines]


def unexplained(code: str, shown: str, text: str) -> list[str]:
    """Sentences that a page's table lacks, and those that no report on it has."""
    told = [sentence for sentence, _ in rows(text)]
    lacking = {p for p in parts(texts(code)) if not any(p in row for row in told)}
    return [*sorted(lacking), *(sentence for sentence in told if sentence not in shown)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_explains_every_sentence_of_a_report(language):
    text = (sessions.ROOT / "docs" / language / "check.md").read_text("utf-8")
    code, shown = reporting()
    assert not unexplained(code, shown, text)
    before, table = text[: TABLE.search(text).start(1)], TABLE.search(text)[1]
    for part in parts(texts(code)):
        assert part in unexplained(
            code, shown, before + table.replace(part, "#") + "\n\n"
        )
    assert unexplained(code.replace("an axis is missing", "an axis more"), shown, text)


def untranslated(code: str, chinese: dict[str, str], text: str) -> list[str]:
    """Sentences without Chinese, Chinese for none, and what the Chinese table lacks."""
    shown = "\n".join(told for _, told in rows(text))
    lacking = [part for part in parts(chinese.values()) if part not in shown]
    # What is raised is in English.
    return [*sorted(texts(code, ast.Raise) ^ chinese.keys()), *lacking]


def test_every_sentence_is_said_in_chinese_and_stands_in_the_chinese_table():
    text = (sessions.ROOT / "docs" / "zh" / "check.md").read_text("utf-8")
    text = text.replace("\u3000", "  ").replace("\\|", "|")  # as they are printed
    code, chinese = reporting()[0], namespace()["CHINESE"]
    assert not untranslated(code, chinese, text)
    for sentence, words in chinese.items():
        fewer = {key: value for key, value in chinese.items() if key != sentence}
        assert untranslated(code, fewer, text) == [sentence]
        for part in parts([words]):
            assert part in untranslated(code, chinese, text.replace(part, "#"))
    assert untranslated(code, chinese | {"an axis more": "多了一个轴"}, text)


# --- Input of every kind ---------------------------------------------------------


def test_zeros():
    zero = np.zeros((2, 2))
    assert "\nequal " in report(zero, zero)
    assert "\nbeware  the reference is 0 everywhere" in report(zero, zero)
    text = report(np.full((2, 2), 1e-30), zero)
    assert "equal" not in text
    assert "\nbeware  the reference is 0 everywhere" in text


NOTHING_YET = "beware  mine is 0 everywhere: nothing to compare yet"


@fixed
@given(SEEDS, SHAPES, SHAPES)
def test_an_answer_that_is_still_zeros_is_given_nothing_away(seed, shape, other):
    """Neither a number of the reference nor its shape."""
    assert report(np.zeros(shape), random(seed, *other)) == NOTHING_YET
    one = np.zeros(shape)
    one.flat[0] = 1
    assert NOTHING_YET not in report(one, random(seed, *other))


def test_not_finite():
    for bad in (np.nan, np.inf, -np.inf):
        text = report([[0.1, bad]], [[0.1, bad]])
        assert f"mine is not finite, first {bad} at [0, 1]" in text
        assert f"reference is not finite, first {bad} at [0, 1]" in text
        assert "equal" not in text
        assert "likely" not in text


def test_scalars_lists_and_empty_arrays():
    assert report(2.0, 2.0) == (
        "shape   ()\nerror   0 up to rounding\nequal   within 1e-06 · max|reference|"
    )
    assert likely(-2, 2.0) == ["mine = -1 · reference (sign)"]
    assert "equal" in report([[1, 2.0]], np.array([[1.0, 2.0]]))
    for shape in [(0,), (3, 0)]:
        assert report(np.zeros(shape), np.zeros(shape)) == (
            f"shape   {shape}\nbeware  empty: nothing was compared"
        )


def test_the_same_is_printed_on_every_machine():
    """The size of a rounding error is not, nor which of two equal errors is larger."""
    reference = np.array([[1.5, -2.25], [0.75, 3.0]])
    noise = np.array([[2e-16, 0.0], [0.0, -4e-16]])
    assert report(reference + noise, reference) == report(reference, reference)
    assert "error   4e-11 at [1, 1]" in report(reference + 1e5 * noise, reference)
    assert "up to rounding" not in report(reference + noise, reference, rtol=0)
    for scale in (1, 1 + 1e-15, 1 - 1e-15):
        turned = scale * reference.T
        turned[0, 1] = 0.75
        assert "error   3 at [0, 1]" in report(turned, reference)


def test_other_types_of_numbers():
    reference = np.array([1.5, -2.25, 0.75])
    for dtype in (np.float16, np.float32, np.longdouble):
        assert "equal" in report(reference.astype(dtype), reference)
    beware = "beware  mine holds integers: fractions are cut off"
    assert report(reference.astype(int), reference).endswith(beware)
    assert "beware" not in report(np.array([1, 2]), np.array([1.0, 2.0]))
    unsigned = np.array([1, 2], dtype=np.uint8)  # mine - reference must not wrap
    assert likely(unsigned, -unsigned.astype(int)) == ["mine = -1 · reference (sign)"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1e200, 1e308])
def test_very_small_and_very_large_numbers(scale):
    reference = scale * np.array([1.0, -0.5, 0.25, 0.125])
    assert "equal" in report(reference, reference)
    assert likely(-reference, reference) == ["mine = -1 · reference (sign)"]
    assert likely(reference[::-1], reference) == ["flipped on axis 0"]
    assert report(np.array([1e308, 0, 0, -1e308]), reference).endswith(NONE)


@pytest.mark.parametrize(
    ("mine", "kind", "words"),
    [
        (None, TypeError, "mine is None: did the tape watch it?"),
        ("0.5", TypeError, "mine has dtype <U3, not real numbers"),
        ([0.5, None], TypeError, "mine has dtype object, not real numbers"),
        ([True, False], TypeError, "mine has dtype bool, not real numbers"),
        ([1j], TypeError, "mine has dtype complex128, not real numbers"),
        ([[1.0], [2.0, 3.0]], ValueError, "mine is not one array: "),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(mine, kind, words):
    with pytest.raises(kind) as caught:
        report(mine, [1.0, 2.0])
    assert str(caught.value).startswith(words)
    with pytest.raises(kind) as caught:
        report([1.0, 2.0], mine)
    assert str(caught.value).startswith(words.replace("mine", "reference"))


@pytest.mark.parametrize("rtol", [-1e-6, 1.0, np.nan, None, "1e-6"])
def test_a_tolerance_that_means_nothing_is_refused(rtol):
    with pytest.raises(ValueError, match="rtol"):
        report([1.0], [1.0], rtol=rtol)


def test_the_arguments_are_left_as_they_are():
    mine, reference = random(1, 3, 3), random(2, 3, 3)
    before = mine.copy(), reference.copy()
    report(mine, reference)
    np.testing.assert_array_equal(mine, before[0])
    np.testing.assert_array_equal(reference, before[1])
