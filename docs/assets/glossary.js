// A term shows its name in the other language and its meaning: to the mouse, to a tap,
// and to the keys. The hook glossary.py has put both into its title.

"use strict";

{
  const note = document.createElement("div");
  note.id = "gloss-note";
  note.setAttribute("role", "tooltip");
  note.hidden = true;
  document.body.append(note);
  const terms = document.querySelectorAll(".gloss");
  const other = document.documentElement.lang === "en" ? "zh-Hans" : "en";
  let shown = null;

  terms.forEach((term) => {
    term.tabIndex = 0;
    term.setAttribute("role", "term");
    term.dataset.note = term.title;
    term.removeAttribute("title"); // or browsers would show it a second time
  });

  const place = ({ left, top, bottom }) => {
    const { offsetWidth: width, offsetHeight: height } = note;
    const room = document.documentElement.clientWidth - width - 8;
    // Without a gap, so that the pointer gets there; above, where it would not fit below.
    const above = bottom + height > innerHeight && top > height;
    note.style.left = `${scrollX + Math.max(8, Math.min(left, room))}px`;
    note.style.top = `${scrollY + (above ? top - height : bottom)}px`;
  };

  const show = (term) => {
    if (term === shown) return;
    shown?.removeAttribute("aria-describedby");
    shown = term;
    note.hidden = !term;
    if (!term) return;
    const [, name, meaning] = term.dataset.note.match(/^(.*?)[:：] ?(.*)$/);
    const strong = document.createElement("strong");
    strong.lang = other;
    strong.textContent = name;
    note.replaceChildren(strong, meaning);
    term.setAttribute("aria-describedby", note.id);
    place([...term.getClientRects()].at(-1));
  };

  // What the pointer has left stays while it has the focus.
  const point = ({ target }) => {
    if (note.contains(target)) return;
    show(target.closest(".gloss") ?? document.activeElement.closest(".gloss"));
  };
  addEventListener("pointerover", (event) => event.pointerType === "mouse" && point(event));
  addEventListener("pointerdown", ({ target, pointerType }) => {
    // A mouse may mark words of the note; a tap on it closes it, for it covers a line.
    if (pointerType !== "mouse" || !note.contains(target)) show(target.closest(".gloss"));
  });
  addEventListener("focusin", ({ target }) => show(target.closest(".gloss")));
  addEventListener("focusout", () => show(null));
  addEventListener("keydown", ({ key }) => key === "Escape" && show(null));
  addEventListener("resize", () => show(null));
}
