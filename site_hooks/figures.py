"""MkDocs hook: ![what is to be seen](figure:name) becomes a drawing of arrays. The
captions below them are numbered, page by page."""

import os
from itertools import count

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

from book import images
from book.figures import drawing

NUMBERED = {
    "en": "<strong>Figure {}.</strong> {}",
    "zh": "<strong>图 {}</strong>\u2002{}",
}


def on_page_content(html: str, page: Page, config: MkDocsConfig, **_: object) -> str:
    path = os.path.relpath(page.file.abs_src_path)
    numbered, numbers = NUMBERED[str(config.theme["language"])], count(1)

    def draw(name: str, alternative: str, caption: str) -> str:
        told = numbered.format(next(numbers), caption) if caption else ""
        return drawing(name, alternative, told)

    return images.replaced(html, "figure", draw, path, page.file.content_string)
