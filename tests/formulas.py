""".venv/bin/python -m tests.formulas [page ...]: what becomes of each display,
and its faults. A page is named as in `cnn/stride`.
"""

import sys
from collections import Counter

from book.pages import contents
from book.tex.displays import displays


def main(*names: str) -> int:
    pages = {page.name.removesuffix(".md"): page for page in contents()["en"]}
    if unknown := sorted({*names} - {*pages}):
        sys.exit(f"tests.formulas: there is no page {unknown[0]}")
    kinds: Counter[str] = Counter()
    for name in names or pages:
        for display in displays(pages[name]):
            kind = "FAULT" if display.faults else display.kind
            kinds[kind] += 1
            place = f"{display.page}:{display.line}"
            print(f"{kind:11s}{place} {display.comparisons} compared")
            for fault in display.faults:
                print(f"    {fault}")
    print(", ".join(f"{kind} {count}" for kind, count in kinds.items()))
    return kinds["FAULT"]


if __name__ == "__main__":
    sys.exit(bool(main(*sys.argv[1:])))
