"""MkDocs hook: ![what is to be seen](explorer:conv?S=2&x=setup) becomes an explorer.

What follows the question mark is the first setting; book/explorer.py reads it.
"""

import os

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

from book import images
from book.explorer import ASSETS, Explorers, loading
from book.pages import ROOT

# Read anew at each build, so that `serve` shows an edit.
explorers: Explorers


@event_priority(-101)  # static-i18n would look for their languages
def on_files(files: Files, config: MkDocsConfig) -> None:
    global explorers
    explorers = Explorers(ROOT / "explorers")
    for name in explorers.files(explorers.kinds):
        content = explorers.loaded(name)
        files.append(File.generated(config, f"{ASSETS}/{name}", content=content))


def on_page_content(html: str, page: Page, config: MkDocsConfig, **_: object) -> str:
    found: set[str] = set()
    language = str(config.theme["language"])
    session = page.file.src_uri.removeprefix(f"{language}/")

    def draw(query: str, alternative: str, caption: str) -> str:
        if caption:
            raise ValueError("an explorer has no caption")
        kind = query.partition("?")[0]
        if kind in found:
            raise ValueError("a page has room in its address for one of a kind")
        found.add(kind)
        return explorers.html(query, alternative, language, session)

    path = os.path.relpath(page.file.abs_src_path)
    return images.replaced(html, "explorer", draw, path, page.file.content_string)


def on_post_page(output: str, page: Page, **_: object) -> str:
    """The scripts and styles, only where they are used."""
    kinds = [kind for kind in explorers.kinds if f"<{kind}-explorer" in output]
    if not kinds:
        return output
    files = (f"{ASSETS}/{name}" for name in explorers.files(kinds))
    return loading(output, *(get_relative_url(file, page.url) for file in files))
