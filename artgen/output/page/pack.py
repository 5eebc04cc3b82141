"""Rows of numbers as compact text: base64 of 8-bit or 16-bit integers, or of float32.

A number is quantised to 65,536 levels between the minimum and the maximum of its row; rows of
positive numbers over many magnitudes store logarithms. If that is too coarse, or the row is short,
numbers are float32. Pictures of 8 bits are stored as such.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHORT = 1024
"""Rows with fewer numbers are float32."""

STEPS = 65_535
WIDE = 16.0
"""Ratio of maximum to minimum from which logarithms are stored."""

BYTE = 255
PICTURE_SHARE = 0.7
"""Smallest share of 8-bit numbers in a mip pyramid of 8-bit pictures: of its largest level."""

FINE = 500
"""Smallest number of levels between a typical number and the median."""


class Packer:
    """A collection of rows: `table` describes them for the page, `text` holds their numbers."""

    def __init__(self) -> None:
        self.table: list[dict[str, Any]] = []
        self._data = bytearray()

    def add_table(self, values: NDArray[np.float32]) -> int:
        """Store constants as a row, pictures of 8 bits as bytes, and return its index."""
        levels = np.rint(BYTE * values.astype(np.float64))
        pictures = (values.min() >= 0) and (values.max() <= 1) and len(values) >= SHORT
        if not pictures or np.mean(np.abs(BYTE * values - levels) < 1e-4) < PICTURE_SHARE:
            return self.add(values)
        entry = {"kind": "byte", "low": 0.0, "step": 1 / BYTE}
        return self._store(entry, len(values), levels.astype(np.uint8).tobytes())

    def add(self, values: NDArray[Any], *, exact: bool = False) -> int:
        """Store numbers as a row, as float32 if `exact`, and return its index."""
        row = np.ascontiguousarray(values, np.float32).reshape(-1)
        kind, low, high = ("float", 0.0, 0.0) if exact else _kind(row)
        if kind == "float":
            return self._store({"kind": kind}, len(row), row.astype("<f4").tobytes())
        numbers = np.log(row.astype(np.float64)) if kind == "log" else row.astype(np.float64)
        step = max(high - low, 1e-300) / STEPS
        entry = {"kind": kind, "low": low, "step": step}
        return self._store(entry, len(row), np.rint((numbers - low) / step).astype("<u2").tobytes())

    def add_bytes(self, data: bytes) -> int:
        """Store bytes as they are, and return the index of their row."""
        return self._store({"kind": "bytes"}, len(data), data)

    def _store(self, entry: dict[str, Any], count: int, data: bytes) -> int:
        self.table.append(entry | {"count": count, "at": len(self._data)})
        # Align arrays of float32 to multiples of four bytes.
        self._data += data + bytes(-len(data) % 4)
        return len(self.table) - 1

    def text(self) -> str:
        """Return all numbers as base64."""
        return base64.b64encode(bytes(self._data)).decode("ascii")


def _kind(row: NDArray[np.float32]) -> tuple[str, float, float]:
    """Choose the encoding of a row, and return its encoded minimum and maximum."""
    if len(row) < SHORT:
        return "float", 0.0, 0.0
    low, high = float(row.min()), float(row.max())
    if low > 0 and high > WIDE * low:
        return "log", float(np.log(low)), float(np.log(high))
    usual = float(np.median(np.abs(row - np.median(row))))
    if high > low and (high - low) / STEPS > usual / FINE:
        return "float", 0.0, 0.0
    return "linear", low, high
