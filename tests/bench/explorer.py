"""How soon an explorer answers: from pointing at a cell to its being painted.

On the explorer's page, with a padded input of 12 × 12 and the CPU slowed down four
times, the pointer goes over every cell of z, ∂ℓ/∂x and ∂ℓ/∂W.
The clock runs from the event until the page's thread is done with the frame that shows
its outcome: script, styles, layout and paint.
"""

import statistics
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.bench import SMALLEST, goal, launched
from tests.site import built, serving

SLOWDOWN = 4
FRAME = 16  # ms
QUERIES = {
    "12 × 12, kernel 3": "conv.H=12&conv.S=1&conv.P=same",
    "12 × 12, kernel 5": "conv.H=12&conv.K=5&conv.S=1&conv.P=same",
}
if SMALLEST:
    QUERIES = {"3 × 3, kernel 2": "conv.H=3&conv.K=2&conv.S=1"}
# The event comes as a frame begins, and a message sent then is delivered as it ends.
HOVER = """async () => {
    const times = [];
    const element = document.querySelector("conv-explorer");
    element.scrollIntoView();
    const painted = () => new Promise((done) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => done(performance.now());
        port2.postMessage(undefined);
    });
    for (const cell of element.querySelectorAll(".picks .cell")) {
        await new Promise(requestAnimationFrame);
        const start = performance.now();
        cell.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
        times.push(await painted() - start);
    }
    return times;
}"""


def measure(page: Page, url: str, query: str) -> list[float]:
    page.goto(f"{url}explorer/?{query}")
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    page.evaluate(HOVER)  # what the browser compiles once
    times = page.evaluate(HOVER)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    return times


def main(_: Path) -> None:
    with serving(built("home")) as url, sync_playwright() as playwright:
        browser = launched(playwright)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        print(f"hover to paint, ms, CPU 1/{SLOWDOWN}")
        for name, query in QUERIES.items():
            times = measure(page, url, query)
            tail = statistics.quantiles(times, n=20)[-1]
            print(f"{name}: {len(times)} cells, 95 % within {tail:.1f}")
            goal("median", statistics.median(times), FRAME, " ms")
        browser.close()
