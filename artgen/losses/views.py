"""A loss of all views of one drawing together: see `artgen.losses.Way` for what a view is."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.losses._marks import LossFunction
from artgen.losses._mixture import Loss, Term
from artgen.losses.metrics import decibels
from artgen.losses.ways import Pose, Sight
from artgen.registry import Registry

HOLD = 0.02
"""The weight, beside the views, of what no view sees: it stays near the picture of all views."""

STEPS = 120
"""Steps of accelerated gradient descent towards the picture that comes nearest to all goals."""

_POSE = re.compile(r"\s*pose\s*=([^,]+)")


@dataclass(frozen=True, eq=False)
class View:
    """One view: how it looks, its goal [3, height, width] as seen upright, and its weight."""

    how: str
    goal: Tensor
    weight: float = 1.0
    registry: Registry | None = field(default=None, repr=False)

    @cached_property
    def sight(self) -> Sight:
        """How the drawing is seen. Raises UsageError, PluginError."""
        return Sight.of(self.how, self.registry)

    def wanted(self, seen: Tensor) -> Tensor:
        """The goal in the pixels of the picture `seen`, filtered as the drawing is."""
        _, height, width = seen.shape
        return self.sight.wanted(F.adaptive_avg_pool2d(self.goal, (height, width)))


@dataclass(frozen=True, eq=False)
class Views:
    """What a drawing shall show, seen in several ways: a loss `(image, target, weight)`.

    The image is compared by `base` with each goal, as it is seen; `target` is the picture that
    comes nearest to all of them, and holds what no view sees. Where there are several `poses`, the
    image is that in each of them, one after the other: [3 poses, height, width].
    """

    views: tuple[View, ...]
    base: LossFunction
    _goals: dict[Any, Tensor] = field(default_factory=dict)

    def __call__(self, image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        """The weighted mean of the losses of the views, a scalar."""
        total = HOLD * self.base(image[:3], target, weight)
        share = sum(view.weight for view in self.views)
        for index, view in enumerate(self.views):
            seen = self._seen(view, image)
            key = index, seen.shape, seen.device
            if key not in self._goals:
                self._goals[key] = view.wanted(seen).to(seen.device)
            base = self.base.of_view(index) if isinstance(self.base, Loss) else self.base
            total = total + view.weight / share * base(seen, self._goals[key], None)
        return total

    def at(self, seed: int) -> Views:
        """The loss with random numbers that follow from `seed`."""
        at = getattr(self.base, "at", None)
        return self if at is None else replace(self, base=at(seed))

    def over(self, loss: Loss) -> Loss:
        """The loss of all views by `loss`."""
        name = f"{loss.text} of {len(self.views)} views"
        return Loss((Term(1.0, name, replace(self, base=loss)),))

    @cached_property
    def poses(self) -> tuple[Pose, ...]:
        """The poses in which the parts are seen, first that in which the drawing holds them."""
        return tuple(dict.fromkeys([Pose(), *(view.sight.pose for view in self.views)]))

    @property
    def goals(self) -> dict[float, Tensor]:
        """What poses shall show that are seen without more, [3, height, width] each, by number."""
        found = ((_POSE.fullmatch(view.how), view.goal) for view in self.views)
        return {float(match[1]): goal for match, goal in found if match}

    def _seen(self, view: View, image: Tensor) -> Tensor:
        first = 3 * self.poses.index(view.sight.pose)
        return view.sight.see(image[first : first + 3])

    @torch.no_grad()
    def psnr(self, picture: Tensor) -> list[float]:
        """Of each view of a picture [3 poses, h, w] as shown, in dB."""
        shown = picture.detach().cpu().clamp(0, 1)
        found = []
        for view in self.views:
            seen = self._seen(view, shown)
            found.append(decibels(float((seen - view.wanted(seen)).square().mean())))
        return found

    def nearest(self, ground: Tensor) -> Tensor:
        """The picture in 0..1 with the least weighted squared error, like `ground` [3, h, w].

        Goals of other poses do not count.

        Accelerated projected gradient descent (Beck and Teboulle 2009) from `ground`; the largest
        curvature is found by power iteration. What no view sees stays as the ground is.
        """
        views = [view for view in self.views if not view.sight.pose.ways]
        share = sum(view.weight for view in views)
        goals = [view.wanted(view.sight.see(ground)) for view in views]

        def slope(at: Tensor) -> Tensor:
            with torch.enable_grad():
                leaf = at.clone().requires_grad_()
                errors = [
                    view.weight / share * (view.sight.see(leaf) - goal).square().sum()
                    for view, goal in zip(views, goals, strict=True)
                ]
                return torch.autograd.grad(torch.stack(errors).sum(), leaf)[0]

        generator = torch.Generator().manual_seed(0)  # any direction that is no picture's own
        direction = torch.randn(ground.shape, generator=generator)
        origin, most = slope(ground), 1.0
        for _ in range(12):
            direction = direction / direction.norm()
            direction = slope(ground + direction) - origin
            most = float(direction.norm())
        found, ahead, pace = ground, ground, 1.0
        for _ in range(STEPS):
            following = (ahead - slope(ahead) / (1.1 * most)).clamp(0, 1)
            faster = (1 + math.sqrt(1 + 4 * pace**2)) / 2
            ahead = following + (pace - 1) / faster * (following - found)
            found, pace = following, faster
        return found
