"""The contract of all primitives: options, presets, parameters and an initial drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Literal, TypeAlias

import torch
from torch import Tensor

from artgen.base.errors import InputError, PluginError, UsageError, did_you_mean
from artgen.base.faults import broken, place_of, plugin_code
from artgen.base.options import option, parse_options
from artgen.init import Context
from artgen.primitives.params import SETTINGS, Param
from artgen.recipe import Precision
from artgen.values.canvas import Canvas
from artgen.values.drawing import Drawing
from artgen.values.subject import Subject, TargetKind
from artgen.values.symmetry import Symmetry, placed, symmetry_of

Arithmetic: TypeAlias = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class Preset:
    """A partial recipe: count, options, stage keys, background, and settings of single parameters.

    `target` holds keys of the recipe's target, such as ``{"aspect": "1:1"}``. `params` maps a
    parameter's name to keywords of `Param.replaced`. The stage keys are for the engines named in
    `engines`; where it is empty, for the primitive's first one.
    """

    count: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    stage: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    engines: tuple[str, ...] = ()
    background: str | None = None
    target: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NoOptions:
    """A primitive without options."""


@dataclass(frozen=True)
class SymmetryOptions:
    """The option of families whose parts can be repeated."""

    symmetry: str = option(
        "none", "group of the motions by which every part is repeated: p6m, frieze:p2, rosette:7m"
    )


class Primitive:
    """A kind of part. Subclass `Splat`, `Shape`, `Mesh`, `Ink` and so on instead.

    Class attributes a plugin may set: `Options` (a frozen dataclass made of `artgen.option`),
    `defaults` (count and budget when none is asked for), `presets`, `engines` (names, the first is
    used by ``-e auto``), `targets` (the kinds of targets it can be fitted to), `params`,
    `size_option` (the name of the whole-numbered option that `--target-bytes` sets where there is
    no count; of a codec `--count` sets it too), `psnr_option` (the name of the one that
    `--target-psnr` sets where a fit finds the size for it) and `known_deviations` (why it does not
    pass a check of `artgen.testing`, by its name). `params` may be a property computed from
    `self.options`.
    """

    family: ClassVar[str] = ""
    answers: ClassVar[str | None] = None
    """The package whose modules answer the questions of `artgen.family` for a family, if any.

    Each is imported when it is first needed: `paint`, `backend`, `objective`, `search`, `start`,
    `match`, `export`, `coding`, `latents`, `plots` and `checks`, as far as there are such modules.
    """
    required: ClassVar[tuple[str, ...]] = ()
    """What a primitive of the family must define: names of methods, or ``one or other``."""
    has_count: ClassVar[bool] = True
    engines: ClassVar[tuple[str, ...]] = ("gradient",)
    targets: ClassVar[tuple[TargetKind, ...]] = ("image",)
    Options: ClassVar[type[Any]] = NoOptions
    common_options: ClassVar[type[Any] | None] = None
    """Options that every primitive of the family has, beside its own."""
    defaults: ClassVar[Preset] = Preset()
    presets: ClassVar[Mapping[str, Preset]] = {}
    known_deviations: ClassVar[Mapping[str, str]] = {}
    size_option: ClassVar[str | None] = None
    psnr_option: ClassVar[str | None] = None
    arithmetics: ClassVar[tuple[Arithmetic, ...]] = ("fp32",)
    """What the steps of a fit may compute in."""
    precisions: ClassVar[tuple[Precision, ...]] = ("fp32", "auto", "fp16", "int8")
    """How its drawings may be stored, see `artgen.art.precision`; the last is the coarsest."""
    mean_background: ClassVar[bool] = False
    """Whether a background of ``auto`` is the mean colour of the target instead of black."""
    least_count: ClassVar[int] = 1
    """The fewest parts that make a picture."""
    extensible: ClassVar[bool] = False
    """Whether a fit that starts from a drawing may add parts to it."""
    keeps_trajectory: ClassVar[bool] = True
    """Whether files keep a light history: False where the order of parts is one, or a walk."""
    has_footprint: ClassVar[bool] = False
    """Whether its parts have a footprint, which the compiler turns into kernels and shaders."""
    always_compiled: ClassVar[bool] = False
    """Whether kernels alone draw it, whatever backend is asked for."""
    can_mix: ClassVar[bool] = False
    """Whether several of the family can be one primitive: see `mixture`."""
    starts_from_paths: ClassVar[bool] = False
    """Whether a fit may start from the filled paths of an SVG file."""
    renews_unmoved: ClassVar[bool] = True
    """Whether parts of a clip are replaced also where nothing predicts their movement."""
    count_is_size: ClassVar[bool] = False
    """Whether a count sets `size_option` where there are no parts."""

    clear: ClassVar[float] = -1.0
    """The level of the background while a picture is fitted with its alpha, below all colours.

    Target pixels are laid over it. So a part on a transparent pixel is always an error, and no part
    can imitate the background. The lower it is, the more alpha counts, and the less colours do.
    """
    unrepeated: ClassVar[str | None] = None
    """Why a family has no parts that a group of symmetry could repeat; None: it has."""
    alpha_counts: ClassVar[float | None] = None
    """How much a level of alpha counts against one of a colour, where engines draw over `even`
    grounds (see `artgen.engines.base.Problem`); None: they draw over `clear`."""

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        common, own = cls.common_options, cls.Options
        if common is None or issubclass(own, common):
            return
        names = (getattr(each, "__dataclass_fields__", {}).keys() for each in (own, common))
        if taken := set.intersection(*map(set, names)):
            raise PluginError(
                f"{cls.__name__} has an option {min(taken)!r}, which every {cls.family} has",
                hint="choose another name",
            )
        both = type(own.__name__, (common, own), {"__doc__": own.__doc__})
        cls.Options = dataclass(frozen=True)(both)

    def __init__(
        self, options: Mapping[str, Any] | None = None, *, preset: str | None = None
    ) -> None:
        name = type(self).__name__
        self.preset = self.find_preset(preset)
        try:
            parse_options(self.Options, self.preset.options, owner=f"preset {preset!r} of {name}")
        except UsageError as error:
            place = place_of(type(self))
            raise PluginError(error.message + place, hint=error.hint) from None
        self.options: Any = parse_options(
            self.Options, {**self.preset.options, **(options or {})}, owner=name
        )
        self.take_options()
        _ = self.group  # a wrong name is refused here

    @cached_property
    def group(self) -> Symmetry | None:
        """The motions by which every part is repeated; None for the identity alone."""
        name = getattr(self.options, "symmetry", "none")
        return None if name == "none" else symmetry_of(name)

    def place_group(self, canvas: Canvas) -> None:
        """Make the canvas the repeat of the `group`. Raises UsageError where it cannot be."""
        if self.group is not None:
            name = placed(self.options.symmetry, canvas)
            self.options = replace(self.options, symmetry=name)
            vars(self).pop("group")
            _ = self.group

    def take_options(self) -> None:
        """Check `self.options` and use them: called where they are set, and set anew."""

    @property
    def params(self) -> Mapping[str, Param]:
        """The parameters by name. A plugin sets them or computes them from `self.options`."""
        return {}

    @classmethod
    def find_preset(cls, name: str | None) -> Preset:
        """Return the preset `name`, an empty one for None. Raises UsageError for unknown names."""
        if name is None:
            return Preset()
        if name not in cls.presets:
            raise UsageError(
                f"{cls.__name__} has no preset {name!r}", hint=did_you_mean(name, cls.presets)
            )
        return cls.presets[name]

    def take(self, subject: Subject | None) -> None:
        """Receive the subject: a curve, labelled points, a set, or None for a picture."""

    @property
    def palettes(self) -> bool:
        """Whether engines that know palettes can keep its colours to one."""
        return False

    @property
    def mixes(self) -> bool:
        """Whether its pictures in a palette have colours between those too, unless asked not to."""
        return False

    def take_palette(self, colours: Sequence[str]) -> None:
        """Receive the palette as ``#rrggbb``, before `resolve_options`."""

    @property
    def can_densify(self) -> bool:
        """Whether parts can be added during a fit that leave the others as they are."""
        return False

    @property
    def is_local(self) -> bool:
        """Whether each part, wherever it is, changes only pixels near it.

        Then a window of a large picture can be drawn from the parts that touch it.
        """
        return False

    @property
    def can_be_transparent(self) -> bool:
        """Whether its drawings can have a transparent background."""
        return False

    @classmethod
    def alpha_options(cls, solid: bool) -> Mapping[str, Any]:
        """Return options that suit a picture of parts that are opaque: `solid`, or else soft.

        They are for pictures fitted with their alpha, and for those in a palette, which are solid.
        """
        return {}

    def check_precision(self, precision: Precision, name: str) -> None:
        """Raise UsageError where the drawings of this, called `name`, are not stored so."""
        if precision not in self.precisions:
            raise UsageError(
                f"{name} cannot be stored as {precision}, which is too coarse for it",
                hint=f"use --precision {self.precisions[-1]}",
            )

    def check_transparent(self, name: str) -> None:
        """Raise UsageError where it, called `name`, cannot be drawn on a transparent background."""
        if not self.can_be_transparent:
            raise UsageError(
                f"{name} cannot be drawn on a transparent background",
                hint="shapes, cells, flat meshes and splats with blend=over can: -p triangle",
            )

    @property
    def floats(self) -> int | None:
        """The number of floats stored for a picture of a set; None where it is not a codec."""
        return None

    @classmethod
    def can_start_from(cls, other: Primitive) -> bool:
        """Whether a fit may start from a drawing of `other`, another primitive."""
        return False

    @classmethod
    def mixture(cls, classes: tuple[type[Any], ...], weights: tuple[float, ...]) -> type[Primitive]:
        """Return the class of a primitive of several kinds, chosen in proportion to `weights`.

        All `classes` are of the family, which says so in `can_mix`.
        """
        raise NotImplementedError(f"{cls.family} cannot be mixed")

    def options_within(self, limit: int) -> Mapping[str, Any] | None:
        """Return options under which the packed parameters take about `limit` bytes.

        None: their size follows from their shapes. Raises UsageError where nothing is so small.
        """
        return None

    def suggested_stage(self) -> Mapping[str, Any]:
        """Return keys of the stage that follow from options and target; presets override them."""
        return {}

    def resolve_options(self, canvas: Canvas) -> None:
        """Replace options that depend on the target by values, which the drawing stores.

        `canvas` is that of the picture while fitting, or of one picture of a set; for a curve or
        labelled points it is a square with about as many pixels along its side as there are samples
        along an axis.
        """

    def declared_params(self) -> dict[str, Param]:
        """Return all parameters in order of initialisation, including those of the family."""
        return dict(self.params)

    def parameters(self) -> dict[str, Param]:
        """Return `declared_params` with the settings of the preset. Raises PluginError."""
        params = self.declared_params()
        for name, param in params.items():
            if not isinstance(param, Param):
                what, problem = type(self).__name__, f"has params: {name} is not a Param: {param!r}"
                raise broken(what, type(self), problem, "write Param(...) there")
        for name, changes in self.preset.params.items():
            what, cls = f"a preset of {type(self).__name__}", type(self)
            if name not in params:
                raise broken(what, cls, f"sets no parameter {name!r}", did_you_mean(name, params))
            for key in (each for each in changes if each not in SETTINGS):
                problem = f"sets the unknown {key!r} of parameter {name!r}"
                raise broken(what, cls, problem, did_you_mean(key, SETTINGS))
            with plugin_code(f"parameter {name!r} in {what}", cls):
                params[name] = params[name].replaced(**changes)
        return params

    def tensor_shape(self, param: Param, count: int) -> tuple[int, ...]:
        """Return the shape in which a parameter is stored for `count` parts.

        ``Param(k)`` is [k, count], or [k] where the family has no count.
        """
        return (*param.shape, count) if self.has_count else param.shape

    def tensor_shapes(self, count: int) -> dict[str, tuple[int, ...]]:
        """Return the shape of each parameter for `count` parts."""
        return {name: self.tensor_shape(param, count) for name, param in self.parameters().items()}

    def initial(self, context: Context) -> dict[str, Tensor]:
        """Return the initial mapped values: float32 on the CPU, inside their bounds.

        Values that are already in `context.values` are kept.
        """
        for name, param in self.parameters().items():
            if name in context.values:
                continue
            shape = self.tensor_shape(param, context.count)
            what = f"init of {type(self).__name__}.{name}"
            hint = "write init(context, shape), which returns a tensor of that shape"
            with plugin_code(what, param.init, hint=hint):
                value = param.init(context, shape)
            if not isinstance(value, Tensor) or tuple(value.shape) != shape:
                found = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
                raise broken(what, param.init, f"gave {found}, not a tensor {list(shape)}", hint)
            context.values[name] = value.float().clamp(*param.bounds(context))
        return {name: context.values[name] for name in self.parameters()}

    def option_values(self) -> dict[str, Any]:
        """Return the options as a dict, without those not given, and a symmetry that is none."""
        values = {k: v for k, v in asdict(self.options).items() if v is not None}
        return {k: v for k, v in values.items() if (k, v) != ("symmetry", "none")}

    def check_tensors(self, drawing: Drawing) -> None:
        """Raise InputError if the drawing's tensors are not those of this primitive."""
        expected = self.tensor_shapes(self.count_of(drawing))
        found = {name: tuple(tensor.shape) for name, tensor in drawing.tensors.items()}
        if expected != found:
            wrong = sorted(set(expected.items()) ^ set(found.items()))
            raise InputError(
                f"the drawing does not hold the parameters of {drawing.primitive}: "
                + ", ".join(f"{name} {list(shape)}" for name, shape in wrong[:4])
            )
        if not all(bool(torch.isfinite(tensor).all()) for tensor in drawing.tensors.values()):
            raise InputError(f"the drawing of {drawing.primitive} holds NaN or infinite values")

    def count_of(self, drawing: Drawing) -> int:
        """Return the number of parts of a drawing: the size of the last axis of its tensors."""
        if not self.has_count:
            return 1
        tensor = next(iter(drawing.tensors.values()), None)
        return 0 if tensor is None or tensor.dim() == 0 else tensor.shape[-1]
