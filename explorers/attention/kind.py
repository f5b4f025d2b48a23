"""Attention of one head: its formulas, and its picture where no script runs."""

import numpy as np

from book.explorer import Array, Panel, Panels


def _at(letter: str) -> str:
    return rf"\frac{{\partial \ell}}{{\partial {letter}}}"


_SCALED = {
    "S": r"S_{i,j} = %s\sum_c Q_{i,c}\, K_{j,c}",
    "dQ": rf"{_at('Q_{i,c}')} = %s\sum_j {_at('S_{i,j}')}\, K_{{j,c}}",
    "dK": rf"{_at('K_{j,c}')} = %s\sum_i {_at('S_{i,j}')}\, Q_{{i,c}}",
}
FORMULAS = {
    **{name: tex % r"\tfrac{1}{\sqrt{d}} " for name, tex in _SCALED.items()},
    **{f"{name}-unscaled": tex % "" for name, tex in _SCALED.items()},
    "P": r"P_{i,j} = \frac{e^{S_{i,j}}}{\sum_k e^{S_{i,k}}}",
    "P-causal": r"P_{i,j} = \frac{[j \le i]\, e^{S_{i,j}}}{\sum_{k \le i} e^{S_{i,k}}}",
    "O": r"O_{i,c} = \sum_j P_{i,j}\, V_{j,c}",
    "dV": rf"{_at('V_{j,c}')} = \sum_i P_{{i,j}}\, {_at('O_{i,c}')}",
    "dP": rf"{_at('P_{i,j}')} = \sum_c {_at('O_{i,c}')}\, V_{{j,c}}",
    "dS": rf"{_at('S_{i,j}')} = \sum_k {_at('P_{i,k}')}\, P_{{i,k}}\, "
    r"([k=j] - P_{i,j})",
}


def picture(
    settings: dict[str, str], Q: Array, K: Array, V: Array, dO: Array
) -> Panels:
    """The weights and the output, and the gradients of what is given."""
    if Q.shape[1:] != K.shape[1:] or len(K) != len(V):
        raise ValueError(f"Q is {Q.shape}, K is {K.shape}, V is {V.shape}")
    if dO.shape != (len(Q), V.shape[1]):
        raise ValueError(f"dO is {dO.shape}, O is {(len(Q), V.shape[1])}")
    root = np.sqrt(Q.shape[1]) if settings.get("scale", "true") == "true" else 1
    S = Q @ K.T / root
    if settings.get("mask") == "causal":
        S = np.where(np.tri(*S.shape), S, -np.inf)
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    dP = dO @ V.T
    dS = P * (dP - np.sum(P * dP, axis=1, keepdims=True))
    given = [Panel("Q", Q), ",", Panel("K", K), ",", Panel("V", V)]
    forward = [r"\rightarrow", Panel("P", P), r"\rightarrow", Panel("O", P @ V)]
    upstream = [";", Panel(_small("O"), dO), r"\rightarrow"]
    gradients = {"Q": dS @ K / root, "K": dS.T @ Q / root, "V": P.T @ dO}
    backward = [Panel(_small(name), array) for name, array in gradients.items()]
    return given + forward + upstream + backward


def _small(letter: str) -> str:
    return _at(letter).replace("frac", "tfrac")
