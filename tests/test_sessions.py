"""Bad input is named with file and line and changes nothing; good input runs."""

import ast
import textwrap
from pathlib import Path

import numpy as np
import pytest

from book import sessions

OUTPUT = sessions.OUTPUT
pytest_plugins = ["pytester"]


@pytest.fixture
def write(tmp_path):
    """Write a session where the stricter rules for snippets/ hold; return its path."""

    def write(text: str) -> Path:
        path = tmp_path / "snippets" / "example.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
        return path

    return write


def overwritten(path: Path) -> list[str]:
    """Where a session gives the name of one of its functions to something else."""
    functions: set[str] = set()
    found = []
    for block in sessions.parse(path).blocks:
        for node in ast.parse(block.code).body:
            if isinstance(node, ast.FunctionDef):
                set_here = {node.name}
            else:
                names = (n for n in ast.walk(node) if isinstance(n, ast.Name))
                set_here = {n.id for n in names if isinstance(n.ctx, ast.Store)}
            line = block.line + node.lineno
            found += [f"{path.name}:{line}: {n}" for n in sorted(set_here & functions)]
            if isinstance(node, ast.FunctionDef):
                functions.add(node.name)
    return found


@pytest.mark.parametrize(
    "path",
    sessions.paths(),
    ids=sessions.name_of,
)
def test_a_function_stays_what_it_is(path):
    """Pages of one chapter share a namespace: `whole = 3` here breaks a call there."""
    assert not overwritten(path)


def test_a_name_that_is_given_again_is_found(write):
    code = "def f(x):\n    return x\n\n\nfor f in (1, 2):\n    print(f)\n"
    assert overwritten(write(f"```python\n{code}```\n")) == ["example.md:6: f"]


BLOCK = "```python\nprint(1.5)\n```\n"
SHOWN = f"{OUTPUT}\n```text\n1.5\n```\n"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (f"<!-- --8<-- [start:a] -->\n{BLOCK}{SHOWN}", 1, "'a' is never closed"),
        (f"{BLOCK}{SHOWN}<!-- --8<-- [end:a] -->\n", 8, "'a' ends but never began"),
        (
            "<!-- --8<-- [start:a] -->\n<!-- --8<-- [start:b] -->\n",
            2,
            "'a' is still open",
        ),
        (
            "<!-- --8<-- [start:a] -->\n<!-- --8<-- [end:a] -->\n" * 2,
            3,
            "two sections 'a'",
        ),
        ("<!-- --8<-- [start: a] -->\n", 1, "a section marker stands alone"),
        ("```python\n# --8<-- [start:a]\n```\n", 2, "a section marker stands alone"),
        ("text\n```python\nprint(1)\n", 2, "never closed"),
        (SHOWN, 1, "an output with no code before it"),
        (f"{BLOCK}{SHOWN}{SHOWN}", 8, "an output with no code before it"),
        (f"{BLOCK}{OUTPUT}\n", 4, "no output after it"),
        (f"{BLOCK}{OUTPUT}\n{BLOCK}", 5, "an output opens with ```text"),
        (f"{BLOCK}```text\n1.5\n```\n", 4, "nothing compares this"),
        ("```python title='x'\n1\n```\n", 1, "would be skipped"),
        ("``` python\n1\n```\n", 1, "would be skipped"),
        ("~~~python\n1\n~~~\n", 1, "would be skipped"),
        ("```py\n1\n```\n", 1, "would be skipped"),
        ("```Python\n1\n```\n", 1, "would be skipped"),
        ("``` {.python .annotate}\n1\n```\n", 1, "would be skipped"),
        ("text\n  ```python\n  1\n  ```\n", 2, "would be skipped"),
        ("> ```python\n> 1\n> ```\n", 1, "would be skipped"),
        (f"<!--pytest-codeblocks:skip-->\n{BLOCK}", 1, "every block is run"),
        (f"<!--pytest.mark.skip-->\n{BLOCK}", 1, "every block is run"),
        (f"{BLOCK}<!-- pytest-codeblocks:cont -->\n{BLOCK}", 4, "every block is run"),
        (f"<!-- needs torch -->\n{BLOCK}", 1, "<!-- needs: torch -->"),
        (f"<!--needs: torch-->\n{BLOCK}", 1, "<!-- needs: torch -->"),
        (f"<!-- Needs: torch -->\n{BLOCK}", 1, "<!-- needs: torch -->"),
        (f"<!-- needs: torch==2 -->\n{BLOCK}", 1, "<!-- needs: torch -->"),
        (f"<!-- needs: torch --> x\n{BLOCK}", 1, "<!-- needs: torch -->"),
        (f"text\n<!-- needs: torch -->\n{BLOCK}", 2, "first line and nowhere else"),
        ("<!-- needs: a -->\n<!-- needs: b -->\n", 2, "first line and nowhere else"),
    ],
)
def test_a_malformed_session_is_refused(write, text, line, words):
    path = write(text)
    with pytest.raises(sessions.BadSession) as caught:
        sessions.parse(path)
    assert f"{path}:{line}: " in str(caught.value)
    assert words in str(caught.value)


def test_a_page_holds_no_python_of_its_own(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("text\n\n    ```python\n    1\n    ```\n")
    with pytest.raises(
        sessions.BadSession, match=r"page\.md:3: a page holds no Python"
    ):
        sessions.check_page(page)
    page.write_text("````markdown\n```python\n1\n```\n````\n")  # shown, not run
    sessions.check_page(page)


def test_the_blocks_of_a_session_share_one_namespace(write):
    session = sessions.parse(
        write("```python\nx = 2\n```\ntext\n```python\ny = x + 1\n```\n")
    )
    result = sessions.run(session)
    assert result.error is None
    assert result.namespace["y"] == 3
    assert [block.line for block in session.blocks] == [1, 5]


@pytest.fixture
def lend(write):
    """Write a session, part/lender.md, of which others take names; return its path."""

    def lend(code: str) -> Path:
        path = write(f"```python\n{code}\n```\n")
        path.parent.joinpath("part").mkdir(exist_ok=True)
        return path.rename(path.parent / "part" / "lender.md")

    return lend


LENDER = """scale = 2
print("not printed by the borrower")
rows = np.zeros(3)


def double(x):
    return scale * x
"""


def test_a_session_takes_names_of_another(write, lend):
    lend(f"import numpy as np\n\n{LENDER}")
    code = "from part.lender import double, rows\n\nscale = 7\nprint(double(3), rows)"
    path = write(f"```python\n{code}\n```\n")
    result = sessions.run(sessions.parse(path))
    assert result.error is None
    assert result.printed == ["6 [0. 0. 0.]\n"]  # not 21: double keeps its own scale
    names = {path.parent / "part" / "lender.md": ["double", "rows"]}
    assert sessions.taken(sessions.parse(path)) == names


def test_a_session_is_run_once_and_what_others_take_of_it_stays(write, lend):
    lend("import numpy as np\n\nrows = np.zeros(3)\nruns = []")
    code = (
        "from part.lender import rows, runs\n\nruns.append(1)\nprint(runs)\nrows[0] = 1"
    )
    for number in (1, 2):
        result = sessions.run(sessions.parse(write(f"```python\n{code}\n```\n")))
        assert "read-only" in result.error
        code = code.replace("print(runs)", f"assert runs == {[1] * (number + 1)}")


@pytest.mark.parametrize(
    ("there", "here", "message"),
    [
        ("x = 1", "from part.lender import y", "cannot import name 'y' from 'part.l"),
        ("1 / 0", "from part.lender import x", "lender.md:2: the session raises"),
        ("from example import x", "from part.lender import x", "example takes names"),
        ("x = 1", "from part.nowhere import x", "No module named 'part'"),
    ],
)
def test_a_name_that_cannot_be_taken_is_told(write, lend, there, here, message):
    lend(there)
    result = sessions.run(sessions.parse(write(f"```python\n{here}\n```\n")))
    assert message in result.error


@pytest.mark.parametrize(
    "code",
    [
        "import part.lender",
        "from part.lender import *",
        "if 1:\n    from part.lender import x",
        "y = 1\n```\n\n```python\nfrom part.lender import x",
    ],
)
def test_a_session_takes_names_one_by_one_and_at_the_top(write, lend, code):
    lend("x = 1")
    with pytest.raises(
        sessions.BadSession, match=r"example\.md:\d: .*from part.lender"
    ):
        sessions.parse(write(f"```python\n{code}\n```\n"))


def test_a_session_that_raises_is_quoted_with_file_and_line(write):
    path = write("# Title\n\n```python\nx = 1\n```\n\n```python\n\nx / 0\n```\n")
    result = sessions.run(sessions.parse(path))
    assert result.error.startswith(f"{path}:9: the session raises\n")
    assert "x / 0" in result.error
    assert "ZeroDivisionError" in result.error
    assert "sessions.py" not in result.error


def test_a_syntax_error_is_told_with_file_and_line(write):
    path = write("# Title\n\n```python\nx = 1\ny = = 2\n```\n")
    with pytest.raises(sessions.BadSession, match=rf"{path}:5: SyntaxError: "):
        sessions.parse(path)


def test_a_session_in_a_folder_is_held_to_the_same(write):
    path = write(f"{BLOCK}```text\n1.5\n```\n")
    deep = path.parent / "part" / "deep.md"
    deep.parent.mkdir()
    path.rename(deep)
    with pytest.raises(sessions.BadSession, match=r"deep\.md:4: nothing compares this"):
        sessions.parse(deep)


def test_settings_of_the_process_do_not_leak_out_of_a_session(write):
    keras = pytest.importorskip("keras")
    before = (
        np.get_printoptions(),
        np.random.get_state()[1].tolist(),
        keras.config.floatx(),
    )
    session = sessions.parse(
        write(
            """
            ```python
            import keras
            import numpy as np

            np.set_printoptions(precision=2)
            np.random.seed(7)
            keras.config.set_floatx("float64")
            ```
            """
        )
    )
    assert sessions.run(session).error is None
    after = (
        np.get_printoptions(),
        np.random.get_state()[1].tolist(),
        keras.config.floatx(),
    )
    assert after == before


@pytest.fixture
def pytester_book(pytester):
    """A copy of the book's own machinery, with a snippets/ of its own."""
    pytester.makeconftest((sessions.ROOT / "conftest.py").read_text(encoding="utf-8"))
    pytester.makeini("[pytest]\naddopts = --codeblocks\n")
    (pytester.path / "snippets").mkdir()
    return pytester


def run(pytester_book, text, *options):
    path = pytester_book.path / "snippets" / "example.md"
    path.write_text(text, encoding="utf-8")
    result = pytester_book.runpytest_inprocess("-p", "no:cacheprovider", *options)
    return result, path.read_text(encoding="utf-8")


WRONG = f"{BLOCK}{OUTPUT}\n```text\n2.5\n```\n"


def test_a_wrong_output_fails_and_names_file_line_shown_and_printed(pytester_book):
    result, text = run(pytester_book, f"# Title\n\n{WRONG}")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*snippets/example.md:7: *", "shown:", "2.5"])
    result.stdout.fnmatch_lines(["printed:", "1.5", "*--update-outputs*"])
    assert text.endswith(WRONG)


def test_every_wrong_output_is_listed_also_before_an_exception(pytester_book):
    result, _ = run(pytester_book, f"{WRONG}\n{WRONG}\n```python\n1 / 0\n```\n")
    result.stdout.fnmatch_lines(
        ["*md:5: *", "*md:13: *", "*md:18: the session raises*"]
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BLOCK, "*md:1: prints, but shows no output*"),
        (
            f"```python\nx = 1\n```\n{SHOWN}",
            "*md:1: shows an output, but prints nothing",
        ),
        (
            BLOCK.replace("1.5", "'[[1.5]]'") + SHOWN.replace("1.5", "[1.5]"),
            "*md:5: the array shown has shape (1,), the one printed (1, 1)",
        ),
        (f"```py\n1\n```\n{SHOWN}", "*md:1: this block would be skipped*"),
    ],
)
def test_what_a_reader_could_not_trust_fails(pytester_book, text, message):
    result, unchanged = run(pytester_book, text)
    result.stdout.fnmatch_lines([message])
    assert result.ret != 0
    assert unchanged == text


def test_update_rewrites_what_changed_and_nothing_else(pytester_book, monkeypatch):
    rounding = f"```python\nprint(0.33333)\n```\n{OUTPUT}\n```text\n0.3333\n```\n"
    text = f"{rounding}\n{WRONG}\ntail\n"
    # Under other versions than the locked ones rounding is not worth a change.
    monkeypatch.setattr(sessions, "all_locked", lambda: False)
    result, other = run(pytester_book, text, "--update-outputs")
    result.assert_outcomes(passed=1)
    assert other == f"{rounding}\n{WRONG.replace('2.5', '1.5')}\ntail\n"
    again, same = run(pytester_book, other, "--update-outputs")
    again.assert_outcomes(passed=1)
    assert same == other
    monkeypatch.setattr(sessions, "all_locked", lambda: True)
    again, exact = run(pytester_book, other, "--update-outputs")
    again.assert_outcomes(passed=1)
    assert exact == other.replace("0.3333\n", "0.33333\n")


def test_under_the_lock_a_digit_that_would_pass_by_value_fails(pytester_book):
    close = SHOWN.replace("1.5", "1.500001")
    assert sessions.all_locked()
    result, _ = run(pytester_book, f"{BLOCK}{close}")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*md:5: line 1, character 4 of the output shows '0'*"])
    torch = f"<!-- needs: numpy -->\n{BLOCK}{close}"  # not locked, for all we know
    result, _ = run(pytester_book, torch)
    result.assert_outcomes(passed=1)


def test_update_writes_an_output_that_is_missing(pytester_book):
    result, text = run(pytester_book, BLOCK, "--update-outputs")
    result.assert_outcomes(passed=1)
    assert text == f"{BLOCK}\n{SHOWN}"


def test_update_refuses_where_an_assert_fails(pytester_book):
    wrong = f"{WRONG}\n```python\nassert 1.5 == 2.5\n```\n"
    result, text = run(pytester_book, wrong, "--update-outputs")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*AssertionError*", "nothing was updated"])
    assert text == wrong


def test_update_refuses_to_drop_an_output(pytester_book):
    silent = f"{WRONG}\n```python\nx = 1\n```\n{SHOWN}"
    result, text = run(pytester_book, silent, "--update-outputs")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*md:13: the code prints nothing now*"])
    assert text == silent


def test_a_session_is_skipped_where_the_module_that_it_needs_is_not(pytester_book):
    result, text = run(pytester_book, f"<!-- needs: no_such -->\n{WRONG}", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(
        ["SKIPPED * snippets/example.md: needs no_such, which is not installed: *"]
    )
    result, same = run(pytester_book, text, "--update-outputs")
    result.assert_outcomes(skipped=1)
    assert same == text
    result, _ = run(pytester_book, f"<!-- needs: numpy -->\n{WRONG}")
    result.assert_outcomes(failed=1)


@pytest.mark.book
def test_every_markdown_file_with_python_is_a_test_item(pytester_book):
    """README and whatever comes later: nobody has to list them."""
    (pytester_book.path / "README.md").write_text(
        f"{BLOCK}{SHOWN}\n```sh\nexit 1\n```\n"
    )
    (pytester_book.path / "notes").mkdir()
    (pytester_book.path / "notes" / "deep.md").write_text(WRONG)
    result, _ = run(pytester_book, BLOCK + SHOWN)
    result.assert_outcomes(passed=2, failed=1)
