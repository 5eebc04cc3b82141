"""`init`: a run that starts from the parts of another drawing.

Shapes may also start from the splats of a drawing, or from the filled paths of an SVG file, more or
fewer: see `engines.conversion`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from artgen.art import Art, load
from artgen.base.errors import InputError, UsageError
from artgen.engines.conversion import beyond_limits, convert_parts, convert_paths, own_parts
from artgen.plan import Plan
from artgen.primitives import Primitive
from artgen.recipe import FileReference, Recipe
from artgen.registry import Registry, bare_name
from artgen.runs.agreement import as_stored
from artgen.runs.files.inputs import InputFiles
from artgen.svg.filled import most_important
from artgen.svg.read import SvgPaths, describe, read_svg
from artgen.targets import TargetTensors
from artgen.values.canvas import Canvas
from artgen.values.drawing import Colour, same_value
from artgen.values.symmetry import unplaced


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
            if table.sizes:
                return recipe
            return recipe.with_primitive(count=primitive.count_of(drawing))
        for key, value in as_stored(cls, table.options, drawing.options).items():
            found = drawing.options.get(key, value)
            # That of the drawing says where it repeats.
            same = key == "symmetry" and unplaced(str(found)) == value
            if not same and not same_value(found, value):
                # Of a font or a stamp it is what the file holds.
                say = "" if len(str(found)) > 99 else f"use --set {key}={found} or "
                raise UsageError(
                    f"{self.path} has {key} = {found!r:.99}, not {table.options[key]!r:.99}",
                    hint=f"{say}leave it out",
                )
        if table.target_bytes is not None or table.parameter_bytes is not None:
            raise UsageError(
                f"{self.path} fixes the number of parts, so --target-bytes cannot choose it",
                hint="leave out --target-bytes or --init",
            )
        changes = {key: value for key, value in drawing.options.items() if value is not None}
        primitive = self.art.primitive()
        if primitive.has_count:
            whole, count = (
                primitive.count_of(each) for each in (drawing, own_parts(primitive, drawing))
            )
            # Of parts that are repeated, the drawing holds more than its fit had.
            fitted = self.art.recipe.primitive.count
            fitted = max(count, fitted) if count < whole and isinstance(fitted, int) else whole
            asked = table.count or fitted
            if primitive.extensible and asked != "auto" and asked < count:
                raise UsageError(
                    f"{self.path} has {count} parts, more than {asked}",
                    hint=f"use --count {count} or more",
                )
            if not primitive.extensible and asked not in ("auto", count):
                raise UsageError(
                    f"{self.path} has {count} parts, not {asked}",
                    hint=f"use --count {count} or leave it out",
                )
            # Others can be added to those that are there, if at all.
            changes["count"] = asked if primitive.extensible else count
        return recipe.with_primitive(**changes)

    @property
    def background(self) -> Colour:
        """The background of the drawing."""
        return self.art.drawing.background

    def notices(self, canvas: Canvas, primitive: Primitive) -> list[str]:
        """Notices where parts break limits that are asked for, or are no longer repeated."""
        own, drawing, said = self.art.primitive(), self.art.drawing, []
        if not primitive.can_start_from(own) and (n := beyond_limits(primitive, own, drawing)):
            said = [
                f"{n} of its {own.count_of(drawing)} parts break the limits that are asked for,"
                " and stay until a change brings them within"
            ]
        if own.group is not None and primitive.group is None:
            name = unplaced(own.group.name)
            said.append(
                f"its parts are repeated by the symmetry {name}, and the new ones"
                f" begin in one cell of it; --symmetry {name} repeats them too"
            )
        return [f"{self.path.name}: {each}" for each in said]

    def tensors_for(self, plan: Plan, data: TargetTensors, background: Colour) -> dict[str, Tensor]:
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
                target=data.goal,
                weight=data.weight,
                background=background,
            )
        own.check_tensors(drawing)
        try:
            plan.primitive.check_tensors(drawing)
        except InputError as error:
            raise UsageError(
                f"{self.path} cannot start a fit to this target: {error.message}",
                hint="use a target of the same kind, with as many channels and classes, and for a "
                "codec pictures of the same size; or leave out --init",
            ) from None
        count, engine = own.count_of(drawing), plan.recipe.stage[0].engine
        if own.has_count and (plan.first_count or 0) > count:
            raise UsageError(
                f"{self.path} has {count} parts, and engine {engine} adds none",
                hint=f"use --count {count}, or -e climb,{engine} for shapes",
            )
        return dict(drawing.tensors)


@dataclass(frozen=True, eq=False)
class InitialSvg:
    """The filled paths to start from and the file they came from."""

    path: Path
    svg: SvgPaths

    @property
    def background(self) -> Colour:
        """The colour of a path that covers the canvas, or white."""
        return self.svg.background

    def continued(self, recipe: Recipe, cls: type[Primitive]) -> Recipe:
        """The recipe, for shapes of this class, with as many as there are paths.

        The shapes keep to the opacities in the file where the recipe asks for none. Raises
        UsageError for other primitives.
        """
        table = recipe.primitive
        if not cls.starts_from_paths:
            raise UsageError(
                f"the paths of {self.path} cannot start {bare_name(table.name)}",
                hint="use -p blob, polygon or another shape",
            )
        changes: dict[str, object] = {}
        if not table.sizes:
            changes["count"] = len(self.svg.paths)
        asked = {"min_alpha", "max_alpha"} & table.options.keys()
        if not asked and not any("alpha" in stage.options for stage in recipe.stage):
            alphas = [max(path.alpha, 0.01) for path in self.svg.paths]
            changes |= {"min_alpha": min(alphas), "max_alpha": max(alphas)}
        return recipe.with_primitive(**changes)

    def notices(self, canvas: Canvas, primitive: Primitive) -> list[str]:
        """Notices of what was not read, and of a canvas of another form."""
        said = [describe(self.svg)]
        width, height = self.svg.size
        if abs(width / height - canvas.width / canvas.height) > canvas.pixel:
            said.append(
                f"its canvas of {width:g}x{height:g} is fitted into {canvas.width}x{canvas.height}"
            )
        return [f"{self.path.name}: {each}" for each in said if each]

    def tensors_for(self, plan: Plan, data: TargetTensors, background: Colour) -> dict[str, Tensor]:
        """Shapes like the paths, of which the most important are kept where there are too many.

        Raises UsageError where there are too few.
        """
        canvas = Canvas(data.goal.shape[2], data.goal.shape[1])
        (width, height), (across, down) = self.svg.size, canvas.reach
        scale = 2 * min(across / width, down / height)
        paths = [path.moved((-width / 2, -height / 2), scale) for path in self.svg.paths]
        if (plan.first_count or 0) > len(paths):
            raise UsageError(
                f"{self.path} has {len(paths)} paths, and engine {plan.recipe.stage[0].engine}"
                " adds none",
                hint=f"use --count {len(paths)}, or -e climb",
            )
        kept = most_important(paths, plan.count or len(paths), canvas, background)
        return convert_paths(plan.primitive, kept, canvas, plan.recipe.seed or 0)


Initial = InitialArt | InitialSvg
"""What a run may start from."""


def open_initial(init: FileReference, files: InputFiles, registry: Registry) -> Initial:
    """Read the `.art` or `.svg` file that `init` speaks of. Raises InputError."""
    path = files.find("init", init.name, init.sha256)
    if path.suffix.lower() == ".svg":
        return InitialSvg(path, read_svg(path))
    return InitialArt(path, load(path, registry=registry))
