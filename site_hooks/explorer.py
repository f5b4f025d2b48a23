"""MkDocs hook: ![what is to be seen](explorer:conv?S=2&x=setup) becomes an explorer.

What follows the question mark is the first setting; book/explorer.py reads it.
"""

import html as markup
import os
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

from book.explorer import Explorers
from book.sessions import BadSession

ROOT = Path(__file__).resolve().parents[1]
ALONE = re.compile(r'<p>\s*<img alt="([^"]*)" src="explorer:([^"]*)" */?>\s*</p>')
ANYWHERE = re.compile(r'<img [^>]*src="explorer:([^"]*)"[^>]*>')
ASSETS = "assets/explorer"
# Read anew at each build, so that `serve` shows an edit.
explorers: Explorers


@event_priority(-101)  # static-i18n would look for their languages
def on_files(files: Files, config: MkDocsConfig) -> None:
    global explorers
    try:
        explorers = Explorers(ROOT / "explorers")
    except ValueError as error:
        raise PluginError(str(error)) from None
    for name in explorers.files(explorers.kinds):
        path = str(explorers.folder / name)
        files.append(File.generated(config, f"{ASSETS}/{name}", abs_src_path=path))


def on_page_content(html: str, page: Page, config: MkDocsConfig, **_: object) -> str:
    found: set[str] = set()

    def replace(match: re.Match[str]) -> str:
        alternative, query = map(markup.unescape, match.groups())
        kind = query.partition("?")[0]
        try:
            if kind in found:
                raise ValueError("a page has room in its address for one of a kind")
            found.add(kind)
            language = str(config.theme["language"])
            session = page.file.src_uri.removeprefix(f"{language}/")
            return explorers.html(query, alternative, language, session)
        except (BadSession, ValueError) as error:
            raise PluginError(f"{_place(page)}: explorer:{query}: {error}") from None

    html = ALONE.sub(replace, html)
    if left := ANYWHERE.search(html):
        raise PluginError(
            f"{_place(page)}: explorer:{left[1]}: it must stand alone in its "
            "paragraph, without a title"
        )
    return html


def on_post_page(output: str, page: Page, **_: object) -> str:
    """The scripts and styles, only where they are used."""
    kinds = [kind for kind in explorers.kinds if f"<{kind}-explorer" in output]
    if not kinds:
        return output
    styles, *scripts = (
        get_relative_url(f"{ASSETS}/{name}", page.url)
        for name in explorers.files(kinds)
    )
    head = f'<link rel="stylesheet" href="{styles}">' + "".join(
        f'<script src="{script}" defer></script>' for script in scripts
    )
    return output.replace("</head>", f"{head}</head>", 1)


def _place(page: Page) -> str:
    return os.path.relpath(page.file.abs_src_path)
