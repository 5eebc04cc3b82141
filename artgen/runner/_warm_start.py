"""`init`: a run that starts from the parts of another drawing.

Shapes may also start from the splats of a drawing, more or fewer (see `engines.splats_to_shapes`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from artgen.art import Art, load
from artgen.engines import splats_to_shapes
from artgen.engines.conversion import convert_parts
from artgen.errors import UsageError
from artgen.primitives import Primitive
from artgen.recipe import FileReference, Recipe
from artgen.registry import Registry, bare_name
from artgen.resolve import Plan
from artgen.runner._inputs import InputFiles

# Imported for the answer that it registers.
_FAMILIES = (splats_to_shapes,)

Colour = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class InitialArt:
    """The art to start from and the file it came from."""

    path: Path
    art: Art

    def continued(self, recipe: Recipe, cls: type[Primitive]) -> Recipe:
        """The recipe, for a primitive of this class, with the options and the count of this art.

        Raises UsageError where the recipe asks for others.
        """
        drawing, table = self.art.drawing, recipe.primitive
        name = bare_name(table.name)
        if drawing.primitive != name:
            primitive = self.art.primitive()
            if not cls.can_start_from(primitive):
                raise UsageError(
                    f"{self.path} holds {drawing.primitive}, not {name}",
                    hint=f"use -p {drawing.primitive}; only splats can start shapes",
                )
            if (table.count, table.target_bytes, table.parameter_bytes) != (None, None, None):
                return recipe
            return recipe.with_primitive(count=primitive.count_of(drawing))
        for key, value in table.options.items():
            found = drawing.options.get(key, value)
            if _listed(found) != _listed(value):
                raise UsageError(
                    f"{self.path} has {key} = {found!r}, not {value!r}",
                    hint=f"use --set {key}={found} or leave it out",
                )
        if table.target_bytes is not None or table.parameter_bytes is not None:
            raise UsageError(
                f"{self.path} fixes the number of parts, so --target-bytes cannot choose it",
                hint="leave out --target-bytes or --init",
            )
        changes = {key: value for key, value in drawing.options.items() if value is not None}
        primitive = self.art.primitive()
        if primitive.has_count:
            count = primitive.count_of(drawing)
            if primitive.extensible:
                # Others can be added to those that are there.
                changes["count"] = self._enough(table.count or count, count)
            elif table.count not in (None, "auto", count):
                raise UsageError(
                    f"{self.path} has {count} parts, not {table.count}",
                    hint=f"use --count {count} or leave it out",
                )
            else:
                changes["count"] = count
        return recipe.with_primitive(**changes)

    def _enough(self, asked: int | Literal["auto"], count: int) -> int | Literal["auto"]:
        """What was asked for, unless that is fewer than there are."""
        if asked != "auto" and asked < count:
            raise UsageError(
                f"{self.path} has {count} parts, more than {asked}",
                hint=f"use --count {count} or more",
            )
        return asked

    def tensors_for(
        self, plan: Plan, target: Tensor, weight: Tensor | None, background: Colour
    ) -> dict[str, Tensor]:
        """The parts, or shapes like them.

        Raises InputError where they are not the plan's, UsageError where they are too few.
        """
        drawing, own = self.art.drawing, self.art.primitive()
        if plan.primitive.can_start_from(own):
            own.check_tensors(drawing)
            return convert_parts(
                plan.primitive,
                own,
                drawing,
                count=plan.count or 0,
                seed=plan.recipe.seed or 0,
                target=target,
                weight=weight,
                background=background,
            )
        plan.primitive.check_tensors(drawing)
        count, engine = own.count_of(drawing), plan.recipe.stage[0].engine
        if own.has_count and (plan.first_count or 0) > count:
            raise UsageError(
                f"{self.path} has {count} parts, and engine {engine} adds none",
                hint=f"use --count {count}, or -e climb,{engine} for shapes",
            )
        return dict(drawing.tensors)


def open_initial(init: FileReference, files: InputFiles, registry: Registry) -> InitialArt:
    """Read the `.art` file that `init` speaks of. Raises InputError."""
    path = files.find("init", init.name, init.sha256)
    return InitialArt(path, load(path, registry=registry))


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
