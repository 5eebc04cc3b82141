"""Contestants: what a comparison fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from artgen.recipe import Recipe


@dataclass(frozen=True)
class Contestant:
    """A contestant: `name` as it was asked for, `stem` for its files, and its recipe.

    The recipe holds the budget; its target is replaced. `search` lists the folders in which its
    files are looked up.
    """

    name: str
    stem: str
    recipe: Recipe
    search: Sequence[Path] = (Path(),)
