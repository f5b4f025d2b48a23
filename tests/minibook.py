"""A book of a few tiny pages with the project's own settings, built in this process."""

from pathlib import Path

import yaml
from mkdocs import utils
from mkdocs.commands import build
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.utils import clean_directory, yaml_load

from book.pages import LANGUAGES, ROOT
from tests.site import html_path

FRONT = "---\ntitle: {0}\norder: {1}\nsummary: s\ndescription: d\n---\n"
CONTENTS = "site_hooks/contents.py"
HOOKS = yaml_load((ROOT / "mkdocs.yml").read_text("utf-8"))["hooks"]


class MiniBook:
    """Pages in two languages, in a folder of their own.

    Hooks are as in mkdocs.yml; what they import lies at the root of the project, where
    the snippets are looked for as long as the test has not changed the folder.
    """

    def __init__(
        self, root: Path, pages: dict[str, str], hooks: list[str] = HOOKS, **settings
    ) -> None:
        self.root = root
        self.order = [*pages] if CONTENTS in hooks else []
        for page, text in pages.items():
            self.page(text, page)
        inherited = {"INHERIT": str(ROOT / "mkdocs.yml"), "docs_dir": "docs"}
        first = HOOKS[0]  # tells of mistakes
        hooks = [str(ROOT / hook) for hook in dict.fromkeys([first, *hooks])]
        own = {"hooks": hooks, "watch": [], "nav": [*pages]}
        own["theme"] = {"custom_dir": str(ROOT / "site_hooks" / "theme")}
        self.write("mkdocs.yml", yaml.safe_dump({**inherited, **own, **settings}))

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def page(self, text: str, page: str = "one.md", language: str = "") -> None:
        """In one language, or in all."""
        # Else the nav says where it stands, or the page does.
        if page in self.order and not text.startswith("---"):
            text = FRONT.format(page, self.order.index(page)) + text
        for each in [language] if language else LANGUAGES:
            self.write(f"docs/{each}/{page}", text)

    def build(self, **options: object) -> MkDocsConfig:
        """As one `mkdocs build`, of which it returns the configuration.

        Options are those of mkdocs.yml, and strict. Raises Abort as MkDocs does.
        """
        # After a build that failed, static-i18n leaves another in its place.
        utils.clean_directory = clean_directory
        config = load_config(str(self.root / "mkdocs.yml"), **options)
        try:
            build.build(config)
        finally:
            config.plugins.on_shutdown()
        return config

    def read(self, page: str, language: str = "en") -> str:
        return (self.root / "site" / html_path(language, page)).read_text("utf-8")
