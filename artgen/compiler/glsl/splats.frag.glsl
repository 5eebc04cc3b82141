#version 300 es
// The weight of one splat at one pixel, times its features; sums are the blending's.
precision highp float;
precision highp int;
precision highp sampler2D;

uniform vec2 middle;   // of the picture, in pixels
uniform float pixel;   // the side of one, in canvas units
$inputs
flat in uint owner;
out vec4 colour;

$helpers
$fetcher
$visibility
void main() {
  uint which = owner;
  $load
  float dx = (gl_FragCoord.x - middle.x) * pixel - place_x;
  float dy = (middle.y - gl_FragCoord.y) * pixel - place_y;
  float eu = e0 * dx + e1 * dy, ev = e2 * dx + e3 * dy;
  if (!(eu * eu + ev * ev <= 1.0)) discard;
  $forward
  float w = $weight;
  $seen
  $blend
}
