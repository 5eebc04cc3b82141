"""Precision: how parameters are stored, as fp32, fp16, int8 with a range per row, or `auto`.

`auto` stores what there is: `artgen.art.rounding` has rounded it to whole numbers of steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from artgen.art.numbers import pack_numbers
from artgen.art.rounding import Tensors, rounded_alike
from artgen.film.scenes import Film, Scene
from artgen.recipe import Precision
from artgen.values.drawing import Drawing

if TYPE_CHECKING:
    import torch

_RANGE = ".range"


def quantised(drawing: Drawing, precision: Precision, *like: Drawing) -> Drawing:
    """The drawing as it will be after saving with `precision` and loading again.

    With `auto` it is rounded as the drawings that it is `like`, if there are any.
    """
    return replace(drawing, tensors=_rounded(drawing.tensors, precision, like))


def quantised_film(film: Film, precision: Precision, *like: Drawing) -> Film:
    """The film as it will be after saving with `precision` and loading again: see `quantised`."""
    scenes = (replace(s, tensors=_rounded(s.tensors, precision, like)) for s in film.scenes)
    return replace(film, scenes=tuple(scenes))


def _rounded(tensors: Tensors, precision: Precision, like: Sequence[Drawing]) -> Tensors:
    if precision == "auto" and like:
        return rounded_alike(tensors, [each.tensors for each in like])
    return decode(encode(tensors, precision), precision)


def saved_bytes(drawing: Drawing | Scene, precision: Precision) -> int:
    """The size of the parameters at `precision`, in bytes, ranges of int8 rows included."""
    if precision == "auto":
        return len(pack_numbers(encode(drawing.tensors, precision)))
    return bytes_of_shapes((tensor.shape for tensor in drawing.tensors.values()), precision)


def bytes_of_shapes(shapes: Iterable[Sequence[int]], precision: Precision) -> int:
    """What `saved_bytes` says of a drawing with parameters of these shapes; of `auto`, a limit."""
    value = {"fp16": 2, "int8": 1}.get(precision, 4)
    # The least and the largest value of a row, float32.
    row = 8 if precision == "int8" else 0
    return sum(value * math.prod(shape) + row * math.prod(shape[:-1]) for shape in shapes)


def encode(tensors: Tensors, precision: Precision) -> dict[str, torch.Tensor]:
    """float16, or one byte per value between the least and the largest of its row."""
    import torch

    if precision in ("fp32", "auto"):
        return {name: tensor.float().contiguous() for name, tensor in tensors.items()}
    if precision == "fp16":
        largest = torch.finfo(torch.float16).max
        return {
            name: tensor.clamp(-largest, largest).half().contiguous()
            for name, tensor in tensors.items()
        }
    encoded = {}
    for name, tensor in tensors.items():
        rows = _rows(tensor).double()
        # A stack of shapes may be empty.
        some = rows if tensor.numel() else rows.new_zeros(len(rows), 1)
        low, high = some.amin(1, keepdim=True), some.amax(1, keepdim=True)
        step = (high - low).clamp_min(1e-30) / 255
        encoded[name] = ((rows - low) / step).round().to(torch.uint8).reshape(tensor.shape)
        encoded[name + _RANGE] = torch.cat([low, high], 1).float()
    return encoded


def decode(tensors: Tensors, precision: Precision) -> dict[str, torch.Tensor]:
    """The opposite of `encode`, float32. Raises ValueError where these are not its tensors."""
    import torch

    stored = {"fp16": torch.float16, "int8": torch.uint8}.get(precision, torch.float32)
    decoded = {}
    for name, tensor in tensors.items():
        if precision == "int8" and name.endswith(_RANGE):
            continue
        if tensor.dtype != stored:
            raise ValueError(f"{name} holds {tensor.dtype}, which is not {precision}")
        if precision != "int8":
            decoded[name] = tensor.float()
            continue
        rows, ends = _rows(tensor), tensors.get(name + _RANGE)
        if ends is None or ends.shape != (len(rows), 2):
            raise ValueError(f"{name} does not have one range per row")
        low, high = ends[:, :1].float(), ends[:, 1:].float()
        # Exact at both ends, so that saving what was loaded gives the same bytes.
        decoded[name] = torch.lerp(low, high, rows.float() / 255).reshape(tensor.shape)
    return decoded


def _rows(tensor: torch.Tensor) -> torch.Tensor:
    """[rows, values]: what shares a range in int8, a component of all parts."""
    return tensor.flatten(0, -2) if tensor.dim() > 1 else tensor.reshape(1, tensor.numel())
