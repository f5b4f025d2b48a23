// An array from the text that print, .tolist(), JSON or a table gives of it.

"use strict";

const read = (() => {
  const { size, tuple } = arrays;

  const NUMBER = /^[-+−]?(?:\d[\d_]*\.?\d*|\.\d+)(?:e[-+−]?\d+)?$|^[-+−]?(?:nan|inf|infinity)$/i;
  const WHOLE = /^[-+−]?\d[\d_]*$/;
  // What NumPy, TensorFlow, PyTorch and JAX write around it, and a name with = or : before.
  const AROUND = /\b(?:shape|size|dtype|device|grad_fn|requires_grad|weak_type|path)=(?:\([^)]*\)|'[^']*'|<[^>]*>|[\w./]+)|<[\w.]+(?: '[^']*')?|\bOut ?\[\d+\]:|[_\p{L}∂][\w\p{L}∂./' ]*[(=:]|[:>)]/gu;
  const TOKEN = /[[\]]|…|\.{3}|[^\s,;[\]]+/g;
  const SHAPE = /\b(?:shape|size)=\(([\d, ]*)\)/;

  /** Not to be read; which word says why, with values for it, and at which character.
   * @returns {never} */
  const refuse = (word, at = undefined, ...values) => { throw Object.assign(Error(word), { word, at, values }); };

  const value = (text, at) => {
    if (!NUMBER.test(text)) refuse("number", at, text.length > 30 ? `${text.slice(0, 30)}…` : text);
    const plain = text.replaceAll("−", "-").replaceAll("_", "").toLowerCase();
    if (plain.endsWith("nan")) return NaN;
    return Number(plain.replace(/inf.*/, "Infinity"));
  };

  /** float16 has 11 bits, and from 65520 on it is infinite. */
  const half = (number) => {
    const step = 2 ** (Math.max(-14, Math.floor(Math.log2(Math.abs(number)))) - 10);
    const near = Number.isFinite(number) ? Math.round(number / step) * step : number;
    return Math.abs(near) > 65504 ? Math.sign(near) * Infinity : near;
  };

  /** In the signs of a program what an input method or a word processor makes of them. */
  const narrow = (text) => text
    .replace(/[！-～]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replace(/[、【】–\u200b-\u200d\u2060]/g, (sign) => ({ "、": ",", "【": "[", "】": "]", "–": "-" })[sign] ?? " ");

  /** Its type: as it is written, or as NumPy takes such numbers; torch's own is float32. */
  const type = (text, whole) => {
    const [, written = ""] = /\b(float\d*|u?int\d*)\b/.exec(text) ?? [];
    if (/int/.test(written) || (whole && !written)) return "int";
    if (/^float(?:16|32)$/.test(written)) return written;
    return !written && /\btensor\(/.test(text) ? "float32" : "float64";
  };

  /** Numbers, each with its place, and the shape that brackets say. */
  const nested = (tokens) => {
    const numbers = [], open = [], shape = [];
    let leaf, done; // how deep the numbers lie; is the first bracket closed?
    for (const [word, at] of tokens) {
      if (done && word !== "]") refuse("second", at);
      if (open.length && word !== "]") open.at(-1).length++;
      if (word === "[") {
        if (leaf <= open.length) refuse("mixed", at);
        open.push({ at, length: 0 });
      } else if (word === "]") {
        if (!open.length) refuse("unopened", at);
        const { at: start, length } = open.pop();
        if (!length && (leaf ??= open.length + 1) !== open.length + 1) refuse("mixed", start);
        if ((shape[open.length] ??= length) !== length) refuse("ragged", start, length, shape[open.length]);
        done = !open.length;
      } else {
        if ((leaf ??= open.length) !== open.length) refuse("mixed", at);
        numbers.push([word, at]);
      }
    }
    if (open.length) refuse("unclosed", open.at(-1).at);
    return { numbers, shape };
  };

  /** The same without brackets: a number, a row or a column, or a table. */
  const table = (tokens, text) => {
    const rows = [];
    tokens.forEach(([, at], n) => {
      if (!n || text.slice(tokens[n - 1][1], at).includes("\n")) rows.push([]);
      rows.at(-1).push(tokens[n]);
    });
    const [{ length }] = rows;
    for (const row of rows) if (row.length !== length) refuse("ragged", row[0][1], row.length, length);
    const lines = rows.length === 1 || length === 1 ? [tokens.length] : [rows.length, length];
    return { numbers: tokens, shape: tokens.length === 1 ? [] : lines };
  };

  /** Decimal commas and MATLAB's rows would be read as other numbers, other shapes. */
  const separated = (tokens, plain) => {
    const nested = tokens.some(([word]) => word === "[");
    let first;
    tokens.slice(1).forEach(([word, at], n) => {
      const [before, start] = tokens[n];
      const between = plain.slice(start + before.length, at);
      if (/[[\]]/.test(before + word) || (!nested && between.includes("\n"))) return;
      const sign = /[,;]/.exec(between)?.[0] ?? " ";
      if ((first ??= sign) !== sign) refuse("separated", start + before.length);
    });
  };

  /** Whole numbers: (2, 3), 2 3 or 2×3; undefined of what is none. */
  const lengths = (text) => {
    const plain = narrow(text).replace(/[()[\],;×x*\s]+/g, " ");
    return /^[\d ]*$/.test(plain) ? (plain.match(/\d+/g) ?? []).map(Number) : undefined;
  };

  /** @param {string} text @param {string} [given] its shape, where the text does not say it
   * @returns {NDArray} */
  const array = (text, given = "") => {
    const plain = narrow(text).replace(AROUND, (around) => around.replace(/[^\n]/g, " "));
    const tokens = [...plain.matchAll(TOKEN)].map(({ 0: word, index }) => /** @type {[string, number]} */ ([word, index]));
    if (!tokens.length) refuse("empty");
    for (const [word, at] of tokens) {
      if (word === "…" || word === "...") refuse("cut", at);
      if (word !== "[" && word !== "]") value(word, at);
    }
    const wanted = given.trim() ? lengths(given) ?? refuse("shape", undefined, given.trim()) : undefined;
    if (!wanted) separated(tokens, plain);
    const numbers = tokens.filter(([word]) => word !== "[" && word !== "]");
    let { shape } = wanted ? { shape: wanted } : numbers.length < tokens.length ? nested(tokens) : table(tokens, text);
    const told = SHAPE.exec(text);
    if (told && !numbers.length && !wanted) shape = lengths(told[1]); // brackets do not show all of it
    if (size(shape) !== numbers.length) refuse("fill", undefined, numbers.length, tuple(shape), size(shape));
    const dtype = type(text, numbers.length > 0 && numbers.every(([word]) => WHOLE.test(word)));
    const rounded = { float16: half, float32: Math.fround }[dtype] ?? ((number) => number);
    return { shape, dtype, data: Float64Array.from(numbers, ([word, at]) => rounded(value(word, at))) };
  };

  /** Line and column of a character, from 1. */
  const place = (text, at) => {
    const before = text.slice(0, at).split("\n");
    return [before.length, before.at(-1).length + 1];
  };

  return Object.freeze({ array, place, refuse, lengths, narrow });
})();
