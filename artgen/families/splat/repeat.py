"""Splats and their images under a group: copies whose footprints look at the plane turned back.

The parts of a drawing are those of one cell. What is drawn are `images` of them, splats of a class
that is derived from theirs, with the parameter `turn`: the matrix from an offset on the picture to
one of the footprint. So any footprint can be copied, and its kernels are generated as ever.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from artgen.base.errors import UsageError
from artgen.families.splat.contract import Splat
from artgen.families.splat.tiles import find_extent
from artgen.primitives import Param, Params
from artgen.primitives.texture import Sprites
from artgen.values.drawing import Drawing

LARGEST = 8.0
"""Splats reach at most so far into other repeats, in canvas units."""


def images(
    splat: Splat, tensors: Mapping[str, Tensor], reach: tuple[float, float]
) -> tuple[Splat, dict[str, Tensor]]:
    """The splats that are drawn on a canvas of that reach: all images that touch it.

    Those of one part follow one another. Differentiable in the tensors; gradients of images are
    added up in order.
    """
    group = splat.group
    if group is None:
        return splat, dict(tensors)
    _check(splat)
    group = group.fitted(reach)
    xy = tensors["xy"]
    motions = torch.from_numpy(group.motions).to(xy)
    places = torch.einsum("kij,jn->ink", motions[:, :, :2], xy) + motions[:, :, 2].T[:, None]
    radius = find_extent(splat, tensors).radius.clamp(0, LARGEST).nan_to_num(0.0)
    with torch.no_grad():
        size = xy.new_tensor([each or np.inf for each in group.repeat])[:, None, None]
        whole = xy.new_tensor(group.repeat)[:, None, None] * (places / size).round()
        shifts = torch.from_numpy(group.shifts(reach, float(radius.max()) if len(radius) else 0.0))
        moves = shifts.to(xy).T[:, None, None] - whole[..., None]
        far = xy.new_tensor(reach)[:, None, None, None] + radius[:, None, None]
        near = ((places[..., None] + moves).abs() <= far).all(0)
        part, motion, shift = near.nonzero(as_tuple=True)
        counts = near.flatten(1).sum(1)
        # An isometry, but for a repeat that is rounded to pixels.
        turns = torch.linalg.inv(motions[:, :, :2]).reshape(-1, 4).T[:, motion]
        moved = motions[motion, :, 2].T + moves[:, part, motion, shift]
    copied = {name: _copied(each, part, counts) for name, each in tensors.items() if name != "xy"}
    linear, centre = motions[motion, :, :2], _copied(xy, part, counts)
    copied["xy"] = torch.einsum("mij,jm->im", linear, centre) + moved
    return drawn_class(splat), {**copied, "image_turn": turns}


def drawn_parts(splat: Splat, drawing: Drawing) -> tuple[Splat, Drawing]:
    """The drawing of all images of the parts on its canvas."""
    found, tensors = images(splat, drawing.tensors, drawing.canvas.reach)
    return found, drawing if splat.group is None else replace(drawing, tensors=tensors)


def drawn_class(splat: Splat) -> Splat:
    """The splat whose kernels draw: that of the images, where there are some."""
    if splat.group is None:
        return splat
    # A class is hashable; mypy looks at the method of its instances.
    cls = _image_class(type(splat))  # type: ignore[arg-type]
    return cls(splat.option_values())


@functools.cache
def _image_class(cls: type[Splat]) -> type[Splat]:
    """The class of the images of splats of `cls`, which have no group themselves."""

    def back(dx: Tensor, dy: Tensor, p: Params) -> tuple[Tensor, Tensor]:
        turn = p.image_turn
        return turn[0] * dx + turn[1] * dy, turn[2] * dx + turn[3] * dy

    def forth(splat: Splat, p: Params, points: Tensor) -> Tensor:
        """Vectors [2, ..., N] of the footprint on the picture."""
        a, b, c, d = p.image_turn
        x, y = points
        found: Tensor = torch.stack([d * x - b * y, a * y - c * x]) / (a * d - b * c)
        return found

    def footprint(self: Splat, dx: Tensor, dy: Tensor, p: Params) -> Tensor:
        return cls.footprint(self, *back(dx, dy, p), p)

    def colours(self: Splat, dx: Tensor, dy: Tensor, p: Params) -> Any:
        return cls.colours(self, *back(dx, dy, p), p)

    def ellipse(self: Splat, p: Params) -> tuple[Tensor, Tensor, Tensor]:
        along, across, angle = cls.ellipse(self, p)
        x, y = forth(self, p, torch.stack([torch.cos(angle), torch.sin(angle)]))
        return 1.01 * along, 1.01 * across, torch.atan2(y, x)

    def spine(self: Splat, p: Params) -> Tensor | None:
        points = cls.spine(self, p)
        return None if points is None else forth(self, p, points.transpose(0, 1)).transpose(0, 1)

    def sprites(self: Splat, p: Params) -> Sprites | None:
        found = cls.sprites(self, p)
        return None if found is None else replace(found, axes=forth(self, p, found.axes))

    def declared_params(self: Splat) -> dict[str, Param]:
        same = lambda context, shape: torch.eye(2).reshape(4, 1).expand(shape).clone()  # noqa: E731
        return {**cls.declared_params(self), "image_turn": Param(4, init=same, lr=0.0)}

    body: dict[str, object] = {"footprint": footprint, "ellipse": ellipse, "group": None}
    body |= {"declared_params": declared_params, "__module__": cls.__module__}
    body |= {"colours": colours} if cls.colours is not Splat.colours else {}
    body |= {"sprites": sprites} if cls.sprites is not Splat.sprites else {}
    body |= {"spine": spine} if cls.spine is not Splat.spine else {}
    return type(cls.__name__, (cls,), body)


def _check(splat: Splat) -> None:
    """Raise UsageError for splats of which the images cannot be drawn."""
    if splat.options.visibility == "buffer":
        raise UsageError("visibility=buffer goes with no symmetry", hint="use visibility=full")
    if splat.far:
        raise UsageError(
            f"{type(splat).__name__} has no end, so it cannot be repeated",
            hint="use another preset, or -p gaussian",
        )


class _Copied(torch.autograd.Function):
    """Each column of [..., N] as often as `counts` says; `part` is that of each copy.

    Gradients of copies are added up one after the other, whatever the threads.
    """

    @staticmethod
    def forward(context: Any, values: Tensor, part: Tensor, counts: Tensor) -> Tensor:
        context.save_for_backward(counts)
        return values[..., part]

    @staticmethod
    def backward(context: Any, incoming: Tensor) -> tuple[Tensor, None, None]:
        (counts,) = context.saved_tensors
        rows = incoming.reshape(-1, incoming.shape[-1]).T.contiguous()
        total = torch.segment_reduce(rows, "sum", lengths=counts, unsafe=True)
        return total.T.reshape(*incoming.shape[:-1], len(counts)), None, None


_copied: Callable[..., Tensor] = _Copied.apply
