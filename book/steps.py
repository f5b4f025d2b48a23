"""A derivation stands beside its code.

A step is the prose since the last heading or code, and the code that follows it.
Authors write nothing for this; on a narrow screen the two follow each other as in the
source.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from book import Mistake, sessions
from book.addresses import relative
from book.sessions import NEEDS, BadSession

INCLUDE = re.compile(r'^--8<-- "([\w./-]+):[\w-]+"$', re.MULTILINE)
# Comments that the sessions bring along, and one that stands around what is included
# from a session that not every machine can run, so that its outputs can be told from
# the others.
OUTPUT = sessions.OUTPUT.removeprefix("<!--").removesuffix("-->")
SECTION = "--8<--"
MADE_WITH = "made with:"
# An output, and the quiet mark at one that not every machine compares.
SHOWN = '<div class="output">'
MADE = '<a class="made"'
MARKS = {"en": "printed by {made}", "zh": "由 {made} 打印"}
HOW = "verification.md", "#outputs"  # the page that says how, and where
# `from convolution.padding` as Pygments writes it, where it is a page of ours.
MODULE = re.compile(r'(<span class="kn">from</span>.{0,30}<span class="nn">)([\w.]+)<')
# A block of code or output; of more lines than this it is long: only such a one may be
# broken where a page of paper ends. Code and its output stay together: were both of 12
# lines, the page before them would be left a third empty.
BLOCK = re.compile(r'(<div class="language-\w+ highlight)(">.*?</pre>)', re.DOTALL)
WHOLE = 10
# What needs the whole width stands in no step, as a heading does.
WIDE = re.compile(r"h[1-6]|\w+-explorer|details")
# What folds: its first tag and its title, what it holds, and its end.
FOLDED = re.compile(
    r"(<details[^>]*>\s*<summary>.*?</summary>)(.*)(</details>\s*)", re.DOTALL
)
# Markdown takes what is indented for a line of text.
INDENTED_OUTPUT = re.compile(rf"<p>(<!--{OUTPUT}-->)\s*(<div .*?)</p>", re.DOTALL)
VOID = {"area", "br", "col", "embed", "hr", "img", "input", "source", "track", "wbr"}
# A comment, an element whose text is no markup, or a tag. Python's own parser takes
# three times as long, and whoever edits waits for every page.
MARKUP = re.compile(
    r"<!--(.*?)-->|<(script|style)\b.*?</\2>"
    r"""|<(/?)([a-z][^\s/>]*)((?:"[^"]*"|'[^']*'|[^"'>])*)>""",
    re.DOTALL,
)
CLASS = re.compile(r'\bclass="([^"]*)"')


# --- In Markdown -------------------------------------------------------------


def told(markdown: str) -> str:
    """A page's Markdown, where the includes of optional sessions say what made them.

    Raises BadSession where such a session does not print its version.
    """

    def tell(include: re.Match[str]) -> str:
        made = made_with(sessions.SNIPPETS / include[1])
        if not made:
            return include[0]
        return f"<!-- {MADE_WITH} {made} -->\n\n{include[0]}\n\n<!-- {MADE_WITH} -->"

    return INCLUDE.sub(tell, markdown)


def made_with(path: Path) -> str:
    """Module and version, which an optional session prints; "" for any other."""
    text = path.read_text("utf-8") if path.exists() else ""
    if not (needs := NEEDS.match(text)):
        return ""
    if version := re.search(rf"^{needs[1]} [\d.]+$", text, re.MULTILINE):
        return version[0]
    example = f"print({needs[1]!r}, its version)"
    raise BadSession(path, 1, f"no output tells the version: {example}")


# --- In HTML -----------------------------------------------------------------


def stepped(html: str, language: str, here: str, pages: dict[str, str]) -> str:
    """A page with its code in steps, long blocks marked, and imports that lead there.

    `here` is its address, and `pages` has those of all pages, all below the site.
    Raises Mistake where none of them says how outputs are verified.
    """
    parts = elements(html)
    if not any("language-python" in part.classes for part in parts):
        return html
    page, place = HOW
    if page not in pages:
        raise Mistake(f"there is no page {page}, to which the mark of an output leads")
    how = relative(pages[page], here) + place

    def link(module: re.Match[str]) -> str:
        there = pages.get(f"{module[2].replace('.', '/')}.md")
        if there is None:
            return module[0]
        return f'{module[1]}<a href="{relative(there, here)}">{module[2]}</a><'

    stepped = "".join(steps(parts, lambda made: mark(language, how, made)))
    return BLOCK.sub(sized, MODULE.sub(link, stepped))


def sized(block: re.Match[str]) -> str:
    long = block[2].count("\n") > WHOLE
    return f"{block[1]} long{block[2]}" if long else block[0]


def mark(language: str, how: str, made: str) -> str:
    if not made:
        return ""
    # The search would otherwise find the words in every section.
    unsearched = 'data-search-exclude=""'
    return f'{MADE} href="{how}" {unsearched}>{MARKS[language].format(made=made)}</a>'


class Element(NamedTuple):
    """An element of a page that stands in no other, or a comment."""

    tag: str
    classes: frozenset[str]
    html: str


@lru_cache(400)  # `serve` asks for all pages after every edit
def elements(page: str) -> list[Element]:
    """A page, cut where its outermost elements begin."""
    begins: list[tuple[int, str, frozenset[str]]] = []
    depth = 0
    for match in MARKUP.finditer(page):
        comment, raw, end, tag, attributes = match.groups()
        if not (depth or end):
            name = (comment or raw or tag or "").strip()
            classes = CLASS.search(attributes or "")
            names = frozenset(classes[1].split() if classes else ())
            begins.append((match.start(), name, names))
        if tag and tag not in VOID and not attributes.endswith("/"):
            depth += -1 if end else 1
    bounds = [*(start for start, _, _ in begins), len(page)]
    return [
        Element(tag, classes, page[start:end])
        for (start, tag, classes), end in zip(begins, bounds[1:], strict=True)
    ]


def steps(parts: list[Element], marked: Callable[[str], str]) -> list[str]:
    """The page's HTML with each step in its two columns, outputs with their mark."""
    made = ""
    out: list[str] = []
    derivation: list[str] = []
    code: list[str] = []

    def end_step() -> None:
        left, right = "".join(derivation), "".join(code)
        if left and right:
            left = f'<div class="derivation">{left}</div>'
            right = f'<div class="execution">{right}</div>'
            out.append(f'<div class="step">{left}{right}</div>\n')
        else:
            out.append(left + right)
        derivation.clear()
        code.clear()

    for before, part in zip([None, *parts], parts, strict=False):
        if part.tag == OUTPUT:
            continue  # a comment; what follows it is the output
        if part.tag.startswith(MADE_WITH):
            made = part.tag.removeprefix(MADE_WITH).strip()
        elif before and before.tag == OUTPUT:
            code.append(f"{SHOWN}{part.html}{marked(made)}</div>")
        elif "language-python" in part.classes:
            code.append(part.html)
        elif part.tag.startswith(SECTION):
            continue
        else:
            wide = WIDE.fullmatch(part.tag)
            if code or wide:
                end_step()
            if part.tag == "details":
                out.append(unfolded(part.html, marked))
            else:
                (out if wide else derivation).append(part.html)
    end_step()
    return out


def unfolded(details: str, marked: Callable[[str], str]) -> str:
    """The solution of an exercise has steps of its own."""
    begin, inside, end = FOLDED.fullmatch(details).groups()
    parts = elements(INDENTED_OUTPUT.sub(r"\1\2", inside))
    return "".join([begin, *steps(parts, marked), end])
