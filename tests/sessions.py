"""A session: a Markdown file whose Python blocks run top to bottom in one namespace.

pytest-codeblocks says which blocks are code and which are their expected output; what
it would skip without a word is an error here.
"""

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
from pathlib import Path

import numpy as np
from pytest_codeblocks.main import extract_from_file

from tests.compare import difference
from tests.names import needed, reads, sets

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = "<!--pytest-codeblocks:expected-output-->"
# The first line of a session that runs only where a module is that we do not install.
NEEDS = re.compile(r"<!-- needs: ([a-z_][a-z0-9_]*) -->")
# Or the first line of one that calls functions of another.
USES = re.compile(r"<!-- uses: ([\w-]+\.md) -->")


class BadSession(Exception):
    """Something in a file that would not be run, shown or compared as it stands."""

    def __init__(self, path: Path, line: int, message: str):
        super().__init__(f"{name_of(path)}:{line}: {message}")


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
    uses: Path | None = None

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


def head(path: Path, number: int, line: str, form: re.Pattern, *words: str) -> str:
    """What a line tells that may stand only at the head of a session."""
    match = form.fullmatch(line)
    if number != 1 or not match:
        says, example = words
        message = f"a session says {says} on its first line and nowhere else: "
        raise BadSession(path, number, f"{message}<!-- {example} -->")
    return match[1]


def parse(path: Path) -> Session:
    """Read a session. Raises BadSession, with file and line, where it is malformed."""
    text = path.read_text(encoding="utf-8")
    all_fences = fences(path, text)
    marks, needs, uses = [], None, None
    for number, line in outside(text, all_fences):
        if re.search(r"<!--\s*needs\b", line, re.I):
            needs = head(path, number, line, NEEDS, "what it needs", "needs: torch")
        if re.search(r"<!--\s*uses\b", line, re.I):
            says = "whose functions it calls"
            uses = path.with_name(
                head(path, number, line, USES, says, "uses: check.md")
            )
            if not uses.exists():
                raise BadSession(path, 1, f"there is no session {uses.name}")
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
        elif path.parent.name == "snippets":
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
    sections = sections_of(path, text, all_fences)
    return Session(path, text, list(blocks.values()), sections, needs, uses)


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


def borrowed(session: Session) -> tuple[set[str], str]:
    """The names that a session has from the one it uses, and the code that sets them.

    Raises BadSession where it says that it uses one and does not.
    """
    if session.uses is None:
        return set(), ""
    lender = parse(session.uses)
    names = reads(session.code) & sets(lender.code)
    if not names:
        message = f"nothing of {session.uses.name} is used here: take this line out"
        raise BadSession(session.path, 1, message)
    return names, needed(names, lender.code)


def run(session: Session) -> Result:
    """Run the blocks until one raises; tracebacks quote the Markdown file."""
    result = Result({"__name__": "__main__"})
    path = str(session.path)
    try:
        names, code = borrowed(session)
    except BadSession as error:
        result.error = str(error)
        return result
    with own_settings(session.text):
        # In a namespace of its own: what they call keeps its meaning, whatever the
        # session gives the same name.
        lent: dict = {}
        exec(compile(code, str(session.uses), "exec", 0, True), lent)
        result.namespace |= {name: lent[name] for name in names}
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
        elif what := difference(block.shown, printed):
            where = f"{name_of(session.path)}:{block.output.start}"
            found.append(f"{where}: {what}\nshown:\n{block.shown}printed:\n{printed}")
    return found


def updated(session: Session, result: Result) -> str:
    """The session's text with the outputs that changed beyond rounding, by position."""
    lines = session.text.splitlines(keepends=True)
    pairs = list(zip(session.blocks, result.printed, strict=True))
    for block, printed in reversed(pairs):
        printed = "\n".join(line.rstrip() for line in printed.rstrip().split("\n"))
        if "```" in printed:
            raise BadSession(session.path, block.line, "an output cannot hold a fence")
        if block.shown is None and printed:
            new = f"\n{OUTPUT}\n```text\n{printed}\n```\n"
            lines.insert(block.end, new)
        elif block.shown is not None and difference(block.shown, printed):
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
