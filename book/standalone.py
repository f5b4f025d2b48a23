"""The code that a session takes from others, as one piece that runs by itself.

For a notebook and a script, which a reader has without the rest of the book. Each
session from which something is taken becomes a function that returns those names: what
they call keeps its meaning, whatever the code that follows gives the same name.
"""

import ast
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from textwrap import indent

from book import sessions
from book.names import IMPORT, looked_up, needed

HEAD = "from types import SimpleNamespace"


def standalone(session: sessions.Session) -> tuple[str, str]:
    """What must run before a session, and the code of its first block after that.

    The first is "" where it takes nothing. In the second its imports of sessions are
    comments.
    """
    first = session.blocks[0].code
    imports = _imports(session.path, first)
    if not imports:
        return "", first
    asked = _asked(session.path, imports)
    before = "\n\n\n".join([lent(asked), _assigned(imports)])
    return before, _commented(first, imports)


def lent(asked: dict[Path, set[str]]) -> str:
    """Code after which names of sessions are attributes: page_dense.dense_delta, …"""
    wanted = _wanted(asked)
    functions = [_function(path, names) for path, names in reversed(wanted.items())]
    return "\n\n\n".join([HEAD, *functions])


def page_of(path: Path) -> str:
    """What the names that a session lends are attributes of."""
    return _name(sessions.parse(path).name)


def _imports(path: Path, code: str) -> list[ast.ImportFrom]:
    """The statements that take names of other sessions."""
    return [
        node
        for node in ast.parse(code).body
        if isinstance(node, ast.ImportFrom) and sessions.lender(path, node.module or "")
    ]


def _asked(path: Path, imports: list[ast.ImportFrom]) -> dict[Path, set[str]]:
    """The names that a session takes, by the session that has them."""
    asked: dict[Path, set[str]] = {}
    for node in imports:
        names = asked.setdefault(sessions.lender(path, node.module), set())
        names |= {alias.name for alias in node.names}
    return asked


def _wanted(asked: dict[Path, set[str]]) -> dict[Path, frozenset[str]]:
    """The names wanted of each session, those first that take names of others."""
    asked = {path: set(names) for path, names in asked.items()}
    wanted: dict[Path, frozenset[str]] = {}
    for path in _order([*asked]):
        if path not in asked:
            continue  # it lends to what nobody needs here
        wanted[path] = frozenset(asked[path])
        code = _needed(sessions.parse(path), wanted[path])
        for lender, names in _asked(path, _imports(path, code)).items():
            asked.setdefault(lender, set()).update(names)
    return wanted


def _order(paths: list[Path]) -> list[Path]:
    """Sessions and all on which they stand, each before those from which it takes."""
    done: list[Path] = []

    def visit(path: Path, above: tuple[Path, ...] = ()) -> None:
        if path in above:
            message = "it takes names of a session that takes names of it"
            raise sessions.BadSession(path, 1, message)
        if path not in done:
            for lender in sessions.taken(sessions.parse(path)):
                visit(lender, (*above, path))
            done.append(path)

    for path in paths:
        visit(path)
    return done[::-1]


def _needed(session: sessions.Session, names: frozenset[str]) -> str:
    """The statements that these names need, of the imports no name more."""
    return _statements(session.path, session.code, names)


@cache  # every page of a chapter asks for nearly the same
def _statements(path: Path, code: str, names: frozenset[str]) -> str:
    code = needed(names, code)
    imports = _imports(path, code)
    rest = [node for node in ast.parse(code).body if not isinstance(node, IMPORT)]
    read = names | looked_up(ast.Module(rest, []))

    def pruned(node: ast.ImportFrom) -> str:
        kept = [ast.unparse(a) for a in node.names if (a.asname or a.name) in read]
        return f"from {node.module} import {', '.join(kept)}" if kept else ""

    return _replaced(code, imports, pruned)


def _function(path: Path, names: frozenset[str]) -> str:
    session = sessions.parse(path)
    code = _needed(session, names)
    code = _replaced(code, _imports(path, code), lambda node: _assigned([node]))
    name = _name(session.name)
    inside = indent(re.sub(r"\n{3,}", "\n\n", code.strip("\n")), "    ")
    given = "".join(f"        {lent}={lent},\n" for lent in sorted(names))
    return (
        f"def {name}():\n{inside}\n\n    return SimpleNamespace(\n{given}    )\n\n\n"
        f"{name} = {name}()"
    )


def _assigned(imports: list[ast.ImportFrom]) -> str:
    """The same names by assignment: crop = page_convolution_padding.crop, …"""
    return "\n".join(
        f"{alias.asname or alias.name} = {_name(node.module)}.{alias.name}"
        for node in imports
        for alias in node.names
    )


def _commented(code: str, imports: list[ast.ImportFrom]) -> str:
    lines = code.splitlines()

    def comment(node: ast.ImportFrom) -> str:
        return "\n".join(
            f"# {line}" for line in lines[node.lineno - 1 : node.end_lineno]
        )

    return _replaced(code, imports, comment)


def _replaced(
    code: str, nodes: list[ast.ImportFrom], new: Callable[[ast.ImportFrom], str]
) -> str:
    """Code with other lines in place of these statements."""
    lines = code.splitlines()
    for node in reversed(nodes):
        lines[node.lineno - 1 : node.end_lineno] = [new(node)]
    return "\n".join(lines) + "\n"


def _name(session: str) -> str:
    return "page_" + re.sub(r"\W", "_", session)
