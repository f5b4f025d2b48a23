"""`make.py chapter` makes pages that pass the tests, or changes nothing."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import tools.chapter.__main__ as command
from book import sessions
from book.pages import LANGUAGES, REFERENCE, ROOT, contents
from tests.conftest import build
from tests.test_site import html_path

TITLES = ["Adversarial networks", "生成对抗网络"]
# A chapter of one page; the first page of a part, which is named, too; another of it.
MADE = {
    "gan": TITLES,
    "seq/lstm": ["Long memory", "长短期记忆", "Sequences", "序列"],
    "seq/gru": ["Gated unit", "门控循环单元"],
}
# What any book needs, and nothing that belongs to one page.
MACHINERY = ["book", "explorers", "site_hooks", "tests", "tools", "docs/assets"]
MACHINERY += ["docs/en/glossary.md", "docs/zh/glossary.md", "conftest.py"]
MACHINERY += ["mkdocs.yml", "package.json", "package-lock.json", "pyproject.toml"]
MACHINERY += ["requirements.txt", "CONTRIBUTING.zh.md", "README.zh.md"]
# What a new page stands on.
PAGES = {
    "index.md": "# H { #h }\n\n<!-- contents -->\n",
    "notation.md": """# N { #n }

## δ { #delta }

$$
x \\label{step-chain-rule}
$$
""",
    "conventions.md": "# C { #c }\n",
    "explorer.md": "# E { #e }\n",
    "verification.md": "# V { #outputs }\n\n<!-- verification table -->\n",
}


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def terms(language: str) -> str:
    """Those of all pages, as one page of the small book has them."""
    found = {}
    for page in contents()[language]:
        for name, entry in page.front.get("terms", {}).items():
            found[name] = {key: entry[key] for key in entry if key != "at"}
    return yaml.safe_dump({"terms": found}, allow_unicode=True)


def small_book(folder: Path) -> Path:
    """A book of a few pages, with the session that every new page uses."""
    for name in MACHINERY:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    (folder / ".cache").mkdir()
    for name in ["node_modules", ".cache/mathematics"]:  # but not the record of checks
        (folder / name).symlink_to(ROOT / name)
    for path in sessions.stands_on(sessions.SNIPPETS / "check.md"):
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    for language in LANGUAGES:
        for order, (name, text) in enumerate(PAGES.items()):
            path = folder / "docs" / language / name
            path.parent.mkdir(exist_ok=True)
            front = f"title: {path.stem}\norder: {order * 300}\nsummary: s\n"
            part = REFERENCE[language] if order > 1 else ""
            front += f"part: {part}\n" if part else ""
            front += terms(language) if name == "notation.md" else ""
            text = f"---\n{front}description: d\n---\n{text}"
            path.write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    """With the new pages."""
    folder = small_book(tmp_path_factory.mktemp("chapter"))
    before = snapshot(folder)
    for name, words in MADE.items():
        run = [sys.executable, "-m", "tools.chapter", name, *words]
        done = subprocess.run(run, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("made ") == 4
    after = snapshot(folder)
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 4 * len(MADE)
    return folder


def test_they_pass_the_tests(book):
    """Those that look at a page, and at all of them together."""
    pages = [f"docs/{language}/{name}.md" for language in LANGUAGES for name in MADE]
    tests = ["languages", "glossary", "exercises", "style", "figures", "properties"]
    tests += ["notebooks", "site", "browser", "formulas", "numerals"]
    tests += ["alternatives"]
    which = "gan or seq or format or punctuation or every_figure or know_the_same"
    which += " or amiss_in_a_page"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *(f"snippets/{name}.md" for name in MADE),
            *(*pages, *(f"tests/test_{name}.py" for name in tests), "-k", which),
        ],
        cwd=book,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 200, done.stdout


def test_they_build(book):
    done = build(book / "site", root=book)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    numbers = {"gan": 2, "seq/lstm": 3, "seq/gru": 4}  # after notation.md
    for name, words in MADE.items():
        label = name.replace("/", "-")
        for language, title in zip(LANGUAGES, words[:2], strict=True):
            page = (book / "site" / html_path(language, f"{name}.md")).read_text()
            assert f"<title>{numbers[name]} {title} - " in page
            assert f'id="eq-{label}-weight"' in page
            assert f'id="figure-{label}-input"' in page
            assert "<conv-explorer" in page
            assert '<p class="verified">' in page
            home = (book / "site" / html_path(language, "index.md")).read_text()
            # In the navigation, in the table.
            assert home.count(f'href="{name}/"') == 1 + 1
        assert (book / "site" / "notebooks" / f"{name}.ipynb").exists()


def test_they_stand_in_their_places(book):
    orders = {
        name: re.search(r"(?m)^order: (\d+)$", path.read_text("utf-8"))[1]
        for name in MADE
        for path in [book / "docs" / "zh" / f"{name}.md"]
    }
    # After notation.md, 300, and before conventions.md, 600.
    assert orders == {"gan": "400", "seq/lstm": "510", "seq/gru": "520"}


# --- Refused -----------------------------------------------------------------


@pytest.fixture
def refused(monkeypatch):
    """Runs the command, which is to end without a trace, and returns what it says."""

    def run(root: Path, *arguments: str) -> str:
        monkeypatch.setattr(command, "ROOT", root)
        before = {place: snapshot(root / place) for place in ("docs", "snippets")}
        with pytest.raises(SystemExit) as end:
            command.main([*arguments])
        after = {place: snapshot(root / place) for place in ("docs", "snippets")}
        assert after == before
        message = str(end.value)
        assert message.startswith("make.py chapter: ")
        assert message.endswith("Nothing was changed.")
        return message

    return run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "a name and two titles"),
        (["gan", "Adversarial networks"], "a name and two titles"),
        (["gan", "A", "甲", "B"], "a name and two titles"),
        (["RNN", "A", "甲"], "'RNN' is no name"),
        (["../gan", "A", "甲"], "is no name"),
        (["a/b/c", "A", "甲"], "is no name"),
        (["4", "A", "甲"], "is no name"),
        (["", "A", "甲"], "is no name"),
        (["numpy", "A", "甲"], "numpy is a module of Python"),
        (["code/gan", "A", "甲"], "code is a module of Python"),
        (["dense", "A", "甲"], "docs/en/dense.md is there already"),
        (["cnn", "A", "甲"], "docs/en/cnn is there already"),
        (["cnn/forward", "A", "甲"], "docs/en/cnn/forward.md is there already"),
        (["conventions-torch", "A", "甲"], "snippets/conventions-torch.md is there"),
        (["assets", "A", "甲"], "docs/assets is there"),
        (["zh", "A", "甲"], "docs/zh is there"),
        (["gan/critic", "A", "甲"], "gan is no part yet: its names"),
        (["gan", "A", "甲", "B", "乙"], "gan belongs to no part"),
        (["cnn/gan", "A", "甲", "B", "乙"], "cnn is a part already"),
        (["gan", " ", "甲"], "' ' is empty"),
        (["gan", "A | B", "甲"], "may not have '|'"),
        (["gan", "A: B", "甲"], "may not have ':'"),
        (["gan", "A", "甲 { #a }"], "may not have '{'"),
        (["gan", "甲", "A"], "'甲' is no en title"),
        (["gan", "A", "B"], "'B' is no zh title"),
        (["gan", "A", "甲,乙"], "use full width"),
        (["gan/critic", "A", "甲", "乙", "B"], "'乙' is no en title"),
    ],
)
def test_what_would_not_do_is_refused(refused, arguments, message):
    assert message in refused(ROOT, *arguments)


@pytest.mark.parametrize("nth", range(4))
def test_a_disk_that_is_full_leaves_no_half_page(refused, tmp_path, monkeypatch, nth):
    small_book(tmp_path)
    write, written = Path.write_text, []

    def fails(path: Path, text: str, *rest: str) -> None:
        written.append(path)
        write(path, text[: len(text) // 2], *rest)
        if len(written) > nth:
            raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_text", fails)
    assert "No space left" in refused(tmp_path, "seq/lstm", *MADE["seq/lstm"])
    assert len(written) == nth + 1
    assert not (tmp_path / "docs" / "en" / "seq").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("order: 600", "order: 301", "docs/en/notation.md: its order and that of the"),
        ("order: 600", "", "docs/en/conventions.md:1: the front matter has no order"),
    ],
)
def test_a_book_without_room_is_told(refused, tmp_path, old, new, message):
    small_book(tmp_path)
    for language in LANGUAGES:
        path = tmp_path / "docs" / language / "conventions.md"
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    assert message in refused(tmp_path, "gan", *TITLES)
