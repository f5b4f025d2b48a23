"""Batch, layer and RMS normalisation: formulas, and a picture where no script runs."""

import numpy as np

from book import Mistake
from book.explorer import Array, Panel, Panels

AXES = {"batch": 0, "layer": 1, "rms": 1}
# Over a group of m entries: those of a column, or of a row.
PATHS = {
    "direct": r"\frac1s \frac{\partial \ell}{\partial \hat x}",
    "mean": r"- \frac{1}{m s} \sum \frac{\partial \ell}{\partial \hat x}",
    "variance": r"- \frac{\hat x}{m s} \sum \hat x\, "
    r"\frac{\partial \ell}{\partial \hat x}",
}
FORMULAS = {
    "xhat": r"\hat x = \frac{x - \mu}{s}, \quad \mu = \frac1m \sum x, \quad "
    r"s = \sqrt{\frac1m \sum (x - \mu)^2 + \varepsilon}",
    "xhat-rms": r"\hat x = \frac{x}{s}, \quad "
    r"s = \sqrt{\frac1m \sum x^2 + \varepsilon}",
    "z": r"z_{n,j} = \gamma_j\, \hat x_{n,j} + \beta_j",
    "dxhat": r"\frac{\partial \ell}{\partial \hat x_{n,j}} = \gamma_j\, \delta_{n,j}",
    "dgamma": r"\frac{\partial \ell}{\partial \gamma_j} = "
    r"\sum_n \delta_{n,j}\, \hat x_{n,j}",
    "dbeta": r"\frac{\partial \ell}{\partial \beta_j} = \sum_n \delta_{n,j}",
    "dx": r"\frac{\partial \ell}{\partial x} = " + " ".join(PATHS.values()),
    "dx-rms": r"\frac{\partial \ell}{\partial x} = "
    f"{PATHS['direct']} {PATHS['variance']}",
    "direct": PATHS["direct"],
    "mean": rf"\frac1m \frac{{\partial \ell}}{{\partial \mu}} = {PATHS['mean']}",
    "variance": r"\frac{\hat x}{m} \frac{\partial \ell}{\partial s} = "
    f"{PATHS['variance']}",
}


def picture(
    settings: dict[str, str],
    x: Array,
    gamma: Array,
    delta: Array,
    beta: Array | None = None,
) -> Panels:
    """The output, and the gradient of the input with what its three paths give."""
    norm, eps = settings.get("norm", "batch"), float(settings.get("eps", 1e-3))
    if norm not in AXES:
        raise Mistake(f"norm is {norm}; there are {', '.join(AXES)}")
    if delta.shape != x.shape or gamma.shape != (1, x.shape[1]):
        raise ValueError(f"x is {x.shape}, γ {gamma.shape}, δ {delta.shape}")

    def mean(array: Array) -> Array:
        return array.mean(axis=AXES[norm], keepdims=True)

    subtracted = norm != "rms"
    u = x - mean(x) * subtracted
    s = np.sqrt(mean(u**2) + eps)
    x_hat, dx_hat = u / s, gamma * delta
    paths = [
        dx_hat / s,
        -mean(dx_hat) / s * subtracted + 0 * x,
        -x_hat * mean(x_hat * dx_hat) / s,
    ]
    z = gamma * x_hat + (0 if beta is None else beta)
    shown = [Panel("x", x), r"\rightarrow", Panel(r"\hat x", x_hat), r"\rightarrow"]
    shown += [Panel("z", z), ";", Panel(r"\delta", delta), r"\rightarrow"]
    shown.append(Panel(r"\tfrac{\partial \ell}{\partial x}", sum(paths)))
    for operator, name, path in zip("=++", NAMES, paths, strict=True):
        shown += [operator, Panel(name, path)]
    return shown


NAMES = [
    r"\tfrac1s \tfrac{\partial \ell}{\partial \hat x}",
    r"\tfrac1m \tfrac{\partial \ell}{\partial \mu}",
    r"\tfrac{\hat x}{m} \tfrac{\partial \ell}{\partial s}",
]
