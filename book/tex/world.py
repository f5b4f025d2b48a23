"""What the symbols of a page are, in numbers: one setting of sizes and arrays.

The .py of a page has its vocabulary, `@worlds()` for the page or `@worlds("by-hand")`
for a section: a function that gives the worlds in which its formulas are to hold.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from book.parts import part

H = 1e-5  # of the central difference: its error is about 1e-10


class Unknown(Exception):
    """A symbol, a range or a derivative that the vocabulary does not tell."""


Step = Callable[[Mapping], np.ndarray]


@dataclass
class World:
    """The values of all symbols, by the key of each: K_e, H', tilde x, delta^l-1.

    sizes: numbers and other values that nothing is derived by.
    given: what the forward pass starts from, drawn at random.
    forward: the rest of it, in its order; each step is a function of all values so far.
        The loss is ell, or the sum of delta times the last value.
    gradients: further names of ∂ℓ/∂ a value: {"delta^l-1": "z^l-1"}.
    functions: those of the page, σ' or g.
    zero: arrays that are 0 outside of their bounds, as the page says.
    also: other names of the same value: {"x": "a^l-1"}.
    ranges: of an index that stands alone at no array, or at some of different lengths,
        {"u": K}; or of one that never begins at 0, {"t": range(1, T + 1)}.
    families: values that are numbered, each also under one name, as h_t:
        {"h_()": ("h_0", "h_1")}; "" where there is none.
    axes: of an array with fewer indices than axes, {"x": {2: (0, 3)}}.
    arguments: of the functions of main results, by the names of their parameters;
        a key, or a function of all values. An array of the same name is taken as it is,
        and S, D and G for stride, dilation and groups. None: the functions do not
        take such arrays.
    results: what the function of a label gives, where that is not the left side.
    groups: the sizes that an axis was made of, {"X_col": ((N, O, O'), (K, K', C))}.
    """

    sizes: Mapping[str, object] = field(default_factory=dict)
    given: Mapping[str, np.ndarray] = field(default_factory=dict)
    forward: Mapping[str, Step] = field(default_factory=dict)
    gradients: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, Callable] = field(default_factory=dict)
    zero: frozenset[str] | set[str] = frozenset()
    also: Mapping[str, str] = field(default_factory=dict)
    ranges: Mapping[str, int | range] = field(default_factory=dict)
    families: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    axes: Mapping[str, Mapping[int, tuple[int, ...]]] = field(default_factory=dict)
    groups: Mapping[str, tuple[tuple[int, ...], ...]] = field(default_factory=dict)
    arguments: Mapping[str, str | Callable[[Mapping], object]] = field(
        default_factory=dict
    )
    results: Mapping[str, Callable[[Mapping], object]] = field(default_factory=dict)

    def __post_init__(self):
        self.jacobians: dict[tuple[str, str], np.ndarray] = {}
        self.values = {**self.sizes, **self.run()}
        for name, of in self.gradients.items():
            self.values[name] = self.jacobian("ell", of)

    def run(self, name: str = "", change: np.ndarray | float = 0) -> dict:
        """The forward pass, in which one value is changed as soon as it is there; of a
        family, each of its values."""
        found = {**self.sizes}
        changes = {name: change}
        if name in self.families:
            changes = dict(zip(self.families[name], change, strict=True))
        steps = {
            key: (lambda value: lambda _: value)(v) for key, v in self.given.items()
        }
        for key, step in {**steps, **self.forward}.items():
            found[key] = step(found)
            if key in changes:
                found[key] = found[key] + changes[key]
        if "ell" not in found and "delta" in found and self.forward:
            *_, last = self.forward
            found["ell"] = np.sum(found["delta"] * found[last])
        for family, members in self.families.items():
            none = np.full(np.shape(found[members[-1]]), np.nan)
            found[family] = np.array([found.get(member, none) for member in members])
        return found

    @property
    def names(self) -> set[str]:
        """Of all that has a value."""
        return {*self.values, *self.also}

    def known(self, name: str) -> bool:
        return name in self.values or name in self.also

    def set(self, name: str, value) -> None:
        """A formula says what this is."""
        self.values[name] = value

    def define(self, name: str, function: Callable) -> None:
        """A formula says what this function is."""
        self.functions = {**self.functions, name: function}

    def key(self, name: str) -> str:
        return self.also.get(name, name)

    def jacobian(self, top: str, bottom: str) -> np.ndarray:
        """∂top/∂bottom by central differences of the forward pass.

        Its axes are those of top, then those of bottom. Raises Unknown where one of
        them is no value of the forward pass.
        """
        if (top, bottom) not in self.jacobians:
            known = {**self.given, **self.forward, **self.families, "ell": 0}
            for name in (top, bottom):
                if name not in known:
                    raise Unknown(f"the forward pass has no {name}: ∂{top}/∂{bottom}")
            below = np.asarray(self.run()[bottom], float)
            columns = []
            for at in np.ndindex(below.shape):
                change = np.zeros(below.shape)
                change[at] = H
                ends = [np.asarray(self.run(bottom, s)[top]) for s in (change, -change)]
                columns.append((ends[0] - ends[1]) / (2 * H))
            found = np.stack(columns, axis=-1)
            shape = found.shape[:-1] + below.shape
            self.jacobians[top, bottom] = found.reshape(shape)
        return self.jacobians[top, bottom]


# --- Where vocabularies stand ------------------------------------------------


def worlds(section: str = "") -> Callable[[Callable], Callable]:
    """The decorator of a page's vocabulary, or of one of its sections.

    Its function yields worlds; one with an argument takes what its text gives.
    """
    return part("worlds", section)


def drawn(seed: int, *shape: int) -> np.ndarray:
    """Entries of both signs, 0.3 to 1.7 in size: none is 0, and no two are alike."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0.3, 1.7, shape) * rng.choice([-1.0, 1.0], shape)
