// ---- moments: what the numbers are at a time of a film ----

/** Which scene is shown, its last key before, and how far it is to the next one: see artgen.film. */
function momentAt(seconds) {
  const same = 1e-6;
  let scene = 0;
  while (scene + 1 < piece.scenes.length && piece.scenes[scene + 1].times[0] <= seconds + same) scene++;
  const { times } = piece.scenes[scene];
  let key = 0;
  while (key + 1 < times.length && times[key + 1] <= seconds + same) key++;
  const ahead = seconds - times[key];
  const share = ahead <= same || key + 1 === times.length ? 0 : ahead / (times[key + 1] - times[key]);
  return { scene, key, share };
}

/** Value `i` of a row with `count` numbers per key. */
function valueAt(row, count, i, key, share) {
  const now = row[key * count + i];
  return share ? now + share * (row[(key + 1) * count + i] - now) : now;
}

/** Whether part `i` is there at a moment, and whether it ends at this key. */
function lifeOf(scene, i, key) {
  if (scene.lifespans === null) return { living: true, ends: false };
  const lifespans = rowOf(scene.lifespans), part = scene.order === undefined ? i : rowOf(scene.order)[i];
  const last = lifespans[lifespans.length / 2 + part];
  return { living: lifespans[part] <= key && key <= last, ends: last === key };
}

function backgroundAt({ scene, key, share }) {
  const row = piece.scenes[scene].background;
  return row === null ? piece.background : [0, 1, 2].map((k) => valueAt(rowOf(row), 3, k, key, share));
}
