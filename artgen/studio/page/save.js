// What one keeps: files from the drawing, its page, and a link with the settings.

/** @param {Blob} blob @param {string} name */
function download(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** @param {HTMLCanvasElement} canvas @param {string} type @returns {Promise<Blob>} */
const encoded = (canvas, type, quality = 0.9) => new Promise((resolve, reject) => {
  canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Sentence("The browser could not encode a picture of this size. Choose a smaller one."))), type, quality);
});

/** @param {Uint8Array} bytes */
function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}

/** @param {string} text of base64 */
const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** JSON and text that are safe inside an HTML document. */
/** @param {any} value */
const plainJson = (value) => canonical(value).replace(/</g, "\\u003c").replace(/\u2028/g, "\\u2028").replace(/\u2029/g, "\\u2029");
/** @param {string} text */
const escaped = (text) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/**
 * The HTML export: a page of the drawing alone, the most important parts first.
 * @param {string} frame the page without its data @param {Show} show @param {Look} look @param {Tensors} tensors
 * @param {Float32Array} worth @param {any} recipe @param {{ title: string, facts: string }} words
 */
async function drawingPage(frame, show, look, tensors, worth, recipe, { title, facts }) {
  const count = worth.length, order = Array.from(worth, (_, k) => k).sort((a, b) => worth[b] - worth[a] || a - b);
  const rows = rowsOf(shownColumns(look), look.params, tensors, count), numbers = new Float32Array(rows.length * count);
  rows.forEach((row, k) => order.forEach((part, place) => { numbers[k * count + place] = row[part]; }));
  const piece = {
    ...show.piece, title, scenes: [{ ...show.piece.scenes[0], count, most: count }],
    rows: rows.map((_, k) => ({ kind: "float", count, at: 4 * k * count })),
  };
  const poster = await encoded(await show.snapshot(Math.min(640, Math.max(show.size.width, show.size.height))), "image/jpeg", 0.8);
  /** @type {Record<string, string>} */
  const data = { title: escaped(title), facts: escaped(facts), alt: escaped(title), piece: plainJson(piece), recipe: plainJson(recipe), numbers: base64(new Uint8Array(numbers.buffer)), poster: base64(new Uint8Array(await poster.arrayBuffer())) };
  return new Blob([frame.replace(/@(title|facts|alt|piece|recipe|numbers|poster)@/g, (_, name) => data[name])], { type: "text/html" });
}

const FILM_RATE = 15;

/**
 * A WebM of the progress, in real time: the browser encodes what a canvas shows.
 * @param {Show} show a view of its own @param {{ tensors: Tensors, count: number }[]} frames @param {number} side
 */
async function progressFilm(show, frames, side) {
  const type = ["video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm"].find((each) => globalThis.MediaRecorder?.isTypeSupported(each));
  if (!type) throw new Sentence("This browser records no WebM. Chrome, Edge and Firefox do.");
  const screen = Object.assign(document.createElement("canvas"), scaledSize(show.size, side)), paper = screen.getContext("2d", { alpha: false });
  const stream = screen.captureStream(), track = /** @type {CanvasCaptureMediaStreamTrack} */ (stream.getVideoTracks()[0]), recorder = new MediaRecorder(stream, { mimeType: type, videoBitsPerSecond: 8e6 });
  /** @type {Blob[]} */
  const pieces = [];
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  const ended = new Promise((resolve) => { recorder.onstop = resolve; });
  recorder.start();
  // The last picture stays for a second.
  for (const { tensors, count } of [...frames, ...Array(FILM_RATE).fill(frames[frames.length - 1])]) {
    const due = performance.now() + 1000 / FILM_RATE;
    show.update(tensors, count);
    paper?.drawImage(await show.snapshot(side), 0, 0);
    track.requestFrame?.();
    await new Promise((resolve) => { setTimeout(resolve, Math.max(0, due - performance.now())); });
  }
  recorder.stop();
  await ended;
  stream.getTracks().forEach((track) => track.stop());
  return new Blob(pieces, { type: "video/webm" });
}
