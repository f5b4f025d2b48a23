"""MkDocs hook: what follows from the two addresses in mkdocs.yml.

Both are empty until a site is published: then no page says where it is, and none links
to its source.
"""

import re
from urllib.parse import urlsplit

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError

EDIT = "edit/main/docs/"  # below the repository
ADDRESS = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")


def on_config(config: MkDocsConfig) -> None:
    """Raises PluginError where an address cannot be one of a site or a repository."""
    for option in ("site_url", "repo_url"):
        address = config[option] or ""
        if address and not ADDRESS.fullmatch(address):
            raise PluginError(
                f"mkdocs.yml: {option} is {address!r}; wanted is https://, a host and "
                "a path, and nothing after it. It comes from the environment variable "
                f"{option.upper()}."
            )
        config[option] = address  # MkDocs has put the slash at the end of site_url
    config.repo_url = config.repo_url.rstrip("/")
    config.edit_uri = EDIT if config.repo_url else ""
    config.extra["colab"] = colab(config.repo_url, config.remote_branch)


def colab(repo_url: str, branch: str) -> str:
    """What stands before notebooks/NAME.ipynb where Colab opens it from the branch with
    the published site; "" where there is none on GitHub, since Colab reads no other."""
    _, _, repository = repo_url.partition("github.com/")
    if urlsplit(repo_url).hostname != "github.com" or repository.count("/") != 1:
        return ""
    return f"https://colab.research.google.com/github/{repository}/blob/{branch}/"


def on_post_page(output: str, **_: object) -> str:
    """The link to the repository asks its host for nothing, not even for its stars."""
    return output.replace(' data-md-component="source"', "")


def on_post_template(output_content: str, **_: object) -> str:
    return on_post_page(output_content)
