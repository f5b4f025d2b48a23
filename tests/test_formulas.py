"""Every displayed formula is held against numbers; and what is wrong is told."""

import re
from functools import cache

import numpy as np
import pytest

from book.pages import Page, contents
from book.parts import Part
from book.tex import functions
from book.tex import vocabulary as vocabularies
from book.tex.displays import Display, displays, judge, stands
from book.tex.parser import AND, IF, OTHERWISE, Unread, statements, words
from book.tex.world import World, drawn

PAGES = {page.name: page for page in contents()["en"]}
CHINESE = {page.name: page for page in contents()["zh"]}
EVALUATED = 0.92  # of all displays, arithmetic among them
MARKED = 0.05


@cache
def found(name: str) -> list[Display]:
    return displays(PAGES[name])


@pytest.mark.parametrize("name", PAGES)
def test_every_display_is_true_of_numbers_or_says_why(record, name):
    wrong = [
        f"{display.page}:{display.line}: {fault}\n{display.tex.strip()}"
        for display in found(name)
        for fault in display.faults
    ]
    assert not wrong, "\n\n".join(wrong)
    for display in found(name):
        record.formula(display.kind)


@pytest.mark.parametrize("name", PAGES)
def test_the_other_language_says_the_same(name):
    """Words within a formula differ; what is read of it may not."""
    for one, other in zip(PAGES[name].displays, CHINESE[name].displays, strict=True):
        assert read(one.display) == read(other.display), f"{CHINESE[name]}:{other.line}"


def read(tex: str):
    words = re.sub(r"\\text\{([^{}]*)\}", neutral, tex)
    try:
        return statements(words, (), ())
    except Unread:
        return None


@pytest.mark.book
def test_main_results_and_nearly_all_displays_are_evaluated():
    every = [display for name in PAGES for display in found(name)]
    kinds = [display.kind for display in every]
    only = [f"{d.page}:{d.line}" for d in every if d.main and d.kind != "evaluated"]
    assert not only
    held = kinds.count("evaluated") + kinds.count("arithmetic")
    assert held >= EVALUATED * len(every)
    assert kinds.count("marked") <= MARKED * len(every)


def neutral(word: re.Match[str]) -> str:
    """A word that is no part of the mathematics."""
    return word[0] if words(word[0]) in AND | IF | OTHERWISE else r"\text{word}"


# --- Broken on purpose -------------------------------------------------------


def worlds():
    for size, kernel, stride in ((7, 3, 2), (5, 2, 1), (8, 2, 3)):
        output = (size - kernel) // stride + 1
        yield World(
            sizes={
                **{"H": size, "K": kernel, "S": stride, "O": output},
                **{"r": (size - kernel) % stride, "delta": drawn(3, output), "h": 0.01},
            },
            given={"x": drawn(1, size), "w": drawn(2, kernel), "h_0": drawn(4, 2)},
            forward={
                "h_1": lambda v: np.tanh(v["w"][0] * v["h_0"]),
                "h_2": lambda v: np.tanh(v["w"][0] * v["h_1"]),
                "z": lambda v, S=stride: np.correlate(v["x"], v["w"])[::S],
            },
            zero={"delta", "w"},
            ranges={"u": kernel, "p": size, "t": range(1, 3)},
            families={"h_()": ("h_0", "h_1", "h_2")},
        )


def page(text: str) -> Page:
    return Page("en", "some.md", f"# Some {{ #some }}\n\n{text}\n")


def shown(tex: str, note: str = "") -> Page:
    return page(f"{note}\n\n$$\n{tex}\n$$")


@pytest.fixture(autouse=True)
def vocabulary(request, monkeypatch):
    """The page has the vocabulary of worlds()."""
    if "name" not in request.fixturenames:
        part = Part("worlds", "", worlds)
        monkeypatch.setattr(vocabularies, "makers", lambda _: {"": part})


FORWARD = r"z_i = \sum_u x_{Si+u}\, w_u"
INPUT = r"\frac{\partial \ell}{\partial x_p} = \sum_i \delta_i\, w_{p-Si}"
WEIGHTS = r"\frac{\partial \ell}{\partial w_u} = \sum_{i=0}^{O-1} \delta_i\, x_{Si+u}"
STEP = (
    r"\frac{\partial h_{t,k}}{\partial h_{t-1,k}} = w_0\,(1 - h_{t,k}^2), "
    r"\quad 1 \le t < 3"
)
# Each holds; below, one place of it is changed.
RIGHT = {
    FORWARD: "evaluated",
    INPUT: "evaluated",
    WEIGHTS: "evaluated",
    STEP: "evaluated",
    r"\frac{\partial z_i}{\partial x_p} = w_{p-Si}": "evaluated",
    r"O = \left\lfloor \frac{H - K}{S} \right\rfloor + 1": "evaluated",
    r"r = 0 \quad\Longleftrightarrow\quad H - K = (O - 1) S": "evaluated",
    r"y = x \star w, \qquad z_i = y_{Si}": "evaluated",
    r"\frac{\partial}{\partial w_u} \log \sum_v e^{w_v} = "
    r"\frac{e^{w_u}}{\sum_v e^{w_v}}": "evaluated",
    r"e^h = 1 + h + \frac{h^2}{2} + o(h^2)": "evaluated",
    r"\sin(x_0 + h) = \sin x_0 \cos h + \cos x_0 \sin h": "evaluated",
    r"2 \cdot 3 - 0.5 = 5.5": "arithmetic",
    r"\lVert x \rVert^2 = \sum_p x_p^2": "evaluated",
    r"s = \begin{bmatrix} 1 & 2 \end{bmatrix}, \qquad |s|^2 = 5": "evaluated",
}


@pytest.mark.parametrize(("tex", "kind"), RIGHT.items())
def test_what_holds_is_told_apart(tex, kind):
    (display,) = displays(shown(tex))
    assert (display.faults, display.kind) == ([], kind)


# (formula, what is changed in it, into what): what is said.
BROKEN = {
    (FORWARD, "Si+u", "i+u"): "is not so",
    (FORWARD, "w_u", "w_{u+1}"): "is not so",
    (FORWARD, "x_{Si+u}", "x_{i}"): "different lengths",
    (FORWARD, "w_u", "v_u"): "v is no symbol",
    (INPUT, "p-Si", "p-i"): "is not so",
    (INPUT, r"\sum_i", r"\sum_p"): "p has a value already",
    (WEIGHTS, "O-1", "O"): "i runs to 3, delta[i] has 3",
    (WEIGHTS, "O-1", "O-2"): "is not so",
    (WEIGHTS, "x_{Si+u}", "x_{Si+u+K}"): "x has no entry",
    (STEP, "h_{t,k}^2", "h_{t-1,k}^2"): "is not so",
    (STEP, "h_{t-1,k}}", "h_{t,k}}"): "is not so",
    (STEP, r"1 \le t", r"0 \le t"): "lets t be 0",
    (STEP, "t < 3", "t < 2"): "leaves out {'t': 2}",
    (r"r = 0 \Longleftrightarrow H - K = (O-1) S", "0", "1"): "not so",
    (r"z = x \star w", r"x \star w", r"x \ast w"): "shapes",
    (r"z = x \star w", r"x \star w", "{}z"): "z stands on both sides",
    (r"x_0 w_0 = x_0 \odot w_0", r"\odot", r"\star"): "a star of numbers",
    (r"z_i = \max_u x_{Si+u}", "x", "y"): "y is no symbol",
    (r"e^h = 1 + h + \frac{h^2}{2} + o(h^2)", r"\frac{h^2}{2}", "h^2"): "like h^2.0",
    (r"e^h = 1 + h + \frac{h^2}{2} + o(h^2)", "o(h^2)", "o(h^3)"): "like h^3.0",
    (r"\sin(2 h) = 2 \sin h \cos h", r"\cos", r"\sin"): "is not so",
    (r"2 \cdot 3 - 0.5 = 5.5", "5.5", "5.6"): "5.5 and 5.6",
    (r"\lVert \begin{bmatrix} 3 & 0 \\ 0 & 4 \end{bmatrix} \rVert = 4", "= 4", "= 5"): (
        "4 and 5"
    ),
    (r"0.1234 \cdot 2 = 0.2468", "", ""): "0.1234 is rounded",
    (r"z_i = 2 \cdot \begin{bmatrix} 1 \\ 2", "", ""): "is never closed",
    (r"x! = 3", "", ""): "factorial",
    (r"u = x_0", "", ""): "u is defined, but no evaluated formula uses it",
    (r"z_i", "", ""): "no claim: z[i]",
    (r"\delta_i = \frac{\partial \ell}{\partial y_i}", "", ""): "y is no symbol",
    (r"z_i = \sum_u x_{Si+u}\, w_u, \qquad 0 \le i < O", "< O", r"\le O"): "lets i be",
    (r"z_i = \sum_u x_{Si+u}\, w_u, \qquad 0 \le i < O", "0", "1"): "leaves out",
    (
        r"\frac{\partial z_i}{\partial x_p} = w_{p-Si}, \quad 0 \le i < O, \; "
        r"0 \le p < H",
        r"0 \le p < H",
        r"0 \le i < O",
    ): "the range of i is said twice",
}


@pytest.mark.parametrize(("change", "said"), BROKEN.items())
def test_a_fault_is_told(change, said):
    tex, old, new = change
    assert old in tex
    (display,) = displays(shown(tex.replace(old, new) if old else tex))
    assert any(said in fault for fault in display.faults), display.faults


def test_a_rounded_row_stands_in_the_code_as_a_row():
    numbers = [7.0, 0.12341, -0.4567]
    assert stands(["0.1234", "-0.4567"], numbers)
    for wrong in ["-0.4567", "0.1234"], ["0.1234", "0.4567"], ["0.1235", "-0.4567"]:
        assert not stands(wrong, numbers)
    assert stands(["0.4567"], numbers)  # its sign may be an operator


def test_a_condition_chooses_the_cases():
    short = r"\frac{\partial \ell}{\partial x_{Si+u}} = \delta_i\, w_u"
    assert displays(shown(short))[0].faults
    (display,) = displays(shown(short, r"<!-- check: K \le S -->"))
    assert (display.faults, display.kind) == ([], "evaluated")
    (display,) = displays(shown(short, "<!-- check: K > H -->"))
    assert "leaves no case" in display.faults[0]


def test_a_mark_has_a_reason_and_a_formula_below_it():
    (display,) = displays(shown("z_i", "<!-- unchecked: a plan -->"))
    assert (display.kind, display.why, display.faults) == ("marked", "a plan", [])
    (display,) = displays(page("<!-- unchecked: a plan -->\n\nText.\n\n$$\nz_i\n$$"))
    assert display.faults


def test_a_function_that_is_not_its_formula(monkeypatch):
    class Result:
        pass

    monkeypatch.setattr(functions, "tagged", lambda: {"some-forward": Result})
    right = lambda x, w, stride: np.correlate(x, w)[::stride]  # noqa: E731
    for function, said in {
        right: "",
        lambda x, w, stride: np.convolve(x, w, "valid")[::stride]: "is not the formula",
        lambda x, w, stride: right(x, w, stride)[None, :-1]: "shapes",
        lambda x, w, steps: 0: "has no argument steps",
        lambda x, w: x @ w: "raises ValueError",
    }.items():
        monkeypatch.setattr(functions, "function", lambda _, f=function: f)
        (display,) = displays(shown(FORWARD + "\n\\label{some-forward}"))
        assert bool(display.faults) == bool(said)
        assert all(said in fault for fault in display.faults)


def test_two_worlds_are_too_few(monkeypatch):
    part = Part("worlds", "", lambda: [*worlds()][:2])
    monkeypatch.setattr(vocabularies, "makers", lambda _: {"": part})
    with pytest.raises(Exception, match="fewer than 3 worlds"):
        displays(shown(FORWARD))


def test_what_the_text_gives(monkeypatch):
    """By hand: numbers of the section, not of another, and none that it gives twice."""

    def by_hand(given):
        yield World(given={"x": given["x"]}, sizes={"s": given["s"]})

    part = Part("worlds", "hand", by_hand)
    monkeypatch.setattr(vocabularies, "makers", lambda _: {"hand": part})
    text = "Here $x = (1, 2)$ and $s = 3$, $t = 1$, $t = 2$.\n\n$$\ns = x_0 + x_1\n$$"
    hand = page(f"$s = 4$\n\n## By hand {{ #hand }}\n\n{text}")
    assert [*vocabularies.given(hand, "hand")] == ["s", "x"]
    (display,) = displays(hand)
    assert (display.faults, display.kind) == ([], "evaluated")


def test_the_reports_name_places_and_sizes():
    (display,) = displays(shown(FORWARD.replace("w_u", "w_{K-1-u}")))
    assert re.fullmatch(
        r"z\[i\] = sum_\(u\) .* is not so: \S+ and \S+; "
        r"where H = 7, K = 3, S = 2, O = 3, r = 0, i = 0",
        display.faults[0],
    )


def test_judging_leaves_no_trace_of_a_formula_that_fails():
    vocabulary = vocabularies.vocabulary(shown(FORWARD), "")
    display = Display(shown(FORWARD), 1, FORWARD, [])
    judge(display, vocabulary, [])
    assert display.comparisons == 3 + 4 + 3
