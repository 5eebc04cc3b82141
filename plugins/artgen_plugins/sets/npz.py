"""Archives of numpy arrays, `.npz`, as sets of pictures."""

from __future__ import annotations

import math
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen import ArtgenError
from artgen.errors import InputError, read_regular, reading
from artgen.targets import PixelBudget
from artgen_plugins.sets.idx import Parts

_NAMES = {
    "training": ("images", "x_train", "train_images", "x"),
    "training_labels": ("labels", "y_train", "train_labels", "y"),
    "test": ("test_images", "x_test"),
    "test_labels": ("test_labels", "y_test"),
}


def read_npz(path: Path, budget: PixelBudget) -> Parts:
    """The arrays of an `.npz` by the names they usually have."""
    where = budget.where
    data = read_regular(path, where)
    arrays: dict[str, NDArray[Any]] = {}
    try:
        with reading(where), zipfile.ZipFile(BytesIO(data)) as archive:
            there = set(archive.namelist())
            for role, names in _NAMES.items():
                found = next((name for name in names if f"{name}.npy" in there), None)
                if found is not None:
                    arrays[role] = _npy(archive, f"{found}.npy", budget)
    except ArtgenError:
        raise
    except Exception as error:  # on damaged archives zipfile and numpy raise nearly anything
        reason = str(error) or type(error).__name__
        raise InputError(
            f"{where} is damaged: {reason[:200]}", hint="save it with numpy.savez"
        ) from None
    if "training" not in arrays:
        raise InputError(
            f"{where} holds no pictures", hint=f"name the array {' or '.join(_NAMES['training'])}"
        )
    training = arrays["training"], arrays.get("training_labels")
    return training, (arrays["test"], arrays.get("test_labels")) if "test" in arrays else None


def _npy(archive: zipfile.ZipFile, name: str, budget: PixelBudget) -> NDArray[Any]:
    """Read an array after checking the size in its header. Raises InputError."""
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read = np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        # Floats of pictures in colour take most, and no axis is longer than there are numbers.
        largest = 24 * budget.pixels
        size = math.prod(shape) * max(1, dtype.itemsize)
        if dtype.hasobject or size > largest or max(shape, default=0) > largest:
            raise InputError(
                f"{budget.where}: {name} has the shape {shape} and the type {dtype}",
                hint=f"at most {budget.pixels:,} pixels, as uint8 or floats",
            )
    with archive.open(name) as file:
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
