"""How soon an explorer answers: from pointing at a cell to its being painted.

On the explorers' page, with the CPU slowed down four times, the pointer goes over every
cell of some outputs: of a convolution with a padded input of 12 × 12, and of the
largest recurrent unit, normalisation and attention that an address may ask for.
The clock runs from the event until the page's thread is done with the frame that shows
its outcome: script, styles, layout and paint.
"""

import statistics
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from book.explorer import text_of
from tests.bench import SMALLEST, goal, launched
from tests.site import built, serving

SLOWDOWN = 4
FRAME = 16  # ms


def numbers(size: int) -> str:
    """A square of small integers, as an address has it."""
    i, j = np.indices((size, size))
    return text_of((3 * i + 5 * j) % 7 - 3.0)


# By kind: the outputs, and in settings of its address what is measured.
CONV = "conv.H=12&conv.H2=12&conv.S=1&conv.P=same"
ROWS = "normalisation.gamma=1+2+3+1+2+3+1+2&normalisation.beta=0+1+2+0+1+2+0+1"
CASES = {
    "conv": (
        ["z", "dx", "dW"],
        {
            f"12 × 12, kernel {size}": f"{CONV}&conv.K={size}&conv.K2={size}"
            for size in (3, 5)
        },
    ),
    "recurrent": (["net", "theta"], {"8 steps": "recurrent.T=8"}),
    "normalisation": (
        ["xhat", "dx", "variance", "dgamma"],
        {
            "8 × 8": f"{ROWS}&normalisation.x={numbers(8)}"
            f"&normalisation.delta={numbers(8)}"
        },
    ),
    "attention": (
        ["dQ", "dK", "dS", "dV"],
        {
            "6 × 6": "&".join(
                f"attention.{name}={numbers(6)}" for name in ("Q", "K", "V", "dO")
            )
        },
    ),
}
if SMALLEST:
    CASES = {"conv": (["z"], {"3 × 3": "conv.H=3&conv.H2=3&conv.K=2&conv.K2=2"})}
# The event comes as a frame begins, and a message sent then is delivered as it ends.
HOVER = """async ([kind, output]) => {
    const times = [];
    const element = document.querySelector(`${kind}-explorer`);
    element.scrollIntoView();
    const painted = () => new Promise((done) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => done(performance.now());
        port2.postMessage(undefined);
    });
    for (const cell of element.querySelectorAll(`[data-grid=${output}] .cell`)) {
        await new Promise(requestAnimationFrame);
        const start = performance.now();
        cell.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
        times.push(await painted() - start);
    }
    return times;
}"""


def measure(
    page: Page, url: str, kind: str, outputs: list[str], query: str
) -> dict[str, list[float]]:
    """By the output whose cells are pointed at."""
    page.goto(f"{url}explorer/?{query}")
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    times = {}
    for output in outputs:
        page.evaluate(HOVER, [kind, output])  # what the browser compiles once
        times[output] = page.evaluate(HOVER, [kind, output])
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    return times


def main(_: Path) -> None:
    with serving(built("home")) as url, sync_playwright() as playwright:
        browser = launched(playwright)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        print(f"hover to paint, ms, CPU 1/{SLOWDOWN}")
        for kind, (outputs, queries) in CASES.items():
            for name, query in queries.items():
                for output, times in measure(page, url, kind, outputs, query).items():
                    tail = statistics.quantiles(times, n=20)[-1]
                    print(f"{kind}, {name}, {output}: ", end="")
                    print(f"{len(times)} cells, 95 % within {tail:.1f}")
                    goal("median", statistics.median(times), FRAME, " ms")
        browser.close()
