// Typesets formulas until its input ends. One JSON object a line:
// in {tex, display}, out {svg, glyphs: {id: path}, mathml, text} or {error}.
import { createInterface } from "node:readline";
import { init } from "mathjax";

// The output belongs to the replies.
console.log = console.error;

// A line of text may break inside an inline formula wider than this.
const UNBROKEN_EX = 20;
// MathJax draws a letter that its fonts lack (Chinese) at this size, but does not measure it so.
const FALLBACK_SIZE = 0.884;

const { startup } = await init({
  loader: {
    load: ["input/tex-base", "[tex]/ams", "[tex]/boldsymbol", "output/svg", "adaptors/liteDOM"],
  },
  tex: {
    // Neither noundefined nor noerrors, which would print a mistake in red and go on;
    // nor newcommand: a formula means the same wherever it stands.
    packages: ["base", "ams", "boldsymbol"],
    formatError: (_, error) => { throw error; },
  },
  // The names of glyphs are the same in every formula; we empty the cache before each.
  svg: { fontCache: "global", useXlink: false },
  startup: { typeset: false },
});
const { adaptor, document, mathjax, output, visitor } = startup;
adaptor.options.cjkCharWidth = FALLBACK_SIZE;
adaptor.options.unknownCharWidth *= FALLBACK_SIZE;

// --- What is drawn -----------------------------------------------------------

const NO_MEANING = /^(data-(?!(line|frame)$).*|class|focusable|role|xmlns|font-family)$/;
const escape = (text) =>
  text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

function attributes(node) {
  return adaptor.allAttributes(node)
    // The colour and the thin outline of a glyph come from mathematics.css.
    .filter(({ name, value }) => !NO_MEANING.test(name) && value !== "currentColor")
    .filter(({ name, value }) => name !== "stroke-width" || value !== "0")
    .map(({ name, value }) => ` ${name}="${escape(value).replace(/;$/, "")}"`)
    .join("");
}

// A piece of SVG without what is empty and what only MathJax in a browser reads.
function drawn(node, glyphs) {
  const kind = adaptor.kind(node);
  if (kind === "#text") return escape(adaptor.value(node));
  if (kind === "use" && !glyphs[adaptor.getAttribute(node, "href").slice(1)]) return "";
  const inside = adaptor.childNodes(node).map((child) => drawn(child, glyphs)).join("");
  const outside = attributes(node);
  if (kind === "g" && !(inside && outside)) return inside;
  if (kind === "g" && /^<use href="[^"]*"\/>$/.test(inside)) return inside.replace("/", `${outside}/`);
  return inside ? `<${kind}${outside}>${inside}</${kind}>` : `<${kind}${outside}/>`;
}

// The space that MathJax leaves between two pieces, in em of its font.
function space(gap) {
  const size = adaptor.getAttribute(gap, "size");
  const em = size ? [0, 1, 2, 3, 4, 5].map((n) => (n ? (n + 1) / 18 : 0))[size]
    : 1 + parseFloat(adaptor.getStyle(gap, "letter-spacing") || -1);
  return output.ex(em);
}

// The SVG of a formula: one, or several between which a line may break.
function pieces(container, glyphs) {
  for (const gap of adaptor.childNodes(container)) {
    if (adaptor.kind(gap) !== "mjx-break") continue;
    const piece = adaptor.previous(gap);
    // To the left of the gap, so that the next line begins without it.
    if (piece) adaptor.setStyle(piece, "margin-right", space(gap));
  }
  return adaptor.childNodes(container)
    .filter((child) => adaptor.kind(child) === "svg")
    .map((svg) => drawn(sized(svg), glyphs))
    .join("");
}

// With its size in its style, a drawing keeps its place while nothing of it is drawn.
function sized(svg) {
  for (const side of ["width", "height"]) {
    adaptor.setStyle(svg, side, adaptor.getAttribute(svg, side));
    adaptor.removeAttribute(svg, side);
  }
  return svg;
}

// What the cache holds since it was emptied: id -> outline, where there is one to draw.
function drawnGlyphs() {
  const paths = adaptor.childNodes(output.fontCache.getCache());
  const glyphs = paths.map((path) => ["id", "d"].map((name) => adaptor.getAttribute(path, name)));
  return Object.fromEntries(glyphs.filter(([, outline]) => outline));
}

// --- What is read ------------------------------------------------------------

function spoken(root) {
  return visitor.visitTree(root)
    .replace(/ (data-[\w-]+|xmlns|class)="[^"]*"| linebreak="nobreak"/g, "")
    .replace(/\n */g, "")
    .replace(/&#x([0-9A-F]+);/g, (_, code) => String.fromCodePoint(parseInt(code, 16)));
}

// What MathJax knows of each operator.
const [BINARY, RELATION, OPENING, CLOSING] = [2, 3, 4, 5];

const ACCENTS = { "^": "\u0302", "~": "\u0303", "¯": "\u0304", "˙": "\u0307", "→": "\u20D7" };
const INVISIBLE = /[\u2061-\u2064]/g;
const BELOW = ["msub", "munder", "msubsup", "munderover"];
const ABOVE = ["msup", "mover", "msubsup", "munderover"];

// A formula in one line of plain text, for titles and the search: ∂ℓ/∂W, x_i^2, √(a + b).
function plain(node) {
  const parts = node.childNodes?.map(plain) ?? [];
  const group = (part) => (/[\s/]/.test(part) ? `(${part})` : part);
  const script = (mark, part) => (!part || /^[′″‴]+$/.test(part) ? part ?? "" : mark + group(part));
  const accent = (part) => ACCENTS[part] ?? "";
  if (node.isKind("text")) return node.getText().replace(INVISIBLE, "");
  if (node.isKind("mo") && [BINARY, RELATION].includes(node.texClass)) return ` ${parts.join("")} `;
  if (node.isKind("mspace")) return " ";
  if (node.isKind("mfrac")) return `${group(parts[0])}/${group(parts[1])}`;
  if (node.isKind("msqrt")) return `√${group(parts.join(""))}`;
  if (node.isKind("mtd")) return `${parts.join("")} `;
  if (node.isKind("mtr")) return `${parts.join("")}; `;
  if (node.isKind("mover") && node.attributes.get("accent")) return parts[0] + accent(parts[1]);
  const below = BELOW.includes(node.kind) ? parts[1] : "";
  const above = ABOVE.includes(node.kind) ? parts.at(-1) : "";
  if (below || above) {
    // The space around ⋆ goes around ⋆_full.
    const [, before, base, after] = parts[0].match(/^(\s*)(.*?)(\s*)$/);
    return before + base + script("_", below) + script("^", above) + after;
  }
  return parts.join("");
}

// --- Where a line may break --------------------------------------------------

// Not between two brackets: f(a + b) stays whole.
function keepBrackets(row, depth = 0) {
  for (const child of row.childNodes) {
    if (child.isKind("mstyle")) depth = keepBrackets(child.childNodes[0], depth);
    if (!child.isEmbellished) continue;
    const operator = child.coreMO();
    if (operator.texClass === CLOSING) depth = Math.max(depth - 1, 0);
    if (depth) operator.attributes.set("linebreak", "nobreak");
    if (operator.texClass === OPENING) depth += 1;
  }
  return depth;
}

// --- The two together --------------------------------------------------------

// Typesetting is done again whenever MathJax finds that it must load more of a font.
function converted(tex, display) {
  return mathjax.handleRetriesFor(() => {
    output.clearFontCache();
    const item = new document.options.MathItem(tex, document.inputJax[0], display);
    item.setMetrics(16, 8, 1e6, 1);
    item.compile(document);
    item.root.setTeXclass(null);
    if (!display) keepBrackets(item.root.childNodes[0]);
    item.convert(document);
    return item;
  });
}

async function typeset({ tex, display }) {
  output.options.linebreaks.inline = false;
  let item = await converted(tex, display);
  const width = adaptor.getAttribute(adaptor.firstChild(item.typesetRoot), "width");
  if (!display && parseFloat(width) > UNBROKEN_EX) {
    output.options.linebreaks.inline = true;
    item = await converted(tex, display);
  }
  const glyphs = drawnGlyphs();
  return {
    svg: pieces(item.typesetRoot, glyphs),
    glyphs,
    mathml: spoken(item.root),
    text: plain(item.root).replace(/\s+/g, " ").trim().normalize(),
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const reply = await typeset(JSON.parse(line)).catch((error) => ({ error: error.message }));
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
