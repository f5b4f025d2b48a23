"""python3 make.py bench page: how fast the longest page and its build are.

Three variants of one page come by turns from one server, each to a browser that has
seen nothing yet: this site; MathJax 4 in the browser, set up as Material's manual says
and served from here with its fonts; and the page without its formulas. A page is
readable at the first frame after which no formula changes its place or size and no font
is loaded; for the page without formulas, its headings and paragraphs stand for them.
Then the build, beside one without our hooks, and `mkdocs serve` after an edit.
"""

import gzip
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, sync_playwright

from book.pages import ROOT, nav_pages
from tests.site import COPIED
from tools.chromium import FLAGS, chromium

FOLDER = ROOT / "build" / "bench_page"
ROUNDS = 5
BUILDS = 3
SLOWDOWNS = [1, 4]
VARIANTS = ["this site", "MathJax in the browser", "no mathematics"]
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


def longest(site: Path) -> str:
    pages = [page.removesuffix(".md") for page in nav_pages() if page != "index.md"]
    return max(pages, key=lambda page: (site / page / "index.html").stat().st_size)


def variants(ours: Path, plain: Path) -> tuple[Path, str, list[str]]:
    """A folder with all three, the page's name, and where it is in each."""
    site = FOLDER / "served"
    page = longest(ours)
    for name, source in zip(
        ["ours", "mathjax", "none"], [ours, plain, plain], strict=True
    ):
        shutil.copytree(source, site / name)
    node = site / "node"
    for package in ["mathjax", "@mathjax"]:
        shutil.copytree(ROOT / "node_modules" / package, node / package)
    html = (plain / page / "index.html").read_text("utf-8")
    scripts = MATHJAX.replace("BASE", "/node")
    in_browser = html.replace("</body>", f"{scripts}</body>")
    (site / "mathjax" / page / "index.html").write_text(in_browser, "utf-8")
    without = FORMULA.sub("", html)
    (site / "none" / page / "index.html").write_text(without, "utf-8")
    return site, page, [f"{name}/{page}/" for name in ["ours", "mathjax", "none"]]


def visit(browser: Browser, server: Server, path: str, slowdown: int) -> Visit:
    server.sent.clear()
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.add_init_script(WATCH)
    devtools = context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    page.goto(server.url + path)
    seen = page.evaluate(SETTLED, 1000 * slowdown)
    context.close()
    if seen["unset"]:
        sys.exit(f"{path}: {seen['unset']} formulas were not typeset")
    kilobytes, requests = sum(server.sent) / 1000, len(server.sent)
    return Visit(kilobytes, requests, seen["paint"], seen["ready"], seen["shift"])


def measure_page(ours: Path, plain: Path) -> None:
    site, page, paths = variants(ours, plain)
    formulas = len(FORMULA.findall((plain / page / "index.html").read_text("utf-8")))
    server = Server(site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(
        f"{page}, {formulas} formulas; median of {ROUNDS}, times in ms, KB compressed\n"
    )
    print("CPU                               KB  requests  paint  readable   shift")
    with sync_playwright() as playwright:
        executable = chromium(playwright.chromium.executable_path)
        if executable is None:
            sys.exit("no Chromium: apt install chromium")
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
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
            for name, (size, requests, paint, ready, shift) in zip(
                VARIANTS, medians, strict=True
            ):
                print(
                    f"1/{slowdown}  {name:24}  {size:8.0f}  {requests:8.0f}  "
                    f"{paint:5.0f}  {ready:8.0f}  {shift:6.4f}"
                )
            here, there, _ = medians
            goal(f"1/{slowdown}  readable", here.ready / there.ready, 0.5, "×")
            goal(f"1/{slowdown}  KB", here.kilobytes / there.kilobytes, 0.35, "×")
            goal(f"1/{slowdown}  layout shift", max(v[0].shift for v in runs), 0.01)
        browser.close()
    server.shutdown()


def goal(what: str, value: float, limit: float, unit: str = "") -> None:
    verdict = "reached" if value <= limit else "MISSED"
    print(f"     goal {what}: {value:.3g}{unit}, wanted ≤ {limit}{unit}: {verdict}")


# --- The build ---------------------------------------------------------------


def project() -> Path:
    """A copy of the book with no cache, and plain.yml: the same without our hooks."""
    copy = FOLDER / "project"
    copy.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
    (copy / "node_modules").symlink_to(ROOT / "node_modules")
    settings = (copy / "mkdocs.yml").read_text("utf-8")
    hooks = re.compile(r"^hooks:\n(?:  .*\n)+", re.MULTILINE)
    assert hooks.search(settings)
    (copy / "plain.yml").write_text(hooks.sub("", settings), "utf-8")
    # For the page alone: the steps and figures, but the formulas as Material has them.
    less = settings.replace("  - site_hooks/mathematics.py\n", "")
    (copy / "page.yml").write_text(less, "utf-8")
    return copy


def seconds(copy: Path, settings: str, site: Path) -> float:
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "-q",
        "-f",
        settings,
        "-d",
        site,
    ]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"the build failed:\n{done.stderr}")
    return time.perf_counter() - start


def measure_build(copy: Path) -> tuple[Path, Path]:
    """Print the build's times; what was built: this site, and with plain formulas."""
    ours, plain, bare = (FOLDER / name for name in ["ours", "plain", "bare"])
    seconds(copy, "page.yml", plain)  # compiles what Python compiles once
    cold = seconds(copy, "mkdocs.yml", ours)
    runs = [
        (seconds(copy, "mkdocs.yml", ours), seconds(copy, "plain.yml", bare))
        for _ in range(BUILDS)
    ]
    warm, without = map(min, zip(*runs, strict=True))
    print(f"build, s, best of {BUILDS} (cold: one)")
    print(f"cold {cold:.2f}   warm {warm:.2f}   plain Material {without:.2f}")
    goal("warm build", warm / without, 1.3, "×")
    return ours, plain


@contextmanager
def serving(copy: Path) -> Iterator[str]:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "serve",
        "-q",
        "--livereload",
        "-a",
        address,
    ]
    process = subprocess.Popen(command, cwd=copy, stderr=subprocess.DEVNULL)
    try:
        yield f"http://{address}/"
    finally:
        process.terminate()
        process.wait()


def wait_for(url: str, text: str, limit: float = 60) -> float:
    """Seconds until a text is in the page."""
    start = time.perf_counter()
    while time.perf_counter() - start < limit:
        try:
            with urllib.request.urlopen(url) as answer:
                if text in answer.read().decode():
                    return time.perf_counter() - start
        except OSError:
            pass
        time.sleep(0.05)
    sys.exit(f"{text!r} did not come to {url} within {limit} s")


def measure_serve(copy: Path, page: str) -> None:
    source = copy / "docs" / "en" / f"{page}.md"
    text = source.read_text("utf-8")
    with serving(copy) as url:
        wait_for(url + f"{page}/", "<h1")
        times = []
        for number in range(BUILDS):
            time.sleep(2)  # the last rebuild is over
            source.write_text(f"{text}\n\nedit-{number}, $x_{{{number}}}$\n", "utf-8")
            times.append(wait_for(url + f"{page}/", f"edit-{number}"))
        source.write_text(text, "utf-8")
    print(f"\nserve, s, median of {BUILDS}, from an edit of {page} to its being served")
    goal("edit", statistics.median(times), 3, " s")


def main() -> None:
    if hasattr(os, "getloadavg") and os.getloadavg()[0] > 1:
        print(f"the machine is busy (load {os.getloadavg()[0]:.1f}): expect worse\n")
    shutil.rmtree(FOLDER, ignore_errors=True)
    copy = project()
    ours, plain = measure_build(copy)
    measure_serve(copy, longest(ours))
    print()
    measure_page(ours, plain)
    shutil.rmtree(FOLDER)


if __name__ == "__main__":
    main()
