"""The library: what the book consists of, and what is made of it.

It reads docs/ and snippets/, and knows neither MkDocs nor the tests.
"""
