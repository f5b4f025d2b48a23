"""python3 make.py bench: every part, or those that are named."""

import os
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from book.pages import ROOT

PARTS = ["sessions", "formulas", "build", "page", "fit", "convolution", "explorer"]
PARTS += ["check", "engine", "lstm", "normalisation", "attention", "learning"]
NAMED = ["growth"]  # takes too long to be run with the others


def main(*arguments: str) -> None:
    parts = [argument for argument in arguments if argument != "--smallest"]
    if unknown := sorted(set(parts) - {*PARTS, *NAMED}):
        known = ", ".join(PARTS + NAMED)
        sys.exit(f"make.py: bench knows {known} and --smallest, not {unknown[0]}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Pytest would compile its plugins, and a build its hooks, at every start.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # No address, and the record of the checks may be old: as at home.
    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")
    for name in ("CI", "SITE_URL", "REPO_URL", "DOWNLOADS_URL"):
        os.environ.pop(name, None)
    for part in parts or PARTS:
        module = import_module(f"tests.bench.{part}")
        print(f"--- {module.__doc__}", flush=True)
        (ROOT / "build").mkdir(exist_ok=True)
        # Below the root, where our conftest.py is asked for the sessions.
        with TemporaryDirectory(prefix="bench-", dir=ROOT / "build") as folder:
            module.main(Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
