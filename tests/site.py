"""The site as the tests see it: what it is made of, built once, copied, and served."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Route

from book.notebooks import has_notebook
from book.pages import ROOT, contents

# What a book is made of.
COPIED = ["docs", "snippets", "book", "explorers", "site_hooks", "mkdocs.yml"]
COPIED += ["package-lock.json", "requirements.txt"]
# What else the site depends on.
BESIDE = [".cache/verification.json"]
# The pages that have one.
NOTEBOOKS = [
    page.name.removesuffix(".md") for page in contents()["en"] if has_notebook(page)
]
# The language that a page says it is in.
TAGS = {"en": "en", "zh": "zh-Hans"}
CACHE = ROOT / ".cache" / "site"
REPOSITORY = "https://github.com/example/book"
# What a build with addresses is given: below the root of its host, as on GitHub Pages.
ADDRESSES = {"SITE_URL": "https://example.org/book/", "REPO_URL": REPOSITORY}


def html_path(language: str, page: str) -> str:
    """Where a page of docs/<language>/ lands below the site."""
    stem = page.removesuffix(".md")
    folder = "" if stem == "index" else f"{stem}/"
    return f"{'' if language == 'en' else language + '/'}{folder}index.html"


def path(language: str, page: str) -> str:
    """The same as a reader's address has it."""
    return html_path(language, page).removesuffix("index.html")


def copied(folder: Path) -> Path:
    """A copy of the book, to be changed; what building it needs is shared."""
    copy = folder / "book"
    copy.mkdir()
    for name in COPIED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
    for name in ["node_modules", ".cache"]:
        (copy / name).symlink_to(ROOT / name)
    return copy


def build(
    folder: Path, *options: str, root: Path = ROOT, **variables: str
) -> subprocess.CompletedProcess:
    """Variables are those of the environment, such as SITE_URL."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)]
    # CI=true makes MkDocs' plugins no quieter, but a terminal's width cuts their lines.
    # Without it, too: the record of the checks may be older than the code, since it is
    # this run that renews it.
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "COLUMNS": "500", "CI": ""}
    return subprocess.run(
        [*command, *options],
        cwd=root,
        env={**environment, **variables},
        capture_output=True,
        text=True,
    )


# --- Once for each content ---------------------------------------------------


def sources() -> Iterator[Path]:
    """The files of which the site is made."""
    for name in [*COPIED, *BESIDE]:
        top = ROOT / name
        for found in sorted(top.rglob("*")) if top.is_dir() else [top]:
            made = "__pycache__" in found.parts
            if found.is_file() and not made:
                yield found


def fingerprint(**variables: str) -> str:
    """Of all that a site built with these variables depends on."""
    digest = hashlib.sha256(repr((sys.version, sorted(variables.items()))).encode())
    for source in sources():
        name = source.relative_to(ROOT).as_posix()
        digest.update(f"\0{name}\0{source.stat().st_size}\0".encode())
        digest.update(source.read_bytes())
    if "REPO_URL" in variables:  # a report of an error names the commit
        command = ["git", "rev-parse", "HEAD"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True)
        digest.update(done.stdout)
    return digest.hexdigest()[:16]


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """One process at a time; a lock dies with its holder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def cached(
    name: str, make: Callable[[Path], None], cache: Path = CACHE, **variables: str
) -> Path:
    """The folder that make() filled, now or before with the same sources and variables.

    It is shared by the workers and kept for the next run: only to be read. What was
    made of other sources is removed, but for the last: it may still be looked at.
    """
    with locked(cache / f"{name}.lock"):
        folder = cache / name / fingerprint(**variables)
        if not folder.exists():
            begun = folder.with_suffix(".part")
            shutil.rmtree(begun, ignore_errors=True)
            make(begun)
            old = {*folder.parent.iterdir()} - {begun}
            for each in sorted(old, key=lambda folder: folder.stat().st_mtime)[:-1]:
                shutil.rmtree(each)
            begun.rename(folder)  # last, so that a build cut short is begun again
        return folder


def built(name: str, **variables: str) -> Path:
    """The site, without a warning."""

    def make(folder: Path) -> None:
        done = build(folder, **variables)
        assert done.returncode == 0, done.stderr
        assert "WARNING" not in done.stderr

    return cached(name, make, **variables)


def answer(route: Route, folder: Path, url: str) -> None:
    """Answer a browser that asks for something below an address of the built site."""
    path = unquote(urlsplit(route.request.url.removeprefix(url)).path)
    file = folder / path / ("index.html" if path.endswith("/") or not path else "")
    found = file.is_file()
    status = 200 if found else 404
    route.fulfill(path=file if found else folder / "404.html", status=status)


# --- Served ------------------------------------------------------------------


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a folder while it is served, with a slash at the end.

    What is not there is answered as GitHub Pages does, with the folder's 404.html.
    """

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def send_error(self, code: int, *_: object) -> None:
            page = folder / "404.html"
            body = page.read_bytes() if page.exists() else b""
            self.send_response(code)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
