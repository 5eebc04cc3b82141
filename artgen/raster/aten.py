"""Torch's operations as scalar arithmetic, over arrays of value numbers.

A tensor is represented by an integer array of the same shape that holds the number of a value of
the `Program` for each element. So what only rearranges costs nothing and views stay views, and
what is elementwise adds one value per element. `rule` finds the rule of an operation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from artgen.raster.program import Program

__all__ = ["Numbers", "Rule", "find_rule", "numbers"]

Numbers = NDArray[np.int64]
"""Numbers of values, in the shape of the tensor they are the elements of."""

Rule = Callable[..., Any]
"""rule(program, *arguments, **keywords): tensors are `Numbers`, or Tensors made of constants."""


def find_rule(name: str) -> Rule | None:
    """The rule of an operation by its name and overload, such as ``add.Tensor``."""
    return _RULES.get(name) or _RULES.get(name.partition(".")[0])


def numbers(program: Program, value: Any) -> Numbers:
    """A tensor or a Python number as constants of the program; `Numbers` stay what they are."""
    if isinstance(value, np.ndarray):
        return value
    array = value.detach().cpu().double().numpy() if isinstance(value, Tensor) else float(value)
    return np.vectorize(program.constant, otypes=[np.int64])(array)


def _composed(formula: Callable[..., int]) -> Rule:
    """An elementwise operation: ``formula(program, *numbers of one element)``."""

    def rule(program: Program, *arguments: Any) -> Numbers:
        arrays = np.broadcast_arrays(*(numbers(program, argument) for argument in arguments))
        result = np.empty(arrays[0].shape, np.int64)
        for index in np.ndindex(*result.shape):
            result[index] = formula(program, *(int(array[index]) for array in arrays))
        return result

    return rule


def _elementwise(operation: str) -> Rule:
    return _composed(lambda program, *operands: program.add(operation, *operands))


def _formula(formula: Callable[..., "_Scalar"]) -> Rule:
    """An elementwise operation written with Python's operators."""
    return _composed(
        lambda program, *operands: formula(*(_Scalar(program, n) for n in operands)).number
    )
