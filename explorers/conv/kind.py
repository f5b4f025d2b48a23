"""A convolution: its formulas, and its picture where no script runs."""

import numpy as np

from book.explorer import Array, Panel, Panels

ZERO = np.zeros((1, 1))
SELECTED = r"[p = Si+Du-P]\,[q = Sj+Dv-P']"
FORMULAS = {
    "z": r"z_{i,j} = \sum_{u,v} x_{p,q}\, W_{u,v} + b, \quad "
    r"p = Si+Du-P, \; q = Sj+Dv-P'",
    "dx": r"\frac{\partial \ell}{\partial x_{p,q}} = "
    rf"\sum_{{i,j,u,v}} \delta_{{i,j}}\, W_{{u,v}}\, {SELECTED}",
    "dW": r"\frac{\partial \ell}{\partial W_{u,v}} = \sum_{i,j} \delta_{i,j}\, "
    r"x_{p,q}, \quad p = Si+Du-P, \; q = Sj+Dv-P'",
    "db": r"\frac{\partial \ell}{\partial b} = \sum_{i,j} \delta_{i,j}",
}


def picture(
    settings: dict[str, str], x: Array, W: Array, delta: Array, b: Array = ZERO
) -> Panels:
    """x ⋆ W + b = z, and both gradients, added up window by window."""
    stride, dilation = int(settings.get("S", 1)), int(settings.get("D", 1))
    span = dilation * (np.array(W.shape) - 1) + 1
    mode = settings.get("P", "valid")
    padding = np.zeros((2, 2), dtype=int)
    if mode == "same":
        steps = -(-np.array(x.shape) // stride) - 1
        total = np.maximum(steps * stride + span - x.shape, 0)
        padding = np.stack([total // 2, total - total // 2], axis=1)
    elif mode == "causal":
        padding[1, 0] = span[1] - 1
    elif mode == "sides":
        padding = np.array(settings["sides"].split("."), dtype=int).reshape(2, 2)
    padded = np.pad(x, padding)
    outputs = tuple(((np.array(padded.shape) - span) // stride + 1).tolist())
    if outputs != delta.shape:
        raise ValueError(f"δ is {delta.shape}, z is {outputs}")
    z, dx, dW = np.zeros(outputs), np.zeros(padded.shape), np.zeros(W.shape)
    for i, j in np.ndindex(outputs):
        rows, columns = (
            slice(stride * k, stride * k + length, dilation)
            for k, length in zip((i, j), span, strict=True)
        )
        z[i, j] = np.sum(padded[rows, columns] * W) + b.sum()
        dx[rows, columns] += delta[i, j] * W
        dW += delta[i, j] * padded[rows, columns]
    inserted = np.pad(np.zeros(x.shape), padding, constant_values=1) > 0
    (top, _), (left, _) = padding
    dx = dx[top : top + x.shape[0], left : left + x.shape[1]]
    return [
        *(Panel("x", padded, inserted=inserted), r"\star", Panel("W", W)),
        *("=", Panel("z", z), ";", Panel(r"\delta", delta), r"\rightarrow"),
        *(Panel(r"\tfrac{\partial \ell}{\partial x}", dx), ","),
        Panel(r"\tfrac{\partial \ell}{\partial W}", dW),
    ]
