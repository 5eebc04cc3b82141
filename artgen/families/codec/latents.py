"""Latent space of a codec: places in it, and walks between the pictures of a set.

A *place* is a latent, and a class for decoders that take one. As text it is one of

- ``picture:7``: the latent of picture number 7 of the drawing, counted from 0;
- ``label:3``: the mean of the latents of class 3; ``mean``: the mean of all;
- ``random`` or ``random:SEED``: a sample from a normal distribution with the mean and covariance
  of all latents;
- the numbers of a latent, with commas;

followed by ``@CLASS`` to choose another class for the decoder. A *walk* is a closed path:

- ``linear`` or ``linear:1,5,9``: straight lines between pictures;
- ``spherical`` or ``spherical:1,5,9``: great circles around the mean with interpolated distance
  (Shoemake 1985), because latents lie on a shell rather than in a ball;
- ``axis:2``: along the second principal axis of the latents, 2.5 standard deviations either way;
- ``labels``: from class to class, through the picture nearest to the mean of each.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.art.latents import Place, open_latents
from artgen.base.errors import InputError, UsageError, did_you_mean
from artgen.base.options import numbers, whole
from artgen.families.codec.contract import Codec
from artgen.families.codec.paint import decode, encode
from artgen.output import to_pixels
from artgen.values.drawing import Drawing
from artgen.values.examples import kept_examples
from artgen.values.subject import ImageSet

STATIONS = 8
"""Default number of pictures that a walk visits."""
REACH = 2.5
"""Length of a walk along an axis, in standard deviations to either side."""

_PLACES = "picture:N, label:CLASS, mean, random:SEED, or numbers with commas"
_WALKS = ("linear", "spherical", "axis", "labels")


class CodecLatents:
    """The latents of the pictures of a codec's drawing, float32 [K, D], with places and walks."""

    def __init__(self, codec: Codec, drawing: Drawing) -> None:
        assert isinstance(drawing.subject, ImageSet)
        codec.check_tensors(drawing)
        self.codec, self.drawing, self.subject = codec, drawing, drawing.subject
        examples = kept_examples(drawing.subject)
        self.labels = examples.labels
        self.latents = encode(codec, drawing.tensors, examples).flatten(1).float()

    @cached_property
    def mean(self) -> Tensor:
        """The mean of all latents, [D]."""
        return self.latents.mean(0)

    @cached_property
    def axes(self) -> tuple[Tensor, Tensor]:
        """Principal axes of the latents as rows, [A, D], and standard deviations, [A]."""
        centred = self.latents - self.mean
        _, values, rows = torch.linalg.svd(centred, full_matrices=False)
        # Make the largest element positive, so that the sign does not depend on the library.
        peak = rows.gather(1, rows.abs().argmax(1, keepdim=True))
        return rows * peak.sign(), values / math.sqrt(max(1, len(centred) - 1))

    def place(self, text: str) -> Place:
        """Parse the text of a place. Raises UsageError."""
        what, at, label_text = text.partition("@")
        kind, _, rest = what.partition(":")
        if kind == "picture":
            number = self._number(rest)
            place = Place(self.latents[number], int(self.labels[number]))
        elif kind == "label":
            label = self._label(rest)
            place = Place(self.latents[self.labels == label].mean(0), label)
        elif what == "mean":
            place = Place(self.mean, -1)
        elif kind == "random":
            place = Place(self._random(rest), -1)
        else:
            place = Place(self._numbers(what), -1)
        return Place(place.latent, self._label(label_text)) if at else place

    def walk(self, text: str, frames: int) -> tuple[Tensor, Tensor]:
        """Return latents [frames, D] and classes [frames] of a walk. Raises UsageError."""
        kind, _, rest = text.partition(":")
        if kind not in _WALKS or (kind == "labels" and rest):
            raise UsageError(f"unknown walk {text!r}", hint=did_you_mean(text, _WALKS))
        if kind == "axis":
            return self._along_axis(rest, frames)
        stations = self._middles() if kind == "labels" else self._pictures(rest)
        latents = self.latents[stations]
        # From each station to the next, and from the last to the first; slow at every station.
        place = torch.arange(frames) * len(stations) / frames
        leg = place.long()
        share = ((1 - torch.cos(math.pi * (place - leg))) / 2)[:, None]
        start, end = latents[leg], latents[(leg + 1) % len(stations)]
        between = self._around if kind == "spherical" else torch.lerp
        nearest = (place.round().long()) % len(stations)
        return between(start, end, share), self.labels[stations][nearest]

    def draw(self, latents: Tensor, labels: Tensor) -> NDArray[np.uint8]:
        """Decode latents [N, D] and classes [N] to pictures, uint8 [N, h, w, 1 or 3].

        Raises InputError if a latent is so far out that its picture is not finite.
        """
        shaped = latents.reshape(-1, *self.codec.latent)
        pictures = decode(self.codec, self.drawing.tensors, shaped, labels)
        if not pictures.isfinite().all():
            raise InputError(
                "the latent is too large: its picture contains NaN or infinity",
                hint="use smaller numbers, or mean, the latent in the middle",
            )
        return to_pixels(pictures.permute(0, 2, 3, 1).numpy())

    def _number(self, text: str) -> int:
        number = whole(text)
        if number is None or number >= len(self.latents):
            raise UsageError(f"unknown picture {text!r}", hint=f"use 0 to {len(self.latents) - 1}")
        return number

    def _label(self, text: str) -> int:
        if text not in self.subject.classes:
            raise UsageError(
                f"unknown class {text!r}", hint=did_you_mean(text, self.subject.classes)
            )
        label = self.subject.classes.index(text)
        if not (self.labels == label).any():
            raise UsageError(
                f"the drawing has no picture of class {text!r}", hint="use another class, or random"
            )
        return label

    def _random(self, text: str) -> Tensor:
        seed = whole(text or "0")
        if seed is None or seed >= 2**63:
            raise UsageError(f"seed must be from 0 to 2^63 - 1, got {text!r}")
        rng = torch.Generator().manual_seed(seed)
        rows, deviations = self.axes
        return self.mean + (torch.randn(len(rows), generator=rng) * deviations) @ rows

    def _numbers(self, text: str) -> Tensor:
        found = numbers(text)
        if not found:
            raise UsageError(f"{text!r} is not a point in latent space", hint=_PLACES)
        if len(found) != self.latents.shape[1] or not all(map(math.isfinite, found)):
            raise UsageError(
                f"a latent takes {self.latents.shape[1]} finite numbers, got {len(found)}",
                hint=_PLACES,
            )
        return torch.tensor(found)

    def _along_axis(self, text: str, frames: int) -> tuple[Tensor, Tensor]:
        """Walk from the mean to one side, to the other, and back."""
        rows, deviations = self.axes
        number = whole(text)
        if number is None or not 1 <= number <= len(rows):
            raise UsageError(f"unknown axis {text!r}", hint=f"use 1 to {len(rows)}")
        phase = 2 * math.pi * torch.arange(frames) / frames
        way = REACH * deviations[number - 1] * torch.sin(phase)
        latents = self.mean + way[:, None] * rows[number - 1]
        # For decoders that take a class: the most frequent one.
        known = self.labels.clamp_min(0).numpy()
        label = int(np.bincount(known).argmax()) if self.subject.classes else -1
        return latents, torch.full((frames,), label)

    def _pictures(self, text: str) -> list[int]:
        if not text:
            return list(range(min(STATIONS, len(self.latents))))
        return [self._number(part.strip()) for part in text.split(",")]

    def _middles(self) -> list[int]:
        """Return for every class the picture whose latent is nearest to the mean of the class."""
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
        """Interpolate directions from the mean on great circles, and distances linearly."""
        first, second = start - self.mean, end - self.mean
        near, far = (each.norm(dim=1, keepdim=True).clamp_min(1e-9) for each in (first, second))
        first, second = first / near, second / far
        angle = (first * second).sum(1, keepdim=True).clamp(-1, 1).acos()
        # Equal or opposite directions define no single great circle.
        flat = angle.sin().abs() < 1e-4
        sine = torch.where(flat, 1.0, angle.sin())
        one = torch.where(flat, 1 - share, ((1 - share) * angle).sin() / sine)
        other = torch.where(flat, share, (share * angle).sin() / sine)
        between: Tensor = self.mean + torch.lerp(near, far, share) * (one * first + other * second)
        return between


open_latents.register(Codec)(CodecLatents)
