"""MkDocs hook: ![what is to be seen](figure:name) becomes a drawing of arrays."""

import os

from mkdocs.structure.pages import Page

from book import images
from book.figures import drawing


def on_page_content(html: str, page: Page, **_: object) -> str:
    path = os.path.relpath(page.file.abs_src_path)
    return images.replaced(html, "figure", drawing, path, page.file.content_string)
