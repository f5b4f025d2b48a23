"""check_gradient.py: the function of the page "Check your gradient" in one file, with
the main results of the book and their wrong variants, for readers who have NumPy alone.

Nothing is listed here. A variant is known by its comment `# wrong: label, mistake`; the
place where the pages tell of it, by the section that shows it; its name in Chinese, by
the clause of the Chinese page that ends with it: 卷积核旋转了（`turned`）.
"""

import ast
import re
from functools import lru_cache
from pathlib import Path

from book import Mistake, pages, sessions
from book.names import looked_up
from book.results import Result, results
from book.standalone import lent, page_of

PAGE = sessions.SNIPPETS / "check.md"
# The sections of the page that make up the function.
SECTIONS = ("mistakes", "rarer", "shapes", "book", "function", "report", "chinese")
LEADING = re.compile(
    r"^[\s，、]*(?:如果.*?(?=就是)|若是[^，]*，|还有一种可能，)?(?:或者|要么|也可能|可能|就是|原因是|是)?又?"
)
TEX = {
    r"\^\{l-1\}|\^\{l\}": "",
    r"_\{(\w[-+]\w)\}": r"_(\1)",
    r"\^\{?\\mathsf\s*T\}?": "ᵀ",
    r"\\dots": "…",
    r"\\(?:mathsf|mathrm|mathbf|[,;!])": "",
    r"\\frac\s*(\w)\s*(\w)": r"\1/\2",
    r"\\frac\{([^{}]*)\}\{([^{}]*)\}": r"\1/\2",
    r"\\uparrow": "↑",
    r"\\tilde": "",
    r"\\infty": "∞",
    r"\\(?:le)\b": "≤",
    r"\\partial": "∂",
    r"\\ell": "ℓ",
    r"\\lfloor|\\rfloor": "",
    r"\\cdot": "·",
    r"\\delta": "δ",
    r"\\Delta": "Δ",
    r"\\gamma": "γ",
    r"\\varepsilon": "ε",
    r"\\hat x": "x̂",
    r"\\sigma": "σ",
    r"\\eta": "η",
    r"\\beta": "β",
    r"[{}$`\\]": "",
}


def source() -> str:
    """The text of the file."""
    page = sessions.parse(PAGE)
    imports = [line for line in page.of("setup")[0].code.splitlines() if line]
    imports = [line for line in imports if re.match(r"from|import numpy", line)]
    code = [block.code for name in SECTIONS for block in page.of(name)]
    functions, rows = book()
    head = f'"""{HEAD}"""'
    return "\n\n".join([head, "\n".join(imports), *code, functions, rows]) + "\n"


HEAD = """Is a gradient right, and if not, which mistake was made? It needs NumPy alone.

print(check_gradient(mine, reference))
print(check_gradient(mine, reference, x=x, W=W, delta=delta, stride=2))  # of a layer

Made of the pages of a book on backpropagation; "Check your gradient" there tells how it
works.
"""


def sources() -> list[Path]:
    """The files of which it is made."""
    code = (pages.ROOT / "book").glob("*.py")
    return sorted([*code, *sessions.paths(), *(pages.DOCS / "zh").rglob("*.md")])


def book() -> tuple[str, str]:
    """The functions of the main results, and the rows of BOOK that name them."""
    wanted: dict[Path, set[str]] = {}
    rows, every = [], ordered()
    for result in every:
        page_results = [one for one in every if one.session == result.session]
        names = [name for name in result.lines if runs(result.session, name)]
        if result.function not in names:
            continue
        wanted.setdefault(result.session, set()).update(names)
        page = page_of(result.session)
        wrong = "".join(
            f"        ({page}.{name}, {told(result, name, page_results)}),\n"
            for name in names
            if name != result.function
        )
        rows.append(f"    ({page}.{result.function}, [\n{wrong}    ]),\n")
    return lent(wanted), f"BOOK += [\n{''.join(rows)}]"


def ordered() -> list[Result]:
    """The main results in the order of the pages."""
    order = {name: place for place, name in enumerate(pages.nav_pages())}
    found = [result for result in results().values() if page_name(result) in order]
    return sorted(found, key=lambda result: order[page_name(result)])


def page_name(result: Result) -> str:
    return result.session.relative_to(sessions.SNIPPETS).as_posix()


@lru_cache(100)
def defined(code: str) -> dict[str, ast.FunctionDef]:
    body = ast.parse(code).body
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef)}


def runs(path: Path, name: str) -> bool:
    """Does a function run with NumPy alone?"""
    return "tf" not in looked_up(defined(sessions.parse(path).code)[name])


def told(result: Result, name: str, every: list[Result]) -> str:
    """The mistake of a variant and its place on a page, by language, as Python.

    every: the results of the page.
    """
    anchor, chinese = place(result, name, every)
    page = page_name(result).removesuffix(".md")
    mistake = {"en": result.wrong[name], "zh": chinese}
    where = {"en": f"{page}/#{anchor}", "zh": f"zh/{page}/#{anchor}"}
    return f"{mistake!r}, {where!r}"


def place(result: Result, name: str, every: list[Result]) -> tuple[str, str]:
    """The anchor above a variant, and what the Chinese page says of it."""
    page = pages.page("zh", page_name(result))
    include = shown(page, result.session, result.lines[name])
    anchor = page.above(include.line)[0]
    begin, _ = page.bounds[anchor]
    words = name.removeprefix(result.function + "_").split("_")
    ends = ["_".join(words[start:]) for start in range(len(words))]
    for short in (name, *ends):
        for start in (begin, 0):  # mostly right above
            if found := clauses(page.text[start : include.match.start()], short):
                nth = before(every, result.lines[name], short)
                return anchor, found[min(nth, len(found) - 1)]
    raise Mistake(f"{page}: nothing ends with the name of {name}, as in …（`turned`）")


def shown(page: pages.Page, session: Path, line: int) -> pages.Token:
    """Where a page includes the section in which a line of its session stands."""
    sections = sessions.parse(session).sections
    name = next(found.name for found in sections if found.start < line < found.end)
    return next(found for found in page.includes if found.section == name)


def before(every: list[Result], line: int, end: str) -> int:
    """How many variants of the page with the same end stand before a line."""
    return sum(
        variant in (end, f"{result.function}_{end}") and number < line
        for result in every
        for variant, number in result.lines.items()
    )


def clauses(text: str, name: str) -> list[str]:
    """The clauses that end with a name in brackets."""
    brackets = re.finditer(rf"（[^（）]*`{re.escape(name)}`[^（）]*）", text)
    ends = (text[max(0, found.start() - 200) : found.start()] for found in brackets)
    return [plain(re.split(r"[。；：（）\n*]", end)[-1]) for end in ends]


def plain(clause: str) -> str:
    """A clause without the marks of Markdown and of TeX."""
    clause = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", clause)
    for tex, text in TEX.items():
        clause = re.sub(tex, text, clause)
    return LEADING.sub("", clause).strip()
