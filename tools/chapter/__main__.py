"""A new page, with its four files:

python3 make.py chapter rnn "Recurrent networks" 循环神经网络
python3 make.py chapter rnn/lstm LSTM 长短期记忆 "Recurrent networks" 循环神经网络
python3 make.py chapter rnn/gru GRU 门控循环单元

The first is a chapter of one page. The second begins a part of the book, whose name
follows the title; the third is another page of this part. Copies the files beside this
one to where a page has them, with its names in place of theirs. It makes all of them or
none, and changes no other file.
"""

import re
import sys
from importlib.util import find_spec
from pathlib import Path

from book import Mistake
from book.pages import LANGUAGES, REFERENCE, ROOT, Page, contents

TEMPLATE = Path(__file__).resolve().parent
FOLDERS = ["docs", *(f"docs/{language}" for language in LANGUAGES), "snippets"]
ENDS = ["", ".md", ".py"]
USAGE = 'python3 make.py chapter rnn "Recurrent networks" 循环神经网络'
CHINESE = re.compile("[\u4e00-\u9fff]")


def check_name(name: str) -> None:
    """Raises Mistake where a page cannot have the name, or something has it already."""
    if not re.fullmatch("([a-z][a-z0-9-]*/)?[a-z][a-z0-9-]*", name):
        raise Mistake(
            f"{name!r} is no name for a page: it begins with a letter and has only "
            "a-z, 0-9 and -; the folder of its part may stand before it, as in rnn/lstm"
        )
    first = name.split("/")[0]
    if find_spec(first):
        raise Mistake(f"{first} is a module of Python: sessions could not import it")
    for taken in (f"{folder}/{name}{end}" for folder in FOLDERS for end in ENDS):
        if (ROOT / taken).exists():
            raise Mistake(f"{name}: {taken} is there already")


def check_title(language: str, title: str) -> None:
    """Raises Mistake where a title, or the name of a part, would not be read as one."""
    if not title.strip() or (wrong := re.search(r"[|{}\[\]<>$`\\*_#:'\"\n]", title)):
        what = f"may not have {wrong[0]!r}" if title.strip() else "is empty"
        raise Mistake(f"the title {title!r} {what}")
    if bool(CHINESE.search(title)) != (language == "zh"):
        raise Mistake(f"{title!r} is no {language} title: first English, then 中文")
    if language == "zh" and (wrong := re.search("[,:;!?()]", title)):
        raise Mistake(f"{title!r}: {wrong[0]} is not Chinese, use full width")


def last_before(folder: str, pages: list[Page]) -> Page:
    """The page after which a new one stands: the last of its folder, or of all chapters
    where its folder has no page yet."""
    here = [page for page in pages if folder and page.name.startswith(f"{folder}/")]
    return (here or [p for p in pages if p.part != REFERENCE[p.language]])[-1]


def order_after(last: Page, pages: list[Page], step: int) -> int:
    """The next multiple of the step, or halfway where that is taken."""
    before, after = (page.front["order"] for page in pages[pages.index(last) :][:2])
    found = (before // step + 1) * step
    if found >= after:
        found = (before + after) // 2
    if found == before:
        raise Mistake(
            f"{last}: its order and that of the next page have no room between"
        )
    return found


def files(name: str, titles: list[str], part: list[str]) -> dict[Path, str]:
    """What is to be written. Raises Mistake."""
    check_name(name)
    for language, title in zip(LANGUAGES * 2, titles + part, strict=False):
        check_title(language, title)
    folder = name.rpartition("/")[0]
    book = contents(ROOT / "docs")
    last = {lang: last_before(folder, pages) for lang, pages in book.items()}
    begun = bool(folder) and last["en"].name.startswith(f"{folder}/")
    if bool(folder) != (begun or bool(part)) or (begun and part):
        raise Mistake(
            f"{folder} is a part already, and has its names"
            if begun
            else f"{folder} is no part yet: its names, in both languages, go last"
            if folder
            else f"{name} belongs to no part; one that does is called {name}/…"
        )
    part = [page.part for page in last.values()] if begun else part
    order = order_after(last["en"], book["en"], 10 if begun else 100)
    words = {
        "ORDER": str(order + 10 if part and not begun else order),
        "LABEL": name.replace("/", "-"),
        "NAME": name,
        "UP": "../" if folder else "",
    }
    made = {}
    for path in sorted(TEMPLATE.glob("[ds]*/**/NAME.*")):
        text = path.read_text("utf-8")
        if path.parent.name in LANGUAGES:
            which = LANGUAGES.index(path.parent.name)
            line = f"part: {part[which]}\n" if part else ""
            text = text.replace("part: PART\n", line).replace("TITLE", titles[which])
        for old, new in words.items():
            text = text.replace(old, new)
        made[ROOT / path.relative_to(TEMPLATE).parent / f"{name}{path.suffix}"] = text
    return made


def write(made: dict[Path, str]) -> None:
    """All of them, or none."""
    folders = [path.parent for path in made if not path.parent.exists()]
    try:
        for path, text in made.items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        for folder in folders:
            if folder.exists():
                folder.rmdir()
        raise


def main(arguments: list[str]) -> None:
    try:
        if len(arguments) not in (3, 5):
            raise Mistake(f"a name and two titles, please: {USAGE}")
        name, *words = arguments
        made = files(name, words[:2], words[2:])
        write(made)
    except (Mistake, OSError) as mistake:
        sys.exit(f"make.py chapter: {mistake}\nNothing was changed.")
    for path in made:
        print("made", path.relative_to(ROOT).as_posix())
    print("Read on in CONTRIBUTING.md; see the page with: python3 make.py serve")


if __name__ == "__main__":
    main(sys.argv[1:])
