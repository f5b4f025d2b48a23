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
OUTPUTS = ["z", "dx", "dW"]
QUERIES = {
    f"12 × 12, kernel {size}": "conv.H=12&conv.H2=12&conv.S=1&conv.P=same"
    f"&conv.K={size}&conv.K2={size}"
    for size in (3, 5)
}
if SMALLEST:
    QUERIES = {"3 × 3, kernel 2": "conv.H=3&conv.H2=3&conv.K=2&conv.K2=2"}
# The event comes as a frame begins, and a message sent then is delivered as it ends.
HOVER = """async (output) => {
    const times = [];
    const element = document.querySelector("conv-explorer");
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


def measure(page: Page, url: str, query: str) -> dict[str, list[float]]:
    """By the output whose cells are pointed at."""
    page.goto(f"{url}explorer/?{query}")
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    times = {}
    for output in OUTPUTS:
        page.evaluate(HOVER, output)  # what the browser compiles once
        times[output] = page.evaluate(HOVER, output)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    return times


def main(_: Path) -> None:
    with serving(built("home")) as url, sync_playwright() as playwright:
        browser = launched(playwright)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        print(f"hover to paint, ms, CPU 1/{SLOWDOWN}")
        for name, query in QUERIES.items():
            for output, times in measure(page, url, query).items():
                tail = statistics.quantiles(times, n=20)[-1]
                print(f"{name}, {output}: {len(times)} cells, 95 % within {tail:.1f}")
                goal("median", statistics.median(times), FRAME, " ms")
        browser.close()
