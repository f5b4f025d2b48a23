"""Every exercise has a solution that the check accepts and a mistake that it names.

On a page, below ## … { #exercises }: ### … { #exercise-name }, the question, section
exercise-name of the session, and folded, with section solution-name, the solution.
In the session: the exercise is one block; the solution is followed by blocks that begin
with `# mistake: what is wrong`. What they print is compared where the session is run.
"""

import ast
import copy
import re
from pathlib import Path

import pytest

from book import sessions
from book.names import sets
from book.pages import LANGUAGES, ROOT, nav_pages

# Pages with a session that derives nothing; those without a session have none either.
WITHOUT = {"article", "symptoms"}
PAGES = [
    page
    for page in nav_pages()
    if (sessions.SNIPPETS / page).exists() and Path(page).stem not in WITHOUT
]
# Such an exercise begins with a wrong answer; the report on it is part of the question.
MENDED = "# yours: put it right"
FOLDED = {"en": '??? success "Solution"', "zh": '??? success "解答"'}
INCLUDE = r'--8<-- "([\w/-]+\.md):{0}-{1}"'


def text_of(language: str, page: str) -> str:
    return (ROOT / "docs" / language / page).read_text(encoding="utf-8")


def exercises(page: str) -> dict[str, str]:
    """What stands below the heading of each exercise of an English page, by name."""
    _, _, after = text_of("en", page).partition("{ #exercises }")
    parts = re.split(r"^### .*\{ #exercise-([a-z0-9-]+) \}$", after, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def blocks(page: str, kind: str, name: str) -> list[sessions.Block]:
    """The blocks of a section: exercise-name or solution-name."""
    include = re.search(INCLUDE.format(kind, name), exercises(page)[name])
    return sessions.parse(sessions.SNIPPETS / include[1]).of(f"{kind}-{name}")


def references(block: sessions.Block) -> list[str]:
    """To what a block's answers are compared."""
    return [
        ast.unparse(node.args[1])
        for node in ast.walk(ast.parse(block.code))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "check_gradient"
    ]


def faults(page: str, name: str) -> list[str]:
    """What is missing of an exercise; empty where it is whole."""
    [exercise], [*solution] = (blocks(page, k, name) for k in ["exercise", "solution"])
    wrong = [b for b in solution if b.code.startswith("# mistake: ")]
    right = [b for b in solution if b not in wrong]
    found = []
    if "# yours" not in exercise.code:
        found.append("nothing in the exercise is marked # yours")
    wanted = references(exercise)
    if not wanted:
        found.append("the exercise does not call check_gradient")
    for block in [*right[-1:], *wrong]:
        if references(block) != wanted:
            found.append(f"line {block.line} compares with something else")
    if "equal " in (exercise.shown or ""):
        found.append("the exercise is solved already")
    if "instead of" in (exercise.shown or "") and MENDED not in exercise.code:
        found.append("the exercise tells its answer before anything was tried")
    shown = right[-1].shown if right else ""
    reports = shown.count("\nequal ")
    if reports != len(wanted) or re.search("(?m)^(likely|beware|No likely)", shown):
        found.append("the solution is not accepted")
    if not wrong:
        found.append("no mistake is shown: # mistake: what is wrong")
    for block in wrong:
        if block.shown.count("\nequal ") >= len(wanted):
            found.append(f"line {block.line}: this mistake is accepted")
    if not any("\nlikely " in block.shown for block in wrong):
        found.append("no mistake is named")
    return found


CASES = [(page, name) for page in PAGES for name in exercises(page)]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_three_to_five(page):
    assert 3 <= len(exercises(page)) <= 5


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_ends_with_them_and_solutions_are_folded(page, language):
    _, _, after = text_of(language, page).partition("{ #exercises }")
    assert "\n## " not in after
    for part in re.split(r"^### ", after, flags=re.M)[1:]:
        question, folded, solution = part.partition(FOLDED[language])
        name = re.search(r"\{ #exercise-([a-z0-9-]+) \}", question)[1]
        assert folded
        assert re.search("(?m)^" + INCLUDE.format("exercise", name), question)
        assert re.search("(?m)^    " + INCLUDE.format("solution", name), solution)


@pytest.mark.parametrize(("page", "name"), CASES)
def test_the_check_accepts_the_solution_and_refuses_the_mistakes(page, name):
    assert not faults(page, name)


@pytest.mark.parametrize("path", sessions.paths(), ids=sessions.name_of)
def test_an_exercise_changes_nothing_on_its_page(path):
    """A reader may leave an exercise out: what follows is the same without it."""
    session = sessions.parse(path)
    inside, chapter = set(), set()
    for block in session.blocks:
        section = next(s for s in session.sections if s.start < block.line < s.end)
        exercise = section.name.startswith(("exercise-", "solution-"))
        (inside if exercise else chapter).update(sets(block.code))
    assert not inside & chapter


def change(monkeypatch, edit) -> None:
    """Let what is read of the sessions be something else."""
    parse = sessions.parse

    def changed(path):
        session = copy.deepcopy(parse(path))
        for block in session.blocks:
            edit(block)
        return session

    monkeypatch.setattr(sessions, "parse", changed)


EDITS = {
    "nothing in the exercise is marked # yours": ("code", "# yours", "#"),
    "the exercise does not call check_gradient": ("code", "check_gradient", "print"),
    "line {line} compares with something else": ("code", "apart_dx[0]", "apart_dx"),
    "the exercise is solved already": ("shown", "compare yet", "compare\nequal "),
    "the exercise tells its answer before anything was tried": (
        "shown",
        "0 everywhere",
        "0 instead of 2",
    ),
    "the solution is not accepted": ("shown", "\nequal ", "\nlikely "),
    "no mistake is shown: # mistake: what is wrong": ("code", "# mistake", "#"),
    "line {line}: this mistake is accepted": ("shown", "\nlikely ", "\nequal "),
    "no mistake is named": ("shown", "likely  too short", "too short"),
}


@pytest.mark.parametrize("fault", EDITS)
def test_a_fault_is_found(monkeypatch, fault):
    attribute, before, after = EDITS[fault]
    page, name = "cnn/stride.md", "apart"
    lines = [block.line for block in blocks(page, "solution", name)]

    def edit(block):
        # In the case of another reference, only the solution is to be changed.
        if "something else" not in fault or block.line in lines:
            text = getattr(block, attribute) or ""
            setattr(block, attribute, text.replace(before, after))

    change(monkeypatch, edit)
    assert {fault.format(line=line) for line in lines} & set(faults(page, name))
