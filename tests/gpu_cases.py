"""What the kernels of every kind of GPU must draw, against plain torch.

A test file has a fixture `gpu`, and derives its own classes from those here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from footprints import Constant, Odd, OddFar, Shaded, Sheet

from artgen import Canvas
from artgen.init import Context
from artgen.raster import Backend, paint
from artgen_plugins.fourier import Fourier
from artgen_plugins.gaussian import Gaussian
from artgen_plugins.stamp import Stamp
from artgen_plugins.stroke import Stroke

BACKGROUND = (0.2, 0.4, 0.9)


def scene(splat, canvas, count=10, seed=0):
    rng = torch.Generator().manual_seed(seed)
    tensors = splat.initial(Context(rng, canvas, count))
    noise = {name: 0.1 * torch.randn(t.shape, generator=rng) for name, t in tensors.items()}
    return {name: tensor + noise[name].abs() for name, tensor in tensors.items()}


class Gpu(NamedTuple):
    """Where tensors are, what compiles a footprint, and how many splats are many there."""

    place: str
    footprint: Callable[..., Any]
    many: int

    def backend(self, splat):
        return Backend("compiled", footprint=self.footprint(splat))

    def scene(self, splat, canvas, count=10):
        return {name: t.to(self.place) for name, t in scene(splat, canvas, count).items()}

    def agree(self, splat, tensors, canvas, **more):
        """The picture to 1e-5, gradients to 1e-4 of their largest: ten times closer than promised."""
        given = splat, tensors, canvas
        image, gradients = picture_and_gradients(*given, backend=self.backend(splat), **more)
        expected, expected_gradients = picture_and_gradients(*given, **more)
        size = max(1.0, float(expected.abs().max()))
        torch.testing.assert_close(image, expected, atol=1e-5 * size, rtol=0)
        for name, gradient in expected_gradients.items():
            allowed = 1e-4 * float(gradient.abs().max()) + 1e-6 if gradient.numel() else 0
            torch.testing.assert_close(
                gradients[name], gradient.expand_as(gradients[name]), atol=allowed, rtol=0, msg=name
            )
        return image, gradients


def picture_and_gradients(splat, tensors, canvas, **more):
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in tensors.items()}
    image = paint(splat, leaves, canvas, background=BACKGROUND, **more)
    incoming = torch.linspace(-1, 1, image.numel(), device=image.device).reshape(image.shape)
    gradients = torch.autograd.grad(image, list(leaves.values()), incoming, allow_unused=True)
    named = zip(leaves, gradients, strict=True)
    return image.detach(), {name: image.new_zeros(1) if g is None else g for name, g in named}


def base(gpu):
    return torch.tensor(BACKGROUND, device=gpu.place)[:, None, None]


every_kind = pytest.mark.parametrize("blend", ["sum", "over"])


class Cases:
    @pytest.mark.parametrize("blend", ["sum", "mean", "normalized", "depth", "over"])
    def test_every_blend(self, gpu, blend):
        splat, canvas = Gaussian({"blend": blend}), Canvas(18, 17)
        gpu.agree(splat, gpu.scene(splat, canvas), canvas, softness=0.5 * (blend == "over"))

    @every_kind
    @pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 40), (70, 3), (16, 16), (33, 32)])
    def test_canvases_of_any_size(self, gpu, width, height, blend):
        splat, canvas = Gaussian({"blend": blend}), Canvas(width, height)
        gpu.agree(splat, gpu.scene(splat, canvas, count=6), canvas)

    @every_kind
    def test_one_splat_and_none(self, gpu, blend):
        splat, canvas = Gaussian({"blend": blend}), Canvas(33, 17)
        one = gpu.scene(splat, canvas, count=1)
        gpu.agree(splat, one, canvas)
        none = {name: tensor[..., :0] for name, tensor in one.items()}
        image, gradients = picture_and_gradients(splat, none, canvas, backend=gpu.backend(splat))
        assert gradients["scale"].shape == (2, 0)
        torch.testing.assert_close(image, base(gpu).expand(3, 17, 33))

    def test_tiles_without_splats_show_the_background(self, gpu):
        splat, canvas = Gaussian(), Canvas(64, 48)
        tensors = gpu.scene(splat, canvas, count=2)
        tensors["xy"] = torch.tensor([[-1.2, -1.1], [-0.9, -0.8]], device=gpu.place)
        tensors["scale"] = torch.full((2, 2), 0.03, device=gpu.place)
        image, _ = gpu.agree(splat, tensors, canvas)
        assert (image[:, 16:] == base(gpu)).all()
        assert (image[:, :16, :16] != base(gpu)).any()

    @every_kind
    def test_splats_that_cannot_be_drawn_leave_the_rest_alone(self, gpu, blend):
        splat, canvas = Gaussian({"blend": blend}), Canvas(37, 21)
        tensors = gpu.scene(splat, canvas)
        good = {name: tensor[..., 6:] for name, tensor in tensors.items()}
        tensors["xy"][0, 0] = torch.nan
        tensors["xy"][1, 1] = torch.inf
        tensors["scale"][0, 2] = torch.nan
        tensors["scale"][:, 3] = -1.0
        tensors["xy"][:, 4] = 1e30
        tensors["xy"][:, 5] = -7.0
        image, gradients = gpu.agree(splat, tensors, canvas)
        alone, _ = picture_and_gradients(splat, good, canvas)
        torch.testing.assert_close(image, alone)
        # The order of depth has no gradient.
        for name, gradient in gradients.items():
            assert gradient[..., :6].eq(0).all()
            assert name == "z" or gradient[..., 6:].ne(0).any()


class MoreCases:
    """Those that take more than a moment in an interpreter."""

    @pytest.mark.parametrize(
        "splat",
        [
            Gaussian(),
            Gaussian({"scale": "inverse", "blend": "depth"}),
            Fourier({"harmonics": 3}),
            Fourier({"harmonics": 2, "form": "text", "blend": "mean"}),
            Odd(),
            OddFar(),
            Constant(),
            Sheet({"blend": "mean"}),
            Stroke(),
            Stroke({"blend": "over"}),
            Odd({"blend": "over"}),
            Shaded({"blend": "over"}),
            Shaded({"blend": "depth"}),
            Stamp({"stamp": "leaf,dab"}),
            Stamp({"stamp": "leaf,flower", "colours": "own"}),
            Stamp({"blend": "sum"}),
        ],
        ids=lambda splat: f"{type(splat).__name__}-{splat.blend}",
    )
    def test_pictures_and_gradients_are_those_of_plain_torch(self, gpu, splat):
        canvas = Canvas(37, 21)
        # Stamps are looked up number by number, which takes an interpreter seconds.
        count = 4 if isinstance(splat, Stamp) else 10
        image, gradients = gpu.agree(splat, gpu.scene(splat, canvas, count), canvas)
        assert image.std() > 0.01
        assert gradients["colour"].abs().min() > 0

    def test_small_and_large_splats_together(self, gpu):
        splat, canvas = Gaussian(), Canvas(150, 70)
        tensors = gpu.scene(splat, canvas, count=8)
        shape = torch.tensor([[1.0], [0.7]], device=gpu.place)
        tensors["scale"] = torch.logspace(-2, 0, 8, device=gpu.place) * shape
        gpu.agree(splat, tensors, canvas)

    def test_behind_what_hides_everything_nothing_is_drawn(self, gpu):
        splat, canvas, many = Gaussian({"blend": "over"}), Canvas(20, 18), gpu.many
        tensors = gpu.scene(splat, canvas, count=many)
        tensors["scale"] = torch.tensor([[0.8], [0.5]], device=gpu.place).repeat(1, many)
        tensors["opacity"] = torch.full((many,), 0.9, device=gpu.place)
        tensors["z"] = torch.linspace(1, 3, many, device=gpu.place)
        _, gradients = gpu.agree(splat, tensors, canvas)
        assert not gradients["colour"][:, 100:].any()
