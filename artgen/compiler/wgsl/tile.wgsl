// A cell is a square of tiles. The splats that reach it are listed in their order, in two passes over
// their boxes, so that a tile looks at those of its cell alone.
fn cells_across() -> u32 { return (size.width + size.cell - 1u) / size.cell; }
fn cells() -> u32 { return cells_across() * ((size.bottom - size.top + size.cell - 1u) / size.cell); }

fn reaches(box: vec4u, left: u32, top: u32, side: u32) -> bool {
  return has_pixels(box) && box.x < left + side && box.y > left && box.z < top + side && box.w > top;
}

$lanes_wgsl
@compute @workgroup_size($pixels)
fn bin(@builtin(workgroup_id) place: vec3u, @builtin(local_invocation_index) lane: u32) {
  let left = place.x * size.cell;
  let top = size.top + place.y * size.cell;
  let share = (size.count + $pixels - 1u) / $pixels;
  let first = min(lane * share, size.count);
  let end = min(first + share, size.count);
  var number = 0u;
  for (var i = first; i < end; i++) { number += u32(reaches(boxes[i], left, top, size.cell)); }
  let cell = place.y * cells_across() + place.x;
  let counts = size.count + 1u;
  var next = counts + cells() + cell * size.count + sum_before(lane, number);
  for (var i = first; i < end; i++) {
    if (reaches(boxes[i], left, top, size.cell)) {
      lists[next] = i;
      next++;
    }
  }
  if (lane == $pixels - 1u) { lists[counts + cell] = running[lane]; }
}

var<workgroup> listed: u32;

// The list of a tile's cell: where it begins, and how many splats it has.
fn list_of(left: u32, top: u32, lane: u32) -> vec2u {
  let cell = (top - size.top) / size.cell * cells_across() + left / size.cell;
  let counts = size.count + 1u;
  if (lane == 0u) { listed = lists[counts + cell]; }
  return vec2u(counts + cells() + cell * size.count, workgroupUniformLoad(&listed));
}

var<workgroup> reached: array<atomic<u32>, $words>;
var<workgroup> hits: array<u32, $pixels>;
var<workgroup> number_of_hits: u32;

// Which of 256 splats of a list, from `first` on, reach a tile: `hits`, in their order.
fn find_hits(list: vec2u, first: u32, left: u32, top: u32, lane: u32) {
  if (lane < $words) { atomicStore(&reached[lane], 0u); }
  workgroupBarrier();
  var i = 0u;
  var here = false;
  if (first + lane < list.y) {
    i = lists[list.x + first + lane];
    here = reaches(boxes[i], left, top, $side);
  }
  let word = lane / 32u;
  let bit = lane % 32u;
  if (here) { atomicOr(&reached[word], 1u << bit); }
  workgroupBarrier();
  var before = countOneBits(atomicLoad(&reached[word]) & ((1u << bit) - 1u));
  for (var k = 0u; k < word; k++) { before += countOneBits(atomicLoad(&reached[k])); }
  if (here) { hits[before] = i; }
  if (lane == $pixels - 1u) { number_of_hits = before + u32(here); }
}
