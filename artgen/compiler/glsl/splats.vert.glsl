#version 300 es
// One rectangle per splat: just around its ellipse, and no larger than what of it is to be seen.
// What depends on the splat alone is computed at its corners and handed to its pixels.
precision highp float;
precision highp int;
precision highp sampler2D;

uniform vec2 reach;        // half the size of the picture that is drawn, in canvas units
uniform vec2 strip;        // from which height to which one, from the picture's middle
uniform sampler2D places;  // of each: its centre, from the picture's middle, and which splat it is
flat out uint owner;
$outputs

${pixel}$helpers
$fetcher
void main() {
  int row = gl_VertexID / 6, turn = gl_VertexID % 6;
  vec4 told = texelFetch(places, ivec2(row & 2047, row >> 11), 0);
  vec2 place = told.xy;
  uint which = uint(told.z);
  owner = which;
  $fetch
  $prepare
  float along = $along, across = $across, angle = $angle;
  float c = cos_of(angle), s = sin_of(angle);
  vec2 u = along * vec2(c, s), v = across * vec2(-s, c);
  vec2 box = sqrt(u * u + v * v) * 1.0001;
  vec2 low = max(place - box, vec2(-reach.x, strip.x));
  vec2 high = min(place + box, vec2(reach.x, strip.y));
  vec2 corner = vec2(turn == 1 || turn > 3, turn == 2 || turn == 3 || turn == 5);
  bool seen = along >= 0.0 && across >= 0.0 && low.x < high.x && low.y < high.y;
  gl_Position = seen ? vec4(mix(low, high, corner) / reach * vec2(1, -1), 0, 1) : vec4(2, 2, 2, 1);
  along = 1.0 / max(along, 1e-18);
  across = 1.0 / max(across, 1e-18);
  $store
}
