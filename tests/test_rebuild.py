"""After an edit, a rebuild in the same process is what a fresh build would be."""

import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from jinja2 import Environment
from material.plugins.search.plugin import SearchIndex
from mkdocs.structure.pages import Page
from mkdocs.utils import yaml_load

from book import kept, sessions
from book.pages import LANGUAGES, ROOT
from tests.minibook import HOOKS, MiniBook

HOOK = "site_hooks/rebuild.py"
FRONT = "---\ntitle: {0} {1}\n{2}order: {3}\nsummary: s\ndescription: {0} d\n---\n"
PART = ["two.md", "three.md", "four.md"]
# One page has the labels, another the references; one the array, another its figure.
PAGES = {
    "index.md": """# {0} home

[there](two.md#figures), [sums](three.md), 卷积与池化 $x$.
""",
    "one.md": """# {0} one, $x^2$ {{ #one }}

## Labels {{ #labels }}

$$\n\\label{{first}}\na = b\n$$

$$\n\\label{{second}}\na = c\n$$
""",
    "two.md": """# {0} two

$\\eqref{{first}}$ before $\\eqref{{second}}$, and [labels](one.md#labels).

## After $\\eqref{{first}}$ {{ #after }}

## Figures {{ #figures }}

![{0} figure](figure:rot180)
""",
    "three.md": '# {0} three\n\n反向传播\n\n--8<-- "two.md:sum"\n',
    "four.md": "--8<--\nfour.md\n--8<--\n\n!!! note\n\n    {0}\n",
    "glossary.md": "# {0} words\n\n<!-- glossary: words -->\n",
    "verification.md": "# {0} checks\n\n<!-- verification table -->\n",
}
TERMS = {
    ("en", "index.md"): "terms: {checks: {group: words, means: one}}\n",
    ("zh", "index.md"): "terms: {checks: {name: 卷积, means: one}}\n",
    ("en", "one.md"): "terms: {figure: {group: words, at: labels, means: one}}\n",
    ("zh", "one.md"): "terms: {figure: {name: 池化, means: one}}\n",
}
# The hook must look into what a snippet includes.
SNIPPETS = {
    "one.md": "```python\nprint(1)\n```\n",
    "four.md": "four\n",
    "two.md": "<!-- --8<-- [start:sum] -->\n"
    '--8<-- "one.md"\n'
    "<!-- --8<-- [end:sum] -->\n",
}


class Book(MiniBook):
    """With all our hooks, which it has for itself."""

    def __init__(self, root: Path) -> None:
        self.hook: object = None  # once it was built
        for folder in ("site_hooks", "book", "explorers"):
            shutil.copytree(ROOT / folder, root / folder)
        shutil.copy(ROOT / "package-lock.json", root)
        self.root = root
        self.fill()

    def fill(self) -> None:
        """As it was before any edit."""
        shutil.rmtree(self.root / "docs", ignore_errors=True)
        super().__init__(
            self.root,
            {name: "" for name in PAGES},
            [str(self.root / hook) for hook in HOOKS],
            **{"extra_css": [], "extra_javascript": []},
        )
        for language in LANGUAGES:
            for order, (page, text) in enumerate(PAGES.items()):
                more = f"part: {language} part\n" if page in PART else ""
                more += TERMS.get((language, page), "")
                front = FRONT.format(language, Path(page).stem, more, order)
                self.page(front + text.format(language), page, language)
        for name, text in SNIPPETS.items():
            self.write(f"snippets/{name}", text)
        shutil.copytree(
            ROOT / "snippets" / "cnn",
            self.root / "snippets" / "cnn",
            dirs_exist_ok=True,
        )

    def built(self) -> dict[str, bytes]:
        """The site's files, as `serve` makes them after an edit."""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.root)  # where the snippets are looked for
            patch.setattr(sessions, "SNIPPETS", self.root / "snippets")
            patch.setattr(kept, "CACHE", self.root / ".cache")
            self.hook = self.build().hooks[str(self.root / HOOK)]
        site = self.root / "site"
        return {
            str(path.relative_to(site)): path.read_bytes()
            for path in site.rglob("*")
            if path.is_file()
        }

    def replace(self, old: str, new: str, *names: str) -> None:
        """In files, of which those in docs/ have the language left out."""
        paths = [
            path
            for name in names
            for path in [
                self.root / name,
                *(self.root / "docs" / language / name for language in LANGUAGES),
            ]
            if path.exists()
        ]
        assert paths
        for path in paths:
            text = path.read_text("utf-8")
            assert old in text
            path.write_text(text.replace(old, new), "utf-8")

    def extend(self, change: Callable[[str | dict], str | dict]) -> None:
        """Change extensions of Markdown."""
        settings = yaml_load((ROOT / "mkdocs.yml").read_text("utf-8"))
        extensions = [*map(change, settings["markdown_extensions"])]
        assert extensions != settings["markdown_extensions"]
        text = yaml.safe_dump({"markdown_extensions": extensions})
        self.replace("docs_dir:", f"{text}docs_dir:", "mkdocs.yml")

    def move(self, old: str, new: str) -> None:
        for language in LANGUAGES:
            folder = self.root / "docs" / language
            (folder / new).parent.mkdir(exist_ok=True)
            (folder / old).rename(folder / new)
        self.replace(old, new, "mkdocs.yml")


def prose(book: Book) -> None:
    book.replace("## Labels", "More, $y$.\n\n## More { #more }\n\n## Labels", "one.md")


def snippet(book: Book) -> None:
    book.replace("print(1)", "print(2)", "snippets/one.md")


def listed_snippet(book: Book) -> None:
    book.replace("four", "4", "snippets/four.md")


def title(book: Book) -> None:
    book.replace("one, $x^2$", "other, $x^3$", "one.md")


def title_of_navigation(book: Book) -> None:
    book.replace("title: ", "title: New ", "two.md")


def part(book: Book) -> None:
    book.replace(" part", " chapter", *PART)


def unsearched(book: Book) -> None:
    book.replace("description:", "search: {exclude: true}\ndescription:", "two.md")


def labels(book: Book) -> None:
    """The numbers change on a page that is as it was."""
    book.replace("label{first}", "label{third}", "one.md")
    book.replace("label{second}", "label{first}", "one.md")
    book.replace("label{third}", "label{second}", "one.md")


def order(book: Book) -> None:
    """The same, and the navigation."""
    book.replace("order: 1\n", "order: 9\n", "one.md")


def array(book: Book) -> None:
    """The session's, on no page; the figure of it is on a page that is as it was."""
    path = book.root / "snippets" / "cnn" / "convolution.md"
    text = path.read_text("utf-8")
    section = text[text.index("[start:full]") : text.index("[end:full]")]
    number = section[section.index("[[") + 2 :].split()[0]
    changed = section.replace(f"[[{number}", "[[7.")
    assert changed != section
    path.write_text(text.replace(section, changed), "utf-8")


def meaning(book: Book) -> None:
    """Of a term, told on a page that is as it was."""
    book.replace("means: one", "means: other", "one.md")


def term(book: Book) -> None:
    """A word of a page that is as it was."""
    book.replace("池化", "反向传播", "docs/zh/one.md")


def place_of_term(book: Book) -> None:
    """Leads nowhere."""
    book.replace("at: labels", "at: none", "docs/en/one.md")


def anchor(book: Book) -> None:
    """Gone, from under a link of a page that is as it was."""
    book.replace("#labels }", "#names }", "one.md")


def new_page(book: Book) -> None:
    """Is where a page that is as it was has a link."""
    book.move("one.md", "part/one.md")


def gone_page(book: Book) -> None:
    for language in LANGUAGES:
        (book.root / "docs" / language / "one.md").unlink()
    book.replace("$\\eqref{first}$", "None", "two.md")
    book.replace("$\\eqref{second}$", "none", "two.md")


def excluded_page(book: Book) -> None:
    book.replace("docs_dir:", "exclude_docs: three.md\ndocs_dir:", "mkdocs.yml")


def link(book: Book) -> None:
    """Leads nowhere, on a page that is as it was."""
    book.replace("two.md#figures", "two.md#none", "index.md")


def addresses(book: Book) -> None:
    book.replace("docs_dir:", "use_directory_urls: false\ndocs_dir:", "mkdocs.yml")


def no_permalinks(book: Book) -> None:
    book.extend(lambda extension: "toc" if "toc" in extension else extension)


def no_admonitions(book: Book) -> None:
    book.extend(lambda extension: "tables" if "admonition" in extension else extension)


EDITS = [
    *(prose, snippet, listed_snippet, labels, order, array, anchor, link),
    *(meaning, term, place_of_term),
    *(title, title_of_navigation, part, unsearched),
    *(new_page, gone_page, excluded_page, addresses, no_permalinks, no_admonitions),
]
WARNED = [anchor, link, place_of_term, new_page, gone_page, excluded_page]


class Told(logging.Handler):
    """What MkDocs tells of the pages."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if record.levelno >= logging.WARNING or "Doc file" in message:
            self.messages.append(message)

    def __enter__(self) -> list[str]:
        logger = logging.getLogger("mkdocs")
        logger.setLevel(logging.INFO)
        logger.addHandler(self)
        return self.messages

    def __exit__(self, *_: object) -> None:
        logging.getLogger("mkdocs").removeHandler(self)


@pytest.fixture(scope="module", autouse=True)
def surroundings() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")  # the same day
        patch.chdir(ROOT)
        yield


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


Built = tuple[dict[str, bytes], list[str]]  # the files, and what was told


def told(book: Book) -> Built:
    with Told() as messages:
        return book.built(), messages


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> dict[str, tuple[Built, Built]]:
    """Of a book that is served from edit to edit, what was there before and after each.

    All at once: hooks of two books in one process would come into each other's way.
    """
    book, found = Book(tmp_path_factory.mktemp("served")), {}
    for edit in EDITS:
        book.fill()  # the edit before is undone
        before = told(book)
        edit(book)
        found[edit.__name__] = before, told(book)
    return found


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_a_rebuild_is_a_fresh_build(served, book, edit):
    (before, nothing), (after, warnings) = served[edit.__name__]
    assert not nothing
    edit(book)
    wanted, wanted_warnings = told(book)
    assert warnings == wanted_warnings
    assert bool(warnings) == (edit in WARNED)
    assert after.keys() == wanted.keys()
    assert not [name for name in wanted if after[name] != wanted[name]]
    assert after != before


@pytest.mark.parametrize("first", ["ignore", "warn"])
def test_a_warning_is_told_again(book, first):
    """Of a page that is as it was; where it was ignored, for the first time."""
    book.replace("$x$", "[a](no.md), [b](/no) and [c](no)", "index.md")
    kinds = ["not_found", "absolute_links", "unrecognized_links"]
    text = f"validation: {{links: {dict.fromkeys(kinds, first)}}}\ndocs_dir:"
    book.replace("docs_dir:", text, "mkdocs.yml")
    assert len(told(book)[1]) == (6 if first == "warn" else 0)
    book.replace(first, "warn", "mkdocs.yml")
    assert len(told(book)[1]) == 6


def test_only_what_changed_is_made_anew(book, monkeypatch):
    rendered, indexed, compiled = [], [], []
    render, add = Page.render, SearchIndex.add_entry_from_context
    compile_ = Environment.compile

    def count_rendered(page: Page, *arguments: object) -> None:
        rendered.append(page.file.src_uri)
        render(page, *arguments)

    def count_indexed(index: SearchIndex, page: Page) -> None:
        indexed.append(page.file.src_uri)
        add(index, page)

    def count_compiled(env: Environment, source: str, name: str, *rest: object):
        compiled.append(name)
        return compile_(env, source, name, *rest)

    monkeypatch.setattr(Page, "render", count_rendered)
    monkeypatch.setattr(SearchIndex, "add_entry_from_context", count_indexed)
    monkeypatch.setattr(Environment, "compile", count_compiled)

    def made() -> tuple[list[str], list[str]]:
        for counted in (rendered, indexed, compiled):
            counted.clear()
        book.built()
        return rendered, indexed

    every = [f"{language}/{page}" for language in LANGUAGES for page in PAGES]
    assert [*map(sorted, made())] == [sorted(every)] * 2
    assert compiled.count("main.html") == 1
    assert made() == ([], [])
    assert "main.html" not in compiled
    prose(book)
    assert made() == (["en/one.md", "zh/one.md"],) * 2
    snippet(book)
    assert made() == (["en/three.md", "zh/three.md"],) * 2
    array(book)  # a figure is drawn after Markdown
    assert made() == ([], ["en/two.md", "zh/two.md"])


def test_a_rendered_page_is_kept_whole(book, monkeypatch):
    """Another MkDocs may set more."""
    more: set[str] = set()
    render = Page.render

    def look(page: Page, *arguments: object) -> None:
        before = dict(vars(page))
        render(page, *arguments)
        more.update(k for k, v in vars(page).items() if before.get(k, before) is not v)

    monkeypatch.setattr(Page, "render", look)
    book.built()
    assert more == {*book.hook.RENDERED, "links_to_anchors"}
