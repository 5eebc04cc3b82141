"""The compiled backend on a CPU: generated numba kernels over tiles of 8 × 32 pixels.

Tiles run in parallel, each sequentially; gradients are summed per pair of tile and splat and then
per splat in the order of the pairs. So the bits are the same for any number of threads.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba as nb
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.canvas import Canvas
from artgen.primitives import Params, Splat
from artgen.raster.emit import Source, emit
from artgen.raster.trace import Program, trace

__all__ = ["Kernels", "accumulate", "compile_footprint"]

WIDTH, HEIGHT = 8, 32
"""A tile is as wide as a vector and tall enough to be worth its overhead."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Kernels:
    """The compiled functions of one footprint and the layout of their arrays."""

    source: Source
    module: Any
    channels: int


class Footprint:
    """A traced footprint; kernels are compiled per number of channels when first needed."""

    def __init__(self, splat: Splat) -> None:
        self.program: Program = trace(splat)
        self.far = float(splat.far)
        self._kernels: dict[int, Kernels] = {}
        self.kernels(3)

    def kernels(self, channels: int) -> Kernels:
        """The kernels for so many feature channels. Raises Untraceable."""
        if channels not in self._kernels:
            source = emit(self.program, self.far, channels, WIDTH, HEIGHT)
            self._kernels[channels] = Kernels(source, _load(source.text), channels)
        return self._kernels[channels]


def compile_footprint(splat: Splat) -> Footprint:
    """Trace the footprint of `splat`. Raises Untraceable with the reason."""
    return Footprint(splat)


def accumulate(
    footprint: Footprint,
    splat: Splat,
    tensors: dict[str, Tensor],
    features: Tensor,
    canvas: Canvas,
) -> Tensor:
    """∑ᵢ (wᵢ(x) − far)·featuresᵢ inside the radius, float32 [C, height, width].

    The same as `eager.accumulate`; `features` is [C, N]. Differentiable in `tensors` and
    `features`.
    """
    kernels = footprint.kernels(features.shape[0])
    count = features.shape[1]
    with torch.no_grad():
        radius = splat.radius(Params(tensors)).detach().expand(count)
    columns = []
    for name in kernels.source.columns:
        parameter, *index = name.split(".")
        tensor = tensors[parameter]
        columns.append(tensor[tuple(int(i) for i in index)] if index else tensor)
    image: Tensor = _Accumulate.apply(  # type: ignore[no-untyped-call]
        torch.stack(columns, dim=1), features.t(), radius.contiguous(), kernels, canvas
    )
    return image


class _Accumulate(torch.autograd.Function):
    """The kernels as one differentiable operation of [N, D] parameters and [N, C] features."""

    @staticmethod
    def forward(
        ctx: Any,
        parameters: Tensor,
        features: Tensor,
        radius: Tensor,
        kernels: Kernels,
        canvas: Canvas,
    ) -> Tensor:
        nb.set_num_threads(min(torch.get_num_threads(), nb.config.NUMBA_NUM_THREADS))
        grid = _grid(canvas)
        packed = parameters.detach().contiguous().numpy()
        first = kernels.source.columns.index("xy.0")
        centres = np.ascontiguousarray(packed[:, first : first + 2])
        uniforms = np.empty((len(packed), kernels.source.uniforms), np.float32)
        kernels.module.prepare(packed, uniforms)
        offset, splat = grid.bin(centres, radius.numpy())
        out = np.empty((grid.tiles, kernels.channels * WIDTH * HEIGHT), np.float32)
        scene = (
            centres,
            radius.numpy(),
            uniforms,
            features.detach().contiguous().numpy(),
            grid.x,
            grid.y,
            offset,
            splat,
            np.float32(canvas.pixel),
        )
        kernels.module.forward(*scene, out)
        ctx.scene, ctx.packed, ctx.kernels, ctx.grid = scene, packed, kernels, grid
        return grid.assemble(out, kernels.channels)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        kernels, grid, scene = ctx.kernels, ctx.grid, ctx.scene
        splat, count = scene[7], len(ctx.packed)
        sums = kernels.source.leaves + kernels.channels
        pairs = np.empty((len(splat), sums), np.float32)
        kernels.module.backward(*scene, grid.disassemble(grad_outputs[0]), pairs)
        totals = np.zeros((count, sums), np.float32)
        _scatter(splat, pairs, totals)
        gradient = np.empty_like(ctx.packed)
        kernels.module.finish(ctx.packed, totals, gradient)
        features = np.ascontiguousarray(totals[:, kernels.source.leaves :])
        return torch.from_numpy(gradient), torch.from_numpy(features), None, None, None


class _Grid:
    """The tiles of a canvas: pixel centres per tile column and row, and their assembly."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self.columns, self.rows = -(-canvas.width // WIDTH), -(-canvas.height // HEIGHT)
        self.tiles = self.columns * self.rows
        padded = Canvas(canvas.width, canvas.height)
        shorter = min(padded.width, padded.height)
        column = np.arange(self.columns * WIDTH, dtype=np.float64)
        row = np.arange(self.rows * HEIGHT, dtype=np.float64)
        x = (2 * column + 1 - canvas.width) / shorter
        y = (2 * row + 1 - canvas.height) / shorter
        self.x = x.astype(np.float32).reshape(self.columns, WIDTH)
        self.y = y.astype(np.float32).reshape(self.rows, HEIGHT)

    def bin(self, centres: Floats, radius: Floats) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """For every tile, where its splats start, and the splats, both in order."""
        shorter = min(self.canvas.width, self.canvas.height)
        return _bin(  # type: ignore[no-any-return]
            centres,
            radius,
            shorter / 2,
            self.canvas.width / 2,
            self.canvas.height / 2,
            self.columns,
            self.rows,
        )

    def assemble(self, tiles: Floats, channels: int) -> Tensor:
        """[tiles, C·pixels] to [C, height, width]."""
        grid = torch.from_numpy(tiles).reshape(self.rows, self.columns, channels, HEIGHT, WIDTH)
        image = grid.permute(2, 0, 3, 1, 4).reshape(
            channels, self.rows * HEIGHT, self.columns * WIDTH
        )
        return image[:, : self.canvas.height, : self.canvas.width]

    def disassemble(self, image: Tensor) -> Floats:
        """[C, height, width] to [tiles, C·pixels], zero outside the canvas."""
        channels = image.shape[0]
        extra = (
            0,
            self.columns * WIDTH - self.canvas.width,
            0,
            self.rows * HEIGHT - self.canvas.height,
        )
        padded = torch.nn.functional.pad(image, extra) if any(extra) else image
        grid = padded.reshape(channels, self.rows, HEIGHT, self.columns, WIDTH)
        return grid.permute(1, 3, 0, 2, 4).contiguous().reshape(self.tiles, -1).numpy()


@functools.lru_cache(maxsize=8)
def _grid(canvas: Canvas) -> _Grid:
    return _Grid(canvas)


@nb.njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _bin(centres, radius, scale, half_width, half_height, columns, rows):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Count, then fill: the tiles that each splat's circle touches."""
    count = len(radius)
    box = np.empty((count, 4), np.int32)
    size = np.zeros(columns * rows + 1, np.int64)
    for fill in range(2):
        if fill:
            offset = np.cumsum(size)
            place = offset[:-1].copy()
            splat = np.empty(offset[-1], np.int32)
        for i in range(count):
            x = centres[i, 0] * scale + half_width
            y = centres[i, 1] * scale + half_height
            r = radius[i] * scale
            if not (r >= 0 and np.isfinite(x) and np.isfinite(y)):
                continue
            r = min(r, 1e9)
            if not fill:
                box[i, 0] = min(max(math_floor((x - r) / WIDTH), 0), columns)
                box[i, 1] = min(max(math_floor((x + r) / WIDTH), -1), columns - 1)
                box[i, 2] = min(max(math_floor((y - r) / HEIGHT), 0), rows)
                box[i, 3] = min(max(math_floor((y + r) / HEIGHT), -1), rows - 1)
            reach = r * r * (1 + 1e-6) + 1e-6
            for row in range(box[i, 2], box[i, 3] + 1):
                dy = y - min(max(y, row * HEIGHT), (row + 1) * HEIGHT)
                for column in range(box[i, 0], box[i, 1] + 1):
                    dx = x - min(max(x, column * WIDTH), (column + 1) * WIDTH)
                    if dx * dx + dy * dy <= reach:
                        tile = row * columns + column
                        if fill:
                            splat[place[tile]] = i
                            place[tile] += 1
                        else:
                            size[tile + 1] += 1
    return offset, splat


@nb.njit(inline="always")  # type: ignore[untyped-decorator]
def math_floor(x):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, D103
    return np.int64(np.floor(x))


@nb.njit(cache=True)  # type: ignore[untyped-decorator]
def _scatter(splat, pairs, totals):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Sum what the pairs of each splat contribute, in the order of the pairs."""
    for j in range(len(splat)):
        i = splat[j]
        for k in range(pairs.shape[1]):
            totals[i, k] += pairs[j, k]


def cache_folder() -> Path:
    """Where generated kernels are kept, private to the user; a temporary folder if need be."""
    import platformdirs

    asked = os.environ.get("ARTGEN_CACHE")
    folder = Path(asked) if asked else Path(platformdirs.user_cache_dir("artgen"))
    try:
        folder = folder / "kernels"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError
    except OSError:
        return _temporary_folder()
    return folder


@functools.cache
def _temporary_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="artgen-kernels-"))


def _load(text: str) -> Any:
    """Write the source under its hash and import it, so that numba's cache finds it again."""
    mathematics = Path(__file__).with_name("vector_math.py").read_bytes()
    key = hashlib.sha256(text.encode() + mathematics + nb.__version__.encode()).hexdigest()[:24]
    name = f"artgen_kernels_{key}"
    if name in sys.modules:
        return sys.modules[name]
    path = cache_folder() / f"{name}.py"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        temporary = path.with_name(f".{name}.{os.getpid()}.part")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
