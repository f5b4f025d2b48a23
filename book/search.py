"""The search: every language has an index of its own.

A build of several languages puts all of them into one index, where a reader finds each
page twice and the wrong one first. Material looks for the index at the `base` of its
configuration in the page: for Chinese pages that is zh/, where theirs is written.
"""

import json
import logging
import re
import shutil
from pathlib import Path

import jieba

from book import Mistake
from book.pages import ROOT

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


def teach() -> None:
    """Our words, to jieba, with which the index is cut.

    Once it is asked to cut: its dictionary takes half a second to load, and where all
    pages are as they were nothing is cut.
    """
    jieba.setLogLevel(logging.WARNING)
    load = jieba.dt.initialize

    def initialize(*arguments: object) -> None:
        jieba.dt.initialize = load
        load(*arguments)
        for word in WORDS:
            jieba.add_word(word)

    if not jieba.dt.initialized:
        jieba.dt.initialize = initialize


def based(output: str, folder: str) -> str:
    """A page that looks for the index in the folder of its language, zh/ or none."""
    return BASE.sub(rf'\1/{folder}"', output, count=1) if folder else output


def index_path(site: Path, folder: str = "") -> Path:
    return site / folder / "search" / "search_index.json"


def own_index(site: Path, folder: str) -> dict:
    """The index of the language just built, as its pages in this folder need it."""
    index = json.loads(index_path(site).read_bytes())
    # A language of Material's search, such as Chinese, only means more scripts to load:
    # the words are cut here already.
    index["config"]["lang"] = ["en"]
    for entry in index["docs"]:
        entry["location"] = entry["location"].removeprefix(folder)
    return index


def write(site: Path, indexes: dict[str, dict], offline: bool) -> None:
    """The index of each folder; what is read from disk has it as a script.

    Raises Mistake where the shim, which that needs, is not installed.
    """
    for folder, index in indexes.items():
        path = index_path(site, folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(index, ensure_ascii=False, separators=(",", ":"))
        path.write_text(text, "utf-8")
        if offline:
            path.with_suffix(".js").write_text(f"var __index = {text}", "utf-8")
    if offline:
        if not SHIM_SOURCE.exists():
            raise Mistake(
                "iframe-worker is not installed. Run: python3 make.py offline"
            )
        shutil.copy(SHIM_SOURCE, site / SHIM)


def mend(site: Path) -> list[str]:
    """Mends Material's search; returns complaints where there is nothing to mend."""
    changed = []
    for worker in (site / "assets" / "javascripts" / "workers").glob("search.*.js"):
        script = worker.read_text("utf-8")
        if CUT not in script:
            changed.append(f"Material's search has changed: see CUT in {__file__}")
        worker.write_text(script.replace(CUT, MENDED_CUT), "utf-8")
    return changed
