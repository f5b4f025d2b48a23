"""What belongs to one page alone: snippets/pooling/max.py beside its session max.md.

A decorator says what a function of such a file is, `@figure("max-overlap")` or
`@check("max-input")`, and nothing else lists it. What another page's file has is taken
by Python's own statement: `from snippets.cnn.forward import correlate`. The files are
read when the site is built, so that TensorFlow waits until it is used (book/checks.py).
"""

import builtins
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from book import pages, sessions
from book.sessions import BadSession


@dataclass
class Part:
    """A function with a name by which pages, sessions or other parts know it."""

    kind: str  # figure, claim, check
    name: str
    function: Callable

    @property
    def path(self) -> Path:
        return Path(self.function.__code__.co_filename)

    @property
    def line(self) -> int:
        return self.function.__code__.co_firstlineno

    @property
    def page(self) -> str:
        return page_of(self.path)

    def fault(self, message: str) -> BadSession:
        return BadSession(self.path, self.line, message)


def part(kind: str, name: str) -> Callable[[Callable], Callable]:
    """The decorator that enters a function under a name of its kind."""

    def enter(function: Callable) -> Callable:
        entered = function.__globals__.setdefault("__parts__", [])
        entered.append(Part(kind, name, function))
        return function

    return enter


def listed(kind: str) -> dict[str, Part]:
    """All parts of a kind, by name. Raises BadSession where two have the same."""
    found: dict[str, Part] = {}
    for module in modules().values():
        for new in vars(module).get("__parts__", []):
            if new.kind != kind:
                continue
            if other := found.get(new.name):
                where = f"{sessions.name_of(other.path)}:{other.line}"
                raise new.fault(f"the {kind} {new.name} is in {where}, too")
            found[new.name] = new
    return found


# --- The files ---------------------------------------------------------------


def page_of(path: Path) -> str:
    """pooling/max."""
    folder = sessions.snippets_of(path)
    return path.relative_to(folder).with_suffix("").as_posix()


def modules() -> dict[str, ModuleType]:
    """The files of the book, by page; all anew where one of them has changed."""
    folder = sessions.SNIPPETS
    paths = sorted(folder.rglob("*.py"))
    return _modules(folder, tuple((path, path.read_text("utf-8")) for path in paths))


@lru_cache(8)
def _modules(
    folder: Path, files: tuple[tuple[Path, str], ...]
) -> dict[str, ModuleType]:
    loader = Loader(folder, dict(files))
    return {page_of(path): loader.of(path) for path, _ in files}


class Loader:
    """Runs each file once. Not by Python's own import: `serve` would not see an edit,
    and the bytecode beside the sessions would look like one."""

    def __init__(self, folder: Path, files: dict[Path, str]):
        self.folder, self.files = folder, files
        self.modules: dict[Path, ModuleType] = {}

    def of(self, path: Path) -> ModuleType:
        """Raises BadSession where a file is of no page, or does not run."""
        if path in self.modules:
            return self.modules[path]
        page = pages.DOCS / pages.LANGUAGES[0] / f"{page_of(path)}.md"
        if not (path.with_suffix(".md").exists() or page.exists()):
            message = f"there is no {path.stem}.md beside it, nor a page of this name"
            raise BadSession(path, 1, message)
        module = ModuleType(f"snippets.{page_of(path).replace('/', '.')}")
        module.__file__ = str(path)
        module.__builtins__ = {**vars(builtins), "__import__": self.take}
        self.modules[path] = module
        try:
            code = compile(self.files[path], path, "exec", dont_inherit=True)
            exec(code, vars(module))
        except BadSession:
            raise
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            lines = [frame.lineno for frame in frames if frame.filename == str(path)]
            line = lines[-1] if lines else getattr(error, "lineno", 1)
            message = f"{type(error).__name__}: {error}"
            raise BadSession(path, line, message) from error
        return module

    def take(self, name, globals=None, locals=None, fromlist=(), level=0):
        """Python's __import__, which knows snippets.pooling.max, too."""
        first, *rest = name.split(".")
        if first != "snippets" and not level:
            return builtins.__import__(name, globals, locals, fromlist, level)
        path = self.folder.joinpath(*rest).with_suffix(".py")
        if fromlist and path in self.files:
            return self.of(path)
        form = "names are taken one by one: from snippets.pooling.max import …"
        raise ImportError(f"{name} is no file of a page, {form}" if fromlist else form)
