// Max and average pooling, and the way of each δ back.

"use strict";

/** @typedef {{ x: Matrix, delta: Matrix, size: number, stride: number, padding: Padding, average: boolean }} Pooling */

const pooling = (() => {
  const { range, matrix, shape, outputs } = arithmetic;

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

  return Object.freeze({ pool });
})();

customElements.define("pool-explorer", class extends Explorer {
  keys = ["K", "S", "P", "average", "relu", "x", "delta"];

  parse(given) {
    const [x, delta] = [given.x, given.delta].map(rowsOf);
    const { K = "2", S = "2", P = "valid", average = "false", relu = "false" } = given;
    const [size, window, stride] = [sizeOf(x, given.H, given.H2, 12), whole(K, 1, 5), whole(S, 1, 4)];
    if (![average, relu].every((text) => /^(true|false)$/.test(text)) || !/^(valid|same)$/.test(P)) refuse("shape");
    const padding = paddingOf(P, ["", "", "", ""], size, [window, window], stride);
    return {
      K: window, S: stride, P, padding, average: average === "true", relu: relu === "true", x: fit(x, size, 3),
      delta: fit(delta, arithmetic.outputs(size, [window, window], stride, padding), 5),
    };
  }

  derived({ x }) {
    const [H, H2] = arithmetic.shape(x).map(String);
    return { H, H2 };
  }

  render() {
    const { state: { x, delta, K, S, padding, average, relu }, grids } = this;
    this.most = { z: K * K, dx: Math.ceil(K / S) ** 2 };
    const on = (value) => !relu || value > 0;
    const a = x.map((row) => row.map((value) => (on(value) ? value : 0)));
    this.setting = { x: a, delta, size: K, stride: S, average, padding };
    const all = this.arrays = pooling.pool(this.setting);
    const below = all.dx.map((row, p) => row.map((value, q) => (on(x[p][q]) ? value : 0)));
    for (const [name, array] of Object.entries({ x, a, delta, below, z: all.z, dx: all.dx })) grids[name].show(array);
    this.note(average ? [this.say("share")] : all.maxima.flatMap((row, i) => row.flatMap((places, j) => {
      const [p, q] = places[0];
      grids.a.mark([p, q], "first");
      return !on(x[p][q]) ? [this.say("dead", `${i}, ${j}`)]
        : places.length > 1 ? [this.say("tie", `${i}, ${j}`, places.length)] : [];
    })));
  }

  explain() {
    const { setting: { x, delta, average, padding, stride, size }, state, grids, arrays } = this;
    const { name, cell: [i, j] } = this.picked;
    const share = (places) => (average ? ` / ${places.length}` : "");
    const formula = name + (average ? "-mean" : "-max");
    if (name === "z") {
      const window = arrays.cells[i][j];
      grids.a.pair(window);
      grids.a.outline("frame", [[stride * i - padding[0], stride * j - padding[2]]], [size, size]);
      this.write(formula, symbol("z", i, j), window.map(([p, q]) => [symbol("a", p, q), factor(x[p][q]) + share(window)]),
        arrays.z[i][j], { notes: average ? [] : [this.say("first", symbol("a", ...arrays.maxima[i][j][0]))], join: average ? "+" : ",", products: window.length });
      return;
    }
    const from = arrays.receivers.flatMap((row, m) => row.flatMap((places, n) =>
      (places.some(([p, q]) => p === i && q === j) ? [/** @type {Cell} */ ([m, n])] : [])));
    for (const panel of ["delta", "z"]) grids[panel].pair(from);
    grids.below.outline("twin", [[i, j]]);
    const notes = [from.length ? from.length > 1 && "overlap" : "nobody", state.relu && state.x[i][j] <= 0 && "off"];
    this.write(formula, `∂ℓ/∂${symbol("a", i, j)}`, from.map(([m, n]) =>
      [symbol("δ", m, n), factor(delta[m][n]) + share(arrays.receivers[m][n])]), arrays.dx[i][j],
    { notes: notes.filter(Boolean).map((word) => this.say(word, from.length)), products: from.length });
  }

  again() {
    const { setting: { x, average }, arrays, picked: { cell: [i, j] } } = this;
    const values = arrays.cells[i][j].map(([p, q]) => x[p][q]);
    return average ? arithmetic.sum([values]) / values.length : values.sort((a, b) => b - a)[0];
  }

  slope() {
    const { setting, picked: { cell } } = this;
    const loss = (x) => arithmetic.weighted(pooling.pool({ ...setting, x }).z, setting.delta);
    return arithmetic.difference((h) => loss(arithmetic.changed(setting.x, cell, h)), 1 / 65536);
  }
});
