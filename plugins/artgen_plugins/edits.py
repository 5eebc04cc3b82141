"""Edits of parts: which there are, their colours, places, sizes and angles, and their order."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from skimage.color import rgb2lab

from artgen import Drawing, load
from artgen.editing import Operation, Parts, alike, apart, numbers
from artgen.errors import UsageError, did_you_mean
from artgen.targets import LUMA, parse_colour
from artgen_plugins.regions import Floats, rgb_of


def _mapped(colours: Floats, pairs: list[list[str]]) -> Floats:
    """Colours that are like the first of a pair become the second: what sets them apart stays."""
    old, new = ([parse_colour(pair[side]) for pair in pairs] for side in (0, 1))
    share = alike(colours, old)
    share /= np.maximum(1, share.sum(1, keepdims=True))
    changed = rgb2lab(np.clip(colours, 0, 1)) + share @ (rgb2lab(new) - rgb2lab(old))
    result = np.where(share.any(1, keepdims=True), rgb_of(changed), colours)
    exact, one = np.nonzero(apart(colours, old) < 0.5)
    result[exact] = np.array(new)[one]
    return np.asarray(result, np.float64)


def _recolour(parts: Parts, value: str) -> Drawing:
    mapped = "=" in value and not os.path.isfile(value)
    pairs = [each.split("=") for each in value.split(",")] if mapped else []
    if any(len(pair) != 2 for pair in pairs):
        raise UsageError(f"{value!r} is no list of colours", hint="write red=blue,teal=#fff")
    if len({parse_colour(old) for old, _ in pairs}) < len(pairs):
        hint = "write each colour once, or one recolour after the other"
        raise UsageError(f"{value!r} gives one colour two others", hint=hint)
    palette = [] if pairs else [parse_colour(each) for each in parts.palette(value)]

    def change(colours: Floats) -> Floats:
        if pairs:
            return _mapped(colours, pairs)
        return np.asarray(np.array(palette)[apart(colours, palette).argmin(1)], np.float64)

    parts.colours  # noqa: B018 - refuses where colours add up
    tensors, drawing = dict(parts.drawing.tensors), parts.drawing
    index = torch.from_numpy(parts.chosen)
    own = tensors["colour"][:, index]
    rows = own.T.reshape(-1, 3).double().numpy()
    changed = torch.from_numpy(change(rows).reshape(own.T.shape)).float().T
    tensors["colour"] = tensors["colour"].index_copy(1, index, changed)
    if parts.everything:
        red, green, blue = change(np.array([drawing.background]))[0]
        drawing = replace(drawing, background=(float(red), float(green), float(blue)))
    return replace(drawing, tensors=tensors)


def _move(parts: Parts, value: str) -> Drawing:
    by = numbers(value)
    if len(by) != 2 or not all(abs(share) <= 10 for share in by):
        hint = "write shares of width and height: move=0.1,0"
        raise UsageError(f"move={value} is no way to go", hint=hint)
    return parts.transformed(np.eye(2), 2 * np.array(by) * parts.drawing.canvas.reach)


def _number(name: str, value: str, low: float, high: float, such: str) -> float:
    found = numbers(value)
    if len(found) != 1 or not low <= found[0] <= high:
        what = f"{name}={value} must be one number from {low:g} to {high:g}"
        raise UsageError(what, hint=f"write {name}={such}")
    return found[0]


def _scale(parts: Parts, value: str) -> Drawing:
    return parts.transformed(_number("scale", value, 0.05, 20, "1.5") * np.eye(2), np.zeros(2))


def _rotate(parts: Parts, value: str) -> Drawing:
    angle = math.radians(_number("rotate", value, -360, 360, "30, in degrees"))
    c, s = math.cos(angle), math.sin(angle)
    return parts.transformed(np.array([[c, -s], [s, c]]), np.zeros(2))


def _sort(parts: Parts, value: str) -> Drawing:
    keys: dict[str, Callable[[], Floats]] = {
        "size": lambda: parts.sizes,
        "luminance": lambda: parts.colours @ LUMA,
        "x": lambda: parts.looks.places[:, 0],
        "y": lambda: parts.looks.places[:, 1],
    }
    name = value.removeprefix("-")
    if name not in keys:
        raise UsageError(f"parts cannot be sorted by {name!r}", hint=did_you_mean(name, list(keys)))
    order = np.arange(len(parts.looks.places))
    key = keys[name]()[parts.chosen] * (-1 if value.startswith("-") else 1)
    order[parts.chosen] = parts.chosen[np.argsort(key, kind="stable")]
    drawing = parts.composed(order)
    if "z" not in drawing.tensors:
        return drawing
    # Here depth decides what lies in front: the first are the farthest, as in a stack.
    depth, index = drawing.tensors["z"].clone(), torch.from_numpy(parts.chosen)
    depth[index] = depth[index].sort(descending=True).values
    return replace(drawing, tensors={**drawing.tensors, "z": depth})


def _join(parts: Parts, value: str) -> Drawing:
    return parts.joined(load(value, registry=parts.art.registry))


DELETE = Operation(lambda parts, _: parts.composed(parts.others))
KEEP = Operation(lambda parts, _: parts.composed(parts.chosen))
RECOLOUR = Operation(_recolour, "red=blue")
MOVE = Operation(_move, "0.1,0")
SCALE = Operation(_scale, "1.5")
ROTATE = Operation(_rotate, "30")
SORT = Operation(_sort, "size")
JOIN = Operation(_join, "B.art", file=True)
