"""Styles that the studio opens with: looks that it can fit, then a few that splats are made for."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from artgen.base.errors import ArtgenError
from artgen.compiler.step_shader import LOSSES
from artgen.looks import read_look
from artgen.registry import Registry
from artgen.studio._kinds import variant_key

MOST = 6
"""Styles that are offered."""

OWN: Mapping[str, Mapping[str, Any]] = {
    "dry brush": {
        "primitive": {
            **{"name": "stroke", "count": 700, "blend": "over"},
            **{"hair": "natural", "texture": 0.2},
        }
    },
    "petals": {"primitive": {"name": "fourier", "blend": "depth", "count": 160}},
    "soft spots": {"primitive": {"name": "gaussian", "count": 500}},
    "facets": {"primitive": {"name": "gaussian", "blend": "normalized", "count": 250}},
    "wide brush": {"primitive": {"name": "stroke", "count": 120}},
    "light": {"primitive": {"name": "fourier", "count": 96}},
}
"""Styles in the form of looks: what their parts do best, with few of them."""


def describe_styles(kinds: Mapping[str, object], registry: Registry) -> list[dict[str, Any]]:
    """Settings of the page by which `kinds`, described primitives, show what they can be."""
    looks = {}
    for name in map(registry.spelling, registry.entries("look")):
        with suppress(ArtgenError):  # of a plugin's look that is broken
            looks[name] = read_look(name, registry).data
    found = (_described(name, look, kinds) for name, look in {**looks, **OWN}.items())
    return [style for style in found if style][:MOST]


def _described(title: str, look: Mapping[str, Any], kinds: Mapping[str, Any]) -> dict[str, Any]:
    """The settings, or none where the page cannot fit it."""
    table, (stage, *more) = dict(look.get("primitive", {})), look.get("stage", [{}])
    kind = kinds.get(table.pop("name", ""))
    if kind is None or more or stage.get("engine", "gradient") != "gradient":
        return {}
    count, options = table.pop("count", kind["count"]), {**kind["defaults"], **table}
    sliders = [option for option in kind["options"] if "low" in option]
    if variant_key(None, options, sliders) not in kind["variants"]:
        return {}
    loss = stage.get("loss", "mse").partition("+")[0]
    return {
        "title": title,
        "primitive": kind["name"],
        "options": options,
        "count": count,
        "steps": stage.get("steps", 500),
        "loss": loss if loss in LOSSES else "mse",
    }
