#version 300 es
// From sums to a picture: the background and, as in every still, 0 to 1 of what came out.
precision highp float;
precision highp sampler2D;

uniform sampler2D sums;
uniform vec3 background;
uniform float background_weight;
uniform vec3 everywhere;   // what all splats add far from themselves
uniform float share;       // of a splat in the picture
out vec4 colour;

void main() {
  vec4 sum = texelFetch(sums, ivec2(gl_FragCoord.xy), 0);
  colour = vec4(clamp($picture, 0.0, 1.0), 1);
}
