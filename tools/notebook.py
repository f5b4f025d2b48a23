"""A page's notebook, run: python3 make.py notebook learning/digits

Its cells run in this process, one after the other: the terminal has what they print,
and the progress that they tell to stderr, as it comes, and Ctrl-C ends them as it ends
any program. What was printed by then is written into build/notebooks/: as .ipynb, and
as an HTML file with formulas and figures, which needs no other.
"""

import io
import linecache
import sys
import traceback
from contextlib import redirect_stdout
from html import escape
from pathlib import Path
from typing import TextIO

import material
from markdown import Markdown
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from nbformat import NotebookNode
from nbformat.v4 import new_output

from book import Mistake, glossary, images, notebook_page, notebooks
from book.compare import difference
from book.figures import drawing
from book.formulas import Equation, Marker, Mistakes, Written, draw, typeset
from book.graphs import Reader
from book.notebooks import Surroundings
from book.pages import DOCS, LANGUAGES, ROOT, Page, contents

FOLDER = "build/notebooks"
SITE = "site"  # where the links lead
THEME = Path(material.__path__[0]) / "templates" / "assets" / "stylesheets"
HTML = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{style}</style>
</head>
<body dir="ltr" data-md-color-scheme="default" data-md-color-primary="indigo">
<main style="width: 100%; max-width: 44rem; margin: auto">
<article class="md-content__inner md-typeset">
{text}
</article>
</main>
</body>
</html>
"""


# --- The notebook ------------------------------------------------------------


def address(page: Page) -> str:
    """As on the site: cnn/forward, and in Chinese zh/cnn/forward."""
    folder = "" if page.language == LANGUAGES[0] else f"{page.language}/"
    return folder + page.name.removesuffix(".md")


def page_at(place: str) -> Page:
    """Raises Mistake where no page with a notebook has this address."""
    every = [page for pages in contents().values() for page in pages]
    found = {address(page): page for page in every if notebooks.has_notebook(page)}
    if place not in found:
        names = [address(p) for p in found.values() if p.language == LANGUAGES[0]]
        raise Mistake(
            f"no notebook {place!r}; there are {', '.join(names)}, "
            "and the same in Chinese: zh/…"
        )
    return found[place]


def surroundings(page: Page, config: MkDocsConfig) -> Surroundings:
    """Links lead from the folder of notebooks to the files of the site."""
    pages = contents()[page.language]
    urls = {p.name: f"{SITE}/{address(p)}/index.html" for p in pages}
    urls[pages[0].name] = f"{SITE}/{address(pages[0])}.html"
    urls["../assets/check_gradient.py"] = f"{SITE}/assets/check_gradient.py"
    languages = config.plugins["i18n"].config.languages
    (own,) = [each for each in languages if each.locale == page.language]
    name = own.site_name or config.site_name
    here = f"{FOLDER}/{address(page)}.html"
    return notebook_page.surroundings(name, "", pages, urls, here)


# --- It runs -----------------------------------------------------------------


class Both(io.StringIO):
    """Keeps what is written, and passes it on."""

    def __init__(self, to: TextIO) -> None:
        super().__init__()
        self.to = to

    def write(self, text: str) -> int:
        if self.to.isatty() and self.getvalue()[-1:] in ("", "\n"):
            self.to.write("\r\x1b[K")  # over the progress, if that stands in this line
        self.to.write(text)
        self.to.flush()
        return super().write(text)


def run(cells: list[NotebookNode]) -> int:
    """Run the cells; as outputs they then have what they printed, none those that did
    not run. An exit code: 1 where one raised, 130 after Ctrl-C, else 0."""
    namespace = {"__name__": "__main__"}
    heading, code = "", 0
    for cell in cells:
        if cell.cell_type != "code":
            if found := notebook_page.HEADING.match(cell.source):
                heading = f"\n{found[1]} {found[2]}\n"
            continue
        cell.outputs = []
        if code:
            continue
        print(end=heading, flush=True)
        heading = ""
        # Where tracebacks, and TensorFlow's compiler, look for the code.
        linecache.cache[cell.id] = 0, None, cell.source.splitlines(True), cell.id
        out = Both(sys.stdout)
        try:
            with redirect_stdout(out):
                exec(compile(cell.source, cell.id, "exec", 0, True), namespace)
        except KeyboardInterrupt:
            code = 130
        except Exception:
            traceback.print_exc()
            code = 1
        if text := out.getvalue():
            cell.outputs = [new_output("stream", name="stdout", text=text)]
    return code


def printed(cells: list[NotebookNode]) -> dict[str, str]:
    """What each cell of code prints, by its id."""
    code = (cell for cell in cells if cell.cell_type == "code")
    return {cell.id: "".join(out.text for out in cell.outputs) for cell in code}


# --- It is written -----------------------------------------------------------


def html(
    cells: list[NotebookNode], page: Page, around: Surroundings, config: MkDocsConfig
) -> str:
    """The notebook as a page like those of the site. Raises Mistake."""
    markdown = Markdown(
        extensions=config.markdown_extensions, extension_configs=config.mdx_configs
    )
    source = notebook_page.unfolded(cells)
    text, place = markdown.convert(source), str(page)
    terms = {term.name["en"]: term.name for term in glossary.read(contents())}

    def word(term: str) -> str:
        return terms[term][page.language]

    def link(target: str) -> str:
        name, mark, anchor = target.partition("#")
        return around.addresses[name] + mark + anchor

    def figure(name: str, alternative: str, caption: str) -> str:
        return drawing(name, alternative, caption, Reader(word, link))

    text = images.replaced(text, "figure", figure, place, source)
    numbers = around.numbers.items()
    equations = {label: Equation(number, "", place) for label, (number, _) in numbers}
    written, mistakes = Written(text, "", place, source, 0), Mistakes()
    text = Marker(written, equations, mistakes).page_marked()
    if mistakes:
        raise Mistake("\n".join(mistakes))
    styles = [*THEME.glob("*.css"), *(DOCS / name for name in config.extra_css)]
    made = HTML.format(
        language=page.language,
        title=escape(page.front["title"]),
        style="\n".join(style.read_text("utf-8") for style in styles),
        text=text,
    )
    try:
        return draw(made)
    finally:
        typeset.close()


def main(*arguments: str) -> int:
    """An exit code, as of run. Raises Mistake."""
    if len(arguments) != 1:
        raise Mistake("of which page? python3 make.py notebook cnn/forward")
    page = page_at(*arguments)
    config = load_config(str(ROOT / "mkdocs.yml"))
    around = surroundings(page, config)
    notebook = notebooks.notebook(page, around)
    shown = printed(notebook.cells)
    code = run(notebook.cells)
    path = ROOT / FOLDER / f"{address(page)}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(notebooks.write(notebook), "utf-8")
    drawn = path.with_suffix(".html")
    drawn.write_text(html(notebook.cells, page, around, config), "utf-8")
    now = printed(notebook.cells)
    if others := [cell for cell in shown if difference(shown[cell], now[cell])]:
        print(
            "make.py: not what the page shows, from which its figures are drawn: "
            f"{', '.join(others)}"
        )
    print(f"make.py: {path.relative_to(ROOT)}\nmake.py: {drawn.as_uri()}")
    if not (ROOT / SITE).exists():
        print("make.py: its links lead to the site: python3 make.py build")
    return code


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except Mistake as mistake:
        sys.exit(f"make.py notebook: {mistake}")
