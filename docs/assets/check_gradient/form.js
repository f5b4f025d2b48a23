// The boxes: a reader's texts become arrays, and these a report. Nothing leaves the page.

"use strict";

customElements.define("check-explorer", class extends HTMLElement {
  connectedCallback() {
    const { content } = this.querySelector("template");
    /** @type {{ said: Record<string, string>, examples: Record<string, Record<string, string>>, table?: Record<string, string> }} */
    this.told = JSON.parse(content.querySelector("script").textContent);
    /** @type {HTMLFormElement} */
    this.form = content.querySelector("form");
    this.append(this.form);
    this.output = this.form.querySelector("output");
    this.layer = this.field("layer");
    this.of = this.field("of");
    this.layer.addEventListener("change", () => this.choose());
    this.of.addEventListener("change", () => this.arrange());
    this.form.addEventListener("input", () => this.clear()); // a report is of what is seen
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.compare();
    });
    for (const button of this.all("[data-example]"))
      button.addEventListener("click", () => this.fill(this.told.examples[button.dataset.example]));
    this.choose();
  }

  /** @returns {any} */
  field(name) { return this.form.elements.namedItem(name); }

  /** @returns {any} */
  find(selector) { return this.form.querySelector(selector); }

  /** @returns {any[]} */
  all(selector) { return [...this.form.querySelectorAll(selector)]; }

  say(word, ...values) { return this.told.said[word].replace(/\{\}/g, () => values.shift()); }

  // --- Which boxes there are

  /** Another layer has other gradients; without one, the reference has a box. */
  choose() {
    const options = Object.keys(layers[this.layer.value]?.of ?? {});
    this.of.replaceChildren(...options.map((name) => new Option(name.replace(/^d/, "∂ℓ/∂"), name)));
    this.arrange();
  }

  arrange() {
    const layer = layers[this.layer.value];
    this.boxes = ["mine", ...(layer?.of[this.of.value] ?? ["reference"])];
    const settings = ["rtol", "error", ...(layer ? ["of", ...layer.settings] : [])];
    for (const box of this.all("[data-box]")) box.hidden = !this.boxes.includes(box.dataset.box);
    for (const label of this.all("[data-setting]")) label.hidden = !settings.includes(label.dataset.setting);
    this.clear();
  }

  fill({ layer = "", of = "", ...texts }) {
    this.form.reset();
    this.layer.value = layer;
    this.choose();
    if (of) this.of.value = of;
    this.arrange();
    for (const [name, text] of Object.entries(texts)) this.find(`#check-${name}`).value = text;
    this.compare();
  }

  // --- The report

  clear() {
    this.output.textContent = "";
    for (const line of this.all(".refusal")) line.textContent = "";
    for (const field of this.all("[aria-invalid]")) field.removeAttribute("aria-invalid");
  }

  compare() {
    this.clear();
    try {
      this.output.textContent = this.report();
      this.output.scrollIntoView({ block: "nearest" });
    } catch (error) {
      if (!error.word) throw error;
      this.refuse(error);
    }
  }

  report() {
    const [rtol, own] = [this.number("rtol", "part", (number) => number < 1), this.number("error", "positive", Number.isFinite)];
    const given = Object.fromEntries(this.boxes.map((name) => [name, this.array(name)]));
    const settings = /** @type {Record<string, string>} */ (Object.fromEntries(new FormData(this.form)));
    const { mine, reference = layers[settings.layer].gradient(settings.of, given, settings) } = given;
    return report(mine, reference, { rtol, own, given, table: this.told.table });
  }

  array(name) {
    try {
      return read.array(this.find(`#check-${name}`).value, this.find(`[data-shape=${name}]`).value);
    } catch (error) {
      throw Object.assign(error, { box: name });
    }
  }

  number(box, word, allowed) {
    const text = this.field(box).value.trim();
    const number = Number(read.narrow(text));
    if (text && number >= 0 && allowed(number)) return number;
    throw Object.assign(Error(word), { box, word, values: [text] });
  }

  /** A line beside the box says what is wrong, and where. */
  refuse({ box, word, at, values }) {
    const area = this.find(`#check-${box}`);
    const field = area ?? this.field(box);
    const said = this.say(word, ...values);
    const text = at === undefined ? said : this.say("at", ...read.place(area.value, at), said);
    this.find(`#check-${area ? box : "settings"}-refusal`).textContent = area ? text : `${box}: ${text}`;
    field.setAttribute("aria-invalid", "true");
    field.focus();
    if (at !== undefined) area.setSelectionRange(at, at + (/^[^\s,;[\]]+|./.exec(area.value.slice(at))?.[0].length ?? 0));
  }
});
