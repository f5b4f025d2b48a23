"""MkDocs hook: search engines find each page in both languages, and the page for
addresses that lead nowhere is in the first.
"""

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

from book import addresses


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    i18n = config.plugins.get("i18n")
    if i18n is None or not page.canonical_url:
        return output
    return addresses.alternates(output, page.canonical_url, i18n.default_language)


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
