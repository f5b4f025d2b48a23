"""MkDocs hook: what follows from the two addresses in mkdocs.yml.

Both are empty until a site is published: then no page says where it is, and none links
to its source.
"""

from mkdocs.config.defaults import MkDocsConfig

from book import addresses


def on_config(config: MkDocsConfig) -> None:
    for option in ("site_url", "repo_url"):
        config[option] = config[option] or ""  # with the slash at the end of site_url
        addresses.check(option, config[option])
    config.repo_url = config.repo_url.rstrip("/")
    config.edit_uri = addresses.EDIT if config.repo_url else ""
    config.extra["colab"] = addresses.colab(config.repo_url, config.remote_branch)


def on_post_page(output: str, **_: object) -> str:
    return addresses.quiet(output)


def on_post_template(output_content: str, **_: object) -> str:
    return addresses.quiet(output_content)
