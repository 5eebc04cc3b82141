"""Edits: what a drawing is made of, changed by operations on its parts, and remembered.

An operation is a text ``NAME=VALUE@WHERE``. Plugins offer them by the hook `artgen_edits`: each is
a function of `Parts`, the drawing with the parts that `WHERE` chooses, and of the value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from artgen.animation.morph import common_primitive
from artgen.art import Art, quantised
from artgen.base.errors import InputError, UsageError, did_you_mean
from artgen.base.faults import broken, plugin_code
from artgen.base.options import numbers, whole
from artgen.matching import Appearance, Floats, Integers, appearance, compose, select, transform
from artgen.primitives import Primitive
from artgen.recipe import MOST_COLOURS, EditTable, FileReference
from artgen.registry import default
from artgen.targets import (
    LUMA,
    TargetRequest,
    hex_colour,
    learn_palette,
    open_image,
    parse_colour,
    parse_palette,
)
from artgen.values.drawing import Drawing
from artgen.values.frame import is_focus, parse_focus

__all__ = ["Operation", "Parts", "alike", "apart", "edit", "named", "numbers", "split"]


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
        return self.changed(compose(self.primitive, (dict(self.drawing.tensors), which.copy())))

    def changed(self, tensors: Mapping[str, torch.Tensor]) -> Drawing:
        """The drawing with these tensors."""
        return replace(self.drawing, tensors=tensors)

    def joined(self, other: Art) -> Drawing:
        """The drawing with the parts of another one in front. Raises UsageError."""
        common_primitive(self.art, other, "joined with")
        groups = ((dict(each.drawing.tensors), each.chosen) for each in (self, _opened(other, "")))
        return self.changed(compose(self.primitive, *groups))

    def palette(self, text: str) -> tuple[str, ...]:
        """The palette that `text` means, ``#rrggbb``; a number is learned from the parts.

        Raises UsageError, InputError.
        """
        palette = parse_palette(text)
        if isinstance(palette, tuple):
            return palette
        pixels = np.rint(255 * np.clip(self.colours, 0, 1)).astype(np.uint8)
        return learn_palette(pixels[None], palette)

    def transformed(self, linear: Floats, shift: Floats) -> Drawing:
        """The drawing with the chosen parts turned and scaled around their middle, and moved.

        `linear` is [2, 2], `shift` [2] in canvas units. All parts turn around the middle of the
        canvas. Raises UsageError where parts cannot be transformed so.
        """
        places = self.looks.places[self.chosen]
        middle = np.zeros(2) if self.everything else (places.min(0) + places.max(0)) / 2
        tensors = dict(self.drawing.tensors)
        own = transform(
            self.primitive,
            select(tensors, self.chosen),
            torch.from_numpy(linear).float(),
            torch.from_numpy(middle - linear @ middle + shift).float(),
        )
        index = torch.from_numpy(self.chosen)
        return self.changed({k: t.index_copy(-1, index, own[k]) for k, t in tensors.items()})


@dataclass(frozen=True)
class Operation:
    """An operation on parts: what `change` makes of the drawing that `Parts` holds, and a value.

    `example` is a value that it takes; an operation without one takes no value. Where the value is
    a `file`, it is read to its end, and all parts are chosen.
    """

    change: Callable[[Parts, str], Drawing]
    example: str = ""
    file: bool = False


_PLACES = (
    "write smallest:10, largest:10, colour:red, part:3, a circle such as 0.5,0.3,0.1, "
    "or the file of a mask"
)

_CONTRACT = "return an artgen.Drawing, such as parts.changed(tensors)"


def edit(art: Art, *operations: str) -> Art:
    """The art with its parts changed by `operations`, one after the other.

    Each is ``NAME=VALUE@WHERE``, as in docs/editing.md: ``delete@smallest:10``,
    ``recolour=red=blue``, ``move=0.1,0@0.5,0.5,0.2``. The recipe remembers them; metrics, history
    and light history belong to the fit and are left out. Raises UsageError for what cannot be done,
    InputError for files that cannot be read, PluginError.
    """
    if not hasattr(art, "drawing"):
        raise UsageError(f"{art!r} is no art", hint="open the file: edit(artgen.load(FILE), ...)")
    for text in operations:
        if not isinstance(text, str):
            hint = 'give each as a text of its own: edit(art, "rotate=10", "delete@smallest:3")'
            raise UsageError(f"{text!r} is no operation on parts", hint=hint)
        art = _edited(art, text)
    return art


def split(art: Art, colours: int | str) -> dict[str, Art]:
    """The art taken apart by colour: for each, as ``#rrggbb``, the parts that are nearest to it.

    `colours` are a number to learn, or a palette as for ``--palette``. Colours without parts are
    left out. Raises UsageError, InputError.
    """
    parts = _opened(art, "")
    if not len(parts.chosen):
        raise UsageError("a drawing without parts cannot be split", hint="fit it with more steps")
    palette = parts.palette(str(colours))
    if len(palette) < 2:
        raise InputError("there is one colour", hint="name them, such as red,teal")
    nearest = apart(parts.colours, [parse_colour(each) for each in palette]).argmin(1)
    return {
        colour: _remembered(parts, parts.composed(own), f"split={colour}")
        for index, colour in enumerate(palette)
        if len(own := np.flatnonzero(nearest == index))
    }


def surprise(before: Art, after: Art) -> str | None:
    """What nobody asks for that an operation did, in words that follow its text; None: nothing."""
    old, new = before.drawing, after.drawing
    same = all(torch.equal(tensor, new.tensors[name]) for name, tensor in old.tensors.items())
    if same and old.background == new.background:
        return "changes nothing"
    places = appearance(after.primitive(), dict(new.tensors)).places
    if (abs(places) > new.canvas.reach).any(1).all():
        return "leaves no part whose middle is in the picture"
    return None


def _edited(art: Art, text: str) -> Art:
    """The art after one operation. Raises UsageError, InputError, PluginError."""
    name, mark, rest = (*re.split("([=@])", text, maxsplit=1), "", "")[:3]
    registry = art.registry or default()
    names = [entry.name for entry in registry.entries("edit")]
    if name.rpartition("/")[2] not in names:
        raise UsageError(f"{text!r} is no operation on parts", hint=did_you_mean(name, names))
    operation: Operation = registry.load("edit", name)
    value, at, where = "", mark, rest
    if mark == "=":
        value, at, where = (rest, "", "") if operation.file else _at_place(rest)
    if bool(value) != bool(operation.example) or (mark == "=") != bool(value) or (at and not where):
        usage = f"{name}={operation.example}".rstrip("=")
        usage += "" if operation.file else ", with @WHERE or without"
        raise UsageError(f"{text!r} is not how parts are edited", hint=f"write {usage}")
    parts = _opened(art, where)
    if not len(parts.chosen):
        raise UsageError(f"{text!r} finds no parts", hint="choose a larger place, or other parts")
    what = f"edit {name!r}"
    with plugin_code(what, operation.change, hint=_CONTRACT):
        drawing = operation.change(parts, value)
    if not isinstance(drawing, Drawing):
        problem = f"gave {type(drawing).__name__}, not a drawing"
        raise broken(what, operation.change, problem, _CONTRACT)
    # Files are remembered by their names, never by their paths.
    given = value if operation.file else where if _is_file(where) else ""
    file = FileReference.of(Path(given), "mask" if where else "drawing") if given else None
    for path in filter(os.path.isfile, (value, where)):
        text = text.replace(path, Path(path).name)
    return _remembered(parts, drawing, text, file)


def _at_place(rest: str) -> tuple[str, str, str]:
    """A value, ``@`` and a place, as `str.partition`; the name of a file may hold an ``@`` too."""
    halves = [(rest[:k], "@", rest[k + 1 :]) for k, mark in enumerate(rest) if mark == "@"]
    files = (each for each in [(rest, "", ""), *halves] if os.path.isfile(each[0]))
    return next(files, rest.partition("@"))


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
    if name == "part":
        number, count = whole(value), len(parts.looks.places)
        if not number or number > count:
            hint = f"write part:1 to part:{count}"
            raise UsageError(f"@{where} is no part of this drawing, which has {count}", hint=hint)
        return np.array([number - 1])
    if name == "colour":
        return np.flatnonzero(alike(parts.colours, [parse_colour(value)])[:, 0] >= 0.5)
    reach = np.array(parts.drawing.canvas.reach)
    shares = (parts.looks.places / reach + 1) / 2
    try:
        circles = parse_focus(where) if is_focus(where) else None
    except UsageError as error:
        raise UsageError(error.message, hint=_PLACES) from None
    if isinstance(circles, tuple) and circles:
        x, y, radii = np.array(circles).T
        away = np.linalg.norm((shares[:, None] - np.stack([x, y], 1)) * reach, axis=2)
        return np.flatnonzero((away <= radii).any(1))
    if not _is_file(where):
        raise UsageError(
            f"@{where} is no place of parts",
            hint=_PLACES,
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
    luma = image.pixels[row, column] / 255 @ LUMA
    return np.flatnonzero(luma >= 0.5)


def _is_file(where: str) -> bool:
    """Whether a place is the name of a file."""
    return Path(where).suffix != "" and not is_focus(where) and not where.startswith("colour:")


# ---- colours -------------------------------------------------------------------------------------


def _lab(colours: object) -> Floats:
    """CIELAB of [N, 3], clamped to 0..1."""
    from skimage.color import rgb2lab

    return np.asarray(rgb2lab(np.clip(np.asarray(colours, np.float64), 0, 1)), np.float64)


def alike(colours: Floats, others: object) -> Floats:
    """How much colours [N, 3], 0 to 1, are taken for others [M, 3]: 1 up to `ALIKE`, then to 0."""
    return np.clip(2 - apart(colours, others) / ALIKE, 0, 1)


def apart(colours: Floats, others: object) -> Floats:
    """The distances in CIELAB of colours [N, 3] from others [M, 3], 0 to 1 each: [N, M]."""
    return np.asarray(np.linalg.norm(_lab(colours)[:, None] - _lab(others), axis=2), np.float64)


def named(text: str) -> str:
    """The text, with the nearest CSS name (in CIELAB) in place of each colour such as #2b2247."""
    from PIL import ImageColor

    names = list(ImageColor.colormap)
    known = [parse_colour(name) for name in names]

    def name(code: re.Match[str]) -> str:
        return names[int(apart(np.array([parse_colour(code[0])]), known).argmin())]

    return re.sub("#(?:[0-9a-f]{6}|[0-9a-f]{3})", name, text)
