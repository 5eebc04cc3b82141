"""Each picture as a matrix of low rank.

The singular value decomposition writes a matrix as a sum of outer products of columns and rows. The
first `rank` of them are the closest matrix of that rank (Eckart and Young 1936). Nothing is shared
between pictures: each stores `rank` columns, rows and singular values, which for 28×28 pixels is 57
numbers per rank, and no less than the pixels themselves from rank 14 on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from artgen import Codec, Param, Params, option
from artgen.errors import UsageError

LARGEST = 1_000_000
"""The most numbers that are stored for a picture: hundreds of pictures are looked at together."""


class SVD(Codec):
    """A truncated singular value decomposition of each channel."""

    @dataclass(frozen=True)
    class Options:
        """Options of `svd`."""

        rank: int = option(5, "number of singular values to keep", low=1, high=4096)

    engines = ("solve",)
    size_option = "rank"

    @property
    def latent(self) -> tuple[int, ...]:
        """The shape of a latent: a column, a row and a singular value per channel and rank."""
        return (self.channels, self.options.rank, self.height + self.width + 1)

    @property
    def params(self) -> Mapping[str, Param]:
        """`spectrum` [rank], the mean singular values; those that are not 0 are kept."""
        return {"spectrum": Param(self.options.rank, init=1.0, lr=0.0)}

    def encode(self, images: Tensor, p: Params) -> Tensor:
        """Find the largest singular values with their columns and rows."""
        columns, values, rows = torch.linalg.svd(images, full_matrices=False)
        rank = min(self.options.rank, values.shape[2])
        kept = values[..., :rank] * (p.spectrum[:rank] > 0)
        parts = [columns[..., :rank].transpose(2, 3), rows[..., :rank, :], kept[..., None]]
        latents = torch.cat(parts, 3)
        # A rank above the picture's own adds nothing.
        return torch.nn.functional.pad(latents, (0, 0, 0, self.options.rank - rank))

    def decode(self, latents: Tensor, p: Params, labels: Tensor) -> Tensor:
        """Sum the outer products."""
        columns, rows, values = torch.split(latents, [self.height, self.width, 1], 3)
        return torch.matmul((columns * values).transpose(2, 3), rows)

    def solve(self, pieces: Iterable[Tensor]) -> dict[str, Tensor]:
        """Average the singular values of the first training pictures; nothing else is learned."""
        if self.floats > LARGEST:
            raise UsageError(
                f"svd would store {self.floats:,} numbers for each picture, at most {LARGEST:,}",
                hint="use a smaller --count",
            )
        values = torch.linalg.svdvals(next(iter(pieces))).mean((0, 1)).cpu()
        spectrum = torch.zeros(self.options.rank)
        rank = min(len(values), len(spectrum))
        # A value that is 0 in all pictures counts as kept too.
        spectrum[:rank] = values[:rank].clamp_min(1e-12)
        return {"spectrum": spectrum}

    def truncated(self, tensors: Mapping[str, Tensor], components: int) -> dict[str, Tensor]:
        """Replace later singular values by zeros."""
        spectrum = tensors["spectrum"].clone()
        spectrum[components:] = 0
        return {"spectrum": spectrum}
