#version 300 es
// A field at one pixel: vectors of numbers, four to a vec4, and the layers between them.
precision highp float;
precision highp int;
precision highp sampler2D;

uniform sampler2D numbers;   // weights, biases, tables, one after the other
uniform vec2 middle;         // of the picture, in pixels
uniform vec2 centre;         // the same in canvas units
uniform float pixel;         // the side of one, in canvas units
out vec4 colour;

// The functions of a number, for four of them at once.
#define FOUR_1(f) vec4 f(vec4 a) { return vec4(f(a.x), f(a.y), f(a.z), f(a.w)); }
#define FOUR_2(f) vec4 f(vec4 a, vec4 b) { return vec4(f(a.x, b.x), f(a.y, b.y), f(a.z, b.z), f(a.w, b.w)); }
$elementary
vec4 number(int k) {
  return texelFetch(numbers, ivec2(k & 2047, k >> 11), 0);
}
$functions
void main() {
  float x = centre.x + (gl_FragCoord.x - middle.x) * pixel;
  float y = centre.y + (middle.y - gl_FragCoord.y) * pixel;
  $body
  colour = vec4(clamp(vec3($result), 0.0, 1.0), 1);
}
