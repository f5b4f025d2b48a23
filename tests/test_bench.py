"""Each bench still runs; what it measures is for `make.py bench`."""

import subprocess
import sys

import pytest

from book.pages import ROOT
from tests.bench.__main__ import NAMED, PARTS

# What each prints once it has measured.
TOLD = {
    "sessions": "verified",
    "formulas": "a second",
    "build": "an edit of a snippet",
    "page": "layout shift",
    "fit": "tables that scroll",
    "convolution": "together",
    "explorer": "median",
    "check": "named with the layer",
    "engine": "GradientTape",
    "lstm": "tf.function",
    "normalisation": "fused",
    "attention": "power of the length",
    "learning": "images wrongly",
    "growth": "a page more",
}


def bench(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "tests.bench", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.full
@pytest.mark.parametrize("part", PARTS + NAMED)
def test_a_bench_runs(part):
    done = bench("--smallest", part)
    assert done.returncode == 0, done.stderr
    assert TOLD[part] in done.stdout
    assert "MISSED" not in done.stdout


def test_a_bench_that_is_not_there_is_told():
    done = bench("sesions")
    assert done.returncode == 1
    assert done.stderr == (
        "make.py: bench knows sessions, formulas, build, page, fit, convolution, "
        "explorer, check, engine, lstm, normalisation, attention, learning, growth "
        "and --smallest, not sesions\n"
    )
