"""Partitions drawn by area: the share of a pixel that a site wins is how much of its colour it has.

As for shapes there are eight sample rows per pixel, and along each the borders are exact. The
kernels are compiled together with the static functions of the partition and cached under the hash
of their code.
"""

from __future__ import annotations

import functools
import hashlib
import types
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.canvas import Canvas
from artgen.errors import PluginError
from artgen.primitives import Partition
from artgen.raster import kernel_cache
from artgen.raster.fingerprint import computed, explain
from artgen.raster.spans import SUBROWS, make_grid
from artgen.raster.threads import share

__all__ = ["draw_partition", "load_partition_kernels", "unpack_sites"]

_HEADER = '''\
"""Kernels of a partition, written by artgen; delete this folder whenever you like."""

import math

import numba as nb
import numpy as np

# {fingerprint}
options = {{"cache": True, "nogil": True, "error_model": "numpy"}}
inline = nb.njit(forceinline=True, error_model="numpy")
compiled = nb.njit(error_model="numpy")
grid_type = nb.types.UniTuple(nb.float64, 5)
line, random, mutate = compiled(given[0].line), compiled(given[0].random), compiled(given[0].mutate)


'''


def draw_partition(
    partition: Partition,
    tensors: Mapping[str, Tensor],
    canvas: Canvas,
    background: tuple[float, float, float],
) -> Tensor:
    """A drawing's tensors as float32 [3, height, width]; the background where there is no site.

    Raises PluginError where the functions of the partition cannot be compiled.
    """
    sites, colour = unpack_sites(tensors)
    picture = np.empty((3, canvas.height, canvas.width), np.float32)
    if len(sites) == 0:
        picture[:] = np.array(background)[:, None, None]
        return torch.from_numpy(picture)
    draw = load_partition_kernels(partition).draw
    scene = (sites, colour, picture, make_grid(canvas, SUBROWS), SUBROWS)
    cuts = np.linspace(0, canvas.height, 4 * torch.get_num_threads() + 1).astype(int)
    share(lambda rows: draw(*scene, *rows), list(pairwise(cuts.tolist())))
    return torch.from_numpy(picture)


def unpack_sites(
    tensors: Mapping[str, Tensor],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A drawing's sites float64 [N, genes] and colours [N, 3]."""
    sites, colour = (
        np.ascontiguousarray(tensors[name].detach().cpu().numpy().T, np.float64)
        for name in ("sites", "colour")
    )
    return sites, colour


def load_partition_kernels(partition: Partition, kernels: str = "") -> types.ModuleType:
    """`partition_kernels` and the text `kernels`, compiled after the functions of `partition`.

    Raises PluginError naming the function that cannot be compiled.
    """
    cls = type(partition)
    key = (cls, partition.genes, kernels)
    if key not in _loaded:
        _check(partition)
        digest = hashlib.sha256()
        for name in ("line", "random", "mutate"):
            for part in computed(getattr(cls, name), set()):
                digest.update(part.encode() + b"\0")
        source = _HEADER.format(fingerprint=digest.hexdigest()) + _text() + "\n\n" + kernels
        try:
            _loaded[key] = kernel_cache.load(source, given=(cls,))
        except Exception as error:
            raise _explained(partition, error) from error
    return _loaded[key]


_loaded: dict[Any, types.ModuleType] = {}


def _check(partition: Partition) -> None:
    """Raise PluginError where a partition does not say what it is."""
    cls = type(partition)
    if partition.genes < 2:
        raise PluginError(
            f"{cls.__name__} has {partition.genes} genes", hint="the first two are x and y"
        )
    if cls.line is Partition.line:
        raise PluginError(
            f"{cls.__name__} does not define line", hint="what a site costs along a row"
        )
    for name in ("line", "random", "mutate"):
        if name in cls.__dict__ and not isinstance(cls.__dict__[name], staticmethod):
            raise PluginError(f"{cls.__name__}.{name} takes no self", hint="mark it @staticmethod")


def _explained(partition: Partition, error: Exception) -> PluginError:
    """Which function cannot be compiled, and why."""
    import numba as nb

    generator = nb.typeof(np.random.default_rng())  # type: ignore[no-untyped-call]
    numbers, number = nb.float64[::1], nb.float64
    cls = type(partition)
    arguments = {
        "line": (numbers, number),
        "random": (numbers, generator, number, number, number),
        "mutate": (numbers, generator, number),
    }
    for name, types_of in arguments.items():
        function = nb.njit(getattr(cls, name))
        try:
            function.compile(types_of)
            if name == "line" and len(function.nopython_signatures[0].return_type) != 2:
                raise TypeError
        except TypeError:
            reason = "it gives no pair of numbers"
        except Exception as failure:
            reason = explain(failure)
        else:
            continue
        return PluginError(
            f"{cls.__name__}.{name} cannot be compiled: {reason}",
            hint="it takes plain Python on numbers: math, loops, arrays, constants",
        )
    return PluginError(f"the kernels of {cls.__name__} cannot be compiled: {explain(error)}")


@functools.cache
def _text() -> str:
    return Path(__file__).with_name("partition_kernels.py").read_text(encoding="utf-8")
