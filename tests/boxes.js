// What the scripts of the page "Check your gradient" say, without a browser.
//     node boxes.js SCRIPT… < rows [function, arguments…], as JSON
// prints what each returns, numbers of arrays as texts, since JSON knows no NaN; and of
// what is refused the word, the place and the values.
const { readFileSync } = require("node:fs");
const vm = require("node:vm");

const scope = vm.createContext({});
for (const path of process.argv.slice(2)) vm.runInContext(readFileSync(path, "utf-8"), scope);
const { arrays, read, layers, report } = vm.runInContext("({ arrays, read, layers, report })", scope);

const told = ({ data, ...array }) => ({ ...array, data: Array.from(data, String) });
const every = (texts) => Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, read.array(text)]));

const functions = {
  general: (text, digits) => arrays.general(Number(text), digits),
  read: (text, shape) => told(read.array(text, shape)),
  layer: (name, of, texts, settings) => told(layers[name].gradient(of, every(texts), settings)),
  report: (mine, reference, { given = {}, ...options }) =>
    report(read.array(mine), read.array(reference), { ...options, given: every(given) }),
};

const answer = ([name, ...given]) => {
  try {
    return functions[name](...given);
  } catch (error) {
    if (!error.word) throw error;
    const { box, word, at, values } = error;
    return { box, word, place: at === undefined ? null : read.place(given[0], at), values };
  }
};
process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf-8")).map(answer)));
