"""MkDocs hook: a derivation stands beside its code.

A step is the prose since the last heading or code, and the code that follows it.
Authors write nothing for this; on a narrow screen the two follow each other as in the
source.
"""

from html.parser import HTMLParser
from typing import NamedTuple

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

# Comments that the sessions bring along.
OUTPUT = "pytest-codeblocks:expected-output"
SECTION = "--8<--"
# The quiet mark at an output, and what it says to whoever points at it.
MARKS = {
    "en": ("verified", "Executed and compared by the tests. How?"),
    "zh": ("已验证", "测试时实际运行并比对。怎样比对？"),
}
HEADINGS = {f"h{level}" for level in range(1, 7)}
VOID = {"area", "br", "col", "embed", "hr", "img", "input", "source", "track", "wbr"}


class Part(NamedTuple):
    """An element of a page that stands in no other, or a comment."""

    tag: str
    classes: frozenset[str]
    html: str


class Parts(HTMLParser):
    """Cuts a page where its outermost elements begin."""

    def __init__(self, page: str):
        super().__init__(convert_charrefs=False)
        self.begins: list[tuple[int, str, frozenset[str]]] = []
        self.depth = 0
        self.lines = [0]
        for line in page.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))
        self.feed(page)
        self.close()
        starts = [start for start, _, _ in self.begins]
        ends = [*starts[1:], len(page)]
        self.parts = [
            Part(tag, classes, page[start:end])
            for (start, tag, classes), end in zip(self.begins, ends, strict=True)
        ]

    def begin(self, tag: str, classes: str = "") -> None:
        if not self.depth:
            line, column = self.getpos()
            start = self.lines[line - 1] + column
            self.begins.append((start, tag, frozenset(classes.split())))

    def handle_starttag(self, tag, attrs):
        self.begin(tag, dict(attrs).get("class") or "")
        self.depth += tag not in VOID

    def handle_startendtag(self, tag, attrs):
        self.begin(tag, dict(attrs).get("class") or "")

    def handle_endtag(self, tag):
        self.depth -= tag not in VOID

    def handle_comment(self, data):
        self.begin(data.strip())


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    parts = Parts(html).parts
    if not any("language-python" in part.classes for part in parts):
        return html
    home = next(file for file in files.documentation_pages() if file.name == "index")
    how = get_relative_url(home.url, page.url) + "#verified"
    return "".join(steps(parts, mark(str(config.theme["language"]), how)))


def mark(language: str, how: str) -> str:
    word, title = MARKS[language]
    # The search would otherwise find the word in every section.
    unsearched = 'data-search-exclude=""'
    return f'<a class="verified" href="{how}" title="{title}" {unsearched}>{word}</a>'


def steps(parts: list[Part], verified: str) -> list[str]:
    """The page's HTML with each step in its two columns, outputs marked as verified."""
    out: list[str] = []
    derivation: list[str] = []
    code: list[str] = []

    def end_step() -> None:
        left, right = "".join(derivation), "".join(code)
        if left and right:
            left = f'<div class="derivation">{left}</div>'
            right = f'<div class="execution">{right}</div>'
            out.append(f'<div class="step">{left}{right}</div>\n')
        else:
            out.append(left + right)
        derivation.clear()
        code.clear()

    for before, part in zip([None, *parts], parts, strict=False):
        if part.tag == OUTPUT:
            continue  # a comment; what follows it is the output
        if before and before.tag == OUTPUT:
            code.append(f'<div class="output">{part.html}{verified}</div>')
        elif "language-python" in part.classes:
            code.append(part.html)
        elif part.tag.startswith(SECTION):
            continue
        else:
            if code or part.tag in HEADINGS:
                end_step()
            (out if part.tag in HEADINGS else derivation).append(part.html)
    end_step()
    return out
