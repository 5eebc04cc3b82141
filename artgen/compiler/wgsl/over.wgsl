var<workgroup> lit: atomic<u32>;
var<workgroup> goes_on: u32;

@compute @workgroup_size($pixels)
fn forward(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) lane: u32) {
  $pixel
  var a0 = 0.0;
  var a1 = 0.0;
  var a2 = 0.0;
  // No light needs to get through where there is no pixel.
  var light = select(0.0, 1.0, live);
  var number = 0u;
  $clear
  let list = list_of(left, top, lane);
  for (var first = 0u; first < list.y; first += $pixels) {
    atomicStore(&lit, 0u);
    find_hits(list, first, left, top, lane);
    let found = workgroupUniformLoad(&number_of_hits);
    if ($wanted) { atomicStore(&lit, 1u); }
    workgroupBarrier();
    if (lane == 0u) { goes_on = atomicLoad(&lit); }
    if (workgroupUniformLoad(&goes_on) == 0u) { break; }
    for (var k = 0u; k < found; k++) {
      let i = hits[k];
      $visit
      $forward
      let w = select(0.0, $weight, inside);
      let visible = light >= $hidden;
      number = select(number, i + 1u, visible);
      let alpha = select(0.0, clamp(f3 * w, 0.0, $opaque), visible);
      let share = light * alpha;
      a0 += share * $red;
      a1 += share * $green;
      a2 += share * $blue;
      light *= 1.0 - alpha;
      $accumulate
    }
  }
  if (live) {
    image[place] = a0;
    image[plane + place] = a1;
    image[2u * plane + place] = a2;
    image[3u * plane + place] = light;
    image[4u * plane + place] = f32(number);
    $draw
  }
}

$partial
fn add_up(lane: u32) {
  $add_up
}

@compute @workgroup_size($pixels)
fn backward(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) lane: u32) {
  $pixel
  let g0 = select(0.0, incoming[place], live);
  let g1 = select(0.0, incoming[plane + place], live);
  let g2 = select(0.0, incoming[2u * plane + place], live);
  var light = select(0.0, image[3u * plane + place], live);
  var behind = light * select(0.0, incoming[3u * plane + place], live);
  let number = select(0u, u32(image[4u * plane + place]), live);
  $arriving
  let list = list_of(left, top, lane);
  for (var after = (list.y + $pixels - 1u) / $pixels * $pixels; after > 0u; after -= $pixels) {
    find_hits(list, after - $pixels, left, top, lane);
    for (var k = workgroupUniformLoad(&number_of_hits); k > 0u; k--) {
      let i = hits[k - 1u];
      let box = boxes[i];
      let across = (box.y - 1u) / $side - box.x / $side + 1u;
      let down = top / $side - box.z / $side;
      let slot = lists[i] + down * across + tile.x - box.x / $side;
      $visit_again
      $forward
      let w = select(0.0, $weight, inside);
      let alpha = select(0.0, clamp(f3 * w, 0.0, $opaque), i < number);
      let clear = 1.0 / (1.0 - alpha);
      light *= clear;
      let colour = $red * g0 + $green * g1 + $blue * g2;
      let free = i < number && f3 * w >= 0.0 && f3 * w <= $opaque;
      let change = select(0.0, light * colour - behind * clear, free);
      let share = light * alpha;
      behind += share * colour;
      $incoming
      $backward
      $terms
      $reduce
    }
  }
}
