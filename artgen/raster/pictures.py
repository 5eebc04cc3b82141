"""Codecs on many pictures: some at a time in float32, or differentiably in any arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.primitives import Arithmetic, Codec, Examples, Params
from artgen.raster._memory import memory_errors
from artgen.subject import ImageSet

__all__ = [
    "PICTURE_PIECE",
    "decode",
    "encode",
    "examples_from",
    "kept_examples",
    "pass_through",
    "reconstruct",
]

PICTURE_PIECE = 250
"""So many pictures at a time: more would not be faster."""

_COMPLAINT = "the pictures need more memory than there is"
_HINT = "use smaller pictures, or fewer"


def examples_from(pictures: NDArray[np.uint8], labels: NDArray[np.int64]) -> Examples:
    """Pictures [N, h, w, channels] and their classes [N], as codecs take them."""
    images = torch.from_numpy(np.array(pictures.transpose(0, 3, 1, 2), order="C"))
    return Examples(images, torch.from_numpy(np.array(labels)))


def kept_examples(subject: ImageSet) -> Examples:
    """The pictures that belong to a drawing."""
    return examples_from(subject.pictures, subject.labels)


@torch.no_grad()
def encode(codec: Codec, tensors: Mapping[str, Tensor], examples: Examples) -> Tensor:
    """The latents of the pictures, [N, *latent], on the CPU. Raises OutOfMemory."""
    p = Params(tensors)
    with memory_errors(_COMPLAINT, _HINT):
        pieces = [codec.encode(images, p).cpu() for images, _ in _pieces(examples, tensors)]
        return torch.cat(pieces)


@torch.no_grad()
def decode(codec: Codec, tensors: Mapping[str, Tensor], latents: Tensor, labels: Tensor) -> Tensor:
    """The pictures of latents [N, *latent], float32 [N, channels, h, w]. Raises OutOfMemory."""
    p, device = Params(tensors), _device(tensors)
    with memory_errors(_COMPLAINT, _HINT):
        split = torch.split
        pieces = zip(split(latents, PICTURE_PIECE), split(labels, PICTURE_PIECE), strict=True)
        return torch.cat(
            [codec.decode(some.to(device), p, kinds.to(device)).cpu() for some, kinds in pieces]
        )


@torch.no_grad()
def reconstruct(codec: Codec, tensors: Mapping[str, Tensor], examples: Examples) -> Tensor:
    """The pictures after the codec, float32 [N, channels, h, w] on the CPU. Raises OutOfMemory."""
    p = Params(tensors)
    with memory_errors(_COMPLAINT, _HINT):
        return torch.cat(
            [
                codec.decode(codec.encode(images, p), p, labels).cpu()
                for images, labels in _pieces(examples, tensors)
            ]
        )


def pass_through(
    codec: Codec,
    tensors: Mapping[str, Tensor],
    images: Tensor,
    labels: Tensor,
    arithmetic: Arithmetic,
) -> Tensor:
    """The pictures [N, channels, h, w] after the codec, differentiably: what a step learns from.

    Products may be computed in bfloat16; the result is float32.
    """
    last = torch.channels_last
    p = Params(
        {
            name: tensor.contiguous(memory_format=last) if tensor.dim() == 4 else tensor
            for name, tensor in tensors.items()
        }
    )
    device = images.device.type
    with torch.autocast(device, torch.bfloat16, enabled=arithmetic == "bf16"):
        return codec.decode(codec.encode(_channels_last(images), p), p, labels).float()


def _pieces(examples: Examples, tensors: Mapping[str, Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    device = _device(tensors)
    for start in range(0, len(examples.images), PICTURE_PIECE):
        images, labels = examples.piece(start, start + PICTURE_PIECE)
        yield _channels_last(images.to(device)), labels.to(device)


def _channels_last(images: Tensor) -> Tensor:
    """The same with the channels of a pixel side by side: the order that is convolved fastest."""
    # Of a single channel `contiguous` would keep strides that do not tell where channels are.
    return torch.empty_like(images, memory_format=torch.channels_last).copy_(images)


def _device(tensors: Mapping[str, Tensor]) -> torch.device:
    return next(iter(tensors.values())).device if tensors else torch.device("cpu")
