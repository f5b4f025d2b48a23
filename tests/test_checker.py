"""check_gradient.py: right gradients pass, and what a page warns of is named by it."""

import re
import subprocess
import sys

import numpy as np
import pytest

from book import Mistake, checker, pages, results
from book.checks import checks, results_of
from book.pages import ROOT
from tests.drawn import cases, known, module, wrong_arrays

CASES = 6  # of each main result
NAMED = re.compile(r"likely  (.+) \(([\w/]+)/#([\w-]+)\)")


def check_gradient(*arguments, **options) -> str:
    return module().check_gradient(*arguments, **options)


def named(mine, reference, **options) -> list[str]:
    """The mistakes of the book that a report names."""
    return [m for m, *_ in NAMED.findall(check_gradient(mine, reference, **options))]


# --- The file ---------------------------------------------------------------------


@pytest.mark.book
def test_the_file_needs_numpy_alone(tmp_path):
    (tmp_path / "check_gradient.py").write_text(checker.source(), "utf-8")
    code = "import check_gradient as c, sys; assert len(c.BOOK) > 40; "
    code += "assert not {'tensorflow', 'book', 'pytest'} & {*sys.modules}; "
    code += "print(c.check_gradient([2.0, 4.0], [1.0, 2.0]))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.endswith("likely  mine = 2 · reference\n"), done.stderr


@pytest.mark.book
def test_pip_installs_the_same_file(tmp_path):
    """What pip asks for where it makes the package; the file is its only module."""
    folder = ROOT / "tools" / "check_gradient"
    command = [sys.executable, "setup.py", "--quiet", "build", "-b", tmp_path]
    subprocess.run(command, cwd=folder, check=True)
    (made,) = tmp_path.rglob("*.py")
    assert made.name == "check_gradient.py"
    assert made.read_text("utf-8") == checker.source()


@pytest.mark.book
def test_every_wrong_variant_is_known_but_those_of_tensorflow():
    missing = {
        name
        for result in results.results().values()
        for name, mistake in result.wrong.items()
        if mistake not in known()[result.label].wrong
    }
    assert missing == {"conv_forward_same"}


@pytest.mark.book
def test_each_mistake_leads_to_a_section_that_is_there():
    for _, wrong in module().BOOK:
        for function, mistake, where in wrong:
            for language, prefix in [("en", ""), ("zh", "zh/")]:
                name, anchor = where[language].removeprefix(prefix).split("/#")
                page = pages.page(language, f"{name}.md")
                assert anchor in page.bounds, function
                assert mistake[language], function
            assert not re.search(r"[$`{}\\]|\(#", mistake["zh"]), mistake["zh"]


def test_what_is_said_of_a_variant_in_chinese():
    text = "- **形状对。**卷积核没有旋转（`turned`），或者 $\\delta$ 没有[膨胀](#x)"
    text += "（`wide`，第二行）；如果差 $-b$，就是漏了偏置（`none`）。"
    assert checker.clauses(text, "turned") == ["卷积核没有旋转"]
    assert checker.clauses(text, "wide") == ["δ 没有膨胀"]
    assert checker.clauses(text, "none") == ["漏了偏置"]
    assert checker.clauses(text, "other") == []


def test_a_variant_of_which_the_chinese_page_says_nothing_is_an_error(monkeypatch):
    monkeypatch.setattr(checker, "clauses", lambda text, name: [])
    with pytest.raises(Mistake, match="nothing ends with the name of"):
        checker.source()


# --- False alarms -----------------------------------------------------------------


def alarms(label: str, right) -> list[str]:
    """Reports on what `right` gives that do not say equal, or that name a mistake."""
    found = []
    for given, outputs in cases(label, CASES):
        single = {
            n: v.astype(np.float32) if getattr(v, "dtype", None) == "float64" else v
            for n, v in given.items()
        }
        for values in (given, single):
            for mine, reference in zip(
                results_of(right(**values)), outputs, strict=True
            ):
                if not (mine.any() and np.all(np.isfinite(reference))):
                    continue  # nothing to compare
                if values is single and np.max(np.abs(reference)) < 1e-6:
                    continue  # all cancels, up to what float32 rounds
                for more in ({}, values):
                    report = check_gradient(mine, reference, **more)
                    if "\nequal " not in report or "likely" in report:
                        found.append(report)
    return found


@pytest.mark.parametrize("label", known())
def test_a_right_result_is_never_refused_and_never_named(label):
    if not cases(label, 1):
        pytest.skip("takes lists of arrays, which check_gradient does not")
    assert not alarms(label, known()[label].right)


def test_a_wrong_one_is_refused_in_float32_too():
    wrong = known()["dense-weights"].wrong["the product transposed"]
    assert len(alarms("dense-weights", wrong)) > CASES


@pytest.mark.parametrize("c", [-1, -1 + 1e-15, -1 - 1e-15])
def test_a_sign_is_called_so_whatever_its_rounding(c):
    """Another BLAS, another last digit of the factor."""
    t = np.random.default_rng(2).standard_normal((3, 4))
    assert "mine = -1 · reference (sign)" in check_gradient(c * t, t)


# --- The book's wrong functions on a reader's arrays ------------------------------


@pytest.mark.parametrize("label", known())
def test_what_a_wrong_variant_gives_is_named(label):
    if not cases(label, 1):
        pytest.skip("takes lists of arrays, which check_gradient does not")
    for _, mistake, given, mine, reference in wrong_arrays(label, CASES):
        told = check_gradient(mine, reference, **given)
        assert f"likely  {mistake} (" in told, told


def test_nothing_is_named_that_the_book_does_not_know(monkeypatch):
    delta = np.random.default_rng(1).standard_normal((4, 3))
    right = delta.sum(0)
    assert named(delta, right, delta=delta) == ["not summed over the batch"]
    others = [row for row in module().BOOK if row[0] is known()["dense-weights"].right]
    monkeypatch.setattr(module(), "BOOK", others)
    assert named(delta, right, delta=delta) == []


# --- What people meet -------------------------------------------------------------

rng = np.random.default_rng(5)


def layer(stride=1, groups=1):
    """x, W, δ and the three right gradients of a convolution."""
    x, W = (
        rng.standard_normal((2, 7, 8, 4)),
        rng.standard_normal((3, 2, 4 // groups, 6)),
    )
    page = module().page_convolution_layer
    z = page.conv2d(x, W, np.zeros(6), stride, groups=groups)
    delta = rng.standard_normal(z.shape)
    return x, W, delta, page.conv2d_backward(delta, x, W, stride, groups=groups)


def loop(x, W, delta, at, add=True, turn=1):
    """dx and dW by a loop that puts window i, j at at·i, at·j."""
    dx, dW = np.zeros_like(x), np.zeros_like(W)
    for n, i, j, f in np.ndindex(delta.shape):
        place = n, slice(at * i, at * i + 3), slice(at * j, at * j + 2)
        part = W[::turn, ::turn, :, f] * delta[n, i, j, f]
        dx[place] = dx[place] + part if add else part
        dW[..., f] += x[place] * delta[n, i, j, f]
    return dx, dW


def test_a_loop_without_the_stride():
    x, W, delta, (dx, dW, _) = layer(stride=2)
    for mine, right in zip(loop(x, W, delta, at=1), (dx, dW), strict=True):
        given = dict(x=x, W=W, delta=delta, stride=2)
        assert "windows one place apart: at i, not at S i" in named(
            mine, right, **given
        )
        assert named(mine, right, **given | {"stride": 1}) == []
    for mine, right in zip(loop(x, W, delta, at=2), (dx, dW), strict=True):
        assert "equal" in check_gradient(mine, right, x=x, W=W, delta=delta, stride=2)


def test_a_loop_that_turns_the_kernel():
    x, W, delta, (dx, *_) = layer()
    mine, _ = loop(x, W, delta, at=1, turn=-1)
    assert "the kernel not turned" in named(mine, dx, x=x, W=W, delta=delta)


def test_arrays_without_batch_and_channels():
    x, W = rng.standard_normal((6, 5)), rng.standard_normal((3, 2))
    windows = np.lib.stride_tricks.sliding_window_view
    delta = rng.standard_normal((4, 4))
    right = np.einsum("ijuv,uv->ij", windows(x, delta.shape), delta)
    mine = np.einsum("ijuv,uv->ij", windows(x, delta.shape), delta[::-1, ::-1])
    assert "δ turned in the gradient of W" in named(mine, right, x=x, delta=delta, W=W)
    row, delta = rng.standard_normal(8), rng.standard_normal(6)
    right, mine = np.correlate(row, delta, "valid"), np.convolve(row, delta, "valid")
    assert "δ turned, as np.convolve does" in named(mine, right, x=row, delta=delta)


def test_pools_with_ties():
    a = np.maximum(rng.integers(-2, 3, (1, 6, 6, 2)), 0).astype(float)
    delta = rng.standard_normal((1, 3, 3, 2))
    right = module().page_pooling_max.max_pool_backward(delta, a, 2)
    tiles = a.reshape(1, 3, 2, 3, 2, 2)
    mask = tiles == tiles.max(axis=(2, 4), keepdims=True)
    every = (mask * delta[:, :, None, :, None]).reshape(a.shape)
    shared = mask / mask.sum(axis=(2, 4), keepdims=True) * delta[:, :, None, :, None]
    given = dict(a=a, delta=delta, size=2)
    assert "a mask: the whole of δ to every maximum" in named(every, right, **given)
    assert "σ' missing" not in check_gradient(every, right)
    assert "tie" in check_gradient(every, right)
    shared = shared.reshape(a.shape)
    assert "δ shared among equal maxima" in named(shared, right, **given)


def test_softmax_from_its_input():
    z, y = rng.standard_normal((3, 4)), np.eye(4)[[0, 2, 1]]
    a = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    mine = -y * (1 - a)
    assert named(mine, a - y, z=z, y=y) == ["only the diagonal of the Jacobian"]
    assert named(mine, a - y, a=a, y=y) == ["only the diagonal of the Jacobian"]


def test_equal_labels_are_no_tie():
    z, y = rng.standard_normal((3, 4)), np.eye(4)[[0, 2, 1]]
    a = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    for mine in (a - 2 * y, a - y - (y == 0) * [1, 0, 0, 0]):  # wrong at 3, at 2
        report = check_gradient(mine, a - y, z=z, y=y)
        assert "entries differ: a tie, a kink?" in report, report
    assert "z is equal there" in check_gradient(mine, a - y, z=np.ones((3, 4)), y=y)


def test_the_kernel_is_as_large_as_W():
    """One as large as dx takes half a minute where the image is a usual one."""
    guess = module().guesses
    assert guess("kernel", {"W": np.ones((3, 2, 4, 6))}, (8, 64, 9, 4)) == [(3, 2), 3]
    assert guess("kernel", {}, (3, 2, 4, 6)) == [(3, 2), 3]


def test_an_empty_z_is_only_told():
    told = check_gradient([1.0, 3.0], [2.0, 1.0], z=np.zeros((0, 2)), y=np.ones((1, 2)))
    assert "no function of the book" in told
    assert "shape   (2, 0) instead of (0,)" in check_gradient([[], []], [])


def test_relu_gated_by_the_gradient():
    delta, W, z = (rng.standard_normal(s) for s in [(4, 3), (5, 3), (4, 5)])
    g = delta @ W.T
    told = named(np.maximum(g, 0), g * (z > 0), delta=delta, W=W, z=z)
    assert told == ["σ' taken at the gradient, not at z"]


def test_reports_in_chinese_name_the_chinese_page():
    x, W, delta, (dx, *_) = layer()
    mine, _ = loop(x, W, delta, at=1, turn=-1)
    report = check_gradient(mine, dx, x=x, W=W, delta=delta, language="zh")
    assert re.search(r"可能  卷积核[^（]*没有旋转（zh/convolution/\w+/#", report), (
        report
    )


def test_arguments_that_cannot_be_meant():
    with pytest.raises(TypeError, match=r"kernels: the book says A, B, .*, W, .*, a, "):
        check_gradient([1.0], [2.0], kernels=[1.0])
    with pytest.raises(TypeError, match="x is None"):
        check_gradient([1.0], [2.0], x=None)
    with pytest.raises(TypeError, match="z has dtype <U4, not real numbers"):
        check_gradient([1.0], [2.0], z="text")
    with pytest.raises(ValueError, match="delta is not one array"):
        check_gradient([1.0], [2.0], delta=[[1.0], [2.0, 3.0]])
    with pytest.raises(ValueError, match="language is 'fr'"):
        check_gradient([1.0], [2.0], language="fr")
    with pytest.raises(ValueError, match="error is not finite"):
        check_gradient([1.0], [2.0], error=np.inf)


@pytest.mark.book
def test_every_check_has_a_row():
    assert checks().keys() == known().keys()
