"""Ink: marks of a few inks on paper, placed by an algorithm of their own.

A mark is a stroke from one point to another with a radius at each end; a dot is a stroke without
length. Marks of one ink cover their union. Inks are multiplied, as prints are, or cover one
another. A plugin says where the marks go::

    class Grid(Ink):
        \"\"\"A dot in the middle of every square.\"\"\"

        def place(self, sheet):
            x, y, pitch = sheet.grid()
            return dots(x, y, pitch / 2 * sheet.at(0, x, y) ** 0.5)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.base.errors import UsageError
from artgen.base.faults import broken
from artgen.init import Context
from artgen.ink import InkOptions, Marks, Sheet
from artgen.primitives.edges import colours_of
from artgen.primitives.params import Param
from artgen.primitives.primitive import Primitive, SymmetryOptions
from artgen.values.canvas import Canvas

Floats: TypeAlias = NDArray[np.float64]

MOST_INKS = 16


class Ink(Primitive):
    """N marks, each with `strokes` (see `Marks`) and the index of its `ink`.

    A plugin defines `place`. Where its options are more than those of `InkOptions`, `Options` is a
    subclass of `InkOptions`. `cap` is how strokes end: `round`, or `butt`, straight across; a butt
    stroke as long as wide is a square dot.
    """

    family: ClassVar[str] = "ink"
    answers: ClassVar[str | None] = __package__
    required: ClassVar[tuple[str, ...]] = ("place",)
    engines: ClassVar[tuple[str, ...]] = ("place",)
    common_options: ClassVar[type[Any] | None] = SymmetryOptions
    Options: ClassVar[type[Any]] = InkOptions
    keeps_trajectory: ClassVar[bool] = False
    separation: ClassVar[Literal["mixed", "nearest", "tone"]] = "mixed"
    """How a target becomes amounts: a mixture of inks, at each pixel the nearest ink alone, or its
    luma, of which inks darker than the paper take the dark share, and others the light one."""

    def take_options(self) -> None:
        """Read the inks. Raises UsageError where they are too many or no colours."""
        count = self.options.inks.count(",") + 1
        if count > MOST_INKS:
            raise UsageError(f"there are at most {MOST_INKS} inks, got {count}")
        self.inks: Floats = colours_of(self.options.inks)
        """The colours of the inks, float64 [inks, 3], sRGB-encoded."""

    @property
    def palettes(self) -> bool:
        """Always: the colours of the palette are the inks."""
        return True

    @classmethod
    def alpha_options(cls, solid: bool) -> Mapping[str, Any]:
        """Inks that cover each other, of pictures in a palette: printed ones give more colours."""
        return {"overprint": False} if solid else {}

    def take_palette(self, colours: Sequence[str]) -> None:
        """Use these colours as inks. Raises UsageError if they are too many."""
        self.options = replace(self.options, inks=",".join(colours))
        self.take_options()

    @property
    def cap(self) -> Literal["round", "butt"]:
        """The ends of strokes. A plugin sets it or computes it."""
        return "round"

    def place(self, sheet: Sheet) -> Marks:
        """Return at most ``sheet.count`` marks, in the order in which a film shows them."""
        raise NotImplementedError

    def placed(self, sheet: Sheet) -> Marks:
        """Place the marks. Raises PluginError where `place` gives what cannot be drawn."""
        marks, problem = self.place(sheet), ""
        if not isinstance(marks, Marks):
            problem = f"gave {type(marks).__name__}, not Marks"
        elif (np.shape(marks.strokes)[1:], np.shape(marks.ink)) != ((6,), (len(marks),)):
            found = np.shape(marks.strokes), np.shape(marks.ink)
            problem = f"gave strokes and ink of the shapes {found[0]} and {found[1]}"
        elif not np.isfinite(marks.strokes).all():
            problem = "gave NaN or infinite numbers"
        elif len(marks) > sheet.count:
            problem = f"gave {len(marks)} marks, more than {sheet.count}"
        if problem:
            hint = "return artgen.ink.dots(...), polyline(...) or joined([...])"
            what = type(self)
            raise broken(f"place of {what.__name__}", what.place, problem, hint)
        return marks

    def settled(self, cover: NDArray[np.float32], canvas: Canvas) -> NDArray[np.float32]:
        """Return how much of each ink the paper holds, of what marks cover: [inks, height, width].

        A plugin may smudge inks or show the grain of the paper, alike at any size of the canvas.
        """
        return cover

    def clear_margin(self, amounts: Floats) -> None:
        """Set the amounts of the inks, [inks, height, width], to 0 in the margin."""
        _, height, width = amounts.shape
        # What repeats has no border.
        wide = 0 if self.group else round(self.options.margin * min(height, width))
        amounts[:, :wide], amounts[:, height - wide :] = 0, 0
        amounts[:, :, :wide], amounts[:, :, width - wide :] = 0, 0

    def repeated(self, marks: Marks, canvas: Canvas) -> Marks:
        """Return the marks of one cell and their images where a group repeats them, else all."""
        if self.group is None:
            return marks
        ends = marks.strokes[:, :4].reshape(-1, 2, 2)
        part, matrices, offsets = self.group.repeated(ends.mean(1), canvas.reach)
        moved = np.einsum("mij,mkj->mki", matrices, ends[part]) + offsets[:, None]
        strokes = np.concatenate([moved.reshape(-1, 4), marks.strokes[part, 4:]], 1)
        return replace(marks, strokes=strokes, ink=marks.ink[part])

    def declared_params(self) -> dict[str, Param]:
        """Return `strokes` and `ink`."""
        return {"strokes": Param(6, init=_anywhere, lr=0.0), "ink": Param(lr=0.0)}

    def unpack(self, tensors: Mapping[str, Tensor]) -> Marks:
        """Return the tensors of a drawing as marks."""
        strokes = tensors["strokes"].detach().cpu().double().numpy().T
        # Indices saved with few bits are only near a whole number.
        ink = np.rint(tensors["ink"].detach().cpu().double().numpy()).astype(np.int64)
        return Marks(np.ascontiguousarray(strokes), ink.clip(0, len(self.inks) - 1))

    def pack(self, marks: Marks) -> dict[str, Tensor]:
        """Return marks as the tensors of a drawing, the opposite of `unpack`."""
        strokes = np.ascontiguousarray(marks.strokes.T, np.float32)
        ink = marks.ink.astype(np.float32)
        return {"strokes": torch.from_numpy(strokes), "ink": torch.from_numpy(ink)}


def _anywhere(context: Context, shape: tuple[int, ...]) -> Tensor:
    """Dots anywhere on the canvas, a tenth of their spacing in radius."""
    reach = torch.tensor(context.canvas.reach)[:, None]
    centres = reach * (2 * context.random(2, shape[-1]) - 1)
    radii = torch.full((2, shape[-1]), 0.1 * context.mean_spacing)
    return torch.cat([centres, centres, radii])
