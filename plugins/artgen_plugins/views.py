"""Ways to look at a drawing: from far, turned, through glass, in mirrors, without some parts.

A function of the picture takes it as [3, height, width], sRGB-encoded, and the text after its name;
it returns the picture as it is then seen. One of the parts takes their mapped tensors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen import Primitive, family
from artgen.editing import alike, numbers
from artgen.errors import UsageError
from artgen.losses import Way
from artgen.targets import LUMA, parse_colour
from artgen_plugins import _panels

Tensors: TypeAlias = Mapping[str, Tensor]

ROUNDED = 0.02
"""How far an ink may be from its colour, in encoded red, green and blue: drawings are rounded."""

FINER = 3
"""Rows and columns of places per pixel of a picture that is seen distorted, against aliasing."""


def _turn(picture: Tensor, value: str) -> Tensor:
    """The picture turned clockwise by 90, 180 or 270 degrees."""
    if value not in ("90", "180", "270"):
        raise _wrong("turn", value, "90, 180 or 270")
    return torch.rot90(picture, -int(value) // 90, (1, 2))


def _mirror(picture: Tensor, value: str) -> Tensor:
    """The picture in a mirror beside it (``x``) or below it (``y``)."""
    return picture.flip(2 if _choice("mirror", value or "x", "x", "y") == "x" else 1)


def _invert(picture: Tensor, value: str) -> Tensor:
    """The negative, 1 - c."""
    return 1 - picture


def _blur(picture: Tensor, value: str) -> Tensor:
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


def _fine(picture: Tensor, value: str) -> Tensor:
    """The picture from near, where the eye follows detail: c - blur(c) + 1/2."""
    return picture - _blur(picture, value) + 0.5


def _glass(picture: Tensor, value: str) -> Tensor:
    """The picture through glass of a colour g: the gray g·c / (g·1) of encoded values."""
    colour = picture.new_tensor(parse_colour(value or "red"))
    if not colour.sum() > 0:
        raise _wrong("glass", value, "a colour that lets light through, such as red or cyan")
    return _weighed(picture, colour / colour.sum())


def _slats(picture: Tensor, value: str) -> Tensor:
    """Every other one of 24 upright strips, ``left`` or ``right``, widened to the whole picture."""
    first = _choice("slats", value, "left", "right") == "left"
    return _strips(picture, 12, 0 if first else 1, 2)


def _foil(picture: Tensor, value: str) -> Tensor:
    """Phase K of N of a striped foil, ``K/N``: what 64 slits show, each widened to its period."""
    phase, _, phases = value.partition("/")
    k, n = (int(each) if each.isdecimal() else 0 for each in (phase, phases))
    if not 1 <= k <= n <= 8:
        raise _wrong("foil", value, "a phase and how many there are, such as 1/3; at most 8")
    return _strips(picture, 64, k - 1, n)


def _floor(picture: Tensor, value: str) -> Tensor:
    """A picture on the floor from where it looks upright: its far edge is VALUE times as wide.

    With u in -1..1 and v from 0 (near) to 1 (far) as seen, a = 1 / VALUE and d = 1 - (1 - a) v, it
    shows the place x = a u / d, at the share a v / d of the way to the far edge.
    """
    a = 1 / _within("floor", value or "3", 1, 20)
    u, v = _seen_places(picture)
    depth = 1 - (1 - a) * v
    return _sampled(picture, a * u / depth, 1 - 2 * a * v / depth)


def _cylinder(picture: Tensor, value: str) -> Tensor:
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
    return _weighed(picture, picture.new_tensor(LUMA))


def _weighed(picture: Tensor, weights: Tensor) -> Tensor:
    """The gray that is the weighted sum of red, green and blue, [3, h, w]."""
    return (picture * weights[:, None, None]).sum(0).expand_as(picture)


def _fold(picture: Tensor, value: str) -> Tensor:
    """The outer strips side by side: the middle, VALUE of the width, is folded away behind them."""
    width = picture.shape[2]
    strip = round(width * (1 - _within("fold", value or "0.5", 0.1, 0.9)) / 2)
    if strip < 1:
        raise _wrong("fold", value, "a picture with more pixels")
    return torch.cat([picture[:, :, :strip], picture[:, :, width - strip :]], 2)


def _cone(picture: Tensor, value: str) -> Tensor:
    """The reflection in a cone that stands in the middle, of radius VALUE of the shorter side.

    From above its base is a disc of radius 1. The point at the distance d from its tip shows what
    lies in the same direction at the radius r + (1 - r) (1 - d), with r = 2 VALUE: what is far is
    seen at the tip. White is around the mirror.
    """
    r = 2 * _within("cone", value or "0.15", 0.02, 0.4)
    u, v = _seen_places(picture)
    v = 2 * v - 1
    away = torch.hypot(u, v).clamp_min(1e-6)
    place = (r + (1 - r) * (1 - away)) / away
    height, width = picture.shape[1:]
    short = min(height, width)
    seen = _sampled(picture, place * u * short / width, -place * v * short / height)
    return _disc(seen, value)


def _disc(picture: Tensor, value: str) -> Tensor:
    """The picture within the ellipse that fits into it, and white around that."""
    u, v = _seen_places(picture)
    inside = (torch.hypot(u, 2 * v - 1) < 1).to(picture.dtype)
    share = F.avg_pool2d(inside[None], FINER)
    return share * picture + 1 - share


def _posed(primitive: Primitive, tensors: Tensors, value: str, share: float) -> Tensors:
    """The parts in another pose."""
    return family.posed(primitive, tensors, share * _within("pose", value, -1e6, 1e6))


def _check_pose(primitive: Primitive, value: str) -> None:
    if not family.posed.is_answered(type(primitive)):
        family.posed(primitive, {}, 0.0)
    _within("pose", value, -1e6, 1e6)


def _first(primitive: Primitive, tensors: Tensors, value: str, share: float) -> Tensors:
    """The first parts alone, VALUE of them: a moment of the film in which they come in order."""
    until = 1 - share * (1 - _within("first", value, 0.01, 0.99))
    return _hidden(primitive, tensors, lambda at: until * len(at) - at)


def _without(primitive: Primitive, tensors: Tensors, value: str, share: float) -> Tensors:
    """All parts but those of some colours, such as ``red+pink``; of inks, exactly those."""
    colours = tensors["colour"].detach().cpu().double().clamp(0, 1).T
    named = _colours(value)
    if _inks(primitive):
        apart = torch.cdist(colours, torch.tensor(named, dtype=colours.dtype))
        gone = apart.amin(1) < ROUNDED
    else:
        gone = torch.from_numpy(alike(colours.numpy(), named).max(1))
    return _hidden(primitive, tensors, lambda at: 1 - share * gone.to(at))


def _hidden(primitive: Primitive, tensors: Tensors, shown: Callable[[Tensor], Tensor]) -> Tensors:
    """The parts as far as they are `shown`, a function of their indices, clamped to 0..1."""
    found = dict(tensors)
    for name, gone in family.hide(primitive, dict(tensors)).items():
        own = tensors[name]
        if gone is not own:
            at = torch.arange(own.shape[-1], device=own.device, dtype=own.dtype)
            found[name] = gone.lerp(own, shown(at).clamp(0, 1))
    return found


def _check_first(primitive: Primitive, value: str) -> None:
    if not family.hide.is_answered(type(primitive)):
        name = type(primitive).__name__
        raise UsageError(f"{name} has no parts that can be left out", hint="use -p gaussian")
    _within("first", value, 0.01, 0.99)


def _check_without(primitive: Primitive, value: str) -> None:
    _check_first(primitive, "0.5")
    if getattr(primitive, "blend", "over") in ("sum", "mean"):
        what = f"colours of {type(primitive).__name__} add up, so no part has one of its own"
        raise UsageError(what, hint="give each its own: --set blend=over")
    inks = _inks(primitive)
    if inks and not set(_colours(value)) <= set(inks):
        what = f"view without={value}: the drawing has no such ink"
        raise UsageError(what, hint="name some of its inks as they are, such as without=red+pink")


def _inks(primitive: Primitive) -> list[tuple[float, float, float]]:
    """The colours that parts keep; empty where each learns its own."""
    return getattr(primitive, "fixed_colours", [])


def _colours(value: str) -> list[tuple[float, float, float]]:
    return [parse_colour(each) for each in value.split("+")]


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
    found = numbers(value)
    if len(found) != 1 or not low <= found[0] <= high:
        raise _wrong(name, value, f"a number from {low:g} to {high:g}")
    return found[0]


def _choice(name: str, value: str, *known: str) -> str:
    if value not in known:
        raise _wrong(name, value, " or ".join(known))
    return value


def _wrong(name: str, value: str, wanted: str) -> UsageError:
    hint = f'use --view {name}=VALUE:PICTURE, or how = "{name}=VALUE" in a recipe'
    return UsageError(f"view {name}={value}: wants {wanted}", hint=hint)


PLAIN = Way()
POSE = Way(parts=_posed, check=_check_pose, example="1")
FIRST = Way(parts=_first, check=_check_first, example="0.5")
WITHOUT = Way(parts=_without, check=_check_without, example="red")
TURN = Way(_turn, example="180", between=_panels.turn)
MIRROR = Way(_mirror)
INVERT = Way(_invert)
BLUR = Way(_blur, _blur, example="0.03")
FINE = Way(_fine, _fine, example="0.02")
GLASS = Way(_glass, _gray)
FOLD = Way(_fold, between=_panels.fold)
SLATS = Way(_slats, example="left", between=_panels.slats)
FOIL = Way(_foil, example="1/3")
FLOOR = Way(_floor)
CYLINDER = Way(_cylinder)
CONE = Way(_cone, _disc)
