"""MkDocs hook: the glossary as a page, and as a note at the first use of each term.

Both are made of docs/glossary.yml. On the page, <!-- glossary: group --> becomes a
table of the group's terms. On all others the first use of a term carries its name in
the other language and its meaning; assets/glossary.js shows them to a reader who points
at it.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any, Self

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.pages import Page
from yaml import YAMLError, safe_load

FILE = "glossary.yml"  # in docs/, so that `serve` notices an edit
OTHER = {"en": "zh", "zh": "en"}
FIELDS = {
    "at": str,
    **dict.fromkeys([*OTHER, "en_is", "zh_is"], str),
    **dict.fromkeys(["en_also", "zh_also"], list),
    **dict.fromkeys(["en_not", "zh_not"], dict),
    "everyday": bool,
}
NEEDED = {"at", "en", "zh", "en_is", "zh_is"}
PLACE = re.compile(r"^<!-- glossary: (\S+) -->$", re.MULTILINE)
TEXTS = {
    "en": {
        "head": "| Term | 中文 | Meaning |",
        "not": " Elsewhere: {}.",
        "and": ", ",
        "note": "{}: {}",
    },
    "zh": {
        "head": "| 术语 | English | 含义 |",
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


@dataclass(frozen=True, eq=False)
class Term:
    """An entry of the file, where its fields are explained; name["zh"] is its zh."""

    group: str
    at: str
    name: dict[str, str]
    meaning: dict[str, str]
    also: dict[str, list[str]]
    rejected: dict[str, dict[str, list[str]]]
    everyday: bool

    def forms(self, language: str) -> list[str]:
        return [self.name[language], *self.also[language]]

    @classmethod
    def of(cls, group: str, entry: dict[str, Any]) -> Self:
        """Raises PluginError where a field is missing, unknown or of another kind."""
        for name in FIELDS.keys() | entry.keys():
            kind = FIELDS.get(name)
            here = name in entry if name in NEEDED else True
            if not (kind and here and isinstance(entry.get(name, kind()), kind)):
                which = entry.get("en", entry)
                message = f"docs/{FILE}: {which}: its {name} is missing or no field"
                raise PluginError(f"{message}; the head of the file lists the fields")
        parts = [
            {lang: entry.get(lang + part, FIELDS[lang + part]()) for lang in OTHER}
            for part in ("", "_is", "_also", "_not")
        ]
        return cls(group, entry["at"], *parts, entry.get("everyday", False))


@lru_cache(maxsize=2)
def terms_of(text: str) -> list[Term]:
    """The terms of the file, in its order. Raises PluginError where it is amiss."""
    try:
        groups = safe_load(text) or {}
    except YAMLError as error:
        raise PluginError(f"docs/{FILE}: {error}") from None
    return [Term.of(group, entry) for group in groups for entry in groups[group]]


class Finder:
    """Finds the terms in a text of one language, in any form, the longest first."""

    def __init__(self, terms: list[Term], language: str):
        forms = [(form, term) for term in terms for form in term.forms(language)]
        self.terms = {form.lower(): term for form, term in forms}
        # Spelled out and with no groups: fast, since it reads every page of a build.
        words = "|".join(
            f"[{form[0].upper()}{form[0].lower()}]" + re.escape(form[1:])
            for form, _ in sorted(forms, key=lambda pair: -len(pair[0]))
        ).replace(r"\ ", r"\s+")
        # Chinese has no word boundaries.
        edge = {"en": (r"\b", r"s?\b"), "zh": ("", "")}[language]
        self.pattern = re.compile(f"{edge[0]}(?:{words}){edge[1]}")

    def term(self, match: re.Match[str]) -> Term:
        form = " ".join(match[0].lower().split())
        return self.terms.get(form) or self.terms[form.removesuffix("s")]


@lru_cache(maxsize=4)
def finder_of(text: str, language: str) -> Finder:
    return Finder(terms_of(text), language)


def source(config: MkDocsConfig) -> str:
    """The text of the file, "" where a book has no glossary."""
    path = Path(config.docs_dir, FILE)
    return path.read_text("utf-8") if path.exists() else ""


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    def table(place: re.Match[str]) -> str:
        language = str(config.theme["language"])
        terms = [t for t in terms_of(source(config)) if t.group == place[1]]
        if not terms:
            where = f"{page.file.src_uri}: {place[0]}"
            raise PluginError(f"{where}: docs/{FILE} has no such group")
        rows = (row(term, language) for term in terms)
        return "\n".join([TEXTS[language]["head"], "|---|---|---|", *rows])

    return PLACE.sub(table, markdown)


def row(term: Term, language: str) -> str:
    """A line of the table: the term with a link, the other language's, the meaning."""
    texts = TEXTS[language]
    names = texts["and"].join(term.rejected[language])
    meaning = term.meaning[language] + (texts["not"].format(names) if names else "")
    name, other = term.name[language], term.name[OTHER[language]]
    return f"| [{name}]({term.at}) | {other} | {meaning} |"


@event_priority(-50)  # after the search, which is to read the page as it is
def on_page_context(context: Any, page: Page, config: MkDocsConfig, **_: Any) -> None:
    text = source(config)
    if text and not PLACE.search(page.file.content_string):
        language = str(config.theme["language"])
        page.content = noted(page.content or "", finder_of(text, language), language)


@lru_cache(maxsize=512)  # an edit changes few pages
def noted(page: str, finder: Finder, language: str) -> str:
    """A page's HTML with a note at the first use of each term."""
    seen: set[Term] = set()

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
