"""The cells of a notebook: the prose of pages as Jupyter, VS Code and Colab show it,
and the blocks of their sessions with the outputs that the tests compare.

These programs know no labels of formulas, no admonitions, no attributes of headings;
Colab shows neither SVG nor attachments. What stands here instead is plain Markdown.
"""

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from posixpath import join, normpath
from textwrap import indent
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from book import figures, sessions
from book.names import needed, read_by, reads, sets

SNIPPETS = Path(__file__).resolve().parents[1] / "snippets"

# What a page consists of. An admonition's body, and what folds, is indented.
PIECE = re.compile(
    r"^(?P<level>#{1,6}) (?P<title>.*?) \{ #(?P<anchor>[a-z0-9-]+) \}$"
    r'|^--8<-- "(?P<session>[\w-]+\.md):(?P<section>[\w-]+)"$'
    r'|^(?P<mark>!!!|\?\?\?\+?) \w+ "(?P<name>[^"]*)"\n(?P<body>(?:(?: {4}.*)?\n)+)',
    re.MULTILINE,
)
# What is written in another way, and what is left alone though it looks like that.
SPAN = re.compile(
    r"(?P<code>^```.*?^```$|`[^`\n]+`)"
    r"|^\$\$\n(?P<display>.*?)\n\$\$$"
    r"|\$\\eqref\{(?P<reference>[^}]*)\}\$"
    r"|(?P<inline>\$(?:\\.|[^$\\])+\$)"
    r"|^!\[(?P<seen>[^\]]*)\]\(figure:(?P<figure>[^)]*)\)$"
    r"|^!\[(?P<alternative>[^\]]*)\]\(explorer:[^)]*\)$"
    r"|\]\((?P<target>[^)\s]+)\)"
    r"|(?P<before>.?)\*\*(?P<strong>(?:`[^`]*`|\$[^$]*\$|[^*`$])+)\*\*(?=(?P<after>.?))",
    re.MULTILINE | re.DOTALL,
)
LABEL = re.compile(r"\\label\{([^}]*)\}\s*")
DISPLAY = re.compile(r"^\$\$\n(.*?)\n\$\$$", re.MULTILINE | re.DOTALL)
FRONT = re.compile(r"---\n.*?\n---\n", re.DOTALL)
# What only the site understands. If it is still there, PIECE or SPAN overlooked it.
OVERLOOKED = re.compile(
    r"^[ >]*(--8<--|!!!|\?\?\?)|\{ [#.:]|\\(?:label|eqref)\b|\]\((?:figure|explorer):",
    re.MULTILINE,
)

WORDS = {
    "en": {
        "before": "From the pages before",
        "explorer": "Explorer",
        "comma": ", ",
        "one": "A notebook of [{site}]({home}), with the page {pages}. The outputs "
        "are those of {versions}; it needs nothing else.",
        "many": "A notebook of [{site}]({home}), with the pages {pages}. The outputs "
        "are those of {versions}; it needs nothing else.",
    },
    "zh": {
        "before": "前面几页的代码",
        "explorer": "交互演示",
        "comma": "、",
        "one": "《[{site}]({home})》的 notebook，包含一页：{pages}。输出来自 "
        "{versions}，运行时也只需要它们。",
        "many": "《[{site}]({home})》的 notebook，包含以下各页：{pages}。输出来自 "
        "{versions}，运行时也只需要它们。",
    },
}
MODULES = {"numpy": "NumPy", "tensorflow": "TensorFlow", "sympy": "SymPy"}


class CannotTell(Exception):
    """A page or a session holds what no notebook can show; says which."""


class Part(NamedTuple):
    name: str
    titles: dict[str, str]  # by language, of a part of several pages
    pages: list[str]  # below docs/en and docs/zh


class Surroundings(NamedTuple):
    """What a notebook must know of the site, in one language."""

    language: str
    site: str  # its name
    home: str  # its address
    sources: dict[str, str]  # page -> Markdown
    addresses: dict[str, str]  # page -> address, from the notebook
    equations: dict[str, tuple[str, str]]  # label -> number, page


def equations(sources: dict[str, str]) -> dict[str, tuple[str, str]]:
    """The labelled equations of pages in the order of the nav, without the first."""
    return {
        name: (f"{chapter}.{nth}", page)
        for chapter, (page, source) in enumerate(sources.items(), 1)
        for nth, name in enumerate(LABEL.findall("".join(DISPLAY.findall(source))), 1)
    }


def notebook(part: Part, around: Surroundings) -> NotebookNode:
    """Raises CannotTell, and what figures and sessions raise."""
    writer = Writer(part, around)
    cells = [writer.intro()]
    for page in part.pages:
        cells += writer.page(page)
    cells[1:1] = writer.before()
    nth = 0
    for cell in cells:
        if cell.cell_type == "code":
            cell.execution_count = nth = nth + 1
    folded = [cell.id for cell in cells if is_folded(cell)]
    return new_notebook(
        cells=name_apart(cells),
        metadata={
            "kernelspec": {
                "display_name": "Python 3",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
            "language": around.language,
            # Jupyter folds by the metadata of the cell, Colab by this.
            **({"colab": {"collapsed_sections": folded}} if folded else {}),
        },
    )


def is_folded(cell: NotebookNode) -> bool:
    return "jp-MarkdownHeadingCollapsed" in cell.metadata


def name_apart(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Ids stay as they are from build to build, so that no difference is shown."""
    seen: dict[str, int] = {}
    for cell in cells:
        seen[cell.id] = seen.get(cell.id, 0) + 1
        if seen[cell.id] > 1:
            cell.id += f"-{seen[cell.id]}"
    return cells


class Writer:
    def __init__(self, part: Part, around: Surroundings) -> None:
        self.part = part
        self.around = around
        self.words = WORDS[around.language]
        self.sessions: dict[str, sessions.Session] = {}
        self.shown: dict[str, list[sessions.Block]] = {}  # by session
        self.place = ""  # the last anchor of the page being written

    # --- Beginning -----------------------------------------------------------

    def intro(self) -> NotebookNode:
        pages = self.part.pages
        links = [f"[{self.title(page)}]({self.address(page)})" for page in pages]
        about = self.words["many" if len(pages) > 1 else "one"].format(
            site=self.around.site,
            home=self.around.home,
            pages=self.words["comma"].join(links),
            versions=self.words["comma"].join(self.modules()),
        )
        if len(pages) == 1:
            title, anchor = self.heading(pages[0])
        else:
            title = self.part.titles[self.around.language]
            anchor = self.part.name
        return new_markdown_cell(
            f"{anchored(anchor)}# {title}\n\n{about}", id=identity(self.part.name)
        )

    def modules(self) -> list[str]:
        """What the part's sessions import, with the versions of this machine."""
        names = {
            include.partition(":")[0]
            for page in self.part.pages
            for include in re.findall(r'--8<-- "([^"]*)"', self.source(page))
        }
        text = "\n".join(self.session(name).code for name in sorted(names))
        return [
            f"{said} {version(module)}"
            for module, said in MODULES.items()
            if re.search(rf"^import {module}\b", text, re.MULTILINE)
        ]

    def before(self) -> list[NotebookNode]:
        """What the code of the part stands on: earlier blocks, and what is lent."""
        lent, earlier = [], []
        for name, blocks in self.shown.items():
            session = self.sessions[name]
            every = session.blocks
            first = every.index(blocks[0])
            if blocks != every[first : first + len(blocks)]:
                raise CannotTell(
                    f"notebook {self.part.name}: of {name} it leaves code out in the "
                    "middle; its pages must follow each other"
                )
            pieces = foundation(
                "".join(block.code for block in blocks),
                "".join(block.code for block in every[:first]),
                parsed(session.uses).code if session.uses else "",
            )
            lent.append(pieces[0])
            earlier.append(pieces[1])
        code = "\n\n\n".join(
            piece.strip("\n") for piece in dict.fromkeys([*lent, *earlier]) if piece
        )
        if not code:
            return []
        code = re.sub(r"\n{3,}", "\n\n\n", code)
        title = self.words["before"]
        return [
            new_code_cell(
                f"# @title {title}\n{code}",
                id="before",
                metadata={"cellView": "form", "jupyter": {"source_hidden": True}},
            )
        ]

    # --- Pages ---------------------------------------------------------------

    def page(self, page: str) -> list[NotebookNode]:
        source = FRONT.sub("", self.source(page), count=1)
        return list(self.cells(page, source, 0))

    def cells(self, page: str, source: str, level: int) -> Iterator[NotebookNode]:
        """A cell for each heading with what follows it, and one for each block."""
        stem = PurePosixPath(page).stem
        name, text, end = stem, "", 0

        def prose() -> Iterator[NotebookNode]:
            if written := re.sub(r"\n{3,}", "\n\n", text).strip():
                self.must_be_plain(page, written)
                yield new_markdown_cell(written, id=identity(name))

        for piece in PIECE.finditer(source):
            text += self.plain(page, source[end : piece.start()])
            end = piece.end()
            if piece["mark"] == "!!!":
                inside = self.plain(page, dedent(piece["body"]))
                quoted = f"**{piece['name']}**\n\n{inside.strip()}"
                text += "\n" + re.sub("^", "> ", quoted, flags=re.M) + "\n\n"
                text = re.sub("^> $", ">", text, flags=re.M)
                continue
            yield from prose()
            text = ""
            if piece["level"]:
                level = len(piece["level"]) + (len(self.part.pages) > 1)
                title = self.plain(page, piece["title"])
                self.place = piece["anchor"]
                anchor = self.anchor(page, self.place)
                name = f"{stem}-{piece['anchor']}"
                if level > 1:  # else the notebook has it already
                    text = f"{anchored(anchor)}{'#' * level} {title}\n\n"
            elif piece["section"]:
                yield from self.code(piece["session"], piece["section"])
            else:
                fold = new_markdown_cell(
                    f"{'#' * min(level + 1, 6)} {piece['name']}",
                    id=identity(f"{name}-solution"),
                    metadata={"jp-MarkdownHeadingCollapsed": True},
                )
                fold.metadata["id"] = fold.id  # where Colab looks for it
                yield fold
                yield from self.cells(page, dedent(piece["body"]), level + 1)
        text += self.plain(page, source[end:])
        yield from prose()

    def code(self, name: str, section: str) -> Iterator[NotebookNode]:
        session = self.session(name)
        found = [s for s in session.sections if s.name == section]
        if not found:
            raise CannotTell(f"{name} has no section {section}")
        for block in session.blocks:
            if not found[0].start < block.line < found[0].end:
                continue
            self.shown.setdefault(name, []).append(block)
            outputs = []
            if block.shown is not None:
                outputs = [new_output("stream", name="stdout", text=block.shown)]
            yield new_code_cell(
                block.code.rstrip("\n"),
                id=identity(f"{Path(name).stem}-{section}"),
                outputs=outputs,
            )

    # --- Markdown ------------------------------------------------------------

    def plain(self, page: str, text: str) -> str:
        """The prose of a page, in the Markdown that all of these programs know."""

        def write(span: re.Match[str]) -> str:
            if span["display"] is not None:
                return self.display(span["display"])
            if span["reference"]:
                return self.reference(span["reference"])
            if span["figure"]:
                return pictured(span["figure"], span["seen"])
            if span["alternative"]:
                address = f"{self.address(page)}#{self.place}"
                return f"[{self.words['explorer']}]({address}): {span['alternative']}"
            if span["target"]:
                return f"]({self.link(page, span['target'])})"
            if span["strong"]:
                inside = self.plain(page, span["strong"])
                return span["before"] + strong(inside, span["before"], span["after"])
            return span[0]

        return SPAN.sub(write, text)

    def must_be_plain(self, page: str, text: str) -> None:
        prose = re.sub(r"^```.*?^```$|`[^`\n]+`", "", text, flags=re.M | re.S)
        if found := OVERLOOKED.search(prose):
            line = prose[found.start() :].lstrip("\n").partition("\n")[0]
            raise CannotTell(
                f"docs/{self.around.language}/{page}: no notebook can show this: {line}"
            )

    def display(self, tex: str) -> str:
        if not (label := LABEL.search(tex)):
            return f"$$\n{tex}\n$$"
        number, _ = self.equation(label[1])
        tex = LABEL.sub("", tex).strip()
        return f"{anchored(f'eq-{label[1]}')}$$\n{tex}\n\\tag{{{number}}}\n$$"

    def reference(self, name: str) -> str:
        number, page = self.equation(name)
        where = "" if page in self.part.pages else self.address(page)
        return f"[({number})]({where}#eq-{name})"

    def equation(self, name: str) -> tuple[str, str]:
        try:
            return self.around.equations[name]
        except KeyError:
            raise CannotTell(f"no equation has the label {name}") from None

    def link(self, page: str, target: str) -> str:
        if re.match("[a-z]+:", target):
            return target
        path, _, anchor = target.partition("#")
        where = normpath(join(str(PurePosixPath(page).parent), path)) if path else page
        if where in self.part.pages:
            return f"#{self.anchor(where, anchor) if anchor else self.top(where)}"
        return self.address(where) + (f"#{anchor}" if anchor else "")

    # --- Places --------------------------------------------------------------

    def anchor(self, page: str, name: str) -> str:
        """As on the page, where the notebook has no other."""
        many = len(self.part.pages) > 1
        return f"{PurePosixPath(page).stem}-{name}" if many else name

    def top(self, page: str) -> str:
        return self.anchor(page, self.heading(page)[1])

    def heading(self, page: str) -> tuple[str, str]:
        first = PIECE.search(FRONT.sub("", self.source(page), count=1))
        if not (first and first["level"] == "#"):
            raise CannotTell(
                f"docs/{self.around.language}/{page}: it does not begin with a title "
                "that has an anchor: # Title { #anchor }"
            )
        return self.plain(page, first["title"]), first["anchor"]

    def title(self, page: str) -> str:
        return self.heading(page)[0]

    def address(self, page: str) -> str:
        try:
            return self.around.addresses[page]
        except KeyError:
            raise CannotTell(f"there is no page {page}") from None

    def source(self, page: str) -> str:
        try:
            return self.around.sources[page]
        except KeyError:
            raise CannotTell(
                f"notebook {self.part.name}: there is no page {page}"
            ) from None

    def session(self, name: str) -> sessions.Session:
        if name not in self.sessions:
            self.sessions[name] = parsed(SNIPPETS / name)
        return self.sessions[name]


@lru_cache(100)  # the same in every language, and after an edit of prose
def foundation(code: str, before: str, lender: str) -> tuple[str, str]:
    """What code stands on: of the session that lends, and of what stands before it."""
    own = needed(outside(code), before)
    borrowed = outside(f"{own}\n{code}") & sets(lender)
    lent = enclosed(needed(borrowed, lender), sorted(borrowed)) if borrowed else ""
    return lent, own


def outside(code: str) -> set[str]:
    """The names to which code needs others to have given values."""
    body = ast.parse(code).body
    # What functions read is there when they are called, if the code itself sets it.
    named = [
        ast.parse(f"{node.name} = 0").body[0]
        if isinstance(node, ast.FunctionDef)
        else node
        for node in body
    ]
    return read_by(named) | reads(code) - sets(code)


def enclosed(code: str, names: list[str]) -> str:
    """Code whose other names nothing that follows can change, whatever it calls so."""
    given = ", ".join(names)
    inside = indent(re.sub(r"\n{3,}", "\n\n", code.strip("\n")), "    ")
    return f"def lent():\n{inside}\n\n    return {given}\n\n\n{given} = lent()\n"


_parsed: dict[Path, sessions.Session] = {}


def parsed(path: Path) -> sessions.Session:
    """A session, read once."""
    known = _parsed.get(path)
    if known is None or known.text != path.read_text("utf-8"):
        known = _parsed[path] = sessions.parse(path)
    return known


def identity(name: str) -> str:
    return name[:60]  # nbformat allows 64 characters; a number may follow


def anchored(name: str) -> str:
    """Colab finds a place by its name, the others by its id."""
    return f'<a id="{name}" name="{name}"></a>\n\n'


def pictured(name: str, seen: str) -> str:
    """The comments tell the site which figure it was."""
    tex = figures.in_tex(name)
    return f"<!-- figure:{name} -->\n\n$$\n{tex}\n$$\n\n*{seen}*\n\n<!-- /figure -->"


def strong(inside: str, before: str, after: str) -> str:
    """**…** between Chinese punctuation and a letter is none for CommonMark."""

    def is_word(character: str) -> bool:  # or may stand for one
        return bool(re.fullmatch(r"[\w$`]", character))

    left = is_word(before) and not is_word(inside[0])
    right = is_word(after) and not is_word(inside[-1])
    return f"<strong>{inside}</strong>" if left or right else f"**{inside}**"


def dedent(body: str) -> str:
    return re.sub("^    ", "", body, flags=re.MULTILINE)


def write(notebook: NotebookNode) -> str:
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"
