"""Recipes: what a run is asked for, as data, with each key declared once.

`keys` declares keys, `tables` has all of them, and `recipe` is the whole. `layers` lays what was
asked for in several places over one another, `looks` and `settings` among them; `docs/recipes.md`
states the order.
"""

from __future__ import annotations

from artgen.recipe.recipe import SCHEMA, Recipe, flagged, keywords
from artgen.recipe.tables import (
    BYTE_KEYS,
    MOST_COLOURS,
    MOST_REVISIONS,
    MOST_STEPS,
    SIZE_KEYS,
    ClipTable,
    FileReference,
    FilmForm,
    KindTable,
    MorphTable,
    OutputTable,
    PieceTable,
    Precision,
    PrimitiveTable,
    RunTable,
    Stage,
    TargetTable,
    TilesTable,
    VideoFormat,
)
from artgen.recipe.texts import MOST_PARTS

__all__ = [
    "BYTE_KEYS",
    "MOST_COLOURS",
    "MOST_PARTS",
    "MOST_REVISIONS",
    "MOST_STEPS",
    "SCHEMA",
    "SIZE_KEYS",
    "ClipTable",
    "FileReference",
    "FilmForm",
    "KindTable",
    "MorphTable",
    "OutputTable",
    "PieceTable",
    "Precision",
    "PrimitiveTable",
    "Recipe",
    "RunTable",
    "Stage",
    "TargetTable",
    "TilesTable",
    "VideoFormat",
    "flagged",
    "keywords",
]
