// A graph of numbers: values, gradients, and the paths of which these are sums.

"use strict";

/** @typedef {{ k: number, symbol: string, place: Cell, op: string, of: (Knot | number)[], value: number, gradient: number, leaving: Arrow[] }} Knot */
/** @typedef {{ start: Knot, end: Knot, slope: number }} Arrow slope: the derivative of its end by its start */

const graphs = (() => {
  // How it is written, and its value with the derivatives.
  const OPERATIONS = {
    __proto__: null, // or an address could ask for what every object has
    add: ["a + b", (a, b) => [a + b, 1, 1]],
    mul: ["a · b", (a, b) => [a * b, b, a]],
    square: ["a²", (a) => [a * a, 2 * a]],
    relu: ["ReLU(a)", (a) => [Math.max(a, 0), Number(a > 0)]],
    tanh: ["tanh(a)", (a) => [Math.tanh(a), 1 - Math.tanh(a) ** 2]],
  };

  /** From "x 0 0_u 1 0 mul 2 x": name, column, row, operation and of what; before them those
   * without an operation, whose values are x. The last is the loss. One value may be moved.
   * @returns {Knot[]} */
  const run = (text, x, moved = -1, change = 0) => {
    const [names, nodes, given] = [[], /** @type {Knot[]} */ ([]), [...x]];
    for (const [k, line] of text.split("_").entries()) {
      const [name, column, row, op, ...of] = line.split(" ");
      const args = of.map((arg) => nodes[names.indexOf(arg)] ?? typed(arg));
      if (!/^[a-z]\d?$/i.test(name) || names.includes(name) || k > 11 || (op ? OPERATIONS[op]?.[1].length : 0) !== of.length || !op && nodes.at(-1)?.op) refuse("shape");
      const [value, ...slopes] = op ? OPERATIONS[op][1](...args.map((arg) => arg.value ?? arg)) : [given.shift()];
      const node = {
        k, symbol: symbol(name[0] === "l" ? "ℓ" : name[0], name.slice(1)), place: /** @type {Cell} */ ([column, row].map(typed)),
        op, of: args, value: value + (k === moved ? change : 0), gradient: 1, leaving: [],
      };
      args.forEach((start, at) => start.leaving?.push({ start, end: node, slope: slopes[at] }));
      names.push(name);
      nodes.push(node);
    }
    for (const node of nodes.slice(0, -1).reverse()) node.gradient = arithmetic.sum([node.leaving.map(({ slope, end }) => slope * end.gradient)]);
    return nodes;
  };

  /** All from a node to the last. @param {Knot} from @returns {Arrow[][]} */
  const paths = (from, last) => (from === last ? [[]]
    : from.leaving.flatMap((edge) => paths(edge.end, last).map((rest) => [edge, ...rest])));

  /** What a node computes. @param {Knot} node @param {(of: Knot) => string} text */
  const written = ({ op, of }, text) => OPERATIONS[op][0].replace(/\b[ab]\b/g, (letter) => {
    const arg = of["ab".indexOf(letter)];
    return typeof arg === "number" ? factor(arg) : text(arg);
  });

  const sign = ({ op }) => (op ? { mul: "×", square: "( )²" }[op] ?? OPERATIONS[op][0].replace(/\b[ab]\b|[() ]/g, "") : "");

  return Object.freeze({ run, paths, written, sign });
})();

// In pixels: what names a node stands left of its value, which is above its gradient.
const [SIDE, ACROSS, DOWN] = [42, 76, 18];

class GraphPanel extends Grid {
  /** @type {Knot[]} */ nodes;
  /** @type {Arrow[]} */ edges;
  flat = matchMedia("(min-width: 45em)").matches; // else from top to bottom

  corner(i, k) {
    const { flat, nodes, width } = this;
    const [column, row] = flat ? nodes[k].place : nodes[k].place.toReversed();
    return [2 + SIDE + column * (SIDE + width + (flat ? ACROSS : DOWN)), 2 + row * (2 * HEIGHT + (flat ? DOWN : 40)) + i * HEIGHT];
  }

  extent() {
    const corners = this.nodes.map(({ k }) => this.corner(2, k));
    return [this.width + 2, 2].map((more, axis) => Math.max(...corners.map((corner) => corner[axis])) + more);
  }

  /** Names, and arrows with their derivatives. */
  beside() {
    this.labels = this.edges.map((edge) => {
      const [x, y, p, q] = this.ends(edge);
      return caption("", (x + p) / 2, (y + q) / 2 + 4, "slope");
    });
    return [
      svg("path", { class: "tiles", d: this.edges.map((edge) => line(this.ends(edge), 0, 7)).join("") }),
      ...this.labels,
      ...this.nodes.flatMap((node) => {
        const [x, y] = this.corner(0, node.k);
        const middle = x - SIDE / 2 - 5;
        return [
          svg("path", { class: "cells", d: `M${x} ${y}h${-SIDE}v${2 * HEIGHT}h${SIDE}` }),
          caption(node.symbol, middle, y + HEIGHT - 2, "symbol"), caption(graphs.sign(node), middle, y + HEIGHT + 16),
          caption("→", x - 6, y + 17), caption("←", x - 6, y + HEIGHT + 17),
        ];
      }),
    ];
  }

  /** From box to box, apart from others that leave or reach the same. @param {Arrow} edge */
  ends(edge) {
    const { flat, width, edges } = this;
    return ["start", "end"].flatMap((end) => {
      const all = edges.filter((other) => other[end] === edge[end]);
      const apart = (all.indexOf(edge) - (all.length - 1) / 2) * 14;
      const [[x, y], last] = [this.corner(0, edge[end].k), end === "end"];
      return flat ? [last ? x - SIDE : x + width, y + HEIGHT + apart] : [x + (width - SIDE) / 2 + apart, last ? y : y + 2 * HEIGHT];
    });
  }

  /** Each path in the colour of its product, and its letter at its arrows. @param {Arrow[][]} paths */
  follow(paths) {
    this.edges.forEach((edge, k) => {
      const through = paths.flatMap((path, at) => (path.includes(edge) ? [at] : []));
      through.forEach((at, lane) => {
        this.paths[`pair${at % COLOURS}`] = (this.paths[`pair${at % COLOURS}`] ?? "") + line(this.ends(edge), (lane - (through.length - 1) / 2) * 5);
      });
      const letters = through.map((at) => LETTERS[at] ?? "").join("");
      this.labels[k].innerHTML = `<tspan class="strong">${letters}</tspan> ${shown(Number(edge.slope.toFixed(2)))}`;
    });
  }

  /** The value of an input. */
  edits([row, k]) { return !row && !this.nodes[k].op; }

  named(row, k) { return `${row ? "∂ℓ/∂" : ""}${this.nodes[k].symbol}`; }
}

customElements.define("graph-explorer", class extends Explorer {
  panels = { x: GraphPanel };
  /** @type {Record<string, GraphPanel>} */ grids = {};
  keys = ["f", "x"];

  parse({ f = "", x: given }) {
    const x = rowsOf(given);
    return graphs.run(f, x[0]).filter(({ op }) => !op).length !== x[0].length || x.length > 1 ? refuse("shape") : { f, x };
  }

  render() {
    const { state: { f, x: [x] }, grids: { x: grid } } = this;
    const nodes = grid.nodes = graphs.run(f, x);
    grid.edges = nodes.flatMap(({ leaving }) => leaving);
    grid.show([nodes.map(({ value }) => value), nodes.map(({ gradient }) => gradient)]);
    grid.root.querySelector("small").textContent = nodes.filter(({ op }) => op)
      .map((node) => `${node.symbol} = ${graphs.written(node, (of) => of.symbol)}`).join(", ");
    this.most = { x: 1 + Math.max(...nodes.map((node) => graphs.paths(node, nodes.at(-1)).length)) };
  }

  explain() {
    const { grids: { x: grid }, picked: { cell: [row, k] } } = this;
    const node = grid.nodes[k];
    const paths = row ? graphs.paths(node, grid.nodes.at(-1)) : [];
    grid.follow(paths);
    if (row) {
      const kink = paths.flat().some(({ start, end }) => end.op === "relu" && start.value === 0);
      const once = node.leaving.map(({ slope, end }) => `${factor(slope)} · ${factor(end.gradient)}`);
      this.write("gradient", `∂ℓ/∂${node.symbol}`, paths.map((path) => [
        path.map(({ start, end }) => `∂${end.symbol}/∂${start.symbol}`).join(" ") || "1",
        path.map(({ slope }) => factor(slope)).join(" · ") || "1",
      ]), node.gradient, {
        products: paths.length,
        notes: [
          ...(paths.length ? [] : [this.say("none")]),
          ...(once.length && once.length < paths.length ? [this.say("once", once.join(" + "))] : []),
          ...(kink ? [this.say("kink")] : []),
        ],
      });
      return;
    }
    const arriving = grid.edges.filter(({ end }) => end === node);
    grid.outline("lit", arriving.map(({ start }) => [0, start.k]));
    grid.paths.lit += arriving.map((edge) => line(grid.ends(edge))).join("");
    this.write("value", node.symbol, node.op ? [[(of) => of.symbol, (of) => factor(of.value)].map((text) => graphs.written(node, text))] : [],
      node.value, { notes: node.op ? [] : [this.say("given")] });
  }

  differs() { return this.picked.cell[0] > 0; }

  again() { return this.moved(0)[this.picked.cell[1]].value; }

  slope() { // of a large number no small difference is left
    const size = Math.max(1, Math.abs(this.again()));
    return arithmetic.difference((h) => this.moved(h).at(-1).value, 1e-5 * size);
  }

  /** The graph with the value of the picked node moved. */
  moved(h) { return graphs.run(this.state.f, this.state.x[0], this.picked.cell[1], h); }
});
