"""The formulas of the book, read as what they say and held against numbers.

tree, parser: TeX becomes a tree; world: what the symbols of a page are, in numbers, and
vocabulary: which worlds a page or a section has; evaluator: the value of a tree in one;
claim: is a formula so in a world, and rounding: how far off may rounded numbers be;
functions: is a function its formula; displays, inline: what becomes of every formula.
"""
