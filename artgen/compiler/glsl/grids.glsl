// Feature k of a grid at a place from 0 to 1: of its cell's corners, weighted by how near they are.
float feature_$name(int row, int k) {
  int place = $table + row * $features + k;
  return number(place / 4)[place % 4];
}
float $name(vec2 place, int level, int k) {
  vec4 grid = number($levels + level);   // cells across and down, first row, whether hashed
  vec2 cells = grid.xy;
  vec2 scaled = place * cells;
  vec2 low = clamp(floor(scaled), vec2(0), cells - 1.0);
  vec2 share = scaled - low;
  float sum = 0.0;
  for (int corner = 0; corner < 4; corner++) {
    ivec2 far = ivec2(corner & 1, corner >> 1);
    ivec2 vertex = ivec2(low) + far;
    vec2 near = mix(1.0 - share, share, vec2(far));
    uint hash = (uint(vertex.x) * $across) ^ (uint(vertex.y) * $down);
    int row = grid.w != 0.0 ? int(hash & $mask) : vertex.x + vertex.y * (int(cells.x) + 1);
    sum += near.x * near.y * feature_$name(int(grid.z) + row, k);
  }
  return sum;
}
