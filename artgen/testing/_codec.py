"""Checks of codecs: latents and pictures as declared, each picture on its own."""

from __future__ import annotations

from typing import cast

import torch

from artgen.primitives import Codec, Params
from artgen.raster import kept_examples
from artgen.testing._judging import Failed
from artgen.testing._subject import Subject

__all__ = ["pictures"]


def pictures(subject: Subject) -> str:
    """Latents have the declared shape, pictures come back in theirs, each on its own.

    Treat the rows of `images` and `latents` one by one: no mean or norm over them.
    """
    assert subject.sample is not None
    floats = set()
    for variant in subject.variants:
        primitive, made = subject.drawing(variant)
        codec, p = cast(Codec, primitive), Params(made.tensors)
        images, labels = kept_examples(subject.sample).piece(0, 5)
        latents = codec.encode(images, p)
        title = subject.label(variant)
        _same_shape(f"{title}: encode", latents, (len(images), *codec.latent))
        outputs = codec.decode(latents, p, labels)
        _same_shape(f"{title}: decode", outputs, tuple(images.shape))
        for name, together, alone in (
            ("encode", latents, codec.encode(images[1:2], p)),
            ("decode", outputs, codec.decode(latents[1:2], p, labels[1:2])),
        ):
            gap = float((together[1:2] - alone).abs().max())
            if not gap <= 1e-4 * max(1.0, float(together.abs().max())):
                raise Failed(
                    f"{title}: {name} of a picture differs beside others, by up to {gap:.3g}"
                )
        floats.add(codec.floats)
    return f"numbers per picture: {', '.join(map(str, sorted(floats)))}"


def _same_shape(what: str, found: torch.Tensor, expected: tuple[int, ...]) -> None:
    if tuple(found.shape) != expected:
        raise Failed(f"{what} gives {list(found.shape)}, not {list(expected)}")
