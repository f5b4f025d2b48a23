"""The boxes of the page "Check your gradient": check_gradient in a browser.

Its rules are written once more in assets/check_gradient/; tests/test_boxes.py holds the
two together. The sentences of a report are those of the session, and in Chinese come
from its table; boxes.toml has what the form says, and boxes.html has its parts.
"""

import ast
import json
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from book import checker, sessions
from book.explorer import ASSETS, words_of
from book.figures import Array, written

PLACE = "<!-- check_gradient -->"
HERE = Path(__file__).parent
FOLDER = "assets/check_gradient"
# What a page loads, in this order; the first is that of the explorers.
SCRIPTS = [
    f"{ASSETS}/arithmetic.js",
    *(f"{FOLDER}/{name}.js" for name in ("arrays", "read", "layers", "report", "form")),
]
STYLES = f"{FOLDER}/form.css"
BOXES = ["mine", "reference", "x", "W", "z", "y", "delta"]
LAYERS = ["dense", "conv2d", "max_pool", "avg_pool", "avg_pool_padded"]
LAYERS += ["softmax", "cross_entropy"]
# With what stands there first.
SETTINGS = {"size": "2", "stride": "", "padding": "valid", "dilation": "1"}
SETTINGS |= {"groups": "1", "rtol": "1e-6", "error": "0"}


def html(language: str) -> str:
    """The form. Raises Mistake or BadSession where what it is made of is at fault."""
    words = words_of(HERE / "boxes.toml")[language]
    told = {"said": words["said"], "examples": examples()}
    if language == "zh":
        told["table"] = chinese()
    text = json.dumps(told, ensure_ascii=False).replace("<", "\\u003c")
    environment = Environment(
        loader=FileSystemLoader(HERE), undefined=StrictUndefined, autoescape=True
    )
    return environment.get_template("boxes.html").render(
        w=words,
        told=text,
        boxes=BOXES,
        layers=LAYERS,
        settings=SETTINGS,
        examples=[*told["examples"]],
    )


def chinese() -> dict[str, str]:
    """The session's table: English sentence -> Chinese one."""
    (block,) = sessions.parse(checker.PAGE).of("chinese")
    (table,) = ast.parse(block.code).body
    return ast.literal_eval(table.value)


def examples() -> dict[str, dict[str, str]]:
    """Arrays of the page, in some of the ways in which a reader may have them."""
    dl_dW = written("check:flipped", "dl_dW")
    dl_da, z = written("check:derivative", "dl_da1"), written("check:derivative", "z1")
    x, delta = written("check:tape", "x"), written("check:tape", "delta")
    return {
        "turned": {"mine": str(dl_dW[::-1, ::-1]), "reference": as_list(dl_dW)},
        "derivative": {"mine": as_list(dl_da), "reference": repr(dl_da * (z > 0))},
        "mean": {
            "mine": as_list(x.T @ delta / len(x)),
            "x": str(x),
            "delta": as_list(delta),
            "layer": "dense",
            "of": "dW",
        },
    }


def as_list(array: Array) -> str:
    return "],\n ".join(str(np.asarray(array).tolist()).split("], "))
