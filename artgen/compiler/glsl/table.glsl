
uniform sampler2D table;   // constants that are looked up, four to a texel

float fetch_of(float place) {
  int k = int(place), texel = k >> 2;
  return texelFetch(table, ivec2(texel & 2047, texel >> 11), 0)[k & 3];
}
