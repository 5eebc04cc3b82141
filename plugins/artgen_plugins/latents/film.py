"""A picture that becomes sharp: its grids one after the other, from the coarsest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from artgen import Drawing, Primitive
from artgen.animation import Form, Shot, eased
from artgen.errors import UsageError
from artgen_plugins.latents import Latents

HOLD = 0.25
"""The share of the time in which the whole picture rests."""


def _check(primitive: Primitive, drawing: Drawing) -> None:
    if not isinstance(primitive, Latents):
        raise UsageError(
            f"{drawing.primitive} has no grids of several resolutions",
            hint="use -p latents, or another --film",
        )


def _levels(shot: Shot) -> Callable[[float], NDArray[np.uint8]]:
    drawing, latents = shot.art.drawing, shot.art.primitive()
    assert isinstance(latents, Latents)
    shown: list[NDArray[Any]] = []
    for fewest in reversed(range(len(latents.levels))):
        finer = {f"grid{level}" for level in range(fewest)}
        tensors = {k: torch.zeros_like(v) if k in finer else v for k, v in drawing.tensors.items()}
        shown.append(shot.view.show(replace(drawing, tensors=tensors)).astype(np.float32))

    def frame(share: float) -> NDArray[np.uint8]:
        place = min(share / (1 - HOLD), 1.0) * (len(shown) - 1)
        before = min(int(place), max(0, len(shown) - 2))
        way = place - before if len(shown) > 1 else 0.0
        after = min(before + 1, len(shown) - 1)
        mixed = shown[before] + float(eased(way)) * (shown[after] - shown[before])
        return np.asarray(np.rint(mixed).astype(np.uint8))

    return frame


LEVELS = Form(_levels, check=_check)
