"""MkDocs hook: "edit this page", "report an error", as book/feedback.py makes them."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

from book import feedback

_version = ""


def on_config(config: MkDocsConfig) -> None:
    global _version
    root = Path(config.config_file_path).parent
    _version = feedback.version(root) if config.repo_url else ""


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    place = feedback.Place(
        str(config.theme["language"]),
        page.canonical_url or page.url,
        page.file.src_uri,
        page.edit_url,
    )
    return feedback.offered(output, place, config.repo_url, _version)
