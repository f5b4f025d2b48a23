"""Functions of equations, and those that they call, altered one place at a time: a
sign, an index, an axis, an order. The checks of all equations that depend on it are
asked, and where none of them notices it, the function's own session.
"""

import ast
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import CodeType

from book import sessions
from book.checks import checks, rejection
from book.results import Result, namespace, results
from tests.mutants import Mutant

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
# Of these the order of arguments, or of axes, does not matter.
COMMUTATIVE = re.compile(r"max|min|np\.(maximum|minimum)|.*\.swapaxes", re.DOTALL)
REDUCTIONS = ["sum", "mean", "prod", "max", "min"]


@dataclass
class Changed(Mutant):
    source: "Source"
    text: str
    code: CodeType

    def survives(self) -> bool:
        """The check that noticed the last change of this function is asked first."""
        equations = self.source.equations
        with replaced(self.source, self.code):
            for label, result in equations.items():
                function = namespace(result.session)[result.function]
                if rejection(checks()[label], function, CASES):
                    self.source.equations = {label: result, **equations}
                    return False
        return self.session_agrees()

    def session_agrees(self) -> bool:
        """Its checks see what no equation draws, such as a mask; they take seconds."""
        session, node = sessions.parse(self.source.session), self.source.node
        blocks = [*session.blocks]
        nth = next(n for n, b in enumerate(blocks) if b.line == self.source.line)
        lines = blocks[nth].code.splitlines()
        lines[node.lineno - 1 : node.end_lineno] = self.text.splitlines()
        blocks[nth] = replace(blocks[nth], code="\n".join(lines))
        changed = replace(session, blocks=blocks)
        result = sessions.execute(changed)
        return not result.error and not sessions.mismatches(changed, result)


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


def alternatives(
    node: ast.AST, above: list[ast.AST], local: set[str]
) -> Iterator[ast.AST]:
    """What could stand in the place of a node by mistake; `above` is all around it.

    What is equal by its nature is left out, each time with the reason.
    """
    parent = above[-1]
    match node:
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)) if is_shape(parent):
            yield ast.Constant(1 - value)  # -1 would be another name for the last
        case ast.Constant(1) if is_left_open(above):
            yield ast.Constant(0)  # -2 would be another name for -1
        case ast.Constant(int(value) | float(value)):
            yield from map(ast.Constant, [value + 1, value - 1])
            # As an axis or an index, -1 is another name for the last.
            if value and isinstance(parent, ast.BinOp):
                yield minus(node)
        case ast.UnaryOp(_, operand):
            yield operand
        case ast.BinOp(left, op, right):
            for other in OPERATORS.get(type(op), []):
                yield ast.BinOp(left, other(), right)
            if not isinstance(op, ast.Add | ast.Mult):
                yield ast.BinOp(right, op, left)
            yield from [left, right]
        # None is equal to nothing but itself.
        case ast.Compare(left, [ast.Is()], right):
            yield ast.Compare(left, [ast.IsNot()], right)
        case ast.Compare(left, [ast.IsNot()], right):
            yield ast.Compare(left, [ast.Is()], right)
        # The order of words has no meaning.
        case ast.Compare(left, [ast.Eq()], [ast.Constant(str())] as right):
            yield ast.Compare(left, [ast.NotEq()], right)
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
        case ast.Tuple(items, ctx) | ast.List(items, ctx) if not is_reduced(above):
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
            if not COMMUTATIVE.fullmatch(ast.unparse(called)):
                for n, other in enumerate(swapped(arguments)):
                    if not all(map(is_word, arguments[n : n + 2])):
                        yield ast.Call(called, other, keywords)
            for n, keyword in enumerate(keywords):
                if not refuses(keyword):
                    yield ast.Call(called, arguments, keywords[:n] + keywords[n + 1 :])
            if arguments and not is_type(arguments[-1]):
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


def is_reduced(above: list[ast.AST]) -> bool:
    """Is it the axes of a sum? They have no order."""
    match above:
        case [*_, ast.Call(ast.Attribute(_, name)), ast.keyword("axis")]:
            return name in REDUCTIONS
    return False


def is_left_open(above: list[ast.AST]) -> bool:
    """Is it the length -1, of which reshape says what it is?"""
    match above:
        case [*_, ast.Call(ast.Attribute(_, "reshape")), ast.UnaryOp(ast.USub())]:
            return True
    return False


def is_type(node: ast.AST) -> bool:
    """float64, in every case that the checks draw; and so it is if nothing is said."""
    match node:
        case ast.Call(ast.Attribute(ast.Name("np"), "result_type")):
            return True
        case ast.Attribute(_, "dtype") | ast.Name("dtype"):
            return True
    return False


def is_word(node: ast.AST) -> bool:
    """Two of them side by side are letters of a shape, for a message to the reader."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


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


def places(above: list[ast.AST], statement: ast.stmt) -> Iterator[tuple]:
    """Every (holder, its key, node, all around it, statement) in the last one above;
    setting the key changes it."""
    node = above[-1]
    for name, value in ast.iter_fields(node):
        holder = value if isinstance(value, list) else vars(node)
        keys = range(len(value)) if isinstance(value, list) else [name]
        for key in keys:
            child = holder[key]
            if not isinstance(child, ast.AST) or untouched(child):
                continue
            own = child if isinstance(child, ast.stmt) else statement
            yield holder, key, child, above, own
            yield from places([*above, child], own)


def untouched(node: ast.AST) -> bool:
    """The names of arguments, the condition under which the rest holds, the type.

    That condition is an assert, or what does nothing but raise: the checks draw only
    what fits, so they cannot tell what is refused. The sessions show that.
    """
    return is_type(node) or refuses(node) or isinstance(node, ast.Assert | ast.arg)


def refuses(node: ast.AST) -> bool:
    """if …: raise, zip(strict=True), and a function that is called for no result: none
    of ours changes its arguments, so that it can only raise."""
    match node:
        case ast.If(_, [*_, ast.Raise()], []) | ast.Expr(ast.Call(ast.Name())):
            return True
        case ast.keyword("strict"):
            return True
    return False


def is_condition(statement: ast.stmt, read: set[str]) -> bool:
    """Does it set a name that only what refuses reads?"""
    match statement:
        case ast.Assign([ast.Name(name)]):
            return name not in read
    return False


def changes(source: Source) -> Iterator[Changed]:
    """Each change once; the function's tree is as before after each."""
    node = source.node
    local = {arg.arg for arg in node.args.args} | set(names(node, ast.Store))
    read = set(names(node))
    seen = {ast.unparse(node)}
    for holder, key, child, above, statement in list(places([node], node)):
        if statement is node.body[0] and ast.get_docstring(node) is not None:
            continue
        if is_condition(statement, read):
            continue
        before = first_line(statement)
        for other in alternatives(child, above, local):
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
                line = f"{sessions.name_of(source.session)}:{line}"
                told = source.page, node.name, line, before, after
                yield Changed(*told, source, text, code)


def first_line(statement: ast.AST) -> str:
    return ast.unparse(statement).partition("\n")[0]


# --- Is it noticed? ----------------------------------------------------------


def mutants() -> Iterator[Changed]:
    for source in sources():
        yield from changes(source)


@contextmanager
def replaced(source: Source, code: CodeType) -> Iterator[None]:
    """The function is another, in its session and in those that have imported it."""
    there = namespace(source.session)
    original = there[source.node.name]
    callers = [
        (names, name)
        for names in map(namespace, used())
        for name, value in names.items()
        if value is original
    ]
    exec(code, there)
    changed = there[source.node.name]
    for names, name in callers:
        names[name] = changed
    try:
        yield
    finally:
        for names, name in callers:
            names[name] = original


@cache
def used() -> list[Path]:
    """The sessions that have a function of an equation."""
    return sorted({source.session for source in sources()})
