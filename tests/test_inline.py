"""Formulas within lines: numbers are right, and what holds goes on holding."""

import re

import pytest

from book.pages import LANGUAGES, Page, contents
from book.tex.inline import WITHIN, held, inline
from book.tex.world import Unknown
from tests.inline import kept, lost
from tests.test_numerals import changed

BOOK = contents()
PAGES = {page.name: page for page in BOOK["en"]}
EVERY = [page for language in LANGUAGES for page in BOOK[language]]


@pytest.mark.parametrize("page", EVERY, ids=str)
def test_what_is_said_of_numbers_alone_is_true(page):
    assert not faults(page)


@pytest.mark.parametrize("name", PAGES)
def test_what_holds_goes_on_holding(record, name):
    """python -m tests.inline renews the list, and says what has gone."""
    assert not lost(PAGES[name])
    numbers, others = WITHIN
    for one in inline(PAGES[name]):
        if one.arithmetic:  # which the test above holds
            record.formula(numbers)
        elif str(one) in kept():
            record.formula(others)


@pytest.mark.parametrize("page", BOOK["zh"], ids=str)
def test_the_other_language_says_it_in_the_same_section(page):
    lines = {line for line in kept() if line.startswith(f"{page.name}#")}
    assert not lines - {str(one) for one in inline(page)}


def faults(page: Page) -> list[str]:
    return [
        f"{page}:{one.line}: ${one.tex}$: {one.fault}"
        for one in inline(page)
        if one.fault
    ]


# --- Broken on purpose -------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("article.md", "$5^4 = 625$", "$5^4 = 624$", "625 and 624"),
        ("pooling/max.md", "$5 \\bmod 3 = 2$", "$5 \\bmod 3 = 1$", "2 and 1"),
        ("pooling/max.md", "= 1.4$ there remains", "= 1.3$ there remains", "and 1.3"),
        ("check.md", "\\approx 0.00098$", "\\approx 0.00097$", "and 0.00097"),
        ("check.md", "5.55 \\cdot 10^{-17}$", "5.56 \\cdot 10^{-17}$", "is not so"),
        ("softmax.md", "7.2 \\cdot 10^{86}$", "7.1 \\cdot 10^{86}$", "is not so"),
        # Beside symbols, whose values are not known here.
        ("notation.md", "0.01 \\cdot 0.4 = 0.154", "0.01 \\cdot 0.4 = 0.155", "0.154"),
        ("article.md", "$5^4 = 625$", "$5^4 > 625$", "is not so"),
        ("article.md", "$5^4 = 625$", "$5^{4 = 625$", "is wanted"),
        ("article.md", "$5^4 = 625$", "$5! = 120$", "a factorial"),
    ],
)
def test_a_number_that_is_wrong_is_told(name, old, new, message):
    (fault,) = faults(changed(PAGES[name], old, new))
    assert message in fault


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("pooling/max.md", "= \\lceil K/S \\rceil$", "= \\lfloor K/S \\rfloor$"),
        ("pooling/max.md", "$O = \\lfloor (H_p - K)", "$O = \\lfloor (H_p + K)"),
        ("notation.md", "$\\sum_i Z_{m,i} A_{i,k}", "$\\sum_i Z_{m,i} A_{k,i}"),
        ("check.md", "$\\mathrm{i}^3 = -\\mathrm{i}$", "$\\mathrm{i}^3 = \\mathrm{i}$"),
    ],
)
def test_a_formula_that_is_changed_is_told(name, old, new):
    page = changed(PAGES[name], old, new)
    (line,) = lost(page)
    assert line.startswith(f"docs/en/{name}: gone; is what stands there now true? ")
    assert new.strip("$") not in "".join(map(str, held(page)))


def test_a_formula_that_holds_no_longer_is_told():
    """The text of the section now gives another number."""
    old = "$a = (0.3, 1.4, 0.8, 0.6, 0.9)$"
    page = changed(PAGES["pooling/max.md"], old, old.replace("0.9", "0.7"))
    (line,) = lost(page)
    assert re.fullmatch(
        r"docs/en/pooling/max\.md:\d+: held before, and is not so now: "
        + re.escape(r"pooling/max.md#row: \frac{\partial \ell}{\partial a_4} = 0.5"),
        line,
    )


@pytest.mark.parametrize(
    "tex", ["H = 5", "K = S", "H", "H \\ge K", "q = 2", "H = K", "H + 1", "(3, 2)"]
)
def test_what_is_no_claim_is_not_held(tex):
    page = changed(PAGES["pooling/max.md"], "## Forward {", f"${tex}$\n\n## Forward {{")
    assert f"pooling/max.md#infinity: {tex}" not in {str(one) for one in held(page)}


def test_a_section_that_gives_two_numbers_for_one_name_is_told():
    page = changed(
        PAGES["pooling/max.md"], "(0.4, -0.3, 0.5)$. R", "(0.4, 0.3, 0.5)$. R"
    )
    message = "docs/en/pooling/max.md, section row: the text gives no delta, or more"
    with pytest.raises(Unknown, match=message):
        [*held(page)]
