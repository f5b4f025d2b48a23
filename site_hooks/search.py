"""MkDocs hook: each language has its own index, as book/search.py writes it."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import CombinedEvent, event_priority, get_plugin_logger
from mkdocs.structure.pages import Page

from book import search

log = get_plugin_logger("search")

_indexes: dict[str, dict] = {}  # of the languages built so far, by their folder


@event_priority(50)  # before the offline plugin, which would name a script on a CDN
def _prepare(config: MkDocsConfig, **_: object) -> None:
    search.teach()
    if _offline(config):
        config.extra["polyfills"] = [search.SHIM]


@event_priority(-40)  # the search plugin has begun an index; rebuild.py keeps its parts
def _complete(config: MkDocsConfig, **_: object) -> None:
    index = config.plugins["material/search"].search_index
    add = index.add_entry_from_context

    def completed(page: Page) -> None:
        first = len(index.entries)
        add(page)
        search.complete(index.entries[first:], str(page.title), page.meta)

    index.add_entry_from_context = completed


on_config = CombinedEvent(_prepare, _complete)


def on_post_page(output: str, config: MkDocsConfig, **_: object) -> str:
    return search.based(output, _folder(config))


@event_priority(-50)  # after the search plugin, before i18n adds the other languages
def _take(config: MkDocsConfig, **_: object) -> None:
    folder = _folder(config)
    _indexes[folder] = search.own_index(Path(config.site_dir), folder)


@event_priority(-200)  # after i18n, which builds the other languages and then writes
def _write(config: MkDocsConfig, **_: object) -> None:
    i18n = config.plugins.get("i18n")
    if i18n and i18n.building:
        return
    site = Path(config.site_dir)
    try:
        search.write(site, _indexes, _offline(config))
    finally:
        _indexes.clear()
    for message in search.mend(site):
        log.warning(message)


on_post_build = CombinedEvent(_take, _write)


def _folder(config: MkDocsConfig) -> str:
    """Of the language being built, below the site; with a slash at its end."""
    i18n = config.plugins.get("i18n")
    if i18n is None or i18n.is_default_language_build:
        return ""
    return f"{i18n.current_language}/"


def _offline(config: MkDocsConfig) -> bool:
    plugins = config.plugins
    offline = plugins.get("offline") or plugins.get("material/offline")
    return bool(offline and offline.config.enabled)
