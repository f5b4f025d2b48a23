"""MkDocs hook: ![what is to be seen](figure:name) becomes a drawing of arrays, or of a
graph, whose arrows lead to pages. The captions below are numbered, page by page."""

import os
from functools import cache
from itertools import count
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from book import Mistake, glossary, images, pages
from book.addresses import relative
from book.figures import drawing
from book.graphs import Reader

NUMBERED = {
    "en": "<strong>Figure {}.</strong> {}",
    "zh": "<strong>图 {}</strong>\u2003{}",  # a wide space, as below Chinese figures
}


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    path = os.path.relpath(page.file.abs_src_path)
    language = str(config.theme["language"])
    numbered, numbers = NUMBERED[language], count(1)

    @cache
    def terms() -> dict[str, str]:
        every = glossary.read(pages.contents(Path(config.docs_dir)))
        return {term.name["en"]: term.name[language] for term in every}

    def word(term: str) -> str:
        if term not in terms():
            raise Mistake(f"{term!r} is no term of the glossary")
        return terms()[term]

    def link(target: str) -> str:
        name, _, anchor = target.partition("#")
        file = files.src_uris.get(f"{language}/{name}")
        if file is None:
            raise Mistake(f"there is no page {name}")
        # As those of a page's Markdown, which MkDocs looks for when it has all pages.
        if anchor:
            page.links_to_anchors.setdefault(file, {})[anchor] = target
            anchor = f"#{anchor}"
        return f"{relative(file.url, page.url)}{anchor}"

    def draw(name: str, alternative: str, caption: str) -> str:
        told = numbered.format(next(numbers), caption) if caption else ""
        return drawing(name, alternative, told, Reader(word, link))

    return images.replaced(html, "figure", draw, path, page.file.content_string)
