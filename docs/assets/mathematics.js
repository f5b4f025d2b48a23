// A copied formula is its TeX: $…$ in a line, $$…$$ on display.

"use strict";

{
  function source(formula) {
    const dollars = formula.matches("div") ? "$$" : "$";
    return dollars + formula.querySelector("[title]").title + dollars;
  }

  function formulaAround(node) {
    return (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement)?.closest(".formula");
  }

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
}
