"""Views of drawings and their metrics, for every kind of target.

A view shows drawings of one subject at one size, and keeps what all frames of a video share. It
paints a picture, plots a curve, maps the classes of labelled points, or puts pictures of a set
above their reconstructions. Beside the pixels it gives the `outputs` that a loss compares with the
target, and metrics.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any, TypedDict, Unpack, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.base.errors import UsageError, divergence, memory_errors
from artgen.display.flat import draw_flat
from artgen.display.plots import ClassMap, CurvePlot
from artgen.display.sheets import PairSheet
from artgen.losses.metrics import accuracy, decibels, mean_error, psnr, ssim
from artgen.output import to_pixels
from artgen.primitives import Primitive
from artgen.raster import Backend, draw, draw_strips, evaluate, reconstruct
from artgen.targets import parse_colour
from artgen.targets.faces import find_faces
from artgen.targets.large import store_strips
from artgen.values.canvas import Canvas
from artgen.values.drawing import Drawing
from artgen.values.examples import PICTURE_PIECE, Examples, kept_examples
from artgen.values.frame import BACKGROUND, Frame
from artgen.values.subject import Curve, ImageSet, Points, kind_of

_SEEN = 256
"""Long side of the drawing in which the frame of an automatic crop looks for detail."""

Metrics = dict[str, float | None]


class Rendering:
    """A rendered drawing: `pixels`, uint8 [height, width, 3 or 4], and its `outputs`.

    The outputs are the picture as floats [channels, height, width], the values of a field at the
    samples, [outputs, 1, M], or the reconstructed test pictures, [N, channels, height, width]. They
    are computed on first use.
    """

    def __init__(self, pixels: NDArray[np.uint8], outputs: Callable[[], Tensor]) -> None:
        self.pixels, self._compute = pixels, outputs

    @cached_property
    def outputs(self) -> Tensor:
        """The values that a loss compares with the target."""
        return self._compute()


class Shown(TypedDict, total=False):
    """How a view draws, see `draw`, and the pictures of a set on which it evaluates a codec.

    `colours` are the only ones that a picture may have (see `draw_flat`); None: any.
    """

    device: str
    backend: Backend
    supersample: int
    transparent: bool
    test: Examples | None
    colours: Sequence[str] | None


class View:
    """A view of drawings that are pictures. Use `open_view` to make a view."""

    def __init__(
        self, drawing: Drawing, primitive: Primitive, canvas: Canvas, **how: Unpack[Shown]
    ) -> None:
        self.primitive, self.canvas, self.test = primitive, canvas, how.pop("test", None)
        self.colours = how.pop("colours", None)
        self.device, self.how = how.get("device", "cpu"), dict[str, Any](how)
        self.background = drawing.background
        self.prepare(drawing)

    def prepare(self, drawing: Drawing) -> None:
        """Draw what all drawings share."""

    def show(self, drawing: Drawing) -> Rendering:
        """Paint the picture. Raises Diverged if it contains NaN, OutOfMemory."""
        if self.colours is not None:
            with _plotting(self.canvas):
                flat = draw_flat(drawing, self.primitive, self.canvas, self.colours, **self.how)
            return Rendering(flat, lambda: torch.from_numpy(flat).permute(2, 0, 1) / 255)
        images = self._draw_strips(drawing)
        image = next(images)
        first = _pixels_of(image)
        if len(first) == self.canvas.height:
            return Rendering(first, lambda: image)
        strips = itertools.chain([first], map(_pixels_of, images))
        pixels = store_strips(strips, (self.canvas.height, *first.shape[1:]))
        return Rendering(pixels, lambda: torch.cat(list(self._draw_strips(drawing)), dim=1))

    def strips(self, drawing: Drawing) -> Iterator[NDArray[np.uint8]]:
        """Yield the pixels of `show` from top to bottom: several strips if there are many."""
        if type(self) is not View or self.colours is not None:
            yield self.show(drawing).pixels
            return
        yield from map(_pixels_of, self._draw_strips(drawing))

    def _draw_strips(self, drawing: Drawing) -> Iterator[Tensor]:
        return draw_strips(drawing, self.primitive, self.canvas, **self.how)

    def metrics(self, picture: Rendering, target: Any) -> Metrics:
        """Compute PSNR, of the pixels that count, and SSIM of the 8-bit pictures."""
        pixels = target.pixels
        similarity = ssim(picture.pixels, pixels)
        return {
            "psnr": round(psnr(picture.pixels, pixels, target.counted), 4),
            "ssim": None if similarity is None else round(similarity, 6),
        }


class _CurveView(View):
    """A view that plots the fit and its target."""

    def prepare(self, drawing: Drawing) -> None:
        """Plot the target."""
        self.curve = cast(Curve, drawing.subject)
        self.x = np.linspace(self.curve.start, self.curve.end, max(2, self.canvas.width))
        with _plotting(self.canvas):
            self.plot = CurvePlot(self.canvas, self.background, self.curve, self.x)

    def show(self, drawing: Drawing) -> Rendering:
        """Plot the fit. Raises Diverged if values are not finite, OutOfMemory."""
        outputs = _evaluate(self, drawing, self.curve.positions)
        along = _evaluate(self, drawing, self.curve.place(self.x))
        with _plotting(self.canvas):
            pixels = self.plot.draw(self.curve.heights(along[0, 0].numpy()))
        return Rendering(pixels, lambda: outputs)

    def metrics(self, picture: Rendering, target: Any) -> Metrics:
        """Compute the mean squared error, in units of y²."""
        heights = self.curve.heights(picture.outputs[0, 0].numpy())
        return {"mse": float(np.mean((heights - self.curve.y) ** 2))}


class _PointsView(View):
    """A view that maps the classes and shows the labelled points."""

    def prepare(self, drawing: Drawing) -> None:
        """Draw the points."""
        self.points = cast(Points, drawing.subject)
        with _plotting(self.canvas):
            self.map = ClassMap(self.canvas, self.background, self.points)

    def show(self, drawing: Drawing) -> Rendering:
        """Map the classes. Raises Diverged if values are not finite, OutOfMemory."""
        outputs = _evaluate(self, drawing, self.points.positions)
        plane = draw(drawing, self.primitive, self.canvas, **self.how)
        with _plotting(self.canvas):
            pixels = self.map.draw(self._shares(plane))
        return Rendering(pixels, lambda: outputs)

    def metrics(self, picture: Rendering, target: Any) -> Metrics:
        """Compute the accuracy, and the mean of 1 − p of the right class."""
        shares = self._shares(picture.outputs)[:, 0]
        labels = self.points.labels
        return {
            "accuracy": round(accuracy(shares, labels), 6),
            "mean_error": round(mean_error(shares, labels), 6),
        }

    def _shares(self, outputs: Tensor) -> NDArray[np.float32]:
        """Convert outputs [outputs, h, w] to probabilities of the classes, [classes, h, w]."""
        single = len(outputs) == 1
        if self.points.logits:
            second = outputs.sigmoid() if single else outputs.softmax(0)
        else:
            second = outputs.clamp(0, 1)
        shares = torch.cat([1 - second, second]) if single else second
        # Outputs that are all 0 give equal probabilities.
        total = shares.sum(0)
        certain = shares / total.clamp_min(1e-6)
        return torch.where(total > 1e-6, certain, 1 / len(shares)).numpy()


class _SetView(View):
    """A view that shows pictures of a set, each above its reconstruction."""

    def prepare(self, drawing: Drawing) -> None:
        """Draw the originals."""
        subject = cast(ImageSet, drawing.subject)
        self.all = kept_examples(subject)
        self.shown = Examples(*(tensor[: subject.shown] for tensor in self.all))
        with _plotting(self.canvas):
            self.sheet = PairSheet(self.canvas, self.background, subject)

    def show(self, drawing: Drawing) -> Rendering:
        """Draw the sheet. Raises Diverged if values are not finite."""
        pictures = self._reconstruct(drawing, self.shown).permute(0, 2, 3, 1).numpy()
        with _plotting(self.canvas):
            pixels = self.sheet.draw(to_pixels(pictures))
        return Rendering(pixels, lambda: self._reconstruct(drawing, self.test or self.all))

    def metrics(self, picture: Rendering, target: Any) -> Metrics:
        """Compute the mean squared error over the test pictures, 1 = 255, and its PSNR."""
        test = self.test or self.all
        total = 0.0
        # In batches, so that only a batch is copied to float64.
        for start, outputs in enumerate(torch.split(picture.outputs, PICTURE_PIECE)):
            images, _ = test.piece(PICTURE_PIECE * start, PICTURE_PIECE * (start + 1))
            total += float(((outputs - images).double() ** 2).sum())
        mse = total / picture.outputs.numel()
        return {"mse": mse, "psnr": round(decibels(mse), 4)}

    def _reconstruct(self, drawing: Drawing, examples: Examples) -> Tensor:
        tensors = {name: tensor.to(self.device) for name, tensor in drawing.tensors.items()}
        return _finite(reconstruct(self.primitive, tensors, examples), "a picture")


def open_view(
    drawing: Drawing, primitive: Primitive, canvas: Canvas | None = None, **how: Unpack[Shown]
) -> View:
    """Make a view for drawings of the same subject and background as `drawing`.

    `canvas` defaults to the fitting size; a codec is evaluated on the pictures of the drawing
    unless `how` has others. Raises InputError if the tensors do not belong to the primitive,
    OutOfMemory, UsageError.
    """
    primitive.check_tensors(drawing)
    views = {"image": View, "curve": _CurveView, "points": _PointsView, "set": _SetView}
    kind = kind_of(drawing.subject)
    if how.get("transparent") and drawing.subject is not None:
        raise UsageError(
            f"drawings of {kind} targets cannot be transparent",
            hint="leave out --transparent; another --background makes a light plot",
        )
    return views[kind](drawing, primitive, canvas or drawing.canvas, **how)


class FramedView:
    """A view that shows pictures at the size of a frame, cropped or with a border.

    `how` is that of `open_view`. Raises UsageError where a plot would be cropped.
    """

    def __init__(
        self, frame: Frame, drawing: Drawing, primitive: Primitive, **how: Unpack[Shown]
    ) -> None:
        if frame.aspect is not None and drawing.subject is not None:
            raise UsageError(
                f"drawings of {kind_of(drawing.subject)} targets cannot be cropped",
                hint="give the long side alone",
            )
        if isinstance(frame.at, str) and frame.aspect is not None:
            small = drawing.canvas.scaled(min(_SEEN, max(drawing.width, drawing.height)))
            quick: Shown = {**how, "supersample": 1}
            overview = open_view(drawing, primitive, small, **quick)
            frame = frame.focused(overview.show(drawing).pixels, find_faces)
        self.frame = frame
        self.placement = frame.place(drawing.canvas)
        pad = None if frame.pad == BACKGROUND else frame.pad
        self.border = None if pad is None else (*parse_colour(pad), 1.0)
        self.alpha = 0.0 if how.get("transparent") else 1.0
        self.view = open_view(drawing, primitive, self.placement.whole, **how)

    def show(self, drawing: Drawing) -> NDArray[np.uint8]:
        """Draw pixels, uint8 [height, width, 3 or 4]. Raises Diverged, OutOfMemory."""
        return self.framed(self.view.show(drawing).pixels, drawing)

    def framed(self, pixels: NDArray[np.uint8], drawing: Drawing) -> NDArray[np.uint8]:
        """Crop pixels of the whole, or put them in a border, of the background of the drawing."""
        border = to_pixels(np.array(self.border or (*drawing.background, self.alpha)))
        return self.placement.cut(pixels, tuple(border.tolist()))

    def strips(self, drawing: Drawing) -> Iterator[NDArray[np.uint8]]:
        """Yield the pixels of `show` from top to bottom; all at once if cropped or bordered."""
        if self.placement.picture != self.placement.whole:
            yield self.show(drawing)
            return
        yield from self.view.strips(drawing)


def _pixels_of(image: Tensor) -> NDArray[np.uint8]:
    """The 8-bit pixels, [height, width, channels], of a picture [channels, height, width]."""
    return to_pixels(image.permute(1, 2, 0).numpy())


def _evaluate(view: View, drawing: Drawing, positions: NDArray[np.float32]) -> Tensor:
    """Evaluate the field at positions, [outputs, 1, M] on the CPU. Raises Diverged."""
    tensors = {name: tensor.to(view.device) for name, tensor in drawing.tensors.items()}
    with torch.no_grad():
        places = torch.from_numpy(positions).to(view.device)
        outputs = evaluate(view.primitive, tensors, places).cpu()
    return _finite(outputs, "the drawing")


def _finite(outputs: Tensor, what: str) -> Tensor:
    """The outputs themselves. Raises Diverged where they are not finite."""
    if not outputs.isfinite().all():
        raise divergence(f"{what} contains NaN or infinity")
    return outputs


def _plotting(canvas: Canvas) -> AbstractContextManager[None]:
    return memory_errors(
        f"plotting at {canvas.width}x{canvas.height} needs more memory than there is",
        hint="draw it smaller",
    )
