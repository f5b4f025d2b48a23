"""MkDocs hook: the page for addresses that lead nowhere is in the first language.

Every language is built into the same folder and writes this page anew; the last one's
has a language switch that leads to whatever page was built before it.
"""

from mkdocs.config.defaults import MkDocsConfig


def on_post_template(
    output_content: str, template_name: str, config: MkDocsConfig
) -> str:
    i18n = config.plugins.get("i18n")
    first = i18n is None or i18n.is_default_language_build
    # MkDocs writes nothing where there is nothing.
    return "" if template_name == "404.html" and not first else output_content
