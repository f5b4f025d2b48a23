"""Wrong digits in the outputs that sessions show.

Not other numbers in their code: what prints and says the same with other data is as
true. Data that the text tells is held by book/numerals.py.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from book import sessions
from book.compare import difference
from tests.mutants import Mutant


@dataclass
class Changed(Mutant):
    """An output with one other digit."""

    session: sessions.Session
    block: int
    shown: str

    def survives(self) -> bool:
        printed = sessions.run(self.session).printed[self.block]
        return not difference(self.shown, printed, self.session.exact)


def mutants() -> Iterator[Changed]:
    for session in map(sessions.parse, sessions.paths()):
        if session.lacks:
            continue
        for section in session.sections:
            for block in session.of(section.name):
                if block.shown:
                    yield from changes(session, section.name, block)


def changes(
    session: sessions.Session, section: str, block: sessions.Block
) -> Iterator[Changed]:
    """Each digit, one more; after 9 comes 0."""
    nth, first = session.blocks.index(block), block.output.start + 1
    lines = block.shown.split("\n")
    for number, line in enumerate(lines):
        where = f"{sessions.name_of(session.path)}:{first + number}"
        for digit in re.finditer(r"\d", line):
            other = str((int(digit[0]) + 1) % 10)
            after = line[: digit.start()] + other + line[digit.end() :]
            shown = "\n".join([*lines[:number], after, *lines[number + 1 :]])
            told = session.name, section, where, line, after
            yield Changed(*told, session, nth, shown)
