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
    box.setAttribute("role", "group");
    // What has the focus may not be hidden from screen readers; the drawing in it may.
    if (!box.hasAttribute("aria-hidden")) return;
    box.removeAttribute("aria-hidden");
    for (const drawing of box.children) drawing.setAttribute("aria-hidden", "true");
  };

  addEventListener("load", () => { // when Material has put tables in their boxes
    const sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => reach(target)));
    document.querySelectorAll("div.formula .drawn, .md-typeset__scrollwrap")
      .forEach((box) => sizes.observe(box));
  });

  // The button of the menu is a label, which keys do not reach.
  const menu = document.querySelector("label.md-header__button[for=__drawer]");
  menu.tabIndex = 0;
  menu.setAttribute("role", "button");
  menu.setAttribute("aria-label", document.querySelector(".md-nav--primary").ariaLabel);
  menu.addEventListener("keydown", (event) => { // Material knows Enter
    if (event.key !== " ") return;
    event.preventDefault();
    menu.click();
  });

  const search = document.querySelector(".md-search");
  search?.setAttribute("aria-label", search.querySelector("input").placeholder);
}
