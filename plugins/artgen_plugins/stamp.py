"""Stamps: a picture of one's own, placed, turned and scaled: leaves, brush marks, letters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import pi
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from artgen import Canvas, Param, Params, Preset, Splat, init, option, pixels
from artgen.init import Context
from artgen.primitives import Sprites, Texture
from artgen_plugins._stamps import SIDE, STAMPS, read_stamps

THIN = 1e-6
"""The least alpha by which colours are divided."""


class Stamp(Splat):
    """Copies of one or several stamps, each with a place, a size, an angle and a colour or tint."""

    @dataclass(frozen=True)
    class Options:
        """Options of `stamp`."""

        stamp: str = option("leaf", f"pictures, separated by commas: files, or {', '.join(STAMPS)}")
        colours: Literal["flat", "own"] = option(
            "flat", "flat: a copy has one colour; own: those of its picture, times its tint"
        )
        tint: float = option(
            0.5, "with colours=own, how far tints may be from white", low=0.0, high=1.0
        )
        blend: Literal["over", "sum", "normalized", "depth"] = option(
            "over", "how weights become a picture"
        )

    defaults = Preset(count=400, stage={"steps": 1000})
    known_deviations: ClassVar[Mapping[str, str]] = {
        "resolution": "where pixels are large, a stamp is averaged over them instead of aliasing"
    }

    def __init__(self, options: Mapping[str, Any] | None = None, **more: Any) -> None:
        super().__init__(options, **more)
        self._own = self.options.colours == "own"
        self._stored = pictures = read_stamps(self.options.stamp, self.options.colours)
        alpha = pictures[..., 3:] if self._own else pictures
        # Multiplied by alpha, so that what is transparent has no colour in a blurred sample.
        sampled = np.concatenate([pictures[..., :3] * alpha, alpha], -1) if self._own else pictures
        self._texture = Texture(sampled)
        row, column = np.mgrid[:SIDE, :SIDE] * (2 / SIDE) + (1 / SIDE - 1)
        drawn = alpha.reshape(-1, SIDE, SIDE).max(axis=0) > 0
        self._reach = float(np.hypot(row, column)[drawn].max()) + 2 / SIDE

    def resolve_options(self, canvas: Canvas) -> None:
        """Replace the names of files by their pictures, so that a drawing needs no file."""
        self.options = replace(self.options, stamp=Texture(self._stored).text)

    @property
    def params(self) -> Mapping[str, Param]:
        """Half the side, the rotation in radians and, of several stamps, the number; the tint."""
        size = Param(init=init.from_spacing(1.1), min=pixels(1.5), lr=0.06, map="exp")
        params = {"size": size, "angle": Param(init=init.uniform(0, 2 * pi), lr=0.1, period=2 * pi)}
        if self._texture.count > 1:
            # Which one it is cannot be differentiated: it is chosen once and stays.
            choice = self._nearest if self._own else _lot(self._texture.count)
            params["which"] = Param(init=choice, lr=0.0)
        if self._own:
            least, most = 1 - self.options.tint, 1 + self.options.tint
            params["colour"] = Param(3, init=1.0, min=least, max=most, lr=0.03)
        return params

    def footprint(self, dx: Tensor, dy: Tensor, p: Params) -> Tensor:
        """The stamp's coverage at the offset, rotated and divided by the size."""
        found = self._sample(dx, dy, p)
        return found[3] if self._own else found

    def colours(self, dx: Tensor, dy: Tensor, p: Params) -> tuple[Tensor, Tensor, Tensor] | None:
        """The stamp's own colours at the offset, if they are asked for."""
        if not self._own:
            return None
        red, green, blue, alpha = self._sample(dx, dy, p)
        alpha = alpha.clamp_min(THIN)
        return red / alpha, green / alpha, blue / alpha

    def _sample(self, dx: Tensor, dy: Tensor, p: Params) -> Tensor:
        c, s = torch.cos(p.angle), torch.sin(p.angle)
        u, v = (c * dx + s * dy) / p.size, (c * dy - s * dx) / p.size
        which = p.which if self._texture.count > 1 else 0.0
        return self._texture.sample(u, v, p.pixel / p.size, which)

    def _nearest(self, context: Context, shape: tuple[int, ...]) -> Tensor:
        """Choose for each copy the stamp that can come nearest to the target's colour there."""
        sums = torch.from_numpy(self._texture.pictures).sum(dim=(1, 2))
        means = sums[:, :3] / sums[:, 3:]
        wanted = context.target_colours(3, *shape).T[:, None]
        least, most = 1 - self.options.tint, 1 + self.options.tint
        rest = wanted - wanted.clamp(least * means, most * means)
        gaps = torch.linalg.vector_norm(rest, dim=2)
        # The lot decides among those that are equally good.
        nearest: Tensor = (gaps + 0.1 * context.random(*gaps.shape)).argmin(1)
        return nearest + 0.5

    def radius(self, p: Params) -> Tensor:
        """The farthest pixel of any stamp that is not empty."""
        return self._reach * p.size

    def sprites(self, p: Params) -> Sprites:
        """The stamps as pictures; those with one colour are white."""
        pictures, count = self._stored, self._texture.count
        if not self._own:
            pictures = np.stack([*[np.ones_like(pictures)] * 3, pictures], axis=-1)
        which = p.which.clamp(0, count - 1) if count > 1 else torch.zeros_like(p.size)
        c, s = p.size * torch.cos(p.angle), p.size * torch.sin(p.angle)
        return Sprites(pictures, which, torch.stack([torch.stack([c, -s]), torch.stack([s, c])]))


def _lot(count: int) -> Any:
    def start(context: Context, shape: tuple[int, ...]) -> Tensor:
        return torch.floor(context.random(*shape) * count).clamp_max(count - 1) + 0.5

    return start
