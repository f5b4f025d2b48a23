"""A browser that no longer answers: it is ended, and the test runs once more.

Once in ten thousand tests Chromium stops answering for good, and Playwright waits as
long, or does not open a page of a few kilobytes in half a minute. That says nothing of
the book; a test that meets it a second time fails.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from threading import Event, Timer

import pytest
from _pytest.runner import runtestprotocol

# Longer than any test with a browser takes, where it builds the site first.
SECONDS = 500


def descendants() -> set[int]:
    """The processes that this one started, and those that they started."""
    table = ["ps", "-Ao", "pid=,ppid="]
    listed = subprocess.run(table, capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    found = {os.getpid()}
    while more := {process for process, parent in pairs if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def end(hung: Event) -> None:
    """What waits for the browser gets an error then."""
    hung.set()
    for process in descendants():
        with suppress(ProcessLookupError):  # ps itself
            os.kill(process, signal.SIGKILL)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None):
    if "browser" not in getattr(item, "fixturenames", ()):  # a session has none
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for _ in range(2):
        hung = Event()
        timer = Timer(SECONDS, end, [hung])
        timer.start()
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        timer.cancel()
        failed = "".join(report.longreprtext for report in reports if report.failed)
        if not hung.is_set() and "Page.goto: Timeout" not in failed:
            break
        print(f"{item.nodeid}: the browser hung", file=sys.__stderr__)
        end(hung)  # what does not answer cannot be closed, either
        with suppress(Exception):  # of closing what is closed
            item.session._setupstate.teardown_exact(None)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
