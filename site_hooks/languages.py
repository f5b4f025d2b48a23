"""MkDocs hook: what each language says where the theme knows no word of it; search
engines find each page in both languages, and the page for addresses that lead nowhere
is in the first.
"""

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.pages import Page

from book import addresses

PERMALINK = {"en": "Link to this section", "zh": "本节的链接"}
# Which Chinese it is: browsers choose the shapes of the characters by it.
TAG = {"en": "en", "zh": "zh-Hans"}


@event_priority(-150)  # after i18n, which sets the language
def on_config(config: MkDocsConfig) -> None:
    language = str(config.theme["language"])
    config.mdx_configs.setdefault("toc", {})["permalink_title"] = PERMALINK[language]
    # Every language is built into the same folder and would write this page anew; the
    # last one's has a language switch that leads to whatever page was built before it.
    i18n = config.plugins.get("i18n")
    if i18n and language != i18n.default_language:
        config.theme.static_templates.discard("404.html")


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    language = str(config.theme["language"])
    output = output.replace(f'<html lang="{language}"', f'<html lang="{TAG[language]}"')
    i18n = config.plugins.get("i18n")
    if i18n is None or not page.canonical_url:
        return output
    return addresses.alternates(output, page.canonical_url, i18n.default_language)
