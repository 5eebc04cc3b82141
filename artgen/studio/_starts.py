"""Initial values, rates and bounds of a primitive as data, for a runtime without Python.

The functions of its parameters are recorded once, as footprints are: each becomes a tape of
operations on what depends on the picture, the count and random numbers. JavaScript plays it for
every part (`start.js`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from artgen.compiler.ir import IR
from artgen.compiler.operands import numbers
from artgen.compiler.record import OPTION, Recorded, Untraceable, recording, with_inputs
from artgen.init import Context
from artgen.primitives import Param, Primitive
from artgen.studio._footprints import tape


def describe_params(
    primitive: Primitive, options: Collection[str] = (), rows: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Describe all parameters in the order of their initialisation. Raises Untraceable.

    `options` are options of the primitive that stay inputs, called ``option.NAME``. Those of `rows`
    are parameters of the step as well, which do not learn.
    """
    described = []
    known: dict[str, tuple[int, ...]] = {}

    def recorded(name: str, what: str, function: _Question) -> dict[str, object] | None:
        """What `function` makes of a parameter and a context; None stays None."""
        ir = IR()
        context = _RecordedContext(ir, known)
        with torch.no_grad(), recording():
            result = function(with_inputs(primitive, options, ir).parameters()[name], context)
        if result is None:
            return None
        if not isinstance(result, Tensor | float | int):
            raise Untraceable(f"{what} of {name} gives {type(result).__name__}, not a tensor")
        found = numbers(ir, result.numbers if isinstance(result, Recorded) else result)
        return {"draws": context.draws, **tape(ir, found.reshape(-1).tolist())}

    for name, param in primitive.parameters().items():
        described.append(
            {
                "name": name,
                "shape": list(param.shape),
                "map": [param.map.function, param.map.scale, param.map.shift],
                "init": recorded(name, "init", lambda p, context: p.init(context, (*p.shape, 1))),
                "rate": recorded(name, "lr", lambda p, context: _value(p.lr, context)),
                "low": recorded(name, "min", lambda p, context: _value(p.min, context)),
                "high": recorded(name, "max", lambda p, context: _value(p.max, context)),
            }
        )
        known[name] = param.shape
    return described + [_row(OPTION + name) for name in rows]


_Question = Callable[[Param, Context], Any]


def _row(option: str) -> dict[str, Any]:
    """An option as a parameter that keeps its value."""
    return {
        "name": option,
        "shape": [],
        "map": ["identity", 1.0, 0.0],
        "init": {"draws": [], "values": [option], "results": [0]},
        "rate": {"draws": [], "values": [0.0], "results": [0]},
        "low": None,
        "high": None,
    }


def _value(setting: object, context: Context) -> object:
    return setting(context) if callable(setting) else setting


class _Count:
    """The number of parts: 1 as a size of the recorded tensors, but any number in arithmetic."""

    def __init__(self, recorded: Recorded) -> None:
        self.recorded = recorded

    def __index__(self) -> int:
        return 1

    def __float__(self) -> float:
        raise NotImplementedError("the number of parts decides (`float()`, `math.sqrt`)")

    def __mul__(self, other: Any) -> Any:
        return self.recorded * other

    def __truediv__(self, other: Any) -> Any:
        return self.recorded / other

    def __rtruediv__(self, other: Any) -> Any:
        return other / self.recorded

    __rmul__ = __mul__


class _RecordedContext(Context):
    """A context of one part, whose numbers are inputs of `ir`.

    `draws` says what random numbers were asked for, in order: kind and shape without the parts.
    """

    def __init__(self, ir: IR, known: dict[str, tuple[int, ...]]) -> None:
        self._ir = ir
        self.draws: list[list[Any]] = []
        self.count: Any = _Count(self._number("count"))
        # A canvas of any size.
        pixel, area, reach = self._number("pixel"), self._number("area"), self._number("reach", 0)
        reaches = reach, self._number("reach", 1)
        self.canvas: Any = SimpleNamespace(pixel=pixel, area=area, reach=reaches)
        self.background = (math.nan,) * 3
        self.target, self.weight, self.goals = None, None, {}
        self.values = {
            name: self._tensor(f"value {name}", (*shape, 1)) for name, shape in known.items()
        }

    @property
    def mean_spacing(self) -> Any:
        """A number for all parts."""
        return self._number("mean_spacing")

    @property
    def spacing(self) -> Tensor:
        """A number per part."""
        return self._tensor("spacing", (1,))

    def random(self, *shape: int) -> Tensor:
        """Uniform numbers."""
        return self._drawn("uniform", shape)

    def randn(self, *shape: int) -> Tensor:
        """Normal numbers."""
        return self._drawn("normal", shape)

    def places(self, count: int, detail: float) -> Tensor:
        """Positions that follow the detail of the target."""
        return self._drawn("places", (2, 1), detail)

    def colours(self, *shape: int) -> Tensor:
        """Colours of the target minus the background."""
        return self._tensor("colour", shape)

    def target_colours(self, *shape: int) -> Tensor:
        """Colours of the target."""
        return self._tensor("target", shape)

    def _drawn(self, kind: str, shape: tuple[int, ...], *more: float) -> Recorded:
        drawn = self._tensor(f"draw {len(self.draws)}", shape)
        if drawn.shape[-1:] != (1,):
            raise NotImplementedError("random numbers of a shape that does not end with the parts")
        self.draws.append([kind, drawn.numel(), *more])
        return drawn

    def _number(self, name: str, *index: int) -> Recorded:
        return Recorded.of(self._ir, np.array(self._ir.input((name, index))))

    def _tensor(self, name: str, shape: tuple[int, ...]) -> Recorded:
        array = np.empty(shape, np.int64)
        for place in range(array.size):
            array.flat[place] = self._ir.input((name, (place,)))
        return Recorded.of(self._ir, array)
