// Settings: form fields of the page, and those that a primitive's options become.

/**
 * @typedef {{ name: string, help: string, value: any, choices: any[] }} Choice
 * @typedef {{ name: string, help: string, value: number, choices: [], low: number, high: number, whole: boolean,
 *   logarithmic: boolean, live: boolean }} Slider  `live` if the shaders read it, not only starting values
 * @typedef {Choice | Slider} Option
 * @typedef {{ name: string, summary: string, count: number, options: Option[], defaults: Record<string, any>,
 *   presets: { name: string, count: number, values: Record<string, any> }[], variants: Record<string, any> }} Kind
 * @typedef {{ primitive: string, preset: string, options: Record<string, any>, count: number, size: number, steps: number,
 *   loss: string, speed: number, growth: boolean, seed: number, background: string }} Settings
 */

/** @template {HTMLElement} T @param {string} id @returns {T} */
const one = (id) => /** @type {any} */ (document.getElementById(id));

/** The sliders of a primitive. @param {Kind} kind */
const slidersOf = ({ options }) => /** @type {Slider[]} */ (options.filter((option) => "low" in option));

/** The key of a variant, as artgen.studio makes it: all options but the sliders. @param {Kind} kind @param {string} preset @param {Record<string, any>} values */
function variantKey(kind, preset, values) {
  const sliders = slidersOf(kind).map(({ name }) => name);
  return [preset, ...Object.keys(kind.defaults).filter((name) => !sliders.includes(name)).map((name) => (typeof values[name] === "number" ? values[name].toExponential() : String(values[name])))].join("|");
}

/** Options and preset that there are shaders for: those wanted, else without the preset, else the nearest ones that keep `name`. @param {Kind} kind @param {string} preset @param {Record<string, any>} wanted @param {string} name */
function available(kind, preset, wanted, name = "") {
  const values = { ...kind.defaults, ...wanted }, kept = { ...kind.defaults };
  for (const each of [name, ...slidersOf(kind).map((slider) => slider.name)]) if (each in values) kept[each] = values[each];
  const tried = [{ preset, options: values }, { preset: "", options: values }, { preset: "", options: kept }];
  return tried.find((each) => kind.variants[variantKey(kind, each.preset, each.options)]) ?? { preset: "", options: { ...kind.defaults } };
}

/** @param {HTMLSelectElement} select @param {[string, string][]} pairs of value and text @param {string} chosen */
function fillSelect(select, pairs, chosen) {
  select.replaceChildren(...pairs.map(([value, text]) => Object.assign(document.createElement("option"), { value, textContent: text, selected: value === chosen })));
}

/** @param {any} value @returns {string} */
const spelled = (value) => ({ null: "automatic", true: "yes", false: "no" })[String(value)] ?? String(value);

/** @param {Choice} option @param {any} value @param {(value: any) => boolean} there @param {(value: any) => void} changed */
function choiceField({ name, choices }, value, there, changed) {
  // A preset may have another value.
  const select = Object.assign(document.createElement("select"), { name }), all = choices.includes(value) ? choices : [value, ...choices];
  fillSelect(select, all.map((choice, k) => [String(k), spelled(choice)]), String(all.indexOf(value)));
  all.forEach((choice, k) => { select.options[k].disabled = !there(choice); });
  select.addEventListener("change", () => changed(all[Number(select.value)]));
  return [select];
}

/** @param {Slider} option @param {number} value @param {(value: number, released: boolean) => void} changed */
function sliderField({ name, low, high, whole, logarithmic }, value, changed) {
  const [to, from] = logarithmic ? [Math.log, Math.exp] : [Number, Number];
  const field = Object.assign(document.createElement("input"), { type: "range", name, min: to(low), max: to(high), step: whole && !logarithmic ? 1 : "any" });
  const output = document.createElement("output"), short = /** @param {number} number */ (number) => String(+number.toPrecision(3));
  const tidy = () => Math.min(Math.max(whole ? Math.round(from(field.valueAsNumber)) : +short(from(field.valueAsNumber)), low), high);
  /** @param {number} number */
  const show = (number) => {
    output.textContent = short(number);
    field.setAttribute("aria-valuetext", short(number));
  };
  field.valueAsNumber = to(value);
  show(value);
  for (const kind of ["input", "change"]) {
    field.addEventListener(kind, () => {
      show(tidy());
      changed(tidy(), kind === "change");
    });
  }
  return [field, output];
}

/**
 * Fields for the options of a primitive.
 * @param {Kind} kind @param {Settings} settings @param {(name: string, value: any) => void} changed
 * @param {(slider: Slider, value: number, released: boolean) => void} slid
 */
function optionFields(kind, { preset, options: values }, changed, slid) {
  const fields = kind.options.flatMap((option) => {
    const label = document.createElement("label"), help = document.createElement("p"), { name } = option, words = name.replaceAll("_", " ");
    /** @param {any} choice */
    const there = (choice) => available(kind, preset, { ...values, [name]: choice }, name).options[name] === choice;
    label.append(`${words[0].toUpperCase()}${words.slice(1)} `, ...("low" in option
      ? sliderField(option, values[name], (value, released) => slid(option, value, released))
      : choiceField(option, values[name], there, (value) => changed(name, value))));
    Object.assign(help, { className: "help", textContent: `${option.help}.` });
    return [label, help];
  });
  const box = one("options"), focused = box.contains(document.activeElement) ? document.activeElement?.getAttribute("name") : null;
  box.replaceChildren(...fields);
  if (focused) /** @type {HTMLElement | null} */ (box.querySelector(`[name="${focused}"]`))?.focus();
}

/** The nearest number that a field takes. @param {string} id @param {number} value */
function fieldNumber(id, value) {
  const field = one(id), step = Number(field.getAttribute("step") ?? 1);
  const [low, high] = ["min", "max"].map((end) => Number(field.getAttribute(end) ?? field.dataset[end]));
  return Math.min(Math.max(Math.round(value / step) * step, low), high);
}

/** A whole number of a field, inside its bounds. @param {string} id */
function wholeNumber(id) {
  const field = /** @type {HTMLInputElement} */ (one(id)), value = Number(field.value);
  const inside = fieldNumber(id, Number.isFinite(value) ? value : Number(field.defaultValue));
  field.value = String(inside);
  return inside;
}

/** The options that a primitive or its preset begins with. @param {Kind} kind @param {string} preset @returns {Record<string, any>} */
const initialOptions = ({ presets, defaults }, preset) => presets.find(({ name }) => name === preset)?.values ?? defaults;

/** Settings as the fragment of an address, and back. @param {Settings} settings @param {Kind} kind @param {string} picture */
function fragmentOf({ options, ...settings }, kind, picture) {
  const first = initialOptions(kind, settings.preset), changed = Object.entries(options).filter(([name, value]) => value !== first[name]);
  const pairs = { ...settings, ...Object.fromEntries(changed.map(([name, value]) => [`option.${name}`, value])) };
  const sample = picture.startsWith("sample:") ? { picture } : {};
  return new URLSearchParams(Object.entries({ ...pairs, ...sample }).map(([key, value]) => [key, String(value)])).toString();
}

/** What the page has no fields or shaders for is left out. @param {string} fragment @param {Settings} defaults @param {Record<string, Kind>} kinds */
function settingsFrom(fragment, defaults, kinds) {
  const given = new URLSearchParams(fragment), settings = { ...defaults }, kind = kinds[given.get("primitive") ?? ""] ?? kinds[defaults.primitive];
  settings.primitive = kind.name;
  settings.count = kind.count;
  for (const key of /** @type {const} */ (["count", "size", "steps", "speed", "seed"])) {
    const value = Number(given.get(key) || NaN);
    if (Number.isFinite(value)) settings[key] = fieldNumber(key, value);
  }
  if (/^#[0-9a-f]{6}$/i.test(given.get("background") ?? "")) settings.background = given.get("background") ?? "";
  if (given.has("growth")) settings.growth = given.get("growth") === "true";
  const preset = kind.presets.find(({ name }) => name === given.get("preset"))?.name ?? "", wanted = { ...initialOptions(kind, preset) };
  for (const option of kind.options) {
    const text = given.get(`option.${option.name}`), number = Number(text);
    if (text === null) continue;
    if ("low" in option) wanted[option.name] = number >= option.low && number <= option.high && !(option.whole && number % 1) ? number : option.value;
    else wanted[option.name] = option.choices.find((choice) => String(choice) === text) ?? option.value;
  }
  Object.assign(settings, available(kind, preset, wanted));
  const { programs } = kind.variants[variantKey(kind, settings.preset, settings.options)], loss = given.get("loss") ?? "";
  if (loss in programs) settings.loss = loss;
  return settings;
}
