// Random numbers: Philox4x32-10 (Salmon et al. 2011), the same as artgen.philox in Python.

/** The product of two numbers of 32 bits: its high and its low half. @type {(a: number, b: number) => [number, number]} */
function product(a, b) {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const first = aHigh * bLow + ((aLow * bLow) >>> 16), second = aLow * bHigh + (first & 0xffff);
  return [(aHigh * bHigh + (first >>> 16) + (second >>> 16)) >>> 0, Math.imul(a, b) >>> 0];
}

/** The four numbers of block `number` of a key. @type {(number: number, low: number, high: number) => number[]} */
function philoxBlock(number, low, high) {
  let words = [number >>> 0, 0, 0, 0], [first, second] = [low, high];
  for (let round = 0; round < 10; round++) {
    const [a, b] = product(0xd2511f53, words[0]), [c, d] = product(0xcd9e8d57, words[2]);
    words = [(c ^ words[1] ^ first) >>> 0, d, (a ^ words[3] ^ second) >>> 0, b];
    [first, second] = [(first + 0x9e3779b9) >>> 0, (second + 0xbb67ae85) >>> 0];
  }
  return words;
}

/** A stream of random numbers; every call begins with a new block. */
class Philox {
  /** @param {number | bigint} seed */
  constructor(seed) {
    this.low = Number(BigInt(seed) & 0xffffffffn);
    this.high = Number(BigInt(seed) >> 32n);
    this.block = 0;
  }

  /** Numbers in [0, 1), multiples of 2^-24. @param {number} count */
  uniform(count) {
    const values = new Float32Array(count);
    for (let at = 0; at < count; at += 4) {
      const words = philoxBlock(this.block++, this.low, this.high);
      for (let k = at; k < Math.min(count, at + 4); k++) values[k] = (words[k - at] >>> 8) / 16777216;
    }
    return values;
  }

  /** Standard normal numbers (Box and Muller 1958). @param {number} count */
  normal(count) {
    const drawn = this.uniform(2 * count);
    return Float32Array.from({ length: count }, (_, k) =>
      Math.sqrt(-2 * Math.log(1 - drawn[k])) * Math.cos(2 * Math.PI * drawn[count + k]));
  }

  /**
   * Indices with probabilities proportional to a density; without `replacement` each at most once
   * (Efraimidis and Spirakis 2006).
   * @param {Float64Array} density @param {number} count
   */
  choose(density, count, replacement = true) {
    if (replacement) {
      const sums = new Float64Array(density.length);
      let sum = 0;
      density.forEach((value, k) => { sums[k] = sum += value; });
      return Array.from(this.uniform(count), (drawn) => firstAbove(sums, drawn * sum));
    }
    const waiting = Float64Array.from(this.uniform(density.length), (drawn, k) => -Math.log(1 - drawn) / density[k]);
    const order = Uint32Array.from(waiting, (_, k) => k).sort((a, b) => waiting[a] - waiting[b] || a - b);
    return [...order.subarray(0, count)];
  }
}

/** The first place of rising `sums` above a value. @type {(sums: Float64Array, value: number) => number} */
function firstAbove(sums, value) {
  let low = 0, high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
