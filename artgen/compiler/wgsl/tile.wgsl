// Which of 256 splats reach a tile, as bits: in their order, and without any list in memory.
var<workgroup> reached: array<atomic<u32>, $words>;
var<workgroup> reaching: array<u32, $words>;

fn find_reaching(first: u32, left: u32, top: u32, lane: u32) {
  if (lane < $words) { atomicStore(&reached[lane], 0u); }
  workgroupBarrier();
  let i = first + lane;
  if (i < size.count) {
    let box = boxes[i];
    let here = box.x < left + $side && box.y > left && box.z < top + $side && box.w > top;
    if (here && has_pixels(box)) {
      atomicOr(&reached[lane / 32u], 1u << (lane % 32u));
    }
  }
  workgroupBarrier();
  if (lane < $words) { reaching[lane] = atomicLoad(&reached[lane]); }
}
