r"""TeX becomes a tree: the dialect of the book.

Which letters with primes, accents, superscripts and subscripts are one symbol, and
which are functions, the page's vocabulary says: the 2 of $a^{2}$ is a power unless the
vocabulary has an a^2.
"""

import re
from collections.abc import Iterable

from book.tex.tree import (
    PLAIN,
    Big,
    Bracket,
    Call,
    Cases,
    Chain,
    Derivative,
    Index,
    Matrix,
    Name,
    Node,
    Number,
    Op,
)


class Unread(Exception):
    """Not in the dialect; says what was not understood."""


TOKEN = re.compile(
    r"\\(?:text|mathrm|operatorname)\{[^{}]*\}|\\(?:begin|end)\{\w+\}|\\[a-zA-Z]+|\\."
    r"|\d+(?:\.\d+)?|\S"
)
SIZES = ("left", "right", *(b + s for b in ("big", "Big", "bigg") for s in ("", *"lr")))
BLANK = {r"\,", r"\;", r"\!", r"\:", "\\ ", r"\displaystyle", r"\limits", "~"}
BLANK |= {"\\" + size for size in SIZES}
# Functions whose argument may stand without brackets.
BARE = (r"\log", r"\sin", r"\cos")
RELATIONS = {
    **{"=": "=", "<": "<", ">": ">", r"\le": "<=", r"\ge": ">=", r"\ne": "!="},
    **{r"\in": "in", r"\notin": "not in", r"\to": "approx", r"\approx": "approx"},
    **{r"\equiv": "equiv", r"\Longleftrightarrow": "iff", r"\Longrightarrow": "then"},
}
INEQUALITIES = {"<", ">", "<=", ">=", "!=", "in", "not in"}
SIGNS = {
    **{r"\cdot": "*", r"\times": "*", "/": "/", r"\odot": "odot", r"\bmod": "mod"},
    **{r"\star": "star", r"\ast": "ast", r"\otimes": "kron"},
}
# Where a product ends.
ENDS = {")", "]", "}", "&", r"\\", ",", ";", ":", r"\quad", r"\qquad", "+", "-"}
ENDS |= {r"\rfloor", r"\rceil", r"\rVert", "^", "_", "'", "", r"\pm", r"\mp"}
OPENS = {"(", "{", "[", r"\lfloor", r"\lceil", r"\lVert"}
CLOSES = {")", "}", "]", r"\rfloor", r"\rceil", r"\rVert"}
PARTS = {",", ";", r"\quad", r"\qquad"}  # of a line that has several statements
# Words that join two statements, in both languages.
AND = {"that is", "with", "and", "for", "即", "也就是", "其中", "且", "对", "对于"}
IF = {"if", "若", "当", "如果"}
OTHERWISE = {"otherwise", "否则", "其他情形", "其他情况", "其余情形", "其他"}


def tokens(tex: str) -> list[str]:
    tex = re.sub(r"\\label\{[^{}]*\}", "", tex)
    tex = re.sub(r"\\\\\[\d+pt\]", r"\\\\ ", tex)
    found: list[str] = []
    for token in TOKEN.findall(tex):
        if token == "}" and found and found[-1] == "{":
            found.pop()  # {} is nothing
        elif token not in BLANK:
            found.append(token)
    return found


def words(token: str) -> str | None:
    r"""What \text{...} says."""
    return token[6:-1].strip(" ,，") if token.startswith(r"\text{") else None


# --- Statements --------------------------------------------------------------


def statements(tex: str, names: Iterable[str], functions: Iterable[str]) -> list[Node]:
    """The statements of a formula, of which each is a chain or one expression.

    A row that begins with a relation or a sign goes on with the row before; commas and
    wide spaces part statements; ± makes two of one. Raises Unread.
    """
    known = set(names), set(functions)
    found = []
    for part in _parted(_lines(tokens(tex))):
        for signs in ("+-", "-+") if {r"\pm", r"\mp"} & set(part) else ("+-",):
            signed = dict(zip([r"\pm", r"\mp"], signs, strict=True))
            found.append(_whole([signed.get(t, t) for t in part], *known))
    return found


def _whole(part: list[str], names: set[str], functions: set[str]) -> Node:
    parser = Parser(part, names, functions)
    node = parser.chain()
    if parser.token:
        raise Unread(f"nothing is known to follow {parser.token!r}")
    return node


def _lines(all_tokens: list[str]) -> list[list[str]]:
    """Those of an aligned formula, each joined with what it goes on from."""
    first, *_ = all_tokens or [""]
    if first != r"\begin{aligned}" or all_tokens.index(r"\end{aligned}") + 1 != len(
        all_tokens
    ):
        return [all_tokens]
    lines: list[list[str]] = []
    for row in rows(all_tokens[1:-1]):
        # a &= b & c &= d are two statements; && \text{...} is a remark.
        halves = [
            row[n] + (row[n + 1 : n + 2] or [[]])[0] for n in range(0, len(row), 2)
        ]
        for cell in filter(None, halves):
            if words(cell[0]) is not None and cell is not halves[0]:
                continue
            if lines and _goes_on(cell, lines[-1], first_of_row=cell is halves[0]):
                lines[-1] += cell
            else:
                lines.append(list(cell))
    return lines


def _goes_on(cell: list[str], before: list[str], first_of_row: bool) -> bool:
    starts = cell[0] in RELATIONS or cell[0] in SIGNS or cell[0] in ("+", r"\quad")
    depth, related = 0, False
    for token in cell:
        depth += _depth(token)
        related |= depth == 0 and token in RELATIONS
    return starts or before[-1] in RELATIONS or (first_of_row and not related)


def _depth(token: str) -> int:
    opens = token in OPENS or token.startswith(r"\begin")
    return opens - (token in CLOSES or token.startswith(r"\end"))


def rows(inside: list[str]) -> list[list[list[str]]]:
    """The rows of an environment, and their cells."""
    found, depth = [[[]]], 0
    for token in inside:
        depth += _depth(token)
        if depth == 0 and token == r"\\":
            found.append([[]])
        elif depth == 0 and token == "&":
            found[-1].append([])
        else:
            found[-1][-1].append(token)
    return [row for row in found if any(row)]


def _parted(lines: list[list[str]]) -> list[list[str]]:
    """Cut at commas, wide spaces and words that stand in no bracket."""
    found: list[list[str]] = []
    for line in lines:
        depth, parts = 0, [[]]
        for token in line:
            depth += _depth(token)
            said = words(token)
            if depth == 0 and (said in AND | IF or token in PARTS):
                parts.append([])
            else:
                parts[-1].append(token)
        for part in filter(None, parts):
            joins = found and (part[0] in RELATIONS or found[-1][-1] in RELATIONS)
            if joins or (found and part[0] == "+"):
                found[-1] += part
            else:
                found.append(part)
    return found


# --- Expressions -------------------------------------------------------------


class Parser:
    """Reads tokens from left to right; each method reads what its name says."""

    def __init__(self, all_tokens: list[str], names: set[str], functions: set[str]):
        self.tokens, self.at = list(all_tokens), 0
        self.names, self.functions = names, functions
        self.bars = 0  # how many | are open

    @property
    def token(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def ahead(self, *wanted: str) -> bool:
        return self.tokens[self.at : self.at + len(wanted)] == [*wanted]

    def next(self) -> str:
        token = self.token
        self.at += 1
        return token

    def eat(self, *wanted: str) -> None:
        for token in wanted:
            if self.token != token:
                raise Unread(f"{token!r} is wanted, not {self.token!r}")
            self.at += 1

    def items(self, end: str) -> tuple[Node, ...]:
        """a, b, c and what ends them; a_0, ..., a_{n-1} are the first n entries."""
        found = [self.chain()]
        while self.token in (",", ";", ":"):
            self.next()
            if self.ahead(r"\dots", ","):
                self.at += 2
                first, last = found.pop(), self.chain()
                match first, last:
                    case Index(base, (Number("0"),)), Index(other, (end_at,)):
                        if base == other:
                            found.append(Op("until", (base, end_at)))
                            continue
                raise Unread("dots that do not stand between entries 0 and n - 1")
            found.append(self.chain())
        self.eat(end)
        return tuple(found)

    def chain(self) -> Node:
        parts, relations = [self.sum()], []
        while self.token in RELATIONS:
            relations.append(RELATIONS[self.next()])
            parts.append(self.sum())
        if relations == ["equiv"]:
            self.eat("(", r"\mathrm{mod}")
            modulus = self.sum()
            self.eat(")")
            parts = [Op("mod", (part, modulus)) for part in parts]
            relations = ["="]
        return Chain(tuple(parts), tuple(relations)) if relations else parts[0]

    def sum(self) -> Node:
        node = self.signed()
        while self.token in ("+", "-"):
            sign = self.next()
            node = Op(sign, (node, self.product()))
        return node

    def signed(self) -> Node:
        negative = False
        while self.token in ("+", "-"):
            negative ^= self.next() == "-"
        node = self.product()
        return Op("neg", (node,)) if negative else node

    def product(self) -> Node:
        node = self.factor()
        while True:
            if self.token in SIGNS:
                sign = SIGNS[self.next()]
                if self.ahead("_", "{", r"\mathrm{full}", "}"):
                    self.at += 4
                    sign += " full"
                elif self.ahead("_", r"\mathrm{full}"):
                    self.at += 2
                    sign += " full"
                minus = self.token == "-"
                right = self.signed() if minus else self.factor()
                node = Op(sign, (node, right))
            elif self.ends():
                return node
            else:
                node = Op("of", (node, self.factor()))

    def ends(self) -> bool:
        token = self.token
        closes = token == "|" and self.bars
        return token in ENDS or token in RELATIONS or token in SIGNS or bool(closes)

    def factor(self) -> Node:
        return self.behind(self.base())

    def behind(self, node: Node) -> Node:
        """Powers, transposition, indices, zeros between."""
        while self.token in ("^", "_", "!"):
            mark = self.next()
            if mark == "_":
                node = self.below(node)
            elif self.transposes():
                node = Op("T", (node,))
            elif mark == "^":
                node = Op("pow", (node, self.argument()))
            else:
                raise Unread("a factorial")
        return node

    def transposes(self) -> bool:
        for form in (["{", r"\mathsf", "T", "}"], [r"\mathsf", "T"]):
            if self.ahead(*form):
                self.at += len(form)
                return True
        return False

    def below(self, node: Node) -> Node:
        if self.ahead("{", r"\uparrow"):
            self.at += 2
            by = self.sum()
            self.eat("}")
            return Op("dilate", (node, by))
        if self.token == "{":
            self.next()
            return Index(node, self.items("}"))
        return Index(node, (self.argument(),))

    def argument(self) -> Node:
        """{...}, or one letter or digit."""
        if self.token == "{":
            self.next()
            node = self.chain()
            self.eat("}")
            return node
        token = self.next()
        if re.fullmatch(r"\d\d+", token):  # \frac12 has two arguments
            self.at -= 1
            self.tokens[self.at : self.at + 1] = [token[0], token[1:]]
            token = self.next()
        if re.fullmatch(r"\d+(\.\d+)?", token):
            return Number(token)
        if re.fullmatch(r"[A-Za-z]", token):
            return Name(token)
        if re.fullmatch(r"\\[a-zA-Z]+", token):
            return Name(token[1:])
        raise Unread(f"{token!r}")

    def raw(self) -> tuple[str, int]:
        """The text of {...} or of one token, and where it ends; nothing is read."""
        if self.token != "{":
            return self.token, self.at + 1
        depth, end = 0, self.at
        while end < len(self.tokens):
            depth += (self.tokens[end] == "{") - (self.tokens[end] == "}")
            end += 1
            if depth == 0:
                text = "".join(self.tokens[self.at + 1 : end - 1])
                return re.sub(r"\\(?:mathrm|text)\{(.*?)\}", r"\1", text), end
        raise Unread("a brace is never closed")

    # --- What a factor begins with

    def base(self) -> Node:
        token = self.token
        if token in OPENS or token == "|":
            return self.bracketed()
        if token in (r"\frac", r"\tfrac"):
            return self.fraction()
        if token in (r"\sum", r"\prod", r"\max", r"\min"):
            return self.big()
        if token in (r"\ln", r"\exp", r"\sqrt", *BARE) or token.startswith(
            r"\operatorname"
        ):
            return self.function()
        if token.startswith(r"\begin"):
            return self.environment()
        if re.fullmatch(r"\d+(\.\d+)?", token):
            return Number(self.next())
        return self.symbol()

    def bracketed(self) -> Node:
        token = self.next()
        if token == "|":
            self.bars += 1
            node = self.sum()
            self.eat("|")
            self.bars -= 1
            return Call("abs", (node,))
        if token == "[":
            condition, *others = self.items("]")
            if others:
                raise Unread("more than one condition in [...]")
            return Bracket(condition)
        if token in (r"\lfloor", r"\lceil", r"\lVert"):
            name = token[2:]
            node = self.sum()
            self.eat(rf"\r{name}")
            return Call(name, (node,))
        bars, self.bars = self.bars, 0
        items = self.items("}" if token == "{" else ")")
        self.bars = bars
        return items[0] if len(items) == 1 else Op("tuple", items)

    def fraction(self) -> Node:
        self.next()
        if not self.ahead("{", r"\partial"):
            return Op("/", (self.argument(), self.argument()))
        self.at += 2
        top = None if self.token == "}" else self.product()
        self.eat("}", "{", r"\partial")
        bottom = self.factor()
        self.eat("}")
        return Derivative(top or self.factor(), bottom)

    def big(self) -> Node:
        kind, below, above = self.next()[1:], (), None
        while self.token in ("_", "^"):
            if self.next() == "^":
                above = self.argument()
            elif self.token == "{":
                self.next()
                below = self.items("}")
            else:
                below = (self.argument(),)
        if kind in ("max", "min") and not below:
            return Call(kind, self.arguments())
        return Big(kind, below, above, self.product())

    def arguments(self) -> tuple[Node, ...]:
        if self.token == "(":
            self.next()
            return self.items(")")
        return (self.factor(),)

    def function(self) -> Node:
        token = self.next()
        if token == r"\sqrt":
            return Call("sqrt", (self.argument(),))
        token = {r"\ln": r"\log"}.get(token, token)
        if token in BARE and self.token != "(":
            # log of a sum, of a symbol
            big = self.token in (r"\sum", r"\frac")
            return Call(token[1:], (self.product() if big else self.factor(),))
        if token in (r"\exp", *BARE):
            return Call(token[1:], self.arguments())
        name = token[len(r"\operatorname{") : -1]
        given: tuple[Node, ...] = ()
        if self.token == "_":
            self.eat("_", "{")
            given = self.items("}")
        if name not in self.functions | PLAIN | {"rot180", "diag"}:
            raise Unread(f"the vocabulary has no function {name}")
        return Call(name, given + self.arguments())

    def environment(self) -> Node:
        name, start, depth = self.next(), self.at, 1
        while depth and self.token:
            depth += self.token.startswith(r"\begin") - self.token.startswith(r"\end")
            self.at += 1
        if depth:
            raise Unread(f"{name} is never closed")
        found = rows(self.tokens[start : self.at - 1])
        if name == r"\begin{aligned}":  # a sum in two lines
            flat = [token for row in found for cell in row for token in cell]
            return self.inner(flat)
        if name == r"\begin{cases}":
            return Cases(tuple(self.case(*row) for row in found))
        if name in (r"\begin{bmatrix}", r"\begin{pmatrix}"):
            return Matrix(tuple(tuple(map(self.inner, row)) for row in found))
        raise Unread(name)

    def inner(self, part: list[str]) -> Node:
        if not part:
            raise Unread("an empty cell")
        return _whole(part, self.names, self.functions)

    def case(self, value: list[str], when: list[str]) -> tuple[Node, tuple[Node, ...]]:
        conditions, parts = [], [[]]
        for token in when:
            said = words(token)
            if said is None and token not in (",", r"\quad"):
                parts[-1].append(token)
            elif said in OTHERWISE:
                return self.inner(value), ()
            elif said is None or said in IF | AND:
                parts.append([])
            else:
                raise Unread(f"the words {said!r} of a case")
        for part in filter(None, parts):
            conditions.append(self.inner(part))
        return self.inner(value), tuple(conditions)

    def symbol(self) -> Node:
        """A letter and what belongs to it: primes, and what the vocabulary joins."""
        token = self.next()
        if token in (r"\tilde", r"\hat", r"\bar", r"\dot"):
            letter = self.argument()
            key = f"{token[1:]} {getattr(letter, 'key', '')}"
        elif token.startswith(r"\mathrm{"):
            key = token[8:-1]
        elif token.startswith(r"\text{"):
            key = words(token)
        elif re.fullmatch(r"\\?[A-Za-z]+", token):
            key = token.removeprefix("\\")
        else:
            raise Unread(f"{token!r}" if token else "the formula ends too early")
        if key == "partial":
            raise Unread("a ∂ that stands in no fraction")
        node: Node = Name(key)
        while self.token in ("'", "^", "_"):
            joined = self.joined(key)
            if joined is not None:
                key = joined
                node = replaced(node, Name(key))
            elif f"{key}{self.token}()" in self.names:  # x^{(ρ)}, ℓ_n: one for each
                key = f"{key}{self.next()}()"
                node = self.below(Name(key))  # h_{t,n,j}: an entry of h_t
            elif self.token == "_":
                self.next()
                node = self.below(node)
                if isinstance(node, Index) and isinstance(node.base, Index):
                    node = Index(node.base.base, node.base.items + node.items)
            else:
                break
        if (key in self.functions or key == "o") and self.token == "(":
            self.next()
            return self.behind(Call(key, self.items(")")))
        if key == "e" and self.token == "^" and "e" not in self.names:
            self.next()
            return Call("exp", (self.argument(),))
        return node

    def joined(self, key: str) -> str | None:
        """The symbol with the mark that follows, which is then read; or None."""
        if self.token == "'":
            self.next()
            return key + "'"
        mark = self.next()
        text, end = self.raw()
        named = self.tokens[self.at : self.at + 2]
        named = named[0].startswith((r"\mathrm", r"\text")) or (
            named[0] == "{" and named[1].startswith((r"\mathrm", r"\text"))
        )
        if text == r"\prime":
            self.at = end
            return key + "'"
        plain = text.replace("{", "").replace("}", "").replace("\\", "")
        if f"{key}{mark}{plain}" in self.names | self.functions or named or text == "*":
            self.at = end
            return f"{key}{mark}{plain}"
        self.at -= 1
        return None


def replaced(node: Node, name: Name) -> Node:
    """The node with this name in the place of its own."""
    if isinstance(node, Index):
        return Index(replaced(node.base, name), node.items)
    if isinstance(node, Op):
        return Op(node.sign, (replaced(node.args[0], name), *node.args[1:]))
    return name
