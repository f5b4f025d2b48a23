// Arrays of any shape, as NumPy's functions of these names see them, and its numbers.

"use strict";

/** @typedef {{ shape: number[], data: Float64Array, dtype?: string }} NDArray in C order */

const arrays = (() => {
  const range = (length) => Array.from({ length }, (_, index) => index);

  const size = (shape) => shape.reduce((product, length) => product * length, 1);

  /** How far the next entry of each axis is. */
  const strides = (shape) => shape.map((_, axis) => size(shape.slice(axis + 1)));

  /** The entries from `start` on in steps: what turns, reverses or cuts is a view.
   * @returns {NDArray} */
  const view = ({ data }, shape, steps, start = 0) => {
    const seen = new Float64Array(size(shape));
    const index = shape.map(() => 0);
    for (let n = 0, at = start; n < seen.length; n++) {
      seen[n] = data[at];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        at += steps[axis];
        if (++index[axis] < shape[axis]) break;
        at -= steps[axis] * shape[axis];
        index[axis] = 0;
      }
    }
    return { shape, data: seen };
  };

  const transpose = (a, order) => {
    const steps = strides(a.shape);
    return view(a, order.map((axis) => a.shape[axis]), order.map((axis) => steps[axis]));
  };

  const swapaxes = (a, i, j) =>
    transpose(a, range(a.shape.length).map((axis) => (axis === i ? j : axis === j ? i : axis)));

  const flip = (a, axes) => {
    const steps = strides(a.shape);
    const start = axes.reduce((sum, axis) => sum + steps[axis] * (a.shape[axis] - 1), 0);
    return view(a, a.shape, steps.map((step, axis) => (axes.includes(axis) ? -step : step)), start);
  };

  const rot90 = (a, turns, i, j) =>
    turns === 1 ? swapaxes(flip(a, [j]), i, j) : flip(swapaxes(a, i, j), [j]);

  /** Indices from `begin` to before `end` on one axis. */
  const cut = (a, axis, begin, end) => {
    const steps = strides(a.shape);
    return view(a, a.shape.with(axis, end - begin), steps, begin * steps[axis]);
  };

  /** A function that says the index of the n-th entry on an axis. */
  const indexed = (shape) => {
    const steps = strides(shape);
    return (n, axis) => Math.floor(n / steps[axis]) % shape[axis];
  };

  /** max|a|; NaN where there is one, and without entries -∞. */
  const largest = (data) => {
    let found = -Infinity;
    for (let n = 0; n < data.length; n++) found = Math.max(found, Math.abs(data[n]));
    return found;
  };

  /** Of two arrays of one size. */
  const combined = (a, b, f) => {
    const found = new Float64Array(a.length);
    for (let n = 0; n < found.length; n++) found[n] = f(a[n], b[n]);
    return found;
  };

  const sorted = (data) => Float64Array.from(data).sort();

  /** In the order of the dictionary. @returns {Generator<number[]>} */
  function* permutations(items) {
    if (!items.length) yield [];
    for (const [n, item] of items.entries())
      for (const others of permutations(items.toSpliced(n, 1))) yield [item, ...others];
  }

  // --- As Python writes them

  const tuple = (shape) => `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;

  /** As {:.4g} with 4 digits. */
  const general = (value, digits) => {
    if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value < 0 ? "-inf" : "inf";
    const sign = value < 0 || Object.is(value, -0) ? "-" : "";
    // What lies in the middle is rounded to even, and upward by toExponential.
    const exact = Math.abs(value).toExponential(100).replace(".", "");
    const middle = /^50*e/.test(exact.slice(digits)) && Number(exact[digits - 1]) % 2 === 0;
    const [mantissa, power] = (middle ? exact : Math.abs(value).toExponential(digits - 1)).split("e");
    const figures = mantissa.replace(".", "").slice(0, digits);
    const exponent = Number(power);
    const point = (text, at) => (at < text.length ? `${text.slice(0, at)}.${text.slice(at)}`.replace(/\.?0+$/, "") : text);
    if (exponent < -4 || exponent >= digits)
      return `${sign}${point(figures, 1)}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
    return sign + (exponent < 0 ? point("0".repeat(-exponent) + figures, 1) : point(figures, exponent + 1));
  };

  /** As a sentence's .format: {}, {1} and {:.4g}. */
  const format = (sentence, values) => {
    let next = 0;
    return sentence.replace(/\{(\d*)(?::\.(\d)g)?\}/g, (_, which, digits) => {
      const value = values[which || next++];
      return digits ? general(value, Number(digits)) : String(value);
    });
  };

  return Object.freeze({
    range, size, strides, transpose, swapaxes, flip, rot90, cut, indexed,
    largest, combined, sorted, permutations, tuple, general, format,
  });
})();
