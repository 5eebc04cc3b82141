// The .art file: safetensors with artgen's description as JSON in its metadata. See artgen.art.

/** JSON with sorted keys. @param {any} value @returns {string} */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const entries = Object.keys(value).filter((each) => value[each] !== undefined).sort();
    return `{${entries.map((each) => `${JSON.stringify(each)}:${canonical(value[each])}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

/**
 * @param {Record<string, any>} described drawing, metrics and recipe
 * @param {Param[]} params @param {Tensors} tensors @param {number} count
 */
function artBytes(described, params, tensors, count) {
  const text = canonical({ format: 1, precision: "fp32", ...described });
  /** @type {Record<string, any>} */
  const header = { __metadata__: { artgen: text } };
  let at = 0;
  const names = params.map(({ name }) => name).sort();
  for (const name of names) {
    const shape = params.find((param) => param.name === name)?.shape ?? [], length = tensors[name].byteLength;
    header[name] = { dtype: "F32", shape: [...shape, count], data_offsets: [at, at + length] };
    at += length;
  }
  let head = JSON.stringify(header);
  head += " ".repeat((8 - (new TextEncoder().encode(head).length % 8)) % 8);
  const bytes = new TextEncoder().encode(head), begin = 8 + bytes.length, file = new Uint8Array(begin + at);
  new DataView(file.buffer).setBigUint64(0, BigInt(bytes.length), true);
  file.set(bytes, 8);
  for (const name of names) {
    const { buffer, byteOffset, byteLength } = tensors[name];
    file.set(new Uint8Array(buffer, byteOffset, byteLength), begin + header[name].data_offsets[0]);
  }
  return file;
}

/** Read a file that artBytes or artgen wrote. @param {ArrayBuffer} buffer @param {string} name */
function readArt(buffer, name) {
  const damaged = new Sentence(`${name} is not an .art file, or it is damaged.`);
  try {
    const length = Number(new DataView(buffer).getBigUint64(0, true));
    if (length > buffer.byteLength - 8) throw damaged;
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
    const described = JSON.parse(header.__metadata__.artgen);
    /** @type {Tensors} */
    const tensors = {};
    for (const [key, { dtype, data_offsets: [from, to] }] of Object.entries(header).filter(([key]) => key !== "__metadata__" && !key.startsWith("film."))) {
      if (dtype !== "F32") throw new Sentence(`${name} stores its numbers as ${dtype}. The studio reads files of precision fp32: artgen edit ${name} --precision fp32 -o fp32.art`);
      tensors[key] = new Float32Array(buffer.slice(8 + length + from, 8 + length + to));
    }
    /** @type {number[]} */
    const locked = described.studio?.locked ?? [];
    return { drawing: described.drawing, recipe: described.recipe, tensors, locked };
  } catch (error) {
    throw error instanceof Sentence ? error : damaged;
  }
}
