"""A page: the Markdown of docs/, taken apart once for all who read it.

This is the one place that knows how a page is written: what stands in lines of its own
(PIECE) and what within them (SPAN). A displayed formula stands between two lines $$,
and so on; what cannot be told for certain is an error of the page.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from functools import cached_property, lru_cache
from itertools import groupby, pairwise
from pathlib import Path

from yaml import MappingNode, MarkedYAMLError, SafeLoader, YAMLError, load

from book import Mistake

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
LANGUAGES = ["en", "zh"]
HOME = "index.md"

# What the front matter says: title is the short one of the navigation, order a number,
# the same in all languages, summary the page's line on the home page. Pages of one part
# stand together; those without stand at the top level.
KEYS = {
    "title": str,
    "part": str,
    "order": int,
    "summary": str,
    "description": str,
    "search": dict,  # of Material
    "terms": dict,  # that the page defines: book/glossary.py
    "allows": list,  # names that they reject
    "homonyms": list,  # of terms, which mean something else here
    "names": list,  # by which others look for this page; nobody sees them
}
OPTIONAL = {"part", "search", "terms", "allows", "homonyms", "names"}
# The part whose pages are looked up. All others but the home page are chapters, which
# are numbered, as their equations are.
REFERENCE = {"en": "Reference", "zh": "参考"}
# The head of a table of pages; a part has its name in place of the first.
TABLE = {"en": ("Page", "What it gives you"), "zh": ("页面", "内容")}
FRONT = re.compile(r"---\n(.*?)\n---\n", re.DOTALL)
# Of the front matter, what is no text of this page.
ASIDE = re.compile(
    r"^(?:terms|allows|homonyms|names):.*\n(?:(?:[ #].*|- .*)?\n)*", re.MULTILINE
)
# What stands in lines of its own. In an admonition, and in what folds, it is indented.
PIECE = re.compile(
    r"^(?P<indent> *)(?:"
    r"(?P<fence>(?P<ticks>`{3,}).*?^ *(?P=ticks)) *$"
    r"|\$\$\n(?P<display>.*?)\n *\$\$ *$"
    r'|--8<-- "(?P<session>[\w/-]+)\.md:(?P<section>[\w-]+)" *$'
    r"|(?P<level>#{1,6}) (?P<title>.*?)(?: \{ #(?P<anchor>[a-z0-9-]+) \})?$"
    r"|<!-- (?P<note>check|unchecked): (?P<noted>.*?) -->"
    r'|(?P<mark>!!!|\?\?\?\+?) (?P<kind>\w+)(?: "(?P<name>[^"]*)")?$'
    r")",
    re.MULTILINE | re.DOTALL,
)
# What stands within a line. An image is a figure or an explorer.
SPAN = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|\$\\eqref\{(?P<reference>[^}]*)\}\$"
    r"|\$(?P<inline>(?:\\.|[^$\\]){1,400}?)\$"
    r"|!\[(?P<seen>[^\]]*)\]\((?P<image>figure|explorer):(?P<source>[^)\s]*)\)"
    r"|\]\((?P<target>[^)\s]+)\)",
    re.DOTALL,
)
LABEL = re.compile(r"\\label\{([^}]*)\}\s*")
# Begins the label of a definition or a step; all others are main results.
STEP = "step-"


class BadPage(Mistake):
    """Pages that make no book; says every mistake, with its file, in a line."""


class Loader(SafeLoader):
    """Refuses a key that stands twice, of which YAML would take the last."""

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict:
        seen = []
        for key, _ in node.value:
            if key.value in seen:
                what = f"{key.value!r} stands there twice"
                raise MarkedYAMLError(problem=what, problem_mark=key.start_mark)
            seen.append(key.value)
        return super().construct_mapping(node, deep)


def amiss(found: dict, keys: dict[str, type], optional: set[str]) -> Iterator[str]:
    """What lines of key: value lack, or have in vain. A list is one of words."""
    for key in keys:
        if key not in optional | found.keys():
            yield f"has no {key}"
    for key, value in found.items():
        if key not in keys:
            yield f"has no key {key!r}, but {', '.join(keys)}"
        elif type(value) is not keys[key] or value == "":
            yield f"has a {key} that is no {keys[key].__name__}: {value!r}"
        elif type(value) is list and not all(type(v) is str and v for v in value):
            yield f"has a {key} that is no list of words: {value!r}"


@dataclass(frozen=True)
class Token:
    """A match of PIECE or SPAN; its groups are read as attributes."""

    match: re.Match[str]
    line: int

    def __getattr__(self, group: str) -> str | None:
        return self.match[group]

    @property
    def labels(self) -> list[str]:
        """Of a displayed formula."""
        return LABEL.findall(self.match["display"])


@dataclass(frozen=True)
class Page:
    """A page in one language; its name is its path below docs/en and docs/zh."""

    language: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"docs/{self.language}/{self.name}"

    @cached_property
    def front(self) -> dict:
        """What its front matter says; raises BadPage where it cannot be read."""
        front = FRONT.match(self.text)
        try:
            found = (front and load("\n" + front[1], Loader)) or {}
        except YAMLError as error:
            raise BadPage(f"{self}:1: the front matter is no YAML: {error}") from None
        if not isinstance(found, dict):
            raise BadPage(f"{self}:1: the front matter has no lines of key: value")
        return found

    @property
    def part(self) -> str:
        """Of the book, in its language; "" at the top level."""
        return self.front.get("part", "")

    @cached_property
    def front_errors(self) -> list[str]:
        """What its front matter lacks, or has in vain, each with the file."""
        try:
            front = self.front
        except BadPage as error:
            return [str(error)]
        optional = OPTIONAL | ({"summary"} if self.name == HOME else set())
        wrong = amiss(front, KEYS, optional)
        return [f"{self}:1: the front matter {what}" for what in wrong]

    def _line(self, start: int) -> int:
        return self.text.count("\n", 0, start) + 1

    @cached_property
    def pieces(self) -> list[Token]:
        """All that stands in lines of its own, in order."""
        front = FRONT.match(self.text)
        start = front.end() if front else 0
        found = PIECE.finditer(self.text, start)
        return [Token(match, self._line(match.start())) for match in found]

    @cached_property
    def prose(self) -> list[tuple[int, str]]:
        """What is left between the pieces: where it begins, and the text."""
        front = FRONT.match(self.text)
        ends = [front.end() if front else 0, *(p.match.end() for p in self.pieces)]
        starts = [*(p.match.start() for p in self.pieces), len(self.text)]
        return [(a, self.text[a:b]) for a, b in zip(ends, starts, strict=True)]

    @cached_property
    def texts(self) -> list[tuple[int, str]]:
        """The front matter, as far as this page shows it, and the prose."""
        front = FRONT.match(self.text)
        if not front:
            return self.prose
        shown = ASIDE.sub(lambda aside: re.sub(".", " ", aside[0]), front[0])
        return [(0, shown), *self.prose]

    @cached_property
    def titles(self) -> list[tuple[int, str]]:
        """Of headings, of admonitions and of what folds."""
        return [
            (piece.match.start(group), piece.match[group])
            for piece in self.pieces
            for group in ("title", "name")
            if piece.match[group]
        ]

    @cached_property
    def spans(self) -> list[Token]:
        """All that stands within lines, titles included, in order."""
        return [
            Token(match, self._line(start + match.start()))
            for start, text in sorted([*self.texts, *self.titles])
            for match in SPAN.finditer(text)
        ]

    @cached_property
    def inline(self) -> list[Token]:
        """Formulas within lines."""
        return [span for span in self.spans if span.inline is not None]

    def _of(self, group: str) -> list[Token]:
        return [piece for piece in self.pieces if piece.match[group] is not None]

    @cached_property
    def headings(self) -> list[Token]:
        return self._of("level")

    @cached_property
    def displays(self) -> list[Token]:
        return self._of("display")

    @cached_property
    def includes(self) -> list[Token]:
        return self._of("section")

    @cached_property
    def labels(self) -> list[str]:
        """Of its displayed formulas, in order."""
        return [label for display in self.displays for label in display.labels]

    def above(self, line: int) -> list[str]:
        """The anchors of the headings above a line, the nearest first."""
        found: list[tuple[int, str]] = []
        for heading in self.headings:
            if heading.line > line:
                break
            depth = len(heading.level)
            found = [(d, a) for d, a in found if d < depth] + [(depth, heading.anchor)]
        return [anchor for _, anchor in reversed(found)]

    def notes(self, piece: Token) -> dict[str, list[str]]:
        """What comments directly above a displayed formula say, by their kind."""
        found: dict[str, list[str]] = {}
        end = piece.match.start()
        for above in reversed(self.pieces[: self.pieces.index(piece)]):
            if above.note is None or self.text[above.match.end() : end].strip():
                break
            found.setdefault(above.note, []).insert(0, above.noted)
            end = above.match.start()
        return found

    def images(self, kind: str) -> list[Token]:
        """Its figures, or its explorers."""
        return [span for span in self.spans if span.image == kind]

    @cached_property
    def errors(self) -> list[str]:
        """What cannot be told for certain, each with file and line."""
        found = [*self.front_errors]
        for heading in self.headings:
            if heading.anchor is None:
                what = f"no anchor {{ #name }} at the heading {heading.title!r}"
                found.append(f"{self}:{heading.line}: {what}")
        for start, text in self.texts:
            left = SPAN.sub(lambda span: " " * len(span[0]), text)
            for mark, what in [
                ("$", "a $ without its partner"),
                ("--8<--", 'an include is one line: --8<-- "session.md:section"'),
            ]:
                if mark in left:
                    line = self._line(start + left.index(mark))
                    found.append(f"{self}:{line}: {what}")
        return found

    def sections(self) -> dict[str, str]:
        """Titles and prose by the anchor of their heading, before the first by "".

        Without code, formulas and the places to which links lead.
        """
        texts = sorted([*self.texts, *self.titles])
        found: dict[str, str] = {}
        for anchor, (begin, end) in self.bounds.items():
            words = [text for start, text in texts if begin <= start < end]
            found[anchor] = SPAN.sub(_words, "\n".join(words))
        return found

    @cached_property
    def bounds(self) -> dict[str, tuple[int, int]]:
        """Where the text below each heading begins and ends, before the first by ""."""
        starts = [(h.match.start(), h.anchor or "") for h in self.headings]
        ends = [(0, ""), *starts, (len(self.text), "")]
        return {anchor: (a, b) for (a, anchor), (b, _) in pairwise(ends)}


def _words(span: re.Match[str]) -> str:
    """What a reader reads of a span: of an image its text, of a link nothing more."""
    return f"[{span['seen']}] " if span["seen"] is not None else " "


# --- The book ----------------------------------------------------------------


@lru_cache(400)
def apart(language: str, name: str, text: str) -> Page:
    """A page of this text, taken apart once."""
    return Page(language, name, text)


def page(language: str, name: str) -> Page:
    """A page of the book, taken apart once as long as its file stays the same."""
    return apart(language, name, (DOCS / language / name).read_text("utf-8"))


def contents(docs: Path = DOCS) -> dict[str, list[Page]]:
    """The pages of each language in reading order, the home page first.

    Raises BadPage where front matter is amiss, or where languages differ.
    """
    found = {
        language: [
            apart(
                language, path.relative_to(folder).as_posix(), path.read_text("utf-8")
            )
            for path in sorted(folder.rglob("*.md"))
        ]
        for language in LANGUAGES
        for folder in [docs / language]
    }
    every = [page for pages in found.values() for page in pages]
    if wrong := [error for page in every for error in page.front_errors]:
        raise BadPage("\n".join(wrong))
    book = {
        language: sorted(pages, key=lambda page: page.front["order"])
        for language, pages in found.items()
    }
    wrong = [error for of in book.items() for error in _disorder(*of)]
    english, *others = book.values()
    for other in others:
        wrong += _divergence(english, other)
    if wrong:
        raise BadPage("\n".join(wrong))
    return book


def parts(pages: list[Page]) -> list[tuple[str, list[Page]]]:
    """The pages in the same order, by part; at the top level, the part is ""."""
    return [(part, [*group]) for part, group in groupby(pages, lambda page: page.part)]


def _disorder(language: str, pages: list[Page]) -> Iterator[str]:
    """What is amiss with the order of the pages of one language."""
    if not pages or pages[0].name != HOME:
        yield f"docs/{language}/{HOME}: of all pages, its order is to be the least"
    for one, other in pairwise(pages):
        if one.front["order"] == other.front["order"]:
            yield f"{other}:1: its order is that of {one}, too"
    seen = set()
    for part, (first, *_) in parts(pages):
        if part in seen - {""}:
            yield f"{first}:1: its order keeps it apart from the others of {part!r}"
        seen.add(part)


def _divergence(english: list[Page], chinese: list[Page]) -> Iterator[str]:
    """Where the pages of another language stand elsewhere."""
    here, there = ({page.name: page for page in pages} for pages in (english, chinese))
    for name in sorted(here.keys() ^ there.keys()):
        yield f"{here.get(name) or there[name]}: the page is in this language only"
    for name in sorted(here.keys() & there.keys()):
        if here[name].front["order"] != there[name].front["order"]:
            yield f"{there[name]}:1: its order is not that of {here[name]}"
    if [page.name for page in english] != [page.name for page in chinese]:
        return
    divided = zip(parts(english), parts(chinese), strict=True)  # but left before
    for (one, first), (other, second) in divided:
        if bool(one) != bool(other) or len(first) != len(second):
            what = f"the part {other!r} has not the pages of {one!r} in {first[0]}"
            yield f"{second[0]}:1: {what}"
            return
    for name in sorted(chapters(english).keys() ^ chapters(chinese).keys()):
        names = " and ".join(REFERENCE.values())
        yield f"{there[name]}:1: a part is {names}, or neither of them"


def table(pages: list[Page]) -> str:
    """The pages of a language but the home page, with their summaries, in Markdown: a
    table for each part."""
    tables, name = [], titles(pages)
    head, summary = TABLE[pages[0].language]
    for part, members in parts([page for page in pages if page.name != HOME]):
        rows = [f"| {part or head} | {summary} |", "|---|---|"]
        for page in members:
            link = f"[{name[page.name]}]({page.name})"
            rows.append(f"| {link} | {page.front['summary']} |")
        tables.append("\n".join(rows))
    inside = "\n\n".join(tables)
    return f'<div class="contents" markdown>\n\n{inside}\n\n</div>'


def nav_pages() -> list[str]:
    """The pages in reading order, as paths below docs/en and docs/zh."""
    return [page.name for page in contents()["en"]]


def chapters(pages: list[Page]) -> dict[str, int]:
    """The number of each page that has one, by its name.

    The pages are those of one language in reading order, the home page first.
    """
    numbered = [page for page in pages[1:] if page.part != REFERENCE[page.language]]
    return {page.name: chapter for chapter, page in enumerate(numbered, 1)}


def titles(pages: list[Page]) -> dict[str, str]:
    """The short title of each page by its name, behind the number where it has one."""
    number = chapters(pages)
    return {
        page.name: f"{number.get(page.name, '')} {page.front['title']}".strip()
        for page in pages
    }


def numbers(pages: list[Page]) -> dict[str, tuple[str, str]]:
    """Label -> number, name of the page: (p.n) is the n-th of chapter p."""
    number = chapters(pages)
    return {
        label: (f"{number[page.name]}.{nth}", page.name)
        for page in pages
        if page.name in number
        for nth, label in enumerate(page.labels, 1)
    }


# --- Two languages -----------------------------------------------------------


def normal(formula: str) -> str:
    r"""A formula without its spacing and without the words in \text{...}."""
    return re.sub(
        r"\s+", " ", re.sub(r"\\text\{[^{}]*\}", r"\\text{}", formula)
    ).strip()


def bones(page: Page) -> tuple[dict[str, list[str]], dict[str, Counter[str]]]:
    """All that must be equal in both languages.

    The first group in order, the second, where words move, as a bag.
    """
    admonitions = [f"{p.mark} {p.kind}" for p in page.pieces if p.mark]
    in_order = {
        "headings": [f"{p.level} {p.anchor}" for p in page.headings],
        "includes": [f"{p.session}:{p.section}" for p in page.includes],
        "displays": [normal(p.display) for p in page.displays],
        "notes to the checks": [*_noted(page)],
        "fences": [p.fence for p in page.pieces if p.fence],
        "admonitions": admonitions,
        "images": [s.image + ":" + s.source for s in page.spans if s.image],
    }
    as_bags = {
        "inline": [normal(s.inline) for s in page.spans if s.inline],
        "references": [s.reference for s in page.spans if s.reference],
        "code": [s.code for s in page.spans if s.code],
        "links": [s.target for s in page.spans if s.target],
    }
    return in_order, {name: Counter(bag) for name, bag in as_bags.items()}


def _noted(page: Page) -> Iterator[str]:
    """Where a formula holds, and which is no claim; why, each language says itself."""
    for number, piece in enumerate(page.displays, 1):
        for kind, said in page.notes(piece).items():
            what = "" if kind == "unchecked" else "; ".join(said)
            yield f"display {number}: {kind} {what}".strip()


def differences(english: Page, chinese: Page) -> list[str]:
    """What one language has and the other lacks; empty where the bones are equal."""
    found = english.errors + chinese.errors
    (en, en_bags), (zh, zh_bags) = bones(english), bones(chinese)
    for part in en:
        lines = unified_diff(en[part], zh[part], "en", "zh", "", "", 0)
        changed = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
        if changed:
            found.append(
                f"{part} (- English only, + Chinese only):\n" + "\n".join(changed)
            )
    for part in en_bags:
        a, b = en_bags[part], zh_bags[part]
        for language, more in [("English", a - b), ("Chinese", b - a)]:
            if more:
                found.append(f"{part}, more often in {language}: {dict(more)}")
    return found
