"""Addresses: of the site, of its source, and from one page to another."""

import re
from html import escape, unescape
from posixpath import dirname, relpath
from urllib.parse import urljoin, urlsplit

from book import Mistake

EDIT = "edit/main/docs/"  # below the repository
ADDRESS = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")
# What the book is downloaded as, and what a preview of a link shows.
DOWNLOADS = {
    "en": "The book is also [a PDF]({0}backprop-book-en.pdf), and "
    "[a zip to read offline]({0}backprop-book.zip).",
    "zh": "全书另有 [PDF]({0}backprop-book-zh.pdf) 和"
    "[离线版]({0}backprop-book.zip)（zip，解压即可阅读）。",
}
PICTURE = "assets/page.webp"
TITLE = re.compile("<title>(.*?)</title>", re.DOTALL)
DESCRIPTION = re.compile('<meta name="description" content="([^"]*)">')
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


def downloads(address: str, language: str) -> str:
    """The links to the files below an address, in Markdown; "" where there is none."""
    return DOWNLOADS[language].format(address.rstrip("/") + "/") if address else ""


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


def previewed(output: str, address: str, site: str) -> str:
    """A page that says how a link to it is shown: its words, and a picture of the book.

    Both addresses are whole, as those who show links want them.
    """
    title, description = TITLE.search(output), DESCRIPTION.search(output)
    told = {
        "og:type": "website",
        "og:url": address,
        "og:title": title[1].strip() if title else "",
        "og:description": description[1] if description else "",
        "og:image": urljoin(site, PICTURE),
    }
    tags = [
        f'<meta property="{name}" content="{escape(unescape(text))}">'
        for name, text in told.items()
    ]
    tags.append('<meta name="twitter:card" content="summary_large_image">')
    return output.replace("</head>", f"{''.join(tags)}</head>", 1)
