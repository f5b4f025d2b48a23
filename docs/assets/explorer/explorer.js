// The explorers: state and address, controls, the picked cell and its sum, the player;
// then what each computes. Words: site_hooks/explorer.html.

"use strict";

/** From "1 2_3 4", if there is any. @returns {Matrix} */
const rowsOf = (text) => {
  const rows = text ? text.split("_").map((row) => row.trim().split(/\s+/).map(typed)) : [[]];
  return rows.some((row) => row.length !== rows[0].length) ? refuse("shape") : rows;
};

const textOf = (rows) => rows.map((row) => row.map((value) => Number(value.toFixed(4)) + 0).join(" ")).join("_");

const whole = (text, low, high) =>
  (/^\d+$/.test(text) && low <= Number(text) && Number(text) <= high ? Number(text) : refuse("whole", low, high));

/** The size asked for, or that given. */
const sizeOf = (array, side, most) =>
  /** @type {Cell} */ (arithmetic.shape(array).map((length) => whole(side || String(length), 1, most)));

/** To another size; what is new are small integers. */
const fit = (array, [rows, columns], salt) => arithmetic.matrix(rows, columns, (i, j) =>
  array[i]?.[j] ?? (salt * (i + 2) * (j + 3) + 3 * i + 5 * j) % 7 - 3);

/** @param {string} mode valid or same, else the sides count @returns {Padding} */
const paddingOf = (mode, sides, size, spans, stride) => {
  const padding = mode === "same" ? size.flatMap((length, axis) => arithmetic.same(length, spans[axis], stride))
    : sides.map((side) => (mode === "valid" ? 0 : whole(side, 0, 6)));
  size.forEach((length, axis) => {
    const all = length + padding[2 * axis] + padding[2 * axis + 1];
    if (spans[axis] > all) refuse("fits", spans[axis], all);
  });
  return padding;
};

const factor = (value) => (value < 0 ? `(${shown(value)})` : shown(value));

const symbol = (name, ...indices) => `<i>${name}</i><sub>${indices.join(",")}</sub>`;

/** Set the content; where only texts differ, just these. */
const patch = (element, html) => {
  const [tags, texts] = [html.replace(/>[^<]+/g, ">-"), html.split(/<.*?>/).filter(Boolean)];
  if (element.tags !== tags) element.innerHTML = html;
  element.tags = tags;
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (const text of texts) if (walker.nextNode().nodeValue !== text) walker.currentNode.nodeValue = text;
};

class Explorer extends HTMLElement {
  /** @type {any} */ state;
  /** @type {Record<string, Grid>} */ grids = {};
  outputs = []; // grids whose cells can be picked
  /** @type {{ name: string, cell: Cell }} */ picked;
  pinned = false;
  kind = this.localName.split("-")[0];

  // Of its own, each kind has the names of its settings, and turns them into a state;
  keys = [];
  /** @returns {any} */ parse(settings) { return settings; }
  derived(state) { return state; } // what else controls show
  render() {}
  explain() {}
  slope() { return NaN; } // by central differences

  connectedCallback() {
    if (this.root) return;
    this.texts = this.querySelector("template").content;
    this.root = this.find(".explorer", this.texts).cloneNode(true);
    this.sum = this.find(".sum");
    for (const panel of this.all("[data-grid]")) {
      const name = panel.dataset.grid;
      const edit = ([i, j], text) => this.attempt(panel, () => {
        const rows = this.state[name];
        this.change({ [name]: textOf(rows.with(i, rows[i].with(j, typed(text)))) });
      });
      const picks = panel.matches(".picks");
      if (picks) this.outputs.push(name);
      this.grids[name] = new Grid(panel, picks ? (cell, pin) => this.pick(name, cell, pin) : undefined,
        panel.matches(".edits") ? edit : undefined);
    }
    for (const field of this.all("[data-key]"))
      field.addEventListener(field.type === "range" ? "input" : "change", () => this.take(field));
    for (const button of this.all("[data-do]")) button.addEventListener("click", () => this[button.dataset.do]());
    this.root.addEventListener("keydown", ({ key }) => key === "Escape" && this.pinned && this.pin(false));
    this.load();
    this.replaceChildren(this.root);
    this.update();
  }

  disconnectedCallback() { this.play(false); }

  /** @returns {any} */
  find(selector, root = this.root) { return root.querySelector(selector); }

  /** @returns {any[]} */
  all(selector) { return [...this.root.querySelectorAll(selector)]; }

  /** A sentence of the page, with values for its {}. */
  say(word, ...values) {
    return this.find(`[data-word="${word}"]`, this.texts)?.textContent.replace(/\{\}/g, () => values.shift()) ?? word;
  }

  /** Do it, or say beside the control why not. */
  attempt(control, act) {
    const line = this.find(".refusal", control);
    line.textContent = "";
    try {
      act();
      return true;
    } catch (error) {
      if (!error.said) throw error;
      line.textContent = this.say(...error.said);
      return false;
    }
  }

  // --- State and address

  load() {
    const given = Object.fromEntries(new URLSearchParams(this.dataset.start));
    const at = (text) => {
      const [, name, i, j] = /^(\w+)\.(\d+)\.(\d+)$/.exec(text) ?? [];
      return this.outputs.includes(name) ? { name, cell: /** @type {Cell} */ ([Number(i), Number(j)]) } : refuse(`at=${text}`);
    };
    this.first = this.state = this.parse(given);
    this.picked = at(given.at);
    const before = `${this.kind}.`;
    const { at: pin, ...own } = Object.fromEntries([...new URLSearchParams(location.search)]
      .filter(([name]) => name.startsWith(before)).map(([name, value]) => [name.slice(before.length), value.trim()]));
    if (!this.attempt(this.root, () => {
      const stranger = Object.keys(own).find((name) => !(name in this.settings()));
      if (stranger) refuse(`${stranger}?`);
      const state = this.parse({ ...given, ...own });
      if (pin) [this.picked, this.pinned] = [at(pin), true];
      this.state = state;
    })) this.find(".refusal").textContent = this.say("address", this.find(".refusal").textContent);
  }

  /** The state as texts, as parse wants it. */
  settings(state = this.state) {
    return { ...this.derived(state), ...Object.fromEntries(this.keys.map((name) =>
      [name, Array.isArray(state[name]) ? textOf(state[name]) : String(state[name])])) };
  }

  /** Other settings, if not refused. */
  change(settings, from = this.state) {
    this.state = this.parse({ ...this.settings(from), ...settings });
    for (const line of this.all(".refusal")) line.textContent = "";
    this.update();
    this.save();
  }

  update() {
    const settings = this.settings();
    for (const field of this.all("[data-key]")) {
      field.value = settings[field.dataset.key];
      field.checked = field.value === "true";
      field.removeAttribute("aria-invalid");
    }
    this.render();
    const { name, cell: [i, j] } = this.picked;
    const [rows, columns] = arithmetic.shape(this.grids[name].array);
    this.choose(name, [Math.min(i, rows - 1), Math.min(j, columns - 1)]);
    this.pin(this.pinned, false);
  }

  /** What differs from the first state goes into the address. */
  save() {
    clearTimeout(this.saving); // browsers refuse a hundred in half a minute
    this.saving = setTimeout(() => {
      const [query, now, first] = [new URLSearchParams(location.search), this.settings(), this.settings(this.first)];
      for (const name of [...query.keys()]) if (name.startsWith(`${this.kind}.`)) query.delete(name);
      for (const name of this.keys) if (now[name] !== first[name]) query.set(`${this.kind}.${name}`, now[name]);
      if (this.pinned) query.set(`${this.kind}.at`, [this.picked.name, ...this.picked.cell].join("."));
      history.replaceState(history.state, "", (query.size ? `?${query}` : location.pathname) + location.hash);
    }, 150);
  }

  // --- Controls

  take(field) {
    const value = field.type === "checkbox" ? String(field.checked) : field.value.trim().replace("−", "-");
    const { key } = field.dataset;
    if (this.attempt(field.closest(".control"), () => this.change({ [key]: value }))) return;
    if (field.type === "text") field.setAttribute("aria-invalid", "true");
    else field.value = this.settings()[key];
  }

  reset() { this.change({}, this.first); }

  fill(draw) {
    const arrays = this.find("[data-fill]").dataset.fill.split(" ");
    this.change(Object.fromEntries(arrays.map((name) => [name, textOf(this.state[name].map((row) => row.map(draw)))])));
  }

  integers() { this.fill(() => Math.floor(Math.random() * 7) - 3); }

  random() { this.fill(() => Math.random() * 4 - 2); }

  // --- The picked cell

  pick(name, cell, pin) {
    if (!pin && (this.pinned || this.timer)) return;
    const again = this.pinned && this.picked.name === name && String(this.picked.cell) === String(cell);
    if (pin) this.play(false);
    this.choose(name, cell);
    if (pin) this.pin(!again);
  }

  choose(name, cell) {
    this.picked = { name, cell };
    for (const grid of Object.values(this.grids)) grid.dim();
    this.grids[name].choose(cell);
    this.explain();
    for (const grid of Object.values(this.grids)) grid.draw();
    this.find("output", this.sum).textContent = "";
    this.find("[data-do=check]", this.sum).disabled = !this.grids[name].root.matches(".gradient");
  }

  pin(on, save = true) {
    this.pinned = on;
    this.root.classList.toggle("pinned", on);
    if (save) this.save();
  }

  write(formula, result, terms, value, notes = [], join = "+") {
    if (this.written !== formula)
      this.find(".general", this.sum).replaceChildren(this.find(`[data-formula="${formula}"]`, this.texts).cloneNode(true));
    this.written = formula;
    const symbols = (text) => `<span class="symbols">${text}</span>`;
    patch(this.find(".written", this.sum), `${symbols(result)} = <strong class="value">${shown(value)}</strong> `
      + terms.map(([above, below], at) => `${at ? join : join === "," ? "= max" : "="}\u00a0<span class="term">${symbols(above)}\n<span class="numbers">${below}</span></span> `).join("")
      + notes.join(" "));
  }

  note(lines) {
    this.find(".notes").innerHTML = lines.map((line) => `<li>${line}</li>`).join("");
  }

  check() {
    const { name, cell: [i, j] } = this.picked;
    const [mine, formula] = [this.slope(), this.grids[name].array[i][j]]
      .map((value) => shown(Math.abs(value) < 5e-9 ? 0 : value, 8));
    this.find("output").textContent = this.say("compared", mine, formula);
  }

  // --- The player

  step() {
    this.play(false);
    this.next();
  }

  next() {
    const over = this.find(".over").value;
    const [rows, columns] = arithmetic.shape(this.grids[over].array);
    const [i, j] = this.picked.name === over ? this.picked.cell : [0, -1];
    const at = (i * columns + j + 1) % (rows * columns);
    if (this.pinned) this.pin(false);
    this.choose(over, [Math.floor(at / columns), at % columns]);
  }

  play(on = !this.timer) {
    const button = this.find("[data-do=play]");
    if (!button) return; // nothing to slide over
    clearTimeout(this.timer);
    this.timer = undefined;
    button.textContent = this.say(on ? "pause" : "play");
    this.find(".written").ariaLive = on ? "off" : "polite"; // no flood of words
    if (!on) return;
    this.next();
    this.timer = setTimeout(() => this.play(true), 1000 / this.find(".speed").value);
  }
}

// A convolution, and the gradients of its input, kernel and bias.
customElements.define("conv-explorer", class extends Explorer {
  keys = ["S", "D", "P", "sides", "x", "W", "b", "delta"];

  parse(given) {
    const { S = "1", D = "1", P = "valid", sides = "0.0.0.0" } = given;
    const [x, W, delta, b] = [given.x, given.W, given.delta, given.b ?? "0"].map(rowsOf);
    const [stride, dilation] = [whole(S, 1, 4), whole(D, 1, 4)];
    const [size, kernel] = [sizeOf(x, given.H, 12), sizeOf(W, given.K, 5)];
    const spans = /** @type {Cell} */ (kernel.map((length) => arithmetic.extent(length, dilation)));
    const by = sides.split(".").map((side, k) => given[`side${k}`] ?? side);
    if (by.length !== 4 || !["valid", "same", "sides"].includes(P) || b.flat().length !== 1) refuse("shape");
    const padding = paddingOf(P, by, size, spans, stride);
    return {
      S: stride, D: dilation, P, sides: P === "sides" ? padding.join(".") : "0.0.0.0", padding, spans, b,
      x: fit(x, size, 3), W: fit(W, kernel, 2),
      delta: fit(delta, arithmetic.outputs(size, spans, stride, padding), 5),
    };
  }

  derived({ x, W, padding }) {
    const square = (array) => (array.length === array[0].length ? String(array.length) : "");
    return { H: square(x), K: square(W), ...Object.fromEntries(padding.map((side, k) => [`side${k}`, String(side)])) };
  }

  render() {
    const { state: { x, W, b, delta, S, D, P, padding, spans: [high, wide] }, grids } = this;
    this.find(".sides").hidden = P !== "sides";
    this.setting = { x, W, b: b[0][0], delta, stride: S, dilation: D, padding };
    const all = this.arrays = arithmetic.convolve(this.setting);
    const between = (i, step) => i % step !== 0;
    grids.x.show(x, padding);
    grids.up.show(all.up, undefined, (i, j) => {
      const [m, n] = [i - high + 1, j - wide + 1];
      return between(m, S) || between(n, S) || delta[m / S]?.[n / S] === undefined;
    });
    grids.turned.show(all.turned, undefined, (i, j) => between(i, D) || between(j, D));
    for (const name of ["W", "b", "delta"]) grids[name].show(this.state[name]);
    for (const name of this.outputs) grids[name].show(all[name]);
    const [rows, columns] = [0, 1].map((axis) => {
      const [lengths, kernels, outputs] = [x, W, delta].map(arithmetic.shape);
      return arithmetic.unread(lengths[axis], padding[2 * axis], kernels[axis], outputs[axis], S, D);
    });
    const marked = (lines, index) => [...lines.leftover, ...lines.gaps].includes(index);
    x.forEach((row, p) => row.forEach((_, q) => {
      if (marked(rows, p) || marked(columns, q)) for (const name of ["x", "dx"]) grids[name].mark([p, q], "unread");
    }));
    this.note(["leftover", "gaps"].flatMap((cause) => {
      const where = [rows, columns].map((lines) => lines[cause].join(", ") || "–");
      return rows[cause].length + columns[cause].length
        ? [this.say(cause === "gaps" && S <= Math.min(high, wide) ? "skipped" : cause, ...where)] : [];
    }));
  }

  explain() {
    const { state: { W, b, delta, S, D, padding, spans: [high, wide] }, setting, grids } = this;
    const { name, cell: [i, j] } = this.picked;
    const terms = arithmetic.terms(setting, name, [i, j]);
    const cells = (factor) => terms.flatMap((term) => (factor in term ? [term[factor]] : []));
    for (const factor of ["x", "W", "delta"]) grids[factor].outline("lit", cells(factor));
    grids.up.outline("lit", cells("delta").map(([m, n]) => [high - 1 + S * m, wide - 1 + S * n]));
    const from = (step) => [[step * i - padding[0], step * j - padding[2]]];
    if (name === "z") grids.x.outline("frame", from(S), [high, wide]);
    if (name === "dW") grids.x.outline("frame", from(D), arithmetic.shape(delta).map((length) => arithmetic.extent(length, S)));
    if (name === "dx") {
      grids.up.outline("frame", [[i + padding[0], j + padding[2]]], [high, wide]);
      grids.turned.outline("lit", cells("W").map(([u, v]) => [high - 1 - D * u, wide - 1 - D * v]));
    }
    const written = terms.map((term) => [
      Object.entries(term).map(([of, cell]) => symbol(of === "delta" ? "δ" : of, ...cell)).join(" "),
      Object.entries(term).map(([of, [m, n]]) => factor(setting[of][m][n])).join(" · "),
    ]);
    if (name === "z") written.push(["<i>b</i>", factor(b[0][0])]);
    const missing = (name === "dW" ? delta : W).flat().length - terms.length;
    const note = terms.length ? missing > 0 && name !== "db" && (name === "dx" ? "inserted" : "padded") : "empty";
    this.write(name, name === "z" ? symbol("z", i, j) : `∂<i>ℓ</i>/∂${name === "db" ? "<i>b</i>" : symbol(name[1], i, j)}`,
      written, this.arrays[name][i][j], note ? [this.say(note, missing)] : []);
  }

  slope() {
    const { setting, picked: { name, cell } } = this;
    return arithmetic.difference((h) => arithmetic.loss({ ...setting,
      ...(name === "db" ? { b: setting.b + h } : { [name[1]]: arithmetic.changed(setting[name[1]], cell, h) }),
    }), 1 / 1024);
  }
});

// Max and average pooling, and the way of each δ back.
customElements.define("pool-explorer", class extends Explorer {
  keys = ["K", "S", "P", "average", "relu", "x", "delta"];

  parse(given) {
    const [x, delta] = [given.x, given.delta].map(rowsOf);
    const { K = "2", S = "2", P = "valid", average = "false", relu = "false" } = given;
    const [size, window, stride] = [sizeOf(x, given.H, 12), whole(K, 1, 5), whole(S, 1, 4)];
    if (![average, relu].every((text) => /^(true|false)$/.test(text)) || !/^(valid|same)$/.test(P)) refuse("shape");
    const padding = paddingOf(P, ["", "", "", ""], size, [window, window], stride);
    return {
      K: window, S: stride, P, padding, average: average === "true", relu: relu === "true", x: fit(x, size, 3),
      delta: fit(delta, arithmetic.outputs(size, [window, window], stride, padding), 5),
    };
  }

  derived({ x }) { return { H: x.length === x[0].length ? String(x.length) : "" }; }

  render() {
    const { state: { x, delta, K, S, padding, average, relu }, grids } = this;
    const on = (value) => !relu || value > 0;
    const a = x.map((row) => row.map((value) => (on(value) ? value : 0)));
    this.setting = { x: a, delta, size: K, stride: S, average, padding };
    const all = this.arrays = arithmetic.pool(this.setting);
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
      grids.a.outline("lit", window);
      grids.a.outline("frame", [[stride * i - padding[0], stride * j - padding[2]]], [size, size]);
      this.write(formula, symbol("z", i, j), window.map(([p, q]) => [symbol("a", p, q), factor(x[p][q]) + share(window)]),
        arrays.z[i][j], average ? [] : [this.say("first", symbol("a", ...arrays.maxima[i][j][0]))], average ? "+" : ",");
      return;
    }
    const from = arrays.receivers.flatMap((row, m) => row.flatMap((places, n) =>
      (places.some(([p, q]) => p === i && q === j) ? [/** @type {Cell} */ ([m, n])] : [])));
    grids.delta.outline("lit", from);
    for (const panel of ["a", "below"]) grids[panel].outline("lit", [[i, j]]);
    const notes = [from.length ? from.length > 1 && "overlap" : "nobody", state.relu && state.x[i][j] <= 0 && "off"];
    this.write(formula, `∂<i>ℓ</i>/∂${symbol("a", i, j)}`, from.map(([m, n]) =>
      [symbol("δ", m, n), factor(delta[m][n]) + share(arrays.receivers[m][n])]), arrays.dx[i][j],
    notes.filter(Boolean).map((word) => this.say(word, from.length)));
  }

  slope() {
    const { setting, picked: { cell } } = this;
    const loss = (x) => arithmetic.weighted(arithmetic.pool({ ...setting, x }).z, setting.delta);
    return arithmetic.difference((h) => loss(arithmetic.changed(setting.x, cell, h)), 1 / 65536);
  }
});

// Logits and labels to drag, the Jacobian, and both gradients.
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
    const a = this.a = arithmetic.softmax(z);
    const total = this.total = arithmetic.sum([y]);
    const [dz, short] = [total, 1].map((factor) => [a.map((value, i) => value * factor - y[i])]);
    for (const [name, array] of Object.entries({ a: [a], J: arithmetic.jacobian(a), dz, short })) grids[name].show(array);
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
      a: [aj, [[`exp ${zj} / Σ exp <i>z</i>`, `exp ${factor(z[j])} / (${z.map((value) => `exp ${factor(value)}`).join(" + ")})`]]],
      J: [`∂${ai}/∂${zj}`, [[`${ai} (${same} − ${aj})`, `${shown(a[i])} · (${same} − ${shown(a[j])})`]]],
      dz: [`∂<i>ℓ</i>/∂${zj}`, [[`${aj} Σ<i>y</i>`, `${shown(a[j])} · ${factor(total)}`], [symbol("y", j), factor(y[j])]]],
    }[name];
    this.write(name, result, terms, grids[name].array[i][j], [], "−");
  }

  slope() {
    const { state: { z: [z], y: [y] }, picked: { name, cell: [i, j] } } = this;
    const moved = (h) => z.with(j, z[j] + h);
    return arithmetic.difference((h) => (name === "J"
      ? arithmetic.softmax(moved(h))[i] : arithmetic.crossEntropy(moved(h), y)), 1e-5);
  }
});
