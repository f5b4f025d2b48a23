"""Which function of which session is the equation with this label.

A comment directly above a function says it, and nothing else does:

    # equation: conv-weights                    the function is the result
    # wrong: conv-weights, δ not dilated        a variant, and the mistake in it
"""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from book import sessions

TAG = re.compile(r"(?<!/)#\s*(equation|wrong)\b")  # dense/#wrong-delta is a place
FORM = re.compile(r"# (?:(equation): ([a-z0-9-]+)|(wrong): ([a-z0-9-]+), (\S.*))")


@dataclass
class Result:
    """A label, the function that is its equation and the variants that are not."""

    label: str
    session: Path
    function: str = ""
    wrong: dict[str, str] = field(default_factory=dict)  # function -> its mistake
    lines: dict[str, int] = field(default_factory=dict)  # function -> line of its def


def results(paths: list[Path] | None = None) -> dict[str, Result]:
    """What the comments of the sessions say. Raises BadSession where one is amiss."""
    found: dict[str, Result] = {}
    for path in sessions.paths() if paths is None else paths:
        for block in sessions.parse(path).blocks:
            for line, tag, function in tags(path, block):
                kind, label = tag[1] or tag[3], tag[2] or tag[4]
                result = found.setdefault(label, Result(label, path))
                if result.session != path:
                    message = f"{label} is in {sessions.name_of(result.session)}, too"
                    raise sessions.BadSession(path, line, message)
                if function in result.lines:
                    message = f"{label} has a function {function} already"
                    raise sessions.BadSession(path, line, message)
                result.lines[function] = line
                if kind == "wrong":
                    result.wrong[function] = tag[5]
                elif result.function:
                    message = f"{label} is the function {result.function} already"
                    raise sessions.BadSession(path, line, message)
                else:
                    result.function = function
    return found


def tags(path: Path, block: sessions.Block):
    """The tags of a block: line of the def, match of FORM, name of the function."""
    lines = block.code.splitlines()
    left = {number for number, line in enumerate(lines, 1) if TAG.search(line)}
    if not left:
        return
    for node in ast.parse(block.code).body:
        if isinstance(node, ast.FunctionDef):
            number = node.lineno - 1
            while number in left:
                if not (match := FORM.fullmatch(lines[number - 1])):
                    break
                left.remove(number)
                yield block.line + node.lineno, match, node.name
                number -= 1
    if left:
        message = "a tag stands directly above a function: # equation: label, or "
        message += "# wrong: label, the mistake"
        raise sessions.BadSession(path, block.line + min(left), message)


@cache
def namespace(path: Path) -> dict:
    """What a session leaves behind; it is run once."""
    result = sessions.run(sessions.parse(path))
    if result.error:
        raise AssertionError(result.error)
    return result.namespace


def function(result: Result, name: str = "") -> Callable:
    """The function of a result, or its variant of this name, as the session ends."""
    name = name or result.function
    found = namespace(result.session)[name]
    code = getattr(found, "__code__", None)
    if code is None or code.co_firstlineno != result.lines[name]:
        message = f"{name} becomes something else further down"
        raise sessions.BadSession(result.session, result.lines[name], message)
    return found
