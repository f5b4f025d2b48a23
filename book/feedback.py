""" "Edit this page" and "report an error", where there is a repository.

Both stand at the foot of a page; at an equation the report appears when a reader points
at it or follows its number. The report is a new issue that knows page, equation and
versions. All links are made here: no script.
"""

import re
import subprocess
from html import escape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlencode

from book.formulas import NUMBER
from book.record import NAMES, read

END = "</article>"
TEXTS = {
    "en": {
        "edit": "Edit this page",
        "report": "Report an error",
        "at": "Report an error in equation ({number})",
        "title": "Error in {place}: ",
        "ask": "What is wrong, and what would be right?",
        "told": "- {name}: {fact}",
        "page": "Page",
        "equation": "Equation",
        "source": "Source",
        "version": "Version",
        "language": ("Language", "English"),
    },
    "zh": {
        "edit": "编辑此页",
        "report": "报告错误",
        "at": "报告错误：公式 ({number})",
        "title": "{place} 有误：",
        "ask": "哪里不对？应当是什么？",
        "told": "- {name}：{fact}",
        "page": "页面",
        "equation": "公式",
        "source": "源文件",
        "version": "版本",
        "language": ("语言", "中文"),
    },
}


class Place(NamedTuple):
    """A page, as a report names it."""

    language: str
    address: str  # whole, if it is known
    source: str  # below docs/
    edit: str | None  # where it is edited; a page that is made while building has none


def offered(output: str, page: Place, repository: str, version: str) -> str:
    """A finished page with its links, if there is a repository."""
    if not repository:
        return output
    words = TEXTS[page.language]

    def link(href: str, text: str, more: str = "") -> str:
        return f'<a href="{escape(href)}" rel="nofollow"{more}>{text}</a>'

    def at_equation(match: re.Match[str]) -> str:
        href = report(page, repository, version, *match.groups())
        name = words["at"].format(number=match[2])
        more = f' class="report" aria-label="{name}"'
        return match[0] + link(href, words["report"], more)

    output = NUMBER.sub(at_equation, output)
    links = [link(report(page, repository, version), words["report"])]
    if page.edit:
        links.insert(0, link(page.edit, words["edit"]))
    foot = f'<p class="feedback">{" · ".join(links)}</p>'
    before, end, after = output.rpartition(END)
    return f"{before}{foot}{end}{after}" if end else output


def report(
    page: Place, repository: str, version: str, label: str = "", number: str = ""
) -> str:
    """The address at which an issue on a page, or on one of its equations, begins."""
    words = TEXTS[page.language]
    facts = {"page": f"{page.address}#eq-{label}" if label else page.address}
    if label:
        facts["equation"] = f"({number}) `{label}`"
    if page.edit:
        facts["source"] = f"`docs/{page.source}`"
    if version:
        facts["version"] = version
    named = [(words[name], fact) for name, fact in facts.items()] + [words["language"]]
    told = [words["told"].format(name=name, fact=fact) for name, fact in named]
    place = page.source.removesuffix(".md") + (f" ({number})" if label else "")
    fields = {
        "title": words["title"].format(place=place),
        "body": f"<!-- {words['ask']} -->\n\n\n\n" + "\n".join(told),
    }
    return f"{repository}/issues/new?{urlencode(fields, quote_via=quote)}"


def version(root: Path) -> str:
    """Of the book, if this is a checkout, and of what it was last checked with."""
    try:
        command = ["git", "rev-parse", "--short", "HEAD"]
        git = subprocess.run(command, cwd=root, capture_output=True, text=True)
        commit = git.stdout.strip() if git.returncode == 0 else ""
    except OSError:  # no git
        commit = ""
    run = read(root).run
    versions = run.versions if run else {}
    packages = [f"{NAMES[key]} {version}" for key, version in versions.items()]
    return ", ".join(filter(None, [commit, *packages]))
