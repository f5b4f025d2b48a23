"""Numbers of docs/*/check.md."""

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "small-entries": {
        "100": "whatever it is instead of 0",
    },
    "float64": {
        "24 0.4": "= [np.finfo('float32').nmant + 1, 100 * (0.1 - 0.0996) / 0.1]",
    },
    "exercise-nameless": {
        "4": "= nameless_delta.size",
    },
}
