"""python3 make.py mutants: is there a mistake that the checks of the equations miss?

Alters the functions of the equations, and those that they call, one place at a time (a
sign, an index, an axis, an order, ...) and runs the checks of all equations that depend
on it. A mutant that every check passes is a hole in a check, and the command fails;
unless the .py of the function's page has it in SAME, with the reason why it computes
the same: {(function, statement before, after): reason}.

With names of pages or functions it tries those alone: `mutants pooling/max rot180`.
"""

import ast
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType

from book import parts, sessions
from book.checks import checks, rejection
from book.results import Result, namespace, results

CASES = 300  # for each mutant and check, the same ones every time

OPERATORS = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div, ast.Add],
    ast.Div: [ast.Mult],
    ast.FloorDiv: [ast.Mult],
    ast.Mod: [ast.FloorDiv],
    ast.Pow: [ast.Mult],
    ast.MatMult: [ast.Mult],
}
COMPARISONS = [ast.Gt, ast.GtE, ast.Lt, ast.LtE, ast.Eq, ast.NotEq]
NAMES = {
    "max": ["min", "sum"],
    "min": ["max"],
    "maximum": ["minimum", "add"],
    "minimum": ["maximum"],
    "argmax": ["argmin"],
    "argmin": ["argmax"],
    "sum": ["mean", "prod", "max"],
    "mean": ["sum"],
    "exp": ["log", "abs"],
    "log": ["exp", "log2"],
    "outer": ["multiply"],
    "zeros": ["ones"],
    "ones": ["zeros"],
}
COMMUTATIVE = ["maximum", "minimum"]
TYPES = ["np.result_type"]  # float64 here, whatever its arguments are


@dataclass
class Mutant:
    session: Path
    function: str
    line: int
    before: str  # the statement, of a loop its first line
    after: str
    code: CodeType

    @property
    def key(self) -> tuple[str, str, str, str]:
        return (
            sessions.parse(self.session).name,
            self.function,
            self.before,
            self.after,
        )

    def __str__(self) -> str:
        where = f"{sessions.name_of(self.session)}:{self.line}: {self.function}"
        return f"{where}\n    {self.before}\n    {self.after}"


def same() -> dict[tuple[str, str, str, str], str]:
    """What is known to compute the same, by the keys of mutants, and why."""
    return {
        (page, *key): why
        for page, module in parts.modules().items()
        for key, why in vars(module).get("SAME", {}).items()
    }


@dataclass
class Source:
    """A function at the top level of a session."""

    session: Path
    node: ast.FunctionDef
    line: int  # of the fence before its block
    equations: dict[str, Result]  # those that depend on it, by label

    @property
    def page(self) -> str:
        return sessions.parse(self.session).name


def sources() -> list[Source]:
    """The functions of the equations and those that they call, in file order."""
    found: dict[tuple[Path, str], Source] = {}
    for label, result in results().items():
        waiting = [(result.session, result.function)]
        while waiting:
            path, name = waiting.pop()
            written, imported = definitions(path)
            if name in imported:
                waiting.append((imported[name], name))
            elif name in written:
                line, node = written[name]
                source = found.setdefault((path, name), Source(path, node, line, {}))
                if label not in source.equations:
                    source.equations[label] = result
                    waiting += [(path, called) for called in names(node)]
    return sorted(found.values(), key=lambda s: (s.session, s.line, s.node.lineno))


@cache
def definitions(
    path: Path,
) -> tuple[dict[str, tuple[int, ast.FunctionDef]], dict[str, Path]]:
    """The functions of a session, with the line of their fence, and its imports."""
    session = sessions.parse(path)
    written = {
        node.name: (block.line, node)
        for block in session.blocks
        for node in ast.parse(block.code).body
        if isinstance(node, ast.FunctionDef)
    }
    taken = sessions.taken(session).items()
    return written, {name: lender for lender, names in taken for name in names}


def names(node: ast.AST, context: type = ast.Load) -> list[str]:
    """The names that a function reads, except to refuse, or those that it sets."""
    if isinstance(node, ast.Name):
        return [node.id] if isinstance(node.ctx, context) else []
    below = [child for child in ast.iter_child_nodes(node) if not refuses(child)]
    return [name for child in below for name in names(child, context)]


# --- One change --------------------------------------------------------------


def minus(node: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.USub(), node)


def shifted(node: ast.expr) -> list[ast.expr]:
    return [ast.BinOp(node, op(), ast.Constant(1)) for op in (ast.Add, ast.Sub)]


def swapped(items: list) -> Iterator[list]:
    """Each item with its neighbour."""
    for n in range(len(items) - 1):
        yield [*items[:n], items[n + 1], items[n], *items[n + 2 :]]


def alternatives(node: ast.AST, parent: ast.AST, local: set[str]) -> Iterator[ast.AST]:
    """What could stand in the place of a node by mistake."""
    match node:
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)) if is_shape(parent):
            yield ast.Constant(1 - value)  # -1 would be another name for the last
        case ast.Constant(int(value) | float(value)):
            yield from map(ast.Constant, [value + 1, value - 1])
            if value:
                yield minus(node)
        case ast.UnaryOp(_, operand):
            yield operand
        case ast.BinOp(left, op, right):
            for other in OPERATORS.get(type(op), []):
                yield ast.BinOp(left, other(), right)
            if not isinstance(op, ast.Add | ast.Mult):
                yield ast.BinOp(right, op, left)
            yield from [left, right]
        case ast.Compare(left, [op], [right]):
            for other in COMPARISONS:
                if not isinstance(op, other):
                    yield ast.Compare(left, [other()], [right])
        case ast.Attribute(value, "T"):
            yield value
        case ast.Attribute(value, name, ctx):
            for other in NAMES.get(name, []):
                yield ast.Attribute(value, other, ctx)
        case ast.Name(name, ast.Load()) if name in local:
            for other in sorted(local - {name}):
                yield ast.Name(other, ast.Load())
        case ast.Tuple(items, ctx) | ast.List(items, ctx):
            for other in swapped(items):
                yield type(node)(other, ctx)
        case ast.Slice(lower, upper, step):
            yield ast.Slice(lower or ast.Constant(1), upper, None if step else step)
            yield ast.Slice(lower or ast.Constant(1), upper, step)
            yield ast.Slice(None, upper, step)
            yield ast.Slice(lower, upper or minus(ast.Constant(1)), step)
            yield ast.Slice(lower, None, step)
            yield ast.Slice(lower, upper, None if step else ast.Constant(2))
            if step:
                yield ast.Slice(lower, upper, minus(step))
        case ast.Call(called, arguments, keywords):
            if getattr(called, "attr", "") not in COMMUTATIVE:
                for other in swapped(arguments):
                    yield ast.Call(called, other, keywords)
            for n, keyword in enumerate(keywords):
                if not refuses(keyword):
                    yield ast.Call(called, arguments, keywords[:n] + keywords[n + 1 :])
            if arguments:
                yield ast.Call(called, arguments[:-1], keywords)
            yield from arguments
            if isinstance(called, ast.Attribute):
                yield called.value  # z.sum(axis=0) becomes z
        case ast.Assign() | ast.Expr() | ast.For() | ast.If():
            yield ast.Pass()
        case ast.AugAssign(target, op, value):
            yield ast.Pass()
            yield ast.Assign([target], value)
            for other in OPERATORS.get(type(op), []):
                yield ast.AugAssign(target, other(), value)
        case ast.Return(value) if value:
            yield ast.Return(minus(value))
    if is_index(node, parent):
        yield from shifted(node)


def is_shape(parent: ast.AST) -> bool:
    return (
        isinstance(parent, ast.Subscript)
        and isinstance(parent.value, ast.Attribute)
        and parent.value.attr == "shape"
    )


def is_index(node: ast.AST, parent: ast.AST) -> bool:
    """Is it a number of the code's own in x[...], range(...) or ndindex(...)?"""
    if not isinstance(node, ast.Name | ast.BinOp):
        return False
    if isinstance(parent, ast.Call):
        return ast.unparse(parent.func) in ("range", "np.ndindex")
    return isinstance(parent, ast.Slice | ast.Tuple) or (
        isinstance(parent, ast.Subscript) and parent.slice is node
    )


# --- All changes of a function -----------------------------------------------


def places(node: ast.AST, statement: ast.stmt) -> Iterator[tuple]:
    """Every (holder, its key, node, parent, statement); setting the key changes it."""
    for name, value in ast.iter_fields(node):
        holder = value if isinstance(value, list) else vars(node)
        keys = range(len(value)) if isinstance(value, list) else [name]
        for key in keys:
            child = holder[key]
            if not isinstance(child, ast.AST) or untouched(child):
                continue
            own = child if isinstance(child, ast.stmt) else statement
            yield holder, key, child, node, own
            yield from places(child, own)


def untouched(node: ast.AST) -> bool:
    """The names of arguments, the condition under which the rest holds, the type.

    That condition is an assert, or what does nothing but raise: the checks draw only
    what fits, so they cannot tell what is refused. The sessions show that.
    """
    of_type = isinstance(node, ast.Call) and ast.unparse(node.func) in TYPES
    return of_type or refuses(node) or isinstance(node, ast.Assert | ast.arg)


def refuses(node: ast.AST) -> bool:
    """if …: raise, and zip(strict=True)."""
    if isinstance(node, ast.If):
        return isinstance(node.body[-1], ast.Raise) and not node.orelse
    return isinstance(node, ast.keyword) and node.arg == "strict"


def mutants(source: Source) -> Iterator[Mutant]:
    """Each change once; the function's tree is as before after each."""
    node = source.node
    local = {arg.arg for arg in node.args.args} | set(names(node, ast.Store))
    seen = {ast.unparse(node)}
    for holder, key, child, parent, statement in list(places(node, node)):
        if statement is node.body[0] and ast.get_docstring(node) is not None:
            continue
        before = first_line(statement)
        for other in alternatives(child, parent, local):
            holder[key] = ast.copy_location(other, child)
            try:
                text = ast.unparse(node)
                after = first_line(other if child is statement else statement)
                try:
                    with warnings.catch_warnings(action="ignore"):  # odd is intended
                        code = compile(text, str(source.session), "exec")
                except SyntaxError:
                    continue
            finally:
                holder[key] = child
            if text not in seen:
                seen.add(text)
                line = source.line + statement.lineno
                yield Mutant(source.session, node.name, line, before, after, code)


def first_line(statement: ast.AST) -> str:
    return ast.unparse(statement).partition("\n")[0]


# --- The command -------------------------------------------------------------


def survives(mutant: Mutant, equations: dict[str, Result]) -> bool:
    """Do the checks of all these equations pass with the changed function?"""
    there = namespace(mutant.session)
    original = there[mutant.function]
    # Sessions that have imported it call it by their own name.
    callers = [
        (names, name)
        for names in map(namespace, sorted({source.session for source in sources()}))
        for name, value in names.items()
        if value is original
    ]
    exec(mutant.code, there)
    changed = there[mutant.function]
    for names, name in callers:
        names[name] = changed
    try:
        return not any(
            rejection(
                checks()[label], namespace(result.session)[result.function], CASES
            )
            for label, result in equations.items()
        )
    finally:
        for names, name in callers:
            names[name] = original


def chosen(names: list[str]) -> list[Source]:
    """The functions of these names, or of pages of these names; without any, all."""
    found = sources()
    known = {name for source in found for name in (source.page, source.node.name)}
    if unknown := set(names) - known:
        sys.exit(f"no page has a function of an equation: {', '.join(sorted(unknown))}")
    return [s for s in found if not names or {s.page, s.node.name} & set(names)]


def main(names: list[str]) -> None:
    start, total, holes, unnoticed = time.perf_counter(), 0, [], set()
    tried, listed = chosen(names), same()
    for source in tried:
        found = list(mutants(source))
        survivors = [mutant for mutant in found if survives(mutant, source.equations)]
        unnoticed |= {mutant.key for mutant in survivors} & listed.keys()
        holes += [mutant for mutant in survivors if mutant.key not in listed]
        total += len(found)
        equal = sum(mutant.key in listed for mutant in survivors)
        print(
            f"{source.page:24s}{source.node.name:24s}"
            f"{len(found) - len(survivors):4d} noticed of {len(found) - equal}"
            + (f", {equal} compute the same" if equal else ""),
            flush=True,
        )
    changed = total - len(unnoticed)
    print(
        f"{changed - len(holes)} of {changed} noticed "
        f"({(changed - len(holes)) / changed:.1%}), {len(unnoticed)} compute the same, "
        f"{time.perf_counter() - start:.0f} s"
    )
    for mutant in holes:
        print(f"\nNo check notices {mutant}")
    places = {(source.page, source.node.name) for source in tried}
    # Of a function that is gone nothing was tried, and the entry is wrong as well.
    wrong = {k for k in listed if not names or k[:2] in places} - unnoticed
    for key in sorted(wrong):
        print(f"\nListed as computing the same, but noticed or gone: {key}")
    sys.exit(bool(holes or wrong))


if __name__ == "__main__":
    main(sys.argv[1:])
