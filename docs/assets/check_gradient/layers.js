// The right gradients of some layers, which are what the book's functions give. An image
// is (N, H, H', C) and a kernel (K, K', C/G, F), or both have two axes and one channel.

"use strict";

const layers = (() => {
  const { range, size, tuple } = arrays;

  /** Not to be computed; which word says why, beside which box or setting.
   * @returns {never} */
  const amiss = (box, word, ...values) => { throw Object.assign(Error(word), { box, word, values }); };

  /** @returns {NDArray} */
  const zeros = (shape) => ({ shape, data: new Float64Array(size(shape)), dtype: "float64" });

  const fits = (box, shape, wanted) => {
    if (String(shape) !== String(wanted)) amiss(box, "fits", tuple(shape), tuple(wanted));
  };

  /** With axes of length 1 before and after its own, where it is without them. */
  const lifted = (before, own, after) => (box, array) => {
    const { shape } = array;
    if (shape.length === before + own + after) return array;
    if (shape.length !== own) amiss(box, "axes", tuple(shape), before + own + after);
    return { ...array, shape: [...Array(before).fill(1), ...shape, ...Array(after).fill(1)] };
  };
  const [batch, matrix, image, kernel] = [lifted(1, 1, 0), lifted(0, 2, 0), lifted(1, 2, 1), lifted(0, 2, 2)];

  /** Σ_k a(i, k) b(k, j) for each i and j. */
  const product = (rows, inner, columns, a, b) => {
    const found = zeros([rows, columns]);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++)
        for (let k = 0; k < inner; k++) found.data[i * columns + j] += a(i, k) * b(k, j);
    return found;
  };

  // --- Settings, as they are typed

  /** None is so large that the page would stand still. */
  const whole = (box, text, counts, least = 1) => {
    const found = read.lengths(text) ?? [];
    if (!counts.includes(found.length) || found.some((n) => n < least || n > 9_999)) amiss(box, "setting", text);
    return found;
  };

  const pair = (box, text) => {
    const [rows, columns = rows] = whole(box, text, [1, 2]);
    return [rows, columns];
  };

  /** Zeros before and after, on each axis. */
  const around = (text, lengths, extents, strides) => {
    const word = read.narrow(text).replace(/["'\s]/g, "").toLowerCase();
    if (word === "same") return lengths.map((length, axis) => arithmetic.same(length, extents[axis], strides[axis]));
    const [top, bottom = top, left = bottom, right = left] = word === "valid" ? [0] : whole("padding", text, [1, 4], 0);
    return [[top, bottom], [left, right]];
  };

  /** For each axis of an image, and there for each output: [place in the window, input]. */
  const windows = (lengths, counts, step, { stride, padding, dilation }, box) => {
    const [steps, gaps] = [pair("stride", stride.trim() || step), pair("dilation", dilation)];
    const extents = counts.map((count, axis) => (count - 1) * gaps[axis] + 1);
    const pads = around(padding, lengths, extents, steps);
    const axes = lengths.map((length, axis) => {
      const padded = length + pads[axis][0] + pads[axis][1];
      if (padded < extents[axis]) amiss(box, "large", extents[axis], padded);
      return range(Math.floor((padded - extents[axis]) / steps[axis]) + 1).map((i) =>
        range(counts[axis]).map((u) => [u, i * steps[axis] + u * gaps[axis] - pads[axis][0]])
          .filter(([, at]) => at >= 0 && at < length));
    });
    return { pads, axes };
  };

  // --- Layers

  const dense = (of, given) => {
    const { shape: [N, J], data: d } = batch("delta", given.delta);
    const delta = (n, j) => d[n * J + j];
    if (of === "db") return { ...product(1, N, J, () => 1, delta), shape: [J] };
    if (of === "dW") {
      const { shape: [rows, I], data: x } = batch("x", given.x);
      fits("delta", [N, J], [rows, J]);
      return product(I, N, J, (i, n) => x[n * I + i], delta);
    }
    const { shape: [I, columns], data: W } = matrix("W", given.W);
    fits("W", [I, columns], [I, J]);
    return { ...product(N, J, I, delta, (j, i) => W[i * J + j]), shape: [...given.delta.shape.slice(0, -1), I] };
  };

  const convolution = (of, given, settings) => {
    const delta = image("delta", given.delta);
    if (of === "db") {
      const { length } = given.delta.shape;
      const F = delta.shape[3];
      const every = product(1, delta.data.length / F, F, () => 1, (n, f) => delta.data[n * F + f]);
      return { ...every, shape: length === 2 ? [] : [F] };
    }
    const [x, W] = [image("x", given.x), kernel("W", given.W)];
    const [N, H, V, C] = x.shape;
    const [K, L, c, F] = W.shape;
    const [groups] = whole("groups", settings.groups, [1]);
    if (C % groups || F % groups) amiss("groups", "groups", groups, C, F);
    fits("W", W.shape, [K, L, C / groups, F]);
    const { axes: [down, across] } = windows([H, V], [K, L], "1", settings, "W");
    fits("delta", delta.shape, [N, down.length, across.length, F]);
    const found = zeros(given[of[1]].shape);
    const term = of === "dx"
      ? (d, at, weight) => { found.data[at] += d * W.data[weight]; }
      : (d, at, weight) => { found.data[weight] += d * x.data[at]; };
    for (let n = 0; n < N; n++)
      down.forEach((above, i) => across.forEach((beside, j) => {
        for (let f = 0; f < F; f++) {
          const d = delta.data[((n * down.length + i) * across.length + j) * F + f];
          const channel = Math.floor(f / (F / groups)) * c; // the first of its group
          for (const [u, p] of above)
            for (const [v, q] of beside)
              for (let k = 0; k < c; k++)
                term(d, ((n * H + p) * V + q) * C + channel + k, ((u * L + v) * c + k) * F + f);
        }
      }));
    return found;
  };

  /** share(found, cells, δ, x, places) hands the δ of a window out to its cells. */
  const pooling = (share) => (_, given, settings) => {
    const [x, delta] = [image("x", given.x), image("delta", given.delta)];
    const [N, H, V, C] = x.shape;
    const counts = pair("size", settings.size);
    const own = { ...settings, dilation: "1" }; // whatever a convolution had
    const { pads, axes: [down, across] } = windows([H, V], counts, settings.size, own, "size");
    if (pads.some((sides, axis) => Math.max(...sides) >= counts[axis])) amiss("padding", "unseen", tuple(counts));
    fits("delta", delta.shape, [N, down.length, across.length, C]);
    const found = zeros(given.x.shape);
    for (let n = 0; n < N; n++)
      down.forEach((above, i) => across.forEach((beside, j) => {
        for (let k = 0; k < C; k++) {
          const cells = above.flatMap(([, p]) => beside.map(([, q]) => ((n * H + p) * V + q) * C + k));
          share(found.data, cells, delta.data[((n * down.length + i) * across.length + j) * C + k], x.data, size(counts));
        }
      }));
    return found;
  };

  const max = pooling((found, cells, d, x) => {
    const larger = (value, best) => value > best || (Number.isNaN(value) && !Number.isNaN(best));
    let first = cells[0];
    for (const cell of cells) if (larger(x[cell], x[first])) first = cell;
    found[first] += d;
  });

  const average = (whose) => pooling((found, cells, d, _, places) => {
    for (const cell of cells) found[cell] += d / whose(cells.length, places);
  });

  /** f(softmax of a row of z, the same row of another array). */
  const rowwise = (name, f) => (_, given) => {
    const [z, other] = [given.z, given[name]];
    fits(name, other.shape, z.shape);
    const found = zeros(z.shape);
    const length = z.shape.at(-1) ?? 1;
    for (let begin = 0; begin < z.data.length; begin += length) {
      const [row, g] = [z, other].map(({ data }) => range(length).map((i) => data[begin + i]));
      const most = row.reduce((a, b) => Math.max(a, b));
      const e = row.map((value) => Math.exp(value - most));
      const total = e.reduce((sum, value) => sum + value, 0);
      found.data.set(f(e.map((value) => value / total), g), begin);
    }
    return found;
  };

  const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  const softmax = rowwise("delta", (a, g) => a.map((value, i) => value * (g[i] - dot(a, g))));
  const crossEntropy = rowwise("y", (a, y) => a.map((value, i) => value * dot(y, y.map(() => 1)) - y[i]));

  const pool = ["size", "stride", "padding"];
  /** By layer: the arrays of which each gradient is made, the settings, the function.
   * @type {Record<string, { of: Record<string, string[]>, settings: string[], gradient: Function }>} */
  return Object.freeze({
    dense: { of: { dW: ["x", "delta"], dx: ["W", "delta"], db: ["delta"] }, settings: [], gradient: dense },
    conv2d: {
      of: { dW: ["x", "W", "delta"], dx: ["x", "W", "delta"], db: ["delta"] },
      settings: ["stride", "padding", "dilation", "groups"], gradient: convolution,
    },
    max_pool: { of: { dx: ["x", "delta"] }, settings: pool, gradient: max },
    avg_pool: { of: { dx: ["x", "delta"] }, settings: pool, gradient: average((own) => own) },
    avg_pool_padded: { of: { dx: ["x", "delta"] }, settings: pool, gradient: average((_, places) => places) },
    softmax: { of: { dz: ["z", "delta"] }, settings: [], gradient: softmax },
    cross_entropy: { of: { dz: ["z", "y"] }, settings: [], gradient: crossEntropy },
  });
})();
