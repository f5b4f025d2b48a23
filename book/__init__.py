"""The library: what the book consists of, and what is made of it.

It reads docs/ and snippets/, and knows neither MkDocs nor the tests.
"""


class Mistake(Exception):
    """Something that an author can mend; says what, and in which file and line."""
