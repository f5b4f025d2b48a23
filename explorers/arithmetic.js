// What the arithmetic of the explorers has in common.

"use strict";

/** @typedef {number[][]} Matrix */
/** @typedef {[number, number]} Cell row and column, or numbers of them */
/** @typedef {[number, number, number, number]} Padding top, bottom, left, right */

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

  /** The size of an output; not positive where the kernel does not fit. @returns {Cell} */
  const outputs = ([rows, columns], [high, wide], stride, [top, bottom, left, right] = [0, 0, 0, 0]) => [
    Math.floor((top + rows + bottom - high) / stride) + 1,
    Math.floor((left + columns + right - wide) / stride) + 1,
  ];

  /** Zeros around, or a cut where it is negative. @param {Matrix} a @param {Padding} padding */
  const pad = (a, [top, bottom, left, right]) =>
    matrix(top + a.length + bottom, left + a[0].length + right, (i, j) => a[i - top]?.[j - left] ?? 0);

  /** Zeros before and after, as TensorFlow's SAME puts them. */
  const same = (length, span, stride) => {
    const total = Math.max((Math.ceil(length / stride) - 1) * stride + span - length, 0);
    return [total >> 1, total - (total >> 1)];
  };

  /** Central. @param {(change: number) => number} f */
  const difference = (f, h) => (f(h) - f(-h)) / (2 * h);

  /** @param {Matrix} a @param {Cell} cell */
  const changed = (a, [i, j], change) =>
    a.map((row, m) => row.map((value, n) => (m === i && n === j ? value + change : value)));

  return Object.freeze({ range, matrix, sum, weighted, shape, outputs, pad, same, difference, changed });
})();
