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
  // The word itself counts most, then those that begin with it.
  const terms = (word, start = word) => [`${word}^3`, start];

  /** A word that is still being typed, has another ending, or a letter wrong. */
  function latin(word) {
    const stem = lunr.stemmer(new lunr.Token(word)).toString();
    const start = word.startsWith(stem) ? stem : word;
    if (word.length === 1) return [`${word}^3`]; // half the book begins with it
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
