"""An autoencoder: one network maps pictures to a few numbers, another one maps them back.

The convolutional one, `lossy`, sees 28×28 pixels as 26, 13, 11, 5, 3 and 1, and makes of its latent
1, 3, 7, 13, 22, 26 and 28 pixels again. Pictures of other sizes go through as many halvings as they
allow, and unfold in the same proportions. The dense one, `lossless`, has layers as wide as there
are pixels, and saves nothing. Both are those of an article on compressing MNIST, layer by layer:
239,641 parameters with a latent of 32, and 2,464,896. Weights begin so that every layer hands on
values of the same spread (He, Zhang, Ren and Sun 2015): with ten layers that saves epochs. The
convolutional network begins with outputs about as bright as the pictures are.

The schedule `short` is a one-cycle of fifteen epochs (Smith and Topin 2017), minutes on a laptop;
`published` is that of the article: 300 epochs over five times as many pictures, four of five of
them moved.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen import Canvas, Codec, Param, Params, init, nn, option
from artgen.errors import UsageError
from artgen_plugins._presets import read_presets

RATE = 1e-3
"""The learning rate of all parameters."""
SLOPE = 0.25
"""The initial slope for negative values."""

SIDE = 28
SIDES = (1, 3, 7, 13, 22, 26, SIDE)
"""Sides of the outputs of the decoder's layers, for pictures of 28 pixels."""
UNFOLDED = (32, 16, 16, 8)
"""Channels of the decoder between the latent's own and the picture's."""
FOLDED = (64, 128, 64)
"""Channels of the encoder."""

DARKEST = 0.01
"""The least brightness to start from; below it the sigmoid has hardly a gradient."""

BATCH, EPOCHS, LEAST_STEPS = 100, 15, 1500
PUBLISHED_EPOCHS, COPIES, DECAY = 300, 5, 0.98


class Autoencoder(Codec):
    """An encoder and a decoder learned together."""

    @dataclass(frozen=True)
    class Options:
        """Options of `autoencoder`."""

        network: Literal["convolutional", "dense"] = option("convolutional", "kind of layers")
        latent: int | None = option(
            None,
            "size of the latent; default 32, for network=dense the number of pixels",
            low=1,
            high=2**24,
        )
        width: float = option(
            1.0, "factor on the channels of network=convolutional", low=0.05, high=8
        )
        hidden: int | None = option(
            None,
            "neurons of the inner layers of network=dense; default the number of pixels",
            low=1,
            high=65536,
        )
        schedule: Literal["short", "published"] = option("short", "training schedule")
        brightness: float | None = option(
            None,
            "brightness that network=convolutional starts from; default that of the pictures",
            low=DARKEST,
            high=1 - DARKEST,
        )

    size_option = "latent"
    presets = read_presets("autoencoder")

    def resolve_options(self, canvas: Canvas) -> None:
        """Set the size of the latent and the first brightness from the pictures."""
        pixels = self.channels * self.height * self.width
        usual = 32 if self.options.network == "convolutional" else pixels
        bright = min(max(round(self.brightness, 3), DARKEST), 1 - DARKEST)
        self.options = replace(
            self.options,
            latent=self.options.latent or usual,
            brightness=self.options.brightness or bright,
        )

    def suggested_stage(self) -> dict[str, Any]:
        """Batches of 100, Adam at 1e-3 with a decay of 1e-9; steps by the number of pictures."""
        epoch = math.ceil(self.training / BATCH)
        stage = {
            "batch": BATCH,
            "beta2": 0.999,
            "epsilon": 1e-8,
            "weight_decay": 1e-9,
            "warmup": 0,
        }
        if self.options.schedule == "published":
            return {
                **stage,
                "steps": PUBLISHED_EPOCHS * COPIES * epoch,
                "schedule": "exponential",
                "decay": DECAY ** (1 / (COPIES * epoch)),
                "augment": (COPIES - 1) / COPIES,
            }
        steps = max(LEAST_STEPS, EPOCHS * epoch)
        return {**stage, "steps": steps, "schedule": "one-cycle", "rate": 2.0, "final": 1e-3}

    @property
    def latent(self) -> tuple[int, ...]:
        """Return the shape of a latent, [latent]."""
        return (self.options.latent or 32,)

    # ---- the layers ------------------------------------------------------------------------------

    @property
    def folds(self) -> list[tuple[int, int]]:
        """The height and width before each halving: three, or as many as the picture allows."""
        sizes = [(self.height, self.width)]
        while len(sizes) <= len(FOLDED) and min(sizes[-1]) >= 4:
            sizes.append(((sizes[-1][0] - 2) // 2, (sizes[-1][1] - 2) // 2))
        if len(sizes) == 1:
            raise UsageError(
                f"autoencoder cannot fold pictures of {self.width}x{self.height} pixels",
                hint="use --set network=dense, or pictures of at least 4x4",
            )
        return sizes

    @property
    def unfolds(self) -> list[tuple[int, int]]:
        """The height and width after each layer of the decoder, from 1 to those of the picture."""
        return [
            (max(1, round(side * self.height / SIDE)), max(1, round(side * self.width / SIDE)))
            for side in SIDES[1:]
        ]

    @property
    def codes(self) -> int:
        """The number of outputs of the encoder."""
        return self.latent[0]

    @property
    def conditions(self) -> int:
        """The number of inputs of the decoder besides the latent."""
        return 0

    def layers(self) -> Iterator[tuple[str, tuple[int, ...], float, int, int | None]]:
        """Name, shape of the weight, inputs of a value, biases and slopes of every layer, in order.

        A value of a transposed convolution has as many inputs as there are on average: at the edges
        there are fewer.
        """
        (inner,) = self.latent
        codes = self.codes
        # What is not the latent itself, such as a mean and a variance, is linear.
        bent = codes if codes == inner else None
        pixels = self.channels * self.height * self.width
        if self.options.network == "dense":
            wide = self.options.hidden or pixels
            into, out = (pixels, wide, codes), (inner + self.conditions, wide, pixels)
            for half, widths in {"encode": into, "decode": out}.items():
                for i, (before, after) in enumerate(pairwise(widths)):
                    slopes = bent if (half, i) == ("encode", 1) else after
                    yield f"{half}{i}", (after, before), before, after, slopes
            return
        folds = self.folds
        folded = [self.channels, *(self._scaled(c) for c in FOLDED[: len(folds) - 1])]
        for i, (before, after) in enumerate(pairwise(folded)):
            yield f"encode{i}", (after, before, 3, 3), 9 * before, after, after
        size = folded[-1], *folds[-1]
        yield f"encode{len(folds) - 1}", (codes, *size), math.prod(size), codes, bent
        unfolded = [inner + self.conditions, inner, *map(self._scaled, UNFOLDED), self.channels]
        sizes = pairwise([(1, 1), *self.unfolds])
        for i, ((before, after), (small, large)) in enumerate(
            zip(pairwise(unfolded), sizes, strict=True)
        ):
            kernel = (large[0] - small[0] + 1, large[1] - small[1] + 1)
            slopes = after if i < len(UNFOLDED) + 1 else None
            share = math.prod(small) * math.prod(kernel) / math.prod(large)
            yield f"decode{i}", (before, after, *kernel), before * share, after, slopes

    def _scaled(self, channels: int) -> int:
        return max(1, round(channels * float(self.options.width)))

    @property
    def params(self) -> Mapping[str, Param]:
        """`encode0_weight` and so on: a weight, a bias and mostly the slopes of each layer."""
        params = {}
        bright = self.options.brightness or 0.5
        logit = math.log(bright / (1 - bright))
        for name, shape, inputs, biases, slopes in self.layers():
            bound = math.sqrt(6 / (inputs * (1 + SLOPE**2)))
            params[f"{name}_weight"] = Param(*shape, init=init.uniform(-bound, bound), lr=RATE)
            # The bias before the sigmoid, unless a PReLU is between them. Starting from mid-gray,
            # dark pictures may drive all outputs to black, where the sigmoid has hardly a gradient.
            start = logit if slopes is None and name.startswith("decode") else 0.0
            params[f"{name}_bias"] = Param(biases, init=start, lr=RATE)
            if slopes is not None:
                params[f"{name}_slope"] = Param(slopes, init=init.constant(SLOPE), lr=RATE)
        return params

    def encode(self, images: Tensor, p: Params) -> Tensor:
        """Encode pictures as latents [N, latent]."""
        if self.options.network == "dense":
            value = images.flatten(1)
            for i in range(2):
                value = _layer(F.linear, value, p, f"encode{i}")
            return value
        value, last = images, len(self.folds) - 1
        for i in range(last):
            value = _layer(F.conv2d, value, p, f"encode{i}", halve=True)
        return _layer(F.conv2d, value, p, f"encode{last}").flatten(1)

    def decode(self, latents: Tensor, p: Params, labels: Tensor) -> Tensor:
        """Decode latents as pictures [N, channels, height, width], 0 to 1."""
        if self.options.network == "dense":
            value = latents
            for i in range(2):
                value = _layer(F.linear, value, p, f"decode{i}")
            value = value.view(-1, self.channels, self.height, self.width)
        else:
            value = latents[:, :, None, None]
            for i in range(len(SIDES) - 1):
                value = _layer(F.conv_transpose2d, value, p, f"decode{i}")
        # In float32: near black and white the sigmoid has finer steps than bfloat16.
        return torch.sigmoid(value.float())


def _layer(
    operation: Callable[..., Tensor], value: Tensor, p: Params, name: str, halve: bool = False
) -> Tensor:
    """Apply weight and bias, then the slope for negative values if the layer has one."""
    value = operation(value, getattr(p, f"{name}_weight"), getattr(p, f"{name}_bias"))
    slope = vars(p).get(f"{name}_slope")
    return value if slope is None else nn.prelu(value, slope, halve=halve)
