"""How long a build takes, and how soon an edit is to be seen.

The build is compared with one by plain Material, without our hooks: no formula is
typeset and no notebook made. What is built is a copy of the book with caches of its
own, which are empty in the beginning.
"""

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

import yaml

from book.pages import ROOT, page
from tests.bench import PAGE, SMALLEST, book, goal, rounds
from tests.site import NOTEBOOKS

ROUNDS = rounds(3)
PATIENCE = 60 if SMALLEST else 300  # s
PLAIN = {"INHERIT": "mkdocs.yml", "hooks": []}


def project(folder: Path) -> Path:
    """The book with caches of its own, and plain.yml beside mkdocs.yml."""
    copy = book(folder)
    (copy / ".cache").unlink()
    (copy / "plain.yml").write_text(yaml.safe_dump(PLAIN), "utf-8")
    shutil.copy(ROOT / "make.py", copy)
    (copy / ".venv").symlink_to(ROOT / ".venv")
    return copy


# --- The build ---------------------------------------------------------------


def seconds(copy: Path, settings: str, site: Path) -> float:
    options = ["build", "-q", "-f", settings, "-d", str(site)]
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", *options],
        cwd=copy,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"the build failed:\n{done.stderr}")
    return time.perf_counter() - start


def measure_build(copy: Path) -> None:
    site, bare = copy.with_name("site"), copy.with_name("bare")
    seconds(copy, "plain.yml", bare)  # compiles what Python compiles once
    cold = seconds(copy, "mkdocs.yml", site)
    runs = [
        (seconds(copy, "mkdocs.yml", site), seconds(copy, "plain.yml", bare))
        for _ in range(ROUNDS)
    ]
    warm, plain = map(min, zip(*runs, strict=True))
    shutil.rmtree(copy / ".cache" / "notebooks")
    notebooks = seconds(copy, "mkdocs.yml", site)
    print(f"build, s, best of {ROUNDS} where it is warm")
    print(
        f"plain Material {plain:.2f}   warm {warm:.2f}   cold {cold:.2f}   "
        f"warm but for the notebooks {notebooks:.2f}"
    )
    goal("warm build", warm / plain, 1.3, " × plain Material")
    goal("cold build", cold, 25, " s")


# --- Serving -----------------------------------------------------------------


@contextmanager
def serving(copy: Path, port: int) -> Iterator[Callable[[str, str], float]]:
    """What waits for a page of a copy that the README's command serves."""
    address = f"127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "make.py", "serve", "--quiet", "-a", address],
        cwd=copy,
        start_new_session=True,  # make.py and what it has started end together
    )
    try:
        yield partial(wait, process, f"http://{address}/")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def wait(process: subprocess.Popen, address: str, path: str, text: str) -> float:
    """Seconds until a text is in the page."""
    start = time.perf_counter()
    while time.perf_counter() - start < PATIENCE:
        try:
            with urllib.request.urlopen(address + path) as answer:
                if text in answer.read().decode():
                    return time.perf_counter() - start
        except OSError:
            pass
        if process.poll() is not None:
            sys.exit("make.py serve has ended")
        time.sleep(0.05)
    sys.exit(f"{text!r} did not come to /{path} within {PATIENCE} s")


def in_prose(text: str, mark: str) -> str:
    return f"{text}\n\n{mark}, $x_{{{mark[-1]}}}$\n"


def in_code(text: str, mark: str) -> str:
    return text.replace("```python\n", f"```python\n# {mark}\n", 1)


def measure_edits(
    source: Path, change: Callable[[str, str], str], served: Callable[[str], float]
) -> float:
    """Seconds until an edit is served, the median of some."""
    text, times = source.read_text("utf-8"), []
    for number in range(ROUNDS):
        time.sleep(2)  # the last rebuild is over
        source.write_text(change(text, f"edit-{number}"), "utf-8")
        times.append(served(f"edit-{number}"))
    source.write_text(text, "utf-8")
    return statistics.median(times)


def measure_serve(copy: Path) -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with serving(copy, port) as wait_for:
        wait_for("", "<h1")
    start = time.perf_counter()
    with serving(copy, port) as wait_for:
        wait_for("", "<h1")
        again = time.perf_counter() - start
        name = longest()
        prose = copy / "docs" / "en" / f"{name}.md"
        code = copy / "snippets" / f"{name}.md"
        served = partial(wait_for, f"{name}/")
        edit = measure_edits(prose, in_prose, served)
        snippet = measure_edits(code, in_code, served)
    print(f"serve, s, edits of {name}: median of {ROUNDS}")
    goal("the first page, served a second time", again, 6, " s")
    goal("an edit of prose", edit, 2, " s")
    goal("an edit of a snippet", snippet, 3, " s")


def longest() -> str:
    if SMALLEST:
        return PAGE
    return max(NOTEBOOKS, key=lambda name: len(page("en", f"{name}.md").text))


def main(folder: Path) -> None:
    copy = project(folder)
    measure_build(copy)
    measure_serve(copy)
