"""Figures about a codec: stills that explain what it has learned, and what it is worth.

Some need the drawing alone, which holds some test pictures; others the whole set.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from artgen.art import Art
from artgen.canvas import Canvas
from artgen.engines.lessons import Augmentation, augmented
from artgen.errors import UsageError
from artgen.latents import LatentSpace
from artgen.metrics import equivalent_rank, rank_errors
from artgen.output import contact_sheet, to_pixels
from artgen.output.plots import plot_ranks, plot_scatter
from artgen.output.sheets import as_rgb
from artgen.raster import encode, examples_from, reconstruct
from artgen.targets import SetTarget

__all__ = ["FIGURES", "Page", "draw_figure"]

Pixels = NDArray[np.uint8]
Cells = list[tuple[Pixels, str]]

_CELL = 112
"""Pixels of a picture in a sheet, about: a whole number of times its own."""
_MOST_DOTS = 10_000


@dataclass(frozen=True)
class Page:
    """The size and the paper of plots; sheets of pictures have a size of their own."""

    canvas: Canvas
    paper: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Exhibit:
    """A codec by the name it is shown under, and the set that it was learned from, where needed."""

    title: str
    art: Art
    space: LatentSpace
    target: SetTarget | None

    @property
    def set(self) -> SetTarget:
        """The set."""
        assert self.target is not None
        return self.target


@dataclass(frozen=True)
class Figure:
    """How a figure is drawn: from one exhibit, or from several; from the whole set, or without."""

    draw: Callable[..., Pixels]
    needs_set: bool = False
    several: bool = False


def draw_figure(name: str, arts: Mapping[str, Art], target: SetTarget | None, page: Page) -> Pixels:
    """One of `FIGURES`, uint8 [height, width, 3], of codecs by their names.

    Raises UsageError where one of them is no codec, or for several where one is meant.
    """
    figure = FIGURES[name]
    exhibits = [Exhibit(title, art, art.latent_space(), target) for title, art in arts.items()]
    if figure.several:
        return figure.draw(exhibits, page)
    if len(exhibits) != 1:
        raise UsageError(f"figure {name} is of one codec", hint="give one .art file")
    return figure.draw(exhibits[0], page)


# ---- sheets of pictures --------------------------------------------------------------------------


def _dataset(of: Exhibit, page: Page) -> Pixels:
    """Pictures with the names of their classes."""
    space, subject = of.space, of.space.subject
    captions = [_caption(space, number) for number in range(len(subject.pictures))]
    cells = [
        (_shown(picture), caption)
        for picture, caption in zip(subject.pictures, captions, strict=True)
    ]
    columns = subject.columns
    return contact_sheet(cells[: 6 * columns], columns=columns, longest=_CELL)


def _augmentation(of: Exhibit, page: Page) -> Pixels:
    """Pictures, each beside some of the ways in which it is moved while it is learned from."""
    space, options = of.space, of.art.recipe.stage[-1].options
    bounds = {key: options[key] for key in ("turn", "shift", "zoom", "shear") if key in options}
    pictures = examples_from(space.subject.pictures[:5], space.subject.labels[:5])
    rng = torch.Generator().manual_seed(of.art.recipe.seed or 0)
    cells: Cells = []
    for number, image in enumerate(pictures.images.float() / 255):
        moved = augmented(image.expand(7, -1, -1, -1), Augmentation(1.0, **bounds), rng)
        cells.append((_shown(space.subject.pictures[number]), _caption(space, number)))
        cells += [(_shown(to_pixels(each.permute(1, 2, 0).numpy())), "") for each in moved]
    return contact_sheet(cells, columns=8, longest=_CELL)


def _triples(of: Exhibit, page: Page) -> Pixels:
    """Original, latent and reconstruction side by side."""
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


def _equal(of: Exhibit, page: Page) -> Pixels:
    """Originals, after the codec, and after the singular values that lose about as much."""
    space, subject = of.space, of.space.subject
    rank = equivalent_rank(rank_errors(of.set.test), _error(of))
    pictures = subject.pictures[: subject.columns]
    some = pictures.transpose(0, 3, 1, 2) / 255.0
    columns, values, rows = np.linalg.svd(some, full_matrices=False)
    values[..., rank:] = 0
    low = ((columns * values[..., None, :]) @ rows).transpose(0, 2, 3, 1)
    after = space.draw(space.latents[: len(pictures)], space.labels[: len(pictures)])
    lines = {
        "": pictures,
        f"{of.title}: {space.codec.floats}": after,
        f"rank {rank}: {_svd_floats(space, rank)}": to_pixels(low),
    }
    cells = [
        (_shown(picture), (caption if number == 0 else " ") if caption else _caption(space, number))
        for caption, line in lines.items()
        for number, picture in enumerate(line)
    ]
    return contact_sheet(cells, columns=len(pictures), longest=_CELL)


# ---- plots ---------------------------------------------------------------------------------------


def _scatter(of: Exhibit, page: Page) -> Pixels:
    """The latents of training and test pictures in the plane of the former's first two axes."""
    space, target = of.space, of.set
    parts = {
        "training": (target.training[:_MOST_DOTS], target.training_labels[:_MOST_DOTS]),
        "test": (target.test[:_MOST_DOTS], target.test_labels[:_MOST_DOTS]),
    }
    latents = {
        name: encode(space.codec, space.drawing.tensors, examples_from(*part)).flatten(1).double()
        for name, part in parts.items()
    }
    mean = latents["training"].mean(0)
    centred = latents["training"] - mean
    _, vectors = torch.linalg.eigh(centred.t() @ centred)
    plane = vectors[:, -2:].flip(1)
    peak = plane.gather(0, plane.abs().argmax(0, keepdim=True))
    plane = plane * peak.sign()
    shown = {
        name: (((latents[name] - mean) @ plane).numpy(), labels)
        for name, (_, labels) in parts.items()
    }
    return plot_scatter(shown, space.subject.classes, page.canvas, page.paper)


def _ranks(exhibits: Sequence[Exhibit], page: Page) -> Pixels:
    """The error of singular values by rank, and where the codecs are."""
    errors = rank_errors(exhibits[0].set.test)
    marked = {}
    for each in exhibits:
        error = _error(each)
        marked[each.title] = error, equivalent_rank(errors, error)
    return plot_ranks(errors, marked, page.canvas, page.paper)


FIGURES = {
    "dataset": Figure(_dataset),
    "augmentation": Figure(_augmentation),
    "triples": Figure(_triples),
    "scatter": Figure(_scatter, needs_set=True),
    "ranks": Figure(_ranks, needs_set=True, several=True),
    "equal": Figure(_equal, needs_set=True),
}


# ---- helpers -------------------------------------------------------------------------------------


def _error(of: Exhibit) -> float:
    """The mean squared error over the test pictures."""
    space, examples = of.space, examples_from(of.set.test, of.set.test_labels)
    outputs = reconstruct(space.codec, space.drawing.tensors, examples)
    return float((outputs - examples.images.float() / 255).double().square().mean())


def _svd_floats(space: LatentSpace, rank: int) -> int:
    """How many numbers the singular vectors and values of a picture are."""
    _, height, width, channels = space.subject.pictures.shape
    return int(rank * channels * (height + width + 1))


def _as_picture(space: LatentSpace, number: int) -> Pixels:
    """A latent as gray levels, from its least number to its largest, about square."""
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
    """RGB, with pixels as squares."""
    factor = max(1, round(_CELL / max(picture.shape[:2])))
    return as_rgb(picture).repeat(factor, 0).repeat(factor, 1)


def _caption(space: LatentSpace, number: int) -> str:
    label = int(space.subject.labels[number])
    return space.subject.classes[label] if label >= 0 else f"{number}"
