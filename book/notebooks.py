"""A page as a notebook: its prose as Jupyter, VS Code and Colab show it, and the blocks
of its session with the outputs that the tests compare.

These programs know no labels of formulas, no admonitions, no attributes of headings;
Colab shows neither SVG nor attachments. What stands here instead is plain Markdown.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import version
from posixpath import dirname, join, normpath
from typing import NamedTuple

import jupytext
import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from book import Mistake, figures, sessions
from book.boxes import PLACE
from book.pages import FRONT, LABEL, PIECE, SPAN, Page
from book.standalone import standalone

BODY = re.compile(r"\n((?:(?: {4}.*)?\n)+)")  # of an admonition, or of what folds
# What is written in another way in prose, and what is left alone.
PROSE = re.compile(
    SPAN.pattern
    + r"|(?P<before>.?)\*\*(?P<strong>(?:`[^`]*`|\$[^$]*\$|[^*`$])+)\*\*"
    + r"(?=(?P<after>.?))",
    re.DOTALL,
)
# What only the site understands. If it is still there, it was overlooked.
OVERLOOKED = re.compile(
    r"^[ >]*(--8<--|!!!|\?\?\?)|\{ [#.:]|\\(?:label|eqref)\b|\]\((?:figure|explorer):",
    re.MULTILINE,
)

WORDS = {
    "en": {
        "before": "From other pages",
        "explorer": "Explorer",
        "comma": ", ",
        "about": "The notebook of the page [{title}]({page}) of [{site}]({home}). The "
        "outputs are those of {versions}; it needs nothing else.",
    },
    "zh": {
        "before": "其他页面的代码",
        "explorer": "交互演示",
        "comma": "、",
        "about": "《[{site}]({home})》中[{title}]({page})一页的笔记本。输出来自 "
        "{versions}，运行时也只需要它们。",
    },
}
# As what a package is imported, and what it is called.
MODULES = {
    "numpy": "NumPy",
    "tensorflow": "TensorFlow",
    "keras": "Keras",
    "sympy": "SymPy",
    "sklearn": "scikit-learn",
    "threadpoolctl": "threadpoolctl",  # comes with scikit-learn
}


class CannotTell(Mistake):
    """A page or a session holds what no notebook can show; says which."""


class Surroundings(NamedTuple):
    """What a notebook must know of the site, in one language."""

    site: str  # its name
    home: str  # its address
    addresses: dict[str, str]  # page -> address, from the notebook
    numbers: dict[str, tuple[str, str]]  # label -> number, page


def has_notebook(page: Page) -> bool:
    """Does it show code, and of its session alone? Two would not share their names."""
    own = page.name.removesuffix(".md")
    return {include.session for include in page.includes} == {own}


def notebook(page: Page, around: Surroundings) -> NotebookNode:
    """Raises CannotTell, and BadSession."""
    cells = list(Writer(page, around).cells())
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
            "language": page.language,
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
    def __init__(self, page: Page, around: Surroundings) -> None:
        self.page = page
        self.around = around
        self.words = WORDS[page.language]
        name = page.includes[0].session
        self.session = sessions.parse(sessions.SNIPPETS / f"{name}.md")
        self.before, self.first = standalone(self.session)
        self.place = ""  # the last anchor so far

    def cells(self) -> Iterator[NotebookNode]:
        yield new_markdown_cell(
            f"{self.title()}\n\n{self.about()}", id=identity(self.session.name)
        )
        if self.before:
            yield new_code_cell(
                f"# @title {self.words['before']}\n{self.before}",
                id="before",
                metadata={"cellView": "form", "jupyter": {"source_hidden": True}},
            )
        yield from self.parts(FRONT.sub("", self.page.text, count=1), 0)

    def title(self) -> str:
        first = next(iter(self.page.pieces), None)
        if not (first and first.level == "#" and first.anchor):
            raise CannotTell(
                f"{self.page}: it does not begin with a title that has an anchor: "
                "# Title { #anchor }"
            )
        return f"{anchored(first.anchor)}# {self.plain(first.title)}"

    def about(self) -> str:
        code = f"{self.before}\n{self.session.code}"
        versions = [
            f"{said} {version(said)}"
            for module, said in MODULES.items()
            if re.search(rf"^ *(?:import|from) {module}\b", code, re.MULTILINE)
        ]
        return self.words["about"].format(
            title=self.page.front.get("title", self.page.name),
            page=self.address(self.page.name),
            site=self.around.site,
            home=self.around.home,
            versions=self.words["comma"].join(versions),
        )

    # --- Pieces --------------------------------------------------------------

    def parts(self, source: str, level: int) -> Iterator[NotebookNode]:
        """A cell for each heading with what follows it, and one for each block."""
        name, text, end = self.place or "top", "", 0

        def prose() -> Iterator[NotebookNode]:
            if written := re.sub(r"\n{3,}", "\n\n", text).strip():
                self.must_be_plain(written)
                yield new_markdown_cell(written, id=identity(name))

        for piece in PIECE.finditer(source):
            if piece.start() < end or piece["indent"]:
                continue  # within an admonition; or told as overlooked
            text += self.plain(source[end : piece.start()])
            end = piece.end()
            if piece["note"]:
                continue  # to the checks, not to readers
            if piece["fence"]:
                text += piece["fence"]
                continue
            if piece["display"] is not None:
                text += self.display(piece["display"])
                continue
            body = ""
            if piece["mark"] and (found := BODY.match(source, end)):
                body, end = dedent(found[1]), found.end()
            if piece["mark"] == "!!!" and piece["name"]:
                inside = "\n\n".join(cell.source for cell in self.parts(body, level))
                quoted = f"**{piece['name']}**\n\n{inside}"
                text += "\n" + re.sub("^", "> ", quoted, flags=re.M) + "\n\n"
                text = re.sub("^> $", ">", text, flags=re.M)
                continue
            if piece["mark"] and not piece["mark"].startswith("???"):
                text += piece[0]
                continue
            yield from prose()
            text = ""
            if piece["level"]:
                level = len(piece["level"])
                self.place = name = piece["anchor"] or ""
                if level > 1:  # else the notebook has it already
                    title = self.plain(piece["title"])
                    text = f"{anchored(self.place)}{'#' * level} {title}\n\n"
            elif piece["section"]:
                yield from self.code(piece["section"])
            else:
                fold = new_markdown_cell(
                    f"{'#' * min(level + 1, 6)} {piece['name']}",
                    id=identity(f"{name}-solution"),
                    metadata={"jp-MarkdownHeadingCollapsed": True},
                )
                fold.metadata["id"] = fold.id  # where Colab looks for it
                yield fold
                yield from self.parts(body, level + 1)
        text += self.plain(source[end:])
        yield from prose()

    def code(self, section: str) -> Iterator[NotebookNode]:
        try:
            blocks = self.session.of(section)
        except KeyError:
            message = f"{self.session.name}.md has no section {section}"
            raise CannotTell(message) from None
        for block in blocks:
            outputs = []
            if block.shown is not None:
                outputs = [new_output("stream", name="stdout", text=block.shown)]
            first = block is self.session.blocks[0]
            yield new_code_cell(
                (self.first if first else block.code).rstrip("\n"),
                id=identity(f"code-{section}"),
                outputs=outputs,
            )

    # --- Markdown ------------------------------------------------------------

    def plain(self, text: str) -> str:
        """The prose of a page, in the Markdown that all of these programs know."""

        def write(span: re.Match[str]) -> str:
            if span["reference"]:
                return self.reference(span["reference"])
            if span["image"] and self.alone(text, span):
                if span["image"] == "figure":
                    return self.figure(span["source"], span["seen"])
                return f"{self.there()}: {span['seen']}"
            if span["target"]:
                return f"]({self.link(span['target'])})"
            if span["strong"]:
                inside = self.plain(span["strong"])
                return span["before"] + strong(inside, span["before"], span["after"])
            return span[0]

        return PROSE.sub(write, text).replace(PLACE, self.there())

    def there(self) -> str:
        """To the same place on the page, which has what moves."""
        address = f"{self.address(self.page.name)}#{self.place}"
        return f"[{self.words['explorer']}]({address})"

    @staticmethod
    def alone(text: str, span: re.Match[str]) -> bool:
        return bool(re.search(r"(^|\n)$", text[: span.start()])) and bool(
            re.match(r"\n|$", text[span.end() :])
        )

    def must_be_plain(self, text: str) -> None:
        prose = re.sub(r"^```.*?^```$|`[^`\n]+`", "", text, flags=re.M | re.S)
        if found := OVERLOOKED.search(prose):
            line = prose[found.start() :].lstrip("\n").partition("\n")[0]
            raise CannotTell(f"{self.page}: no notebook can show this: {line}")

    def display(self, tex: str) -> str:
        if not (label := LABEL.search(tex)):
            return f"$$\n{tex}\n$$"
        number, _ = self.number(label[1])
        tex = LABEL.sub("", tex).strip()
        return f"{anchored(f'eq-{label[1]}')}$$\n{tex}\n\\tag{{{number}}}\n$$"

    def figure(self, name: str, seen: str) -> str:
        """The comments tell the site which figure it was."""
        tex = figure_in_tex(self.page, name)
        comment = f"<!-- figure:{name} -->"
        return f"{comment}\n\n$$\n{tex}\n$$\n\n*{seen}*\n\n<!-- /figure -->"

    def reference(self, label: str) -> str:
        number, page = self.number(label)
        where = "" if page == self.page.name else self.address(page)
        return f"[({number})]({where}#eq-{label})"

    def number(self, label: str) -> tuple[str, str]:
        try:
            return self.around.numbers[label]
        except KeyError:
            message = f"{self.page}: no equation has the label {label}"
            raise CannotTell(message) from None

    def link(self, target: str) -> str:
        if re.match("[a-z]+:", target):
            return target
        path, _, anchor = target.partition("#")
        name = normpath(join(dirname(self.page.name), path)) if path else ""
        if name in ("", self.page.name):
            return f"#{anchor or self.page.headings[0].anchor}"
        return self.address(name) + (f"#{anchor}" if anchor else "")

    def address(self, name: str) -> str:
        try:
            return self.around.addresses[name]
        except KeyError:
            raise CannotTell(f"{self.page}: there is no page {name}") from None


def figure_in_tex(page: Page, name: str) -> str:
    """Raises CannotTell where the figure is at fault."""
    try:
        return figures.in_tex(name)
    except (Mistake, ValueError) as error:
        raise CannotTell(f"{page}: figure:{name}: {error}") from None


def identity(name: str) -> str:
    # nbformat allows 64 characters; a number may follow
    return re.sub("[^a-zA-Z0-9_-]", "-", name)[:60]


def anchored(name: str) -> str:
    """Colab finds a place by its name, the others by its id."""
    return f'<a id="{name}" name="{name}"></a>\n\n'


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
    """Its file."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


@lru_cache(100)  # `serve` asks for all after every edit
def script(text: str) -> str:
    """A notebook's file as a Python file that runs; the prose is in its comments."""
    made = jupytext.reads(text, fmt="ipynb")
    filters = dict.fromkeys(
        ["notebook_metadata_filter", "cell_metadata_filter"], "-all"
    )
    made.metadata = {"jupytext": filters}
    return jupytext.writes(made, fmt="py:percent")
