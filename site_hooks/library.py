"""MkDocs hook, the first: all that come after it can import book/, and what that finds
wrong is told in a line.

MkDocs gives back the path of modules after each hook. What was imported once stays, and
the modules of a package are found by the package: importing it here is enough, however
MkDocs was started.
"""

import logging
import sys
from pathlib import Path

from mkdocs.exceptions import Abort

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from book import Mistake


def on_build_error(error: Exception, **_: object) -> None:
    """As MkDocs does with errors of its own, where `serve` would show a traceback."""
    if isinstance(error, Mistake):
        logging.getLogger("mkdocs.hooks.library").error(error)
        raise Abort("Aborted, the book has a mistake")
