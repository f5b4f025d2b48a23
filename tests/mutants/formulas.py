r"""Mistakes in displayed formulas: does the check of the displays notice them?

One place of the TeX is changed: a sign, an index, a bound, an operator, a number, ...
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from book.pages import Page, Token, contents
from book.tex.displays import Display, Vocabulary, judge, unprinted, worded
from tests.mutants import Mutant

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
    r"\\(?:label|mathrm|operatorname|begin|end)\{[^{}]*\}|\\\\\[\d+pt\]"
    r"|\\text\{[^{}]*\}(?: \d(?:, \d)*)?"  # a remark with its numbers
)
# a <= b is as true as a < b, unless it says how far an index runs.
WEAKER = ["<", ">", r"\le", r"\ge"]


def changes(tex: str) -> Iterator[tuple[int, int, str]]:
    """Where something else stands, and what: (start, end, text)."""
    words = [range(*match.span()) for match in WORDS.finditer(tex)]
    for match in TOKEN.finditer(tex):
        start, end = match.span()
        if any(start in span for span in words):
            continue
        token = match[0]
        if token in "+-" and not re.match(r"\s*(?:o\(|\\dots)", tex[end:]):
            yield start, end, "-" if token == "+" else "+"
        elif token in OTHERS and not (token in WEAKER and by_itself(tex[:start])):
            for other in OTHERS[token]:
                yield start, end, other + (" " if other[-1].isalpha() else "")
        elif re.fullmatch(r"\d+", token):
            yield start, end, str(int(token) + 1)
        elif re.fullmatch(r"\d+\.\d+", token):
            last = str((int(token[-1]) + 1) % 10)
            yield start, end, token[:-1] + last
        elif len(token) == 1 and token.isalpha():
            for pair in LETTERS + SIZES:
                for one, other in (pair, pair[::-1]):
                    if token == one and re.search(rf"(?<![a-zA-Z\\]){other}", tex):
                        yield start, end, other
    for pattern in DROPPED:
        for match in re.finditer(pattern, tex):
            if pattern != "'" or not any(match.start() in span for span in words):
                yield *match.span(), ""
    for match in re.finditer(r"([A-Za-z]|\\delta|\\partial)(_\{[^{}]*\})", tex):
        yield *match.span(), ""


def by_itself(before: str) -> bool:
    """Does what follows stand in no brace, bracket or case?"""
    plain = re.sub(r"\\begin\{aligned\}|\\bigl|\\Bigl", "", before)
    opened = len(re.findall(r"\\begin|[{\[]", plain))
    return opened == len(re.findall(r"\\end|[}\]]", plain)) and "begin{c" not in plain


def nothing(tex: str, start: int, other: str) -> bool:
    """Is it in a product with 0, or its sign? Is it the dot of 2 times 2, which is
    2 + 2, too? There a change changes nothing."""
    ends = r"[+=&{}]|\\\\|(?<!\()-(?=[ \d\\])"
    sign = tex[start] in "+-" and tex[start - 1] != "("  # not that of a number
    *_, before = ["", ""] if sign else re.split(ends, tex[:start])
    term = before + re.split(ends, tex[start + 1 :])[0]
    product = re.search(r"(?:^|\\cdot|\()\s*-?0\s*(?:$|\\cdot|\))", term.strip())
    # A number that is not the largest may be another.
    largest = re.search(r"\\max\([\d., ]*$", tex[:start])
    return bool(product or largest or (other == "+" and adds_up(tex, start)))


def adds_up(tex: str, start: int) -> bool:
    """Is the product of two numbers here their sum?"""
    number = r"\(?(-?[\d.]+)\)? *"
    one = re.search(rf"(?:^|[=+(,&;]) *{number}$", tex[:start])
    other = re.match(rf"\\cdot *{number}(?!\\cdot)", tex[start:])
    if not (one and other):
        return False
    return float(one[1]) * float(other[1]) == float(one[1]) + float(other[1])


@dataclass
class Changed(Mutant):
    """A display with one change."""

    source: "Source"
    tex: str
    main: bool

    def survives(self) -> bool:
        return not self.source.faults(self.tex)


@dataclass
class Source:
    """A display with its vocabulary as it is there, and the displays after it."""

    page: Page
    piece: Token
    words: Vocabulary
    later: list[Token]

    def __post_init__(self):
        worlds = self.words.worlds
        self.kept = [(dict(w.values), dict(w.functions)) for w in worlds]

    def restore(self) -> None:
        for world, (values, functions) in zip(
            self.words.worlds, self.kept, strict=True
        ):
            world.values, world.functions = dict(values), dict(functions)

    def judged(self, piece: Token, tex: str) -> Display:
        display = Display(self.page, piece.line, tex, piece.labels)
        judge(display, self.words, self.page.notes(piece).get("check", []))
        display.faults += unprinted(display)
        return display

    def faults(self, tex: str) -> list[str]:
        """What is amiss with the display, or with those that use what it defines."""
        self.restore()
        display = self.judged(self.piece, tex)
        left = set(display.defines)
        for piece in self.later if left and not display.faults else ():
            other = self.judged(piece, piece.display)
            display.faults += other.faults
            left -= other.uses
        return display.faults + [f"not used: {name}" for name in sorted(left)]


def sources() -> Iterator[tuple[Source, str]]:
    """The displays of the book that are checked, and the section of each."""
    for page in contents()["en"]:
        every = [
            (piece, words)
            for piece, words in worded(page)
            if "unchecked" not in page.notes(piece)
        ]
        for n, (piece, words) in enumerate(every):
            section = page.above(piece.line)[0]
            later = [other for other, w in every[n + 1 :] if w is words]
            source = Source(page, piece, words, later)
            yield source, section
            source.restore()
            source.judged(piece, piece.display)  # for what it defines


@cache
def every_mutant() -> list[Changed]:
    found = []
    for source, section in sources():
        tex, piece = source.piece.display, source.piece
        main = Display(source.page, piece.line, tex, piece.labels).main
        for start, end, other in sorted(set(changes(tex))):
            if nothing(tex, start, other):
                continue
            row = slice(tex.rfind("\n", 0, start) + 1, (tex + "\n").index("\n", end))
            found.append(
                Changed(
                    source.page.name.removesuffix(".md"),
                    f"#{section}",
                    f"{source.page}:{piece.line}",
                    tex[row].strip(),
                    (tex[row.start : start] + other + tex[end : row.stop]).strip(),
                    source,
                    tex[:start] + other + tex[end:],
                    main,
                )
            )
    return found


def of_main_results() -> Iterator[Changed]:
    return (mutant for mutant in every_mutant() if mutant.main)


def of_others() -> Iterator[Changed]:
    return (mutant for mutant in every_mutant() if not mutant.main)
