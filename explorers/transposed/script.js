// A transposed convolution: a copy of the kernel for each entry, and its gradients.

"use strict";

/** @typedef {{ x: Matrix, W: Matrix, b: number, delta: Matrix, stride: number, more: number, crop: Padding }} Transposed */

const transposing = (() => {
  const { matrix, sum, weighted, shape } = arithmetic;

  /** The size of y: with so many rows and columns appended, then cropped. @returns {Cell} */
  const outputs = ([rows, columns], [high, wide], stride, more, [top, bottom, left, right]) => [
    stride * (rows - 1) + high + more - top - bottom,
    stride * (columns - 1) + wide + more - left - right,
  ];

  /** @returns {Cell[]} */
  const cells = (a) => a.flatMap((row, i) => row.map((_, j) => /** @type {Cell} */ ([i, j])));

  /** All arrays, window by window. @param {Transposed} setting */
  const transpose = ({ x, W, b, delta, stride, more, crop }) => {
    const [rows, columns] = outputs(shape(x), shape(W), stride, more, crop);
    const [z, dx, dW] = [matrix(rows, columns, () => b), ...[x, W].map((a) => matrix(...shape(a), () => 0))];
    for (const [i, j] of cells(x)) for (const [u, v] of cells(W)) {
      const [p, q] = [stride * i + u - crop[0], stride * j + v - crop[2]];
      if (z[p]?.[q] === undefined) continue; // cropped
      z[p][q] += x[i][j] * W[u][v];
      dx[i][j] += delta[p][q] * W[u][v];
      dW[u][v] += delta[p][q] * x[i][j];
    }
    return { z, dx, dW, db: [[sum(delta)]] };
  };

  /** The products whose sum is one cell of an output (z without b): where their factors are.
   * @param {Transposed} setting @param {string} output z, dx, dW or db @param {Cell} cell
   * @returns {{ x?: Cell, W?: Cell, delta?: Cell }[]} */
  const terms = ({ x, W, delta, stride, crop: [top, , left] }, output, [m, n]) => {
    if (output === "db") return cells(delta).map((cell) => ({ delta: cell }));
    if (output === "z") return cells(x).flatMap(([i, j]) => {
      const [u, v] = [m + top - stride * i, n + left - stride * j];
      return W[u]?.[v] === undefined ? [] : { x: [i, j], W: [u, v] };
    });
    return cells(output === "dx" ? W : x).flatMap((cell) => {
      const [[i, j], [u, v]] = output === "dx" ? [[m, n], cell] : [cell, [m, n]];
      const at = /** @type {Cell} */ ([stride * i + u - top, stride * j + v - left]);
      return delta[at[0]]?.[at[1]] === undefined ? [] : { delta: at, [output === "dx" ? "W" : "x"]: cell };
    });
  };

  /** ℓ = Σ δ y. @param {Transposed} setting */
  const loss = (setting) => weighted(transpose(setting).z, setting.delta);

  return Object.freeze({ outputs, transpose, terms, loss });
})();

customElements.define("transposed-explorer", class extends Layer {
  layer = transposing;
  keys = ["S", "R", "sides", "x", "W", "b", "delta"];

  parse(given) {
    const { S = "1", R = "0", sides = "0.0.0.0" } = given;
    const [x, W, delta, b] = [given.x, given.W, given.delta, given.b ?? "0"].map(rowsOf);
    const [stride, more] = [whole(S, 1, 4), whole(R, 0, 3)];
    const [size, kernel] = [sizeOf(x, given.H, given.H2, 6), sizeOf(W, given.K, given.K2, 5)];
    const by = sides.split(".").map((side, k) => given[`side${k}`] ?? side);
    if (by.length !== 4 || b.flat().length !== 1) refuse("shape");
    const crop = paddingOf("sides", by, [99, 99], [1, 1], 1);
    const outputs = transposing.outputs(size, kernel, stride, more, crop);
    if (Math.min(...outputs) < 1) refuse("shape");
    return {
      S: stride, R: more, sides: crop.join("."), crop, b,
      x: fit(x, size, 3), W: fit(W, kernel, 2), delta: fit(delta, outputs, 5),
    };
  }

  derived({ x, W, crop }) {
    const [[H, H2], [K, K2]] = [x, W].map((array) => arithmetic.shape(array).map(String));
    return { H, H2, K, K2, ...Object.fromEntries(crop.map((side, k) => [`side${k}`, String(side)])) };
  }

  render() {
    const { state: { x, W, b, delta, S, R, crop }, grids } = this;
    this.setting = { x, W, b: b[0][0], delta, stride: S, more: R, crop };
    this.most = { z: Math.ceil(W.length / S) * Math.ceil(W[0].length / S) + 1, dW: x.flat().length, dx: W.flat().length };
    this.arrays = transposing.transpose(this.setting);
    for (const name of ["x", "W", "b", "delta"]) grids[name].show(this.state[name]);
    for (const name of this.outputs) grids[name].show(this.arrays[name]);
  }

  explain() {
    const { state: { x, W, S, crop }, grids } = this;
    const { name, cell: [i, j] } = this.picked;
    const { terms } = this.products();
    if (name === "dx") for (const panel of ["z", "delta"]) // the copy that x lays down
      grids[panel].outline("frame", [[S * i - crop[0], S * j - crop[2]]], arithmetic.shape(W));
    const missing = { dx: W, dW: x }[name]?.flat().length - terms.length;
    const note = terms.length ? missing > 0 && "cropped" : "empty";
    this.tell(terms, "y", note, missing);
  }
});
