"""`artgen.fit`: a run from Python, in memory, with no files, no printing and no signal handlers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from artgen.art import Art
from artgen.errors import UsageError
from artgen.events import Observer
from artgen.recipe import FileReference, Recipe
from artgen.registry import default
from artgen.resolve import check_polish
from artgen.runner import run
from artgen.targets import (
    Target,
    TargetRequest,
    image_from_array,
    parse_colour,
    read_palette,
)


def fit(
    target: Any,
    primitive: str | type[Any] = "gaussian",
    *,
    count: int | Literal["auto"] | None = None,
    target_bytes: int | None = None,
    steps: int | None = None,
    time: float | None = None,
    target_psnr: float | None = None,
    loss: str | None = None,
    size: int | None = None,
    seed: int | None = None,
    preset: str | None = None,
    engine: str = "auto",
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
    observe: Observer | None = None,
    **options: Any,
) -> Art:
    """Fit `primitive` to `target` and return the art.

    `target` is a path, a name such as ``"sample:astronaut"`` or ``"curve:sin(x)"``, a Pillow image,
    an array [height, width] or [height, width, channels] of uint8, uint16 or floats in 0..1, or
    what `curve_from_samples`, `points_from_samples` and `set_from_arrays` make. `primitive` is
    a registered name or a subclass of `Primitive`, which is registered first. `size` is the long
    side while fitting, in pixels; a `count` of ``"auto"`` adds parts while they help, and
    `target_bytes` takes as many as fit into so many bytes at `precision`; `time` is in seconds;
    `seed` is random where not given and stored in ``art.recipe``; a `background` of ``"auto"`` is
    black, for shapes the target's mean colour; a `palette` holds the only colours that shapes and
    such a background may have: a list, a file of them, or how many to learn from the target. Every
    other keyword is an option of the primitive, `engine_options` are those of the engine. With
    `polish` a second stage, with the defaults of `gradient`, refines the shapes that were found.
    Of each stage `history` drawings are kept as ``art.film``, 0 or from 2 on.
    `observe` is called with every event of `artgen.events`.

    Raises InputError, PluginError, UsageError, Diverged, OutOfMemory.
    """
    if isinstance(primitive, type):
        primitive = register(primitive)
    opened: Target | None = None
    source = "array"
    if isinstance(target, str | os.PathLike):
        source = os.fspath(target)
    else:
        if mask is not None:
            raise UsageError("a mask needs a target that is a file", hint="save the picture first")
        if isinstance(target, Target):
            opened = target if size is None else target.resized(size)
        else:
            # What suits the primitive is known later; until then black is behind transparency.
            plain = "black" if background == "auto" else background
            request = TargetRequest(size=size, background=parse_colour(plain))
            opened = image_from_array(target, request)
    if isinstance(palette, str | os.PathLike):
        palette = read_palette(palette)
    stage = {
        "engine": engine,
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
                "size": size,
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
                {key: value for key, value in stage.items() if value is not None},
                *([{"engine": "gradient"}] if polish else []),
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
    result = run(
        recipe, default(), target=opened, observers=[observe] if observe is not None else []
    )
    if result.error is not None:
        raise result.error
    assert result.art is not None
    return result.art


def register(primitive: type[Any], name: str | None = None) -> str:
    """Offer a subclass of `Splat`, `Shape`, `Partition`, `Field` or `Codec` under `name`.

    That is its class name in snake case unless given. Returns the name to pass to `fit`. Raises
    PluginError where it is none.
    """
    return default().register(primitive, name)
