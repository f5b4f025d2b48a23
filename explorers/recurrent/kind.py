"""A recurrent unit through time: its formulas, and its picture where no script runs."""

import numpy as np

from book.explorer import Array, Panel, Panels

THETA = ["W", "U", "b", "h0"]
FORMULAS = {
    "h": r"h_t = \tanh(x_t\, W + h_{t-1}\, U + b)",
    "J": r"J_t = \frac{\partial h_t}{\partial h_{t-1}} = (1 - h_t^2)\, U",
    "g": r"\ell = \sum_t g_t\, h_t",
    "dh": r"\frac{\partial \ell}{\partial h_t} = "
    r"\sum_{s \ge t} J_{t+1} \cdots J_s\, g_s",
    "delta": r"\delta_t = (g_t + \delta_{t+1}\, U)\,(1 - h_t^2)",
    "far": r"\frac{\partial h_T}{\partial h_t} = J_{t+1} \cdots J_T",
    "dW": r"\frac{\partial \ell}{\partial W} = \sum_t x_t\, \delta_t",
    "dU": r"\frac{\partial \ell}{\partial U} = \sum_t h_{t-1}\, \delta_t",
    "db": r"\frac{\partial \ell}{\partial b} = \sum_t \delta_t",
}


def picture(settings: dict[str, str], x: Array, g: Array) -> Panels:
    """All numbers of T steps, a row each; W, U, b and h_0 above their gradients."""
    T = int(settings.get("T", x.size))
    if x.shape != g.shape or not 1 <= T <= x.size <= 8:
        raise ValueError(
            "x and g have a number for each of at most 8 steps, of which T"
        )
    W, U, b, start = (float(settings.get(name, 0)) for name in THETA)
    x, g = x[0, :T], g[0, :T]
    if settings.get("last") == "true":
        g = g * (np.arange(T) == T - 1)
    h = [start]
    for each in x:
        h.append(np.tanh(each * W + h[-1] * U + b))
    h = np.array(h)
    slopes = 1 - h[1:] ** 2
    dh, far = g.copy(), np.ones(T)
    for t in reversed(range(T - 1)):
        dh[t] += dh[t + 1] * slopes[t + 1] * U
        far[t] = far[t + 1] * slopes[t + 1] * U
    delta = dh * slopes
    sums = [x @ delta, h[:-1] @ delta, delta.sum(), delta[0] * U]
    return [
        r"h_t = \tanh(x_t\, W + h_{t-1}\, U + b),\; \ell = \textstyle\sum_t g_t h_t:",
        Panel(
            r"x_t,\, h_t,\, J_t,\, g_t,\, \tfrac{\partial \ell}{\partial h_t},\, "
            r"\delta_t,\, \tfrac{\partial h_T}{\partial h_t}",
            np.array([x, h[1:], slopes * U, g, dh, delta, far]),
        ),
        Panel(
            r"(W, U, b, h_0),\; \tfrac{\partial \ell}{\partial (W, U, b, h_0)}",
            np.array([[W, U, b, start], sums]),
        ),
    ]
