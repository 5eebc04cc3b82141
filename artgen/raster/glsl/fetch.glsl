uniform sampler2D parts;   // the parameters, four to a texel, one splat after the other

vec4 fetch(uint splat, int k) {
  k += int(splat) * $texels;
  int width = textureSize(parts, 0).x;
  return texelFetch(parts, ivec2(k % width, k / width), 0);
}
