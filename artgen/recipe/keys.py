"""The declaration of a key of a recipe: its type and bounds, the flag that sets it, its docs.

    steps: int | None = key(default=None, low=1).flagged(LONG, "N", "Number of steps.")
    '''Length of the schedule. Default: the primitive's.'''

`Table.declared` collects the declarations of a table. From them follow the checks of recipe files,
the flags of ``artgen fit`` (`artgen.cli._request`), the signature of `artgen.fit` and the tables in
docs/recipes.md, whose rows are the docstrings.
"""

from __future__ import annotations

import builtins
import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from artgen.recipe.table import Table

REQUIRED = object()
"""The default of a key that every table has to have."""

MAKE, LONG, JUDGE, WRITE = "What to make", "How long", "What to match", "What to write"
WHERE, CLIPS, CODECS = "Where to run", "Clips only", "Codecs only"

Check = Callable[[Any, Mapping[str, Any]], Any]
"""Checks or converts a value, given the ones before it in the table. Raises `Wrong`."""


class Wrong(Exception):
    """A value that a `Check` refuses, in words that follow the name of its key."""


class Flag(NamedTuple):
    """The flag of ``artgen fit`` that sets a key: its `panel`, its value in capitals and its help.

    - `type`: of the value as typed, where it is not that of the key
    - `parse`: what makes the value of a text: a function, or ``module:function`` of a layer above
    - `names`: its spellings, where it is not ``--`` and the name of the key; `own` is that of its
      parameter where another key has the key's name
    - `file`: the value is a file: ``Path``, or ``str`` where it may be another text
    - `complete`: what the shell completes it with, a name in `artgen.cli._completion`
    - `usual`: whether the short help shows it
    """

    panel: str
    metavar: str | None
    help: str
    own: str | None = None
    names: tuple[str, ...] = ()
    type: Any = None
    parse: Callable[[str], Any] | str | None = None
    file: Any = None
    complete: str | None = None
    low: float | None = None
    high: float | None = None
    usual: bool = False

    @property
    def typed(self) -> Any:
        """The type of the value as typed; None for that of the key."""
        return self.type or self.file or (str if self.parse else None)


@dataclasses.dataclass(eq=False)
class Key:
    """A key of a table, as `key` declares it: its `field`, and its `name` in files.

    `spelled` is that name where it is another one. `owner` is the table. Values may be tables
    themselves: `table` is their class, and `many` says that there is a list of them.
    """

    default: Any
    bounds: Mapping[str, float]
    spelled: str | None
    check: Check | None
    keyword: str | Literal[True] | None
    flag: Flag | None = None
    owner: type[Table] = dataclasses.field(init=False)
    field: str = dataclasses.field(init=False)
    name: str = dataclasses.field(init=False)

    def flagged(self, panel: str, metavar: str | None, help: str, **more: Any) -> Any:
        """Declare the flag of the key; see `Flag`."""
        self.flag = Flag(panel, metavar, help, **more)
        return self

    def __set_name__(self, owner: type[Table], field: str) -> None:
        self.owner, self.field, self.name = owner, field, self.spelled or field

    @functools.cached_property
    def type(self) -> Any:
        """The type of its values."""
        owner: Any = self.owner
        return _hints_of(owner)[self.field]

    @property
    def keyword_default(self) -> str | bool | None:
        """The default of the argument of `artgen.fit`; None for numbers and tables."""
        return self.default if isinstance(self.default, str | bool) else None

    @property
    def keyword_type(self) -> str:
        """The type of the argument of `artgen.fit`, as it is spelled."""
        own = str(self.owner.__annotations__[self.field]).replace("'", '"')
        return self.keyword if isinstance(self.keyword, str) else own

    @functools.cached_property
    def table(self) -> builtins.type[Table] | None:
        """The class of the tables that are its values."""
        return next(iter(_tables(self.type)), None)

    @functools.cached_property
    def many(self) -> bool:
        """Whether its value is a list of tables."""
        return any(get_origin(each) is tuple for each in (self.type, *get_args(self.type)))

    @functools.cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """What checks the type and the bounds of a value."""
        from typing import Annotated

        from pydantic import ConfigDict, Field, TypeAdapter

        kind = self.type
        if self.table is not None:
            kind = tuple[Any, ...] if self.many else Any
            kind = kind | None if type(None) in get_args(self.type) else kind
        config = ConfigDict(strict=True, allow_inf_nan=False)
        bounds: dict[str, Any] = dict(self.bounds)
        if self.many and self.check is None:
            bounds["strict"] = False
        checked: Any = Annotated[kind, Field(**bounds)]
        return TypeAdapter(checked, config=config)


def key(
    *,
    default: Any = REQUIRED,
    name: str | None = None,
    check: Check | None = None,
    keyword: str | Literal[True] | None = None,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
    shortest: int | None = None,
    longest: int | None = None,
) -> Any:
    """Declare a key of a `Table`, whose docstring follows it: what it is, and ``Default: ...``.

    Its value is `low` or more and `high` or less, more than `above` and less than `below`; lists
    and texts have `shortest` to `longest` items. `name` is its name in files, if another than that
    of the field. `keyword` makes it an argument of `artgen.fit`, of that type if it is not the
    key's own. With `Key.flagged` a flag sets it.
    """
    bounds = {"ge": low, "le": high, "gt": above, "lt": below}
    bounds |= {"min_length": shortest, "max_length": longest}
    given = {bound: value for bound, value in bounds.items() if value is not None}
    return Key(default, given, name, check, keyword)


def _tables(hint: object) -> list[type[Table]]:
    found = [each for part in get_args(hint) for each in _tables(part)]
    # `Table` itself stands above this module.
    return [hint] if isinstance(hint, type) and hasattr(hint, "_declared") else found


_hints_of = functools.cache(get_type_hints)
"""The types of the attributes of a class, evaluated once."""
