"""MkDocs hook: the navigation, and the table of all pages on the home page.

Both follow from the front matter, which says of each page its title, its part and its
place; a line <!-- contents --> becomes the table.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.pages import Page

from book import pages

PLACE = re.compile(r"^<!-- contents -->$", re.MULTILINE)


def contents(config: MkDocsConfig) -> list[pages.Page]:
    """The pages of the language being built."""
    return pages.contents(Path(config.docs_dir))[str(config.theme["language"])]


@event_priority(-150)  # after i18n, which sets the language
def on_config(config: MkDocsConfig) -> None:
    config.nav = []
    for part, members in pages.parts(contents(config)):
        entries = [{page.front["title"]: page.name} for page in members]
        config.nav += [{part: entries}] if part else entries


def on_page_markdown(
    markdown: str, page: Page, config: MkDocsConfig, **_: object
) -> str:
    # The navigation has it already, and the home page's is for the navigation alone.
    page.meta.pop("title", None)
    return PLACE.sub(lambda _: pages.table(contents(config)), markdown)
