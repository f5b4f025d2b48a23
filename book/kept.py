"""What was made once, kept on disk by all that it was made of.

An entry is never changed: other inputs are another key. Where a folder has more than it
may hold, those go that were longest unused.
"""

import hashlib
import os
import pickle
import re
import sys
from contextlib import suppress
from pathlib import Path

from book.pages import ROOT

CACHE = ROOT / ".cache"
NODE_LOCK = ROOT / "package-lock.json"  # pins MathJax and its font
LOCKS = [ROOT / "requirements.txt", NODE_LOCK]


def key(*inputs: object) -> str:
    """A name for what is made of these; Python and all packages count, too."""
    # Where a function lies in memory is no property of it.
    told = re.sub(r" at 0x[0-9a-f]+", "", repr(inputs))
    digest = hashlib.sha256(f"{sys.version}{told}".encode())
    for lock in LOCKS:
        digest.update(lock.read_bytes())
    return digest.hexdigest()


class Kept:
    """A folder of entries."""

    def __init__(self, name: str, most: int):
        self.name = name
        self.most = most

    @property
    def folder(self) -> Path:
        return CACHE / self.name

    def __getitem__(self, key: str) -> object:
        """Raises KeyError where it is not there, or damaged."""
        path = self.folder / key
        try:
            entry = pickle.loads(path.read_bytes())
            os.utime(path)
        except Exception as error:  # what is damaged may raise anything
            raise KeyError(key) from error
        return entry

    def __setitem__(self, key: str, entry: object) -> None:
        """Whole or not at all, whatever ends this process or runs beside it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder / f"{key}.{os.getpid()}"
        unfinished.write_bytes(pickle.dumps(entry))
        os.replace(unfinished, self.folder / key)

    def tidy(self) -> None:
        used = {}
        for path in self.folder.glob("*"):
            with suppress(FileNotFoundError):  # another process tidies or writes, too
                used[path] = path.stat().st_mtime
        for path in sorted(used, key=used.__getitem__)[: -self.most]:
            path.unlink(missing_ok=True)
