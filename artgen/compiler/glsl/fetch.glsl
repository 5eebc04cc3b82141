uniform sampler2D parts;   // the parameters, four to a texel, one splat after the other

vec4 fetch(uint splat, int k) {
  k += int(splat) * $texels;
  return texelFetch(parts, ivec2(k & 2047, k >> 11), 0);
}
