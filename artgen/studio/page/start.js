// Starting values: what the recorded functions of a primitive's parameters give for a picture.

/**
 * @typedef {{ width: number, height: number, values: Float32Array }} Picture  planes red, green, blue
 * Values in their order: numbers, names of inputs, and operations on earlier ones. See artgen.studio._footprints.
 * @typedef {{ values: (number | string | [string, ...number[]])[], results: number[] }} Tape
 * @typedef {Tape & { draws: ["places" | "normal" | "uniform", number, number?][] }} Recorded
 * @typedef {{ name: string, shape: number[], map: [string, number, number], init: Recorded,
 *   rate: Recorded, low: Recorded | null, high: Recorded | null }} Param
 * @typedef {{ rng: Philox, width: number, height: number, count: number, everyone: number,
 *   target: Picture, weight: Float32Array | null, background: number[],
 *   spacing: (xy: Float32Array) => Float64Array, values: Record<string, any> }} Setting  `values` of the primitive's options
 * @typedef {Record<string, Float32Array<ArrayBuffer>>} Tensors  by name, components one after the other
 */

/** The operations of artgen.compiler.ir that tapes are made of. @type {Record<string, (...terms: any[]) => number>} */
const OPERATIONS = {
  add: (a, b) => a + b, sub: (a, b) => a - b, mul: (a, b) => a * b, div: (a, b) => a / b, neg: (a) => -a,
  abs: Math.abs, sign: Math.sign, sqrt: Math.sqrt, pow: Math.pow, exp: Math.exp, expm1: Math.expm1,
  log: Math.log, log1p: Math.log1p, sin: Math.sin, cos: Math.cos, tan: Math.tan, atan: Math.atan,
  atan2: Math.atan2, tanh: Math.tanh, sigmoid: (a) => 1 / (1 + Math.exp(-a)), floor: Math.floor,
  trunc: Math.trunc, minimum: Math.min, maximum: Math.max, lt: (a, b) => +(a < b), le: (a, b) => +(a <= b),
  gt: (a, b) => +(a > b), ge: (a, b) => +(a >= b), eq: (a, b) => +(a === b), ne: (a, b) => +(a !== b),
  // Abramowitz and Stegun, 7.1.26: right to 1.5e-7.
  erf: (a) => Math.sign(a) * (1 - [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592].reduce((sum, each) => (sum + each) / (1 + 0.3275911 * Math.abs(a)), 0) * Math.exp(-a * a)),
  and: (a, b) => +(a && b), or: (a, b) => +(a || b), not: (a) => +!a, where: (a, b, c) => (a ? b : c),
};

/** @param {Tape} tape @param {(name: string) => number} input @returns {number[]} */
function played({ values, results }, input) {
  /** @type {number[]} */
  const known = [];
  for (const value of values) {
    if (typeof value === "number") known.push(value);
    else if (typeof value === "string") known.push(input(value));
    else {
      const [operation, ...places] = value;
      known.push(OPERATIONS[operation](...places.map((place) => known[place])));
    }
  }
  return results.map((place) => known[place]);
}

/** The place of a component in a parameter of a shape. @param {number[]} shape @param {number[]} index */
const placeOf = (shape, index) => index.reduce((place, k, axis) => place * shape[axis] + k, 0);

/** @typedef {{ width: number, height: number }} Sides */

/** @param {Sides} canvas */
const pixelOf = ({ width, height }) => 2 / Math.min(width, height);
/** @param {Sides} canvas */
const reachOf = ({ width, height }) => [width / Math.min(width, height), height / Math.min(width, height)];
/** @param {Sides} canvas */
const areaOf = (canvas) => 4 * reachOf(canvas)[0] * reachOf(canvas)[1];

/** Begins the names of inputs, and of parameters that do not learn, which are options of the primitive. */
const OPTION = "option.", isOption = (/** @type {string} */ name) => name.startsWith(OPTION);

/** Numbers that are the same for all parts. @param {Setting} setting @param {string} name */
function commonInput(setting, name) {
  const [kind, k] = name.split(" ");
  if (isOption(kind)) return setting.values[kind.slice(OPTION.length)];
  switch (kind) {
    case "count": return setting.count;
    case "pixel": return pixelOf(setting);
    case "area": return areaOf(setting);
    case "reach": return reachOf(setting)[Number(k)];
    case "mean_spacing": return Math.sqrt(areaOf(setting) / Math.max(1, setting.everyone));
    default: throw new Error(`unknown input ${name}`);
  }
}

/** A number per picture, such as a rate. @param {Recorded | null} recorded @param {Setting} setting @param {number} missing */
function numberOf(recorded, setting, missing) {
  return recorded === null ? missing : played(recorded, (name) => commonInput(setting, name))[0];
}

/** Mapped starting values of all parameters, inside their bounds. @param {Param[]} params @param {Setting} setting @param {Tensors} known */
function startingValues(params, setting, known = {}) {
  /** @type {Tensors} */
  const tensors = { ...known };
  for (const { name, init, low, high } of params) {
    if (tensors[name]) continue;
    const { count } = setting, draws = init.draws.map((draw) => drawn(draw, setting));
    let spacing = null, colours = null, shown = null;
    const least = numberOf(low, setting, -Infinity), most = numberOf(high, setting, Infinity);
    const values = new Float32Array(init.results.length * count);
    for (let part = 0; part < count; part++) {
      /** @param {string} text */
      const input = (text) => {
        const words = text.split(" "), place = Number(words.at(-1)) * count + part;
        switch (words[0]) {
          case "draw": return draws[Number(words[1])][place];
          case "value": return tensors[words[1]][place];
          case "spacing": return (spacing ??= setting.spacing(tensors.xy))[part];
          case "colour": return (colours ??= coloursAt(tensors.xy, setting))[place];
          case "target": return (shown ??= coloursAt(tensors.xy, { ...setting, background: [0, 0, 0] }))[place];
          default: return commonInput(setting, text);
        }
      };
      played(init, input).forEach((value, component) => {
        values[component * count + part] = Math.min(Math.max(value, least), most);
      });
    }
    tensors[name] = values;
  }
  return Object.fromEntries(params.map(({ name }) => [name, tensors[name]]));
}

/** @param {["places" | "normal" | "uniform", number, number?]} draw @param {Setting} setting */
function drawn([kind, components, detail], setting) {
  if (kind === "places") return placesByDetail(setting, detail ?? 0);
  return setting.rng[kind](components * setting.count);
}

/** Positions, a share `detail` of them where the picture changes. @param {Setting} setting @param {number} detail */
function placesByDetail({ rng, count, target, weight }, detail) {
  const density = detailDensity(target, weight, detail);
  return placesIn(rng.choose(density, count), rng, target);
}

/** Positions anywhere inside pixels. @param {number[]} picked @param {Philox} rng @param {{ width: number, height: number }} canvas */
function placesIn(picked, rng, { width, height }) {
  const count = picked.length, offset = rng.uniform(2 * count), xy = new Float32Array(2 * count);
  const [across, down] = reachOf({ width, height });
  picked.forEach((pixel, k) => {
    xy[k] = across * ((2 * ((pixel % width) + offset[k])) / width - 1);
    xy[count + k] = down * ((2 * (Math.floor(pixel / width) + offset[count + k])) / height - 1);
  });
  return xy;
}

/** A share by the magnitude of the gradient of luminance, the rest uniform. @param {Picture} picture @param {Float32Array | null} weight @param {number} detail */
function detailDensity({ width, height, values }, weight, detail) {
  const plane = width * height, grey = new Float64Array(plane), density = new Float64Array(plane);
  for (let k = 0; k < plane; k++) grey[k] = (values[k] + values[plane + k] + values[2 * plane + k]) / 3;
  let sum = 0;
  for (let y = 0, k = 0; y < height; y++) {
    for (let x = 0; x < width; x++, k++) {
      const across = (grey[x + 1 < width ? k + 1 : k] - grey[x ? k - 1 : k]) / 2;
      const down = (grey[y + 1 < height ? k + width : k] - grey[y ? k - width : k]) / 2;
      sum += density[k] = Math.hypot(across, down) + 1e-6;
    }
  }
  const masked = weight !== null && weight.some((value) => value > 0);
  return density.map((value, k) => ((detail * value) / sum + (1 - detail) / plane) * (masked ? weight[k] : 1));
}

/** The picture minus the background at positions, linear between pixels. @param {Float32Array} xy @param {Setting} setting */
function coloursAt(xy, { target: { width, height, values }, background }) {
  const count = xy.length / 2, plane = width * height, colours = new Float32Array(3 * count);
  const [across, down] = reachOf({ width, height });
  for (let part = 0; part < count; part++) {
    const x = Math.min(Math.max(((xy[part] / across + 1) * width - 1) / 2, 0), width - 1);
    const y = Math.min(Math.max(((xy[count + part] / down + 1) * height - 1) / 2, 0), height - 1);
    const left = Math.floor(x), top = Math.floor(y), right = Math.min(left + 1, width - 1), bottom = Math.min(top + 1, height - 1);
    for (let c = 0; c < 3; c++) {
      /** @param {number} row @param {number} column */
      const at = (row, column) => values[c * plane + row * width + column];
      const upper = at(top, left) + (x - left) * (at(top, right) - at(top, left));
      const lower = at(bottom, left) + (x - left) * (at(bottom, right) - at(bottom, left));
      colours[c * count + part] = upper + (y - top) * (lower - upper) - background[c];
    }
  }
  return colours;
}

/** About the mean distance of each part to its three nearest neighbours. @param {Float32Array} xy @param {{ width: number, height: number }} canvas */
function localSpacing(xy, canvas) {
  const count = xy.length / 2, mean = Math.sqrt(areaOf(canvas) / Math.max(1, count));
  if (count < 8) return new Float64Array(count).fill(mean);
  /** @type {Map<number, number[]>} */
  const cells = new Map(), key = /** @param {number} column @param {number} row */ (column, row) => row * 65536 + column;
  /** @param {number} value */
  const cellOf = (value) => Math.floor(value / mean) + 32768;
  for (let k = 0; k < count; k++) {
    const cell = key(cellOf(xy[k]), cellOf(xy[count + k]));
    if (!cells.has(cell)) cells.set(cell, []);
    cells.get(cell)?.push(k);
  }
  return Float64Array.from({ length: count }, (_, k) => {
    const x = xy[k], y = xy[count + k], [column, row] = [cellOf(x), cellOf(y)];
    const nearest = [Infinity, Infinity, Infinity];
    // What is beyond a ring of cells is farther than the ring is wide; more than 4 spacings do not matter.
    for (let ring = 0; ring <= 4 && nearest[2] > (ring - 1) * mean; ring++) {
      for (let down = -ring; down <= ring; down++) {
        const step = Math.abs(down) === ring ? 1 : 2 * ring;
        for (let across = -ring; across <= ring; across += step || 1) {
          for (const other of cells.get(key(column + across, row + down)) ?? []) {
            if (other === k) continue;
            const distance = Math.hypot(xy[other] - x, xy[count + other] - y);
            if (distance < nearest[2]) {
              nearest[2] = distance;
              nearest.sort((a, b) => a - b);
            }
          }
        }
      }
    }
    const spacing = 1.4 * ((nearest[0] + nearest[1] + nearest[2]) / 3);
    return Math.min(Math.max(spacing, pixelOf(canvas) / 2), 4 * mean);
  });
}

const EDGE = 1e-6;
/** Functions from raw to mapped values and back, see artgen.primitives.Map. @type {Record<string, [(raw: number) => number, (value: number) => number]>} */
const MAPS = {
  identity: [(x) => x, (y) => y],
  exp: [Math.exp, (y) => Math.log(Math.max(y, 1e-30))],
  softplus: [(x) => (x > 20 ? x : Math.log1p(Math.exp(x))), (y) => Math.max(y, EDGE) + Math.log(-Math.expm1(-Math.max(y, EDGE)))],
  sigmoid: [(x) => 1 / (1 + Math.exp(-x)), (y) => { const z = Math.min(Math.max(y, EDGE), 1 - EDGE); return Math.log(z / (1 - z)); }],
  tanh: [Math.tanh, (y) => Math.atanh(Math.min(Math.max(y, -1 + EDGE), 1 - EDGE))],
  reciprocal: [(x) => 1 / x, (y) => 1 / Math.max(y, EDGE)],
};

/** @param {[string, number, number]} map @param {number} raw */
const mapped = ([name, scale, shift], raw) => shift + scale * MAPS[name][0](raw);
/** @param {[string, number, number]} map @param {number} value */
const unmapped = ([name, scale, shift], value) => MAPS[name][1]((value - shift) / scale);

/** Bounds of raw values. @param {Param} param @param {Setting} setting @returns {[number, number]} */
function rawBounds({ map, low, high }, setting) {
  const ends = [numberOf(low, setting, -Infinity), numberOf(high, setting, Infinity)]
    .map((end) => (Number.isFinite(end) ? unmapped(map, end) : null));
  const [least, most] = (map[1] < 0) !== (map[0] === "reciprocal") ? ends.reverse() : ends;
  return [least ?? (map[0] === "reciprocal" ? EDGE : -Infinity), most ?? Infinity];
}
