"""MkDocs hook: each page with code as a notebook, notebooks/PAGE.ipynb, and as PAGE.py.

mkdocs-jupyter renders it with our template: Markdown as everywhere on the site, so that
the other hooks draw its formulas and figures. What was rendered is kept on disk; such a
page is then a file like any other. book/notebook_page.py knows what is in all of them.
"""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import urlsplit

from markdown import Markdown
from mkdocs import utils
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import CombinedEvent, event_priority
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import get_toc
from mkdocs_jupyter.config import settings
from nbconvert.exporters.templateexporter import default_filters
from nbformat import NotebookNode

from book import feedback, kept, notebook_page, notebooks, pages
from book.kept import Kept
from book.notebook_page import SUFFIXES, download

HOOKS = Path(__file__).parent
FILES = kept.CACHE / "notebooks-made"
LOOKED_AT = kept.CACHE / "looked-at"  # touched when somebody asks for one while serving

# Without this, static-i18n makes plain files of notebooks, and MkDocs copies them.
if ".ipynb" not in utils.markdown_extensions:
    utils.markdown_extensions += (".ipynb",)
settings.templates_dir = str(HOOKS / "notebook")
# It tells of each conversion, and rebuild.py keeps nothing of which something is told.
logging.getLogger("mkdocs.mkdocs-jupyter").setLevel(logging.WARNING)

_kept = Kept("notebooks", 300)  # some builds of both languages
_rendering: dict = {}  # what the template's filter and its caller tell each other
_keys: dict[str, str] = {}  # page of a notebook that is rendered -> where it is kept
_files: dict[str, File] = {}  # page -> its notebook; both with their language
_outputs: dict[str, str] = {}  # what the build of this language writes besides pages
# While serving, a notebook whose page is not kept is rendered once it is looked at.
_serving = False
_looked_at: set[str] = set()  # addresses below the site
_waiting: set[str] = set()


# --- Files -------------------------------------------------------------------


@event_priority(50)  # before mkdocs-jupyter and i18n, which takes what is in docs/
def _announce(files: Files, config: MkDocsConfig) -> None:
    everywhere = pages.contents(Path(config.docs_dir))
    for language in config.plugins["i18n"].build_languages:
        for source in notebook_page.sources(everywhere[language]):
            place = config.docs_dir, config.site_dir, config.use_directory_urls
            files.append(File(source, *place))


@event_priority(-150)  # after i18n, which says where pages lie
def _make(files: Files, config: MkDocsConfig) -> None:
    _files.clear()
    _outputs.clear()  # of a build that failed
    book = pages.contents(Path(config.docs_dir))
    everywhere = book[_language(config)]
    urls = {p.name: files.src_uris[f"{p.language}/{p.name}"].url for p in everywhere}
    # What another hook makes, seen from a page.
    urls |= {f"../{f.src_uri}": f.url for f in files if f.generated_by}
    site = config.site_url or ""
    told = [site, config.repo_url, config.use_directory_urls, config.extra]
    # A note at a term has its name in the other language.
    told += [page.front for pages_ in book.values() for page in pages_]
    # A report of an error names the commit.
    told.append(feedback.version(pages.ROOT) if config.repo_url else "")
    sources = [pages.ROOT / "mkdocs.yml", *HOOKS.rglob("*.*")]
    common = notebook_page.common(everywhere, told, sources)
    for source, page in notebook_page.sources(everywhere).items():
        file = _files[notebook_page.page_of(source)] = files.src_uris[source]
        file.inclusion = InclusionLevel.NOT_IN_NAV
        key = notebook_page.key(page, common, file.dest_uri)
        try:
            *texts, html = _kept[key]
        except KeyError:
            around = notebook_page.surroundings(
                config.site_name, site, everywhere, urls, file.url
            )
            texts, html = _texts(page, around), ""
            _kept[key] = (*texts, html)
        for suffix, text in zip(SUFFIXES, texts, strict=True):
            _outputs[download(file.url, suffix)] = text
        if html:
            _outputs[file.dest_uri] = html
            _waiting.discard(file.url)
            files.remove(file)
        elif _serving and file.url not in _looked_at:
            _waiting.add(file.url)
            files.remove(file)
        else:
            path = FILES / file.src_uri  # mkdocs-jupyter reads a file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts[0], "utf-8")
            file.src_dir = str(FILES)
            _keys[file.src_uri] = key
            _waiting.discard(file.url)


on_files = CombinedEvent(_announce, _make)


def _texts(page: pages.Page, around: notebooks.Surroundings) -> tuple[str, str]:
    text = notebooks.write(notebooks.notebook(page, around))
    return text, notebooks.script(text)


@event_priority(50)  # before i18n builds the other languages
def on_post_build(config: MkDocsConfig) -> None:
    for name, text in _outputs.items():
        path = Path(config.site_dir, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    _outputs.clear()
    _kept.tidy()


# --- Pages -------------------------------------------------------------------


def on_pre_page(page: Page, config: MkDocsConfig, files: Files) -> None:
    """mkdocs-jupyter has its own way to render; it is followed by what is ours."""
    if not _is_notebook(page):
        return
    convert = page.render
    extensions, settings_ = config.markdown_extensions, config.mdx_configs

    def render(config: MkDocsConfig, files: Files) -> None:
        markdown = Markdown(extensions=extensions, extension_configs=settings_)
        _rendering["told"] = markdown, page.url, config.site_url or ""
        convert(config, files)
        page.content, page.toc = _rendering.pop("made")

    page.render = render


def _site(cells: list[NotebookNode]) -> str:
    """The HTML of a notebook's page, by the Markdown of the site.

    It goes past nbconvert, which would parse it and write it anew in its own way.
    """
    markdown, url, site = _rendering.pop("told")
    html = markdown.convert(notebook_page.site_markdown(cells, url, site))
    _rendering["made"] = html, get_toc(markdown.toc_tokens)
    return ""


default_filters["site"] = _site  # nbconvert's, for our template


def on_page_markdown(
    markdown: str, page: Page, config: MkDocsConfig, files: Files
) -> None:
    if _is_notebook(page):
        there = files.src_uris[notebook_page.page_of(page.file.src_uri)].page
        page.meta = notebook_page.front(_language(config), str(there.title))
        page.edit_url = None


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    name = page.file.src_uri
    if not (file := page.file if _is_notebook(page) else _files.get(name)):
        return html
    colab = config.extra.get("colab", "")  # as addresses.py has it
    return notebook_page.linked(html, _language(config), page.url, file.url, colab)


@event_priority(-500)  # after all that write into the page
def on_post_page(output: str, page: Page, **_: object) -> None:
    if key := _keys.pop(page.file.src_uri, None):
        texts = [_outputs[download(page.file.url, suffix)] for suffix in SUFFIXES]
        _kept[key] = (*texts, output)


def on_post_template(output_content: str, template_name: str, **_: object) -> str:
    if template_name != "sitemap.xml":
        return output_content
    return notebook_page.unlisted(output_content)


# --- While serving -----------------------------------------------------------


def on_startup(command: str, **_: object) -> None:
    global _serving
    _serving = command == "serve"


def on_serve(server: LiveReloadServer, config: MkDocsConfig, **_: object) -> None:
    """Who asks for a notebook that is not rendered waits for another build."""
    LOOKED_AT.parent.mkdir(parents=True, exist_ok=True)
    LOOKED_AT.touch()
    server.watch(str(LOOKED_AT))
    app, root = server.get_app(), urlsplit(config.site_url or "").path or "/"

    def look(environ: dict, start_response: Callable) -> Iterable[bytes]:
        url = environ["PATH_INFO"].removeprefix(root).removesuffix("index.html")
        if url not in _waiting:
            return app(environ, start_response)
        _looked_at.add(url)
        LOOKED_AT.touch()
        start_response("200 OK", [("Content-Type", "text/html")])
        return [b'<meta http-equiv="refresh" content="1"><p>Being made ...']

    server.set_app(look)


# --- Helpers -----------------------------------------------------------------


def _is_notebook(page: Page) -> bool:
    return page.file.src_uri.endswith(".ipynb")


def _language(config: MkDocsConfig) -> str:
    return config.plugins["i18n"].current_language
