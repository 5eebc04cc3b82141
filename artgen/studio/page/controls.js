// Settings: form fields of the page, and those that a primitive's options become.

/**
 * @typedef {{ name: string, help: string, value: any, choices: any[] }} Option
 * @typedef {{ name: string, summary: string, count: number, options: Option[], defaults: Record<string, any>,
 *   presets: { name: string, count: number, values: Record<string, any> }[], variants: Record<string, any> }} Kind
 * @typedef {{ primitive: string, preset: string, options: Record<string, any>, count: number, size: number, steps: number,
 *   loss: string, speed: number, growth: boolean, seed: number, background: string }} Settings
 */

/** @template {HTMLElement} T @param {string} id @returns {T} */
const one = (id) => /** @type {any} */ (document.getElementById(id));

/** The key of a variant, as artgen.studio makes it. @param {string} preset @param {Record<string, any>} values */
const variantKey = (preset, values) => [preset, ...Object.values(values).map(String)].join("|");

/** Values of options that there are shaders for: `wanted`, else the nearest ones that keep `name`. @param {Kind} kind @param {Record<string, any>} wanted @param {string} name */
function available(kind, wanted, name = "") {
  const values = Object.fromEntries(Object.entries(kind.defaults).map(([key, value]) => [key, wanted[key] ?? value]));
  if (kind.variants[variantKey("", values)]) return values;
  const kept = { ...kind.defaults, ...(name in values ? { [name]: values[name] } : {}) };
  return kind.variants[variantKey("", kept)] ? kept : { ...kind.defaults };
}

/** @param {HTMLSelectElement} select @param {[string, string][]} pairs of value and text @param {string} chosen */
function fillSelect(select, pairs, chosen) {
  select.replaceChildren(...pairs.map(([value, text]) => Object.assign(document.createElement("option"), { value, textContent: text, selected: value === chosen })));
}

/** Fields for the options of a primitive. @param {Kind} kind @param {Record<string, any>} values @param {(name: string, value: any) => void} changed */
function optionFields(kind, values, changed) {
  const fields = kind.options.flatMap((option) => {
    const label = document.createElement("label"), select = document.createElement("select"), help = document.createElement("p");
    const words = option.name.replaceAll("_", " ");
    label.append(`${words[0].toUpperCase()}${words.slice(1)} `, select);
    fillSelect(select, option.choices.map((choice, k) => [String(k), typeof choice === "boolean" ? (choice ? "yes" : "no") : String(choice)]), String(option.choices.indexOf(values[option.name])));
    option.choices.forEach((choice, k) => {
      const wanted = { ...values, [option.name]: choice }, kept = available(kind, wanted, option.name);
      select.options[k].disabled = kept[option.name] !== choice;
    });
    select.name = option.name;
    select.addEventListener("change", () => changed(option.name, option.choices[Number(select.value)]));
    Object.assign(help, { className: "help", textContent: `${option.help}.` });
    return [label, help];
  });
  one("options").replaceChildren(...fields);
}

/** A whole number of a field, inside its bounds. @param {string} id */
function wholeNumber(id) {
  const field = /** @type {HTMLInputElement} */ (one(id)), value = Math.round(Number(field.value));
  const inside = Math.min(Math.max(Number.isFinite(value) ? value : Number(field.defaultValue), Number(field.min)), Number(field.max));
  field.value = String(inside);
  return inside;
}

/** Settings as the fragment of an address, and back. @param {Settings} settings @param {string} picture */
function fragmentOf({ options, ...settings }, picture) {
  const pairs = { ...settings, ...Object.fromEntries(Object.entries(options).map(([name, value]) => [`option.${name}`, value])) };
  const sample = picture.startsWith("sample:") ? { picture } : {};
  return new URLSearchParams(Object.entries({ ...pairs, ...sample }).map(([key, value]) => [key, String(value)])).toString();
}

/** @param {string} fragment @param {Settings} defaults @param {Record<string, Kind>} kinds */
function settingsFrom(fragment, defaults, kinds) {
  const given = new URLSearchParams(fragment), settings = { ...defaults }, kind = kinds[given.get("primitive") ?? ""] ?? kinds[defaults.primitive];
  settings.primitive = kind.name;
  settings.count = kind.count;
  for (const key of ["count", "size", "steps", "speed", "seed"]) {
    const value = Number(given.get(key) ?? NaN);
    if (Number.isFinite(value)) settings[key] = value;
  }
  if (/^#[0-9a-f]{6}$/i.test(given.get("background") ?? "")) settings.background = given.get("background") ?? "";
  if (given.has("growth")) settings.growth = given.get("growth") === "true";
  const preset = kind.presets.find(({ name }) => name === given.get("preset"));
  settings.preset = preset?.name ?? "";
  const wanted = Object.fromEntries(kind.options.map(({ name, choices }) => [name, choices.find((choice) => String(choice) === given.get(`option.${name}`))]));
  settings.options = preset ? preset.values : available(kind, wanted);
  const { programs } = kind.variants[variantKey(settings.preset, settings.options)], loss = given.get("loss") ?? "";
  if (loss in programs) settings.loss = loss;
  return settings;
}
