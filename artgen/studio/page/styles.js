// Styles: one picture in several ways. Each is a small fit that learns in turn, and a button that takes its settings.

/** @typedef {{ title: string, primitive: string, options: Record<string, any>, count: number, steps: number, loss: string }} Style */

/** The longer side of a sketch in pixels, its steps, and its share of the parts. */
const SKETCH = { size: 144, steps: 150, share: 0.4 };

class Sketch {
  /** @param {Style} style */
  constructor({ title, ...style }) {
    this.style = { ...style, preset: "" };
    this.canvas = document.createElement("canvas");
    this.button = Object.assign(document.createElement("button"), { type: "button" });
    this.button.append(this.canvas, Object.assign(document.createElement("span"), { textContent: title }));
    this.canvas.setAttribute("aria-hidden", "true");
    this.chunk = 1;
    /** @type {Fit | null} */
    this.fit = null;
    this.done = false;
  }

  /** Begin again when the next turn comes. */
  reset() {
    this.fit?.destroy();
    this.fit = null;
    this.done = false;
  }

  /** Take steps for a moment, and show them. @param {(settings: Settings) => Promise<Fit>} begin */
  async turn(begin) {
    // What fails has no further turn.
    this.done = true;
    const { size, steps, share } = SKETCH, count = Math.ceil(share * this.style.count);
    this.fit ??= await begin({ ...this.style, size, steps, count, speed: 1, growth: true, seed: 1, background: "#000000" });
    const began = performance.now(), taken = await this.fit.advance(this.chunk);
    this.chunk = paced(taken, performance.now() - began);
    await this.fit.evaluate();
    const picture = await this.fit.picture();
    Object.assign(this.canvas, { width: picture.width, height: picture.height });
    this.canvas.getContext("2d")?.putImageData(toBytes(picture), 0, 0);
    this.done = this.fit.done;
  }

  /** Whether the settings that were chosen are those of the style. @param {Settings} settings @param {boolean} chosen */
  mark({ primitive, preset, options }, chosen) {
    const same = chosen && primitive === this.style.primitive && !preset && Object.entries(this.style.options).every(([name, value]) => options[name] === value);
    this.button.setAttribute("aria-pressed", String(same));
  }
}
