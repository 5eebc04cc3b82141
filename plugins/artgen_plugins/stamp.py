"""Stamps: a picture of one's own, placed, turned and scaled: leaves, brush marks, letters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import pi
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen import (
    Blend,
    Canvas,
    Context,
    InputError,
    Param,
    Params,
    Preset,
    Splat,
    Texture,
    init,
    option,
    pixels,
    read_coverage,
)

SIDE, MOST = 256, 64
"""Pixels along the side of a stamp, and the most stamps."""


class Stamp(Splat):
    """Copies of one or several stamps, each with a place, a size, an angle and a colour."""

    @dataclass(frozen=True)
    class Options:
        """Options of `stamp`."""

        stamp: str = option(
            "leaf", "pictures, separated by commas: files, or leaf or dab; alpha or darkness counts"
        )
        blend: Literal["over", "sum", "normalized", "depth"] = option(
            "over", "how weights become a picture"
        )

    defaults = Preset(count=400, stage={"steps": 1000})
    known_deviations: ClassVar[Mapping[str, str]] = {
        "resolution": "where pixels are large, a stamp is averaged over them instead of aliasing"
    }

    @property
    def blend(self) -> Blend:
        """The option `blend`."""
        chosen: Blend = self.options.blend
        return chosen

    def __init__(self, options: Mapping[str, Any] | None = None, **more: Any) -> None:
        super().__init__(options, **more)
        self._texture = _opened(self.options.stamp)
        row, column = np.mgrid[:SIDE, :SIDE] * (2 / SIDE) + (1 / SIDE - 1)
        drawn = self._texture.pictures.max(axis=0) > 0
        self._reach = float(np.hypot(row, column)[drawn].max()) + 2 / SIDE

    def resolve_options(self, canvas: Canvas) -> None:
        """Replace the names of files by their pictures, so that a drawing needs no file."""
        self.options = replace(self.options, stamp=self._texture.text)

    @property
    def params(self) -> Mapping[str, Param]:
        """Half the side of the stamp, its rotation in radians and, of several, its number."""
        size = Param(init=init.from_spacing(1.1), min=pixels(1.5), lr=0.06, map="exp")
        params = {"size": size, "angle": Param(init=init.uniform(0, 2 * pi), lr=0.1, period=2 * pi)}
        if self._texture.count > 1:
            # Which one it is cannot be differentiated: it is drawn by lot and stays.
            params["which"] = Param(init=_lot(self._texture.count), lr=0.0)
        return params

    def footprint(self, dx: Tensor, dy: Tensor, p: Params) -> Tensor:
        """The stamp's coverage at the offset, rotated and divided by the size."""
        c, s = torch.cos(p.angle), torch.sin(p.angle)
        u, v = (c * dx + s * dy) / p.size, (c * dy - s * dx) / p.size
        which = p.which if self._texture.count > 1 else 0.0
        return self._texture.sample(u, v, p.pixel / p.size, which)

    def radius(self, p: Params) -> Tensor:
        """The farthest pixel of any stamp that is not empty."""
        return self._reach * p.size


def _lot(count: int) -> Any:
    def start(context: Context, shape: tuple[int, ...]) -> Tensor:
        return torch.floor(context.random(*shape) * count).clamp_max(count - 1) + 0.5

    return start


def _opened(text: str) -> Texture:
    """The texture of the option `stamp`. Raises InputError."""
    if Texture.is_text(text):
        return Texture.from_text(text)
    names = [name.strip() for name in text.split(",")]
    if len(names) > MOST:
        raise InputError(f"{len(names)} stamps are more than {MOST}", hint="use fewer pictures")
    own = {"leaf": _leaf, "dab": _dab}
    stamps = [own[name]() if name in own else read_coverage(name, SIDE) for name in names]
    # As coarse as they are stored, so that a drawing that is loaded is the same.
    return Texture(np.rint(255 * np.stack(stamps)) / 255)


def _leaf() -> NDArray[np.float32]:
    """A leaf with its veins, lighter than the rest, and a stalk."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) * (2 / SIDE) + (1 / SIDE - 1)
    x = x - 0.08 * np.sin(2.2 * y)
    along = np.clip((y + 0.95) / 1.6, 0, 1)
    half = 0.54 * np.sin(3.14 * along**0.85).clip(0) ** 1.1 + 0.012 * np.sin(46 * along)
    blade = np.clip((half - np.abs(x)) * SIDE / 2, 0, 1) * (along > 0) * (along < 1)
    side = np.abs((along + 0.42 * np.abs(x)) * 11 % 1 - 0.5)
    veins = np.clip(1 - side / 0.09, 0, 1) * 0.3 + np.clip(1 - np.abs(x) / 0.03, 0, 1) * 0.45
    stalk = np.clip((0.028 - np.abs(x)) * SIDE / 2 + 0.5, 0, 1) * (y > 0.5) * (y < 0.96)
    leaf: NDArray[np.float32] = np.maximum(blade * (1 - np.minimum(veins, 0.45)), stalk)
    return leaf


def _dab() -> NDArray[np.float32]:
    """A short stroke of a dry brush, its bristles uneven."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) * (2 / SIDE) + (1 / SIDE - 1)
    bristles = np.random.default_rng(4).random(34)
    hair = np.interp(np.linspace(0, 33, SIDE), np.arange(34), bristles)[:, None]
    body = np.clip((0.42 - np.abs(y)) * 9, 0, 1) * np.clip(
        (0.66 + 0.6 * (hair - 0.5) - x) * 6, 0, 1
    )
    start = np.clip((x + 0.9 - 0.5 * y * y + 0.2 * (hair - 0.5)) * 9, 0, 1)
    dab: NDArray[np.float32] = body * start * np.clip(1.25 - 0.9 * (x + 1) * (1 - hair), 0.1, 1)
    return dab
