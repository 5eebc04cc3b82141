// A hand on the drawing: one part is picked, moved, locked or deleted, while the others learn.

/**
 * What was done to a part, by shares of width and height where it was moved; "earlier" is a table of the recipe that one went on from.
 * @typedef {{ name: "move" | "delete" | "lock" | "unlock" | "earlier", part: number, by: number[], table?: Record<string, any> }} Edit
 */

/** How far a click may slip, in pixels of the page: with a finger, with anything else. */
const SLIPS = { touch: 10, other: 4 };

/** An edit as `artgen edit` writes it. @param {Edit} edit */
const written = ({ name, part, by }) => `${name}${by.length ? `=${by.map((share) => +share.toFixed(6)).join(",")}` : ""}@part:${part + 1}`;

class Hand {
  /** @param {HTMLElement} stage what the drawing lies in */
  constructor(stage) {
    this.stage = stage;
    /** Parts as they were drawn last. @type {Parts | null} */
    this.parts = null;
    /** @type {ReturnType<Parts["outline"]> | null} */
    this.outline = null;
    /** The middle of what is picked. @type {number[]} */
    this.middle = [0, 0];
    /** What a pointer that is down does; `from` is where the part was that it carries. @type {{ id: number, left: number, top: number, at: number[], from: number[] | null, moved: boolean } | null} */
    this.press = null;
    /** Where it was before the keys moved it. */
    this.from = this.middle;
    /** Where to carry the part next. @type {number[] | null} */
    this.wanted = null;
    for (const [type, heard] of /** @type {const} */ ([["pointerdown", this.down], ["pointermove", this.slide], ["pointerup", this.up], ["pointercancel", this.up]])) {
      // Before the view hears of it.
      stage.addEventListener(type, (event) => heard.call(this, /** @type {PointerEvent} */ (event)), true);
    }
    for (const [id, work] of /** @type {const} */ ([["next", () => this.step(1)], ["lock", () => this.lock()], ["delete", () => this.remove()], ["release", () => this.pick(-1)]])) {
      one(id).addEventListener("click", work);
    }
  }

  get picked() {
    return fit?.picked ?? -1;
  }

  /** The parts were drawn anew. */
  follow() {
    if (!fit || !last || !show) return;
    this.parts = new Parts(variant(), last.tensors, last.count, pixelOf(fit.scene.target));
    if (this.picked >= 0) {
      this.outline = this.parts.outline(this.picked);
      if (!this.press?.moved && !this.wanted) this.middle = this.parts.place(this.picked);
      for (const path of this.stage.querySelectorAll("path")) path.setAttribute("d", this.outline.path);
    }
    this.mark();
    this.words();
  }

  /** Lay the outline over what is seen. */
  mark() {
    const drawing = /** @type {SVGSVGElement} */ (this.stage.querySelector("svg"));
    drawing.classList.toggle("shown", this.picked >= 0);
    if (!show || this.picked < 0) return;
    const { left, top, width, height, pixel, x, y } = show.view.visible(), [across, down] = this.middle;
    drawing.setAttribute("viewBox", `0 0 ${show.canvas.width} ${show.canvas.height}`);
    const at = [left + width / 2 + (across - x) / pixel, top + height / 2 + (down - y) / pixel];
    for (const path of drawing.querySelectorAll("path")) path.setAttribute("transform", `translate(${at.join(" ")}) scale(${1 / pixel})`);
  }

  /** What the bar says and offers. */
  words() {
    const { picked } = this, locked = fit?.locked ?? new Set(), own = locked.has(picked);
    const count = locked.size ? `${locked.size} locked` : "";
    const about = picked < 0 ? `Click a part to move, lock or delete it.${count && ` ${count}.`}` : `Part ${picked + 1}${own ? ", locked" : ""}`;
    if (one("picked").textContent !== about) one("picked").textContent = about;
    one("next").textContent = picked < 0 ? "Pick one" : "Next";
    one("lock").setAttribute("aria-pressed", String(own));
    for (const id of ["lock", "delete", "release"]) {
      if (picked < 0 && document.activeElement === one(id)) one("next").focus();
      one(id).hidden = picked < 0;
    }
  }

  /** @param {number} part -1 to let go */
  pick(part) {
    if (!fit) return;
    const before = this.picked;
    fit.picked = part;
    this.follow();
    if (part >= 0) one("status").textContent = `Part ${part + 1} of ${fit.count} picked${fit.locked.has(part) ? ", locked" : ""}`;
    else if (before >= 0) one("status").textContent = "Let go";
  }

  /** Pick the part after this one, or before it, and bring it into sight. @param {number} by */
  step(by) {
    if (!fit || !show) return;
    // Where the arrows move it.
    if (!document.activeElement?.closest("#hand")) show.canvas.focus({ preventScroll: true });
    this.pick(this.picked < 0 ? (by > 0 ? 0 : fit.count - 1) : (this.picked + by + fit.count) % fit.count);
    const { view } = show, { width, height, pixel, x, y } = view.visible(), [across, down] = this.middle;
    if (view.zoom > 1 && (Math.abs(across - x) > (width / 2) * pixel || Math.abs(down - y) > (height / 2) * pixel)) view.go({ x: across, y: down });
  }

  /** Change what is picked, so that it can be undone. @param {Edit["name"]} name @param {(now: Fit, part: number) => unknown} work @param {string} said */
  edit(name, work, said) {
    return alone(async () => {
      if (!fit || fit.picked < 0) return;
      const part = fit.picked;
      if (name === "delete" && fit.count < 2) throw new Sentence("A drawing keeps its last part.");
      await remember();
      fit.edits.push({ name, part, by: [] });
      await work(fit, part);
      await look(!running);
      one("status").textContent = `Part ${part + 1} ${said}`;
    });
  }

  lock() {
    const locked = fit?.locked.has(this.picked);
    return this.edit(locked ? "unlock" : "lock", (now, part) => now.lock(part, !locked), locked ? "learns again" : "locked");
  }

  remove() {
    return this.edit("delete", (now, part) => now.remove(part), "deleted");
  }

  /** Move by keys, so many pixels of the fit. @param {[number, number]} way @param {number} by @param {boolean} anew whether it can be undone by itself */
  nudge(way, by, anew) {
    const pixel = fit ? pixelOf(fit.scene.target) : 0;
    if (anew) this.from = this.middle;
    return this.carry(this.middle.map((value, axis) => value + way[axis] * by * pixel), this.from, anew);
  }

  /** Carry what is picked to a place, the newest one there is. @param {number[]} place @param {number[]} from @param {boolean} anew */
  carry(place, from, anew) {
    const waits = this.wanted !== null;
    this.wanted = place;
    this.middle = place;
    this.mark();
    if (waits && !anew) return undefined;
    return alone(async () => {
      const to = this.wanted;
      if (!fit || fit.picked < 0 || !to) return;
      this.wanted = null;
      if (anew) await remember();
      const reach = reachOf(fit.scene.target), before = fit.edits.at(-1), again = !anew && before?.name === "move" && before.part === fit.picked;
      const by = [0, 1].map((axis) => (to[axis] - (again ? from : this.parts?.place(fit?.picked ?? 0) ?? from)[axis]) / (2 * reach[axis]));
      fit.edits.splice(again ? -1 : fit.edits.length, 1, { name: "move", part: fit.picked, by });
      fit.carried = this.press !== null;
      fit.move(fit.picked, to);
      await look(!running);
    });
  }

  /** Where an event is, in canvas units. @param {PointerEvent} event */
  spot(event) {
    const { view } = /** @type {Show} */ (show), { left, top, width, height, pixel, x, y } = view.visible(), [across, down] = view.place(event);
    return [x + (across - left - width / 2) * pixel, y + (down - top - height / 2) * pixel];
  }

  /** Whether an event is where the picked part is, or as near to its middle as a finger is broad. @param {PointerEvent} event */
  owns(event) {
    if (!show || this.picked < 0) return false;
    const [x, y] = this.spot(event), dx = x - this.middle[0], dy = y - this.middle[1];
    const near = ((event.pointerType === "touch" ? 16 : 6) * show.canvas.width) / show.canvas.clientWidth;
    return Math.hypot(dx, dy) < near * show.view.pixel || Boolean(this.outline?.inside(dx, dy));
  }

  /** @param {PointerEvent} event */
  down(event) {
    if (event.button || !show || !fit || event.target !== show.canvas) return;
    if (this.press) {
      // A second finger makes it no click; of a part that is carried the view hears nothing.
      if (this.press.from) event.stopPropagation();
      else this.press.moved = true;
      return;
    }
    const own = this.owns(event);
    this.press = { id: event.pointerId, left: event.clientX, top: event.clientY, at: this.spot(event), from: own ? this.middle : null, moved: false };
    if (!own) return;
    event.stopPropagation();
    show.canvas.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  slide(event) {
    const { press } = this;
    if (!press) show?.canvas.classList.toggle("over", this.owns(event));
    if (!press || event.pointerId !== press.id) return;
    const anew = !press.moved;
    if (anew && Math.hypot(event.clientX - press.left, event.clientY - press.top) < (event.pointerType === "touch" ? SLIPS.touch : SLIPS.other)) return;
    press.moved = true;
    if (!press.from) return;
    const to = this.spot(event);
    this.carry([0, 1].map((axis) => /** @type {number[]} */ (press.from)[axis] + to[axis] - press.at[axis]), press.from, anew);
  }

  /** @param {PointerEvent} event */
  up(event) {
    const { press } = this;
    if (!press || event.pointerId !== press.id) return;
    this.press = null;
    if (press.from && press.moved) this.drop();
    else if (!press.moved && event.type === "pointerup") this.pick(this.parts?.at(this.spot(event)) ?? -1);
  }

  /** What was carried learns again. */
  drop() {
    return alone(async () => {
      if (!fit) return;
      fit.carried = false;
      fit.settle();
    });
  }

  /** Let go of what is picked; what is being carried goes back. */
  escape() {
    if (this.press?.from && this.press.moved) {
      this.press = null;
      alone(undo);
    } else this.pick(-1);
  }
}
