#!/usr/bin/env python3
"""Run the tests with the newest of every dependency, and write down what fails.

Where something does, the exit code is 1, and build/weekly.md names the printed numbers
that are others now, the tests that fail and the versions that are new. The locks keep
the new versions; `git checkout requirements.txt package-lock.json` brings the old back.
"""

import json
import os
import re
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
PINNED = re.compile(r"^([\w.-]+)==([\w.+!-]+)", re.MULTILINE)
# An issue has room for 65,536 characters.
MOST = 25  # failures of a kind
LONGEST = 1_000  # characters of each

Versions = dict[str, set[str]]  # of a package: more than one where platforms differ


class Failure(NamedTuple):
    session: bool  # what failed is a session, not a test
    name: str
    message: str


def main(root: Path = ROOT) -> int:
    old, results = versions(root), root / "build" / "weekly.xml"
    results.unlink(missing_ok=True)
    for arguments in (["lock", "--upgrade"], ["test", f"--junitxml={results}"]):
        code, said = make(root, *arguments)
        if code:
            break
    else:
        return 0
    failed = failures(results) if results.exists() else []
    results.with_suffix(".md").parent.mkdir(exist_ok=True)
    results.with_suffix(".md").write_text(
        report(arguments[0], said, failed, old, versions(root)), "utf-8"
    )
    return 1


def make(root: Path, *arguments: str) -> tuple[int, str]:
    """The exit code of a command of make.py, and the last of what it says."""
    command = [sys.executable, str(root / "make.py"), *arguments]
    last: deque[str] = deque(maxlen=30)
    with subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            last.append(line)
    return process.returncode, "".join(last)


def versions(root: Path) -> Versions:
    """What the locks name."""
    found: Versions = {}
    for name, version in PINNED.findall((root / "requirements.txt").read_text("utf-8")):
        found.setdefault(name, set()).add(version)
    lock = json.loads((root / "package-lock.json").read_text("utf-8"))
    for path, package in lock["packages"].items():
        if path:
            found.setdefault(f"{path} (npm)", set()).add(package["version"])
    return found


def failures(results: Path) -> list[Failure]:
    """What failed, of the results that pytest wrote."""
    return [
        Failure(case.get("name") == "session", name_of(case), fault.get("message", ""))
        for case in ElementTree.parse(results).iter("testcase")
        for fault in [*case.findall("failure"), *case.findall("error")]
    ]


def name_of(case: ElementTree.Element) -> str:
    place, name = case.get("classname", ""), case.get("name", "")
    return place if name == "session" else "::".join(filter(None, [place, name]))


# --- The report --------------------------------------------------------------


def report(
    command: str, said: str, failed: list[Failure], old: Versions, new: Versions
) -> str:
    parts = [f"`python3 make.py {command}` fails with the newest versions."]
    if "GITHUB_RUN_ID" in os.environ:
        parts.append(
            "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}".format(
                **os.environ
            )
        )
    parts += section("Printed numbers", [one for one in failed if one.session])
    parts += section("Failing tests", [one for one in failed if not one.session])
    if not failed:
        parts += ["## The last of what it said", fenced(said)]
    changed = [
        f"- {name}: {listed(old.get(name))} → {listed(new.get(name))}"
        for name in sorted(old | new)
        if old.get(name) != new.get(name)
    ]
    return (
        "\n\n".join([*parts, "## New versions", "\n".join(changed) or "None."]) + "\n"
    )


def section(title: str, failed: list[Failure]) -> list[str]:
    if not failed:
        return []
    parts = [f"## {title}"]
    for one in failed[:MOST]:
        parts += [f"`{one.name}`", fenced(one.message)]
    if len(failed) > MOST:
        parts.append(f"And {len(failed) - MOST} more.")
    return parts


def fenced(text: str) -> str:
    text = text.strip()
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}\n…"
    return f"~~~~~~text\n{text}\n~~~~~~"


def listed(versions: set[str] | None) -> str:
    return ", ".join(sorted(versions)) if versions else "none"


if __name__ == "__main__":
    sys.exit(main())
