"use strict";
(() => {
  const pieces = JSON.parse(document.getElementById("pieces").textContent);
  for (const { slug, files } of pieces) for (const kind in files) files[kind] = `${slug}/${files[kind]}`;
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const points = matchMedia("(hover: hover)");
  const cards = new Map(pieces.map((piece) => [piece.slug, document.getElementById(`piece-${piece.slug}`)]));

  // ---- playing in the grid: one video, moved to where it is wanted ----

  const film = make("video", { muted: true, loop: true, playsInline: true, preload: "none", tabIndex: -1 });
  film.setAttribute("aria-hidden", "true");
  film.addEventListener("playing", () => film.classList.add("shown"));
  let playing = null, waiting = 0;

  function stop() {
    clearTimeout(waiting);
    if (!playing) return;
    film.pause();
    film.classList.remove("shown");
    film.removeAttribute("src");
    film.load();
    film.remove();
    one(".play", cards.get(playing.slug)).setAttribute("aria-pressed", "false");
    playing = null;
  }

  function play(piece) {
    stop();
    playing = piece;
    const card = cards.get(piece.slug);
    film.src = piece.files.progress;
    one(".picture", card).append(film);
    one(".play", card).setAttribute("aria-pressed", "true");
    film.play().catch(() => {});  // Leaving the picture before the video begins interrupts it.
  }

  for (const piece of pieces) {
    const card = cards.get(piece.slug), picture = one(".picture", card), button = one(".play", card);
    button.hidden = false;
    button.addEventListener("click", () => (playing === piece ? stop() : play(piece)));
    picture.addEventListener("pointerenter", (event) => {
      if (event.pointerType !== "mouse" || !points.matches || calm.matches || playing === piece) return;
      clearTimeout(waiting);
      waiting = setTimeout(play, 150, piece);  // Ignore a pointer that only passes over it.
    });
    picture.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse") stop();
    });
    one(".open", card).addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      open(piece);
    });
  }

  // ---- filters and order, which the address keeps ----

  const filter = one(".filter"), selects = all("select", filter), filters = all("[data-filter]", filter);
  const empty = one(".empty"), grid = one(".grid");
  const items = [...grid.children];
  filter.hidden = pieces.length < 2;
  const matches = (piece) => filters.every(({ name, value }) => !value || piece[name].includes(value));
  const within = (item) => pieces.filter(({ slug }) => item.contains(cards.get(slug)));
  const kindOf = (item) => within(item)[0]?.primitives.join() ?? "";
  let ordered = pieces;
  const visible = () => ordered.filter(matches);

  function applyFilter() {
    stop();
    for (const piece of pieces) cards.get(piece.slug).hidden = !matches(piece);
    const sorted = filter.elements.order.value
      ? items.toSorted((a, b) => kindOf(a).localeCompare(kindOf(b))) : items;
    grid.append(...sorted);
    grid.classList.toggle("wall", filter.elements.view.value === "wall");
    ordered = sorted.flatMap(within);
    const count = pieces.filter(matches).length;
    one("[role=status]", filter).textContent = count === pieces.length
      ? `${count} pieces` : `${count} of ${pieces.length} pieces`;
    empty.hidden = count > 0 || !pieces.length;
    const [of, by] = filters.map(({ value }) => value);
    one("span", empty).textContent = `No piece is made of ${of} by ${by}.`;
  }

  function keepInAddress() {
    applyFilter();
    const asked = new URLSearchParams(selects.filter(({ value }) => value).map(({ name, value }) => [name, value]));
    history.replaceState(history.state, "", `${location.pathname}${asked.size ? `?${asked}` : ""}${location.hash}`);
  }

  filter.addEventListener("change", keepInAddress);
  filter.addEventListener("submit", (event) => event.preventDefault());
  one("button", empty).addEventListener("click", () => {
    for (const select of filters) select.value = "";
    keepInAddress();
    one("summary", filter).focus();
  });
  for (const [name, value] of new URLSearchParams(location.search)) {
    const select = selects.find((each) => each.name === name);
    if (select && [...select.options].some((option) => option.value === value)) select.value = value;
  }
  one("details", filter).open = selects.some(({ value }) => value);
  applyFilter();

  // ---- the lightbox ----

  const box = one(".box"), view = one(".view", box), views = one(".views", box);
  let shown = null;

  const picture = (src, alt, className = "") => make("img", { src, alt, className });
  const kinds = {
    Result: ({ files, alt }) => [picture(files.result, alt)],
    Making: ({ files }) => [make("video", {
      src: files.progress, controls: true, muted: true, loop: true, playsInline: true,
      autoplay: !calm.matches, poster: files.poster,
    })],
    Thing: ({ files, title }) => [picture(files.thing, `${title}, as a thing that is made`)],
    Compare: ({ files, alt }) => {
      const slider = make("input", { type: "range", min: 0, max: 100, value: 50 });
      slider.setAttribute("aria-label", "How much of the target is shown, in percent");
      const move = () => view.style.setProperty("--at", `${slider.value}%`);
      slider.addEventListener("input", move);
      move();
      return [
        picture(files.result, alt), picture(files.target, "The target", "target"), slider,
        make("span", { className: "edge" }),
        make("span", { className: "side left", textContent: "target" }),
        make("span", { className: "side right", textContent: "result" }),
      ];
    },
    Explore: ({ files, title }) => {
      const page = make("iframe", { src: `${files.explore}#dark`, title: `${title}, zoomable` });
      page.setAttribute("sandbox", "allow-scripts allow-downloads");
      page.setAttribute("allow", "fullscreen");
      return [page];
    },
    Errors: ({ files }) => [picture(files.errors, "Difference from the target: brighter is larger")],
  };
  const available = ({ files }) => Object.keys(kinds).filter(
    (kind) => kind === "Explore" ? files.explore : kind === "Thing" ? files.thing
      : files.target && files.errors || (kind !== "Compare" && kind !== "Errors"));

  function look(kind) {
    view.replaceChildren(...kinds[kind](shown));
  }

  function fill(piece) {
    shown = piece;
    one("#box-title").textContent = piece.title;
    one(".text", box).textContent = piece.text;
    one(".command", box).textContent = [piece.command, piece.make].filter(Boolean).join("\n");
    one(".recipe", box).textContent = piece.recipe;
    one(".metrics", box).replaceChildren(...piece.metrics.flatMap(([name, value]) => [
      make("dt", { textContent: name }), make("dd", { textContent: value })]));
    const links = { still: piece.files.final, video: piece.files.progress, drawing: piece.files.drawing, page: piece.files.explore, "guide (PDF)": piece.files["guide-a4"], "all to make it (ZIP)": piece.files.make, "open in the studio": piece.studio };
    one(".files", box).replaceChildren(...Object.entries(links).filter(([, href]) => href).flatMap(([name, href]) => [
      make("a", { href, textContent: name }), " "]));
    view.style.setProperty("--ratio", piece.width / piece.height);
    const before = one(":checked", views)?.value;
    const offered = available(piece), kind = offered.includes(before) ? before : offered[0];
    all("label", views).forEach((label) => label.remove());
    views.append(...offered.map((value) => make("label", {},
      make("input", { type: "radio", name: "view", value, checked: value === kind }), value)));
    look(kind);
    history.replaceState(history.state, "", `#${piece.slug}`);
  }

  // An open piece is an entry of the history, so that Back closes it. Going back takes a moment: what
  // is opened meanwhile waits for it.
  let leaving = false, next = null;

  function open(piece) {
    if (leaving) {
      next = piece;
      return;
    }
    stop();
    if (!box.open && location.hash !== `#${piece.slug}`) {
      history.scrollRestoration = "manual";
      history.pushState({ opened: true }, "", `#${piece.slug}`);
    }
    fill(piece);
    if (!box.open) box.showModal();
    box.scrollTop = one(".about", box).scrollTop = 0;
  }

  function turn(by) {
    const row = visible().includes(shown) ? visible() : ordered;
    fill(row[(row.indexOf(shown) + by + row.length) % row.length]);
  }

  async function copy(button) {
    const source = one(`.${button.dataset.copy}`, box);
    let said = "Copied";
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {  // Not allowed everywhere: select the text, for the reader to copy.
      getSelection().selectAllChildren(source);
      said = "Selected";
    }
    button.textContent = said;
    one("[role=status]", box).textContent = said;
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }

  views.addEventListener("change", (event) => look(event.target.value));
  one(".close", box).addEventListener("click", () => box.close());
  one(".previous", box).addEventListener("click", () => turn(-1));
  one(".next", box).addEventListener("click", () => turn(1));
  for (const button of all("[data-copy]", box)) button.addEventListener("click", () => copy(button));
  box.addEventListener("click", (event) => { if (event.target === box) box.close(); });
  box.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.target.closest("input, video, pre")) return;  // They use the arrow keys themselves.
    event.preventDefault();
    turn(step);
  });
  box.addEventListener("close", () => {
    view.replaceChildren();
    if (history.state?.opened) {
      leaving = true;
      history.back();
    } else {
      history.replaceState(null, "", location.pathname + location.search);
    }
    one(".open", cards.get(shown.slug)).focus();
  });

  const asked = () => pieces.find(({ slug }) => `#${slug}` === location.hash);
  addEventListener("popstate", () => {
    history.scrollRestoration = "auto";
    const piece = next ?? asked();
    leaving = false;
    next = null;
    if (piece && !(box.open && piece === shown)) open(piece);
    else if (!piece && box.open) box.close();
  });
  if (asked()) open(asked());
})();
