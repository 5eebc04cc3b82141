"""An autoencoder whose decoder is told the class of the picture.

The latent then need not say which digit it is, only how it is written: the same latent under
another label is another digit in the same hand.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen import Params, UsageError
from artgen_plugins.autoencoder import Autoencoder


class Conditional(Autoencoder):
    """An autoencoder with labels."""

    @property
    def conditions(self) -> int:
        """One per class. Raises UsageError where none are known."""
        if not self.classes:
            raise UsageError(
                "conditional needs a set with labels",
                hint="use -p autoencoder, or a folder with a subfolder for each class",
            )
        return self.classes

    def decode(self, latents: Tensor, p: Params, labels: Tensor) -> Tensor:
        """Pictures of latents and classes."""
        known = F.one_hot(labels.clamp_min(0), self.classes).to(latents.dtype)
        return super().decode(torch.cat([latents, known], 1), p, labels)
