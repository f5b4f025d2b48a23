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
const sizeOf = (array, rows, columns, most) => /** @type {Cell} */ ([rows, columns]
  .map((side, axis) => whole(side ?? String(arithmetic.shape(array)[axis]), 1, most)));

// A sum of so many terms is written at once. Of a longer one it is the beginning, and the
// rest, with the letters in the panels, when somebody rests at it.
const [WRITTEN, BEGUN] = [12, 6];

/** To another size; what is new are small integers. */
const fit = (array, [rows, columns], salt) => arithmetic.matrix(rows, columns, (i, j) =>
  array[i]?.[j] ?? (salt * (i + 2) * (j + 3) + 3 * i + 5 * j) % 7 - 3);

/** @param {string} mode valid, same or causal, else the sides count @returns {Padding} */
const paddingOf = (mode, sides, size, spans, stride) => {
  const padding = mode === "same" ? size.flatMap((length, axis) => arithmetic.same(length, spans[axis], stride))
    : mode === "causal" ? [0, 0, spans[1] - 1, 0] // columns are steps in time
    : sides.map((side) => (mode === "valid" ? 0 : whole(side, 0, 6)));
  size.forEach((length, axis) => {
    const all = length + padding[2 * axis] + padding[2 * axis + 1];
    if (spans[axis] > all) refuse("fits", spans[axis], all);
  });
  return padding;
};

const factor = (value) => (value < 0 ? `(${shown(value)})` : shown(value));

/** A plain text: of elements for each index, long sums would be slow. */
const symbol = (name, ...indices) => name + indices.join(",").replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);

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
  /** @type {Record<string, string[]>} */ twins = {}; // of outputs
  /** @type {{ name: string, cell: Cell }} */ picked;
  pinned = false;
  own = {}; // what the reader has set
  /** @type {Record<string, number>} */ most = {}; // terms that a sum of an output has, for which there is room
  pass = ""; // the output whose factors are seen where there is no room for all
  last = {}; // the cell that was picked last in each output
  kind = this.localName.split("-")[0];
  /** @type {Record<string, typeof Grid>} */ panels = {}; // what draws a panel, if not a Grid

  // Of its own, each kind has the names of its settings, and turns them into a state;
  keys = [];
  /** @returns {any} */ parse(settings) { return settings; }
  derived(state) { return state; } // what else controls show
  render() {}
  explain() {}
  slope() { return NaN; } // by central differences
  again() { return NaN; } // what is no gradient, in another way
  /** Is the picked number a gradient? */
  differs() { return this.grids[this.picked.name].root.matches(".gradient"); }
  /** The settings with another number in a cell that somebody edits. */
  edited(name, [i, j], value) {
    const rows = this.state[name];
    return { [name]: textOf(rows.with(i, rows[i].with(j, value))) };
  }

  connectedCallback() {
    if (this.root) return;
    this.texts = this.querySelector("template").content;
    this.words = Object.fromEntries(this.all("[data-word]", this.texts).map((part) => [part.dataset.word, part.textContent]));
    this.root = this.find(".explorer", this.texts).cloneNode(true);
    this.sum = this.find(".sum");
    for (const panel of this.all("[data-grid]")) {
      const name = panel.dataset.grid;
      const edit = (cell, text) => this.attempt(panel, () => this.change(this.edited(name, cell, typed(text))));
      const picks = panel.matches(".picks");
      const { twin } = panel.dataset; // has the gradient at each of its cells
      if (picks) this.outputs.push(name);
      if (twin) (this.twins[twin] ??= []).push(name);
      this.grids[name] = new (this.panels[name] ?? Grid)(panel, picks || twin ? (cell, pin) =>
        this.grids[name].holds(cell) && this.pick(twin ?? name, cell, pin, !twin) : undefined,
      panel.matches(".edits") ? edit : undefined);
    }
    for (const button of this.all("[data-over]")) button.addEventListener("click", () => this.turn(button.dataset.over));
    for (const button of this.all("[data-folds]")) {
      const part = this.find(`.${button.dataset.folds}`);
      const fold = (open) => {
        part.hidden = !open;
        button.setAttribute("aria-expanded", String(open));
      };
      button.addEventListener("click", () => fold(part.hidden));
      fold(part.matches(".settings") && matchMedia("(min-width: 60em)").matches);
    }
    const heats = this.find(".heats");
    heats?.addEventListener("change", () => this.root.classList.toggle("heat", heats.checked));
    this.sum.addEventListener("scroll", () => { this.scrolled = true; });
    addEventListener("beforeprint", () => this.complete());
    for (const field of this.all("[data-key]"))
      field.addEventListener(field.type === "range" ? "input" : "change", () => this.enter(field));
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
  all(selector, root = this.root) { return [...root.querySelectorAll(selector)]; }

  /** A sentence of the page, with values for its {}. */
  say(word, ...values) { return (this.words[word] ?? word).replace(/\{\}/g, () => values.shift()); }

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
    const { play, at: start, ...given } = Object.fromEntries(new URLSearchParams(this.dataset.start));
    const at = (text) => {
      const [, name, i, j] = /^(\w+)\.(\d+)\.(\d+)$/.exec(text) ?? [];
      return this.outputs.includes(name) ? { name, cell: /** @type {Cell} */ ([Number(i), Number(j)]) } : refuse(`at=${text}`);
    };
    this.given = given;
    this.first = this.state = this.parse(given);
    this.picked = this.start = at(start);
    const before = `${this.kind}.`;
    const { at: pin, ...own } = Object.fromEntries([...new URLSearchParams(location.search)]
      .filter(([name]) => name.startsWith(before)).map(([name, value]) => [name.slice(before.length), value.trim()]));
    if (!this.attempt(this.root, () => {
      const stranger = Object.keys(own).find((name) => !(name in this.settings()));
      if (stranger) refuse(`${stranger}?`);
      this.take(own);
      if (pin) [this.picked, this.pinned] = [at(pin), true];
    })) this.find(".refusal").textContent = this.say("address", this.find(".refusal").textContent);
    if (play === "once" && !location.search && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.playOnce();
  }

  /** The state as texts, as parse wants it. */
  settings(state = this.state) {
    return { ...this.derived(state), ...Object.fromEntries(this.keys.map((name) =>
      [name, Array.isArray(state[name]) ? textOf(state[name]) : String(state[name])])) };
  }

  /** What the reader has set, in the place of what the page gives: no more of it than
   * makes a difference. */
  take(own) {
    const state = this.parse({ ...this.given, ...own });
    const want = JSON.stringify(state);
    for (const name of Object.keys(own)) {
      const { [name]: _, ...others } = own;
      try {
        if (JSON.stringify(this.parse({ ...this.given, ...others })) === want) own = others;
      } catch (error) { // the others cannot do without it
        if (!error.said) throw error;
      }
    }
    [this.own, this.state] = [own, state];
  }

  /** Other settings, if not refused. */
  change(settings, own = this.own) {
    this.take({ ...own, ...settings });
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
    this.root.style.setProperty("--terms", String(Math.max(2, ...Object.values(this.most))));
    this.choose(this.picked.name, this.picked.cell);
    this.see(this.pass);
    this.pin(this.pinned, false);
  }

  /** The reader's own settings go into the address. */
  save() {
    clearTimeout(this.saving); // browsers refuse a hundred in half a minute
    this.saving = setTimeout(() => {
      const query = new URLSearchParams(location.search);
      for (const name of [...query.keys()]) if (name.startsWith(`${this.kind}.`)) query.delete(name);
      for (const name of Object.keys(this.settings())) if (name in this.own) query.set(`${this.kind}.${name}`, this.own[name]);
      if (this.pinned) query.set(`${this.kind}.at`, [this.picked.name, ...this.picked.cell].join("."));
      history.replaceState(history.state, "", (query.size ? `?${query}` : location.pathname) + location.hash);
    }, 150);
  }

  // --- Controls

  enter(field) {
    const value = field.type === "checkbox" ? String(field.checked) : field.value.trim().replace("−", "-");
    const { key } = field.dataset;
    if (this.attempt(field.closest(".control"), () => this.change({ [key]: value }))) return;
    if (/text|number/.test(field.type)) field.setAttribute("aria-invalid", "true");
    else field.value = this.settings()[key];
  }

  reset() { this.change({}, {}); }

  fill(draw) {
    const arrays = this.find("[data-fill]").dataset.fill.split(" ");
    this.change(Object.fromEntries(arrays.map((name) => [name, textOf(this.state[name].map((row) => row.map(draw)))])));
  }

  integers() { this.fill(() => Math.floor(Math.random() * 7) - 3); }

  random() { this.fill(() => Math.random() * 4 - 2); }

  // --- The picked cell

  /** @param {boolean} [turn] and see the pass of this output */
  pick(name, cell, pin, turn = true) {
    if (!pin && (this.pinned || this.timer)) return;
    const again = this.pinned && this.picked.name === name && String(this.picked.cell) === String(cell);
    if (pin) this.play(false);
    this.choose(name, cell, turn);
    if (pin) this.pin(!again);
  }

  choose(name, [i, j], turn = true) {
    const [rows, columns] = arithmetic.shape(this.grids[name].array);
    const cell = /** @type {Cell} */ ([Math.min(i, rows - 1), Math.min(j, columns - 1)]);
    this.picked = { name, cell };
    this.last[name] = cell;
    for (const grid of Object.values(this.grids)) grid.dim();
    this.grids[name].choose(cell);
    for (const twin of this.twins[name] ?? []) this.grids[twin].outline("twin", [cell]);
    this.explain();
    for (const grid of Object.values(this.grids)) grid.draw();
    this.find("output", this.sum).textContent = "";
    const [pass] = this.grids[name].root.closest("[data-in]")?.dataset.in.split(" ") ?? [""];
    if (turn && pass !== this.pass) this.see(pass);
  }

  /** Only the pass of an output, where there is no room for all. */
  see(pass) {
    this.pass = pass;
    this.root.style.setProperty("--pass-terms", String(this.most[pass] ?? 2));
    for (const part of this.all("[data-in]")) part.classList.toggle("out", !part.dataset.in.split(" ").includes(pass));
    for (const button of this.all("[data-over]")) button.setAttribute("aria-pressed", String(button.dataset.over === pass));
  }

  /** To a pass, and there to the cell that was picked last. */
  turn(name) {
    this.play(false);
    this.pin(false);
    this.choose(name, this.last[name] ?? [0, 0]);
  }

  pin(on, save = true) {
    this.pinned = on;
    this.root.classList.toggle("pinned", on);
    if (save) this.save();
  }

  /** A sum, its terms with symbols and with numbers; text makes these of a term once it is
   * written. The products are lettered as their factors are in the panels (see Grid.pair). */
  write(formula, result, terms, value, { notes = [], join = "+", products = 0, text = (term) => term } = {}) {
    if (this.written !== formula)
      this.find(".general", this.sum).replaceChildren(this.find(`[data-formula="${formula}"]`, this.texts).cloneNode(true));
    this.written = formula;
    const pair = (at) => (at < products ? ` pair${at % COLOURS}"><b>${products > LETTERS.length ? "" : LETTERS[at]}</b> ` : '">');
    const html = (terms) => `<span class="result">${result}</span> = <strong class="value">${shown(value)}</strong> `
      + terms.map(text).map(([above, below], at) => `${at ? join : join === "," ? "= max" : "="}\u00a0<span class="term${pair(at)}${above}\n${below}</span> `).join("");
    const written = this.find(".written", this.sum);
    clearTimeout(this.resting);
    this.complete = () => {
      clearTimeout(this.resting);
      patch(written, html(terms) + notes.join(" "));
      for (const grid of Object.values(this.grids)) grid.letter();
    };
    if (terms.length <= WRITTEN) this.complete();
    else {
      patch(written, `${html(terms.slice(0, BEGUN))} ${join} …`);
      for (const grid of Object.values(this.grids)) grid.letter(false);
      this.resting = setTimeout(() => this.complete(), 150);
    }
    if (this.scrolled) this.sum.scrollTop = 0; // to ask for it would lay the page out
    this.scrolled = false;
  }

  complete() {} // the sum

  note(lines) {
    this.find(".notes").innerHTML = lines.map((line) => `<li>${line}</li>`).join("");
  }

  check() {
    const { name, cell: [i, j] } = this.picked;
    const gradient = this.differs();
    const [mine, formula] = [gradient ? this.slope() : this.again(), this.grids[name].array[i][j]]
      .map((value) => shown(Math.abs(value) < 5e-9 ? 0 : value, 8));
    this.find("output").textContent = this.say(gradient ? "compared" : "again", mine, formula);
  }

  // --- The player

  step() {
    this.play(false);
    this.next();
  }

  next() {
    const over = this.pass;
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
    if (String(this.picked.cell) === this.ends) { // once is enough
      this.play(false);
      this.choose(this.start.name, this.start.cell);
      return;
    }
    this.timer = setTimeout(() => this.play(true), 1000 / this.find(".speed").value);
  }

  /** Through all cells of the first output once it is in sight, unless the reader begins. */
  playOnce() {
    const stop = () => {
      seen.disconnect();
      if (this.timer) this.play(false);
      this.ends = undefined;
    };
    const seen = new IntersectionObserver(([{ isIntersecting }]) => {
      if (!isIntersecting) return;
      seen.disconnect();
      this.choose(this.start.name, [99, 99]); // the last, after which comes the first
      this.ends = String(this.picked.cell);
      this.play(true);
    }, { threshold: 0.5 });
    seen.observe(this);
    for (const event of ["pointerover", "focusin"]) this.root.addEventListener(event, stop, { once: true, capture: true });
  }
}

/** What has x, W, b and δ: each output is a sum of products of them. */
class Layer extends Explorer {
  /** The products of a cell, and the loss of a setting.
   * @type {{ terms: (setting, name: string, cell: Cell) => any[], loss: (setting) => number }} */ layer;
  /** @type {any} */ setting; // of it, and the arrays of that, made by render()
  /** @type {any} */ arrays;

  /** The products of the picked cell, lettered in the panels; and where they have a factor. */
  products() {
    const { layer, setting, grids, picked: { name, cell } } = this;
    const terms = layer.terms(setting, name, cell);
    const cells = (factor) => terms.flatMap((term) => (factor in term ? [term[factor]] : []));
    for (const factor of ["x", "W", "delta"]) grids[factor].pair(cells(factor));
    if (name === "z") grids.b.outline("lit", [[0, 0]]);
    else grids.z.pair(cells("delta")); // what x, W or b touches: a product of the chain rule each
    return { terms, cells };
  }

  /** Their sum; z is the letter of the output, note says why so many are missing. */
  tell(terms, z, note, missing) {
    const { setting, arrays, picked: { name, cell: [i, j] } } = this;
    const text = (term) => (term === "b" ? ["b", factor(setting.b)] : [
      Object.entries(term).map(([of, cell]) => symbol(of === "delta" ? "δ" : of, ...cell)).join(" "),
      Object.entries(term).map(([of, [m, n]]) => factor(setting[of][m][n])).join(" · "),
    ]);
    this.write(name, name === "z" ? symbol(z, i, j) : `∂ℓ/∂${name === "db" ? "b" : symbol(name[1], i, j)}`,
      name === "z" ? [...terms, "b"] : terms, arrays[name][i][j],
      { notes: note ? [this.say(note, missing)] : [], products: terms.length, text });
  }

  again() {
    const { layer, setting, picked: { name, cell } } = this;
    return layer.terms(setting, name, cell).reduce((total, { x: [p, q], W: [u, v] }) =>
      total + setting.x[p][q] * setting.W[u][v], setting.b);
  }

  slope() {
    const { layer, setting, picked: { name, cell } } = this;
    return arithmetic.difference((h) => layer.loss({ ...setting,
      ...(name === "db" ? { b: setting.b + h } : { [name[1]]: arithmetic.changed(setting[name[1]], cell, h) }),
    }), 1 / 1024);
  }
}
