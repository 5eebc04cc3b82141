"""What the page of `--watch` can change, and what it shows beside the preview.

Options, target and seed stay as they were chosen while the file is edited, so that two previews
differ by the edit alone.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import threading
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from artgen.base.options import describe_options
from artgen.base.seeds import new_seed
from artgen.live._board import Board
from artgen.live._watch import SavedFiles
from artgen.primitives import Primitive
from artgen.raster import part_alone
from artgen.recipe import Recipe
from artgen.registry import default
from artgen.targets import pictures

GRID = 96
"""Side of the picture of a single part, in values."""


class Controls:
    """The choices of the page for the recipe `asked` for; a new one restarts the preview."""

    def __init__(self, asked: Recipe, saved: SavedFiles) -> None:
        self.asked, self.saved = asked, saved
        self.options: dict[str, Any] = {}
        self.target = asked.target.source
        self.seed = new_seed() if asked.seed is None else asked.seed
        self._check: subprocess.Popen[str] | None = None

    def change(self, command: dict[str, Any]) -> bool:
        """Execute a command of the page, and return whether it is one."""
        match command:
            case {"option": str(name), "value": str() | int() | float() | None as value}:
                self.options[name] = value
            case {"target": str(source)} if source in self._targets():
                self.target = source
            case {"action": "reseed"}:
                self.seed = new_seed()
            case _:
                return False
        self.saved.restarted = True
        return True

    def recipe(self, recipe: Recipe, cls: type[Primitive]) -> Recipe:
        """Return `recipe` with the choices; options that `cls` no longer has are left out."""
        known = {field.name for field in dataclasses.fields(cls.Options)}
        options = {name: value for name, value in self.options.items() if name in known}
        changed = recipe.with_primitive(**options).with_seed(self.seed)
        sha256 = recipe.target.sha256 if self.target == recipe.target.source else None
        return changed.with_target(source=self.target, sha256=sha256)

    def show(self, board: Board, primitive: Primitive) -> None:
        """Show the choices, and one part of `primitive` alone."""
        board.equip(
            options=list(_controls(primitive)),
            targets=self._targets() if "image" in primitive.targets else [],
            target=self.target,
            seed=self.seed,
            part=describe_part(primitive),
            checks=[],
        )

    def check(self, board: Board, file: Path) -> None:
        """Run the conformance checks on `file` in another process, and show each result."""
        self.end_check()
        command = [sys.executable, "-m", "artgen", "plugins", "check", str(file)]
        # The preview and the page share the processor with the checks.
        quietly = {**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
        self._check = check = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=quietly
        )

        def read() -> None:
            lines: list[str] = []
            assert check.stdout is not None
            with check.stdout as printed:
                for line in printed:
                    lines.append(line.rstrip())
                    board.equip(checks=lines.copy())

        self._reader = threading.Thread(target=read, daemon=True)
        self._reader.start()

    def end_check(self) -> None:
        """End checks that still run."""
        if self._check is not None:
            self._check.kill()
            self._check.wait()
            self._reader.join()
            self._check = None

    def _targets(self) -> list[str]:
        return [*dict.fromkeys([self.asked.target.source, *map(str, pictures(default()))])]


def _controls(primitive: Primitive) -> Iterable[dict[str, object]]:
    """Describe every option as a slider, a choice, or a field."""
    for option in describe_options(primitive.Options):
        value = getattr(primitive.options, option.name)
        kinds = {option.hint, *typing.get_args(option.hint)}
        yield {
            "name": option.name,
            "help": option.help,
            "value": _in_words(value),
            "choices": [*map(_in_words, option.choices)],
            "number": bool(kinds & {int, float}) and str not in kinds,
            "whole": int in kinds,
            "low": option.low,
            "high": option.high,
        }


def _in_words(value: object) -> object:
    """Return ``true`` or ``false`` as a page spells it; other values stay."""
    return str(value).lower() if isinstance(value, bool) else value


def describe_part(primitive: Primitive) -> dict[str, Any] | None:
    """The values of one part on a grid, and half the side of the grid; None without such values."""
    alone = part_alone(primitive, GRID)
    if alone is None:
        return None
    values, reach = alone
    rounded = values.nan_to_num(0.0).double().flatten().tolist()
    return {"side": GRID, "reach": reach, "values": [round(value, 4) for value in rounded]}
