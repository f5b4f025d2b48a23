"""What it costs to evaluate every displayed formula.

CPU time of this process, with that of the sessions whose functions are compared. It is
the English pages that are evaluated: the formulas of the Chinese ones are the same, and
the tests hold them so.
"""

import time
from pathlib import Path

from book.pages import contents
from book.tex.displays import displays
from tests.bench import PAGE, SMALLEST, goal


def main(_: Path) -> None:
    pages = [
        page for page in contents()["en"] if not SMALLEST or page.name == f"{PAGE}.md"
    ]
    start = time.process_time()
    count = sum(len(displays(page)) for page in pages)
    seconds = time.process_time() - start
    print(f"{count} displayed formulas, {count / seconds:.0f} a second")
    goal("evaluating them", seconds, 20, " s")
