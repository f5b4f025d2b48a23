"""The statements that a piece of code stands on, and no others."""

import textwrap

import pytest

from book.names import needed, reads, sets

BEFORE = textwrap.dedent("""
    import numpy as np
    import os

    np.set_printoptions(precision=4)
    x = np.zeros(3)


    # doubles
    def f(a):
        return scale * a


    scale = 2
    scale = 3
    unused = 5
    print(x)
    np.testing.assert_allclose(f(x), 0)
    x[0] = 1
    rows = []
    rows.append(f(x))
    with open(os.devnull) as file:
        text = file.read()
    for x in rows:
        print(x)
""")


def test_what_code_reads_is_what_others_must_set():
    code = "y = x + np.ones(1)\nz = y\nfor i in z:\n    g(i)\n"
    assert reads(code) == {"x", "np", "g"}
    assert reads("def f(a, *b):\n    c = a + d\n    return f(c) + len(b)\n") == {"d"}
    assert reads("with tape() as t:\n    t.watch(v)\n") == {"tape", "v"}
    assert reads("y = [i + k for i in x]") == {"k", "x"}
    assert reads("x += y\nx += 1\n") == {"x", "y"}
    assert sets("import a.b as c, d.e\nx, (y, z) = 1, (2, 3)\n") == set("cdxyz")


@pytest.mark.parametrize(
    ("name", "there", "absent"),
    [
        ("f", ["# doubles\ndef f(a)", "scale = 3"], ["scale = 2", "x =", "os"]),
        ("scale", ["scale = 3"], ["scale = 2", "def f"]),
        ("rows", ["x[0] = 1", "rows.append", "x = np.zeros", "def f"], ["print(x)"]),
        ("text", ["import os", "with open"], ["import numpy\n", "unused"]),
        ("x", ["for x in rows"], ["with"]),
        ("nowhere", [], ["set_printoptions", "x ="]),
    ],
)
def test_only_what_is_needed(name, there, absent):
    code = needed({name}, BEFORE)
    assert not [part for part in there if part not in code]
    assert not [part for part in absent if part in code]
    assert "unused" not in code


def test_it_runs():
    namespace: dict = {}
    exec(needed({"rows"}, BEFORE), namespace)
    assert namespace["rows"][0].tolist() == [3, 0, 0]
    assert "unused" not in namespace


def test_a_function_further_down_is_not_a_loop_variable_above():
    functions = "def f(a):\n    return part(a)\n\n\ndef part(a):\n    return a\n"
    code = needed({"f"}, f"for part in [1]:\n    print(part)\n{functions}")
    assert code.split() == functions.split()
