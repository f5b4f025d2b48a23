"""MkDocs hook: what the last run of the checks found, as book/verification.py
shows it. A record of other code than the present fails the build where CI is true.
"""

import logging
import os
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

from book import Mistake, verification
from book.pages import contents

log = logging.getLogger("mkdocs.hooks.verification")

_found: verification.Found  # in the language being built
_url: str | None  # of the page with the table


@event_priority(-200)  # after i18n, which picks the language's pages at -100
def on_nav(nav: Navigation, config: MkDocsConfig, files: Files) -> None:
    global _found, _url
    root, language = Path(config.config_file_path).parent, _language(config)
    _found = verification.found(contents(Path(config.docs_dir))[language], root)
    if message := verification.complaint(_found.record, root):
        if os.environ.get("CI") == "true":
            raise Mistake(message)
        log.info(message)  # a warning would fail every build of whoever edits
    _url = _found.page and files.src_uris[f"{language}/{_found.page}"].url


def on_page_markdown(markdown: str, config: MkDocsConfig, **_: object) -> str:
    return verification.told(markdown, _found, _language(config))


def on_page_content(html: str, config: MkDocsConfig, **_: object) -> str:
    return verification.shown(html, _found, _language(config))


def on_post_page(output: str, page: Page, config: MkDocsConfig, **_: object) -> str:
    if not _url:
        return output
    url = get_relative_url(_url, page.url)
    return verification.marked(output, _found, _language(config), url)


def _language(config: MkDocsConfig) -> str:
    return str(config.theme["language"])
