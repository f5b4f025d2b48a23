"""How long the tests of twice and four times as many pages take: an hour.

Copies of all pages are made in a copy of the book, under other names and with labels,
figures and imports of their own. The time must not grow faster than the pages.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from book.pages import LANGUAGES, ROOT, contents
from tests.bench import SMALLEST, goal

TIMES = (1, 2) if SMALLEST else (1, 2, 4)
TESTS = ["tests/test_languages.py"] if SMALLEST else []
LINKED = [".venv", "node_modules"]
LEFT = [*LINKED, ".git", ".cache", "build", "site", "__pycache__"]
# What of a page is known by its name in the whole book: before it, and the name.
NAMES = re.compile(
    r"(\\(?:label|eqref)\{|# (?:equation|wrong): |#eq-|\]\(figure:"
    r'|@(?:figure|claim|check)\(")([a-z0-9-]+)'
)
LABELS = sorted({label for page in contents()["en"] for label in page.labels})
ALONE = ["index.md", "glossary.md", "article.md", "explorer.md", "verification.md"]


def copy(folder: Path) -> Path:
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT))
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / ".cache/mathematics", folder / ".cache/mathematics")
    # For .gitignore, and for the pages that tell of which commit they are.
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    own = ["-c", "user.name=bench", "-c", "user.email=bench", "commit"]
    commit = ["git", *own, "-q", "--allow-empty", "-m", "copy"]
    subprocess.run(commit, cwd=folder, check=True)
    return folder


def grow(book: Path, number: int) -> None:
    """Every page with exercises once more, below z1/, z2/: imports stay in order."""
    own = [page.name for page in contents()["en"] if page.name not in ALONE]
    for path in sorted((ROOT / "snippets").rglob("*.*")):
        name = path.relative_to(ROOT / "snippets").with_suffix(".md").as_posix()
        if path.suffix in (".md", ".py") and name not in ALONE:
            target = (
                book / "snippets" / f"z{number}" / path.relative_to(ROOT / "snippets")
            )
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(renamed(path.read_text("utf-8"), number), "utf-8")
    for language in LANGUAGES:
        for name in own:
            text = (ROOT / "docs" / language / name).read_text("utf-8")
            target = book / "docs" / language / f"z{number}" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(page(renamed(text, number), number, name), "utf-8")
    # With the longer names some lines are too long.
    formatted = [sys.executable, "-m", "ruff", "format", "-q", book / "snippets"]
    subprocess.run(formatted, check=True)


def renamed(text: str, number: int) -> str:
    """A page, a session or what belongs to it, under the names of its copy."""
    sessions = "|".join(
        sorted(
            path.relative_to(ROOT / "snippets").parts[0].removesuffix(".md")
            for path in (ROOT / "snippets").rglob("*.md")
        )
    )
    text = NAMES.sub(rf"\1\2-z{number}", text)
    text = re.sub(rf'"({"|".join(LABELS)})":', rf'"\1-z{number}":', text)
    text = re.sub(
        rf"(?m)^from (snippets\.)?((?:{sessions})\b)", rf"from \1z{number}.\2", text
    )
    text = re.sub(rf'(--8<-- ")((?:{sessions})\b)', rf"\1z{number}/\2", text)
    return re.sub(rf"(?<=[=\"])((?:{sessions})[\w/-]*:)", rf"z{number}/\1", text)


def page(text: str, number: int, name: str) -> str:
    """Its place is after all others; the terms stay with the page that defines them."""
    text = re.sub(r"(?ms)^terms:\n.*?(?=^\w|^---)", "", text, count=1)
    text = re.sub(
        r"(?m)^order: (\d+)", lambda m: f"order: {int(m[1]) + 10000 * number}", text
    )
    text = re.sub(r"(?m)^((?:part|title): .*)", rf"\1 {number}", text)
    text = re.sub(r"<!-- verification table -->", "", text)
    depth = "../" * (name.count("/") + 1)
    # The pages that have no copy lie one folder up.
    alone = "|".join(name.removesuffix(".md") for name in ALONE)
    return re.sub(rf"\]\((?:\.\./)*({alone})\.md", rf"]({depth}\1.md", text)


def main(folder: Path) -> None:
    pages = len(contents()["en"])
    print("pages  seconds  a page  of CPU")
    measured = []
    for times in TIMES:
        book = copy(folder / f"{times}x")
        for number in range(1, times):
            grow(book, number)
        command = [sys.executable, "make.py", "test", "-q", *TESTS]
        start, before = time.perf_counter(), os.times()
        done = subprocess.run(command, cwd=book, capture_output=True, text=True)
        seconds = time.perf_counter() - start
        if done.returncode:
            print("\n".join(done.stdout.splitlines()[-30:]))
            print(done.stderr, file=sys.stderr)
            if SMALLEST:
                sys.exit("the tests of the copies fail")
        after = os.times()
        cpu = sum(after[2:4]) - sum(before[2:4])  # of what was started, and has ended
        number = len(list((book / "docs" / "en").rglob("*.md")))
        measured.append((number, seconds))
        each = seconds / number
        print(f"{number:5d}  {seconds:7.0f}  {each:6.2f}  {cpu:6.0f}", flush=True)
    (few, short), *_, (many, long) = measured
    slope = (long - short) / (many - few)
    goal("a page more", slope, round(short / pages, 2), " s")
