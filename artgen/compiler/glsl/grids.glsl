// Feature k of a grid at a place from 0 to 1: of its cell's corners, weighted by how near they are.
float feature_$name(int row, int k) {
  int place = $table + row * $features + k;
  return number(place / 4)[place % 4];
}
float $name(vec2 place, int level, int k) {
  vec4 grid = number($levels + level);   // cells across and down, first row, whether hashed
  int first = int(grid.z);
  bool hashed = grid.w != 0.0;
  float sum = 0.0;
  $cell
  $sum
  return sum;
}
