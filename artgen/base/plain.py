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


def canonical(data: object, **how: Any) -> str:
    """JSON that is the same text for equal data; `how` is for `json.dumps`."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, **how)


def readable(data: object) -> bytes:
    """JSON as a file that people may read."""
    return f"{json.dumps(data, indent=2, ensure_ascii=False)}\n".encode()
