"""Codec: an encoder and a decoder for the pictures of a set.

A codec encodes each picture as a *latent*, a few numbers, and decodes it from them. Points between
two latents decode to pictures too. A plugin defines the shape of a latent, `encode` and `decode`::

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
from typing import Any, ClassVar

import torch
from torch import Tensor

from artgen.primitives.params import Params
from artgen.primitives.primitive import Arithmetic, Primitive
from artgen.values.subject import ImageSet, Subject, TargetKind


class Codec(Primitive):
    """An encoder and a decoder; its parameters have no instance axis.

    `channels` (1 for gray, 3 for RGB), `height` and `width` are those of the set's pictures,
    `classes` is how many kinds of pictures are known, `training` how many pictures there are to
    learn from, and `brightness` the mean of the subject's pictures, 0 to 1. They are set before
    options, `latent` and `params` are asked for; until then they are those of MNIST.

    A codec has no count: `--count` sets the option that `size_option` names, how much a latent
    holds. For the engine `gradient`, `encode` and `decode` are differentiable in the parameters;
    for the engine `solve` there are `solve` and `truncated`.
    """

    family: ClassVar[str] = "codec"
    answers: ClassVar[str | None] = __package__
    required: ClassVar[tuple[str, ...]] = ("latent", "encode", "decode")
    arithmetics: ClassVar[tuple[Arithmetic, ...]] = ("fp32", "bf16")
    count_is_size: ClassVar[bool] = True
    targets: ClassVar[tuple[TargetKind, ...]] = ("set",)
    has_count: ClassVar[bool] = False
    keeps_trajectory: ClassVar[bool] = False
    unrepeated: ClassVar[str | None] = "it has no parts"
    channels: int = 1
    height: int = 28
    width: int = 28
    classes: int = 10
    training: int = 60_000
    brightness: float = 0.13

    def take(self, subject: Subject | None) -> None:
        """Set the size, classes and brightness of the pictures."""
        if isinstance(subject, ImageSet):
            _, self.height, self.width, self.channels = subject.pictures.shape
            self.classes, self.training = len(subject.classes), subject.training
            self.brightness = float(subject.pictures.mean()) / 255

    @property
    def latent(self) -> tuple[int, ...]:
        """The shape of one latent."""
        raise NotImplementedError(f"{type(self).__name__} has no latent")

    @property
    def floats(self) -> int:
        """The number of values stored per picture."""
        return math.prod(self.latent)

    def encode(self, images: Tensor, p: Params) -> Tensor:
        """Encode pictures [N, channels, height, width], 0 to 1, as latents [N, *latent]."""
        raise NotImplementedError(f"{type(self).__name__} has no encode")

    def decode(self, latents: Tensor, p: Params, labels: Tensor) -> Tensor:
        """Decode latents [N, *latent] as pictures [N, channels, height, width], about 0 to 1.

        `labels` are the classes of the pictures, int64 [N], -1 where unknown.
        """
        raise NotImplementedError(f"{type(self).__name__} has no decode")

    def penalty(
        self, images: Tensor, p: Params, rng: torch.Generator
    ) -> tuple[Tensor, Tensor | None]:
        """Return latents [N, *latent] for a step to decode, and a term that is added to its loss.

        The term is a scalar, such as a KL divergence or the sparsity of the latents; None adds
        nothing. Latents may be drawn at random by `rng`, on the device of `images`. Only steps of
        the engine `gradient` call this: pictures are evaluated and drawn through `encode`.
        """
        return self.encode(images, p), None

    @property
    def components(self) -> int:
        """The value of the option that `size_option` names; 1 without one."""
        value: Any = getattr(self.options, self.size_option) if self.size_option else None
        return int(value or 1)
