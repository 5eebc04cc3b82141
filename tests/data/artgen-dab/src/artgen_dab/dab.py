"""The ten lines that a plugin needs."""

from math import pi

import torch

from artgen import Param, Splat, init, pixels


class Dab(Splat):
    """Anisotropic 2-D Gaussian."""

    blend = "sum"
    far = 0.0
    params = {
        "scale": Param(2, init=init.from_spacing(0.5), min=pixels(1 / 3), lr=0.02, map="exp"),
        "angle": Param(init=init.uniform(0, pi), lr=0.02),
    }

    def footprint(self, dx, dy, p):
        c, s = torch.cos(p.angle), torch.sin(p.angle)
        u, v = (c * dx + s * dy) / p.scale[0], (c * dy - s * dx) / p.scale[1]
        return torch.exp(-0.5 * (u * u + v * v))

    def radius(self, p):
        return 3.6 * p.scale.amax(0)
