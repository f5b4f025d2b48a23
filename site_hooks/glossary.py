"""MkDocs hook: the glossary as a page, and as a note at the first use of each term.

A line <!-- glossary: group --> becomes the table of the group. On all other pages the
first use of a term has a note, which assets/glossary.js shows to a reader.
"""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.pages import Page

from book import glossary, pages

_terms: tuple[glossary.Term, ...] = ()  # of the build


def on_config(config: MkDocsConfig) -> None:
    global _terms
    _terms = glossary.read(pages.contents(Path(config.docs_dir)))


def on_page_markdown(
    markdown: str, page: Page, config: MkDocsConfig, **_: object
) -> str:
    language = str(config.theme["language"])
    name = page.file.src_uri.removeprefix(f"{language}/")
    page.meta["named"] = glossary.named(_terms, name)  # for the search
    return glossary.PLACE.sub(
        lambda place: glossary.table(_terms, place[1], language), markdown
    )


@event_priority(-50)  # after the search, which is to read the page as it is
def on_page_context(
    context: object, page: Page, config: MkDocsConfig, **_: object
) -> None:
    if not glossary.PLACE.search(page.file.content_string):
        finder = glossary.finder(_terms, str(config.theme["language"]))
        homonyms = tuple(page.meta.get("homonyms", []))
        page.content = glossary.noted(page.content or "", finder, homonyms)
