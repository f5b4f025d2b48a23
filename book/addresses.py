"""Addresses: of the site, of its source, and from one page to another."""

from posixpath import dirname, relpath


def relative(url: str, here: str) -> str:
    """The address of a page, seen from another; both below the site."""
    folder = f"/{here}" if here.endswith("/") else dirname(f"/{here}")
    return relpath(f"/{url}", folder) + ("/" if url.endswith("/") else "")
