"""MkDocs hook: every language has an index of its own for the search.

static-i18n puts all languages into one index, where a reader finds each page twice and
the wrong one first. Material looks for the index at the `base` of its configuration in
the page: for Chinese pages that is zh/, where this hook writes theirs.
"""

import json
import logging
import re
import shutil
from pathlib import Path

import jieba
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import CombinedEvent, event_priority, get_plugin_logger

log = get_plugin_logger("search")

ROOT = Path(__file__).resolve().parents[1]
BASE = re.compile(r'(<script id="__config"[^>]*>\{[^<]*?"base": "[^"]*)"')
# Without a server, browsers start no worker; this stands in for it.
SHIM = "assets/javascripts/iframe-worker.js"
SHIM_SOURCE = ROOT / "node_modules" / "iframe-worker" / "shim" / "index.js"
# Words of this book that the dictionary of jieba lacks, and so cuts in the wrong place.
WORDS = ["前向", "互相关", "上采样", "雅可比"]
# Material cuts what a reader types into words of the index, but never looks at the last
# character, and so drops the last word: 最大池化 became 最大.
CUT = "for(let o=s+1;o<t.length;o++)t.slice(s,o)in e"
MENDED_CUT = CUT.replace("o<t", "o<=t")

_indexes: dict[str, dict] = {}  # of the languages built so far, by their folder


@event_priority(50)  # before the offline plugin, which would name a script on a CDN
def on_config(config: MkDocsConfig) -> None:
    jieba.setLogLevel(logging.WARNING)
    for word in WORDS:
        jieba.add_word(word)
    if _offline(config):
        config.extra["polyfills"] = [SHIM]


def on_post_page(output: str, config: MkDocsConfig, **_: object) -> str:
    folder = _folder(config)
    return BASE.sub(rf'\1/{folder}"', output, count=1) if folder else output


@event_priority(-50)  # after the search plugin, before i18n adds the other languages
def _take(config: MkDocsConfig, **_: object) -> None:
    folder = _folder(config)
    index = json.loads(_path(config).read_bytes())
    # i18n adds Chinese, which in Material only means more scripts to load: the words
    # are cut here already.
    index["config"]["lang"] = ["en"]
    for entry in index["docs"]:
        entry["location"] = entry["location"].removeprefix(folder)
    _indexes[folder] = index


@event_priority(-200)  # after i18n, which builds the other languages and then writes
def _write(config: MkDocsConfig, **_: object) -> None:
    i18n = config.plugins.get("i18n")
    if i18n and i18n.building:
        return
    for folder, index in _indexes.items():
        path = _path(config, folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(index, ensure_ascii=False, separators=(",", ":"))
        path.write_text(text, "utf-8")
        if _offline(config):
            path.with_suffix(".js").write_text(f"var __index = {text}", "utf-8")
    _indexes.clear()
    if _offline(config):
        if not SHIM_SOURCE.exists():
            raise PluginError(
                "iframe-worker is not installed. Run: python3 make.py offline"
            )
        shutil.copy(SHIM_SOURCE, Path(config.site_dir) / SHIM)
    _mend_cut(config)


on_post_build = CombinedEvent(_take, _write)


def _mend_cut(config: MkDocsConfig) -> None:
    workers = Path(config["site_dir"]) / "assets" / "javascripts" / "workers"
    for worker in workers.glob("search.*.js"):
        script = worker.read_text("utf-8")
        if CUT not in script:
            log.warning("Material's search has changed: see CUT in %s", __file__)
        worker.write_text(script.replace(CUT, MENDED_CUT), "utf-8")


def _folder(config: MkDocsConfig) -> str:
    """Of the language being built, below the site; with a slash at its end."""
    i18n = config.plugins.get("i18n")
    if i18n is None or i18n.is_default_language_build:
        return ""
    return f"{i18n.current_language}/"


def _path(config: MkDocsConfig, folder: str = "") -> Path:
    return Path(config.site_dir, folder, "search", "search_index.json")


def _offline(config: MkDocsConfig) -> bool:
    plugins = config.plugins
    offline = plugins.get("offline") or plugins.get("material/offline")
    return bool(offline and offline.config.enabled)
