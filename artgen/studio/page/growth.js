// Growth: when parts are added, which ones move, and where new ones start. See artgen's densify.py.

/** How far an error counts, as a standard deviation in mean spacings. */
const BLUR = 0.5;

/**
 * The count that each round ends with, by step.
 * @param {Record<string, any>} options of the engine
 * @param {number} count @param {number} steps @returns {Map<number, number>}
 */
function roundsOf({ start, add, every, until, move }, count, steps) {
  const first = firstCount(start, count), rounds = new Map();
  if (!(move > 0 || first < count)) return rounds;
  const number = Math.max(1, Math.floor(until / every + 1e-9));
  let now = first;
  for (let i = 1; i <= number; i++) {
    now = i === number ? count : Math.min(now + Math.max(1, Math.floor(add * now)), Math.max(first, count));
    rounds.set(Math.min(evenly(i * every * steps), steps - 1), now);
  }
  return rounds;
}

/** Python's rounding: halves go to the even neighbour. @param {number} value */
function evenly(value) {
  const down = Math.floor(value);
  if (value - down !== 0.5) return Math.round(value);
  return down % 2 ? down + 1 : down;
}

/** @param {number} share @param {number} count */
const firstCount = (share, count) => Math.max(1, evenly(share * count));

/**
 * Indices of the parts to keep, and starting values of the new ones.
 * @param {Param[]} params @param {Tensors} tensors mapped @param {Float32Array} worth of each part
 * @param {Picture} image what is drawn @param {Omit<Setting, "count" | "everyone" | "spacing">} setting
 * @param {number} due the count after this @param {number} move the share of parts to move @param {Set<number>} spared parts that stay
 */
function grown(params, tensors, worth, image, setting, due, move, spared) {
  const present = worth.length, every = Array.from(worth, (_, k) => k);
  const order = every.filter((k) => !spared.has(k)).sort((a, b) => worth[a] - worth[b] || a - b);
  const moved = new Set(order.slice(0, Math.floor(move * present))), kept = every.filter((k) => !moved.has(k)), count = due - kept.length;
  if (count <= 0) return null;
  const { target, weight, rng, background } = setting;
  const spacing = Math.sqrt(areaOf(target) / due) / pixelOf(target);
  const density = errorDensity(image, target, weight, BLUR * spacing);
  const enough = density.reduce((sum, value) => sum + (value > 0 ? 1 : 0), 0) >= count;
  const xy = placesIn(rng.choose(density, count, !enough), rng, target);
  const plane = target.width * target.height;
  const missing = target.values.map((value, k) => value - image.values[k] + background[Math.floor(k / plane)]);
  const everyone = new Float32Array(2 * due);
  for (const axis of [0, 1]) {
    everyone.set(xy.subarray(axis * count, (axis + 1) * count), axis * due);
    kept.forEach((part, k) => { everyone[axis * due + count + k] = tensors.xy[axis * present + part]; });
  }
  const fresh = startingValues(params, {
    ...setting, target: { ...target, values: missing }, weight: null, count, everyone: due,
    spacing: () => localSpacing(everyone, target).subarray(0, count),
  }, { xy });
  return { kept, fresh };
}

/** The squared error under a Gaussian of `blur` pixels. @param {Picture} image @param {Picture} target @param {Float32Array | null} weight @param {number} blur */
function errorDensity(image, { width, height, values }, weight, blur) {
  const plane = width * height, error = new Float64Array(plane);
  for (let k = 0; k < plane; k++) {
    for (let c = 0; c < 3; c++) error[k] += (image.values[c * plane + k] - values[c * plane + k]) ** 2;
    if (weight) error[k] *= weight[k];
  }
  const radius = Math.ceil(2.5 * blur), tap = Array.from({ length: 2 * radius + 1 }, (_, k) => Math.exp(-0.5 * ((k - radius) / blur) ** 2));
  const total = tap.reduce((a, b) => a + b), rows = new Float64Array(plane), both = new Float64Array(plane);
  for (let y = 0, k = 0; y < height; y++) for (let x = 0; x < width; x++, k++) {
    for (let d = Math.max(-radius, -x); d <= Math.min(radius, width - 1 - x); d++) rows[k] += (tap[d + radius] / total) * error[k + d];
  }
  for (let y = 0, k = 0; y < height; y++) for (let x = 0; x < width; x++, k++) {
    for (let d = Math.max(-radius, -y); d <= Math.min(radius, height - 1 - y); d++) both[k] += (tap[d + radius] / total) * rows[k + d * width];
  }
  return both.map((value) => value + 1e-12);
}
