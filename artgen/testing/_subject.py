"""What is examined: one primitive of one plugin, in all the variants that its options allow."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.canvas import Canvas
from artgen.drawing import Drawing
from artgen.errors import PluginError
from artgen.hookspecs import GROUP
from artgen.primitives import Context, Primitive, Shape, Splat
from artgen.registry import Entry, Registry
from artgen.subject import ImageSet
from artgen.targets import set_from_arrays
from artgen.testing._figures import stack_values

__all__ = ["CANVAS", "DEFAULT", "Subject", "Variant", "find_entries", "picture", "pictures"]

CANVAS = Canvas(36, 24)
"""Where primitives are tried unless the size is what matters: neither square nor large."""

WALK, FAR_STEPS = 10.0, 100.0
"""How far parameters move, in learning rates: at random, or straight on, for a hundred steps."""


@dataclass(frozen=True)
class Variant:
    """Options or a preset other than the default; as text ``" with blend=depth"``."""

    options: Mapping[str, Any] = field(default_factory=dict)
    preset: str | None = None

    def __str__(self) -> str:
        chosen = [f"{key}={value}" for key, value in self.options.items()]
        chosen += [f"preset={self.preset}"] if self.preset else []
        return f" with {' and '.join(chosen)}" if chosen else ""


DEFAULT = Variant()


@dataclass(frozen=True, eq=False)
class Subject:
    """A primitive that is examined, `entry` of `registry`; `cls` is its class."""

    entry: Entry
    registry: Registry
    cls: type[Primitive]
    raised: dict[str, str] = field(default_factory=dict, repr=False)
    """What the plugin raised so far, and in which check."""

    @property
    def name(self) -> str:
        """The name it is registered under."""
        return self.entry.name

    @property
    def options(self) -> dict[str, dataclasses.Field[Any]]:
        """Its own options by name, without those that every splat has."""
        everyones = {option.name for option in dataclasses.fields(Splat.Options)}
        return {
            option.name: option
            for option in dataclasses.fields(self.cls.Options)
            if option.name not in everyones
        }

    @cached_property
    def sample(self) -> ImageSet | None:
        """Some pictures of a set, for a codec."""
        if "set" not in self.cls.targets or "image" in self.cls.targets:
            return None
        return set_from_arrays(*pictures()).subject

    @cached_property
    def variants(self) -> list[Variant]:
        """The default, every preset, and every choice of an option that is one of several."""
        return [
            DEFAULT,
            *(Variant(preset=name) for name in self.cls.presets),
            *self.variants_of(_choices),
        ]

    def variants_of(
        self, values: Callable[[Any, dataclasses.Field[Any]], list[Any]]
    ) -> list[Variant]:
        """One option at a time at each of ``values(type, field)`` but its default."""
        types = typing.get_type_hints(self.cls.Options)
        return [
            Variant({name: value})
            for name, option in self.options.items()
            for value in values(types[name], option)
            if value != option.default
        ]

    def label(self, variant: Variant, what: str = "") -> str:
        """``Petal.footprint with blend=depth``."""
        return f"{self.cls.__name__}{what}{variant}"

    def primitive(self, variant: Variant = DEFAULT, canvas: Canvas = CANVAS) -> Primitive:
        """An instance, its options resolved for `canvas`."""
        primitive = self.cls(variant.options, preset=variant.preset)
        primitive.take(self.sample)
        primitive.resolve_options(canvas if self.sample is None else self.sample.grid)
        return primitive

    def drawing(
        self,
        variant: Variant = DEFAULT,
        canvas: Canvas = CANVAS,
        *,
        count: int = 8,
        seed: int = 0,
        target: bool = True,
        moved: bool = False,
    ) -> tuple[Primitive, Drawing]:
        """A first drawing; `moved` as a fit might have left it. A field is one part whatever N.

        Shapes are made up here, as it is the search that does so otherwise.
        """
        primitive = self.primitive(variant, canvas)
        rng = torch.Generator().manual_seed(seed)
        parts = count if primitive.has_count else 1
        shown = picture(canvas) if target else None
        if isinstance(primitive, Shape):
            values = stack_values(primitive, canvas, parts, seed, changes=3 if moved else 0)
            tensors = {name: torch.from_numpy(value) for name, value in values.items()}
        else:
            tensors = primitive.initial(Context(rng, canvas, parts, target=shown))
            if moved:
                tensors = _moved(primitive, tensors, Context(rng, canvas, parts))
        drawing = Drawing(
            self.registry.spelling(self.entry),
            primitive.option_values(),
            tensors,
            canvas.width,
            canvas.height,
            plugin=self.registry.identity(self.entry),
            subject=self.sample,
        )
        return primitive, drawing

    def extremes(
        self, variant: Variant = DEFAULT
    ) -> Iterator[tuple[str, float, Primitive, Drawing]]:
        """Drawings with one parameter of all parts at its least or largest value: name, value, …

        Where it has no bound it is moved as far as a hundred steps could.
        """
        primitive, made = self.drawing(variant, moved=True)
        context = Context(torch.Generator(), made.canvas, primitive.count_of(made))
        for name, param in primitive.parameters().items():
            start = param.map.inverse(made.tensors[name])
            far = FAR_STEPS * param.rate(context)
            for end, way in zip(param.raw_bounds(context), (-far, far), strict=True):
                if far == 0:
                    continue
                raw = torch.full_like(start, end) if math.isfinite(end) else start + way
                value = param.map(raw)
                changed = dataclasses.replace(made, tensors={**made.tensors, name: value})
                yield name, float(value.flatten()[0]), primitive, changed


def find_entries(what: Any) -> tuple[Registry, list[Entry]]:
    """A registry, and the primitives that `what` offers in it.

    `what` is a primitive class, a module with hooks, the path of a loose file, or the name of a
    primitive that is registered. Raises PluginError where there is none.
    """
    if isinstance(what, ModuleType):
        name = what.__name__
        registry = Registry(environ={}, entry_points=[EntryPoint(name, name, GROUP)])
        offered = registry.offered_by(name)
    elif isinstance(what, Path):
        registry = Registry(files=[what])
        offered = registry.offered_by(what)
    elif isinstance(what, type):
        registry = Registry()
        registry.register(what)
        offered = [entry for entry in registry.entries("primitive") if entry.spec.load is what]
    else:
        registry = Registry()
        offered = [registry.find("primitive", str(what))]
    primitives = [entry for entry in offered if entry.kind == "primitive"]
    if not primitives:
        raise PluginError(f"{what} offers no primitive", hint="implement artgen_primitives")
    return registry, primitives


def picture(canvas: Canvas) -> Tensor:
    """A target with slopes and an edge, [3, height, width] in 0..1."""
    x, y = (torch.from_numpy(axis) for axis in canvas.pixel_centres())
    x, y = torch.meshgrid(x, y, indexing="xy")
    disc = (x * x + y * y < 0.3).float()
    return torch.stack([0.5 + x / 4, 0.8 * disc + 0.1, 0.5 + y / 3]).clamp(0, 1)


def pictures() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """A set to learn from: bars of three kinds, uint8 [48, 12, 12], and the kind of each."""
    rng = np.random.default_rng(0)
    kinds = np.arange(48, dtype=np.int64) % 3
    images = np.zeros((48, 12, 12), np.uint8)
    for image, kind, place in zip(images, kinds, rng.integers(1, 9, 48), strict=True):
        if kind != 1:
            image[place : place + 3, 1:11] = 200
        if kind != 0:
            image[1:11, place : place + 3] = 255
    return images, kinds


def _choices(kind: Any, option: dataclasses.Field[Any]) -> list[Any]:
    """All values of an option that is a choice; none of a number."""
    if typing.get_origin(kind) is Literal:
        return list(typing.get_args(kind))
    return [False, True] if kind is bool else []


def _moved(
    primitive: Primitive, tensors: Mapping[str, Tensor], context: Context
) -> dict[str, Tensor]:
    """Every learned parameter a random way from where it was, inside its bounds."""
    moved = {}
    for name, param in primitive.parameters().items():
        way = WALK * param.rate(context) * context.randn(*tensors[name].shape)
        raw = (param.map.inverse(tensors[name]) + way).clamp(*param.raw_bounds(context))
        moved[name] = param.map(raw)
    return moved
