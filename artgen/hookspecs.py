"""The hooks that a plugin can implement, and the specs that they return.

A plugin is a module, found through the entry-point group `artgen`, whose functions marked
`@artgen.hookimpl` implement hooks. Most return *specs*: a name, a one-line summary, and the
location of an object as ``"module:Class"``. Listing plugins thus imports neither torch nor the code
of these objects.
"""

# Specs of hooks are never called, so they have no body but their docstring.
# mypy: disable-error-code="empty-body"

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pluggy

from artgen.events import Event

__all__ = ["GROUP", "PLUGIN_API", "Spec", "hookimpl", "hookspec"]

GROUP = "artgen"
"""The pluggy project name and the entry-point group."""

PLUGIN_API = 1
"""Version of the plugin interface. A module can require one with its attribute `ARTGEN_API`."""

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@dataclass(frozen=True)
class Spec:
    """An object that a plugin provides under a `name`.

    `load` is its location, ``"module:attribute"``, or the object itself.

    The spec of a target can list `files`, lower-case patterns of the file names that it opens:
    ``("*.csv",)``. A pattern for folders ends in a slash: ``("*.zarr/",)``. The conformance checks
    of a target open its `example`: the text after the colon, the bytes of a small file, or the
    files of a folder by name. Where only certain `names` can follow the colon, up to a ``?``, it
    lists them with what each is: ``image``, ``clip``, ``set``, ``curve`` or ``points``. Others are
    then refused before anything is imported. The `example` of an executor is told where `--on`
    names none: ``cluster://HOST:PORT``.
    """

    name: str
    summary: str
    load: str | Any
    files: tuple[str, ...] = ()
    example: str | bytes | Mapping[str, bytes] = ""
    names: Mapping[str, str] = field(default_factory=dict)


@hookspec
def artgen_primitives() -> Iterable[Spec]:
    """Provide primitives: subclasses of `artgen.Primitive`."""


@hookspec
def artgen_engines() -> Iterable[Spec]:
    """Provide engines: subclasses of `artgen.Engine`."""


@hookspec
def artgen_losses() -> Iterable[Spec]:
    """Provide losses: functions ``(image, target, weight) -> scalar``.

    `image` and `target` are float tensors [3, height, width], sRGB-encoded, 1.0 = 255; `weight` is
    [height, width] or None. Mark a loss for other targets than pictures with `for_targets`.
    """


@hookspec
def artgen_targets() -> Iterable[Spec]:
    """Provide targets: functions ``(rest, request)`` that open one.

    The name of a target is the scheme before the colon, as in `sample:astronaut`. `rest` is the
    text after the colon, or the path of a file that matches a pattern in `Spec.files`. `request` is
    an `artgen.targets.TargetRequest`. The function returns an `artgen.targets.ImageTarget`, a
    `SampleTarget`, a `SetTarget` or a `ClipTarget`.
    """


@hookspec
def artgen_exporters() -> Iterable[Spec]:
    """Provide exporters: functions ``(art, request) -> bytes``.

    The name of an exporter is the suffix of its files without the dot. `request` is an
    `artgen.art.ExportRequest`.
    """


@hookspec
def artgen_looks() -> Iterable[Spec]:
    """Provide looks: mappings in the form of a recipe, without the path of a target.

    A look has no code. Its keys are the tables of a recipe file, such as ``{"primitive": {"name":
    "triangle"}}``.
    """


@hookspec
def artgen_runs() -> Iterable[Spec]:
    """Provide kinds of run: subclasses of `artgen.runs.RunKind`.

    A recipe asks for one by its table ``[kind]``: its `name`, and the options of the kind.
    """


@hookspec
def artgen_makers() -> Iterable[Spec]:
    """Provide kinds of things to make: subclasses of `artgen.making.Maker`."""


@hookspec
def artgen_forms() -> Iterable[Spec]:
    """Provide forms of film, for `--film NAME`: objects of `artgen.animation.Form`."""


@hookspec
def artgen_views() -> Iterable[Spec]:
    """Provide ways to look at a drawing, for `--view NAME`: objects of `artgen.losses.Way`."""


@hookspec
def artgen_edits() -> Iterable[Spec]:
    """Provide operations of `artgen edit`: objects of `artgen.editing.Operation`."""


@hookspec
def artgen_executors() -> Iterable[Spec]:
    """Provide executors, for `--on NAME`: functions that return an `artgen.tasks.Executor`.

    Their arguments are ``(place, number, checkpoints, recipes, registry)``: what stands behind
    `--on`, the values of `-j` and `--checkpoints` or None, and what the tasks will need.
    """


@hookspec
def artgen_commands() -> Iterable[Spec]:
    """Provide commands, `artgen NAME`: functions with parameters as typer declares them.

    The docstring is the help; a number that the function returns is the exit code.
    """


@hookspec
def artgen_observe(event: Event) -> None:
    """Receive an event of a run, in the process and thread of the run."""
