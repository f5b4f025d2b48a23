r"""Mistakes in displayed formulas: does the check of the displays notice them?

One place of the TeX is changed at a time: a sign, an index, a bound, an operator, ...
"""

import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator

from book.pages import Page, Part, contents
from book.tex.displays import Display, Vocabulary, judge, unprinted, worded

# What is taken for what by mistake.
LETTERS = ["ij", "uv", "pq", "mn", "cf", "cd", "nm", "ik", "fg", "st", "kj"]
SIZES = ["SD", "KH", "OH", "KS", "CF", "HO", "DK", "NC"]
OTHERS = {
    r"\odot": [r"\star"],
    r"\star": [r"\ast"],
    r"\ast": [r"\star"],
    r"\max": [r"\min"],
    r"\min": [r"\max"],
    r"\sum": [r"\prod"],
    r"\lfloor": [],
    r"\le": ["<"],
    r"\ge": [">"],
    "<": [r"\le"],
    ">": [r"\ge"],
    r"\bmod": [r"\cdot"],
    r"\log": [r"\exp"],
    r"\cdot": ["+"],
}
DROPPED = [
    r"\^\{\\mathsf T\}",
    r"_\{\\mathrm\{full\}\}",
    r"\\operatorname\{rot180\}",
    r"_\{\\uparrow [SD]\}",
    r"\\tilde ",
    r"'",
]
TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\d+(?:\.\d+)?|\S")
# Nothing of these is mathematics.
WORDS = re.compile(
    r"\\(?:text|label|mathrm|operatorname|begin|end)\{[^{}]*\}|\\\\\[\d+pt\]"
)


def changes(tex: str) -> Iterator[tuple[str, int, int, str]]:
    """(kind, start, end, what stands there instead)."""
    words = [range(*match.span()) for match in WORDS.finditer(tex)]
    for match in TOKEN.finditer(tex):
        start, end = match.span()
        if any(start in span for span in words):
            continue
        token = match[0]
        if token in "+-":
            yield "sign", start, end, "-" if token == "+" else "+"
        elif token in OTHERS:
            for other in OTHERS[token]:
                yield (
                    "operator",
                    start,
                    end,
                    other + (" " if other[-1].isalpha() else ""),
                )
        elif re.fullmatch(r"\d+", token):
            yield "number", start, end, str(int(token) + 1)
        elif re.fullmatch(r"\d+\.\d+", token):
            last = str((int(token[-1]) + 1) % 10)
            yield "number", start, end, token[:-1] + last
        elif len(token) == 1 and token.isalpha():
            for kind, pairs in (("index", LETTERS), ("size", SIZES)):
                for pair in pairs:
                    for one, other in (pair, pair[::-1]):
                        if token == one and re.search(rf"(?<![a-zA-Z\\]){other}", tex):
                            yield kind, start, end, other
    for pattern in DROPPED:
        for match in re.finditer(pattern, tex):
            if pattern != "'" or not any(match.start() in span for span in words):
                yield "dropped", *match.span(), ""
    for match in re.finditer(r"([A-Za-z]|\\delta|\\partial)(_\{[^{}]*\})", tex):
        yield "factor dropped", *match.span(), ""


def nothing(tex: str, start: int) -> bool:
    """Is it in a product with 0, where a change changes nothing?"""
    ends = r"[+=&]|\\\\|-(?=[ \d\\])"
    *_, before = re.split(ends, tex[:start])
    term = before + re.split(ends, tex[start + 1 :])[0]
    return bool(re.search(r"(?:^|\\cdot|\()\s*-?0\s*(?:$|\\cdot|\))", term.strip()))


def tried(names: list[str], each: int, seed: int = 0):
    """The mutants of each display: (display, kind, text around, noticed by)."""
    rng = random.Random(seed)
    for page in contents()["en"]:
        if names and page.name.removesuffix(".md") not in names:
            continue
        every = [*worded(page)]
        for n, (piece, words) in enumerate(every):
            notes = page.notes(piece)
            if "unchecked" in notes:
                continue
            kept = [(dict(w.values), dict(w.functions)) for w in words.worlds]
            tex = piece.display
            by_kind: dict[str, list] = {}
            for change in sorted(set(changes(tex))):
                if not nothing(tex, change[1]):
                    by_kind.setdefault(change[0], []).append(change)
            for kind, found in by_kind.items():
                for _, start, end, other in rng.sample(found, min(each, len(found))):
                    mutant = tex[:start] + other + tex[end:]
                    around = tex[max(0, start - 25) : start]
                    around += f"⟦{tex[start:end]}→{other}⟧{tex[end : end + 20]}"
                    later = [p for p, w in every[n + 1 :] if w is words]
                    faults = verdict(page, piece, words, mutant, later)
                    yield page, piece, kind, around.replace("\n", " "), faults
                    for world, (values, functions) in zip(
                        words.worlds, kept, strict=True
                    ):
                        world.values, world.functions = dict(values), functions
            judged(page, piece, words, tex)


def judged(page: Page, piece: Part, words: Vocabulary, tex: str) -> Display:
    display = Display(page, piece.line, tex, piece.labels)
    judge(display, words, page.notes(piece).get("check", []))
    display.faults += unprinted(display)
    return display


def verdict(
    page: Page, piece: Part, words: Vocabulary, tex: str, later: list[Part]
) -> list[str]:
    """What is amiss with a display, or with those that use what it defines."""
    display = judged(page, piece, words, tex)
    if display.faults or not display.defines:
        return display.faults
    left = set(display.defines)
    for piece in later:
        if "unchecked" in page.notes(piece):
            continue
        other = judged(page, piece, words, piece.display)
        if other.faults:
            return other.faults
        left -= other.uses
    return [f"not used: {name}" for name in left]


def main(names: list[str]) -> None:
    each = int(names.pop(0)) if names and names[0].isdigit() else 2
    start, seen, noticed = time.process_time(), Counter(), Counter()
    main_seen, main_noticed = 0, 0
    for page, piece, kind, context, faults in tried(names, each):
        fault = bool(faults)
        seen[kind] += 1
        noticed[kind] += fault
        if any(not l.startswith("step-") for l in piece.labels):
            main_seen += 1
            main_noticed += fault
        if not fault:
            print(f"{page}:{piece.line} {kind}: {context}", flush=True)
    for kind, count in seen.items():
        print(f"{kind:16s}{noticed[kind]:5d} of {count}")
    total = seen.total()
    print(
        f"{noticed.total()} of {total} ({noticed.total() / total:.1%}); main results {main_noticed} of {main_seen}; {time.process_time() - start:.0f} s"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
