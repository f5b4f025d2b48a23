"""`make.py notebook` runs a page's notebook, and keeps what it printed by then."""

import io
import os
import re
import signal
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import nbformat
import pytest
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import tools.notebook as command
from book import Mistake, sessions
from book.pages import ROOT, page

PAGE = "zh/graph/paths"


@pytest.fixture(scope="module")
def config() -> MkDocsConfig:
    return load_config(str(ROOT / "mkdocs.yml"))


def cells(*codes: str) -> list[NotebookNode]:
    """Of which the page says that each prints 2."""
    shown = [new_output("stream", name="stdout", text="2\n")]
    numbered = enumerate(codes)
    code = [new_code_cell(c, id=f"cell-{n}", outputs=shown) for n, c in numbered]
    return [new_markdown_cell("## Two"), *code]


def outputs(found: list[NotebookNode]) -> list[str]:
    return [*command.printed(found).values()]


@pytest.mark.parametrize(
    ("ends", "code", "told"),
    [
        ("x = 1", 0, ""),
        ("int('x')", 1, "    int('x')\n"),  # the line that raises
        ("raise KeyboardInterrupt", 130, ""),
    ],
)
def test_what_was_printed_is_kept_however_a_cell_ends(capsys, ends, code, told):
    found = cells("print(1)", f"print(2)\n{ends}", "print(x + 2)")
    assert command.run(found) == code
    printed = ["1\n", "2\n", "" if code else "3\n"]
    assert outputs(found) == printed
    seen = capsys.readouterr()
    assert seen.out == "\n## Two\n" + "".join(printed)
    assert told in seen.err
    assert bool(seen.err) == bool(told)


def test_what_is_printed_takes_the_place_of_the_progress():
    """In a terminal, where both are in one line."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

        def flush(self) -> None:
            self.seen = self.getvalue()

    terminal = Terminal()
    both = command.Both(terminal)
    print("a", "b", file=both)
    print(file=both)
    assert both.getvalue() == "a b\n\n"
    clear = "\r\x1b[K"
    assert terminal.seen == f"{clear}a b\n{clear}\n"


def test_a_page_without_a_notebook_is_told():
    for name in ("learning/digitss", "conventions", "index", "en/dense"):
        with pytest.raises(Mistake, match=f"no notebook '{name}'; .*, dense, .*zh/"):
            command.page_at(name)
    with pytest.raises(Mistake, match="of which page"):
        command.main()


@pytest.mark.book
@pytest.mark.parametrize("place", ["dense", "zh/dense"])
def test_its_links_lead_to_files_of_the_site(site, config, place):
    around = command.surroundings(command.page_at(place), config)
    folder = ROOT / command.FOLDER / Path(place).parent
    for address in around.addresses.values():
        path = Path(os.path.normpath(folder / address))
        assert (site / path.relative_to(ROOT / command.SITE)).is_file(), address
    assert around.site == {"d": config.site_name, "z": "反向传播：推导与验证"}[place[0]]


@pytest.fixture(scope="module")
def ran() -> tuple[Path, str]:
    """The HTML file of a page that was run, and what was said."""
    out = io.StringIO()
    with sessions.own_settings(""), redirect_stdout(out):
        assert command.main(PAGE) == 0
    return ROOT / command.FOLDER / f"{PAGE}.html", out.getvalue()


def test_it_says_where_it_is(ran):
    path, said = ran
    assert path.as_uri() in said
    assert "not what the page shows" not in said


def test_it_is_written_with_formulas_and_figures(ran):
    path, _ = ran
    there = page("zh", "graph/paths.md")
    text = path.read_text("utf-8")
    assert text.count("<figure ") == len(there.images("figure"))
    assert text.count('<div class="drawn"') == len(there.displays)
    assert [*re.findall(r'id="eq-([^"]*)"', text)] == there.labels
    for left in ["arithmatex", "eqref", "figure:", "$", "??? ", "<script"]:
        assert left not in re.sub("(?s)<style>.*?</style>|<pre.*?</pre>", "", text)
    notebook = nbformat.read(path.with_suffix(".ipynb"), as_version=4)
    for output in filter(None, outputs(notebook.cells)):
        assert output.partition("\n")[0] in text


def test_it_needs_no_other_file_and_does_not_scroll_sideways(ran, browser):
    opened = browser.new_page(viewport={"width": 390, "height": 800})
    asked = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(ran[0].as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth") == 390
    assert asked == [ran[0].as_uri()]
    opened.close()


def test_a_figure_has_its_words_and_its_links(config):
    """As that of the home page has, in the language and from the file's place."""
    here = command.page_at(PAGE)
    around = command.surroundings(here, config)
    cell = new_markdown_cell("![seen](figure:network)")
    text = command.html([cell], here, around, config)
    assert "最大池化" in text
    assert 'href="../../../../site/zh/cnn/forward/index.html#entry"' in text


def test_what_the_page_does_not_show_is_told(capsys, monkeypatch):
    """Since its figures are made of what it shows."""
    changed = new_notebook(cells=cells("print(2)", "print(3)", "print(2.0)"))
    monkeypatch.setattr(command.notebooks, "notebook", lambda *_: changed)
    assert command.main("dense") == 0
    told = "not what the page shows, from which its figures are drawn: cell-1, cell-2\n"
    assert told in capsys.readouterr().out


FAKE = """
import time

try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(1)  # while it writes
    print("written")
    raise SystemExit(130)
"""


@pytest.mark.skipif(os.name == "nt", reason="there, no signal goes to a group alone")
def test_after_ctrl_c_it_has_the_time_to_write(tmp_path):
    """The terminal sends the signal to make.py, too."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "notebook.py").write_text(FAKE)
    code = f"import make, pathlib; make.ROOT = pathlib.Path({str(tmp_path)!r})\n"
    code += "make.notebook('dense')"
    started = [sys.executable, "-c", code]
    options = {"stdout": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen(started, cwd=ROOT, **options) as running:
        assert running.stdout.readline() == "ready\n"
        os.killpg(running.pid, signal.SIGINT)
        assert running.stdout.read() == "written\n"
    assert running.returncode == 130
