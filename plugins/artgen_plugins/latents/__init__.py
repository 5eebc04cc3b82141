"""A picture in a few kilobytes: grids of whole numbers, and tiny networks made for it alone.

Latents of several resolutions are upsampled, mixed and coloured by a network of a few hundred
multiplications per pixel. Another one predicts each latent from those before it, and the bits that
this leaves are part of the loss. All of it is in the file: nothing is learned from other pictures.
(Ladune and others: COOL-CHIC, ICCV 2023. Kim and others: C3, CVPR 2024.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen import Canvas, Param, Preset, Primitive, init, option
from artgen.errors import UsageError
from artgen.init import Context
from artgen_plugins.latents.layout import (
    FEATURES,
    INPUTS,
    LARGEST,
    WIDEST,
    Level,
    levels_of,
    weight_shapes,
)

RATE = 1e-2
"""The learning rate of most weights; latents have steps of 1, and another one."""

CUBIC = (-0.0703125, 0.8671875, 0.2265625, -0.0234375)
"""The taps of Catmull and Rom's cubic a quarter of a pixel beside one."""

LEAST_BYTES = 800
"""What the two networks alone may take."""

MOST_PIXELS = 1 << 26
"""The most pixels of a picture: a fit holds some hundred bytes for each."""


class Latents(Primitive):
    """Pyramids of whole numbers, a network that colours them, and one that predicts them."""

    @dataclass(frozen=True)
    class Options:
        """Options of `latents`."""

        rate: float = option(
            0.5, "bits per pixel of what is stored of the picture", low=0.01, high=8
        )
        psnr: float | None = option(
            None, "dB for as few bits as that takes, in place of a rate", low=5, high=60
        )
        levels: int = option(7, "resolutions, each half as fine as the one before", low=1, high=12)
        width: int | None = option(None, "latents across: those of the target", low=1, high=65536)
        height: int | None = option(None, "latents down: those of the target", low=1, high=65536)

    family: ClassVar[str] = "picture codec"
    answers: ClassVar[str | None] = __package__
    has_count: ClassVar[bool] = False
    precisions: ClassVar[tuple[Literal["fp32", "auto"], ...]] = ("fp32", "auto")
    always_compiled: ClassVar[bool] = True
    psnr_option: ClassVar[str | None] = "psnr"
    keeps_trajectory: ClassVar[bool] = False
    defaults = Preset(stage={"steps": 2000})
    presets: ClassVar[Mapping[str, Preset]] = {
        "tiny": Preset(options={"rate": 0.1}),
        "fine": Preset(options={"rate": 1.0}, stage={"steps": 4000}),
    }

    def take_options(self) -> None:
        """Refuse more latents than a computer holds, also those that a file asks for."""
        width, height = self.options.width or 1, self.options.height or 1
        if width * height > MOST_PIXELS:
            raise UsageError(
                f"latents of {width}x{height} pixels are too many, at most {MOST_PIXELS:,}",
                hint="use a smaller --size",
            )

    def resolve_options(self, canvas: Canvas) -> None:
        """Set the size of the finest grid. Raises UsageError for one that is not the target's."""
        size = canvas.width, canvas.height
        if (self.options.width or size[0], self.options.height or size[1]) != size:
            raise UsageError(
                f"the finest latents are pixels of the target, which has {size[0]}x{size[1]}",
                hint="leave out width and height; --size changes both",
            )
        self.options = replace(self.options, width=size[0], height=size[1])
        self.take_options()
        vars(self).pop("levels", None)

    def options_within(self, limit: int) -> Mapping[str, Any] | None:
        """The rate that fills a number of bytes."""
        lowest, pixels = 0.01, self.levels[0].height * self.levels[0].width
        if 8 * limit < max(lowest * pixels, 8 * LEAST_BYTES):
            raise UsageError(
                f"{max(0, limit)} bytes are too few for latents of {pixels:,} pixels",
                hint="allow more bytes, use --precision auto, which has a shorter header, "
                "or a smaller --size",
            )
        return {"rate": min(8.0, round(8 * limit / pixels, 6))}

    @cached_property
    def levels(self) -> list[Level]:
        """The grids, from the finest."""
        options = self.options
        return levels_of(options.width or 1, options.height or 1, options.levels)

    @property
    def params(self) -> Mapping[str, Param]:
        """Weights as `weight_shapes` says, and `grid0` [channels, h, w] and so on."""
        shapes = weight_shapes(len(self.levels))
        params = {name: self._weight(name, shape) for name, shape in shapes.items()}
        for level, shape in reversed([*enumerate(self.levels)]):
            params[f"grid{level}"] = Param(
                *shape, init=self._warm, lr=0.1, min=-LARGEST, max=LARGEST
            )
        return params

    def _weight(self, name: str, shape: tuple[int, ...]) -> Param:
        """A weight: latents begin as a pyramid of the picture, so only two networks are random."""
        kind = name.rstrip("0123456789")
        start, factor = {
            "seen": (init.normal(1 / math.sqrt(INPUTS)), 2.0),
            "level": (_alike, 2.0),
            "scale": (init.normal(0.1), 2.0),
            "spread": (init.constant(-1.0), 4.0),
            "mean": (init.constant(0.0), 1.0),
            "centre": (init.constant(0.0), 1.0),
            "colour": (_axes, 1.0),
            "ground": (_ground, 0.3),
            "unit": (init.normal(math.sqrt(2 / FEATURES)), 1.0),
            "threshold": (init.normal(0.1), 1.0),
            "bend": (init.constant(0.0), 1.0),
            "taps": (_taps, 0.5),
            "mix": (self._steps, 1.0),
        }[kind]
        rate = RATE * factor * (0.2 * 20 / 255 if kind == "mix" else 1)
        return Param(*shape, init=start, lr=rate, min=-WIDEST, max=WIDEST)

    def _steps(self, context: Context, shape: tuple[int, ...]) -> Tensor:
        """What a latent of 1 means: of coarse levels less, as each of their latents is seen more.

        The first three features are the axes of colour, the others anything.
        """
        known = context.values.get("mix0")
        step = self._first_step(context) if known is None else float(known[0, 0])
        level = sum(name.startswith("mix") for name in context.values)
        step = max(step / 2**level, 1 / 255)
        mixed: Tensor = 0.3 * step * context.randn(*shape)
        mixed[:3] = step * torch.eye(3)[:, : shape[1]]
        return mixed

    def _first_step(self, context: Context) -> float:
        """The step of the finest grid at which a picture takes about as many bits as asked for."""
        if context.target is None:
            return 20 / 255
        if self.options.psnr is not None:
            return math.sqrt(STEP * 10 ** (-self.options.psnr / 10))
        bands = pyramid(context, self.levels)
        low, high = 0.5 / 255, 1.0
        for _ in range(20):
            step, bits = math.sqrt(low * high), 0.0
            for level, band in enumerate(bands):
                values = torch.from_numpy(band) / max(step / 2**level, 1 / 255)
                bits += BITS * float(torch.log2(1 + values.square()).sum())
            low, high = (step, high) if bits > self.options.rate * bands[0].size else (low, step)
        return math.sqrt(low * high)

    def _warm(self, context: Context, shape: tuple[int, ...]) -> Tensor:
        """The bands of the picture's Laplacian pyramid (Burt and Adelson 1983) in steps."""
        if context.target is None:
            return torch.zeros(shape)
        level = self.levels.index(Level(*shape))
        band = torch.from_numpy(pyramid(context, self.levels)[level])
        step: Tensor = context.values[f"mix{level}"][0, 0]
        return band / step


STEP = 3.0
"""The square of the step of the finest grid, in mean squared errors."""

BITS = 1.8
"""Bits of a latent x, in units of log2(1 + x²): found by fits of photographs."""


def pyramid(context: Context, levels: list[Level]) -> list[NDArray[np.float32]]:
    """What each grid adds to those above it, float32 [channels, h, w], in axes of colour."""
    from artgen_plugins.latents.kernels import upsample

    assert context.target is not None
    axes, ground = context.values["colour"][:, :3], context.values["ground"]
    parts = torch.einsum("ik,ihw->khw", axes, context.target - ground[:, None, None])
    bands = []
    for level, (channels, height, width) in enumerate(levels):
        here = np.ascontiguousarray(parts.numpy(), np.float32)
        if level + 1 < len(levels):
            odd = (0, width % 2, 0, height % 2)
            even = torch.nn.functional.pad(parts[None], odd, mode="replicate")
            parts = torch.nn.functional.avg_pool2d(even, 2)[0]
            above = np.zeros_like(here)
            upsample(parts.numpy(), np.array(CUBIC, np.float32), above)
            here = here - above
        bands.append(here[:channels])
    return bands


def _alike(context: Context, shape: tuple[int, ...]) -> Tensor:
    return (0.3 * context.randn(shape[1])).expand(shape).clone()


def _taps(context: Context, shape: tuple[int, ...]) -> Tensor:
    return torch.tensor(CUBIC)


def _ground(context: Context, shape: tuple[int, ...]) -> Tensor:
    return torch.full(shape, 0.5) if context.target is None else context.target.mean((1, 2))


def _axes(context: Context, shape: tuple[int, ...]) -> Tensor:
    """The principal axes of the picture's colours, from that along which they differ most."""
    axes = torch.zeros(shape)
    if context.target is None:
        axes[:, :3] = torch.eye(3)
        return axes
    # With a little more along the grey axis, so that pictures of one colour have axes too.
    spread = torch.cov(context.target.flatten(1).double(), correction=0) + 1e-7
    found = torch.linalg.eigh(spread).eigenvectors.flip(1)
    # The sign of an axis is arbitrary.
    axes[:, :3] = found * torch.where(found.sum(0) < 0, -1.0, 1.0)
    return axes
