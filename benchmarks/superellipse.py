"""A footprint that is not shipped, as a user would write it: nobody tuned the compiler for it.

A superellipse |u|ⁿ + |v|ⁿ in a rotated, scaled frame, whose edge waves with the sine of the angle:
twelve numbers per splat, with transcendental functions in every pixel.
"""

from __future__ import annotations

from math import pi

import torch

from artgen import Param, Splat, init, pixels

WAVES = 5
EPSILON = 1e-6


class Superellipse(Splat):
    """w = sigmoid(h·(1 + a·sin(5φ + θ) − (|u|ⁿ + |v|ⁿ)^(1/n))), with (u, v) the offset's frame."""

    params = {  # noqa: RUF012
        "scale": Param(2, init=init.from_spacing(0.6), min=pixels(1 / 3), lr=0.05, map="exp"),
        "angle": Param(init=init.uniform(0, pi), lr=0.05),
        "exponent": Param(init=init.uniform(1.5, 4.0), min=1.0, max=8.0, lr=0.05, map="exp"),
        "wave": Param(init=init.normal(0.1), min=-0.5, max=0.5, lr=0.05),
        "phase": Param(init=init.uniform(0, 2 * pi), lr=0.05),
        "sharpness": Param(init=init.constant(8.0), min=2.0, max=32.0, lr=0.05, map="exp"),
    }

    def footprint(self, dx, dy, p):
        c, s = torch.cos(p.angle), torch.sin(p.angle)
        u, v = (c * dx + s * dy) / p.scale[0], (c * dy - s * dx) / p.scale[1]
        # The small terms keep the gradient finite at the centre and on the axes.
        wave = p.wave * torch.sin(WAVES * torch.atan2(v, u + EPSILON) + p.phase)
        powers = (u.abs() + EPSILON) ** p.exponent + (v.abs() + EPSILON) ** p.exponent
        return torch.sigmoid(p.sharpness * (1 + wave - powers ** (1 / p.exponent)))

    def ellipse(self, p):
        # sigmoid(-7) = 1e-3; the corners of a squarish superellipse stick out by up to √2.
        corner = 2 ** (0.5 - 1 / p.exponent).clamp_min(0)
        reach = corner * (1 + p.wave.abs() + 7 / p.sharpness)
        return p.scale[0] * reach, p.scale[1] * reach, p.angle
