"""How fast the two heaviest pages are.

Three variants of a page come by turns from one server, each to a browser that has seen
nothing yet: this site; MathJax 4 in the browser, set up as Material's manual says and
served from here with its fonts; and the page without its formulas. A page is readable
at the first frame after which no formula changes its place or size and no font is
loaded; for the page without formulas, its headings and paragraphs stand for them. How
much time of a processor the main thread takes for that is measured at a second visit,
which nobody watches.
"""

import gzip
import re
import shutil
import statistics
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from pathlib import Path
from typing import NamedTuple

import yaml
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from book.pages import ROOT
from tests.bench import PAGE, SMALLEST, book, goal, launched, rounds
from tests.bench.build import seconds
from tests.minibook import HOOKS

ROUNDS = rounds(5)
SLOWDOWNS = [1] if SMALLEST else [1, 4]
# The most formulas beside an explorer and figures; the most formulas.
PAGES = [PAGE] if SMALLEST else ["cnn/stride", "convolution/dimensions"]
FIRST_VIEW = 150  # KB
VARIANTS = ["this site", "MathJax in the browser", "no mathematics"]
FOLDERS = ["ours", "mathjax", "none"]
FORMULA = re.compile(r'<(span|div) class="arithmatex">.*?</\1>', re.DOTALL)
MATHJAX = """
<script>
window.MathJax = {
  loader: { paths: { fonts: "BASE/@mathjax" } },
  output: { fontPath: "BASE/@mathjax/%%FONT%%-font" },
  tex: {
    inlineMath: [["\\\\(", "\\\\)"]],
    displayMath: [["\\\\[", "\\\\]"]],
    processEscapes: true,
    processEnvironments: true
  },
  options: { ignoreHtmlClass: ".*|", processHtmlClass: "arithmatex" }
};
</script>
<script src="BASE/mathjax/tex-mml-chtml.js"></script>
"""
# Runs before the page's own scripts.
WATCH = """
const seen = { changed: 0, frame: 0, shift: 0, places: "" };
window.seen = seen;
new PerformanceObserver((list) => {
  for (const { value } of list.getEntries()) seen.shift += value;
}).observe({ type: "layout-shift", buffered: true });
const all = (selector) => document.querySelectorAll(`.md-content ${selector}`);
const watched = () => {
  const formulas = all(":is(.formula svg, mjx-container, .arithmatex)");
  return formulas.length ? formulas : all(":is(h1, h2, h3, p)");
};
document.fonts.addEventListener("loadingdone", () => { seen.places = ""; });
(function frame(now) {
  let places = "";
  for (const element of watched()) {
    const { x, y, width, height } = element.getBoundingClientRect();
    places += [x, y, width, height].map(Math.round) + ";";
  }
  if (places !== seen.places) seen.changed = performance.now();
  Object.assign(seen, { places, frame: performance.now() });
  requestAnimationFrame(frame);
})();
"""
SETTLED = """
async (quiet) => {
  await window.MathJax?.startup?.promise;
  await document.fonts.ready;
  while (document.readyState !== "complete" || seen.frame - seen.changed < quiet)
    await new Promise((done) => setTimeout(done, 100));
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  const unset = [...document.querySelectorAll(".arithmatex")]
    .filter((formula) => !formula.querySelector("mjx-container")).length;
  return { ready: seen.changed, shift: seen.shift, paint: paint.startTime, unset };
}
"""


class Visit(NamedTuple):
    kilobytes: float
    requests: int
    paint: float
    ready: float
    shift: float
    work: float  # ms of the main thread


class Server(ThreadingHTTPServer):
    """Serves a folder, its texts compressed beforehand, and counts what it sends."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        self.answers: dict[str, tuple[bytes, str, bool]] = {}
        self.sent: list[int] = []
        self.url = f"http://127.0.0.1:{self.server_port}/"

    def answer(self, path: str) -> tuple[bytes, str, bool] | None:
        """Body, kind, and whether it is compressed; None where no such file is."""
        if path not in self.answers:
            file = self.folder / path.lstrip("/")
            file = file / "index.html" if file.is_dir() else file
            if not file.is_file():
                return None
            kind = guess_type(file.name)[0] or "application/octet-stream"
            text = re.match(r"text/|.*(javascript|json|xml)", kind) is not None
            body = file.read_bytes()
            self.answers[path] = gzip.compress(body) if text else body, kind, text
        return self.answers[path]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        answer = self.server.answer(self.path.partition("?")[0])
        body, kind, text = answer or (b"", "text/plain", False)
        self.server.sent.append(len(body))
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if text:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


# --- The page ----------------------------------------------------------------


def variants(ours: Path, plain: Path) -> Path:
    """A folder with all three of every page."""
    site = ours.with_name("served")
    for name, source in zip(FOLDERS, [ours, plain, plain], strict=True):
        shutil.copytree(source, site / name)
    node = site / "node"
    for package in ["mathjax", "@mathjax"]:
        shutil.copytree(ROOT / "node_modules" / package, node / package)
    scripts = MATHJAX.replace("BASE", "/node")
    for page in PAGES:
        html = (plain / page / "index.html").read_text("utf-8")
        in_browser = html.replace("</body>", f"{scripts}</body>")
        (site / "mathjax" / page / "index.html").write_text(in_browser, "utf-8")
        without = FORMULA.sub("", html)
        (site / "none" / page / "index.html").write_text(without, "utf-8")
    return site


def visit(browser: Browser, server: Server, path: str, slowdown: int) -> Visit:
    with opened(browser, slowdown) as (page, _):
        page.add_init_script(WATCH)
        server.sent.clear()
        page.goto(server.url + path)
        seen = page.evaluate(SETTLED, 1000 * slowdown)
        kilobytes, requests = sum(server.sent) / 1000, len(server.sent)
    if seen["unset"]:
        sys.exit(f"{path}: {seen['unset']} formulas were not typeset")
    with opened(browser, slowdown) as (page, devtools):
        page.goto(server.url + path)
        page.evaluate("window.MathJax?.startup?.promise")
        page.wait_for_timeout(500 * slowdown)
        metrics = devtools.send("Performance.getMetrics")["metrics"]
    (work,) = (each["value"] for each in metrics if each["name"] == "TaskDuration")
    times = seen["paint"], seen["ready"], seen["shift"]
    return Visit(kilobytes, requests, *times, 1000 * work)


@contextmanager
def opened(browser: Browser, slowdown: int) -> Iterator[tuple[Page, CDPSession]]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    # Of the thread, not of the clock: the same while the machine does other things.
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    yield page, devtools
    context.close()


def measure(browser: Browser, server: Server, page: str) -> None:
    paths = [f"{name}/{page}/" for name in FOLDERS]
    html = (server.folder / "mathjax" / page / "index.html").read_text("utf-8")
    print(
        f"{page}, {len(FORMULA.findall(html))} formulas; median of {ROUNDS}, times in "
        "ms, KB compressed\n"
    )
    print(
        "CPU                               KB  requests  paint  readable   shift  work"
    )
    for slowdown in SLOWDOWNS:
        for path in paths:  # compresses, and starts what the browser starts once
            visit(browser, server, path, slowdown)
        runs = [
            [visit(browser, server, path, slowdown) for path in paths]
            for _ in range(ROUNDS)
        ]
        medians = [
            Visit(*map(statistics.median, zip(*column, strict=True)))
            for column in zip(*runs, strict=True)
        ]
        for name, (size, requests, paint, ready, shift, work) in zip(
            VARIANTS, medians, strict=True
        ):
            print(
                f"1/{slowdown}  {name:24}  {size:8.0f}  {requests:8.0f}  "
                f"{paint:5.0f}  {ready:8.0f}  {shift:6.4f}  {work:5.0f}"
            )
        here, there, none = medians
        goal(f"1/{slowdown}  KB", here.kilobytes, FIRST_VIEW)
        goal(f"1/{slowdown}  readable", here.ready / there.ready, 0.5, " × MathJax's")
        work = here.work / none.work
        goal(f"1/{slowdown}  work", work, 1.5, " × that without mathematics")
        goal(f"1/{slowdown}  layout shift", max(v[0].shift for v in runs), 0.01)
    print()


def measure_pages(ours: Path, plain: Path) -> None:
    server = Server(variants(ours, plain))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = launched(playwright)
        for page in PAGES:
            measure(browser, server, page)
        browser.close()
    server.shutdown()


# --- The sites ---------------------------------------------------------------


def sites(folder: Path) -> tuple[Path, Path]:
    """The book as it is, and with its formulas as Material has them."""
    copy = book(folder)
    # The glossary's would mark words within formulas that are not typeset yet.
    less = {"site_hooks/mathematics.py", "site_hooks/glossary.py"}
    hooks = [hook for hook in HOOKS if hook not in less]
    settings = yaml.safe_dump({"INHERIT": "mkdocs.yml", "hooks": hooks})
    (copy / "page.yml").write_text(settings, "utf-8")
    ours, plain = folder / "ours", folder / "plain"
    for site, settings in {ours: "mkdocs.yml", plain: "page.yml"}.items():
        seconds(copy, settings, site)
    return ours, plain


def main(folder: Path) -> None:
    measure_pages(*sites(folder))
