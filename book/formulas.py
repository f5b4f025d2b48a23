"""Formulas become SVG, labelled ones get numbers, and references links.

Once all pages of a language are HTML, each formula is checked and replaced by plain
text that carries its TeX, which is what the search and the titles see. In the finished
page the drawings take the place of that text.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from book.addresses import relative
from book.pages import LABEL
from book.typesetter import TeXError, Typesetter

# What pymdownx.arithmatex writes, and what is left of it in a title.
ARITHMATEX = re.compile(
    r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL
)
IN_TITLE = re.compile(r"\\\((.*?)\\\)")
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
# The link at a formula's number, in a finished page: its label and the number.
NUMBER = re.compile(r'<a class="number" href="#eq-([^"]*)">\(([\d.]+)\)</a>')
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


@dataclass
class Written:
    """A page as HTML, and what it was made of."""

    html: str
    url: str  # below the site
    path: str  # of its source
    source: str
    chapter: int  # its number, from 1; 0: it has none

    def formulas(self) -> Iterator[tuple[str, str]]:
        """Each before it is marked: its element's name and its TeX."""
        for match in ARITHMATEX.finditer(self.html):
            yield match[1], html.unescape(match[2])

    def place(self, tex: str) -> str:
        """file:line of a formula, or the file alone where it is from a snippet."""
        # Markdown takes the indentation of lists and the > of quotations away.
        words = r"[\s>]+".join(re.escape(word) for word in tex.split())
        for start in (r"(?:\$|\\[(\[])[\s>]*", ""):
            if found := re.search(f"{start}({words})", self.source):
                line = self.source.count("\n", 0, found.start(1)) + 1
                return f"{self.path}:{line}"
        return self.path


typeset = Typesetter()


# --- Numbers -----------------------------------------------------------------


def number(pages: list[Written], mistakes: Mistakes) -> dict[str, Equation]:
    """The labelled equations: (p.n) is the n-th of chapter p."""
    equations: dict[str, Equation] = {}
    for page in pages:
        labels = 0
        for tag, tex in page.formulas():
            for name in LABEL.findall(tex) if tag == "div" else ():
                place = page.place(tex)
                labels += 1
                if not page.chapter:
                    mistakes.add(place, f"\\label{{{name}}}: this page has no number")
                elif not re.fullmatch("[a-z0-9-]+", name):
                    mistakes.add(place, f"\\label{{{name}}}: not of a-z, 0-9 and -")
                elif name in equations:
                    first = equations[name].place
                    mistakes.add(place, f"\\label{{{name}}} stands already at {first}")
                else:
                    number = f"{page.chapter}.{labels}"
                    equations[name] = Equation(number, page.url, place)
    return equations


def compare(languages: list[dict[str, Equation]], mistakes: Mistakes) -> None:
    """A label means the same number in every language."""
    first, *others = languages
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


class Marker:
    """Checks the formulas of a page and marks each, in its text and in its titles."""

    def __init__(
        self, page: Written, equations: dict[str, Equation], mistakes: Mistakes
    ) -> None:
        self.page = page
        self.equations = equations
        self.mistakes = mistakes

    def page_marked(self) -> str:
        page = ARITHMATEX.sub(
            lambda match: self._mark(match[1], match[2]), self.page.html
        )
        if unseen := UNSEEN.search(html.unescape(TAG.sub("", CODE.sub("", page)))):
            self.mistakes.add(
                self.page.place(unseen[0]),
                "TeX that is no formula to Markdown; indented too little, or no blank "
                f"line around it?\n    {unseen[0].strip()}",
            )
        return page

    def title_marked(self, title: str) -> str:
        return IN_TITLE.sub(lambda match: self._mark("span", match[1]), title)

    def title_plain(self, title: str) -> str:
        """For <title> and attributes, where no formula can be drawn."""
        return (
            TAG.sub("", self.title_marked(title)) if IN_TITLE.search(title) else title
        )

    def anchors(self) -> list[str]:
        """Of the equations on this page."""
        every = self.equations.items()
        return [f"eq-{name}" for name, eq in every if eq.url == self.page.url]

    def _mark(self, tag: str, escaped: str) -> str:
        tex = html.unescape(escaped)
        try:
            return _marked(tag, tex, self.page.url, self.equations)
        except TeXError as error:
            self.mistakes.add(self.page.place(tex), f"{error}\n    {tex.strip()}")
            return ""


def _marked(tag: str, tex: str, here: str, equations: dict[str, Equation]) -> str:
    """A formula as text with its TeX, or a reference as a link. Raises TeXError."""
    display = tag == "div"
    if not display and (reference := REFERENCE.fullmatch(tex)):
        name = reference[1]
        if name not in equations:
            raise TeXError(f"no equation has the label {name}")
        number, url, _ = equations[name]
        url = "" if url == here else relative(url, here)
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
    """A line may break between two drawings of a formula, each of which is a piece.

    Within one, as in a tall brace of cases, a <wbr> would end the drawing.
    """
    depth, pieces = 0, [""]
    for part in re.split("(<svg|</svg>)", drawings):
        if part == "<svg":
            if depth == 0 and pieces[-1].endswith("</svg>"):
                pieces.append("")
            depth += 1
        elif part == "</svg>":
            depth -= 1
        pieces[-1] += part
    if len(pieces) == 1:
        return drawings
    return "<wbr>".join(f'<span class="piece">{piece}</span>' for piece in pieces)


def draw(page: str) -> str:
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
            f'<{tag} class="drawn" aria-hidden="true" data-tex="{title}">'
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
