// The kernels of one footprint, written by artgen.

struct Size {
  width: u32,    // of the whole picture
  top: u32,      // the first row of the strip that is drawn, a multiple of $side
  bottom: u32,   // the first row after it
  count: u32,    // of the splats
  parts: u32,    // shares of a splat's pixels in a strip: `backward` takes one per workgroup
  part: u32,     // the number of the first share in this strip
  cell: u32,     // the side of a cell, a multiple of $side
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> given: array<f32>;
@group(0) @binding(2) var<storage, read> boxes: array<vec4u>;
@group(0) @binding(3) var<storage, read> centres: array<f32>;
@group(0) @binding(4) var<storage, read_write> lists: array<u32>;
@group(0) @binding(5) var<storage, read> incoming: array<f32>;
@group(0) @binding(6) var<storage, read_write> prepared: array<f32>;
@group(0) @binding(7) var<storage, read_write> image: array<f32>;
@group(0) @binding(8) var<storage, read_write> sums: array<f32>;
@group(0) @binding(9) var<storage, read_write> gradients: array<f32>;
@group(0) @binding(10) var<storage, read> state: array<f32>;
$math
fn has_pixels(box: vec4u) -> bool { return box.x < box.y && box.z < box.w; }
fn number_of(group: vec3u, groups: vec3u) -> u32 { return group.x + group.y * groups.x; }

@compute @workgroup_size($lanes)
fn prepare(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = number_of(group, groups) * $lanes + lane;
  if (i >= size.count) { return; }
  $parameters
  $prepare
  $store
}

$loops
@compute @workgroup_size($lanes)
fn finish(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = number_of(group, groups) * $lanes + lane;
  if (i >= size.count) { return; }
  $parameters
  $zero
  for (var slot = lists[i]; slot < lists[i + 1u]; slot++) {
    $collect
  }
  // Parameters that cannot be drawn may not even be finite; their gradient is.
  let drawn = has_pixels(boxes[i]);
  $finish
  $gradients
}
