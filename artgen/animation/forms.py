"""Forms of film: other ways of showing a drawing and how it came about.

A form is a function of a `Shot`. It returns a function from the share of the time, 0 to 1, to a
frame, and prepares before that what all frames share. A plugin offers more of them through the
hook `artgen_forms`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from artgen.art import Art
from artgen.base.errors import UsageError
from artgen.base.faults import plugin_code
from artgen.losses import pose_of, see
from artgen.matching import Appearance, appearance, building_order, hide, move
from artgen.output.error_map import embers
from artgen.output.video import Samples as Samples
from artgen.primitives import Primitive
from artgen.raster import in_pose
from artgen.registry import Registry, default
from artgen.values.drawing import Drawing
from artgen.values.frame import Frame

if TYPE_CHECKING:
    from artgen.display.views import FramedView

Pixels = NDArray[np.uint8]
Frames = Callable[[float], Pixels]

_CONTRACT = "return a function from the share of the time to a frame, uint8 [height, width, 3]"

_GAP, _STRIP = 8, 24
"""Pixels between a photo and a drawing, and between two drawings, of 1,000 of their height."""

_HOLD = 0.2
"""The share of the time in which a form that ends shows its end."""

_ZOOM, _LARGEST = 8.0, 8192
"""The largest magnification; the longest side of the drawing that is magnified, in pixels."""

_LOOK = 256
"""Long side of the picture in which the place to magnify is looked for, in pixels."""

_FLIGHT = 0.45
"""The share of the time before the hold that one part flies."""

_FAINT = 0.4
"""How much is seen of a part before it flies."""

_GO = 0.2
"""The share of the time of a view in which the drawing goes over to it, and again back."""

_SHEET = 10
"""Rows and columns of a sheet of generations, at most."""

_FILLED, _GROWN = 0.7, 0.2
"""The shares of the time in which a sheet fills, and in which its last tile grows."""


class Filmed(NamedTuple):
    """Frames, one at a time, and the sound that goes with them."""

    frames: Iterator[Pixels]
    sound: Samples | None = None


@dataclass(frozen=True)
class Shot:
    """The input of a form: `art`, on a `frame`, for `seconds`.

    `photo` is the target at the size of the frame, uint8 [height, width, 3], where a form needs it;
    `other` is another drawing as high as the frame, for `beside`.
    `how` are `supersample` and `device` of `Art.view`.
    """

    art: Art
    frame: Frame
    seconds: float
    photo: Pixels | None = None
    how: tuple[tuple[str, Any], ...] = ()
    other: Pixels | None = None
    given: Any = None
    """What the form read from the text after its name, see `Form.takes`."""
    fps: float = 30.0
    """Frames per second, for what shall fall on a frame."""

    @cached_property
    def view(self) -> FramedView:
        """Shows drawings at the size of the frame."""
        return self.enlarged(1.0)

    @cached_property
    def still(self) -> Pixels:
        """The drawing itself."""
        return self.view.show(self.art.drawing)

    @cached_property
    def target(self) -> Pixels:
        """The photo. Raises UsageError without one."""
        if self.photo is None:
            raise UsageError("no photo was given", hint="pass photo=PIL.Image.open(FILE)")
        return self.photo

    def enlarged(self, scale: float) -> FramedView:
        """Shows drawings at another size."""
        placement = self.frame.place(self.art.drawing.canvas)
        longest = max(placement.picture.width, placement.picture.height)
        return self.art.view(replace(self.frame, size=round(longest * scale)), **dict(self.how))

    def progress(self) -> Callable[[float], Drawing]:
        """The film as a function of the share of its time; without one, how the parts appear."""
        if self.art.has_film:
            moving, duration = self.art.moving(), self.art.require_film().duration
            return lambda share: moving(share * duration)
        growing = self.art.growing()
        return lambda share: growing(min(1.0, share / (1 - _HOLD)))

    def remembered(self, draw: Callable[[Drawing], Pixels]) -> Frames:
        """The progress, each drawing drawn once."""
        progress = self.progress()
        shown: list[tuple[Drawing, Pixels]] = []

        def frame(share: float) -> Pixels:
            now = progress(share)
            if not shown or shown[0][0] is not now:
                shown[:] = [(now, draw(now))]
            return shown[0][1]

        return frame


def beside(shot: Shot) -> Callable[[Drawing], Pixels]:
    """Show drawings to the left of another one, or to the right of the photo.

    Raises UsageError without either.
    """
    still, share, gray, order = shot.other, _STRIP, 255, -1
    if still is None:
        still, share, gray, order = shot.target, _GAP, 128, 1
    gap = np.full((len(still), max(2, len(still) * share // 1000), 3), gray, np.uint8)
    return lambda drawing: np.concatenate([still, gap, shot.view.show(drawing)][::order], axis=1)


def _side_by_side(shot: Shot) -> Frames:
    return shot.remembered(beside(shot))


def _wipe(shot: Shot) -> Frames:
    photo, still = shot.target, shot.still
    width = still.shape[1]
    line = max(1, width // 400)

    def frame(share: float) -> Pixels:
        # Both pictures rest for a moment.
        place = round(width * min(1.0, max(0.0, 0.5 - 0.62 * math.cos(2 * math.pi * share))))
        pixels = np.concatenate([still[:, :place], photo[:, place:]], axis=1)
        if 0 < place < width:
            pixels[:, max(0, place - line) : place + line] = 255
        return pixels

    return frame


def _centres(shot: Shot) -> Frames:
    primitive = shot.art.primitive()
    placement = shot.view.placement
    radius = max(1.2, min(placement.picture.width, placement.picture.height) / 240)

    def draw(drawing: Drawing) -> Pixels:
        pixels = shot.view.show(drawing)
        places = _looks(primitive, drawing).places
        shorter = min(placement.whole.width, placement.whole.height)
        corner = np.array([placement.whole.width / 2, placement.whole.height / 2])
        offset = np.array([placement.left, placement.top])
        return _dotted(pixels, places * shorter / 2 + corner - offset, radius)

    return shot.remembered(draw)


def _dotted(pixels: Pixels, places: NDArray[np.float64], radius: float) -> Pixels:
    """Dots at `places` [N, 2], x and y in pixels, white with a dark rim, over a dimmed picture."""
    height, width = pixels.shape[:2]
    reach = math.ceil(1.6 * radius + 1)
    steps = np.arange(-reach, reach + 1)
    near = np.nan_to_num(places).clip(-1e6, 1e6)
    columns = np.floor(near[:, 0, None]).astype(np.int64) + steps
    rows = np.floor(near[:, 1, None]).astype(np.int64) + steps
    across = (columns + 0.5 - near[:, :1])[:, None, :]
    apart = np.hypot(across, (rows + 0.5 - near[:, 1:])[:, :, None])
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[
        :, None, :
    ]
    index = (rows[:, :, None] * width + columns[:, None, :])[inside]
    result = np.multiply(pixels.reshape(-1, 3), 0.7, dtype=np.float64)
    for size, level in ((1.6 * radius, 16.0), (radius, 250.0)):
        cover = np.zeros(height * width)
        np.maximum.at(cover, index, np.clip(size + 0.5 - apart, 0, 1)[inside])
        result += cover[:, None] * (level - result)
    dotted: Pixels = np.rint(result).astype(np.uint8)
    return dotted.reshape(pixels.shape)


def _depth(shot: Shot) -> Frames:
    # Its colours are none of a palette.
    shot = replace(shot, art=replace(shot.art, recipe=shot.art.recipe.with_output(edges="smooth")))
    primitive, drawing = shot.art.primitive(), shot.art.drawing
    ranks = np.sort(_looks(primitive, drawing).height)
    black = (0.03, 0.03, 0.04)

    def draw(drawing: Drawing) -> Pixels:
        tensors, own = dict(drawing.tensors), _looks(primitive, drawing).height
        share = np.searchsorted(ranks, own) / max(1, len(ranks) - 1)
        colours = embers(0.12 + 0.88 * share[None].clip(0, 1))[0].T / 255
        tensors["colour"] = torch.from_numpy(colours).to(tensors["colour"])
        return shot.view.show(replace(drawing, tensors=tensors, background=black))

    return shot.remembered(draw)


def _fly_in(shot: Shot) -> Frames:
    primitive, drawing = shot.art.primitive(), shot.art.drawing
    tensors = dict(drawing.tensors)
    places = _looks(primitive, drawing).places
    rng = np.random.default_rng(0)
    away = 1.2 * np.array(drawing.canvas.reach) * rng.uniform(-1, 1, places.shape)
    hidden = hide(primitive, tensors)
    start = np.empty(len(places))
    start[building_order(primitive, drawing).numpy()] = np.linspace(0, 1 - _FLIGHT, len(places))

    def frame(share: float) -> Pixels:
        way = _eased((share / (1 - _HOLD) - start) / _FLIGHT)
        if way.min() == 1:
            return shot.still
        # On straight ways all would meet in the middle; like this, their spread stays the same.
        turn = math.pi / 2 * way[:, None]
        by = torch.from_numpy((np.cos(turn) * away - (1 - np.sin(turn)) * places).T).float()
        # Where colours add up, parts on the way would outshine those that have arrived.
        shown = torch.from_numpy(_FAINT + (1 - _FAINT) * way).float()
        now = {name: hidden[name].lerp(own, shown.to(own)) for name, own in tensors.items()}
        return shot.view.show(replace(drawing, tensors=move(primitive, now, by)))

    return frame


def _looks(primitive: Primitive, drawing: Drawing) -> Appearance:
    """The appearance of the parts. Raises UsageError where there are none."""
    try:
        return appearance(primitive, dict(drawing.tensors))
    except UsageError:
        raise UsageError(
            f"{drawing.primitive} has no parts that a film could show",
            hint="use --film zoom, wipe or side-by-side",
        ) from None


def _check_depth(primitive: Primitive, drawing: Drawing) -> None:
    if _looks(primitive, drawing).layers is None or "colour" not in drawing.tensors:
        raise UsageError(
            f"parts of this {drawing.primitive} drawing have no depth",
            hint="splats of blend depth or over have one, and shapes",
        )


def _check_move(primitive: Primitive, drawing: Drawing) -> None:
    still = torch.zeros(2, len(_looks(primitive, drawing).places))
    move(primitive, dict(drawing.tensors), still)


def _zoom(shot: Shot) -> Frames:
    from PIL import Image

    height, width = shot.still.shape[:2]
    most = min(_ZOOM, max(1.0, _LARGEST / max(height, width)))
    large = Image.fromarray(shot.enlarged(most).show(shot.art.drawing))
    x, y = _detail(shot.still, most)

    def frame(share: float) -> Pixels:
        shown = most ** (0.5 * math.cos(2 * math.pi * share) - 0.5)
        left, top = x * (1 - shown), y * (1 - shown)
        box = left, top, left + shown, top + shown
        corners = tuple(at * side for at, side in zip(box, 2 * large.size, strict=True))
        picture = large.resize((width, height), Image.Resampling.LANCZOS, corners, 3.0)
        return np.asarray(picture)

    return frame


def _detail(pixels: Pixels, zoom: float) -> tuple[float, float]:
    """The place to magnify: a point of much detail, as shares of width and height."""
    from PIL import Image
    from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude

    picture = Image.fromarray(pixels).convert("L")
    picture.thumbnail((_LOOK, _LOOK))
    grey = np.asarray(picture, np.float32)
    detail = gaussian_gradient_magnitude(grey, 2.0)
    rows, columns = np.indices(grey.shape)
    height, width = grey.shape
    # Of places with as much detail, the one nearer to the middle.
    middle = np.hypot((rows + 0.5) / height - 0.5, (columns + 0.5) / width - 0.5)
    detail = gaussian_filter(detail, max(height, width) / zoom / 2) * (1 - middle)
    row, column = np.unravel_index(int(detail.argmax()), grey.shape)
    return (float(column) + 0.5) / width, (float(row) + 0.5) / height


def _generations(shot: Shot) -> Frames:
    from PIL import Image

    art, progress = shot.art, shot.progress()
    still = Image.fromarray(shot.still)
    side = max(1, min(_SHEET, math.isqrt(art.film.keyframes if art.film else _SHEET**2)))
    number = side * side
    # The last one is the result, which a film holds.
    ends = 1 - _HOLD
    if art.has_film:
        film = art.require_film()
        ends = film.scenes[-1].times[-1] / film.duration
    small = shot.enlarged(1.1 / side)
    sheet = Image.new("RGB", still.size, (14, 14, 16))
    gap = max(1, min(still.size) // (32 * side))
    filled = 0

    def box(index: int) -> NDArray[np.float64]:
        """Left, top, right and bottom."""
        place = np.array([index % side, index // side])
        corners = np.stack([place, place + 1]) * np.array(still.size) // side
        return np.concatenate([corners[0], corners[1] - gap])

    def paste(picture: Image.Image, onto: Image.Image, corners: NDArray[np.float64]) -> None:
        left, top, right, bottom = map(round, corners)
        onto.paste(picture.resize((max(1, right - left), max(1, bottom - top))), (left, top))

    def frame(share: float) -> Pixels:
        nonlocal filled
        while filled < min(number, math.ceil(share / _FILLED * number + 1e-9)):
            now = Image.fromarray(small.show(progress(ends * filled / max(1, number - 1))))
            # All tiles go on together, and one after the other stops.
            for later in range(filled, number):
                paste(now, sheet, box(later))
            filled += 1
        picture = sheet.copy()
        if share > _FILLED:
            last, whole = box(number - 1), np.array([0, 0, *still.size])
            paste(still, picture, last + _eased((share - _FILLED) / _GROWN) * (whole - last))
        return np.array(picture)

    return frame


def seen_pictures(art: Art, show: Callable[[Drawing], Pixels]) -> list[tuple[str, Pixels]]:
    """The drawing as `show` has it, and how it is seen in each view of the recipe, by its name."""
    shown = [("as it is", show(art.drawing))]
    for view in art.recipe.view or ():
        if view.how != "plain":
            posed = in_pose(art.drawing, art.primitive(), pose_of(view.how))
            shown.append((view.how, _seen(view.how, show(posed))))
    if len(shown) == 1:
        raise UsageError("this drawing has no views", hint="fit it with --view HOW:PICTURE")
    return shown


def _seen(how: str, picture: Pixels) -> Pixels:
    """A picture as it is seen, but for the pose of its parts."""
    seen = see(how, torch.from_numpy(picture / 255).permute(2, 0, 1))
    levels: Pixels = np.rint(255 * seen.clamp(0, 1).permute(1, 2, 0).numpy()).astype(np.uint8)
    return levels


def _views(shot: Shot) -> Frames:
    """Rest at the drawing, go over to a view, rest, come back, and go on to the next one."""
    from PIL import Image, ImageOps

    size = Image.fromarray(shot.still).size

    def on_canvas(picture: Image.Image) -> Pixels:
        return np.asarray(ImageOps.pad(picture, size, color=(14, 14, 16)))

    drawing, primitive = shot.art.drawing, shot.art.primitive()
    _, *seen = seen_pictures(shot.art, shot.view.show)
    poses = [pose_of(how) for how, _ in seen]
    turns = [re.fullmatch(r"turn=(\d+)", how) for how, _ in seen]
    ends = [on_canvas(Image.fromarray(pixels)) for _, pixels in seen]

    def frame(share: float) -> Pixels:
        number, place = divmod(share * len(seen), 1)
        index = int(number) % len(seen)
        way = float(_eased((0.5 - abs(place - 0.5)) / _GO - 0.6))
        turn, still, end = turns[index], shot.still, ends[index]
        if poses[index] and 0 < way < 1:
            still = shot.view.show(in_pose(drawing, primitive, way * poses[index]))
            end = on_canvas(Image.fromarray(_seen(seen[index][0], still)))
        if turn is None or way in (0, 1):
            mixed = still + way * (end - still.astype(np.float32))
            return np.rint(mixed).astype(np.uint8)
        picture = Image.fromarray(shot.still).convert("RGBA")
        picture = picture.rotate(-way * int(turn[1]), Image.Resampling.BICUBIC, expand=True)
        under = Image.new("RGBA", picture.size, (14, 14, 16, 255))
        return on_canvas(Image.alpha_composite(under, picture).convert("RGB"))

    return frame


def _eased(way: Any) -> Any:
    """A way from 0 to 1 that starts and stops smoothly; it ends there."""
    way = np.clip(way, 0.0, 1.0)
    return way * way * (3 - 2 * way)


@dataclass(frozen=True)
class Take:
    """What a form makes that has a length of its own, or a sound.

    `at` gives the frame at a time in seconds since the start, uint8 [height, width, 3].
    """

    at: Frames
    seconds: float
    sound: Samples | None = None


@dataclass(frozen=True)
class Form:
    """A form of film: what makes its frames, whether it needs the target, whether it loops.

    Those that do not follow the progress last as long as asked for, or as their `Take` says.
    """

    prepare: Callable[[Shot], Frames | Take]
    photo: bool = False
    progress: bool = False
    """Whether it follows the film of the drawing, and lasts as long."""
    loops: bool = False
    still: bool = False
    """Whether its first frame is a picture of its own, which a still shows."""
    check: Callable[[Primitive, Drawing], object] = lambda primitive, drawing: None
    """Raises UsageError where it cannot show drawings like this one."""
    takes: Callable[[str], Any] | None = None
    """Reads the TEXT of `--film NAME=TEXT`, or "", as `Shot.given`. Raises ArtgenError."""


SIDE_BY_SIDE = Form(_side_by_side, photo=True, progress=True)
WIPE = Form(_wipe, photo=True, loops=True)
CENTRES = Form(_centres, progress=True, check=_looks)
DEPTH = Form(_depth, progress=True, check=_check_depth)
FLY_IN = Form(_fly_in, check=_check_move)
ZOOM = Form(_zoom, loops=True)
GENERATIONS = Form(_generations)
VIEWS = Form(_views, loops=True)


def find_form(text: str, registry: Registry) -> Form:
    """The form that a text such as ``wipe`` or ``music=song.wav`` asks for.

    Raises PluginError where there is none of that name, ArtgenError for a text that it refuses:
    before a fit, what is wrong shall be said.
    """
    return _read_form(text, registry)[0]


def _read_form(text: str, registry: Registry) -> tuple[Form, Any]:
    """The form, and what it takes from the text after its name: see `find_form`."""
    name, _, rest = text.partition("=")
    form: Form = registry.load("form", name)
    if form.takes:
        return form, form.takes(rest)
    if rest and not form.photo:
        raise UsageError(f"--film {name} shows no target", hint=f"use --film {name}")
    return form, None


def form_frames(text: str, shot: Shot, fps: float, speed: float = 1.0) -> Filmed:
    """The frames of a form, uint8 [height, width, 3], lazily, and its sound.

    Those that follow a film last as long as it divided by `speed`, others `shot.seconds`. Raises
    PluginError and UsageError at once.
    """
    form, given = _read_form(text, shot.art.registry or default())
    form.check(shot.art.primitive(), shot.art.drawing)
    if form.takes:
        shot = replace(shot, given=given, fps=fps)
    seconds = shot.seconds
    if form.progress and shot.art.has_film:
        seconds = shot.art.require_film().duration / speed
    guard = partial(plugin_code, f"form {text!r}", form.prepare, hint=_CONTRACT)
    with guard():
        made = form.prepare(shot)
    take = made if isinstance(made, Take) else Take(made, seconds)
    count = max(2, round(take.seconds * fps))
    # The last frame of a loop is the one before its first.
    steps = fps if take is made else count if form.loops else count - 1

    def drawn(moment: float) -> Pixels:
        with guard():
            picture = take.at(moment)
            if not (isinstance(picture, np.ndarray) and picture.dtype == np.uint8):
                raise TypeError(f"a frame is {type(picture).__name__}, not pixels of 8 bits")
            return picture

    return Filmed((drawn(index / steps) for index in range(count)), take.sound)
