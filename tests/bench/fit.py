"""How much of the book is too wide for the screen and scrolls sideways.

Every English page is opened once, its solutions unfolded, and looked at in each width,
of which a scroll bar takes its part. The Chinese pages have the same code and formulas.
A labelled formula has a number; all else may scroll on a phone.
"""

from collections import Counter
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from book.pages import nav_pages
from tests.bench import SMALLEST, goal, launched
from tests.site import built, path, serving

BOXES = {
    "code": ".highlight code",
    "labelled": "div.formula[id] .drawn",
    "formulas": "div.formula:not([id]) .drawn",
    "tables": ".md-typeset__scrollwrap",
}
# Width -> what may scroll there, and how many of it together.
GOALS = {
    390: (["labelled"], 0),
    1280: (["code", "labelled", "formulas"], 20),
    **dict.fromkeys([1366, 1440, 1536, 1680, 1920], ([*BOXES], 0)),
}
PAGES = [page for page in nav_pages() if not SMALLEST or page == "check.md"]
# Of each kind of box: how many there are, and how many of them scroll.
COUNT = """(kinds) => {
    document.querySelectorAll("details").forEach((part) => { part.open = true });
    return Object.entries(kinds).map(([kind, selector]) => {
        const boxes = [...document.querySelectorAll(selector)]
            .filter((box) => box.checkVisibility());
        const wide = boxes.filter((box) => box.scrollWidth > box.clientWidth);
        return [kind, boxes.length, wide.length];
    });
}"""


def count(page: Page, url: str) -> tuple[dict[int, Counter], Counter]:
    """What scrolls in each width, and what there is, by the kinds of BOXES."""
    wide = {width: Counter() for width in GOALS}
    every: Counter[str] = Counter()
    for name in PAGES:
        page.goto(url + path("en", name))
        for width in GOALS:
            page.set_viewport_size({"width": width, "height": 900})
            for kind, number, scrolling in page.evaluate(COUNT, BOXES):
                wide[width][kind] += scrolling
                every[kind] += number if width == 390 else 0
    return wide, every


def main(_: Path) -> None:
    with serving(built("home")) as url, sync_playwright() as playwright:
        browser = launched(playwright, ignore_default_args=["--hide-scrollbars"])
        wide, every = count(browser.new_page(), url)
        browser.close()
    print("px    " + "".join(f"{kind:>10}" for kind in BOXES))
    for width, numbers in wide.items():
        print(f"{width:4}  " + "".join(f"{numbers[kind]:10}" for kind in BOXES))
    print("  of  " + "".join(f"{every[kind]:10}" for kind in BOXES))
    for width, (kinds, most) in GOALS.items():
        total = sum(wide[width][kind] for kind in kinds)
        goal(f"{width} px: {', '.join(kinds)} that scroll", total, most)
