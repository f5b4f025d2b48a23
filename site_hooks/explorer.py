"""MkDocs hook: ![what is to be seen](explorer:conv?S=2&x=setup) becomes an explorer.

What follows the question mark is the first setting. An array is written out, 1+2_3+4,
or read from the session of the page: the array that the section setup prints
(setup.1: the second), or the variable that it writes out in its code (setup.W1).
Without JavaScript a figure of these numbers stays.
"""

import html as markup
import os
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import figures
import numpy as np
from figures import Panel
from jinja2 import Environment, FileSystemLoader
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

ALONE = re.compile(r'<p>\s*<img alt="([^"]*)" src="explorer:([^"]*)" */?>\s*</p>')
ANYWHERE = re.compile(r'<img [^>]*src="explorer:([^"]*)"[^>]*>')
ARRAYS = {"x", "W", "b", "delta", "z", "y"}
# It compiles the template once, and again where the file has changed.
ENVIRONMENT = Environment(loader=FileSystemLoader(Path(__file__).parent))
# In the order in which they build on each other.
SCRIPTS = ["arithmetic", "grid", "explorer"]
HATCHES = [
    ("lit", "figure-window", 0.12, "M-1 1l2-2M0 6l6-6M5 7l2-2"),
    ("chosen", "figure-result", 0.15, "M-1 5l2 2M0 0l6 6M5-1l2 2"),
    ("unread", "md-default-fg-color", 0.04, "M1 1.5h1.5M4 4.5h1.5"),
]

Array = np.ndarray

SELECTED = r"[p = Si+Du-P]\,[q = Sj+Dv-P']"
FORMULAS = {
    "conv": {
        "z": r"z_{i,j} = \sum_{u,v} x_{p,q}\, W_{u,v} + b, \quad "
        r"p = Si+Du-P, \; q = Sj+Dv-P'",
        "dx": r"\frac{\partial \ell}{\partial x_{p,q}} = "
        rf"\sum_{{i,j,u,v}} \delta_{{i,j}}\, W_{{u,v}}\, {SELECTED}",
        "dW": r"\frac{\partial \ell}{\partial W_{u,v}} = \sum_{i,j} \delta_{i,j}\, "
        r"x_{p,q}, \quad p = Si+Du-P, \; q = Sj+Dv-P'",
        "db": r"\frac{\partial \ell}{\partial b} = \sum_{i,j} \delta_{i,j}",
    },
    "pool": {
        "z-max": r"z_{i,j} = \max_{u,v}\, a_{Si+u-P,\,Sj+v-P'}",
        "z-mean": r"z_{i,j} = \frac{1}{n_{i,j}} \sum_{u,v} a_{Si+u-P,\,Sj+v-P'}",
        "dx-max": r"\frac{\partial \ell}{\partial a_{p,q}} = "
        r"\sum_{i,j} \delta_{i,j}\, [\pi_{i,j} = (p,q)]",
        "dx-mean": r"\frac{\partial \ell}{\partial a_{p,q}} = \sum_{i,j} "
        r"\frac{\delta_{i,j}}{n_{i,j}}\, [0 \le p+P-Si < K]\,[0 \le q+P'-Sj < K]",
    },
    "softmax": {
        "a": r"a_j = \frac{e^{z_j}}{\sum_k e^{z_k}}",
        "J": r"\frac{\partial a_i}{\partial z_j} = a_i\,([i=j] - a_j)",
        "dz": r"\frac{\partial \ell}{\partial z_j} = a_j \sum_k y_k - y_j",
    },
}

# What stands on the page from the start, and (said) what the scripts say; each {}
# becomes a number or a place.
WORDS: dict[str, dict] = {
    "en": {
        "conv": "Explorer: convolution",
        "pool": "Explorer: pooling",
        "softmax": "Explorer: softmax and cross-entropy",
        "help": "Point at a cell of an orange panel, or tap it: all that it is made of "
        "lights up. A click pins it. Numbers with a dotted line below can be edited.",
        "drag": "Drag z or y; point at a cell of an orange panel, or tap it, to see "
        "how it comes about. A click pins it.",
        "size": "input",
        "kernel": "kernel",
        "stride": "stride",
        "dilation": "dilation",
        "window": "window",
        "padding": "padding",
        "sides": "each side",
        "four": ["top", "bottom", "left", "right"],
        "numbers": "numbers",
        "reset": "page’s numbers",
        "integers": "small integers",
        "random": "random",
        "forward": "Forward",
        "to_kernel": "Backward: kernel and bias",
        "to_input": "Backward: input",
        "backward": "Backward",
        "gradient": "Gradient of the loss",
        "average": "average pooling",
        "relu": "ReLU before it",
        "logits": "logits",
        "labels": "labels",
        "slide": "slide over",
        "play": "play",
        "step": "step",
        "speed": "speed",
        "check": "check",
        "formula": "The sum, written out",
        "row": "row",
        "column": "column",
        "put": "zero put in",
        "up": "δ, dilated and padded",
        "said": {
            "play": "play",
            "pause": "pause",
            "number": "A number between −9999 and 9999 is wanted, such as −0.5. "
            "The old one stays.",
            "whole": "A whole number from {} to {} is wanted.",
            "fits": "A kernel that spans {} does not fit into {}.",
            "shape": "These values do not fit together.",
            "address": "The address asks for what cannot be shown: {} This is the "
            "page’s own case.",
            "leftover": "Dotted (rows: {}; columns: {}): left over. The last window "
            "ends before them, so their gradient is 0.",
            "gaps": "Dotted (rows: {}; columns: {}): in the gaps between windows, "
            "since S > K. Their gradient is 0.",
            "skipped": "Dotted (rows: {}; columns: {}): every dilated window steps "
            "over them. Their gradient is 0.",
            "empty": "No product: ℓ does not depend on it.",
            "padded": "Left out: the {} products with a zero of the padding.",
            "inserted": "Left out: the {} products with a zero put in.",
            "compared": "central difference {}, formula {}",
            "first": "{}: the first of the largest, in reading order.",
            "tie": "Window ({}): {} entries are equal and largest. The first of them, "
            "in reading order, receives the whole δ.",
            "dead": "Window ({}): no entry is above 0. Its δ ends at a ReLU that is "
            "off, because σ′ = 0.",
            "overlap": "{} windows have their maximum here (or share it): their δ "
            "add up.",
            "nobody": "No window takes its value from here.",
            "share": "Average: every entry of a window receives the same share of δ.",
            "off": "z ≤ 0 here, so σ′ = 0.",
            "one": "Σy = {}: the labels sum to 1, and a Σy − y equals a − y.",
            "many": "Σy = {}, not 1: the gradient is a Σy − y, and a − y is off by "
            "a (Σy − 1). Only the entries of the first sum to 0.",
        },
    },
    "zh": {
        "conv": "交互演示：卷积",
        "pool": "交互演示：池化",
        "softmax": "交互演示：softmax 与交叉熵",
        "help": "指向（或点按）橙色数组中的一格，参与计算的数就会亮起；单击可以固定。"
        "下面有点线的数可以修改。",
        "drag": "拖动 z 或 y；指向（或点按）橙色数组中的一格，就能看到它怎样得来；"
        "单击可以固定。",
        "size": "输入",
        "kernel": "卷积核",
        "stride": "步幅",
        "dilation": "膨胀率",
        "window": "窗口",
        "padding": "填充",
        "sides": "逐边指定",
        "four": ["上", "下", "左", "右"],
        "numbers": "数值",
        "reset": "本页的数",
        "integers": "小整数",
        "random": "随机数",
        "forward": "前向传播",
        "to_kernel": "反向传播：卷积核与偏置",
        "to_input": "反向传播：输入",
        "backward": "反向传播",
        "gradient": "损失的梯度",
        "average": "平均池化",
        "relu": "前面有 ReLU",
        "logits": "logits",
        "labels": "标签",
        "slide": "逐格滑动",
        "play": "播放",
        "step": "下一格",
        "speed": "速度",
        "check": "验证",
        "formula": "展开的和式",
        "row": "行",
        "column": "列",
        "put": "填入的零",
        "up": "膨胀并填充后的 δ",
        "said": {
            "play": "播放",
            "pause": "暂停",
            "number": "请输入 −9999 到 9999 之间的数，例如 −0.5。原来的数不变。",
            "whole": "请输入 {} 到 {} 之间的整数。",
            "fits": "卷积核跨 {} 格，而这里只有 {} 格，放不下。",
            "shape": "这些值互不相符。",
            "address": "网址里的设置无法显示：{} 现在显示的是本页自己的例子。",
            "leftover": "打点处（行：{}；列：{}）是剩余的部分，最后一个窗口够不到，"
            "梯度为 0。",
            "gaps": "打点处（行：{}；列：{}）落在相邻窗口的空隙里（S > K），梯度为 0。",
            "skipped": "打点处（行：{}；列：{}）被膨胀后的每个窗口跨过，梯度为 0。",
            "empty": "没有乘积：ℓ 与它无关。",
            "padded": "略去与填充的零相乘的 {} 项。",
            "inserted": "略去与填入的零相乘的 {} 项。",
            "compared": "中心差分 {}，公式 {}",
            "first": "{} 是最大值（若有并列，取行优先次序的第一个）。",
            "tie": "窗口 ({}) 有 {} 个并列最大值，δ 全部给行优先次序的第一个。",
            "dead": "窗口 ({}) 没有大于 0 的元素，δ 传到没有激活的 ReLU，乘以 σ′ = 0。",
            "overlap": "有 {} 个窗口取值于此，它们的 δ 相加。",
            "nobody": "没有窗口取值于此。",
            "share": "平均池化：窗口里的每个元素分得同样多的 δ。",
            "off": "这里 z ≤ 0，所以 σ′ = 0。",
            "one": "Σy = {}：标签之和为 1，a Σy − y 等于 a − y。",
            "many": "Σy = {}，不等于 1：梯度是 a Σy − y，a − y 与它相差 a (Σy − 1)。"
            "各分量之和为 0 的只有 a Σy − y。",
        },
    },
}


# --- The page ----------------------------------------------------------------


def on_page_content(html: str, page: Page, config: MkDocsConfig, **_: object) -> str:
    found: set[str] = set()

    def replace(match: re.Match[str]) -> str:
        alternative, query = match[1], markup.unescape(match[2])
        kind, _, settings = query.partition("?")
        try:
            if kind not in FORMULAS:
                raise ValueError(f"no such explorer; there are {', '.join(FORMULAS)}")
            if kind in found:
                raise ValueError("a page has room in its address for one of a kind")
            found.add(kind)
            language = str(config.theme["language"])
            session = page.file.src_uri.removeprefix(f"{language}/")
            return explorer(kind, settings, alternative, language, session)
        except (figures.SessionError, ValueError) as error:
            raise PluginError(f"{_place(page)}: explorer:{query}: {error}") from None

    html = ALONE.sub(replace, html)
    if left := ANYWHERE.search(html):
        raise PluginError(
            f"{_place(page)}: explorer:{left[1]}: it must stand alone in its "
            "paragraph, without a title"
        )
    return html


def on_post_page(output: str, page: Page, **_: object) -> str:
    """The scripts and styles, only where they are used."""
    kinds = [kind for kind in FORMULAS if f"<{kind}-explorer" in output]
    if not kinds:
        return output

    def url(name: str) -> str:
        return get_relative_url(f"assets/explorer/{name}", page.url)

    head = f'<link rel="stylesheet" href="{url("explorer.css")}">' + "".join(
        f'<script src="{url(f"{name}.js")}" defer></script>' for name in SCRIPTS
    )
    return output.replace("</head>", f"{head}</head>", 1)


def explorer(
    kind: str, settings: str, alternative: str, language: str, session: str
) -> str:
    """Raises ValueError where the page is at fault, SessionError where a session is."""
    if not alternative.strip():
        raise ValueError("the text alternative is empty")
    given = dict(parse_qsl(settings, strict_parsing=True))
    arrays = {
        name: _array(value, session).round(4)
        for name, value in given.items()
        if name in ARRAYS
    }
    given |= {name: text_of(array) for name, array in arrays.items()}
    static = figures.drawn(
        STATIC[kind](given, arrays), f"explorer-{kind}", markup.unescape(alternative)
    )
    return (
        f'<{kind}-explorer id="{kind}-explorer" data-search-exclude="" '
        f'data-start="{markup.escape(urlencode(given))}">'
        f"{static}{template(kind, language, arrays)}</{kind}-explorer>"
    )


def template(kind: str, language: str, arrays: dict[str, Array]) -> str:
    words = WORDS[language]
    return ENVIRONMENT.get_template("explorer.html").render(
        **{"w": words, "classes": arrays.get("z", np.zeros(0)).size},
        **{"kind": kind, "title": words[kind], "said": words["said"]},
        **{"formulas": FORMULAS[kind], "hatches": HATCHES},
    )


def _place(page: Page) -> str:
    return os.path.relpath(page.file.abs_src_path)


# --- The first setting -------------------------------------------------------


def _array(value: str, session: str) -> Array:
    """Rows that are written out, or that a session holds."""
    if not value[0].isalpha():
        return np.array([row.split() for row in value.split("_")], dtype=float)
    section, _, which = value.partition(".")
    if ":" not in section:  # else of another page: cnn/forward:setup
        section = f"{session.removesuffix('.md')}:{section}"
    if which and not which.isdigit():
        return np.atleast_2d(figures.written(section, which))
    return figures.printed(section, nth=int(which or 0))


def text_of(array: Array) -> str:
    """As docs/assets/explorer/explorer.js reads it: 4 decimals, as the pages print."""
    return "_".join(
        " ".join(f"{value:.4f}".rstrip("0").rstrip(".") for value in row)
        for row in array + 0.0
    )


# --- Without JavaScript ------------------------------------------------------


def _conv(given: dict[str, str], arrays: dict[str, Array]) -> list:
    """x ⋆ W + b = z, and both gradients, added up window by window."""
    missing = {"x", "W", "delta"} - set(arrays)
    if missing:
        raise ValueError(f"it lacks {', '.join(sorted(missing))}")
    x, W, delta = arrays["x"], arrays["W"], arrays["delta"]
    stride, dilation = int(given.get("S", 1)), int(given.get("D", 1))
    span = dilation * (np.array(W.shape) - 1) + 1
    mode = given.get("P", "valid")
    padding = np.zeros((2, 2), dtype=int)
    if mode == "same":
        steps = -(-np.array(x.shape) // stride) - 1
        total = np.maximum(steps * stride + span - x.shape, 0)
        padding = np.stack([total // 2, total - total // 2], axis=1)
    elif mode == "sides":
        padding = np.array(given["sides"].split("."), dtype=int).reshape(2, 2)
    padded = np.pad(x, padding)
    outputs = tuple(((np.array(padded.shape) - span) // stride + 1).tolist())
    if outputs != delta.shape:
        raise ValueError(f"δ is {delta.shape}, z is {outputs}")
    z, dx, dW = np.zeros(outputs), np.zeros(padded.shape), np.zeros(W.shape)
    for i, j in np.ndindex(outputs):
        rows, columns = (
            slice(stride * k, stride * k + length, dilation)
            for k, length in zip((i, j), span, strict=True)
        )
        z[i, j] = np.sum(padded[rows, columns] * W) + arrays.get("b", np.zeros(1)).sum()
        dx[rows, columns] += delta[i, j] * W
        dW += delta[i, j] * padded[rows, columns]
    inserted = np.pad(np.zeros(x.shape), padding, constant_values=1) > 0
    (top, _), (left, _) = padding
    dx = dx[top : top + x.shape[0], left : left + x.shape[1]]
    return [
        *(Panel("x", padded, inserted=inserted), r"\star", Panel("W", W)),
        *("=", Panel("z", z), ";", Panel(r"\delta", delta), r"\rightarrow"),
        *(Panel(r"\tfrac{\partial \ell}{\partial x}", dx), ","),
        Panel(r"\tfrac{\partial \ell}{\partial W}", dW),
    ]


def _pool(given: dict[str, str], arrays: dict[str, Array]) -> list:
    x, delta = arrays["x"], arrays["delta"]
    size, stride = int(given.get("K", 2)), int(given.get("S", 2))
    a = np.maximum(x, 0) if given.get("relu") == "true" else x
    z, dx = np.zeros(delta.shape), np.zeros(x.shape)
    for i, j in np.ndindex(delta.shape):
        top, left = stride * i, stride * j
        window = a[top : top + size, left : left + size]
        row, column = np.unravel_index(window.argmax(), window.shape)
        z[i, j] = window[row, column]
        dx[top + row, left + column] += delta[i, j]
    return [
        *(Panel("a^{l-1}", a), r"\rightarrow", Panel("z^{l}", z)),
        *(";", Panel(r"\delta^{l}", delta), r"\rightarrow"),
        Panel(r"\tfrac{\partial \ell}{\partial a^{l-1}}", dx),
    ]


def _softmax(given: dict[str, str], arrays: dict[str, Array]) -> list:
    z, y = arrays["z"], arrays["y"]
    a = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    return [
        *(Panel("z", z), r"\rightarrow", Panel("a", a), ",", Panel("y", y)),
        r"\rightarrow",
        Panel(r"\tfrac{\partial \ell}{\partial z}", a * y.sum() - y),
        ",",
        Panel(r"\tfrac{\partial a}{\partial z}", np.diag(a[0]) - np.outer(a[0], a[0])),
    ]


STATIC = {"conv": _conv, "pool": _pool, "softmax": _softmax}
