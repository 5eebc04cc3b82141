// The page: what one does on it, and what happens then.

/** @type {{ kinds: Record<string, Kind>, styles: Style[], samples: { name: string, data: string }[], frame: string }} */
let data;
/** @type {Settings} */
let settings;
/** @type {GPUDevice | null} */
let device = null;
/** @type {Source | null} */
let source = null;
/** @type {Fit | null} */
let fit = null;
/** @type {Show | null} */
let show = null;
/** @type {Mask} */
let mask;
/** What was drawn last, on this side of the graphics card: it outlives a lost device. @type {{ tensors: Tensors, count: number, psnr: number, loss: number, step: number } | null} */
let last = null;
/** @type {Hand} */
let hand;
let running = false, turn = Promise.resolve(), opening = Promise.resolve(), chunk = 1, nextFrame = 0;
/** @type {[number, number][]} */
let points = [];
/** @type {{ tensors: Tensors, count: number }[]} */
let film = [];
/** @type {any[]} */
const past = [];
/** @type {Sketch[]} */
let sketches = [];
const compiled = new Map();
const MOST_PAST = 20, MOST_FRAMES = 150, BUSY = 30, PANELS = 250;
/** Parts of all frames of a film that an undo puts back: twenty larger films would fill the memory. */
const MOST_FILMED = 500_000;

/** One thing at a time touches the fit; what goes wrong pauses it, and is said. @template T @param {() => Promise<T>} work @returns {Promise<T | void>} */
const alone = (work) => inTurn(work).catch(halt);

/** The same, for who says by itself what goes wrong. @template T @param {() => Promise<T>} work @returns {Promise<T>} */
function inTurn(work) {
  const result = turn.then(work);
  turn = /** @type {Promise<any>} */ (result.catch(() => {}));
  return result;
}

/** @param {any} error */
function halt(error) {
  running = false;
  refresh();
  fail(error);
}

/** Say what went wrong. @param {any} error */
function fail(error) {
  const memory = typeof GPUOutOfMemoryError !== "undefined" && error instanceof GPUOutOfMemoryError;
  say(memory ? NO_MEMORY : error instanceof Sentence || error.name === "Unable" ? error.message : `Something went wrong: ${error.message}`);
}

/** @param {string} sentence */
function say(sentence) {
  one("notice").hidden = !sentence;
  one("reason").textContent = sentence;
}

const kind = (chosen = settings) => data.kinds[chosen.primitive];
const variant = (chosen = settings) => kind(chosen).variants[variantKey(kind(chosen), chosen.preset, chosen.options)];

/** Kernels of a variant and a loss. */
async function openKind(chosen = settings) {
  const { params, programs, grows } = variant(chosen), program = withLocks(programs[chosen.loss]);
  const key = `${chosen.primitive} ${chosen.loss} ${variantKey(kind(chosen), chosen.preset, chosen.options)}`;
  if (!device) throw new Sentence(NO_ADAPTER);
  if (!compiled.has(key)) compiled.set(key, await compileProgram(device, program));
  return { params, program, kernels: compiled.get(key), grows: grows && chosen.growth, values: chosen.options };
}

/** Options of the engine, as the recipe of the variant has them. */
function engineOptions(chosen = settings) {
  const { steps, count, seed, growth, speed } = chosen, [stage] = variant(chosen).recipe.stage;
  const still = growth ? {} : { start: 1, move: 0 };
  return { ...stage, ...still, rate: stage.rate * 2 ** speed, steps, count, seed };
}

/** The target at the fitting size, or at the size of what is there already. @param {{ width: number, height: number } | null} size */
function readScene(size) {
  if (!source) throw new Sentence("Choose a picture first.");
  const background = colourOf(settings.background), target = readPixels(source, size ?? scaledSize(source.bitmap, settings.size), background);
  const { width, height } = mask.canvas;
  if (width !== target.width || height !== target.height) mask.clear(target);
  const canvas = /** @type {HTMLCanvasElement} */ (one("target"));
  Object.assign(canvas, { width: target.width, height: target.height });
  canvas.getContext("2d")?.putImageData(toBytes(target), 0, 0);
  return { target, weight: mask.weight(), background };
}

/** A small fit of the same picture. @param {Settings} chosen */
async function beginSketch(chosen) {
  const background = colourOf(chosen.background), picture = /** @type {Source} */ (source);
  const scene = { target: readPixels(picture, scaledSize(picture.bitmap, chosen.size), background), weight: null, background };
  const begun = new Fit(/** @type {GPUDevice} */ (device), await openKind(chosen), scene, engineOptions(chosen));
  begun.start();
  return begun;
}

let sketching = false;

/** Let the sketches learn in turn, while they are seen and nothing else learns. */
async function sketch() {
  if (sketching) return;
  sketching = true;
  const due = () => source && device && !running && /** @type {HTMLDetailsElement} */ (one("styles")).open ? sketches.filter(({ done }) => !done) : [];
  for (let round = due(); round.length; round = due()) {
    for (const each of round) {
      await alone(() => each.turn(beginSketch));
      await new Promise((resolve) => { setTimeout(resolve, 0); });
    }
  }
  sketching = false;
}

/** Sketches of another picture, or on another device. */
function sketchAnew() {
  for (const each of sketches) each.reset();
  sketch();
}

/** Begin anew: with starting values, or with parts that are given. @param {{ tensors: Tensors, count: number, size: { width: number, height: number }, locked: number[], edits?: Edit[], source?: Source | null } | null} given */
async function begin(given = null) {
  one("studio").classList.remove("choosing");
  markStyle();
  const scene = readScene(given?.size ?? null), chosen = await openKind(), options = engineOptions();
  if (given) Object.assign(options, { start: 1, count: given.count });
  // Where there is no memory for it, the present fit stays.
  const next = new Fit(/** @type {GPUDevice} */ (device), chosen, scene, options);
  next.locked = new Set(given?.locked);
  next.edits = given?.edits ?? [];
  next.start(given?.tensors ?? null, given?.count);
  fit?.destroy();
  fit = next;
  points = [];
  film = [];
  nextFrame = 0;
  openShow();
  await look(true);
}

function openShow() {
  if (!fit) return;
  const { params, shaders, blend, columns } = variant(), { target, background } = fit.scene, before = show, focused = document.activeElement === show?.canvas;
  before?.close();
  one("stage").style.setProperty("--aspect", String(target.width / target.height));
  show = new Show(one("picture"), { params, shaders, blend, columns }, target, Math.max(fit.options.count, fit.count), background);
  show.drawn = () => hand.mark();
  showSteps();
  // Who looks closely goes on so, and so does who uses keys.
  if (before?.size.width === target.width && before.size.height === target.height) show.view.go(before.view);
  if (focused) show.canvas.focus();
}

let panelsDue = 0;

/** Measure, and show where the fit is; the panels less often. @param {boolean} all */
async function look(all = false) {
  if (!fit || !show) return;
  const report = await fit.evaluate(), tensors = await fit.tensors();
  last = { tensors, count: fit.count, psnr: report.psnr, loss: report.loss, step: fit.step };
  if (Number.isFinite(report.loss)) points.push([fit.step, report.loss]);
  if (fit.step >= nextFrame && film.length < MOST_FRAMES) {
    film.push({ tensors, count: fit.count });
    nextFrame = Math.max(fit.step + 1, Math.ceil(fit.step * 1.05));
  }
  show.update(tensors, fit.count);
  hand.follow();
  refresh();
  if (!all && performance.now() < panelsDue) return;
  const picture = await fit.picture(), canvas = /** @type {HTMLCanvasElement} */ (one("error"));
  Object.assign(canvas, { width: picture.width, height: picture.height });
  canvas.getContext("2d")?.putImageData(errorMap(picture, fit.scene.target), 0, 0);
  drawChart(/** @type {SVGPathElement} */ (document.querySelector("#chart path")), points, fit.options.steps);
  panelsDue = performance.now() + PANELS;
}

/** Words and numbers of the page. */
function refresh() {
  one("start").textContent = running ? "Pause" : fit?.step ? "Go on" : "Start";
  one("start").setAttribute("aria-pressed", String(running));
  /** @type {HTMLButtonElement} */ (one("single")).disabled = running;
  /** @type {HTMLButtonElement} */ (one("undo")).disabled = !past.length;
  if (!fit || !last) return;
  one("psnr").textContent = `${last.psnr.toFixed(2)} dB`;
  one("step").textContent = String(fit.step);
  one("parts").textContent = fit.count.toLocaleString("en");
  /** @type {HTMLProgressElement} */ (one("progress")).value = Math.min(1, fit.step / fit.options.steps);
}

/** Steps for a moment, where some took so many milliseconds. @param {number} taken @param {number} spent */
const paced = (taken, spent) => Math.min(SUBMITTED, Math.max(1, Math.round((taken * BUSY) / Math.max(spent, 1))));

/** Take steps for a moment, then let the page draw. */
async function take() {
  if (!fit || !running) return;
  if (fit.done) {  // Fewer steps are asked for than were taken.
    running = false;
    return look(true);
  }
  const began = performance.now(), taken = await fit.advance(chunk), spent = performance.now() - began;
  const rate = (1000 * taken) / Math.max(spent, 0.1);
  one("rate").textContent = rate < 10 ? rate.toFixed(1) : Math.round(rate).toLocaleString("en");
  chunk = paced(taken, spent);
  if (fit.done) running = false;
  await look(!running);
}

async function go() {
  while (running) {
    await alone(take);
    await new Promise((resolve) => { setTimeout(resolve, 0); });
  }
  refresh();
  sketch();
}

/** Start or pause. */
function toggle() {
  if (!fit) return;
  running = !running;
  if (running && fit.done) extend(fit);
  refresh();
  if (running) go();
}

/** As many steps again as were asked for. @param {Fit} fit */
function extend({ step, options }) {
  options.steps = step + settings.steps;
  showSteps();
}

const showSteps = () => { /** @type {HTMLInputElement} */ (one("steps")).value = fit?.options.steps; };

/** Remember all that an undo puts back. */
async function remember(brushed = mask.pixels) {
  if (!fit) return;
  past.push({ settings: structuredClone(settings), source, mask: brushed, state: await fit.state(), points: [...points], film: fit.count * film.length > MOST_FILMED ? [] : [...film], nextFrame, options: { ...fit.options } });
  if (past.length > MOST_PAST) past.shift();
}

async function undo() {
  const before = past.pop(), pictured = source;
  if (!before) return;
  ({ settings, source } = before);
  mask.pixels = before.mask;
  fillFields();
  const { target } = before.state.scene;
  readScene(target);
  fit?.destroy();
  fit = new Fit(/** @type {GPUDevice} */ (device), await openKind(), before.state.scene, before.options);
  fit.restore(before.state);
  ({ points, film, nextFrame } = before);
  if (source !== pictured) sketchAnew();
  openShow();
  await look(true);
}

/** Change settings, and begin anew with them, see begin. Gives true unless that failed. @param {Partial<Settings>} changes @param {Parameters<typeof begin>[0]} given */
const change = (changes, given = null) => alone(async () => {
  const before = structuredClone(settings), pictured = source;
  await remember();
  try {
    Object.assign(settings, changes);
    source = given?.source ?? source;
    fillFields();
    await begin(given);
    if (source !== pictured) sketchAnew();
    return true;
  } catch (error) {
    settings = before;
    source = pictured;
    const kept = fit && past.pop();
    if (kept) {
      mask.pixels = kept.mask;
      readScene(kept.state.scene.target);
    }
    fillFields();
    throw error;
  }
});

/** Change what the fit learns from, and let it go on. @param {(fit: Fit) => Promise<void> | void} work @param {ImageData} [brushed] the mask before */
const redirect = (work, brushed) => alone(async () => {
  if (!fit) return;
  await remember(brushed);
  await work(fit);
  await look(true);
});

/** The newest value of a slider that waits, and whether it is still held. @type {{ name: string, value: number } | null} */
let wanted = null;
let held = false;

/** A slider moves: the parts stay where the shaders read its value; else the fit begins anew. @param {Slider} slider @param {number} value @param {boolean} released */
function slide({ name, live }, value, released) {
  if (!live || !fit?.step) {
    if (released) change({ options: { ...settings.options, [name]: value } });
    return;
  }
  const waits = wanted !== null;
  wanted = { name, value };
  if (!waits) {
    alone(async () => {
      if (!held) await remember();
      held = true;
      const { name, value } = /** @type {{ name: string, value: number }} */ (wanted);
      wanted = null;
      settings.options = { ...settings.options, [name]: value };
      fit?.setOption(name, value);
      await look(!running);
    });
  }
  if (released) alone(async () => { held = false; });
}

/** Another picture: the parts travel to it, once there are some that have learned. @param {Source} opened */
const aim = (opened) => alone(async () => {
  if (fit) await remember();
  source = opened;
  markSample();
  sketchAnew();
  if (one("studio").classList.contains("choosing")) return;
  if (!fit || fit.step === 0) return begin();
  fit.scene = { ...fit.scene, ...readScene(fit.scene.target) };
  fit.aim();
  fit.failures = 0;
  // The rates rise again, so that the parts can travel.
  extend(fit);
  await look(true);
});

/** One file after the other: what is chosen last stays, however long each takes to read. @param {Blob} blob @param {string} name */
function open(blob, name) {
  opening = opening.then(() => read(blob, name));
  return opening;
}

/** @param {Blob} blob @param {string} name */
async function read(blob, name) {
  try {
    say("");
    if (name.toLowerCase().endsWith(".art")) await openArt(blob, name);
    else await aim(await openPicture(blob, name));
  } catch (error) {
    fail(error);
  }
}

/** Go on from a drawing. @param {Blob} blob @param {string} name */
async function openArt(blob, name) {
  const { drawing, recipe, tensors, locked } = readArt(await blob.arrayBuffer(), name), { primitive } = drawing, found = data.kinds[primitive];
  const values = found && Object.fromEntries(Object.keys(found.defaults).map((key) => [key, key in drawing.options ? drawing.options[key] : found.defaults[key]]));
  // A choice of a preset may have been changed.
  const preset = [recipe?.primitive?.preset ?? "", ""].find((each) => found?.variants[variantKey(found, each, values)]);
  if (preset === undefined) {
    throw new Sentence(`${found ? `This studio has no shaders for ${primitive} with the options of ${name}` : `This studio has no ${primitive}`}. `
      + `Go on with artgen fit --init ${name}${found ? "" : `, or, if ${primitive} is a splat, in the page that artgen studio -p ${primitive} writes`}.`);
  }
  const count = tensors.xy.length / 2, own = recipe?.target ?? {}, sample = data.samples.find((each) => each.name === own.source);
  const opened = sample && sample.name !== source?.name ? await openPicture(sampleBlob(sample), sample.name) : source;
  const edits = (recipe?.edit ?? []).map((/** @type {Record<string, any>} */ table) => ({ name: "earlier", part: -1, by: [], table }));
  const given = { tensors, count, size: drawing, locked, edits, source: opened };
  const done = await change({ primitive, preset, options: values, count, background: cssColour(drawing.background) }, given);
  const theirs = String(own.source ?? "").split(/[/\\]/).pop(), same = own.sha256 && opened?.digest ? own.sha256 === opened.digest : theirs === opened?.name;
  if (done && theirs && !same) say(`It goes on with the picture chosen here. Choose ${theirs}, and drop the .art file again, to go on with its own.`);
}

// What one keeps.

/** The values of sliders, which no variant has. */
const slid = () => Object.fromEntries(slidersOf(kind()).map(({ name }) => [name, settings.options[name]]));

/** The complete recipe of the present drawing. */
function recipeNow() {
  const { recipe } = variant(), [stage] = recipe.stage, options = fit?.options ?? {}, { width, height } = fit?.scene.target ?? { width: 1, height: 1 };
  const name = source?.name ?? "picture.png";
  const target = { ...recipe.target, source: name, sha256: source?.digest ?? undefined, size: Math.max(width, height), background: settings.background };
  const edit = fit?.edits.filter(({ name }) => !name.endsWith("lock")).map((each) => each.table ?? { do: written(each) });
  const changed = Object.fromEntries(Object.keys(stage).filter((key) => key in options).map((key) => [key, options[key]]));
  return {
    ...recipe, seed: settings.seed, target, primitive: { ...recipe.primitive, ...slid(), count: last?.count ?? settings.count },
    edit: edit?.length ? edit : undefined,
    stage: [{ ...stage, ...changed, loss: settings.loss, stop: fit && !fit.done && fit.step ? fit.step : undefined }],
  };
}

/** What was drawn last. */
function present() {
  if (!fit || !show || !last) throw new Sentence("There is no drawing yet.");
  return last;
}

/** Draw with a view of its own: what the page shows goes on changing. @template T @param {number} most parts @param {(view: Show) => Promise<T>} work */
async function apart(most, work) {
  const { look, size, piece } = /** @type {Show} */ (show), view = new Show(document.createElement("canvas"), look, size, most, piece.background);
  try {
    return await work(view);
  } finally {
    view.close();
  }
}

function artNow() {
  const { tensors, count, psnr, loss, step } = present(), { scene, locked } = /** @type {Fit} */ (fit);
  const { options, plugin, params } = variant(), { width, height } = scene.target;
  const drawing = { primitive: settings.primitive, options: { ...options, ...slid() }, width, height, background: scene.background, background_weight: 1e-3, plugin };
  const recipe = recipeNow();
  const studio = locked.size ? { locked: [...locked].sort((a, b) => a - b) } : undefined;
  return artBytes({ drawing, recipe, studio, metrics: { count, psnr: +psnr.toFixed(4), loss, steps: step } }, params.filter(/** @param {Param} param */ ({ name }) => !isOption(name)), tensors, count);
}

const stem = () => `${(source?.name ?? "picture").replace(/^sample:|\.[^.]*$/g, "")}-${settings.primitive.split("/").pop()}`;

const kept = {
  png: async () => {
    const { tensors, count } = present(), name = `${stem()}.png`;
    download(await encoded(await apart(count, (view) => {
      view.update(tensors, count);
      return view.snapshot(wholeNumber("side"));
    }), "image/png"), name);
  },
  art: async () => download(new Blob([artNow()], { type: "application/octet-stream" }), `${stem()}.art`),
  page: () => inTurn(async () => {
    const { psnr } = present();
    if (!fit || !show) return;
    const { tensors, worth } = await fit.survey();
    const words = { title: stem(), facts: `${settings.primitive} · ${worth.length} parts · ${psnr.toFixed(1)} dB` };
    download(await drawingPage(data.frame, show, show.look, tensors, worth, recipeNow(), words), `${stem()}.html`);
  }),
  film: async () => {
    const all = [...film, present()], name = `${stem()}.webm`;
    const most = Math.max(...all.map(({ count }) => count));
    download(await apart(most, (view) => progressFilm(view, all, Math.min(720, Math.max(360, settings.size)))), name);
  },
  link: async () => {
    const address = `${location.href.split("#")[0]}#${fragmentOf(settings, kind(), source?.name ?? "")}`;
    history.replaceState(null, "", address);
    arrived = location.hash;
    await navigator.clipboard?.writeText(address).catch(() => {});
  },
};

/** @param {keyof typeof kept} what */
async function keep(what) {
  one("status").textContent = "Saving";
  try {
    await kept[what]();
    one("status").textContent = what === "link" ? "The link is in the address" : "Saved";
  } catch (error) {
    one("status").textContent = "";
    fail(error);
  }
}

/** What a reload of this page goes on from, while its tab is open. */
const KEPT = "artgen studio";
/** The link that this page shows. */
let arrived = location.hash;

function keepForReload() {
  if (!fit || !last || !source) return;
  const { name, bitmap, digest } = source, { step, edits, picked, options, scene: { target } } = fit;
  const kept = { address: arrived, settings, name, digest, now: { step, edits, picked, options }, mask: pngOf(mask.canvas), art: base64(artNow()) };
  // As large as the target; where there is no room for that, smaller.
  for (const most of [Math.max(1024, target.width, target.height), 1024]) {
    const canvas = Object.assign(document.createElement("canvas"), scaledSize(bitmap, Math.min(most, Math.max(bitmap.width, bitmap.height))));
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    try {
      sessionStorage.removeItem(KEPT);
      sessionStorage.setItem(KEPT, JSON.stringify({ ...kept, picture: pngOf(canvas) }));
      return;
    } catch {
      // Without room for it, or where browsers keep nothing, the page begins anew.
    }
  }
}

/** @param {HTMLCanvasElement} canvas */
const pngOf = (canvas) => canvas.toDataURL().split(",")[1];
/** @param {string} text of base64 */
const pngBlob = (text) => new Blob([bytesOf(text)], { type: "image/png" });

/** Go on from what was there before a reload, if anything was. */
async function reloaded() {
  const [entry] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  let kept = null;
  try {
    if (entry?.type === "reload") kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  } catch {
    return false;
  }
  // An older page kept no mask.
  if (kept?.address !== location.hash || !kept.mask || !data.kinds[kept.settings.primitive]) return false;
  // A page that was written anew may have other options.
  kept.settings.options = { ...kind(kept.settings).defaults, ...kept.settings.options };
  if (!variant(kept.settings)) return false;
  const { name, digest, now } = kept, { drawing, tensors, locked } = readArt(bytesOf(kept.art).buffer, "what was drawn");
  source = { ...(await openPicture(pngBlob(kept.picture), name)), digest };
  const brushed = await createImageBitmap(pngBlob(kept.mask));
  mask.clear(brushed);
  mask.paper.drawImage(brushed, 0, 0);
  settings = kept.settings;
  /** @type {HTMLDetailsElement} */ (one("styles")).open = false;
  fillFields();
  await alone(async () => {
    await begin({ tensors, count: tensors.xy.length / 2, size: drawing, locked });
    if (!fit) return;
    Object.assign(fit, now);
    fit.rounds = fit.plan();
    openShow();
    await look(true);
  });
  return true;
}

// Fields, buttons, keys, drops.

/** Write the settings into the fields. */
function fillFields() {
  const chosen = kind();
  fillSelect(one("primitive"), Object.keys(data.kinds).map((name) => [name, name]), settings.primitive);
  one("summary").textContent = chosen.summary;
  one("presets").hidden = !chosen.presets.length;
  fillSelect(one("preset"), [["", "none"], ...chosen.presets.map(({ name }) => /** @type {[string, string]} */ ([name, name]))], settings.preset);
  fillSelect(one("loss"), Object.keys(variant().programs).map((name) => [name, name]), settings.loss);
  optionFields(chosen, settings, (name, value) => {
    change(available(chosen, settings.preset, { ...settings.options, [name]: value }, name));
  }, slide);
  const sizes = /** @type {HTMLSelectElement} */ (one("size")), size = String(settings.size);
  if (![...sizes.options].some(({ value }) => value === size)) sizes.add(new Option(size));
  one("growing").hidden = !variant().grows;
  for (const key of /** @type {const} */ (["count", "size", "steps", "seed", "background", "speed"])) /** @type {HTMLInputElement} */ (one(key)).value = String(settings[key]);
  /** @type {HTMLInputElement} */ (one("growth")).checked = settings.growth;
  showSpeed();
  markStyle();
  markSample();
}

const showSpeed = () => { one("speed-value").textContent = `${+(2 ** settings.speed).toPrecision(2)}×`; };

function markStyle() {
  const chosen = !one("studio").classList.contains("choosing");
  for (const each of sketches) each.mark(settings, chosen);
}

function markSample() {
  for (const button of document.querySelectorAll("#samples button")) button.setAttribute("aria-pressed", String(source?.name === /** @type {HTMLElement} */ (button).dataset.name));
}

/** @param {{ name: string, data: string }} sample */
const sampleBlob = (sample) => new Blob([bytesOf(sample.data)], { type: "image/jpeg" });

function listen() {
  /** @param {string} id @param {string} type @param {(event: any) => unknown} work */
  const on = (id, type, work) => one(id).addEventListener(type, work);
  on("start", "click", toggle);
  on("single", "click", () => alone(async () => { if (fit && !fit.done) { await fit.advance(1); await look(true); } }));
  on("restart", "click", () => change({}));
  on("undo", "click", () => alone(undo));
  on("whole", "click", () => show?.view.go({ x: 0, y: 0, zoom: 1 }));
  on("dismiss", "click", () => say(""));
  on("primitive", "change", ({ target }) => {
    const next = data.kinds[target.value];
    change({ primitive: target.value, preset: "", options: { ...next.defaults }, count: next.count });
  });
  on("preset", "change", ({ target }) => {
    const preset = kind().presets.find(({ name }) => name === target.value);
    change({ preset: target.value, options: { ...initialOptions(kind(), target.value) }, count: preset?.count ?? settings.count });
  });
  on("styles", "toggle", sketch);
  for (const { button, style } of sketches) {
    button.addEventListener("click", async () => {
      await change(structuredClone(style));
      if (!running) toggle();
    });
  }
  for (const id of ["count", "seed"]) on(id, "change", () => change({ [id]: wholeNumber(id) }));
  on("size", "change", ({ target }) => change({ size: Number(target.value) }));
  on("background", "change", ({ target }) => change({ background: target.value }));
  on("growth", "change", ({ target }) => change({ growth: target.checked }));
  on("steps", "change", () => {
    settings.steps = wholeNumber("steps");
    alone(async () => { fit?.pace(settings.steps); refresh(); });
  });
  on("speed", "input", ({ target }) => {
    settings.speed = Number(target.value);
    showSpeed();
    if (fit) fit.options.rate = engineOptions().rate;
  });
  on("loss", "change", ({ target }) => redirect(async (now) => {
    settings.loss = target.value;
    const state = await now.state();
    now.kind = { ...(await openKind()), grows: now.kind.grows };
    now.restore(state);
    points = [];
  }));
  on("brush", "click", () => {
    mask.brushing = !mask.brushing;
    one("brush").setAttribute("aria-pressed", String(mask.brushing));
    one("mask").classList.toggle("brushing", mask.brushing);
  });
  on("clear", "click", () => redirect((now) => { mask.clear(now.scene.target); weigh(now); }));
  on("file", "change", ({ target }) => {
    const [file] = target.files;
    target.value = "";
    if (file) open(file, file.name);
  });
  on("webcam", "click", async () => {
    try {
      await aim(await openPicture(await webcamFrame(), "webcam.png"));
    } catch (error) {
      fail(error);
    }
  });
  for (const button of document.querySelectorAll("[data-keep]")) {
    button.addEventListener("click", () => keep(/** @type {any} */ (button).dataset.keep));
  }
  one("controls").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
    if (file) open(file, file.name || "pasted.png");
  });
  addEventListener("dragover", (event) => { event.preventDefault(); one("drop").hidden = false; });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) one("drop").hidden = true; });
  addEventListener("drop", (event) => {
    event.preventDefault();
    one("drop").hidden = true;
    const file = event.dataTransfer?.files[0];
    if (file) open(file, file.name);
  });
  /** @param {number} across @param {number} down */
  const move = (across, down) => show?.view.move((across * show.canvas.width) / 12, (down * show.canvas.height) / 12);
  /** @type {Record<string, () => void>} */
  const keys = {
    " ": toggle, ".": () => one("single").click(), r: () => one("restart").click(), u: () => one("undo").click(), "0": () => one("whole").click(),
    "+": () => show?.view.glide(1.5), "=": () => show?.view.glide(1.5), "-": () => show?.view.glide(1 / 1.5),
    n: () => hand.step(1), N: () => hand.step(-1), l: () => hand.lock(), Delete: () => hand.remove(), Backspace: () => hand.remove(), Escape: () => hand.escape(),
  };
  /** @type {Record<string, [number, number]>} */
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  addEventListener("keydown", (event) => {
    const { target, key, repeat } = event, element = /** @type {HTMLElement} */ (target), own = element.closest("#picture, #hand");
    if (event.altKey || element.closest("input, select") || one("drawing").offsetParent === null) return;
    /** @type {(() => unknown) | undefined} */
    let work;
    if (event.ctrlKey || event.metaKey) work = key === "z" ? () => one("undo").click() : undefined;
    else if (key in arrows && own) work = hand.picked < 0 ? () => move(...arrows[key]) : () => hand.nudge(arrows[key], event.shiftKey ? 10 : 1, !repeat);
    else if (Object.hasOwn(keys, key) && !(key === " " && element.closest("button, summary"))) work = keys[key];
    if (!work) return;
    event.preventDefault();
    work();
  });
}

/** @param {Fit} now */
function weigh(now) {
  now.scene = { ...now.scene, weight: mask.weight() };
  now.aim();
}

/** A device that is lost: another one goes on from what was drawn last. @param {GPUDevice} lost */
async function revive(lost) {
  const was = running;
  running = false;
  refresh();
  const { message } = await lost.lost;
  await turn;
  compiled.clear();
  try {
    device = await openOwn();
    await alone(async () => {
      if (!fit || !last) return;
      const { step, scene, options, locked, picked, edits } = fit;
      fit = new Fit(/** @type {GPUDevice} */ (device), await openKind(), scene, options);
      Object.assign(fit, { locked, picked, edits });
      fit.start(last.tensors, last.count);
      fit.step = step;
      await look(true);
    });
    sketchAnew();
    say("The graphics card was lost and found again. The fit goes on from what was drawn last.");
    if (was) toggle();
  } catch (error) {
    device = null;
    say(`The graphics card was lost${message ? ` (${message})` : ""}. What is drawn can still be kept; open the page again to go on.`);
  }
}

async function openOwn() {
  const opened = await openDevice();
  opened.addEventListener("uncapturederror", ({ error }) => halt(error));
  opened.lost.then(() => { if (opened === device) revive(opened); });
  return opened;
}

/** The data of the page, which is compressed. */
async function unpack() {
  const packed = bytesOf(one("data").textContent ?? "");
  const text = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  // What occurs often is there once: its number stands for it in what comes after it.
  /** @type {any[]} */
  const whole = [];
  /** @param {any} value @returns {any} */
  const joined = (value) => {
    if (Array.isArray(value)) return value.map(joined);
    if (value === null || typeof value !== "object") return value;
    if ("same#" in value) return whole[value["same#"]];
    if ("lines#" in value) return value["lines#"].map((/** @type {number} */ k) => whole[k]).join("\n");
    // Links and files name things in it: none is called as what objects inherit.
    return Object.assign(Object.create(null), Object.fromEntries(Object.entries(value).map(([key, each]) => [key, joined(each)])));
  };
  for (const value of JSON.parse(text)) whole.push(joined(value));
  return whole[whole.length - 1];
}

async function main() {
  try {
    device = await openOwn();
  } catch (error) {
    one("why").textContent = error instanceof Sentence ? error.message : `WebGPU failed: ${/** @type {Error} */ (error).message}`;
    one("unable").hidden = false;
    return;
  }
  data = await unpack();
  const [first] = Object.keys(data.kinds), defaults = data.kinds[first];
  settings = settingsFrom(location.hash.slice(1), {
    primitive: first, preset: "", options: { ...defaults.defaults }, count: defaults.count, size: 256, steps: 1000,
    loss: "mse", speed: 0, growth: true, seed: 1, background: "#000000",
  }, data.kinds);
  one("studio").hidden = false;
  hand = new Hand(one("stage"));
  mask = new Mask(one("mask"), (before) => { redirect(weigh, before); });
  sketches = data.styles.map((style) => new Sketch(style));
  const anew = location.hash.length < 2 && sketches.length > 1, styles = /** @type {HTMLDetailsElement} */ (one("styles"));
  one("studio").classList.toggle("choosing", anew);
  styles.hidden = !sketches.length;
  styles.open = anew;
  one("sketches").append(...sketches.map(({ button }) => button));
  fillFields();
  listen();
  for (const sample of data.samples) {
    const button = document.createElement("button"), image = document.createElement("img");
    Object.assign(image, { src: `data:image/jpeg;base64,${sample.data}`, alt: sample.name.replace("sample:", "") });
    Object.assign(button, { type: "button", title: sample.name });
    button.dataset.name = sample.name;
    button.append(image);
    button.addEventListener("click", () => open(sampleBlob(sample), sample.name));
    one("samples").append(button);
  }
  addEventListener("pagehide", keepForReload);
  // Another link in the address of an open page.
  addEventListener("hashchange", () => location.reload());
  if (await reloaded()) return;
  const asked = new URLSearchParams(location.hash.slice(1)).get("picture");
  const chosen = data.samples.find(({ name }) => name === asked) ?? data.samples[0];
  await open(sampleBlob(chosen), chosen.name);
}

/** For tests, and for pages that embed this one. */
/** @type {any} */ (window).artgen = Object.freeze({
  settled: () => opening.then(() => turn),
  picture: () => source?.name,
  zoom: () => show?.view.zoom,
  report: () => last && { psnr: last.psnr, loss: last.loss, step: last.step, count: last.count, running },
  picked: () => fit && { part: fit.picked, locked: [...fit.locked] },
  unit: () => show && (show.view.pixel * show.canvas.width) / show.canvas.getBoundingClientRect().width,
  tensors: () => last && Object.fromEntries(Object.entries(last.tensors).map(([name, values]) => [name, [...values]])),
  open: (/** @type {Blob} */ blob, /** @type {string} */ name) => open(blob, name),
  lose: () => device?.destroy(),
});

main().catch(fail);
