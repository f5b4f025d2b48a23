""".venv/bin/python -m tests.inline: renews the list of formulas within lines that hold.

It says what comes in and what goes because it no longer stands in its section: look
whether what stands there now is true. What stands and no longer holds stays in the
list, where a test finds it; such a line is taken out by hand, or not at all.
"""

import sys
from pathlib import Path

from book.pages import Page, contents
from book.tex.inline import held, inline

KEPT = Path(__file__).with_suffix(".txt")


def kept() -> list[str]:
    """page#section: formula, a line each, in the order of the book."""
    return KEPT.read_text("utf-8").splitlines()


def lost(page: Page) -> list[str]:
    """The lines of a page that no longer hold, or no longer stand there, and where."""
    places = {str(one): f"{page}:{one.line}" for one in inline(page)}
    now = {str(one) for one in held(page)}
    return [
        f"{places[line]}: held before, and is not so now: {line}"
        if line in places
        else f"{page}: gone; is what stands there now true? {line}"
        for line in kept()
        if line.startswith(f"{page.name}#") and line not in now
    ]


def renewed(pages: list[Page]) -> list[str]:
    """What stands there and holds, or did."""
    old = {*kept()}
    found = []
    for page in pages:
        now = {str(one) for one in held(page)}
        found += [str(one) for one in inline(page) if str(one) in now | old]
    return [*dict.fromkeys(found)]


def main() -> int:
    pages = contents()["en"]
    old, new = kept(), renewed(pages)
    KEPT.write_text("".join(f"{line}\n" for line in new), "utf-8")
    for sign, lines in (("-", {*old} - {*new}), ("+", {*new} - {*old})):
        print(*(f"{sign} {line}\n" for line in sorted(lines)), sep="", end="")
    wrong = [line for page in pages for line in lost(page)]
    print(*(f"{line}\n" for line in wrong), sep="", end="")
    print(f"{len(new)} formulas within lines are held")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
