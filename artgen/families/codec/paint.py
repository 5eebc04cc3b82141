"""Codecs on many pictures: some at a time in float32, or differentiably in any arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from artgen.base.errors import PluginError, memory_errors
from artgen.families.codec.contract import Codec
from artgen.primitives import Arithmetic, Params
from artgen.raster import reconstruct
from artgen.values.examples import PICTURE_PIECE, Examples

_too_large = memory_errors(
    "the pictures need more memory than there is", "use smaller pictures, or fewer"
)


@_too_large
@torch.no_grad()
def encode(codec: Codec, tensors: Mapping[str, Tensor], examples: Examples) -> Tensor:
    """The latents of the pictures, [N, *latent], on the CPU. Raises OutOfMemory."""
    p = Params(tensors)
    return torch.cat([codec.encode(images, p).cpu() for images, _ in _pieces(examples, tensors)])


@_too_large
@torch.no_grad()
def decode(codec: Codec, tensors: Mapping[str, Tensor], latents: Tensor, labels: Tensor) -> Tensor:
    """The pictures of latents [N, *latent], float32 [N, channels, h, w]. Raises OutOfMemory."""
    p, device = Params(tensors), _device(tensors)
    pieces = zip(*(torch.split(each, PICTURE_PIECE) for each in (latents, labels)), strict=True)
    return torch.cat(
        [codec.decode(some.to(device), p, kinds.to(device)).cpu() for some, kinds in pieces]
    )


@reconstruct.register(Codec)
@_too_large
@torch.no_grad()
def _reconstruct(codec: Codec, tensors: Mapping[str, Tensor], examples: Examples) -> Tensor:
    """Encode and decode, some pictures at a time."""
    p = Params(tensors)
    pieces = _pieces(examples, tensors)
    return torch.cat(
        [codec.decode(codec.encode(some, p), p, kinds).cpu() for some, kinds in pieces]
    )


def pass_through(
    codec: Codec,
    tensors: Mapping[str, Tensor],
    images: Tensor,
    labels: Tensor,
    arithmetic: Arithmetic,
    rng: torch.Generator,
) -> tuple[Tensor, Tensor | None]:
    """The pictures [N, channels, h, w] after the codec in a step, and its term of the loss.

    Both are differentiable. Products may be computed in bfloat16; the results are float32. Raises
    PluginError where the term is not a scalar.
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
        latents, term = codec.penalty(_channels_last(images), p, rng)
        outputs = codec.decode(latents, p, labels).float()
    if term is None:
        return outputs, None
    if not isinstance(term, Tensor) or term.ndim:
        found = f"shape {list(term.shape)}" if isinstance(term, Tensor) else type(term).__name__
        raise PluginError(
            f"penalty of {type(codec).__name__} gave a term of {found}, not a scalar tensor",
            hint="return the latents and a mean or sum over all of them",
        )
    return outputs, term.float()


def _pieces(examples: Examples, tensors: Mapping[str, Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    device = _device(tensors)
    for start in range(0, len(examples.images), PICTURE_PIECE):
        images, labels = examples.piece(start, start + PICTURE_PIECE)
        yield _channels_last(images.to(device)), labels.to(device)


def _channels_last(images: Tensor) -> Tensor:
    """The same with the channels of a pixel side by side: the order that is convolved fastest."""
    # Of a single channel `contiguous` would keep strides that do not show where channels are.
    return torch.empty_like(images, memory_format=torch.channels_last).copy_(images)


def _device(tensors: Mapping[str, Tensor]) -> torch.device:
    return next(iter(tensors.values())).device if tensors else torch.device("cpu")
