"""Arrays from outside: lists, tensors and masked arrays as arrays of numpy."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from artgen.base.errors import InputError


def as_array(
    values: ArrayLike, where: str, what: str, dtype: DTypeLike | None = None
) -> NDArray[Any]:
    """Return `values` as an array, of a `dtype` if one is given.

    Raises InputError: `where` is not `what`. Masked values are refused, and complex ones for real
    numbers, since numpy would show what is hidden, and drop the imaginary part.
    """
    try:
        if np.ma.is_masked(values):
            raise ValueError("some of its values are masked: fill them, as with filled(0)")
        array = np.asarray(_without_gradients(values))
        if array.dtype.kind == "c" and dtype is not None:
            raise ValueError("its numbers are complex")
        return np.asarray(array, dtype)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{where} is not {what}: {error}") from None


def _without_gradients(values: Any) -> ArrayLike:
    """Tensors of torch as numpy takes them: on the CPU, no bfloat16. Other values stay."""
    if not hasattr(values, "detach"):
        return cast(ArrayLike, values)
    values = values.detach().cpu()
    return cast(ArrayLike, values.float() if str(values.dtype) == "torch.bfloat16" else values)
