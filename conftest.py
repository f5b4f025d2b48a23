"""Markdown files are sessions: one test item a file, outputs compared.

This stands at the root because pytest asks a conftest only about files below it. It
replaces the collector of pytest-codeblocks, which gives every block a fresh namespace
and compares byte by byte.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_codeblocks.plugin import MarkdownFile

from book import sessions
from tests.changed import select


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-outputs",
        action="store_true",
        help="rewrite the outputs of the sessions that are not what they print",
    )
    parser.addoption(
        "--changed",
        nargs="?",
        const="HEAD",
        metavar="COMMIT",
        help="only what can fail after the edits since a commit, by default the last",
    )


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    if base := config.getoption("changed"):
        items[:], left = select(items, base)
        config.hook.pytest_deselected(items=left)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector):
    return [
        SessionFile.from_parent(parent, path=file_path)
        if isinstance(collector, MarkdownFile)
        else collector
        for collector in (yield)
    ]


class SessionFile(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        try:
            if self.path.is_relative_to(sessions.ROOT / "docs"):
                sessions.check_page(self.path)
                return
            session = sessions.parse(self.path)
        except sessions.BadSession as error:
            raise self.CollectError(str(error)) from None
        if session.blocks:
            item = SessionItem.from_parent(self, name="session", content=session)
            if module := session.lacks:
                reason = f"needs {module}, which is not installed: pip install {module}"
                item.add_marker(pytest.mark.skip(reason=reason))
            yield item


class SessionItem(pytest.Item):
    def __init__(self, *, content: sessions.Session, **kwargs):
        super().__init__(**kwargs)
        self.content = content  # `session` is pytest's word for the whole test run

    def runtest(self) -> None:
        session = self.content
        result = sessions.run(session)
        wrong = sessions.mismatches(session, result)
        if self.config.getoption("update_outputs"):
            if result.error:
                pytest.fail(f"{result.error}\nnothing was updated", pytrace=False)
            text = sessions.updated(session, result)
            if text != session.text:
                sessions.replace(session.path, text)
                self.add_report_section("call", "updated", "\n".join(wrong))
            return
        if result.error:
            wrong.append(result.error)
        if wrong:
            wrong.append("If the new outputs are right: pytest --update-outputs")
            pytest.fail("\n\n".join(wrong), pytrace=False)

    def reportinfo(self):
        return self.path, 0, f"{sessions.name_of(self.path)}::{self.name}"
