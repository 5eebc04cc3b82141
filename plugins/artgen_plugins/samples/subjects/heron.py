"""A heron in shallow water before a low sun, between reeds."""

from __future__ import annotations

import numpy as np

from ._curves import directed, feather, outlines_of, ribbon, spline
from ._plate import Colours, Floats, Plate, over, ramp, smooth
from ._water import mirrored

_SHORE = 0.62
_SUN = (0.1, -0.36, 0.66)
_EYE = (0.2, -0.752)


def heron(plate: Plate) -> Colours:
    """Draw it: sky and sun, far woods, the water that mirrors them, the bird, reeds."""
    x, y = plate.x, plate.y
    paper = plate.noise(x * 2, y * 2, 1, 6, 0.6)
    sky = ramp(y + 0.07 * paper, (-1.3, "#0a3848"), (-0.7, "#17686f"), (-0.1, "#64ab9d"), (0.35, "#f3dcae"),
               (0.62, "#f7c489"))  # fmt: skip
    across, down, radius = _SUN
    sun = ramp(y, (-1.0, "#f9b550"), (-0.4, "#f2853c"), (0.25, "#dd4a2c"))
    sky = over(sky, sun, smooth(0.003, -0.003, np.hypot(x - across, y - down) - radius))
    bands = plate.noise(x * 0.6, y * 8, 2, 4)
    sky = over(sky, "#fbe3b4", 0.35 * smooth(0.3, 1.2, bands) * smooth(-0.6, 0.5, y))
    for layer, (level, tall, shade) in enumerate(((0.5, 0.1, "#3f8088"), (0.58, 0.07, "#124a58"))):
        crest = level - tall * plate.noise(x * 2.5 + 9 * layer, 0 * x, 3 + layer, 5)
        sky = over(sky, shade, smooth(-0.004, 0.004, y - crest))
    picture = mirrored(plate, sky, _SHORE, 5, tint="#0d4652", share=0.28, ripple=0.03)
    for leg in outlines_of("heron")["legs"]:
        knee, foot = np.array(leg[1:])
        image = spline([foot, foot + (knee - foot) * (1, -1)], 30)
        image[:, 0] += 0.016 * np.sin(60 * image[:, 1]) * np.linspace(0.3, 1, len(image))
        picture = over(picture, "#20323a", 0.6 * plate.filled([ribbon(image, 0.04)]))
    picture = _bird(plate, picture)
    for *_, (across, down) in outlines_of("heron")["legs"]:
        ring = np.hypot((x - across) / 3, y - down) - 0.035
        picture = over(picture, "#f7d9a4", 0.5 * smooth(0.008, 0.0, np.abs(ring)))
    picture = over(picture, "#0b2328", plate.filled(_reeds(plate)))
    return plate.finished(picture + 0.015 * paper[..., None], 0.01, 0.3)


def _bird(plate: Plate, picture: Colours) -> Colours:
    """The bird, from behind to the front: legs, body, plumes and neck, feathers, head."""
    x, y = plate.x, plate.y
    shapes, rng = outlines_of("heron"), plate.rng(10)
    around = directed(np.linspace(0, 2 * np.pi, 30))
    for (hip, knee, foot), shade in zip(shapes["legs"], ("#2c2a30", "#40373a"), strict=True):
        thigh = spline([hip, (0.5 * (hip[0] + knee[0]) + 0.01, 0.5 * (hip[1] + knee[1])), knee], 8)
        shin = ribbon(np.array([knee, foot]), 0.036)
        leg = [ribbon(thigh, np.linspace(0.11, 0.036, len(thigh))), shin, knee + 0.027 * around]
        picture = over(picture, shade, plate.filled(leg))
    back = ramp(y - 0.5 * x, (-0.2, "#8ea3b5"), (0.25, "#4a5f78"), (0.6, "#1e2b40"))
    picture = over(picture, back, plate.filled([spline(shapes["body"], 8)]))
    for k in (4, 2, 0, 3, 1):
        root = np.array([0.11 - 0.04 * k, -0.04 + 0.03 * k])
        plume = feather(root, 1.45 + 0.1 * k, 0.36 - 0.02 * k, 0.035)
        picture = over(picture, "#e8ebe8" if k % 2 else "#a9b6c2", plate.filled([plume]))
    neck = spline(shapes["neck"], 10)
    wide = np.interp(
        np.linspace(0, 1, len(neck)), (0, 0.12, 0.35, 0.6, 0.85), (0.1, 0.105, 0.1, 0.14, 0.22)
    )
    white = ramp(y + 0.9 * x, (-0.9, "#f8f6ee"), (-0.3, "#e3e7e6"), (0.1, "#aebbc6"))
    picture = over(picture, white, plate.filled([ribbon(neck, wide)]))
    # From the tail to the shoulder: each row covers the roots of the one behind.
    for share in np.linspace(1, 0, 7):
        upper = np.array([-0.42 * share, -0.1 + 0.38 * share])
        lower = np.array([0.07 - 0.31 * share, 0.12 + 0.26 * share])
        for number in range(5):
            root = upper + (lower - upper) * number / 4
            quill = feather(root, 2.42 - 0.025 * number, 0.19 + 0.1 * share, 0.05)
            tone = 0.75 * share + 0.06 * number + 0.12 * rng.random()
            slate = ramp(
                tone, (0.0, "#a9bccb"), (0.4, "#6b84a0"), (0.75, "#384c6b"), (1, "#141c30")
            )
            picture = over(picture, 0.6 * slate, plate.filled([quill]))
            picture = over(picture, slate, plate.filled([0.95 * (quill - root) + root]))
    cap = spline(shapes["cap"], 10)
    crest = ribbon(
        cap, np.interp(np.linspace(0, 1, len(cap)), (0, 0.2, 0.5, 1), (0.02, 0.05, 0.045, 0.006))
    )
    for shade, part in (("#f9d548", np.array(shapes["bill"])), ("#f8f5ec", spline(shapes["head"], 8)), ("#141b2e", crest),
                        ("#f3b93c", _EYE + 0.021 * around), ("#10131c", _EYE + 0.011 * around)):  # fmt: skip
        picture = over(picture, shade, plate.filled([part]))
    return picture


def _reeds(plate: Plate) -> list[Floats]:
    """Blades that rise and bend in both lower corners."""
    rng, blades = plate.rng(8), []
    for side in np.repeat((-1, 1), 9):
        foot = np.array([side * rng.uniform(0.62, 1.05), 1.4])
        tall, lean = rng.uniform(0.7, 1.9), side * rng.uniform(-0.25, 0.1)
        path = spline([foot, foot + (0.3 * lean, -0.55 * tall), foot + (lean, -tall)], 14)
        blades.append(ribbon(path, np.linspace(0.045, 0.006, len(path))))
    return blades
