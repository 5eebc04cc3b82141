"""Ways to draw one scene and its gradients: artgen's backends and what one would use instead."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from artgen import Canvas, Params, Splat
from artgen.base.process import is_webgpu
from artgen.errors import UsageError
from artgen.families.splat.tiles import Extent
from artgen.raster import EAGER, choose_backend, paint
from benchmarks._measure import timed
from benchmarks._scenes import Scene
from benchmarks.handwritten import (
    GAUSSIAN,
    HEIGHT,
    SUPERELLIPSE,
    WIDTH,
    list_by_hand,
    paint_by_hand,
)

__all__ = [
    "CONTENDERS",
    "Compiled",
    "CompiledTorch",
    "Contender",
    "Dense",
    "Eager",
    "Handwritten",
    "Published",
    "Unavailable",
    "draw_tiles",
    "padded_tiles",
]

HANDWRITTEN = {"Gaussian": GAUSSIAN, "Superellipse": SUPERELLIPSE}


class Unavailable(Exception):
    """This contender cannot draw this scene; the message says why."""


class Contender:
    """Draws the sum of a scene's splats on black. The constructor may raise Unavailable."""

    name = ""
    on_webgpu = False
    """Whether it can draw on WebGPU, where torch has no tensors."""

    def __init__(self, scene: Scene) -> None:
        if is_webgpu(scene.place) and not self.on_webgpu:
            raise Unavailable("it is for devices of torch")
        self.scene, self.leaves = scene, list(scene.tensors.values())

    def picture(self) -> Tensor:
        """[3, height, width]."""
        raise NotImplementedError

    def gradients(self) -> list[Tensor]:
        """Forward and backward: the gradients of all tensors of the scene."""
        return list(torch.autograd.grad(self.picture(), self.leaves, self.scene.incoming))

    def forward(self) -> Tensor:
        """The picture alone."""
        with torch.no_grad():
            return self.picture()


class Compiled(Contender):
    """artgen's generated kernels."""

    name = "compiled"
    on_webgpu = True

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        try:
            self.backend = choose_backend(scene.splat, scene.place, asked="compiled")
        except UsageError as error:
            raise Unavailable(error.message) from error

    def picture(self) -> Tensor:
        scene = self.scene
        return paint(scene.splat, scene.tensors, scene.canvas, backend=self.backend)


class Eager(Compiled):
    """artgen's reference: torch, tile by tile."""

    name = "eager"
    on_webgpu = False

    def __init__(self, scene: Scene) -> None:
        Contender.__init__(self, scene)
        self.backend = EAGER


class Handwritten(Contender):
    """numba kernels written by hand."""

    name = "numba by hand"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        footprint = type(scene.splat).__name__
        if scene.device.type != "cpu":
            raise Unavailable("it is for CPUs")
        if footprint not in HANDWRITTEN:
            raise Unavailable("nobody wrote one")
        self.kernels = HANDWRITTEN[footprint]
        self.gradients()  # compiles them, or finds them in numba's cache

    def picture(self) -> Tensor:
        return paint_by_hand(self.kernels, self.scene.splat, self.scene.tensors, self.scene.canvas)


class CompiledTorch(Contender):
    """torch.compile of a batch of tiles, all padded to the longest one's number of splats."""

    name = "torch.compile, tiles"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        torch.compiler.reset()  # it gives up on functions that it compiled for many scenes
        self.draw = torch.compile(partial(draw_tiles, scene.splat, scene.canvas), dynamic=False)
        try:
            self.gradients()
            self.forward()
        except Exception as error:  # whatever a compiler may throw is a reason
            reason = str(error).strip().partition("\n")[0]
            raise Unavailable(f"{type(error).__name__}: {reason}") from error

    def picture(self) -> Tensor:
        return self.draw(self.scene.tensors, *padded_tiles(self.scene))


def padded_tiles(scene: Scene) -> tuple[Tensor, Tensor]:
    """For every tile the numbers of its splats [T, K] and their frames, NaN behind the last."""
    extent = scene.extent()
    xy = scene.tensors["xy"].detach().cpu().t().contiguous().numpy()
    on_cpu = Extent(*(axis.cpu() for axis in extent))
    _, offset, splat, _ = list_by_hand(xy, on_cpu, scene.canvas)
    lengths = np.diff(offset)[:, None]
    place = np.arange(max(1, lengths.max()))
    index = np.append(splat, 0)[np.where(place < lengths, offset[:-1, None] + place, len(splat))]
    index = torch.from_numpy(index.astype(np.int64)).to(scene.device)
    listed = torch.from_numpy(place < lengths).to(scene.device)
    return index, extent.frame[:, index].where(listed, torch.nan)


def draw_tiles(
    splat: Splat, canvas: Canvas, tensors: dict[str, Tensor], index: Tensor, frame: Tensor
) -> Tensor:
    """The picture from padded tiles [T, K] of 8 × 32 pixels."""
    columns, rows = -(-canvas.width // WIDTH), -(-canvas.height // HEIGHT)
    tile = torch.arange(columns * rows, device=index.device)[:, None]
    shorter = min(canvas.width, canvas.height)
    # One axis for all pixels of a tile: the compiler makes vector instructions of long axes only.
    pixel = torch.arange(WIDTH * HEIGHT, device=index.device)
    column, row = tile % columns * WIDTH + pixel % WIDTH, tile // columns * HEIGHT + pixel // WIDTH
    x = ((2 * column + 1 - canvas.width) / shorter)[:, None, :]
    y = ((2 * row + 1 - canvas.height) / shorter)[:, None, :]
    p = Params({name: tensor[..., index][..., None] for name, tensor in tensors.items()})
    dx, dy = x - p.xy[0], y - p.xy[1]
    weight = torch.where(_inside(frame[..., None], dx, dy), splat.footprint(dx, dy, p), 0.0)
    pixels = torch.bmm(p.colour[..., 0].transpose(0, 1), weight)
    grid = pixels.reshape(rows, columns, 3, HEIGHT, WIDTH).permute(2, 0, 3, 1, 4)
    image = grid.reshape(3, rows * HEIGHT, columns * WIDTH)
    return image[:, : canvas.height, : canvas.width]


class Dense(Contender):
    """Plain torch, every splat at every pixel, in chunks of the size that is fastest here."""

    name = "dense torch"
    SIZES = tuple(2**k for k in range(14, 21, 2))
    """Evaluations per chunk that are tried."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        x, y = centres(scene)
        self.x, self.y = x.repeat(len(y)), y.repeat_interleave(len(x))
        self.incoming, self.frame = scene.incoming.flatten(1), scene.extent().frame[..., None]
        # Each size draws as many pixels as the largest chunk has.
        trial = range(min(len(self.x), max(1, self.SIZES[-1] // scene.count)))
        self.chunk = min(
            (max(1, size // scene.count) for size in self.SIZES),
            key=lambda chunk: timed(lambda: self._gradients(trial, chunk)),
        )

    def picture(self) -> Tensor:
        canvas, pixels = self.scene.canvas, range(len(self.x))
        chunks = [self._draw(some) for some in _chunks(pixels, self.chunk)]
        return torch.cat(chunks, dim=1).reshape(3, canvas.height, canvas.width)

    def gradients(self) -> list[Tensor]:
        return self._gradients(range(len(self.x)), self.chunk)

    def _gradients(self, pixels: range, chunk: int) -> list[Tensor]:
        total = [torch.zeros_like(leaf) for leaf in self.leaves]
        for some in _chunks(pixels, chunk):
            parts = torch.autograd.grad(self._draw(some), self.leaves, self.incoming[:, some])
            for sum_, part in zip(total, parts, strict=True):
                sum_ += part
        return total

    def _draw(self, pixels: slice) -> Tensor:
        tensors = self.scene.tensors
        p = Params({name: tensor[..., None] for name, tensor in tensors.items()})
        dx, dy = self.x[pixels] - p.xy[0], self.y[pixels] - p.xy[1]
        inside = _inside(self.frame, dx, dy)
        weight = torch.where(inside, self.scene.splat.footprint(dx, dy, p), 0.0)
        return tensors["colour"] @ weight


class Published(Contender):
    """A petal as it was published: every harmonic of every splat at every pixel, all at once."""

    name = "as published"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        if type(scene.splat).__name__ != "Fourier":
            raise Unavailable("this footprint was not")
        x, y = centres(scene)
        self.x, self.y = x.repeat(len(y)), y.repeat_interleave(len(x))

    def picture(self) -> Tensor:
        p = Params({name: tensor[..., None] for name, tensor in self.scene.tensors.items()})
        dx, dy = self.x - p.xy[0], self.y - p.xy[1]
        c, s = torch.cos(p.angle), torch.sin(p.angle)
        u, v = (c * dx + s * dy) / p.scale[0], (c * dy - s * dx) / p.scale[1]
        r, phi = torch.sqrt(u * u + v * v), torch.atan2(v, u)
        m = torch.arange(1, len(p.sine) + 1, device=self.x.device)[:, None, None]
        waves = (p.sine * torch.sin(m * phi) + p.cosine * torch.cos(m * phi)).sum(0)
        weight = torch.tanh(p.sharpness * (1 + 0.1 * waves - r / p.radius)).clamp_min(0)
        picture = self.scene.tensors["colour"] @ (weight * weight)
        return picture.reshape(3, self.scene.canvas.height, self.scene.canvas.width)


def centres(scene: Scene) -> list[Tensor]:
    """The pixel centres of columns and of rows, on the device of the scene."""
    return [torch.from_numpy(each).to(scene.device) for each in scene.canvas.pixel_centres()]


def _inside(frame: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    u, v = frame[0] * dx + frame[1] * dy, frame[2] * dx + frame[3] * dy
    return u * u + v * v <= 1


def _chunks(pixels: range, chunk: int) -> list[slice]:
    return [slice(k, min(k + chunk, pixels.stop)) for k in range(0, pixels.stop, chunk)]


CONTENDERS: tuple[Callable[[Scene], Contender], ...] = (
    Compiled,
    Handwritten,
    CompiledTorch,
    Eager,
    Dense,
    Published,
)
