"""python3 -m tests.formulas [page ...]: what becomes of each displayed formula."""

import sys
import time
from collections import Counter

from book.pages import contents
from book.tex.displays import displays


def main(names: list[str]) -> None:
    start, kinds = time.process_time(), Counter()
    for page in contents()["en"]:
        if names and page.name.removesuffix(".md") not in names:
            continue
        for display in displays(page):
            kind = "FAULT" if display.faults else display.kind
            kinds[kind] += 1
            print(f"{kind:11s}{page}:{display.line}", f"{display.comparisons} compared")
            for fault in display.faults:
                print(f"    {fault}")
    seconds = time.process_time() - start
    count = kinds.total()
    print(dict(kinds), f"{seconds:.1f} s of CPU, {count / seconds:.0f} a second")


if __name__ == "__main__":
    main(sys.argv[1:])
