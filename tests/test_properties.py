"""Every equation is its function on drawn cases, and no wrong variant passes."""

import ast
import inspect
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from book import checks, parts, sessions
from book.checks import rejection
from book.pages import ROOT, nav_pages
from book.parts import Part
from book.results import Result, function, namespace, results
from book.sessions import BadSession
from tests.mutants import Mutant, functions, same
from tests.mutants import __main__ as mutants

RESULTS, PARTS = results(), parts.listed("check")
CHECKS = checks.checks()
# The others are complained about by one test, once.
EQUATIONS = [x for x in RESULTS if RESULTS[x].function and x in CHECKS]
VARIANTS = [(label, name) for label in EQUATIONS for name in RESULTS[label].wrong]
QUICK = 150  # cases that a wrong variant meets, in every profile
# What a variant may not fail with: then it is broken, and its mistake was never tried.
BROKEN = (AttributeError, NameError, SyntaxError, TypeError)


def main_labels() -> dict[str, str]:
    """The labels of the main results and the pages on which they stand."""
    found = {}
    for page in nav_pages():
        text = (ROOT / "docs" / "en" / page).read_text("utf-8")
        for label in re.findall(r"\\label\{([^{}]*)\}", text):
            if not label.startswith("step-"):
                found[label] = page
    return found


def complaints(
    pages: dict[str, str], found: dict[str, Result], checks: dict[str, Part]
) -> list[str]:
    """What is missing where pages, sessions and checks should know the same labels."""
    wrong = []
    for label, page in pages.items():
        result = found.get(label)
        if not result or not result.function:
            wrong.append(f"{page}: {label} has no function (# equation: {label})")
            continue
        if len(result.wrong) < 3:
            wrong.append(f"{page}: {label} has {len(result.wrong)} wrong variants of 3")
        if label not in checks or f"{checks[label].page}.md" != page:
            where = f"snippets/{page.removesuffix('.md')}.py"
            wrong.append(f'{page}: {label} has no @check("{label}") in {where}')
        if sessions.name_of(result.session) != f"snippets/{page}":
            where = sessions.name_of(result.session)
            wrong.append(f"{page}: {label} is a function in {where}")
    for label, result in found.items():
        if label not in pages:
            wrong.append(f"{result.session.name}: no page has the label {label}")
    for label in checks.keys() - pages.keys():
        wrong.append(str(checks[label].fault(f"{label} is no label of a page")))
    return wrong


@pytest.mark.book
def test_pages_sessions_and_checks_know_the_same_labels():
    assert not complaints(main_labels(), RESULTS, PARTS)


@pytest.fixture(scope="module", autouse=True)
def sessions_ran():
    """So that it does not count as time of the cases."""
    for result in RESULTS.values():
        namespace(result.session)


@pytest.mark.parametrize("label", EQUATIONS)
@given(data=st.data())
def test_the_function_is_its_equation(record, label, data):
    record.count(label, CHECKS[label](function(RESULTS[label]), data.draw))


@pytest.mark.parametrize(("label", "name"), VARIANTS)
def test_a_wrong_variant_is_rejected(label, name):
    result = RESULTS[label]
    right, wrong = function(result), function(result, name)
    mistake = f"{name} ({result.wrong[name]})"
    assert inspect.signature(wrong) == inspect.signature(right), mistake
    error = rejection(CHECKS[label], wrong, QUICK)
    assert error, f"{label}: no case tells {mistake} from {result.function}"
    assert not isinstance(error, BROKEN), f"{mistake} does not run: {error!r}"


# --- What keeps the labels together, broken on purpose -----------------------


def some() -> tuple[dict, dict, dict]:
    path = ROOT / "snippets" / "cnn" / "forward.md"
    wrong = {"one": "a", "two": "b", "three": "c"}
    check = CHECKS["conv-forward"]
    return (
        {"conv-x": "cnn/forward.md"},
        {"conv-x": Result("conv-x", path, "conv_x", wrong)},
        {"conv-x": Part("check", "conv-x", check)},
    )


def test_nothing_missing_is_no_complaint():
    assert not complaints(*some())


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda pages, found, checks: found.clear(), "no function"),
        (
            lambda pages, found, checks: checks.clear(),
            'no @check("conv-x") in snippets/cnn/forward.py',
        ),
        (
            lambda pages, found, checks: checks.update({"conv-x": PARTS["dense-bias"]}),
            "no @check",
        ),
        (lambda pages, found, checks: found["conv-x"].wrong.popitem(), "2 wrong"),
        (lambda pages, found, checks: setattr(found["conv-x"], "function", ""), "no f"),
        (lambda pages, found, checks: pages.clear(), "no page has the label conv-x"),
        (
            lambda pages, found, checks: checks.update(y=PARTS["dense-bias"]),
            "y is no label",
        ),
        (
            lambda pages, found, checks: pages.update({"conv-x": "dense.md"}),
            "in snippets/cnn/forward.md",
        ),
    ],
)
def test_what_is_missing_is_named(change, complaint):
    args = some()
    change(*args)
    assert complaint in "\n".join(complaints(*args))


DEF = "def f(x):\n    return x\n"


def session(folder, *blocks: str, name: str = "s.md"):
    path = folder / name
    path.write_text("".join(f"```python\n{block}```\n\n" for block in blocks))
    return path


def test_tags_are_read(tmp_path):
    variant = "# wrong: x, δ not turned, twice\ndef g(x):\n    return -x\n"
    both = "# equation: x\n# wrong: y, the wrong one\n"
    path = session(tmp_path, both + DEF, "# only a remark\n" + variant)
    found = results([path])
    assert found["x"].function == "f"
    assert found["x"].wrong == {"g": "δ not turned, twice"}
    assert found["y"].wrong == {"f": "the wrong one"}
    assert function(found["x"])(3) == 3
    assert function(found["x"], "g")(3) == -3


@pytest.mark.parametrize(
    "code",
    [
        "# equation: x\n\n" + DEF,
        "# equation: x\ny = 1\n",
        "# equation x\n" + DEF,
        "# Equation\n#equation: x\n" + DEF,
        "# wrong: x\n" + DEF,
        "# wrong: x,\n" + DEF,
        "# equation: X\n" + DEF,
        "if True:\n    # equation: x\n    def f(x):\n        return x\n",
        "# equation: x\n" + DEF + "# equation: x\n" + DEF.replace("f(", "g("),
        "# equation: x\n# wrong: x, both\n" + DEF,
    ],
)
def test_a_tag_that_would_not_be_read_is_an_error(tmp_path, code):
    with pytest.raises(BadSession, match=r"s\.md:\d+: "):
        results([session(tmp_path, code)])


def test_a_label_belongs_to_one_session(tmp_path):
    paths = [
        session(tmp_path, "# equation: x\n" + DEF, name=n) for n in ["a.md", "b.md"]
    ]
    with pytest.raises(BadSession, match=r"x is in .*a\.md, too"):
        results(paths)


def test_a_function_that_is_replaced_later_is_an_error(tmp_path):
    path = session(tmp_path, "# equation: x\n" + DEF, "f = abs\n")
    with pytest.raises(BadSession, match="becomes something else"):
        function(results([path])["x"])


# --- The checks themselves ---------------------------------------------------


def changed(label: str, change) -> str:
    """What the check says where the right result is changed; "" where it passes."""
    right = function(RESULTS[label])

    def wrong(*args):
        result = right(*args)
        if isinstance(result, tuple):
            return tuple(map(change, result))
        return change(np.asarray(result))

    error = rejection(CHECKS[label], wrong, QUICK)
    assert error is None or isinstance(error, AssertionError)
    return str(error or "")


@pytest.mark.parametrize("label", EQUATIONS)
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda result: result * (1 + 1e-8), "off by"),
        (lambda result: result * np.nan, "off by nan"),
        (lambda result: result[None], "shape"),
        (lambda result: result.astype(np.float32), "type"),
    ],
)
def test_a_slight_change_is_noticed(label, change, complaint):
    assert changed(label, change).startswith(complaint)


@pytest.mark.parametrize("label", EQUATIONS)
@pytest.mark.parametrize("alone", ["TensorFlow", "the other"])
def test_each_oracle_notices_by_itself(label, alone, monkeypatch):
    compare = checks.compare

    def one_oracle(case, mine, want, oracle):
        if (oracle == "TensorFlow") == (alone == "TensorFlow"):
            return compare(case, mine, want, oracle)
        return 0.0

    for module in (checks, *parts.modules().values()):
        monkeypatch.setattr(module, "compare", one_oracle, raising=False)
    if alone == "TensorFlow":
        monkeypatch.setattr(checks, "SLOPE", np.inf)
    complaint = changed(label, lambda result: result * (1 + 1e-5))
    assert complaint.startswith(("off by", "slope"))


@pytest.mark.parametrize("label", EQUATIONS)
def test_an_argument_that_is_written_to_is_noticed(label):
    right = function(RESULTS[label])

    def writes(first, *others):
        if isinstance(first, np.ndarray):
            first += 0
        return right(first, *others)

    error = rejection(CHECKS[label], writes, QUICK)
    assert "read-only" in str(error)


def in_memory_order(a):
    """Wrong for an array that is a view in another order."""
    return np.ravel(a, order="K").reshape(np.shape(a)) if np.ndim(a) == 4 else a


def wrapping(x, W, b, stride):
    """int8 stays int8."""
    rows, columns = (stride, stride) if np.ndim(stride) == 0 else stride
    view = np.lib.stride_tricks.sliding_window_view(x, np.shape(W)[:2], axis=(1, 2))
    return np.einsum("nijcuv,uvcf->nijf", view[:, ::rows, ::columns], W) + b


def without_rows(right, x, W, b, stride):
    """Right, and what comes of nothing is nothing."""
    return right(x, W, b, stride) if len(x) and len(W) and len(b) else np.zeros(0)


def taking_numbers(right, x, W, b, stride):
    """b may be one number, as if it stood for all."""
    b = np.full(len(W[0, 0, 0]), b) if isinstance(b, float) else b
    return right(x, W, b, stride)


def refusing(right, x, W, b, stride):
    if not len(x):
        raise ValueError("no rows")
    return right(x, W, b, stride)


@pytest.mark.parametrize(
    ("form", "wrong", "complaint"),
    [
        (
            checks.as_lists,
            lambda right, x, *rest: right(x.copy(), *rest)[:, : x.ndim],
            "'list' object has no attribute",
        ),
        (
            checks.as_views,
            lambda right, x, *rest: right(in_memory_order(x), *rest),
            "in another form",
        ),
        (
            checks.with_small_ints,
            lambda right, *given: right(*given) + (np.max(given[3]) * 200 % 200 > 0),
            "in another form",
        ),
        (
            checks.in_float32,
            lambda right, x, *rest: right(np.asarray(x, float), *rest),
            "of float32 it made float64",
        ),
        (
            checks.of_whole_numbers,
            lambda right, *given: wrapping(*given),
            "in another form",
        ),
        (checks.of_nothing, without_rows, "takes an empty array"),
        (checks.of_nothing, refusing, "names no argument: no rows"),
        (
            checks.of_nothing,
            lambda right, x, *rest: right(np.asarray(x), *rest),
            "names no argument: setting an array element",
        ),
        (checks.of_nothing, taking_numbers, "takes a number"),
        (
            checks.of_huge_numbers,
            lambda right, x, W, b, stride: right(x, W, b, np.minimum(stride, 99)),
            "names no argument: Python int too large",
        ),
        (
            checks.of_huge_numbers,
            lambda right, x, *rest: right(np.asarray(x, float), *rest),
            "names no argument: int too large to convert",
        ),
        (
            checks.as_lists,
            lambda right, x, *rest: right(x, *rest) + 0 * np.ravel(x)[0],
            "the definition has",
        ),
    ],
)
def test_each_form_and_what_is_not_finite_notices_by_itself(
    form, wrong, complaint, monkeypatch
):
    right = function(RESULTS["channels-forward"])
    monkeypatch.setattr(checks, "FORMS", [form])

    def one(x, W, b, stride):
        return wrong(right, x, W, b, stride)

    assert complaint in str(rejection(CHECKS["channels-forward"], one, QUICK))


def test_a_failure_shows_the_smallest_shapes():
    """δ not dilated differs as soon as there are two of them: 1 × 2, stride 2."""
    right = function(RESULTS["conv-weights"])

    @settings(settings.get_profile("quick"))
    @given(st.data())
    def run(data):
        CHECKS["conv-weights"](lambda x, d, stride: right(x, d, 1), data.draw)

    with pytest.raises(AssertionError) as error:
        run()
    assert re.search(r"(?m)^x (\(1, 3\)|\(3, 1\)) = ", str(error.value))
    assert re.search(r"(?m)^delta (\(1, 2\)|\(2, 1\)) = ", str(error.value))
    assert re.search(r"(?m)^stride = 2$", str(error.value))


# --- The mutants -------------------------------------------------------------


@pytest.mark.book
def test_what_is_listed_as_the_same_is_still_there():
    """python3 make.py mutants finds out whether it is also unnoticed."""
    assert same()
    made = {mutant.key for make in mutants.KINDS.values() for mutant in make()}
    assert not same().keys() - made


def test_the_command_tells_what_no_check_notices(monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        mutants.main(["dense_bias_gradient"])
    assert ended.value.code == 0
    told = re.search(r"(?m)^functions: (\d+) of \1 noticed", capsys.readouterr().out)
    assert int(told[1]) >= 8
    monkeypatch.setattr(functions.Changed, "survives", lambda mutant: True)
    with pytest.raises(SystemExit) as ended:
        mutants.main(["dense_bias_gradient"])
    assert ended.value.code == 1
    assert capsys.readouterr().out.count("No check notices") == int(told[1])


def test_what_only_refuses_is_no_mutant(tmp_path, monkeypatch):
    """No case that the checks draw is refused; so nothing would notice."""
    fits = "def fits(x):\n    return x > 0\n\n\n"
    code = "# equation: x\ndef f(x, y):\n"
    code += "    if not fits(x):\n        raise ValueError(-x)\n"
    code += "    if x > y:\n        raise KeyError\n    else:\n        x = y\n"
    code += "    return list(zip(x, y, strict=True))\n"
    path = session(tmp_path, fits + code)
    monkeypatch.setattr(functions, "results", lambda: results([path]))
    (source,) = functions.sources()
    found = list(functions.changes(source))
    assert source.node.name == "f"
    assert not [m for m in found if "fits" in m.before or "ValueError" in m.before]
    assert all("strict=True" in m.after for m in found if "(zip(" in m.after)
    # With an else it does more than refuse.
    assert "if x >= y:" in [m.after for m in found]


@pytest.mark.parametrize(
    ("statement", "wrong", "same"),
    [
        ("return x.sum(axis=(0, 1))", "x.mean(axis=(0, 1))", "x.sum(axis=(1, 0))"),
        ("return f(x, axis=(0, 1))", "f(x, axis=(1, 0))", "f(x, axis=(0, -1))"),
        ("return x.swapaxes(1, 2)", "x.swapaxes(2, 2)", "x.swapaxes(2, 1)"),
        ("return x.swapaxes(1, 2)", "x.swapaxes(1, 3)", "x.swapaxes(-1, 2)"),
        ("return max(x, y)", "max(y, y)", "max(y, x)"),
        ("return np.zeros(x, y.dtype)", "np.ones(x, y.dtype)", "np.zeros(x)"),
        ("return x[1]", "x[2]", "x[-1]"),
        ("return x.reshape(-1, 2)", "x.reshape(-1, 3)", "x.reshape(-2, 2)"),
        ('return x == "a"', "x != 'a'", "x >= 'a'"),
        ("return np.ones(x, dtype)", "np.zeros(x, dtype)", "np.ones(x)"),
        ("return 2 * x", "-2 * x", ""),
        ('return f(x, "N", "C")', "f('N', x, 'C')", "f(x, 'C', 'N')"),
        ("return x is None", "x is not None", "x == None"),
        ("fits(x)", "", "fits(y)"),
        ("x.fits(y)", "x.fits(x)", ""),
        ("bad = x > y\n    if bad:\n        raise KeyError", "", "bad = x < y"),
        ("bad = x > y\n    x = bad", "bad = x < y", ""),
        ("", "def f(x, y=2)", "def f(x, y=-1)"),
    ],
)
def test_what_is_the_same_by_nature_is_no_mutant(
    tmp_path, monkeypatch, statement, wrong, same
):
    """But what is not so is one."""
    code = (
        f"# equation: x\ndef f(x, y=1):\n    {statement or 'pass'}\n    return x + y\n"
    )
    path = session(tmp_path, code)
    monkeypatch.setattr(functions, "results", lambda: results([path]))
    found = [mutant.after for mutant in functions.mutants()]
    assert wrong in "\n".join(found)
    assert not [after for after in found if same and same in after]


def test_a_sample_has_some_of_each_place():
    found = [
        Mutant("page", place, "", "", str(number))
        for place in "ab"
        for number in range(2 * mutants.SAMPLE)
    ]
    listed = {mutant.key: "" for mutant in found if int(mutant.after) < 10}
    some = mutants.sample(found, listed)
    assert {m.place: 0 for m in some}.keys() == {"a", "b"}
    assert len(some) == 2 * mutants.SAMPLE
    assert not listed.keys() & {mutant.key for mutant in some}
    assert mutants.sample(found, listed) == some
    # The sample of one place is as it was, whatever the others are.
    rest = [mutant for mutant in found if mutant.place == "b"]
    assert mutants.sample(rest, listed) == [m for m in some if m.place == "b"]


def test_a_mutant_leaves_the_function_as_it_was():
    source = functions.sources()[0]
    before = ast.unparse(source.node)
    texts = [(mutant.before, mutant.after) for mutant in functions.changes(source)]
    assert ast.unparse(source.node) == before
    assert texts
    assert all(a != b for a, b in texts)
