"""The hooks a plugin may implement, and the light specs it answers with.

A plugin is a module (found through the entry-point group `artgen`) with functions marked
`@artgen.hookimpl`. Answers are *specs*: a name, a one-line summary and where the object lives, as
``"module:Class"``, so that listing plugins imports neither torch nor the plugin's real code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pluggy

from artgen.events import Event

__all__ = ["GROUP", "PLUGIN_API", "Spec", "hookimpl", "hookspec"]

GROUP = "artgen"
"""The pluggy project name and the entry-point group."""

PLUGIN_API = 1
"""The version of the plugin contract; a module may state the one it wants as `ARTGEN_API`."""

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@dataclass(frozen=True)
class Spec:
    """An offer of a plugin under `name`; `load` is ``"module:attribute"`` or the object itself.

    A target may also declare the names of the `files` that it opens, as patterns in lower case:
    ``("*.csv",)``. A folder matches with a slash at its end: ``("*.zarr/",)``. `example` is what
    its conformance checks open: the text after the colon, or the bytes of a small file.
    """

    name: str
    summary: str
    load: str | Any
    files: tuple[str, ...] = ()
    example: str | bytes = ""


@hookspec
def artgen_primitives() -> Iterable[Spec]:
    """Primitives: each `load` gives a subclass of `artgen.Primitive`."""
    raise NotImplementedError


@hookspec
def artgen_engines() -> Iterable[Spec]:
    """Engines: each `load` gives a subclass of `artgen.Engine`."""
    raise NotImplementedError


@hookspec
def artgen_losses() -> Iterable[Spec]:
    """Losses: each `load` gives ``(image, target, weight) -> scalar``.

    `image` and `target` are float tensors [3, height, width], sRGB-encoded, 1.0 = 255; `weight` is
    [height, width] or None. A loss for other targets than pictures is marked by `for_targets`.
    """
    raise NotImplementedError


@hookspec
def artgen_targets() -> Iterable[Spec]:
    """Targets: `name` is the scheme before the colon in `sample:astronaut`.

    Each `load` gives a function ``(rest, request)`` that returns an `artgen.ImageTarget`, an
    `artgen.SampleTarget` or an `artgen.SetTarget`, where `rest` is the text after the
    colon, or the path of a file that matches one of the patterns in `Spec.files`, and `request` is
    an `artgen.TargetRequest`.
    """
    raise NotImplementedError


@hookspec
def artgen_exporters() -> Iterable[Spec]:
    """Exporters: `name` is the file suffix without its dot.

    Each `load` gives ``(art, request) -> bytes`` with an `artgen.ExportRequest`.
    """
    raise NotImplementedError


@hookspec
def artgen_observe(event: Event) -> None:
    """Watch a run: called with every event, in the runner's process and thread."""
    raise NotImplementedError
