"""The site, built once a run, and the browser that looks at it; how many cases the
property tests draw, and the record of a run that passed."""

import os
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from playwright.sync_api import Browser, sync_playwright

from book import record as records
from book.pages import LANGUAGES, ROOT, nav_pages
from tests.hung import pytest_runtest_protocol  # noqa: F401  a hook
from tests.site import build, built, serving  # noqa: F401  build: others take it from here
from tools.chromium import FLAGS, NONE, chromium

# A test has its own addresses, or none.
for name in ("SITE_URL", "REPO_URL", "DOWNLOADS_URL"):
    os.environ.pop(name, None)

NO_BROWSER = f"NOTHING WAS TRIED IN A BROWSER, {NONE}"


@pytest.fixture(scope="session")
def site() -> Path:
    """The site as it is built at home, without an address; only to be read."""
    return built("home")


@pytest.fixture(scope="session")
def served(site: Path) -> Iterator[str]:
    """The address of the site, with a slash at the end."""
    with serving(site) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Where there is none, CI fails and others skip, with a line that says so."""
    with sync_playwright() as playwright:
        path = chromium(playwright.chromium.executable_path)
        if path is None and os.environ.get("CI"):
            pytest.fail(NO_BROWSER, pytrace=False)
        if path is None:
            warnings.warn(NO_BROWSER, stacklevel=1)
            pytest.skip(NO_BROWSER)
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


COMMON = {
    # The first call of a TensorFlow operation takes its time.
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow],
    # Not Phase.explain: it costs half a minute and says that the seed matters.
    "phases": [Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
}
# The same cases every time: what is red here is red on every machine.
settings.register_profile(
    "quick", max_examples=150, derandomize=True, database=None, **COMMON
)
# Other cases every time: what fails prints how to see it again, and is tried first
# from then on.
settings.register_profile(
    "full", max_examples=2000, derandomize=False, print_blob=True, **COMMON
)

FILE = "tests/test_properties.py"
EQUATION = f"{FILE}::test_the_function_is_its_equation"
VARIANT = f"{FILE}::test_a_wrong_variant_is_rejected"
DISPLAYS = "tests/test_formulas.py::test_every_display_is_true_of_numbers_or_says_why"
NUMBERS = "tests/test_inline.py::test_what_is_said_of_numbers_alone_is_true"
HELD = "tests/test_inline.py::test_what_holds_goes_on_holding"
SESSION = "snippets/"


def session_tests() -> dict[str, int]:
    """The test of each session that runs on every machine, and how many outputs it
    compares."""
    from book import sessions

    return {
        f"{sessions.name_of(session.path)}::session": session.outputs
        for session in map(sessions.parse, sessions.paths())
        if session.blocks and not session.needs
    }


class Record:
    """Counts what the property tests do; at the end it is written, if all passed.

    Where there are workers, each counts its own cases, which reach the one that writes
    with the report of their test.
    """

    def __init__(self) -> None:
        self.before = records.fingerprint()
        self.running: dict[str, dict] = {}  # of the test that is running
        self.equations: dict[str, dict] = {}
        self.shown: Counter[str] = Counter()  # kinds of formulas of the running test
        self.formulas: Counter[str] = Counter()
        self.outcomes: dict[str, bool] = {}
        self.seconds = 0.0

    def count(self, label: str, error: float) -> None:
        add(self.running, label, 1, float(error))

    def formula(self, kind: str) -> None:
        self.shown[kind] += 1

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Iterator[None]:
        report = yield
        report.cases, self.running = self.running, {}
        report.formulas, self.shown = dict(self.shown), Counter()
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        counted = f"{FILE}::", DISPLAYS, NUMBERS, HELD, SESSION
        if not report.nodeid.startswith(counted):
            return
        if report.skipped and report.nodeid.startswith(SESSION):
            return  # it needs what is not installed
        passed = self.outcomes.get(report.nodeid, True) and report.passed
        self.outcomes[report.nodeid] = passed
        # Where a worker died, its test has a report that none of them made.
        for label, counted in getattr(report, "cases", {}).items():
            add(self.equations, label, **counted)
        self.formulas.update(getattr(report, "formulas", {}))
        if report.nodeid.startswith(EQUATION) and report.when == "call":
            self.seconds += report.duration

    def complete(self) -> bool:
        """Did everything that makes up the record run, and did nothing fail?"""
        from book.results import results

        wanted = set(session_tests())
        for label, result in results().items():
            wanted.add(f"{EQUATION}[{label}]")
            wanted |= {f"{VARIANT}[{label}-{name}]" for name in result.wrong}
        for page in nav_pages():
            wanted |= {f"{DISPLAYS}[{page}]", f"{HELD}[{page}]"}
            wanted |= {f"{NUMBERS}[docs/{language}/{page}]" for language in LANGUAGES}
        return wanted <= set(self.outcomes) and all(self.outcomes.values())

    def pytest_terminal_summary(self, terminalreporter) -> None:
        if not self.equations:
            return
        cases = sum(equation["cases"] for equation in self.equations.values())
        error = max(equation["error"] for equation in self.equations.values())
        profile = settings.get_current_profile_name()
        written = self.complete() and records.write(
            profile,
            self.equations,
            dict(self.formulas),
            sum(session_tests().values()),
            self.before,
        )
        terminalreporter.section("properties")
        rate = cases / max(self.seconds, 1e-9)
        terminalreporter.write_line(
            f"{cases} cases of {len(self.equations)} equations (profile {profile}) in "
            f"{self.seconds:.1f} s, {rate:.0f} a second; "
            f"largest relative error {error:.1e}"
        )
        where = records.path().relative_to(ROOT)
        terminalreporter.write_line(
            f"recorded in {where}" if written else f"{where} is as it was"
        )


def add(equations: dict[str, dict], label: str, cases: int, error: float) -> None:
    so_far = equations.setdefault(label, {"cases": 0, "error": 0.0})
    so_far["cases"] += cases
    so_far["error"] = max(so_far["error"], error)


def pytest_configure(config: pytest.Config) -> None:
    # The option is Hypothesis' own, and where CI is set so is another default.
    settings.load_profile(config.getoption("--hypothesis-profile") or "quick")
    config.pluginmanager.register(Record(), "record")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if settings.get_current_profile_name() != "full":
        skip = pytest.mark.skip(reason="takes --hypothesis-profile=full, as CI does")
        for item in items:
            if item.get_closest_marker("full"):
                item.add_marker(skip)


@pytest.fixture(scope="session")
def record(pytestconfig: pytest.Config) -> Record:
    return pytestconfig.pluginmanager.getplugin("record")
