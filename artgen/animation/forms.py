"""Forms of film: other ways of showing a drawing and how it came about.

A form is a function of a `Shot`. It returns a function from the share of the time, 0 to 1, to a
frame, and prepares before that what all frames share. A plugin offers more of them through the
hook `artgen_forms`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from artgen.art import Art, kept
from artgen.base.errors import UsageError
from artgen.base.faults import plugin_code
from artgen.film.scenes import frame_count
from artgen.losses import Sight
from artgen.output.error_maps import embers as embers
from artgen.output.image_codecs import encode_within as encode_within
from artgen.output.still import Pixels
from artgen.output.still import contact_sheet as contact_sheet
from artgen.output.video import Samples as Samples
from artgen.primitives import Primitive
from artgen.registry import Registry, default
from artgen.values.drawing import Drawing
from artgen.values.frame import Frame

if TYPE_CHECKING:
    from artgen.display.views import FramedView

Frames = Callable[[float], Pixels]

_CONTRACT = "return a function from the share of the time to a frame, uint8 [height, width, 3]"

_GAP, _STRIP = 8, 24
"""Pixels between a photo and a drawing, and between two drawings, of 1,000 of their height."""

_HOLD = 0.2
"""The share of the time in which a form that ends shows its end."""


class Filmed(NamedTuple):
    """Frames, one at a time, and the sound that goes with them."""

    frames: Iterator[Pixels]
    sound: Samples | None = None


@dataclass(frozen=True)
class Shot:
    """The input of a form: `art`, on a `frame`, for `seconds`.

    `photo` is the target at the size of the frame, uint8 [height, width, 3], where a form needs it;
    `other` is another drawing as high as the frame, where it `pairs` and one was given.
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
        size = max(1, round(max(placement.picture.width, placement.picture.height) * scale))
        return self.art.view(replace(self.frame, size=size), **dict(self.how))

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
        return kept(progress, lambda share: draw(progress(share)))


def beside(shot: Shot) -> Callable[[Drawing], Pixels]:
    """Show drawings to the left of another one, or to the right of the photo.

    Raises UsageError without either.
    """
    still, share, gray, order = shot.other, _STRIP, 255, -1
    if still is None:
        still, share, gray, order = shot.target, _GAP, 128, 1
    gap = np.full((len(still), max(2, len(still) * share // 1000), 3), gray, np.uint8)
    return lambda drawing: np.concatenate([still, gap, shot.view.show(drawing)][::order], axis=1)


def seen_pictures(art: Art, show: Callable[[Drawing], Pixels]) -> list[tuple[str, Pixels]]:
    """The drawing as `show` has it, and how it is seen in each view of the recipe, by its name."""
    shown = [("as it is", show(art.drawing))]
    for view in art.recipe.view or ():
        if view.how != "plain":
            sight = Sight.of(view.how, art.registry)
            posed = sight.pose.drawing(art.drawing, art.primitive())
            shown.append((view.how, seen(sight.see, show(posed))))
    if len(shown) == 1:
        raise UsageError("this drawing has no views", hint="fit it with --view HOW:PICTURE")
    return shown


def seen(see: Callable[[torch.Tensor], torch.Tensor], picture: Pixels) -> Pixels:
    """What a function of a picture [3, height, width] makes of its pixels."""
    seen = see(torch.from_numpy(picture / 255).permute(2, 0, 1))
    return np.asarray(np.rint(255 * seen.clamp(0, 1).permute(1, 2, 0).numpy()), np.uint8)


def eased(way: Any) -> Any:
    """Numbers, or an array, from 0 to 1 as a way that starts and stops smoothly: 3w² - 2w³."""
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
    still: bool | Callable[[Shot], Pixels] = False
    """What a still shows: if True the first frame, from which the film goes on, as the still of a
    fit does too; or what a function returns, uint8 [height, width, 3], for `render` alone."""
    page: Callable[[Shot], tuple[Pixels, Pixels]] | None = None
    """Two pictures for an HTML page, with a slider from the first to the second."""
    pairs: bool = False
    """Whether ``FILE.art`` is shown whole as `Shot.other`, as `beside` does, not as the photo."""
    views: frozenset[str] | None = None
    """Names of views of which a drawing must have one; empty: it must have any."""
    check: Callable[[Primitive, Drawing], object] = lambda primitive, drawing: None
    """Raises UsageError where it cannot show drawings like this one."""
    takes: Callable[[str], Any] | None = None
    """Reads the TEXT of `--film NAME=TEXT`, or "", as `Shot.given`. Raises ArtgenError."""
    check_given: Callable[[Any, Primitive, Drawing], object] | None = None
    """Raises UsageError where what it takes cannot be shown of drawings like this one."""
    reads: Callable[[Any], Iterable[Path]] = lambda given: ()
    """The files that what it takes was read from, which no output may replace."""


def find_form(text: str, registry: Registry) -> Form:
    """The form that a text such as ``wipe`` or ``music=song.wav`` asks for.

    Raises PluginError where there is none of that name, ArtgenError for a text that it refuses:
    before a fit, what is wrong shall be said.
    """
    return read_form(text, registry)[0]


def check_clip(text: str, form: Form) -> None:
    """Raise UsageError for a form that shows one picture, which a film of a clip cannot be of."""
    if form.photo:
        raise UsageError(
            f"--film {text} shows one picture, and the target is a clip",
            hint="use artgen fit --side-by-side, or a form that needs no target: --film zoom",
        )


def read_form(text: str, registry: Registry) -> tuple[Form, object]:
    """The form, and what it takes from the text after its name: see `find_form`."""
    name, equals, rest = text.partition("=")
    form: Form = registry.load("form", name)
    if equals and not (rest and (form.photo or form.takes)):
        what = "shows no target" if rest else "says nothing after its ="
        raise UsageError(f"--film {text} {what}", hint=f"use --film {name}")
    return form, form.takes(rest) if form.takes else None


def check_form(
    text: str, registry: Registry, primitive: Primitive, drawing: Drawing
) -> tuple[Form, object]:
    """The form and what it takes. Raises as `find_form`, UsageError where it cannot be shown."""
    form, given = read_form(text, registry)
    form.check(primitive, drawing)
    if form.check_given is not None:
        form.check_given(given, primitive, drawing)
    return form, given


def _asked(text: str, shot: Shot, fps: float) -> tuple[Form, Shot]:
    """The form, and the shot with what it takes. Raises PluginError and UsageError."""
    art = shot.art
    form, given = check_form(text, art.registry or default(), art.primitive(), art.drawing)
    return form, replace(shot, given=given, fps=fps) if form.takes else shot


def _pixels(picture: object) -> Pixels:
    if not (isinstance(picture, np.ndarray) and picture.dtype == np.uint8):
        raise TypeError(f"a frame is {type(picture).__name__}, not pixels of 8 bits")
    if picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(f"a frame is of shape {list(picture.shape)}, not [height, width, 3]")
    return picture


def form_still(text: str, shot: Shot, fps: float) -> Pixels:
    """What a still shows of a form that has one. Raises PluginError and UsageError."""
    form, asked = _asked(text, shot, fps)
    if not callable(form.still):
        return next(_filmed(text, form, asked, fps, 1.0).frames)
    with plugin_code(f"the still of form {text!r}", form.still, hint="return uint8 [h, w, 3]"):
        return _pixels(form.still(asked))


def form_page(text: str, shot: Shot, fps: float) -> list[Pixels]:
    """The two pictures of a form that has a page. Raises PluginError and UsageError."""
    form, asked = _asked(text, shot, fps)
    assert form.page is not None
    with plugin_code(f"the page of form {text!r}", form.page, hint="return two, uint8 [h, w, 3]"):
        one, other = map(_pixels, form.page(asked))
        return [one, other]


def form_frames(text: str, shot: Shot, fps: float, speed: float = 1.0) -> Filmed:
    """The frames of a form, uint8 [height, width, 3], lazily, and its sound.

    Those that follow a film last as long as it divided by `speed`, others `shot.seconds`. Raises
    PluginError and UsageError at once.
    """
    return _filmed(text, *_asked(text, shot, fps), fps, speed)


def _filmed(text: str, form: Form, shot: Shot, fps: float, speed: float) -> Filmed:
    seconds = shot.seconds
    if shot.other is None and shot.art.recipe.clip is not None:
        check_clip(text, form)
    if form.progress and shot.art.has_film:
        seconds = len(shot.art.require_film().frame_times(fps, speed)) / fps
    guard = partial(plugin_code, f"form {text!r}", form.prepare, hint=_CONTRACT)
    with guard():
        made = form.prepare(shot)
    take = made if isinstance(made, Take) else Take(made, seconds)
    count = max(2, frame_count(take.seconds * fps))
    # The last frame of a loop is the one before its first.
    steps = fps if take is made else count if form.loops else count - 1
    shapes = dict[str, tuple[int, ...]]()

    def drawn(moment: float) -> Pixels:
        with guard():
            picture = _pixels(take.at(moment))
            if picture.shape != shapes.setdefault("first", picture.shape):
                raise ValueError(f"frames differ in size: {shapes['first']}, then {picture.shape}")
            return picture

    return Filmed((drawn(index / steps) for index in range(count)), take.sound)
