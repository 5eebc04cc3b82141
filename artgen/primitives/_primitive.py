"""The contract all kinds of parts share: options, presets, parameters and an initial drawing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor

from artgen.canvas import Canvas
from artgen.drawing import Drawing
from artgen.errors import PluginError, UsageError, did_you_mean
from artgen.options import parse_options
from artgen.primitives._params import Context, Param
from artgen.subject import Kind, Subject

__all__ = ["Preset", "Primitive"]


@dataclass(frozen=True)
class Preset:
    """A partial recipe: count, options, stage keys, background, and settings of single parameters.

    `params` maps a parameter's name to keywords of `Param.replaced`. The stage keys are for the
    engines named in `engines`; where it is empty, for the primitive's first one.
    """

    count: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    stage: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    engines: tuple[str, ...] = ()
    background: str | None = None


@dataclass(frozen=True)
class NoOptions:
    """A primitive without options."""


class Primitive:
    """A kind of part. Subclass `Splat`, `Shape`, `Partition`, `Field` or `Codec` rather than this.

    Class attributes a plugin may set: `Options` (a frozen dataclass made of `artgen.option`),
    `defaults` (count and budget when none is asked for), `presets`, `engines` (names, the first is
    used by ``-e auto``), `targets` (the kinds of targets it can be fitted to), `params`,
    `size_option` (the name of the whole-numbered option that `--target-bytes` sets where there is
    no count; of a codec `--count` sets it too) and `known_deviations` (why it does not pass a check
    of `artgen.testing`, by its name). `params` may be a property computed from `self.options`.
    """

    family: ClassVar[str] = ""
    has_count: ClassVar[bool] = True
    engines: ClassVar[tuple[str, ...]] = ("gradient",)
    targets: ClassVar[tuple[Kind, ...]] = ("image",)
    Options: ClassVar[type[Any]] = NoOptions
    defaults: ClassVar[Preset] = Preset()
    presets: ClassVar[Mapping[str, Preset]] = {}
    known_deviations: ClassVar[Mapping[str, str]] = {}
    params: Mapping[str, Param] = {}
    size_option: ClassVar[str | None] = None

    def __init__(
        self, options: Mapping[str, Any] | None = None, *, preset: str | None = None
    ) -> None:
        name = type(self).__name__
        self.preset = self.find_preset(preset)
        self.options: Any = parse_options(
            self.Options, {**self.preset.options, **(options or {})}, owner=name
        )

    @classmethod
    def find_preset(cls, name: str | None) -> Preset:
        """The preset called `name` (an empty one for None). Raises UsageError for unknown names."""
        if name is None:
            return Preset()
        if name not in cls.presets:
            raise UsageError(
                f"{cls.__name__} has no preset {name!r}", hint=did_you_mean(name, cls.presets)
            )
        return cls.presets[name]

    def take(self, subject: Subject | None) -> None:
        """Be told what is drawn: a curve, labelled points, a set, or None for a picture."""

    def suggested_stage(self) -> Mapping[str, Any]:
        """Keys of the stage that follow from options and target; a preset's go before them."""
        return {}

    def resolve_options(self, canvas: Canvas) -> None:
        """Replace options that depend on the target by numbers; the drawing stores them.

        `canvas` is that of the picture while fitting, or of one picture of a set; for a curve or
        labelled points it is a square with about as many pixels along its side as there are samples
        along an axis.
        """

    def declared_params(self) -> dict[str, Param]:
        """All parameters in order of initialisation, those the family adds included."""
        return dict(self.params)

    def parameters(self) -> dict[str, Param]:
        """`declared_params` with the preset's settings laid over them."""
        params = self.declared_params()
        for name, changes in self.preset.params.items():
            if name not in params:
                raise PluginError(f"a preset of {type(self).__name__} sets no parameter {name!r}")
            params[name] = params[name].replaced(**changes)
        return params

    def tensor_shape(self, param: Param, count: int) -> tuple[int, ...]:
        """How a parameter is stored for `count` parts."""
        raise NotImplementedError

    def initial(self, context: Context) -> dict[str, Tensor]:
        """Mapped values at the start, float32 on the CPU, inside their bounds.

        What the context's `values` hold already stays as it is.
        """
        for name, param in self.parameters().items():
            if name in context.values:
                continue
            shape = self.tensor_shape(param, context.count)
            value = param.init(context, shape).float()
            if tuple(value.shape) != shape:
                raise PluginError(
                    f"init of {type(self).__name__}.{name} gave shape {tuple(value.shape)}, "
                    f"not {shape}"
                )
            context.values[name] = value.clamp(*param.bounds(context))
        return {name: context.values[name] for name in self.parameters()}

    def option_values(self) -> dict[str, Any]:
        """The options as plain data."""
        return asdict(self.options)

    def check_tensors(self, drawing: Drawing) -> None:
        """Raise InputError where the drawing's tensors are not those of this primitive."""
        from artgen.errors import InputError

        count = self.count_of(drawing)
        expected = {
            name: self.tensor_shape(param, count) for name, param in self.parameters().items()
        }
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
        """How many parts a drawing holds."""
        raise NotImplementedError
