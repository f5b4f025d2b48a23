"""Softmax and cross-entropy: the formulas, and a picture where no script runs."""

import numpy as np

from book.explorer import Array, Panel, Panels

FORMULAS = {
    "a": r"a_j = \frac{e^{z_j}}{\sum_k e^{z_k}}",
    "J": r"\frac{\partial a_i}{\partial z_j} = a_i\,([i=j] - a_j)",
    "dz": r"\frac{\partial \ell}{\partial z_j} = a_j \sum_k y_k - y_j",
}


def picture(settings: dict[str, str], z: Array, y: Array) -> Panels:
    """a, the labels, and both gradients."""
    a = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    return [
        *(Panel("z", z), r"\rightarrow", Panel("a", a), ",", Panel("y", y)),
        r"\rightarrow",
        Panel(r"\tfrac{\partial \ell}{\partial z}", a * y.sum() - y),
        ",",
        Panel(r"\tfrac{\partial a}{\partial z}", np.diag(a[0]) - np.outer(a[0], a[0])),
    ]
