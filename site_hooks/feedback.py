"""MkDocs hook: "edit this page" and "report an error", where there is a repository.

Both stand at the foot of a page; at an equation the report appears when a reader points
at it or follows its number. The report is a new issue that knows page, equation and
versions. All links are made here: no script.
"""

import re
import subprocess
from html import escape
from pathlib import Path
from urllib.parse import quote, urlencode

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page
from verification import NAMES

from book.record import read

# As mathematics.py draws it.
NUMBER = re.compile(r'<a class="number" href="#eq-([^"]*)">\(([\d.]+)\)</a>')
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

_version = ""


def on_config(config: MkDocsConfig) -> None:
    global _version
    _version = version(Path(config.config_file_path).parent) if config.repo_url else ""


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    if not config.repo_url:
        return output
    words = TEXTS[str(config.theme["language"])]

    def link(href: str, text: str, more: str = "") -> str:
        return f'<a href="{escape(href)}" rel="nofollow"{more}>{text}</a>'

    def at_equation(match: re.Match[str]) -> str:
        label, number = match.groups()
        href = report(page, config.repo_url, words, label, number)
        name = words["at"].format(number=number)
        more = f' class="report" aria-label="{name}"'
        return match[0] + link(href, words["report"], more)

    output = NUMBER.sub(at_equation, output)
    links = [link(report(page, config.repo_url, words), words["report"])]
    if page.edit_url:  # a page that is made while building has none
        links.insert(0, link(page.edit_url, words["edit"]))
    foot = f'<p class="feedback">{" · ".join(links)}</p>'
    before, end, after = output.rpartition(END)
    return f"{before}{foot}{end}{after}" if end else output


def report(
    page: Page, repository: str, words: dict, label: str = "", number: str = ""
) -> str:
    """The address at which an issue on a page, or on one of its equations, begins."""
    address = page.canonical_url or page.url
    facts = {"page": f"{address}#eq-{label}" if label else address}
    if label:
        facts["equation"] = f"({number}) `{label}`"
    if page.edit_url:
        facts["source"] = f"`docs/{page.file.src_uri}`"
    if _version:
        facts["version"] = _version
    named = [(words[name], fact) for name, fact in facts.items()] + [words["language"]]
    told = [words["told"].format(name=name, fact=fact) for name, fact in named]
    place = page.file.src_uri.removesuffix(".md") + (f" ({number})" if label else "")
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
