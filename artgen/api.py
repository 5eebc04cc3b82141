"""`artgen.fit`: a run from Python, in memory, with no files, no printing and no signal handlers."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, ParamSpec

from artgen.art import Art
from artgen.engines import Engine
from artgen.errors import Interrupted, PluginError, UsageError
from artgen.events import Advanced, Evaluated, Event, Observer, PreviewDrawn
from artgen.frame import Frame, parse_frame
from artgen.losses import LossFunction
from artgen.primitives import Primitive
from artgen.recipe import FileReference, Recipe
from artgen.registry import Kind, default
from artgen.resolve import check_polish, with_preset_target
from artgen.runner import run
from artgen.targets import (
    Target,
    TargetRequest,
    image_from_array,
    parse_colour,
    parse_palette,
    read_palette,
)
from artgen.targets.large import large_from_array
from artgen.tasks import RunControl

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

P = ParamSpec("P")


@dataclass(frozen=True)
class _Listener:
    """The followers of a fit of this thread: its control, and an observer."""

    control: RunControl
    observe: Observer


_listener: ContextVar[_Listener | None] = ContextVar("listener", default=None)


def fit(
    target: Any,
    primitive: str | type[Primitive] = "gaussian",
    *,
    count: int | Literal["auto"] | None = None,
    target_bytes: int | None = None,
    quality: Literal["draft", "good", "best"] | None = None,
    steps: int | None = None,
    time: float | None = None,
    target_psnr: float | None = None,
    loss: str | LossFunction | None = None,
    size: int | str | None = None,
    tiles: int | None = None,
    max_pixels: int | None = None,
    crop: str | None = None,
    crop_at: str | None = None,
    pad: str | None = None,
    seed: int | None = None,
    preset: str | None = None,
    engine: str | type[Engine] = "auto",
    engine_options: Mapping[str, Any] | None = None,
    polish: bool = False,
    background: str = "auto",
    palette: int | str | os.PathLike[str] | Sequence[str] | None = None,
    mask: str | os.PathLike[str] | None = None,
    focus: str | os.PathLike[str] | None = None,
    init: str | os.PathLike[str] | None = None,
    device: str = "auto",
    backend: str = "auto",
    threads: int | None = None,
    precision: str = "fp32",
    history: int | None = None,
    observe: Callable[[Event], bool | None] | None = None,
    **options: Any,
) -> Art:
    """Fit `primitive` to `target` and return the art.

    `target` is a path, a name such as ``"sample:astronaut"`` or ``"curve:sin(x)"``, a Pillow image,
    an array [height, width] or [height, width, channels] of uint8, uint16 or floats in 0..1, or
    what `curve_from_samples`, `points_from_samples` and `set_from_arrays` make. `primitive`,
    `engine`, `loss` and `target` may also be the class or the function that a plugin would offer:
    it is registered first (`register`). `size` is the long side while fitting, in pixels, or both
    sides, ``"1080x1080"``. To these, or to the aspect ratio `crop`, ``"9:16"``, a picture is
    cropped around the point `crop_at`, ``"auto"`` or ``"0.5,0.3"``; with `pad`, a colour or
    ``"background"``, it gets a border instead. A `count` of ``"auto"`` adds parts while they help,
    and `target_bytes` takes as many as fit into an `.art` file of this many bytes at `precision`;
    `time` is in seconds;
    `seed` is random where not given and stored in ``art.recipe``; a `background` of ``"auto"`` is
    black, for shapes the target's mean colour; a `palette` holds the only colours that shapes and
    such a background may have: a list, a text as for ``--palette``, a file, or how many to learn.
    With `tiles`, their side in pixels, a picture of any size is fitted in tiles, at its own size
    unless another is asked for; pictures of more than `max_pixels` (None: 64 million) are refused.
    `focus` is where detail matters: ``"auto"``, circles or a file, as for ``--focus``.
    Every other keyword is an option of the primitive, `engine_options` are those of the engine.
    With `polish` a second stage, with the defaults of `gradient`, refines the shapes that were
    found. Of each stage `history` drawings are kept as ``art.film``, from 2 on; None keeps a light
    history instead (`Art.trajectory`), 0 none.
    `observe` is called with every event of `artgen.events`; once it returns True, the fit ends with
    its best drawing so far. The evaluations are kept as ``art.history``.

    Raises InputError, PluginError, UsageError, Diverged, OutOfMemory.
    """
    primitive = primitive if isinstance(primitive, str) else register(primitive)
    engine = engine if isinstance(engine, str) else register(engine)
    if callable(loss):
        loss = register(loss, kind="loss")
    if callable(target):
        target = f"{register(target, kind='target')}:"
    texts = None if size is None else str(size)
    frame, long_side = parse_frame(texts, crop, crop_at, pad), Frame.of(size).size
    opened: Target | None = None
    source = "array"
    if isinstance(target, str | os.PathLike):
        source = os.fspath(target)
    else:
        if mask is not None or focus is not None:
            raise UsageError(
                "a mask or focus can only be used with a target that is a file",
                hint="save the picture first",
            )
        if isinstance(target, Target):
            if frame.aspect is not None:
                raise UsageError(
                    "a target that is open already cannot be cropped",
                    hint="open it with artgen.TargetRequest(frame=...)",
                )
            opened = target if frame.size is None else target.resized(frame.size)
    if isinstance(palette, str):
        palette = parse_palette(palette)
    elif isinstance(palette, os.PathLike):
        palette = read_palette(palette)
    stage = {
        "engine": engine,
        "quality": quality,
        "steps": steps,
        "time": time,
        "target_psnr": target_psnr,
        "loss": loss,
        **(engine_options or {}),
    }
    recipe = Recipe.from_request(
        {
            "seed": seed,
            "init": None if init is None else FileReference(name=os.fspath(init)).model_dump(),
            "target": {
                "source": source,
                "size": long_side,
                "aspect": frame.aspect and "{}:{}".format(*frame.aspect),
                "crop_at": crop_at,
                "pad": pad,
                "background": background,
                "palette": palette,
                "mask": None if mask is None else {"name": os.fspath(mask)},
                "focus": None if focus is None else os.fspath(focus),
                **_given({"max_pixels": max_pixels}),
            },
            "tiles": None if tiles is None else {"side": tiles},
            "primitive": {
                "name": primitive,
                "count": count,
                "target_bytes": target_bytes,
                "preset": preset,
                **options,
            },
            "stage": [
                _given(stage),
                *([_given({"engine": "gradient", "quality": quality})] if polish else []),
            ],
            "output": {"video": False, "history": history},
            "run": {
                "device": device,
                "backend": backend,
                "threads": threads,
                "precision": precision,
            },
        }
    )
    if polish:
        check_polish(recipe, default())
    if opened is None and not isinstance(target, str | os.PathLike):
        recipe = with_preset_target(recipe, default())
        # What suits the primitive is known later; until then black is behind transparency.
        plain = parse_colour("black" if background == "auto" else background)
        table = recipe.target
        request = TargetRequest(table.size, plain, max_pixels=table.max_pixels, frame=table.frame)
        opened = (image_from_array if tiles is None else large_from_array)(target, request)
    listener, evaluated = _listener.get(), list[Evaluated]()
    control = listener.control if listener else RunControl()

    def watch(event: Event) -> None:
        if isinstance(event, Evaluated):
            evaluated.append(event)
        if listener:
            listener.observe(event)
        if observe is not None and observe(event) is True:
            control.request_stop()

    result = run(recipe, default(), target=opened, observers=[watch], control=control)
    # An end that the observer asked for is no error.
    if result.error is not None and not isinstance(result.error, Interrupted):
        raise result.error
    assert result.art is not None
    return replace(result.art, history=tuple(evaluated))


STEP_SECONDS = 1.0
"""A stream gives a step at least about this often, between evaluations too."""


@dataclass(frozen=True)
class Step:
    """A fit that goes on, after `step` steps: `loss` and `psnr` in dB of the last evaluation.

    `evaluated` says that this was now. `psnr` is None where the target is not a picture. `picture`
    is the newest drawing, uint8 [height, width, 3], None until the first was drawn; drawing takes
    about 1 % of the time.
    """

    step: int
    total_steps: int
    seconds: float
    loss: float
    psnr: float | None
    picture: NDArray[np.uint8] | None = field(repr=False, compare=False)
    evaluated: bool = True


class Stream:
    """A fit, step by step: iterate over it once, then ask for `art`.

    The fit runs in another thread and waits while the loop does something else. Leaving the loop
    ends it with its best drawing so far. Errors of the fit are raised by the loop and by `art`.
    """

    def __init__(self, work: Callable[[], Art]) -> None:
        self._work = work
        self._control = RunControl()
        self._control.watched = True
        self._steps: queue.Queue[Step | None] = queue.Queue(maxsize=1)
        self._picture: NDArray[np.uint8] | None = None
        self._last: Step | None = None
        self._due = 0.0
        self._art: Art | None = None
        self._error: BaseException | None = None
        self._begun = False

    def __iter__(self) -> Iterator[Step]:
        if self._begun:
            return
        self._begun = True
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        try:
            while (step := self._steps.get()) is not None:
                yield step
        finally:
            self._control.request_stop()
            while thread.is_alive():
                try:
                    self._steps.get(timeout=0.05)
                except queue.Empty:
                    continue
            thread.join()
        if self._error is not None:
            raise self._error

    @property
    def art(self) -> Art:
        """The result; a fit that was not begun is done first."""
        for _ in self:
            pass
        if self._error is not None:
            raise self._error
        assert self._art is not None
        return self._art

    def _run(self) -> None:
        _listener.set(_Listener(self._control, self._hear))
        try:
            self._art = self._work()
        except BaseException as error:
            self._error = error
        finally:
            self._steps.put(None)

    def _hear(self, event: Event) -> None:
        if isinstance(event, PreviewDrawn):
            self._picture = event.pixels
        elif isinstance(event, Evaluated):
            e = event
            self._give(Step(e.step, e.total_steps, e.seconds, e.loss, e.psnr, self._picture))
        elif isinstance(event, Advanced) and self._last and time.monotonic() >= self._due:
            loss, psnr = self._last.loss, self._last.psnr
            now = event.step, event.total_steps, event.seconds
            self._give(Step(*now, loss, psnr, self._picture, evaluated=False))

    def _give(self, step: Step) -> None:
        """Hand a step to the loop, and wait for it."""
        self._steps.put(step)
        self._last, self._due = step, time.monotonic() + STEP_SECONDS


def _streamed(fit: Callable[P, Art]) -> Callable[P, Stream]:
    def stream(*arguments: P.args, **options: P.kwargs) -> Stream:
        """Fit step by step: `for step in artgen.stream("photo.jpg", count=500): ...`.

        The arguments are those of `fit`. See `Stream` and `Step`.
        """
        return Stream(lambda: fit(*arguments, **options))

    return stream


stream = _streamed(fit)


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def register(
    value: Any,
    name: str | None = None,
    *,
    kind: Kind | Literal["observer"] | None = None,
    files: tuple[str, ...] = (),
) -> str:
    """Offer a part of a plugin under `name`, by default its own name in snake case.

    `value` is a subclass of `Primitive` or `Engine`, or a function as the hooks offer them; then
    `kind` says of which kind it is: loss, target, exporter, look, or observer. A target opens the
    files whose names match a pattern of `files`, such as ``"*.pgm16"``. Registering a name again
    replaces it. Returns the name to pass to `fit`. Raises PluginError where `value` is not of its
    kind or the name is invalid.
    """
    if kind is None and isinstance(value, type) and issubclass(value, Primitive | Engine):
        kind = "engine" if issubclass(value, Engine) else "primitive"
    if kind is None:
        raise PluginError(
            f"{value!r} cannot be registered: it is not a subclass of artgen.Primitive or Engine",
            hint="say what a function is: kind='loss', 'target', 'exporter' or 'observer'",
        )
    return default().register(value, name, kind, files)
