"""Where the skin of faces is: what has the hue and the chroma of the middle of a face."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from artgen_plugins._subject import LOOKED_AT, heart
from artgen_plugins.hatch import without_specks
from artgen_plugins.regions import Floats, Labels, Mask

HUES, RICH, SURE, ASIDE = 24.0, 0.55, 1.8, 13.0
"""How far skin may be from the hue of the middle of its face, in degrees, and from its chroma, in
logarithms; how much farther in that middle; from which distance on, in CIELAB, what is on it has
another colour, as lips have."""
CORE, AROUND, CALM, HOLE, CLOSED = 0.45, 2.0, 0.01, 0.4, 0.08
"""How far from the border of a face its middle is; how far around it there is its skin; how soft
the colours of skin are; how wide what is no skin is at least, which eyes are not, and the gaps in
its border, in radii of a face."""
DARK, WARM, COLOURED = 12.0, 2.0, 3.0
"""What skin is lighter than; above what its weaker and its stronger one of red and yellow are."""
WHOLE, SOFT, PART, UPPER = 0.14, 0.05, 0.25, 1.35
"""How wide the gaps are that are closed in the outline of skin, and how smooth it is, in radii of a
face; the least size of a part of it, as of a neck, in squared radii; how far up it reaches, in
radii."""

REDDER, INWARD, LEAST = 4.0, 0.35, 0.01
"""How much redder lips are than skin, in CIELAB; how far from the border of a face they are, in
radii, and how large at least, in squared radii."""


def faces_of(inner: Floats) -> Labels:
    """Return the faces of a picture [height, width], from 1 on; `inner` is near to 1 in them."""
    from scipy.ndimage import label

    return np.asarray(label(inner > LOOKED_AT)[0])


def skins(lab: Floats, inner: Floats) -> Iterator[tuple[tuple[slice, slice], Mask, Mask, float]]:
    """Yield the box around each face, its skin and its middle in there, and its radius in pixels.

    `lab` is a picture in CIELAB, and `inner` [height, width] is near to 1 in faces.
    """
    from scipy.ndimage import find_objects

    sure, faces = heart(inner, CORE) > 0, faces_of(inner)
    for k, box in enumerate(find_objects(faces), 1):
        size = max(side.stop - side.start for side in box) / 2
        far = AROUND * size
        top, left = (slice(max(0, int(side.start - far)), int(side.stop + far)) for side in box)
        core = (sure & (faces == k))[top, left]
        skin = skin_of(lab[top, left], core, size)
        if skin.any():
            yield (top, left), skin, core, size


def outlined(lab: Floats, inner: Floats) -> Labels:
    """Return whole pieces of skin [height, width], from 1 on, with the eyes and lips on them."""
    from scipy.ndimage import binary_fill_holes, distance_transform_edt, gaussian_filter, label

    found = np.zeros(inner.shape, bool)
    for wide, skin, core, size in skins(lab, inner):
        near, pad = WHOLE * size, int(WHOLE * size) + 2
        grown = distance_transform_edt(~np.pad(skin | core, pad)) < near
        whole = (distance_transform_edt(grown) > near)[pad:-pad, pad:-pad]
        # Above a face, and beside its upper half, is no skin of it.
        down, aside = np.indices(skin.shape) - np.argwhere(core).mean(0)[:, None, None]
        whole &= (np.hypot(down, aside) < UPPER * size) | (down > 0)
        whole = gaussian_filter(binary_fill_holes(whole) * 1.0, SOFT * size) > 0.5
        # The rest of a face, a neck or hands; what is above it is of the ground.
        pieces = label(without_specks(whole, np.full(skin.shape, np.sqrt(PART) * size)))[0]
        kept = np.bincount(pieces.ravel(), down.ravel()) > 0
        kept[pieces[core]], kept[0] = True, False
        found[wide] |= kept[pieces]
    return np.asarray(label(found)[0].astype(np.int64))


def skin_of(lab: Floats, core: Mask, size: float) -> Mask:
    """Return where a picture in CIELAB has the skin of a face, but not lips, eyes and teeth.

    `core` [height, width] is the middle of the face, and `size` its radius in pixels. Skin in light
    and in shadow has one hue, and its chroma grows with its lightness.
    """
    from scipy.ndimage import gaussian_filter

    light, *hue = (gaussian_filter(lab[..., k], max(0.7, CALM * size)) for k in range(3))
    angle, rich = np.arctan2(*hue[::-1]), np.log((np.hypot(*hue) + 3) / (light.clip(8) + 10))
    way, more = np.median(angle[core]), np.median(rich[core])
    far = np.hypot(np.degrees(angle - way) / HUES, (rich - more) / RICH)
    found = (far < np.where(core, SURE, 1.0)) & (np.maximum(*hue) > COLOURED)
    # Of black skin, and of olive and rosy one, less is asked.
    weaker = np.minimum(*hue)
    found &= light > min(DARK, np.median(light[core]) / 2)
    found &= weaker > min(WARM, np.median(weaker[core]) - WARM)
    found = without_specks(found, np.full(core.shape, max(1.0, HOLE * size)))
    found = gaussian_filter(found * 1.0, CLOSED * size) > 0.45
    chroma = np.exp(more) * (light + 10) - 3
    aside = np.hypot(hue[0] - chroma * np.cos(way), hue[1] - chroma * np.sin(way))
    return without_specks(found & (aside < ASIDE), np.full(core.shape, max(1.0, 2 * CALM * size)))


def lips_of(lab: Floats, mine: Mask, marks: Mask) -> Mask:
    """Return the lips in a picture in CIELAB: the largest of what is red low in a face, and marked.

    `mine` [height, width] is the skin of the face, whole, and `marks` is what is dark on faces.
    """
    from scipy.ndimage import distance_transform_edt, label

    size = np.sqrt(mine.sum() / np.pi)
    even = calm(lab[..., 1], max(0.7, 0.02 * size), mine)
    red = even - calm(lab[..., 1], 0.35 * size, mine) > REDDER
    red &= distance_transform_edt(mine) > INWARD * size
    rows = np.nonzero(mine & marks)[0]
    red[: int(rows.mean()) if len(rows) else None] = False
    pieces = label(red)[0]
    many = np.bincount(pieces.ravel()) * np.isin(range(pieces.max() + 1), pieces[marks])
    many[0] = 0
    return np.asarray((pieces == many.argmax()) & (many.max() > LEAST * size**2))


def calm(plane: Floats, soft: float, mass: Mask) -> Floats:
    """Return a plane [height, width] made `soft` pixels smooth by what is within a mask alone."""
    from scipy.ndimage import gaussian_filter

    shared = np.maximum(gaussian_filter(mass * 1.0, soft), 1e-6)
    return np.asarray(gaussian_filter(plane * mass, soft) / shared)
