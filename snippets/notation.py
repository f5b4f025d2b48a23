"""Numbers of docs/*/notation.md."""

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "chain-rule": {
        "54 54": "= [18 + 36, 6 * 3**2]",
        "9×9 4×4 16 81 1296 9": "= [9, 9, 4, 4, 4**2, 9**2, 4**2 * 9**2, 3**2]",
    },
    "exercise-richardson": {
        "4 16": "= [2**2, 2**4]",
    },
}
