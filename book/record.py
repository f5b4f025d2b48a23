"""The record of the last run of the checks, from which a page is made."""

import hashlib
import importlib.metadata
import json
import os
import platform
from datetime import date
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from book.pages import ROOT, apart

HERE = Path(__file__).parent
# Of this library.
MODULES = [
    *("checks.py", "compare.py", "parts.py", "results.py", "sessions.py"),
    "tex/*.py",
]
PACKAGES = ["tensorflow", "keras", "numpy"]
NAMES = {  # of what is in the record's versions
    "tensorflow": "TensorFlow",
    "keras": "Keras",
    "numpy": "NumPy",
    "python": "Python",
}


class Run(NamedTuple):
    date: str
    versions: dict[str, str]
    profile: str
    fingerprint: str
    equations: dict[str, tuple[int, float]]  # label -> cases, largest error
    formulas: dict[str, int]  # what those of the pages are -> how many
    outputs: int  # of sessions, compared with what they print


class Record(NamedTuple):
    state: str  # "fresh", "stale", "absent" or "broken"
    run: Run | None


def path(root: Path = ROOT) -> Path:
    return root / ".cache" / "verification.json"


def fingerprint(root: Path = ROOT) -> str:
    """Of all that the numbers in the record depend on."""
    digest = hashlib.sha256()
    for source in [
        *sorted((root / "snippets").rglob("*.md")),
        *sorted((root / "snippets").rglob("*.py")),
        *(path for name in MODULES for path in sorted(HERE.glob(name))),
    ]:
        digest.update(source.read_bytes())
    for source in sorted((root / "docs" / "en").rglob("*.md")):
        page = apart("en", source.name, source.read_text("utf-8"))
        for display in page.displays:
            digest.update(f"{display.display}{page.notes(display)}".encode())
        for span in page.inline:  # by hand, they give the numbers
            digest.update(f"${span.inline}$".encode())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {**found, "python": platform.python_version()}


def read(root: Path = ROOT) -> Record:
    """What was recorded, and whether it is of the sources as they are now."""
    try:
        found = json.loads(path(root).read_text("utf-8"))
        run = Run(
            date.fromisoformat(found["date"]).isoformat(),
            {name: str(found["versions"][name]) for name in NAMES},
            str(found["profile"]),
            found["fingerprint"],
            {
                label: (int(equation["cases"]), float(equation["error"]))
                for label, equation in found["equations"].items()
            },
            {str(kind): int(count) for kind, count in found["formulas"].items()},
            int(found["outputs"]),
        )
        if not all(isfinite(error) for _, error in run.equations.values()):
            raise ValueError
    except FileNotFoundError:
        return Record("absent", None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Record("broken", None)
    fresh = run.fingerprint == fingerprint(root)
    return Record("fresh" if fresh else "stale", run)


def write(
    profile: str,
    equations: dict[str, dict],
    formulas: dict[str, int],
    outputs: int,
    before: str,
    root: Path = ROOT,
) -> bool:
    """Record a run that passed, unless the sources are no longer those of its start."""
    if before != fingerprint(root):
        return False
    record = {
        "date": date.today().isoformat(),
        "versions": versions(),
        "profile": profile,
        "fingerprint": before,
        "equations": dict(sorted(equations.items())),
        "formulas": formulas,
        "outputs": outputs,
    }
    path(root).parent.mkdir(exist_ok=True)
    temporary = path(root).with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, path(root))
    return True
