// Pictures: from files, the clipboard, the webcam and samples to planes of floats at the fitting size.

/** A sentence for the person in front of the page. */
class Sentence extends Error {}

const LARGEST_FILE = 200 * 2 ** 20;

/**
 * @typedef {{ name: string, bitmap: ImageBitmap, digest: string | null }} Source
 */

/** Decode a file, turned as its EXIF orientation says. @param {Blob} blob @param {string} name @returns {Promise<Source>} */
async function openPicture(blob, name) {
  if (blob.size > LARGEST_FILE) throw new Sentence(`${name} has ${Math.round(blob.size / 2 ** 20)} MB. Choose a picture below 200 MB.`);
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, { imageOrientation: "from-image" });
  } catch {
    throw new Sentence(`${name} is not a picture that this browser can read, or it is too large. Try a PNG or JPEG.`);
  }
  return { name, bitmap, digest: name.includes(":") ? null : await digestOf(blob) };
}

/** The SHA-256 of a file, where the browser offers it. @param {Blob} blob */
async function digestOf(blob) {
  if (!globalThis.crypto?.subtle) return null;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The size of a picture whose longer side is `side`. @param {{ width: number, height: number }} picture @param {number} side */
function scaledSize({ width, height }, side) {
  const longer = Math.max(width, height);
  return { width: Math.max(1, Math.round((width * side) / longer)), height: Math.max(1, Math.round((height * side) / longer)) };
}

/**
 * Planes of red, green and blue, laid over a background; what does not fit into the size is cropped.
 * @param {Source} source @param {{ width: number, height: number }} size @param {number[]} background
 * @returns {Picture}
 */
function readPixels({ bitmap }, { width, height }, background) {
  const canvas = new OffscreenCanvas(width, height), paper = canvas.getContext("2d", { willReadFrequently: true });
  if (paper === null) throw new Sentence("This browser has no memory left for the picture. Choose a smaller size.");
  paper.imageSmoothingQuality = "high";
  const scale = Math.max(width / bitmap.width, height / bitmap.height);
  const across = bitmap.width * scale, down = bitmap.height * scale;
  paper.drawImage(bitmap, (width - across) / 2, (height - down) / 2, across, down);
  return fromBytes(overBackground(paper.getImageData(0, 0, width, height), background));
}

/** @param {number} value sRGB-encoded */
const toLinear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
/** @param {number} value linear */
const toEncoded = (value) => (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055);

/** Lay pixels over one colour in linear light, as artgen.targets.resample does. @param {ImageData} image @param {number[]} background */
function overBackground(image, background) {
  const { data } = image, behind = background.map(toLinear);
  for (let at = 0; at < data.length; at += 4) {
    const alpha = data[at + 3] / 255;
    if (alpha === 1) continue;
    for (let c = 0; c < 3; c++) data[at + c] = 255 * toEncoded(alpha * toLinear(data[at + c] / 255) + (1 - alpha) * behind[c]);
    data[at + 3] = 255;
  }
  return image;
}

/** @param {ImageData} data @returns {Picture} */
function fromBytes({ data, width, height }) {
  const plane = width * height, values = new Float32Array(3 * plane);
  for (let k = 0; k < plane; k++) for (let c = 0; c < 3; c++) values[c * plane + k] = data[4 * k + c] / 255;
  return { width, height, values };
}

/** @param {Picture} picture */
function toBytes({ width, height, values }) {
  const data = new ImageData(width, height), plane = width * height;
  for (let k = 0; k < plane; k++) {
    for (let c = 0; c < 3; c++) data.data[4 * k + c] = Math.round(255 * values[c * plane + k]);
    data.data[4 * k + 3] = 255;
  }
  return data;
}

/** The colours of artgen's error maps: position, red, green, blue. */
const EMBERS = [[0, 8, 8, 10], [0.3, 96, 24, 54], [0.65, 226, 98, 40], [1, 255, 244, 214]], WORST = 64 / 255;

/** The RMS error over the channels, as colours. @param {Picture} image @param {Picture} target */
function errorMap(image, target) {
  const { width, height } = target, data = new ImageData(width, height), plane = width * height;
  /** @param {number} value */
  const shown = (value) => Math.min(Math.max(value, 0), 1);
  for (let k = 0; k < plane; k++) {
    let sum = 0;
    for (let c = 0; c < 3; c++) sum += (shown(image.values[c * plane + k]) - target.values[c * plane + k]) ** 2;
    const error = Math.min(Math.sqrt(sum / 3) / WORST, 1), next = Math.max(1, EMBERS.findIndex(([at]) => at >= error));
    const [from, to] = [EMBERS[next - 1], EMBERS[next]], share = (error - from[0]) / (to[0] - from[0]);
    for (let c = 0; c < 3; c++) data.data[4 * k + c] = from[c + 1] + share * (to[c + 1] - from[c + 1]);
    data.data[4 * k + 3] = 255;
  }
  return data;
}

/** @param {number[]} colour from 0 to 1 */
const cssColour = (colour) => `#${colour.map((c) => Math.round(255 * Math.min(Math.max(c, 0), 1)).toString(16).padStart(2, "0")).join("")}`;
/** @param {string} text such as #a0b1c2 */
const colourOf = (text) => [1, 3, 5].map((k) => parseInt(text.slice(k, k + 2), 16) / 255);

/** A frame of the webcam. @returns {Promise<Blob>} */
async function webcamFrame() {
  if (!navigator.mediaDevices?.getUserMedia) throw new Sentence("This browser offers no webcam to pages that are opened in this way.");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } } });
  } catch {
    throw new Sentence("There is no picture from a webcam: none is there, or it was not allowed.");
  }
  try {
    const video = Object.assign(document.createElement("video"), { srcObject: stream, muted: true, playsInline: true });
    await video.play();
    // The first frames are dark while the camera adjusts.
    await new Promise((resolve) => { setTimeout(resolve, 500); });
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    canvas.getContext("2d")?.drawImage(video, 0, 0);
    return await canvas.convertToBlob({ type: "image/png" });
  } finally {
    stream.getTracks().forEach((track) => track.stop());
  }
}
