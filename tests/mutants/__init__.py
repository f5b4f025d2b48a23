"""Mistakes made on purpose, one at a time: what does no check notice?

A kind of them is a module of this folder, with `mutants()`, which yields all that it
can make, place by place. The command is in __main__.py.
"""

from dataclasses import dataclass

from book import parts

Key = tuple[str, str, str, str]


@dataclass
class Mutant:
    """What the book says at one place, and what it could say there by mistake.

    A kind adds what it needs to make the change, and to ask the checks about it.
    """

    page: str  # pooling/max
    place: str  # of the page: a function, #section, a section of its session
    line: str  # file:line
    before: str
    after: str

    @property
    def key(self) -> Key:
        return self.page, self.place, self.before, self.after

    def __str__(self) -> str:
        return f"{self.line}: {self.place}\n    {self.before}\n    {self.after}"

    def survives(self) -> bool:
        """Do all checks of the place pass with the change?"""
        raise NotImplementedError


def same() -> dict[Key, str]:
    """What is known to say the same, by the keys of mutants, and why."""
    return {
        (page, *key): why
        for page, module in parts.modules().items()
        for key, why in vars(module).get("SAME", {}).items()
    }
