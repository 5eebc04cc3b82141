"""Two pictures in one drawing, and how else two pictures could be put into one.

Beside a drawing of Gaussians stand two plain ways, with all pixels free: the mean of the pictures
that show one of the goals each, and their pixels interleaved like a chessboard, in squares of two.
The contrast of a view is what is left of that of its goal, the covariance of both divided by the
variance of the goal; what is seen besides, as a share of that contrast, is its noise. Of the views
of a drawing the worst one counts. Where a view shows some of the parts alone, `first` and
`without`, parts lie over one another; in poses, they are dots, shards or lines of foils. There the
plain ways show one picture in all views.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from artgen.losses.metrics import decibels
from artgen.losses.views import View, Views
from artgen.losses.ways import Sight
from artgen.recipe import Recipe
from artgen.registry import default
from artgen.runs import run as run_recipe
from artgen.targets import Source, TargetRequest, open_source
from artgen.values.frame import Frame
from benchmarks._report import Table, figure
from benchmarks._settings import Settings

SIZE, COUNT, STEPS = 128, 2000, 250

GOALS = {
    "turned": ("plain", "profile", "turn=180", "cat"),
    "mirrored": ("plain", "camera", "mirror", "profile"),
    "negative": ("plain", "cat", "invert", "profile"),
    "near and far": ("blur=0.03", "profile", "fine=0.015", "camera"),
    "glasses": ("glass=red", "cat", "glass=cyan", "astronaut"),
    "slats": ("slats=left", "profile", "slats=right", "cat"),
    "foil": ("foil=1/2", "profile", "foil=2/2", "cat"),
    "floor": ("plain", "dunes", "floor=3", "cat"),
    "cylinder": ("plain", "dunes", "cylinder=0.15", "cat"),
    "cone": ("plain", "dunes", "cone=0.15", "cat"),
    "fold": ("plain", "dunes", "fold=0.5", "cat"),
    "first": ("plain", "dunes", "first=0.5", "cat"),
    "without": ("plain", "dunes", "without=navy+slateblue+rosybrown", "horse"),
    "turned cloud": ("plain", "profile", "pose=90", "horse"),
    "moved shards": ("plain", "storm", "pose=1", "horse?dark=#101c22&light=#84908c"),
    "two foils": ("plain", "profile", "pose=1", "camera", "pose=-1", "dunes"),
}
"""How a drawing is seen and what shall be seen, for each view."""

PARTS: dict[str, dict[str, str | int]] = {
    "first": {"name": "gaussian", "blend": "over"},
    "without": {
        "name": "gaussian",
        "blend": "over",
        "spot_colours": "black,white,navy,slateblue,rosybrown",
    },
    "turned cloud": {"name": "cloud", "count": 4000},
    "moved shards": {"name": "shard", "count": 250},
    "two foils": {"name": "foils", "count": 2 * 128 * 116},
}
"""What parts a drawing has, where they are no plain Gaussians."""


def in_pairs(goals: tuple[str, ...]) -> list[tuple[str, str]]:
    """How a drawing is seen, and what shall be seen, view by view."""
    return list(zip(goals[::2], goals[1::2], strict=True))


def goal(name: str, how: str, size: int) -> Tensor:
    """A picture of the shape in which a square drawing is seen, [3, h, w]."""
    _, height, width = Sight.of(how).see(torch.zeros(3, size, size)).shape
    frame = Frame(aspect=(width, height))
    request = TargetRequest(size=max(width, height), frame=frame, background=(1.0, 1.0, 1.0))
    return open_source(Source.parse(f"sample:{name}"), default(), request).tensors().goal


def measures(views: Views, picture: Tensor) -> tuple[float, float, float]:
    """The least contrast, the largest noise, and the least PSNR of the views of a picture.

    It is [3, h, w], or one for each pose of the views after the other.
    """
    found = []
    for view in views.views:
        first = 3 * views.poses.index(view.sight.pose) if len(picture) > 3 else 0
        seen = view.sight.see(picture[first : first + 3].clamp(0, 1))
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
    pictures = [
        view.goal if view.sight.pose.ways else Views((view,), views.base).nearest(ground)
        for view in views.views
    ]
    yield "mean of the pictures", torch.stack(pictures).mean(0)
    y, x = torch.meshgrid(torch.arange(size) // 2, torch.arange(size) // 2, indexing="ij")
    yield (
        "interleaved",
        torch.stack(pictures).gather(0, ((y + x) % len(pictures)).expand(1, 3, -1, -1))[0],
    )


def fitted(name: str, views: Views, count: int, steps: int, size: int) -> Tensor:
    """The pictures that artgen makes, one for each pose."""
    (how, first), *others = in_pairs(GOALS[name])
    tables = [{"how": other, "target": f"sample:{second}"} for other, second in others]
    if how != "plain":
        tables.insert(0, {"how": how})
    parts = {"name": "gaussian", "count": count, **PARTS.get(name, {})}
    search = {} if name == "two foils" else {"steps": steps}
    asked = {
        "seed": 1,
        "target": {"source": f"sample:{first}", "size": size, "aspect": "1:1"},
        "view": tables,
        "primitive": parts,
        "stage": [search],
        "output": {"video": False, "history": 0},
    }
    art = run_recipe(Recipe.from_dict(asked), default()).art
    assert art is not None
    laid = [pose.drawing(art.drawing, art.primitive()) for pose in views.poses]
    pictures = [replace(art, drawing=each).render() for each in laid]
    return torch.from_numpy(np.concatenate(pictures, axis=2)).permute(2, 0, 1) / 255


def run(settings: Settings) -> Iterator[Table]:
    size, count, steps = (48, 60, 4) if settings.quick else (SIZE, COUNT, STEPS)
    chosen = ("turned", "two foils") if settings.quick else GOALS
    rows = []
    for name in chosen:
        pairs = in_pairs(GOALS[name])
        goals = tuple(View(how, goal(picture, how, size)) for how, picture in pairs)
        views = Views(goals, lambda image, target, weight: (image - target).square().mean())
        pictures = dict(plain_ways(views, size))
        pictures["artgen"] = fitted(name, views, count, steps, size)
        for way, picture in pictures.items():
            contrast, noise, error = measures(views, picture)
            rows.append((f"{name}, {way}", f"{contrast:.2f}", f"{noise:.2f}", figure(error)))
    columns = ("views, way", "contrast", "noise", "PSNR in dB")
    others = [
        f"{name}: {parts['count']} {parts['name']}" + ", default steps" * (name == "two foils")
        for name, parts in PARTS.items()
        if "count" in parts and name in chosen
    ]
    note = f"{size} x {size} pixels; artgen: {count} Gaussians, {steps} steps"
    note = "; ".join([note, *others]) + "."
    yield Table("Views beside plain ways", columns, rows, note)
