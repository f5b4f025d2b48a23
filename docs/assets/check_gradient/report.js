// The report of check_gradient, rule by rule and word by word: a function here is that of
// the same name in snippets/check.md, and tests/test_boxes.py holds the two together.

"use strict";

/** @typedef {(sentence: string, ...values: any[]) => string} Say */

const report = (() => {
  const { range, size, transpose, swapaxes, flip, rot90, cut, indexed, largest, combined, sorted, permutations, tuple, general, format } = arrays;

  const same = (a, b) => String(a) === String(b);
  const sum = (data) => data.reduce((total, value) => total + value, 0);
  const minus = (a, b) => combined(a, b, (x, y) => x - y);
  const scaled = (data, c) => data.map((value) => c * value);
  /** The entries where `on` is true. */
  const where = (data, on) => data.filter((_, n) => on(n));

  /** Where the n-th entry is, as Python writes it. */
  const place = (n, shape) => `[${shape.map((_, axis) => indexed(shape)(n, axis)).join(", ")}]`;

  const close = (a, b, rtol) => {
    const limit = rtol * largest(b);
    return a.every((value, n) => Math.abs(value - b[n]) <= limit);
  };

  const factor = (m, t, rtol) => {
    const c = sum(combined(t, m, (x, y) => x * y)) / sum(combined(t, t, (x, y) => x * y));
    const n = Math.abs(c) > 0 && Math.abs(c) < 1 ? 1 / c : c;
    const whole = Math.abs(n) < 9_999.5 && Math.round(n) !== 1;
    return { c, n, whole: whole && Math.abs(n - Math.round(n)) <= rtol * Math.abs(n) };
  };

  const times = (c, n, whole, say, digits = 8) => {
    const text = whole && Math.abs(c) > 0 && Math.abs(c) < 0.9
      ? `reference / ${Math.round(n)}` : `${general(whole ? Math.round(n) : c, digits)} · reference`;
    return text + (c < 0 ? say(" (sign)") : "");
  };

  const elsewhere = (m, t, rtol, say) => {
    const wrong = where(m, (n) => Math.abs(m[n]) > rtol);
    const near = sorted(t);
    const gap = (value) => {
      let [low, high] = [0, near.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (near[middle] < value) low = middle + 1;
        else high = middle;
      }
      return Math.min((near[low] ?? Infinity) - value, value - (near[low - 1] ?? -Infinity));
    };
    if (wrong.every((value) => gap(value) <= rtol))
      return say("right where reference ≠ 0, its entries again elsewhere (tie, repeated)");
    if (wrong.length < m.length)
      return say("right where reference ≠ 0, wrong at {} of {} others (tie, kink, σ')", wrong.length, m.length);
    return say("right where reference ≠ 0, wrong elsewhere (σ' missing)");
  };

  /** Rows [mistake, a, b]: it explains m if a is close to b; max|t| = 1. */
  function* mistakes({ shape, data: m }, t, rtol, say) {
    const { c, n, whole } = factor(m, t.data, rtol);
    const on = (at) => Math.abs(t.data[at]) > rtol;
    const entries = where(t.data, on);
    if (whole || entries.length > 1) // one number is a multiple of any other
      yield [say("mine = {}", times(c, n, whole, say)), m, scaled(t.data, c)];
    const sides = range(shape.length).filter((axis) => shape[axis] > 1);
    for (const i of sides)
      for (const j of sides.filter((axis) => axis > i)) {
        yield [say("flipped on axes {} and {} (rot180)", i, j), m, flip(t, [i, j]).data];
        if (shape[i] !== shape[j]) continue;
        yield [say("transposed, axes {} and {}", i, j), m, swapaxes(t, i, j).data];
        for (const turns of [1, 3])
          yield [say("a quarter turn on axes {} and {} (rot90)", i, j), m, rot90(t, turns, i, j).data];
      }
    for (const axis of sides) {
      yield [say("flipped on axis {}", axis), m, flip(t, [axis]).data];
      const last = shape[axis] - 1;
      for (const [step, ours, theirs] of /** @type {[string, number, number][]} */ ([["+1", 1, 0], ["-1", 0, 1]])) {
        const a = cut({ shape, data: m }, axis, ours, last + ours);
        const b = cut(t, axis, theirs, last + theirs);
        // Where all rows are the same, nothing is seen to move.
        if (last > 1 && !close(cut(b, axis, 1, last).data, cut(b, axis, 0, last - 1).data, rtol))
          yield [say("shifted by {} on axis {}", step, axis), a.data, b.data];
      }
    }
    if (entries.length < m.length)
      yield [elsewhere(where(m, (at) => !on(at)), entries, rtol, say), where(m, on), entries];
    const index = indexed(shape);
    const ends = shape.map((_, axis) =>
      m.reduce((end, value, at) => (Math.abs(value) > rtol ? Math.max(end, index(at, axis) + 1) : end), 0));
    if (ends.some(Boolean)) {
      const kept = t.data.map((value, at) => (ends.every((end, axis) => index(at, axis) < end) ? value : 0));
      yield [say("0 after the first {} (leftover rows)", tuple(ends)), m, kept];
    }
  }

  /** Rows as those of mistakes, tried where none of them explains m. */
  function* rarer({ shape, data: m }, t, rtol, say) {
    const axes = range(shape.length);
    for (const order of axes.length < 6 ? permutations(axes) : []) {
      const turned = transpose(t, order);
      yield same(turned.shape, shape)
        ? [say("transposed, axes in the order {}", tuple(order)), m, turned.data]
        : [say("the same numbers, reshape in place of transpose"), m, turned.data];
    }
    const on = (least) => where(t.data, (at) => Math.abs(t.data[at]) > least);
    if (on(rtol).length > 2) // of two, one is a shift or a sign
      yield [say("the same numbers in another order"), sorted(m), sorted(t.data)];
    const index = indexed(shape);
    for (const axis of axes) {
      const rows = range(shape[axis]).map((k) => ({ entries: 0, product: 0, square: 0 }));
      m.forEach((value, at) => {
        const k = index(at, axis);
        rows[k].entries += Number(Math.abs(t.data[at]) > rtol);
        rows[k].product += value * t.data[at];
        rows[k].square += t.data[at] ** 2;
      });
      const entries = rows.map((row) => row.entries);
      if (rows.length > 1 && entries.some((n) => n > 1) && !entries.includes(1)) {
        const c = rows.map(({ product, square }) => product / (square || 1));
        const told = c.slice(0, 4).map((value) => general(value, 4)).join(", ") + (rows.length > 4 ? ", …" : "");
        yield [say("a factor for each index of axis {}: {}", axis, told), m, t.data.map((value, at) => c[index(at, axis)] * value)];
      }
    }
    const large = (at) => Math.abs(t.data[at]) > 1e-3;
    // Halves, thirds, quarters, … sixteenths, ninths.
    const c = where(combined(m, t.data, (a, b) => Math.round(144 * (a / b)) / 144), large);
    const counts = new Map();
    for (const value of c) counts.set(value, (counts.get(value) ?? 0) + 1);
    if (counts.size > 1 && counts.size < 10 && Math.min(...counts.values()) > 2) {
      const each = [...sorted([...counts.keys()])];
      const words = String(each) === "0,1"
        ? say("0 at {} of {} entries where reference ≠ 0, else right (σ', dropout)", counts.get(0), c.length)
        : say("a factor for each entry: {} (windows, border)", each.map((value) => general(value + 0, 4)).join(", "));
      yield [words, where(m, large), combined(c, on(1e-3), (x, y) => x * y)];
    }
  }

  /** What may have made the one array out of the other, by their shapes first. */
  function* shapeMistakes(mine, reference, rtol, say) {
    const [m, t] = [mine.shape, reference.shape];
    const long = (shape) => shape.filter((length) => length !== 1);
    const ordered = (shape) => shape.toSorted((a, b) => a - b);
    if (same(long(m), long(t))) yield say("likely  only axes of length 1 differ: reshape");
    else if (same(ordered(m), ordered(t))) yield say("likely  transposed: the same axes in another order");
    else if (m.length > t.length && same(m.slice(m.length - t.length), t))
      yield say("likely  not summed over the {} in front (batch)", tuple(m.slice(0, m.length - t.length)));
    else if (m.length < t.length) yield say("likely  an axis is missing");
    else if (m.length === t.length) {
      const more = m.map((length, axis) => length - t[axis]);
      if (more.every((n) => n <= 0))
        yield say("likely  too short by {} at the end (leftover rows)", tuple(more.map((n) => 0 - n)));
      if (more.every((n) => n >= 0)) yield say("likely  too long by {} (leftover rows, dilation)", tuple(more));
    }
    const numbers = reference.data;
    const finite = numbers.every(Number.isFinite); // ∞ is within a share of ∞
    if (size(m) > 0 && size(m) === size(t) && finite && numbers.some((value) => value !== numbers[0])) {
      if (close(mine.data, numbers, rtol)) yield say("likely  reference = mine.reshape{}", tuple(t));
      for (const order of m.length < 6 ? permutations(range(m.length)) : []) {
        const turned = transpose(mine, order);
        if (same(turned.shape, t) && close(turned.data, numbers, rtol))
          yield say("likely  reference = mine.transpose{}", tuple(order));
      }
    }
    const axes = range(Math.max(m.length, t.length)).reverse(); // counted from the end
    const pairs = axes.map((axis) => [m.at(-1 - axis) ?? 1, t.at(-1 - axis) ?? 1]);
    if (pairs.every(([a, b]) => a === b || a === 1 || b === 1))
      yield say("beware  mine - reference broadcasts to {}", tuple(pairs.map(([a, b]) => (a === 1 ? b : a))));
  }

  /** Which entries differ, if they are few: where the layer has a kink or a tie? */
  const few = (differ, given, say) => {
    const counts = [differ.filter(Boolean).length, differ.length];
    for (const name of ["x", "z"].filter((each) => each in given)) {
      const { data } = given[name];
      const times = new Map();
      for (const value of data) times.set(value, (times.get(value) ?? 0) + 1);
      const all = (test) => differ.every((differs, n) => !differs || test(data[n]));
      if (all((value) => value === 0)) return say("{} of {} entries differ, {} = 0: a kink", ...counts, name);
      if (all((value) => times.get(value) > 1)) return say("{} of {} entries differ, {} is equal there: a tie", ...counts, name);
    }
    return say("{} of {} entries differ: a tie, a kink?", ...counts);
  };

  /** The lines on arrays that no mistake explains in full. */
  function* vague(m, t, rtol, given, say) {
    const differ = [...minus(m, t)].map((value) => Math.abs(value) > rtol);
    const { c, n } = factor(m, t, rtol);
    const best = scaled(t, c);
    const rest = largest(minus(m, best)) / (largest(best) || 1);
    if (rest <= 1e-2 && t.filter((value) => Math.abs(value) > rest).length > 3) {
      const digits = Math.trunc(-Math.log10(Math.max(rest, rtol)));
      if (Math.abs(c - 1) > 4 * rest) { // noise may look like a factor
        const margin = 4 * rest * Math.abs(n);
        const whole = margin < 0.5 && Math.abs(n - Math.round(n)) <= margin && Math.round(n) !== 1;
        yield say("nearly  mine = {}, to {} digits", times(c, n, whole, say, digits), digits);
        return;
      }
      yield say("nearly  mine = reference, to {} digits (rounding, a difference?)", digits);
    } else if (2 * differ.filter(Boolean).length <= m.length) yield say("beware  {}", few(differ, given, say));
    yield say("No likely mistake found");
  }

  /** The lines on what may be wrong. */
  function* explained(mine, reference, rtol, given, say) {
    if (rtol >= 1) { // the reference may be wrong by more than it is
      yield say("No likely mistake found");
      return;
    }
    const scale = largest(reference.data);
    const [m, t] = [mine, reference].map(({ shape, data }) => ({ shape, data: data.map((value) => value / scale) }));
    const found = new Set();
    for (const [words, a, b] of mistakes(m, t, rtol, say)) if (close(a, b, rtol)) found.add(words);
    if (!found.size)
      for (const [words, a, b] of rarer(m, t, rtol, say))
        if (close(a, b, rtol)) {
          found.add(words);
          break;
        }
    for (const words of found) yield say("likely  {}", words);
    if (!found.size) yield* vague(m.data, t.data, rtol, given, say);
  }

  /** The report after its first line, for finite arrays of one shape. */
  function* compare(m, t, rtol, given, say) {
    const error = minus(m.data, t.data).map(Math.abs);
    const [most, scale] = [largest(error), largest(t.data)];
    // The first, where some are equal.
    const worst = error.findIndex((value) => value >= (1 - 1e-12) * most);
    let line = say("error   0 up to rounding");
    if (error[worst] > Math.min(rtol, 1e-12) * scale) {
      line = say("error   {:.4g}", error[worst]);
      if (m.shape.length) line += say(" at {}", place(worst, m.shape));
      line += say(": {:.6g} instead of {:.6g}", m.data[worst] + 0, t.data[worst] + 0);
      if (scale) line += say("; relative {:.2g}", error[worst] / scale);
    }
    yield line;
    if (error[worst] <= rtol * scale) yield say("equal   within {:.3g} · max|reference|", rtol);
    if (scale === 0) yield say("beware  the reference is 0 everywhere: this tests nothing");
    else if (error[worst] > rtol * scale) yield* explained(m, t, rtol, given, say);
  }

  /** ε of the numbers in an array: of its dtype, or of float32 that it was made of. */
  const epsilon = ({ data, dtype }) => {
    if (dtype === "int") return 0;
    const long = (value) => { // has it more than 20 bits?
      let bits = Math.abs(value);
      while (bits && bits < 2 ** 19) bits *= 2;
      while (bits >= 2 ** 20) bits /= 2;
      return bits % 1 > 0;
    };
    const made = data.every((value) => Math.fround(value) === value) && data.some(long);
    return { float16: 2 ** -10, float32: 2 ** -23 }[dtype] ?? (made ? 2 ** -23 : 2 ** -52);
  };

  /** The report after its first line, by as many digits as both sides hold. */
  function* judged(mine, reference, rtol, own, given, say) {
    const [error, scale] = [largest(minus(mine.data, reference.data)), largest(reference.data)];
    let limit = Math.max(rtol, scale ? own / scale : 0);
    const coarse = [];
    for (const [name, array] of [["mine", mine], ["reference", reference]]) {
      const small = epsilon(array);
      if (small <= 1e-8) continue;
      // What is asked for in particular is taken at its word.
      if (rtol >= 1e-6) limit = Math.max(limit, Math.sqrt(small)); // half of its digits
      coarse.push(say("beware  {} holds {}", name, small > 1e-4 ? "float16" : "float32"));
    }
    yield* compare(mine, reference, error <= rtol * scale ? rtol : limit, given, say);
    if (rtol * scale < error && error <= Math.max(limit, 0.1) * scale) yield* coarse;
    if (rtol * scale < error && error <= own) yield say("beware  the reference itself may be wrong by {:.2g}", own);
  }

  /** Is mine the reference, and if not, what may have gone wrong? `own` is the error of
   * the reference itself; `given` has x or z of its layer, and `table` the sentences of
   * another language by the English ones.
   * @param {NDArray} mine @param {NDArray} reference
   * @param {{ rtol?: number, own?: number, given?: Record<string, NDArray>, table?: Record<string, string> }} [options]
   * @returns {string} */
  return (mine, reference, { rtol = 1e-6, own = 0, given = {}, table = undefined } = {}) => {
    /** @type {Say} */
    const say = (sentence, ...values) => format(table ? table[sentence] : sentence, values);
    const nonzero = (value) => value !== 0; // NaN is not
    if (reference.data.some(nonzero) && mine.data.length && !mine.data.some(nonzero))
      return say("beware  mine is 0 everywhere: nothing to compare yet");
    if (!same(mine.shape, reference.shape)) {
      const lines = [...shapeMistakes(mine, reference, rtol, say)];
      if (!lines.length) lines.push(say("No likely mistake found"));
      return [say("shape   {} instead of {}", tuple(mine.shape), tuple(reference.shape)), ...lines].join("\n");
    }
    const lines = [say("shape   {}", tuple(mine.shape))];
    for (const [name, { shape, data }] of Object.entries({ mine, reference })) {
      const at = data.findIndex((value) => !Number.isFinite(value));
      if (at < 0) continue;
      lines.push(say("error   {} is not finite, first {} at {}", name, general(data[at], 1), place(at, shape)));
    }
    if (!mine.data.length) lines.push(say("beware  empty: nothing was compared"));
    else if (lines.length === 1) {
      const alike = Object.entries(given).filter(([, { shape }]) => same(shape, mine.shape));
      lines.push(...judged(mine, reference, rtol, own, Object.fromEntries(alike), say));
    }
    if (mine.dtype === "int" && mine.data.some((value, n) => value !== reference.data[n]))
      lines.push(say("beware  mine holds integers: fractions are cut off"));
    return lines.join("\n");
  };
})();
