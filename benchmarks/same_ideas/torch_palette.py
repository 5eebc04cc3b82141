"""Gaussians in plain torch, fitted to a picture in the colours of a palette."""

import torch
from PIL import Image

PALETTE = torch.tensor([[0.1, 0.1, 0.2], [0.9, 0.8, 0.6], [0.7, 0.3, 0.2], [0.3, 0.5, 0.6]])


def initial(target, count, seed):
    rng = torch.Generator().manual_seed(seed)
    height, width = target.shape[1:]
    m = min(height, width)
    place = torch.rand(2, count, generator=rng)
    column, row = (place[0] * width).long(), (place[1] * height).long()
    xy = torch.stack([2 * place[0] * width - width, 2 * place[1] * height - height]) / m
    spacing = (4 * height * width / m**2 / count) ** 0.5
    return {
        "xy": xy,
        "size": torch.full((2, count), 0.4 * spacing).log(),
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
    along, across = p["size"].exp()[:, :, None, None]
    u, v = (c * dx + s * dy) / along, (c * dy - s * dx) / across
    return torch.einsum("nhw,cn->chw", torch.exp(-(u * u + v * v) / 2), p["colour"])


def palette(image, target):
    distance = (image[:, None] - PALETTE.T[:, :, None, None]).square().sum(0).amin(0)
    return ((image - target).square().sum(0) + 0.3 * distance).mean()


def fit(target, count, steps, seed):
    p = {name: value.requires_grad_() for name, value in initial(target, count, seed).items()}
    rates = {"xy": 0.02, "size": 0.1, "angle": 0.1, "colour": 0.05}
    adam = torch.optim.Adam([{"params": [p[name]], "lr": rates[name]} for name in p])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    for _ in range(steps):
        adam.zero_grad()
        palette(draw(p, *target.shape[1:]), target).backward()
        adam.step()
        schedule.step()
    return draw({name: value.detach() for name, value in p.items()}, *target.shape[1:])


def save(image, path):
    pixels = (255 * image.clamp(0, 1)).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(path)
