"""MkDocs hook: what the home page alone has, its style and the links to downloads.

A line <!-- downloads --> becomes the links, where somebody says where the files lie.
"""

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

from book.addresses import downloads
from book.pages import HOME

PLACE = "<!-- downloads -->"
STYLE = "assets/home.css"


def _is_home(page: Page, config: MkDocsConfig) -> bool:
    return page.file.src_uri == f"{config.theme['language']}/{HOME}"


def on_page_markdown(markdown: str, config: MkDocsConfig, **_: object) -> str:
    address = config.extra.get("downloads_url", "")
    return markdown.replace(PLACE, downloads(address, str(config.theme["language"])))


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    if not _is_home(page, config):
        return output
    style = f'<link rel="stylesheet" href="{get_relative_url(STYLE, page.url)}">'
    return output.replace("</head>", f"{style}</head>", 1)
