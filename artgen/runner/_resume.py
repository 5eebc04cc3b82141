"""A resumed run follows its stored recipe; what the user says again must agree with it."""

from __future__ import annotations

from typing import Any

from artgen.errors import UsageError
from artgen.recipe import Recipe

__all__ = ["check_agreement"]


def check_agreement(stored: Recipe, given: dict[str, Any]) -> None:
    """Raise UsageError for the first of the `given` values that the stored recipe contradicts.

    `given` has the form of a recipe and holds only what was asked for; ``auto`` agrees with
    everything, and so does `time`, which became `steps`.
    """
    data = stored.to_dict()
    for table, asked in given.items():
        if table == "stage":
            if len(asked) != len(data["stage"]):
                raise _differs("engine", len(asked), len(data["stage"]))
            for number, (mine, theirs) in enumerate(zip(asked, data["stage"], strict=True), 1):
                prefix = f"stage {number}: " if len(asked) > 1 else ""
                _check({k: v for k, v in mine.items() if k != "time"}, theirs, prefix)
        elif isinstance(asked, dict):
            _check(asked, data.get(table) or {}, "")
        else:
            _check({table: asked}, data, "")


def _check(asked: dict[str, Any], stored: dict[str, Any], prefix: str) -> None:
    for key, value in asked.items():
        found = stored.get(key)
        if value is None or value == "auto" or _plain(value) == _plain(found):
            continue
        raise _differs(f"{prefix}{key}", value, found)


def _plain(value: Any) -> Any:
    """Files by their name, names without the distribution in front of them."""
    if isinstance(value, dict) and "name" in value:
        value = value["name"]
    if isinstance(value, str):
        return value.replace("\\", "/").rpartition("/")[2]
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _differs(key: str, asked: Any, stored: Any) -> UsageError:
    return UsageError(
        f"the run to resume has {key} = {stored!r}, not {asked!r}",
        hint="leave the option out, or start again with --overwrite",
    )
