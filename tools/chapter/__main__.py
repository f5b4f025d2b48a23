"""A new chapter: python3 make.py chapter rnn "Recurrent networks" 循环神经网络

Copies the Markdown files beside this one to where a chapter has them, with its name for
NAME and its title for TITLE, and enters it in mkdocs.yml and on the home pages. It does
all of this or nothing.
"""

import re
import sys
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parent
ROOT = TEMPLATE.parents[1]
USAGE = 'python3 make.py chapter rnn "Recurrent networks" 循环神经网络'
# A line of mkdocs.yml that says what a chapter adds above it.
MARK = re.compile(r"^( *)# make\.py chapter: (.*NAME.*)$", re.MULTILINE)
NAV = "# make.py chapter: - NAME.md\n"
CHINESE = re.compile("[\u4e00-\u9fff]")
ROWS = {"en": "an example to replace", "zh": "有待替换的例子"}


class Mistake(Exception):
    """Something that the author can mend."""


def check(name: str, titles: dict[str, str]) -> None:
    """Raises Mistake where a name is taken, or a title would not be read as one."""
    if not re.fullmatch("[a-z][a-z0-9-]*", name):
        raise Mistake(
            f"{name!r} is no name for a chapter: it begins with a letter and has only "
            "a-z, 0-9 and -. (How to add a page to a chapter: CONTRIBUTING.md)"
        )
    places = ["docs", "docs/en", "docs/zh", "snippets"]
    for path in [ROOT / place / name for place in places]:
        for taken in (path, path.with_suffix(".md")):
            if taken.exists():
                raise Mistake(f"{name}: {taken.relative_to(ROOT)} is there already")
    for language, title in titles.items():
        if not title.strip() or (wrong := re.search(r"[|{}\[\]<>$`\\*_#\n]", title)):
            what = f"may not have {wrong[0]!r}" if title.strip() else "is empty"
            raise Mistake(f"the title {title!r} {what}")
        if bool(CHINESE.search(title)) != (language == "zh"):
            raise Mistake(f"{title!r} is no {language} title: first English, then 中文")
    if wrong := re.search("[,:;!?()]", titles["zh"]):
        raise Mistake(f"{titles['zh']!r}: {wrong[0]} is not Chinese, use full width")


def chapter(name: str, titles: dict[str, str]) -> dict[Path, str]:
    """The files that a chapter makes or changes, with all that is to stand in them."""
    check(name, titles)
    files = {}
    for path in sorted(TEMPLATE.rglob("*.md")):
        text = path.read_text("utf-8").replace("NAME", name)
        target = ROOT / path.relative_to(TEMPLATE).with_stem(name)
        files[target] = text.replace("TITLE", titles.get(path.parent.name, ""))

    settings = ROOT / "mkdocs.yml"
    text = settings.read_text("utf-8")
    nav, mark, _ = text.partition(NAV)
    before = re.findall(r"- (\S+\.md)$", nav, re.MULTILINE)
    if not (mark and before):
        raise Mistake(f"mkdocs.yml: after the pages of nav stands no {NAV.strip()}")
    files[settings] = MARK.sub(
        lambda mark: f"{mark[1]}{mark[2].replace('NAME', name)}\n{mark[0]}", text
    )

    for language, title in titles.items():
        home = ROOT / "docs" / language / "index.md"
        text = home.read_text("utf-8")
        row = re.search(rf"^\|.*\({re.escape(before[-1])}\).*\n", text, re.M)
        if not row:
            path = home.relative_to(ROOT)
            raise Mistake(f"{path}: the table has no row for {before[-1]}")
        new = f"{row[0]}| [{title}]({name}.md) | {ROWS[language]} |\n"
        files[home] = text.replace(row[0], new)
    return files


def write(files: dict[Path, str]) -> None:
    """All of them, or none."""
    before = {path: path.read_bytes() if path.exists() else None for path in files}
    try:
        for path, text in files.items():
            path.write_text(text, "utf-8")
    except BaseException:
        for path, was in before.items():
            if was is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(was)
        raise


def main(arguments: list[str]) -> None:
    try:
        if len(arguments) != 3:
            raise Mistake(f"a name and two titles, please: {USAGE}")
        name, english, chinese = arguments
        files = chapter(name, {"en": english, "zh": chinese})
        made = [path for path in files if not path.exists()]
        write(files)
    except (Mistake, OSError) as mistake:
        sys.exit(f"make.py chapter: {mistake}\nNothing was changed.")
    for path in files:
        print("made" if path in made else "changed", path.relative_to(ROOT).as_posix())
    print("Read on in CONTRIBUTING.md; see the chapter with: python3 make.py serve")


if __name__ == "__main__":
    main(sys.argv[1:])
