// ---- stage: a canvas that WebGL 2 draws on, strip by strip ----

class Unable extends Error {
  name = "Unable";
}

class Stage {
  constructor() {
    this.canvas = document.createElement("canvas");
    const gl = this.canvas.getContext("webgl2", {
      alpha: false, antialias: false, depth: false, preserveDrawingBuffer: true, powerPreference: "high-performance",
    });
    if (!gl) throw new Unable("This picture is drawn by WebGL 2, which this browser does not offer.");
    this.gl = gl;
    this.lost = false;
    this.canvas.addEventListener("webglcontextlost", () => {
      this.lost = true;
      change();
    });
    gl.disable(gl.DITHER);
    gl.enable(gl.SCISSOR_TEST);
  }

  /** A program from the text of its shaders, with the places of its uniforms by name. */
  program(vertex, fragment) {
    const { gl } = this, program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
      const logs = gl.getAttachedShaders(program).map((shader) => gl.getShaderInfoLog(shader)).join("");
      throw new Unable(`This browser cannot compile the shaders of this picture. ${logs || gl.getProgramInfoLog(program)}`);
    }
    const places = {};
    for (let k = 0; k < gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS); k++) {
      const { name } = gl.getActiveUniform(program, k);
      places[name] = gl.getUniformLocation(program, name);
    }
    return { program, places };
  }

  /** A texture of float32, four to a texel, 2048 texels to a row as the shaders know. */
  numbers(texels) {
    const { gl } = this, width = 2048;
    const height = Math.max(1, Math.ceil(texels / width));
    if (height > gl.getParameter(gl.MAX_TEXTURE_SIZE)) throw new Unable("This picture has more numbers than this graphics card takes.");
    const texture = this.texture(), data = new Float32Array(width * height * 4);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, width, height);
    const upload = () => {
      gl.bindTexture(gl.TEXTURE_2D, texture);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, height, gl.RGBA, gl.FLOAT, data);
    };
    return { texture, data, upload };
  }

  texture() {
    const { gl } = this, texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
    return texture;
  }

  resize(width, height) {
    if (this.canvas.width < width) this.canvas.width = width;
    if (this.canvas.height < height) this.canvas.height = height;
  }

  /** The canvas grows only: a picture lies in its lower left corner. */
  source({ width, height }) {
    return [this.canvas, 0, this.canvas.height - height, width, height];
  }

  /** When all that was asked for has been drawn. */
  done() {
    const { gl } = this, fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    return new Promise((resolve) => {
      const poll = () => {
        const state = this.lost ? gl.CONDITION_SATISFIED : gl.clientWaitSync(fence, 0, 0);
        if (state === gl.TIMEOUT_EXPIRED) return void setTimeout(poll, 1);
        gl.deleteSync(fence);
        resolve();
      };
      setTimeout(poll, 0);
    });
  }
}
