"""Principal components: the few pictures whose mixtures come closest to all others.

A picture is stored as its weights of `rank` orthonormal pictures, on top of the mean of all. Of all
linear codecs of this size it has the least squared error over the training pictures
(Pearson 1901; Eckart and Young 1936).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from artgen import Codec, Param, Params, init, option
from artgen.errors import UsageError

LARGEST = 3 * 64 * 64
"""The most values of a picture: the covariance and its eigenvectors take 6 GB."""


class PCA(Codec):
    """A mean picture, and a basis that all pictures share."""

    @dataclass(frozen=True)
    class Options:
        """Options of `pca`."""

        rank: int = option(
            32, "number of basis pictures, and of numbers per picture", low=1, high=4096
        )

    engines = ("solve",)
    size_option = "rank"

    @property
    def latent(self) -> tuple[int, ...]:
        """The shape of a latent: one weight per basis picture."""
        return (self.options.rank,)

    @property
    def params(self) -> Mapping[str, Param]:
        """`mean` [channels, height, width] and `basis` [rank, channels, height, width]."""
        shape = self.channels, self.height, self.width
        return {
            "mean": Param(*shape, init=init.constant(0.5), lr=0.0),
            "basis": Param(self.options.rank, *shape, lr=0.0),
        }

    def encode(self, images: Tensor, p: Params) -> Tensor:
        """Project the difference from the mean on each basis picture."""
        return (images - p.mean).flatten(1) @ p.basis.flatten(1).t()

    def decode(self, latents: Tensor, p: Params, labels: Tensor) -> Tensor:
        """Add the weighted basis pictures to the mean."""
        return p.mean + (latents @ p.basis.flatten(1)).view(-1, *p.mean.shape)

    def solve(self, pieces: Iterable[Tensor]) -> dict[str, Tensor]:
        """Find the eigenvectors of the covariance with the largest eigenvalues, in float64."""
        size = self.channels * self.height * self.width
        if size > LARGEST:
            raise UsageError(
                f"pca compares all {size:,} values of a picture with one another, at most "
                f"{LARGEST:,}",
                hint="use smaller pictures, such as --size 64",
            )
        count, total = 0, torch.zeros(size, dtype=torch.float64)
        products = torch.zeros(size, size, dtype=torch.float64)
        for piece in pieces:
            rows = piece.flatten(1).double().cpu()
            count += len(rows)
            total += rows.sum(0)
            products += rows.t() @ rows
        mean = total / count
        _, vectors = torch.linalg.eigh(products.div_(count).sub_(mean.outer(mean)))
        basis = torch.zeros(self.options.rank, size)
        largest = vectors.flip(1).t()[: self.options.rank]
        # A sign that does not depend on the library: the largest element is positive.
        peak = largest.gather(1, largest.abs().argmax(1, keepdim=True))
        basis[: len(largest)] = (largest * peak.sign()).float()
        shape = self.channels, self.height, self.width
        return {"mean": mean.float().view(shape), "basis": basis.view(-1, *shape)}

    def truncated(self, tensors: Mapping[str, Tensor], components: int) -> dict[str, Tensor]:
        """Replace later basis pictures by zeros."""
        basis = tensors["basis"].clone()
        basis[components:] = 0
        return {"mean": tensors["mean"], "basis": basis}
