"""Latent space: what lies between the pictures of a set, for a codec that has learned them.

A *place* is a latent, and the class that the decoder is told, where it wants to know one. Written
as text it is one of

- ``picture:7``, where picture number 7 of the drawing is, counted from 0;
- ``label:3``, where the pictures of the class 3 are on average; ``mean``, where all are;
- ``random`` or ``random:SEED``, drawn from a normal distribution with the pictures' mean and
  covariance;
- numbers with commas between them, as many as a latent has;

and ``@CLASS`` behind it tells the decoder another class. A *walk* goes on and comes back:

- ``linear`` or ``linear:1,5,9``, straight from picture to picture;
- ``spherical`` or ``spherical:1,5,9``, around the mean on great circles, with the distance between
  (Shoemake 1985), because latents lie on a shell rather than in a ball;
- ``axis:2``, along the second principal axis of the latents, 2.5 standard deviations either way;
- ``labels``, from class to class, by the picture in the middle of each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.drawing import Drawing
from artgen.errors import InputError, UsageError, did_you_mean
from artgen.output import to_pixels
from artgen.primitives import Codec
from artgen.raster import decode, encode, kept_examples
from artgen.subject import ImageSet

if TYPE_CHECKING:
    from artgen.primitives import Primitive

__all__ = ["LatentSpace", "Place"]

STATIONS = 8
"""So many pictures a walk visits, unless it is told which."""
REACH = 2.5
"""Standard deviations to either side along an axis."""

_PLACES = "picture:N, label:CLASS, mean, random:SEED, or numbers with commas"
_WALKS = ("linear", "spherical", "axis", "labels")


class Place(NamedTuple):
    """A latent, float32 [D], and the number of a class, -1 where none is meant."""

    latent: Tensor
    label: int


class LatentSpace:
    """The latents of the pictures that belong to a drawing, float32 [K, D], and what is between.

    Raises UsageError where the drawing is none of a codec.
    """

    def __init__(self, drawing: Drawing, primitive: Primitive) -> None:
        subject = drawing.subject
        if not (isinstance(primitive, Codec) and isinstance(subject, ImageSet)):
            raise UsageError(
                f"{drawing.primitive} has no latents, it is no codec",
                hint="fit a codec: artgen fit sample:digits -p autoencoder",
            )
        primitive.check_tensors(drawing)
        self.codec, self.drawing, self.subject = primitive, drawing, subject
        examples = kept_examples(subject)
        self.labels = examples.labels
        self.latents = encode(primitive, drawing.tensors, examples).flatten(1).float()

    @cached_property
    def mean(self) -> Tensor:
        """Of all latents, [D]."""
        return self.latents.mean(0)

    @cached_property
    def axes(self) -> tuple[Tensor, Tensor]:
        """The principal axes of the latents as rows, [A, D], and the deviations along them, [A]."""
        centred = self.latents - self.mean
        _, values, rows = torch.linalg.svd(centred, full_matrices=False)
        # A sign that does not depend on the library: the largest element is positive.
        peak = rows.gather(1, rows.abs().argmax(1, keepdim=True))
        return rows * peak.sign(), values / math.sqrt(max(1, len(centred) - 1))

    def place(self, text: str) -> Place:
        """The place that a text describes. Raises UsageError."""
        what, at, told = text.partition("@")
        kind, _, rest = what.partition(":")
        if kind == "picture":
            number = self._number(rest)
            found = Place(self.latents[number], int(self.labels[number]))
        elif kind == "label":
            label = self._label(rest)
            found = Place(self.latents[self.labels == label].mean(0), label)
        elif what == "mean":
            found = Place(self.mean, -1)
        elif kind == "random":
            found = Place(self._random(rest), -1)
        else:
            found = Place(self._numbers(what), -1)
        return Place(found.latent, self._label(told)) if at else found

    def walk(self, text: str, frames: int) -> tuple[Tensor, Tensor]:
        """Latents [frames, D] and classes [frames] of a walk. Raises UsageError."""
        kind, _, rest = text.partition(":")
        if kind not in _WALKS or (kind == "labels" and rest):
            raise UsageError(f"there is no walk {text!r}", hint=did_you_mean(text, _WALKS))
        if kind == "axis":
            return self._along_axis(rest, frames)
        stations = self._middles() if kind == "labels" else self._pictures(rest)
        latents = self.latents[stations]
        # From each station on to the next, and from the last to the first; slow at every station.
        place = torch.arange(frames) * len(stations) / frames
        leg = place.long()
        share = ((1 - torch.cos(math.pi * (place - leg))) / 2)[:, None]
        start, end = latents[leg], latents[(leg + 1) % len(stations)]
        between = self._around if kind == "spherical" else torch.lerp
        nearest = (place.round().long()) % len(stations)
        return between(start, end, share), self.labels[stations][nearest]

    def draw(self, latents: Tensor, labels: Tensor) -> NDArray[np.uint8]:
        """The pictures of latents [N, D] and classes [N], uint8 [N, h, w, 1 or 3].

        Raises InputError where a latent is so far out that its picture has no finite values.
        """
        shaped = latents.reshape(-1, *self.codec.latent)
        pictures = decode(self.codec, self.drawing.tensors, shaped, labels)
        if not pictures.isfinite().all():
            raise InputError("a latent is too far out: its picture is not finite")
        return to_pixels(pictures.permute(0, 2, 3, 1).numpy())

    # ---- places ------------------------------------------------------------------------------

    def _number(self, text: str) -> int:
        number = int(text) if text.isdecimal() and len(text) < 9 else -1
        if not 0 <= number < len(self.latents):
            raise UsageError(
                f"there is no picture {text!r}", hint=f"from 0 to {len(self.latents) - 1}"
            )
        return number

    def _label(self, text: str) -> int:
        if text not in self.subject.classes:
            raise UsageError(
                f"there is no class {text!r}", hint=did_you_mean(text, self.subject.classes)
            )
        label = self.subject.classes.index(text)
        if not (self.labels == label).any():
            raise UsageError(f"no picture of the drawing is of the class {text!r}")
        return label

    def _random(self, text: str) -> Tensor:
        seed = text or "0"
        if not (seed.isdecimal() and int(seed) < 2**63):
            raise UsageError(f"seed {text!r} is not a seed", hint="seeds are 0 to 2^63 - 1")
        rng = torch.Generator().manual_seed(int(seed))
        rows, deviations = self.axes
        return self.mean + (torch.randn(len(rows), generator=rng) * deviations) @ rows

    def _numbers(self, text: str) -> Tensor:
        try:
            numbers = [float(part) for part in text.split(",")]
        except ValueError:
            raise UsageError(f"{text!r} is no place in latent space", hint=_PLACES) from None
        if len(numbers) != self.latents.shape[1] or not all(map(math.isfinite, numbers)):
            raise UsageError(
                f"a latent has {self.latents.shape[1]} numbers, not {len(numbers)}", hint=_PLACES
            )
        return torch.tensor(numbers)

    # ---- walks -------------------------------------------------------------------------------

    def _along_axis(self, text: str, frames: int) -> tuple[Tensor, Tensor]:
        """From the mean to one side, to the other, and back."""
        rows, deviations = self.axes
        number = int(text) if text.isdecimal() and len(text) < 9 else 0
        if not 1 <= number <= len(rows):
            raise UsageError(f"there is no axis {text!r}", hint=f"from 1 to {len(rows)}")
        phase = 2 * math.pi * torch.arange(frames) / frames
        way = REACH * deviations[number - 1] * torch.sin(phase)
        latents = self.mean + way[:, None] * rows[number - 1]
        return latents, torch.full((frames,), self._common_label())

    def _pictures(self, text: str) -> list[int]:
        if not text:
            return list(range(min(STATIONS, len(self.latents))))
        return [self._number(part.strip()) for part in text.split(",")]

    def _middles(self) -> list[int]:
        """For every class the picture whose latent is nearest to their mean."""
        if not self.subject.classes:
            raise UsageError("the set has no labels to walk along", hint="use linear or axis:1")
        stations = []
        for label in sorted(set(self.labels.tolist())):
            [mine] = torch.where(self.labels == label)
            latents = self.latents[mine]
            distance = (latents - latents.mean(0)).square().sum(1)
            stations.append(int(mine[distance.argmin()]))
        return stations

    def _around(self, start: Tensor, end: Tensor, share: Tensor) -> Tensor:
        """Directions from the mean on great circles, distances evenly between."""
        first, second = start - self.mean, end - self.mean
        near, far = (each.norm(dim=1, keepdim=True).clamp_min(1e-9) for each in (first, second))
        first, second = first / near, second / far
        angle = (first * second).sum(1, keepdim=True).clamp(-1, 1).acos()
        # Almost the same direction, or the opposite one, which has no single great circle.
        flat = angle.sin().abs() < 1e-4
        sine = torch.where(flat, 1.0, angle.sin())
        one = torch.where(flat, 1 - share, ((1 - share) * angle).sin() / sine)
        other = torch.where(flat, share, (share * angle).sin() / sine)
        found: Tensor = self.mean + torch.lerp(near, far, share) * (one * first + other * second)
        return found

    def _common_label(self) -> int:
        """The most frequent class, which a codec that wants to know one is told at the mean."""
        counts: Sequence[int] = torch.bincount(self.labels.clamp_min(0)).tolist()
        return max(range(len(counts)), key=counts.__getitem__) if self.subject.classes else -1
