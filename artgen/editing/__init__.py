"""Edits: what a drawing is made of, changed by operations on its parts, and remembered.

An operation is a text ``NAME=VALUE@WHERE``. `OPERATIONS` is the registry of them; each is a
function of the drawing, the value, and the indices of the parts that `WHERE` chooses.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from artgen.animation.morph import common_primitive
from artgen.art import Art, load, quantised
from artgen.base.errors import InputError, UsageError, did_you_mean
from artgen.base.options import numbers, whole
from artgen.matching import Appearance, appearance, compose, select, transform
from artgen.primitives import Primitive
from artgen.recipe import MOST_COLOURS, EditTable, FileReference
from artgen.targets import (
    TargetRequest,
    hex_colour,
    learn_palette,
    open_image,
    parse_colour,
    parse_palette,
)
from artgen.values.drawing import Drawing
from artgen.values.frame import is_focus, parse_focus

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ALIKE = 20.0
"""Colours this near in CIELAB are taken for one; those twice as far apart are others."""


@dataclass(frozen=True, eq=False)
class Parts:
    """What an operation works on: the parts of `art`, their looks, and which of them are `chosen`.

    `chosen` are indices, int64; `everything` says that no place was given.
    """

    art: Art
    primitive: Primitive
    looks: Appearance
    chosen: Integers
    everything: bool

    @property
    def drawing(self) -> Drawing:
        """The drawing."""
        return self.art.drawing

    @property
    def colours(self) -> Floats:
        """The colours of the parts, [N, 3]. Raises UsageError where they are not what is seen."""
        if self.looks.colours is None or "colour" not in self.drawing.tensors:
            what = f"the colours of the parts of this {self.drawing.primitive} add up"
            raise UsageError(what, hint="fit it with --set blend=over to give each its own")
        return self.looks.colours

    @property
    def sizes(self) -> Floats:
        """The sizes of the parts, [N]. Raises UsageError where they have none."""
        if self.looks.sizes is None:
            what = f"the parts of {self.drawing.primitive} have no size of their own"
            raise UsageError(what, hint="choose them by place or colour")
        return self.looks.sizes

    @property
    def others(self) -> Integers:
        """The indices that are not chosen."""
        return np.setdiff1d(np.arange(len(self.looks.places)), self.chosen)

    def composed(self, which: Integers) -> Drawing:
        """The drawing of these parts alone, in this order."""
        return self.changed(compose(self.primitive, (dict(self.drawing.tensors), which)))

    def changed(self, tensors: Mapping[str, torch.Tensor]) -> Drawing:
        """The drawing with these tensors."""
        return replace(self.drawing, tensors=tensors)


Operation = Callable[[Parts, str], Drawing]


def edit(art: Art, *operations: str) -> Art:
    """The art with its parts changed by `operations`, one after the other.

    Each is ``NAME=VALUE@WHERE``, as in docs/editing.md: ``delete@smallest:10``,
    ``recolour=red=blue``, ``move=0.1,0@0.5,0.5,0.2``. The recipe remembers them; metrics, history
    and light history belong to the fit and are left out. Raises UsageError for what cannot be done,
    InputError for files that cannot be read.
    """
    for text in operations:
        art = _edited(art, text)
    return art


def split(art: Art, colours: int | str) -> dict[str, Art]:
    """The art taken apart by colour: for each, as ``#rrggbb``, the parts that are nearest to it.

    `colours` are a number to learn, or a palette as for ``--palette``. Colours without parts are
    left out. Raises UsageError, InputError.
    """
    parts = _opened(art, "")
    palette = _palette(parts, str(colours))
    nearest = _nearest(parts.colours, palette)
    return {
        colour: _remembered(parts, parts.composed(own), f"split={colour}")
        for index, colour in enumerate(palette)
        if len(own := np.flatnonzero(nearest == index)) >= parts.primitive.least_count
    }


def _edited(art: Art, text: str) -> Art:
    """The art after one operation. Raises UsageError, InputError."""
    name = re.match("[a-z]*", text)[0]  # type: ignore[index]
    if name not in OPERATIONS:
        hint = did_you_mean(name, list(OPERATIONS))
        raise UsageError(f"{text!r} is no operation on parts", hint=hint)
    operation, takes = OPERATIONS[name]
    value, at, where = text[len(name) :].partition("@") if name != "join" else (text[4:], "", "")
    wrong = bool(value) and not value.startswith("=")
    value = value.removeprefix("=")
    if wrong or bool(value) != bool(takes) or (at and not where):
        usage = f"{name}={takes}".rstrip("=") + (
            "" if name == "join" else ", with @WHERE or without"
        )
        raise UsageError(f"{text!r} is not how parts are edited", hint=f"write {usage}")
    parts = _opened(art, where)
    if not len(parts.chosen):
        raise UsageError(f"{text!r} finds no parts", hint="choose a larger place, or other parts")
    drawing = operation(parts, value)
    # Files are remembered by their names, never by their paths.
    given = value if name == "join" else where if _is_file(where) else ""
    if not given:
        return _remembered(parts, drawing, text)
    file = FileReference.of(Path(given), "mask" if where else "drawing")
    return _remembered(parts, drawing, text.removesuffix(given) + file.name, file)


def _remembered(
    parts: Parts, drawing: Drawing, text: str, file: FileReference | None = None
) -> Art:
    """The art with another drawing, and with the operation in its recipe. Raises UsageError."""
    art, count = parts.art, parts.primitive.count_of(drawing)
    if count < parts.primitive.least_count:
        raise UsageError(f"{text!r} leaves no parts", hint="delete fewer")
    drawing = quantised(drawing, art.precision, art.drawing)
    parts.primitive.check_tensors(drawing)
    palette = None
    if art.recipe.exact_colours is not None:
        every = drawing.tensors["colour"].T.reshape(-1, 3).tolist()
        rows = sorted({tuple(row) for row in every})
        found = tuple(dict.fromkeys(map(hex_colour, [*rows, drawing.background])))
        palette = found if len(found) <= MOST_COLOURS else None
    table = EditTable(do=text, file=file, palette=palette)
    recipe = art.recipe.replace(edit=(*(art.recipe.edit or ()), table))
    metrics = {"count": count, "parameters": drawing.parameters}
    made = replace(art, drawing=drawing, recipe=recipe, metrics=metrics)
    return replace(made, history=(), trajectory=None)


def _opened(art: Art, where: str) -> Parts:
    """The parts of an art, of which `where` chooses some. Raises UsageError, InputError."""
    if art.film is not None:
        raise UsageError(
            "this drawing moves, and edits are of a still",
            hint="take a moment of it: artgen render FILE.art --at 1 -o STILL.art",
        )
    primitive = art.primitive()
    primitive.check_tensors(art.drawing)
    try:
        looks = appearance(primitive, dict(art.drawing.tensors))
    except UsageError:
        what = f"{art.drawing.primitive} is of the family {primitive.family}"
        raise UsageError(
            f"{what}, which has no parts that can be edited",
            hint="those of splats, shapes, partitions and meshes can be",
        ) from None
    parts = Parts(art, primitive, looks, np.arange(len(looks.places)), not where)
    return replace(parts, chosen=_chosen(parts, where)) if where else parts


# ---- which parts ---------------------------------------------------------------------------------


def _chosen(parts: Parts, where: str) -> Integers:
    """The indices of the parts that `where` means. Raises UsageError, InputError."""
    name, _, value = where.partition(":")
    if name in ("smallest", "largest"):
        number = whole(value)
        if not number:
            raise UsageError(f"@{where} does not say how many parts", hint=f"write @{name}:10")
        order = np.argsort(parts.sizes, kind="stable")
        return np.sort(order[:number] if name == "smallest" else order[-number:])
    if name == "colour":
        return np.flatnonzero(_alike(parts.colours, [parse_colour(value)])[:, 0] >= 0.5)
    reach = np.array(parts.drawing.canvas.reach)
    shares = (parts.looks.places / reach + 1) / 2
    circles = parse_focus(where) if is_focus(where) else None
    if isinstance(circles, tuple) and circles:
        x, y, radii = np.array(circles).T
        away = np.linalg.norm((shares[:, None] - np.stack([x, y], 1)) * reach, axis=2)
        return np.flatnonzero((away <= radii).any(1))
    if not _is_file(where):
        raise UsageError(
            f"@{where} is no place of parts",
            hint="write smallest:10, largest:10, colour:red, a circle such as 0.5,0.3,0.1, or the "
            "file of a mask",
        )
    image = open_image(where, TargetRequest(size=512, background=(0.0, 0.0, 0.0)))
    size, own = np.array(image.pixels.shape[1::-1]), parts.drawing
    if abs(size[0] * own.height - size[1] * own.width) >= max(own.width, own.height, *size):
        raise InputError(
            f"mask {where} has another form than the drawing, {own.width}:{own.height}",
            hint="a mask must have the aspect ratio of the drawing",
        )
    # Parts that lie beyond the canvas belong to the pixels at its edge.
    column, row = np.clip(shares * size, 0, size - 1).astype(np.int64).T
    return np.flatnonzero(_luminance(image.pixels[row, column].astype(np.float64) / 255) >= 0.5)


def _is_file(where: str) -> bool:
    """Whether a place is the name of a file."""
    return Path(where).suffix != "" and not is_focus(where) and not where.startswith("colour:")


# ---- colours -------------------------------------------------------------------------------------


def _luminance(colours: Floats) -> Floats:
    """The luma of [N, 3], Rec. 709."""
    return np.asarray(colours @ np.array([0.2126, 0.7152, 0.0722]), np.float64)


def _lab(colours: object) -> Floats:
    """CIELAB of [N, 3], clamped to 0..1."""
    from skimage.color import rgb2lab

    lab: Floats = rgb2lab(np.clip(np.asarray(colours, np.float64), 0, 1))
    return lab


def _alike(colours: Floats, others: object) -> Floats:
    """How much each of [N, 3] is taken for each of [M, 3]: 1 up to `ALIKE`, 0 at twice that."""
    return np.clip(2 - _apart(colours, others) / ALIKE, 0, 1)


def _apart(colours: Floats, others: object) -> Floats:
    """The distances in CIELAB of [N, 3] from [M, 3]: [N, M]."""
    return np.asarray(np.linalg.norm(_lab(colours)[:, None] - _lab(others), axis=2), np.float64)


def _nearest(colours: Floats, palette: tuple[str, ...]) -> Integers:
    """The index of the nearest colour of the palette, [N]."""
    nearest = _apart(colours, [parse_colour(each) for each in palette]).argmin(1)
    return np.asarray(nearest, np.int64)


def _palette(parts: Parts, text: str) -> tuple[str, ...]:
    """The palette that `text` means; a number is learned from the parts. Raises as it is read."""
    palette = parse_palette(text)
    if isinstance(palette, tuple):
        return palette
    pixels = np.rint(255 * np.clip(parts.colours, 0, 1)).astype(np.uint8)
    return learn_palette(pixels[None], palette)


def _mapped(colours: Floats, pairs: list[list[str]]) -> Floats:
    """Colours that are like the first of a pair become the second: what sets them apart stays."""
    from skimage.color import lab2rgb

    old, new = ([parse_colour(pair[side]) for pair in pairs] for side in (0, 1))
    share = _alike(colours, old)
    share /= np.maximum(1, share.sum(1, keepdims=True))
    with warnings.catch_warnings():  # colours that no screen shows are clamped
        warnings.simplefilter("ignore")
        changed = np.asarray(lab2rgb(_lab(colours) + share @ (_lab(new) - _lab(old))))
    result = np.where(share.any(1, keepdims=True), changed, colours)
    exact, one = np.nonzero(_apart(colours, old) < 0.5)
    result[exact] = np.array(new)[one]
    return np.asarray(result, np.float64)


# ---- operations ----------------------------------------------------------------------------------


def _recolour(parts: Parts, value: str) -> Drawing:
    pairs = [each.split("=") for each in value.split(",")] if "=" in value else []
    if any(len(pair) != 2 for pair in pairs):
        raise UsageError(f"{value!r} is no list of colours", hint="write red=blue,teal=#fff")
    palette = () if pairs else _palette(parts, value)

    def change(colours: Floats) -> Floats:
        if pairs:
            return _mapped(colours, pairs)
        return np.array([parse_colour(each) for each in palette])[_nearest(colours, palette)]

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


def _transformed(parts: Parts, linear: Floats, shift: Floats) -> Drawing:
    """The chosen parts, turned and scaled around their middle, and moved."""
    places = parts.looks.places[parts.chosen]
    # All of them turn around the middle of the canvas.
    middle = np.zeros(2) if parts.everything else (places.min(0) + places.max(0)) / 2
    tensors = dict(parts.drawing.tensors)
    own = transform(
        parts.primitive,
        select(tensors, parts.chosen),
        torch.from_numpy(linear).float(),
        torch.from_numpy(middle - linear @ middle + shift).float(),
    )
    index = torch.from_numpy(parts.chosen)
    return parts.changed({k: t.index_copy(-1, index, own[k]) for k, t in tensors.items()})


def _move(parts: Parts, value: str) -> Drawing:
    by = numbers(value)
    if len(by) != 2 or not all(abs(share) <= 10 for share in by):
        hint = "write shares of width and height: move=0.1,0"
        raise UsageError(f"move={value} is no way to go", hint=hint)
    return _transformed(parts, np.eye(2), 2 * np.array(by) * parts.drawing.canvas.reach)


def _number(name: str, value: str, low: float, high: float) -> float:
    found = numbers(value)
    if len(found) != 1 or not low <= found[0] <= high:
        what = f"{name}={value} must be one number from {low:g} to {high:g}"
        raise UsageError(what, hint=f"write {name}={low + 1:g}")
    return found[0]


def _scale(parts: Parts, value: str) -> Drawing:
    return _transformed(parts, _number("scale", value, 0.05, 20) * np.eye(2), np.zeros(2))


def _rotate(parts: Parts, value: str) -> Drawing:
    angle = math.radians(_number("rotate", value, -360, 360))
    c, s = math.cos(angle), math.sin(angle)
    return _transformed(parts, np.array([[c, -s], [s, c]]), np.zeros(2))


def _sort(parts: Parts, value: str) -> Drawing:
    keys: dict[str, Callable[[], Floats]] = {
        "size": lambda: parts.sizes,
        "luminance": lambda: _luminance(parts.colours),
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
    other = load(value, registry=parts.art.registry)
    common_primitive(parts.art, other, "joined with")
    both = _opened(other, "")
    groups = ((dict(each.drawing.tensors), each.chosen) for each in (parts, both))
    return parts.changed(compose(parts.primitive, *groups))


OPERATIONS: Mapping[str, tuple[Operation, str]] = {
    "delete": (lambda parts, _: parts.composed(parts.others), ""),
    "keep": (lambda parts, _: parts.composed(parts.chosen), ""),
    "recolour": (_recolour, "red=blue"),
    "move": (_move, "0.1,0"),
    "scale": (_scale, "1.5"),
    "rotate": (_rotate, "30"),
    "sort": (_sort, "size"),
    "join": (_join, "B.art"),
}
"""The operations by name, each with an example of its value, empty where it takes none."""
