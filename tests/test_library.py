"""The library knows neither its generator nor its tests."""

import ast
from collections.abc import Iterator

import pytest

from book.pages import ROOT

UNKNOWN = {"mkdocs", "material", "mkdocs_jupyter", "site_hooks", "tests", "conftest"}


def imported(code: str) -> Iterator[str]:
    """The packages that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.partition(".")[0]


def test_the_library_imports_neither_mkdocs_nor_tests():
    paths = [*(ROOT / "book").rglob("*.py")]
    assert paths
    found = {
        p.name: UNKNOWN.intersection(imported(p.read_text("utf-8"))) for p in paths
    }
    assert not {name: modules for name, modules in found.items() if modules}


@pytest.mark.parametrize(
    "code",
    [
        "import mkdocs.utils as utils",
        "from mkdocs.utils import get_relative_url",
        "def late():\n    import tests.site",
        "if True:\n    from site_hooks import steps",
    ],
)
def test_an_import_is_seen_wherever_it_stands(code):
    assert UNKNOWN.intersection(imported(code))
