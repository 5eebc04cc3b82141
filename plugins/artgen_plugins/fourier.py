"""Fourier splats: petals whose outline is a Fourier series in the angle φ around their centre.

Two published forms, with s the sharpness, R the radius and r the distance from the centre in a
rotated and scaled frame:

- ``text``: tanh(s·(R·∑ₘ(aₘ sin mφ + bₘ cos mφ) − r)), which is −1 far away;
- ``notebook``: max(0, tanh(s·(1 + 0.1·∑ₘ(aₘ sin mφ + bₘ cos mφ) − r/R))), squared where `squared`.

The text has s = 1; the notebook s = 16, 8 harmonics, and weighs colours by the square. Both keep s
as it is. In the text's form another s is only another unit: s·R and r/s say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi
from typing import Any, Literal

import torch
from torch import Tensor

from artgen import Param, Params, Preset, Splat, init, option, pixels, rates
from artgen.init import Context
from artgen.primitives import Map
from artgen_plugins._presets import read_presets

WOBBLE = 0.1
"""Shift of the outline for a weight of 1 in the notebook's form, relative to the radius."""


def _through(map: Map, std: float = 1.0) -> dict[str, Any]:
    """Settings of a parameter that starts as `map` of standard normal numbers."""

    def start(context: Context, shape: tuple[int, ...]) -> Tensor:
        return map(std * context.randn(*shape))

    return {"map": map, "init": start, "min": None, "max": None}


def _published(colour: dict[str, Any], lr: float) -> dict[str, dict[str, Any]]:
    """The notebook's parametrisation; its unit square is our canvas from -1 to 1."""
    return {
        "xy": {**_through(Map("sigmoid", 6.0, -3.0)), "lr": lr},
        "colour": {**colour, "lr": lr},
        "scale": {**_through(Map("sigmoid", 4.0)), "lr": lr},
        "radius": {**_through(Map("sigmoid", 2.0), std=3.0), "lr": lr},
        "angle": {**_through(Map("identity", pi)), "lr": lr},
        "sine": {"init": 0.0, "lr": lr},
        "cosine": {"init": 0.0, "lr": lr},
    }


_PARAMS = {
    "splats-v1": _published({"map": Map("tanh"), "init": 0.0}, lr=0.01),
    "splats-v2": {
        **_published(_through(Map("sigmoid")), lr=0.005),
        "z": {**_through(Map("sigmoid", 8.0)), "lr": 0.005},
    },
}


class Fourier(Splat):
    """Petals with a Fourier-series outline and colours that may be negative."""

    @dataclass(frozen=True)
    class Options:
        """Options of `fourier`."""

        form: Literal["notebook", "text"] = option("notebook", "which published formula to use")
        harmonics: int = option(8, "terms of the series, each a sine and a cosine", low=1, high=64)
        sharpness: float = option(
            5.0, "steepness of the edge, the initial one if learned", low=0.1, high=64
        )
        learn_sharpness: bool | None = option(
            None, "whether every petal learns its sharpness; by default with form=notebook only"
        )
        squared: bool = option(True, "weight colours by the square (form=notebook only)")
        blend: Literal["sum", "mean", "normalized", "depth"] = option(
            "sum", "how weights become a picture"
        )

    # Petals are large, so new ones are placed by errors of a wider neighbourhood than other splats.
    defaults = Preset(count=256, stage={"steps": 1000, "blur": 0.25})
    presets = read_presets("fourier", _PARAMS)

    @property
    def far(self) -> float:
        """-1 for the text's form, whose tanh stays at -1; 0 for the notebook's."""
        return -1.0 if self.options.form == "text" else 0.0

    @property
    def params(self) -> Mapping[str, Param]:
        """Two scales, a radius, a rotation, the series and the sharpness of every petal."""
        n = self.options.harmonics
        steepness = self.options.sharpness
        learned = self.options.learn_sharpness
        if learned is None:
            learned = self.options.form == "notebook"
        rate = 0.06 if learned else 0.0
        params = {
            "scale": Param(2, init=init.from_spacing(1.0), min=pixels(1 / 3), lr=0.06, map="exp"),
            "radius": Param(init=1.0, min=0.05, max=20.0, lr=0.06, map="exp"),
            "angle": Param(init=init.uniform(0, pi), lr=0.06, period=2 * pi),
            "sine": Param(n, init=init.normal(0.1), lr=0.1),
            "cosine": Param(n, init=init.normal(0.1), lr=0.1),
            "sharpness": Param(init=steepness, min=0.05, max=64.0, lr=rate, map="exp"),
        }
        if self.options.form == "text":
            # Every splat reaches everywhere with -1, so colours start small.
            slow = rates.per_count(0.05) if self.options.blend == "mean" else 0.05
            params["colour"] = Param(3, init=init.at_target_colour(0.0), lr=slow)
        return params

    def footprint(self, dx: Tensor, dy: Tensor, p: Params) -> Tensor:
        """The chosen form at the offset (dx, dy); sin mφ and cos mφ by recurrence."""
        c, s = torch.cos(p.angle), torch.sin(p.angle)
        u, v = (c * dx + s * dy) / p.scale[0], (c * dy - s * dx) / p.scale[1]
        # The small term keeps the direction defined at the centre itself.
        r = torch.sqrt(u * u + v * v + 1e-12)
        cosine = cosine_m = u / r
        sine = sine_m = v / r
        series = p.sine[0] * sine_m + p.cosine[0] * cosine_m
        for m in range(1, self.options.harmonics):
            sine_m, cosine_m = (
                sine_m * cosine + cosine_m * sine,
                cosine_m * cosine - sine_m * sine,
            )
            series = series + p.sine[m] * sine_m + p.cosine[m] * cosine_m
        if self.options.form == "text":
            return torch.tanh(p.sharpness * (p.radius * series - r))
        f = torch.relu(torch.tanh(p.sharpness * (1 + WOBBLE * series - r / p.radius)))
        return f * f if self.options.squared else f

    def ellipse(self, p: Params) -> tuple[Tensor, Tensor, Tensor]:
        """The outline's farthest possible point and, for the text's form, its soft edge."""
        amplitude = torch.sqrt(p.sine * p.sine + p.cosine * p.cosine).sum(0)
        if self.options.form == "text":
            # 1 + tanh(-x) = 1e-3 at x = 3.8.
            outline = p.radius * amplitude + 3.8 / p.sharpness
        else:
            outline = p.radius * (1 + WOBBLE * amplitude)
        return p.scale[0] * outline, p.scale[1] * outline, p.angle
