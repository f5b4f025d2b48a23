// A panel of numbers to light, point at, walk through by keys, pin and edit.

"use strict";

const svg = (tag, attributes, ...children) =>
  set(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, ...children);

const set = (element, attributes, ...children) => {
  for (const [name, value] of Object.entries(attributes)) // or it is painted anew
    if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

/** What stands beside cells. */
const caption = (text, x, y, mark = "") => svg("text", { class: mark, x, y, "aria-hidden": "true" }, String(text));

/** From one point to another, or so far beside them; with a head, an arrow. @param {number[]} ends */
const line = ([x, y, p, q], beside = 0, head = 0) => {
  const length = Math.hypot(p - x, q - y);
  const at = (along, aside) => // from the tip
    `${p + (along * (p - x) - aside * (q - y)) / length} ${q + (along * (q - y) + aside * (p - x)) / length}`;
  return `M${at(-length, beside)}L${at(0, beside)}${head ? `M${at(-head, head / 2)}L${at(0, 0)}L${at(-head, -head / 2)}` : ""}`;
};

/** With at most 4 decimals, or with so many. */
const shown = (value, digits = undefined) =>
  (digits === undefined ? String(Number(value.toFixed(4)) + 0) : value.toFixed(digits)).replace("-", "−").replace("Infinity", "∞");

/** Refuse an entry, by a sentence's name and values. @returns {never} */
const refuse = (word, ...values) => {
  throw Object.assign(new Error(word), { said: [word, ...values] });
};

/** The number that somebody typed. @param {string} text */
const typed = (text) => {
  const plain = text.normalize("NFKC").trim().replace("−", "-"); // full width is half
  if (!/^[-+]?(\d+\.?\d*|\.\d+)$/.test(plain) || Math.abs(Number(plain)) > 9999) refuse("number");
  return Number(Number(plain).toFixed(4)) + 0;
};

// In pixels, as in the figures.
const [HEIGHT, MARGIN] = [26, 13];
const COLOURS = 4;
const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

class Grid {
  /** @type {Matrix} */ array;
  /** Where array begins in the drawing, in cells. @type {Cell} */ offset;
  /** The cell that Tab leads to. @type {Cell} */ stop;
  cells = [[]];
  width = 0;
  drawn = {}; // by mark

  /** @param {any} root the panel
   * @param {(cell: Cell, pin: boolean) => void} [pick] somebody points at a cell or clicks it
   * @param {(cell: Cell, text: string) => void} [edit] */
  constructor(root, pick, edit) {
    this.root = root;
    this.pick = pick;
    this.edit = edit;
    this.active = pick || edit;
    const box = root.querySelector(".box");
    this.marks = box.firstChild;
    this.svg = box.lastChild;
    this.text = this.marks.querySelector("text");
    this.lines = [...this.marks.querySelectorAll("path")].map((path) => [path.getAttribute("class"), path]);
    const point = (event) => this.at(event) && pick?.(this.at(event), false);
    const focused = (event) => {
      point(event);
      // Not below the sum, which stays at the lower edge of the screen.
      const [cell, sum] = [event.target, root.closest(".stage").querySelector(".sum")].map((each) => each.getBoundingClientRect());
      if (cell.bottom > sum.top) scrollBy(0, cell.bottom - sum.top + HEIGHT);
    };
    // Not at the drawing: Tab would stop at it.
    for (const [name, act] of Object.entries({
      pointerover: point, focusin: focused, click: (event) => this.act(event), keydown: (event) => this.key(event),
    })) box.addEventListener(name, act);
  }

  /** The cell of an event, counted as in array. @returns {Cell | undefined} */
  at(event) {
    const [i, j] = event.target.closest("[data-at]")?.dataset.at.split(",").map(Number) ?? [];
    return i === undefined ? undefined : [i - this.offset[0], j - this.offset[1]];
  }

  /** Is this cell one of array, and no zero put around it? @param {Cell} cell */
  holds([i, j]) { return this.array[i]?.[j] !== undefined; }

  /** Is this a number to edit, and not only to pick? @param {Cell} cell */
  edits(cell) { return !!this.edit && this.holds(cell); }

  act(event, text) {
    const cell = this.at(event);
    if (!cell || !this.active) return;
    this.focus(cell[0] + this.offset[0], cell[1] + this.offset[1]);
    if (this.edits(cell)) this.open(cell, text);
    else if (text === undefined) this.pick?.(cell, true);
  }

  key(event) {
    const [i, j] = {
      ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -99], End: [0, 99],
    }[event.key] ?? [];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (j !== undefined) this.focus(this.stop[0] + i, this.stop[1] + j);
    else if (event.key === "Enter" || event.key === " ") this.act(event);
    else if (this.edit && /^[-\d.]$/.test(event.key)) this.act(event, event.key);
    else return;
    event.preventDefault();
  }

  focus(i, j) {
    this.lead(i, j);
    this.cells[this.stop[0]][this.stop[1]].focus();
  }

  /** Tab leads to one cell of a grid, the arrows to the others. */
  lead(i, j) {
    const inside = (index, length) => Math.min(Math.max(index, 0), length - 1);
    this.svg.querySelector("[tabindex='0']")?.setAttribute("tabindex", "-1");
    this.stop = [inside(i, this.cells.length), inside(j, this.cells[0].length)];
    if (this.active) this.cells[this.stop[0]][this.stop[1]].setAttribute("tabindex", "0");
  }

  /** A field over a cell, until a number is entered. */
  open([i, j], text) {
    const [m, n] = [i + this.offset[0], j + this.offset[1]];
    const [box, frame] = [this.cells[m][n], this.root].map((element) => element.getBoundingClientRect());
    const input = set(document.createElement("input"), {
      class: "cell", "aria-label": this.cells[m][n].getAttribute("aria-label"),
      style: `left: ${box.left - frame.left}px; top: ${box.top - frame.top}px; min-width: ${box.width}px; height: ${box.height}px`,
    });
    input.value = text ?? shown(this.array[i][j]);
    const close = (keep) => {
      if (!input.isConnected) return;
      const { value } = input;
      input.onblur = null;
      input.remove();
      if (keep) this.edit([i, j], value);
    };
    input.onblur = () => close(true);
    input.onkeydown = ({ key }) => {
      if (key !== "Enter" && key !== "Escape") return;
      close(key === "Enter");
      this.focus(m, n);
    };
    this.root.append(input);
    input.focus({ preventScroll: true });
    if (text === undefined) input.select();
  }

  /** @param {Matrix} array @param {Padding} [padding] zeros to draw around it
   * @param {(i: number, j: number) => boolean} [put] is this cell a zero put in? */
  show(array, padding = [0, 0, 0, 0], put) {
    const all = arithmetic.pad(array, padding);
    const [top, , left] = padding;
    put ??= (i, j) => array[i - top]?.[j - left] === undefined;
    const digits = [0, 1].find((n) => all.flat().every((value) => Math.abs(value - Number(value.toFixed(n))) < 1e-9)) ?? 2;
    const texts = all.map((row) => row.map((value) => (Math.abs(value) < 1e-12 ? "0" : shown(value, digits))));
    const most = Math.max(...all.flat().map(Math.abs));
    const width = Math.max(24, 7 + 5.4 * Math.max(...texts.flat().map((text) => text.length)));
    const before = String([...arithmetic.shape(this.cells), this.offset, this.width]);
    this.array = array;
    this.offset = [top, left];
    this.width = width;
    if (String([...arithmetic.shape(all), this.offset, width]) !== before) this.build(...arithmetic.shape(all));
    const { label, put: inserted } = this.root.dataset;
    const size = arithmetic.shape(array).join(" × ");
    this.root.querySelector("small").textContent = size;
    this.svg.setAttribute("aria-label", `${label}, ${size}`);
    this.cells.forEach((row, i) => row.forEach((cell, j) => {
      const added = put(i, j);
      const sign = all[i][j] < 0 ? "minus" : all[i][j] > 0 ? "plus" : "zero";
      const made = this.edit && !this.edits([i - top, j - left]);
      cell.setAttribute("class", `cell ${sign}${added ? " put" : ""}${made ? " made" : ""}`);
      cell.firstChild.setAttribute("style", `--size: ${most && (Math.abs(all[i][j]) / most).toFixed(2)}`);
      const [exact, text] = [shown(all[i][j]), texts[i][j]];
      cell.lastChild.textContent = text;
      if (this.active) cell.setAttribute("aria-label", `${this.named(i - top, j - left)}: ${
        exact === text ? text : `${exact} ≈ ${text}`}${added ? `, ${inserted}` : ""}`);
    }));
  }

  /** What a screen reader calls a cell. */
  named(i, j) {
    const { row, column } = this.root.dataset;
    return `${row} ${i}, ${column} ${j}`;
  }

  build(rows, columns) {
    const { width } = this;
    const held = this.svg.contains(document.activeElement);
    this.cells = arithmetic.range(rows).map((i) => arithmetic.range(columns).map((j) => {
      const [x, y] = this.corner(i, j);
      return svg("g", { "data-at": `${i},${j}`, ...(this.active && { role: "gridcell", tabindex: "-1" }) },
        svg("rect", { x, y, width, height: HEIGHT }), svg("text", { x: x + width / 2, y: y + HEIGHT / 2 + 5 }));
    }));
    const beside = this.beside(rows, columns);
    const [across, down] = this.extent(rows, columns);
    this.svg.replaceChildren();
    for (const drawing of [this.marks, this.svg]) set(drawing, {
      viewBox: `0 0 ${across} ${down}`, width: across, height: down,
      style: `min-width: ${Math.min(across, columns * 24)}px`, // and then its box scrolls
    });
    this.svg.append(...beside, ...this.cells.map((row) => svg("g", this.active ? { role: "row" } : {}, ...row)));
    const stop = this.stop ?? this.offset;
    if (held) this.focus(...stop);
    else this.lead(...stop);
  }

  /** Where a cell begins, counted with the zeros around array. */
  corner(i, j) { return [MARGIN + j * this.width, MARGIN + i * HEIGHT]; }

  /** Of the drawing. */
  extent(rows, columns) { return this.corner(rows, columns).map((side) => side + 2); }

  /** What stands beside the cells: their indices. */
  beside(rows, columns) {
    const { width, offset: [top, left] } = this;
    return [
      ...arithmetic.range(columns).map((j) => caption(j - left, this.corner(0, j)[0] + width / 2, MARGIN - 4, "index")),
      ...arithmetic.range(rows).map((i) => caption(i - top, MARGIN / 2 - 1, this.corner(i, 0)[1] + HEIGHT / 2 + 3, "index")),
    ];
  }

  /** Mark a cell of array until it is shown anew: "unread", "first". @param {Cell} cell */
  mark(cell, mark) { this.place(cell).classList.add(mark); }

  place([i, j]) { return this.cells[i + this.offset[0]][j + this.offset[1]]; }

  /** The cell that is picked. @param {Cell} cell */
  choose(cell) {
    this.outline("chosen", [cell]);
    this.picked = this.place(cell);
    this.picked.setAttribute("aria-selected", "true");
  }

  /** Rectangles that begin at cells. */
  outline(mark, cells, size = [1, 1]) {
    const { width, offset: [top, left] } = this;
    this.paths[mark] = cells.map(([i, j]) =>
      `M${this.corner(i + top, j + left).join(" ")}h${size[1] * width}v${size[0] * HEIGHT}h${-size[1] * width}z`).join("");
  }

  /** The factors of products: each has the colour and, while there are enough, the letter of
   * its product. @param {Cell[]} cells @param {number[]} products of each cell, its product */
  pair(cells, products = arithmetic.range(cells.length)) {
    for (const colour of arithmetic.range(COLOURS))
      this.outline(`pair${colour}`, cells.filter((_, at) => products[at] % COLOURS === colour));
    this.lettered = Math.max(...products) >= LETTERS.length ? [] : cells;
    this.letters = products.map((product) => LETTERS[product]).join("");
  }

  dim() {
    this.paths = {};
    this.lettered = [];
    this.picked?.removeAttribute("aria-selected");
  }

  /** Only what differs from the last drawing: it is laid out and painted anew. */
  draw() {
    for (const [mark, path] of this.lines) {
      const line = this.paths[mark] ?? "";
      if (line !== this.drawn[mark]) path.setAttribute("d", line);
      this.drawn[mark] = line;
    }
  }

  /** The letters, one text that has a place for each; or none. */
  letter(on = true) {
    const { text, offset: [top, left] } = this;
    const places = (on ? this.lettered : []).map(([i, j]) => this.corner(i + top, j + left));
    const letters = places.length ? this.letters : "";
    if (letters) set(text, { x: places.map(([x]) => x + 2).join(" "), y: places.map(([, y]) => y + 8).join(" ") });
    if (text.textContent !== letters) text.textContent = letters;
  }
}
