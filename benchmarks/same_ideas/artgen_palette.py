"""A loss that draws colours towards a palette."""

import torch

import artgen

PALETTE = torch.tensor([[0.1, 0.1, 0.2], [0.9, 0.8, 0.6], [0.7, 0.3, 0.2], [0.3, 0.5, 0.6]])


@artgen.losses.per_pixel
def palette(image, target, weight):
    distance = (image[:, None] - PALETTE.T[:, :, None, None]).square().sum(0).amin(0)
    error = (image - target).square().sum(0) + 0.3 * distance
    return error.mean() if weight is None else (error * weight).sum() / weight.sum()


@artgen.hookimpl
def artgen_losses():
    return [artgen.Spec("palette", "Likeness, in the colours of a palette.", palette)]
