"""What the last run of the tests found, as readers see it.

Where a page has the comment <!-- verification table -->, a table of the main equations
takes its place, and every page with outputs or main equations gets a line below its
title that leads there. <!-- formulas table --> is what became of all formulas, and
<!-- last run --> the run in four numbers. book/record.py has what was found.
"""

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import NamedTuple

from book.formulas import NUMBER
from book.pages import STEP, Page
from book.record import NAMES, Record, Run, path, read
from book.results import Result, results
from book.sessions import parse
from book.steps import MADE, SHOWN
from book.tex.displays import KINDS
from book.tex.inline import WITHIN

PLACE = "<!-- verification table -->"
FORMULAS = "<!-- formulas table -->"
TABLE = "main-results"  # its anchor
TITLE = "</h1>"
RUN = "<!-- last run -->"
COLUMNS = 3  # of words; those after them are of numbers
TEXTS = {
    "en": {
        "head": [
            *("Equation", "Function", "Session"),
            *("Random cases", "Largest relative error", "Wrong variants rejected"),
        ],
        "run": "{date}, profile {profile}: {outputs} outputs of code, {cases} cases in "
        "all. {versions}.",
        "comma": ", ",
        "numbers of the run": [
            "outputs, each what the code prints, character by character",
            "displayed formulas, read by a program and evaluated: both sides agree",
            "random cases, on which the main results agree with TensorFlow, and with a "
            "central difference or a definition",
            "functions with one known mistake each: the same check refuses all of them",
        ],
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
            "Code, formulas or checks were changed after this run. "
            "<code>python3 make.py test</code> checks it again.",
        ),
        "displays": "| Displayed formulas | How many |",
        "evaluated": "evaluated",
        "arithmetic": "arithmetic alone",
        "definition": "definitions that an evaluated formula uses",
        "marked": "marked as none of these",
        "why": "On {page}: {why}.",
        "within": "| Formulas within lines | How many |",
        "numbers": "of numbers alone, calculated",
        "held": "others that hold in numbers, and go on holding",
        "verified": "✓ verified {date}",
        "outdated": "○ changed since it was verified {date}",
        "unverified": "○ not yet verified on this machine",
        "counts": [
            *("outputs compared: {}", "main results: {}", "random cases: {}"),
        ],
    },
    "zh": {
        "head": [
            *("公式", "函数", "会话"),
            *("随机数据组数", "最大相对误差", "拦下的错误写法"),
        ],
        "run": "{date}，{profile} 配置，代码输出 {outputs} 段，共 {cases} 组数据。"
        "{versions}。",
        "comma": "、",
        "numbers of the run": [
            "段输出，与代码打印的逐字符相同",
            "个单独成行的公式，由程序读入并求值，等号两边相等",
            "组随机数据，主要结果与 TensorFlow 一致，也与中心差分或定义一致",
            "个函数各含一处已知的错误，都被同样的验证拦下",
        ],
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
            "这次验证之后，代码、公式或验证改过。"
            "运行 <code>python3 make.py test</code> 重新验证。",
        ),
        "displays": "| 单独成行的公式 | 个数 |",
        "evaluated": "已代入数值核对",
        "arithmetic": "只有数的算式",
        "definition": "定义，用在求过值的公式里",
        "marked": "有标记，不属于以上三种",
        "why": "{page}：{why}。",
        "within": "| 行内公式 | 个数 |",
        "numbers": "只有数，算过",
        "held": "其余的，代入数值成立，以后也要成立",
        "verified": "✓ 已验证（{date}）",
        "outdated": "○ {date} 验证之后改过",
        "unverified": "○ 在这台机器上尚未验证",
        "counts": ["比对输出 {} 段", "主要结果 {} 个", "随机数据 {} 组"],
    },
}


class Found(NamedTuple):
    """What the pages of a language have in common."""

    labels: list[str]  # of the main equations, as they are read
    results: dict[str, Result]
    record: Record
    page: str  # the name of the one with the table; "" where there is none
    marked: list[tuple[Page, str, str]]  # formulas that are no claim: anchor, reason


def found(pages: list[Page], root: Path) -> Found:
    """Raises BadSession where a session says amiss which equation a function is."""
    return Found(
        [
            label
            for page in pages
            for label in page.labels
            if not label.startswith(STEP)
        ],
        results(sorted((root / "snippets").rglob("*.md"))),
        read(root),
        next((page.name for page in pages if PLACE in page.text), ""),
        [marked for page in pages for marked in unchecked(page)],
    )


def unchecked(page: Page) -> Iterator[tuple[Page, str, str]]:
    """The displays that are no claim: the heading above each, and why."""
    for piece in page.displays:
        for why in page.notes(piece).get("unchecked", []):
            yield page, next(iter(page.above(piece.line)), ""), why


def complaint(record: Record, root: Path) -> str:
    """What is to be done about a record that says nothing of this code; or nothing."""
    if record.state not in ("stale", "broken"):
        return ""
    what = "is not of this code" if record.state == "stale" else "cannot be read"
    return f"{path(root)}: the record of the checks {what}; run: python3 make.py test"


# --- The table ---------------------------------------------------------------


def shown(html: str, book: Found, language: str) -> str:
    """A page with the table, and the run in numbers, where they have their place."""
    for place, made in ((PLACE, table), (RUN, numbers)):
        if place in html:
            html = html.replace(place, made(book, language))
    return html


def table(book: Found, language: str) -> str:
    words = TEXTS[language]
    state, run = book.record
    shown = [] if state == "fresh" else [warning(state, language)]
    head = "".join(cell("th", i, text) for i, text in enumerate(words["head"]))
    rows = [f"<thead><tr>{head}</tr></thead><tbody>"]
    for label in book.labels:
        result = book.results.get(label)
        cases, error = (run.equations if run else {}).get(label, (None, None))
        row = [
            # book/formulas.py makes a number and a link of it.
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
        f'<table id="{TABLE}" data-search-exclude="">'
        + "\n".join(rows)
        + "</tbody></table>"
    )
    if run:
        versions = [f"{name} {run.versions[key]}" for key, name in NAMES.items()]
        text = words["run"].format(
            date=run.date,
            profile=escape(run.profile),
            outputs=run.outputs,
            cases=cases_of(run),
            versions=escape(words["comma"].join(versions)),
        )
        shown.append(f"<p>{text}</p>")
    return "\n".join(shown)


def warning(state: str, language: str) -> str:
    """Why the record says nothing of the code as it is now."""
    title, text = TEXTS[language][state]
    title = f'<p class="admonition-title">{title}</p>'
    return f'<div class="admonition warning">{title}<p>{text}</p></div>'


def cases_of(run: Run) -> int:
    return sum(cases for cases, _ in run.equations.values())


def numbers(book: Found, language: str) -> str:
    """The run in four numbers, and of what each is one."""
    state, run = book.record
    if state != "fresh":
        return warning(state, language)
    evaluated = run.formulas.get("evaluated", 0) + run.formulas.get("arithmetic", 0)
    wrong = sum(len(result.wrong) for result in book.results.values())
    counted = [run.outputs, evaluated, cases_of(run), wrong]
    # Between thousands a narrow space, at which no line ends.
    written = [f"{number:,}".replace(",", "\u202f") for number in counted]
    told = zip(written, TEXTS[language]["numbers of the run"], strict=True)
    items = "".join(f"<li><strong>{number}</strong> {of}</li>" for number, of in told)
    return f'<ul class="run" data-search-exclude="">{items}</ul>'


def cell(tag: str, column: int, text: str) -> str:
    style = ' style="text-align: right"' if column >= COLUMNS else ""
    return f"<{tag}{style}>{text}</{tag}>"


def number(error: float) -> str:
    """One significant digit: 3·10 to the power of -14."""
    if not error:
        return "0"
    digit, exponent = f"{error:.0e}".split("e")
    return f"{digit}·10<sup>{str(int(exponent)).replace('-', chr(0x2212))}</sup>"


# --- The formulas ------------------------------------------------------------


def told(markdown: str, book: Found, language: str) -> str:
    """A page with the tables of all formulas, in Markdown, where it has their place."""
    if FORMULAS not in markdown:
        return markdown
    words = TEXTS[language]
    state, run = book.record
    counts = run.formulas if run and state == "fresh" else {}

    def rows(head: str, kinds: tuple[str, ...]) -> list[str]:
        shown = [f"| {words[kind]} | {counts.get(kind, '–')} |" for kind in kinds]
        return [words[head], "|---|---:|", *shown, ""]

    lines = rows("displays", KINDS)
    for page, anchor, why in book.marked:
        link = f"[{page.front['title']}]({page.name}#{anchor})"
        lines.append("- " + words["why"].format(page=link, why=why))
    lines += ["", *rows("within", WITHIN)]
    return markdown.replace(FORMULAS, "\n".join(lines))


# --- The line below a title --------------------------------------------------


def marked(output: str, book: Found, language: str, url: str) -> str:
    """A finished page that says below its title what the last run found of it.

    The line leads to the table, whose page is at this address. A page that shows no
    output and no main equation has none.
    """
    # Those of an optional session were compared only where it runs.
    outputs = output.count(SHOWN) - output.count(MADE)
    labels = [label for label, _ in NUMBER.findall(output) if label in book.labels]
    if not (outputs or labels):
        return output
    words = TEXTS[language]
    state, run = book.record
    counted = ""
    if state == "stale":
        said = words["outdated"].format(date=run.date)
    elif state != "fresh" or not run.equations.keys() >= {*labels}:
        said = words["unverified"]
    else:
        said = words["verified"].format(date=run.date)
        cases = sum(run.equations[label][0] for label in labels)
        found = outputs, len(labels), cases
        for text, number in zip(words["counts"], found, strict=True):
            counted += f" · {text.format(number)}" if number else ""
    line = f'<p class="verified"><a href="{url}#{TABLE}">{said}</a>{counted}</p>'
    return output.replace(TITLE, f"{TITLE}\n{line}", 1)
