"""Explorers: arrays to point at and to change. Each kind is a folder.

    explorers/KIND/script.js     what browsers compute and write out
                   panel.html    controls and panels, put together of macros.html
                   words.toml    what only this kind says, in each language
                   kind.py       FORMULAS, which stand above the sums, and picture(),
                                 which is seen where no script runs
                   cases.py      what the tests look at

A query says what is shown first: conv?S=2&x=1+2_3+4&W=setup.W1. An array is written out
or read from the session of the page: the array that the section setup prints (setup.1:
the second), or the variable that it writes out in its code (setup.W1). The session of
another page is named before the section: cnn/forward:setup, cnn/forward:setup.W1.
"""

import html as markup
import inspect
import re
import runpy
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from book import Mistake
from book.figures import Array, Panel, Panels, drawn, printed, written
from book.pages import LANGUAGES

__all__ = ["Array", "Explorers", "Panel", "Panels"]


# What all kinds share, in the order in which it builds on each other.
ASSETS = "assets/explorer"  # where the site has it
STYLES, SCRIPTS = "explorer.css", ["arithmetic.js", "grid.js", "explorer.js"]
FILES = ["script.js", "panel.html", "words.toml", "kind.py"]
# On lines of its own.
COMMENT = re.compile(r"(?m)^ *(//.*|/\*[^*]*(\*(?!/)[^*]*)*\*/)\n")


@dataclass(frozen=True)
class Kind:
    words: dict[str, dict]  # by language
    formulas: dict[str, str]  # in TeX
    picture: Callable[..., Panels]  # of the settings, and of arrays by their names

    def arrays(self) -> dict[str, bool]:
        """The settings that are arrays: must they be given?"""
        _, *parameters = inspect.signature(self.picture).parameters.values()
        return {each.name: each.default is each.empty for each in parameters}


class First(NamedTuple):
    """How an explorer begins."""

    kind: str
    settings: dict[str, str]
    arrays: dict[str, Array]
    picture: Panels


class Explorers:
    """The kinds that a folder holds.

    Raises Mistake where one is incomplete; says what it lacks.
    """

    def __init__(self, folder: Path) -> None:
        shared = words_of(folder / "words.toml")
        self.folder = folder
        self.kinds = {
            path.name: _kind(path, shared)
            for path in sorted(folder.iterdir())
            if path.is_dir() and path.name[0] not in "._"
        }
        self._templates = Environment(
            loader=FileSystemLoader(folder), undefined=StrictUndefined
        )

    def files(self, kinds: Iterable[str]) -> list[str]:
        """What browsers load for these kinds, in this order, as paths in the folder."""
        return [STYLES, *SCRIPTS, *(f"{kind}/script.js" for kind in kinds)]

    def loaded(self, name: str) -> str:
        """A file as browsers load it: comments would be a sixth of its bytes."""
        return COMMENT.sub("", (self.folder / name).read_text("utf-8"))

    def first(self, query: str, session: str) -> "First":
        """What a query shows first, its arrays as they are written out.

        Raises Mistake, and ValueError where an array or a query cannot be read.
        """
        name, _, settings = query.partition("?")
        if name not in self.kinds:
            raise Mistake(f"no such explorer; there are {', '.join(self.kinds)}")
        kind = self.kinds[name]
        given = dict(parse_qsl(settings, strict_parsing=True))
        wanted = kind.arrays()
        arrays = {
            key: _array(given[key], session).round(4) for key in wanted if key in given
        }
        if missing := [key for key in wanted if wanted[key] and key not in given]:
            raise Mistake(f"it lacks {', '.join(missing)}")
        given |= {key: text_of(array) for key, array in arrays.items()}
        return First(name, given, arrays, kind.picture(given, **arrays))

    def html(self, query: str, alternative: str, language: str, session: str) -> str:
        """An explorer, and in it the picture that stays where no script runs.

        Raises ValueError where the page is at fault, BadSession where a session is.
        """
        if not alternative.strip():
            raise Mistake("the text alternative is empty")
        first = self.first(query, session)
        name, kind = first.kind, self.kinds[first.kind]
        picture = drawn(first.picture, f"explorer-{name}", alternative)
        try:
            template = self._templates.get_template("explorer.html").render(
                kind=name,
                w=kind.words[language],
                formulas=kind.formulas,
                shapes={key: array.shape for key, array in first.arrays.items()},
            )
        except TemplateError as error:
            raise Mistake(f"{self.folder / name}/panel.html: {error}") from None
        return (
            f'<{name}-explorer id="{name}-explorer" data-search-exclude="" '
            f'data-start="{markup.escape(urlencode(first.settings))}">'
            f"{picture}{template}</{name}-explorer>"
        )


# --- A folder ----------------------------------------------------------------


def _kind(folder: Path, shared: dict[str, dict]) -> Kind:
    # The name becomes a part of that of an element.
    if not (folder.name.isascii() and folder.name.isalpha() and folder.name.islower()):
        raise Mistake(f"{folder}: the name of a kind is small letters, as in conv")
    if missing := [name for name in FILES if not (folder / name).exists()]:
        raise Mistake(f"{folder}: it lacks {', '.join(missing)}")
    own = words_of(folder / "words.toml")
    words = {
        language: {
            **shared[language],
            **own[language],
            "said": {**shared[language]["said"], **own[language].get("said", {})},
        }
        for language in LANGUAGES
    }
    code = runpy.run_path(str(folder / "kind.py"))
    if missing := [name for name in ("FORMULAS", "picture") if name not in code]:
        raise Mistake(f"{folder}/kind.py: it lacks {', '.join(missing)}")
    return Kind(words, code["FORMULAS"], code["picture"])


def loading(output: str, styles: str, *scripts: str) -> str:
    """A page that loads these, of which it has the addresses."""
    head = f'<link rel="stylesheet" href="{styles}">' + "".join(
        f'<script src="{script}" defer></script>' for script in scripts
    )
    return output.replace("</head>", f"{head}</head>", 1)


def words_of(path: Path) -> dict[str, dict]:
    """What is said, by language; in each the same, with as many gaps."""
    try:
        words = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise Mistake(f"{path}: {error}") from None
    if missing := [f"[{language}]" for language in LANGUAGES if language not in words]:
        raise Mistake(f"{path}: it lacks {', '.join(missing)}")
    first, *others = LANGUAGES
    for other in others:
        if wrong := {name for name, _ in _gaps(words[first]) ^ _gaps(words[other])}:
            raise Mistake(
                f"{path}: {first} and {other} differ in {', '.join(sorted(wrong))}"
            )
    return words


def _gaps(words: dict) -> set[tuple[str, int]]:
    own = {name: text for name, text in words.items() if name != "said"}
    texts = [*own.items(), *words.get("said", {}).items()]
    return {(name, str(text).count("{}")) for name, text in texts}


# --- The first setting -------------------------------------------------------


def _array(value: str, session: str) -> Array:
    """Rows that are written out, or that a session holds."""
    if not value[0].isalpha():
        return np.array([row.split() for row in value.split("_")], dtype=float)
    section, _, which = value.partition(".")
    if ":" not in section:  # else of another page: cnn/forward:setup
        section = f"{session.removesuffix('.md')}:{section}"
    if which and not which.isdigit():
        return np.atleast_2d(written(section, which))
    return printed(section, nth=int(which or 0))


def text_of(array: Array) -> str:
    """As explorers/explorer.js reads it: 4 decimals, as the pages print."""
    return "_".join(
        " ".join(f"{value:.4f}".rstrip("0").rstrip(".") for value in row)
        for row in array + 0.0
    )
