// The drawing on the page, at any zoom: WebGL shaders of the HTML export, fed with live numbers.

/**
 * The painter of the HTML export: openStage is written by Python around its scripts (see _document.py).
 * @typedef {{ blend: string, shaders: Record<string, string>, columns: [string, number[]][], params: Param[] }} Look
 */

/** Components of tensors as the rows that the painter reads. @param {[string, number[]][]} columns @param {Param[]} params @param {Tensors} tensors @param {number} count */
function rowsOf(columns, params, tensors, count) {
  return columns.map(([name, index]) => {
    const shape = params.find((param) => param.name === name)?.shape ?? [];
    const component = placeOf(shape, index);
    return tensors[name].subarray(component * count, (component + 1) * count);
  });
}

/** A description of splats for the painter. @param {Look} look @param {{ width: number, height: number }} size @param {number} most @param {number[]} background */
function pieceOf(look, { width, height }, most, background) {
  const columns = look.columns.map((_, k) => k), first = columns.length;
  return {
    kind: "splats", blend: look.blend, far: 0, cells: 0, table: null, texels: Math.ceil(columns.length / 4), shaders: look.shaders,
    width, height, background, backgroundWeight: 1e-3, savedSide: 2048, duration: 0,
    scenes: [{ count: most, columns, xy: [first, first + 1], z: look.blend === "over" ? first + 2 : null, times: [0], lifespans: null, background: null }],
  };
}

/** The components that pieceOf counts on. @param {Look} look @returns {[string, number[]][]} */
const shownColumns = (look) => [...look.columns, ["xy", [0]], ["xy", [1]], ...(look.blend === "over" ? [/** @type {[string, number[]]} */ (["z", []])] : [])];

/** Milliseconds for a picture while others follow, and the least share of its pixels along a side. */
const QUICK = 40, COARSEST = 0.25;

class Show {
  /** @param {HTMLCanvasElement} canvas @param {Look} look @param {{ width: number, height: number }} size @param {number} most parts @param {number[]} background */
  constructor(canvas, look, size, most, background) {
    // Listeners of the last view go with its canvas.
    this.canvas = /** @type {HTMLCanvasElement} */ (canvas.cloneNode());
    canvas.replaceWith(this.canvas);
    this.wanted = this.closed = false;
    /** @type {Promise<void> | null} */
    this.drawing = null;
    this.look = look;
    this.size = size;
    this.piece = pieceOf(look, size, most, background);
    /** @type {Float32Array[]} */
    this.rows = [];
    this.count = 0;
    this.stage = openStage(this.piece, (k) => this.rows[k], this.canvas, () => this.ask());
    this.painter = new this.stage.Painter();
    this.view = this.stage.view;
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.canvas);
    this.cost = 2e-5;
    /** Called after each picture. */
    this.drawn = () => {};
    this.resize();
  }

  /** Show these mapped values. @param {Tensors} tensors @param {number} count */
  update(tensors, count) {
    this.rows = rowsOf(shownColumns(this.look), this.look.params, tensors, count);
    this.piece.scenes[0].count = this.count = count;
    this.painter.known = "";
    this.ask();
  }

  resize() {
    const ratio = Math.min(devicePixelRatio || 1, 2), { clientWidth, clientHeight } = this.canvas;
    this.canvas.width = Math.max(1, Math.round(clientWidth * ratio));
    this.canvas.height = Math.max(1, Math.round(clientHeight * ratio));
    this.view.resize(this.canvas.width, this.canvas.height);
    this.ask();
  }

  /** Draw soon, once for all that asked. */
  ask() {
    this.wanted = true;
    this.drawing ??= this.run().catch(fail).finally(() => { this.drawing = null; });
  }

  async run() {
    while (this.wanted && !this.closed) {
      this.wanted = false;
      await new Promise((resolve) => { requestAnimationFrame(resolve); setTimeout(resolve, 100); });
      if (!this.count || this.closed) continue;
      const { width, height } = this.view.visible(), share = Math.min(1, Math.max(COARSEST, Math.sqrt(QUICK / (this.cost * width * height))));
      await this.draw(share);
      if (share < 1 && !this.wanted) await this.draw(1);
    }
  }

  /** What is seen, with a share of its pixels along each side. @param {number} share */
  async draw(share) {
    const { left, top, width, height, pixel, x, y } = this.view.visible();
    const across = Math.max(1, Math.round(width * share)), down = Math.max(1, Math.round(height * share)), began = performance.now();
    await this.paint({ width: across, height: down, x, y, pixel: (pixel * width) / across }, (drawn) => {
      const paper = this.canvas.getContext("2d");
      if (!paper || this.closed) return;
      paper.clearRect(0, 0, this.canvas.width, this.canvas.height);
      paper.imageSmoothingQuality = "high";
      paper.drawImage(drawn, 0, drawn.height - down, across, down, left, top, width, height);
    }, share === 1 ? () => this.wanted : undefined);
    this.cost = 0.7 * this.cost + (0.3 * (performance.now() - began)) / (across * down);
    this.drawn();
  }

  /**
   * Draw into the painter's own canvas, and use it before anyone else does.
   * @param {{ width: number, height: number, x: number, y: number, pixel: number }} spec
   * @param {(drawn: HTMLCanvasElement) => void} use what was drawn lies in the lower left corner
   * @param {() => boolean} stale whether nobody waits for it any more
   */
  paint(spec, use, stale = () => false) {
    const work = async () => {
      const rows = Math.max(16, Math.ceil(QUICK / (this.cost * spec.width)));
      if (this.painter.lost && !this.closed) this.painter = new this.stage.Painter();
      this.painter.begin({ ...spec, parts: this.count, seconds: 0 });
      for (let top = 0; top < spec.height; top += rows) {
        if (this.closed || stale()) return;
        this.painter.strip(top, Math.min(spec.height, top + rows));
        await this.painter.done();
      }
      use(this.painter.canvas);
    };
    this.turn = (this.turn ?? Promise.resolve()).then(work, work);
    return this.turn;
  }

  /** All of it on a canvas of its own, in tiles that every graphics card takes. @param {number} side of the longer edge */
  async snapshot(side) {
    const { width, height } = scaledSize(this.size, side), pixel = 2 / Math.min(width, height), TILE = 1024;
    const copy = Object.assign(document.createElement("canvas"), { width, height }), paper = copy.getContext("2d", { alpha: false });
    if (!paper) throw new Sentence("There is no memory for a picture of this size. Choose a smaller one.");
    for (let top = 0; top < height; top += TILE) for (let left = 0; left < width; left += TILE) {
      const across = Math.min(TILE, width - left), down = Math.min(TILE, height - top);
      const spec = { width: across, height: down, pixel, x: (left + across / 2 - width / 2) * pixel, y: (top + down / 2 - height / 2) * pixel };
      await this.paint(spec, (drawn) => paper.drawImage(drawn, 0, drawn.height - down, across, down, left, top, across, down));
    }
    return copy;
  }

  close() {
    this.closed = true;
    this.observer.disconnect();
    this.painter.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}
