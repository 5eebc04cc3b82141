// The curve of the loss, on a logarithmic axis, as an SVG path.

/** @param {SVGPathElement} path @param {[number, number][]} points steps and losses @param {number} steps of the whole fit */
function drawChart(path, points, steps) {
  const usable = points.filter(([, loss]) => loss > 0), logs = usable.map(([, loss]) => Math.log(loss));
  if (usable.length < 2) return path.setAttribute("d", "");
  // As arguments of one call, those of an hour would be too many.
  const low = logs.reduce((a, b) => Math.min(a, b)), high = logs.reduce((a, b) => Math.max(a, b)), span = Math.max(high - low, 1e-6), last = Math.max(steps, usable[usable.length - 1][0]);
  const every = Math.ceil(usable.length / 300);
  const places = usable.map(([step], k) => `${((300 * step) / last).toFixed(1)} ${(96 - (92 * (logs[k] - low)) / span).toFixed(1)}`);
  path.setAttribute("d", `M${places.filter((_, k) => k % every === 0 || k === places.length - 1).join("L")}`);
}
