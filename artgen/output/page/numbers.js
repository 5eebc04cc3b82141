// ---- numbers: rows of them, as the page stores them ----


const piece = JSON.parse(document.getElementById("piece").textContent);
const unpacked = [];
let packed = null;

const damaged = () => new Unable("The numbers of this picture are damaged. Copy the file again, or write it again with artgen.");

/** All bytes, when they are first needed: a page can then say that they are damaged. */
function unpack() {
  try {
    return Uint8Array.from(atob(document.getElementById("numbers").textContent), (c) => c.charCodeAt(0));
  } catch {
    throw damaged();
  }
}

/** Row k as float32, [keys, numbers], or bytes as they are. */
function rowOf(k) {
  if (unpacked[k]) return unpacked[k];
  packed ??= unpack();
  const { kind, count, at, low, step } = piece.rows[k];
  if (at + count * ({ float: 4, bytes: 1, byte: 1 }[kind] ?? 2) > packed.length) throw damaged();
  if (kind === "float") return (unpacked[k] = new Float32Array(packed.buffer, at, count));
  if (kind === "bytes") return (unpacked[k] = packed.subarray(at, at + count));
  const places = new (kind === "byte" ? Uint8Array : Uint16Array)(packed.buffer, at, count);
  const values = Float32Array.from(places, kind === "log" ? (n) => Math.exp(low + n * step) : (n) => low + n * step);
  return (unpacked[k] = values);
}
