"""Pairs of parts of two drawings. Each family says what its parts look like: see `appearance`."""

from artgen.animation.matching import fields, meshes, partitions, shapes, splats
from artgen.animation.matching._pairs import (
    Appearance,
    Pairs,
    align,
    appearance,
    assign,
    carry,
    hide,
    move,
    pair,
    pair_parts,
)

# Imported for the answers that they register.
_FAMILIES = (fields, meshes, partitions, shapes, splats)

__all__ = [
    "Appearance",
    "Pairs",
    "align",
    "appearance",
    "assign",
    "carry",
    "hide",
    "move",
    "pair",
    "pair_parts",
]
