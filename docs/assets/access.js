// For readers without a mouse or a screen: what Material leaves undone.

"use strict";

{
  // What scrolls sideways can be reached with Tab, and then scrolled with the arrows.
  const reach = (box) => {
    if (box.scrollWidth <= box.clientWidth) {
      box.removeAttribute("tabindex");
      return;
    }
    box.tabIndex = 0;
    if (!box.matches("code")) box.setAttribute("role", "group");
    // What has the focus may not be hidden from screen readers; the drawing in it may.
    if (!box.hasAttribute("aria-hidden")) return;
    box.removeAttribute("aria-hidden");
    for (const drawing of box.children) drawing.setAttribute("aria-hidden", "true");
  };

  addEventListener("load", () => { // when Material has made its boxes
    const sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => reach(target)));
    document.querySelectorAll("div.formula .drawn, .highlight code, .md-typeset__scrollwrap")
      .forEach((box) => sizes.observe(box));
  });

  // The button that copies a block of code, which comes when the block is seen. Tab passes
  // it over: c goes to the next one, C to the one before. It is no navigation of the page.
  const blocks = [...document.querySelectorAll(".highlight pre")];
  const button = (block) => block?.querySelector(".md-code__button");
  let awaited = null;
  const made = new MutationObserver((changes) => changes.forEach(({ target }) => {
    if (!button(target)) return;
    button(target).tabIndex = -1;
    button(target).parentElement.setAttribute("role", "none");
    if (target !== awaited) return;
    awaited = null;
    button(target).focus();
  }));
  for (const block of blocks) made.observe(block, { childList: true });

  addEventListener("keydown", (event) => {
    const step = { c: 1, C: -1 }[event.key];
    const typed = event.target.closest("input, select, textarea, [contenteditable]");
    if (!step || typed || event.ctrlKey || event.metaKey || event.altKey) return;
    const shown = blocks.filter((block) => !block.closest(".output") && block.checkVisibility());
    const below = (block) => block.getBoundingClientRect().bottom > 0;
    const last = shown.indexOf(document.activeElement.closest("pre"));
    const next = last >= 0 ? shown[last + step] : shown.find(below);
    awaited = button(next) ? null : next;
    next?.scrollIntoView({ block: "nearest" });
    button(next)?.focus();
  });

  // The button of the menu is a label, which keys do not reach: a button in it is.
  const menu = document.querySelector("label.md-header__button[for=__drawer]");
  const opener = document.createElement("button");
  opener.type = "button";
  opener.ariaLabel = document.querySelector(".md-nav--primary").ariaLabel;
  opener.append(...menu.childNodes);
  opener.addEventListener("click", () => document.getElementById("__drawer").click());
  menu.append(opener);

  // The menu, too, leads to each heading, and to each page from which code imports; the
  // list of languages opens when a link in it has the focus.
  document.querySelectorAll(".headerlink, .highlight a, .md-select > button").forEach((link) => {
    link.tabIndex = -1;
  });

  const search = document.querySelector(".md-search");
  search?.setAttribute("aria-label", search.querySelector("input").placeholder);
  // It waits for keys; what is pasted, spoken or chosen in an input method comes without.
  search?.addEventListener("input", ({ target }) => target.dispatchEvent(new Event("keyup")));
}
