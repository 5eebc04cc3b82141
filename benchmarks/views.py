"""Two pictures in one drawing, and how else two pictures could be put into one.

Beside a drawing of Gaussians stand two plain ways, with all pixels free: the mean of the pictures
that show one of the goals each, and their pixels interleaved like a chessboard, in squares of two.
The contrast of a view is what is left of that of its goal, the covariance of both divided by the
variance of the goal; what is seen besides, as a share of that contrast, is its noise. Of the views
of a pair the worse one counts.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from artgen.losses.metrics import decibels
from artgen.losses.views import View, Views
from artgen.recipe import Recipe
from artgen.registry import default
from artgen.runs import run as run_recipe
from artgen.targets import Source, TargetRequest, open_source
from artgen.values.frame import Frame
from benchmarks._report import Table, figure
from benchmarks._settings import Settings

SIZE, COUNT, STEPS = 128, 2000, 250

PAIRS = {
    "turned": ("plain", "profile", "turn=180", "cat"),
    "mirrored": ("plain", "camera", "mirror", "profile"),
    "negative": ("plain", "cat", "invert", "profile"),
    "near and far": ("blur=0.03", "profile", "fine=0.015", "camera"),
    "glasses": ("glass=red", "cat", "glass=cyan", "astronaut"),
    "slats": ("slats=left", "profile", "slats=right", "cat"),
    "foil": ("foil=1/2", "profile", "foil=2/2", "cat"),
    "floor": ("plain", "dunes", "floor=3", "cat"),
    "cylinder": ("plain", "dunes", "cylinder=0.15", "cat"),
}
"""How a drawing is seen, and what shall be seen, twice."""


def goal(name: str, size: int) -> Tensor:
    """A square picture [3, size, size]."""
    request = TargetRequest(size=size, frame=Frame(aspect=(1, 1)), background=(1.0, 1.0, 1.0))
    return open_source(Source.parse(f"sample:{name}"), default(), request).tensors().goal


def measures(views: Views, picture: Tensor) -> tuple[float, float, float]:
    """The least contrast, the largest noise, and the least PSNR of the views of a picture."""
    found = []
    for view in views.views:
        seen = view.sight.see(picture.clamp(0, 1))
        wanted = view.wanted(seen)
        flat, aim = seen - seen.mean(), wanted - wanted.mean()
        contrast = float((flat * aim).mean() / aim.square().mean())
        noise = float((flat - contrast * aim).square().mean() / aim.square().mean()) ** 0.5
        error = decibels(float((seen - wanted).square().mean()))
        found.append((contrast, noise / max(abs(contrast), 1e-3), error))
    contrasts, noises, errors = zip(*found, strict=True)
    return min(contrasts), max(noises), min(errors)


def plain_ways(views: Views, size: int) -> Iterator[tuple[str, Tensor]]:
    """The mean of pictures that show one goal each, and those pictures interleaved."""
    ground = torch.full((3, size, size), 0.5)
    one, other = (Views((view,), views.base).nearest(ground) for view in views.views)
    yield "mean of the two", (one + other) / 2
    y, x = torch.meshgrid(torch.arange(size) // 2, torch.arange(size) // 2, indexing="ij")
    yield "interleaved", torch.where((y + x) % 2 == 0, one, other)


def fitted(pair: tuple[str, str, str, str], count: int, steps: int, size: int) -> Tensor:
    """The picture that artgen makes."""
    how, first, other, second = pair
    views = [{"how": other, "target": f"sample:{second}"}]
    if how != "plain":
        views.insert(0, {"how": how})
    asked = {
        "seed": 1,
        "target": {"source": f"sample:{first}", "size": size, "aspect": "1:1"},
        "view": views,
        "primitive": {"name": "gaussian", "count": count},
        "stage": [{"engine": "gradient", "steps": steps}],
        "output": {"video": False, "history": 0},
    }
    art = run_recipe(Recipe.from_dict(asked), default()).art
    assert art is not None
    return torch.from_numpy(art.render().copy()).permute(2, 0, 1) / 255


def run(settings: Settings) -> Iterator[Table]:
    size, count, steps = (48, 60, 4) if settings.quick else (SIZE, COUNT, STEPS)
    pairs = dict(list(PAIRS.items())[:2]) if settings.quick else PAIRS
    rows = []
    for name, (how, first, other, second) in pairs.items():
        goals = View(how, goal(first, size)), View(other, goal(second, size))
        views = Views(goals, lambda image, target, weight: (image - target).square().mean())
        pictures = dict(plain_ways(views, size))
        pictures["artgen"] = fitted((how, first, other, second), count, steps, size)
        for way, picture in pictures.items():
            contrast, noise, error = measures(views, picture)
            rows.append((f"{name}, {way}", f"{contrast:.2f}", f"{noise:.2f}", figure(error)))
    columns = ("views, way", "contrast", "noise", "PSNR in dB")
    note = f"{size} x {size} pixels; artgen: {count} Gaussians, {steps} steps."
    yield Table("Views beside plain ways", columns, rows, note)
