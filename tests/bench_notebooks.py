"""python3 make.py bench notebooks: what they cost a build, and how soon all have run.

A build is compared with one of the same book without notebooks. The tests' way to run
them, on two kernels at a time and with every output compared, is compared with plain
`jupyter nbconvert --execute`. Both sides run by turns, the best round counts.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml
from mkdocs.utils import yaml_load

from book.pages import ROOT
from tests.test_notebooks import NOTEBOOKS, faults, path_of, read

FOLDER = ROOT / "build" / "bench"
ROUNDS = 2
# Builds with the configuration named and tells the seconds: in all, and those in which
# notebooks are made; and how many were executed.
BUILD = """
import json, sys, time
import nbclient
from mkdocs.commands.build import build
from mkdocs.config import load_config

told = {"executed": 0, "made": 0.0}

def counted(setup):
    def executed(*arguments, **options):
        told["executed"] += 1
        return setup(*arguments, **options)
    return executed

def timed(make):
    def measured(*arguments):
        start = time.perf_counter()
        result = make(*arguments)
        told["made"] += time.perf_counter() - start
        return result
    return measured

client = nbclient.NotebookClient
client.setup_kernel = counted(client.setup_kernel)
start = time.perf_counter()
config = load_config(sys.argv[1], site_dir=sys.argv[2])
hook = next(hook for name, hook in config.hooks.items() if "notebooks.py" in name)
hook._texts = timed(hook._texts)
build(config)
config.plugins.on_shutdown()
told["whole"] = time.perf_counter() - start
print(json.dumps(told))
"""


def run(*command: object) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def without_notebooks() -> Path:
    settings = {
        "INHERIT": str(ROOT / "mkdocs.yml"),
        "docs_dir": str(ROOT / "docs"),
        "hooks": [
            str(ROOT / hook)
            for hook in yaml_load((ROOT / "mkdocs.yml").read_text("utf-8"))["hooks"]
        ],
        "watch": [],
        "extra": {"notebooks": []},
    }
    path = FOLDER / "mkdocs.yml"
    path.write_text(yaml.safe_dump(settings), "utf-8")
    return path


def built(settings: Path, site: Path) -> dict:
    return json.loads(run("-c", BUILD, settings, site).splitlines()[-1])


def compared(paths: list[Path]) -> float:
    start = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        found = [*pool.map(lambda path: faults(read(path), path.name), paths)]
    if any(found):
        sys.exit("\n".join(line for lines in found for line in lines))
    return time.perf_counter() - start


def plainly(paths: list[Path]) -> float:
    start = time.perf_counter()
    for path in paths:
        folder = FOLDER / "run" / path.parent.relative_to(FOLDER)
        run(
            "-m",
            "nbconvert",
            "--execute",
            "--to=notebook",
            f"--output-dir={folder}",
            path,
        )
    return time.perf_counter() - start


def main() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    site, plain = FOLDER / "site", without_notebooks()
    pairs = [
        (built(ROOT / "mkdocs.yml", site), built(plain, FOLDER / "plain"))
        for _ in range(ROUNDS)
    ]
    ours = min((pair[0] for pair in pairs), key=lambda told: told["whole"])
    base = min(pair[1]["whole"] for pair in pairs)
    print(f"{len(NOTEBOOKS)} notebooks; seconds, best of {ROUNDS}")
    print("build       with   without   ratio   making them   executed")
    print(
        f"        {ours['whole']:8.1f}  {base:8.1f}  {ours['whole'] / base:6.2f}  "
        f"{ours['made']:12.1f}  {ours['executed']:9d}"
    )
    paths = [path_of(site, *notebook) for notebook in NOTEBOOKS]
    tests, nbconvert = compared(paths), plainly(paths)  # minutes: once
    print("run        tests  nbconvert   ratio")
    print(f"        {tests:8.1f}  {nbconvert:9.1f}  {tests / nbconvert:6.2f}")
    shutil.rmtree(FOLDER)


if __name__ == "__main__":
    main()
