"""The site, built once a run, and the browser that looks at it."""

import os
import shutil
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.pages import ROOT

# As root and without a screen; and nothing is to be looked up in the network.
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    "--disable-sync",
]
NO_BROWSER = (
    "NOTHING WAS TRIED IN A BROWSER, there is none: apt install chromium, or "
    "playwright install chromium, or name one in the environment variable CHROMIUM"
)


def build(
    folder: Path, *options: str, root: Path = ROOT
) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)]
    # CI=true makes MkDocs' plugins no quieter, but a terminal's width cuts their lines.
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "COLUMNS": "500"}
    return subprocess.run(
        [*command, *options], cwd=root, env=environment, capture_output=True, text=True
    )


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(folder)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


@pytest.fixture(scope="session")
def served(site: Path) -> Iterator[str]:
    """The address of the site, with a slash at the end."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def chromium(own: str) -> str | None:
    """A Chromium of this machine; own is where Playwright would have put its own."""
    names = ["chromium", "chromium-browser", "google-chrome"]
    found = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, names)), own
    )
    return found if Path(found).exists() else None


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Where there is none, CI fails and others skip, with a line that says so."""
    with sync_playwright() as playwright:
        path = chromium(playwright.chromium.executable_path)
        if path is None and os.environ.get("CI"):
            pytest.fail(NO_BROWSER, pytrace=False)
        if path is None:
            warnings.warn(NO_BROWSER, stacklevel=1)
            pytest.skip(NO_BROWSER)
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
