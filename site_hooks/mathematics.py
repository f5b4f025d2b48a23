"""MkDocs hook: the formulas of all pages, as book/formulas.py draws them."""

import os
from collections.abc import Iterable, Iterator

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink

from book import Mistake
from book.formulas import Equation, Marker, Mistakes, Written, compare, draw, number
from book.formulas import typeset as _typeset  # MkDocs would take it for an event
from book.pages import REFERENCE

_chapters: list[Page] = []  # of the language being built, in the order of the nav
_equations: dict[str, dict[str, Equation]] = {}  # language -> label -> equation


@event_priority(-200)  # after i18n, which picks the language's pages at -100
def on_nav(nav: Navigation, config: MkDocsConfig, **_: object) -> None:
    _chapters[:] = [page for page in nav.pages if _numbered(page, nav)]
    # i18n builds the other languages inside the build of the first.
    if not getattr(config.plugins.get("i18n"), "building", False):
        _equations.clear()


def on_env(env: object, config: MkDocsConfig, files: Files) -> None:
    pages = {
        file.src_uri: file.page
        for file in files.documentation_pages()
        if file.page and file.page.content
    }
    written = {name: _written(page) for name, page in pages.items()}
    mistakes = Mistakes()
    # A notebook has the equations of its page, and their numbers.
    own = [page for name, page in written.items() if not name.endswith(".ipynb")]
    equations = number(own, mistakes)
    _equations[getattr(config.plugins.get("i18n"), "current_language", "")] = equations
    compare([*_equations.values()], mistakes)
    for name, page in pages.items():
        _mark(page, Marker(written[name], equations, mistakes))
    if mistakes:
        raise Mistake("\n  ".join(["mistakes in formulas:", *mistakes]))


def on_post_page(output: str, **_: object) -> str:
    return draw(output)


def on_shutdown() -> None:
    _typeset.close()


def _numbered(page: Page, nav: Navigation) -> bool:
    part = page.parent.title if page.parent else ""
    return page is not nav.homepage and part not in REFERENCE.values()


def _written(page: Page) -> Written:
    chapter = _chapters.index(page) + 1 if page in _chapters else 0
    path = os.path.relpath(page.file.abs_src_path)
    return Written(page.content, page.url, path, page.file.content_string, chapter)


def _mark(page: Page, marker: Marker) -> None:
    page.content = marker.page_marked()
    page.present_anchor_ids = {*(page.present_anchor_ids or ()), *marker.anchors()}
    for item in _all(page.toc):
        item.title = marker.title_marked(item.title)
    title = str(page.title)
    if (plain := marker.title_plain(title)) != title:
        page.title = plain


def _all(items: Iterable[AnchorLink]) -> Iterator[AnchorLink]:
    for item in items:
        yield item
        yield from _all(item.children)
