"""A recurrent unit through time: its formulas, and its picture where no script runs."""

import numpy as np

from book.explorer import Array, Panel, Panels

THETA = ["w", "u", "b", "h0"]
FORMULAS = {
    "h": r"h_t = \tanh(x_t\, w + h_{t-1}\, u + b)",
    "J": r"J_t = \frac{\partial h_t}{\partial h_{t-1}} = (1 - h_t^2)\, u",
    "g": r"\ell = \sum_t g_t\, h_t",
    "dh": r"\frac{\partial \ell}{\partial h_t} = "
    r"\sum_{s \ge t} J_{t+1} \cdots J_s\, g_s",
    "delta": r"\delta_t = (g_t + \delta_{t+1}\, u)\,(1 - h_t^2)",
    "far": r"\frac{\partial h_T}{\partial h_t} = J_{t+1} \cdots J_T",
    "dw": r"\frac{\partial \ell}{\partial w} = \sum_t x_t\, \delta_t",
    "du": r"\frac{\partial \ell}{\partial u} = \sum_t h_{t-1}\, \delta_t",
    "db": r"\frac{\partial \ell}{\partial b} = \sum_t \delta_t",
}


def picture(settings: dict[str, str], x: Array, g: Array) -> Panels:
    """All numbers of T steps, a row each; w, u, b and h_0 above their gradients."""
    T = int(settings.get("T", x.size))
    if x.shape != g.shape or not 1 <= T <= x.size <= 8:
        raise ValueError(
            "x and g have a number for each of at most 8 steps, of which T"
        )
    w, u, b, start = (float(settings.get(name, 0)) for name in THETA)
    x, g = x[0, :T], g[0, :T]
    if settings.get("last") == "true":
        g = g * (np.arange(T) == T - 1)
    h = [start]
    for each in x:
        h.append(np.tanh(each * w + h[-1] * u + b))
    h = np.array(h)
    slopes = 1 - h[1:] ** 2
    dh, far = g.copy(), np.ones(T)
    for t in reversed(range(T - 1)):
        dh[t] += dh[t + 1] * slopes[t + 1] * u
        far[t] = far[t + 1] * slopes[t + 1] * u
    delta = dh * slopes
    sums = [x @ delta, h[:-1] @ delta, delta.sum(), delta[0] * u]
    return [
        r"h_t = \tanh(x_t\, w + h_{t-1}\, u + b),\; \ell = \textstyle\sum_t g_t h_t:",
        Panel(
            r"x_t,\, h_t,\, J_t,\, g_t,\, \tfrac{\partial \ell}{\partial h_t},\, "
            r"\delta_t,\, \tfrac{\partial h_T}{\partial h_t}",
            np.array([x, h[1:], slopes * u, g, dh, delta, far]),
        ),
        Panel(
            r"(w, u, b, h_0),\; \tfrac{\partial \ell}{\partial (w, u, b, h_0)}",
            np.array([[w, u, b, start], sums]),
        ),
    ]
