// ---- view: where one looks, in canvas units and float64, and how hands and keys change that ----

const DEEPEST = 2 ** 20, FARTHEST = 0.25, STEP = 1.5;
const shorter = Math.min(piece.width, piece.height);
const reach = { x: piece.width / shorter, y: piece.height / shorter };
const calm = matchMedia("(prefers-reduced-motion: reduce)");

class View {
  /** `changed` is called after every change. */
  constructor(canvas, changed) {
    Object.assign(this, { canvas, changed, x: 0, y: 0, zoom: 1, width: 1, height: 1, held: new Map() });
    this.listen();
  }

  /** The side of a pixel of the screen, in canvas units. */
  get pixel() {
    const margin = Math.min(this.width, this.height) * 0.04;
    const across = (this.width - 2 * margin) / reach.x, down = (this.height - 2 * margin) / reach.y;
    const longest = Math.max(2, Math.floor(Math.min(across, down) * Math.max(reach.x, reach.y)));
    return (2 * Math.max(reach.x, reach.y)) / longest / this.zoom;
  }

  /** What of the picture is on the screen, in its pixels: its corner, size, middle. */
  visible() {
    const { pixel, width, height } = this;
    const across = this.axis("x", width, pixel), down = this.axis("y", height, pixel);
    return { left: across.from, top: down.from, width: across.length, height: down.length, pixel, x: across.middle, y: down.middle };
  }

  /** The same along one axis. Where all is seen, its edges are those of pixels. */
  axis(name, size, pixel) {
    const length = Math.round((2 * reach[name]) / pixel), exact = size / 2 - (reach[name] + this[name]) / pixel;
    const begin = Math.round(exact), end = begin + length, whole = begin >= 0 && end <= size;
    const from = Math.min(Math.max(0, begin), size - 1), to = Math.max(Math.min(size, end), from + 1);
    const shift = whole ? begin + length / 2 - (exact + reach[name] / pixel) : 0;
    return { from, length: to - from, middle: this[name] + ((from + to) / 2 - size / 2 - shift) * pixel };
  }

  resize(width, height) {
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    this.changed();
  }

  go({ x = this.x, y = this.y, zoom = this.zoom }) {
    this.zoom = Math.min(Math.max(zoom, FARTHEST), DEEPEST);
    this.x = Math.min(Math.max(x, -reach.x), reach.x);
    this.y = Math.min(Math.max(y, -reach.y), reach.y);
    this.changed();
  }

  /** Zoom so that what is at (left, top) on the screen stays there. */
  zoomAt(factor, left = this.width / 2, top = this.height / 2) {
    const before = this.pixel, zoom = Math.min(Math.max(this.zoom * factor, FARTHEST), DEEPEST);
    const after = (before * this.zoom) / zoom;
    this.go({ x: this.x + (left - this.width / 2) * (before - after), y: this.y + (top - this.height / 2) * (before - after), zoom });
  }

  move(across, down) {
    const { pixel } = this;
    this.go({ x: this.x + across * pixel, y: this.y + down * pixel });
  }

  /** The same little by little, unless motion is not wanted. */
  glide(factor, left, top) {
    cancelAnimationFrame(this.gliding);
    const length = 160;
    if (calm.matches) return this.zoomAt(factor, left, top);
    let done = 0, begun = null;
    const step = (now) => {
      begun ??= now;
      const t = Math.min(1, (now - begun + 16) / length), eased = t * t * (3 - 2 * t);
      this.zoomAt(factor ** (eased - done), left, top);
      done = eased;
      if (t < 1) this.gliding = requestAnimationFrame(step);
    };
    this.gliding = requestAnimationFrame(step);
  }

  /** Where on the canvas an event is, in its pixels. */
  place(event) {
    const box = this.canvas.getBoundingClientRect(), ratio = this.width / box.width;
    return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
  }

  listen() {
    const { canvas, held } = this;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      cancelAnimationFrame(this.gliding);
      const lines = [1, 16, 400][event.deltaMode], by = Math.min(Math.max(event.deltaY * lines, -300), 300);
      this.zoomAt(Math.exp(-by * (event.ctrlKey ? 0.01 : 0.002)), ...this.place(event));
    }, { passive: false });
    canvas.addEventListener("dblclick", (event) => this.glide(event.shiftKey ? 1 / 2 : 2, ...this.place(event)));
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      canvas.setPointerCapture(event.pointerId);
      held.set(event.pointerId, this.place(event));
      canvas.classList.add("held");
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!held.has(event.pointerId)) return;
      const before = middle(held);
      held.set(event.pointerId, this.place(event));
      const after = middle(held);
      if (held.size > 1 && before.spread > 0) this.zoomAt(after.spread / before.spread, after.x, after.y);
      this.move(before.x - after.x, before.y - after.y);
    });
    for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(kind, (event) => {
        held.delete(event.pointerId);
        canvas.classList.toggle("held", held.size > 0);
      });
    }
  }
}

/** The middle of fingers, and how far they are from it. */
function middle(held) {
  const places = [...held.values()], n = places.length;
  const x = places.reduce((sum, [a]) => sum + a, 0) / n, y = places.reduce((sum, [, b]) => sum + b, 0) / n;
  return { x, y, spread: places.reduce((sum, [a, b]) => sum + Math.hypot(a - x, b - y), 0) / n };
}
