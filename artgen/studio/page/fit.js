// A fit: parameters of one primitive that learn a picture on the graphics card, step by step.

/** The most steps of a submission. */
const SUBMITTED = 64, FAILURES = 3;

/** The factor on all rates for the step after `step`, see artgen's schedule.py. @param {Record<string, any>} options @param {number} step @param {number} total */
function rateFactor(options, step, total) {
  /** @param {number} start @param {number} end @param {number} progress */
  const between = (start, end, progress) => end + ((start - end) * (1 + Math.cos(Math.PI * progress))) / 2;
  const progress = Math.min(1, step / total), RISE = 0.3;
  let factor = options.rate;
  if (options.schedule === "cosine") factor *= between(1, options.final, progress);
  if (options.schedule === "exponential") factor *= options.decay ** step;
  if (options.schedule === "one-cycle") {
    factor *= progress < RISE ? between(1 / 25, 1, progress / RISE) : between(1, options.final, (progress - RISE) / (1 - RISE));
  }
  return step < options.warmup ? (factor * (step + 1)) / (options.warmup + 1) : factor;
}

/** How soft the order of parts over one another is, see artgen's engines/gradient/splats.py. @param {Record<string, any>} options @param {number} step */
const softness = ({ soften, steps }, step) => (soften > 0 ? Math.max(0, 1 - step / (soften * steps)) : 0);

/** A program that can also let parts keep their raw values, step by step: those whose `locks` are not 0. @param {Program} program @returns {Program} */
function withLocks(program) {
  const rows = program.parameters.length, names = ["raw", "moments", "kept", "locks"];
  const module = `
@group(0) @binding(0) var<storage, read_write> raw: array<f32>;
@group(0) @binding(1) var<storage, read_write> moments: array<f32>;
@group(0) @binding(2) var<storage, read> kept: array<f32>;
@group(0) @binding(3) var<storage, read> locks: array<u32>;

@compute @workgroup_size(64)
fn hold(@builtin(global_invocation_id) id: vec3u) {
  let count = arrayLength(&raw) / ${rows}u;
  let part = id.x;
  if (part >= count || locks[part] == 0u) { return; }
  for (var row = 0u; row < ${rows}u; row++) {
    let at = row * count + part;
    raw[at] = kept[at];
    moments[at] = 0.0;
    moments[at + ${rows}u * count] = 0.0;
  }
}`;
  /** @type {(type: string, numbers: Size) => BufferSpec} */
  const storage = (type, numbers) => ({ usage: "storage", type, numbers, fields: [] });
  return {
    ...program,
    buffers: { ...program.buffers, kept: storage("f32", ["*", rows, "N"]), locks: storage("u32", "N") },
    modules: { ...program.modules, locks: module },
    kernels: { ...program.kernels, hold: { module: "locks", bindings: names.map((buffer, binding) => ({ binding, buffer, access: binding < 2 ? "storage" : "read-only-storage" })) } },
    lists: { ...program.lists, memorise: [{ copy: ["raw", "kept"] }], hold: [{ kernel: "hold", groups: [["ceil", "N", 64], 1] }] },
  };
}

class Fit {
  /**
   * @param {GPUDevice} device
   * @param {{ params: Param[], program: Program, kernels: Record<string, any>, grows: boolean, values: Record<string, any> }} kind
   * @param {{ target: Picture, weight: Float32Array | null, background: number[] }} scene
   * @param {Record<string, any>} options of the engine, with `count`, `steps`, `seed`
   */
  constructor(device, kind, scene, options) {
    this.kind = kind;
    this.scene = scene;
    this.options = options;
    this.device = device;
    /** Made by adopt. */
    this.driver = /** @type {Driver} */ (/** @type {unknown} */ (null));
    /** @type {number[]} */
    this.rates = [];
    /** The step, steps that Adam counts, the factor after failures, the best loss, failures. */
    this.step = this.adam = this.failures = 0;
    this.factor = 1;
    /** Room for pairs of a part and a tile, see artgen.compiler.step_program. */
    this.room = 0;
    this.bestLoss = Infinity;
    /** Parts that do not learn, the one that is picked, whether a hand moves it, and what hands did. @type {Set<number>} */
    this.locked = new Set();
    this.picked = -1;
    this.carried = false;
    /** @type {Edit[]} */
    this.edits = [];
    this.count = kind.grows ? firstCount(options.start, options.count) : options.count;
    this.rounds = this.plan();
    /** @type {{ loss: number, psnr: number }} */
    this.report = { loss: Infinity, psnr: 0 };
  }

  /** The rounds of growth, by the steps before which they come. @returns {Map<number, number>} */
  plan() {
    return this.kind.grows ? roundsOf(this.options, this.options.count, this.options.steps) : new Map();
  }

  /** Take so many steps in all; parts that growth is late with come next. @param {number} steps */
  pace(steps) {
    this.options.steps = steps;
    this.rounds = this.plan();
    const late = Math.max(...[...this.rounds].map(([step, due]) => (step <= this.step ? due : 0)));
    if (late > this.count) this.rounds.set(this.step, late);
  }

  /** Start anew, or from mapped values. @param {Tensors | null} tensors @param {number} count */
  start(tensors = null, count = this.count) {
    const { kind, options } = this;
    this.count = count;
    this.adopt(this.raw(startingValues(kind.params, this.setting(new Philox(options.seed)), tensors ?? {})), null);
  }

  /** What starting values and rates depend on. @param {Philox} rng @returns {Setting} */
  setting(rng) {
    const { target, weight, background } = this.scene, { width, height } = target;
    return {
      rng, width, height, target, weight, background, count: this.count, everyone: this.count, values: this.kind.values,
      spacing: (xy) => localSpacing(xy, target),
    };
  }

  /** Raw values inside their bounds, a row per parameter of the program. @param {Tensors} tensors */
  raw(tensors) {
    const count = tensors.xy.length / 2, setting = this.setting(new Philox(0));
    const raw = new Float32Array(this.kind.program.parameters.length * count);
    this.rows().forEach(({ param, component }, row) => {
      const [low, high] = rawBounds(param, setting);
      for (let k = 0; k < count; k++) {
        raw[row * count + k] = Math.min(Math.max(unmapped(param.map, tensors[param.name][component * count + k]), low), high);
      }
    });
    return raw;
  }

  /** The parameter and its component of each row of raw values. */
  rows() {
    return this.kind.program.parameters.map(({ name, index }) => {
      const param = this.kind.params.find((each) => each.name === name);
      if (!param) throw new Error(`no parameter ${name}`);
      return { param, component: placeOf(param.shape, index) };
    });
  }

  /** Continue with these raw values and moments. @param {Float32Array} raw @param {Float32Array | null} moments */
  adopt(raw, moments) {
    const { program, kernels } = this.kind, { target, background } = this.scene, setting = this.setting(new Philox(0));
    const sizes = { N: this.count, W: target.width, H: target.height, S: SUBMITTED, R: this.room };
    const { beta1, beta2, epsilon, weight_decay: decay } = this.options;
    this.driver?.destroy();
    this.driver = new Driver(this.device, program, kernels, sizes, {
      red: background[0], green: background[1], blue: background[2], background_weight: 1e-3, beta1, beta2, epsilon, decay,
    });
    const rows = this.rows();
    this.rates = rows.map(({ param }) => numberOf(param.rate, setting, 0));
    const ends = rows.flatMap(({ param }) => rawBounds(param, setting).map((end) => Math.min(Math.max(end, -3e38), 3e38)));
    this.driver.write("raw", raw);
    this.driver.write("bounds", Float32Array.from(ends));
    if (moments) this.driver.write("moments", moments);
    this.aim();
    this.driver.run(this.driver.lists("start"));
    this.settle();
  }

  /** Take the present values for the best, and for those of parts that do not learn. */
  settle() {
    const locks = new Uint32Array(this.count);
    for (const part of this.still) locks[part] = 1;
    this.driver.write("locks", locks);
    this.driver.run(this.driver.lists("keep", "memorise"));
    this.bestLoss = Infinity;
  }

  /** Parts that do not learn now. */
  get still() {
    return new Set(this.carried ? [...this.locked, this.picked] : this.locked);
  }

  /** Write target and weights. */
  aim() {
    const { target, weight } = this.scene, plane = target.width * target.height;
    const sum = weight ? weight.reduce((a, b) => a + b, 0) : plane;
    this.driver.write("goal", target.values);
    this.driver.write("weights", Float32Array.from({ length: plane }, (_, k) => (weight ? weight[k] : 1) / (3 * sum)));
    this.bestLoss = Infinity;
  }

  /** Give an option that the shaders read another value, and go on. @param {string} name @param {number} value */
  setOption(name, value) {
    const { kind, count, driver } = this, row = kind.program.parameters.findIndex((each) => each.name === OPTION + name);
    kind.values = { ...kind.values, [name]: value };
    driver.write("raw", new Float32Array(count).fill(value), 4 * row * count);
    this.settle();
  }

  /** Lock a part, or let it learn again. @param {number} part @param {boolean} locked */
  lock(part, locked) {
    if (locked) this.locked.add(part);
    else this.locked.delete(part);
    this.settle();
  }

  /** Put the middle of a part somewhere, in canvas units. @param {number} part @param {number[]} place */
  move(part, place) {
    const setting = this.setting(new Philox(0));
    this.rows().forEach(({ param, component }, row) => {
      if (param.name !== "xy") return;
      const [low, high] = rawBounds(param, setting), at = row * this.count + part, half = this.rates.length * this.count;
      this.driver.write("raw", Float32Array.of(Math.min(Math.max(unmapped(param.map, place[component]), low), high)), 4 * at);
      for (const moment of [at, at + half]) this.driver.write("moments", new Float32Array(1), 4 * moment);
    });
    this.settle();
  }

  /** Take a part away; growth puts no other in its stead. @param {number} part */
  async remove(part) {
    const [raw, moments] = await this.driver.run([], ["raw", "moments"]);
    for (const [step, due] of this.rounds) this.rounds.set(step, Math.max(0, due - 1));
    this.options.count -= 1;
    this.rearrange(Array.from({ length: this.count }, (_, k) => k).filter((k) => k !== part), new Float32Array(raw), new Float32Array(moments));
  }

  /** Continue with some of the parts, and fresh ones after them. @param {number[]} kept @param {Float32Array} raw @param {Float32Array} moments @param {Tensors | null} fresh */
  rearrange(kept, raw, moments, fresh = null) {
    const { count } = this, rows = this.rates.length, added = fresh ? fresh.xy.length / 2 : 0, due = kept.length + added;
    this.count = due;
    const more = fresh && this.raw(fresh);
    /** @type {(old: Float32Array, rows: number, more: Float32Array | null) => Float32Array} */
    const joined = (old, rows, more) => {
      const values = new Float32Array(rows * due);
      for (let row = 0; row < rows; row++) {
        kept.forEach((part, k) => { values[row * due + k] = old[row * count + part]; });
        if (more) values.set(more.subarray(row * added, (row + 1) * added), row * due + kept.length);
      }
      return values;
    };
    this.locked = new Set(kept.flatMap((part, k) => (this.locked.has(part) ? [k] : [])));
    this.picked = kept.indexOf(this.picked);
    this.adopt(joined(raw, rows, more), joined(moments, 2 * rows, null));
  }

  get done() {
    return this.step >= this.options.steps;
  }

  /** Take up to `number` steps; a round of growth comes before the step that it is due at. @param {number} number */
  async advance(number) {
    if (this.rounds.get(this.step) ?? 0) await this.grow();
    const next = [...this.rounds.keys()].find((step) => step > this.step) ?? Infinity;
    const steps = Math.min(number, SUBMITTED, this.options.steps - this.step, next - this.step), { beta1, beta2 } = this.options;
    const width = 3 + this.rates.length, schedule = new Float32Array(steps * width);
    for (let k = 0; k < steps; k++) {
      const t = this.adam + k + 1, factor = this.factor * rateFactor(this.options, this.step + k, this.options.steps);
      schedule.set([1 - beta1 ** t, Math.sqrt(1 - beta2 ** t), softness(this.options, this.step + k), ...this.rates.map((rate) => rate * factor)], k * width);
    }
    this.driver.write("schedule", schedule);
    this.driver.write("clock", new Uint32Array(1));
    const each = this.driver.lists("step", ...(this.still.size ? ["hold"] : []));
    const [clock] = await this.driver.run(Array.from({ length: steps }, () => each).flat(), ["clock"]);
    const missed = new Uint32Array(clock)[1], taken = steps - missed;
    this.step += taken;
    this.adam += taken;
    if (missed) await this.makeRoom();
    return taken;
  }

  /** Continue with room for as many pairs of a part and a tile as there are. */
  async makeRoom() {
    const [report, raw, moments] = await this.driver.run(this.driver.lists("evaluate"), ["report", "raw", "moments"]);
    this.room = Math.ceil(1.25 * new Float32Array(report)[3]);
    this.adopt(new Float32Array(raw), new Float32Array(moments));
  }

  /** Measure loss and PSNR, keep the best, and recover from what is not finite. */
  async evaluate() {
    const [buffer] = await this.driver.run(this.driver.lists("evaluate"), ["report"]);
    const [loss, square, broken] = new Float32Array(buffer);
    if (broken || !Number.isFinite(loss)) return this.recover();
    if (loss < this.bestLoss) {
      this.bestLoss = loss;
      await this.driver.run(this.driver.lists("keep"));
    }
    this.report = { loss, psnr: Math.min(100, -10 * Math.log10(square)) };
    return this.report;
  }

  /** Back to the best parameters at half the rates. */
  async recover() {
    if (++this.failures > FAILURES) throw new Sentence("The numbers of this fit became infinite again and again. Choose a smaller learning rate and restart.");
    const [best] = await this.driver.run([], ["best"]);
    this.factor /= 2;
    this.adam = 0;
    this.adopt(new Float32Array(best), null);
    return this.report;
  }

  /** Mapped values of all parameters. @returns {Promise<Tensors>} */
  async tensors() {
    const [buffer] = await this.driver.run([], ["raw"]);
    return this.mapped(new Float32Array(buffer), this.count);
  }

  /** @param {Float32Array} raw @param {number} count @returns {Tensors} */
  mapped(raw, count) {
    const tensors = Object.fromEntries(this.kind.params.map(({ name, shape }) => [name, new Float32Array(shape.reduce((a, b) => a * b, 1) * count)]));
    this.rows().forEach(({ param, component }, row) => {
      for (let k = 0; k < count; k++) tensors[param.name][component * count + k] = mapped(param.map, raw[row * count + k]);
    });
    return tensors;
  }

  /** The picture as it is shown. @returns {Promise<Picture>} */
  async picture() {
    const { width, height } = this.scene.target, [buffer] = await this.driver.run(this.driver.lists("draw"), ["pixels"]);
    return fromBytes(new ImageData(new Uint8ClampedArray(buffer, 0, 4 * width * height), width, height));
  }

  /** All that a fit continues from. */
  async state() {
    const [raw, moments] = await this.driver.run([], ["raw", "moments"]);
    const { step, adam, factor, count, scene, report, picked } = this;
    return { raw: new Float32Array(raw), moments: new Float32Array(moments), step, adam, factor, count, scene, report, picked, locked: new Set(this.locked), edits: [...this.edits] };
  }

  /** Continue from a state. @param {Awaited<ReturnType<Fit["state"]>>} state */
  restore({ raw, moments, ...rest }) {
    Object.assign(this, rest);
    this.rounds = this.plan();
    this.adopt(raw, moments);
  }

  /**
   * Parameters, the picture, and the magnitude of the colour that each part adds to it.
   * @returns {Promise<{ raw: Float32Array, moments: Float32Array, picture: Float32Array, worth: Float32Array, tensors: Tensors }>}
   */
  async survey() {
    const names = ["raw", "moments", "picture", "worth", ...("state" in this.driver.buffers ? ["state"] : [])];
    const read = await this.driver.run(this.driver.lists("survey"), names);
    const [raw, moments, picture, worth, state] = read.map((buffer) => new Float32Array(buffer));
    if (state?.[2]) {
      await this.makeRoom();
      return this.survey();
    }
    return { raw, moments, picture, worth: worth.subarray(0, this.count), tensors: this.mapped(raw, this.count) };
  }

  /** Add and move parts where the error is, as artgen's Densification does. */
  async grow() {
    const due = this.rounds.get(this.step) ?? this.count, { options } = this, { target } = this.scene;
    const { raw, moments, picture, tensors, worth } = await this.survey(), drawn = { ...target, values: picture };
    const rng = new Philox(stageSeed(options.seed) + BigInt(this.step)), spared = new Set([...this.locked, this.picked]);
    const change = grown(this.kind.params, tensors, worth, drawn, this.setting(rng), due, options.move, spared);
    this.rounds.set(this.step, 0);
    if (change) this.rearrange(change.kept, raw, moments, change.fresh);
  }

  destroy() {
    this.driver?.destroy();
  }
}

/** The seed of the first stage, see artgen.seeds. @param {number | bigint} seed */
const stageSeed = (seed) => (BigInt(seed) + 7919n) % 2n ** 63n;
