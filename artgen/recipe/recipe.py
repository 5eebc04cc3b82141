"""A recipe is the complete description of a run, as data: TOML in, canonical JSON out.

This package checks *structure*: keys, types, ranges. Names of primitives, engines and losses and
their options are checked by `artgen.plan`. A resolved recipe holds every option explicitly, so that
a later version with other defaults still makes the same picture.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from artgen.base.errors import ArtgenError, InputError, UsageError
from artgen.base.plain import canonical
from artgen.base.toml import DEEPEST, read_toml
from artgen.recipe.keys import Flag, Key
from artgen.recipe.table import Misfit, Table
from artgen.recipe.tables import SCHEMA, FileReference, KindTable, RecipeTable, Stage
from artgen.values.frame import DPI, Frame, is_on_paper, parse_frame

LARGEST_FILE = 2**20
"""Largest number of bytes of a recipe file; real ones have a few thousand."""

TableT = TypeVar("TableT", bound=Table)


class Recipe(RecipeTable):
    """A run as data. See the table classes for the keys."""

    @classmethod
    def from_dict(
        cls, data: dict[str, Any], where: str = "recipe", kind: type[ArtgenError] = InputError
    ) -> Recipe:
        """Check structure. Raises `kind`, naming `where`, the key and the nearest known key."""
        from artgen.base.options import not_finite
        from artgen.recipe.migration import migrated_recipe

        schema = data.get("schema", SCHEMA)
        if type(schema) is not int or not 1 <= schema <= SCHEMA:
            raise kind(
                f"{where} has schema {schema!r}, this artgen reads schemas up to {SCHEMA}",
                hint="a newer artgen may read it",
            )
        if _is_deep(data):
            raise kind(f"{where} has tables or lists nested more than {DEEPEST} deep")
        for place, value in not_finite(data):
            raise kind(f"{where}: {place} must be a finite number, got {value}")
        try:
            return cls.parse(migrated_recipe(data, schema))
        except Misfit as misfit:
            flag = flag_of(*misfit.path) if kind is UsageError and not misfit.known else None
            if flag is not None:
                raise kind(f"{flag} {misfit.message}") from None
            raise misfit.of(kind, where, home_of(misfit.path[-1])) from None

    @classmethod
    def from_request(cls, data: dict[str, Any]) -> Recipe:
        """`from_dict` for what a user asks for: raises UsageError, which names flags."""
        return cls.from_dict(data, kind=UsageError)

    @classmethod
    def from_toml(cls, path: Path) -> Recipe:
        """Read a recipe file."""
        hint = "`artgen info FILE.png --recipe` prints one of an output, to compare with"
        wrong = f"{path} is not a TOML recipe"
        data = read_toml(path, f"recipe {path}", LARGEST_FILE, wrong, hint)
        return cls.from_dict(data, where=str(path))

    def to_json(self) -> str:
        """Canonical JSON: equal recipes give equal text."""
        return canonical(self.to_dict())

    def to_toml(self) -> str:
        """The recipe as a file that `--recipe` reads."""
        import tomli_w

        # TOML allows these control characters and ends of lines within texts; terminals obey some.
        return re.sub(
            "[\x80-\x9f\u2028\u2029]",
            lambda each: f"\\u{ord(each[0]):04x}",
            tomli_w.dumps(self.to_dict()),
        )

    def requested(self) -> dict[str, Any]:
        """Plain data with the keys that were asked for alone, by a file or by the user.

        Keys that were filled in by the methods below are not among them; all options are.
        """
        return self.to_dict(asked=True)

    def with_seed(self, seed: int) -> Recipe:
        """The recipe with this seed."""
        return self.replace(seed=seed)

    def with_target(self, **changes: Any) -> Recipe:
        """The recipe with other values of keys of its target. Raises UsageError."""
        return self.replace(target=_changed(self.target, "target", changes))

    @property
    def files(self) -> Iterator[tuple[str, FileReference]]:
        """The files that it names beside its target and plugin, each with what it is."""
        if self.target.mask is not None:
            yield "mask", self.target.mask
        if isinstance(self.target.focus, FileReference):
            yield "focus", self.target.focus
        if self.init is not None:
            yield "init", self.init
        for file in dict.fromkeys(f for stage in self.stage for f in stage.loss_files or ()):
            yield "picture", file
        for view in self.view or ():
            if isinstance(view.target, FileReference):
                yield "picture", view.target

    def with_files(self, change: Callable[[FileReference], FileReference]) -> Recipe:
        """The recipe with other references in place of those to files, wherever they are in it."""
        changed: Recipe = _with_files(self, change)
        return changed

    def framed(self, size: int | str | None) -> Frame:
        """The frame of an output of this `size`: cropped or bordered as the target is."""
        frame = parse_frame(size, dpi=self.output.dpi) if isinstance(size, str) else Frame(size)
        target = self.target.frame
        # The drawing is what the target was cropped to from near.
        near = target.aspect is not None and len(target.at) == 3
        return replace(frame, at=Frame().at if near else target.at, pad=target.pad)

    @property
    def dpi(self) -> float | None:
        """The dots per inch that stills name; of a size that is a length those it was read at."""
        size = self.output.still_size
        printed = isinstance(size, str) and is_on_paper(size)
        return self.output.dpi or (DPI if printed else None)

    def with_primitive(self, **changes: Any) -> Recipe:
        """The recipe with other values of keys or options of its primitive. Raises UsageError."""
        return self.replace(primitive=_changed(self.primitive, "primitive", changes))

    def with_stage(self, index: int, **changes: Any) -> Recipe:
        """The recipe with other values of keys or options of one stage. Raises UsageError."""
        stages = list(self.stage)
        stages[index] = _changed(stages[index], "stage", changes)
        return self.with_stages(stages)

    def with_stages(self, stages: Sequence[Stage]) -> Recipe:
        """The recipe with these stages."""
        return self.replace(stage=tuple(stages))

    def with_output(self, **changes: Any) -> Recipe:
        """The recipe with other values of keys of its output. Raises UsageError."""
        return self.replace(output=_changed(self.output, "output", changes))

    def with_run(self, **changes: Any) -> Recipe:
        """The recipe with other values of keys of its run. Raises UsageError."""
        return self.replace(run=_changed(self.run, "run", changes))

    @property
    def exact_colours(self) -> tuple[str, ...] | None:
        """The palette of pictures that have no other colours, as ``#rrggbb``; None: any colours.

        Between the drawings of a morph there are colours of neither.
        """
        palette = self.edit[-1].palette if self.edit else self.target.palette
        exact = self.output.edges == "hard" and self.morph is None
        return palette if exact and isinstance(palette, tuple) else None

    @property
    def run_kind(self) -> str | None:
        """The kind of run that is asked for; None: that of the target."""
        if self.kind is not None:
            return self.kind.name
        return None if self.tiles is None else "tiles"

    def with_kind(self, kind: KindTable | None) -> Recipe:
        """The recipe with this kind of run."""
        return self.replace(kind=kind)


def flagged() -> Iterator[tuple[str, str, Key, Flag]]:
    """Yield the keys that have flags, as `_named` does, and the flags."""
    return ((*named, named[2].flag) for named in _named() if named[2].flag is not None)


def keywords() -> Iterator[tuple[str, str, Key]]:
    """Yield the keys that are arguments of `artgen.fit`, as `_named` does."""
    return (each for each in _named() if each[2].keyword is not None)


def flag_of(*path: str) -> str | None:
    """The flag of the key to which `path` leads, or of one with its name; None where it has none.

    Numbers in the path are those of stages.
    """
    keys = [each for each in path if not each.isdigit()]
    for name, table, each, flag in flagged():
        if keys in ([table, each.name], [each.name]):
            return flag.names[0] if flag.names else f"--{name.replace('_', '-')}"
    return None


def home_of(name: str) -> str | None:
    """A hint where a key of this name stands; None where no table has it."""
    top = Recipe.declared()
    homes = [
        f"[[{table}]]" if each.many else f"[{table}]"
        for table, each in top.items()
        if each.table is not None and name in each.table.declared()
    ]
    if name in top and top[name].table is None:
        homes.append("the recipe, above all tables")
    return f"{name} is a key of {' or '.join(homes)}" if homes else None


def _named() -> Iterator[tuple[str, str, Key]]:
    """Yield all keys: the name of the parameter of functions, of the table, and the key."""
    for name, top in Recipe.declared().items():
        for each in (top, *(top.table.declared().values() if top.table else ())):
            own = each.flag.own if each.flag is not None else None
            yield own or each.field, "" if each is top else name, each


def _with_files(value: Any, change: Callable[[FileReference], FileReference]) -> Any:
    """A table, or a value of a key, with changed references to files."""
    if isinstance(value, FileReference):
        return change(value)
    if isinstance(value, Table):
        own = {each.field: getattr(value, each.field) for each in value.declared().values()}
        return value.replace(**{name: _with_files(each, change) for name, each in own.items()})
    return tuple(_with_files(each, change) for each in value) if isinstance(value, tuple) else value


def _changed(table: TableT, where: str, changes: Mapping[str, object]) -> TableT:
    try:
        return table.changed(where, changes)
    except Misfit as misfit:
        raise misfit.of(UsageError, "recipe") from None


def _is_deep(value: object) -> bool:
    """Whether lists and tables lie in one another so often that they could not be written."""
    inside = [value]
    for _ in range(DEEPEST):
        inside = [
            child
            for each in inside
            if isinstance(each, dict | list | tuple)
            for child in (each.values() if isinstance(each, dict) else each)
        ]
    return bool(inside)
