"""The terms of the book: each stands in the front matter of the page that defines it.

    docs/en/cnn/stride.md                  docs/zh/cnn/stride.md
    ---------------------                  ---------------------
    terms:                                 terms:
      stride:                                stride:
        group: convolution                     name: 步幅
        at: strided                            means: 从一个输出到下一个，……
        means: How many rows or columns …      not: [跨步, 跨度]
        not: [step size, stepsize]

The English name is the key in both. Beside it stands, once for both languages:

group     the heading of the glossary: there is the line <!-- glossary: convolution -->
at        the anchor where this page defines it; may be missing
everyday  true of a plain word: it has no note, and a section may say it otherwise

And in each language:

name      the term; only in Chinese
means     what it means, in plain text
also      other forms in which the book says it; plurals with s need none
not       names that other texts use and this book does not

A page that uses such a name all the same, since it means something else there or the
page tells of it, has a line `allows: [step size]` in its front matter. Where a term
means something else, its note would be wrong: a page with `homonyms: [padding]` has
none of that term. The glossary has the terms of a group in the order of the pages. It
and the notes at the words are made of the terms, and tests/test_glossary.py holds every
page to them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any, Self

from book.pages import BadPage, Page, amiss

OTHER = {"en": "zh", "zh": "en"}
WORDS = {"means": str, "also": list, "not": list}
KEYS = {
    "en": {"group": str, "at": str, "everyday": bool, **WORDS},
    "zh": {"name": str, **WORDS},
}
OPTIONAL = {"at", "everyday", "also", "not"}
PLACE = re.compile(r"^<!-- glossary: (\S+) -->$", re.MULTILINE)
TEXTS = {
    "en": {
        "head": "| Term | Chinese | Meaning |",
        "not": " Elsewhere: {}.",
        "and": ", ",
        "note": "{}: {}",
    },
    "zh": {
        "head": "| 术语 | 英文 | 含义 |",
        "not": "别处也叫{}。",
        "and": "、",
        "note": "{}：{}",
    },
}
# Where no note belongs: code, headings, links, figures, formulas; and all other markup.
KEPT = re.compile(
    r"<(pre|code|h[1-6]|th|a|figure|svg|summary|button|script|style|\w+-explorer)\b"
    r'.*?</\1>|<(span|div) class="formula".*?</\2>|<!--.*?-->|<(?:"[^"]*"|[^">])*>',
    re.DOTALL,
)


@dataclass(frozen=True)
class Term:
    """A term in both languages: name["zh"] is its Chinese name."""

    page: str
    anchor: str  # "" where it is defined by the whole page
    group: str
    everyday: bool
    name: dict[str, str]
    meaning: dict[str, str]
    also: dict[str, list[str]]
    rejected: dict[str, list[str]]

    def __hash__(self) -> int:
        return hash(self.name["en"])  # no other has it

    @property
    def at(self) -> str:
        """Where a link to it leads, from a page beside the home page."""
        return f"{self.page}#{self.anchor}" if self.anchor else self.page

    def forms(self, language: str) -> list[str]:
        return [self.name[language], *self.also[language]]

    @classmethod
    def of(cls, page: str, name: str, entries: dict[str, dict[str, Any]]) -> Self:
        """Of its entries in the front matter of a page, in each language."""
        english = entries["en"]
        return cls(
            page,
            english.get("at", ""),
            english["group"],
            english.get("everyday", False),
            {"en": name, "zh": entries["zh"]["name"]},
            {language: entry["means"] for language, entry in entries.items()},
            {language: entry.get("also", []) for language, entry in entries.items()},
            {language: entry.get("not", []) for language, entry in entries.items()},
        )


# --- Reading -----------------------------------------------------------------


def read(book: dict[str, list[Page]]) -> tuple[Term, ...]:
    """The terms in the order of the glossary, of all pages in reading order.

    Raises BadPage where an entry is amiss, and where entries do not fit together.
    """
    pairs = [*zip(book["en"], book["zh"], strict=True)]
    if wrong := [error for pair in pairs for error in _errors(*pair)]:
        raise BadPage("\n".join(wrong))
    terms = [
        Term.of(english.name, name, {"en": entry, "zh": _entries(chinese)[name]})
        for english, chinese in pairs
        for name, entry in _entries(english).items()
    ]
    groups = {group: page for page in book["en"] for group in PLACE.findall(page.text)}
    wrong = [*_lost(terms, groups)]
    for language, pages in book.items():
        wrong += [*_ambiguous(terms, language), *_needless(terms, pages)]
    if wrong:
        raise BadPage("\n".join(wrong))
    return tuple(sorted(terms, key=lambda term: [*groups].index(term.group)))


def _entries(page: Page) -> dict[str, dict[str, Any]]:
    return page.front.get("terms", {})


def _errors(english: Page, chinese: Page) -> Iterator[str]:
    """What is amiss with the entries of a page, and where its languages differ."""
    for page, other in [(english, chinese), (chinese, english)]:
        for name, entry in _entries(page).items():
            which = f"{page}:1: the term {name!r}"
            if not (isinstance(name, str) and isinstance(entry, dict)):
                yield f"{which} is no word with lines of key: value"
            else:
                keys = KEYS[page.language]
                yield from (f"{which} {what}" for what in amiss(entry, keys, OPTIONAL))
            if name not in _entries(other):
                yield f"{other}:1: the term {name!r} of {page} is missing"
    groups, others = (PLACE.findall(page.text) for page in (english, chinese))
    if groups != others:
        yield f"{chinese}:1: its groups of terms are {others}, not {groups}"


def _lost(terms: list[Term], groups: dict[str, Page]) -> Iterator[str]:
    """Terms that would not stand in the glossary, and headings without any."""
    for term in terms:
        if term.group not in groups:
            which = f"docs/en/{term.page}:1: the term {term.name['en']!r}"
            yield f"{which} has the group {term.group!r}, which is none of {[*groups]}"
    for group, page in groups.items():
        if group not in {term.group for term in terms}:
            yield f"{page}:1: no term has the group {group!r}"


def _ambiguous(terms: list[Term], language: str) -> Iterator[str]:
    """Names that mean two things, and those that are rejected twice."""
    for names in [lambda term: term.forms(language), lambda t: t.rejected[language]]:
        first: dict[str, Term] = {}
        for term in terms:
            for name in names(term):
                if other := first.get(name.lower()):
                    where = f"docs/{language}/{term.page}:1: the term"
                    told = f"{name!r} is told of {other.name['en']!r}"
                    yield f"{where} {term.name['en']!r}: {told} in {other.page}, too"
                first[name.lower()] = term


def _needless(terms: list[Term], pages: list[Page]) -> Iterator[str]:
    """Exceptions from what is no rule, and homonyms of what is no term."""
    known = {form for term in terms for form in term.forms(pages[0].language)}
    for page in pages:
        rejected = {name for term in terms for name in term.rejected[page.language]}
        for name in page.front.get("allows", []):
            if name not in rejected:
                yield f"{page}:1: it allows {name!r}, which no term rejects"
        for name in page.front.get("homonyms", []):
            if name not in known:
                yield f"{page}:1: the homonym {name!r} is no term of the glossary"


# --- Finding and showing -----------------------------------------------------


class Finder:
    """Finds the terms in a text of one language, in any form, the longest first."""

    def __init__(self, terms: tuple[Term, ...], language: str):
        forms = [(form, term) for term in terms for form in term.forms(language)]
        self.language = language
        self.terms = {form.lower(): term for form, term in forms}
        # Spelled out and with no groups: fast, since it reads every page of a build.
        words = "|".join(
            f"[{form[0].upper()}{form[0].lower()}]" + re.escape(form[1:])
            for form, _ in sorted(forms, key=lambda pair: -len(pair[0]))
        ).replace(r"\ ", r"\s+")
        # Chinese has no word boundaries.
        edge = {"en": (r"\b", r"s?\b"), "zh": ("", "")}[language]
        # Without terms, nothing is found.
        self.pattern = re.compile(f"{edge[0]}(?:{words or '(?!)'}){edge[1]}")

    def term(self, match: re.Match[str]) -> Term:
        form = " ".join(match[0].lower().split())
        return self.terms.get(form) or self.terms[form.removesuffix("s")]


@lru_cache(maxsize=4)
def finder(terms: tuple[Term, ...], language: str) -> Finder:
    """The same as long as the terms are the same."""
    return Finder(terms, language)


def named(terms: tuple[Term, ...], page: str) -> dict[str, list[str]]:
    """By anchor, the names of what a page defines, others' too, in both languages."""
    found: dict[str, list[str]] = {}
    for term in terms:
        if term.page == page:
            for language in term.name:
                names = [*term.forms(language), *term.rejected[language]]
                found.setdefault(term.anchor, []).extend(names)
    return found


def table(terms: tuple[Term, ...], group: str, language: str) -> str:
    """The terms of a group, in Markdown."""
    rows = (_row(term, language) for term in terms if term.group == group)
    return "\n".join([TEXTS[language]["head"], "|---|---|---|", *rows])


def _row(term: Term, language: str) -> str:
    """The term with a link, the other language's, the meaning."""
    texts = TEXTS[language]
    names = texts["and"].join(term.rejected[language])
    meaning = term.meaning[language] + (texts["not"].format(names) if names else "")
    name, other = term.name[language], term.name[OTHER[language]]
    return f"| [{name}]({term.at}) | {other} | {meaning} |"


@lru_cache(maxsize=512)  # an edit changes few pages
def noted(page: str, finder: Finder, homonyms: tuple[str, ...] = ()) -> str:
    """A page's HTML with a note at the first use of each term that is no homonym."""
    language, seen = finder.language, {finder.terms[name.lower()] for name in homonyms}

    def note(match: re.Match[str]) -> str:
        term = finder.term(match)
        if term in seen or term.everyday:
            return match[0]
        seen.add(term)
        title = TEXTS[language]["note"].format(
            term.name[OTHER[language]], term.meaning[language]
        )
        return f'<span class="gloss" title="{escape(title)}">{match[0]}</span>'

    out, end = [], 0
    for kept in KEPT.finditer(page):
        out += [finder.pattern.sub(note, page[end : kept.start()]), kept[0]]
        end = kept.end()
    return "".join([*out, finder.pattern.sub(note, page[end:])])
