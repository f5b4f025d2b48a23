// Attention of one head: scores, weights, output, and the gradients of each.

"use strict";

/** @typedef {{ Q: Matrix, K: Matrix, V: Matrix, root: number, causal: boolean, S?: Matrix, P?: Matrix }} Heads root: what the scores are divided by */

const attention = (() => {
  const { range, sum, weighted } = arithmetic;

  /** @param {Matrix} a @returns {Matrix} */
  const transposed = (a) => a[0].map((_, j) => a.map((row) => row[j]));

  /** a bᵀ: of each two rows. @param {Matrix} a @param {Matrix} b @returns {Matrix} */
  const products = (a, b) => a.map((row) => b.map((other) => sum([row.map((value, k) => value * other[k])])));

  const over = (a, root) => a.map((row) => row.map((value) => value / root));

  /** Does a query see this key? */
  const seen = (causal, i, j) => !causal || j <= i;

  /** Softmax over the keys that each query sees. @param {Matrix} S @returns {Matrix} */
  const weights = (S, causal) => S.map((row, i) => {
    const most = Math.max(...row.filter((_, j) => seen(causal, i, j)));
    const powers = row.map((value, j) => (seen(causal, i, j) ? Math.exp(value - most) : 0));
    return powers.map((power) => power / sum([powers]));
  });

  /** S or P may be given in the place of what they follow from. @param {Heads} setting */
  const forward = ({ Q, K, V, root, causal, S = over(products(Q, K), root), P = weights(S, causal) }) =>
    ({ S, P, O: products(P, transposed(V)) });

  /** All arrays, the gradients by the formulas of the book. @param {Heads} setting @param {Matrix} dO */
  const attend = (setting, dO) => {
    const { Q, K, V, root } = setting;
    const { S, P, O } = forward(setting);
    const dP = products(dO, V);
    const dS = P.map((row, i) => row.map((value, j) => value * (dP[i][j] - sum([row.map((weight, k) => weight * dP[i][k])]))));
    return {
      Q, K, V, S, P, O, dO, dP, dS, dV: products(transposed(P), transposed(dO)),
      dQ: over(products(dS, transposed(K)), root), dK: over(products(transposed(dS), transposed(Q)), root),
    };
  };

  /** The products whose sum is a cell: where their two factors are, by the arrays; none
   * with a weight that the mask made 0.
   * @type {(arrays: any, causal: boolean, name: string, cell: Cell) => Record<string, Cell>[]} */
  const terms = ({ S, V, Q }, causal, name, [i, j]) => {
    const [queries, keys, wide, deep] = [S, S[0], V[0], Q[0]].map((axis) => range(axis.length));
    const of = { // of a row or column of S, the keys or queries that are seen
      row: keys.filter((k) => seen(causal, i, k)),
      column: queries.filter((k) => seen(causal, k, i)),
    };
    return {
      S: () => deep.map((k) => ({ Q: [i, k], K: [j, k] })),
      O: () => of.row.map((k) => ({ P: [i, k], V: [k, j] })),
      dP: () => wide.map((k) => ({ dO: [i, k], V: [j, k] })),
      dS: () => (seen(causal, i, j) ? of.row.map((k) => ({ dP: [i, k], P: [i, k] })) : []),
      dV: () => of.column.map((k) => ({ P: [k, i], dO: [k, j] })),
      dQ: () => of.row.map((k) => ({ dS: [i, k], K: [k, j] })),
      dK: () => of.column.map((k) => ({ dS: [k, i], Q: [k, j] })),
    }[name]();
  };

  /** ℓ = Σ ∂ℓ/∂O O. @param {Heads} setting @param {Matrix} dO */
  const loss = (setting, dO) => weighted(forward(setting).O, dO);

  return Object.freeze({ seen, attend, terms, loss });
})();

customElements.define("attention-explorer", class extends Explorer {
  keys = ["mask", "scale", "Q", "K", "V", "dO"];

  parse(given) {
    const { mask = "none", scale = "true" } = given;
    const [Q, K, V, dO] = ["Q", "K", "V", "dO"].map((name) => rowsOf(given[name]));
    const [[m, d], [n, depth], [length, wide], [rows, columns]] = [Q, K, V, dO].map(arithmetic.shape);
    if (!/^(none|causal)$/.test(mask) || !/^(true|false)$/.test(scale) || d !== depth || n !== length || m !== rows || wide !== columns || Math.max(m, n, d, wide) > 6) refuse("shape");
    return { mask, scale: scale === "true", Q, K, V, dO };
  }

  render() {
    const { state: { Q, K, V, dO, mask, scale }, grids } = this;
    this.setting = { Q, K, V, root: scale ? Math.sqrt(Q[0].length) : 1, causal: mask === "causal" };
    this.arrays = attention.attend(this.setting, dO);
    for (const [name, array] of Object.entries(this.arrays)) grids[name].show(array);
    for (const name of ["S", "P", "dP", "dS"]) this.arrays.S.forEach((row, i) => row.forEach((_, j) => {
      if (!this.seen(i, j)) grids[name].mark([i, j], "unread");
    }));
    this.most = { "": Math.max(Q.length, K.length, Q[0].length, V[0].length) + 1 };
  }

  seen(i, j) { return attention.seen(this.setting.causal, i, j); }

  explain() {
    const { grids, picked: { name, cell: [i, j] } } = this;
    const kind = name.at(-1);
    const hidden = /[SP]/.test(kind) && !this.seen(i, j);
    const notes = hidden ? [this.say("masked")] : [];
    if (name !== kind) grids[kind].outline("twin", [[i, j]]);
    if (name === "P") this.share(i, j, notes);
    else this.products(i, j, hidden, notes);
  }

  /** Of a weight: what it is of its row. */
  share(i, j, notes) {
    const { arrays: { S, P }, grids, setting: { causal } } = this;
    const row = S[i].flatMap((_, k) => (this.seen(i, k) ? [/** @type {Cell} */ ([i, k])] : []));
    grids.S.outline("lit", row);
    const quotient = (text) => `exp ${text([i, j])} / (${row.map((cell) => `exp ${text(cell)}`).join(" + ")})`;
    this.write(causal ? "P-causal" : "P", symbol("P", i, j), notes.length ? [] : [
      [quotient((cell) => symbol("S", ...cell)), quotient(([m, n]) => factor(S[m][n]))],
    ], P[i][j], { notes });
  }

  /** Of all else: a sum of products, lettered in the panels. */
  products(i, j, hidden, notes) {
    const { arrays, grids, setting: { causal }, state: { scale }, picked: { name } } = this;
    const { P, dP, Q } = arrays;
    const terms = attention.terms(arrays, causal, name, [i, j]);
    for (const of of Object.keys(terms[0] ?? {})) for (const panel of new Set([of, of.at(-1)])) // a gradient, and what it is of
      grids[panel].pair(terms.map((term) => term[of]));
    const missing = attention.terms(arrays, false, name, [i, j]).length - terms.length;
    if (missing && !hidden) notes.push(this.say("left_out", missing));
    if (name === "dS" && !hidden) {
      grids.P.outline("lit", [[i, j]]);
      notes.push(this.say("row", shown(P[i][j]), shown(dP[i][j]), factor(arithmetic.weighted([P[i]], [dP[i]])), i));
    }
    const scaled = /^(S|dQ|dK)$/.test(name);
    const over = scaled && scale ? ` / √${Q[0].length}` : "";
    const naming = (of, cell) => (of[1] ? "∂ℓ/∂" : "") + symbol(of.at(-1), ...cell);
    const weight = name === "dS" ? [symbol("P", i, j), shown(P[i][j])] : [];
    const text = (term) => {
      const factors = Object.entries(term);
      const [above, below] = weight.map((each) => [`(${Number(term.P[1] === j)} − ${each})`]);
      return [
        [...factors.map(([of, cell]) => naming(of, cell)), ...above ?? []].join(" ") + over,
        [...factors.map(([of, [m, n]]) => factor(arrays[of][m][n])), ...below ?? []].join(" · ") + over,
      ];
    };
    this.write(name + (scaled && !scale ? "-unscaled" : ""), naming(name, [i, j]), terms, arrays[name][i][j],
      { notes, products: terms.length, text });
  }

  again() {
    const { setting: { root }, arrays: { Q, K, V, S }, picked: { name, cell: [i, j] } } = this;
    const square = (sign) => arithmetic.sum([Q[i].map((value, k) => (value + sign * K[j][k]) ** 2)]);
    if (name === "S") return (square(1) - square(-1)) / (4 * root);
    const most = Math.max(...S[i].filter((_, k) => this.seen(i, k)));
    const powers = S[i].map((value, k) => (this.seen(i, k) ? Math.exp(value - most) : 0));
    return arithmetic.sum([powers.map((power, k) => power * (name === "O" ? V[k][j] : Number(k === j)))]) / arithmetic.sum([powers]);
  }

  slope() { // by a change that moves the scores little
    const { setting, arrays, state: { dO }, picked: { name, cell } } = this;
    const most = Math.max(1, ...[setting.Q, setting.K].flat(2).map(Math.abs));
    return arithmetic.difference((h) =>
      attention.loss({ ...setting, [name[1]]: arithmetic.changed(arrays[name[1]], cell, h) }, dO), 1e-5 / most);
  }
});
