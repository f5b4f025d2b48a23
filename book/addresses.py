"""Addresses: of the site, of its source, and from one page to another."""

import re
from posixpath import dirname, relpath
from urllib.parse import urljoin, urlsplit

from book import Mistake

EDIT = "edit/main/docs/"  # below the repository
ADDRESS = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")
ALTERNATE = re.compile(r'<link rel="alternate" href="([^"]*)" hreflang="([^"]*)">')


def check(option: str, address: str) -> None:
    """Raises Mistake where it cannot be that of a site or a repository, or none."""
    if address and not ADDRESS.fullmatch(address):
        raise Mistake(
            f"mkdocs.yml: {option} is {address!r}; wanted is https://, a host and "
            "a path, and nothing after it. It comes from the environment variable "
            f"{option.upper()}."
        )


def colab(repository: str, branch: str) -> str:
    """What stands before notebooks/NAME.ipynb where Colab opens it from the branch with
    the published site; "" where there is none on GitHub, since Colab reads no other."""
    _, _, name = repository.partition("github.com/")
    if urlsplit(repository).hostname != "github.com" or name.count("/") != 1:
        return ""
    return f"https://colab.research.google.com/github/{name}/blob/{branch}/"


def relative(url: str, here: str) -> str:
    """The address of a page, seen from another; both below the site."""
    folder = f"/{here}" if here.endswith("/") else dirname(f"/{here}")
    return relpath(f"/{url}", folder) + ("/" if url.endswith("/") else "")


# --- In a finished page ------------------------------------------------------


def quiet(output: str) -> str:
    """The link to the repository asks its host for nothing, not even for its stars."""
    return output.replace(' data-md-component="source"', "")


def alternates(output: str, address: str, default: str) -> str:
    """The links to the page in all languages, with whole addresses: search engines take
    no others. They want one for readers of neither language, too, the default."""

    def whole(link: re.Match[str]) -> str:
        href, language = urljoin(address, link[1]), link[2]
        names = [language, *["x-default"] * (language == default)]
        return "".join(
            f'<link rel="alternate" href="{href}" hreflang="{name}">' for name in names
        )

    return ALTERNATE.sub(whole, output)
