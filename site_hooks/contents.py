"""MkDocs hook: the navigation, the numbers of chapters, and the table of all pages on
the home page.

All follow from the front matter, which says of each page its title, its part and its
place; a line <!-- contents --> becomes the table.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.pages import Page

from book import notebook_page, pages

PLACE = re.compile(r"^<!-- contents -->$", re.MULTILINE)

_chapters: dict[str, int] = {}  # their numbers in the language being built, by source


def contents(config: MkDocsConfig) -> list[pages.Page]:
    """The pages of the language being built."""
    return pages.contents(Path(config.docs_dir))[str(config.theme["language"])]


@event_priority(-150)  # after i18n, which sets the language
def on_config(config: MkDocsConfig) -> None:
    config.nav = []
    book = contents(config)
    titles, numbers = pages.titles(book), pages.chapters(book)
    _chapters.clear()
    _chapters.update({f"{book[0].language}/{name}": numbers[name] for name in numbers})
    for part, members in pages.parts(book):
        entries = [{titles[page.name]: page.name} for page in members]
        config.nav += [{part: entries}] if part else entries


def on_page_markdown(
    markdown: str, page: Page, config: MkDocsConfig, **_: object
) -> str:
    # The navigation has it already, and the home page's is for the navigation alone.
    page.meta.pop("title", None)
    return PLACE.sub(lambda _: pages.table(contents(config)), markdown)


def on_post_page(output: str, page: Page, **_: object) -> str:
    """The number of the chapter, before the heading; its notebook has it, too."""
    source = page.file.src_uri
    source = notebook_page.page_of(source) if source.endswith(".ipynb") else source
    number = _chapters.get(source)
    if number is None:
        return output
    shown = rf'\g<0><span class="number">{number}</span> '
    return re.sub("<h1[^>]*>", shown, output, count=1)
