"""Numbers in the prose of a page: where each is from.

A number above 3 stands in the code, the output or a formula of its own section; a
size, such as 3 × 4 or (1, 3, 4), is that of an array there, and a version the locked
one. What is from elsewhere is entered in the page's .py, by the anchor of the section
and as often as it stands there:

    NUMBERS = {
        "receptive-field": {
            "10": "a height for the reader to try",  # the reason
            "12 35": "= [(delta != 0).sum(), delta.size]",  # of the finished session
            "column 2": "= outs",  # of the section's tables, from top to bottom
        }
    }

An entry is worth the while for a number that stands in the section as well, where its
neighbours stand there, too. One for a number that is not there is an error.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import numpy as np

from book import parts, sessions
from book.compare import locked, shape
from book.pages import HOME, ROOT, SPAN, Page, page

FREE = 3  # numbers up to it say "two" and "three", and are held by nothing
NUMERAL = re.compile(
    r"(?<![\w.])"  # not conv2d, and not the second half of 2.21
    r"(?:(?<!\))\d+(?:\s*×\s*\d+)+|\(\d+(?:, \d+)+,?\)|\(\d+,\))"  # sizes
    r"|(?<![\w.])(?:(?<![\w)])[-−])?\d+(?:\.\d+)*(?!\w|\.\d|-[A-Za-z])"
)
NAMES = {"NumPy": "numpy", "TensorFlow": "tensorflow", "Keras": "keras"}
VERSION = re.compile(
    rf"\b(?P<name>{'|'.join(NAMES)}|PyTorch|Python) (?P<version>\d[\d.]*)"
    r"(?:(?:, | or |、| 或 )\d\.\d+)*"
)
IN_CODE = re.compile(r"(?<![\w.])[-−]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|(?<![\w.])\.\d+")
TUPLE = re.compile(r"\(\s*\d+(?:\s*,\s*\d+)*\s*,?\s*\)")
TABLE = re.compile(r"(?m)^ *\|(?P<head>.*)\|\n *\|[-:| ]+\|\n(?P<rows>( *\|.*\|\n?)+)")
LIST = re.compile(  # of a symbol, not of a product
    r"(?:^|[,;])\s*(?:\\(?:tilde|bar|hat)\s+)?\\?\w+(?:[_^](?:\{[^}]*\}|\w)|')* = "
    r"\((?P<numbers>-?\s*\d+(?:\.\d+)?(?:,\s*-?\s*\d+(?:\.\d+)?)+)\)"
)
ROW = re.compile(r"^ *\|.*$", re.MULTILINE)
COLUMN = re.compile(r"column (\d+)")
HALF_TURN = re.compile("180°")  # in words in English
IN_BRACKETS = re.compile(r"[\[(][^\[\]()]*[\])]")
SYMBOL = re.compile(r"\s*\\?[A-Za-z]+(?:_\{[^}]*\})? &?= \([^=]*$")
LISTED = re.compile(r"^ *\d+\. ", re.MULTILINE)
YEAR = "2020"  # of the article that this book grew from, named on many pages


class Numeral(NamedTuple):
    """A number as a reader sees it; start counts in the text of the page."""

    text: str
    start: int
    line: int
    anchor: str

    @property
    def value(self) -> float | tuple[int, ...] | str:
        """Sizes are a tuple; a version has more points than one."""
        plain = self.text.replace("−", "-")
        if "×" in plain or "(" in plain:
            return tuple(map(int, re.findall(r"\d+", plain)))
        return plain if plain.count(".") > 1 else float(plain)

    @property
    def free(self) -> bool:
        sizes = self.value if isinstance(self.value, tuple) else (self.value,)
        return all(size in range(FREE + 1) for size in sizes)

    @property
    def key(self) -> str:
        """The same for a number however it is set."""
        return self.text.replace("−", "-").replace(" ", "")


def anchor_at(of: Page, start: int) -> str:
    """Of the section that a place of the text is in."""
    places = of.bounds.items()
    return next(name for name, (first, end) in places if first <= start < end)


def numerals(of: Page) -> Iterator[Numeral]:
    """Those of titles, prose, tables and captions, in order; formulas, code and the
    alternatives of pictures are not among them."""
    for begin, text in sorted([*of.texts, *of.titles]):
        masked = SPAN.sub(lambda span: " " * len(span[0]), text)
        for words in (HALF_TURN, LISTED):
            masked = words.sub(lambda found: " " * len(found[0]), masked)
        if begin == 0:  # the front matter, of which readers see these lines
            masked = re.sub(
                r"(?m)^(?!(?:title|summary|description|part):).*$",
                lambda line: " " * len(line[0]),
                masked,
            )
        for found in NUMERAL.finditer(masked):
            start = begin + found.start()
            line = of.text.count("\n", 0, start) + 1
            yield Numeral(found[0], start, line, anchor_at(of, start))


def pictures(of: Page) -> Iterator[tuple[int, re.Match[str]]]:
    """Figures and explorers: where each begins in the page, and its span."""
    for start, text in sorted([*of.texts, *of.titles]):
        for span in SPAN.finditer(text):
            if span["image"]:
                yield start + span.start(), span


# --- What a number stands on ---------------------------------------------------


@dataclass
class Evidence:
    """Numbers, with their signs, and sizes of arrays."""

    numbers: set[float] = field(default_factory=set)
    sizes: set[tuple[int, ...]] = field(default_factory=set)

    def of_text(self, text: str) -> None:
        text = re.sub(
            r"(?:RandomState|seed|default_rng)\(\d+\)|precision=\d+", "", text
        )
        for found in IN_CODE.findall(text):
            self.numbers.add(float(found.replace("−", "-")))
        for found in TUPLE.findall(text):
            self.add_size(map(int, re.findall(r"\d+", found)))

    def of_formula(self, tex: str) -> None:
        for found in re.findall(r"\d+(?:\.\d+)?", tex):
            self.numbers |= {float(found), -float(found)}
        for found in re.findall(r"\d+(?:\s*\\times\s*\d+)+", tex):
            self.add_size(map(int, found.split(r"\times")))
        for found in TUPLE.findall(tex):
            self.add_size(map(int, re.findall(r"\d+", found)))

    def add_size(self, size) -> None:
        """As it is, and without the axes of length 1."""
        size = tuple(size)
        self.sizes |= {size, tuple(n for n in size if n != 1)}

    def holds(self, numeral: Numeral) -> bool:
        value = numeral.value
        if isinstance(value, str):
            return False
        if isinstance(value, tuple):
            return any(
                value == size[k : k + len(value)]
                for size in self.sizes
                for k in range(len(size))
            )
        places = len(numeral.text.partition(".")[2])
        # A page may say 1.60 of a printed 1.6031; of one place too little would remain.
        near = 0.5 * 10.0**-places if places > 1 else 1e-9
        return any(abs(value - number) <= near + 1e-12 for number in self.numbers)


@cache
def evidence(of: Page, anchor: str) -> Evidence:
    """Of a section; of the whole page for its head, which sums it up."""
    if of.name == HOME:  # shows the network of this page
        return evidence(page(of.language, "cnn/forward.md"), "network")
    begin, end = of.bounds[anchor]
    if not anchor or anchor == of.headings[0].anchor:
        begin, end = 0, len(of.text)
    found = Evidence()
    for include in of.includes:
        if begin <= include.match.start() < end:
            session = sessions.parse(sessions.SNIPPETS / f"{include.session}.md")
            _of_blocks(found, session, session.of(include.section))
    for display in of.displays:
        if begin <= display.match.start() < end:
            found.of_formula(display.display)
    starts = sorted([*of.texts, *of.titles])
    for start, text in starts:
        for span in SPAN.finditer(text):
            if span["inline"] and begin <= start + span.start() < end:
                found.of_formula(span["inline"])
    return found


def _of_blocks(found: Evidence, session: sessions.Session, blocks: list) -> None:
    names = {} if session.lacks else sessions.run(session).namespace
    for block in blocks:
        found.of_text(block.code)
        found.of_text(block.shown or "")
        for array in re.findall(r"\[\[.*?\]\]+", block.shown or "", re.DOTALL):
            if size := shape(array):
                found.add_size(size)
        for node in ast.walk(ast.parse(block.code)):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                size = getattr(names.get(node.id), "shape", None)
                if isinstance(size, tuple):
                    found.add_size(size)


# --- What a page has entered -----------------------------------------------------


def entries(of: Page) -> dict[str, dict[str, str]]:
    """NUMBERS of the page's .py; empty where it has none."""
    module = parts.modules().get(of.name.removesuffix(".md"))
    return getattr(module, "NUMBERS", {})


def computed(of: Page, expression: str) -> list[float]:
    """The numbers of an entry, with the names of the page's session as it ends."""
    session = sessions.parse(sessions.SNIPPETS / of.name)
    names = {"np": np, **sessions.run(session).namespace}
    return np.ravel(eval(expression, names)).tolist()  # ours, from a file beside it


def same(numerals: list[Numeral], values: list[float]) -> bool:
    """Are these the values, as they are rounded in the text? Sizes are several."""
    shown: list[tuple[float, float]] = []  # each with what rounding may have taken
    for numeral in numerals:
        sizes = numeral.value
        places = len(numeral.text.partition(".")[2])
        off = 0.5 * 10.0**-places if places else 0
        shown += [(n, off) for n in (sizes if isinstance(sizes, tuple) else [sizes])]
    return len(shown) == len(values) and all(
        abs(n - value) <= off + 1e-9
        for (n, off), value in zip(shown, values, strict=True)
    )


def column(of: Page, anchor: str, nth: int) -> list[Numeral]:
    """The numbers in the n-th column of the tables of a section, counted from 1."""
    begin, end = of.bounds[anchor]
    every, found = list(numerals(of)), []
    for table in TABLE.finditer(of.text, begin, end):
        for row in ROW.finditer(of.text, table.start("rows"), table.end("rows")):
            bars = [row.start() + bar.start() for bar in re.finditer(r"\|", row[0])]
            first, last = bars[nth - 1 : nth + 1]
            found += [n for n in every if first < n.start < last]
    return found


def entered(of: Page) -> tuple[list[str], set[int]]:
    """What is amiss with the entries of a page, and where the numbers are that they
    hold."""
    wrong, held = [], set()
    for anchor, those in entries(of).items():
        if anchor not in of.bounds:
            wrong.append(f"{of}: NUMBERS has a section {anchor}, the page has none")
            continue
        columns = {key: COLUMN.fullmatch(key) for key in those}
        found = {
            key: column(of, anchor, int(match[1]))
            for key, match in columns.items()
            if match
        }
        inside = {numeral.start for those in found.values() for numeral in those}
        there: dict[str, list[Numeral]] = {}
        for numeral in numerals(of):
            if numeral.anchor == anchor and numeral.start not in inside:
                there.setdefault(numeral.key, []).append(numeral)
        left = {key: iter(numerals) for key, numerals in there.items()}
        wanted: Counter[str] = Counter()
        for key, match in columns.items():
            if not match:
                wanted.update(key.split())
                each = (next(left.get(text, iter(())), None) for text in key.split())
                found[key] = [numeral for numeral in each if numeral]
        for text, times in wanted.items():
            if (n := len(there.get(text, []))) != times:
                what = f"{text} stands there {n} times, in NUMBERS {times} times"
                wrong.append(f"{of}: {anchor}: {what}")
        for key, why in those.items():
            held |= {numeral.start for numeral in found[key]}
            if why.startswith("=") and (what := off(of, found[key], why[1:].strip())):
                wrong.append(f"{of}: {anchor}: {key!r}: {what}")
    return wrong, held


def off(of: Page, found: list[Numeral], expression: str) -> str | None:
    """None where the numbers are what the expression computes."""
    try:
        values = computed(of, expression)
    except Exception as error:  # whatever the entry says
        return f"{expression}: {type(error).__name__}: {error}"
    if same(found, values):
        return None
    return f"the page has {[n.text for n in found]}, {expression} is {values}"


# --- The checks --------------------------------------------------------------------


def versions(of: Page) -> Iterator[tuple[Numeral, str]]:
    """Numbers that are a version, with the name before them."""
    every = list(numerals(of))
    for found in VERSION.finditer(of.text):
        for numeral in every:
            if found.start("version") <= numeral.start < found.end():
                yield numeral, found["name"]


@cache
def known_versions(name: str) -> list[str]:
    """Those that a page may name: the locked one, of Python those that CI tests."""
    if name == "Python":
        ci = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
        minors = [int(minor) for minor in re.findall(r'python: "3\.(\d+)"', ci)]
        return [f"3.{minor}" for minor in range(min(minors), max(minors) + 1)]
    if name == "PyTorch":
        first = sessions.parse(sessions.SNIPPETS / "conventions-torch.md").blocks[0]
        return [first.shown.split()[-1]]
    return [locked(NAMES[name])]


def untold(of: Page, session: sessions.Session) -> list[str]:
    """Lists in the text, such as x = (1, 3, -2), that the code of their section neither
    writes nor prints, and the session does not have at its end; zeros may have been put
    in."""
    wrong = []
    at_end = [array.ravel().round(6).tolist() for array in held_arrays(session)]
    for start, found in lists(of):
        wanted = [float(n.replace(" ", "")) for n in found["numbers"].split(",")]
        texts = written(of, anchor_at(of, start), session)
        rows, whole = (
            numbers(texts),
            at_end + numbers(IN_BRACKETS.findall("".join(texts))),
        )
        without = [number for number in wanted if number]
        # Two numbers stand anywhere: they are to be all that stands in brackets.
        if not any(
            those in whole
            or (len(those) > 2 and any(within(those, row) for row in rows))
            for those in (wanted, without)
        ) and not any(within(wanted, row) for row in at_end if len(wanted) > 2):
            line = of.text.count("\n", 0, start) + 1
            wrong.append(
                f"{of}:{line}: {found[0].strip(' ,;')} is not in {session.name}"
            )
    return wrong


def numbers(texts: list[str]) -> list[list[float]]:
    """Of each text, and the same without zeros."""
    found = [[float(n) for n in IN_CODE.findall(text)] for text in texts]
    return found + [[number for number in row if number] for row in found]


def lists(of: Page) -> Iterator[tuple[int, re.Match[str]]]:
    """Where each begins in the page. In displays they are those that only say what a
    symbol is: x_{0,0} &= (1, 2, 0) & x_{0,1} &= (3, -1, 2)."""
    formulas = [
        (start + span.start(), span["inline"])
        for start, text in [*of.texts, *of.titles]
        for span in SPAN.finditer(text)
        if span["inline"]
    ]
    formulas += [
        (part.match.start(), piece)
        for part in of.displays
        for piece in re.split(r"\\\\|&(?!=)", part.display)
        if SYMBOL.match(piece)
    ]
    for start, tex in sorted(formulas):
        for found in LIST.finditer(re.sub(r"&|\\[,;]", "", tex)):
            yield start, found


def written(of: Page, anchor: str, session: sessions.Session) -> list[str]:
    """The code and the outputs of a section."""
    begin, end = of.bounds[anchor]
    return [
        text
        for include in of.includes
        if begin <= include.match.start() < end and include.session == session.name
        for block in session.of(include.section)
        for text in (block.code, block.shown or "")
    ]


def held_arrays(session: sessions.Session) -> Iterator[np.ndarray]:
    for value in sessions.run(session).namespace.values():
        if hasattr(value, "dtype") and hasattr(value, "shape"):
            try:
                yield np.squeeze(np.asarray(value, dtype=float))
            except (TypeError, ValueError):  # symbols
                continue


def within(wanted: list[float], row: list[float]) -> bool:
    """Does it stand in the row, one after the other?"""
    length = len(wanted)
    return any(
        row[k] == wanted[0] and row[k : k + length] == wanted for k in range(len(row))
    )


def complaints(of: Page) -> list[str]:
    """Each number of the page that stands on nothing, with file and line."""
    wrong, held = entered(of)
    if (sessions.SNIPPETS / of.name).exists():
        wrong += untold(of, sessions.parse(sessions.SNIPPETS / of.name))
    for numeral, name in versions(of):
        if numeral.start not in held:
            held.add(numeral.start)
            known = known_versions(name)
            if not any(f"{one}.".startswith(f"{numeral.text}.") for one in known):
                what = f"{name} {numeral.text}, here it is {', '.join(known)}"
                wrong.append(f"{of}:{numeral.line}: {what}")
    for found in VERSION.finditer(of.text):
        named = re.findall(r"\d+\.\d+", found[0])
        if len(named) > len({*named}):
            line = of.text.count("\n", 0, found.start()) + 1
            wrong.append(f"{of}:{line}: {found[0]} has a version twice")
    for numeral in numerals(of):
        if numeral.free or numeral.start in held or numeral.text == YEAR:
            continue
        if not evidence(of, numeral.anchor).holds(numeral):
            wrong.append(
                f"{of}:{numeral.line}: {numeral.text} is in no code, output or formula "
                f"of this section ({numeral.anchor}): is it right? Then show it there, "
                f"or enter it in NUMBERS of snippets/{of.name.removesuffix('.md')}.py"
            )
    return wrong


def disagreements(english: Page, chinese: Page) -> list[str]:
    """Sections in which one language has numbers that the other has not; of what is
    small in the prose, either may say "two"."""
    bags: list[dict[str, Counter[str]]] = []
    for of in (english, chinese):
        bags.append({anchor: Counter() for anchor in of.bounds})
        for numeral in numerals(of):
            if not numeral.free:
                bags[-1][numeral.anchor][numeral.key] += 1
        for start, picture in pictures(of):
            text = HALF_TURN.sub("", picture["seen"]).replace("−", "-")
            bags[-1][anchor_at(of, start)].update(re.findall(r"-?\d+(?:\.\d+)?", text))
    ours, theirs = bags
    return [
        f"{of}: {anchor}: {' '.join(more.elements())} in this language only"
        for anchor in ours.keys() & theirs.keys()
        for of, more in [
            (english, ours[anchor] - theirs[anchor]),
            (chinese, theirs[anchor] - ours[anchor]),
        ]
        if more
    ]
