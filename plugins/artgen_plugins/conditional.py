"""An autoencoder whose decoder also gets the class of the picture.

The latent holds only the style of a digit, not which digit it is: the same latent with another
label is another digit in the same handwriting.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen import Params
from artgen.errors import UsageError
from artgen_plugins.autoencoder import Autoencoder


class Conditional(Autoencoder):
    """An autoencoder with labels."""

    @property
    def conditions(self) -> int:
        """The number of classes. Raises UsageError if the set has no labels."""
        if not self.classes:
            raise UsageError(
                "conditional needs a set with labels",
                hint="use -p autoencoder, or a folder with all pictures in subfolders, the classes",
            )
        return self.classes

    def decode(self, latents: Tensor, p: Params, labels: Tensor) -> Tensor:
        """Decode latents and classes as pictures."""
        try:
            known = F.one_hot(labels.clamp_min(0), self.classes).to(latents.dtype)
        except RuntimeError:
            raise UsageError(
                f"conditional has learned {self.classes} classes, and the set has more",
                hint="name the set that it was fitted to, or one with the same classes",
            ) from None
        return super().decode(torch.cat([latents, known], 1), p, labels)
