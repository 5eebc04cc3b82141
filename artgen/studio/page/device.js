// WebGPU: a device, and a driver of the programs that artgen.compiler.step_program describes.

/**
 * @typedef {number | string | [string, any, any]} Size  a number, a symbol, or an operation on two
 * @typedef {{ kernel: string, groups: [Size, Size] } | { copy: [string, string] }} Operation
 * @typedef {{ usage: string, type: string, numbers: Size, fields: [string, Size | null][] }} BufferSpec
 * @typedef {{ module: string, bindings: { binding: number, buffer: string, access: GPUBufferBindingType }[] }} KernelSpec
 * @typedef {{ parameters: { name: string, index: number[] }[], symbols: Record<string, Size>,
 *   buffers: Record<string, BufferSpec>, modules: Record<string, string>,
 *   kernels: Record<string, KernelSpec>, lists: Record<string, Operation[]> }} Program
 */

/** Why this browser does not fit here, as a sentence. */
const NO_WEBGPU = "This browser offers no WebGPU, which fitting needs. Current versions of Chrome, Edge, Firefox and Safari do.";
const NO_ADAPTER = "This browser has WebGPU, but found no graphics card that it may use. Its settings or its driver may forbid it.";
const NO_MEMORY = "The graphics card has too little memory for this. Choose fewer parts or a smaller size.";

/** A device with the largest buffers that the adapter has. @returns {Promise<GPUDevice>} */
async function openDevice() {
  if (!navigator.gpu) throw new Sentence(NO_WEBGPU);
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) throw new Sentence(NO_ADAPTER);
  const { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage } = adapter.limits;
  try {
    return await adapter.requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage } });
  } catch {
    throw new Sentence(NO_ADAPTER);
  }
}

/** @param {Size} size @param {Record<string, number>} symbols @returns {number} */
function sizeOf(size, symbols) {
  if (typeof size === "number") return size;
  if (typeof size === "string") return symbols[size];
  const [operation, ...terms] = size, [a, b] = terms.map((term) => sizeOf(term, symbols));
  switch (operation) {
    case "+": return a + b;
    case "*": return a * b;
    case "min": return Math.min(a, b);
    case "max": return Math.max(a, b);
    case "ceil": return Math.ceil(a / b);
    default: throw new Error(`unknown operation ${operation}`);
  }
}

/** Compiled kernels of a program. @param {GPUDevice} device @param {Program} program */
async function compileProgram(device, program) {
  device.pushErrorScope("validation");
  const modules = Object.fromEntries(Object.entries(program.modules).map(([name, code]) => [name, device.createShaderModule({ code })]));
  const compiled = Object.entries(program.kernels).map(async ([name, { module, bindings }]) => {
    const entries = bindings.map(({ binding, access }) => ({ binding, visibility: GPUShaderStage.COMPUTE, buffer: { type: access } }));
    const layout = device.createBindGroupLayout({ entries });
    const pipeline = await device.createComputePipelineAsync({
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }), compute: { module: modules[module], entryPoint: name },
    });
    return [name, { layout, pipeline }];
  });
  try {
    return Object.fromEntries(await Promise.all(compiled));
  } catch (error) {
    const notes = await Promise.all(Object.values(modules).map((module) => module.getCompilationInfo()));
    const [first] = notes.flatMap(({ messages }) => messages).filter(({ type }) => type === "error");
    throw new Sentence(`The driver of this graphics card refused a shader: ${first?.message ?? /** @type {Error} */ (error).message}`);
  } finally {
    device.popErrorScope().catch(() => {});
  }
}

/** The buffers of a program for one number of parts and one size of the picture, and its lists. */
class Driver {
  /**
   * @param {GPUDevice} device @param {Program} program @param {Record<string, any>} kernels
   * @param {{ N: number, W: number, H: number, S: number }} sizes @param {Record<string, number>} known values of fields
   */
  constructor(device, program, kernels, sizes, known) {
    this.device = device;
    this.program = program;
    this.kernels = kernels;
    /** @type {Record<string, number>} */
    this.symbols = { ...sizes };
    for (const [name, size] of Object.entries(program.symbols)) this.symbols[name] = sizeOf(size, this.symbols);
    /** @type {Record<string, GPUBuffer>} */
    this.buffers = {};
    const largest = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize);
    const lengths = Object.entries(program.buffers).map(([name, { numbers }]) => /** @type {[string, number]} */ ([name, Math.max(16, 4 * sizeOf(numbers, this.symbols))]));
    if (lengths.some(([, size]) => size > largest)) throw new Sentence(NO_MEMORY);
    for (const [name, size] of lengths) {
      const { COPY_SRC, COPY_DST, UNIFORM, STORAGE } = GPUBufferUsage;
      this.buffers[name] = device.createBuffer({ size, usage: COPY_SRC | COPY_DST | (program.buffers[name].usage === "uniform" ? UNIFORM : STORAGE) });
    }
    this.groups = Object.fromEntries(Object.entries(program.kernels).map(([name, { bindings }]) => [name, device.createBindGroup({
      layout: kernels[name].layout,
      entries: bindings.map(({ binding, buffer }) => ({ binding, resource: { buffer: this.buffers[buffer] } })),
    })]));
    this.fill(known);
  }

  /** Write the uniform buffers. @param {Record<string, number>} known */
  fill(known) {
    for (const [name, { usage, type, fields }] of Object.entries(this.program.buffers)) {
      if (usage !== "uniform") continue;
      const values = fields.map(([field, size]) => (size === null ? known[field] : sizeOf(size, this.symbols)));
      this.write(name, type === "u32" ? Uint32Array.from(values) : Float32Array.from(values));
    }
  }

  /** @param {string} name @param {Float32Array | Uint32Array} values @param {number} at in bytes */
  write(name, values, at = 0) {
    this.device.queue.writeBuffer(this.buffers[name], at, values.buffer, values.byteOffset, values.byteLength);
  }

  /** Submit operations, and wait for the buffers named. @param {Operation[]} operations @param {string[]} names @returns {Promise<ArrayBuffer[]>} */
  async run(operations, names = []) {
    const { device } = this, encoder = device.createCommandEncoder();
    /** @type {GPUComputePassEncoder | null} */
    let pass = null;
    for (const operation of operations) {
      if ("copy" in operation) {
        pass?.end();
        pass = null;
        const [from, to] = operation.copy;
        encoder.copyBufferToBuffer(this.buffers[from], 0, this.buffers[to], 0, this.buffers[from].size);
      } else {
        const [x, y] = operation.groups.map((size) => sizeOf(size, this.symbols));
        if (!x || !y) continue;
        pass ??= encoder.beginComputePass();
        pass.setPipeline(this.kernels[operation.kernel].pipeline);
        pass.setBindGroup(0, this.groups[operation.kernel]);
        pass.dispatchWorkgroups(x, y);
      }
    }
    pass?.end();
    const copies = names.map((name) => {
      const { size } = this.buffers[name], copy = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
      encoder.copyBufferToBuffer(this.buffers[name], 0, copy, 0, size);
      return copy;
    });
    device.queue.submit([encoder.finish()]);
    if (!copies.length) await device.queue.onSubmittedWorkDone();
    return Promise.all(copies.map(async (copy) => {
      await copy.mapAsync(GPUMapMode.READ);
      const values = copy.getMappedRange().slice(0);
      copy.destroy();
      return values;
    }));
  }

  /** The operations of lists, one after the other. @param {string[]} names */
  lists(...names) {
    return names.flatMap((name) => this.program.lists[name]);
  }

  destroy() {
    Object.values(this.buffers).forEach((buffer) => buffer.destroy());
  }
}
