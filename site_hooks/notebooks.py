"""MkDocs hook: each page with code as a notebook, notebooks/PAGE.ipynb, and as PAGE.py.

mkdocs-jupyter renders it with our template: Markdown as everywhere on the site, so that
the other hooks draw its formulas and figures. Nothing is executed: the outputs are
those that the tests compare. What was rendered is kept on disk and used again until
something that it is made of changes; such a page is then a file like any other.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from html import escape
from pathlib import Path
from urllib.parse import urljoin

from markdown import Markdown
from mkdocs import utils
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import CombinedEvent, event_priority
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import get_toc
from mkdocs.utils import get_relative_url
from mkdocs_jupyter.config import settings
from nbconvert.exporters.templateexporter import default_filters
from nbformat import NotebookNode

from book import glossary, kept, notebooks, pages, record, sessions
from book.kept import Kept
from book.notebooks import CannotTell, Surroundings
from book.pages import contents
from book.sessions import OUTPUT, BadSession

TEMPLATES = Path(__file__).with_name("notebook")
FILES = kept.CACHE / "notebooks-made"
LOOKED_AT = kept.CACHE / "looked-at"  # touched when somebody asks for one while serving
FOLDER = "notebooks"

WORDS = {
    "en": {
        "notebook": "Notebook",
        "download": "Download",
        "colab": "Open in Colab",
        "description": "A notebook to download and to run, with the derivations, code "
        "and outputs of the page {page}.",
    },
    "zh": {
        "notebook": "Notebook",
        "download": "下载",
        "colab": "在 Colab 中打开",
        "description": "可以下载和运行的 notebook，含《{page}》的推导、代码与输出。",
    },
}

# Without this, static-i18n makes plain files of notebooks, and MkDocs copies them.
if ".ipynb" not in utils.markdown_extensions:
    utils.markdown_extensions += (".ipynb",)
settings.templates_dir = str(TEMPLATES)
# It tells of each conversion, and rebuild.py keeps nothing of which something is told.
logging.getLogger("mkdocs.mkdocs-jupyter").setLevel(logging.WARNING)

_kept = Kept("notebooks", 300)  # some builds of both languages
_rendering: dict = {}  # what the template's filter and its caller tell each other
_keys: dict[str, str] = {}  # page of a notebook that is rendered -> where it is kept
_files: dict[tuple[str, str], File] = {}  # language, page -> its notebook
_outputs: dict[str, str] = {}  # what the build of this language writes besides pages
# While serving, a notebook whose page is not kept is rendered once it is looked at.
_serving = False
_looked_at: set[str] = set()  # addresses below the site
_waiting: set[str] = set()


# --- Files -------------------------------------------------------------------


@event_priority(50)  # before mkdocs-jupyter and i18n, which takes what is in docs/
def _announce(files: Files, config: MkDocsConfig) -> None:
    for language in config.plugins["i18n"].build_languages:
        for page in _with_notebook(contents(Path(config.docs_dir))[language]):
            name = f"{language}/{FOLDER}/{page.name.removesuffix('.md')}.ipynb"
            place = config.docs_dir, config.site_dir, config.use_directory_urls
            files.append(File(name, *place))


@event_priority(-150)  # after i18n, which says where pages lie
def _make(files: Files, config: MkDocsConfig) -> None:
    language = _language(config)
    everywhere = contents(Path(config.docs_dir))[language]
    numbers = pages.numbers(everywhere)
    common = _common(everywhere, config), numbers
    for page in _with_notebook(everywhere):
        name = f"{language}/{FOLDER}/{page.name.removesuffix('.md')}.ipynb"
        file = _files[language, page.name] = files.src_uris[name]
        file.inclusion = InclusionLevel.NOT_IN_NAV
        session = sessions.SNIPPETS / page.name
        made_of = [path.read_bytes() for path in sessions.stands_on(session)]
        key = kept.key(common, page.text, made_of, file.dest_uri)
        try:
            text, script, html = _kept[key]
        except KeyError:
            around = _around(everywhere, numbers, file, files, config)
            text, html = _notebook(page, around), ""
            script = notebooks.script(text)
        _outputs[address(file)] = text
        _outputs[address(file, ".py")] = script
        if html:
            _outputs[file.dest_uri] = html
            files.remove(file)
        elif _serving and file.url not in _looked_at:
            _waiting.add(file.url)
            files.remove(file)
        else:
            path = FILES / file.src_uri  # mkdocs-jupyter reads a file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            file.src_dir = str(FILES)
            _keys[file.src_uri] = key
            _waiting.discard(file.url)


on_files = CombinedEvent(_announce, _make)


def _with_notebook(everywhere: list[pages.Page]) -> list[pages.Page]:
    return [page for page in everywhere if notebooks.has_notebook(page)]


def _file_of(name: str, config: MkDocsConfig) -> File | None:
    return _files.get((_language(config), name))


def _around(
    everywhere: list[pages.Page],
    numbers: dict[str, tuple[str, str]],
    file: File,
    files: Files,
    config: MkDocsConfig,
) -> Surroundings:
    addresses = {
        page.name: _absolute(
            files.src_uris[f"{page.language}/{page.name}"].url, address(file), config
        )
        for page in everywhere
    }
    home = addresses[everywhere[0].name]
    return Surroundings(config.site_name, home, addresses, numbers)


def _notebook(page: pages.Page, around: Surroundings) -> str:
    try:
        return notebooks.write(notebooks.notebook(page, around))
    except (CannotTell, BadSession, ValueError) as error:
        raise PluginError(str(error)) from None


def _common(everywhere: list[pages.Page], config: MkDocsConfig) -> str:
    """All that the pages of notebooks are made of, besides page and session."""
    told = [page.front for page in everywhere]
    told += glossary.read(contents(Path(config.docs_dir)))  # in all languages
    told += [config.site_url, config.repo_url, config.use_directory_urls, config.extra]
    folders = ["book", "site_hooks", "explorers", "snippets"]
    sources = [p for name in folders for p in (pages.ROOT / name).rglob("*.*")]
    sources = [p for p in sources if p.is_file() and p.suffix not in (".md", ".pyc")]
    sources.append(pages.ROOT / "mkdocs.yml")
    return kept.key(told, record.read(), [p.read_bytes() for p in sorted(sources)])


def _absolute(url: str, notebook: str, config: MkDocsConfig) -> str:
    """The address of a page for a notebook on a reader's disk, if it is known."""
    if config.site_url:
        return urljoin(config.site_url, url)
    return get_relative_url(url, notebook)


def address(file: File, suffix: str = ".ipynb") -> str:
    """Where the notebook lies for whoever downloads it, below the site."""
    return f"{file.url.removesuffix('/').removesuffix('.html')}{suffix}"


@event_priority(50)  # before i18n builds the other languages
def on_post_build(config: MkDocsConfig) -> None:
    for name, text in _outputs.items():
        path = Path(config.site_dir, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    _outputs.clear()
    _kept.tidy()


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
    source = page.file.src_uri.replace(f"/{FOLDER}/", "/").removesuffix(".ipynb")
    title = files.src_uris[f"{source}.md"].page.title
    page.meta = {
        "title": title,
        "description": WORDS[language]["description"].format(page=title),
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
                if notebooks.is_folded(cell):
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
    name = page.file.src_uri.partition("/")[2]
    file = page.file if is_notebook(page) else _file_of(name, config)
    if file is None:
        return html
    bar = "".join(_links(page, file, config))
    bar = f'<p class="notebook" data-search-exclude="">{bar}</p>\n'
    before, end, after = html.partition("</h1>")
    return f"{before}{end}\n{bar}{after}"


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


@event_priority(-500)  # after all that write into the page
def on_post_page(output: str, page: Page, **_: object) -> None:
    if key := _keys.pop(page.file.src_uri, None):
        made = (_outputs[address(page.file, suffix)] for suffix in (".ipynb", ".py"))
        _kept[key] = (*made, output)


def on_post_template(output_content: str, template_name: str, **_: object) -> str:
    """Search engines find the pages; their notebooks are the same once more."""
    if template_name != "sitemap.xml":
        return output_content
    return re.sub(
        rf"\s*<url>\s*<loc>(?:[^<]*/)?{FOLDER}/.*?</url>",
        "",
        output_content,
        flags=re.S,
    )


# --- While serving -----------------------------------------------------------


def on_startup(command: str, **_: object) -> None:
    global _serving
    _serving = command == "serve"


def on_serve(server: LiveReloadServer, **_: object) -> None:
    """Who asks for a notebook that is not rendered waits for another build."""
    LOOKED_AT.parent.mkdir(parents=True, exist_ok=True)
    LOOKED_AT.touch()
    server.watch(str(LOOKED_AT))
    app = server.get_app()

    def look(environ: dict, start_response: Callable) -> Iterable[bytes]:
        url = environ["PATH_INFO"].lstrip("/").removesuffix("index.html")
        if url not in _waiting:
            return app(environ, start_response)
        _looked_at.add(url)
        LOOKED_AT.touch()
        start_response("200 OK", [("Content-Type", "text/html")])
        return [b'<meta http-equiv="refresh" content="1"><p>Being made ...']

    server.set_app(look)


# --- Helpers -----------------------------------------------------------------


def _language(config: MkDocsConfig) -> str:
    return config.plugins["i18n"].current_language


def _root(config: MkDocsConfig) -> str:
    return config.site_url or "https://site.invalid/"
