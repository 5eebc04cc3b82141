// ---- page: draws when something changed, coarsely while it changes, and says what it shows ----

const one = (id) => document.getElementById(id);
/** Milliseconds for a strip and for a coarse picture, its least share of pixels, the most of a sharp one. */
const BUSY = 12, QUICK = 36, COARSEST = 1 / 8, LARGEST = 2 ** 22;
/** A side that every graphics card with WebGL 2 draws. */
const TILE = 2048;
const total = Math.max(...piece.scenes.map(({ most }) => most));
/** Milliseconds after which the page says that it is still drawing. */
const LONG = 500;
const state = { parts: total, seconds: 0, rate: 1e-3, cost: 1e-3, share: 0 };
const sheet = document.createElement("canvas"), paper = sheet.getContext("2d", { alpha: false });
const screen = one("picture").getContext("2d");
let painter = null, wanted = 0, shown = 0, running = false, failed = false, moved = 0, queued = 0, last = null, turn = Promise.resolve(), waiting = [];
if (self !== top) document.documentElement.classList.add("framed");
// A page that embeds this one may ask for its dark theme.
if (location.hash === "#dark") document.documentElement.classList.add("dark");

const nextFrame = () => new Promise((resolve) => {
  requestAnimationFrame(resolve);
  setTimeout(resolve, 100);  // A page that is not seen has no frames.
});

/** One drawing at a time; the painter has one canvas. */
function alone(work) {
  queued++;
  const result = turn.then(work).finally(() => { queued--; });
  turn = result.catch(() => {});
  return result;
}

/** Draw in strips that take a moment each, unless `stale` says that nobody waits for it any more. */
async function paint(spec, stale = () => false) {
  if (painter === null || painter.lost) painter = new Painter();
  const began = performance.now();
  state.share = 0;
  await painter.begin(spec);
  for (let top = 0; top < spec.height;) {
    const rows = Math.max(1, Math.ceil(spec.height / Painter.strips), Math.round(BUSY / (state.rate * spec.width)));
    const bottom = Math.min(spec.height, top + rows), start = performance.now();
    painter.strip(top, bottom);
    await painter.done();
    // The time of one strip says how many rows the next one should have, within reason.
    const measured = (performance.now() - start) / (spec.width * (bottom - top));
    state.rate = Math.min(Math.max(measured, state.rate / 4, 1e-6), state.rate * 4);
    top = bottom;
    state.share = top / spec.height;
    if (top < spec.height && stale()) return false;
  }
  state.cost = (performance.now() - began) / (spec.width * spec.height);
  return true;
}

/** Keep what was drawn, and where in the picture that is. */
function keep(spec) {
  sheet.width = spec.width;
  sheet.height = spec.height;
  const [source, left, top, width, height] = painter.source(spec);
  paper.drawImage(source, left, top, width, height, 0, 0, width, height);
  last = spec;
}

/** Show what there is, where it belongs now. */
function present() {
  const { width, height } = view, { left, top, pixel, ...now } = view.visible();
  screen.clearRect(0, 0, width, height);
  if (!last) return;
  const scale = last.pixel / pixel, exact = Math.abs(scale - 1) < 1e-9;
  let x = left + now.width / 2 + (last.x - now.x) / pixel - (last.width * scale) / 2;
  let y = top + now.height / 2 + (last.y - now.y) / pixel - (last.height * scale) / 2;
  if (exact) [x, y] = [Math.round(x), Math.round(y)];
  screen.save();
  screen.beginPath();
  screen.rect(left, top, now.width, now.height);
  screen.clip();
  screen.imageSmoothingEnabled = !exact;
  screen.imageSmoothingQuality = "high";
  screen.drawImage(sheet, x, y, last.width * scale, last.height * scale);
  screen.restore();
}

/** Whether what is kept would show this better than a picture of these pixels. */
function known(spec) {
  if (!last || last.parts !== spec.parts || last.seconds !== spec.seconds || last.pixel > spec.pixel) return false;
  return [["x", "width"], ["y", "height"]].every(([at, size]) =>
    Math.abs(last[at] - spec[at]) <= (last[size] * last.pixel - spec[size] * spec.pixel) / 2 + spec.pixel);
}

/** What is seen now, drawn with a share of its pixels. */
function seen(fraction) {
  const { left, top, width, height, pixel, x, y } = view.visible();
  const side = pixel / fraction, across = Math.ceil(width * fraction), down = Math.ceil(height * fraction);
  return {
    width: across, height: down, pixel: side, parts: state.parts, seconds: state.seconds,
    x: x + (across * side - width * pixel) / 2, y: y + (down * side - height * pixel) / 2,
  };
}

async function run() {
  if (running || failed) return;
  running = true;
  try {
    while (shown !== wanted) {
      await nextFrame();
      const busy = setInterval(sayBusy, LONG);
      await draw(wanted).finally(() => clearInterval(busy));
      one("busy").hidden = true;
    }
  } catch (error) {
    fail(error);
  }
  running = false;
  if (shown === wanted) waiting.splice(0).forEach((resolve) => resolve());
}

/** Draw what was asked for by the change `goal`: coarsely where that is sooner, then sharply. */
async function draw(goal) {
  // What was asked for by others does not wait for the sharp picture.
  const late = () => goal !== wanted || queued > 1;
  const { width, height } = view.visible(), full = state.cost * width * height;
  const fraction = Math.min(1, Math.max(COARSEST, Math.sqrt(QUICK / full))), soon = fraction >= 0.9;
  if (!soon && !known(seen(fraction))) {
    const spec = seen(fraction);
    await alone(async () => { await paint(spec); keep(spec); });
    present();
    dispatchDrawn("coarse", goal);
    // Somebody who turns the wheel is likely to go on turning it.
    for (let pause = 0; pause < 4 && !late(); pause++) await new Promise((resolve) => { setTimeout(resolve, 25); });
    if (late()) return;
  }
  const spec = seen(1);
  const whole = await alone(async () => {
    // Where nothing coarse is shown it is drawn to its end, though the view may change all the time.
    const whole = await paint(spec, soon ? () => queued > 1 : late);
    if (whole) keep(spec);
    return whole;
  });
  if (!whole) return;
  present();
  dispatchDrawn("sharp", goal);
  shown = goal;
}

function sayBusy() {
  one("busy").hidden = false;
  one("busy").textContent = `Drawing: ${Math.round(100 * state.share)} %`;
}

function dispatchDrawn(what, goal) {
  document.dispatchEvent(new CustomEvent("drawn", { detail: { what, goal, time: performance.now() } }));
}

function change() {
  wanted++;
  one("zoom").textContent = zoomText(view.zoom);
  // At once what there is, in its new place; a better one follows.
  if (!moved) moved = requestAnimationFrame(() => { moved = 0; present(); dispatchDrawn("moved", wanted); });
  run();
}

function zoomText(zoom) {
  if (zoom >= 1e4) return `${(zoom / 1e3).toLocaleString("en", { maximumFractionDigits: 0 })}k×`;
  return `${zoom.toLocaleString("en", { maximumSignificantDigits: zoom < 100 ? 2 : 4, useGrouping: false })}×`;
}

function fail(error) {
  one("notice").hidden = false;
  one("picture").hidden = true;
  document.querySelector(".controls").hidden = true;
  one("reason").textContent = error instanceof Unable ? error.message : `This picture could not be drawn: ${error.message}`;
  failed = true;
  waiting.splice(0).forEach((resolve) => resolve());
}

// ---- how many parts, and when ----

const few = one("parts"), time = one("seconds");
one("parts-group").hidden = total < 2;
/** The slider is logarithmic: the first parts say most. */
const partsAt = (share) => Math.round(total ** share);
const shareOf = (parts) => (total > 1 ? Math.log(Math.max(1, parts)) / Math.log(total) : 1);

function setParts(parts) {
  state.parts = Math.min(Math.max(1, Math.round(parts)), total);
  few.value = 1000 * shareOf(state.parts);
  one("parts-count").textContent = state.parts.toLocaleString("en");
  change();
}

function setSeconds(seconds) {
  state.seconds = Math.min(Math.max(0, seconds), piece.duration);
  if (time) {
    time.value = (1000 * state.seconds) / piece.duration;
    one("seconds-count").textContent = `${state.seconds.toFixed(1)} s`;
  }
  change();
}

let playing = 0;

/** Play the film or, where there is none, let the parts appear. */
function play(on = !playing) {
  cancelAnimationFrame(playing);
  playing = 0;
  const button = one("play");
  button.setAttribute("aria-pressed", String(on));
  button.setAttribute("aria-label", on ? "Pause" : "Play");
  if (!on) return;
  const length = piece.duration || 6;
  let from = piece.duration ? state.seconds : shareOf(state.parts) * length, begun = null;
  if (from >= length - 1e-3) from = 0;
  const step = (now) => {
    begun ??= now;
    const at = Math.min(length, from + (now - begun) / 1000);
    if (piece.duration) setSeconds(at);
    else setParts(partsAt(at / length));
    if (at < length) playing = requestAnimationFrame(step);
    else play(false);
  };
  playing = requestAnimationFrame(step);
}

// ---- saving ----

/** A picture of its own: of all, or of `zoom` times less around (x, y). */
async function picture({ width = piece.width, height = piece.height, x = 0, y = 0, zoom = 1, parts = total, seconds = state.seconds } = {}) {
  return alone(async () => {
    const copy = Object.assign(document.createElement("canvas"), { width, height }), pixel = 2 / Math.min(width, height) / zoom;
    const paper = copy.getContext("2d", { alpha: false, willReadFrequently: true });
    if (!paper) throw tooLarge();
    for (let top = 0; top < height; top += TILE) for (let left = 0; left < width; left += TILE) {
      const across = Math.min(TILE, width - left), down = Math.min(TILE, height - top);
      const middle = { x: x + (left + across / 2 - width / 2) * pixel, y: y + (top + down / 2 - height / 2) * pixel };
      const spec = { width: across, height: down, ...middle, pixel, parts, seconds };
      await paint(spec);
      const [source, ...from] = painter.source(spec);
      paper.drawImage(source, ...from, left, top, across, down);
    }
    return copy;
  });
}

const tooLarge = () => new Unable("This browser cannot save a picture of this size.");

/** Save what is seen, or say why not, until something else is drawn. */
function save() {
  return saveSeen().catch(({ message }) => {
    one("busy").hidden = false;
    one("busy").textContent = one("status").textContent = message;
  });
}

async function saveSeen() {
  const { pixel } = view;
  const [left, right, top, bottom] = [["x", "width"], ["y", "height"]].flatMap(([axis, size]) => [
    Math.max(-reach[axis], view[axis] - (view[size] / 2) * pixel), Math.min(reach[axis], view[axis] + (view[size] / 2) * pixel)]);
  const across = right - left, down = bottom - top, longest = Math.max(across, down);
  const size = [across, down].map((side) => Math.max(1, Math.round((piece.savedSide * side) / longest)));
  one("status").textContent = "Saving";
  const zoom = (2 * piece.savedSide) / longest / Math.min(...size);
  const copy = await picture({ width: size[0], height: size[1], x: (left + right) / 2, y: (top + bottom) / 2, zoom, parts: state.parts });
  const blob = await new Promise((resolve) => { copy.toBlob(resolve, "image/png"); });
  if (!blob) throw tooLarge();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${piece.title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") || "picture"}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  one("status").textContent = "Saved";
}

function fillScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.().catch(() => {});
}

// ---- buttons, keys, sizes ----

const view = new View(one("picture"), change);
few.addEventListener("input", () => { play(false); setParts(partsAt(few.value / 1000)); });
time?.addEventListener("input", () => { play(false); setSeconds((time.value / 1000) * piece.duration); });
const actions = {
  play: () => play(), in: () => view.glide(STEP), out: () => view.glide(1 / STEP), fit: () => view.go({ x: 0, y: 0, zoom: 1 }), save, full: fillScreen,
};
for (const [id, action] of Object.entries(actions)) one(id).addEventListener("click", () => action());
one("play").hidden = total < 2 && !piece.duration;
one("full").hidden = !document.fullscreenEnabled;

const keys = {
  "+": actions.in, "=": actions.in, "-": actions.out, "0": actions.fit, " ": actions.play, s: save, f: fillScreen,
  ArrowLeft: () => view.move(-view.width / 12, 0), ArrowRight: () => view.move(view.width / 12, 0),
  ArrowUp: () => view.move(0, -view.height / 12), ArrowDown: () => view.move(0, view.height / 12),
};
addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || !Object.hasOwn(keys, event.key)) return;
  // A slider has a use for arrows, a button for space.
  if (event.target.closest("input") && event.key.startsWith("Arrow")) return;
  if (event.target.closest("button") && event.key === " ") return;
  event.preventDefault();
  keys[event.key]();
});

function resize() {
  const { clientWidth: width, clientHeight: height } = one("stage");
  let ratio = Math.min(devicePixelRatio || 1, 2);
  ratio *= Math.min(1, Math.sqrt(LARGEST / Math.max(1, width * height * ratio * ratio)));
  const canvas = one("picture");
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  view.resize(canvas.width, canvas.height);
}

/** The still, until the picture is drawn; a film begins with something else. */
async function showStill() {
  const still = one("poster");
  await still.decode();
  if (last || piece.duration) return;
  const width = still.naturalWidth, height = still.naturalHeight;
  Object.assign(sheet, { width, height });
  paper.drawImage(still, 0, 0);
  last = { width, height, x: 0, y: 0, pixel: 2 / Math.min(width, height), parts: total, seconds: 0 };
  present();
}

/**
 * For tests, and for pages that embed this one:
 * - view() says where one looks, view({ x, y, zoom }) looks elsewhere (canvas units; 1 is all of it)
 * - pixels({ width, height, x, y, zoom, parts, seconds }) draws a picture of its own, as ImageData
 * - settled() waits until what is shown is sharp
 */
window.artgen = Object.freeze({
  view: (to) => { if (to) view.go(to); return { x: view.x, y: view.y, zoom: view.zoom }; },
  pixels: async (options) => {
    const copy = await picture(options);
    return copy.getContext("2d").getImageData(0, 0, copy.width, copy.height);
  },
  settled: () => (failed || shown === wanted ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
});

// The script comes last: where it runs, the file is whole.
one("cut").remove();
one("notice").hidden = true;
document.querySelector(".controls").hidden = false;
showStill().catch(() => {});  // It is not needed where the picture can be drawn.
new ResizeObserver(resize).observe(one("stage"));
resize();
setSeconds(0);
setParts(total);
