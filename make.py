#!/usr/bin/env python3
"""The project's commands. They need Python 3.11, 3.12 or 3.13, and nothing else.

python3 make.py serve   the site at http://127.0.0.1:8000, reloaded as you edit
python3 make.py test    the tests; what follows is handed to pytest; --changed: only
                        what can fail after the edits since the last commit
python3 make.py notebook runs the notebook of a page, `notebook cnn/forward`; what it
                        prints, with the figures, is then in build/notebooks/
python3 make.py chapter a new page: name, English title, Chinese title
python3 make.py build   the site, as files, in site/
python3 make.py offline the site as build/backprop-book.zip, for use without a server
python3 make.py pdf     each language as build/backprop-book-LANGUAGE.pdf, by Chromium
python3 make.py bench   what verifying code and formulas costs, how fast builds, pages,
                        im2col, the engine, the LSTM, batch norm, attention, an epoch
                        of the digits and the explorer are, what scrolls sideways at
                        which width, and what check_gradient names; one alone:
                        `bench sessions`, `bench formulas`, `bench build`, `bench page`,
                        `bench fit`, `bench convolution`, `bench explorer`,
                        `bench check`, `bench engine`, `bench lstm`,
                        `bench normalisation`, `bench attention`, `bench learning`;
                        an hour: `bench growth`; --smallest: only to see whether they
                        run
python3 make.py mutants alters functions, formulas, outputs and numbers in the text;
                        what do the checks miss? Tries a sample; `mutants pooling/max
                        rot180`: all of this page, of this function; --all: everything
python3 make.py lock    renew requirements.txt and package-lock.json (--upgrade: newer)

The first call installs what the lock files name into .venv and node_modules.
"""

import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
STAMP = VENV / "installed"
LOCKS = [ROOT / "requirements.txt", ROOT / "package-lock.json"]
# TensorFlow has no wheels for other versions.
PYTHONS = [(3, 11), (3, 12), (3, 13)]


def stop(message: str) -> None:
    sys.exit(f"make.py: {message}")


def run(*command: str | Path, **options) -> None:
    """Run a command of ours at the root; where it fails, end with its exit code."""
    try:
        code = subprocess.run([*map(str, command)], cwd=ROOT, **options).returncode
    except KeyboardInterrupt:
        code = 130
    if code:
        sys.exit(code)


def fingerprint() -> str:
    """What .venv and node_modules depend on; another value means another install."""
    digest = hashlib.sha256(sys.version.encode())
    for lock in LOCKS:
        digest.update(lock.read_bytes())
    return digest.hexdigest()


def install() -> None:
    """Bring .venv and node_modules to what the locks say, if they are not there."""
    if sys.version_info[:2] not in PYTHONS:
        have = ".".join(map(str, sys.version_info[:2]))
        want = ", ".join(".".join(map(str, version)) for version in PYTHONS)
        stop(f"TensorFlow runs on Python {want}, not {have}: python3.13 make.py")
    wanted = fingerprint()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    if VENV.is_symlink():  # to that of another checkout, with other locks
        stop(".venv is a link, and what it leads to is not what the locks say")
    print("make.py: installing into .venv and node_modules (once; 3 GB, minutes)")
    STAMP.unlink(missing_ok=True)
    try:
        venv.create(VENV, with_pip=True, clear=True)
    except subprocess.CalledProcessError:
        stop("this Python has no venv; on Debian and Ubuntu: apt install python3-venv")
    pip = [BIN / "python", "-m", "pip", "--disable-pip-version-check"]
    run(*pip, "install", "--quiet", "--require-hashes", "-r", LOCKS[0])
    npm("ci")
    STAMP.write_text(wanted)  # last, so that an install cut short is begun again


def npm(*arguments: str) -> None:
    # --ignore-scripts: what npm brings is read by book/, never run while installing.
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    run(BIN / "npm", *arguments, *quiet)


def lock(*arguments: str) -> None:
    """Pin every dependency with its hashes, and without the address of any host."""
    run(BIN / "python", "-m", "pip", "--quiet", "install", "uv")
    compiled = ["--universal", "--fork-strategy=fewest", "--python-version=3.11"]
    silent = ["--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--quiet"]
    why = "--custom-compile-command=python3 make.py lock"
    run(
        *(BIN / "uv", "pip", "compile", "pyproject.toml", "-o", LOCKS[0]),
        *("--generate-hashes", *compiled, *silent, why, *arguments),
    )
    if "--upgrade" in arguments:
        npm("update", "--package-lock-only", "--omit-lockfile-registry-resolved")
    npm("install", "--package-lock-only", "--omit-lockfile-registry-resolved")


def serve(*arguments: str) -> None:
    """The site on the first free port from 8000, or where the arguments say."""
    given = re.search(r"(?:^| )(?:-a|--dev-addr)[ =]?(\S*):(\d+)", " ".join(arguments))
    host, first = (given[1], int(given[2])) if given else ("127.0.0.1", 8000)
    port = next((port for port in range(first, first + 100) if is_free(host, port)), 0)
    if port != first and (given or not port):
        stop(f"port {first} of {host} is in use; another: serve -a {host}:{first + 1}")
    if port != first:
        print(f"make.py: port {first} is in use, so this is http://{host}:{port}")
    address = [] if given else ["--dev-addr", f"{host}:{port}"]
    run(BIN / "python", "-m", "mkdocs", "serve", "--livereload", *address, *arguments)


def is_free(host: str, port: int) -> bool:
    with socket.socket() as there:
        there.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            there.bind((host, port))
        except OSError:
            return False
    return True


def test(*arguments: str) -> None:
    """All tests by two workers; some, which are told by name, by none.

    For some, a second TensorFlow takes longer to load than it saves. A worker takes
    whole files, since what a file builds or opens for its tests is then made once.
    """
    some = any(
        argument[:2] in ("-k", "-m")
        or argument[:9] == "--changed"
        or argument[:1] != "-"
        for argument in arguments
    )
    # Another worker would hang at the test at which one hung.
    workers = ["-n", "2", "--dist", "loadfile", "--max-worker-restart", "0"]
    # Beside another worker, BLAS' threads wait for each other: a session took 109 s of
    # CPU in place of 29.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    run(BIN / "python", "-m", "pytest", *([] if some else workers), *arguments)


def offline(*arguments: str) -> None:
    """Zip the site, with pages that link to each other's files and not to folders."""
    folder = ROOT / "build" / "offline" / "backprop-book"
    command = [BIN / "python", "-m", "mkdocs", "build", "--strict", "-d", folder]
    # Its files have other names than the published pages, and so no address.
    run(*command, *arguments, env={**os.environ, "OFFLINE": "true", "SITE_URL": ""})
    archive = ROOT / "build" / folder.name
    shutil.make_archive(str(archive), "zip", folder.parent, folder.name)
    print(f"make.py: {archive.relative_to(ROOT)}.zip: unpack it, open index.html")


def pdf(*arguments: str) -> None:
    """Print the site, built anew, in each of its languages."""
    with tempfile.TemporaryDirectory() as site:
        command = [BIN / "python", "-m", "mkdocs", "build", "--strict", "-d", site]
        run(*command, *arguments)
        run(BIN / "python", "-m", "tools.pdf.book", site, ROOT / "build")


def notebook(*arguments: str) -> None:
    # Ctrl-C is for the cells; what they have printed is still to be written then.
    signal.signal(signal.SIGINT, lambda *_: None)
    run(BIN / "python", "-m", "tools.notebook", *arguments)


def module(name: str, *options: str) -> Callable[..., None]:
    """A command that is a module of what was installed, with these options."""
    return partial(run, BIN / "python", "-m", name, *options)


COMMANDS: dict[str, Callable[..., None]] = {
    "serve": serve,
    "test": test,
    "build": module("mkdocs", "build", "--strict"),
    "offline": offline,
    "pdf": pdf,
    "notebook": notebook,
    "bench": module("tests.bench"),
    "mutants": module("tests.mutants"),
    "chapter": module("tools.chapter"),
    "lock": lock,
}


def main(command: str = "", *arguments: str) -> None:
    # The sessions speak for themselves; TensorFlow's greetings do not help a reader.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")
    if command in ("", "-h", "--help", "help"):
        print(__doc__.strip())
    elif command in COMMANDS:
        install()
        COMMANDS[command](*arguments)
    else:
        stop(f"no command {command!r}\n\n{__doc__.strip()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
