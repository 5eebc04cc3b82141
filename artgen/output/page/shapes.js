// ---- shapes: the paths of their SVG elements, from the lowest to the highest ----

class Unable extends Error {
  name = "Unable";
}

/** The marks of each ink as one path, which covers their union. */
function unionsOf(shapes) {
  const inks = new Map();
  for (const { path, colour, layer } of shapes) {
    const ink = `${layer} ${colour}`;
    if (!inks.has(ink)) inks.set(ink, { path: new Path2D(), colour, alpha: 1, stroke: 0 });
    inks.get(ink).path.addPath(path);
  }
  return inks.values();
}

class Painter {
  static strips = 8;

  constructor() {
    this.canvas = document.createElement("canvas");
    // Drawn by the processor: its edges are the exact shares of pixels.
    this.context = this.canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    if (!this.context) throw new Unable("This browser cannot draw on a canvas.");
    this.lost = false;
    this.known = "";
    this.forms = piece.forms.map((form) => form.split("#"));
  }

  /** Paths and colours at a moment. */
  move(moment) {
    const known = `${moment.scene} ${moment.key} ${moment.share}`;
    if (known === this.known) return;
    this.known = known;
    const scene = piece.scenes[moment.scene], { count, times } = scene;
    const numbers = rowOf(scene.numbers), each = numbers.length / times.length;
    const at = (row, i, share, n = count) => valueAt(rowOf(row), n, i, moment.key, share);
    this.shapes = [];
    for (let i = 0, next = 0; i < count; i++) {
      const { living, ends } = lifeOf(scene, i, moment.key), share = ends ? 0 : moment.share;
      const pieces = this.forms[scene.forms[i]];
      let data = pieces[0];
      for (let k = 1; k < pieces.length; k++) data += ` ${valueAt(numbers, each, next++, moment.key, share)}${pieces[k]}`;
      const rgb = scene.colour.map((row) => Math.round(255 * Math.min(Math.max(at(row, i, share), 0), 1)));
      this.shapes.push({
        living, path: new Path2D(data), colour: `rgb(${rgb})`, alpha: at(scene.alpha, i, share),
        stroke: at(scene.stroke, i, share), rank: rowOf(scene.rank)[i],
        layer: scene.layer === undefined ? 0 : rowOf(scene.layer)[i],
      });
    }
  }

  begin({ width, height, x, y, pixel, parts, seconds }) {
    const moment = momentAt(seconds);
    this.move(moment);
    if (this.canvas.width < width) this.canvas.width = width;
    if (this.canvas.height < height) this.canvas.height = height;
    this.spec = { width, height, x, y, pixel, parts };
    this.ground = `rgb(${backgroundAt(moment).map((v) => Math.round(255 * Math.min(Math.max(v, 0), 1)))})`;
  }

  strip(top, bottom) {
    const { context } = this, { width, height, x, y, pixel, parts } = this.spec;
    context.save();
    context.beginPath();
    context.rect(0, top, width, bottom - top);
    context.clip();
    context.globalAlpha = 1;
    context.fillStyle = this.ground;
    context.fillRect(0, top, width, bottom - top);
    context.setTransform(1 / pixel, 0, 0, 1 / pixel, width / 2 - x / pixel, height / 2 - y / pixel);
    const there = this.shapes.filter(({ living }) => living);
    const ranks = [...new Set(there.map(({ rank }) => rank))].sort((a, b) => a - b);
    const shown = there.filter(({ rank }) => rank <= ranks[Math.min(parts, ranks.length) - 1]);
    if (piece.union) context.globalCompositeOperation = piece.union === "multiply" ? "multiply" : "source-over";
    for (const { path, colour, alpha, stroke } of piece.union ? unionsOf(shown) : shown) {
      context.globalAlpha = Math.min(Math.max(alpha, 0), 1);
      if (stroke) {
        context.strokeStyle = colour;
        context.lineWidth = stroke;
        context.lineJoin = "round";
        context.stroke(path);
      } else {
        context.fillStyle = colour;
        context.fill(path);
      }
    }
    context.restore();
  }

  source({ width, height }) {
    return [this.canvas, 0, 0, width, height];
  }

  async done() {
    this.context.getImageData(0, 0, 1, 1);  // What was only noted down is drawn now.
    await new Promise((resolve) => { setTimeout(resolve, 0); });
  }
}
