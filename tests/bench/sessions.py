"""What verifying the sessions costs beside merely running them.

The floor is one process that imports TensorFlow and, as modules that import each other,
the code of the same sessions. Both sides run by turns, the best round counts; of each
session there are as many copies as the first column says.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path

from book import sessions
from book.pages import ROOT
from tests.bench import PAGE, SMALLEST, rounds

ROUNDS = rounds(3)
COPIES = [1] if SMALLEST else [1, 4]
FLOOR = """
import contextlib, io, pathlib, sys
import tensorflow
for folder in sorted(pathlib.Path(sys.argv[1]).glob("*/snippets")):
    sys.path.insert(0, str(folder))
    names = [".".join(script.relative_to(folder).with_suffix("").parts)
             for script in sorted(folder.rglob("*.py"))]
    with contextlib.redirect_stdout(io.StringIO()):
        for name in names:
            __import__(name)
    for name in {*names, *(name.partition(".")[0] for name in names)}:
        del sys.modules[name]
    del sys.path[0]
"""


def copies(folder: Path, times: int) -> Path:
    """Every session `times` over, as a session and as a module beside it."""
    for path in sessions.paths():
        session = sessions.parse(path)
        if session.lacks or (SMALLEST and session.name != PAGE):
            continue
        for number in range(times):
            copy = folder / str(number) / "snippets" / session.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy.with_suffix(".md"))
            copy.with_suffix(".py").write_text(session.code, encoding="utf-8")
    return folder


def seconds(*command: str) -> float:
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - start


def main(folder: Path) -> None:
    print(f"seconds, best of {ROUNDS}")
    print("copies  sessions  verified  floor   ratio")
    for times in COPIES:
        made = copies(folder / f"{times}x", times)
        pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider", str(made)]
        floor = ["-c", FLOOR, str(made)]
        runs = [(seconds(*pytest), seconds(*floor)) for _ in range(ROUNDS)]
        verified, least = (min(column) for column in zip(*runs, strict=True))
        number = len(list(made.rglob("*.md")))
        print(
            f"{times:6d}  {number:8d}  {verified:8.2f}  {least:5.2f}  "
            f"{verified / least:6.2f}"
        )
