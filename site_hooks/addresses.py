"""MkDocs hook: what follows from the addresses in mkdocs.yml.

They are empty until a site is published: then no page says where it is or how a link to
it is shown, and none links to its source.
"""

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

from book import addresses


def on_config(config: MkDocsConfig) -> None:
    for option in ("site_url", "repo_url"):
        config[option] = config[option] or ""  # with the slash at the end of site_url
        addresses.check(option, config[option])
    addresses.check("downloads_url", config.extra.get("downloads_url", ""))
    config.repo_url = config.repo_url.rstrip("/")
    config.edit_uri = addresses.EDIT if config.repo_url else ""
    config.extra["colab"] = addresses.colab(config.repo_url, config.remote_branch)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    if config.site_url:
        output = addresses.previewed(output, page.canonical_url, config.site_url)
    return addresses.quiet(output)


def on_post_template(output_content: str, **_: object) -> str:
    return addresses.quiet(output_content)
