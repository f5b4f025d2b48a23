// The explorer's arithmetic beside TensorFlow's: node --test, with the file that
// tests/explorer_fixtures.py writes in the environment variable FIXTURES.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runInThisContext } from "node:vm";

// A classic script, run as a browser runs it; its names are then everybody's.
runInThisContext(readFileSync(new URL("../docs/assets/explorer/arithmetic.js", import.meta.url), "utf8"));
const { convolve, terms, unread, loss, difference, changed, extent, outputs, same, pool, matrix,
  softmax, jacobian, crossEntropy } = runInThisContext("arithmetic");

const { convolutions, pools } = JSON.parse(readFileSync(process.env.FIXTURES, "utf8"));

// −0 is 0; nothing else is forgiven.
const positive = (array) => array.map((row) => row.map((value) => value + 0));
const equal = (mine, theirs, what) => assert.deepEqual(positive(mine), positive(theirs), what);

const spans = ({ W, dilation }) => [W, W[0]].map((axis) => extent(axis.length, dilation));

function padding({ mode, explicit, x, stride, ...rest }, span) {
  if (mode === "EXPLICIT") return explicit;
  return [x, x[0]].flatMap((axis, k) => mode === "SAME" ? same(axis.length, span[k], stride) : [0, 0]);
}

const cells = (array) => array.flatMap((row, i) => row.map((_, j) => [i, j]));

test("there are enough of them", () => {
  assert.ok(convolutions.length >= 150);
  assert.ok(pools.length >= 20);
  const ties = pools.filter((given) => {
    const { maxima } = pool({ ...given, padding: padding(given, [given.size, given.size]), average: false });
    return maxima.flat().some((places) => places.length > 1);
  });
  assert.ok(ties.length >= 20);
  for (const mode of ["VALID", "SAME", "EXPLICIT"])
    assert.ok(convolutions.filter((given) => given.mode === mode).length >= 50);
});

for (const [number, given] of convolutions.entries()) {
  const { mode, stride, dilation, x, W } = given;
  const setting = { ...given, padding: padding(given, spans(given)) };
  const what = `${number}: x ${x.length}×${x[0].length}, W ${W.length}×${W[0].length}, stride ${stride}, `
    + `dilation ${dilation}, ${mode} ${setting.padding}`;

  test(`convolution ${what}`, () => {
    const mine = convolve(setting);
    equal(mine.z, given.z, "z");
    equal(mine.dx, given.dx, "dx");
    equal(mine.dW, given.dW, "dW");
    equal(mine.db, [[given.db]], "db");
    assert.deepEqual(outputs([x.length, x[0].length], spans(given), stride, setting.padding),
      [given.z.length, given.z[0].length]);
  });

  test(`the sums of convolution ${what}`, () => {
    const arrays = { z: given.z, dx: given.dx, dW: given.dW, db: [[given.db]] };
    for (const [output, array] of Object.entries(arrays)) {
      for (const cell of cells(array)) {
        const total = terms(setting, output, cell).reduce((sum, term) =>
          sum + Object.entries(term).reduce((product, [name, [i, j]]) => product * setting[name][i][j], 1),
        output === "z" ? given.b : 0);
        assert.equal(total + 0, array[cell[0]][cell[1]] + 0, `${output}[${cell}]`);
      }
    }
  });

  test(`unread rows of convolution ${what}`, () => {
    const { leftover, gaps } = unread(x.length, setting.padding[0], W.length, given.z.length, stride, dilation);
    const used = new Set(cells(given.z).flatMap((cell) =>
      terms(setting, "z", cell).map((term) => term.x[0])));
    const idle = x.map((_, row) => row).filter((row) => !used.has(row));
    // Where no window reads any column, no row is used either.
    if (used.size) assert.deepEqual([...gaps, ...leftover], idle);
    for (const row of idle) assert.ok(given.dx[row].every((value) => value === 0));
  });
}

for (const [number, given] of pools.entries()) {
  const { kind, mode, size, stride, x } = given;
  test(`pool ${number}: ${kind}, x ${x.length}×${x[0].length}, size ${size}, stride ${stride}, ${mode}`, () => {
    const setting = { ...given, padding: padding(given, [size, size]), average: kind === "AVG" };
    const mine = pool(setting);
    equal(mine.z, given.z, "z");
    equal(mine.dx, given.dx, "dx");
  });
}

test("the loss's central differences are the gradients", () => {
  const given = convolutions.find(({ mode, dilation, stride }) => mode === "EXPLICIT" && dilation > 1 && stride > 1);
  const setting = { ...given, padding: given.explicit };
  for (const [name, gradient] of [["x", given.dx], ["W", given.dW]]) {
    for (const cell of cells(gradient)) {
      const slope = difference((h) => loss({ ...setting, [name]: changed(setting[name], cell, h) }), 0.5);
      assert.equal(slope + 0, gradient[cell[0]][cell[1]] + 0);
    }
  }
});

test("rows left over, and rows between: the book's five cases", () => {
  const rows = (H, K, S) => unread(H, 0, K, Math.floor((H - K) / S) + 1, S, 1);
  assert.deepEqual(rows(9, 3, 2), { leftover: [], gaps: [] });
  assert.deepEqual(rows(10, 3, 2), { leftover: [9], gaps: [] });
  assert.deepEqual(rows(7, 5, 3), { leftover: [5, 6], gaps: [] });
  assert.deepEqual(rows(11, 3, 4), { leftover: [], gaps: [3, 7] });
  assert.deepEqual(rows(6, 1, 2), { leftover: [5], gaps: [1, 3] });
});

test("softmax: the Jacobian and the gradient are the slopes", () => {
  const [z, y, h] = [[1.3, -0.4, 0.2, -2], [0.3, 0.5, 1, -0.2], 1e-5];
  const a = softmax(z);
  const near = (mine, slope) => assert.ok(Math.abs(mine - slope) < 1e-9, `${mine} is not ${slope}`);
  const moved = (j, change) => z.map((value, i) => value + (i === j ? change : 0));
  const J = jacobian(a);
  const total = y.reduce((sum, label) => sum + label, 0);
  cells(J).forEach(([i, j]) => near(J[i][j], difference((change) => softmax(moved(j, change))[i], h)));
  a.forEach((_, j) => near(a[j] * total - y[j], difference((change) => crossEntropy(moved(j, change), y), h)));
  assert.deepEqual(softmax([0, 800]), [0, 1]);
  assert.equal(crossEntropy([0, 800], [1, 0]), 800);
});

test("matrix", () => assert.deepEqual(matrix(2, 3, (i, j) => 10 * i + j), [[0, 1, 2], [10, 11, 12]]));
