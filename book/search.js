"use strict";

/**
 * What a reader asks, in words of the index and in the syntax of lunr.
 *
 * Signs are those of a formula, never lunr's operators; only what stands between quotation
 * marks is left as it is.
 *
 * @param {string} query
 * @param {lunr.Index} index
 */
function asked(query, index) {
  if (query.includes('"')) return query;

  const found = (words) => index.tokenSet.intersect(words).toArray();
  const begins = (start) => found(lunr.TokenSet.fromString(`${start}*`)).length > 0;
  // The word itself, and those that begin with it.
  const terms = (word, start = word) => [`${word}^1`, start];

  /** A word that is still being typed, has another ending, or a letter wrong. */
  function latin(word) {
    const stem = lunr.stemmer(new lunr.Token(word)).toString();
    const start = word.startsWith(stem) ? stem : word;
    if (word.length === 1) return [`${word}^1`]; // half the book begins with it
    if (begins(word)) return terms(word, start);
    if (begins(start)) return [start];
    const near = lunr.TokenSet.fromFuzzyString(word, 1);
    return [word, ...(word.length < 5 ? [] : found(near))];
  }

  /** Chinese has no spaces: each word that stands in it, the longest first. */
  function chinese(run) {
    const words = [];
    const taken = new Set();
    for (let length = run.length; length; length -= 1) {
      for (let from = 0; from + length <= run.length; from += 1) {
        const word = run.slice(from, from + length);
        // A single character is a word where it is no part of one.
        if (!(word in index.invertedIndex) || (length === 1 && taken.has(from))) continue;
        words.push(...terms(word));
        for (let at = from; at < from + length; at += 1) taken.add(at);
      }
    }
    return words;
  }

  const words = query
    .toLowerCase()
    .replace(/\p{sc=Han}+/gu, " $& ")
    .split(lunr.tokenizer.separator)
    .flatMap((word) => (begins(word) ? word : word.split("_"))) // an argument's name
    .filter(Boolean);
  const telling = words.filter((word) => lunr.stopWordFilter(word));
  return (telling.length ? telling : words)
    .flatMap((word) => (/\p{sc=Han}/u.test(word) ? chinese(word) : latin(word)))
    .join(" ");
}

/**
 * What was found, with scores of ours.
 *
 * Lunr adds up what each of a word's forms gives. So a rare form of a common word decides
 * more than all that was meant, and a section that holds one word of many often comes
 * before the page that holds all of them. Here a word counts once, by its best form and
 * by how rare all its forms are; a section counts by the share of the words that it
 * holds, with twice and a half the weight where it begins a page; and a page adds what
 * is best of it for each word, wherever that stands.
 *
 * @param {lunr.Index.Result[]} results
 * @param {lunr.Query.Clause[]} words
 * @param {{index: lunr.Index, map: Map}} search of Material; the map is of sections
 */
function ranked(results, words, { index, map }) {
  const page = (ref) => (map.get(ref).parent ?? map.get(ref)).location;
  const add = (sums, key, value) => sums.set(key, (sums.get(key) ?? 0) + value);

  /** How much a section says of a word: the best form in each field, summed. */
  function weight({ ref, matchData: { metadata } }, { term, wildcard }) {
    const best = {};
    for (const [form, fields] of Object.entries(metadata)) {
      if (wildcard ? !form.startsWith(term) : form !== term) continue;
      const posting = index.invertedIndex[form];
      for (const field of Object.keys(fields)) {
        const vector = index.fieldVectors[`${field}/${ref}`];
        const at = vector.positionForIndex(posting._index);
        const often = vector.elements[at + 1] / lunr.idf(posting, map.size);
        best[field] = Math.max(best[field] ?? 0, often);
      }
    }
    return Object.values(best).reduce((sum, often) => sum + often, 0);
  }

  const scores = new Map();
  const shares = new Map();
  const pages = new Map();
  let all = 0;
  for (const word of words) {
    const weights = results.map((result) => [result.ref, weight(result, word)]);
    const holding = weights.filter(([, weight]) => weight);
    const others = map.size - holding.length;
    const rare = Math.log(1 + (others + 0.5) / (holding.length + 0.5));
    const best = new Map();
    all += rare;
    for (const [ref, weight] of holding) {
      add(scores, ref, rare * weight);
      add(shares, ref, rare);
      best.set(page(ref), Math.max(best.get(page(ref)) ?? 0, rare * weight));
    }
    for (const [location, score] of best) add(pages, location, score);
  }
  return results.map((result) => {
    const { ref } = result;
    const own = ((scores.get(ref) ?? 0) * (shares.get(ref) ?? 0)) / all;
    const score = own * (map.get(ref).parent ? 1 : 2.5) + (pages.get(page(ref)) ?? 0);
    return { ...result, score };
  });
}
