"""MkDocs hook: search engines find each page in both languages, and the page for
addresses that lead nowhere is in the first.
"""

import re
from urllib.parse import urljoin

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

ALTERNATE = re.compile(r'<link rel="alternate" href="([^"]*)" hreflang="([^"]*)">')


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Search engines want whole addresses, and one for readers of neither language."""
    i18n = config.plugins.get("i18n")
    if i18n is None or not page.canonical_url:
        return output

    def whole(link: re.Match[str]) -> str:
        href, language = urljoin(page.canonical_url, link[1]), link[2]
        names = [language, *["x-default"] * (language == i18n.default_language)]
        return "".join(
            f'<link rel="alternate" href="{href}" hreflang="{name}">' for name in names
        )

    return ALTERNATE.sub(whole, output)


def on_post_template(
    output_content: str, template_name: str, config: MkDocsConfig
) -> str:
    """Every language is built into the same folder and writes this page anew; the last
    one's has a language switch that leads to whatever page was built before it.
    """
    i18n = config.plugins.get("i18n")
    first = i18n is None or i18n.is_default_language_build
    # MkDocs writes nothing where there is nothing.
    return "" if template_name == "404.html" and not first else output_content
