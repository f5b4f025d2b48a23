"""MkDocs hook: a build makes anew only what has changed since another.

MkDocs builds every page at each edit. Its two slow steps look at little: Markdown at a
page's source and its snippets, the search at what came of them. Their results are kept
on disk by all that they look at. What pages have in common (numbers of
equations, references, the navigation, the check of anchors) is always made anew.
"""

import logging
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

from jinja2 import Environment, FileSystemBytecodeCache
from mkdocs.commands import serve
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import event_priority
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from book import kept, search
from book.kept import Kept

Result = TypeVar("Result")

# An edit is seen after a tenth of a second instead of half a one; looking takes 1 ms.
serve.LiveReloadServer = partial(LiveReloadServer, polling_interval=0.1)

# What Page.render sets, besides links_to_anchors, whose keys are files of one build.
RENDERED = ["content", "toc", "_title_from_render", "present_anchor_ids"]

# What the search keeps of a page.
SEARCH = Path(search.__file__).read_text("utf-8")

# --8<-- "name:section", or names between two --8<--, each in a line of its own.
INCLUDE = re.compile(r"^.*8<-.*$|^[ \t]*\S+[ \t]*$", re.MULTILINE)


class Listener(logging.Handler):
    """Notices whether MkDocs tells its reader anything."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.heard = False

    def emit(self, record: logging.LogRecord) -> None:
        self.heard = True

    def __enter__(self) -> "Listener":
        logging.getLogger("mkdocs").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("mkdocs").removeHandler(self)


class Memory:
    """What a step made of each page."""

    def __init__(self, name: str) -> None:
        self._kept = Kept(name, 400)  # some builds of both languages
        # While serving: page -> inputs of its last build, their key, which takes long.
        self._last: dict[str, tuple[tuple, str]] = {}

    def __call__(self, page: Page, inputs: tuple, make: Callable[[], Result]) -> Result:
        known, key = self._last.get(page.url, (None, ""))
        if known != inputs:
            key = kept.key(page.url, inputs)
            self._last[page.url] = inputs, key
        try:
            return self._kept[key]
        except KeyError:
            with Listener() as listener:
                result = make()
            if not listener.heard:  # else the next build is to warn again
                self._kept[key] = result
            return result

    def tidy(self) -> None:
        self._kept.tidy()


_rendered, _indexed = Memory("rendered"), Memory("indexed")


@event_priority(-50)  # after the search plugin, which begins a new index
def on_config(config: MkDocsConfig) -> None:
    index = config.plugins["material/search"].search_index
    add = index.add_entry_from_context

    def entries(page: Page) -> list[dict]:
        kept, index.entries = index.entries, []
        add(page)
        added, index.entries = index.entries, kept
        return added

    def remembered(page: Page) -> None:
        inputs = page.content, str(page.title), repr(page.meta), SEARCH
        index.entries += _indexed(page, inputs, lambda: entries(page))

    index.add_entry_from_context = remembered


def on_pre_page(page: Page, **_: object) -> None:
    render = page.render

    def rendered(config: MkDocsConfig, files: Files) -> tuple[dict, dict | None]:
        render(config, files)
        links = page.links_to_anchors
        return (
            {name: getattr(page, name) for name in RENDERED},
            links and {file.src_uri: anchors for file, anchors in links.items()},
        )

    def remembered(config: MkDocsConfig, files: Files) -> None:
        inputs = render_inputs(page, config, files)
        made, links = _rendered(page, inputs, lambda: rendered(config, files))
        vars(page).update(made)
        page.links_to_anchors = links and {
            files.src_uris[uri]: anchors for uri, anchors in links.items()
        }

    page.render = remembered


def on_env(env: Environment, **_: object) -> None:
    """The theme's templates stay compiled; Jinja itself compares their sources."""
    folder = kept.CACHE / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    env.bytecode_cache = FileSystemBytecodeCache(str(folder))


def on_post_build(**_: object) -> None:
    _rendered.tidy()
    _indexed.tidy()


# --- What Page.render looks at -----------------------------------------------


def render_inputs(page: Page, config: MkDocsConfig, files: Files) -> tuple:
    settings = f"{config.markdown_extensions} {config.mdx_configs} {config.validation}"
    return (
        page.markdown,
        settings,
        {file.src_uri: (file.url, file.inclusion) for file in files},
        dict(snippets(f"{settings}\n{includes(page.markdown)}", config)),
    )


def includes(text: str) -> str:
    """The lines that may name a snippet, and none that merely links to such a page."""
    return "\n".join(INCLUDE.findall(text))


def snippets(text: str, config: MkDocsConfig) -> Iterator[tuple[Path, str]]:
    """The files that a text names, and those that their lines include."""
    folders = config.mdx_configs["pymdownx.snippets"]["base_path"]
    left = {path for folder in folders for path in Path(folder).rglob("*.*")}
    while named := [path for path in left if path.name in text]:
        found = {path: path.read_text("utf-8") for path in named}
        yield from found.items()
        left -= set(named)
        text = "\n".join(map(includes, found.values()))
