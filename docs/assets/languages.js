// The language switch leads to the same place on the page, in the same setting.

"use strict";

{
  const links = document.querySelectorAll(".md-select__link");
  links.forEach((link) => {
    if (link.pathname === location.pathname) link.tabIndex = -1; // it leads here
  });
  const keep = () => links.forEach((link) => {
    link.hash = location.hash;
    link.search = location.search;
  });
  keep();
  // The address can change without an event, the link is used after one.
  for (const event of ["hashchange", "pointerdown", "keydown"]) addEventListener(event, keep);

  // Who has scrolled away from what the address names, or from the top, is led to the
  // heading that was passed last.
  const follow = () => {
    const named = document.getElementById(location.hash.slice(1))?.getBoundingClientRect();
    if (named ? named.bottom > 0 && named.top < innerHeight : scrollY < innerHeight / 2) return;
    const passed = [...document.querySelectorAll(".md-content :is(h2, h3)[id]")].findLast((heading) => heading.getBoundingClientRect().top < innerHeight / 4);
    links.forEach((link) => { link.hash = passed?.id ?? ""; });
  };
  links.forEach((link) => link.addEventListener("click", follow));

  // Below each <link rel="alternate"> Material asks for a site map, finds none, and would
  // lead to the top. It looks for the word alone; a space more means nothing to others.
  document.querySelectorAll("link[rel=alternate]").forEach((link) => { link.rel += " "; });
}
