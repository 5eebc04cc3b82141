"""The arguments of `artgen.fit` and `artgen.stream`, written by `make declared`."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from artgen.api.streams import Stream
from artgen.art import Art
from artgen.engines import Engine
from artgen.events import Event
from artgen.losses import LossFunction
from artgen.primitives import Primitive
from artgen.recipe.tables import Quality

def fit(
    target: Any,
    primitive: str | type[Primitive] = "gaussian",
    *,
    seed: int | None = None,
    init: str | os.PathLike[str] | None = None,
    size: int | str | None = None,
    crop_at: str | None = None,
    pad: str | Sequence[float] | None = None,
    background: str | Sequence[float] = "auto",
    palette: int | str | os.PathLike[str] | Sequence[str | Sequence[float]] | None = None,
    focus: str | os.PathLike[str] | None = None,
    mask: str | os.PathLike[str] | None = None,
    max_pixels: int | None = None,
    view: Sequence[str] | None = None,
    count: int | Literal["auto"] | None = None,
    target_bytes: int | None = None,
    preset: str | None = None,
    engine: str | type[Engine] = "auto",
    steps: int | None = None,
    quality: Quality | None = None,
    time: float | None = None,
    target_psnr: float | None = None,
    loss: str | LossFunction | None = None,
    edges: Literal["hard", "smooth"] | None = None,
    history: int | None = None,
    device: str = "auto",
    backend: str = "auto",
    threads: int | None = None,
    precision: str = "fp32",
    tiles: int | None = None,
    crop: str | None = None,
    engine_options: Mapping[str, Any] | None = None,
    polish: bool = False,
    observe: Callable[[Event], bool | None] | None = None,
    **options: Any,
) -> Art: ...
def stream(
    target: Any,
    primitive: str | type[Primitive] = "gaussian",
    *,
    seed: int | None = None,
    init: str | os.PathLike[str] | None = None,
    size: int | str | None = None,
    crop_at: str | None = None,
    pad: str | Sequence[float] | None = None,
    background: str | Sequence[float] = "auto",
    palette: int | str | os.PathLike[str] | Sequence[str | Sequence[float]] | None = None,
    focus: str | os.PathLike[str] | None = None,
    mask: str | os.PathLike[str] | None = None,
    max_pixels: int | None = None,
    view: Sequence[str] | None = None,
    count: int | Literal["auto"] | None = None,
    target_bytes: int | None = None,
    preset: str | None = None,
    engine: str | type[Engine] = "auto",
    steps: int | None = None,
    quality: Quality | None = None,
    time: float | None = None,
    target_psnr: float | None = None,
    loss: str | LossFunction | None = None,
    edges: Literal["hard", "smooth"] | None = None,
    history: int | None = None,
    device: str = "auto",
    backend: str = "auto",
    threads: int | None = None,
    precision: str = "fp32",
    tiles: int | None = None,
    crop: str | None = None,
    engine_options: Mapping[str, Any] | None = None,
    polish: bool = False,
    observe: Callable[[Event], bool | None] | None = None,
    **options: Any,
) -> Stream: ...
