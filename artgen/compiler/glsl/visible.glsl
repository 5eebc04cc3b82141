uniform sampler2D cells;   // how visible splats are, $size x $size of each, four to a texel
uniform vec2 frame;        // half the size of the whole canvas, in canvas units
uniform vec2 centre;       // of the picture that is drawn

float cell(int row, int column) {
  int k = int(owner) * $size * $size + row * $size + column, texel = k >> 2;
  return texelFetch(cells, ivec2(texel & 2047, texel >> 11), 0)[k & 3];
}
// Linear between the middles of cells.
float visible(vec2 place) {
  vec2 at = clamp((place / frame * 0.5 + 0.5) * float($size) - 0.5, 0.0, float($size - 1));
  ivec2 low = min(ivec2(at), $size - 1), high = min(low + 1, $size - 1);
  vec2 share = at - vec2(low);
  float above = mix(cell(low.y, low.x), cell(low.y, high.x), share.x);
  return mix(above, mix(cell(high.y, low.x), cell(high.y, high.x), share.x), share.y);
}
