"""Which names a piece of code sets and reads, and the statements that it stands on.

For a notebook and a script, which run without the sessions from which theirs takes.
"""

import ast
import builtins
import symtable
from collections.abc import Iterable

BUILTIN = set(dir(builtins))
IMPORT = ast.Import | ast.ImportFrom


def looked_up(node: ast.AST) -> set[str]:
    """The global names in a piece without blocks of its own, or in a function."""

    def look(table: symtable.SymbolTable) -> set[str]:
        found = {
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_referenced()
            and (symbol.is_global() or table.get_type() == "module")
        }
        return found.union(*map(look, table.get_children()))

    return look(symtable.symtable(ast.unparse(node), "", "exec")) - BUILTIN


def read_by(nodes: Iterable[ast.AST]) -> set[str]:
    """The names that statements look up before they have given them values."""
    found: set[str] = set()
    here: set[str] = set()
    for node in nodes:
        match node:
            case ast.For(target, source, body):
                found |= looked_up(source) - here
                found |= read_by(body) - here - set_by(target)
            case ast.With(items, body):
                names = set().union(*map(set_by, items))
                found |= set().union(*(looked_up(i.context_expr) for i in items)) - here
                found |= read_by(body) - here - names
            case ast.AugAssign(ast.Name(name), _, value):
                found |= (looked_up(value) | {name}) - here
            case ast.FunctionDef():
                here |= set_by(node)  # it may call itself
                found |= looked_up(node) - here
            case _:
                found |= looked_up(node) - here
        here |= set_by(node)
    return found


def set_by(node: ast.AST) -> set[str]:
    """The names to which a statement, or a target in one, gives a value."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, IMPORT):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    names = (below for below in ast.walk(node) if isinstance(below, ast.Name))
    return {name.id for name in names if isinstance(name.ctx, ast.Store)}


def changed_by(node: ast.stmt) -> set[str]:
    """The names whose object a statement may alter: x[0] = 1, x += 1, x.append(1)."""
    found = set()
    for below in ast.walk(node):
        match below:
            case ast.Subscript(ctx=ast.Store()) | ast.Attribute(ctx=ast.Store()):
                target = below
            case ast.AugAssign(target=target):
                pass
            case ast.Expr(value=ast.Call(func=ast.Attribute() as target)):
                pass
            case _:
                continue
        while isinstance(target, ast.Subscript | ast.Attribute | ast.Call):
            target = target.func if isinstance(target, ast.Call) else target.value
        if isinstance(target, ast.Name):
            found.add(target.id)
    return found


def sets(code: str) -> set[str]:
    return set().union(*map(set_by, ast.parse(code).body))


def reads(code: str) -> set[str]:
    """The names to which code needs others to have given values."""
    return read_by(ast.parse(code).body)


def needed(names: Iterable[str], code: str) -> str:
    """Those statements of the code without which the names have no value.

    With the comments directly above them. A name that the code never sets is left out.
    """
    body = ast.parse(code).body
    modules = set().union(*(set_by(node) for node in body if isinstance(node, IMPORT)))
    missing, chosen = set(names), []
    below: set[str] = set()  # the functions further down, and which of them are called
    later: set[str] = set()
    for node in reversed(body):
        given = set_by(node)
        # np.testing.assert_allclose(…) is a method's call, too, and alters nothing.
        altered = changed_by(node) - modules
        if missing & (given | altered):
            read = read_by([node])
            if isinstance(node, ast.FunctionDef):
                later |= read & below
                read -= below
            missing = (missing - given) | altered & missing | read
            chosen.append(node)
        if isinstance(node, ast.FunctionDef):
            below |= given
    later |= missing & sets(code)  # a function reads what comes later
    if later - set(names):
        return needed({*names, *later}, code)
    return "\n".join(text(node, code.splitlines()) for node in chosen[::-1])


def text(node: ast.stmt, lines: list[str]) -> str:
    """A statement as it is written; as in a file, functions stand apart."""
    decorated = getattr(node, "decorator_list", [])
    start = min([node.lineno, *(decorator.lineno for decorator in decorated)]) - 1
    while start and lines[start - 1].startswith("#"):
        start -= 1
    apart = "\n\n" if isinstance(node, ast.FunctionDef | ast.ClassDef) else ""
    return apart + "\n".join(lines[start : node.end_lineno]) + apart
