"""Description of a drawing and its film for a page: how to draw it, and rows of numbers per scene.

A still drawing is a scene with one key. A row holds the values of one number of all parts, key
after key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from artgen.base.errors import PluginError, UsageError
from artgen.base.generic import generic
from artgen.film.scenes import Film, Scene
from artgen.output.page.pack import Packer
from artgen.output.parts import FlatPart, parts_for
from artgen.output.parts.flat import Floats
from artgen.output.svg.paths import NUMBER, Path, path_of
from artgen.primitives import Primitive
from artgen.targets import hex_colour
from artgen.values.drawing import Drawing

_HINT = "use -o FILE.png, which draws everything"


@dataclass(frozen=True)
class PageScript:
    """What draws a still drawing on a page: a script, and what it reads.

    `script` is JavaScript that defines a class `Painter` derived from `Stage`. It finds `facts`,
    which JSON can hold, in `piece.facts`, and `data`, as a Uint8Array, by
    `rowOf(piece.scenes[0].data)`. `count` is the number of parts that a slider chooses from.
    """

    script: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    data: bytes = b""
    count: int = 1


@generic("export")
def page_script(primitive: Primitive, drawing: Drawing) -> PageScript | None:
    """The script with which a page draws it; None: one of artgen's own draws it."""
    return None


def describe(
    drawing: Drawing, primitive: Primitive, film: Film | None, packer: Packer
) -> dict[str, Any]:
    """Describe the drawing for the page's script; its numbers go into `packer`.

    With the `kind` "own", `script` is that of its family. Raises UsageError if a page cannot draw
    it, InputError if the tensors do not belong to `primitive`, PluginError if the script cannot
    stand in a page.
    """
    if drawing.subject is not None:
        raise refused(drawing, f"a page draws pictures, no target of kind {drawing.subject.kind}")
    primitive.check_tensors(drawing)
    still = Scene((0.0,), {name: tensor[None] for name, tensor in drawing.tensors.items()})
    scenes = (still,) if film is None else film.scenes
    own = page_script(primitive, drawing)
    if own and film:
        raise refused(drawing, "its script draws no films")
    described = _scripted(own, packer) if own else scenes_of(primitive, drawing, scenes, packer)
    for scene, table in zip(scenes, described["scenes"], strict=True):
        table["times"] = list(scene.times)
        table["lifespans"] = None if scene.lifespans is None else _row(packer, scene.lifespans)
        ground = scene.background
        # As many as are there at a time: a slider chooses from them.
        alive = table["count"] // table.get("each", 1)
        table["most"] = alive if scene.lifespans is None else _most(scene.lifespans)
        table["background"] = None if ground is None else _row(packer, ground)
    return described


def _scripted(own: PageScript, packer: Packer) -> dict[str, Any]:
    if found := re.search("</script|<!--", own.script, re.IGNORECASE):
        raise PluginError(
            f"{found[0]} in a page script would end the script of the page",
            hint=f"write {found[0][0]}\\{found[0][1:]}",
        )
    scene = {"count": own.count, "data": packer.add_bytes(own.data)}
    return {"kind": "own", "script": own.script, "facts": own.facts, "scenes": [scene]}


def refused(drawing: Drawing, reason: str) -> UsageError:
    """Return the error that says why a page cannot show the drawing."""
    return UsageError(f"{drawing.primitive} cannot be shown as a page: {reason}", hint=_HINT)


def _row(packer: Packer, values: Tensor) -> int:
    return packer.add(values.numpy(), exact=True)


def _most(lifespans: Tensor) -> int:
    """Return the number of parts at the key that has most of them."""
    begun, ended = lifespans + torch.tensor([[0], [1]])
    keys = int(ended.max()) + 1
    alive = begun.bincount(minlength=keys) - ended.bincount(minlength=keys)
    return int(alive.cumsum(0).max())


def last_keys(drawing: Drawing, scene: Scene) -> Drawing:
    """Return the drawing with every part as in its last key."""
    tensors = {name: tensor[-1] for name, tensor in scene.tensors.items()}
    if scene.lifespans is not None:
        last = scene.lifespans[1]
        tensors = {
            name: tensor.gather(0, last.expand(1, *tensor.shape[1:]))[0]
            for name, tensor in scene.tensors.items()
        }
    return replace(drawing, tensors=tensors)


@generic("export")
def scenes_of(
    primitive: Primitive, drawing: Drawing, scenes: Sequence[Scene], packer: Packer
) -> dict[str, Any]:
    """Describe the `scenes` for the page's script; their numbers go into `packer`.

    By default the flat parts become paths. Raises UsageError if a page cannot draw them.
    """
    return described_paths(primitive, drawing, scenes, packer)


def described_paths(
    primitive: Primitive,
    drawing: Drawing,
    scenes: Sequence[Scene],
    packer: Packer,
    border: float | None = None,
) -> dict[str, Any]:
    """Describe flat parts as paths, each followed by a line of the width `border` around it."""
    forms: dict[str, int] = {}
    packed = []
    drawn = parts_for(drawing, primitive, "a page")
    union = next((part.union for part in drawn), None)
    # Layers of one colour, as it is shown, are told apart.
    inks = {(part.layer, hex_colour(part.colour)) for part in drawn}
    layered = union and len(inks) > len({colour for _, colour in inks})
    for scene in scenes:
        keys = [_paths(drawing, primitive, scene, key, border) for key in range(scene.keyframes)]
        templates, numbers = _numbers(drawing, [paths for paths, *_ in keys], scene.lifespans)
        colour = np.stack([colours for _, colours, _ in keys])
        alpha = np.stack([alphas for _, _, alphas in keys])
        strokes = np.array([[path.stroke or 0.0 for path in paths] for paths, *_ in keys])
        parts = parts_for(last_keys(drawing, scene), primitive, "a page")
        area = np.array([_area(part) for part in parts])
        area = np.repeat(area, each := 1 if border is None else 2) * alpha.max(0, initial=0.0)
        rank = np.empty(len(area))
        # Equal areas shall be equal whatever library rounds them.
        rank[np.argsort(-area.astype(np.float32), kind="stable")] = np.arange(len(area))
        packed.append(
            {
                "count": len(area),
                "each": each,
                "forms": [forms.setdefault(form, len(forms)) for form in templates],
                # Exact, because flags of arcs are among the numbers.
                "numbers": packer.add(numbers, exact=True),
                "colour": [packer.add(colour[..., k]) for k in range(3)],
                "alpha": packer.add(alpha),
                "stroke": packer.add(strokes, exact=True),
                # A part and its border come together.
                "rank": packer.add(rank // each, exact=True),
            }
        )
        if layered:
            packed[-1]["layer"] = packer.add(np.array([part.layer for part in parts]), exact=True)
    return {"kind": "shapes", "forms": list(forms), "scenes": packed, "union": union}


def _paths(
    drawing: Drawing, primitive: Primitive, scene: Scene, key: int, border: float | None
) -> tuple[list[Path], Floats, Floats]:
    """Return path, colour [N, 3] and opacity [N] of every part at a key, and of its border."""
    tensors = {name: tensor[key] for name, tensor in scene.tensors.items()}
    parts = parts_for(replace(drawing, tensors=tensors), primitive, "a page")
    nothing = Path("M0 0")
    colour = np.clip(np.array([part.colour for part in parts]).reshape(-1, 3), 0, 1)
    alpha = np.array([part.alpha for part in parts])
    paths = [replace(path_of(part) or nothing, images=part.images) for part in parts]
    if border is None:
        return paths, colour, alpha
    widths = [border if part.touching else 0.0 for part in parts]
    pairs = zip(paths, widths, strict=True)
    both = [each for path, width in pairs for each in (path, replace(path, stroke=width))]
    return both, colour.repeat(2, 0), alpha.repeat(2)


def _numbers(
    drawing: Drawing, keys: list[list[Path]], lifespans: Tensor | None
) -> tuple[list[str], Floats]:
    """Return path data without its numbers, and the numbers of all paths, [keys, numbers].

    A path of another form at a key at which it does not live gets the numbers of its last key.
    Raises UsageError where the number of paths changes, or the form of one that lives.
    """
    if len(set(map(len, keys))) > 1:
        raise refused(drawing, "the number of its parts changes in its film")
    forms, columns = [], []
    lives = [[0, len(keys) - 1]] * len(keys[0]) if lifespans is None else lifespans.T.tolist()
    for paths, (begun, ended) in zip(zip(*keys, strict=True), lives, strict=True):
        split = [
            ((NUMBER.sub("#", each.data), each.images), list(map(float, NUMBER.findall(each.data))))
            for each in paths
        ]
        form, last = split[ended]
        if any(own != form for own, _ in split[begun : ended + 1]):
            raise refused(drawing, "the outlines of its parts change their form in its film")
        forms.append(form[0])
        columns.append([numbers if own == form else last for own, numbers in split])
    if not columns:
        return [], np.empty((len(keys), 0))
    return forms, np.concatenate([np.array(each) for each in columns], axis=1)


def _area(part: FlatPart) -> float:
    """Return the area of the polygon of a part, in canvas units."""
    x, y = part.outline().reshape(-1, 2).T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
