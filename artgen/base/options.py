"""Options of primitives and engines: frozen dataclasses whose fields have help and bounds.

    @dataclass(frozen=True)
    class Options:
        harmonics: int = option(8, "number of harmonics of the outline", low=1, high=64)
        form: Literal["text", "notebook"] = option("notebook", "which published formula")

Values come from the command line, a recipe or Python. `parse_options` checks them and makes an
instance; its errors name the key, the reason and valid values.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import re
import typing
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from artgen.base.errors import UsageError, did_you_mean
from artgen.base.toml import parse_toml

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")
N = TypeVar("N", int, float)
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "None": "nothing",
}


def option(default: Any, help: str, *, low: float | None = None, high: float | None = None) -> Any:
    """Make a dataclass field with a one-line `help` and inclusive bounds.

    Raises ValueError for a default that is infinite or out of bounds, or a number that is NaN.
    """
    if [*not_finite(default)] or any(end is not None and math.isnan(end) for end in (low, high)):
        raise ValueError(f"option {help!r} has a number that is NaN or infinite")
    least, most = -math.inf if low is None else low, math.inf if high is None else high
    if isinstance(default, int | float) and not least <= default <= most:
        raise ValueError(f"option {help!r} is {default} by default, out of its bounds")
    return dataclasses.field(default=default, metadata={"help": help, "low": low, "high": high})


@dataclasses.dataclass(frozen=True)
class OptionInfo:
    """An option: `type` is its `hint` as `artgen plugins show` spells it, with the bounds."""

    name: str
    type: str
    default: Any
    help: str
    hint: Any
    low: float | None
    high: float | None

    @property
    def choices(self) -> tuple[Any, ...]:
        """All values of an option that is a choice or a flag; none of a number or a text."""
        if typing.get_origin(self.hint) is typing.Literal:
            return typing.get_args(self.hint)
        return (False, True) if self.hint is bool else ()


_type_hints: Any = functools.lru_cache(maxsize=256)(typing.get_type_hints)
"""They are compiled from texts, for every part of a drawing that is opened."""


@functools.cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(hint)


def converted(value: object, hint: Any) -> Any:
    """The value as one of that type, as options are read. Raises ValueError where it is none."""
    return _adapter(hint).validate_python(value)


def describe_options(options: type[Any]) -> list[OptionInfo]:
    """Describe the options of the dataclass `options`, in order of definition."""
    hints = _type_hints(options)
    return [
        OptionInfo(
            field.name,
            _spell(hints[field.name], field.metadata),
            field.default,
            field.metadata.get("help") or "",
            hints[field.name],
            field.metadata.get("low"),
            field.metadata.get("high"),
        )
        for field in dataclasses.fields(options)
    ]


def parse_options(options: type[T], values: Mapping[str, object], owner: str) -> T:
    """Make an instance of the dataclass `options` from `values`.

    Raises UsageError naming `owner` and the key for an unknown key, a wrong type or a value
    out of bounds.
    """
    from pydantic import ValidationError

    known = {option.name: option for option in describe_options(options)}
    parsed: dict[str, object] = {}

    def wrong(option: OptionInfo) -> UsageError:
        words = re.sub(r"\w+", lambda word: _WORDS.get(word[0], word[0]), option.type)
        must, value = words.replace(" | ", " or "), values[option.name]
        quoted = must == "text" and not isinstance(value, str)
        hint = f"write it in quotes: '{option.name}=\"…\"'" if quoted else option.help
        return UsageError(
            f"{owner} option {option.name} must be {must}, got {value!r}", hint=hint or None
        )

    for key, value in values.items():
        if key not in known:
            raise UsageError(f"{owner} has no option {key!r}", hint=did_you_mean(key, known))
        option = known[key]
        try:
            # Bools are ints in Python, but `harmonics=true` is a mistake.
            if isinstance(value, bool) and bool not in (option.hint, *typing.get_args(option.hint)):
                raise TypeError
            found = parsed[key] = converted(value, option.hint)
        except (ValidationError, TypeError, OverflowError):
            raise wrong(option) from None
        low = -math.inf if option.low is None else option.low
        high = math.inf if option.high is None else option.high
        outside = isinstance(found, int | float) and not low <= found <= high
        too_long = isinstance(found, int) and abs(found) >= 2**63
        if outside or too_long or [*not_finite(found)]:
            raise wrong(option)
    for each in dataclasses.fields(options):  # type: ignore[arg-type]
        if each.name not in parsed and each.default is each.default_factory is dataclasses.MISSING:
            raise UsageError(f"{owner} needs the option {each.name}", hint="it has no default")
    return options(**parsed)


def not_finite(value: object, path: str = "") -> Iterator[tuple[str, float]]:
    """Find NaN and infinity: the keys that lead to each, joined by dots, and its value."""
    if isinstance(value, Mapping | list | tuple):
        inside = value.items() if isinstance(value, Mapping) else enumerate(value, 1)
        for key, each in inside:
            yield from not_finite(each, f"{path}.{key}" if path else str(key))
    elif isinstance(value, float) and not math.isfinite(value):
        yield path, value


def number(kind: type[N], text: str) -> N:
    """Read a number in ASCII digits, where `kind` alone takes those of every script.

    Raises ValueError.
    """
    if not text.isascii():
        raise ValueError(f"{text!r} is not a number")
    return kind(text)


def numbers(text: str) -> tuple[float, ...]:
    """Read numbers with commas between them; none where one of them is something else."""
    try:
        return tuple(number(float, each) for each in text.split(","))
    except ValueError:
        return ()


def whole(text: str) -> int | None:
    """Read a whole number of at most 19 ASCII digits; None where the text is something else."""
    return int(text) if re.fullmatch("[0-9]{1,19}", text) else None


def parse_value(text: str) -> Any:
    """Parse the value after `--set KEY=`: a TOML literal, or else the bare text."""
    try:
        document = parse_toml(f"value = {text}")
    except ValueError:
        return text
    return document["value"] if len(document) == 1 else text


def _spell(hint: object, metadata: Mapping[str, object]) -> str:
    """Spell a type and its bounds: `int from 1 to 64`, `text or notebook`."""
    if typing.get_origin(hint) is typing.Literal:
        return " or ".join(str(choice) for choice in typing.get_args(hint))
    name = hint.__name__ if isinstance(hint, type) else str(hint)
    low, high = metadata.get("low"), metadata.get("high")
    if low is None:
        return name if high is None else f"{name} up to {high}"
    return f"{name} from {low}" if high is None else f"{name} from {low} to {high}"
