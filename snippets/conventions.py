"""Numbers of docs/*/conventions.md."""

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "same": {
        "6": "the last entry of x",
    },
    "average": {
        "4 9": "= [2 * 2, 3 * 3]",
    },
    "layouts": {
        "4 5": "= x.shape[-1:] + turned.shape[2:3]",
    },
    "exercise-divisor": {
        "4 6 9 9": "= [*np.unique(edge_cells), 9]",
    },
}
