"""The record of the last run of the property tests, from which a page is made."""

import hashlib
import importlib.metadata
import json
import os
import platform
from datetime import date

from book.sessions import ROOT

PATH = ROOT / ".cache" / "verification.json"


def fingerprint() -> str:
    """Of all that the figures depend on; the site's hook computes it by itself."""
    digest = hashlib.sha256()
    for path in [
        *sorted((ROOT / "snippets").rglob("*.md")),
        *sorted((ROOT / "tests" / "properties").glob("*.py")),
        ROOT / "book" / "results.py",
    ]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    packages = ["tensorflow", "keras", "numpy"]
    found = {name: importlib.metadata.version(name) for name in packages}
    return {**found, "python": platform.python_version()}


def read() -> dict | None:
    """The record, None where there was no run yet."""
    return json.loads(PATH.read_text("utf-8")) if PATH.exists() else None


def write(profile: str, equations: dict[str, dict], before: str) -> bool:
    """Record a run that passed, unless the sources are no longer those of its start."""
    if before != fingerprint():
        return False
    record = {
        "date": date.today().isoformat(),
        "versions": versions(),
        "profile": profile,
        "fingerprint": before,
        "equations": dict(sorted(equations.items())),
    }
    PATH.parent.mkdir(exist_ok=True)
    temporary = PATH.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, PATH)
    return True
