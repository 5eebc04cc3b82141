"""Splat: N instances of one differentiable footprint.

A plugin defines `params`, `footprint` and `radius`. The framework does drawing, gradients, culling,
video, saving, and rendering at any resolution::

    class Disc(Splat):
        \"\"\"A soft disc.\"\"\"
        params = {"size": Param(init=init.from_spacing(0.5), min=pixels(1 / 3), lr=0.02, map="exp")}

        def footprint(self, dx, dy, p):
            return torch.exp(-(dx * dx + dy * dy) / (p.size * p.size))

        def radius(self, p):
            return 2.6 * p.size
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from artgen.base.errors import did_you_mean
from artgen.base.faults import broken
from artgen.base.options import option
from artgen.compiler.footprints import wrong_result
from artgen.init import Context, at_target_colour, constant, on_detail, target_colour, uniform
from artgen.primitives.params import Blend, Map, Param, Params
from artgen.primitives.primitive import Primitive, SymmetryOptions
from artgen.primitives.texture import Sprites
from artgen.rates import per_count, per_spacing

BLENDS: tuple[Blend, ...] = ("sum", "mean", "normalized", "depth", "over")

COVERAGE = 0.7
"""The initial share of the target's colour under blends in which neighbours add up."""

DEPTH_RANGE = 8.0
"""The depth z of the blends `depth` and `over` is between 0 and this; small is near."""


@dataclass(frozen=True)
class SplatOptions(SymmetryOptions):
    """Options of every splat."""

    visibility: Literal["full", "buffer"] = option(
        "full", "full: visible everywhere; buffer: learn where each splat is visible"
    )
    visibility_size: int = option(8, "cells of the buffer along each side", low=1, high=256)


class Splat(Primitive):
    r"""N instances of one footprint w(dx, dy), each with a centre `xy` and a `colour`.

    A splat **is** `far` outside its `ellipse(p)`, which is the circle of `radius(p)` unless the
    plugin says otherwise; this is tested per pixel, on every backend. How weights w and colours c
    become a picture is the `blend` (b is the background):

    - ``sum``: b + ∑ w c
    - ``mean``: b + (1/N) ∑ w c
    - ``normalized``: (εb + ∑ w c) / (ε + ∑ w), ε = 1e-3
    - ``depth``: the same with weights w·e^{-z}; adds `z` (a learnable, soft depth buffer)
    - ``over``: alpha compositing front to back with alpha = min(opacity·w, 0.999), sorted by `z`;
      what is behind all but 1e-4 of the light is not drawn

    `normalized`, `depth` and `over` need w ≥ 0 and far = 0.

    With the option ``visibility=buffer`` every weight is multiplied by a learned filter over the
    whole canvas (`visibility` [size, size, N], 1 visible, 0 hidden, linear between cells); needs
    far = 0, and is drawn eagerly.

    `params` may redefine `xy` and `colour`, in the same shapes; `blend` and `far` may be properties
    computed from `self.options`.
    """

    family: ClassVar[str] = "splat"
    answers: ClassVar[str | None] = __package__
    has_footprint: ClassVar[bool] = True
    clear: ClassVar[float] = -0.5
    alpha_counts: ClassVar[float | None] = 1.0
    required: ClassVar[tuple[str, ...]] = ("footprint", "radius or ellipse")
    common_options: ClassVar[type[Any] | None] = SplatOptions
    Options: ClassVar[type[Any]] = SplatOptions

    @property
    def blend(self) -> Blend:
        """The blend of weights and colours into a picture: the option `blend` if there is one.

        A plugin may set it or compute it.
        """
        return getattr(self.options, "blend", "sum")

    @property
    def far(self) -> float:
        """The weight outside the ellipse. A plugin sets it or computes it."""
        return 0.0

    @property
    def framework_params(self) -> frozenset[str]:
        """Parameters that the framework adds: footprints get them only if they declare them."""
        return frozenset({"colour", "z", "opacity", "visibility"} - set(self.params))

    @property
    def can_densify(self) -> bool:
        """True where colours add up and splats end.

        Under blends that divide by the weights a new splat would displace others; there, starting
        with all of them was measured to fit better.
        """
        return self.blend == "sum" and self.far == 0 and self.group is None

    @property
    def can_move(self) -> bool:
        """True where a fit can put splats elsewhere: those without which the error grows least."""
        return self.can_densify or (self.is_local and self.blend in ("normalized", "depth"))

    @property
    def is_local(self) -> bool:
        """True where splats end, and neither their number nor their place on the canvas counts."""
        plain = self.options.visibility == "full" and self.group is None
        return self.far == 0 and self.blend != "mean" and plain

    @property
    def can_be_transparent(self) -> bool:
        """True under blend ``over``."""
        return self.blend == "over"

    def footprint(self, dx: Tensor, dy: Tensor, p: Params) -> Tensor:
        """Return the weight at the offset (dx, dy) from the centre, in canvas units.

        Use elementwise torch. `dx`, `dy` and `p.*` (after its component axis) broadcast together;
        the result has their common shape or one that broadcasts to it. `p.pixel` is the side of a
        pixel of the picture that is drawn, for what must not alias. The footprint is also evaluated
        somewhat outside the ellipse, where only its gradient needs to be finite.
        """
        raise NotImplementedError(f"{type(self).__name__} has no footprint")

    def colours(self, dx: Tensor, dy: Tensor, p: Params) -> tuple[Tensor, Tensor, Tensor] | None:
        """Return the factors of the part's red, green and blue at the offset, or None.

        With None, the default, a part has the same colour everywhere. The arguments and the rules
        are those of `footprint`, each factor being like a weight. Needs far = 0.
        """
        return None

    def radius(self, p: Params) -> Tensor:
        """Return the distance [N] beyond which the footprint is `far`, in canvas units."""
        raise NotImplementedError(f"{type(self).__name__} has neither radius nor ellipse")

    def ellipse(self, p: Params) -> tuple[Tensor, Tensor, Tensor]:
        """Return the half axes and the angle of the ellipse outside of which the weight is `far`.

        Each is [N] or one number for all. Lengths are in canvas units; the angle of the first axis
        is in radians, from x to y. Long parts are much faster with an ellipse than with a circle. A
        plugin with `ellipse` needs no `radius`.
        """
        radius = self.radius(p)
        if not isinstance(radius, Tensor):
            hint = "compute it from the parameters, such as 2 * p.size"
            raise wrong_result(self, "radius", type(radius).__name__, "a tensor", hint)
        return radius, radius, torch.zeros_like(radius)

    def spine(self, p: Params) -> Tensor | None:
        """Return the centre line of a stroke, offsets from the centre [points, 2, N], or None.

        Pen plotters draw strokes along it.
        """
        return None

    def sprites(self, p: Params) -> Sprites | None:
        """Return the pictures that parts repeat and their places, for SVG; None by default."""
        return None

    def initial(self, context: Context) -> dict[str, Tensor]:
        """Return some of as many parts as are drawn where a group repeats them."""
        if self.group is None or context.values:
            return super().initial(context)
        number = context.count * len(self.group.motions)
        drawn = super().initial(replace(context, count=number))
        context.values |= {name: tensor[..., : context.count] for name, tensor in drawn.items()}
        return super().initial(context)

    @property
    def has_depth(self) -> bool:
        """Whether parts have a depth `z`, which the blend needs."""
        return self.blend in ("depth", "over")

    def declared_params(self) -> dict[str, Param]:
        """Return `xy`, the plugin's own parameters, `colour`, and those of the blend."""
        if self.blend == "sum":
            colour = Param(3, init=at_target_colour(COVERAGE), lr=0.05)
        elif self.blend == "mean":
            colour = Param(3, init=self._mean_colour, lr=per_count(0.05))
        elif self.blend in BLENDS:
            colour = Param(3, init=target_colour, lr=0.05)
        else:
            problem = f"has the unknown blend {self.blend!r}"
            hint = did_you_mean(str(self.blend), BLENDS)
            raise broken(type(self).__name__, type(self), problem, hint)
        params = {"xy": Param(2, init=on_detail(), lr=per_spacing(0.1)), "colour": colour}
        if self.has_depth:
            params["z"] = Param(init=uniform(1.0, 3.0), lr=0.02, map=Map("sigmoid", DEPTH_RANGE))
        if self.blend == "over":
            params["opacity"] = Param(init=constant(0.7), lr=0.02, map="sigmoid")
        if self.options.visibility == "buffer":
            size = self.options.visibility_size
            params["visibility"] = Param(size, size, init=1.0, min=0.0, max=1.0, lr=0.03)
        # Centres come first, because other parameters are initialised from them.
        own = {"xy": params["xy"], **self.params}
        for name, param in params.items():
            redefined = own.get(name, param)
            if isinstance(redefined, Param) and redefined.shape != param.shape:
                found, wanted = (list(each.shape) for each in (redefined, param))
                problem = f"redefines the parameter {name} with the shape {found}, not {wanted}"
                hint = f"write Param({', '.join(map(str, [*wanted, '...']))}) there"
                raise broken(type(self).__name__, type(self), problem, hint)
        return {**own, **{name: param for name, param in params.items() if name not in own}}

    def _mean_colour(self, context: Context, shape: tuple[int, ...]) -> Tensor:
        """Return the colours of `sum`, times the number of parts, by which the mean divides."""
        count = context.count
        if self.group is not None:
            count //= len(self.group.motions)
        return count * at_target_colour(COVERAGE)(context, shape)
