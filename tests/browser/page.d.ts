// What the script of a family finds in a page.
declare const piece: any;
declare function rowOf(k: number): Uint8Array<ArrayBuffer>;
declare class Unable extends Error {}
declare function damaged(): Unable;
declare class Stage {
  gl: WebGL2RenderingContext;
  program(vertex: string, fragment: string): { program: WebGLProgram, places: Record<string, WebGLUniformLocation> };
  texture(): WebGLTexture;
  resize(width: number, height: number): void;
}
