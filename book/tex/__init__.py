"""The displayed formulas of the book, read as what they say and held against numbers.

tree, parser: TeX becomes a tree; world: what the symbols of a page are, in numbers;
evaluator: the value of a tree in a world; displays: what becomes of every formula.
"""
