@compute @workgroup_size($pixels)
fn forward(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) lane: u32) {
  $pixel
  $clear
  let list = list_of(left, top, lane);
  for (var first = 0u; first < list.y; first += $pixels) {
    find_hits(list, first, left, top, lane);
    let number = workgroupUniformLoad(&number_of_hits);
    for (var k = 0u; k < number; k++) {
      let i = hits[k];
      $visit
      $forward
      let w = select(0.0, $weight, inside);
      $accumulate
    }
  }
  if (live) {
    $draw
  }
}

$partial
fn add_up(lane: u32) {
  $add_up
}

@compute @workgroup_size($lanes)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let program = number_of(group, groups);
  let i = program / size.parts;
  if (i >= size.count) { return; }
  let part = program % size.parts;
  let slot = lists[i] + size.part + part;
  let box = boxes[i];
  let left = box.x;
  let top = max(box.z, size.top);
  let wide = box.y - left;
  let count = wide * (max(min(box.w, size.bottom), top) - top);
  let plane = size.width * (size.bottom - size.top);
  if (part * $lanes >= count) {
    for (var k = lane; k < $sums; k += $lanes) { sums[slot * $sums + k] = 0.0; }
    return;
  }
  $zero
  for (var k = part * $lanes + lane; k < count; k += $lanes * size.parts) {
    let column = left + k % wide;
    let row = top + k / wide;
    let place = (row - size.top) * size.width + column;
    let x = centres[column];
    let y = centres[size.width + row];
    $visit_again
    $arriving
    $backward
    $add
  }
  $reduce
}
