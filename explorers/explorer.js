// What all explorers do: state and address, controls, the picked cell and its sum, the
// player. What one kind computes and writes is in its folder.

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
