"""MkDocs hook: the parts of the book as notebooks, in each language.

mkdocs.yml says which pages make a part (extra: notebooks). From these pages and their
sessions each build makes notebooks/NAME.ipynb, the same as NAME.py, and a page, which
mkdocs-jupyter renders from the notebook with our template: Markdown as everywhere on
the site, so that the other hooks draw its formulas and figures. Nothing is executed:
the outputs are those that the tests compare.
"""

import logging
import re
from collections.abc import Iterator
from functools import lru_cache
from html import escape
from pathlib import Path
from urllib.parse import urljoin

import cells
import jupytext
from cells import CannotTell, Part, Surroundings
from figures import SessionError
from markdown import Markdown
from mkdocs import utils
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import CombinedEvent, event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import get_toc
from mkdocs.utils import get_relative_url
from mkdocs_jupyter.config import settings
from nbconvert.exporters.templateexporter import default_filters
from nbformat import NotebookNode

from book.sessions import OUTPUT, BadSession

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "notebooks"
TEMPLATES = Path(__file__).with_name("notebook")
SECTION = {"en": "Notebooks", "zh": "笔记本"}  # in the nav
FOLDER = "notebooks"

WORDS = {
    "en": {
        "notebook": "Notebook",
        "download": "Download",
        "colab": "Open in Colab",
        "description": "A notebook to download and to run, with the derivations, code "
        "and outputs of these pages: {pages}.",
    },
    "zh": {
        "notebook": "Notebook",
        "download": "下载",
        "colab": "在 Colab 中打开",
        "description": "可以下载和运行的 notebook，包含以下页面的推导、代码与输出："
        "{pages}。",
    },
}

# Without this, static-i18n makes plain files of notebooks, and MkDocs copies them.
if ".ipynb" not in utils.markdown_extensions:
    utils.markdown_extensions += (".ipynb",)
settings.templates_dir = str(TEMPLATES)
# It tells of each conversion, and rebuild.py keeps nothing of which something is told.
logging.getLogger("mkdocs.mkdocs-jupyter").setLevel(logging.WARNING)

_made: dict[tuple[str, str], tuple[tuple, str]] = {}  # language, name -> inputs, text
_rendering: dict = {}  # what the template's filter and its caller tell each other


def parts(config: MkDocsConfig) -> list[Part]:
    """What mkdocs.yml says."""
    found = []
    for entry in config.extra.get("notebooks") or []:
        name, titles, pages = entry["name"], entry.get("title", {}), entry["pages"]
        if not re.fullmatch("[a-z0-9-]+", name):
            raise PluginError(f"mkdocs.yml: notebook {name}: not of a-z, 0-9 and -")
        lacking = [
            language for language in _languages(config) if language not in titles
        ]
        if len(pages) > 1 and lacking:
            raise PluginError(
                f"mkdocs.yml: notebook {name}: several pages, and no title: "
                f"{', '.join(lacking)}"
            )
        found.append(Part(name, titles, pages))
    return found


@event_priority(-160)  # after contents.py, which makes the nav
def on_config(config: MkDocsConfig) -> None:
    names = [f"{FOLDER}/{part.name}.ipynb" for part in parts(config)]
    if names:
        config.nav.append({SECTION[_language(config)]: names})


# --- Files -------------------------------------------------------------------


@event_priority(50)  # before mkdocs-jupyter and i18n, which takes what is in docs/
def _announce(files: Files, config: MkDocsConfig) -> None:
    for language in _languages(config):
        for part in parts(config):
            name = f"{language}/{FOLDER}/{part.name}.ipynb"
            place = config.docs_dir, config.site_dir, config.use_directory_urls
            files.append(File(name, *place))


@event_priority(-150)  # after i18n, which says where pages lie
def _make(files: Files, config: MkDocsConfig) -> None:
    if not parts(config):
        return
    language = _language(config)
    sources = {
        name: file.content_string
        for name in _names(config.nav)
        if (file := files.src_uris.get(f"{language}/{name}"))
    }
    equations = cells.equations(dict([*sources.items()][1:]))  # the home page has none
    for part in parts(config):
        file = files.src_uris[f"{language}/{FOLDER}/{part.name}.ipynb"]
        file.src_dir = str(CACHE)
        path = CACHE / file.src_uri
        text = _text(part, files, config, sources, equations, address(file))
        if not path.exists() or path.read_text("utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")


on_files = CombinedEvent(_announce, _make)


def _text(
    part: Part,
    files: Files,
    config: MkDocsConfig,
    sources: dict[str, str],
    equations: dict[str, tuple[str, str]],
    url: str,
) -> str:
    language = _language(config)
    addresses = {
        name: _absolute(files.src_uris[f"{language}/{name}"].url, url, config)
        for name in sources
    }
    home = next(iter(addresses.values()))
    own = {name: sources[name] for name in part.pages if name in sources}
    around = Surroundings(language, config.site_name, home, own, addresses, equations)
    sessions = tuple(path.read_bytes() for path in sorted(cells.SNIPPETS.glob("*.md")))
    inputs = part, around, sessions
    known, text = _made.get((language, part.name), (None, ""))
    if known != inputs:
        try:
            made = cells.notebook(part, around)
        except (CannotTell, BadSession, SessionError) as error:
            raise PluginError(str(error)) from None
        text = cells.write(made)
        _made[language, part.name] = inputs, text
    return text


def _absolute(url: str, notebook: str, config: MkDocsConfig) -> str:
    """The address of a page for a notebook on a reader's disk, if it is known."""
    if config.site_url:
        return urljoin(config.site_url, url)
    return get_relative_url(url, notebook)


def address(file: File, suffix: str = ".ipynb") -> str:
    """Where the notebook lies for whoever downloads it, below the site."""
    return f"{file.url.removesuffix('/').removesuffix('.html')}{suffix}"


# --- Pages -------------------------------------------------------------------


def is_notebook(page: Page) -> bool:
    return page.file.src_uri.endswith(".ipynb")


def on_pre_page(page: Page, config: MkDocsConfig, files: Files) -> None:
    """mkdocs-jupyter has its own way to render; it is followed by what is ours."""
    if not is_notebook(page):
        return
    convert = page.render
    extensions, settings_ = config.markdown_extensions, config.mdx_configs

    def render(config: MkDocsConfig, files: Files) -> None:
        url = urljoin(_root(config), address(page.file))
        _rendering["told"] = (
            page,
            Markdown(extensions=extensions, extension_configs=settings_),
            url,
        )
        convert(config, files)
        page.content, page.toc = _rendering.pop("made")

    page.render = render


def on_page_markdown(
    markdown: str, page: Page, config: MkDocsConfig, files: Files
) -> None:
    if not is_notebook(page):
        return
    language = _language(config)
    part = next(p for p in parts(config) if p.name == page.file.name)
    pages = [files.src_uris[f"{language}/{name}"].page for name in part.pages]
    title = part.titles.get(language) or pages[0].title
    names = ("、" if language == "zh" else ", ").join(str(p.title) for p in pages)
    page.meta = {
        "title": title,
        "description": WORDS[language]["description"].format(pages=names),
        "search": {"exclude": True},  # it is the text of the pages
    }
    page.edit_url = None


def site(notebook_cells: list[NotebookNode]) -> str:
    """The HTML of a notebook's page, by the Markdown of the site.

    It goes past nbconvert, which would parse it and write it anew in its own way.
    """
    page, markdown, url = _rendering.pop("told")
    root = url.removesuffix(address(page.file))

    def link(target: re.Match[str]) -> str:
        absolute = urljoin(url, target[1])
        if target[1].startswith("#") or not absolute.startswith(root):
            return target[0]
        path, _, anchor = absolute.removeprefix(root).partition("#")
        return f"]({get_relative_url(path, page.url)}{anchor and f'#{anchor}'})"

    text = re.sub(r"\]\(([^)\s]+)\)", link, site_markdown(notebook_cells))
    html = markdown.convert(text)
    _rendering["made"] = html, get_toc(markdown.toc_tokens)
    return ""


default_filters["site"] = site  # nbconvert's, for our template


def site_markdown(notebook_cells: list[NotebookNode]) -> str:
    """A notebook in the Markdown of the site, whose hooks know what to make of it."""
    text, folded, level = "", "", 0
    for cell in notebook_cells:
        written = cell.source
        if cell.cell_type == "code":
            written = f"```python\n{written}\n```\n\n"
            for output in cell.outputs:
                written += f"{OUTPUT}\n```text\n{output.text}```\n\n"
            if cell.metadata.get("jupyter", {}).get("source_hidden"):
                title, _, code = written.partition("\n")[2].partition("\n")
                title = title.removeprefix("# @title ")
                written = f'??? note "{title}"\n\n' + _indented(f"```python\n{code}")
        else:
            written = _told(written) + "\n\n"
            if heading := re.match(r"(?:<a [^\n]*\n\n)?(#+) (.*)", cell.source):
                if folded and len(heading[1]) <= level:
                    text, folded = text + _indented(folded), ""
                if cells.is_folded(cell):
                    level = len(heading[1])
                    text += f'??? success "{heading[2]}"\n\n'
                    folded = "\n"
                    continue
        if folded:
            folded += written
        else:
            text += written
    return text + _indented(folded)


def _told(text: str) -> str:
    """Back from what Jupyter shows to what the site knows."""
    text = re.sub(
        r'<a id="eq-([^"]*)"[^\n]*\n\n(\$\$\n.*?)\n\\tag\{[\d.]+\}\n',
        r"\2\n\\label{\1}\n",
        text,
        flags=re.DOTALL,
    )
    text = re.sub(r'<a id="([^"]*)"[^\n]*\n\n(#.*)', r"\2 { #\1 }", text)
    return re.sub(
        r"<!-- figure:(\S+) -->.*?\n\n\*([^\n]*)\*\n\n<!-- /figure -->",
        r"![\2](figure:\1)",
        text,
        flags=re.DOTALL,
    )


def _indented(text: str) -> str:
    return re.sub("^(?=.)", "    ", text, flags=re.MULTILINE)


# --- Links and downloads -----------------------------------------------------


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    file = page.file if is_notebook(page) else _notebook_of(page, config, files)
    if file is None:
        return html
    bar = "".join(_links(page, file, config))
    bar = f'<p class="notebook" data-search-exclude="">{bar}</p>\n'
    before, end, after = html.partition("</h1>")
    return f"{before}{end}\n{bar}{after}"


def _notebook_of(page: Page, config: MkDocsConfig, files: Files) -> File | None:
    for part in parts(config):
        language, _, name = page.file.src_uri.partition("/")
        if name in part.pages:
            return files.src_uris[f"{language}/{FOLDER}/{part.name}.ipynb"]
    return None


def _links(page: Page, file: File, config: MkDocsConfig) -> Iterator[str]:
    words = WORDS[_language(config)]
    if page.file is not file:
        url = get_relative_url(file.url, page.url)
        yield f'<a href="{url}">{words["notebook"]}</a>'
    for suffix in (".ipynb", ".py"):
        url = get_relative_url(address(file, suffix), page.url)
        name = f"{file.name}{suffix}"
        label = escape(f"{words['download']} {name}")
        yield f'<a href="{url}" download="{name}" aria-label="{label}">{suffix}</a>'
    if config.extra.get("colab"):  # as addresses.py has it
        url = config.extra["colab"] + address(file)
        yield f'<a href="{url}">{words["colab"]}</a>'


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> None:
    if not is_notebook(page):
        return
    text = page.file.content_string
    path = Path(config.site_dir, address(page.file))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.with_suffix(".py").write_text(script(text), "utf-8")


@lru_cache(100)  # `serve` asks for all after every edit
def script(text: str) -> str:
    """A notebook as a Python file that runs; the prose is in its comments."""
    made = jupytext.reads(text, fmt="ipynb")
    filters = dict.fromkeys(
        ["notebook_metadata_filter", "cell_metadata_filter"], "-all"
    )
    made.metadata = {"jupytext": filters}
    return jupytext.writes(made, fmt="py:percent")


# --- Helpers -----------------------------------------------------------------


def _language(config: MkDocsConfig) -> str:
    return config.plugins["i18n"].current_language


def _languages(config: MkDocsConfig) -> list[str]:
    return config.plugins["i18n"].build_languages


def _names(entries: list | dict | str) -> Iterator[str]:
    """The pages of the nav as mkdocs.yml has it, without ours."""
    if isinstance(entries, str):
        yield from [entries] if entries.endswith(".md") else []
    elif isinstance(entries, dict):
        for below in entries.values():
            yield from _names(below)
    else:
        for below in entries:
            yield from _names(below)


def _root(config: MkDocsConfig) -> str:
    return config.site_url or "https://site.invalid/"
