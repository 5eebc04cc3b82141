"""Rows of numbers as compact text: base64 of 16-bit integers, or of float32.

A number is quantised to 65,536 levels between the minimum and the maximum of its row; rows of
positive numbers over many magnitudes store logarithms. If that is too coarse, or the row is short,
numbers are float32.
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

FINE = 500
"""Smallest number of levels between a typical number and the median."""


class Packer:
    """A collection of rows: `table` describes them for the page, `text` holds their numbers."""

    def __init__(self) -> None:
        self.table: list[dict[str, Any]] = []
        self._data = bytearray()

    def add(self, values: NDArray[Any], *, exact: bool = False) -> int:
        """Store numbers as a row, as float32 if `exact`, and return its index."""
        row = np.ascontiguousarray(values, np.float32).reshape(-1)
        kind, low, high = ("float", 0.0, 0.0) if exact else _kind(row)
        entry: dict[str, Any] = {"kind": kind, "count": len(row), "at": len(self._data)}
        if kind == "float":
            data = row.astype("<f4").tobytes()
        else:
            numbers = np.log(row.astype(np.float64)) if kind == "log" else row.astype(np.float64)
            step = max(high - low, 1e-300) / STEPS
            entry |= {"low": low, "step": step}
            data = np.rint((numbers - low) / step).astype("<u2").tobytes()
        # Align arrays of float32 to multiples of four bytes.
        self._data += data + bytes(-len(data) % 4)
        self.table.append(entry)
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
