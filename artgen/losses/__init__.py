"""Losses: what a fit minimises, per pixel or by structure, and weighted mixtures of losses.

A loss is a function ``(image, target, weight) -> scalar``:

- `image`, `target`: float32 or float64 [3, height, width], sRGB-encoded, 1.0 = 255. The image may
  leave 0..1, and even be negative. Losses that are marked by `for_targets` also take samples of a
  curve and labelled points, as [outputs, 1, M], and pictures of a set, as [N, channels, height,
  width].
- `weight`: [height, width], at least 0, or None for all ones. Means are sum(w·e) / sum(w), so a
  pixel of weight 0 has no effect and no gradient. If all weights are 0, the loss is 0.

A loss of pictures is 0 for equal ones. Values and gradients are finite everywhere. `parse_loss`
reads a mixture such as ``l1+0.1*ssim``.

Names are imported when they are first used: `parse_terms` needs no torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
