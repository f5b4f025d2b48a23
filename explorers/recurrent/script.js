// A recurrent unit, unrolled: its states forward in time, and the gradients backward.

"use strict";

/** @typedef {{ x: number[], g: number[], W: number, U: number, b: number, h0: number }} Unrolled g: the derivative of the loss by each state, at its step alone */

const recurrent = (() => {
  const { range, sum, weighted } = arithmetic;

  /** h₀ to h_T. The state of a step may be moved, or what its tanh is taken of. @param {Unrolled} setting */
  const states = ({ x, W, U, b, h0 }, step = NaN, dh = 0, dz = 0) => {
    const h = [h0 + (step === 0 ? dh : 0)];
    x.forEach((value, t) => {
      const here = Number(t + 1 === step);
      h.push(Math.tanh(value * W + h[t] * U + b + here * dz) + here * dh);
    });
    return h;
  };

  /** @param {Unrolled} setting */
  const loss = ({ g }, h) => weighted([g], [h.slice(1)]);

  /** What there is of each step: J is its derivative by the state before, far that of the
   * last state by its own. And the gradients of what all steps share. @param {Unrolled} setting */
  const backward = ({ x, g, U }, h) => {
    const slopes = h.slice(1).map((value) => 1 - value * value);
    const J = slopes.map((slope) => slope * U);
    const [dh, delta, far] = [g, g, g.map(() => 1)].map((values) => [...values]);
    for (const t of range(x.length).reverse()) {
      if (t + 1 < x.length) [dh[t], far[t]] = [g[t] + delta[t + 1] * U, far[t + 1] * J[t + 1]];
      delta[t] = dh[t] * slopes[t];
    }
    return { J, dh, delta, far, dW: weighted([x], [delta]), dU: weighted([h.slice(0, -1)], [delta]), db: sum([delta]), dh0: delta[0] * U };
  };

  return Object.freeze({ states, loss, backward });
})();

const LANE = 6; // in pixels, from a path to the next
const ROWS = ["x", "h", "J", "g", "dh", "delta", "far"];
const THETA = ["W", "U", "b", "h0"];

class StepsPanel extends Grid {
  steps = 1;
  last = false; // a loss at the last step only
  apart = matchMedia("(min-width: 45em)").matches ? 18 : 6;

  /** A step each column; J stands between its state and the one before. */
  corner(i, j) {
    const pitch = this.width + this.apart;
    const down = [14, 54, 84, 126, 164, 202, 244, 272][i] + (i > 2 ? LANE * this.steps : 0);
    return [46 + pitch * (j + (i === 2 ? 0 : 0.5)), down];
  }

  middle(j) { return this.corner(0, j)[0] + this.width / 2; }

  extent(rows, columns) { return [this.corner(0, columns)[0] - this.apart + 2, this.corner(rows, 0)[1]]; }

  edits([i, j]) { return i === 0 || i === 3 && (!this.last || j + 1 === this.steps); }

  named(i, j) {
    const [row, h] = [ROWS[i], symbol("h", j + 1)];
    return { h, dh: `∂ℓ/∂${h}`, far: `∂${symbol("h", this.steps)}/∂${h}` }[row] ?? symbol(row === "delta" ? "δ" : row, j + 1);
  }

  /** Names, steps, and arrows: forward in time, and back. */
  beside(rows, columns) {
    const { width, apart } = this;
    const top = (i) => this.corner(i, 0)[1];
    const centre = (i) => top(i) + HEIGHT / 2;
    const arrows = arithmetic.range(columns).flatMap((j) => {
      const [middle, left] = [this.middle(j), this.corner(0, j)[0]];
      return [
        ...[0, 3, 4].map((i) => [middle, top(i) + HEIGHT, middle, top(i + 1)]),
        [left - apart, centre(1), left, centre(1)],
        ...(j ? [[left, centre(5), left - apart - width / 4, top(4) + HEIGHT]] : []),
      ];
    });
    const names = ["x", "h", "J", "g", "∂ℓ/∂h", "δ", `∂${symbol("h", columns)}/∂h`];
    return [
      svg("path", { class: "tiles", d: arrows.map((ends) => line(ends, 0, 5)).join("") }),
      ...names.map((name, i) => caption(name, 3, centre(i) + 4, "of")),
      caption("h₀", this.middle(-1), centre(1) + 4),
      ...arithmetic.range(columns).map((j) => caption(j + 1, this.middle(j), 9, "index")),
    ];
  }

  /** Last, what is left of a change: tinted by size, and with a decimal more. */
  show(array) {
    super.show(array);
    const far = array.at(-1);
    const most = Math.max(...far.map(Math.abs));
    this.svg.lastElementChild.classList.add("heat");
    far.forEach((value, j) => {
      const { firstChild: ground, lastChild: text } = this.cells.at(-1)[j];
      ground.style.setProperty("--size", String(Math.abs(value) / most));
      if (value && Math.abs(value) < 0.1) text.textContent = shown(value, 3);
    });
  }

  /** From a state to the steps where it reaches the loss, a lane each. */
  follow(t, ends) {
    const [x, under] = [this.middle(t - 1), this.corner(3, 0)[1]];
    const lane = (s) => under - 8 - LANE * (s - Math.max(t, 1) + 1);
    this.pair(ends.map((s) => [3, s - 1]));
    ends.forEach((s, at) => {
      const [p, y] = [this.middle(s - 1), lane(s)];
      this.paths[`pair${at % COLOURS}`] += `M${x - 2} ${y}H${p + 2}V${under}H${p - 2}V${y + 4}H${x - 2}z`;
    });
    this.outline("lit", arithmetic.range(ends.at(-1) - t).map((k) => [2, t + k]));
    this.paths.lit += `M${x} ${this.corner(1, 0)[1] + HEIGHT}V${lane(ends[0])}`;
  }
}

class ThetaPanel extends Grid {
  /** @param {Cell} cell */
  edits([i]) { return !i; }

  named(i, j) { return `${i ? "∂ℓ/∂" : ""}${symbol(THETA[j][0], THETA[j].slice(1))}`; }

  beside(_, columns) {
    return [
      ...arithmetic.range(columns).map((j) => caption(this.named(0, j), this.corner(0, j)[0] + this.width / 2, MARGIN - 3, "index lit")),
      ...["→", "←"].map((sign, i) => caption(sign, MARGIN / 2 - 1, this.corner(i, 0)[1] + HEIGHT / 2 + 3, "index")),
    ];
  }
}

customElements.define("recurrent-explorer", class extends Explorer {
  panels = { net: StepsPanel, theta: ThetaPanel };
  /** @type {any} */ grids = {};
  /** @type {Unrolled} */ setting;
  /** @type {any} */ made; // what follows from it
  keys = ["T", "last", ...THETA, "x", "g"];

  parse(given) {
    const [x, g] = [given.x, given.g].map(rowsOf);
    const { last = "false" } = given;
    const most = x[0].length;
    if (x.length + g.length > 2 || g[0].length !== most || most > 8 || !/^(true|false)$/.test(last)) refuse("shape");
    const theta = Object.fromEntries(THETA.map((name) => [name, typed(given[name] ?? "0")]));
    return { T: whole(given.T ?? String(most), 1, most), last: last === "true", ...theta, x, g };
  }

  edited(name, [i, j], value) {
    return name === "theta" ? { [THETA[j]]: String(value) } : super.edited(ROWS[i], [0, j], value);
  }

  render() {
    const { state: { T, last, W, U, b, h0, x: [x], g: [g] }, grids: { net, theta } } = this;
    const setting = this.setting = { x: x.slice(0, T), g: g.slice(0, T).map((value, t) => (last && t + 1 < T ? 0 : value)), W, U, b, h0 };
    const h = recurrent.states(setting);
    const { J, dh, delta, far, ...sums } = recurrent.backward(setting, h);
    this.made = { h, J, delta, far };
    Object.assign(net, { steps: T, last });
    net.show([setting.x, h.slice(1), J, setting.g, dh, delta, far]);
    theta.show([[W, U, b, h0], [sums.dW, sums.dU, sums.db, sums.dh0]]);
    for (const { root } of [net, theta]) root.querySelector("small").textContent = "";
    this.most = { net: T * (T + 1) / 4 }; // of two factors each
  }

  explain() {
    const { picked: { name, cell: [i, j] } } = this;
    if (name === "net") this[`tell_${ROWS[i]}`](j + 1);
    else if (!i) this.shared(j);
    else if (THETA[j] === "h0") this.tell_dh(0);
    else this.overSteps(THETA[j]);
  }

  /** The picked number, and what it is made of. */
  tell(formula, terms, more = {}) {
    const { grids, picked: { name, cell: [i, j] } } = this;
    this.write(formula, grids[name].named(i, j), terms, grids[name].array[i][j], more);
  }

  // --- Of a step: x and h, J, g, ∂ℓ/∂h, δ, ∂h_T/∂h

  tell_x(t) {
    const { setting: { W }, made: { delta } } = this;
    this.after(t);
    this.tell("h", [], { notes: [this.say("input",
      `∂ℓ/∂${symbol("x", t)} = ${symbol("δ", t)} W = ${factor(delta[t - 1])} · ${factor(W)} = ${shown(delta[t - 1] * W)}`)] });
  }

  tell_h(t) {
    const { setting: { x, W, U, b }, made: { h, far }, grids: { net, theta } } = this;
    this.after(t + 1);
    net.outline("lit", [[0, t - 1], [1, t - 2]].slice(0, t)); // h₀ stands elsewhere
    theta.outline("lit", [[0, 0], [0, 1], [0, 2], [0, 3]].slice(0, t > 1 ? 3 : 4));
    this.tell("h", [[
      `tanh(${symbol("x", t)} W + ${symbol("h", t - 1)} U + b)`,
      `tanh(${factor(x[t - 1])} · ${factor(W)} + ${factor(h[t - 1])} · ${factor(U)} + ${factor(b)})`,
    ]], { notes: t < x.length ? [this.say("reaches", `${net.named(6, t - 1)} = ${shown(far[t - 1])}`)] : [] });
  }

  tell_J(t) {
    const { setting: { U }, grids: { net, theta } } = this;
    net.outline("lit", [[1, t - 1]]);
    theta.outline("lit", [[0, 1]]);
    const [symbols, numbers] = this.steep(t);
    this.tell("J", [[`${symbols} U`, `${numbers} · ${factor(U)}`]]);
  }

  tell_g(t) {
    this.tell("g", [], { notes: [this.hasLoss(t) ? this.say("direct", symbol("h", t)) : this.say("off")] });
  }

  /** A path to each step with a loss; h₀ has some, too. */
  tell_dh(t) {
    const { setting: { g, U }, made: { J, delta }, grids: { net } } = this;
    const ends = arithmetic.range(g.length + 1).filter((s) => s >= Math.max(t, 1) && this.hasLoss(s));
    net.follow(t, ends);
    const terms = ends.map((s) => {
      const steps = arithmetic.range(s - t).map((k) => t + k + 1);
      return [
        [...steps.map((step) => symbol("J", step)), symbol("g", s)].join(" "),
        [...steps.map((step) => J[step - 1]), g[s - 1]].map(factor).join(" · "),
      ];
    });
    const direct = t ? [`${symbol("g", t)} + `, `${factor(g[t - 1])} + `] : ["", ""];
    this.tell("dh", terms, { products: ends.length, notes: t < g.length
      ? [this.say("once", `${direct[0]}${symbol("δ", t + 1)} U = ${direct[1]}${factor(delta[t])} · ${factor(U)}`)] : [] });
  }

  tell_delta(t) {
    const { setting: { g, U }, made: { delta }, grids: { net } } = this;
    const [symbols, numbers] = this.steep(t);
    const [here, later] = [this.hasLoss(t), t < g.length];
    net.outline("lit", [[1, t - 1]]);
    net.pair([...(here ? [[3, t - 1]] : []), ...(later ? [[5, t]] : [])]);
    const terms = [
      ...(here ? [[`${symbol("g", t)} ${symbols}`, `${factor(g[t - 1])} · ${numbers}`]] : []),
      ...(later ? [[`${symbol("δ", t + 1)} U ${symbols}`, `${factor(delta[t])} · ${factor(U)} · ${numbers}`]] : []),
    ];
    this.tell("delta", terms, { products: terms.length });
  }

  tell_far(t) {
    const { made: { J }, grids: { net } } = this;
    const steps = arithmetic.range(J.length - t).map((k) => t + k);
    net.outline("lit", steps.map((step) => [2, step]));
    this.tell("far", [[steps.map((step) => symbol("J", step + 1)).join(" ") || "1", steps.map((step) => factor(J[step])).join(" · ") || "1"]]);
  }

  // --- Of W, U, b, h₀

  shared(j) {
    const first = THETA[j] === "h0";
    this.after(1);
    this.tell("h", [], { notes: [this.say(first ? "input" : "everywhere", "")] });
  }

  /** The gradient of W, U or b: a product for each step. */
  overSteps(name) {
    const { setting: { x }, made: { h, delta }, grids: { net, theta } } = this;
    const steps = arithmetic.range(x.length);
    /** Symbol, number and cell of what δ is multiplied by. */
    const other = {
      W: (k) => [symbol("x", k + 1), factor(x[k]), [0, k]],
      U: (k) => [symbol("h", k), factor(h[k]), [1, k - 1]],
      b: () => [],
    }[name];
    const beside = steps.filter((k) => other(k)[2]?.[1] >= 0); // h₀ stands elsewhere
    net.pair([...beside.map((k) => other(k)[2]), ...steps.map((k) => [5, k])], [...beside, ...steps]);
    if (name === "U") theta.pair([[0, 3]]);
    this.tell(`d${name}`, steps.map((k) => {
      const [letter, number] = other(k);
      return [[letter, symbol("δ", k + 1)].filter(Boolean).join(" "), [number, factor(delta[k])].filter(Boolean).join(" · ")];
    }), { products: steps.length });
  }

  // --- What they have in common

  /** The states from this step on. */
  after(t) {
    const { setting: { x }, grids: { net } } = this;
    net.outline("twin", arithmetic.range(x.length + 1 - t).map((k) => [1, t - 1 + k]));
  }

  /** Is there a loss at this step? */
  hasLoss(t) { return !this.state.last || t === this.setting.x.length; }

  /** Of tanh at a step, in symbols and in numbers. */
  steep(t) { return [`(1 − ${symbol("h", t)}²)`, `(1 − ${factor(this.made.h[t])}²)`]; }

  // --- The check

  differs() {
    const { picked: { name, cell: [i] } } = this;
    return name === "theta" ? i > 0 : i === 2 || i > 3;
  }

  again() { // what is given stays; tanh from exp
    const { setting: { x, W, U, b }, made: { h }, grids, picked: { name, cell: [i, j] } } = this;
    return name === "theta" || i !== 1 ? grids[name].array[i][j] : 1 - 2 / (Math.exp(2 * (x[j] * W + h[j] * U + b)) + 1);
  }

  slope() {
    const { setting, picked: { name, cell: [i, j] } } = this;
    const { states, loss } = recurrent;
    const [T, at] = [setting.x.length, THETA[j]];
    const moved = name === "theta" ? (h) => {
      const other = { ...setting, [at]: setting[at] + h };
      return loss(other, states(other));
    } : {
      J: (h) => states(setting, j, h)[j + 1],
      dh: (h) => loss(setting, states(setting, j + 1, h)),
      delta: (h) => loss(setting, states(setting, j + 1, 0, h)),
      far: (h) => states(setting, j + 1, h)[T],
    }[ROWS[i]];
    return arithmetic.difference(moved, 2e-7); // where it explodes, more would be too far
  }
});
