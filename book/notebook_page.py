"""A notebook as a page of the site: in the site's Markdown again, so that its formulas
and figures are drawn as everywhere; and the links to its files.

Nothing is executed: the outputs are those that the tests compare. To render all
notebooks takes as long as all pages, so that what was rendered is kept, under a key of
all that it is made of.
"""

import re
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from urllib.parse import urljoin

from nbformat import NotebookNode

from book import kept, record, sessions
from book.addresses import relative
from book.notebooks import Surroundings, figure_in_tex, has_notebook, is_folded
from book.pages import ROOT, Page, numbers
from book.sessions import OUTPUT

FOLDER = "notebooks"
SUFFIXES = [".ipynb", ".py"]
WORDS = {
    "en": {
        "notebook": "Notebook",
        "download": "Download",
        "colab": "Open in Colab",
        "description": "A notebook to download and to run, with the derivations, code "
        "and outputs of the page {page}.",
    },
    "zh": {
        "notebook": "笔记本",
        "download": "下载",
        "colab": "在 Colab 中打开",
        "description": "可以下载和运行的笔记本，含《{page}》的推导、代码与输出。",
    },
}
# Of a site that does not know where it is.
SOMEWHERE = "https://site.invalid/"
EQUATION = re.compile(
    r'<a id="eq-([^"]*)"[^\n]*\n\n(\$\$\n.*?)\n\\tag\{[\d.]+\}\n', re.DOTALL
)
HEADING = re.compile(r"(?:<a [^\n]*\n\n)?(#+) (.*)")
ANCHORED = re.compile(r'<a id="([^"]*)"[^\n]*\n\n(#.*)')
FIGURE = re.compile(
    r"<!-- figure:(\S+) -->.*?\n\n\*([^\n]*)\*\n\n<!-- /figure -->", re.DOTALL
)
TARGET = re.compile(r"\]\(([^)\s]+)\)")
LISTED = re.compile(rf"\s*<url>\s*<loc>(?:[^<]*/)?{FOLDER}/.*?</url>", re.DOTALL)


# --- Where it lies -----------------------------------------------------------


def sources(pages: list[Page]) -> dict[str, Page]:
    """The pages with a notebook, by the path below docs/ that it would have there."""
    return {
        f"{page.language}/{FOLDER}/{page.name.removesuffix('.md')}.ipynb": page
        for page in pages
        if has_notebook(page)
    }


def page_of(source: str) -> str:
    """The path of the page from which the notebook with this path is made."""
    return source.replace(f"/{FOLDER}/", "/").removesuffix(".ipynb") + ".md"


def download(url: str, suffix: str = ".ipynb") -> str:
    """Where the file lies whose page has this address; both below the site."""
    return f"{url.removesuffix('/').removesuffix('.html')}{suffix}"


def surroundings(
    name: str, site: str, pages: list[Page], urls: dict[str, str], url: str
) -> Surroundings:
    """What the notebook whose page is at `url` must know of the site.

    `site` is its address, "" while nobody knows it, and `urls` has those of the pages
    and of files to which pages link, below the site.
    """
    file = download(url)
    addresses = {
        name: urljoin(site, place) if site else relative(place, file)
        for name, place in urls.items()
    }
    return Surroundings(name, addresses[pages[0].name], addresses, numbers(pages))


# --- What is kept of it ------------------------------------------------------


def common(pages: list[Page], settings: list[object], files: Iterable[Path]) -> str:
    """Of all that the pages of notebooks are made of, besides page and session.

    Settings and files are those of whatever builds the site.
    """
    told = numbers(pages), settings
    folders = ["book", "explorers", "snippets"]
    paths = {*files}
    paths |= {path for name in folders for path in (ROOT / name).rglob("*.*")}
    made_of = sorted(
        path for path in paths if path.is_file() and path.suffix not in (".md", ".pyc")
    )
    return kept.key(told, record.read(), [path.read_bytes() for path in made_of])


def key(page: Page, common: str, place: str) -> str:
    """Of the page of a notebook, which lies in this place."""
    session = sessions.SNIPPETS / page.name
    made_of = [path.read_bytes() for path in sessions.stands_on(session)]
    # Figures may read sessions from which the page takes no name.
    shown = [figure_in_tex(page, image.source) for image in page.images("figure")]
    return kept.key(common, page.text, made_of, shown, place)


# --- Back to the Markdown of the site ----------------------------------------


def site_markdown(cells: list[NotebookNode], url: str, site: str = "") -> str:
    """The notebook whose page is at `url`, in Markdown; its links lead from there."""
    site = site or SOMEWHERE
    file = urljoin(site, download(url))

    def link(target: re.Match[str]) -> str:
        absolute = urljoin(file, target[1])
        if target[1].startswith("#") or not absolute.startswith(site):
            return target[0]
        path, _, anchor = absolute.removeprefix(site).partition("#")
        return f"]({relative(path, url)}{anchor and f'#{anchor}'})"

    return TARGET.sub(link, unfolded(cells))


def unfolded(cells: list[NotebookNode]) -> str:
    """The cells, one after the other, with what folds in its frame."""
    text, folded, level = "", "", 0
    for cell in cells:
        written = code(cell) if cell.cell_type == "code" else prose(cell)
        if cell.cell_type != "code" and (heading := HEADING.match(cell.source)):
            if folded and len(heading[1]) <= level:
                text, folded = text + indented(folded), ""
            if is_folded(cell):
                level = len(heading[1])
                text += f'??? success "{heading[2]}"\n\n'
                folded = "\n"
                continue
        if folded:
            folded += written
        else:
            text += written
    return text + indented(folded)


def code(cell: NotebookNode) -> str:
    hidden = cell.metadata.get("jupyter", {}).get("source_hidden")
    title, _, rest = cell.source.partition("\n")
    written = f"```python\n{rest if hidden else cell.source}\n```\n\n"
    for output in cell.outputs:
        written += f"{OUTPUT}\n```text\n{output.text}```\n\n"
    if hidden:
        title = title.removeprefix("# @title ")
        return f'??? note "{title}"\n\n' + indented(written)
    return written


def prose(cell: NotebookNode) -> str:
    """Back from what Jupyter shows to what the site knows."""
    text = EQUATION.sub(r"\2\n\\label{\1}\n", cell.source)
    text = ANCHORED.sub(r"\2 { #\1 }", text)
    return FIGURE.sub(r"![\2](figure:\1)", text) + "\n\n"


def indented(text: str) -> str:
    return re.sub("^(?=.)", "    ", text, flags=re.MULTILINE)


# --- Links and downloads -----------------------------------------------------


def linked(html: str, language: str, here: str, url: str, colab: str) -> str:
    """A page, or its notebook's, with links to the notebook and its files on top.

    The notebook's page is at `url`, and `colab` stands before the path of a file where
    Colab opens it; "" where it cannot.
    """
    bar = "".join(links(language, here, url, colab))
    bar = f'<p class="notebook" data-search-exclude="">{bar}</p>\n'
    before, end, after = html.partition("</h1>")
    return f"{before}{end}\n{bar}{after}"


def links(language: str, here: str, url: str, colab: str) -> Iterator[str]:
    words = WORDS[language]
    if here != url:
        yield f'<a href="{relative(url, here)}">{words["notebook"]}</a>'
    for suffix in SUFFIXES:
        address = download(url, suffix)
        name = address.rpartition("/")[2]
        label = escape(f"{words['download']} {name}")
        href = relative(address, here)
        yield f'<a href="{href}" download="{name}" aria-label="{label}">{suffix}</a>'
    if colab:
        yield f'<a href="{colab}{download(url)}">{words["colab"]}</a>'


def front(language: str, title: str) -> dict:
    """The front matter of the notebook's page, whose page has this title."""
    name = re.sub(r"^\d+ ", "", title)  # without the number of the chapter
    return {
        "title": title,
        "description": WORDS[language]["description"].format(page=name),
        "search": {"exclude": True},  # it is the text of the pages
    }


def unlisted(sitemap: str) -> str:
    """Without notebooks: search engines find the pages, which are the same."""
    return LISTED.sub("", sitemap)
