"""MkDocs hook: check_gradient.py as a file to download, as book/checker.py makes it."""

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files

from book import checker, kept
from book.kept import Kept

NAME = "assets/check_gradient.py"
_kept = Kept("checker", 10)


@event_priority(-101)  # after i18n and mkdocs-jupyter, which would make a page of it
def on_files(files: Files, config: MkDocsConfig) -> None:
    key = kept.key(*(path.read_text("utf-8") for path in checker.sources()))
    try:
        text = _kept[key]
    except KeyError:
        _kept[key] = text = checker.source()
    _kept.tidy()
    files.append(File.generated(config, NAME, content=text))
