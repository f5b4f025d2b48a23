"""Numbers of docs/*/article.md."""

# Numbers in the prose that no code, output or formula beside them shows.
NUMBERS = {
    "": {
        "25": "= len(out)",
    },
    "article": {
        "25 25": "= [len(out)] * 2",
        "09 04": "the day of the article",
    },
    "arrays": {
        "25": "= len(out)",
        "column 1": "= range(1, 26)",
        "column 2": "= out",
        "20": "number of an array",
        "4 8": "digits of float32",
    },
    "runs": {
        "19 25 17 18 21 22 25": "numbers of arrays, as the session counts them",
    },
    "a-dense": {
        "4×3": "= W3.shape",
    },
    "a-equations": {
        "1×4 1×3 1×4 1×3 1×3 1×4": "sizes of a, δ, g, z, p and q",
    },
    "a-least-norm": {
        "6 6": "= [np.linalg.matrix_rank(equations)] * 2",
    },
    "a-gradients": {
        "12 17": "numbers of arrays",
    },
    "b-other": {
        "17 20": "numbers of arrays",
    },
    "b-kernel": {
        "27": "= 3 * 9",
    },
    "b-gradients": {
        "19": "number of an array",
    },
    "b-delta": {
        "13": "= (np.abs(my_delta) < 1e-6).sum()",
    },
    "c-search": {
        "16": "= delta_c.size",
        "4": "= np.linalg.matrix_rank(system)",
    },
    "c-gradients": {
        "23": "number of an array",
    },
    "reading": {
        "25 4×4 7×7": "= [len(out), *delta.shape, *dilated.shape]",
    },
}
