"""The primitive under test, in all the variants that its options allow."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.base.generic import generic
from artgen.base.options import OptionInfo, describe_options
from artgen.hookspecs import GROUP
from artgen.init import Context
from artgen.primitives import Primitive
from artgen.registry import Entry, Registry
from artgen.targets import set_from_arrays
from artgen.values.canvas import Canvas
from artgen.values.drawing import Drawing
from artgen.values.subject import ImageSet

T = TypeVar("T")

CANVAS = Canvas(36, 24)
"""Default canvas of the checks: small and not square."""

WALK = 10.0
"""How far parameters move at random, in learning rates."""

FAR_STEPS = 100.0
"""Distance that parameters move in a straight line, in learning rates."""


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


@dataclass(eq=False)
class Offer:
    """An offer of a plugin, under test: `entry` of `registry`, with the object that it loads."""

    entry: Entry
    registry: Registry
    loaded: Any
    raised: dict[str, str] = field(default_factory=dict, repr=False)
    """Lines and errors that have made checks fail so far, with the name of the first check."""
    blocked_by: str = ""
    """The basic check that has failed, which leaves out all later ones."""
    _made: dict[object, Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def name(self) -> str:
        """The name it is registered under."""
        return self.entry.name

    @property
    def known_deviations(self) -> Mapping[str, str]:
        """The checks that it is declared not to pass, with the reasons; "" for names alone."""
        given = getattr(self.loaded, "known_deviations", {})
        return given if isinstance(given, Mapping) else dict.fromkeys(given, "")

    def once(self, key: object, make: Callable[[], T]) -> T:
        """Make what several checks look at; the next call with this key returns the same."""
        if key not in self._made:
            self._made[key] = make()
        made: T = self._made[key]
        return made


@dataclass(eq=False)
class Candidate(Offer):
    """A primitive under test."""

    loaded: type[Primitive]

    @property
    def cls(self) -> type[Primitive]:
        """The class of the primitive."""
        return self.loaded

    @property
    def options(self) -> list[OptionInfo]:
        """The options, without those that all of the family have."""
        common = self.cls.common_options
        everyones = set() if common is None else {each.name for each in dataclasses.fields(common)}
        own = describe_options(self.cls.Options)
        return [option for option in own if option.name not in everyones]

    @cached_property
    def sample(self) -> ImageSet | None:
        """Pictures of a set for a codec, else None."""
        if "set" not in self.cls.targets or "image" in self.cls.targets:
            return None
        return set_from_arrays(*pictures()).subject

    @cached_property
    def variants(self) -> list[Variant]:
        """The default, every preset, and every value of options that are choices."""
        return [
            DEFAULT,
            *(Variant(preset=name) for name in self.cls.presets),
            *self.variants_of(lambda option: option.choices),
        ]

    def variants_of(self, values: Callable[[OptionInfo], Iterable[Any]]) -> list[Variant]:
        """List variants that set one option to each of its `values` but its default."""
        return [
            Variant({option.name: value})
            for option in self.options
            for value in values(option)
            if value != option.default
        ]

    def label(self, variant: Variant, what: str = "") -> str:
        """Name a variant, such as ``Petal.footprint with blend=depth``."""
        return f"{self.cls.__name__}{what}{variant}"

    def primitive(self, variant: Variant = DEFAULT, canvas: Canvas = CANVAS) -> Primitive:
        """Make an instance with options resolved for `canvas`."""
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
        """Make a first drawing of `count` parts, or with `moved` one like in the middle of a fit.

        Shapes are random, since only the search makes them otherwise.
        """
        primitive = self.primitive(variant, canvas)
        rng = torch.Generator().manual_seed(seed)
        parts = count if primitive.has_count else 1
        shown = picture(canvas) if target else None
        tensors = first_tensors(primitive, Context(rng, canvas, parts, target=shown), seed, moved)
        drawing = Drawing(
            self.registry.spelling(self.entry),
            primitive.option_values(),
            tensors,
            canvas.width,
            canvas.height,
            plugin=dict(self.entry.identity),
            subject=self.sample,
        )
        return primitive, drawing

    def extremes(
        self, variant: Variant = DEFAULT
    ) -> Iterator[tuple[str, float, Primitive, Drawing]]:
        """Yield name, value, primitive and drawing with one parameter of all parts at a bound.

        A parameter without a bound is moved by `FAR_STEPS` learning rates.
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


def find_entries(what: object) -> tuple[Registry, list[Entry]]:
    """Return a registry, and what `what` offers in it.

    `what` is a primitive class, a module with hooks, the path of a loose file, or the name of a
    registered primitive. Raises PluginError if it offers nothing.
    """
    if isinstance(what, ModuleType):
        name = what.__name__
        shipped = entry_points(group=GROUP, name="artgen_plugins")
        registry = Registry(environ={}, entry_points={*shipped, EntryPoint(name, name, GROUP)})
        offered = registry.offered_by(name)
    elif isinstance(what, Path) or str(what).endswith(".py"):
        registry = Registry(files=[str(what)])
        offered = registry.offered_by(str(what))
    elif isinstance(what, type):
        registry = Registry()
        registry.register(what)
        offered = [entry for entry in registry.entries("primitive") if entry.spec.load is what]
    else:
        registry = Registry()
        offered = [registry.find("primitive", str(what))]
    return registry, offered


def picture(canvas: Canvas) -> Tensor:
    """Make a target with slopes and an edge, [3, height, width] in 0..1."""
    x, y = (torch.from_numpy(axis) for axis in canvas.pixel_centres())
    x, y = torch.meshgrid(x, y, indexing="xy")
    disc = (x * x + y * y < 0.3).float()
    return torch.stack([0.5 + x / 4, 0.8 * disc + 0.1, 0.5 + y / 3]).clamp(0, 1)


def pictures() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Make a set to learn from: bars of three kinds, uint8 [48, 12, 12], and their labels."""
    rng = np.random.default_rng(0)
    kinds = np.arange(48, dtype=np.int64) % 3
    images = np.zeros((48, 12, 12), np.uint8)
    for image, kind, place in zip(images, kinds, rng.integers(1, 9, 48), strict=True):
        if kind != 1:
            image[place : place + 3, 1:11] = 200
        if kind != 0:
            image[1:11, place : place + 3] = 255
    return images, kinds


@generic("checks")
def first_tensors(
    primitive: Primitive, context: Context, seed: int, moved: bool
) -> dict[str, Tensor]:
    """Make the tensors of a first drawing; `moved` at random inside their bounds, as in a fit."""
    tensors = primitive.initial(context)
    if not moved:
        return tensors
    context, changed = Context(context.rng, context.canvas, context.count), {}
    for name, param in primitive.parameters().items():
        way = WALK * param.rate(context) * context.randn(*tensors[name].shape)
        raw = (param.map.inverse(tensors[name]) + way).clamp(*param.raw_bounds(context))
        changed[name] = param.map(raw)
    return changed
