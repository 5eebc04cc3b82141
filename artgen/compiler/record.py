"""Record a footprint as an `IR`: run it once, on tensors that record their operations.

Autograd sees ordinary tensors, so the gradient is torch's own: its operations are recorded like
those of the footprint. Operations that cannot be recorded raise at their line of the footprint.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from typing import Any, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from artgen.base.faults import line_at_fault, quoted
from artgen.base.process import without_distributed_tensors
from artgen.compiler.aten_decompositions import find_decomposition
from artgen.compiler.aten_rules import find_rule
from artgen.compiler.footprints import Footprint, check_colours
from artgen.compiler.ir import DX, DY, IR, PIXEL, G, Value
from artgen.compiler.operands import Numbers, Record, numbers
from artgen.compiler.vjp import vjp
from artgen.primitives import Params


class Untraceable(Exception):
    """The footprint cannot be compiled; the message names the operation and the line."""


OPTION = "option."
"""Begins the names of inputs that are options of the primitive."""

P = TypeVar("P")


def with_inputs(primitive: P, options: Collection[str], ir: IR) -> P:
    """Return `primitive` with these options, which are numbers, as inputs of `ir`."""
    if not options:
        return primitive
    inputs = {name: np.array(ir.input((OPTION + name, ()))) for name in options}
    recorded = {name: Recorded.of(ir, number) for name, number in inputs.items()}
    changed: Any = copy(primitive)
    changed.options = replace(changed.options, **recorded)
    return cast(P, changed)


def trace(splat: Footprint, options: Collection[str] = ()) -> IR:
    """Record the footprint of `splat` with its gradient. Raises Untraceable.

    `options` are inputs as parameters are, with a gradient of 0.
    """
    ir = IR()
    with torch.enable_grad(), recording():
        splat = with_inputs(splat, options, ir)
        dx, dy, g = (Recorded.of(ir, np.array(number)) for number in (DX, DY, G))
        parameters = _inputs(ir, splat, splat.framework_params)
        leaves = [tensor.requires_grad_() for tensor in (dx, dy, *parameters.values())]
        # Clones, because a footprint may change its arguments in place and autograd's leaves not.
        copies = [leaf.clone() for leaf in leaves]
        p = _ParamsOnCanvas(dict(zip(parameters, copies[2:], strict=True)), ir)
        values = _evaluated(splat, copies[0], copies[1], p)
        value = values[0]
        if len(values) > 1:
            ir.arriving = tuple(ir.append(Value("input", (), per_pixel=True)) for _ in values[1:])
            g = Recorded.of(ir, np.array([G, *ir.arriving]))
            value = torch.stack(values)
        gradients = vjp(value, leaves, g) if value.requires_grad else [None] * len(leaves)

        ir.weight, *colours = _numbers_in(ir, values)
        ir.colours = tuple(colours)
        found = [
            numbers(ir, _numbers_of(torch.zeros(leaf.shape) if gradient is None else gradient))
            for leaf, gradient in zip(leaves, gradients, strict=True)
        ]
        ir.offset_gradient = (int(found[0]), int(found[1]))
        for name, array in zip(parameters, found[2:], strict=True):
            for index in np.ndindex(*array.shape):
                ir.gradients[name, index] = int(array[index])
        for component in [each for each in ir.inputs if each not in ir.gradients]:
            ir.gradients[component] = ir.constant(0.0)
    return ir


def trace_drawing(splat: Footprint, options: Collection[str]) -> IR:
    """Record the footprint of `splat` with its ellipse, for drawing alone. Raises Untraceable.

    `options` are inputs as parameters are.
    """
    ir = IR()
    with torch.no_grad(), recording():
        splat = with_inputs(splat, options, ir)
        dx, dy = (Recorded.of(ir, np.array(number)) for number in (DX, DY))
        p = _inputs(ir, splat, {"visibility"})
        ir.ellipse = _numbers_in(ir, splat.ellipse(Params(p)))
        own = {name: leaf.clone() for name, leaf in p.items() if name not in splat.framework_params}
        ir.weight, *colours = _numbers_in(ir, _evaluated(splat, dx, dy, _ParamsOnCanvas(own, ir)))
        ir.colours = tuple(colours)
    return ir


@contextmanager
def recording() -> Iterator[None]:
    """Raise Untraceable for whatever is raised inside."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _look_up_classes()
            yield
    except Untraceable:
        raise
    except Exception as error:
        raise Untraceable(_reason(error)) from error


@functools.cache
def _look_up_classes() -> None:
    """Let torch do what it does before the first operation on tensors that record."""
    with without_distributed_tensors():
        Recorded.of(IR(), np.array(DX)).clone()


def _inputs(ir: IR, splat: Footprint, without: Collection[str]) -> dict[str, Recorded]:
    """Declare the parameters of `splat` but these as inputs of `ir`."""
    parameters = {}
    for name, param in splat.declared_params().items():
        if name not in without:
            found = [ir.input((name, index)) for index in np.ndindex(*param.shape)]
            parameters[name] = Recorded.of(ir, np.array(found, np.int64).reshape(param.shape))
    return parameters


def _evaluated(splat: Footprint, dx: Tensor, dy: Tensor, p: Params) -> list[Tensor]:
    """Return the weight and the colours, if any, at one offset as float32. Raises Untraceable."""
    weight, colours = splat.footprint(dx, dy, p), check_colours(splat, splat.colours(dx, dy, p))
    for value in (weight, *colours):
        if not isinstance(value, Tensor) or value.dim():
            what = "footprint" if value is weight else "function colours"
            raise Untraceable(f"the {what} gives {_describe(value)}, not one weight per offset")
    return [value.to(torch.float32) for value in (weight, *colours)]


def _numbers_in(ir: IR, values: Iterable[Tensor]) -> tuple[int, ...]:
    return tuple(int(numbers(ir, _numbers_of(value))) for value in values)


def _describe(value: object) -> str:
    return f"a tensor of shape {list(value.shape)}" if isinstance(value, Tensor) else repr(value)


class _ParamsOnCanvas(Params):
    """Parameters whose `pixel` becomes an input of `ir` when the footprint asks for it."""

    __slots__ = ("_ir",)

    def __init__(self, values: Mapping[str, Tensor], ir: IR) -> None:
        super().__init__(values)
        self._ir = ir

    def __getattribute__(self, name: str) -> Any:
        if name == "pixel" and name not in vars(self):
            return Recorded.of(self._ir, np.array(self._ir.input(PIXEL)))
        return super().__getattribute__(name)


class Recorded(Tensor):
    """A tensor of values of an `IR`, each given by its number.

    `example` is an ordinary tensor of the same shape that all operations are done to as well: it
    knows the shapes and types of results and the errors of wrong calls. Its numbers mean nothing.
    """

    ir: Record
    numbers: Numbers
    example: Tensor

    @staticmethod
    def of(ir: Record, numbers: Numbers, example: Tensor | None = None) -> Recorded:
        """Wrap an array of numbers."""
        if example is None:
            example = torch.full(numbers.shape, 0.4, dtype=torch.float32, device="cpu")
        tensor: Recorded = Tensor._make_wrapper_subclass(
            Recorded, example.shape, dtype=example.dtype, device=example.device
        )
        if tuple(example.shape) != numbers.shape:
            raise AssertionError(f"{numbers.shape} values for a tensor of {tuple(example.shape)}")
        tensor.ir, tensor.numbers, tensor.example = ir, numbers, example
        return tensor

    def interpolated(self, table: Tensor, levels: NDArray[np.int64], largest: int) -> Recorded:
        """Record `interpolate_grids` at these positions."""
        return Recorded.of(self.ir, self.ir.grids(self.numbers, table, levels, largest))

    # Functions of torch are seen below autograd, as elementary operations, and not before.
    __torch_function__: Any = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, operation: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return _dispatch(operation, args, kwargs or {})

    def __repr__(self) -> str:  # type: ignore[override]
        return f"<traced tensor of shape {list(self.shape)}>"


def _dispatch(operation: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Record one operation of torch, or the simpler ones it is made of."""
    name, changes = operation._schema.name.partition("::")[2], operation._schema.is_mutable
    if name == "_local_scalar_dense":
        raise NotImplementedError("a tensor decides (`if`, `float()`, `.item()`)")
    rule = find_rule(name.removesuffix("_") if changes else name, operation._overloadname)
    if rule is None:
        decomposition = None if changes else find_decomposition(operation)
        if decomposition is None:
            raise NotImplementedError(f"torch's {name} has no compiled form")
        return decomposition(*args, **kwargs)
    if not changes:
        return _apply(rule, operation, args, kwargs)
    if not isinstance(args[0], Recorded):
        raise NotImplementedError("a tensor of constants is changed in place")
    args[0].numbers[...] = _apply(rule, operation, args, kwargs).numbers
    return args[0]


def _apply(rule: Callable[..., Any], operation: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """The recorded result of an operation that has a rule."""
    example = operation(*tree_map(_example_of, args), **tree_map(_example_of, kwargs))
    name = operation._schema.name.partition("::")[2]
    if name.startswith("bitwise") and example.dtype is not torch.bool:
        raise NotImplementedError(f"torch's {name} of whole numbers has no compiled form")
    ignored = _PLACEMENT if name == "_to_copy" else {*_PLACEMENT, "dtype"}
    known = {key: value for key, value in kwargs.items() if key not in ignored}
    ir = next(each.ir for each in tree_leaves((args, kwargs)) if isinstance(each, Recorded))
    result = rule(ir, *tree_map(_numbers_of, args), **tree_map(_numbers_of, known))
    if isinstance(result, list):
        return [Recorded.of(ir, *pair) for pair in zip(result, example, strict=True)]
    return Recorded.of(ir, result, example)


_PLACEMENT = {"layout", "device", "pin_memory", "memory_format", "non_blocking"}
"""Arguments that say where a result is stored, which an `IR` ignores."""


def _example_of(value: object) -> object:
    return value.example if isinstance(value, Recorded) else value


def _numbers_of(value: object) -> object:
    return value.numbers if isinstance(value, Recorded) else value


def _reason(error: Exception) -> str:
    """Return the error that ended the trace, with the line of the footprint."""
    text = str(error).strip().partition("\n")[0]
    if not isinstance(error, NotImplementedError):
        text = f"{type(error).__name__}: {text}"
    line = line_at_fault(error)
    return f"{text} (in the gradient)" if line is None else text + quoted(line)
