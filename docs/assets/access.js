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

  // The buttons of a block of code, which it gets when it is seen, are no navigation of the page.
  const buttons = new MutationObserver((changes) => changes.forEach(({ target }) =>
    target.querySelector(":scope > nav")?.setAttribute("role", "none")));
  document.querySelectorAll(".highlight pre").forEach((block) => buttons.observe(block, { childList: true }));

  // The button of the menu is a label, which keys do not reach: a button in it is.
  const menu = document.querySelector("label.md-header__button[for=__drawer]");
  const button = document.createElement("button");
  button.type = "button";
  button.ariaLabel = document.querySelector(".md-nav--primary").ariaLabel;
  button.append(...menu.childNodes);
  button.addEventListener("click", () => document.getElementById("__drawer").click());
  menu.append(button);

  // The menu, too, leads to each heading, and to each page from which code imports.
  document.querySelectorAll(".headerlink, .highlight a").forEach((link) => {
    link.tabIndex = -1;
  });

  const search = document.querySelector(".md-search");
  search?.setAttribute("aria-label", search.querySelector("input").placeholder);
  // It waits for keys; what is pasted, spoken or chosen in an input method comes without.
  search?.addEventListener("input", ({ target }) => target.dispatchEvent(new Event("keyup")));
}
