// Splats over one another: sorted by depth, and how much of the picture does not depend on that yet.

$lanes_wgsl
// The softness of the step, and the mean depth of the splats.
@compute @workgroup_size($pixels)
fn soften(@builtin(local_invocation_index) lane: u32) {
  let softness = schedule[clock[0] * $row + 2u];
  var total = 0.0;
  for (var i = lane; i < select(0u, size.count, softness > 0.0); i += $pixels) {
    $depth
    total += $z;
  }
  partial[lane] = vec3f(total, 0.0, 0.0);
  add_up(lane);
  if (lane == 0u) {
    state[0] = softness;
    state[1] = partial[0].x / f32(size.count);
  }
}

// Evaluations and pictures depend on the order.
@compute @workgroup_size(1)
fn sharpen() { state[0] = 0.0; }

// A stable radix sort, 8 bits at a time. `order` has keys and splats twice, and then the number of
// the bits that are next.
@compute @workgroup_size($lanes)
fn key(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = number_of(group, groups) * $lanes + lane;
  if (i >= size.count) { return; }
  $depth
  // Sorted as floats are, 0 and -0 alike, NaN last.
  let bits = bitcast<u32>(select($z, 0.0, $z == 0.0));
  let rising = select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
  order[i] = select(rising, 0xffffffffu, is_nan($z));
  order[size.count + i] = i;
  if (i == 0u) { order[4u * size.count] = 0u; }
}

fn blocks() -> u32 { return (size.count + $block - 1u) / $block; }
fn digit(number: u32, held: u32) -> u32 { return (held >> (8u * number)) & 255u; }

var<workgroup> bins: array<atomic<u32>, 256>;

@compute @workgroup_size(256)
fn count(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let number = order[4u * size.count];
  let keys = (number & 1u) * 2u * size.count;
  atomicStore(&bins[lane], 0u);
  workgroupBarrier();
  let end = min((group.x + 1u) * $block, size.count);
  for (var k = group.x * $block + lane; k < end; k += 256u) {
    atomicAdd(&bins[digit(number, order[keys + k])], 1u);
  }
  workgroupBarrier();
  histogram[lane * blocks() + group.x] = atomicLoad(&bins[lane]);
}

// Where each block begins among the sorted ones, for each digit.
@compute @workgroup_size(256)
fn scan(@builtin(local_invocation_index) lane: u32) {
  let first = lane * blocks();
  var total = 0u;
  for (var k = first; k < first + blocks(); k++) { total += histogram[k]; }
  var next = sum_before(lane, total);
  for (var k = first; k < first + blocks(); k++) {
    let here = histogram[k];
    histogram[k] = next;
    next += here;
  }
  if (lane == 0u) { order[4u * size.count] += 1u; }
}

var<workgroup> holders: array<atomic<u32>, 2048>;  // for each digit, the lanes that have it

@compute @workgroup_size(256)
fn scatter(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let number = order[4u * size.count] - 1u;
  let keys = (number & 1u) * 2u * size.count;
  let to = 2u * size.count - keys;
  running[lane] = histogram[lane * blocks() + group.x];
  let end = min((group.x + 1u) * $block, size.count);
  for (var first = group.x * $block; first < end; first += 256u) {
    for (var word = 0u; word < 8u; word++) { atomicStore(&holders[8u * lane + word], 0u); }
    workgroupBarrier();
    let k = first + lane;
    var mine = 0u;
    var held = 0u;
    if (k < size.count) {
      held = order[keys + k];
      mine = digit(number, held);
      atomicOr(&holders[8u * mine + lane / 32u], 1u << (lane % 32u));
    }
    workgroupBarrier();
    if (k < size.count) {
      var place = running[mine];
      for (var word = 0u; word < lane / 32u; word++) {
        place += countOneBits(atomicLoad(&holders[8u * mine + word]));
      }
      let before = (1u << (lane % 32u)) - 1u;
      place += countOneBits(atomicLoad(&holders[8u * mine + lane / 32u]) & before);
      order[to + place] = held;
      order[to + size.count + place] = order[keys + size.count + k];
    }
    workgroupBarrier();
    for (var word = 0u; word < 8u; word++) {
      running[lane] += countOneBits(atomicLoad(&holders[8u * lane + word]));
    }
  }
}

fn tiles_of(box: vec4u) -> u32 {
  if (box.x >= box.y || box.z >= box.w) { return 0u; }
  return ((box.y - 1u) / $side - box.x / $side + 1u) * ((box.w - 1u) / $side - box.z / $side + 1u);
}

// Where the rows of sums of each splat begin, one for each tile, and whether there is room for them.
@compute @workgroup_size($pixels)
fn allot(@builtin(local_invocation_index) lane: u32) {
  let share = (size.count + $pixels - 1u) / $pixels;
  let first = min(lane * share, size.count);
  let end = min(first + share, size.count);
  var total = 0u;
  for (var k = first; k < end; k++) { total += tiles_of(boxes[k]); }
  var next = sum_before(lane, total);
  for (var k = first; k < end; k++) {
    lists[k] = next;
    next += tiles_of(boxes[k]);
  }
  if (lane == $pixels - 1u) {
    lists[size.count] = next;
    state[2] = select(0.0, f32(next), next > size.rows);
  }
}
