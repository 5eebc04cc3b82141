// Tables that are wider than the screen can be scrolled by the keyboard.
document$.subscribe(() =>
  requestAnimationFrame(() => {
    for (const region of document.querySelectorAll(".md-typeset__scrollwrap")) region.tabIndex = 0;
  }),
);
