"""Principal components: the few pictures whose mixtures come closest to all others.

A picture is stored as its weights of `rank` orthonormal pictures, on top of the mean of all. Of all
linear codecs of this size it has the least squared error over the training pictures
(Pearson 1901; Eckart and Young 1936).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen import Codec, Param, Params, init, option
from artgen.errors import UsageError

LARGEST = 3 * 64 * 64
"""The most values or pictures that are compared: their products and eigenvectors take 6 GB."""

SMALL = 2048
"""With fewer values, these are compared in a second: drawings keep the bytes they always had."""

NOTHING = 1e-12
"""Of the largest eigenvalue: with less, nothing is left but rounding."""


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
        """Find the eigenvectors of the covariance with the largest eigenvalues, in float64.

        Where pictures are large and few, they are mixtures of the pictures, with the weights of an
        eigenvector of the products of pictures, which are fewer numbers (Sirovich 1987).
        """
        size = self.channels * self.height * self.width
        many = 0 if size < SMALL else size
        rank, count, total = self.options.rank, 0, torch.zeros(size, dtype=torch.float64)
        kept: list[Tensor] = []
        products: Tensor | None = None
        for piece in pieces:
            # As float32, which holds them exactly: few large pictures are all kept.
            rows = piece.flatten(1).cpu()
            count += len(rows)
            total += rows.double().sum(0)
            kept.append(rows)
            if count < many:
                _check(count, "pictures")
                continue
            if products is None:
                _check(size, "values of a picture")
                products = torch.zeros(size, size, dtype=torch.float64)
            for each in kept:
                products += each.double().t() @ each.double()
            kept.clear()
        mean = total / count
        if products is None:
            rows = torch.cat(kept, out=torch.empty(count, size, dtype=torch.float64)).sub_(mean)
            kept.clear()
            values, vectors = torch.linalg.eigh(rows @ rows.t())
            there = values.flip(0)[:rank] > NOTHING * values[-1]
            largest = F.normalize(vectors.flip(1).t()[:rank][there] @ rows)
        else:
            _, vectors = torch.linalg.eigh(products.div_(count).sub_(mean.outer(mean)))
            largest = vectors.flip(1).t()[:rank]
        basis = torch.zeros(rank, size)
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


def _check(number: int, what: str) -> None:
    """Raise UsageError where there is too much to compare."""
    if number > LARGEST:
        raise UsageError(
            f"pca compares all {number:,} {what} with one another, at most {LARGEST:,}",
            hint="use fewer or smaller pictures, such as --size 64",
        )
