"""Explorers alone on a page, and what is to be seen of them there."""

import json
import re
import string
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route

from book.explorer import Array, Explorers
from book.pages import ROOT

LETTERS = string.ascii_lowercase + string.ascii_uppercase
FOLDER = ROOT / "explorers"
EXPLORERS = Explorers(FOLDER)
HOST = "http://explorers"


# --- A page of explorers -----------------------------------------------------


def html(
    query: str, language: str, session: str, explorers: Explorers = EXPLORERS
) -> str:
    """A page with one explorer, and the scripts of its kind."""
    styles, *scripts = explorers.files([query.partition("?")[0]])
    shown = explorers.html(query, "what is to be seen", language, session)
    return alone(shown, language, ["figures.css", styles], scripts)


def alone(body: str, language: str, styles: list[str], scripts: list[str]) -> str:
    """A page of nothing else, and what it loads."""
    return "".join(
        [
            f'<!doctype html><html lang="{language}"><link rel="icon" href="data:,">',
            *(f'<link rel="stylesheet" href="/{name}">' for name in styles),
            *(f'<script src="/{name}" defer></script>' for name in scripts),
            f'<body class="md-typeset">{body}',
        ]
    )


def faultless(browser: Browser, **options: Any) -> Iterator[Page]:
    """A page, and at the end no error on it."""
    context = browser.new_context(**options)
    page, amiss = context.new_page(), []
    page.on("console", lambda said: said.type == "error" and amiss.append(said.text))
    page.on("pageerror", lambda error: amiss.append(str(error)))
    yield page
    context.close()
    assert not amiss


def serve(context: BrowserContext, page: str, explorers: Explorers) -> None:
    """A page at HOST, and beside it what it loads."""

    def answer(route: Route) -> None:
        name = urlsplit(route.request.url).path[1:]
        if not name:
            route.fulfill(body=page, content_type="text/html; charset=utf-8")
        elif name == "figures.css":
            route.fulfill(path=ROOT / "docs" / "assets" / name)
        else:
            kind = "text/css" if name.endswith(".css") else "text/javascript"
            route.fulfill(body=explorers.loaded(name), content_type=kind)

    context.route(f"{HOST}/**", answer)


def evaluator(page: Page) -> Callable[[str, Any], Any]:
    """Calls a function of the page; as text, its argument and result travel faster."""

    def evaluate(function: str, argument: Any) -> Any:
        text = json.dumps(argument, default=np.ndarray.tolist)
        called = f"(text) => JSON.stringify(({function})(JSON.parse(text)))"
        return json.loads(page.evaluate(called, text))

    return evaluate


# --- What is to be seen ------------------------------------------------------

# Of an explorer in many settings, one after the other; or only in its own. It points at
# every cell that can be picked, and where there is something to check, checks it.
LOOK = """(element, settings) => {
    const all = (selector, root = element) => [...root.querySelectorAll(selector)];
    const texts = (selector) => all(selector).map((part) => part.textContent);
    const panels = all("[data-grid]");
    const by = (value) => Object.fromEntries(panels.map((panel) =>
        [panel.dataset.grid, value(panel)]));
    const at = (cells) => cells.map((cell) => cell.dataset.at);
    const plain = (text) => text.replace(/[₀-₉]/g,
        (digit) => "₀₁₂₃₄₅₆₇₈₉".indexOf(digit));
    // A label has all digits.
    const exact = (cell) =>
        cell.getAttribute("aria-label")?.split(": ")[1] ?? cell.textContent;
    const look = () => {
        const middles = by((panel) => all(".cell", panel).map((cell) => {
            const { x, y, width, height } = cell.querySelector("rect").getBBox();
            return [cell, new DOMPoint(x + width / 2, y + height / 2)];
        }));
        // What is drawn: the cells whose middle is inside.
        const inside = (panel, mark) => {
            const path = panel.querySelector(`path.${mark}`);
            const drawn = path.getAttribute("d") ? middles[panel.dataset.grid] : [];
            return at(drawn.filter(([_, middle]) => path.isPointInFill(middle))
                .map(([cell]) => cell));
        };
        const check = element.querySelector("[data-do=check]");
        const lines = (nth) => all(".term").map(({ lastChild }) =>
            plain(lastChild.nodeValue.split("\\n")[nth].trim()));
        // The letter of each product, and where each panel has it.
        const letters = (panel) => {
            const text = panel.querySelector(".marks text");
            const [x, y] = ["x", "y"].map((name) =>
                text.getAttribute(name)?.split(" ").map(Number));
            return Object.fromEntries([...text.textContent].map((letter, at) => {
                const { cell } = middles[panel.dataset.grid].map(([cell, middle]) =>
                    ({ cell, far: Math.hypot(middle.x - x[at], middle.y - y[at]) }))
                    .sort((a, b) => a.far - b.far)[0];
                return [letter, cell.dataset.at];
            }));
        };
        const cells = all(".picks .cell").map((cell) => {
            cell.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
            element.complete();
            check.click();
            return {
                panel: cell.closest("[data-grid]").dataset.grid,
                at: cell.dataset.at,
                label: cell.getAttribute("aria-label"),
                symbols: lines(0),
                numbers: lines(1),
                value: texts(".value")[0],
                written: texts(".written")[0],
                letters: texts(".term b"),
                lettered: by(letters),
                twin: by((panel) => inside(panel, "twin")),
                chosen: panels.flatMap((panel) => inside(panel, "chosen")),
                selected: at(all("[aria-selected=true]")),
                lit: by((panel) => ["lit", 0, 1, 2, 3].flatMap((mark) =>
                    inside(panel, mark === "lit" ? mark : `pair${mark}`))),
                compared: element.querySelector("output").textContent,
            };
        });
        return {
            settings: element.settings(),
            arrays: by((panel) => all("svg.array > g", panel).map((row) =>
                [...row.children].map(exact))),
            marked: Object.fromEntries(["unread", "first"].map((mark) =>
                [mark, by((panel) => at(all(`.${mark}`, panel)))])),
            notes: texts(".notes li"),
            refusals: texts(".refusal").filter(Boolean),
            cells,
        };
    };
    return JSON.stringify(settings
        ? settings.map((own) => { element.change(own, {}); return look(); })
        : [look()]);
}"""


def looks(element: Locator, settings: list[dict] | None = None) -> Iterator[dict]:
    """What an explorer shows, setting after setting."""
    for shown in json.loads(element.evaluate(LOOK, settings)):
        shown["arrays"] = {
            name: np.array([[number(text) for text in row] for row in rows])
            for name, rows in shown["arrays"].items()
        }
        yield shown


def number(text: str) -> float:
    """The first of a text, be it in brackets or followed by its rounded value."""
    return float(re.search(r"[-−\d.]+", text)[0].replace("−", "-"))


def compared(seen: dict) -> tuple[float, float]:
    """The slope and the formula's value, as the check of a cell writes them."""
    slope, formula = map(number, re.findall(r"[−\d]+\.\d+", seen["compared"]))
    return slope, formula


def factors(seen: dict, name: str) -> set[tuple[int, int]]:
    """Where the products of a sum have a factor of this name."""
    found = re.findall(rf"{name}(\d+),(\d+)", " ".join(seen["symbols"]))
    return {(int(i), int(j)) for i, j in found}


def paired(seen: dict, offsets: dict[str, tuple[int, int]]) -> None:
    """Each product has a letter, and at the places of its factors stands the same.

    The panels of x, W and δ are asked; their zeros of padding come first.
    """
    count = len(seen["letters"])
    assert seen["letters"] == ([""] * count if count > 52 else [*LETTERS[:count]])
    for letter, symbols in zip(seen["letters"], seen["symbols"], strict=False):
        for name, i, j in re.findall(r"([xWδa])(\d+),(\d+)", symbols) if letter else ():
            top, left = offsets[name]
            place = f"{int(i) + top},{int(j) + left}"
            panel = "delta" if name == "δ" else name
            assert seen["lettered"][panel][letter] == place, seen


def lit(seen: dict, panel: str, top: int = 0, left: int = 0) -> set[tuple[int, int]]:
    places = (map(int, place.split(",")) for place in seen["lit"][panel])
    return {(i - top, j - left) for i, j in places}


# --- Cases to draw -----------------------------------------------------------


def integers(random: np.random.Generator, *shape: int, step: int = 1) -> Array:
    """All numbers are whole, so that scripts are asked for exactly the same."""
    return step * random.integers(-9, 10, shape).astype(float)


def until(number: int, draw: Callable[[int], dict | None]) -> Iterator[dict]:
    """So many cases; what is drawn may be None."""
    while number:
        if case := draw(number):
            yield case
            number -= 1
