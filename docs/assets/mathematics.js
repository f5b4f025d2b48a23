// A copied formula is its TeX: $…$ in a line, $$…$$ on display. A right click selects the
// formula, so that the browser's own menu copies it; so do the keys t and T, which go to
// the next formula and to the one before.

"use strict";

{
  function source(formula) {
    const dollars = formula.matches("div") ? "$$" : "$";
    return dollars + formula.querySelector("[data-tex]").dataset.tex + dollars;
  }

  function formulaAround(node) {
    const element = node?.nodeType === Node.TEXT_NODE ? node.parentElement : node;
    return element?.closest?.(".formula");
  }

  // --- Copying ---------------------------------------------------------------

  // What is selected, with the formulas at its ends whole.
  function selected(selection) {
    const range = selection.getRangeAt(0).cloneRange();
    const first = formulaAround(range.startContainer);
    const last = formulaAround(range.endContainer);
    if (first) range.setStartBefore(first);
    if (last) range.setEndAfter(last);
    const copy = document.createElement("div");
    copy.append(range.cloneContents());
    return copy;
  }

  document.addEventListener("copy", (event) => {
    const selection = getSelection();
    if (!selection.rangeCount || event.defaultPrevented) return;
    const copy = selected(selection);
    const formulas = copy.querySelectorAll(".formula");
    if (!formulas.length) return;
    formulas.forEach((formula) => {
      formula.replaceChildren(source(formula));
      formula.style.whiteSpace = "pre"; // a comment in TeX ends with its line
    });
    copy.querySelectorAll(".headerlink").forEach((link) => link.remove());
    // Only text on the page has its line breaks.
    document.body.append(copy);
    event.clipboardData.setData("text/plain", copy.innerText);
    event.clipboardData.setData("text/html", copy.innerHTML);
    copy.remove();
    event.preventDefault();
  });

  // --- Selecting -------------------------------------------------------------

  const select = (formula) => getSelection().selectAllChildren(formula);

  // Browsers show no selection in a drawing.
  let shown = null;
  document.addEventListener("selectionchange", () => {
    const { anchorNode, isCollapsed } = getSelection();
    shown?.classList.remove("selected");
    shown = isCollapsed ? null : formulaAround(anchorNode);
    shown?.classList.add("selected");
  });

  document.addEventListener("contextmenu", ({ target }) => {
    const formula = formulaAround(target);
    // Where more is selected, that is to be copied; a link has a menu of its own.
    if (!formula || target.closest("a")) return;
    const selection = getSelection();
    if (selection.isCollapsed || !selection.containsNode(formula, true)) select(formula);
  });

  const onScreen = (formula) => {
    const { top, bottom } = formula.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  };

  document.addEventListener("keydown", (event) => {
    const step = { t: 1, T: -1 }[event.key];
    const typed = event.target.closest("input, select, textarea, [contenteditable]");
    if (!step || typed || event.ctrlKey || event.metaKey || event.altKey) return;
    const formulas = [...document.querySelectorAll("article .formula")]
      .filter((formula) => formula.checkVisibility());
    const last = formulas.indexOf(formulaAround(getSelection().anchorNode));
    const next = last >= 0 && onScreen(formulas[last])
      ? formulas[last + step]
      : formulas.find(onScreen);
    if (!next) return;
    select(next);
    next.scrollIntoView({ block: "nearest" });
  });
}
