"""![what is to be seen](figure:name) and ![…](explorer:conv?x=setup), once Markdown has
made images of them: each becomes what its source names. What stands in the lines below
it, in the same paragraph, is its caption."""

import re
from collections.abc import Callable
from html import unescape

from book import Mistake
from book.pages import BadPage

ALONE = (
    r'<p>\s*<img alt="([^"]*)" src="{kind}:([^"]*)" */?>'
    r"(?:\n((?:(?!</p>|<img).)*))?\s*</p>"
)
ANYWHERE = r'<img [^>]*src="{kind}:([^"]*)"[^>]*>'


def replaced(
    html: str,
    kind: str,
    draw: Callable[[str, str, str], str],
    path: str,
    markdown: str,
) -> str:
    """A page's HTML with `draw(source, alternative, caption)` in place of each image of
    a kind; the caption is HTML.

    Path and Markdown are those of the page. Raises BadPage, with file and line, where
    an image does not stand alone or `draw` raises Mistake or ValueError.
    """

    def bad(source: str, what: object) -> BadPage:
        start = markdown.find(f"]({kind}:{source}")
        line = f":{markdown.count(chr(10), 0, start) + 1}" if start >= 0 else ""
        return BadPage(f"{path}{line}: {kind}:{source}: {what}")

    def replace(image: re.Match[str]) -> str:
        alternative, source = map(unescape, image.groups()[:2])
        try:
            return draw(source, alternative, (image[3] or "").strip())
        except (Mistake, ValueError) as error:
            raise bad(source, error) from None

    html = re.sub(ALONE.format(kind=kind), replace, html, flags=re.DOTALL)
    if left := re.search(ANYWHERE.format(kind=kind), html):
        what = "it must be the first line of its paragraph, alone and without a title"
        raise bad(unescape(left[1]), what)
    return html
