"""A transposed convolution: its formulas, and its picture where no script runs."""

import numpy as np

from book.explorer import Array, Panel, Panels

ZERO = np.zeros((1, 1))
PLACES = r"p = Si+u-P, \; q = Sj+v-P'"
FORMULAS = {
    "z": r"y_{p,q} = \sum_{i,j,u,v} x_{i,j}\, W_{u,v}\, "
    r"[p = Si+u-P]\,[q = Sj+v-P'] + b",
    "dx": r"\frac{\partial \ell}{\partial x_{i,j}} = "
    rf"\sum_{{u,v}} \delta_{{p,q}}\, W_{{u,v}}, \quad {PLACES}",
    "dW": r"\frac{\partial \ell}{\partial W_{u,v}} = "
    rf"\sum_{{i,j}} x_{{i,j}}\, \delta_{{p,q}}, \quad {PLACES}",
    "db": r"\frac{\partial \ell}{\partial b} = \sum_{p,q} \delta_{p,q}",
}


def picture(
    settings: dict[str, str], x: Array, W: Array, delta: Array, b: Array = ZERO
) -> Panels:
    """y, to which each entry of x adds a copy of W, and both gradients."""
    stride, more = int(settings.get("S", 1)), int(settings.get("R", 0))
    crop = np.array(settings.get("sides", "0.0.0.0").split("."), dtype=int)
    top, bottom, left, right = crop
    full = stride * (np.array(x.shape) - 1) + W.shape + more
    y, padded = np.full(full, b.sum()), np.zeros(full)
    inside = slice(top, full[0] - bottom), slice(left, full[1] - right)
    if y[inside].shape != delta.shape:
        raise ValueError(f"δ is {delta.shape}, y is {y[inside].shape}")
    padded[inside] = delta
    dx, dW = np.zeros(x.shape), np.zeros(W.shape)
    for i, j in np.ndindex(x.shape):
        window = tuple(
            slice(stride * at, stride * at + length)
            for at, length in zip((i, j), W.shape, strict=True)
        )
        y[window] += x[i, j] * W
        dx[i, j] = np.sum(padded[window] * W)
        dW += x[i, j] * padded[window]
    return [
        *(Panel("x", x), ",", Panel("W", W), r"\rightarrow", Panel("y", y[inside])),
        *(";", Panel(r"\delta", delta), r"\rightarrow"),
        *(Panel(r"\tfrac{\partial \ell}{\partial x}", dx), ","),
        Panel(r"\tfrac{\partial \ell}{\partial W}", dW),
    ]
