"""Generic functions on primitives: each family registers its own implementation.

They are `functools.singledispatch` with three additions. The module in which a family answers is
imported when the question is first asked of it. An implementation of a plugin is refused when it is
registered, if it cannot be called as the function is. An exception that it raises is reported with
its file and line.
"""

from __future__ import annotations

import functools
import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from numbers import Integral, Real
from typing import Any, Generic, TypeVar

from artgen.base.errors import PluginError
from artgen.base.faults import broken, plugin_code, root_of

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


def generic(module: str) -> Callable[[Callable[..., T]], GenericFunction[T]]:
    """Return a decorator of the default of a generic function, which families answer in `module`.

    See `import_answers`.
    """
    return lambda default: GenericFunction(default, module)


@functools.cache
def _import_if_there(name: str) -> None:
    if find_spec(name):
        import_module(name)


def import_answers(cls: type, module: str) -> None:
    """Import the `module` of each package that a class, or one it is derived from, `answers` in.

    So the modules of a family are imported when they are first needed, and those of others never.
    """
    for base in cls.__mro__:
        if package := vars(base).get("answers"):
            _import_if_there(f"{package}.{module}")


class GenericFunction(Generic[T]):
    """A function that is chosen by the class of its first argument: see `generic`."""

    def __init__(self, default: Callable[..., T], module: str) -> None:
        functools.update_wrapper(self, default)
        self._default, self._module = default, module
        self._chosen: Any = functools.singledispatch(default)

    def __call__(self, primitive: Any, /, *arguments: Any, **keywords: Any) -> T:
        """Call the implementation for `primitive`. Raises what it raises, and PluginError."""
        import_answers(type(primitive), self._module)
        result: T = self._chosen(primitive, *arguments, **keywords)
        return result

    def dispatch(self, cls: type) -> Callable[..., T]:
        """Return the implementation for a class, perhaps the default."""
        import_answers(cls, self._module)
        found: Callable[..., T] = self._chosen.dispatch(cls)
        return found

    def is_answered(self, cls: type) -> bool:
        """Whether there is an implementation for a class beside the default."""
        return self.dispatch(cls) is not self._default

    def register(self, family: type) -> Callable[[F], F]:
        """Return a decorator of the implementation for `family` and its subclasses.

        Raises PluginError if the implementation cannot be called with the arguments of the default.
        """
        name = self._default.__name__
        if not isinstance(family, type):
            raise PluginError(
                f"{name}.register takes the class of a family, got {family!r}",
                hint=f"write @artgen.family.{name}.register(CLASS)",
            )

        def decorate(function: F) -> F:
            shipped = root_of(function) == "artgen"
            self._chosen.register(family, function if shipped else self._guarded(family, function))
            return function

        return decorate

    def _guarded(self, family: type, function: Callable[..., T]) -> Callable[..., T]:
        """Check the arguments of a plugin's function, and return it so that it reports faults."""
        what = f"{self._default.__name__} of {family.__name__}"
        parameters = inspect.signature(self._default).parameters.values()
        keywords = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]
        positions = [each.name for each in parameters if each.name not in keywords]
        signature = inspect.signature(function)
        hint = f"define it as {function.__name__}({', '.join(positions)}"
        hint += ", **_)" if keywords else ")"
        try:
            signature.bind(*positions, **dict.fromkeys(keywords))
        except TypeError as error:
            arguments = ", ".join([*positions, *(f"{each}=..." for each in keywords)])
            problem = f"takes {signature}, but is called with ({arguments}): {error}"
            raise broken(what, function, problem, hint) from None

        @functools.wraps(function)
        @plugin_code(what, function, hint=hint)
        def guarded(*arguments: object, **given: object) -> T:
            result = function(*arguments, **given)
            wanted = typing.get_type_hints(self._default)["return"]
            if not is_a(result, wanted):
                problem = f"gave {type(result).__name__}, not {spell_type(wanted)}"
                raise broken(what, function, problem, hint)
            return result

        return guarded


def is_a(value: object, wanted: Any) -> bool:
    """Return whether a value is of an annotated type; of collections, also their items.

    A whole number is a float too, and numbers of numpy are numbers.
    """
    origin, items = typing.get_origin(wanted) or wanted, typing.get_args(wanted)
    if origin in (typing.Union, types.UnionType, typing.ClassVar):
        return any(is_a(value, each) for each in items)
    if origin is typing.Literal:
        return value in items
    if origin is type:
        return isinstance(value, type) and (items == (Any,) or issubclass(value, items[0]))
    if not isinstance(value, {int: Integral, float: Real, Any: object}.get(origin, origin)):
        return False
    if isinstance(value, tuple) and items[1:] == (...,):
        return all(is_a(each, items[0]) for each in value)
    if isinstance(value, Mapping) and items:
        return all(is_a(each, items[1]) for each in value.values())
    return True


def spell_type(wanted: Any) -> str:
    """Spell a type without the modules that define its parts, such as ``tuple[str, ...]``."""
    if typing.get_origin(wanted) is typing.Literal:
        return f"one of {', '.join(map(str, typing.get_args(wanted)))}"
    plain = isinstance(wanted, type) and not typing.get_args(wanted)
    text = wanted.__name__ if plain else str(wanted)
    return re.sub(r"[\w.]+\.(?=\w)", "", text)
