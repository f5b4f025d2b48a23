"""What GitHub runs: the workflow files by their rules, and the scripts that they call.

The scripts are tried against a repository on disk and a `gh` that only writes down how
it was called.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

import make
from book.pages import ROOT

CI = ROOT / ".ci"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
VERSION = re.compile(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
COMMANDS = set(make.COMMANDS)


# --- The workflow files ------------------------------------------------------


def audited(*paths: Path) -> str:
    """What zizmor finds; empty where it is nothing."""
    command = [make.BIN / "zizmor", "--offline", "--quiet", "--no-progress"]
    strict = ["--persona=auditor", "--strict-collection"]
    config = ROOT / ".github" / "zizmor.yml"
    done = subprocess.run(
        [*command, *strict, "--config", config, *paths], capture_output=True, text=True
    )
    return done.stdout + done.stderr if done.returncode else ""


def mistakes(text: str) -> list[str]:
    """What is against our rules, of which zizmor does not know."""
    workflow = yaml.safe_load(text)
    found = []
    if "secrets." in text:
        found.append("a secret; the token of the run is github.token")
    for line in text.splitlines():
        if "uses: actions/" in line and not VERSION.search(line):
            found.append(f"without its version: {line.strip()}")
    for name, job in workflow["jobs"].items():
        found += [f"{name}: {mistake}" for mistake in mistakes_of(job)]
    return found


def mistakes_of(job: dict) -> list[str]:
    found = []
    rights = job.get("permissions")
    if not isinstance(rights, dict):
        found.append("its permissions are not listed")
        rights = {}
    if "uses" in job:
        if not (ROOT / job["uses"]).exists():
            found.append(f"there is no {job['uses']}")
        return found
    if not isinstance(job.get("timeout-minutes"), int):
        found.append("it may run for ever")
    runs = [step["run"] for step in job["steps"] if "run" in step]
    for run in runs:
        found += mistakes_of_command(run)
    writes = "write" in rights.values()
    if writes and any("make.py" in run or ".ci/run" in run for run in runs):
        found.append("what was installed runs with the right to write")
    pushes = any(run.startswith(".ci/publish") for run in runs)
    for step in job["steps"]:
        given = step.get("with", {})
        if given.get("persist-credentials", pushes) is not pushes:
            found.append("persist-credentials: true where it pushes, else false")
        if "python-version" in given:
            found += unknown_versions(str(given["python-version"]), job)
    return found


def mistakes_of_command(run: str) -> list[str]:
    script, *arguments = run.split()
    found = []
    if not os.access(ROOT / script, os.X_OK):
        found.append(f"{script} is no command of this repository")
    if script == ".ci/run":
        found += [f"make.py has no {name}" for name in set(arguments) - COMMANDS]
    return found


def unknown_versions(version: str, job: dict) -> list[str]:
    """The versions of Python that make.py does not know."""
    known = {".".join(map(str, python)) for python in make.PYTHONS}
    matrix = job.get("strategy", {}).get("matrix", {}).get("include", [])
    named = (
        {row["python"] for row in matrix} if "matrix.python" in version else {version}
    )
    return [
        f"Python {python}: make.py takes others" for python in sorted(named - known)
    ]


def test_zizmor_finds_nothing():
    assert not audited(*WORKFLOWS)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_keeps_the_rules(path):
    assert not mistakes(path.read_text("utf-8"))


def test_an_action_has_one_version():
    found = set()
    for path in WORKFLOWS:
        found |= set(re.findall(r"uses: (actions/\S+@.*)", path.read_text("utf-8")))
    assert len(found) == len({uses.partition("@")[0] for uses in found})


def test_tests_run_on_linux_and_mac_with_the_oldest_and_newest_python():
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))[
        "jobs"
    ]
    rows = jobs["test"]["strategy"]["matrix"]["include"]
    run = {(row["system"].partition("-")[0], row["python"]) for row in rows}
    oldest, newest = (
        ".".join(map(str, python)) for python in (min(make.PYTHONS), max(make.PYTHONS))
    )
    assert {("ubuntu", oldest), ("ubuntu", newest)} < run
    assert any(system == "macos" for system, _ in run)


@pytest.mark.parametrize(
    ("pattern", "replacement", "told"),
    [
        # zizmor
        (r"permissions: \{\}", "permissions: read-all", "[excessive-permissions]"),
        (r"permissions: \{\}\n", "", "[excessive-permissions]"),
        (r"@[0-9a-f]{40} # v[\d.]+", "@v7", "[unpinned-uses]"),
        (r"uses: actions/", "uses: elsewhere/", "[forbidden-uses]"),
        (r"persist-credentials: false", "persist-credentials: true", "[artipacked]"),
        (r"        with:\n          persist-credentials: false\n", "", "[artipacked]"),
        (r"run: .ci/run", "run: .ci/run ${{ github.ref }}", "[template-injection]"),
        (r"contents: read", "contents: wrote", '"wrote" is not one of'),
        # ours
        (r" # v[\d.]+", "", "without its version"),
        (r"    timeout-minutes: \d+\n", "", "for ever"),
        (r"    permissions:\n      contents: read\n", "", "not listed"),
        (r"contents: read", "contents: write", "right to write"),
        (r"persist-credentials: false", "persist-credentials: true", "where it pushes"),
        (r"run: .ci/run", "run: .ci/publish", "where it pushes"),
        (r"run: .ci/run", "run: .ci/runs", "no command"),
        (r"run: .ci/run", "run: .ci/run paint", "has no paint"),
        (r'python: "3.11"', 'python: "3.10"', "Python 3.10"),
        (r"vars.SITE_URL", "secrets.SITE_URL", "a secret"),
    ],
)
def test_what_breaks_a_rule_is_found(tmp_path, pattern, replacement, told):
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    broken = re.sub(pattern, lambda _: replacement, text)
    assert broken != text
    path = tmp_path / ".github" / "workflows" / "ci.yml"
    path.parent.mkdir(parents=True)
    path.write_text(broken, "utf-8")
    assert told in "\n".join([*mistakes(broken), audited(path)])


def test_the_scripts_call_commands_that_exist():
    called = set()
    for path in CI.iterdir():
        called |= set(re.findall(r"python3 make\.py (\w+)", path.read_text("utf-8")))
    assert {"test"} <= called <= COMMANDS


# --- Publishing --------------------------------------------------------------


def run(command: list, folder: Path, **variables: str) -> subprocess.CompletedProcess:
    clean = {
        k: v for k, v in os.environ.items() if not k.startswith(("GITHUB", "GIT_"))
    }
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**clean, "HOME": str(folder), **variables},
        capture_output=True,
        text=True,
    )


def git(folder: Path, *arguments: str) -> str:
    done = run(["git", "-c", "user.name=x", "-c", "user.email=x@x", *arguments], folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A checkout with what .ci/publish needs, cloned from a repository on disk."""
    git(tmp_path, "init", "--quiet", "--bare", "origin")
    git(tmp_path, "clone", "--quiet", "origin", "checkout")
    folder = tmp_path / "checkout"
    shutil.copytree(CI, folder / ".ci")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    (folder / ".gitignore").write_text("/site/\n")
    (folder / ".git" / "info" / "exclude").write_text("*.ipynb\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "book")
    site = folder / "site"
    (site / "zh").mkdir(parents=True)
    (site / "index.html").write_text("1")
    (site / "zh" / "a.ipynb").write_text("{}")
    return folder


ADDRESSED = {"GITHUB_REPOSITORY": "Owner/Book"}


def published(folder: Path) -> dict[str, str]:
    """What the branch holds, by its path."""
    branch = "origin/gh-pages"
    git(folder, "fetch", "--quiet", "--force")
    files = git(folder, "ls-tree", "-r", "--name-only", branch).splitlines()
    return {name: git(folder, "show", f"{branch}:{name}") for name in files}


def test_the_site_is_the_one_commit_of_its_branch(checkout):
    before = git(checkout, "status", "--porcelain"), git(checkout, "rev-parse", "HEAD")
    for text in ("1", "2"):  # the second time, the branch is there
        (checkout / "site" / "index.html").write_text(text)
        done = run([".ci/publish", "site"], checkout, **ADDRESSED)
        assert done.returncode == 0, done.stderr
        files = published(checkout)
        assert files == {".nojekyll": "", "index.html": text, "zh/a.ipynb": "{}"}
        assert git(checkout, "rev-list", "--count", "origin/gh-pages") == "1"
    (checkout / "site" / "zh" / "a.ipynb").unlink()
    run([".ci/publish", "site"], checkout, **ADDRESSED)
    assert set(published(checkout)) == {".nojekyll", "index.html"}
    after = git(checkout, "status", "--porcelain"), git(checkout, "rev-parse", "HEAD")
    assert after == before
    assert git(checkout, "log", "-1", "--format=%s", "origin/gh-pages").endswith(
        git(checkout, "rev-parse", "--short", "HEAD")
    )


def test_a_domain_of_its_own_is_kept(checkout):
    address = "https://backprop.example.org/"
    done = run([".ci/publish"], checkout, **ADDRESSED, SITE_URL=address)
    assert done.returncode == 0, done.stderr
    assert published(checkout)["CNAME"] == "backprop.example.org"


def test_without_a_site_nothing_is_pushed(checkout):
    (checkout / "site" / "index.html").unlink()
    done = run([".ci/publish", "site"], checkout, **ADDRESSED)
    assert done.returncode != 0
    assert "python3 make.py build" in done.stderr
    assert not git(checkout, "ls-remote", "origin", "gh-pages")


@pytest.mark.parametrize(
    ("repository", "own", "site"),
    [
        ("Owner/Book", "", "https://owner.github.io/Book/"),
        ("Owner/owner.github.io", "", "https://owner.github.io/"),
        ("Owner/Book", "https://x.org/", "https://x.org/"),
    ],
)
def test_the_addresses_of_a_repository(tmp_path, repository, own, site):
    variables = {"GITHUB_REPOSITORY": repository, "SITE_URL": own}
    script = f'set -eu; . "{CI}/addresses"; echo "$SITE_URL $REPO_URL"'
    done = run(["bash", "-c", script], tmp_path, **variables)
    assert done.stdout.split() == [site, f"https://github.com/{repository}"]


def test_outside_github_there_are_no_addresses(tmp_path):
    script = f'set -eu; . "{CI}/addresses"; echo "${{SITE_URL:-}}${{REPO_URL:-}}"'
    done = run(["bash", "-c", script], tmp_path, SITE_URL="", REPO_URL="")
    assert done.returncode == 0
    assert done.stdout.strip() == ""


# --- The newest versions, and the issue that tells of them -------------------


@pytest.fixture
def weekly():
    spec = importlib.util.spec_from_file_location("weekly", CI / "weekly.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RESULTS = """<testsuites><testsuite>
<testcase classname="snippets.cnn.md" name="session">
<failure message="snippets/cnn.md:27: shows 0.9, the code prints 0.6">x</failure>
</testcase>
<testcase classname="tests.test_a" name="test_b">
<failure message="assert 1 == 2"/></testcase>
<testcase classname="" name="tests/test_c.py">
<error message="collection failure"/></testcase>
<testcase classname="tests.test_a" name="test_fine"/>
</testsuite></testsuites>"""
# Stands for make.py: renews the locks as a `lock --upgrade`, fails as a `test`.
MAKE = """
import json, pathlib, sys
root = pathlib.Path(__file__).parent
print("make.py", *sys.argv[1:])
if sys.argv[1] == "lock":
    (root / "requirements.txt").write_text("keras==4.0\\nnumpy==2.4.6 ; x\\nnew==1\\n")
    sys.exit({lock})
(root / "build").mkdir(exist_ok=True)
results = pathlib.Path(sys.argv[2].partition("=")[2])
{test} and results.write_text({results!r})
sys.exit({test})
"""


@pytest.fixture
def book(tmp_path, monkeypatch) -> Path:
    monkeypatch.delenv("GITHUB_RUN_ID", raising=False)
    (tmp_path / "requirements.txt").write_text(
        "keras==3.15.1 \\\n    --hash=sha256:0\nnumpy==2.4.6 \\\n    --hash=sha256:0\n"
    )
    packages = {"": {"name": "x"}, "node_modules/mathjax": {"version": "4.1.3"}}
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": packages}))
    return tmp_path


def test_what_fails_with_the_newest_versions_is_told(weekly, book):
    (book / "make.py").write_text(MAKE.format(lock=0, test=1, results=RESULTS))
    assert weekly.main(book) == 1
    told = (book / "build" / "weekly.md").read_text("utf-8")
    parts = dict(re.findall(r"(?ms)^## (.*?)\n(.*?)(?=^## |\Z)", told))
    assert set(parts) == {"Printed numbers", "Failing tests", "New versions"}
    assert "0.9, the code prints 0.6" in parts["Printed numbers"]
    assert "test_a::test_b" in parts["Failing tests"]
    assert "tests/test_c.py" in parts["Failing tests"]
    assert "test_fine" not in told
    assert parts["New versions"].split("\n")[1:3] == [
        "- keras: 3.15.1 → 4.0",
        "- new: none → 1",
    ]
    assert "numpy" not in parts["New versions"]
    assert "mathjax" not in parts["New versions"]


def test_where_nothing_fails_nothing_is_told(weekly, book):
    (book / "make.py").write_text(MAKE.format(lock=0, test=0, results=""))
    assert weekly.main(book) == 0
    assert not (book / "build" / "weekly.md").exists()


def test_versions_that_do_not_go_together_are_told(weekly, book):
    (book / "make.py").write_text(MAKE.format(lock=1, test=0, results=""))
    assert weekly.main(book) == 1
    told = (book / "build" / "weekly.md").read_text("utf-8")
    assert "make.py lock` fails" in told
    assert "make.py lock --upgrade" in told  # what it said


def test_a_report_has_room_in_an_issue(weekly):
    many = [weekly.Failure(n % 2 == 0, "x" * 99, "`" * 9_999) for n in range(999)]
    told = weekly.report("test", "", many, {}, {})
    assert len(told) < 65_536
    assert told.count("And 4") == 2


def test_the_locks_are_read(weekly):
    found = weekly.versions(ROOT)
    assert {"tensorflow", "keras", "numpy", "mkdocs-material"} < set(found)
    assert any("mathjax" in name for name in found)


# Stands for gh: writes down how it was called; finds the issue that $OPEN numbers.
GH = """#!/bin/sh
for argument in "$@"; do printf '%s\\n' "$argument"; done >>"$CALLS"
echo >>"$CALLS"
case "$1 $2" in
  "issue list") echo "$OPEN" ;;
  "release view") [ -n "$OPEN" ] ;;
esac
"""


def called(folder: Path, command: list, **variables: str) -> list[list[str]]:
    """With what a script calls gh."""
    (folder / "bin").mkdir()
    (folder / "bin" / "gh").write_text(GH)
    (folder / "bin" / "gh").chmod(0o755)
    calls = folder / "calls"
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = run(command, folder, PATH=path, CALLS=str(calls), **variables)
    assert done.returncode == 0, done.stderr
    return [call.splitlines() for call in calls.read_text().split("\n\n") if call]


def test_an_issue_is_opened(tmp_path):
    _, create = called(tmp_path, [CI / "report", "weekly.md"], OPEN="")
    assert create[:3] == ["issue", "create", "--title"]
    assert create[-2:] == ["--body-file", "weekly.md"]


def test_the_open_issue_is_renewed(tmp_path):
    find, edit = called(tmp_path, [CI / "report", "weekly.md"], OPEN="7")
    assert find[:4] == ["issue", "list", "--state", "open"]
    assert edit == ["issue", "edit", "7", "--body-file", "weekly.md"]


def test_files_are_attached_to_a_release(tmp_path):
    (tmp_path / "a b.zip").touch()
    command = [CI / "release", "a b.zip", "c.pdf"]
    _, create, upload = called(tmp_path, command, OPEN="", GITHUB_REF_NAME="v1")
    assert create[:4] == ["release", "create", "v1", "--verify-tag"]
    assert upload == ["release", "upload", "v1", "--clobber", "a b.zip", "c.pdf"]


def test_a_release_that_is_there_is_kept(tmp_path):
    command = [CI / "release", "c.pdf"]
    found = called(tmp_path, command, OPEN="1", GITHUB_REF_NAME="v1")
    assert [call[1] for call in found] == ["view", "upload"]
