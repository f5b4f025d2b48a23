"""What is kept on disk is whole, found again, and not more than it may be."""

import os
from pathlib import Path

import pytest

from book import kept
from book.kept import Kept


@pytest.fixture
def some(tmp_path, monkeypatch) -> Kept:
    monkeypatch.setattr(kept, "CACHE", tmp_path)
    return Kept("some", 2)


def names(some: Kept) -> set[str]:
    return {path.name for path in some.folder.iterdir()}


def test_what_is_kept_is_found(some):
    with pytest.raises(KeyError):
        some["a"]
    some["a"] = {"x": [1, None]}
    assert Kept("some", 2)["a"] == {"x": [1, None]}


@pytest.mark.parametrize("damage", ["", "{", "]", "\xff", "cnone\nnone\n."])
def test_what_is_damaged_is_not_there(some, damage):
    some["a"] = 1
    (some.folder / "a").write_bytes(damage.encode("latin-1"))
    with pytest.raises(KeyError):
        some["a"]


def test_an_entry_is_written_whole_or_not_at_all(some, monkeypatch):
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        some["a"] = 1
    assert "a" not in names(some)


def test_what_was_longest_unused_goes(some):
    for age, name in enumerate("abc"):
        some[name] = name
        os.utime(some.folder / name, (0, age))
    assert some["a"]  # and so it is the newest
    some.tidy()
    assert names(some) == {"a", "c"}


def test_what_another_process_took_away_is_no_error(some):
    some["a"] = 1
    Path(some.folder, "gone").symlink_to("nowhere")
    some.tidy()
    assert some["a"] == 1
