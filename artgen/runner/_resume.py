"""A resumed run follows its stored recipe; what the user says again must agree with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from artgen._files import file_hash
from artgen.errors import UsageError
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.resolve import load_primitive
from artgen.targets import Target


def check_agreement(
    stored: Recipe, asked: Recipe, registry: Registry, target: Target | None = None
) -> None:
    """Raise UsageError for the first value asked for that the stored recipe contradicts.

    ``auto`` agrees with everything, and so do `time`, which became `steps`, and `target_bytes`,
    which became a count. A number of colours agrees with a palette of at most so many, the count of
    a codec with the option that it became. `target` is a target in memory.
    """
    data, given = stored.to_dict(), asked.requested()
    given.pop("schema", None)
    for table, values in given.items():
        if table == "stage":
            _check_stages(values, data["stage"])
        elif isinstance(values, dict):
            values.pop("target_bytes", None)
            found = dict(data.get(table) or {})
            if "count" in values and "count" not in found:
                # That of a codec became an option.
                found["count"] = found.get(load_primitive(stored, registry).size_option or "")
            _check(values, found)
        else:
            _check({table: values}, data)
    _check_picture(stored, given.get("target") or {}, target)


def _check_stages(asked: Any, stored: list[dict[str, Any]]) -> None:
    if len(asked) != len(stored):
        raise _differs("number of stages", len(asked), len(stored))
    for number, (mine, theirs) in enumerate(zip(asked, stored, strict=True), 1):
        prefix = f"stage {number}: " if len(asked) > 1 else ""
        # Together with `time`, `steps` is only an upper bound.
        became = {"time", "steps"} if "time" in mine else set()
        _check({k: v for k, v in mine.items() if k not in became}, theirs, prefix)


def _check(asked: dict[str, Any], stored: dict[str, Any], prefix: str = "") -> None:
    for key, value in asked.items():
        found = stored.get(key)
        if value is None or value == "auto" or _plain(value) == _plain(found):
            continue
        if key == "palette" and isinstance(value, int) and found and len(found) <= value:
            continue
        raise _differs(f"{prefix}{key}", value, found)


def _check_picture(stored: Recipe, asked: dict[str, Any], target: Target | None) -> None:
    """The name of a target may stay while what is behind it changes."""
    path = Path(str(asked.get("source", "")))
    sha256 = stored.target.sha256
    changed = path.is_file() and file_hash(path, "target") != sha256
    if changed or (target is not None and target.sha256 != sha256):
        raise UsageError(
            f"the run to resume has another target under the name {stored.target.source!r}",
            hint="leave the target out, or start again with --overwrite",
        )


def _plain(value: Any) -> Any:
    """Files by their name, names without the distribution in front of them."""
    if isinstance(value, dict) and "name" in value:
        value = value["name"]
    if isinstance(value, str):
        return value.replace("\\", "/").removeprefix("frames:").rstrip("/").rpartition("/")[2]
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _differs(key: str, asked: Any, stored: Any) -> UsageError:
    return UsageError(
        f"the run to resume has {key} = {stored!r}, not {asked!r}",
        hint="leave the option out, or start again with --overwrite",
    )
