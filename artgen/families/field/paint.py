"""Paint fields, and evaluate them anywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from artgen.base.faults import broken
from artgen.compiler.threads import R, T, share_torch
from artgen.families.field.contract import Field
from artgen.primitives import Params
from artgen.raster.backend import Memory
from artgen.raster.painting import evaluate, paint
from artgen.values.canvas import Canvas

FIELD_PIECE = 8192
"""The positions at which a thread evaluates a field at a time, on a CPU.

Few enough that what its layers hand on stays in the processor's cache.
"""


@evaluate.register(Field)
def evaluate_field(
    field: Field, tensors: Mapping[str, Tensor], positions: Tensor, memory: Memory | None = None
) -> Tensor:
    """Evaluate the field at `positions`, some at a time."""
    pieces = torch.split(positions, _at_once(tensors, memory or Memory()))
    params = Params(tensors)
    return torch.cat([field.at(piece, params) for piece in pieces]).t()[:, None]


@paint.register(Field)
def paint_field(
    field: Field,
    tensors: Mapping[str, Tensor],
    canvas: Canvas,
    *,
    memory: Memory | None = None,
    **_: object,
) -> Tensor:
    """Evaluate the field at the centres of all pixels, differentiably."""
    first = next(iter(tensors.values()))
    x, y = (torch.from_numpy(centres).to(first) for centres in canvas.pixel_centres())
    on_cpu, at_once = first.device.type == "cpu", _at_once(tensors, memory or Memory())
    rows = max(1, (min(FIELD_PIECE, at_once) if on_cpu else at_once) // canvas.width)
    params = Params(tensors)

    def paint_strip(top: int) -> Tensor:
        some = y[top : top + rows]
        grid = torch.stack(
            [x.expand(len(some), -1), some[:, None].expand(-1, canvas.width)], dim=-1
        )
        positions = grid.reshape(-1, field.inputs)
        colours = field.at(positions, params).float()
        if colours.dim() != 2 or len(colours) != len(positions):
            cls = type(field)
            problem = f"gave a tensor of shape {list(colours.shape)} for {len(positions)} positions"
            hint = "return a row of values for each position"
            raise broken(f"forward of primitive {cls.__name__}", cls.forward, problem, hint)
        return colours.reshape(len(some), canvas.width, -1).permute(2, 0, 1)

    strips = share_pieces(first.device, paint_strip, range(0, canvas.height, rows))
    return torch.cat(strips, dim=1)


def share_pieces(device: torch.device, work: Callable[[T], R], pieces: Sequence[T]) -> list[R]:
    """Return the results of the work for all pieces: on a CPU, threads take them in turn."""
    return share_torch(work, pieces) if device.type == "cpu" else [*map(work, pieces)]


def _at_once(tensors: Mapping[str, Tensor], memory: Memory) -> int:
    """How many positions a field may be evaluated at, at a time."""
    # A table has more rows than any layer has neurons.
    widest = min(1024, max(max(tensor.shape, default=1) for tensor in tensors.values()))
    # Few positions leave a GPU idle.
    factor = 16 if next(iter(tensors.values())).device.type == "cpu" else 256
    return max(1, factor * memory.evaluations // max(16, widest))
