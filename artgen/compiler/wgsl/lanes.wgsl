var<workgroup> running: array<u32, $pixels>;

// The sum of the numbers of all lanes before this one.
fn sum_before(lane: u32, number: u32) -> u32 {
  running[lane] = number;
  for (var step = 1u; step < $pixels; step *= 2u) {
    workgroupBarrier();
    let more = select(0u, running[max(lane, step) - step], lane >= step);
    workgroupBarrier();
    running[lane] += more;
  }
  return running[lane] - number;
}
