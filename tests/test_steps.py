"""A derivation and its code become one step; nothing of the page is lost."""

import re

import pytest

from book import Mistake, sessions, steps
from book.sessions import OUTPUT, BadSession

CODE = '<div class="language-python highlight"><pre>code</pre></div>\n'
TEXT = '<div class="language-text highlight"><pre>1.5</pre></div>\n'


def parted(page: str) -> str:
    """What is made of a page, with a short mark."""
    parts = steps.elements(page)
    return "".join(steps.steps(parts, lambda made: f"<a>{made}</a>"))


def step(derivation: str, execution: str) -> str:
    return (
        f'<div class="step"><div class="derivation">{derivation}</div>'
        f'<div class="execution">{execution}</div></div>\n'
    )


def output(html: str) -> str:
    return f'<div class="output">{html}<a></a></div>'


def test_prose_and_the_code_after_it_are_a_step():
    page = f"<p>one</p>\n<p>two<br>lines</p>\n{CODE}<p>three</p>\n{CODE}"
    first = step("<p>one</p>\n<p>two<br>lines</p>\n", CODE)
    assert parted(page) == first + step("<p>three</p>\n", CODE)


def test_an_output_is_marked_and_stays_with_its_code():
    page = f"<p>one</p>\n{CODE}{OUTPUT}\n{TEXT}{CODE}<p>two</p>\n"
    assert (
        parted(page)
        == step("<p>one</p>\n", CODE + output(TEXT) + CODE) + "<p>two</p>\n"
    )


def test_a_block_of_many_lines_is_long():
    lines = [steps.WHOLE, steps.WHOLE + 1]
    page = "".join(CODE.replace("code", "x\n" * count) for count in lines)
    html = steps.stepped(page, "en", "", {steps.HOW[0]: "verification/"})
    assert re.findall(r'highlight[^"]*', html) == ["highlight", "highlight long"]


def test_only_what_is_compared_is_an_output():
    assert (
        parted(f"<p>a shell's answer:</p>\n{TEXT}")
        == f"<p>a shell's answer:</p>\n{TEXT}"
    )


def test_outputs_of_an_optional_session_say_what_they_were_made_with(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(sessions, "SNIPPETS", tmp_path)
    (tmp_path / "a.md").write_text(f"<!-- needs: torch -->\n{OUTPUT}\ntorch 2.13.0\n")
    (tmp_path / "b.md").write_text("torch 2.13.0\n")
    lines = ['--8<-- "a.md:x"', '--8<-- "b.md:y"', '--8<-- "c.md:z"', "Text."]
    page = steps.told("\n\n".join(lines))
    for line in lines[:3]:  # as MkDocs includes them
        page = page.replace(line, f"{CODE}{OUTPUT}\n{TEXT}")
    html = parted(page)
    assert re.findall("<a>(.*?)</a>", html) == ["torch 2.13.0", "", ""]
    assert steps.MADE_WITH not in html

    (tmp_path / "a.md").write_text("<!-- needs: torch -->\nprint('torch')\n")
    with pytest.raises(BadSession, match=r"a\.md:1: no output tells the version"):
        steps.told(lines[0])


def test_headings_stand_over_both_columns():
    page = f"<h1>T</h1>\n<p>one</p>\n<h2>S</h2>\n<p>two</p>\n{CODE}"
    assert parted(page) == "<h1>T</h1>\n<p>one</p>\n<h2>S</h2>\n" + step(
        "<p>two</p>\n", CODE
    )


def test_code_without_a_derivation_takes_the_whole_width():
    assert parted(f"<h2>S</h2>\n{CODE}") == f"<h2>S</h2>\n{CODE}"


def test_what_lies_inside_an_element_does_not_part_it():
    box = f'<div class="admonition"><h2>T</h2>{CODE}</div>\n'
    assert parted(f"<p>one</p>\n{box}{CODE}") == step(f"<p>one</p>\n{box}", CODE)


def test_entities_and_markers_of_sections():
    page = f"<!-- --8<-- [start:a] -->\n<p>a &lt; b &amp; c</p>\n{CODE}"
    assert parted(page) == step("<p>a &lt; b &amp; c</p>\n", CODE)


def test_a_solution_has_steps_of_its_own():
    # So Markdown makes it: indented, the comment stands in a paragraph.
    inside = f"<p>one</p>\n{CODE}<p>{OUTPUT}\n{TEXT}</p>\n{CODE}"
    begin = '<details class="success">\n<summary>Solution</summary>'
    solved = step("<p>one</p>\n", CODE + output(TEXT.rstrip()) + "\n" + CODE)
    asked = step("<p>question</p>\n", CODE)
    made = parted(f"<p>question</p>\n{CODE}{begin}{inside}</details>\n")
    assert made.replace("\n", "") == f"{asked}{begin}{solved}</details>".replace(
        "\n", ""
    )


def test_a_session_from_which_names_are_taken_is_a_link():
    code = (
        '<span class="kn">from</span><span class="w"> </span><span class="nn">{}</span>'
    )
    page = CODE.replace("code", code.format("a.b") + code.format("numpy"))
    pages = {"a/b.md": "a/b/", "verification.md": "v/"}
    html = steps.stepped(page + f"{OUTPUT}\n{TEXT}", "en", "a/c/", pages)
    assert code.format('<a href="../b/">a.b</a>') in html
    assert code.format("numpy") in html
    assert steps.MADE not in html
    optional = f"<!-- made with: torch 2.13.0 -->{CODE}{OUTPUT}\n{TEXT}"
    for language, words in [("en", "printed by torch"), ("zh", "由 torch 2.13.0 打印")]:
        html = steps.stepped(optional, language, "a/c/", pages)
        assert re.search(f'{steps.MADE} href="../../v/#outputs"[^>]*>{words}', html)
    del pages["verification.md"]
    with pytest.raises(Mistake, match=r"no page verification\.md"):
        steps.stepped(page, "en", "a/c/", pages)
