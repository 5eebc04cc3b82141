"""A variational autoencoder: the latent of a picture is a distribution instead of a point.

The encoder gives the mean and the variance of a normal distribution (Kingma and Welling 2014). A
step decodes a sample of it, and adds to the loss how far the distribution is from the standard
normal one, the Kullback-Leibler divergence. So the latents of all pictures fill one round cloud
without gaps, and what lies between them decodes to pictures too. Evaluation uses the means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from artgen import Params, option
from artgen_plugins.autoencoder import Autoencoder


class VAE(Autoencoder):
    """An autoencoder whose latents are normally distributed."""

    @dataclass(frozen=True)
    class Options(Autoencoder.Options):
        """Options of `vae`."""

        beta: float = option(
            1.0, "weight of the divergence from the normal distribution", low=0, high=1000
        )

    def suggested_stage(self) -> dict[str, Any]:
        """Treat pixels as probabilities, so that a beta of 1 gives the evidence lower bound."""
        return {**super().suggested_stage(), "loss": "bce"}

    @property
    def codes(self) -> int:
        """Two outputs per number of the latent: its mean, and the logarithm of its variance."""
        return 2 * self.latent[0]

    def encode(self, images: Tensor, p: Params) -> Tensor:
        """Encode pictures as the means of their distributions [N, latent]."""
        return super().encode(images, p)[:, : self.latent[0]]

    def penalty(
        self, images: Tensor, p: Params, rng: torch.Generator
    ) -> tuple[Tensor, Tensor | None]:
        """Return samples of the distributions, and their divergence per pixel."""
        mean, spread = super().encode(images, p).float().chunk(2, 1)
        spread = spread.clamp(-12, 12)
        noise = torch.randn(mean.shape, generator=rng, device=mean.device)
        divergence = 0.5 * (mean.square() + spread.exp() - 1 - spread).sum(1).mean()
        pixels = self.channels * self.height * self.width
        return mean + torch.exp(spread / 2) * noise, self.options.beta * divergence / pixels
