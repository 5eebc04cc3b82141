"""The lines around the subject of a picture, whole and smoothly bent, where it is sure."""

from __future__ import annotations

import numpy as np

from artgen import Canvas
from artgen_plugins._contours import FACE, Contour, pixels_of, runs, smooth_line
from artgen_plugins._subject import LOOKED_AT, heart, subject_of
from artgen_plugins.hatch import abstracted, softened
from artgen_plugins.regions import Floats, Mask, lab_of

SIDE, CALM = 800, 0.5
"""How many pixels the longer side has where a subject is looked for, and how much detail is left
out before."""
SMALLEST, LARGEST, FACES = 0.1, 0.45, 15.0
"""The least and the most of a picture that is a subject, and the most in areas of faces, where
there are any."""
SCRAP, BAND, COMPACT = 0.08, 5.0, 0.1
"""The smallest part next to the largest; how much longer than high a part is that is none, as a
shore; and how compact one is at least, next to a disc."""
HEAD, WIDEN, HORN = 0.15, 2, 0.3
"""How far in from the border of the circle of a face heads are; how much wider a person gets below
the middle of it, on each side, for each step down; what is narrower is none, in radii of faces."""
CROWN = 0.75
"""How far above the middle of a face there is hair, in radii: below it no line is around a head."""
BODY, BESIDE, TALL = 0.64, 0.5, 5.0
"""How far in from the border of a face, and below, all is a person, how far what has no border is
in one, and how far down that is so, in radii."""
SOFT, BENT, BENDS, SHORT = 0.005, 0.02, (0.006, 0.012), 0.1
"""How soft a mask is and the shortest line, in shorter sides; how far bends are smoothed, next to
how large a subject is, and between which shares of the shorter side."""
ASIDE, DIFFERENT, SURE = 0.012, 9.0, 0.75
"""How far on both sides of a line it is told, in shorter sides, how much they differ; from which
difference on, in CIELAB, there is a border, and on which share of a line at least."""


def silhouettes(picture: Floats, inner: Floats, canvas: Canvas) -> list[Contour]:
    """Return the lines around the subject of a picture [3, height, width].

    With faces, which are where `inner` [height, width] is near to 1, it is people: heads and what
    is below them. There is nothing where it is not sure.
    """
    from scipy.ndimage import zoom
    from skimage.measure import find_contours

    if min(inner.shape) < 16:
        return []
    scale = SIDE / max(inner.shape)
    # The same at every size.
    planes = [softened(each, 0.35 / scale) if scale < 1 else each for each in picture]
    seen = [zoom(each, scale, order=1, mode="nearest", grid_mode=True) for each in planes]
    inner = zoom(inner, scale, order=1, mode="nearest", grid_mode=True)
    calm = lab_of(np.stack([abstracted(each, np.ones(inner.shape), CALM) for each in seen]))
    mask, side = _parts(subject_of(calm, inner), inner), min(inner.shape)
    if not mask.any():
        return []
    body = _bodies(inner, BESIDE)
    bent = np.clip(BENT * np.sqrt(mask.mean()), *BENDS)
    field = softened(mask.astype(np.float64), SOFT * side)
    lines = []
    for line in find_contours(field, 0.5):  # type: ignore[no-untyped-call]
        if len(line) < SHORT * side:
            continue
        line = smooth_line(line, bent * side)
        sure = _across(line, calm, ASIDE * side) > DIFFERENT
        apart = ~body[pixels_of(line + 0.5, body.shape)]
        if sure[apart].sum() < SURE * apart.sum():
            return []
        # What goes across a person is not around one.
        sure |= apart
        for part in runs(sure):
            if part.stop - part.start > SHORT * side:
                points = (line[part][:, ::-1] + 0.5) / scale * canvas.pixel - canvas.reach
                lines.append(Contour(points, np.ones(len(points))))
    return lines


def _parts(mask: Mask, inner: Floats) -> Mask:
    """Return the parts of a mask that are a subject, if it is sure."""
    from scipy.ndimage import binary_erosion, binary_fill_holes, find_objects, label

    face = inner > FACE
    if face.any():
        radius = _radius(face)
        if not all(mask[place] for place in _crowns(inner > LOOKED_AT)):
            return np.zeros(mask.shape, bool)
        mask = binary_fill_holes((mask & _people(inner)) | _bodies(inner, BODY))
        mask = _opened(mask, HORN * radius)
    found, kept = np.zeros(mask.shape, bool), []
    parts, _ = label(mask)
    for k, box in enumerate(find_objects(parts), 1):
        part, (high, wide) = parts[box] == k, (side.stop - side.start for side in box)
        border = (part & ~binary_erosion(part)).sum()
        compact = 4 * np.pi * part.sum() > COMPACT * border**2
        whose = (part & face[box]).any() or not face.any()
        if whose and compact and wide < BAND * high:
            kept.append((int(part.sum()), box, part))
    for area, box, part in kept:
        if area > SCRAP * max(each[0] for each in kept):
            found[box] |= part
    most = FACES * face.mean() if face.any() else LARGEST
    return found if SMALLEST < found.mean() < most else np.zeros(mask.shape, bool)


def _opened(mask: Mask, radius: float) -> Mask:
    """Return what of a mask is in discs that are in it, or would be if it went on."""
    from scipy.ndimage import distance_transform_edt

    pad = int(2 * radius) + 1
    found: Mask = distance_transform_edt(np.pad(mask, pad, mode="edge")) > radius
    if found.any():
        found = distance_transform_edt(~found) <= radius
    return found[pad:-pad, pad:-pad]


def _crowns(face: Mask) -> list[tuple[int, int]]:
    """Return the places, row and column, where each head has hair."""
    from scipy.ndimage import find_objects, label

    found = []
    for down, across in find_objects(label(face)[0]):
        radius = (across.stop - across.start) / 2
        top = max(0, int(down.stop - (1 + CROWN) * radius))
        found.append((top, (across.start + across.stop) // 2))
    return found


def _radius(face: Mask) -> float:
    from scipy.ndimage import label

    return float(np.sqrt(face.sum() / np.pi / max(1, label(face)[1])))


def _bodies(inner: Floats, share: float) -> Mask:
    """Return the middles of faces and what is below them."""
    from scipy.ndimage import maximum_filter1d

    high = 1 + 2 * int(TALL * _radius(inner > FACE) / 2)
    sure = maximum_filter1d(heart(inner, share), high, 0, mode="constant", origin=high // 2)
    return np.asarray(sure > 0)


def _people(inner: Floats) -> Mask:
    """Return where people may be: in faces and above, and in cones that begin in their middles."""
    from scipy.ndimage import binary_dilation

    head, middle = heart(inner, HEAD) > 0, heart(inner, 0.9) > 0
    found, row = np.maximum.accumulate(head[::-1])[::-1], np.zeros(inner.shape[1], bool)
    for k, each in enumerate(middle):
        row = (binary_dilation(row, iterations=WIDEN) if row.any() else row) | each
        found[k] |= row
    return found


def _across(line: Floats, lab: Floats, aside: float) -> Floats:
    """Return how much the sides of a line [N, 2], rows and columns, differ: [N]."""
    from scipy.ndimage import map_coordinates

    along = np.gradient(line, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], 1)
    across *= aside / np.maximum(np.hypot(*across.T), 1e-9)[:, None]
    smooth = [softened(lab[..., k], aside / 3) for k in range(3)]
    sides = [
        [map_coordinates(each, (line + way * across).T, order=1, mode="nearest") for each in smooth]
        for way in (-1, 1)
    ]
    return np.asarray(np.hypot.reduce(np.diff(np.array(sides), axis=0)[0], axis=0))
