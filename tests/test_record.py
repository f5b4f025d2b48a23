"""The record of the checks is written if all of them ran and passed."""

import json
from types import SimpleNamespace

import pytest

from book import record as verification
from book.pages import LANGUAGES
from conftest import SessionFile
from tests.conftest import (
    DISPLAYS,
    EQUATION,
    HELD,
    NUMBERS,
    VARIANT,
    Record,
    session_tests,
)

RESULTS = {
    "a": SimpleNamespace(wrong={"a_sign": "the sign", "a_sum": "no sum"}),
    "b": SimpleNamespace(wrong={"b_mean": "the mean"}),
}


PAGES = ["index.md", "one.md"]
SESSIONS = {"snippets/one.md::session": 3, "snippets/two.md::session": 4}


@pytest.fixture(autouse=True)
def few(monkeypatch) -> None:
    monkeypatch.setattr("book.results.results", lambda: RESULTS)
    monkeypatch.setattr("tests.conftest.nav_pages", lambda: PAGES)
    monkeypatch.setattr("tests.conftest.session_tests", lambda: SESSIONS)


def reported(nodeid: str, outcome: str = "passed", **more) -> pytest.TestReport:
    keywords, longrepr = {}, "wrong" if outcome == "failed" else None
    place = ("tests/test_properties.py", 1, "x")
    return pytest.TestReport(
        nodeid, place, keywords, outcome, longrepr, "call", duration=0.5, **more
    )


def reports() -> list[pytest.TestReport]:
    """Of a whole run, as they come from workers."""
    found = []
    for label, result in RESULTS.items():
        cases = {label: {"cases": 2, "error": 1e-15}}
        found.append(reported(f"{EQUATION}[{label}]", cases=cases))
        found += [reported(f"{VARIANT}[{label}-{name}]") for name in result.wrong]
    kinds = {"evaluated": 3, "marked": 1}
    found += [reported(f"{DISPLAYS}[{page}]", formulas=kinds) for page in PAGES]
    for page in PAGES:
        for language in LANGUAGES:
            found.append(reported(f"{NUMBERS}[docs/{language}/{page}]"))
        found.append(reported(f"{HELD}[{page}]", formulas={"held": 5}))
    return found + [reported(session) for session in SESSIONS]


def recorded(all_reports: list[pytest.TestReport]) -> Record:
    record = Record()
    for report in all_reports:
        record.pytest_runtest_logreport(report)
    return record


def test_all_is_counted_and_complete():
    record = recorded(reports())
    assert record.complete()
    assert record.equations == {
        label: {"cases": 2, "error": 1e-15} for label in RESULTS
    }
    assert record.formulas == {"evaluated": 6, "marked": 2, "held": 10}
    assert record.seconds == pytest.approx(0.5 * len(RESULTS))


@pytest.mark.parametrize("which", range(len(reports())))
def test_without_one_report_it_is_not_complete(which):
    some = reports()
    del some[which]
    assert not recorded(some).complete()


@pytest.mark.parametrize("outcome", ["failed", "skipped"])
def test_with_one_that_did_not_pass_it_is_not_complete(outcome):
    """Not though it passed when it was set up, or when it was tried again."""
    some = reports()
    one, other = some[0], reported(f"{HELD}[{PAGES[0]}]")
    for wrong in one, other, reported("tests/test_properties.py::test_x"):
        more = reported(wrong.nodeid, outcome)
        assert not recorded([*some, more]).complete()
        assert not recorded([more, *some]).complete()
    other = reported("tests/test_other.py::test_x", outcome)
    assert recorded([*some, other]).complete()


def test_a_session_that_is_not_in_order_makes_it_incomplete():
    """But for an optional one that was skipped: nothing is said of its outputs."""
    optional = "snippets/three.md::session"
    assert recorded([*reports(), reported(optional, "skipped")]).complete()
    for session in [optional, *SESSIONS]:
        assert not recorded([*reports(), reported(session, "failed")]).complete()


def test_sessions_are_known_as_pytest_names_them(request):
    real = session_tests()  # not the two of the fixture
    assert real["snippets/softmax.md::session"] > 10
    assert "snippets/conventions-torch.md::session" not in real
    (item,) = [
        item.nodeid
        for file in [request.config.rootpath / "snippets" / "dense.md"]
        for item in SessionFile.from_parent(request.session, path=file).collect()
    ]
    assert item in real


def test_a_test_that_died_with_its_worker_has_no_cases():
    label = next(iter(RESULTS))
    died = reported(f"{EQUATION}[{label}]", "failed")
    assert not recorded([*reports(), died]).complete()


def test_cases_come_with_the_report_of_their_test(request):
    """In a form that goes through a pipe."""
    record = Record()
    numpy = pytest.importorskip("numpy")
    record.count("a", numpy.float64(2e-16))
    record.count("a", 1e-15)
    record.formula("marked")
    made = record.pytest_runtest_makereport()
    next(made)
    with pytest.raises(StopIteration) as stopped:
        made.send(reported("x"))
    hook = request.config.hook
    sent = hook.pytest_report_to_serializable(
        config=request.config, report=stopped.value.value
    )
    got = hook.pytest_report_from_serializable(
        config=request.config, data=json.loads(json.dumps(sent))
    )
    assert got.cases == {"a": {"cases": 2, "error": 1e-15}}
    assert type(got.cases["a"]["error"]) is float
    assert got.formulas == {"marked": 1}
    assert record.running == {} == record.shown


def test_only_a_complete_record_is_written(monkeypatch):
    lines, written = [], []

    class Reporter:
        def section(self, title: str) -> None:
            lines.append(title)

        write_line = lines.append

    monkeypatch.setattr(
        verification, "write", lambda *given: bool(written.append(given)) or True
    )
    some = reports()
    recorded([*some, reported(some[0].nodeid, "failed")]).pytest_terminal_summary(
        Reporter()
    )
    assert not written
    assert lines[-1].endswith("is as it was")
    recorded(some).pytest_terminal_summary(Reporter())
    (given,) = written
    assert given[1].keys() == RESULTS.keys()
    assert given[3] == 7
    assert lines[-1].startswith("recorded in")
