// The rest of a step of a fit: from raw parameters to splats, from a picture to its loss, and from
// gradients to the next raw parameters. Written by artgen.

struct Size {
  width: u32,
  top: u32,
  height: u32,
  count: u32,
  parts: u32,
  part: u32,
  cell: u32,
  rows: u32,
}

struct Scene {
  background: vec4f,  // a colour, and its weight under blends that divide
  view: vec3f,        // pixel = (coordinate * view.z + view.xy) / 2 along each axis
  beta1: f32,
  beta2: f32,
  epsilon: f32,
  decay: f32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<uniform> scene: Scene;
@group(0) @binding(2) var<storage, read_write> raw: array<f32>;
@group(0) @binding(3) var<storage, read_write> given: array<f32>;
@group(0) @binding(4) var<storage, read_write> boxes: array<vec4u>;
@group(0) @binding(5) var<storage, read_write> centres: array<f32>;
@group(0) @binding(6) var<storage, read_write> lists: array<u32>;
@group(0) @binding(7) var<storage, read> image: array<f32>;
@group(0) @binding(8) var<storage, read> goal: array<f32>;
@group(0) @binding(9) var<storage, read> weights: array<f32>;
@group(0) @binding(10) var<storage, read_write> incoming: array<f32>;
@group(0) @binding(11) var<storage, read_write> errors: array<f32>;
@group(0) @binding(12) var<storage, read> gradients: array<f32>;
@group(0) @binding(13) var<storage, read_write> moments: array<f32>;
@group(0) @binding(14) var<storage, read> bounds: array<f32>;
@group(0) @binding(15) var<storage, read> schedule: array<f32>;
@group(0) @binding(16) var<storage, read_write> clock: array<u32>;
@group(0) @binding(17) var<storage, read_write> report: array<f32>;
@group(0) @binding(18) var<storage, read_write> pixels: array<u32>;
@group(0) @binding(19) var<storage, read_write> picture: array<f32>;
@group(0) @binding(20) var<storage, read_write> worth: array<f32>;
@group(0) @binding(21) var<storage, read> table: array<f32>;
@group(0) @binding(22) var<storage, read_write> state: array<f32>;
@group(0) @binding(23) var<storage, read_write> order: array<u32>;
@group(0) @binding(24) var<storage, read_write> histogram: array<u32>;
$math
fn number_of(group: vec3u, groups: vec3u) -> u32 { return group.x + group.y * groups.x; }
fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
fn is_finite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }

// Pixel centres, where the rows of sums of each splat begin, and what is looked up.
@compute @workgroup_size($lanes)
fn fill(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = number_of(group, groups) * $lanes + lane;
  if (i < size.width) {
    centres[i] = (f32(2u * i + 1u) - scene.view.x) / scene.view.z;
  } else if (i < size.width + size.height) {
    centres[i] = (f32(2u * (i - size.width) + 1u) - scene.view.y) / scene.view.z;
  }
  if (i <= size.count) { lists[i] = i * size.parts; }
  if (i < $looked_up) { given[size.count * $given_row + i] = table[i]; }
}

fn edge(pixel: f32, most: u32) -> u32 { return u32(clamp(floor(pixel), 0.0, f32(most))); }

// The splats: centres, ellipses, features, mapped parameters, and the boxes around them.
@compute @workgroup_size($lanes)
fn locate(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let k = number_of(group, groups) * $lanes + lane;
  if (k >= size.count) { return; }
  let i = $splat;
  $mapped
  $ellipse
  let axes = vec2f($along, $across);
  let along = min(axes.x, 1e9);
  let across = min(axes.y, 1e9);
  let angle = $angle;
  let c = cos_of(angle);
  let s = sin_of(angle);
  let ends = !is_nan(axes.x) && !is_nan(axes.y) && axes.x >= 0.0 && axes.y >= 0.0;
  let drawn = ends && is_finite(angle) && is_finite($x) && is_finite($y);
  let u = 1.0 / max(along, 1e-18);
  let v = 1.0 / max(across, 1e-18);
  let scale = 0.5 * scene.view.z;
  let wide = scale * length(vec2f(along * c, across * s)) + $slack;
  let high = scale * length(vec2f(along * s, across * c)) + $slack;
  let x = scale * $x + 0.5 * scene.view.x;
  let y = scale * $y + 0.5 * scene.view.y;
  let box = vec4u(
    edge(x - wide, size.width), edge(x + wide + 1.0, size.width),
    edge(y - high, size.height), edge(y + high + 1.0, size.height),
  );
  boxes[k] = select(vec4u(0u), box, drawn);
  $given
}

var<workgroup> partial: array<vec3f, $pixels>;

fn add_up(lane: u32) {
  workgroupBarrier();
  $halves
}

// The gradient of the loss by the image, and two sums per workgroup: loss and squared error.
@compute @workgroup_size($pixels)
fn compare(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let number = number_of(group, groups);
  let pixel = number * $pixels + lane;
  let plane = size.width * size.height;
  var loss = 0.0;
  var square = 0.0;
  if (pixel < plane) {
    let weight = weights[pixel];
    $compare
    loss *= weight;
    square *= weight;
  }
  partial[lane] = vec3f(loss, square, 0.0);
  add_up(lane);
  if (lane == 0u && number * $pixels < plane) {
    errors[2u * number] = partial[0].x;
    errors[2u * number + 1u] = partial[0].y;
  }
}

// The picture, and the gradient of its sum by the image.
@compute @workgroup_size($pixels)
fn survey(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let pixel = number_of(group, groups) * $pixels + lane;
  let plane = size.width * size.height;
  if (pixel >= plane) { return; }
  $survey
}

@compute @workgroup_size($lanes)
fn weigh(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let k = number_of(group, groups) * $lanes + lane;
  if (k >= size.count) { return; }
  let i = $splat;
  $mapped
  $weigh
}

// Larger raw values are mapped to infinity, which exp_of never gives.
fn largest(row: u32) -> f32 { return select(3.4e38, 88.72, $exponents); }

// The loss, the squared error of what is shown, and how many parameters are not finite.
@compute @workgroup_size($pixels)
fn reduce(@builtin(local_invocation_index) lane: u32) {
  let number = (size.width * size.height + $pixels - 1u) / $pixels;
  var sum = vec3f(0.0);
  for (var k = lane; k < number; k += $pixels) {
    sum += vec3f(errors[2u * k], errors[2u * k + 1u], 0.0);
  }
  for (var k = lane; k < size.count * $columns; k += $pixels) {
    let finite = is_finite(raw[k]) && raw[k] <= largest(k / size.count);
    sum.z += select(1.0, 0.0, finite);
  }
  partial[lane] = sum;
  add_up(lane);
  if (lane < 3u) { report[lane] = partial[0][lane]; }
  if (lane == 3u) { report[3] = $lacking; }
}

// A step of the optimizer for one number, within its bounds.
fn stepped(k: u32, at: u32, gradient: f32) {
  let row = clock[0] * $row;
  let rate = schedule[row + 3u + k];
  var x = raw[at];
  var g = gradient;
  $decay
  let other = at + $columns * size.count;
  let mean = moments[at] + (g - moments[at]) * (1.0 - scene.beta1);
  let square = scene.beta2 * moments[other] + (1.0 - scene.beta2) * g * g;
  moments[at] = mean;
  moments[other] = square;
  x -= rate / schedule[row] * mean / (sqrt(square) / schedule[row + 1u] + scene.epsilon);
  $decay_after
  // Bounds must not make a number of NaN.
  raw[at] = select(x, clamp(x, bounds[2u * k], bounds[2u * k + 1u]), is_finite(x));
}

@compute @workgroup_size($lanes)
fn advance(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let k = number_of(group, groups) * $lanes + lane;
  if (k >= size.count || !($enough)) { return; }
  let i = $splat;
  $mapped
  $advance
}

// Steps that were taken, and those that were not.
@compute @workgroup_size(1)
fn tick() { clock[select(1u, 0u, $enough)] += 1u; }

// Colours of 8 bits: red in the lowest byte, alpha in the highest.
@compute @workgroup_size($pixels)
fn show(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let pixel = number_of(group, groups) * $pixels + lane;
  let plane = size.width * size.height;
  if (pixel >= plane) { return; }
  $picture
  pixels[pixel] = pack4x8unorm(vec4f(q0, q1, q2, 1.0));
}
$more