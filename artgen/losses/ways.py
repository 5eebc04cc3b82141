"""Ways to look at a drawing, which plugins offer by the hook `artgen_views`.

A way makes of the drawn picture what is then seen, or changes the parts before they are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from torch import Tensor

from artgen.base.errors import UsageError
from artgen.base.faults import broken, plugin_code
from artgen.primitives import Primitive
from artgen.registry import Registry, default
from artgen.values.drawing import Drawing

Look: TypeAlias = Callable[[Tensor, str], Tensor]
Lay: TypeAlias = Callable[[Primitive, Mapping[str, Tensor], str, float], Mapping[str, Tensor]]

_PICTURE = "return a picture, float32 [3, height, width], of 2 pixels or more a side"
_PARTS = "return the mapped tensors, changed; copy one before you write into it"


def as_it_is(picture: Tensor, value: str) -> Tensor:
    """The picture itself."""
    return picture


@dataclass(frozen=True)
class Way:
    """A way to look at a drawing. `example` is a value that it takes, "" where it needs none.

    `see` gets the picture [3, height, width], sRGB-encoded, 1.0 = 255, and the value; it returns
    the picture as it is then seen, differentiably. `goal` does to the picture that shall be seen
    what the eye does to it there: the same blur, the same gray. `parts` gets a primitive, its
    mapped tensors, the value, and how far on its way the drawing is, from 0 to 1; it returns the
    tensors as they are then drawn, differentiably. `check` raises UsageError for a primitive whose
    parts cannot do that, or for a value. `between` is for films: it gets the picture, the value and
    how far it is on its way, and returns the frame; without it, one picture fades into the other.
    """

    see: Look = as_it_is
    goal: Look = as_it_is
    parts: Lay | None = None
    check: Callable[[Primitive, str], object] = lambda primitive, value: None
    example: str = ""
    between: Callable[[Tensor, str, float], Tensor] | None = None


@dataclass(frozen=True)
class Pose:
    """Ways of the parts, one after the other; without any, the parts are as they are."""

    ways: tuple[tuple[str, Way, str], ...] = ()

    def __call__(
        self, primitive: Primitive, tensors: Mapping[str, Tensor], share: float = 1.0
    ) -> Mapping[str, Tensor]:
        """The mapped tensors `share` of the way there. Raises UsageError, PluginError."""
        for name, way, value in self.ways:
            assert way.parts is not None
            with plugin_code(f"view {name!r}", way.parts, hint=_PARTS):
                laid = way.parts(primitive, tensors, value, share)
            if not (isinstance(laid, Mapping) and laid.keys() >= tensors.keys()):
                found = sorted(laid) if isinstance(laid, Mapping) else type(laid).__name__
                problem = f"returned {found}, not {sorted(tensors)}"
                raise broken(f"view {name!r}", way.parts, problem, _PARTS)
            tensors = laid
        return tensors

    def check(self, primitive: Primitive) -> None:
        """Raise UsageError where the parts of a primitive cannot be laid so."""
        for _, way, value in self.ways:
            way.check(primitive, value)

    def drawing(self, drawing: Drawing, primitive: Primitive, share: float = 1.0) -> Drawing:
        """The drawing `share` of the way there; itself where the parts are as they are."""
        if not self.ways:
            return drawing
        return replace(drawing, tensors=dict(self(primitive, drawing.tensors, share)))


@dataclass(frozen=True)
class Sight:
    """How a drawing is seen: in a pose of its parts, and then in ways of its picture."""

    pose: Pose
    ways: tuple[tuple[str, Way, str], ...]

    @classmethod
    def of(cls, how: str, registry: Registry | None = None) -> Sight:
        """That of a text such as ``turn=180,blur=0.02``. Raises UsageError, PluginError."""
        found = []
        for part in how.split(","):
            name, _, value = (each.strip() for each in part.partition("="))
            way: Way = (registry or default()).load("view", name)
            found.append((name, way, value))
        count = sum(way.parts is not None for _, way, _ in found)
        if any(way.parts is None for _, way, _ in found[:count]):
            raise UsageError(
                f"view {how!r}: what is done to the parts comes first", hint="write pose=1,turn=90"
            )
        return cls(Pose(tuple(found[:count])), tuple(found[count:]))

    def see(self, picture: Tensor) -> Tensor:
        """The picture [3, h, w] as it is seen. Raises UsageError, PluginError."""
        for name, way, value in self.ways:
            picture = _seen(name, way.see, picture, value)
        return picture

    @property
    def moves(self) -> bool:
        """Whether a film shows the way there, instead of fading."""
        return len(self.ways) == 1 and self.ways[0][1].between is not None

    def between(self, picture: Tensor, share: float) -> Tensor:
        """The picture [3, h, w] a share of the way there, if it `moves`. Raises PluginError."""
        [(name, way, value)] = self.ways
        assert way.between is not None
        return _seen(name, way.between, picture, value, share)

    def wanted(self, goal: Tensor) -> Tensor:
        """The picture [3, h, w] that shall be seen, as the eye sees it."""
        for name, way, value in self.ways:
            goal = _seen(name, way.goal, goal, value)
        return goal


def _seen(name: str, look: Callable[..., Tensor], picture: Tensor, *value: object) -> Tensor:
    with plugin_code(f"view {name!r}", look, hint=_PICTURE):
        seen = look(picture, *value)
    if not (isinstance(seen, Tensor) and seen.ndim == 3 and seen.shape[0] == 3):
        found = list(seen.shape) if isinstance(seen, Tensor) else type(seen).__name__
        raise broken(f"view {name!r}", look, f"returned {found}, not a picture", _PICTURE)
    return seen
