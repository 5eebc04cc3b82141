// What browsers have as values, and what artgen.studio writes around the scripts of the HTML export.
declare const GPUBufferUsage: Record<"COPY_SRC" | "COPY_DST" | "UNIFORM" | "STORAGE" | "MAP_READ", number>;
declare const GPUMapMode: { READ: number };
declare const GPUShaderStage: { COMPUTE: number };
declare function openStage(
  piece: any, rowOf: (k: number) => Float32Array, canvas: HTMLCanvasElement, change: () => void,
): { Painter: any; view: any };
