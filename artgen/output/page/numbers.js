// ---- numbers: rows of them, as the page stores them ----


const piece = JSON.parse(document.getElementById("piece").textContent);
const packed = Uint8Array.from(atob(document.getElementById("numbers").textContent), (c) => c.charCodeAt(0));
const unpacked = [];

/** Row k as float32, [keys, numbers]. */
function rowOf(k) {
  if (unpacked[k]) return unpacked[k];
  const { kind, count, at, low, step } = piece.rows[k];
  if (kind === "float") return (unpacked[k] = new Float32Array(packed.buffer, at, count));
  const places = new (kind === "byte" ? Uint8Array : Uint16Array)(packed.buffer, at, count);
  const values = Float32Array.from(places, kind === "log" ? (n) => Math.exp(low + n * step) : (n) => low + n * step);
  return (unpacked[k] = values);
}
