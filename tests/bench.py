"""python3 make.py bench: what verifying the sessions costs beside merely running them.

The floor is one process that imports TensorFlow and runs the same code as plain
scripts. Both sides run by turns on copies of the sessions, the best of five counts.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from book import sessions

ROOT = sessions.ROOT
FOLDER = ROOT / "build" / "bench"
ROUNDS = 5
FLOOR = """
import contextlib, io, pathlib, runpy, sys
import tensorflow
for script in sorted(pathlib.Path(sys.argv[1]).rglob("*.py")):
    with contextlib.redirect_stdout(io.StringIO()):
        runpy.run_path(str(script))
"""


def copies(times: int) -> Path:
    """Every session `times` over, as a session and as a plain script beside it."""
    folder = FOLDER / f"{times}x"
    for path in sessions.paths():
        session = sessions.parse(path)
        if session.lacks:
            continue
        code = sessions.borrowed(session)[1] + session.code
        for number in range(times):
            copy = folder / str(number) / "snippets" / path.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
            copy.with_suffix(".py").write_text(code, encoding="utf-8")
    return folder


def seconds(*command: str) -> float:
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - start


def main() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # As on a reader's machine: without, pytest compiles its plugins at every start.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    shutil.rmtree(FOLDER, ignore_errors=True)
    print(f"seconds, best of {ROUNDS}")
    print("sessions  verified  floor   ratio")
    for times in (1, 4, 16):
        folder = str(copies(times))
        pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider", folder]
        runs = [(seconds(*pytest), seconds("-c", FLOOR, folder)) for _ in range(ROUNDS)]
        verified, floor = (min(column) for column in zip(*runs, strict=True))
        number = len(list(Path(folder).rglob("*.md")))
        print(f"{number:8d}  {verified:8.2f}  {floor:5.2f}  {verified / floor:6.2f}")
    shutil.rmtree(FOLDER)


if __name__ == "__main__":
    main()
