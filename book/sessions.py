"""A session: a Markdown file whose Python blocks run top to bottom in one namespace.

pytest-codeblocks says which blocks are code and which are their expected output; what
it would skip without a word is an error here. A session takes names of another by
Python's own statement: `from convolution.padding import crop, pad` reads
snippets/convolution/padding.md.
"""

import ast
import builtins
import contextlib
import importlib.util
import io
import os
import random
import re
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import numpy as np
import wrapt
from pytest_codeblocks.main import extract_from_file

from book import Mistake
from book.compare import all_locked, difference, trimmed
from book.pages import ROOT

SNIPPETS = ROOT / "snippets"
OUTPUT = "<!--pytest-codeblocks:expected-output-->"
# The first line of a session that runs only where a module is that we do not install.
NEEDS = re.compile(r"<!-- needs: ([a-z_][a-z0-9_]*) -->")

IMPORT = re.compile(r"^from ([\w.]+) import ", re.MULTILINE)


class BadSession(Mistake):
    """Something in a file that would not be run, shown or compared as it stands."""

    def __init__(self, path: Path, line: int, message: str):
        super().__init__(f"{name_of(path)}:{line}: {message}")


def paths() -> list[Path]:
    """The sessions of the book."""
    return sorted(SNIPPETS.rglob("*.md"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


@dataclass
class Fence:
    """A fenced block; lines count from 1 and are those of the fences themselves."""

    start: int
    end: int
    mark: str  # with its indentation
    info: str

    @property
    def is_python(self) -> bool:
        """What a reader, an editor or a highlighter would take for Python."""
        return bool(re.match(r"[\s{.]*(i?python|py|pycon)\d*\b", self.info, re.I))


@dataclass
class Block:
    code: str
    line: int  # of the opening fence
    end: int  # of the closing fence
    shown: str | None  # the expected output, None where the page shows none
    output: Fence | None


@dataclass
class Section:
    """What a page includes: the lines from a start marker to its end marker."""

    name: str
    start: int
    end: int


@dataclass
class Session:
    path: Path
    text: str
    blocks: list[Block]
    sections: list[Section]
    needs: str | None = None

    @property
    def name(self) -> str:
        """That of its page: convolution/padding."""
        return self.path.relative_to(snippets_of(self.path)).with_suffix("").as_posix()

    def of(self, section: str) -> list[Block]:
        """The blocks of a section; raises KeyError where there is none."""
        lines = {found.name: found for found in self.sections}[section]
        return [b for b in self.blocks if lines.start < b.line < lines.end]

    @property
    def exact(self) -> bool:
        """Are its outputs compared character by character? What it needs besides the
        packages that are locked has whatever version is there."""
        return self.needs is None and all_locked()

    @property
    def outputs(self) -> int:
        """How many of its blocks show what they print."""
        return sum(block.shown is not None for block in self.blocks)

    @property
    def code(self) -> str:
        return "".join(block.code for block in self.blocks)

    @property
    def lacks(self) -> str | None:
        """The module that the session needs and this machine does not have."""
        there = self.needs is None or importlib.util.find_spec(self.needs)
        return None if there else self.needs


@dataclass
class Result:
    """What came of running a session: outputs block by block until one raised."""

    namespace: dict = field(default_factory=dict)
    printed: list[str] = field(default_factory=list)
    error: str | None = None


def fences(path: Path, text: str) -> list[Fence]:
    """Every fenced block, whether of backticks or tildes and however indented."""
    found: list[Fence] = []
    opened = None
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r"([\s>]*)(`{3,}|~{3,})(.*)", line)
        if not match:
            continue
        indent, mark, info = match[1], match[2], match[3].strip()
        if opened is None:
            if mark[0] == "~" or "`" not in info:
                opened = Fence(number, 0, indent + mark, info)
        elif mark.startswith(opened.mark.strip(" >")) and not info:
            opened.end = number
            found.append(opened)
            opened = None
    if opened:
        raise BadSession(path, opened.start, "this fence is never closed")
    return found


def outside(text: str, blocks: list[Fence]) -> Iterator[tuple[int, str]]:
    """The numbered lines that stand in no fence."""
    inside = {n for fence in blocks for n in range(fence.start, fence.end + 1)}
    for number, line in enumerate(text.splitlines(), 1):
        if number not in inside:
            yield number, line


def sections_of(path: Path, text: str, blocks: list[Fence]) -> list[Section]:
    """The sections in file order. MkDocs is silent on every error raised here."""
    found: list[Section] = []
    opened = None
    for number, line in enumerate(text.splitlines(), 1):
        inside = [fence for fence in blocks if fence.start < number < fence.end]
        if not re.search(r"--8<--\s*\[", line) or (inside and not inside[0].is_python):
            continue  # inside a fence that is not run it is an example
        match = re.fullmatch(r"<!-- --8<-- \[(start|end):([a-z0-9_-]+)\] -->", line)
        if not match or inside:
            raise BadSession(
                path,
                number,
                "a section marker stands alone on its line, outside of fences: "
                "<!-- --8<-- [start:name] -->",
            )
        kind, name = match.groups()
        if kind == "start" and opened:
            raise BadSession(path, number, f"section {opened[0]!r} is still open here")
        if kind == "end" and (not opened or opened[0] != name):
            raise BadSession(path, number, f"section {name!r} ends but never began")
        if kind == "start":
            if name in {section.name for section in found}:
                raise BadSession(path, number, f"there are two sections {name!r}")
            opened = (name, number)
        else:
            found.append(Section(name, opened[1], number))
            opened = None
    if opened:
        raise BadSession(path, opened[1], f"section {opened[0]!r} is never closed")
    return found


def check_page(path: Path) -> None:
    """A page of docs/ shows code by including it; a fence of its own would go unrun."""
    for fence in fences(path, path.read_text(encoding="utf-8")):
        if fence.is_python:
            raise BadSession(
                path,
                fence.start,
                "a page holds no Python of its own, it would not be run: "
                "put it in a session in snippets/ and include its section",
            )


def parse(path: Path) -> Session:
    """Read a session. Raises BadSession, with file and line, where it is malformed."""
    return _parse(path, path.read_text(encoding="utf-8"))


@lru_cache(400)
def _parse(path: Path, text: str) -> Session:
    all_fences = fences(path, text)
    marks, needs = [], None
    for number, line in outside(text, all_fences):
        if re.search(r"<!--\s*needs\b", line, re.I):
            match = NEEDS.fullmatch(line)
            if number != 1 or not match:
                message = "a session says what it needs on its first line and nowhere "
                raise BadSession(path, number, message + "else: <!-- needs: torch -->")
            needs = match[1]
        if re.search(r"<!--[-\s]*pytest", line):
            if line != OUTPUT:
                message = f"every block is run, the only marker is {OUTPUT}, on its own"
                raise BadSession(path, number, message)
            marks.append(number)

    blocks: dict[int, Block] = {}
    previous = 0  # the line where the fence before opens
    for fence in all_fences:
        marked = [number for number in marks if previous < number < fence.start]
        if marked:
            if previous not in blocks:
                raise BadSession(path, marked[0], "an output with no code before it")
            if fence.info != "text" or len(marked) > 1:
                raise BadSession(path, fence.start, "an output opens with ```text")
            blocks[previous].output = fence
        elif fence.info == "python" and fence.mark == "```":
            blocks[fence.start] = Block("", fence.start, fence.end, None, None)
        elif fence.is_python:
            message = (
                f"this block would be skipped: write ```python, not {fence.info!r}"
            )
            raise BadSession(path, fence.start, message)
        elif snippets_of(path).name == "snippets":
            message = f"nothing compares this: put {OUTPUT} before it, or take it out"
            raise BadSession(path, fence.start, message)
        previous = fence.start
    if marks and marks[-1] > previous:
        raise BadSession(path, marks[-1], "this marker has no output after it")

    found = [block for block in extract_from_file(path) if block.syntax == "python"]
    if odd := {block.lineno for block in found} ^ set(blocks):
        raise BadSession(
            path, min(odd), "this block would be skipped: check its fences"
        )
    for block in found:
        blocks[block.lineno].code = block.code
        blocks[block.lineno].shown = block.expected_output
    for block in blocks.values():
        check_imports(path, block, block is next(iter(blocks.values())))
    sections = sections_of(path, text, all_fences)
    return Session(path, text, list(blocks.values()), sections, needs)


@wrapt.when_imported("tensorflow")
def two_devices(tf: ModuleType) -> None:
    """Let a session that computes on two logical devices run in this process: they are
    made before TensorFlow is first used or never, and it may not be the first."""
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, two)


@contextlib.contextmanager
def own_settings(text: str) -> Iterator[None]:
    """Print options, seeds and floatx belong to the process; give them back after."""
    state, numpy_state = random.getstate(), np.random.get_state()
    keras = sys.modules.get("keras")
    floatx = keras.config.floatx() if keras else "float32"
    try:
        with np.printoptions():
            yield
    finally:
        random.setstate(state)
        np.random.set_state(numpy_state)
        if "keras" in sys.modules:
            sys.modules["keras"].config.set_floatx(floatx)
        # Only where it was set: this empties TensorFlow's caches, which costs a second
        # where there are many sessions.
        if "set_seed" in text or "set_random_seed" in text:
            sys.modules["tensorflow"].random.set_seed(None)


# --- Sessions that take names of others ---------------------------------------


def snippets_of(path: Path) -> Path:
    """The folder from which a session names others: the snippets/ that it lies in."""
    return next((up for up in path.parents if up.name == "snippets"), path.parent)


def lender(path: Path, module: str) -> Path | None:
    """The session that a session calls `module`; None where it is no session."""
    found = snippets_of(path).joinpath(*module.split(".")).with_suffix(".md")
    return found if found.exists() else None


def stands_on(path: Path) -> list[Path]:
    """A session and all from which it takes names, by way of others, too."""
    found, waiting = [], [path]
    while waiting:
        here = waiting.pop()
        if here not in found:
            found.append(here)
            modules = IMPORT.findall(here.read_text("utf-8"))
            waiting += filter(None, (lender(here, module) for module in modules))
    return found


def check_imports(path: Path, block: Block, first: bool) -> None:
    """Names of other sessions are taken one by one, where whoever reads looks first."""
    try:
        body = ast.parse(block.code).body
    except SyntaxError as error:
        line = block.line + (error.lineno or 1)
        raise BadSession(path, line, f"SyntaxError: {error.msg}") from None
    for node in (node for statement in body for node in ast.walk(statement)):
        match node:
            case ast.Import(names):
                names = [alias.name for alias in names]
            case ast.ImportFrom(module, [ast.alias("*")]):
                names = [module or ""]
            case ast.ImportFrom(module) if not (first and node in body):
                names = [module or ""]
            case _:
                continue
        for name in names:
            if lender(path, name):
                message = (
                    "names are taken one by one, in the first block and at its top "
                )
                message += f"level: from {name} import …"
                raise BadSession(path, block.line + node.lineno, message)


def taken(session: Session) -> dict[Path, list[str]]:
    """The names that a session takes, by the session that has them."""
    found: dict[Path, list[str]] = {}
    for block in session.blocks:
        for node in ast.parse(block.code).body:
            path = isinstance(node, ast.ImportFrom) and lender(
                session.path, node.module or ""
            )
            if path:
                found.setdefault(path, []).extend(alias.name for alias in node.names)
    return found


class Importer:
    """Python's __import__, for which a session is a module, too."""

    def __init__(self, session: Session):
        self.session = session

    def __call__(self, name, globals=None, locals=None, fromlist=(), level=0):
        path = lender(self.session.path, name) if fromlist and not level else None
        if path is None:
            return builtins.__import__(name, globals, locals, fromlist, level)
        if path in _running:
            raise ImportError(f"{name} takes names of this session, too")
        result = run(parse(path))
        if result.error:
            raise ImportError(result.error)
        module = ModuleType(name)
        names = result.namespace.items()
        vars(module).update({n: v for n, v in names if not n.startswith("__")})
        return module


_running: list[Path] = []  # a session, those that wait for it before it
_results: dict[tuple[Path, str], Result] = {}


def run(session: Session) -> Result:
    """Run the blocks until one raises; tracebacks quote the Markdown file.

    Once in a process: others take its names, and they may not write to its arrays.
    """
    key = session.path, session.code
    if key not in _results:
        _running.append(session.path)
        try:
            _results[key] = execute(session)
        finally:
            _running.pop()
    return _results[key]


def execute(session: Session) -> Result:
    """Run the blocks in a namespace of their own."""
    own = {**vars(builtins), "__import__": Importer(session)}
    result = Result({"__name__": "__main__", "__builtins__": own})
    path = str(session.path)
    with own_settings(session.text):
        for block in session.blocks:
            out = io.StringIO()
            try:
                code = compile("\n" * block.line + block.code, path, "exec", 0, True)
                with contextlib.redirect_stdout(out):
                    exec(code, result.namespace)
            except Exception as error:
                result.error = describe(error, session.path, block)
                return result
            result.printed.append(out.getvalue())
    for value in result.namespace.values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return result


def describe(error: Exception, path: Path, block: Block) -> str:
    """The traceback from the session's own first frame on."""
    frames = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename != str(path):
        frames = frames.tb_next
    line = frames.tb_lineno if frames else getattr(error, "lineno", block.line)
    text = "".join(traceback.format_exception(type(error), error, frames))
    return f"{name_of(path)}:{line}: the session raises\n{text}"


def mismatches(session: Session, result: Result) -> list[str]:
    """What a reader would see and the code does not print, each with file and line."""
    found = []
    for block, printed in zip(session.blocks, result.printed, strict=False):
        where = f"{name_of(session.path)}:{block.line}"
        if block.shown is None:
            if printed.strip():
                found.append(f"{where}: prints, but shows no output:\n{printed}")
        elif not printed.strip():
            found.append(f"{where}: shows an output, but prints nothing")
        elif what := difference(block.shown, printed, session.exact):
            where = f"{name_of(session.path)}:{block.output.start}"
            found.append(f"{where}: {what}\nshown:\n{block.shown}printed:\n{printed}")
    return found


def updated(session: Session, result: Result) -> str:
    """The session's text with the outputs that differ, by position."""
    lines = session.text.splitlines(keepends=True)
    pairs = list(zip(session.blocks, result.printed, strict=True))
    for block, printed in reversed(pairs):
        printed = trimmed(printed)
        if "```" in printed:
            raise BadSession(session.path, block.line, "an output cannot hold a fence")
        if block.shown is None and printed:
            new = f"\n{OUTPUT}\n```text\n{printed}\n```\n"
            lines.insert(block.end, new)
        elif block.shown is not None and difference(
            block.shown, printed, session.exact
        ):
            if not printed:
                raise BadSession(
                    session.path,
                    block.output.start,
                    "the code prints nothing now: take this output out by hand",
                )
            lines[block.output.start : block.output.end - 1] = [printed + "\n"]
    return "".join(lines)


def replace(path: Path, text: str) -> None:
    """Write the whole file or leave it as it was."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).chmod(path.stat().st_mode)
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)
