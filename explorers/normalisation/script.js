// Batch, layer and RMS normalisation; and the three paths that lead to a gradient of x.

"use strict";

/** @typedef {{ x: Matrix, gamma: Matrix, beta: Matrix, norm: string, eps: number, direct?: Matrix, mean?: Matrix, variance?: Matrix, xhat?: Matrix }} Normalisation */

const normalisation = (() => {
  const { sum, weighted } = arithmetic;

  /** @param {Matrix} a @param {(value: number, n: number, j: number) => number} f @returns {Matrix} */
  const each = (a, f) => a.map((row, n) => row.map((value, j) => f(value, n, j)));

  /** What a cell is normalised with: its column, or its row.
   * @type {(norm: string, a: Matrix, cell: Cell) => Cell[]} */
  const group = (norm, a, [n, j]) => (norm === "batch" ? a.map((_, k) => [k, j]) : a[n].map((_, k) => [n, k]));

  /** Of each cell the mean of its group. @param {Matrix} a @returns {Matrix} */
  const means = (norm, a) => each(a, (_, n, j) => {
    const values = group(norm, a, [n, j]).map(([m, k]) => a[m][k]);
    return sum([values]) / values.length;
  });

  /** Each of the three places where x is used may be given a value of its own, and x̂ that of
   * which z is made. @param {Normalisation} setting */
  const forward = ({ x, gamma, beta, norm, eps, direct = x, mean = x, variance = x, xhat }) => {
    const centre = (a) => (norm === "rms" ? each(a, () => 0) : means(norm, a));
    const [mu, middle] = [mean, variance].map(centre);
    const s = each(means(norm, each(variance, (value, n, j) => (value - middle[n][j]) ** 2)), (v) => Math.sqrt(v + eps));
    xhat ??= each(direct, (value, n, j) => (value - mu[n][j]) / s[n][j]);
    return { mu, s, xhat, z: each(xhat, (value, _, j) => gamma[0][j] * value + beta[0][j]) };
  };

  /** All arrays, the gradients by the formulas of the book. @param {Normalisation} setting @param {Matrix} delta */
  const normalise = (setting, delta) => {
    const { x, gamma, beta, norm } = setting;
    const all = forward(setting);
    const { s, xhat } = all;
    const dxhat = each(delta, (value, _, j) => gamma[0][j] * value);
    const along = means(norm, each(dxhat, (value, n, j) => value * xhat[n][j]));
    const direct = each(dxhat, (value, n, j) => value / s[n][j]);
    const mean = each(norm === "rms" ? each(x, () => 0) : means(norm, dxhat), (value, n, j) => -value / s[n][j]);
    const variance = each(xhat, (value, n, j) => -value * along[n][j] / s[n][j]);
    const columns = (a) => [a[0].map((_, j) => sum(a.map((row) => [row[j]])))];
    return {
      ...all, x, gamma, beta, delta, dxhat, direct, mean, variance,
      dx: each(x, (_, n, j) => direct[n][j] + mean[n][j] + variance[n][j]),
      dgamma: columns(each(delta, (value, n, j) => value * xhat[n][j])), dbeta: columns(delta),
    };
  };

  /** ℓ = Σ δ z. @param {Normalisation} setting @param {Matrix} delta */
  const loss = (setting, delta) => weighted(forward(setting).z, delta);

  return Object.freeze({ group, normalise, loss });
})();

const PATHS = ["direct", "mean", "variance"];

customElements.define("normalisation-explorer", class extends Explorer {
  keys = ["norm", "eps", "x", "gamma", "beta", "delta"];
  symbols = { x: "x", xhat: "x̂", z: "z", gamma: "γ", beta: "β", delta: "δ", dx: "∂ℓ/∂x", dxhat: "∂ℓ/∂x̂", dgamma: "∂ℓ/∂γ", dbeta: "∂ℓ/∂β" };

  connectedCallback() {
    const first = !this.root;
    super.connectedCallback();
    if (first) this.drag(this.grids.x);
  }

  parse(given) {
    const { norm = "batch", eps = "0.001" } = given;
    const [x, gamma, delta] = ["x", "gamma", "delta"].map((name) => rowsOf(given[name]));
    const beta = given.beta ? rowsOf(given.beta) : [gamma[0].map(() => 0)];
    const [rows, columns] = arithmetic.shape(x);
    const right = { delta: [rows, columns], gamma: [1, columns], beta: [1, columns] };
    if (!/^(batch|layer|rms)$/.test(norm) || Math.max(rows, columns) > 8
      || Object.entries({ delta, gamma, beta }).some(([name, a]) => String(arithmetic.shape(a)) !== String(right[name]))) refuse("shape");
    return { norm, eps: typed(eps) < 0 ? refuse("negative") : typed(eps), x, gamma, beta, delta };
  }

  /** A number follows the pointer that holds it; one that is let go at once, is edited. @param {Grid} grid */
  drag(grid) {
    const box = grid.root.querySelector(".box");
    let held, moved = false;
    box.addEventListener("pointerdown", (event) => {
      const cell = grid.at(event);
      [held, moved] = [cell && { cell, x: event.clientX, value: grid.array[cell[0]][cell[1]] }, false];
    });
    box.addEventListener("pointermove", (event) => {
      const steps = held ? Math.round((event.clientX - held.x) / 4) : 0;
      if (!held || !moved && !steps) return;
      const { cell: [n, j], value } = held;
      if (!moved) {
        box.setPointerCapture(event.pointerId);
        grid.lead(n, j); // which has the focus if the cells are built anew
      }
      moved = true;
      const { x } = this.state;
      this.attempt(grid.root, () => this.change({ x: textOf(x.with(n, x[n].with(j, value + steps / 10))) }));
    });
    for (const end of ["pointerup", "pointercancel"]) box.addEventListener(end, () => { held = undefined; });
    box.addEventListener("dragstart", (event) => event.preventDefault()); // of what is selected on the page
    // Some browsers call the end a click on the cell.
    box.addEventListener("click", (event) => moved && event.stopPropagation(), { capture: true });
  }

  render() {
    const { state, grids } = this;
    const { norm, x, delta } = state;
    const all = this.arrays = normalisation.normalise(state, delta);
    for (const [name, grid] of Object.entries(grids)) grid.show(all[name]);
    const { group } = normalisation;
    const firsts = /** @type {Cell[]} */ (norm === "batch" ? x[0].map((_, j) => [0, j]) : x.map((_, n) => [n, 0]));
    const groups = firsts.map((cell) => group(norm, x, cell));
    this.most = { "": Math.max(4, 1 + Math.max(x.length, x[0].length)) }; // on a phone each of the three paths fills a line
    const list = (value) => groups.map((cells) => shown(arithmetic.sum([cells.map(([n, j]) => value(n, j))]))).join(", ");
    const first = (a) => firsts.map(([n, j]) => shown(a[n][j])).join(", ");
    this.note([
      `${norm === "rms" ? "" : `μ = ${first(all.mu)}; `}s = ${first(all.s)}`,
      `Σ ∂ℓ/∂x = ${list((n, j) => all.dx[n][j])}; Σ x̂ ∂ℓ/∂x = ${list((n, j) => all.xhat[n][j] * all.dx[n][j])}`,
    ]);
  }

  symbol(of, [n, j]) { return symbol(this.symbols[of], ...(/gamma|beta/.test(of) ? [j] : [n, j])); }

  factor(of, [n, j]) { return factor(this.arrays[of][n][j]); }

  explain() {
    const { grids, state: { norm, x }, picked: { name, cell } } = this;
    const group = normalisation.group(norm, x, cell);
    for (const panel of PATHS.includes(name) ? ["x", "dx"] : name[0] === "d" ? [name.slice(1)] : []) grids[panel].outline("twin", [cell]);
    if (name === "xhat") this.normalised(group);
    else if (name === "dx") this.paths(group);
    else this.products(group);
  }

  normalised(group) {
    const { arrays, grids, state: { norm }, picked: { cell } } = this;
    const [n, j] = cell;
    const rms = norm === "rms";
    grids.x.outline("lit", group);
    const quotient = (x, mu, s) => `${rms ? x : `(${x} − ${mu})`} / ${s}`;
    this.write(rms ? "xhat-rms" : "xhat", this.symbol("xhat", cell), [
      [quotient(this.symbol("x", cell), "μ", "s"), quotient(shown(arrays.x[n][j]), factor(arrays.mu[n][j]), shown(arrays.s[n][j]))],
    ], arrays.xhat[n][j]);
  }

  /** A gradient of x: what its paths give, each of them lettered in its panel. */
  paths(group) {
    const { arrays, grids, state: { norm }, picked: { cell } } = this;
    const [n, j] = cell;
    const { dxhat, xhat, s } = arrays;
    const over = [" / (m s)", ` / (${group.length} · ${shown(s[n][j])})`];
    const total = (value) => factor(arithmetic.sum([group.map(value)]));
    const terms = {
      direct: [`${this.symbol("dxhat", cell)} / s`, `${this.factor("dxhat", cell)} / ${shown(s[n][j])}`],
      mean: [`−Σ ∂ℓ/∂x̂${over[0]}`, `−${total(([m, k]) => dxhat[m][k])}${over[1]}`],
      variance: [
        `−${this.symbol("xhat", cell)} Σ x̂ ∂ℓ/∂x̂${over[0]}`,
        `−${this.factor("xhat", cell)} · ${total(([m, k]) => xhat[m][k] * dxhat[m][k])}${over[1]}`,
      ],
    };
    const names = PATHS.filter((name) => norm !== "rms" || name !== "mean");
    names.forEach((name, k) => grids[name].pair([cell], [k]));
    for (const panel of ["xhat", "dxhat"]) grids[panel].outline("lit", group);
    this.write(norm === "rms" ? "dx-rms" : "dx", this.symbol("dx", cell), names.map((name) =>
      [this.say(name, terms[name][0]), terms[name][1]]), arrays.dx[n][j], { products: names.length });
  }

  /** All else: products, lettered in the panels, of the cells of a group or of a column. */
  products(group) {
    const { arrays, grids, state: { norm, x }, picked: { name, cell } } = this;
    const [n, j] = cell;
    const column = x.map((_, k) => /** @type {Cell} */ ([k, j]));
    const top = /** @type {Cell} */ ([0, j]);
    /** @type {Record<string, Cell>[]} */
    const terms = {
      z: () => [{ gamma: top, xhat: cell }, { beta: top }],
      dxhat: () => [{ gamma: top, delta: cell }],
      dgamma: () => column.map((at) => ({ delta: at, xhat: at })),
      dbeta: () => column.map((at) => ({ delta: at })),
      direct: () => [{ dxhat: cell }],
      mean: () => (norm === "rms" ? [] : group.map((at) => ({ dxhat: at }))),
      variance: () => group.map((at) => ({ xhat: at, dxhat: at })),
    }[name]();
    for (const of of new Set(terms.flatMap(Object.keys))) {
      const at = terms.flatMap((term, k) => (of in term ? [k] : []));
      grids[of].pair(at.map((k) => terms[k][of]), at);
    }
    const s = shown(arrays.s[n][j]);
    const [over, overNumbers] = name === "direct" ? [" / s", ` / ${s}`] : PATHS.includes(name) ? [" / (m s)", ` / (${group.length} · ${s})`] : ["", ""];
    const less = name === "mean" || name === "variance";
    const text = (term, at) => {
      const factors = [...name === "variance" ? [["xhat", cell]] : [], ...Object.entries(term)];
      const sign = less && !at ? "−" : "";
      return [
        sign + factors.map(([of, cell]) => this.symbol(of, cell)).join(" ") + over,
        sign + factors.map(([of, cell]) => this.factor(of, cell)).join(" · ") + overNumbers,
      ];
    };
    const result = PATHS.includes(name) ? this.say(name, this.symbol("dx", cell)) : this.symbol(name, cell);
    this.write(name, result, terms, arrays[name][n][j],
      { join: less ? "−" : "+", notes: terms.length ? [] : [this.say("none")], products: terms.length, text });
  }

  again() {
    const { arrays: { x, gamma, beta }, state: { norm, eps }, picked: { name, cell: [n, j] } } = this;
    const values = normalisation.group(norm, x, [n, j]).map(([m, k]) => x[m][k]);
    const mean = (a) => arithmetic.sum([a]) / a.length;
    const rms = norm === "rms";
    const u = rms ? x[n][j] : mean(values.map((value) => x[n][j] - value));
    const v = mean(values.map((value) => (rms ? value ** 2 : mean(values.map((other) => (value - other) ** 2)) / 2)));
    const xhat = u / Math.sqrt(v + eps);
    return name === "xhat" ? xhat : gamma[0][j] * xhat + beta[0][j];
  }

  slope() { // by a change that is small beside s
    const { arrays, state, picked: { name, cell: [n, j] } } = this;
    const of = name.replace(/^d(?=x|gamma|beta)/, "");
    const array = PATHS.includes(name) ? state.x : arrays[of]; // which one of the paths alone sees changed
    return arithmetic.difference((h) =>
      normalisation.loss({ ...state, [of]: arithmetic.changed(array, [n, j], h) }, state.delta), 1e-5 * Math.min(1, arrays.s[n][j]));
  }
});
