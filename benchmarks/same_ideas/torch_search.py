"""Gaussians in plain torch, changed at random; what is better is kept."""

import torch
from PIL import Image


def initial(target, count, rng):
    height, width = target.shape[1:]
    m = min(height, width)
    place = torch.rand(2, count, generator=rng)
    column, row = (place[0] * width).long(), (place[1] * height).long()
    xy = torch.stack([2 * place[0] * width - width, 2 * place[1] * height - height]) / m
    spacing = (4 * height * width / m**2 / count) ** 0.5
    return {
        "xy": xy,
        "size": torch.full((2, count), 0.4 * spacing),
        "angle": 3.14 * torch.rand(count, generator=rng),
        "colour": 0.7 * target[:, row, column],
    }


def draw(p, height, width):
    m = min(height, width)
    y = (2 * torch.arange(height) + 1 - height) / m
    x = (2 * torch.arange(width) + 1 - width) / m
    dx = x[None, None, :] - p["xy"][0][:, None, None]
    dy = y[None, :, None] - p["xy"][1][:, None, None]
    c, s = p["angle"].cos()[:, None, None], p["angle"].sin()[:, None, None]
    along, across = p["size"][:, :, None, None]
    u, v = (c * dx + s * dy) / along, (c * dy - s * dx) / across
    return torch.einsum("nhw,cn->chw", torch.exp(-(u * u + v * v) / 2), p["colour"])


@torch.no_grad()
def fit(target, count, steps, seed):
    rng = torch.Generator().manual_seed(seed)
    best = initial(target, count, rng)
    least = float((draw(best, *target.shape[1:]) - target).square().mean())
    for _ in range(steps):
        changed = {name: value.clone() for name, value in best.items()}
        part = int(torch.randint(count, (), generator=rng))
        for value in changed.values():
            noise = torch.randn(value[..., part].shape, generator=rng)
            value[..., part] += 0.2 * noise * value[..., part].abs().clamp_min(0.1)
        loss = float((draw(changed, *target.shape[1:]) - target).square().mean())
        if loss < least:
            best, least = changed, loss
    return draw(best, *target.shape[1:])


def save(image, path):
    pixels = (255 * image.clamp(0, 1)).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(path)
