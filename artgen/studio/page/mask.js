// A mask of what matters, brushed over the target: each pixel there counts several times.

const HEAVY = 8;

class Mask {
  /** @param {HTMLCanvasElement} canvas over the target @param {(before: ImageData) => void} changed after each stroke, with what was brushed before it */
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.brushing = false;
    /** @type {number[] | null} */
    let last = null;
    let before = this.pixels;
    /** @param {PointerEvent} event */
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (!this.brushing || event.button) return;
      canvas.setPointerCapture(event.pointerId);
      before = this.pixels;
      this.stroke(last = place(event), last);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      const next = place(event);
      this.stroke(last, next);
      last = next;
    });
    for (const kind of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(kind, () => {
        if (last) changed(before);
        last = null;
      });
    }
  }

  get paper() {
    return /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", { willReadFrequently: true }));
  }

  /** @param {number[]} from @param {number[]} to */
  stroke(from, to) {
    const { paper, canvas } = this, broad = Math.max(2, Math.min(canvas.width, canvas.height) / 8);
    Object.assign(paper, { strokeStyle: "#ff9d6b", lineWidth: broad, lineCap: "round" });
    paper.beginPath();
    paper.moveTo(from[0], from[1]);
    paper.lineTo(to[0], to[1] + 0.01);
    paper.stroke();
  }

  /** @param {{ width: number, height: number }} size */
  clear({ width, height }) {
    Object.assign(this.canvas, { width, height });
  }

  /** Weights of the pixels; null where nothing is brushed. @returns {Float32Array | null} */
  weight() {
    const { width, height } = this.canvas, { data } = this.paper.getImageData(0, 0, width, height);
    const weight = Float32Array.from({ length: width * height }, (_, k) => 1 + ((HEAVY - 1) * data[4 * k + 3]) / 255);
    return weight.some((value) => value > 1) ? weight : null;
  }

  /** What is brushed, to be put back. */
  get pixels() {
    return this.paper.getImageData(0, 0, this.canvas.width, this.canvas.height);
  }

  set pixels(data) {
    this.clear(data);
    this.paper.putImageData(data, 0, 0);
  }
}
