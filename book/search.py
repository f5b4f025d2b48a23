"""The search: every language has an index of its own.

A build of several languages puts all of them into one index, where a reader finds each
page twice and the wrong one first. Material looks for the index at the `base` of its
configuration in the page: for Chinese pages that is zh/, where theirs is written.
"""

import json
import logging
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jieba

from book import Mistake
from book.pages import ROOT

BASE = re.compile(r'(<script id="__config"[^>]*>\{[^<]*?"base": "[^"]*)"')
# Without a server, browsers start no worker; this stands in for it.
SHIM = "assets/javascripts/iframe-worker.js"
SHIM_SOURCE = ROOT / "node_modules" / "iframe-worker" / "shim" / "index.js"
# Words of this book that the dictionary of jieba lacks, and so cuts in the wrong place.
WORDS = ["前向", "互相关", "上采样", "雅可比", "计算图", "特征图"]
HAN = re.compile("[\u4e00-\u9fff]+")
# Code is not searched, since it is most of a page, but for what it calls of libraries.
CODE = re.compile(r"<pre>.*?</pre>", re.DOTALL)
CALL = re.compile(r"\b(?:np|tf|torch|nn|F)(?:\.\w+)+")
# Puts a reader's query into words of the index, and what is found in order.
ASKED = Path(__file__).with_suffix(".js")
# What is replaced in Material's scripts, each once: by file.
MENDED = {
    "workers/search.*.js": {
        # Digits of a label ran into those of a number: a query 0 threw.
        "e=e+s+o.id": 'e=e+"|"+s+"|"+o.id',
        # Chinese alone was cut into words, which lost the last one; now ASKED does it.
        r'e.replace(new RegExp("\\p{sc=Han}+","gu"),'
        's=>[...fe(s,this.index.invertedIndex)].join("* "))': "asked(e,this.index)",
        # Lunr's scores, times up to five for the beginning of a page; ASKED ranks.
        "this.index.search(e).reduce(": "ranked(this.index.search(e),r,this).reduce(",
        "score:a*(1+K(g,2)),terms": "score:a,terms",
    },
    "bundle.*.js": {
        # The index is loaded when the search is opened, by every protocol,
        'location.protocol!=="file:"': "false",
        # and the worker begins with the first message to it, which brings the index.
        "t=new Worker(e)": "t=Object.assign(new EventTarget,{postMessage(m){"
        "this.w||(this.w=new Worker(e)).addEventListener('message',n=>"
        "t.dispatchEvent(new MessageEvent('message',{data:n.data})));"
        "this.w.postMessage(m)}})",
    },
}


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


def complete(entries: list[dict[str, Any]], title: str, front: dict[str, Any]) -> None:
    """What the index says of a page, which is its first entry, and of its sections.

    A page is found by its short title and its description, too, and by the names that
    others give to what stands there: `names` of its front matter, and `named`, by
    anchor, of the glossary. None of these is shown.
    """
    named = front.get("named", {})
    for entry in entries:
        code, entry["text"] = CODE.findall(entry["text"]), CODE.sub("", entry["text"])
        anchor = entry["location"].partition("#")[2]
        found = {"names": [*named.get(anchor, [])]}
        if anchor:  # the code before the first heading sets a session up
            found["calls"] = sorted({*CALL.findall(" ".join(code))})
        else:
            found["names"] += [title, *front.get("names", [])]
            found["about"] = HAN.sub(_cut, front.get("description", ""))
        entry.update({field: value for field, value in found.items() if value})
        if anchor.startswith("exercise"):
            entry["boost"] = 0.5  # nothing is explained there


def _cut(chinese: re.Match[str]) -> str:
    return "".join(f"\u200b{word}\u200b" for word in jieba.cut(chinese[0]))


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


def mend(site: Path) -> Iterator[str]:
    """Mends Material's search; yields complaints where there is nothing to mend."""
    for name, replaced in MENDED.items():
        [script] = (site / "assets" / "javascripts").glob(name)
        text = script.read_text("utf-8")
        for theirs, ours in replaced.items():
            if text.count(theirs) != 1:
                yield f"Material's search has changed: {theirs}: MENDED in {__file__}"
            text = text.replace(theirs, ours)
        if name.startswith("workers"):
            text = ASKED.read_text("utf-8") + text
        script.write_text(text, "utf-8")
