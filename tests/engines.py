"""Firefox and WebKit as the system has them: a page is opened and asked.

Playwright drives builds of its own alone. Each of these is driven by what comes with
it: Firefox by Marionette, WebKitGTK by its WebDriver, which needs a screen.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.request import Request, urlopen

T = TypeVar("T")

HOST = "127.0.0.1"
WIDE = {"width": 1440, "height": 900}
# The first free port; light, still, and with a mouse, whatever the machine is.
PREFERENCES = """user_pref("marionette.port", 0);
user_pref("layout.css.prefers-color-scheme.content-override", 1);
user_pref("ui.prefersReducedMotion", 1);
user_pref("ui.primaryPointerCapabilities", 6);
"""
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
SECONDS = 60  # at most for a start, and for an answer


def eventually(get: Callable[[], T]) -> T:
    """What get() returns, as soon as nothing is amiss with a file or a connection."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            return get()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


class Firefox:
    WANTS = "firefox-esr"

    @staticmethod
    def path() -> str | None:
        return shutil.which("firefox-esr") or shutil.which("firefox")

    def __init__(self, path: str, profile: Path) -> None:
        (profile / "user.js").write_text(PREFERENCES, "utf-8")
        options = ["--headless", "--marionette", "--no-remote", "--profile", profile]
        self.processes = [subprocess.Popen([path, *options], **QUIET)]
        port = eventually((profile / "MarionetteActivePort").read_text)
        self.socket = socket.create_connection((HOST, int(port)), SECONDS)
        self.answers = self.socket.makefile("rb")
        self.answer()  # who it is
        self.command("NewSession", capabilities={})
        self.command("SetWindowRect", **WIDE)

    def answer(self) -> list:
        length = b"".join(iter(lambda: self.answers.read(1), b":"))
        return json.loads(self.answers.read(int(length)))

    def command(self, name: str, **parameters: object) -> dict:
        message = json.dumps([0, 0, f"WebDriver:{name}", parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self.answer()
        assert error is None, error
        return result

    def open(self, url: str) -> None:
        self.command("Navigate", url=url)

    def evaluate(self, script: str, *arguments: object) -> object:
        """What the body of a function returns; a promise is waited for."""
        return self.command("ExecuteScript", script=script, args=arguments)["value"]


class WebKit:
    WANTS = "webkit2gtk-driver and xvfb"

    @staticmethod
    def path() -> str | None:
        return shutil.which("Xvfb") and shutil.which("WebKitWebDriver")

    def __init__(self, path: str, _: Path) -> None:
        told, tells = os.pipe()
        screen = ["Xvfb", "-displayfd", str(tells), "-screen", "0", "1600x1200x24"]
        self.processes = [subprocess.Popen(screen, pass_fds=[tells], **QUIET)]
        os.close(tells)
        with os.fdopen(told) as lines:
            display = f":{lines.readline().strip()}"
        with socket.socket() as free:
            free.bind((HOST, 0))
            port = free.getsockname()[1]
        # As root its sandbox cannot be made.
        without = {"WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}
        environment = {**os.environ, **without, "DISPLAY": display}
        driver = subprocess.Popen([path, f"--port={port}"], env=environment, **QUIET)
        self.processes.insert(0, driver)
        eventually(lambda: socket.create_connection((HOST, port)).close())
        self.address = f"http://{HOST}:{port}/session"
        browser = next(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
        chosen = {"binary": str(browser), "args": ["--automation"]}
        always = {"alwaysMatch": {"webkitgtk:browserOptions": chosen}}
        session = self.command("", capabilities=always)
        self.address += f"/{session['sessionId']}"
        self.command("/window/rect", **WIDE)

    def command(self, path: str, **parameters: object) -> dict:
        body = json.dumps(parameters).encode()
        request = Request(self.address + path, body, method="POST")
        with urlopen(request, timeout=SECONDS) as answer:
            return json.load(answer)["value"]

    def open(self, url: str) -> None:
        self.command("/url", url=url)

    def evaluate(self, script: str, *arguments: object) -> object:
        """What the body of a function returns; a promise is waited for."""
        return self.command("/execute/sync", script=script, args=arguments)


def close(engine: Firefox | WebKit) -> None:
    for process in engine.processes:
        process.terminate()
        process.wait()
