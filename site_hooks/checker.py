"""MkDocs hook: check_gradient.py as a file to download, as book/checker.py makes it.

A line <!-- check_gradient --> becomes the boxes in which it is tried, of book/boxes.py.
"""

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

from book import boxes, checker, kept
from book.explorer import loading
from book.kept import Kept

NAME = "assets/check_gradient.py"
_kept = Kept("checker", 10)


@event_priority(-101)  # after i18n and mkdocs-jupyter, which would make a page of it
def on_files(files: Files, config: MkDocsConfig) -> None:
    key = kept.key(*(path.read_text("utf-8") for path in checker.sources()))
    try:
        text = _kept[key]
    except KeyError:
        _kept[key] = text = checker.source()
    _kept.tidy()
    files.append(File.generated(config, NAME, content=text))


def on_page_content(html: str, config: MkDocsConfig, **_: object) -> str:
    if boxes.PLACE not in html:
        return html
    return html.replace(boxes.PLACE, boxes.html(str(config.theme["language"])))


def on_post_page(output: str, page: Page, **_: object) -> str:
    """The scripts and styles, only where they are used."""
    if "<check-explorer" not in output:
        return output
    files = boxes.STYLES, *boxes.SCRIPTS
    return loading(output, *(get_relative_url(file, page.url) for file in files))
