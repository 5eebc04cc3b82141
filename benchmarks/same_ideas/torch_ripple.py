"""Ripples in plain torch: every splat at every pixel, fitted by Adam."""

import torch
from PIL import Image


def grid(height, width):
    m = min(height, width)
    y = (2 * torch.arange(height) + 1 - height) / m
    x = (2 * torch.arange(width) + 1 - width) / m
    return x, y


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
        "size": torch.full((count,), 0.6 * spacing).log(),
        "rings": torch.full((count,), 1.5),
        "colour": 0.7 * target[:, row, column],
    }


def draw(p, height, width):
    x, y = grid(height, width)
    dx = x[None, None, :] - p["xy"][0][:, None, None]
    dy = y[None, :, None] - p["xy"][1][:, None, None]
    square = (dx * dx + dy * dy) / (2 * p["size"]).exp()[:, None, None]
    weight = torch.exp(-square) * torch.cos(p["rings"][:, None, None] * torch.sqrt(square + 1e-6))
    return torch.einsum("nhw,cn->chw", weight, p["colour"])


def fit(target, count, steps, seed):
    p = {name: value.requires_grad_() for name, value in initial(target, count, seed).items()}
    rates = {"xy": 0.02, "size": 0.05, "rings": 0.05, "colour": 0.05}
    adam = torch.optim.Adam([{"params": [p[name]], "lr": rates[name]} for name in p])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    for _ in range(steps):
        adam.zero_grad()
        loss = (draw(p, *target.shape[1:]) - target).square().mean()
        loss.backward()
        adam.step()
        schedule.step()
    return draw({name: value.detach() for name, value in p.items()}, *target.shape[1:])


def save(image, path):
    pixels = (255 * image.clamp(0, 1)).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(path)
