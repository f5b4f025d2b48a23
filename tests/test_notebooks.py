"""Every notebook is its pages and their sessions, and runs on a clean kernel.

Two kernels run at a time, while the tests that need none go on.
"""

import gzip
import html
import importlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urldefrag

import jupytext
import nbformat
import pytest
from markdown_it import MarkdownIt
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from book import sessions
from book.compare import difference
from book.pages import LANGUAGES, PARTS, ROOT, bones, normal

NOTEBOOKS = [(language, name) for language in LANGUAGES for name in PARTS]
LIMIT = 150_000  # bytes of a notebook's page, as a server sends it
each = pytest.mark.parametrize(("language", "name"), NOTEBOOKS)


def path_of(site: Path, language: str, name: str) -> Path:
    folder = "" if language == "en" else language
    return site / folder / "notebooks" / f"{name}.ipynb"


@cache
def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def source(language: str, page: str) -> str:
    return (ROOT / "docs" / language / page).read_text("utf-8")


def code_of(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose_of(notebook: NotebookNode) -> str:
    cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    return "\n\n".join(cell.source for cell in cells)


@cache
def blocks_of(page: str) -> list[sessions.Block]:
    """What a page shows, in its order."""
    found = []
    for include in bones(source("en", page)).includes:
        name, _, section_name = include.partition(":")
        session = sessions.parse(ROOT / "snippets" / name)
        section = next(s for s in session.sections if s.name == section_name)
        found += [b for b in session.blocks if section.start < b.line < section.end]
    return found


@pytest.fixture(scope="module")
def hooks() -> Iterator[tuple[ModuleType, ModuleType]]:
    """notebooks.py and cells.py, as MkDocs loads them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "site_hooks")
        yield importlib.import_module("notebooks"), importlib.import_module("cells")


# --- They run ----------------------------------------------------------------


def faults(notebook: NotebookNode, where: str) -> list[str]:
    """Run a notebook on a kernel of its own: what is not as it shows; with the cell."""
    run = nbformat.from_dict(notebook)
    for cell in code_of(run):
        cell.outputs = []
    try:
        client = NotebookClient(run, timeout=300, kernel_name="python3")
        client.execute(stderr=subprocess.DEVNULL)  # TensorFlow's libraries greet there
    except CellExecutionError as error:
        failed = [c.id for c in code_of(run) if any("ename" in o for o in c.outputs)]
        return [f"{where}, cell {' '.join(failed)}: {error}"]
    found = []
    for shown, made in zip(code_of(notebook), code_of(run), strict=True):
        # What TensorFlow says to stderr depends on the machine.
        other = [o for o in made.outputs if o.get("name") != "stderr"]
        if odd := [o.output_type for o in other if o.output_type != "stream"]:
            found.append(f"{where}, cell {shown.id}: its output is {odd}")
        printed = "".join(o.text for o in other if o.output_type == "stream")
        # In a kernel TensorFlow warns to stdout.
        printed = re.sub(r"(?m)^WARNING:tensorflow:.*\n", "", printed)
        expected = "".join(output.text for output in shown.outputs)
        if what := difference(expected, printed):
            found.append(f"{where}, cell {shown.id}: {what}")
    return found


@pytest.fixture(scope="module")
def running(site: Path) -> Iterator[dict[tuple[str, str], Future]]:
    """All of them, two at a time."""
    pool = ThreadPoolExecutor(2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
        yield {
            (language, name): pool.submit(
                faults,
                read(path_of(site, language, name)),
                f"{language}: {name} (of {', '.join(PARTS[name])})",
            )
            for language, name in NOTEBOOKS
        }
        pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="module", autouse=True)
def _begin(request: pytest.FixtureRequest) -> None:
    """The kernels start with the first test, whichever it is, where they are asked."""
    asked = (getattr(item, "function", None) for item in request.session.items)
    if test_it_runs_and_prints_what_it_shows in asked:
        request.getfixturevalue("running")


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
        ("1 / 0", "", "cell one: "),
        ("1.5", "", "cell one: its output is ['execute_result']"),
    ],
)
def test_what_is_not_as_shown_is_noticed(code, shown, message):
    found = faults(small(code, shown), "here")
    assert bool(found) == bool(message)
    assert not message or (found[0].startswith("here, ") and message in found[0])


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
def test_the_code_is_that_of_the_pages_with_its_outputs(site, language, name):
    cells = code_of(read(path_of(site, language, name)))
    if cells[0].id == "before":
        del cells[0]
    blocks = [block for page in PARTS[name] for block in blocks_of(page)]
    assert [c.source for c in cells] == [b.code.rstrip("\n") for b in blocks]
    shown = ["".join(output.text for output in cell.outputs) for cell in cells]
    assert shown == [block.shown or "" for block in blocks]


@each
def test_nothing_of_the_prose_is_lost(site, language, name):
    text = prose_of(read(path_of(site, language, name)))
    # In place of its figures a page has formulas.
    text = re.sub(r"(?s)<!-- figure:\S+ -->.*?<!-- /figure -->", "", text)
    displays = re.findall(r"(?s)\$\$\n(.*?)\n\$\$", text)
    numbered = [d for d in displays if r"\tag" in d]
    displays = [normal(re.sub(r"\s*\\tag\{[^}]*\}", "", d)) for d in displays]
    pages = [bones(source(language, page)) for page in PARTS[name]]
    wanted = [d for page in pages for d in page.displays]
    assert displays == [normal(re.sub(r"\\label\{[^}]*\}", "", d)) for d in wanted]
    assert len(numbered) == sum(r"\label" in d for d in wanted)
    text = re.sub(r"(?s)\$\$\n.*?\n\$\$", "", text)
    inline = Counter(map(normal, re.findall(r"\$((?:\\.|[^$\\])+)\$", text)))
    for page in pages:
        formulas = {f: n for f, n in page.inline.items() if r"\eqref" not in f}
        assert not Counter(formulas) - inline
    spans = Counter(re.findall(r"`([^`\n]+)`", text))
    assert spans == sum((page.code for page in pages), Counter())
    figures = [
        figure
        for page in PARTS[name]
        for figure in re.findall(r"\]\(figure:([^)]*)\)", source(language, page))
    ]
    said = re.findall(
        r"<!-- figure:(\S+) -->", prose_of(read(path_of(site, language, name)))
    )
    assert said == figures


@each
def test_headings_are_those_of_the_pages(site, language, name):
    text = prose_of(read(path_of(site, language, name)))
    many = len(PARTS[name]) > 1
    found = re.findall(r'(?m)^<a id="([^"]*)" name="\1"></a>\n\n(#+) ', text)
    found = found[1:] if many else found
    wanted = [
        (f"{Path(page).stem}-{anchor}" if many else anchor, "#" * many + level)
        for page in PARTS[name]
        for level, anchor in re.findall(
            r"(?m)^(#+) .*\{ #([a-z0-9-]+) \}$", source(language, page)
        )
    ]
    assert found == wanted


NUMBER = re.compile(
    r'<div class="formula" id="(eq-[^"]*)">.*?href="#\1">\(([\d.]+)\)</a>', re.DOTALL
)


@pytest.fixture(scope="module")
def numbers(site: Path) -> dict[str, str]:
    """Anchor -> number, on all pages of the site."""
    pages = (path.read_text("utf-8") for path in site.rglob("index.html"))
    return {anchor: number for page in pages for anchor, number in NUMBER.findall(page)}


@each
def test_numbers_of_equations_are_those_of_the_site(site, numbers, language, name):
    """There the hook for formulas counts, in the cells ours."""
    text = prose_of(read(path_of(site, language, name)))
    displays = re.findall(r'(?s)<a id="(eq-[^"]*)"[^\n]*\n\n\$\$\n(.*?)\n\$\$', text)
    ours = [(name, re.search(r"\\tag\{(.*)\}", tex)[1]) for name, tex in displays]
    assert ours == NUMBER.findall(page_of(site, language, name))
    for number, anchor in re.findall(r"\[\(([\d.]+)\)\]\([^)]*#(eq-[^)]*)\)", text):
        ours.append((anchor, number))
    assert all(numbers[anchor] == number for anchor, number in ours)


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
    wanted = sum(source(language, page).count("\n??? ") for page in PARTS[name])
    assert len(folded) == wanted
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


def page_of(site: Path, language: str, name: str) -> str:
    path = path_of(site, language, name).with_suffix("") / "index.html"
    return path.read_text("utf-8")


@each
def test_a_page_is_light_and_has_all(site, language, name):
    text = page_of(site, language, name)
    assert len(gzip.compress(text.encode())) <= LIMIT
    pages = [bones(source(language, page)) for page in PARTS[name]]
    wanted = sum(len(page.displays) for page in pages)
    assert text.count('<div class="formula"') >= wanted
    shown = len(code_of(read(path_of(site, language, name))))
    assert len(re.findall('class="language-python highlight"', text)) == shown
    assert text.count("<figure") == sum(
        source(language, page).count("](figure:") for page in PARTS[name]
    )
    folded = [text.count(f"\n{what}") for what in ("???", "<details")]
    assert folded[0] == 0
    for foreign in ["jp-", "require.js", "MathJax", "cdnjs", "highlight-ipynb"]:
        assert foreign not in re.sub(r"(?s)<title>.*?</title>", "", text)


@each
def test_pages_and_notebooks_lead_to_each_other(site, language, name):
    folder = site if language == "en" else site / language
    for page in PARTS[name]:
        path = folder / page.removesuffix(".md") / "index.html"
        bar = re.search(
            r'(?s)</h1>\s*<p class="notebook".*?</p>', path.read_text("utf-8")
        )
        links = re.findall('href="([^"]*)"', bar[0])
        targets = [(path.parent / link).resolve() for link in links]
        notebook = path_of(site, language, name)
        assert targets == [
            notebook.with_suffix("").resolve(),
            notebook.resolve(),
            notebook.with_suffix(".py").resolve(),
        ]
        back = Path(os.path.relpath(path.parent, notebook.with_suffix(""))).as_posix()
        assert f'href="{back}/"' in page_of(site, language, name)


def test_the_search_does_not_find_everything_twice(site):
    for folder in ("", "zh"):
        index = site / folder / "search" / "search_index.json"
        entries = json.loads(index.read_bytes())["docs"]
        assert not [e for e in entries if e["location"].startswith("notebooks/")]


def test_a_build_makes_the_same_bytes_and_runs_nothing(site, tmp_path):
    """Another process, whose sets have another order; kernels would fail in it."""
    program = (
        "import nbclient, runpy, sys\n"
        "def execute(*_, **__): sys.exit('a notebook was executed')\n"
        "nbclient.NotebookClient.setup_kernel = execute\n"
        "nbclient.NotebookClient.async_setup_kernel = execute\n"
        "sys.argv[0] = 'mkdocs'\n"
        "runpy.run_module('mkdocs', run_name='__main__')\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "1", "NO_MKDOCS_2_WARNING": "1"}
    command = ["-c", program, "build", "--quiet", "-d", str(tmp_path)]
    subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, check=True)
    for language, name in NOTEBOOKS:
        for suffix in (".ipynb", ".py"):
            path = path_of(site, language, name).with_suffix(suffix)
            again = tmp_path / path.relative_to(site)
            assert path.read_bytes() == again.read_bytes(), path


# --- What no notebook can show -----------------------------------------------

OUTPUT = f"```\n\n{sessions.OUTPUT}\n```text\n1\n"
PAGE = "# Title { #title }\n\nProse.\n\n"
FIRST = (
    "<!-- --8<-- [start:one] -->\n```python\nx = 1\n```\n<!-- --8<-- [end:one] -->\n"
)
SECOND = FIRST.replace("one]", "two]").replace("x = 1", "y = x")
THIRD = FIRST.replace("one]", "three]").replace("x = 1", "z = y")


@pytest.fixture
def make(hooks, tmp_path, monkeypatch) -> Callable[..., NotebookNode]:
    """The notebook of one page with a session "s.md"."""
    monkeypatch.setattr(hooks[1], "SNIPPETS", tmp_path)

    def make(text: str, session: str = FIRST + SECOND + THIRD, **others: str):
        (tmp_path / "s.md").write_text(session)
        for name, other in others.items():
            (tmp_path / f"{name}.md").write_text(other)
        part = hooks[1].Part("part", {}, ["page.md"])
        around = hooks[1].Surroundings(
            language="en",
            site="Book",
            home="https://book.org/",
            sources={"page.md": text},
            addresses={
                name: f"https://book.org/{name}/" for name in ("page.md", "a.md")
            },
            equations=hooks[1].equations({"page.md": text}),
        )
        return hooks[1].notebook(part, around)

    return make


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no title", "does not begin with a title"),
        ("# Title\n", "does not begin with a title"),
        (PAGE + "## Section\n\n{ #anchor }", "no notebook can show this: { #anchor }"),
        (PAGE + '    --8<-- "s.md:one"', "no notebook can show this"),
        (PAGE + "!!! note\n\n    Text", "no notebook can show this: !!! note"),
        (PAGE + '--8<-- "s.md:none"', "s.md has no section none"),
        (PAGE + r"$\eqref{none}$", "no equation has the label none"),
        (PAGE + "[there](none.md)", "there is no page none.md"),
        (PAGE + "a ![figure](figure:rot180) b", "no notebook can show this"),
        (
            PAGE + '--8<-- "s.md:one"\n\n--8<-- "s.md:three"',
            "leaves code out in the middle",
        ),
    ],
)
def test_what_it_cannot_show_is_an_error(hooks, make, text, message):
    with pytest.raises(hooks[1].CannotTell, match=re.escape(message)):
        make(text)


def test_it_may_begin_in_the_middle_of_a_session(make):
    notebook = make(PAGE + '--8<-- "s.md:three"\n')
    assert [c.source.split("\n") for c in code_of(notebook)] == [
        ["# @title From the pages before", "x = 1", "y = x"],
        ["z = y"],
    ]
    assert code_of(notebook)[0].metadata.jupyter.source_hidden


LENDER = FIRST.replace(
    "x = 1",
    "import math\n\n\ndef near(a):\n    return part(a)\n\n\n"
    "def part(a):\n    return math.floor(a)",
)
USER = "<!-- uses: lender.md -->\n" + FIRST.replace(
    "x = 1", "import math\n\nx = near(1)"
)


def test_what_is_lent_stands_before(make):
    notebook = make(PAGE + '--8<-- "s.md:one"\n', USER, lender=LENDER)
    assert "def part(a):" in code_of(notebook)[0].source
    assert not faults(notebook, "here")


def test_what_is_lent_keeps_its_meaning(make):
    """Though the session calls something else so, in the one namespace of a kernel."""
    session = USER.replace("x = near(1)", "part, math = 2, 3\nx = near(1)\nprint(x)")
    shown = session.replace("```\n<!-- --8<-- [end", OUTPUT + "```\n<!-- --8<-- [end")
    notebook = make(PAGE + '--8<-- "s.md:one"\n', shown, lender=LENDER)
    assert not faults(notebook, "here")


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


# --- At last, what the kernels said ------------------------------------------


@each
def test_it_runs_and_prints_what_it_shows(running, language, name):
    assert not running[language, name].result()


@pytest.mark.parametrize(("language", "name"), [("en", "forward"), ("zh", "check")])
def test_the_script_runs(site, tmp_path, language, name):
    path = path_of(site, language, name)
    done = subprocess.run(
        [sys.executable, path.with_suffix(".py")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    outputs = (o.text for cell in code_of(read(path)) for o in cell.outputs)
    assert not difference("".join(outputs), done.stdout)
