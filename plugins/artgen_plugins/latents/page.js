// How a page draws `latents`: whole numbers decoded as by coder.py and coding.py, colours made of them
// as by kernels.py, and a cubic between pixels as by paint.py. A number of JavaScript holds 53 bits
// exactly: what is longer is computed in parts.

/**
 * What export.py says: names, shapes and bits behind the point of all weights, shapes of all grids
 * from the finest, where the neighbours of a latent are, and the ratios of distributions.
 * @typedef {{ weights: { name: string, shape: number[], bits: number }[], grids: number[][],
 *   offsets: number[][], factors: number[] }} Facts
 * A channel of a grid, with zeros around it: latents, and their roots in parts of 64.
 * @typedef {{ q: Int16Array, r: Int16Array }} Channel
 * @typedef {{ channels: Channel[], height: number, width: number, stride: number }} Grid
 * @typedef {{ weights: Record<string, Float64Array>, grids: Grid[] }} Numbers
 */

const VERSION = 3, LARGEST = 255, WIDEST = 64, LEAST = -5, FINE = 16, MOST_SHIFT = 20;
const TOP = 2, SIDE = 2, FEATURES = 6, UNITS = 16;
const WHOLE = 2 ** 24, WORD = 2 ** 32, REACH = FINE * (2 * LARGEST + 2), HALF = (WHOLE - 2 * LARGEST - 2) / 2;
/** Milliseconds of work before the page may do something else. */
const SLICE = 25;

/** A function that waits for a moment whenever a slice of time is over. */
function slices() {
  let end = performance.now() + SLICE;
  return async () => {
    if (performance.now() < end) return;
    await new Promise((resolve) => { setTimeout(resolve, 0); });
    end = performance.now() + SLICE;
  };
}

// ---- whole numbers ----

/** CRC-32, of which zlib has tables. @param {Uint8Array} bytes */
function checksum(bytes) {
  let sum = -1;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

/** The probabilities of distances, [scales, REACH]: `coder.tails`. @param {number[]} factors */
function tailsOf(factors) {
  const table = new Int32Array(factors.length * REACH);
  factors.forEach((factor, k) => {
    const upper = Math.floor(factor / 65536), lower = factor % 65536;
    for (let t = 0, value = HALF * 128; t < REACH; t++) {
      table[k * REACH + t] = value >> 7;
      // value · factor / 2³²
      value = Math.floor((value * upper + Math.floor((value * lower) / 65536)) / 65536);
    }
  });
  return table;
}

/** The state of the range coder, 64 bits in two halves, and the words that wait. */
class Decoder {
  /** @param {Uint32Array} words @param {Int32Array} tails */
  constructor(words, tails) {
    this.words = words;
    this.tails = tails;
    this.waiting = words.length;
    this.high = 0;
    this.low = 0;
    while (this.high === 0 && this.waiting) this.shift();
  }

  shift() {
    this.high = this.low;
    this.low = this.words[--this.waiting];
  }

  /** How many of 2²⁴ come before a latent. @param {number} value @param {number} mean @param {number} row */
  below(value, mean, row) {
    if (value <= -LARGEST) return 0;
    if (value > LARGEST) return WHOLE;
    const t = FINE * value - mean - FINE / 2, { tails } = this;
    const share = t < 0 ? tails[row + Math.min(-t, REACH - 1)] : 2 * HALF - tails[row + Math.min(t, REACH - 1)];
    return share + value + LARGEST;
  }

  /** Decode a latent, of a mean in parts of 16 and the distribution `scale`. @param {number} mean @param {number} scale */
  next(mean, scale) {
    const place = this.low & (WHOLE - 1), row = scale * REACH;
    let value = Math.min(Math.max((mean + FINE / 2) >> 4, -LARGEST), LARGEST);
    let start = this.below(value, mean, row), end = this.below(value + 1, mean, row);
    while (place < start) {
      end = start;
      start = this.below(--value, mean, row);
    }
    while (place >= end) {
      start = end;
      end = this.below(++value + 1, mean, row);
    }
    this.take(start, end - start);
    return value;
  }

  /** Decode the last bits of a number, all as likely as any other. @param {number} bits */
  rest(bits) {
    const size = WHOLE / 2 ** bits, value = Math.floor((this.low & (WHOLE - 1)) / size);
    this.take(value * size, size);
    return value;
  }

  /** Remove a symbol from the state, which becomes state / 2²⁴ · size + place − start. @param {number} start @param {number} size */
  take(start, size) {
    const { high, low } = this, upper = (high >>> 16) * size;
    const rest = ((high & 65535) * 256 + (low >>> 24)) * size + (upper % 256) * WHOLE + (low & (WHOLE - 1)) - start;
    this.high = Math.floor(upper / 256) + Math.floor(rest / WORD);
    this.low = rest % WORD;
    if (this.high === 0 && this.waiting) this.shift();
  }
}

/** Weights and grids of the bytes that a file holds. @param {Uint8Array} data @param {Facts} facts @returns {Promise<Numbers>} */
async function decode(data, { weights: names, grids: shapes, offsets, factors }) {
  const body = data.subarray(5), words = body.slice(2 * names.length);
  if (data[0] !== VERSION || words.length % 4 || body.length < 2 * names.length) throw damaged();
  if (new DataView(data.buffer, data.byteOffset).getUint32(1, true) !== checksum(body)) throw damaged();
  const decoder = new Decoder(new Uint32Array(words.buffer), tailsOf(factors)), pause = slices();
  /** @type {Record<string, Float64Array>} */
  const whole = {};
  names.forEach(({ name, shape, bits }, k) => {
    const fact = body[2 * k] + 256 * body[2 * k + 1], scale = fact % 128, step = (fact >> 7) % 16, shift = fact >> 11;
    if (shift > MOST_SHIFT || scale >= factors.length) throw damaged();
    whole[name] = new Float64Array(shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < whole[name].length; i++) {
      const value = decoder.next(0, scale) * 2 ** shift;
      whole[name][i] = (value + (shift ? decoder.rest(shift) : 0)) * 2 ** step;
      if (Math.abs(whole[name][i]) > WIDEST * 2 ** bits) throw damaged();
    }
  });
  const grids = shapes.map(([channels, height, width]) => {
    const stride = width + 2 * SIDE, size = (height + TOP) * stride;
    return { channels: Array.from({ length: channels }, () => ({ q: new Int16Array(size), r: new Int16Array(size) })), height, width, stride };
  });
  for (let level = grids.length - 1; level >= 0; level--) {
    for (let channel = 0; channel < grids[level].channels.length; channel++) {
      const row = rowDecoder(decoder, whole, grids, level, channel, offsets);
      for (let y = 0; y < grids[level].height; y++) {
        row(y);
        await pause();
      }
    }
  }
  // A decoder ends where the encoder began.
  if (decoder.high || decoder.low || decoder.waiting) throw damaged();
  const weights = Object.fromEntries(names.map(({ name, bits }) => [name, whole[name].map((value) => value / 2 ** bits)]));
  return { weights, grids };
}

/**
 * A function that decodes a row of a channel by the context model.
 * @param {Decoder} decoder @param {Record<string, Float64Array>} weights in whole numbers @param {Grid[]} grids
 * @param {number} level @param {number} channel @param {number[][]} offsets
 */
function rowDecoder(decoder, weights, grids, level, channel, offsets) {
  const { channels, width, stride } = grids[level], { q, r } = channels[channel], row = 2 * level + (channel > 0 ? 1 : 0);
  const near = Int32Array.from(offsets, ([dy, dx]) => dy * stride + dx), count = near.length, sized = count + 3, inputs = sized + count + 2;
  const { scale, seen } = weights, units = scale.length, spread = weights.spread[row] * 4096;
  const first = Int32Array.from(weights.level.subarray(row * units, (row + 1) * units), (value) => value * 64);
  const mean = Int32Array.from(weights.mean.subarray((row % 2) * count, (row % 2 + 1) * count));
  const centre = Float64Array.from(weights.centre.subarray((row % 2) * units, (row % 2 + 1) * units));
  // By inputs, so that one that is nothing costs nothing: what one above 0 means for the units, and one below.
  const [plus, minus] = [1, -1].map((sign) => Int32Array.from({ length: units * (count + 2) }, (_, k) => {
    const input = Math.floor(k / units), from = (k % units) * inputs;
    return seen[from + input + (input < count ? 0 : 1)] + sign * seen[from + sized + input];
  }));
  const over = Int32Array.from({ length: units }, (_, j) => seen[j * inputs + count]);
  const magnitudes = Int16Array.from({ length: LARGEST + 1 }, (_, n) => Math.floor((Math.floor(Math.sqrt(16384 * (1 + n))) + 1) / 2) - 64);
  const above = level + 1 < grids.length ? grids[level + 1] : null, parent = above && above.channels[channel].r;
  const others = [channel > 0 ? channels[0].r : null, channel > 1 ? channels[channel - 1].r : null];
  const unit = new Int32Array(units), most = decoder.tails.length / REACH - 1;

  /** @param {number} input @param {number} root */
  function see(input, root) {
    const table = root > 0 ? plus : minus, size = Math.abs(root);
    for (let j = 0, k = input * units; j < units; j++, k++) unit[j] += table[k] * size;
  }

  /** @param {number} y */
  return (y) => {
    const start = above ? ((y >> 1) + TOP) * above.stride + SIDE : 0;
    for (let x = 0, at = (y + TOP) * stride + SIDE; x < width; x++, at++) {
      let middle = 0, total = spread;
      unit.set(first);
      for (let i = 0; i < count; i++) {
        const place = at + near[i];
        if (r[place] === 0) continue;
        middle += mean[i] * q[place] * 4096;
        see(i, r[place]);
      }
      if (parent) {
        const size = Math.abs(parent[start + (x >> 1)]);
        for (let j = 0; j < units; j++) unit[j] += over[j] * size;
      }
      if (others[0]) see(count, others[0][at]);
      if (others[1]) see(count + 1, others[1][at]);
      for (let j = 0; j < units; j++) {
        if (unit[j] <= 0) continue;
        total += scale[j] * unit[j];
        middle += centre[j] * unit[j];
      }
      const index = Math.floor((total - LEAST * 2 ** 18 + 2 ** 14) / 2 ** 15);
      middle = Math.min(Math.max(Math.floor((middle + 2 ** 13) / 2 ** 14), -FINE * LARGEST), FINE * LARGEST);
      const value = decoder.next(middle, Math.min(Math.max(index, 0), most));
      q[at] = value;
      r[at] = value < 0 ? -magnitudes[-value] : magnitudes[value];
    }
  };
}

// ---- colours ----

/** The picture, RGBA row by row, of the first `shown` grids from the coarsest. @param {Numbers} numbers @param {number} shown */
async function colours({ weights, grids }, shown) {
  const pause = slices(), [{ width, height }] = grids, rgba = new Float32Array(4 * width * height);
  /** Features of a whole level, row by row, and in a row one after the other. @type {Float32Array | null} */
  let above = null;
  for (let level = grids.length - 1; level > 0; level--) {
    const each = FEATURES * grids[level].width, here = new Float32Array(each * grids[level].height);
    for (let y = 0; y < grids[level].height; y++) {
      fillFeatures(weights, grids, level, y, above, level >= grids.length - shown, here.subarray(y * each, (y + 1) * each));
      await pause();
    }
    above = here;
  }
  const row = new Float32Array(FEATURES * width);
  for (let y = 0; y < height; y++) {
    fillFeatures(weights, grids, 0, y, above, shown >= grids.length, row);
    fillColours(weights, row, rgba.subarray(4 * y * width, 4 * (y + 1) * width));
    await pause();
  }
  return rgba;
}

/**
 * Fill `out` with row y of the features of a level: those above between their pixels, and its own latents.
 * @param {Record<string, Float64Array>} weights @param {Grid[]} grids @param {number} level @param {number} y
 * @param {Float32Array | null} above @param {boolean} own @param {Float32Array} out
 */
function fillFeatures(weights, grids, level, y, above, own, out) {
  const { channels, width, stride } = grids[level];
  out.fill(0);
  if (above) {
    const { height: rows, width: columns } = grids[level + 1], [a, b, c, d] = weights[`taps${level}`];
    const line = new Float32Array(columns + 4), first = (y >> 1) - (y % 2 ? 1 : 2), [ta, tb, tc, td] = y % 2 ? [a, b, c, d] : [d, c, b, a];
    const [ra, rb, rc, rd] = [0, 1, 2, 3].map((k) => Math.min(Math.max(first + k, 0), rows - 1) * FEATURES * columns);
    for (let k = 0; k < FEATURES; k++) {
      for (let x = 0, at = k * columns; x < columns; x++, at++) {
        line[x + 2] = ta * above[ra + at] + tb * above[rb + at] + tc * above[rc + at] + td * above[rd + at];
      }
      line[0] = line[1] = line[2];
      line[columns + 2] = line[columns + 3] = line[columns + 1];
      for (let x = 0, at = k * width; x < columns; x++, at += 2) {
        out[at] = d * line[x] + c * line[x + 1] + b * line[x + 2] + a * line[x + 3];
        if (2 * x + 1 < width) out[at + 1] = a * line[x + 1] + b * line[x + 2] + c * line[x + 3] + d * line[x + 4];
      }
    }
  }
  if (!own) return;
  const mix = weights[`mix${level}`];
  channels.forEach(({ q }, n) => {
    for (let k = 0; k < FEATURES; k++) {
      const weight = mix[k * channels.length + n];
      for (let x = 0, at = (y + TOP) * stride + SIDE; x < width; x++, at++) out[k * width + x] += weight * q[at];
    }
  });
}

/** Fill `out` with the colours of a row of features. @param {Record<string, Float64Array>} weights @param {Float32Array} row @param {Float32Array} out */
function fillColours({ colour, ground, unit, threshold, bend }, row, out) {
  const width = row.length / FEATURES, f = new Float64Array(FEATURES), rgb = new Float64Array(3);
  for (let x = 0; x < width; x++) {
    for (let k = 0; k < FEATURES; k++) f[k] = row[k * width + x];
    for (let i = 0; i < 3; i++) {
      rgb[i] = ground[i];
      for (let k = 0; k < FEATURES; k++) rgb[i] += colour[i * FEATURES + k] * f[k];
    }
    for (let j = 0; j < UNITS; j++) {
      let value = threshold[j];
      for (let k = 0; k < FEATURES; k++) value += unit[j * FEATURES + k] * f[k];
      if (value > 0) for (let i = 0; i < 3; i++) rgb[i] += bend[i * UNITS + j] * value;
    }
    for (let i = 0; i < 3; i++) out[4 * x + i] = rgb[i];
  }
}

// ---- at any size ----

const VERTEX = `#version 300 es
void main() { gl_Position = vec4(gl_VertexID == 1 ? 3 : -1, gl_VertexID == 2 ? 3 : -1, 0, 1); }`;

const FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
uniform highp sampler2D picture;
uniform vec2 middle;  // of what is drawn, in its pixels
uniform ivec2 base;   // where that is in the picture, in its pixels: a whole number
uniform vec2 share;   // and the rest, which is exact however near one looks
uniform float by;     // pixels of the picture per pixel drawn
out vec4 colour;

vec3 at(ivec2 place) { return texelFetch(picture, clamp(place, ivec2(0), textureSize(picture, 0) - 1), 0).rgb; }

// Weights of four pixels, of which the second lies t before the place.
vec4 cubic(float t) {
  vec4 d = vec4(1.0 + t, t, 1.0 - t, 2.0 - t), near = (1.25 * d - 2.25) * d * d + 1.0, far = ((-0.75 * d + 3.75) * d - 6.0) * d + 3.0;
  return vec4(far.x, near.y, near.z, far.w);
}

void main() {
  vec2 place = share + vec2(gl_FragCoord.x - middle.x, middle.y - gl_FragCoord.y) * by;
  vec3 sum = vec3(0);
  if (by > 1.5) {
    // Small pictures are means, with weights that fall in straight lines.
    vec2 size = vec2(textureSize(picture, 0)), here = clamp(vec2(base) + place, vec2(0.5), size - 0.5);
    ivec2 low = ivec2(max(here - by + 0.5, 0.0)), high = ivec2(min(here + by + 0.5, size));
    float total = 0.0;
    for (int y = low.y; y < high.y; y++) for (int x = low.x; x < high.x; x++) {
      vec2 near = max(1.0 - abs(vec2(x, y) + 0.5 - here) / by, 0.0);
      sum += near.x * near.y * at(ivec2(x, y));
      total += near.x * near.y;
    }
    sum /= total;
  } else {
    vec2 whole = floor(place - 0.5), t = place - 0.5 - whole;
    vec4 across = cubic(t.x), down = cubic(t.y);
    ivec2 first = base + ivec2(whole) - 1;
    for (int y = 0; y < 4; y++) for (int x = 0; x < 4; x++) sum += across[x] * down[y] * at(first + ivec2(x, y));
  }
  colour = vec4(clamp(sum, 0.0, 1.0), 1);
}`;

class Painter extends Stage {
  static strips = Infinity;
  /** @type {Numbers | null} */
  numbers = null;
  shown = -1;
  spec = { width: 0, height: 0 };

  constructor() {
    super();
    const { gl } = this, [[, height, width]] = piece.facts.grids;
    if (Math.max(width, height) > gl.getParameter(gl.MAX_TEXTURE_SIZE)) throw new Unable("This picture has more pixels than this graphics card takes.");
    this.size = { width, height };
    this.draw = this.program(VERTEX, FRAGMENT);
    this.picture = this.texture();
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, width, height);
  }

  /** @param {{ width: number, height: number, x: number, y: number, pixel: number, parts: number }} spec */
  async begin({ width, height, x, y, pixel, parts }) {
    const { gl, size } = this, { program, places } = this.draw, half = Math.min(size.width, size.height) / 2;
    if (this.shown !== parts) {
      this.numbers ??= await decode(rowOf(piece.scenes[0].data), piece.facts);
      const rgba = await colours(this.numbers, parts);
      gl.bindTexture(gl.TEXTURE_2D, this.picture);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, size.width, size.height, gl.RGBA, gl.FLOAT, rgba);
      this.shown = parts;
    }
    this.resize(width, height);
    gl.viewport(0, 0, width, height);
    gl.useProgram(program);
    const across = size.width / 2 + x * half, down = size.height / 2 + y * half;
    gl.uniform1i(places.picture, 0);
    gl.uniform2f(places.middle, width / 2, height / 2);
    gl.uniform2i(places.base, Math.floor(across), Math.floor(down));
    gl.uniform2f(places.share, across - Math.floor(across), down - Math.floor(down));
    gl.uniform1f(places.by, pixel * half);
    gl.bindTexture(gl.TEXTURE_2D, this.picture);
    this.spec = { width, height };
  }

  /** @param {number} top @param {number} bottom */
  strip(top, bottom) {
    const { gl } = this, { width, height } = this.spec;
    gl.scissor(0, height - bottom, width, bottom - top);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }
}
