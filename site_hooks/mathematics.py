"""MkDocs hook: formulas become SVG, labelled ones get numbers, and references links.

Once all pages of a language are HTML (on_env), each formula is checked and replaced by
plain text that carries its TeX, which is what the search and the titles see. In the
finished page (on_post_page) the drawings take the place of that text.
"""

import html
import os
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink
from mkdocs.utils import get_relative_url
from typesetter import TeXError, Typesetter

# What pymdownx.arithmatex writes, and what is left of it in a title.
ARITHMATEX = re.compile(
    r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL
)
IN_TITLE = re.compile(r"\\\((.*?)\\\)")
LABEL = re.compile(r"\\label\{([^}]*)\}\s*")
REFERENCE = re.compile(r"\\eqref\{([^}]*)\}")
CODE = re.compile(r"<(pre|code|script|style)\b.*?</\1>", re.DOTALL)
TAG = re.compile("<[^>]*>")
UNSEEN = re.compile(r"(?:\$\$|\\[([a-zA-Z])[^\n]*[^\n\])\s]")
OURS = re.compile(r"\\(label|eqref|ref|tag)\b")
# What stands between on_env and on_post_page.
MARKED = re.compile(
    # Punctuation that touches the formula: no line may break between them.
    "(?P<before>[\uff08\u300c\u300a(]?)"
    r'<(?P<tag>span|div) class="formula" title="(?P<title>[^"]*)"'
    r'(?: id="(?P<anchor>[^"]*)" data-number="(?P<number>[^"]*)")?>[^<]*</(?P=tag)>'
    "(?P<after>[\uff0c\u3002\u3001\uff1b\uff1a\uff09\u300d\u300b\uff01\uff1f,.;:)!?]*)"
)
# A link that says nothing but a formula; browsers read no name in MathML.
LINK = re.compile(r'<a( [^>]*>)(<span class="formula"[^>]*>([^<]*)</span></a>)')


class Equation(NamedTuple):
    number: str
    url: str  # of its page
    place: str  # file:line


class Mistakes(list[str]):
    """What is wrong and where; told together, so that one build shows all."""

    def add(self, place: str, message: str) -> None:
        if (line := f"{place}: {message}") not in self:
            self.append(line)

    def tell(self) -> None:
        if self:
            raise PluginError("\n  ".join(["mistakes in formulas:", *self]))


typeset = Typesetter()
_chapters: list[Page] = []  # of the language being built, in the order of the nav
_equations: dict[str, dict[str, Equation]] = {}  # language -> label -> equation


@event_priority(-200)  # after i18n, which picks the language's pages at -100
def on_nav(nav: Navigation, config: MkDocsConfig, **_: object) -> None:
    _chapters[:] = [page for page in nav.pages if page is not nav.homepage]
    # i18n builds the other languages inside the build of the first.
    if not getattr(config.plugins.get("i18n"), "building", False):
        _equations.clear()


def on_env(env: object, config: MkDocsConfig, files: Files) -> None:
    pages = [file.page for file in files.documentation_pages()]
    pages = [page for page in pages if page and page.content]
    mistakes = Mistakes()
    equations = _number(pages, mistakes)
    _equations[getattr(config.plugins.get("i18n"), "current_language", "")] = equations
    _compare_languages(mistakes)
    for page in pages:
        _mark(page, equations, mistakes)
    mistakes.tell()


def on_post_page(output: str, **_: object) -> str:
    return _draw(output)


def on_shutdown() -> None:
    typeset.close()


# --- Numbers -----------------------------------------------------------------


def _number(pages: list[Page], mistakes: Mistakes) -> dict[str, Equation]:
    """The labelled equations: (p.n) is the n-th of the p-th page of the nav."""
    equations: dict[str, Equation] = {}
    for page in pages:
        if page.file.src_uri.endswith(".ipynb"):
            continue  # a notebook has the equations of its pages, and their numbers
        labels = 0
        for tag, tex in _formulas(page):
            for name in LABEL.findall(tex) if tag == "div" else ():
                place = _place(page, tex)
                labels += 1
                if page not in _chapters:
                    mistakes.add(place, f"\\label{{{name}}}: this page has no number")
                elif not re.fullmatch("[a-z0-9-]+", name):
                    mistakes.add(place, f"\\label{{{name}}}: not of a-z, 0-9 and -")
                elif name in equations:
                    first = equations[name].place
                    mistakes.add(place, f"\\label{{{name}}} stands already at {first}")
                else:
                    number = f"{_chapters.index(page) + 1}.{labels}"
                    equations[name] = Equation(number, page.url, place)
    return equations


def _compare_languages(mistakes: Mistakes) -> None:
    """A label means the same number in every language built so far."""
    first, *others = _equations.values()
    for other in others:
        for name in sorted(first.keys() | other.keys()):
            here, there = first.get(name), other.get(name)
            if here and there and here.number != there.number:
                numbers = f"({there.number}), but ({here.number}) at {here.place}"
                mistakes.add(there.place, f"\\label{{{name}}} is {numbers}")
            elif not (here and there):
                place = (here or there).place
                mistakes.add(place, f"\\label{{{name}}} is missing in another language")


# --- From Markdown's output to marked text -----------------------------------


def _mark(page: Page, equations: dict[str, Equation], mistakes: Mistakes) -> None:
    """Check the formulas of a page, its titles and its contents, and mark each."""
    ids: set[str] = page.present_anchor_ids or set()

    def mark(tag: str, tex: str) -> str:
        try:
            return _marked(tag, tex, page, equations)
        except TeXError as error:
            mistakes.add(_place(page, tex), f"{error}\n    {tex.strip()}")
            return ""

    def in_title(match: re.Match[str]) -> str:
        return mark("span", html.unescape(match[1]))

    page.content = ARITHMATEX.sub(
        lambda match: mark(match[1], html.unescape(match[2])), page.content
    )
    if unseen := UNSEEN.search(html.unescape(TAG.sub("", CODE.sub("", page.content)))):
        mistakes.add(
            _place(page, unseen[0]),
            "TeX that is no formula to Markdown; indented too little, or no blank line "
            f"around it?\n    {unseen[0].strip()}",
        )
    ids.update(f"eq-{name}" for name, eq in equations.items() if eq.url == page.url)
    for item in _all(page.toc):
        item.title = IN_TITLE.sub(in_title, item.title)
    title = str(page.title)
    if IN_TITLE.search(title):
        # It stands in <title> and in attributes too, where no formula can be drawn.
        page.title = TAG.sub("", IN_TITLE.sub(in_title, title))


def _marked(tag: str, tex: str, page: Page, equations: dict[str, Equation]) -> str:
    """A formula as text with its TeX, or a reference as a link. Raises TeXError."""
    display = tag == "div"
    if not display and (reference := REFERENCE.fullmatch(tex)):
        name = reference[1]
        if name not in equations:
            raise TeXError(f"no equation has the label {name}")
        number, url, _ = equations[name]
        url = "" if url == page.url else get_relative_url(url, page.url)
        return f'<a href="{url}#eq-{name}">({number})</a>'
    labels = LABEL.findall(tex) if display else []
    tex = (LABEL.sub("", tex) if labels else tex).strip()
    if len(labels) > 1 or (command := OURS.search(tex)):
        what = r"\label" if len(labels) > 1 else command[0]
        raise TeXError(
            f"{what} here: a displayed formula may have one \\label{{name}}, "
            r"and $\eqref{name}$ refers to it, alone between its dollars"
        )
    formula = typeset(tex, display)
    title = f'class="formula" title="{html.escape(tex)}"'
    if not display:
        return f"<span {title}>{html.escape(formula.text)}</span>"
    number = equations[labels[0]].number if labels and labels[0] in equations else ""
    anchor = f' id="eq-{labels[0]}" data-number="{number}"' if number else ""
    return f"<div {title}{anchor}></div>"


# --- From marked text to the page --------------------------------------------


def _breakable(drawings: str) -> str:
    """A line may break between two drawings of a formula.

    Within one, as in a tall brace of cases, a <wbr> would end the drawing.
    """
    depth, out = 0, ""
    for piece in re.split("(<svg|</svg>)", drawings):
        if piece == "<svg":
            out += "<wbr>" if depth == 0 and out.endswith("</svg>") else ""
            depth += 1
        elif piece == "</svg>":
            depth -= 1
        out += piece
    return out


def _draw(page: str) -> str:
    """A finished page with its formulas drawn, and each glyph in it once."""
    glyphs: dict[str, str] = {}

    def draw(match: re.Match[str]) -> str:
        before, tag, title, anchor, number, after = match.groups()
        formula = typeset(html.unescape(title), tag == "div")
        glyphs.update(formula.glyphs)
        anchored = f' id="{anchor}"' if anchor else ""
        link = f'<a class="number" href="#{anchor}">({number})</a>' if anchor else ""
        drawn = (
            f'<{tag} class="formula"{anchored}>'
            f'<{tag} class="drawn" aria-hidden="true" title="{title}">'
            f"{_breakable(formula.svg)}</{tag}>"
            f'<span class="read">{formula.mathml}</span>{link}</{tag}>'
        )
        kept = before + drawn + after
        return f'<span class="kept">{kept}</span>' if kept != drawn else drawn

    page = LINK.sub(r'<a aria-label="\3"\1\2', page)
    page = MARKED.sub(draw, page)
    if not glyphs:
        return page
    paths = "".join(f'<path id="{id_}" d="{d}"/>' for id_, d in glyphs.items())
    defs = f'<svg aria-hidden="true" style="display:none"><defs>{paths}</defs></svg>'
    # Before the formulas, so that each can be drawn as soon as it is read.
    return re.sub("<body[^>]*>", lambda body: body[0] + defs, page, count=1)


# --- Helpers -----------------------------------------------------------------


def _formulas(page: Page) -> Iterator[tuple[str, str]]:
    """Each formula of a page before it is marked: its element's name and its TeX."""
    for match in ARITHMATEX.finditer(page.content):
        yield match[1], html.unescape(match[2])


def _all(items: Iterable[AnchorLink]) -> Iterator[AnchorLink]:
    for item in items:
        yield item
        yield from _all(item.children)


def _place(page: Page, tex: str) -> str:
    """file:line of a formula, or the file alone where the formula is from a snippet."""
    path = os.path.relpath(page.file.abs_src_path)
    # Markdown takes the indentation of lists and the > of quotations away.
    words = r"[\s>]+".join(re.escape(word) for word in tex.split())
    source = page.file.content_string
    for start in (r"(?:\$|\\[(\[])[\s>]*", ""):
        if found := re.search(f"{start}({words})", source):
            line = source.count("\n", 0, found.start(1)) + 1
            return f"{path}:{line}"
    return path
