"""`make.py chapter` makes a chapter that passes the tests, or changes nothing."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tools.chapter.__main__ as command
from book.pages import LANGUAGES, ROOT, nav_pages
from tests.conftest import build
from tests.test_site import copied, html_path

NAME, TITLES = "rnn", {"en": "Recurrent networks", "zh": "循环神经网络"}
# What the repository does not hold.
MADE = [".git", ".venv", ".cache", "node_modules", "build", "site", "__pycache__"]


def snapshot(folder: Path) -> dict[str, bytes]:
    """What the command could change."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in [folder / "mkdocs.yml", *folder.glob("[ds]*/**/*.md")]
    }


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    """A copy of the book with one chapter more."""
    copy = tmp_path_factory.mktemp("chapter") / "book"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*MADE))
    for name in ["node_modules", ".cache"]:
        (copy / name).symlink_to(ROOT / name)
    run = [sys.executable, "make.py", "chapter", NAME, *TITLES.values()]
    done = subprocess.run(run, cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("made ") == 3
    return copy


def test_it_passes_the_tests(book):
    """Those that look at a chapter, and at all of them together."""
    pages = [f"docs/{language}/{NAME}.md" for language in LANGUAGES]
    tests = ["languages", "glossary", "exercises", "style", "chapter"]
    which = f"{NAME} or navigation or punctuation or home or format"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *(f"snippets/{NAME}.md", *pages),
            *(f"tests/test_{name}.py" for name in tests),
            *("-k", which, "--deselect", "tests/test_chapter.py::test_it_builds"),
            *("--deselect", "tests/test_chapter.py::test_it_passes_the_tests"),
        ],
        cwd=book,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 30, done.stdout


def test_it_builds(book):
    done = build(book / "site", root=book)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    for language, title in TITLES.items():
        page = (book / "site" / html_path(language, f"{NAME}.md")).read_text("utf-8")
        assert f"<title>{title} - " in page
        assert f'id="eq-step-{NAME}-gradients"' in page
        assert 'class="verified"' in page
        home = (book / "site" / html_path(language, "index.md")).read_text("utf-8")
        assert home.count(f'href="{NAME}/"') == 1 + 1  # in the navigation, in the table
    assert (book / "site" / "notebooks" / f"{NAME}.ipynb").exists()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_home_page_lists_all_pages(language):
    text = (ROOT / "docs" / language / "index.md").read_text("utf-8")
    listed = re.findall(r"^\| \[.*\]\((\S+\.md)\) \|", text, re.MULTILINE)
    assert ["index.md", *listed] == nav_pages()


# --- Refused -----------------------------------------------------------------


@pytest.fixture(scope="module")
def untouched(tmp_path_factory) -> Path:
    return copied(tmp_path_factory.mktemp("refused"))


@pytest.fixture
def refused(untouched, monkeypatch):
    """Runs the command, which is to end without a trace, and returns what it says."""
    monkeypatch.setattr(command, "ROOT", untouched)

    def run(*arguments: str) -> str:
        before = snapshot(untouched)
        with pytest.raises(SystemExit) as end:
            command.main([*arguments])
        assert snapshot(untouched) == before
        message = str(end.value)
        assert message.startswith("make.py chapter: ")
        assert message.endswith("Nothing was changed.")
        return message

    return run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "a name and two titles"),
        (["rnn", "Recurrent networks"], "a name and two titles"),
        (["RNN", "A", "甲"], "'RNN' is no name"),
        (["cnn/rnn", "A", "甲"], "How to add a page to a chapter"),
        (["../rnn", "A", "甲"], "is no name"),
        (["4", "A", "甲"], "is no name"),
        (["", "A", "甲"], "is no name"),
        (["dense", "A", "甲"], "docs/en/dense.md is there already"),
        (["cnn", "A", "甲"], "docs/en/cnn is there already"),
        (["conventions-torch", "A", "甲"], "snippets/conventions-torch.md is there"),
        (["assets", "A", "甲"], "docs/assets is there"),
        (["zh", "A", "甲"], "docs/zh is there"),
        (["rnn", " ", "甲"], "' ' is empty"),
        (["rnn", "A | B", "甲"], "may not have '|'"),
        (["rnn", "A", "甲 { #a }"], "may not have '{'"),
        (["rnn", "甲", "A"], "'甲' is no en title"),
        (["rnn", "A", "B"], "'B' is no zh title"),
        (["rnn", "A", "甲,乙"], "use full width"),
    ],
)
def test_what_would_not_do_is_refused(refused, arguments, message):
    assert message in refused(*arguments)


@pytest.mark.parametrize("nth", range(6))
def test_a_disk_that_is_full_leaves_no_half_chapter(refused, monkeypatch, nth):
    write, written = Path.write_text, []

    def fails(path: Path, text: str, *rest: str) -> None:
        written.append(path)
        write(path, text[: len(text) // 2], *rest)
        if len(written) > nth:
            raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_text", fails)
    assert "No space left" in refused(NAME, *TITLES.values())
    assert len(written) == nth + 1


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("mkdocs.yml", "  # make.py chapter: - NAME.md\n", "stands no # make.py"),
        ("docs/zh/index.md", "(pooling/average.md)", "docs/zh/index.md: the table has"),
    ],
)
def test_a_list_without_its_place_is_told(refused, untouched, name, line, message):
    path = untouched / name
    text = path.read_text("utf-8")
    assert line in text
    path.write_text(text.replace(line, ""), "utf-8")
    try:
        assert message in refused(NAME, *TITLES.values())
    finally:
        path.write_text(text, "utf-8")
