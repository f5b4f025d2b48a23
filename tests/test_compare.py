"""Under the lock character by character; else numbers by value, all else by text."""

import re

import pytest

from book import sessions
from book.compare import all_locked, difference, locked, shape

EQUAL = [
    ("[1.0000 2.5000]", "[1.00003 2.49998]"),  # half a unit of the last place
    ("[1. 2.]", "[1.00009 2.]"),  # NumPy's short form: at most 1e-4
    ("[[1.0 2.0]]", "[[1.0   2.0]\n]"),  # spacing
    ("-0.0000", "0.0000"),
    ("1e-05", "1.00001e-05"),
    ("123456.0", "123456.9"),  # 1e-5 of it
    ("nan inf -inf", "nan inf -inf"),
    ("z1 (1, 4, 4, 1)", "z1 (1, 4, 4, 1)"),
]
DIFFERENT = [
    ("[1. 2.]", "[1.9 2.9]"),  # pytest's and sybil's NUMBER accept this
    ("100000", "100001"),  # scipy_doctest accepts this
    ("[1.0000]", "[1.0002]"),
    ("1.5", "-1.5"),
    ("1.5", "nan"),
    ("nan", "1.5"),
    ("inf", "-inf"),
    ("3", "3.0"),
    ("(1, 4)", "(1, 5)"),
    ("float32", "float64"),
    ("z1 0.5", "z2 0.5"),
    ("[[1.0 2.0]]", "[1.0 2.0]"),
    ("[1.0 2.0]", "[1.0 2.0 3.0]"),
    ("[1.0 2.0 3.0]", "[1.0 2.0]"),
    ("12.0", "1 2.0"),
    ("2.21.0", "2.21.1"),
    ("0.0001", "0.0003"),
    ("2e-08", "4e-08"),
    ("-1.79769e+908", "-1.79769e+308"),  # the lowest float, mistyped
]


@pytest.mark.parametrize(("shown", "printed"), EQUAL)
def test_equal(shown, printed):
    assert difference(shown, printed) is None


@pytest.mark.parametrize(("shown", "printed"), DIFFERENT)
def test_different(shown, printed):
    assert difference(shown, printed)


def test_the_message_names_line_and_values():
    message = difference("[[1.0 2.0]\n [3.0 4.0]]", "[[1.0 2.0]\n [3.0 4.5]]")
    assert message == "line 2 of the output shows 4.0, the code prints 4.5"


def test_a_wrong_shape_is_named_as_one():
    message = difference("[[1.0 2.0]\n [3.0 4.0]]", "[1.0 2.0 3.0 4.0]")
    assert message == "the array shown has shape (2, 2), the one printed (4,)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1. 2. 3.]", (3,)),
        ("[[1, 2], [3, 4], [5, 6]]", (3, 2)),
        ("[[1.] [2. 3.]]", None),
        ("loss 1.5", None),
        ("[1.]\n[2.]", None),
        ("]", None),
        ("", None),
    ],
)
def test_shape(text, expected):
    assert shape(text) == expected


SHOWN = "[[ 1.0000 -0.0000]\n [ 2.5000  3.0000]]\nδ 1e-05"


def test_under_the_lock_no_character_can_change_unnoticed():
    assert difference(SHOWN, SHOWN.replace("]\n", "]  \n") + "\n", True) is None
    for place in range(len(SHOWN)):
        changed = SHOWN[:place] + "#" + SHOWN[place + 1 :]
        assert difference(changed, SHOWN, True), place
    for shown, printed in EQUAL:
        assert shown == printed or difference(shown, printed, True), shown


@pytest.mark.parametrize(
    ("shown", "place"),
    [
        (SHOWN.replace("2.5000", "2.5001"), "line 2, character 9 of the output shows"),
        (SHOWN.replace("-0.0000", " 0.0000"), "line 1, character 11 of the output"),
        (SHOWN.replace("  3.0", " 3.0"), "line 2, character 11 of the output shows"),
    ],
)
def test_the_message_names_the_character_and_why_it_is_compared(shown, place):
    message = difference(shown, SHOWN, True)
    assert message.startswith(place)
    assert "under the versions of requirements.txt every character" in message


def test_the_lock_is_that_of_this_machine():
    """Else the sessions would be compared by value only, and nobody would know."""
    assert all_locked()
    with pytest.raises(ValueError, match="does not lock no-such"):
        locked("no-such")


@pytest.mark.parametrize(
    "path",
    sessions.paths(),
    ids=sessions.name_of,
)
def test_no_digit_of_a_session_can_change_unnoticed(path):
    """Each of the first four significant digits of every number, changed by 2."""
    for block in sessions.parse(path).blocks:
        shown = block.shown or ""
        for place in re.finditer(r"\d", shown):
            if re.search(r"\de[-+]\d*$", shown[: place.start()]):
                continue  # 1e-06 shown allows 1e-06 more or less, and so 1e-26
            number = re.search(r"[\d.]*$", shown[: place.end()])[0]
            if len(number.replace(".", "").lstrip("0")) <= 4:
                digit = str((int(place[0]) + 2) % 10)
                changed = shown[: place.start()] + digit + shown[place.end() :]
                assert difference(shown, changed), (block.line, number)
