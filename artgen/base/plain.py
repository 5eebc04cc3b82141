"""Data for JSON, which has no NaN and no infinity."""

from __future__ import annotations

import json
import math
from typing import Any


def finite(data: object) -> Any:
    """The same data, tuples as lists, with None in place of NaN and infinity."""
    if isinstance(data, dict):
        return {key: finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def canonical(data: object) -> str:
    """JSON that is the same text for equal data."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
