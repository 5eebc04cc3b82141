"""Faces: which are found, what else is taken for one, and what a focus on them gains.

Forty pictures have a face: two photographs of scikit-image, turned, mirrored, small and in gray
too, and faces of the part of LFW that scikit-image brings (25 pixels wide, of many people, without
hair or ground), four times as large in a gray border; with `--data` kodim04 is one of them. Forty
have none: 16 other photographs of scikit-image, and four patterns and 20 drawings of `sample:`. A
hit is a circle whose middle lies less than its radius from that of the face. The gain of a focus is
that of the PSNR inside the circle of the largest face, with the same number of parts, seed and
steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data

import artgen
from artgen.targets import TargetRequest, find_faces
from artgen_plugins.samples import GENERATED, SUBJECTS
from artgen_plugins.samples.opener import open_sample
from benchmarks._report import Table
from benchmarks._settings import Settings

Pixels = NDArray[np.uint8]

EACH, SIDE, LARGER, DRAWN = 40, 25, 4, 160
"""Pictures of each kind; the side of those of LFW, how much larger they are shown, and the
side of what is fitted."""
WITHOUT = (
    *("brick", "cell", "chelsea", "clock", "coffee", "coins", "colorwheel", "grass", "gravel"),
    *("hubble_deep_field", "immunohistochemistry", "moon", "page", "retina", "rocket", "text"),
)
FACED = {"bust", "dancers", "gown", "profile", "sun", "sunhat", "trumpeter"}
"""Drawings that have a face."""
PARTS = {"gaussian": (300, 200), "triangle": (200, 200), "brush": (150, 150)}
"""The primitives whose focus is measured, with counts and steps."""


@dataclass(frozen=True)
class Face:
    """A picture and the middle of its face in pixels; None: it has none."""

    name: str
    picture: Pixels
    middle: tuple[float, float] | None = None


def run(settings: Settings) -> Iterator[Table]:
    """Yield the hits, and the gains of a focus."""
    faces, others = _with_faces(settings), _without_faces()
    if settings.quick:
        faces, others = faces[:2], others[:2]
    yield _found(faces, others)
    yield _gains(settings)


def _lfw() -> NDArray[np.float64]:
    """A hundred faces, then as many patches that are none, and are not shown."""
    patches: NDArray[np.float64] = data.lfw_subset()  # type: ignore[no-untyped-call]
    return patches


def _astronaut() -> Pixels:
    picture: Pixels = data.astronaut()  # type: ignore[no-untyped-call]
    return picture


def _camera() -> Pixels:
    picture: Pixels = data.camera()  # type: ignore[no-untyped-call]
    return np.dstack([picture] * 3)


def _with_faces(settings: Settings) -> list[Face]:
    whole, camera = _astronaut(), _camera()
    found = []
    for name, picture, x, y in (("astronaut", whole, 224, 112), ("camera", camera, 228, 157)):
        high, wide = picture.shape[:2]
        small = np.asarray(Image.fromarray(picture).resize((wide // 2, high // 2)))
        found += [
            Face(name, picture, (x, y)),
            Face(f"{name}, mirrored", picture[:, ::-1].copy(), (wide - x, y)),
            Face(f"{name}, half as large", small, (x / 2, y / 2)),
        ]
    for angle in (-30, -15, 15, 30):
        turn = np.exp(-1j * np.deg2rad(angle))
        middle = complex(224 - 256, 112 - 256) * turn + complex(256, 256)
        turned = np.asarray(Image.fromarray(whole).rotate(angle))
        found.append(Face(f"astronaut, {angle} degrees", turned, (middle.real, middle.imag)))
    gray = np.dstack([np.asarray(Image.fromarray(whole).convert("L"))] * 3)
    found.append(Face("astronaut, gray", gray, (224, 112)))
    if settings.data is not None and (file := settings.data / "kodim04.png").exists():
        found.append(Face("kodim04", np.asarray(Image.open(file).convert("RGB")), (266, 356)))
    patches = _lfw()[:100]
    return found + [_patch(f"LFW {n}", patches[n]) for n in range(EACH - len(found))]


def _without_faces() -> list[Face]:
    found = [Face(name, _rgb(getattr(data, name)())) for name in WITHOUT if hasattr(data, name)]
    for name in (*GENERATED, *SUBJECTS):
        if name not in FACED:
            found.append(Face(name, _sample(name)))
    return found[:EACH]


def _sample(name: str) -> Pixels:
    """A drawn picture of `sample:`, as artgen fits it."""
    target: Any = open_sample(name, TargetRequest(size=480))
    pixels: Pixels = target.pixels
    return pixels


def _rgb(picture: NDArray[Any]) -> Pixels:
    """A picture of scikit-image in three channels of 8 bits."""
    levels = picture if picture.dtype == np.uint8 else np.rint(255.0 * picture).astype(np.uint8)
    return np.dstack([levels] * 3) if levels.ndim == 2 else levels[..., :3]


def _patch(name: str, patch: NDArray[np.float64]) -> Face:
    side = SIDE * LARGER
    large = Image.fromarray(np.rint(patch * 255).astype(np.uint8)).resize((side, side))
    framed = np.pad(np.asarray(large), side // 2, constant_values=128)
    return Face(name, np.dstack([framed] * 3), (side, side))


def _found(faces: list[Face], others: list[Face]) -> Table:
    hits, extra, missed = 0, 0, []
    for face in faces:
        high, wide = face.picture.shape[:2]
        assert face.middle is not None
        circles = find_faces(face.picture)
        near = [
            np.hypot(x * wide - face.middle[0], y * high - face.middle[1]) < r * min(wide, high)
            for x, y, r in circles
        ]
        hits += any(near)
        extra += len(near) - any(near)
        if not any(near):
            missed.append(face.name)
    alarms = [other.name for other in others if find_faces(other.picture)]
    rows = [
        ("with a face", str(len(faces)), str(hits), str(len(faces) - hits), str(extra)),
        ("without a face", str(len(others)), "", "", str(len(alarms))),
    ]
    note = f"Missed: {', '.join(missed) or 'none'}. False alarms: {', '.join(alarms) or 'none'}."
    columns = ("pictures", "number", "hits", "misses", "false alarms")
    return Table("Faces found", columns, rows, note)


def _gains(settings: Settings) -> Table:
    whole_picture = _astronaut()
    resized = Image.fromarray(whole_picture).resize((DRAWN, DRAWN), Image.Resampling.BOX)
    goal = np.asarray(resized).astype(np.float64)
    x, y, radius = (DRAWN * each for each in find_faces(whole_picture)[0])
    across = np.arange(DRAWN) + 0.5
    face = np.hypot(across - x, across[:, None] - y) < radius
    rows = []
    for name, (count, steps) in PARTS.items():
        many = (30, 10) if settings.quick else (count, steps)
        inside, whole = [], []
        for focus in (None, "faces"):
            art = artgen.fit(
                "sample:astronaut",
                name,
                count=many[0],
                steps=many[1],
                seed=1,
                size=DRAWN,
                focus=focus,
            )
            error = ((art.render(DRAWN) - goal) / 255.0) ** 2
            inside.append(-10 * np.log10(error[face].mean()))
            whole.append(-10 * np.log10(error.mean()))
        gain = inside[1] - inside[0]
        rows.append(
            (
                f"{many[0]} x {name}",
                f"{inside[0]:.2f}",
                f"{inside[1]:.2f}",
                f"{gain:+.2f}",
                f"{whole[1] - whole[0]:+.2f}",
            )
        )
    columns = ("parts", "without a focus, dB", "with, dB", "gain, dB", "of the whole picture, dB")
    return Table(f"The face of astronaut, at {DRAWN} pixels", columns, rows)
