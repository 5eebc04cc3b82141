"""What the compiler knows of splats: their protocol, and limits of the blend `over`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor

from artgen.base.errors import PluginError
from artgen.base.faults import broken
from artgen.primitives import Param, Params

OPAQUE = 0.999
"""The largest alpha of a splat under `over`; gradients divide by the remaining light."""

HIDDEN = 1e-4
"""Under `over` splats are skipped where less light than this remains: 8 bits cannot show it."""

SHARPEST = 0.05
"""The least difference of depth that weighs e times as much, while `over` is soft."""


class Footprint(Protocol):
    """A primitive whose parts have a footprint; see `artgen.Splat`, which has them."""

    options: Any
    """The options of every splat, and its own."""

    @property
    def blend(self) -> str:
        """The blend of weights and colours into a picture."""

    @property
    def far(self) -> float:
        """The weight outside the ellipse."""

    @property
    def framework_params(self) -> frozenset[str]:
        """Parameters that the framework adds."""

    def declared_params(self) -> Mapping[str, Param]:
        """Return all parameters in order."""

    def parameters(self) -> Mapping[str, Param]:
        """Return all parameters with the settings of the preset."""

    def footprint(self, dx: Tensor, dy: Tensor, p: Params) -> Tensor:
        """Return the weight at an offset from the centre."""

    def colours(self, dx: Tensor, dy: Tensor, p: Params) -> tuple[Tensor, ...] | None:
        """Return the factors of red, green and blue at an offset, or None."""

    def ellipse(self, p: Params) -> tuple[Tensor, Tensor, Tensor]:
        """Return half axes and angle of the ellipse in which the weight is not `far`."""


def check_colours(splat: Footprint, colours: object) -> tuple[Any, ...]:
    """Return what `splat.colours` gave as three factors, or none. Raises PluginError."""
    if colours is None:
        return ()
    if not isinstance(colours, tuple) or len(colours) != 3:
        found, hint = type(colours).__name__, "return red, green, blue"
        raise wrong_result(splat, "colours", found, "three tensors", hint)
    if splat.far:
        problem, hint = f"needs far = 0, but far is {splat.far}", "let the footprint end at 0"
        raise broken(f"colours of {type(splat).__name__}", type(splat).colours, problem, hint)
    return colours


def wrong_result(splat: Footprint, method: str, found: str, wanted: str, hint: str) -> PluginError:
    """Return the error for a method of a splat that gives something else than it should."""
    cls = type(splat)
    what, problem = f"{method} of {cls.__name__}", f"gave {found}, not {wanted}"
    return broken(what, getattr(cls, method), problem, hint)
