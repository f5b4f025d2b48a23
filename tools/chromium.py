"""Where a Chromium is, and how we start it: for the PDF, the tests and the bench."""

import os
import shutil
from pathlib import Path

# As root and without a screen; and nothing is to be looked up in the network.
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    "--disable-sync",
]
NONE = (
    "there is no Chromium: apt install chromium, or playwright install chromium, or "
    "name one in the environment variable CHROMIUM"
)


def chromium(own: str) -> str | None:
    """A Chromium of this machine; own is where Playwright would have put its own."""
    names = ["chromium", "chromium-browser", "google-chrome"]
    found = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, names)), own
    )
    return found if Path(found).exists() else None
