"""The boxes of the page "Check your gradient" say what the function says."""

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from book import boxes
from book.explorer import words_of
from book.pages import LANGUAGES, ROOT
from tests.boxes import asked, fixtures, paths, text
from tests.drawn import module
from tests.explorers import HOST, alone, faultless
from tests.test_browser import PHONE, WIDE

SCRIPTS = {path.stem: path for path in paths()}
SAID = {
    language: words["said"]
    for language, words in words_of(boxes.HERE / "boxes.toml").items()
}


# --- The report ------------------------------------------------------------------


@cache
def rows() -> list[tuple[dict, str, list]]:
    """Fixtures and their language, with the row that asks for the report."""
    table, found = module().CHINESE, []
    for case in fixtures():
        options = {"rtol": case.get("rtol", 1e-6), "own": case.get("error", 0)}
        options["given"] = case["given"]
        for language in LANGUAGES:
            told = options | ({"table": table} if language == "zh" else {})
            row = ["report", case["mine"], case["reference"], told]
            found.append((case, language, row))
    return found


def differing(rows, scripts=None) -> list[str]:
    """Reports of scripts that are not those of the function."""
    answers = asked([row for *_, row in rows], scripts)
    return [
        f"{case}\n{language}:\n{told}"
        for (case, language, _), told in zip(rows, answers, strict=True)
        if told != case["reports"][language]
    ]


def test_the_scripts_say_what_the_function_says():
    assert len(rows()) > 2_000
    assert not differing(rows())


# Of the book's functions the scripts have none.
UNSAID = {
    "likely  {} ({})",
    "beware  no function of the book gives this reference here",
}


def test_every_sentence_is_said(monkeypatch):
    """Or a rule of the scripts would be held to nothing."""
    said = set()

    class Table(dict):
        def __getitem__(self, sentence):
            said.add(sentence)
            return super().__getitem__(sentence)

    monkeypatch.setattr(module(), "CHINESE", Table(module().CHINESE))
    fixtures()
    assert module().CHINESE.keys() - said == UNSAID


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("arrays", "Number(exact[digits - 1]) % 2 === 0", "false"),
        ("arrays", "flip(a, [j]), i, j", "flip(a, [i]), i, j"),
        ("read", "float32: Math.fround", "float32: half"),
        ("report", "< 9_999.5", "< 10_000"),
        ("report", "gap(value) <= rtol", "gap(value) < 0"),
        ("report", "Math.max(end, index(at, axis) + 1)", "index(at, axis) + 1"),
        ("report", "length > 2) // of two", "length > 1) // of two"),
        ("report", "!entries.includes(1)", "true"),
        ("report", "round(144 *", "round(120 *"),
        ("report", "margin < 0.5", "margin < 0.05"),
        ("report", "(1 - 1e-12) * most", "most"),
        ("report", "same(shape, mine.shape)", "true"),
    ],
)
def test_a_rule_that_was_changed_is_noticed(tmp_path, name, old, new):
    code = SCRIPTS[name].read_text("utf-8")
    assert old in code
    changed = tmp_path / f"{name}.js"
    changed.write_text(code.replace(old, new, 1), "utf-8")
    scripts = [changed if stem == name else path for stem, path in SCRIPTS.items()]
    assert differing([row for row in rows() if row[1] == "en"], scripts)


def test_numbers_are_written_as_python_writes_them():
    stream = np.random.default_rng(0)
    values = [0.0, -0.0, 0.125, 0.375, 2.5, 0.5, 9.5, 99.5, 9999.5, 1e16, 1e-5, 5e-324]
    values += [0.00012345, 123456.5, np.nan, np.inf, -np.inf, 1.7976931348623157e308]
    values += list(stream.standard_normal(200) * 10.0 ** stream.integers(-20, 20, 200))
    values += list(stream.integers(1, 10**6, 200) / 2.0 ** stream.integers(1, 20, 200))
    texts = [str(float(value)).replace("inf", "Infinity") for value in values]
    rows = [["general", text, digits] for text in texts for digits in (1, 2, 4, 6, 8)]
    assert asked(rows) == [f"{float(text):.{digits}g}" for _, text, digits in rows]


# --- What is typed into a box ----------------------------------------------------


def written(array: np.ndarray) -> Iterator[str]:
    """An array in all ways in which a reader may have it."""
    import tensorflow as tf

    yield text(array)
    yield repr(array.tolist())
    yield json.dumps(array.tolist(), indent=1)
    yield f"dW = np.array({array.tolist()}, dtype=float)"
    yield f"{array.tolist()}".replace("-", "−")
    with np.printoptions(threshold=10**9, floatmode="unique", linewidth=40):
        yield str(array)
        yield f"grad:\n{array}\n"
        yield str(tf.constant(array))
        yield repr(tf.constant(array))
        yield repr(tf.Variable(array, name="W"))
    if array.ndim < 3:
        told = io.StringIO()
        csv.writer(told).writerows(np.atleast_2d(array).tolist())
        yield told.getvalue()
        yield told.getvalue().replace(",", "\t")
        yield told.getvalue().replace(",", "; ")
    if array.ndim == 1:
        yield "\n".join(map(str, array.tolist()))
        yield repr([np.float64(value) for value in array])


@pytest.mark.parametrize("shape", [(), (4,), (2, 3), (1, 2), (3, 2, 2), (1, 1, 2, 1)])
def test_arrays_are_read_however_they_are_written(shape):
    array = np.random.default_rng(1).standard_normal(shape)
    texts = list(written(array))
    for one, found in zip(texts, asked([["read", t] for t in texts]), strict=True):
        if shape == (1, 2) and "[" not in one:
            found["shape"] = [1, *found["shape"]]  # of a row nobody knows
        assert found["shape"] == list(shape), one
        assert found["dtype"] == "float64", one
        assert [float(value) for value in found["data"]] == array.ravel().tolist(), one


@pytest.mark.parametrize(
    ("given", "shape", "dtype", "data"),
    [
        ("tensor([[ 0.5, -1.5000e-05]], device='cuda:0')", [1, 2], "float32", 0.5),
        ("tensor([0.5], dtype=torch.float64)", [1], "float64", 0.5),
        ("tensor(0.5, grad_fn=<MulBackward0>)", [], "float32", 0.5),
        ("Parameter containing:\ntensor([1.], requires_grad=True)", [1], "float32", 1),
        ("tensor([1, 2])", [2], "int", 1),
        ("tensor([], size=(0, 3))", [0, 3], "float32", None),
        ("Array([0.1], dtype=float32)", [1], "float32", float(np.float32(0.1))),
        ("np.float16(0.1)", [], "float16", float(np.float16(0.1))),
        (
            "array([1e-07, 70000], dtype=float16)",
            [2],
            "float16",
            float(np.float16(1e-7)),
        ),
        ("array([], shape=(0, 3), dtype=float64)", [0, 3], "float64", None),
        ("np.array([1, 2], dtype=float)", [2], "float64", 1),
        ("[1, 2]", [2], "int", 1),
        ("[[], []]", [2, 0], "float64", None),
        ("[-Infinity, NaN]", [2], "float64", -np.inf),
        ("1,2,\n3,4,", [2, 2], "int", 1),
        ("array([inf, 1], dtype=float16)", [2], "float16", np.inf),
        (
            "<Variable path=sequential/dense/kernel, shape=(1, 2), dtype=float32, "
            "value=[[0.5 1. ]]>",
            *([1, 2], "float32", 0.5),
        ),
        ("Out[3]: \narray([[0.5, 1. ]])", [1, 2], "float64", 0.5),
        ("dL/dW = [[0.5]]", [1, 1], "float64", 0.5),
        ("∂L/∂W: [[0.5]]", [1, 1], "float64", 0.5),
        ("dW' = [[0.5]]", [1, 1], "float64", 0.5),
        ("梯度：［［－１．５，２］，\n［３，４］］", [2, 2], "float64", -1.5),
        ("【1.5、2】", [2], "float64", 1.5),
        ("–1.5, 2", [2], "float64", -1.5),  # of a word processor
        ("\u200b[1,\u200b2.5]", [2], "float64", 1),
        ("[[1.5\t2]\r\n [3\t4]]\r\n", [2, 2], "float64", 1.5),
        ("[[1, 2],\n [3, 4]];", [2, 2], "int", 1),
    ],
)
def test_what_others_print(given, shape, dtype, data):
    (found,) = asked([["read", given]])
    assert (found["shape"], found["dtype"]) == (shape, dtype)
    assert [float(value) for value in found["data"]][:1] == (
        [] if data is None else [data]
    )


@pytest.mark.parametrize(
    ("given", "shape", "word", "place", "values"),
    [
        ("", "", "empty", None, []),
        (" \n", "", "empty", None, []),
        ("hello", "", "number", [1, 1], ["hello"]),
        ("[[0.1, 0.2],\n [0.3, x4]]", "", "number", [2, 8], ["x4"]),
        ("[1, null]", "", "number", [1, 5], ["null"]),
        ("[True]", "", "number", [1, 2], ["True"]),
        ("[1+2j]", "", "number", [1, 2], ["1+2j"]),
        ("[1.2.3]", "", "number", [1, 2], ["1.2.3"]),
        ('{"a": [1]}', "", "number", [1, 1], ['{"a"']),
        ("((1, 2), (3, 4))", "", "number", [1, 1], ["((1"]),
        ("[[1. 2. ... 3.]\n [4. 5. ... 6.]]", "", "cut", [1, 9], []),
        ("[[1.]\n ...\n [2.]]", "(2, 1)", "cut", [2, 2], []),
        ("1 … 3", "", "cut", [1, 3], []),
        ("[1 2] [3]", "", "second", [1, 7], []),
        ("[[1, 2], 3]", "", "mixed", [1, 10], []),
        ("[1, [2]]", "", "mixed", [1, 5], []),
        ("[[[1]], [2]]", "", "mixed", [1, 10], []),
        ("[[1], [[]]]", "", "mixed", [1, 8], []),
        ("[[], 1]", "", "mixed", [1, 6], []),
        ("1 2]", "", "unopened", [1, 4], []),
        ("[[1 2]", "", "unclosed", [1, 1], []),
        ("[[1,2],\n[3]]", "", "ragged", [2, 1], [1, 2]),
        ("[[1,2],[]]", "", "ragged", [1, 8], [0, 2]),
        ("1 2\n3", "", "ragged", [2, 1], [1, 2]),
        ("0,1;0,2\n0,3;0,4", "", "separated", [1, 4], []),
        ("0,5\t0,25\n1,5\t2,5", "", "separated", [1, 4], []),
        ("1 234,5", "", "separated", [1, 6], []),
        ("[1, 2;\n 3, 4]", "", "separated", [1, 6], []),
        ("[1 2; 3 4]", "", "separated", [1, 5], []),
        ("[1, 2, 3]", "(2, 2)", "fill", None, [3, "(2, 2)", 4]),
        ("[1, 2]", "two", "shape", None, ["two"]),
        ("[1, 2]", "-1", "shape", None, ["-1"]),
    ],
)
def test_a_text_that_is_no_array_is_refused_where_it_is_none(
    given, shape, word, place, values
):
    (found,) = asked([["read", given, shape]])
    assert found == {"word": word, "place": place, "values": values}


@pytest.mark.parametrize(
    "shape", ["(2, 2)", "2 2", "2×2", "[2,2]", "2x2", "（２，２）"]
)
def test_a_shape_stands_for_missing_brackets(shape):
    for given in ("0.1 0.2]\n [0.3 0.4]]", "array([[0.1, 0.2],\n [0.3", "0.1 0.2 0.3"):
        given += " 0.4" * (4 - given.count("."))
        (found,) = asked([["read", given, shape]])
        assert found["shape"] == [2, 2]
        assert found["data"] == ["0.1", "0.2", "0.3", "0.4"]


# --- A layer's arrays ------------------------------------------------------------


def layer_cases() -> Iterator[tuple[str, str, dict, dict, np.ndarray]]:
    """Layer, gradient, arrays, settings as they are typed, what the book gives."""
    stream = np.random.default_rng(7)
    draw = stream.standard_normal
    x, W, delta = draw((4, 3)), draw((3, 5)), draw((4, 5))
    dense, softmax = module().page_dense, module().page_softmax
    right = dense.dense_weight_gradient(x, delta)
    yield "dense", "dW", {"x": x, "delta": delta}, {}, right
    yield "dense", "dW", {"x": x[0], "delta": delta[0]}, {}, np.outer(x[0], delta[0])
    yield "dense", "dx", {"W": W, "delta": delta}, {}, delta @ W.T
    yield "dense", "dx", {"W": W, "delta": delta[0]}, {}, W @ delta[0]
    yield "dense", "db", {"delta": delta}, {}, dense.dense_bias_gradient(delta)
    for shape in [(3,), (2, 4), (2, 1, 3)]:
        z, g = 10 * draw(shape), draw(shape)
        e = np.exp(z)
        a = e / e.sum(-1, keepdims=True)
        arrays = {"z": z, "delta": g}
        yield "softmax", "dz", arrays, {}, softmax.softmax_vjp(g, a)
        right = softmax.cross_entropy_gradient(a, g)
        yield "cross_entropy", "dz", {"z": z, "y": g}, {}, right
    for _ in range(12):
        yield from images(stream)


def images(stream) -> Iterator[tuple[str, str, dict, dict, np.ndarray]]:
    """The same of a convolution and of pools, with settings that are drawn."""
    pages = module().page_convolution_layer, module().page_pooling_max
    draw, whole = stream.standard_normal, stream.integers
    size, stride, dilation = (tuple(whole(1, 4, 2).tolist()) for _ in range(3))
    around = tuple(map(tuple, whole(0, 3, (2, 2)).tolist()))
    padding = ["valid", "same", around][whole(3)]
    groups = int(whole(1, 3))
    x, W = draw((2, 7, 8, 2 * groups)), draw((*size, 2, 3 * groups))
    steps = (stride, padding, dilation, groups)
    delta = draw(pages[0].conv2d(x, W, np.zeros(3 * groups), *steps).shape)
    typed = dict(zip(("stride", "padding", "dilation", "groups"), steps, strict=True))
    typed = {name: str(value) for name, value in typed.items()}
    right = pages[0].conv2d_backward(delta, x, W, *steps)
    for of, gradient in zip(("dx", "dW", "db"), right, strict=True):
        yield "conv2d", of, {"x": x, "W": W, "delta": delta}, typed, gradient
    x, padding = np.round(x), padding if padding != around else "same"  # ties
    x[0, 2, 3], x[1, 4, 5] = np.nan, -np.inf
    if stride[0] % 2:
        stride = None
    delta = draw(pages[1].max_pool(x, size, stride, padding).shape)
    arrays, given = {"x": x, "delta": delta}, (delta, x, size, stride, padding)
    typed = {"size": str(size), "stride": str(stride or "")}
    typed["padding"] = padding.replace("same", "ＳＡＭＥ")
    yield "max_pool", "dx", arrays, typed, pages[1].max_pool_backward(*given)
    average = module().page_pooling_average.avg_pool_backward
    yield "avg_pool", "dx", arrays, typed, average(*given)
    yield "avg_pool_padded", "dx", arrays, typed, average(*given, True)


def test_the_reference_of_a_layer_is_what_the_book_gives():
    cases = list(layer_cases())
    assert {name for name, *_ in cases} == {*boxes.LAYERS}
    rows = [
        [
            "layer",
            name,
            of,
            {n: text(a) for n, a in arrays.items()},
            boxes.SETTINGS | typed,
        ]
        for name, of, arrays, typed, _ in cases
    ]
    for row, (*_, right), found in zip(rows, cases, asked(rows), strict=True):
        assert found.get("shape") == list(right.shape), (row, found)
        data = np.array(found["data"], float).reshape(right.shape)
        np.testing.assert_allclose(data, right, 1e-12, 1e-12, err_msg=str(row))


def test_a_pool_has_no_dilation():
    """Though a convolution had, before another layer was chosen."""
    texts = {"x": text(np.arange(36.0).reshape(6, 6)), "delta": text(np.ones((3, 3)))}
    typed = [boxes.SETTINGS | {"dilation": dilation} for dilation in ("1", "2", "0")]
    for layer in ("max_pool", "avg_pool", "avg_pool_padded"):
        found = asked([["layer", layer, "dx", texts, settings] for settings in typed])
        assert found[0]["shape"] == [6, 6]
        assert found == 3 * found[:1]


def test_an_image_without_channels_is_one_example():
    stream = np.random.default_rng(8)
    x, W, delta = (stream.standard_normal(n) for n in [(5, 6), (2, 3), (4, 4)])
    given = {"x": x, "W": W, "delta": delta}
    lifted = [delta[None, ..., None], x[None, ..., None], W[..., None, None]]
    right = module().page_convolution_layer.conv2d_backward(*lifted)
    texts = {name: text(array) for name, array in given.items()}
    rows = [["layer", "conv2d", of, texts, boxes.SETTINGS] for of in ("dx", "dW", "db")]
    for found, gradient, shape in zip(
        asked(rows), right, ([5, 6], [2, 3], []), strict=True
    ):
        assert found["shape"] == shape
        np.testing.assert_allclose(np.array(found["data"], float), gradient.ravel())


@pytest.mark.parametrize(
    ("layer", "shapes", "typed", "message"),
    [
        ("dense dW", {"x": (4, 3)}, {}, "delta: (5, 5) (4, 5) fits"),
        ("dense dx", {"W": (3, 4)}, {}, "W: (3, 4) (3, 5) fits"),
        ("dense dx", {"W": (3,)}, {}, "W: (3,) 2 axes"),
        ("softmax dz", {"z": (2, 3)}, {}, "delta: (5, 5) (2, 3) fits"),
        ("conv2d dx", {"x": (5,)}, {}, "x: (5,) 4 axes"),
        ("conv2d dx", {"W": (9, 2)}, {}, "W: 9 6 large"),
        ("conv2d dW", {}, {"stride": "2"}, "delta: (1, 5, 5, 1) (1, 3, 3, 1) fits"),
        ("conv2d dW", {"W": (2, 2, 2, 1)}, {}, "W: (2, 2, 2, 1) (2, 2, 1, 1) fits"),
        ("conv2d dW", {}, {"groups": "2"}, "groups: 2 1 1 groups"),
        ("conv2d dW", {}, {"stride": "0"}, "stride: 0 setting"),
        ("conv2d dW", {}, {"stride": "1 2 3"}, "stride: 1 2 3 setting"),
        ("conv2d dW", {}, {"stride": "two"}, "stride: two setting"),
        ("conv2d dW", {}, {"padding": "full"}, "padding: full setting"),
        ("conv2d dW", {}, {"padding": "1 2"}, "padding: 1 2 setting"),
        ("conv2d dW", {}, {"padding": "1000000000"}, "padding: 1000000000 setting"),
        ("conv2d dW", {}, {"dilation": ""}, "dilation:  setting"),
        ("max_pool dx", {}, {"padding": "2"}, "padding: (2, 2) unseen"),
        ("avg_pool dx", {}, {"size": "7"}, "size: 7 6 large"),
    ],
)
def test_what_makes_no_layer_is_refused(layer, shapes, typed, message):
    shapes = {"x": (6, 6), "W": (2, 2), "delta": (5, 5)} | shapes
    texts = {name: text(np.ones(shape)) for name, shape in shapes.items()}
    (found,) = asked([["layer", *layer.split(), texts, boxes.SETTINGS | typed]])
    told = " ".join(map(str, found["values"]))
    assert f"{found['box']}: {told} {found['word']}" == message


# --- The form --------------------------------------------------------------------

CODES = {name: (ROOT / "docs" / name).read_text("utf-8") for name in boxes.SCRIPTS[1:]}


def test_the_words_are_those_that_the_scripts_say():
    code = "".join(CODES.values())
    used = re.findall(r'(?:refuse\(|amiss\([^,]+, |this\.say\()"(\w+)"', code)
    assert {*used} < {*SAID["en"]}
    assert not [word for word in SAID["en"] if f'"{word}"' not in code]


def test_what_the_page_loads_is_small():
    files = [ROOT / "docs" / boxes.STYLES, *paths(), ROOT / "docs" / boxes.SCRIPTS[-1]]
    assert sum(len(gzip.compress(file.read_bytes(), 9)) for file in files) < 17_500


def html(language: str) -> str:
    """A page that has the boxes alone."""
    styles = ["assets/figures.css", boxes.STYLES]
    return alone(boxes.html(language), language, styles, boxes.SCRIPTS)


@pytest.fixture
def reader(browser: Browser, request) -> Iterator[Page]:
    options = {"viewport": WIDE, **getattr(request, "param", {})}
    yield from faultless(browser, **options)


@pytest.fixture
def show(reader: Page) -> Callable[[str], Page]:
    def open_(language: str) -> Page:
        def answer(route: Route) -> None:
            name = urlsplit(route.request.url).path[1:]
            if not name:
                page = html(language)
                route.fulfill(body=page, content_type="text/html; charset=utf-8")
            else:
                ours = name != boxes.SCRIPTS[0]
                file = ROOT / "docs" / name if ours else SCRIPTS["arithmetic"]
                route.fulfill(path=file)

        reader.route("**", answer)
        reader.goto(HOST)
        return reader

    return open_


def said(sentence: str, language: str) -> str:
    return module().CHINESE[sentence] if language == "zh" else sentence


def compare(page: Page) -> None:
    page.locator("button:not([type])").click()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("name", "mistake", "values"),
    [
        ("turned", "flipped on axes {} and {} (rot180)", (0, 1)),
        ("derivative", "right where reference ≠ 0, wrong elsewhere (σ' missing)", ()),
        ("mean", "mine = {}", ("reference / 3",)),
    ],
)
def test_an_example_is_one_button(show, language, name, mistake, values):
    page, asked = show(language), []
    page.on("request", lambda request: asked.append(request.url))
    page.locator(f"[data-example={name}]").click()
    likely = said("likely  {}", language).format(
        said(mistake, language).format(*values)
    )
    expect(page.get_by_role("status")).to_contain_text(likely)
    assert not asked  # nothing is sent anywhere
    assert {*boxes.examples()} == {"turned", "derivative", "mean"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_line_beside_the_box_says_what_is_wrong_and_where(show, language):
    page = show(language)
    given = "[[1, 2],\n [3, oops]]"
    page.locator("#check-reference").fill(given)
    page.locator("#check-mine").fill("[1, 2]")
    compare(page)
    box = page.locator("[data-box=reference]")
    words = SAID[language]["number"].format("oops")
    words = SAID[language]["at"].format(2, 6, words)
    expect(box.locator(".refusal")).to_have_text(words)
    expect(box.locator("textarea")).to_be_focused()
    expect(box.locator("textarea")).to_have_accessible_description(words)
    chosen = "({ selectionStart, selectionEnd }) => [selectionStart, selectionEnd]"
    start, end = box.locator("textarea").evaluate(chosen)
    assert given[start:end] == "oops"
    expect(page.get_by_role("status")).to_have_text("")
    box.locator("textarea").press("1")  # in its place
    expect(box.locator(".refusal")).to_have_text("")
    box.locator("[data-shape]").fill("3, 3")
    compare(page)
    words = SAID[language]["fill"].format(4, "(3, 3)", 9)
    expect(box.locator(".refusal")).to_have_text(words)


@pytest.mark.parametrize(
    ("setting", "typed", "message"),
    [
        ("rtol", "1", "rtol: 1 is no number from 0 to below 1."),
        ("rtol", "", "rtol:  is no number from 0 to below 1."),
        ("error", "-1", "error: -1 is no number from 0."),
        ("error", "Infinity", "error: Infinity is no number from 0."),
        ("stride", "two", "stride: two is no such setting"),
    ],
)
def test_a_setting_that_is_none_is_refused(show, setting, typed, message):
    page = show("en")
    page.locator("[name=layer]").select_option("conv2d")
    for name in ("mine", "x", "W", "delta"):
        page.locator(f"#check-{name}").fill("[[1, 2], [3, 4]]")
    field = page.locator(f"[name={setting}]")
    field.fill(typed)
    field.press("Enter")
    expect(page.locator("#check-settings-refusal")).to_contain_text(message)
    expect(field).to_be_focused()


def test_a_layer_asks_for_what_it_was_given_and_no_more(show):
    page = show("zh")
    seen = set()
    for layer in ("", *boxes.LAYERS):
        page.locator("[name=layer]").select_option(layer)
        table = page.evaluate("(name) => layers[name]", layer) or {
            "of": {"": ["reference"]}
        }
        for of, wanted in table["of"].items():
            if of:
                page.locator("[name=of]").select_option(of)
            expect(page.locator("[data-box]:visible")).to_have_count(1 + len(wanted))
            for name in ("mine", *wanted):
                expect(page.locator(f"#check-{name}")).to_be_visible()
            settings = ["rtol", "error", *table.get("settings", [])]
            shown = page.locator(
                "label:not([data-setting=of]) > [name]:not(select):visible"
            )
            assert {
                shown.nth(n).get_attribute("name") for n in range(shown.count())
            } == {*settings}
            seen |= {*wanted, *settings}
    assert seen == {*boxes.BOXES, *boxes.SETTINGS} - {"mine"}


def test_a_tolerance_and_an_error_count(show):
    page = show("en")
    page.locator("#check-mine").fill("[1.0, 2.0]")
    page.locator("#check-reference").fill("[1.0, 2.001]")
    for name, value, equal in [
        ("rtol", "1e-6", 0),
        ("rtol", "1e-2", 1),
        ("error", "0.01", 1),
        ("error", "０．０１", 1),
    ]:
        page.locator("[name=rtol]").fill("1e-6")
        page.locator(f"[name={name}]").fill(value)
        compare(page)
        told = page.get_by_role("status").text_content()
        assert ("equal" in told) == bool(equal)


@pytest.mark.parametrize("reader", [{"viewport": PHONE}], indirect=True)
def test_it_fits_on_a_phone(show):
    page = show("en")
    for layer in ("", *boxes.LAYERS):
        page.locator("[name=layer]").select_option(layer)
        wide = "document.documentElement.scrollWidth - innerWidth"
        assert page.evaluate(wide) <= 0
    page.locator("[data-example=mean]").click()
    expect(page.get_by_role("status")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(
    "reader", [{"viewport": PHONE | {"height": 400}}], indirect=True
)
def test_the_report_comes_into_view(show):
    page = show("zh")
    page.locator("[data-example=turned]").click()
    expect(page.get_by_role("status")).to_be_in_viewport(ratio=0.99)
    page.evaluate("scrollTo(0, 0)")
    expect(page.get_by_role("status")).not_to_be_in_viewport()
    page.locator("[name=rtol]").press("Enter")
    expect(page.get_by_role("status")).to_be_in_viewport(ratio=0.99)


@pytest.mark.parametrize("reader", [{"java_script_enabled": False}], indirect=True)
def test_without_scripts_a_line_says_why_there_is_nothing(show):
    expect(show("en").locator("check-explorer")).to_contain_text("where scripts run")
