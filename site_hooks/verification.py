"""MkDocs hook: what the last run of the property tests found.

The tests write the record, .cache/verification.json. Where a page has the comment
<!-- verification table -->, a table of the main equations takes its place, and on every
page the number of a main equation gets a mark that leads to its row. A record of other
code than the present fails the build where CI is true.
"""

import logging
import os
import re
import sys
from html import escape
from pathlib import Path
from typing import NamedTuple

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

# MkDocs gives it back once this file is loaded.
sys.path.append(str(Path(__file__).resolve().parents[1]))
from book.record import Record, path, read
from book.results import Result, results
from book.sessions import BadSession, parse

PLACE = "<!-- verification table -->"
# The label of a main equation; definitions and intermediate steps are step-...
LABEL = re.compile(r"\\label\{(?!step-)([^{}]*)\}")
NUMBER = re.compile(r'<a class="number" (href="#eq-([^"]*)">\([\d.]+\)</a>)')

NAMES = {
    "tensorflow": "TensorFlow",
    "keras": "Keras",
    "numpy": "NumPy",
    "python": "Python",
}
COLUMNS = 3  # of words; those after them are of numbers
TEXTS = {
    "en": {
        "head": [
            *("Equation", "Function", "Session"),
            *("Random cases", "Largest relative error", "Wrong variants rejected"),
        ],
        "run": "{date}, profile {profile}: {cases} cases in all. {versions}.",
        "comma": ", ",
        "absent": (
            "Not yet checked on this machine",
            "There is no record of a run. <code>python3 make.py test</code> makes one.",
        ),
        "broken": (
            "The record cannot be read",
            "<code>python3 make.py test</code> makes a new one.",
        ),
        "stale": (
            "Out of date",
            "The code was changed after this run. "
            "<code>python3 make.py test</code> checks it again.",
        ),
        "checked": "checked on {cases} random cases",
        "unchecked": "not yet checked on this machine",
        "outdated": "changed since it was last checked",
    },
    "zh": {
        "head": [
            *("\u516c\u5f0f", "\u51fd\u6570", "\u4f1a\u8bdd"),
            *("随机数据组数", "最大相对误差", "拦下的错误写法"),
        ],
        "run": "{date}\uff0c{profile} 配置\uff0c共 {cases} 组数据。{versions}。",
        "comma": "\u3001",
        "absent": (
            "在这台机器上尚未验证",
            "没有验证记录。运行 <code>python3 make.py test</code> 即可生成。",
        ),
        "broken": (
            "验证记录无法读取",
            "运行 <code>python3 make.py test</code> 可重新生成。",
        ),
        "stale": (
            "结果已过期",
            "这次验证之后代码改过。运行 <code>python3 make.py test</code> 重新验证。",
        ),
        "checked": "已用 {cases} 组随机数据验证",
        "unchecked": "在这台机器上尚未验证",
        "outdated": "上次验证之后代码改过",
    },
}

log = logging.getLogger("mkdocs.hooks.verification")


class Book(NamedTuple):
    """What the pages of the language being built have in common."""

    labels: list[str]  # of the main equations, as they are read
    results: dict[str, Result]
    record: Record
    url: str | None  # of the page with the table


_book = Book([], {}, Record("absent", None), None)


@event_priority(-200)  # after i18n, which picks the language's pages at -100
def on_nav(nav: Navigation, config: MkDocsConfig, **_: object) -> None:
    global _book
    root = Path(config.config_file_path).parent
    record = read(root)
    if record.state in ("stale", "broken"):
        what = "is not of this code" if record.state == "stale" else "cannot be read"
        message = f"the record of the checks {what}; run: python3 make.py test"
        if os.environ.get("CI") == "true":
            raise PluginError(f"{path(root)}: {message}")
        log.info(message)  # a warning would fail every build of whoever edits
    sources = [(page.url, page.file.content_string) for page in nav.pages]
    try:
        found = results(sorted((root / "snippets").rglob("*.md")))
    except BadSession as error:
        raise PluginError(str(error)) from None
    _book = Book(
        [label for _, source in sources for label in LABEL.findall(source)],
        found,
        record,
        next((url for url, source in sources if PLACE in source), None),
    )


def on_page_content(html: str, config: MkDocsConfig, **_: object) -> str:
    if PLACE not in html:
        return html
    return html.replace(PLACE, table(_book, texts(config)))


def on_post_page(output: str, page: Page, config: MkDocsConfig, **_: object) -> str:
    if _book.url is None:
        return output
    url = get_relative_url(_book.url, page.url)
    return mark(output, _book, texts(config), url)


# --- What is shown -----------------------------------------------------------


def texts(config: MkDocsConfig) -> dict:
    return TEXTS[str(config.theme["language"])]


def table(book: Book, words: dict) -> str:
    state, run = book.record
    shown = []
    if state != "fresh":
        title, text = words[state]
        title = f'<p class="admonition-title">{title}</p>'
        shown.append(f'<div class="admonition warning">{title}<p>{text}</p></div>')
    head = "".join(cell("th", i, text) for i, text in enumerate(words["head"]))
    rows = [f"<thead><tr>{head}</tr></thead><tbody>"]
    for label in book.labels:
        result = book.results.get(label)
        cases, error = (run.equations if run else {}).get(label, (None, None))
        row = [
            # The mathematics hook makes a number and a link of it.
            f'<span class="arithmatex">\\(\\eqref{{{label}}}\\)</span>',
            f"<code>{result.function if result else ''}</code>",
            f"<code>{parse(result.session).name if result else ''}</code>",
            "–" if cases is None else str(cases),
            "–" if error is None else number(error),
            # Counted in the session as it is now.
            "–" if state != "fresh" or cases is None else str(len(result.wrong)),
        ]
        cells = "".join(cell("td", i, text) for i, text in enumerate(row))
        rows.append(f'<tr id="check-{label}">{cells}</tr>')
    # Whoever searches for a function wants its page.
    shown.append(
        '<table data-search-exclude="">' + "\n".join(rows) + "</tbody></table>"
    )
    if run:
        versions = [f"{name} {run.versions[key]}" for key, name in NAMES.items()]
        text = words["run"].format(
            date=run.date,
            profile=escape(run.profile),
            cases=sum(cases for cases, _ in run.equations.values()),
            versions=escape(words["comma"].join(versions)),
        )
        shown.append(f"<p>{text}</p>")
    return "\n".join(shown)


def cell(tag: str, column: int, text: str) -> str:
    style = ' style="text-align: right"' if column >= COLUMNS else ""
    return f"<{tag}{style}>{text}</{tag}>"


def number(error: float) -> str:
    """One significant digit: 3·10 to the power of -14."""
    if not error:
        return "0"
    digit, exponent = f"{error:.0e}".split("e")
    return f"{digit}·10<sup>{str(int(exponent)).replace('-', chr(0x2212))}</sup>"


def mark(output: str, book: Book, words: dict, url: str) -> str:
    """A finished page with a mark at the number of each main equation."""
    state, run = book.record
    equations = run.equations if run else {}

    def marked(match: re.Match[str]) -> str:
        link, label = match.groups()
        if label not in book.labels:
            return match[0]
        sign, title = "○", words["unchecked"]
        if state == "stale":
            title = words["outdated"]
        elif label in equations:
            sign, title = "✓", words["checked"].format(cases=equations[label][0])
        title = f'title="{title}" aria-label="{title}"'
        badge = f'<a class="checked" href="{url}#check-{label}" {title}>{sign}</a>'
        return f'<span class="number">{badge}<a {link}</span>'

    return NUMBER.sub(marked, output)
