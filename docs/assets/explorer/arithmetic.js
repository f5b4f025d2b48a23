// What the explorers compute, without a page: Node compares it with TensorFlow.

"use strict";

/** @typedef {number[][]} Matrix */
/** @typedef {[number, number]} Cell row and column, or numbers of them */
/** @typedef {[number, number, number, number]} Padding top, bottom, left, right */
/** @typedef {{ x: Matrix, W: Matrix, b: number, delta: Matrix, stride: number, dilation: number, padding: Padding }} Convolution */
/** @typedef {{ x: Matrix, delta: Matrix, size: number, stride: number, padding: Padding, average: boolean }} Pooling */

const arithmetic = (() => {
  const range = (length) => Array.from({ length }, (_, index) => index);

  /** @returns {Matrix} */
  const matrix = (rows, columns, value) =>
    range(rows).map((i) => range(columns).map((j) => value(i, j)));

  /** @param {Matrix} a */
  const sum = (a) => a.flat().reduce((total, value) => total + value, 0);

  /** @param {Matrix} a @param {Matrix} weights */
  const weighted = (a, weights) => sum(a.map((row, i) => row.map((value, j) => value * weights[i][j])));

  /** @returns {Cell} */
  const shape = (a) => [a.length, a[0].length];

  /** Rows that a kernel spans. */
  const extent = (kernel, dilation) => dilation * (kernel - 1) + 1;

  /** The size of an output; not positive where the kernel does not fit. @returns {Cell} */
  const outputs = ([rows, columns], [high, wide], stride, [top, bottom, left, right] = [0, 0, 0, 0]) => [
    Math.floor((top + rows + bottom - high) / stride) + 1,
    Math.floor((left + columns + right - wide) / stride) + 1,
  ];

  /** x ⋆ W over the valid windows. @param {Matrix} x @param {Matrix} W */
  const correlate = (x, W, stride = 1, dilation = 1) => {
    const [rows, columns] = outputs(shape(x), [extent(W.length, dilation), extent(W[0].length, dilation)], stride);
    return matrix(rows, columns, (i, j) => sum(W.map((row, u) => row.map((weight, v) =>
      x[stride * i + dilation * u][stride * j + dilation * v] * weight))));
  };

  /** step − 1 zeros between neighbours. @param {Matrix} a */
  const dilate = (a, step) => matrix(extent(a.length, step), extent(a[0].length, step), (i, j) =>
    (i % step || j % step ? 0 : a[i / step][j / step]));

  /** Zeros around, or a cut where it is negative. @param {Matrix} a @param {Padding} padding */
  const pad = (a, [top, bottom, left, right]) =>
    matrix(top + a.length + bottom, left + a[0].length + right, (i, j) => a[i - top]?.[j - left] ?? 0);

  /** @param {Matrix} a */
  const rot180 = (a) => a.map((row) => row.toReversed()).toReversed();

  /** Zeros before and after, as TensorFlow's SAME puts them. */
  const same = (length, span, stride) => {
    const total = Math.max((Math.ceil(length / stride) - 1) * stride + span - length, 0);
    return [total >> 1, total - (total >> 1)];
  };

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

  /** Central. @param {(change: number) => number} f */
  const difference = (f, h) => (f(h) - f(-h)) / (2 * h);

  /** @param {Matrix} a @param {Cell} cell */
  const changed = (a, [i, j], change) =>
    a.map((row, m) => row.map((value, n) => (m === i && n === j ? value + change : value)));

  /** Output and gradient; for each window its cells, and where its largest entries are, the
   * first of which receives δ. Padding counts in no maximum and in no mean.
   * @param {Pooling} setting */
  const pool = ({ x, delta, size, stride, padding, average }) => {
    const [rows, columns] = outputs(shape(x), [size, size], stride, padding);
    const cells = range(rows).map((i) => range(columns).map((j) =>
      range(size * size).map((k) => /** @type {Cell} */ ([
        stride * i + Math.floor(k / size) - padding[0], stride * j + k % size - padding[2],
      ])).filter(([p, q]) => x[p]?.[q] !== undefined)));
    const maxima = cells.map((row) => row.map((window) => {
      const largest = Math.max(...window.map(([p, q]) => x[p][q]));
      return window.filter(([p, q]) => x[p][q] === largest);
    }));
    const receivers = average ? cells : maxima.map((row) => row.map((places) => [places[0]]));
    const mean = (places) =>
      places.reduce((total, [p, q]) => total + x[p][q], 0) / places.length;
    const dx = matrix(x.length, x[0].length, () => 0);
    receivers.forEach((row, i) => row.forEach((places, j) => {
      for (const [p, q] of places) dx[p][q] += delta[i][j] / places.length;
    }));
    return { z: receivers.map((row) => row.map(mean)), dx, cells, maxima, receivers };
  };

  const softmax = (z) => {
    const powers = z.map((value) => Math.exp(value - Math.max(...z)));
    return powers.map((power) => power / sum([powers]));
  };

  const jacobian = (a) => matrix(a.length, a.length, (i, j) => a[i] * (Number(i === j) - a[j]));

  /** −Σ y log a, by log-sum-exp. */
  const crossEntropy = (z, y) => {
    const top = Math.max(...z);
    const log = top + Math.log(sum([z.map((value) => Math.exp(value - top))]));
    return sum([y.map((label, i) => label * (log - z[i]))]);
  };

  return Object.freeze({
    range, matrix, sum, weighted, shape, extent, outputs, pad, same, convolve, terms, unread, loss, difference, changed,
    pool, softmax, jacobian, crossEntropy,
  });
})();
