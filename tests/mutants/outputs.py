"""Digits of outputs, and numbers of the data from which sessions compute them.

Not the numbers of mistakes: another number would be as wrong, and have the same name.
What survives among the data is what the results do not depend on (a kernel's weights in
its own gradient, what is no maximum, what no window sees) and what no text tells.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from book import numerals, sessions
from book.compare import difference
from book.pages import page


class Change(NamedTuple):
    kind: str
    place: str  # file:line: what it was -> what it is
    session: sessions.Session
    block: int
    changed: str  # the output shown, or the code


def changes() -> Iterator[Change]:
    """Each digit of an output, and each number of a literal array."""
    for session in map(sessions.parse, sessions.paths()):
        if session.lacks:
            continue
        name = sessions.name_of(session.path)
        for nth, block in enumerate(session.blocks):
            for digit in re.finditer(r"\d", block.shown or ""):
                new = str((int(digit[0]) + 1) % 10)
                line = (
                    block.output.start + 1 + block.shown.count("\n", 0, digit.start())
                )
                changed = put(block.shown, *digit.span(), new)
                place = f"{name}:{line}: {digit[0]} -> {new}"
                yield Change("digit of an output", place, session, nth, changed)
            mistake = block.code.startswith("# mistake: ")
            for start, end, line in data(block.code) if not mistake else []:
                old = block.code[start:end]
                new = f"{ast.literal_eval(old) + (1 if old.isdigit() else 0.5):g}"
                changed = put(block.code, start, end, new)
                place = f"{name}:{block.line + line}: {old} -> {new}"
                yield Change("number of the data", place, session, nth, changed)


def put(text: str, start: int, end: int, new: str) -> str:
    return text[:start] + new + text[end:]


def data(code: str) -> Iterator[tuple[int, int, int]]:
    """Where the numbers in lists begin and end that a statement gives a name."""
    starts = [0]
    for line in code.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for statement in ast.parse(code).body:
        if not isinstance(statement, ast.Assign):
            continue
        for node in ast.walk(statement):
            for item in node.elts if isinstance(node, ast.List) else []:
                number = item.operand if isinstance(item, ast.UnaryOp) else item
                if isinstance(number, ast.Constant) and type(number.value) in (
                    int,
                    float,
                ):
                    line = code.splitlines()[item.lineno - 1].encode()
                    first, last = (
                        starts[item.lineno - 1] + len(line[:column].decode())
                        for column in (item.col_offset, item.end_col_offset)
                    )
                    yield first, last, item.lineno


def noticed(change: Change) -> bool:
    session, nth = change.session, change.block
    if change.kind == "digit of an output":
        printed = sessions.run(session).printed[nth]
        return bool(difference(change.changed, printed, session.exact))
    blocks = [*session.blocks]
    blocks[nth] = replace(blocks[nth], code=change.changed)
    other = replace(session, blocks=blocks)
    result = sessions.execute(other)
    if result.error or sessions.mismatches(other, result):
        return True
    of = page("en", f"{session.name}.md")
    sessions._results[other.path, other.code] = result  # which the text is held against
    return bool(numerals.untold(of, other))
