// Asks the search worker of a site, as Material's script in a page does.
//     node search.js WORKER INDEX < a list of queries, as JSON
// prints for each what it finds: groups of sections, the best first, as JSON.
const { readFileSync } = require("node:fs");
const vm = require("node:vm");

const [worker, index] = process.argv.slice(2).map((path) => readFileSync(path, "utf-8"));
const [SETUP, QUERY] = [0, 2];
let listener;
let told;
const scope = vm.createContext({
  addEventListener: (_, added) => (listener = added),
  postMessage: (message) => told(message),
  console,
});
vm.runInContext("var self = globalThis;", scope);
vm.runInContext(worker, scope);

const ask = (type, data) =>
  new Promise((resolve) => {
    told = resolve;
    listener({ data: { type, data } });
  });

(async () => {
  await ask(SETUP, { ...JSON.parse(index), options: { suggest: true } });
  const found = [];
  for (const query of JSON.parse(readFileSync(0, "utf-8"))) {
    found.push((await ask(QUERY, query)).data.items);
  }
  process.stdout.write(JSON.stringify(found));
})();
