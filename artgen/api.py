"""`artgen.fit`: a run from Python, in memory, with no files, no printing and no signal handlers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from artgen.art import Art
from artgen.engines import Engine
from artgen.errors import Interrupted, PluginError, UsageError
from artgen.events import Evaluated, Event
from artgen.frame import Frame, parse_frame
from artgen.losses import LossFunction
from artgen.primitives import Primitive
from artgen.recipe import FileReference, Recipe
from artgen.registry import Kind, default
from artgen.resolve import check_polish
from artgen.runner import run
from artgen.targets import (
    Target,
    TargetRequest,
    image_from_array,
    parse_colour,
    parse_palette,
    read_palette,
)
from artgen.tasks import RunControl


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
    init: str | os.PathLike[str] | None = None,
    device: str = "auto",
    backend: str = "auto",
    threads: int | None = None,
    precision: str = "fp32",
    history: int = 0,
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
    and `target_bytes` takes as many as fit into this many bytes at `precision`; `time` is in
    seconds;
    `seed` is random where not given and stored in ``art.recipe``; a `background` of ``"auto"`` is
    black, for shapes the target's mean colour; a `palette` holds the only colours that shapes and
    such a background may have: a list, a text as for ``--palette``, a file, or how many to learn.
    Every other keyword is an option of the primitive, `engine_options` are those of the engine.
    With `polish` a second stage, with the defaults of `gradient`, refines the shapes that were
    found. Of each stage `history` drawings are kept as ``art.film``, 0 or from 2 on.
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
        if mask is not None:
            raise UsageError(
                "a mask can only be used with a target that is a file",
                hint="save the picture first",
            )
        if isinstance(target, Target):
            if frame.aspect is not None:
                raise UsageError(
                    "a target that is open already cannot be cropped",
                    hint="open it with artgen.TargetRequest(frame=...)",
                )
            opened = target if frame.size is None else target.resized(frame.size)
        else:
            # What suits the primitive is known later; until then black is behind transparency.
            plain = "black" if background == "auto" else background
            plain_frame = replace(frame, size=None)
            request = TargetRequest(long_side, parse_colour(plain), frame=plain_frame)
            opened = image_from_array(target, request)
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
            },
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
            "output": {"video": False, **({"history": history} if history else {})},
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
    control, evaluated = RunControl(), list[Evaluated]()

    def watch(event: Event) -> None:
        if isinstance(event, Evaluated):
            evaluated.append(event)
        if observe is not None and observe(event) is True:
            control.request_stop()

    result = run(recipe, default(), target=opened, observers=[watch], control=control)
    # An end that the observer asked for is no error.
    if result.error is not None and not isinstance(result.error, Interrupted):
        raise result.error
    assert result.art is not None
    return replace(result.art, history=tuple(evaluated))


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
    `kind` says of which kind it is: loss, target, exporter, or observer. A target opens the
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
