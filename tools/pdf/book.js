// Runs in the home page of a language: all pages of the navigation become one document.
// Throws where a page is missing, a link leads nowhere, or two glyphs share a name.
async ({ words, version, style, published }) => {
  const home = new URL(".", location.href);

  function element(name, attributes = {}, ...children) {
    const made = Object.assign(document.createElement(name), attributes);
    made.append(...children);
    return made;
  }

  // --- The pages, in the order in which they are read ------------------------

  // A name for the page, so that the ids of all pages differ: cnn.stride for cnn/stride/.
  const key = (url) => url.pathname.slice(home.pathname.length, -1).replaceAll("/", ".") || "home";

  async function load(link) {
    const url = new URL(link.getAttribute("href"), home);
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url}: ${response.status}`);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return {
      url,
      key: key(url),
      title: link.textContent.trim(),
      part: link.closest(".md-nav__item--nested")?.querySelector(".md-nav__link").textContent.trim(),
      article: page.querySelector("article"),
      glyphs: page.querySelectorAll("body > svg > defs > path"),
    };
  }

  const links = document.querySelectorAll(".md-nav--primary a.md-nav__link:not([href^='#'])");
  const chapters = await Promise.all([...links].map(load));

  // --- Ids and links ---------------------------------------------------------

  const REFERENCES = ["for", "headers", "aria-labelledby", "aria-describedby"];
  const keys = new Map(chapters.map((chapter) => [chapter.url.href, chapter.key]));

  function redirect(link, url) {
    const to = new URL(link.getAttribute("href"), url);
    const { hash } = to;
    const there = keys.get(to.href.slice(0, to.href.length - hash.length));
    if (there) link.setAttribute("href", hash.length > 1 ? `#${there}:${hash.slice(1)}` : `#${there}`);
    else if (to.origin !== home.origin || published) link.href = to;
    else link.removeAttribute("href"); // a file of a site that has no address
  }

  function own({ article, key, url }) {
    for (const name of ["id", ...REFERENCES]) {
      for (const marked of article.querySelectorAll(`[${name}]`)) {
        const ids = marked.getAttribute(name).split(/\s+/);
        marked.setAttribute(name, ids.map((id) => `${key}:${id}`).join(" "));
      }
    }
    for (const link of article.querySelectorAll("a[href]")) redirect(link, url);
    for (const picture of article.querySelectorAll("img[src]")) {
      picture.loading = "eager";
      picture.src = new URL(picture.getAttribute("src"), url);
    }
  }

  // --- A chapter -------------------------------------------------------------

  const UNPRINTED = "template, script, style, .headerlink, .md-content__button";

  function prepare(chapter, index) {
    const { article, key, part, title } = chapter;
    article.querySelectorAll(UNPRINTED).forEach((unprinted) => unprinted.remove());
    own(chapter);
    article.id = key;
    article.className = "md-typeset chapter";
    const heading = article.querySelector("h1");
    chapter.number = heading.querySelector(".number")?.textContent ?? "";
    if (index === 0) heading.textContent = words.about;
    if (part) heading.before(element("p", { className: "part" }, part));
    article.querySelectorAll("details").forEach((details) => { details.open = true; });
    for (const code of article.querySelectorAll("pre > code")) {
      const lines = code.textContent.split("\n").map((line) => line.length);
      code.style.setProperty("--columns", Math.max(...lines));
    }
    // What stands at the head of its pages.
    const head = JSON.stringify(index ? title : words.about);
    article.style.page = `chapter-${index}`;
    return `@page chapter-${index} { @top-left { content: ${head}; } }\n`;
  }

  // What is drawn is one picture to whoever has the PDF read aloud, and says its TeX.
  function describe({ article }) {
    article.querySelectorAll(".formula .read").forEach((read) => read.remove());
    for (const drawn of article.querySelectorAll(".formula .drawn")) {
      const [first, ...pieces] = drawn.querySelectorAll("svg");
      drawn.removeAttribute("aria-hidden");
      Object.assign(first, { role: "img", ariaLabel: drawn.dataset.tex });
      pieces.forEach((piece) => { piece.ariaHidden = "true"; });
    }
  }

  const heads = chapters.map(prepare);
  chapters.forEach(describe);

  // --- What stands before the chapters ----------------------------------------

  function entry(heading, kind, number = "") {
    const title = element("span", { className: "title" });
    title.append(...heading.cloneNode(true).childNodes);
    title.querySelectorAll(":scope > .number").forEach((own) => own.remove());
    return element(
      "a",
      { className: kind, href: `#${heading.id}` },
      element("span", { className: "number" }, `${number}`),
      title,
      element("span", { className: "leader" }),
      element("span", { className: "page" }),
    );
  }

  function contents() {
    const nav = element("nav", { id: "contents", className: "md-typeset" });
    nav.append(element("h1", {}, words.contents));
    chapters.forEach(({ article, number, part }, index) => {
      if (part !== chapters[index - 1]?.part) {
        nav.append(element("p", { className: "part" }, part ?? ""));
      }
      nav.append(entry(article.querySelector("h1"), "of-chapter", number));
      article.querySelectorAll("h2").forEach((h2) => nav.append(entry(h2, "of-section")));
    });
    return nav;
  }

  document.title = document.querySelector(".md-logo").title;

  function cover() {
    const description = document.querySelector("meta[name=description]").content;
    const lines = [version, words.origin, words.licence, published && home.href];
    return element(
      "section",
      { id: "cover", className: "md-typeset" },
      element("h1", {}, document.title),
      element("p", { className: "description" }, description),
      ...lines.filter(Boolean).map((line) => element("p", {}, line)),
    );
  }

  // The outlines of glyphs: the same name, the same outline.
  function glyphs() {
    const outlines = new Map();
    for (const path of chapters.flatMap((chapter) => [...chapter.glyphs])) {
      const known = outlines.get(path.id) ?? path;
      const [here, there] = [path, known].map((each) => each.getAttribute("d"));
      if (here !== there) throw new Error(`two glyphs are named ${path.id}`);
      outlines.set(path.id, known);
    }
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.append(document.createElementNS(svg.namespaceURI, "defs"));
    svg.firstChild.append(...outlines.values());
    svg.style.display = "none";
    return svg;
  }

  // --- The document ------------------------------------------------------------

  const articles = chapters.map(({ article }) => article);
  document.documentElement.lang = words.lang;
  document.body.replaceChildren(glyphs(), cover(), contents(), ...articles);
  document.body.dataset.mdColorScheme = "default";
  document.head.append(element("style", {}, style, ...heads));

  // Each element becomes an object in the PDF, and half of them colour nothing.
  const LOOK = ["color", "fontWeight", "fontStyle"];
  const looks = (token) => LOOK.map((name) => getComputedStyle(token)[name]).join();
  for (const code of document.querySelectorAll("pre > code")) {
    const plain = [...code.querySelectorAll("span")].filter((token) => looks(token) === looks(code));
    plain.forEach((token) => token.replaceWith(...token.childNodes));
    code.normalize();
  }

  const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
  if (twice.length) throw new Error(`ids that stand twice: ${twice.join(", ")}`);
  const lost = [...document.querySelectorAll("a[href^='#']")].map((link) => link.hash.slice(1))
    .filter((hash) => !document.getElementById(decodeURIComponent(hash)));
  if (lost.length) throw new Error(`links that lead nowhere: ${lost.join(", ")}`);
  await Promise.all([...document.images].map((picture) => picture.decode()));
}
