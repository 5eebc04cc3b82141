"""Plots of codecs: pictures that explain what they have learned, and how well they compress.

Some need only the drawing, which holds test pictures; others need the whole set.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from artgen.art import Art
from artgen.art.latents import plot_latents
from artgen.base.errors import UsageError
from artgen.display.plots import plot_ranks, plot_scatter
from artgen.display.sheets import as_rgb
from artgen.families.codec.batches import BatchOptions, augmented
from artgen.families.codec.contract import Codec
from artgen.families.codec.latents import CodecLatents
from artgen.families.codec.paint import encode
from artgen.losses.metrics import equivalent_rank, rank_errors
from artgen.output import contact_sheet, to_pixels
from artgen.raster import reconstruct
from artgen.targets import SetTarget
from artgen.values.canvas import Canvas
from artgen.values.drawing import Colour
from artgen.values.examples import Examples
from artgen.values.subject import ImageSet

Pixels = NDArray[np.uint8]
Cells = list[tuple[Pixels, str]]

_CELL = 112
"""Approximate side of a picture in a sheet, in pixels: a multiple of its own side."""

_MOST_DOTS = 10_000


@dataclass(frozen=True, eq=False)
class Exhibit:
    """A codec with the title to show, its set if the plot needs one, and how a chart looks.

    A sheet of pictures has its own size.
    """

    title: str
    art: Art
    space: CodecLatents
    target: SetTarget | None
    canvas: Canvas
    paper: Colour

    @property
    def set(self) -> SetTarget:
        """The set, for plots that need it."""
        assert self.target is not None
        return self.target

    @property
    def error(self) -> float:
        """The mean squared error over the test pictures of the set."""
        space, examples = self.space, Examples.from_arrays(self.set.test, self.set.test_labels)
        outputs = reconstruct(space.codec, space.drawing.tensors, examples)
        return float((outputs - examples.images.float() / 255).double().square().mean())


@plot_latents.register(Codec)
def draw_codec_plot(
    codec: Codec,
    name: str,
    arts: Mapping[str, Art],
    target: SetTarget | None,
    canvas: Canvas,
    paper: Colour,
) -> Pixels:
    """Draw one of `CODEC_PLOTS`."""
    exhibits = []
    for title, art in arts.items():
        space = art.latent_space()
        assert isinstance(space, CodecLatents)
        if target is not None:
            _check_set(title, space.subject, target)
        exhibits.append(Exhibit(title, art, space, target, canvas, paper))
    if len(exhibits) != 1 and name != "ranks":
        raise UsageError(f"plot {name} shows one codec", hint="give one .art file")
    return CODEC_PLOTS[name](*exhibits)


def _check_set(title: str, own: ImageSet, target: SetTarget) -> None:
    """Raise UsageError where a codec cannot read the pictures of a set."""
    theirs, shape = target.test.shape[1:], own.pictures.shape[1:]
    if theirs != shape:
        sizes = " and ".join("x".join(map(str, each)) for each in (shape, theirs))
        raise UsageError(
            f"{title} codes pictures of another size or other channels than the set: {sizes}",
            hint="name a set like its own: --target SET",
        )


def _scatter(of: Exhibit) -> Pixels:
    """Plot latents of training and test pictures on the first two principal axes of the former."""
    space, target = of.space, of.set
    parts = {
        "training": (target.training[:_MOST_DOTS], target.training_labels[:_MOST_DOTS]),
        "test": (target.test[:_MOST_DOTS], target.test_labels[:_MOST_DOTS]),
    }
    latents = {
        name: encode(space.codec, space.drawing.tensors, Examples.from_arrays(*part))
        .flatten(1)
        .double()
        for name, part in parts.items()
    }
    mean = latents["training"].mean(0)
    centred = latents["training"] - mean
    _, vectors = torch.linalg.eigh(centred.t() @ centred)
    plane = vectors[:, -2:].flip(1)
    peak = plane.gather(0, plane.abs().argmax(0, keepdim=True))
    # Of a single number there is no second axis.
    plane = torch.nn.functional.pad(plane * peak.sign(), (0, 2 - plane.shape[1]))
    shown = {
        name: (((latents[name] - mean) @ plane).numpy(), labels)
        for name, (_, labels) in parts.items()
    }
    return plot_scatter(shown, target.subject.classes, of.canvas, of.paper)


def _ranks(*exhibits: Exhibit) -> Pixels:
    """Plot the error of truncated SVDs by rank, and mark the errors of the codecs."""
    first = exhibits[0]
    ranks = rank_errors(first.set.test)
    errors = {each.title: each.error for each in exhibits}
    marked = {title: (error, equivalent_rank(ranks, error)) for title, error in errors.items()}
    return plot_ranks(ranks, marked, first.canvas, first.paper)


def dataset(of: Exhibit) -> Pixels:
    """Show pictures with the names of their classes."""
    space, subject = of.space, of.space.subject
    pictures = enumerate(subject.pictures[: 6 * subject.columns])
    cells = [(_shown(picture), _caption(space, number)) for number, picture in pictures]
    return contact_sheet(cells, columns=subject.columns, longest=_CELL)


def augmentation(of: Exhibit) -> Pixels:
    """Show pictures, each beside random affine transforms of it as in training."""
    space, options = of.space, of.art.recipe.stage[-1].options
    bounds = {
        key: options[key] for key in ("degrees", "translate", "scale", "shear") if key in options
    }
    pictures = Examples.from_arrays(space.subject.pictures[:5], space.subject.labels[:5])
    rng = torch.Generator().manual_seed(of.art.recipe.seed or 0)
    cells: Cells = []
    for number, image in enumerate(pictures.images.float() / 255):
        moved = augmented(image.expand(7, -1, -1, -1), BatchOptions(augment=1.0, **bounds), rng)
        cells.append((_shown(space.subject.pictures[number]), _caption(space, number)))
        cells += [(_shown(to_pixels(each.permute(1, 2, 0).numpy())), "") for each in moved]
    return contact_sheet(cells, columns=8, longest=_CELL)


def triples(of: Exhibit) -> Pixels:
    """Show original, latent and reconstruction side by side."""
    space, subject = of.space, of.space.subject
    cells: Cells = []
    count = min(subject.shown, 18)
    drawn = space.draw(space.latents[:count], space.labels[:count])
    for number, (picture, after) in enumerate(zip(subject.pictures[:count], drawn, strict=True)):
        error = np.subtract(picture, after, dtype=np.float64) / 255
        cells.append((_shown(picture), _caption(space, number)))
        cells.append((_shown(_as_picture(space, number)), f"{space.codec.floats} numbers"))
        cells.append((_shown(after), f"mse {np.mean(error**2):.4f}"))
    return contact_sheet(cells, columns=9, longest=_CELL)


def equal(of: Exhibit) -> Pixels:
    """Show originals, reconstructions, and truncated SVDs with about the same error."""
    space, subject = of.space, of.space.subject
    rank = equivalent_rank(rank_errors(of.set.test), of.error)
    pictures = subject.pictures[: subject.columns]
    count, height, width, channels = pictures.shape
    some = pictures.transpose(0, 3, 1, 2) / 255.0
    columns, values, rows = np.linalg.svd(some, full_matrices=False)
    values[..., rank:] = 0
    low = ((columns * values[..., None, :]) @ rows).transpose(0, 2, 3, 1)
    after = space.draw(space.latents[:count], space.labels[:count])
    lines = {
        "": pictures,
        f"{of.title}: {space.codec.floats}": after,
        # The numbers of singular vectors and values.
        f"rank {rank}: {rank * channels * (height + width + 1)}": to_pixels(low),
    }
    cells = [
        (_shown(picture), (caption if number == 0 else " ") if caption else _caption(space, number))
        for caption, line in lines.items()
        for number, picture in enumerate(line)
    ]
    return contact_sheet(cells, columns=count, longest=_CELL)


def _as_picture(space: CodecLatents, number: int) -> Pixels:
    """Show a latent as grey levels from its minimum to its maximum, about square."""
    values = space.latents[number].numpy()
    shape = space.codec.latent
    if len(shape) > 1:
        rows = math.prod(shape[:-1])
    else:
        rows = max(n for n in range(1, math.isqrt(len(values)) + 1) if len(values) % n == 0)
    low, high = float(values.min()), float(values.max())
    gray = (values - low) / max(high - low, 1e-9)
    return to_pixels(gray.reshape(rows, -1)[:, :, None])


def _shown(picture: Pixels) -> Pixels:
    """Convert a picture to RGB, enlarged with square pixels to about `_CELL`."""
    factor = max(1, round(_CELL / max(picture.shape[:2])))
    return as_rgb(picture).repeat(factor, 0).repeat(factor, 1)


def _caption(space: CodecLatents, number: int) -> str:
    label = int(space.subject.labels[number])
    return space.subject.classes[label] if label >= 0 else f"{number}"


CODEC_PLOTS: dict[str, Callable[..., Pixels]] = {
    "dataset": dataset,
    "augmentation": augmentation,
    "triples": triples,
    "scatter": _scatter,
    "ranks": _ranks,
    "equal": equal,
}
"""The kinds of plots: functions of an exhibit, or of several."""
