// Logits and labels to drag, the Jacobian, and both gradients.

"use strict";

const classification = (() => {
  const { matrix, sum } = arithmetic;

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

  return Object.freeze({ softmax, jacobian, crossEntropy });
})();

customElements.define("softmax-explorer", class extends Explorer {
  keys = ["z", "y"];

  parse(given) {
    const [z, y] = ["z", "y"].map((name) => rowsOf(given[name])
      .map((row) => row.map((value, i) => typed(given[name + i] ?? String(value)))));
    const classes = (this.first?.z ?? z)[0].length;
    return [z, y].some((array) => array.length > 1 || array[0].length !== classes) ? refuse("shape") : { z, y };
  }

  derived({ z, y }) {
    return Object.fromEntries(["z", "y"].flatMap((name, k) => [z, y][k][0].map((value, i) => [name + i, String(value)])));
  }

  render() {
    const { state: { z: [z], y: [y] }, grids } = this;
    const a = this.a = classification.softmax(z);
    const total = this.total = arithmetic.sum([y]);
    const [dz, short] = [total, 1].map((factor) => [a.map((value, i) => value * factor - y[i])]);
    for (const [name, array] of Object.entries({ a: [a], J: classification.jacobian(a), dz, short })) grids[name].show(array);
    const one = Math.abs(total - 1) < 1e-9;
    if (!one) a.forEach((_, j) => grids.short.mark([0, j], "unread"));
    this.note([this.say(one ? "one" : "many", shown(total)),
      `Σ (a Σy − y) = ${shown(arithmetic.sum(dz))}, Σ (a − y) = ${shown(arithmetic.sum(short))}`]);
  }

  explain() {
    const { state: { z: [z], y: [y] }, a, total, grids } = this;
    const { name, cell: [i, j] } = this.picked;
    const [ai, aj, zj, same] = [symbol("a", i), symbol("a", j), symbol("z", j), Number(i === j)];
    if (name !== "a") grids.a.outline("lit", name === "J" ? [[0, i], [0, j]] : [[0, j]]);
    const [result, terms] = {
      a: [aj, [[`exp ${zj} / Σ exp z`, `exp ${factor(z[j])} / (${z.map((value) => `exp ${factor(value)}`).join(" + ")})`]]],
      J: [`∂${ai}/∂${zj}`, [[`${ai} (${same} − ${aj})`, `${shown(a[i])} · (${same} − ${shown(a[j])})`]]],
      dz: [`∂ℓ/∂${zj}`, [[`${aj} Σy`, `${shown(a[j])} · ${factor(total)}`], [symbol("y", j), factor(y[j])]]],
    }[name];
    this.write(name, result, terms, grids[name].array[i][j], { join: "−" });
  }

  again() {
    const { state: { z: [z] }, picked: { cell: [, j] } } = this;
    return 1 / arithmetic.sum([z.map((value) => Math.exp(value - z[j]))]);
  }

  slope() {
    const { state: { z: [z], y: [y] }, picked: { name, cell: [i, j] } } = this;
    const moved = (h) => z.with(j, z[j] + h);
    return arithmetic.difference((h) => (name === "J"
      ? classification.softmax(moved(h))[i] : classification.crossEntropy(moved(h), y)), 1e-5);
  }
});
