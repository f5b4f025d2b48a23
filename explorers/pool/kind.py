"""Max and average pooling: their formulas, and a picture where no script runs."""

import numpy as np

from book.explorer import Array, Panel, Panels

FORMULAS = {
    "z-max": r"z_{i,j} = \max_{u,v}\, a_{Si+u-P,\,Sj+v-P'}",
    "z-mean": r"z_{i,j} = \frac{1}{n_{i,j}} \sum_{u,v} a_{Si+u-P,\,Sj+v-P'}",
    "dx-max": r"\frac{\partial \ell}{\partial a_{p,q}} = "
    r"\sum_{i,j} \delta_{i,j}\, [\pi_{i,j} = (p,q)]",
    "dx-mean": r"\frac{\partial \ell}{\partial a_{p,q}} = \sum_{i,j} "
    r"\frac{\delta_{i,j}}{n_{i,j}}\, [0 \le p+P-Si < K]\,[0 \le q+P'-Sj < K]",
}


def picture(settings: dict[str, str], x: Array, delta: Array) -> Panels:
    """z by its first maxima, and the way of each δ back."""
    size, stride = int(settings.get("K", 2)), int(settings.get("S", 2))
    a = np.maximum(x, 0) if settings.get("relu") == "true" else x
    z, dx = np.zeros(delta.shape), np.zeros(x.shape)
    for i, j in np.ndindex(delta.shape):
        top, left = stride * i, stride * j
        window = a[top : top + size, left : left + size]
        row, column = np.unravel_index(window.argmax(), window.shape)
        z[i, j] = window[row, column]
        dx[top + row, left + column] += delta[i, j]
    return [
        *(Panel("a^{l-1}", a), r"\rightarrow", Panel("z^{l}", z)),
        *(";", Panel(r"\delta^{l}", delta), r"\rightarrow"),
        Panel(r"\tfrac{\partial \ell}{\partial a^{l-1}}", dx),
    ]
