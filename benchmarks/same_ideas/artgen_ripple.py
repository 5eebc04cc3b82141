"""Ripples: rings that fade outwards."""

import torch

from artgen import Param, Splat, init, pixels


class Ripple(Splat):
    """Rings that fade outwards."""

    params = {  # noqa: RUF012
        "size": Param(init=init.from_spacing(0.6), min=pixels(1 / 3), lr=0.05, map="exp"),
        "rings": Param(init=1.5, lr=0.05),
    }

    def footprint(self, dx, dy, p):
        square = (dx * dx + dy * dy) / (p.size * p.size)
        return torch.exp(-square) * torch.cos(p.rings * torch.sqrt(square + 1e-6))

    def radius(self, p):
        return 2.6 * p.size
