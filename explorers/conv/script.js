// A convolution, and the gradients of its input, kernel and bias.

"use strict";

/** @typedef {{ x: Matrix, W: Matrix, b: number, delta: Matrix, stride: number, dilation: number, padding: Padding }} Convolution */

const convolution = (() => {
  const { range, matrix, sum, weighted, shape, outputs, pad } = arithmetic;

  /** Rows that a kernel spans. */
  const extent = (kernel, dilation) => dilation * (kernel - 1) + 1;

  /** x ⋆ W over the valid windows. @param {Matrix} x @param {Matrix} W */
  const correlate = (x, W, stride = 1, dilation = 1) => {
    const [rows, columns] = outputs(shape(x), [extent(W.length, dilation), extent(W[0].length, dilation)], stride);
    return matrix(rows, columns, (i, j) => sum(W.map((row, u) => row.map((weight, v) =>
      x[stride * i + dilation * u][stride * j + dilation * v] * weight))));
  };

  /** step − 1 zeros between neighbours. @param {Matrix} a */
  const dilate = (a, step) => matrix(extent(a.length, step), extent(a[0].length, step), (i, j) =>
    (i % step || j % step ? 0 : a[i / step][j / step]));

  /** @param {Matrix} a */
  const rot180 = (a) => a.map((row) => row.toReversed()).toReversed();

  /** All arrays of a convolution, the gradients by the formulas of the book.
   * @param {Convolution} setting */
  const convolve = ({ x, W, b, delta, stride, dilation, padding }) => {
    const padded = pad(x, padding);
    const z = correlate(padded, W, stride, dilation).map((row) => row.map((value) => value + b));
    const between = dilate(delta, stride);
    const [high, wide] = shape(dilate(W, dilation));
    const up = pad(between, [
      high - 1, padded.length - between.length, // K − 1, and the rows that are left over
      wide - 1, padded[0].length - between[0].length,
    ]);
    const turned = rot180(dilate(W, dilation));
    const [top, bottom, left, right] = padding;
    const dx = pad(correlate(up, turned), [-top, -bottom, -left, -right]);
    const all = correlate(padded, between);
    const dW = matrix(W.length, W[0].length, (u, v) => all[dilation * u][dilation * v]);
    return { z, up, turned, dx, dW, db: [[sum(delta)]] };
  };

  /** The products whose sum is one cell of an output (z without b): where their factors are.
   * @param {Convolution} setting @param {string} output z, dx, dW or db @param {Cell} cell
   * @returns {{ x?: Cell, W?: Cell, delta?: Cell }[]} */
  const terms = ({ x, W, delta, stride, dilation, padding: [top, , left] }, output, [m, n]) => {
    /** @returns {Cell[]} */
    const cells = (a) => a.flatMap((row, i) => row.map((_, j) => /** @type {Cell} */ ([i, j])));
    if (output === "db") return cells(delta).map((cell) => ({ delta: cell }));
    if (output === "dx") return cells(W).flatMap(([u, v]) => {
      const [i, j] = [(m + top - dilation * u) / stride, (n + left - dilation * v) / stride];
      return delta[i]?.[j] === undefined ? [] : { delta: [i, j], W: [u, v] };
    }).reverse(); // δ in order
    return cells(output === "z" ? W : delta).flatMap(([i, j]) => {
      const [p, q] = output === "z" ? [stride * m + dilation * i - top, stride * n + dilation * j - left]
        : [stride * i + dilation * m - top, stride * j + dilation * n - left];
      if (x[p]?.[q] === undefined) return []; // a zero of the padding
      return output === "z" ? { x: [p, q], W: [i, j] } : { delta: [i, j], x: [p, q] };
    });
  };

  /** Rows (or columns) of x that no window reads: after the last window, or between. */
  const unread = (length, before, kernel, outputs, stride, dilation) => {
    const read = range(outputs).flatMap((i) => range(kernel).map((u) => stride * i + dilation * u - before));
    const rows = range(length).filter((row) => !read.includes(row));
    const end = Math.max(...read);
    return { leftover: rows.filter((row) => row > end), gaps: rows.filter((row) => row < end) };
  };

  /** ℓ = Σ δ z, whose gradient at z is δ. @param {Convolution} setting */
  const loss = (setting) => weighted(convolve(setting).z, setting.delta);

  return Object.freeze({ extent, convolve, terms, unread, loss });
})();

customElements.define("conv-explorer", class extends Layer {
  layer = convolution;
  keys = ["S", "D", "P", "sides", "x", "W", "b", "delta"];

  parse(given) {
    const { S = "1", D = "1", P = "valid", sides = "0.0.0.0" } = given;
    const [x, W, delta, b] = [given.x, given.W, given.delta, given.b ?? "0"].map(rowsOf);
    const [stride, dilation] = [whole(S, 1, 4), whole(D, 1, 4)];
    const [size, kernel] = [sizeOf(x, given.H, given.H2, 12), sizeOf(W, given.K, given.K2, 5)];
    const spans = /** @type {Cell} */ (kernel.map((length) => convolution.extent(length, dilation)));
    const by = sides.split(".").map((side, k) => given[`side${k}`] ?? side);
    if (by.length !== 4 || !["valid", "same", "causal", "sides"].includes(P) || b.flat().length !== 1) refuse("shape");
    const padding = paddingOf(P, by, size, spans, stride);
    return {
      S: stride, D: dilation, P, sides: P === "sides" ? padding.join(".") : "0.0.0.0", padding, spans, b,
      x: fit(x, size, 3), W: fit(W, kernel, 2),
      delta: fit(delta, arithmetic.outputs(size, spans, stride, padding), 5),
    };
  }

  derived({ x, W, padding }) {
    const [[H, H2], [K, K2]] = [x, W].map((array) => arithmetic.shape(array).map(String));
    return { H, H2, K, K2, ...Object.fromEntries(padding.map((side, k) => [`side${k}`, String(side)])) };
  }

  render() {
    const { state: { x, W, b, delta, S, D, P, padding, spans: [high, wide] }, grids } = this;
    this.find(".sides").hidden = P !== "sides";
    this.setting = { x, W, b: b[0][0], delta, stride: S, dilation: D, padding };
    const all = this.arrays = convolution.convolve(this.setting);
    const between = (i, step) => i % step !== 0;
    const meet = (length) => Math.ceil(length / (D % S ? S : 1)); // rows of W that meet one of x
    this.most = { z: W.flat().length + 1, dW: delta.flat().length, dx: meet(W.length) * meet(W[0].length) };
    grids.x.show(x, padding);
    grids.up.show(all.up, undefined, (i, j) => {
      const [m, n] = [i - high + 1, j - wide + 1];
      return between(m, S) || between(n, S) || delta[m / S]?.[n / S] === undefined;
    });
    grids.turned.show(all.turned, undefined, (i, j) => between(i, D) || between(j, D));
    for (const name of ["W", "b", "delta"]) grids[name].show(this.state[name]);
    for (const name of this.outputs) grids[name].show(all[name]);
    const [rows, columns] = [0, 1].map((axis) => {
      const [lengths, kernels, outputs] = [x, W, delta].map(arithmetic.shape);
      return convolution.unread(lengths[axis], padding[2 * axis], kernels[axis], outputs[axis], S, D);
    });
    const marked = (lines, index) => [...lines.leftover, ...lines.gaps].includes(index);
    x.forEach((row, p) => row.forEach((_, q) => {
      if (marked(rows, p) || marked(columns, q)) for (const name of ["x", "dx"]) grids[name].mark([p, q], "unread");
    }));
    this.note(["leftover", "gaps"].flatMap((cause) => {
      const where = [rows, columns].map((lines) => lines[cause].join(", ") || "–");
      return rows[cause].length + columns[cause].length
        ? [this.say(cause === "gaps" && S <= Math.min(high, wide) ? "skipped" : cause, ...where)] : [];
    }));
  }

  explain() {
    const { state: { W, delta, S, D, padding, spans: [high, wide] }, grids } = this;
    const { name, cell: [i, j] } = this.picked;
    const { terms, cells } = this.products();
    grids.up.pair(cells("delta").map(([m, n]) => [high - 1 + S * m, wide - 1 + S * n]));
    const from = (step) => [[step * i - padding[0], step * j - padding[2]]];
    if (name === "z") grids.x.outline("frame", from(S), [high, wide]);
    if (name === "dW") grids.x.outline("frame", from(D), arithmetic.shape(delta).map((length) => convolution.extent(length, S)));
    if (name === "dx") {
      grids.up.outline("frame", [[i + padding[0], j + padding[2]]], [high, wide]);
      grids.turned.pair(cells("W").map(([u, v]) => [high - 1 - D * u, wide - 1 - D * v]));
    }
    const missing = (name === "dW" ? delta : W).flat().length - terms.length;
    const note = terms.length ? missing > 0 && name !== "db" && (name === "dx" ? "inserted" : "padded") : "empty";
    this.tell(terms, "z", note, missing);
  }
});
