"""Tables of a recipe: frozen values that know which of their keys were asked for.

A table is made of data by `Table.parse`, which checks its keys as they are declared; it is plain
data again by `Table.to_dict`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform, get_args

from artgen.base.errors import ArtgenError, did_you_mean, explain_problem
from artgen.recipe.keys import REQUIRED, Key, Wrong, key

E = TypeVar("E", bound=ArtgenError)

_UNTOLD: frozenset[str] = frozenset({"?"})


class Misfit(Exception):
    """What is wrong with data: the keys that lead there, why, and the keys that it may have.

    What lists hold is counted from 1, as `--set 1.KEY` and `leaves` do.
    """

    def __init__(self, path: tuple[str, ...], message: str, known: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.path, self.message, self.known = path, message, known

    def of(self, kind: type[E], where: str, hint: str | None = None) -> E:
        """The error for a recipe found at `where`.

        For an unknown key it has the `hint`, by default the nearest key.
        """
        place = ".".join(self.path)
        if not self.known:
            return kind(f"{where}: {place} {self.message}")
        hint = hint or did_you_mean(self.path[-1], self.known)
        return kind(f"{where}: unknown key {place!r}", hint=hint)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(key, field))
class Table:
    """A table whose unknown keys are mistakes; its values are of exactly the types they state.

    `asked` are the names of the keys that were given: by a file or the user, where it was parsed.
    """

    asked: frozenset[str] = _UNTOLD
    is_open: ClassVar[bool] = False
    """Whether other keys are options, checked later by their owner."""
    called: ClassVar[str] = "a table"
    """What errors call it where something else was given."""
    _declared: ClassVar[dict[str, Key]] = {}

    def __init_subclass__(cls) -> None:
        declared = [each for each in vars(cls).values() if isinstance(each, Key)]
        cls._declared = cls._declared | {each.name: each for each in declared}

    def __init__(self, *, asked: frozenset[str] = _UNTOLD, **values: Any) -> None:
        own = vars(self)
        for each in self._declared.values():
            own[each.field] = values.pop(each.field, each.default)
        if self.is_open:
            own["options"] = values.pop("options", {})
        if values:
            raise TypeError(f"{type(self).__name__} has no {', '.join(values)}")
        if asked is _UNTOLD:
            asked = frozenset(
                k for k, each in self._declared.items() if own[each.field] != each.default
            )
        own["asked"] = asked

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be set: tables are frozen")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, each.field) for each in self._declared.values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.to_dict()})"

    @classmethod
    def declared(cls) -> Mapping[str, Key]:
        """The declarations of the keys, by their names."""
        return cls._declared

    def replace(self, **changes: Any) -> Self:
        """A copy with other values, unchecked, which do not count as asked for."""
        return type(self)(**{**vars(self), **changes})

    @classmethod
    def prepare(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Data in its usual form, before it is checked."""
        return data

    @classmethod
    def parse(cls, data: object, *path: str) -> Self:
        """Make a table of `data`, found at `path`. Raises Misfit.

        Unknown keys come first: they explain others.
        """
        problems: list[Misfit] = []
        table = cls._parse(data, path, problems)
        if table is None:
            raise min(problems, key=lambda problem: not problem.known)
        return table

    @classmethod
    def _parse(cls, data: object, path: tuple[str, ...], problems: list[Misfit]) -> Self | None:
        if isinstance(data, cls):
            return data
        if not isinstance(data, dict):
            plain = isinstance(data, str | int | float | list | None)
            got = repr(data) if plain else type(data).__name__
            problems.append(Misfit(path, f"must be {cls.called}, got {got}"))
            return None
        data, before = cls.prepare(data), len(problems)
        keys, values = cls.declared(), dict[str, Any]()
        for name, each in keys.items():
            if name in data:
                values[each.field] = _value(each, data[name], values, (*path, name), problems)
            elif each.default is REQUIRED:
                problems.append(Misfit((*path, name), "is missing"))
        others = {name: value for name, value in data.items() if name not in keys}
        if cls.is_open:
            values["options"] = others
        else:
            problems += [Misfit((*path, name), "is unknown", tuple(keys)) for name in others]
        if len(problems) > before:
            return None
        return cls(**values, asked=frozenset(keys.keys() & data.keys()))

    def changed(self, path: str, changes: Mapping[str, Any]) -> Self:
        """A checked copy with other values, which do not count as asked for. Raises Misfit."""
        values = {each.name: getattr(self, each.field) for each in self.declared().values()}
        values |= {**self._options, **changes}
        known = {key: value for key, value in values.items() if value is not None}
        return type(self).parse(known, path).replace(asked=self.asked)

    def to_dict(self, *, asked: bool = False) -> dict[str, Any]:
        """Plain data without absent values; those that were `asked` for alone, and all options."""
        plain = {
            each.name: _plain(value, asked)
            for each in self.declared().values()
            if (value := getattr(self, each.field)) is not None
            and (each.name in self.asked or not asked)
        }
        options = {k: _plain(v, asked) for k, v in self._options.items() if v is not None}
        return plain | options

    @property
    def _options(self) -> dict[str, object]:
        return getattr(self, "options", {})


class OpenTable(Table):
    """A table whose other keys are `options`, checked later by their owner."""

    options: dict[str, Any] = field(default_factory=dict)
    is_open: ClassVar[bool] = True


def _value(
    key: Key, value: Any, before: Mapping[str, Any], path: tuple[str, ...], problems: list[Misfit]
) -> Any:
    """The value of a key as it is in a table; adds what is wrong with it to `problems`."""
    from pydantic import ValidationError

    given = value
    try:
        if key.check is not None and value is not None:
            value = key.check(value, before)
        if key.many and key.table is not None and isinstance(value, dict):
            name = ".".join(each for each in path if not each.isdigit())
            raise Wrong(f"must be a list of tables, written as [[{name}]]")
        value = key.adapter.validate_python(value)
    except Wrong as wrong:
        refused = {"type": "wrong", "msg": str(wrong), "input": given}
        problems.append(Misfit(path, explain_problem(refused)))
        return None
    except ValidationError as error:
        for problem in error.errors():
            inside = (str(each + 1 if isinstance(each, int) else each) for each in problem["loc"])
            place = (*path, *inside)
            problems.append(Misfit(place, explain_problem(problem)))
        return None
    if key.table is None or value is None or type(value) in get_args(key.type):
        return value
    if not key.many:
        return key.table._parse(value, path, problems)
    return tuple(
        key.table._parse(each, (*path, str(i)), problems) for i, each in enumerate(value, 1)
    )


def _plain(value: object, asked: bool) -> object:
    """Plain data: no tables, no tuples."""
    if isinstance(value, Table):
        return value.to_dict(asked=asked)
    if isinstance(value, list | tuple):
        return [_plain(each, asked) for each in value]
    if isinstance(value, Mapping):
        return {key: _plain(each, asked) for key, each in value.items()}
    return value
