"""Presets of the primitives, from the files in `presets/`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from artgen import Preset


def read_presets(primitive: str, params: Mapping[str, Any] | None = None) -> dict[str, Preset]:
    """Return the presets in ``presets/PRIMITIVE.toml``, by name: a table each, of its fields.

    `params` are their settings of single parameters, which hold functions, by the name of each.
    """
    text = (Path(__file__).parent / "presets" / f"{primitive}.toml").read_text("utf-8")
    presets = {}
    for name, table in tomllib.loads(text).items():
        engines = tuple(table.pop("engines", ()))
        presets[name] = Preset(**table, engines=engines, params=(params or {}).get(name, {}))
    return presets
