"""Views: ways to look at one drawn picture, each a differentiable function of its pixels.

A function in `WAYS` takes the picture [3, height, width], sRGB-encoded, and the text after its
name; it returns the picture as it is then seen, in the same pixels, or with height and width
exchanged. `FILTERS` says how the picture that shall be seen there is seen: through the same blur,
in gray. `pose` asks for another pose of the parts before they are drawn. `Views` is a loss of all
of them together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.base.errors import UsageError, did_you_mean
from artgen.base.options import number
from artgen.losses._marks import LossFunction
from artgen.losses._mixture import Loss, Term
from artgen.losses.metrics import decibels
from artgen.targets.colour import parse_colour

Way: TypeAlias = Callable[[Tensor, str], Tensor]

HOLD = 0.02
"""The weight, beside the views, of what no view sees: it stays near the picture of all views."""

FINER = 3
"""Rows and columns of places per pixel of a picture that is seen distorted, against aliasing."""

STEPS = 120
"""Steps of accelerated gradient descent towards the picture that comes nearest to all goals."""


def plain(picture: Tensor, value: str) -> Tensor:
    """The picture itself."""
    return picture


def pose(picture: Tensor, value: str) -> Tensor:
    """The picture itself: the parts are in this pose already, see `View.pose`."""
    return picture


def turn(picture: Tensor, value: str) -> Tensor:
    """The picture turned clockwise by 90, 180 or 270 degrees."""
    if value not in ("90", "180", "270"):
        raise _wrong("turn", value, "90, 180 or 270")
    return torch.rot90(picture, -int(value) // 90, (1, 2))


def mirror(picture: Tensor, value: str) -> Tensor:
    """The picture in a mirror beside it (``x``) or below it (``y``)."""
    return picture.flip(2 if _choice("mirror", value or "x", "x", "y") == "x" else 1)


def invert(picture: Tensor, value: str) -> Tensor:
    """The negative, 1 - c."""
    return 1 - picture


def blur(picture: Tensor, value: str) -> Tensor:
    """The picture from far: a Gaussian, sigma as a share of the shorter side, 0.001 to 0.5."""
    sigma = _within("blur", value, 0.001, 0.5) * min(picture.shape[1:])
    (height, width), factor = picture.shape[1:], max(1, int(sigma / 2))
    small = (max(1, height // factor), max(1, width // factor))
    low, radius = F.adaptive_avg_pool2d(picture, small)[None], math.ceil(3 * sigma / factor)
    places = torch.arange(-radius, radius + 1, device=picture.device, dtype=picture.dtype)
    kernel = torch.softmax(-0.5 * (places * factor / sigma) ** 2, 0).expand(3, 1, 1, -1)
    low = F.conv2d(F.pad(low, (radius, radius, 0, 0), "replicate"), kernel, groups=3)
    low = F.conv2d(F.pad(low, (0, 0, radius, radius), "replicate"), kernel.mT, groups=3)
    return F.interpolate(low, (height, width), mode="bilinear", align_corners=False)[0]


def fine(picture: Tensor, value: str) -> Tensor:
    """The picture from near, where the eye follows detail: c - blur(c) + 1/2."""
    return picture - blur(picture, value) + 0.5


def glass(picture: Tensor, value: str) -> Tensor:
    """The picture through glass of a colour g: the gray g·c / (g·1) of encoded values."""
    colour = picture.new_tensor(parse_colour(value or "red"))
    if not colour.sum() > 0:
        raise _wrong("glass", value, "a colour that lets light through, such as red or cyan")
    return _weighed(picture, colour / colour.sum())


def slats(picture: Tensor, value: str) -> Tensor:
    """Every other one of 24 upright strips, ``left`` or ``right``, widened to the whole picture."""
    first = _choice("slats", value, "left", "right") == "left"
    return _strips(picture, 12, 0 if first else 1, 2)


def foil(picture: Tensor, value: str) -> Tensor:
    """Phase K of N of a striped foil, ``K/N``: what 64 slits show, each widened to its period."""
    phase, _, phases = value.partition("/")
    k, n = (int(each) if each.isdigit() else 0 for each in (phase, phases))
    if not 1 <= k <= n <= 8:
        raise _wrong("foil", value, "a phase and how many there are, such as 1/3; at most 8")
    return _strips(picture, 64, k - 1, n)


def floor(picture: Tensor, value: str) -> Tensor:
    """A picture on the floor from where it looks upright: its far edge is VALUE times as wide.

    With u in -1..1 and v from 0 (near) to 1 (far) as seen, a = 1 / VALUE and d = 1 - (1 - a) v, it
    shows the place x = a u / d, at the share a v / d of the way to the far edge.
    """
    a = 1 / _within("floor", value or "3", 1, 20)
    u, v = _seen_places(picture)
    depth = 1 - (1 - a) * v
    return _sampled(picture, a * u / depth, 1 - 2 * a * v / depth)


def cylinder(picture: Tensor, value: str) -> Tensor:
    """The reflection in a mirror that stands in the middle, of radius VALUE of the shorter side.

    Seen from high above, the point (u, v) shows the place at the angle 0.75 pi u and at the radius
    r + (1 - r) v, with r = 2 VALUE and v from 0 (foot of the mirror) to 1 (its top).
    """
    r = 2 * _within("cylinder", value or "0.15", 0.02, 0.4)
    u, v = _seen_places(picture)
    angle, radius = 0.75 * math.pi * u, r + (1 - r) * v
    height, width = picture.shape[1:]
    short = min(height, width)
    x, y = radius * angle.sin() * short / width, radius * angle.cos() * short / height
    return _sampled(picture, x, y)


def _gray(picture: Tensor, value: str) -> Tensor:
    return _weighed(picture, picture.new_tensor((0.2126, 0.7152, 0.0722)))  # Rec. 709


def _weighed(picture: Tensor, weights: Tensor) -> Tensor:
    """The gray that is the weighted sum of red, green and blue, [3, h, w]."""
    return (picture * weights[:, None, None]).sum(0).expand_as(picture)


WAYS: dict[str, Way] = {
    each.__name__: each
    for each in (plain, pose, turn, mirror, invert, blur, fine, glass, slats, foil, floor, cylinder)
}
"""The ways to look, by name. A plugin may add one: ``artgen.losses.WAYS["squint"] = squint``."""

FILTERS: dict[str, Way] = {"blur": blur, "fine": fine, "glass": _gray}
"""How the picture that shall be seen is seen itself, where it is not seen as it is."""


def parse_ways(text: str) -> list[tuple[Way, Way, str]]:
    """The ways of a text such as ``turn=180,blur=0.02``, one after the other.

    Each has what is done to the drawing, what to the picture to be seen, and its value. Raises
    UsageError.
    """
    found = []
    for part in text.split(","):
        name, _, value = (each.strip() for each in part.partition("="))
        if name not in WAYS:
            raise UsageError(f"unknown view {name!r}", hint=did_you_mean(name, WAYS))
        found.append((WAYS[name], FILTERS.get(name, plain), value))
    return found


def see(how: str, picture: Tensor) -> Tensor:
    """The picture [3, h, w] as it is seen. Raises UsageError."""
    for way, _, value in parse_ways(how):
        picture = way(picture, value)
    return picture


def pose_of(how: str) -> float:
    """The pose of the parts that a text asks for, 0 where it names none. Raises UsageError."""
    values = [value for way, _, value in parse_ways(how) if way is pose]
    if not values:
        return 0.0
    if parse_ways(how)[0][0] is not pose or len(values) > 1:
        raise UsageError(f"view {how!r}: a pose comes first, and once", hint="write pose=1,turn=90")
    return _within("pose", values[0], -1e6, 1e6)


class View(NamedTuple):
    """One view: how it looks, its goal [3, height, width] as seen upright, and its weight."""

    how: str
    goal: Tensor
    weight: float = 1.0

    @property
    def pose(self) -> float:
        """The pose that the parts are drawn in. Raises UsageError."""
        return pose_of(self.how)

    def see(self, picture: Tensor) -> Tensor:
        """The picture [3, h, w] as it is seen."""
        return see(self.how, picture)

    def wanted(self, seen: Tensor) -> Tensor:
        """The goal in the pixels of the picture `seen`, filtered as the drawing is."""
        _, height, width = seen.shape
        goal = F.adaptive_avg_pool2d(self.goal, (height, width))
        for _, way, value in parse_ways(self.how):
            goal = way(goal, value)
        return goal


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
    def poses(self) -> tuple[float, ...]:
        """The poses in which the parts are seen, first that in which the drawing holds them, 0."""
        return tuple(dict.fromkeys([0.0, *(view.pose for view in self.views)]))

    @property
    def goals(self) -> dict[float, Tensor]:
        """What poses shall show that are seen without more, [3, height, width] each."""
        return {v.pose: v.goal for v in self.views if v.pose and len(parse_ways(v.how)) == 1}

    def _seen(self, view: View, image: Tensor) -> Tensor:
        first = 3 * self.poses.index(view.pose)
        return view.see(image[first : first + 3])

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
        views = [view for view in self.views if view.pose == 0]
        share = sum(view.weight for view in views)
        goals = [view.wanted(view.see(ground)) for view in views]

        def slope(at: Tensor) -> Tensor:
            with torch.enable_grad():
                leaf = at.clone().requires_grad_()
                errors = [
                    view.weight / share * (view.see(leaf) - goal).square().sum()
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


def _strips(picture: Tensor, periods: int, phase: int, phases: int) -> Tensor:
    """One strip of each period, widened to the period."""
    width = picture.shape[2]
    place = (torch.arange(width, device=picture.device) + 0.5) / width * periods
    period = place.floor()
    source = (period + (phase + place - period) / phases) / periods * width
    return picture[:, :, source.long().clamp(0, width - 1)]


def _seen_places(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Places as seen, nine per pixel: u from -1 (left) to 1, and v from 0 (bottom) to 1."""
    height, width = (FINER * side for side in picture.shape[1:])
    v = 1 - (torch.arange(height, device=picture.device) + 0.5) / height
    u = (2 * torch.arange(width, device=picture.device) + 1) / width - 1
    return u.expand(height, width), v[:, None].expand(height, width)


def _sampled(picture: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The picture at places in -1..1 of its width and height, bilinear, averaged over pixels."""
    grid = torch.stack([x, y], -1)[None].to(picture.dtype)
    found = F.grid_sample(picture[None], grid, padding_mode="border", align_corners=False)
    return F.avg_pool2d(found, FINER)[0]


def _within(name: str, value: str, low: float, high: float) -> float:
    try:
        found = number(float, value)
    except ValueError:
        found = math.nan
    if not low <= found <= high:
        raise _wrong(name, value, f"a number from {low:g} to {high:g}")
    return found


def _choice(name: str, value: str, *known: str) -> str:
    if value not in known:
        raise _wrong(name, value, " or ".join(known))
    return value


def _wrong(name: str, value: str, wanted: str) -> UsageError:
    return UsageError(f"view {name}={value}: wants {wanted}", hint=f"write {name}=VALUE:PICTURE")
