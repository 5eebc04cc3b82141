// ---- field: a network at every pixel ----

class Painter extends Stage {
  static strips = Infinity;

  constructor() {
    super();
    const { whole, fragment } = piece.shaders;
    this.draw = this.program(whole, fragment);
    this.known = "";
    this.pool = this.numbers(piece.texels);
  }

  /** Weights at a moment, as the shader reads them. */
  move(moment) {
    const known = `${moment.scene} ${moment.key} ${moment.share}`;
    if (known === this.known) return;
    this.known = known;
    const { data } = this.pool;
    for (const { kind, first, shape, row } of piece.scenes[moment.scene].stored) {
      const values = rowOf(row), count = shape.reduce((a, b) => a * b, 1), columns = shape[1];
      for (let i = 0; i < count; i++) {
        const r = Math.floor(i / columns), c = i % columns;
        const at = kind === "vector" ? i : (Math.floor(r / 4) * columns + c) * 4 + (r % 4);
        data[4 * first + at] = valueAt(values, count, i, moment.key, moment.share);
      }
    }
    this.pool.upload();
  }

  begin({ width, height, x, y, pixel, seconds }) {
    const { gl } = this, { program, places } = this.draw;
    this.move(momentAt(seconds));
    this.resize(width, height);
    gl.viewport(0, 0, width, height);
    gl.useProgram(program);
    gl.uniform1i(places.numbers, 0);
    gl.uniform2f(places.middle, width / 2, height / 2);
    gl.uniform2f(places.centre, x, y);
    gl.uniform1f(places.pixel, pixel);
    gl.bindTexture(gl.TEXTURE_2D, this.pool.texture);
    this.spec = { width, height };
  }

  strip(top, bottom) {
    const { gl } = this, { width, height } = this.spec;
    gl.scissor(0, height - bottom, width, bottom - top);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }
}
