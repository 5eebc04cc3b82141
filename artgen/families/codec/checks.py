"""Checks of codecs: shapes of latents and pictures, independence of pictures."""

from __future__ import annotations

from typing import cast

import torch

from artgen.families.codec.contract import Codec
from artgen.primitives import Params
from artgen.testing.candidate import Candidate
from artgen.testing.families import CHECKS, FIRST, THEN
from artgen.testing.run_checks import Failed
from artgen.values.examples import kept_examples


def pictures(candidate: Candidate) -> str:
    """Latents and decoded pictures have the right shape, and each depends on one picture only.

    Treat the rows of `images` and `latents` independently: no mean or norm over them.
    """
    assert candidate.sample is not None
    floats = set()
    for variant in candidate.variants:
        primitive, made = candidate.drawing(variant)
        codec, p = cast(Codec, primitive), Params(made.tensors)
        images, labels = kept_examples(candidate.sample).piece(0, 5)
        latents = codec.encode(images, p)
        title = candidate.label(variant)
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
                    f"{title}: {name} of a picture changes by up to {gap:.3g} beside others"
                )
        floats.add(codec.floats)
    return f"numbers per picture: {', '.join(map(str, sorted(floats)))}"


def _same_shape(what: str, found: torch.Tensor, expected: tuple[int, ...]) -> None:
    if tuple(found.shape) != expected:
        raise Failed(f"{what} gives {list(found.shape)}, expected {list(expected)}")


CHECKS[Codec] = (*FIRST, *THEN, pictures)
