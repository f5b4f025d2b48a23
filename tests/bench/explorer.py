"""python3 make.py bench explorer: from pointing at a cell to its being painted.

On the explorer's page, with a padded input of 12 × 12 and the CPU slowed down four
times, the pointer goes over every cell of z, ∂ℓ/∂x and ∂ℓ/∂W.
The clock runs from the event until the page's thread is done with the frame that shows
its outcome: script, styles, layout and paint.
"""

import statistics
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright

from tests.bench_page import goal
from tests.site import build
from tools.chromium import FLAGS, chromium

SLOWDOWN = 4
FRAME = 16  # ms
QUERIES = {
    "12 × 12, kernel 3": "conv.H=12&conv.S=1&conv.P=same",
    "12 × 12, kernel 5": "conv.H=12&conv.K=5&conv.S=1&conv.P=same",
}
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


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def measure(page: Page, url: str, query: str) -> list[float]:
    page.goto(f"{url}explorer/?{query}")
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    page.evaluate(HOVER)  # what the browser compiles once
    times = page.evaluate(HOVER)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    return times


def main() -> None:
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        done = build(Path(folder))
        if done.returncode:
            raise SystemExit(f"the build failed:\n{done.stderr}")
        executable = chromium(playwright.chromium.executable_path)
        if executable is None:
            raise SystemExit("no Chromium: apt install chromium")
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        print(f"hover to paint, ms, CPU 1/{SLOWDOWN}")
        for name, query in QUERIES.items():
            times = measure(page, url, query)
            tail = statistics.quantiles(times, n=20)[-1]
            print(f"{name}: {len(times)} cells, 95 % within {tail:.1f}")
            goal("median", statistics.median(times), FRAME, " ms")
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
