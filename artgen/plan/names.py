"""The first pass: the names of a recipe become what plugins offer under them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from artgen.base.errors import PluginError, UsageError, did_you_mean
from artgen.base.faults import broken
from artgen.recipe import Recipe, TargetTable
from artgen.registry import Entry, Registry, check_required

if TYPE_CHECKING:
    from artgen.engines import Engine
    from artgen.losses import Loss
    from artgen.primitives import Primitive


@dataclass(frozen=True)
class Named:
    """A recipe, and the entry and the class of its primitive, of the file that it names, if any."""

    recipe: Recipe
    registry: Registry
    entry: Entry
    primitive: type[Primitive]

    def of(self, recipe: Recipe) -> Named:
        """The same names in a recipe with other values."""
        return replace(self, recipe=recipe)

    def with_preset_target(self) -> Named:
        """The same with the keys of the target that the preset sets and the recipe does not.

        Raises UsageError, and PluginError for a key that no target has.
        """
        preset, target = self.recipe.primitive.preset, self.recipe.target
        # The recipe of a fit has the hash of its target, and was completed already.
        if preset is None or target.sha256 is not None:
            return self
        keys, default = self.primitive.find_preset(preset).target, TargetTable()
        for key in (key for key in keys if key not in target.declared()):
            what, problem = f"preset {preset!r} of {self.primitive.__name__}", f"sets target.{key}"
            hint = did_you_mean(key, target.declared())
            raise broken(what, self.primitive, f"{problem}, which is no key of a target", hint)
        changes = {k: keys[k] for k in keys if getattr(target, k) == getattr(default, k)}
        return self.of(self.recipe.with_target(**changes))

    def engine(self, asked: str) -> tuple[str, type[Engine]]:
        """The engine and its name; ``auto`` is the primitive's first.

        Raises PluginError, and UsageError where neither the primitive nor the engine names the
        other.
        """
        cls, registry = self.primitive, self.registry
        if asked == "auto":
            asked = cls.engines[0]
            try:
                registry.find("engine", asked)
            except PluginError as error:
                problem = f"names an engine that is not there: {error.message}"
                raise broken(cls.__name__, cls, problem, hint=str(error.hint)) from None
        engine: type[Engine] = registry.load("engine", asked)
        check_required(f"engine {asked!r}", engine)
        named = asked.removeprefix("artgen/") in cls.engines
        if not (named or cls.family in engine.families):
            check_families(engine, asked, registry)
            right = " or ".join(cls.engines)
            raise UsageError(
                f"{self.recipe.primitive.name} does not work with engine {asked!r}",
                hint=f"use -e {right}, or an engine that names {cls.family!r} in `families`",
            )
        return asked, engine

    def loss(self, text: str) -> Loss:
        """The loss mixture `text`, with the names of all plugins. Raises UsageError."""
        from artgen.losses import parse_loss

        names = [entry.name for entry in self.registry.entries("loss")]
        return parse_loss(text, lambda name: self.registry.load("loss", name), names)

    def check_polish(self) -> None:
        """Raise UsageError where the engine `gradient` cannot refine what another engine found."""
        if "gradient" in self.primitive.engines[1:]:
            return
        with of_look(self.recipe):
            raise UsageError(
                f"--polish refines shapes only, not {self.recipe.primitive.name}",
                hint="leave it out, or use more --steps",
            )


@contextmanager
def of_look(recipe: Recipe) -> Iterator[None]:
    """Where a UsageError of the body names the primitive, its hint says which look it is of."""
    try:
        yield
    except UsageError as error:
        name, look = recipe.primitive.name, recipe.look
        if look is not None and name in error.message.lower():
            error.advise(f"{name} is what the look {look} is drawn with")
        raise


def find_names(recipe: Recipe, registry: Registry) -> Named:
    """Find the primitive of a recipe. Raises PluginError, UsageError."""
    entry = find_primitive(recipe, registry)
    return Named(recipe, registry, entry, entry.load())


def find_primitive(recipe: Recipe, registry: Registry) -> Entry:
    """The entry of the recipe's primitive. Raises PluginError."""
    table, file = recipe.primitive, recipe.primitive.plugin
    recorded = {"file": file.name, "sha256": file.sha256 or ""} if file else {}
    return registry.find("primitive", table.name, plugin=recorded)


def check_families(engine: type[Engine], name: str, registry: Registry) -> None:
    """Raise PluginError if the engine names a family that no primitive in `registry` is of."""
    known = set()
    for entry in registry.entries("primitive"):
        with suppress(PluginError):
            known.add(entry.load().family)
    for family in engine.families:
        if family not in known:
            problem = f"names {family!r}, which is no family of a primitive"
            hint = did_you_mean(family, known)
            raise broken(f"families of engine {name!r}", engine, problem, hint)
