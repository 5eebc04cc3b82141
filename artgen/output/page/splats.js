// ---- splats: a rectangle each, added up in a picture of floats ----

class Painter extends Stage {
  // Every strip looks at all parts.
  static strips = 12;

  constructor() {
    super();
    const { gl } = this;
    const exact = gl.getExtension("EXT_color_buffer_float"), blends = gl.getExtension("EXT_float_blend");
    if (!exact && !gl.getExtension("EXT_color_buffer_half_float")) throw new Unable("This browser cannot draw into pictures of floating-point numbers, which this one takes.");
    // With half as many bits sums are less exact, by about what 8 bits can show.
    this.format = exact && blends ? gl.RGBA32F : gl.RGBA16F;
    const { vertex, fragment, whole, picture } = piece.shaders;
    this.draw = this.program(vertex, fragment);
    this.resolve = this.program(whole, picture);
    this.frame = gl.createFramebuffer();
    this.known = "";
    const most = Math.max(...piece.scenes.map(({ count }) => count));
    this.parts = this.numbers(most * piece.texels);
    this.places = this.numbers(most);
    this.cells = this.numbers(Math.ceil((most * piece.cells ** 2) / 4));
    if (piece.table !== null) {
      const table = rowOf(piece.table);
      this.table = this.numbers(Math.ceil(table.length / 4));
      this.table.data.set(table);
      this.table.upload();
    }
  }

  /** Parameters of all parts at a moment. */
  move(moment) {
    const key = `${moment.scene} ${moment.key} ${moment.share}`;
    if (key === this.known) return;
    this.known = key;
    const scene = piece.scenes[moment.scene], { count } = scene;
    const rows = scene.columns.map(rowOf), [x, y] = scene.xy.map(rowOf), z = scene.z === null ? null : rowOf(scene.z);
    this.x = new Float32Array(count);
    this.y = new Float32Array(count);
    this.z = z && new Float32Array(count);
    this.living = [];
    for (let i = 0; i < count; i++) {
      const { living, ends } = lifeOf(scene, i, moment.key), share = ends ? 0 : moment.share;
      if (living) this.living.push(i);
      for (let c = 0; c < rows.length; c++) {
        this.parts.data[i * piece.texels * 4 + c] = valueAt(rows[c], count, i, moment.key, share);
      }
      this.x[i] = valueAt(x, count, i, moment.key, share);
      this.y[i] = valueAt(y, count, i, moment.key, share);
      if (z) this.z[i] = valueAt(z, count, i, moment.key, share);
    }
    if (piece.cells) {
      const each = piece.cells ** 2, row = rowOf(scene.cells);
      for (let i = 0; i < count; i++) {
        const share = lifeOf(scene, i, moment.key).ends ? 0 : moment.share;
        for (let k = i * each; k < (i + 1) * each; k++) this.cells.data[k] = valueAt(row, count * each, k, moment.key, share);
      }
      this.cells.upload();
    }
    this.parts.upload();
    this.shown = -1;
  }

  /** The first `count` parts, in the order of what they do for the picture. */
  choose(count) {
    if (count === this.shown) return;
    this.shown = count;
    this.chosen = Uint32Array.from(this.living.slice(0, count));
    // The farthest first; of those equally far the last one.
    if (this.z) this.chosen.sort((a, b) => this.z[b] - this.z[a] || b - a);
    const share = piece.blend === "mean" ? 1 / Math.max(1, this.living.length) : 1;
    this.share = share;
    this.everywhere = [0, 0, 0];
    if (piece.far) for (const i of this.chosen) for (let k = 0; k < 3; k++) {
      this.everywhere[k] += piece.far * share * this.parts.data[i * piece.texels * 4 + k];
    }
  }

  /** Prepare for a picture of `width` by `height` pixels of the side `pixel` around (x, y). */
  begin({ width, height, x, y, pixel, parts, seconds }) {
    const { gl } = this, moment = momentAt(seconds);
    this.move(moment);
    this.choose(parts);
    // In float64: near a splat the difference is exact, however small a pixel is.
    const { data } = this.places;
    this.chosen.forEach((i, k) => {
      data[4 * k] = this.x[i] - x;
      data[4 * k + 1] = this.y[i] - y;
      data[4 * k + 2] = i;
    });
    this.places.upload();
    this.resize(width, height);
    if (this.sums === undefined || this.sumsWidth < width || this.sumsHeight < height) {
      if (this.sums) gl.deleteTexture(this.sums);
      this.sums = this.texture();
      this.sumsWidth = width;
      this.sumsHeight = height;
      gl.texStorage2D(gl.TEXTURE_2D, 1, this.format, width, height);
      gl.bindFramebuffer(gl.FRAMEBUFFER, this.frame);
      gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.sums, 0);
    }
    gl.viewport(0, 0, width, height);
    const { program, places } = this.draw;
    gl.useProgram(program);
    gl.uniform1i(places.parts, 0);
    gl.uniform1i(places.places, 1);
    if (piece.cells) {
      gl.uniform1i(places.cells, 2);
      gl.uniform2f(places.frame, reach.x, reach.y);
      gl.uniform2f(places.centre, x, y);
    }
    if (this.table) gl.uniform1i(places.table, 3);
    gl.uniform2f(places.reach, (width / 2) * pixel, (height / 2) * pixel);
    gl.uniform2f(places.middle, width / 2, height / 2);
    gl.uniform1f(places.pixel, pixel);
    gl.useProgram(this.resolve.program);
    gl.uniform1i(this.resolve.places.sums, 0);
    gl.uniform3fv(this.resolve.places.background, backgroundAt(moment));
    gl.uniform1f(this.resolve.places.background_weight, piece.backgroundWeight);
    gl.uniform3fv(this.resolve.places.everywhere, this.everywhere);
    gl.uniform1f(this.resolve.places.share, this.share);
    this.spec = { width, height, pixel };
  }

  /** Draw the rows from `top` to before `bottom`. */
  strip(top, bottom) {
    const { gl } = this, { width, height, pixel } = this.spec;
    gl.scissor(0, height - bottom, width, bottom - top);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.frame);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, piece.blend === "over" ? gl.ONE_MINUS_SRC_ALPHA : gl.ONE);
    gl.useProgram(this.draw.program);
    gl.uniform2f(this.draw.places.strip, (top - height / 2) * pixel, (bottom - height / 2) * pixel);
    if (this.table) {
      gl.activeTexture(gl.TEXTURE3);
      gl.bindTexture(gl.TEXTURE_2D, this.table.texture);
    }
    gl.activeTexture(gl.TEXTURE2);
    gl.bindTexture(gl.TEXTURE_2D, this.cells.texture);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.places.texture);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.parts.texture);
    // Corners by their number: an instance each would take longer.
    gl.drawArrays(gl.TRIANGLES, 0, 6 * this.chosen.length);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.disable(gl.BLEND);
    gl.useProgram(this.resolve.program);
    gl.bindTexture(gl.TEXTURE_2D, this.sums);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }
}
