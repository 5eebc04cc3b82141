// Parts as the eye sees them: which one lies at a place, and its outline.

/** @typedef {{ ellipse: Tape, weight: Tape }} Footprint */

/** What a part must add to be seen: a share of what is behind it that it hides, and of a colour. */
const HIDES = 0.25, SEEN = 0.02;
/** The share of its largest weight at which a part ends, and how finely that is looked for, in cells along a side. */
const RIM = 0.3, CELLS = 32;

class Parts {
  /**
   * @param {{ blend: string, params: Param[], footprint: Footprint }} look
   * @param {Tensors} tensors mapped @param {number} count @param {number} pixel the side of one, in canvas units
   */
  constructor({ blend, params, footprint }, tensors, count, pixel) {
    this.blend = blend;
    this.footprint = footprint;
    this.count = count;
    this.pixel = pixel;
    /** Components by the names that tapes have for them. @type {Map<string, Float32Array>} */
    this.columns = new Map();
    for (const { name, shape } of params) {
      const size = shape.reduce((a, b) => a * b, 1);
      for (let component = 0; component < size; component++) {
        /** @type {number[]} */
        const index = [];
        for (let axis = shape.length - 1, rest = component; axis >= 0; rest = Math.floor(rest / shape[axis--])) index.unshift(rest % shape[axis]);
        this.columns.set([name, ...index].join(" "), tensors[name].subarray(component * count, (component + 1) * count));
      }
    }
  }

  /** @param {string} name @param {number} part */
  value(name, part) {
    return /** @type {Float32Array} */ (this.columns.get(name))[part];
  }

  /** Where a part lies, in canvas units. @param {number} part */
  place(part) {
    return [this.value("xy 0", part), this.value("xy 1", part)];
  }

  /** Half axes of the ellipse that a part ends at, and cosine and sine of its angle. @param {number} part */
  ellipse(part) {
    const [along, across, angle] = played(this.footprint.ellipse, (name) => (name === "pixel" ? this.pixel : this.value(name, part)));
    return [along, across, Math.cos(angle), Math.sin(angle)];
  }

  /** The magnitude of the weight of a part at an offset from it. @param {number} part @param {number} dx @param {number} dy */
  weight(part, dx, dy) {
    const [along, across, c, s] = this.ellipse(part);
    if (!(Math.hypot((c * dx + s * dy) / along, (c * dy - s * dx) / across) <= 1)) return 0;
    const own = /** @type {Record<string, number>} */ ({ dx, dy, pixel: this.pixel });
    const [weight] = played(this.footprint.weight, (name) => own[name] ?? this.value(name, part));
    return Math.abs(weight) || 0;
  }

  /** The part on top at a place; where none hides another, the one that adds most. -1 where there is none. @param {number[]} place in canvas units */
  at([x, y]) {
    let best = -1, most = -Infinity;
    for (let part = 0; part < this.count; part++) {
      const [left, top] = this.place(part), weight = this.weight(part, x - left, y - top), seen = weight ? this.shown(part, weight) : 0;
      if (seen && seen > most) [best, most] = [part, seen];
    }
    return best;
  }

  /** How much a part with a weight is seen: of those that hide others the nearest one most. @param {number} part @param {number} weight */
  shown(part, weight) {
    if (this.blend === "over") {
      const alpha = Math.min(1, this.value("opacity", part) * weight);
      if (alpha < SEEN) return 0;
      // What hides little is seen less than all that hide.
      return alpha >= HIDES ? 2 + Math.atan(-this.value("z", part)) : alpha - 2;
    }
    const near = this.blend === "depth" ? Math.exp(-this.value("z", part)) : 1;
    const colour = this.blend === "depth" || this.blend === "normalized" ? 1 : Math.hypot(...[0, 1, 2].map((k) => this.value(`colour ${k}`, part)));
    return weight * colour >= SEEN ? weight * near * colour : 0;
  }

  /** The outline of a part around its place: an SVG path in canvas units, and whether an offset is inside. @param {number} part */
  outline(part) {
    const [along, across, c, s] = this.ellipse(part), side = CELLS + 1;
    /** @type {(column: number, row: number) => [number, number]} */
    const offset = (column, row) => {
      const u = along * ((2 * column) / CELLS - 1), v = across * ((2 * row) / CELLS - 1);
      return [c * u - s * v, s * u + c * v];
    };
    const sharp = Float64Array.from({ length: side * side }, (_, k) => this.weight(part, ...offset(k % side, Math.floor(k / side))));
    // Hairs and other texture have no outlines of their own.
    const soft = sharp.map((_, k) => {
      let sum = 0;
      for (const row of [-1, 0, 1]) for (const column of [-1, 0, 1]) {
        const x = (k % side) + column, y = Math.floor(k / side) + row;
        if (x >= 0 && x < side && y >= 0 && y < side) sum += sharp[y * side + x];
      }
      return sum / 9;
    });
    const rim = RIM * soft.reduce((a, b) => Math.max(a, b), 1e-9);
    /** @param {number} column @param {number} row */
    const above = (column, row) => (column < 0 || row < 0 || column > CELLS || row > CELLS ? 0 : soft[row * side + column]) - rim;
    let path = "";
    for (let row = -1; row <= CELLS; row++) for (let column = -1; column <= CELLS; column++) {
      const corners = [[column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1]], cuts = [];
      for (let k = 0; k < 4; k++) {
        const [from, to] = [corners[k], corners[(k + 1) % 4]], a = above(from[0], from[1]), b = above(to[0], to[1]);
        if (a > 0 === b > 0) continue;
        const share = a / (a - b), cut = offset(from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1]));
        cuts.push(cut.map((value) => value.toPrecision(6)).join(" "));
      }
      for (let k = 0; k + 1 < cuts.length; k += 2) path += `M${cuts[k]}L${cuts[k + 1]}`;
    }
    /** @param {number} dx @param {number} dy */
    const inside = (dx, dy) => {
      const column = Math.round((((c * dx + s * dy) / along + 1) * CELLS) / 2), row = Math.round((((c * dy - s * dx) / across + 1) * CELLS) / 2);
      return above(column, row) > 0;
    };
    return { path, inside };
  }
}
