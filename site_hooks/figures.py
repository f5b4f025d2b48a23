"""MkDocs hook: ![what is to be seen](figure:name) becomes a drawing of arrays."""

import html as markup
import os
import re

from mkdocs.exceptions import PluginError
from mkdocs.structure.pages import Page

from book.figures import drawing
from book.sessions import BadSession

# What Markdown makes of an image: alone in its paragraph, and anywhere.
ALONE = re.compile(r'<p>\s*<img alt="([^"]*)" src="figure:([^"]*)" */?>\s*</p>')
ANYWHERE = re.compile(r'<img [^>]*src="figure:([^"]*)"[^>]*>')


def on_page_content(html: str, page: Page, **_: object) -> str:
    def draw(match: re.Match[str]) -> str:
        alternative, name = match.groups()
        try:
            return drawing(name, markup.unescape(alternative))
        except (BadSession, ValueError) as error:
            message = f"{_place(page, name)}: figure:{name}: {error}"
            raise PluginError(message) from None

    html = ALONE.sub(draw, html)
    if left := ANYWHERE.search(html):
        raise PluginError(
            f"{_place(page, left[1])}: figure:{left[1]}: it must stand alone in its "
            "paragraph, without a title"
        )
    return html


def _place(page: Page, name: str) -> str:
    path = os.path.relpath(page.file.abs_src_path)
    source = page.file.content_string
    start = source.find(f"](figure:{name}")
    return f"{path}:{source.count(chr(10), 0, start) + 1}" if start >= 0 else path
