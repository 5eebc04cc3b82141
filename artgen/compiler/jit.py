"""Compiler options and types that the kernels of shapes and partitions share.

Kernels write whole numbers that they pass to others as `np.int64(0)`, and begin the counters they
pass with it: numba compiles a function again for a literal, even if the variable is changed later.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

options: Any = {"cache": True, "nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
"""For kernels that Python calls."""

internal: Any = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""For functions that kernels alone call: without entries for Python and C, they compile sooner."""

borrowing: Any = {"_nrt": False, **internal}
"""For those that neither make nor return arrays: no references to arrays are counted in them.

At every call that would take longer than to score a small shape.
"""

compiled: Any = nb.njit(error_model="numpy", **borrowing)
"""Decorator for functions that kernels call, if they neither make nor return arrays."""

inline: Any = nb.njit(forceinline=True, error_model="numpy", **borrowing)
"""The same, inlined as code."""

owning: Any = nb.njit(forceinline=True, error_model="numpy", **internal)
"""The same for functions that make or return arrays."""

foreign: Any = nb.njit(error_model="numpy", **internal)
"""Decorator for the functions of plugins, which may make arrays."""

grid_type: Any = nb.types.UniTuple(nb.float64, 5)
"""A grid of sample rows, see `raster.sampling`."""

generator_type: Any = nb.typeof(np.random.default_rng())
"""A `numpy.random.Generator`."""
