// What artgen.studio writes around the scripts of the HTML export.
declare function openStage(
  piece: any, rowOf: (k: number) => Float32Array, canvas: HTMLCanvasElement, change: () => void,
): { Painter: any; view: any };
