"""Codec: an encoder and a decoder for the pictures of a set.

A picture becomes a *latent*, some numbers that stand for it, and is made again from them. A codec
learns what the pictures have in common; what is between two latents is a picture too. A plugin
says what a latent is, and how to get there and back::

    class Mean(Codec):
        \"\"\"Blocks of pixels, a mean each.\"\"\"

        @property
        def latent(self):
            return self.channels, self.height // 4, self.width // 4

        def encode(self, images, p):
            return torch.nn.functional.avg_pool2d(images, 4)

        def decode(self, latents, p, labels):
            size = self.height, self.width
            return torch.nn.functional.interpolate(latents, size, mode="bilinear")
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NamedTuple

from torch import Tensor

from artgen.drawing import Drawing
from artgen.primitives._params import Param, Params
from artgen.primitives._primitive import Primitive
from artgen.subject import ImageSet, Kind, Subject

__all__ = ["Codec", "Examples"]


class Examples(NamedTuple):
    """Pictures of a set, uint8 [N, channels, height, width], and their classes, int64 [N].

    A class is -1 where none are known.
    """

    images: Tensor
    labels: Tensor

    def piece(self, start: int, end: int) -> tuple[Tensor, Tensor]:
        """Some of the pictures as floats in 0 to 1, and their classes."""
        return self.images[start:end].float() / 255, self.labels[start:end]


class Codec(Primitive):
    """An encoder and a decoder; its parameters have no instance axis.

    `channels` (1 for gray, 3 for RGB), `height` and `width` are those of the set's pictures,
    `classes` is how many kinds of pictures are known, and `training` how many pictures there are to
    learn from. They are set before options, `latent` and `params` are asked for; until then they
    are those of MNIST.

    A codec has no count: `--count` sets the option that `size_option` names, how much a latent
    holds. For the engine `gradient`, `encode` and `decode` are differentiable in the parameters;
    for the engine `solve` there are `solve` and `truncated`.
    """

    family: ClassVar[str] = "codec"
    targets: ClassVar[tuple[Kind, ...]] = ("set",)
    has_count: ClassVar[bool] = False
    channels: int = 1
    height: int = 28
    width: int = 28
    classes: int = 10
    training: int = 60_000

    def take(self, subject: Subject | None) -> None:
        """Set what is known of the pictures."""
        if isinstance(subject, ImageSet):
            _, self.height, self.width, self.channels = subject.pictures.shape
            self.classes, self.training = len(subject.classes), subject.training

    @property
    def latent(self) -> tuple[int, ...]:
        """The shape of one latent."""
        raise NotImplementedError(f"{type(self).__name__} has no latent")

    @property
    def floats(self) -> int:
        """How many numbers are stored for a picture."""
        return math.prod(self.latent)

    def encode(self, images: Tensor, p: Params) -> Tensor:
        """Latents [N, *latent] of pictures [N, channels, height, width] in 0 to 1."""
        raise NotImplementedError(f"{type(self).__name__} has no encode")

    def decode(self, latents: Tensor, p: Params, labels: Tensor) -> Tensor:
        """Pictures [N, channels, height, width] of latents [N, *latent]; about 0 to 1.

        `labels` are the pictures' classes, int64 [N], for codecs that want to know; -1 where
        unknown.
        """
        raise NotImplementedError(f"{type(self).__name__} has no decode")

    def solve(self, pieces: Iterable[Tensor]) -> dict[str, Tensor]:
        """The best parameters in closed form, for the engine `solve`.

        `pieces` are the pictures to learn from, some [n, channels, height, width] at a time.
        """
        raise NotImplementedError

    def truncated(self, tensors: Mapping[str, Tensor], components: int) -> dict[str, Tensor]:
        """The same parameters with the first `components` of `size_option` components alone."""
        raise NotImplementedError

    @property
    def components(self) -> int:
        """The value of the option that `size_option` names; 1 without one."""
        value: Any = getattr(self.options, self.size_option) if self.size_option else None
        return int(value or 1)

    def tensor_shape(self, param: Param, count: int) -> tuple[int, ...]:
        """The shape the parameter was declared with."""
        return param.shape

    def count_of(self, drawing: Drawing) -> int:
        """A codec is one part."""
        return 1
