"""Every notebook is its page and the session of that page, and runs by itself.

The code is the same in both languages and runs once, here in this process; that a
kernel runs it, too, is tried on one.
"""

import contextlib
import gzip
import html
import io
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urldefrag

import jupytext
import nbformat
import pytest
from markdown_it import MarkdownIt
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from book import notebook_page, notebooks, sessions
from book.compare import difference
from book.notebooks import has_notebook
from book.pages import FRONT, LANGUAGES, Page, bones, nav_pages, normal, numbers, page

NAMES = [
    name.removesuffix(".md") for name in nav_pages() if has_notebook(page("en", name))
]
LIMIT = 150_000  # bytes of a notebook's page, as a server sends it
KERNEL = "convolution/groups"  # compiles a function of another session
each = pytest.mark.parametrize(
    ("language", "name"), [(language, name) for language in LANGUAGES for name in NAMES]
)


def path_of(site: Path, language: str, name: str) -> Path:
    folder = "" if language == "en" else language
    return site / folder / "notebooks" / f"{name}.ipynb"


@cache
def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def code_of(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose_of(notebook: NotebookNode) -> str:
    cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    return "\n\n".join(cell.source for cell in cells)


def page_of(language: str, name: str) -> Page:
    return page(language, f"{name}.md")


def session_of(name: str) -> sessions.Session:
    return sessions.parse(sessions.SNIPPETS / f"{name}.md")


# --- They run ----------------------------------------------------------------


def here(notebook: NotebookNode) -> list[str]:
    """What each cell prints in this process; sessions cannot be imported."""
    namespace: dict = {"__name__": "__main__"}
    printed = []
    with sessions.own_settings(""):
        for cell in code_of(notebook):
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(cell.source, cell.id, "exec", 0, True), namespace)
            printed.append(out.getvalue())
    return printed


def on_a_kernel(notebook: NotebookNode) -> list[str]:
    """What each cell prints on a kernel of its own."""
    run = nbformat.from_dict(notebook)
    for cell in code_of(run):
        cell.outputs = []
    client = NotebookClient(run, timeout=300, kernel_name="python3")
    client.execute(stderr=subprocess.DEVNULL)  # TensorFlow's libraries greet there
    # What TensorFlow says to stderr depends on the machine; of its warnings some come
    # to stdout in a kernel.
    texts = [
        "".join(o.text for o in cell.outputs if o.get("name") != "stderr")
        for cell in code_of(run)
    ]
    return [re.sub(r"(?m)^WARNING:tensorflow:.*\n", "", text) for text in texts]


def faults(notebook: NotebookNode, run: Callable) -> list[str]:
    """What is not as the notebook shows it, with the cell."""
    return [
        f"cell {cell.id}: {what}"
        for cell, printed in zip(code_of(notebook), run(notebook), strict=True)
        if (what := difference("".join(o.text for o in cell.outputs), printed))
    ]


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_and_prints_what_it_shows(site, name):
    assert not faults(read(path_of(site, "en", name)), here)


@pytest.mark.parametrize("name", NAMES)
def test_the_code_is_the_same_in_both_languages(site, name):
    """But for the title of what stands before it."""
    cells = (code_of(read(path_of(site, language, name))) for language in LANGUAGES)
    for en, zh in zip(*cells, strict=True):
        assert (en.id, en.outputs) == (zh.id, zh.outputs)
        titled = "before" in en.id
        assert en.source.split("\n")[titled:] == zh.source.split("\n")[titled:]


@pytest.mark.parametrize("name", NAMES)
def test_it_names_what_must_be_installed(site, name):
    notebook = read(path_of(site, "en", name))
    code = "\n".join(cell.source for cell in code_of(notebook))
    imports = re.findall(r"(?m)^ *(?:import|from) (\w+)", code)
    for module in {*imports} - sys.stdlib_module_names:
        assert notebooks.MODULES.get(module, module) in notebook.cells[0].source


def test_it_runs_on_a_kernel(site):
    assert not faults(read(path_of(site, "zh", KERNEL)), on_a_kernel)


def small(code: str, shown: str) -> NotebookNode:
    output = [new_output("stream", name="stdout", text=shown)] if shown else []
    return new_notebook(cells=[new_code_cell(code, id="one", outputs=output)])


@pytest.mark.parametrize(
    ("code", "shown", "message"),
    [
        ("print(1.25)", "1.25\n", None),
        ("print(1.2512)", "1.25\n", "cell one: line 1 of the output shows 1.25"),
        ("pass", "1.25\n", "cell one: '1.25' is shown and not printed"),
        ("print(1)", "", "cell one: '1' is printed and not shown"),
    ],
)
def test_what_is_not_as_shown_is_noticed(code, shown, message):
    for run in [here, *[on_a_kernel] * (message is None)]:
        found = faults(small(code, shown), run)
        assert bool(found) == bool(message)
        assert not message or found[0].startswith(message)


def test_a_cell_that_raises_or_takes_names_of_a_session_is_noticed():
    for code, error in [("1 / 0", ZeroDivisionError), ("import check", ImportError)]:
        with pytest.raises(error):
            here(small(code, ""))
    with pytest.raises(CellExecutionError):
        on_a_kernel(small("1 / 0", ""))


# --- They are the pages ------------------------------------------------------


@each
def test_a_notebook_is_valid_and_says_what_it_is(site, language, name):
    notebook = read(path_of(site, language, name))
    nbformat.validate(notebook)
    ids = Counter(cell.id for cell in notebook.cells)
    assert max(ids.values()) == 1
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.metadata.language_info.name == "python"
    assert notebook.metadata.language == language
    assert notebook.cells[0].source.count("\n# ") == 1


@each
def test_the_code_is_that_of_the_page_with_its_outputs(site, language, name):
    cells = code_of(read(path_of(site, language, name)))
    if cells[0].id == "before":
        del cells[0]
    blocks = session_of(name).blocks
    # Its imports of other sessions are comments.
    first = [line.removeprefix("# ") for line in cells[0].source.splitlines()]
    assert first == [line.removeprefix("# ") for line in blocks[0].code.splitlines()]
    assert [c.source for c in cells[1:]] == [b.code.rstrip("\n") for b in blocks[1:]]
    shown = ["".join(output.text for output in cell.outputs) for cell in cells]
    assert shown == [block.shown or "" for block in blocks]


@each
def test_nothing_of_the_prose_is_lost(site, language, name):
    text = prose_of(read(path_of(site, language, name)))
    figures = re.findall(r"<!-- figure:(\S+) -->", text)
    # In place of its figures a page has formulas.
    text = re.sub(r"(?s)<!-- figure:\S+ -->.*?<!-- /figure -->", "", text)
    displays = re.findall(r"(?s)\$\$\n(.*?)\n\$\$", text)
    numbered = [d for d in displays if r"\tag" in d]
    displays = [normal(re.sub(r"\s*\\tag\{[^}]*\}", "", d)) for d in displays]
    there = page_of(language, name)
    in_order, bags = bones(replace(there, text=FRONT.sub("", there.text)))
    wanted = in_order["displays"]
    assert displays == [normal(re.sub(r"\\label\{[^}]*\}", "", d)) for d in wanted]
    assert len(numbered) == len(there.labels)
    text = re.sub(r"(?s)\$\$\n.*?\n\$\$", "", text)
    inline = Counter(map(normal, re.findall(r"\$((?:\\.|[^$\\])+)\$", text)))
    assert not bags["inline"] - inline
    assert Counter(re.findall(r"`([^`\n]+)`", text)) == bags["code"]
    assert figures == [image.source for image in there.images("figure")]


@each
def test_headings_are_those_of_the_page(site, language, name):
    text = prose_of(read(path_of(site, language, name)))
    found = re.findall(r'(?m)^<a id="([^"]*)" name="\1"></a>\n\n(#+) ', text)
    headings = page_of(language, name).headings
    assert found == [(heading.anchor, heading.level) for heading in headings]


NUMBER = re.compile(
    r'<div class="formula" id="(eq-[^"]*)">.*?href="#\1">\(([\d.]+)\)</a>', re.DOTALL
)


@pytest.fixture(scope="module")
def shown(site: Path) -> dict[str, str]:
    """Anchor -> number, on all pages of the site."""
    pages = (path.read_text("utf-8") for path in site.rglob("index.html"))
    return {anchor: number for page in pages for anchor, number in NUMBER.findall(page)}


@each
def test_numbers_of_equations_are_those_of_the_site(site, shown, language, name):
    """There the hook for formulas counts, in the cells ours."""
    text = prose_of(read(path_of(site, language, name)))
    displays = re.findall(r'(?s)<a id="(eq-[^"]*)"[^\n]*\n\n\$\$\n(.*?)\n\$\$', text)
    ours = [(name, re.search(r"\\tag\{(.*)\}", tex)[1]) for name, tex in displays]
    assert ours == NUMBER.findall(html_of(site, language, name))
    for number, anchor in re.findall(r"\[\(([\d.]+)\)\]\([^)]*#(eq-[^)]*)\)", text):
        ours.append((anchor, number))
    assert all(shown[anchor] == number for anchor, number in ours)


@each
def test_links_lead_somewhere(site, language, name):
    path = path_of(site, language, name)
    text = re.sub(r"(?s)\$\$.*?\$\$|`[^`]*`", "", prose_of(read(path)))
    anchors = set(re.findall(r'<a id="([^"]*)"', text))
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert links
    for link in links:
        target, anchor = urldefrag(link)
        if not target:
            assert anchor in anchors, link
        elif not re.match("https?:", target):
            page = (path.parent / unquote(target) / "index.html").resolve()
            assert page.is_relative_to(site)
            assert not anchor or f'id="{anchor}"' in page.read_text("utf-8"), link


@each
def test_other_programs_understand_the_markdown(site, language, name):
    """Bold that CommonMark takes for stars; a mark that only the site knows."""
    read_as = MarkdownIt("commonmark").enable("table")
    for cell in read(path_of(site, language, name)).cells:
        if cell.cell_type != "markdown":
            continue
        text = re.sub(r"(?s)\$\$.*?\$\$|\$(?:\\.|[^$\\])+\$|`[^`]*`", "x", cell.source)
        shown = html.unescape(re.sub("<[^>]*>", "", read_as.render(text)))
        for odd in ["**", "{ #", "--8<--", "!!!", "???", "eqref", "figure:", "$"]:
            assert odd not in shown, f"{cell.id}: {shown}"


@each
def test_solutions_are_folded(site, language, name):
    notebook = read(path_of(site, language, name))
    folded = [
        c for c in notebook.cells if c.metadata.get("jp-MarkdownHeadingCollapsed")
    ]
    pieces = page_of(language, name).pieces
    assert len(folded) == sum(piece.mark == "???" for piece in pieces)
    sections = notebook.metadata.get("colab", {}).get("collapsed_sections", [])
    assert sections == [cell.id for cell in folded]
    assert all(cell.source.startswith("##") for cell in folded)
    # What folds ends with the next heading: nothing but the solution is in it.
    for cell in folded:
        after = notebook.cells[notebook.cells.index(cell) + 1 :]
        level = len(cell.source) - len(cell.source.lstrip("#"))
        ends = (
            c for c in after if re.match(rf"(<a .*\n\n)?#{{1,{level - 1}}} ", c.source)
        )
        assert next(ends, None) is not None or cell in folded[-1:]


@each
def test_the_script_is_the_code(site, language, name):
    path = path_of(site, language, name)
    text = path.with_suffix(".py").read_text("utf-8")
    compile(text, path.name, "exec")
    back = jupytext.reads(text, fmt="py:percent")
    assert [c.source for c in code_of(back)] == [c.source for c in code_of(read(path))]
    assert prose_of(back) == prose_of(read(path))


# --- On the site -------------------------------------------------------------


def html_of(site: Path, language: str, name: str) -> str:
    path = path_of(site, language, name).with_suffix("") / "index.html"
    return path.read_text("utf-8")


@each
def test_a_page_is_light_and_has_all(site, language, name):
    text = html_of(site, language, name)
    assert len(gzip.compress(text.encode())) <= LIMIT
    there = page_of(language, name)
    assert text.count('<div class="formula"') >= len(there.displays)
    shown = len(code_of(read(path_of(site, language, name))))
    assert len(re.findall('class="language-python highlight(?: long)?"', text)) == shown
    assert text.count("<figure") == len(there.images("figure"))
    assert "\n???" not in text
    for foreign in [r"\bjp-", "require.js", "MathJax", "cdnjs", "highlight-ipynb"]:
        assert not re.search(foreign, re.sub(r"(?s)<title>.*?</title>", "", text))


@each
def test_page_and_notebook_lead_to_each_other(site, language, name):
    path = (site if language == "en" else site / language) / name / "index.html"
    top = path.read_text("utf-8").partition("</h1>")[2].partition("<h2")[0]
    bar = re.search('<p class="notebook".*?</p>', top)
    links = re.findall('href="([^"]*)"', bar[0])
    notebook = path_of(site, language, name)
    assert [(path.parent / link).resolve() for link in links] == [
        notebook.with_suffix("").resolve(),
        notebook.resolve(),
        notebook.with_suffix(".py").resolve(),
    ]
    back = Path(os.path.relpath(path.parent, notebook.with_suffix(""))).as_posix()
    assert f'href="{back}/"' in html_of(site, language, name)


@pytest.mark.book
def test_the_search_does_not_find_everything_twice(site):
    for folder in ("", "zh"):
        index = site / folder / "search" / "search_index.json"
        entries = json.loads(index.read_bytes())["docs"]
        assert not [e for e in entries if e["location"].startswith("notebooks/")]


def test_no_page_names_them_in_its_navigation(site):
    nav = re.search(
        r"(?s)<nav class=\"md-nav md-nav--primary.*?</nav>\s*</div>",
        (site / "index.html").read_text("utf-8"),
    )
    assert nav
    assert "notebooks/" not in nav[0]
    assert "notebooks/" not in (site / "sitemap.xml").read_text("utf-8")


# --- What no notebook can show -----------------------------------------------

OUTPUT = f"```\n\n{sessions.OUTPUT}\n```text\n1\n"
PAGE = "# Title { #title }\n\nProse.\n\n"
ONE = '--8<-- "s.md:one"\n'
FIRST = (
    "<!-- --8<-- [start:one] -->\n```python\nx = 1\n```\n<!-- --8<-- [end:one] -->\n"
)


@pytest.fixture
def make(tmp_path, monkeypatch) -> Callable[..., NotebookNode]:
    """The notebook of one page with a session "s.md"."""
    monkeypatch.setattr(sessions, "SNIPPETS", tmp_path / "snippets")
    (tmp_path / "snippets").mkdir()

    def make(text: str, session: str = FIRST, **others: str):
        for name, other in {"s": session, **others}.items():
            (tmp_path / "snippets" / f"{name}.md").write_text(other)
        there = Page("en", "s.md", text)
        around = notebooks.Surroundings(
            site="Book",
            home="https://book.org/",
            addresses={n: f"https://book.org/{n}/" for n in ("s.md", "a.md")},
            numbers=numbers([Page("en", "index.md", ""), there]),
        )
        return notebooks.notebook(there, around)

    return make


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no title\n\n" + ONE, "s.md: it does not begin with a title"),
        ("# Title\n\n" + ONE, "s.md: it does not begin with a title"),
        (PAGE + "## Section\n\n{ #anchor }\n\n", "can show this: { #anchor }"),
        (PAGE + "- item\n\n    " + ONE + "\n", "s.md: no notebook can show this"),
        (PAGE + "!!! note\n\n    Text\n\n", "no notebook can show this: !!! note"),
        (PAGE + '--8<-- "s.md:none"\n\n', "s.md has no section none"),
        (PAGE + "$\\eqref{none}$\n\n", "s.md: no equation has the label none"),
        (PAGE + "[there](none.md)\n\n", "s.md: there is no page none.md"),
        (PAGE + "a ![figure](figure:rot180) b\n\n", "no notebook can show this"),
        (PAGE + "![x](figure:none)\n\n", "s.md: figure:none: no such figure"),
    ],
)
def test_what_it_cannot_show_is_an_error(make, text, message):
    with pytest.raises(notebooks.CannotTell, match=re.escape(message)):
        make(text if ONE in text else text + ONE)


FIGURE = """from book.figures import Panel, figure

@figure("far")
def far(session):
    return [Panel("x", session.written("other:one", "x"))]
"""


def test_what_a_figure_reads_elsewhere_renews_it(make, tmp_path):
    """The session of another page, from which this one takes no name."""
    (tmp_path / "snippets" / "s.py").write_text(FIGURE)
    text = PAGE + ONE + "![x](figure:far)\n"

    def key(number: str) -> str:
        make(text, other=FIRST.replace("1", f"[[{number}]]"))
        return notebook_page.key(Page("en", "s.md", text), "", "")

    assert key("1.5") == key("1.5") != key("2.5")


@pytest.mark.book
def test_only_a_page_whose_code_is_one_session_has_one():
    two = PAGE + ONE + ONE.replace("s.md", "s-torch.md")
    other = PAGE + ONE.replace("s.md", "t.md")
    wanted = {PAGE: False, PAGE + ONE: True, two: False, other: False}
    assert {t: notebooks.has_notebook(Page("en", "s.md", t)) for t in wanted} == wanted


LENDER = FIRST.replace(
    "x = 1",
    "import math\n\nfrom far import one\n\n\ndef near(a):\n    return part(a)\n\n\n"
    "def part(a):\n    return math.floor(a) * one",
)
FAR = FIRST.replace("x = 1", "one = 1\nunused = one")


def test_what_is_taken_keeps_its_meaning(make):
    """Though the session calls something else so, in the one namespace of a kernel."""
    code = "from lender import near\n\npart, math, one = 2, 3, 4\nprint(near(1), part)"
    shown = f"```\n\n{sessions.OUTPUT}\n```text\n1 2\n```\n<!-- --8<-- [end"
    user = FIRST.replace("x = 1", code).replace("```\n<!-- --8<-- [end", shown)
    notebook = make(PAGE + ONE, user, lender=LENDER, far=FAR)
    before, cell = code_of(notebook)
    assert "def part(a):" in before.source
    assert "unused" not in before.source
    assert before.metadata.jupyter.source_hidden
    assert cell.source.startswith("# from lender import near\n")
    assert not faults(notebook, here)


def test_what_is_taken_may_have_another_name(make):
    code = "from lender import near as close\n\nclose(1)"
    lender = LENDER.replace("import one", "import one as unit").replace(
        "* one", "* unit"
    )
    notebook = make(PAGE + ONE, FIRST.replace("x = 1", code), lender=lender, far=FAR)
    assert not faults(notebook, here)


def test_sessions_that_take_names_of_each_other_are_an_error(make):
    code = "from s import x\n\ny = x"
    with pytest.raises(
        sessions.BadSession, match=r"[st]\.md:1: it takes names of a session"
    ):
        make(
            PAGE + ONE,
            FIRST.replace("x = 1", "from t import y\n\nx = y"),
            t=FIRST.replace("x = 1", code),
        )


def test_markdown_of_the_site_becomes_that_of_jupyter(make):
    text = PAGE + (
        "[a](a.md#b), [here](#title), $x$ and `code`.\n\n"
        "$$\n\\label{eq}\nx = y\n$$\n\nBy $\\eqref{eq}$.\n\n"
        '!!! warning "Beware"\n    Of $x$.\n\n'
        "- **Strong.**后 and **strong** words\n\n"
        '??? success "Solution"\n\n    Text.\n\n    --8<-- "s.md:one"\n'
    )
    cells = make(text).cells
    assert cells[1].source == (
        "Prose.\n\n[a](https://book.org/a.md/#b), [here](#title), $x$ and `code`.\n\n"
        '<a id="eq-eq" name="eq-eq"></a>\n\n$$\nx = y\n\\tag{1.1}\n$$\n\n'
        "By [(1.1)](#eq-eq).\n\n> **Beware**\n>\n> Of $x$.\n\n"
        "- <strong>Strong.</strong>后 and **strong** words"
    )
    assert [cell.source for cell in cells[2:]] == ["## Solution", "Text.", "x = 1"]


def test_the_script_runs(site, tmp_path):
    path = path_of(site, "zh", "pooling/average")
    done = subprocess.run(
        [sys.executable, path.with_suffix(".py")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    outputs = (o.text for cell in code_of(read(path)) for o in cell.outputs)
    assert not difference("".join(outputs), done.stdout)
