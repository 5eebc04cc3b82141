"""Where the subject of a picture is: what differs from the ground, which reaches its borders.

Sources: Zhu, Liang, Wei and Sun, Saliency optimization from robust background detection (2014).
Regions that are like much of the border, next to how large what is like them is, are the ground.
Rother, Kolmogorov and Blake, GrabCut (2004): the border of the subject is where least is cut.
"""

from __future__ import annotations

import numpy as np

from artgen_plugins.regions import Floats, Labels, Mask, means, neighbours, watershed

PLACES, ALIKE, NEAR, BOTTOM = 400, 10.0, 0.4, 0.3
"""Regions that are told apart; the difference of like ones in CIELAB; how far those are with which
one is compared, in sides; how much the lower border counts, on which things stand."""
FLAT, EVEN, PERSON = 3.0, 0.1, 0.8
"""The difference that is none; how much all neighbours are alike; how sure what is below a face is
a person."""
FINE, BAND, TURNS = 2500, 8.0, 4
"""Regions that are divided; the difference of colours that are nearly one; how often both sides
learn their colours."""
LOOKED_AT, WIDE, SURE = 0.9, 0.15, 0.5
"""From which weight on what is in the focus is a face; how far in from its border what is a person
begins, and what is sure to be one."""
PRIOR, TIED, FAIR = 0.25, 3.0, 0.004
"""How much it counts where something is, next to its colour, and how long the border is; how smooth
that becomes, in shorter sides."""


def subject_of(lab: Floats, face: Floats) -> Mask:
    """Return the subject of a picture in CIELAB, [height, width].

    `face` [height, width], 0 to 1, is where faces are; those and what is below them are of it.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra
    from skimage.filters import threshold_otsu

    labels = counted(lab, PLACES)
    many, shape = int(labels.max()) + 1, labels.shape
    if many < 8:
        return np.zeros(shape, bool)
    colours, size = means(lab, labels), np.bincount(labels.ravel()) / face.size
    places = means(np.stack([*np.indices(shape)], 2) / max(shape), labels)
    rim = [(labels[0], 1.0), (labels[:, 0], 1.0), (labels[:, -1], 1.0), (labels[-1], BOTTOM)]
    border = sum(np.bincount(side, minlength=many) * share for side, share in rim)
    person = means(np.maximum.accumulate(heart(face, WIDE), 0)[..., None], labels)[:, 0]
    a, b = np.unique(np.stack(neighbours(labels)), axis=1)
    differ = np.hypot.reduce(colours[a] - colours[b], axis=1)
    step = np.maximum(differ - FLAT, 1e-3)
    graph = coo_array((step, (a, b)), shape=(many, many)).tocsr()
    like = np.exp(-0.5 * (dijkstra(graph, directed=False) / ALIKE) ** 2)
    bound = (like @ border) / np.sqrt((like @ size) * face.size)
    ground = (1 - np.exp(-0.5 * bound**2)) * (1 - person)
    away = np.hypot.reduce(places[:, None] - places, axis=2)
    compared = np.exp(-0.5 * (away / NEAR) ** 2) * ground * size
    others = np.hypot.reduce(colours[:, None] - colours, axis=2)
    out = (others * compared).sum(1) * (1 - ground)
    out = np.maximum(out / max(out.max(), 1e-9), PERSON * person)
    # What is certain on both sides, and neighbours that are alike: least squares.
    tied = np.zeros((many, many))
    tied[a, b] = np.exp(-0.5 * (differ / ALIKE) ** 2) + EVEN
    tied = np.maximum(tied, tied.T)
    solved = np.linalg.solve(np.diag(ground + out + tied.sum(1) + 1e-9) - tied, out)
    if np.ptp(solved) < 0.05:
        return np.zeros(shape, bool)
    level = float(threshold_otsu(solved[labels]))  # type: ignore[no-untyped-call]
    return divided(lab, ((solved[labels] - level) / 0.1 + 0.5).clip(0, 1), face)


def counted(lab: Floats, count: int) -> Labels:
    """Return at most `count` regions of a picture in CIELAB, of which none is empty."""
    shape = lab.shape[:2]
    found = watershed(lab, min(count, shape[0] * shape[1] // 9 + 1))
    return np.unique(found, return_inverse=True)[1].reshape(shape)


def heart(face: Floats, share: float) -> Floats:
    """Return the middles of faces [height, width], a `share` of the way in from their borders."""
    from scipy.ndimage import distance_transform_edt, label, maximum

    blocks, many = label(face > LOOKED_AT)
    away = distance_transform_edt(blocks > 0)
    most = np.concatenate([[np.inf], maximum(away, blocks, range(1, many + 1))])
    return np.asarray((away > share * most[blocks]) * 1.0)


def divided(lab: Floats, prior: Floats, face: Floats) -> Mask:
    """Return the subject [height, width], where `prior`, 0 to 1, is how likely a pixel is of it.

    Both sides learn their colours from where they are and are divided where it costs least to cut
    between regions that differ (Rother, Kolmogorov and Blake: GrabCut, 2004), a few times.
    """
    from scipy.ndimage import gaussian_filter
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    labels = counted(lab, FINE)
    many = int(labels.max()) + 1
    colours, size = means(lab, labels), np.bincount(labels.ravel()) * (many / face.size)
    first, sure = (means(each[..., None], labels)[:, 0] for each in (prior, heart(face, SURE)))
    a, b = neighbours(labels)
    pairs, length = np.unique(np.minimum(a, b) * many + np.maximum(a, b), return_counts=True)
    a, b = pairs // many, pairs % many
    differ = ((colours[a] - colours[b]) ** 2).sum(1)
    tied = np.exp(-0.5 * differ / max(float(np.average(differ, weights=length)), 1e-9)) + EVEN / 5
    tied *= TIED * length / np.sqrt(face.size / many)
    alike = np.exp(-0.5 * ((colours[:, None] - colours) ** 2).sum(2) / BAND**2)
    belief, ends, own = first, (many, many + 1), np.arange(many)
    for _ in range(TURNS):
        sides = [
            (alike @ (each * size) + 0.025) / (each @ size + 2.5) for each in (belief, 1 - belief)
        ]
        gain = np.log(sides[0] / sides[1]).clip(-3, 3)
        gain = (gain + PRIOR * np.log((first + 0.05) / (1.05 - first))) * size
        gain = np.where(sure > 0.5, 10.0, gain)
        row = np.concatenate([a, b, np.full(many, ends[0]), own])
        column = np.concatenate([b, a, own, np.full(many, ends[1])])
        most = np.concatenate([tied, tied, gain.clip(0), (-gain).clip(0)])
        graph = coo_matrix(((1000 * most).astype(np.int32), (row, column)), shape=(many + 2,) * 2)
        left = graph.tocsr() - maximum_flow(graph.tocsr(), *ends).flow
        left.data = left.data.clip(0)
        left.eliminate_zeros()
        belief = np.isin(own, breadth_first_order(left, ends[0])[0]).astype(np.float64)
    return np.asarray(gaussian_filter(belief[labels], FAIR * min(face.shape), mode="nearest") > 0.5)
