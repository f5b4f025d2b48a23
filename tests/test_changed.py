"""--changed runs what an edit can make fail, and nothing that it cannot."""

import subprocess
from types import SimpleNamespace

import pytest

from book.pages import ROOT
from tests import changed


def item(file: str, *marks: str, **params: object) -> SimpleNamespace:
    """A test of a file, with its parameters."""
    return SimpleNamespace(
        path=ROOT / file,
        callspec=SimpleNamespace(params=params),
        get_closest_marker=lambda name: name in marks or None,
    )


TOOL = item("tests/test_compare.py", shown="1.0")
WHOLE = item("tests/test_site.py", "book")
STRIDE = item("tests/test_languages.py", name="cnn/stride.md")
LABEL = item("tests/test_properties.py", label="conv-stride-delta")
SESSION = item("snippets/cnn/stride.md")
STYLE = item("tests/test_style.py", path=ROOT / "snippets/cnn/stride.md")
FIGURE = item("tests/test_figures.py", name="conv-stride")
NOTEBOOK = item("tests/test_notebooks.py", language="zh", name="cnn/stride")
LATER = item("snippets/cnn/weights.md")
LATER_PAGE = item("tests/test_languages.py", name="cnn/weights.md")
OTHER = item("snippets/pooling/max.md")
OTHER_LABEL = item("tests/test_properties.py", label="dense-bias")
TORCH = item("snippets/conventions-torch.md")
OWN = [STRIDE, LABEL, SESSION, STYLE, FIGURE, NOTEBOOK]
ITEMS = [TOOL, WHOLE, *OWN, LATER, LATER_PAGE, OTHER, OTHER_LABEL, TORCH]


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ([], []),
        (["docs/zh/cnn/stride.md"], [WHOLE, *OWN]),
        (["docs/en/rnn.md", "snippets/rnn.md", "snippets/rnn.py"], [WHOLE]),
        # cnn/weights takes a function of cnn/stride; its page is what it was.
        (["snippets/cnn/stride.md"], [WHOLE, *OWN, LATER]),
        (["snippets/cnn/stride.py"], [WHOLE, *OWN, LATER]),
        (["docs/en/conventions.md"], [WHOLE, TORCH]),
        (["snippets/conventions-torch.md"], [WHOLE, TORCH]),
        (["CONTRIBUTING.zh.md"], [WHOLE]),
        (["tests/test_compare.py"], [TOOL, WHOLE]),
        (["book/sessions.py"], ITEMS),
        (["mkdocs.yml", "docs/zh/cnn/stride.md"], ITEMS),
    ],
)
def test_what_can_fail_is_run(monkeypatch, files, wanted):
    monkeypatch.setattr(changed, "files", lambda base: files)
    chosen, left = changed.select(ITEMS, "HEAD")
    assert [ITEMS.index(each) for each in chosen] == [ITEMS.index(x) for x in wanted]
    assert len(chosen) + len(left) == len(ITEMS)


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("pooling/max", "from pooling.max import max_pool\n"),
        ("pooling/max", "from snippets.pooling.max import tiles\n"),
        ("pooling/max", 'session.printed("pooling/max:forward-run")\n'),
        ("softmax", "![a](explorer:softmax?z=softmax:setup.z)\n"),
    ],
)
def test_what_is_taken_of_another_page_is_seen(page, text):
    assert page in {(a or b).replace(".", "/") for a, b in changed.TAKEN.findall(text)}


@pytest.mark.parametrize(
    "text", ["[a](../softmax.md#b)", "(explorer:conv?x=1)", "a: b"]
)
def test_what_is_only_named_is_not_taken(text):
    names = {(a or b).replace(".", "/") for a, b in changed.TAKEN.findall(text)}
    assert not names & {"softmax", "explorer", "a"}


def test_git_tells_edits_and_new_files(tmp_path, monkeypatch):
    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=x", "-c", "user.email=x@x", *arguments],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )

    monkeypatch.setattr(changed, "ROOT", tmp_path)
    with pytest.raises(pytest.UsageError, match="git says: fatal: not a git"):
        changed.files("HEAD")
    git("init")
    for name in ("kept", "edited", "gone"):
        (tmp_path / name).write_text("1")
    (tmp_path / ".gitignore").write_text("made\n")
    git("add", ".")
    git("commit", "-m", "1")
    (tmp_path / "edited").write_text("2")
    (tmp_path / "gone").unlink()
    (tmp_path / "新").write_text("1")
    (tmp_path / "made").write_text("1")
    assert changed.files("HEAD") == ["新", "edited", "gone"]
    with pytest.raises(pytest.UsageError, match="git says"):
        changed.files("no-such-commit")
