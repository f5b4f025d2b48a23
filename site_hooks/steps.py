"""MkDocs hook: a derivation stands beside its code, as book/steps.py parts them."""

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from book import steps


def on_page_markdown(markdown: str, **_: object) -> str:
    return steps.told(markdown)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    language = str(config.theme["language"])
    pages = {
        file.src_uri.removeprefix(f"{language}/"): file.url
        for file in files.documentation_pages()
    }
    return steps.stepped(html, language, page.url, pages)
