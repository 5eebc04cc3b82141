"""A resumed run follows its stored recipe; what the user says again must agree with it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.base.errors import UsageError
from artgen.base.files import file_hash
from artgen.base.options import converted
from artgen.base.process import available_threads, is_webgpu
from artgen.plan import find_names
from artgen.recipe import MOST_STEPS, Recipe
from artgen.registry import Registry, bare_name
from artgen.runs.files.folder import RunFolder
from artgen.targets import Source, Target, TargetRequest, hex_colour, open_source, parse_colour
from artgen.values.canvas import Canvas
from artgen.values.frame import is_on_paper, paper_sides, parse_aspect, parse_pixels
from artgen.values.symmetry import unplaced

if TYPE_CHECKING:
    from artgen.primitives import Primitive

_NAMES = ("name", "engine", "loss")
"""The keys whose values may name the distribution of a plugin: `artgen/gaussian`."""

_BOUNDS = ("steps", "evaluations", "test_pictures")
"""The keys of a stage that are only upper bounds together with `time`, as `output.frames` is."""


def check_agreement(
    stored: Recipe, asked: Recipe, registry: Registry, target: Target | None = None
) -> None:
    """Raise UsageError for the first value asked for that the stored recipe contradicts.

    ``auto`` agrees with all that was chosen, and so do `time`, see `time_limit`, `alpha`, which
    became a number, and `target_bytes`, whose count is compared later unless there is a `time`. A
    number of colours agrees with a palette that has no more, the count of a codec with the option
    that it became, other options as `as_stored` says. `target` is a target in memory.
    """
    data, given = stored.to_dict(), asked.requested()
    primitive = find_names(stored, registry).primitive
    given.pop("schema", None)
    source = (given.get("target") or {}).pop("source", None)
    sought = [stage.options.get("converge") for stage in asked.stage]
    is_sought = asked.primitive.count == "auto" or any(sought)
    timed, compiled, on_cpu = is_timed(asked), primitive.always_compiled, stored.run.device == "cpu"
    for table, values in given.items():
        if table == "stage" and (option := primitive.psnr_option):
            # The PSNR to end at became an option.
            data["stage"][-1]["target_psnr"] = stored.primitive.options.get(option)
        if table in ("stage", "view"):
            _check_each(table, values, data.get(table, []), is_sought)
        elif isinstance(values, dict) and table != "init":
            agreed = {
                "parameter_bytes": True,
                # Parts without kernels for a GPU run on the CPU.
                "device": compiled or (on_cpu and is_webgpu(values.get("device") or "")),
                "backend": compiled,
                "frames": timed,
                "stretch": timed,
                # As where `target_bytes` were given.
                "target_bytes": stored.output.history == 0,
                # There is none of the steps of tiles.
                "video": stored.tiles is not None and values.get("video"),
            }
            values = {key: value for key, value in values.items() if not agreed.get(key)}
            most, count = values.get("count"), stored.primitive.count
            if is_sought and isinstance(most, int) and isinstance(count, int) and count <= most:
                del values["count"]  # the most, of which the fit found what is needed
            found = dict(data.get(table) or {})
            if "count" in values and "count" not in found:
                # That of a codec became an option.
                found["count"] = found.get(primitive.size_option or "")
            if table == "primitive":
                values = as_stored(primitive, values, stored.primitive.options)
            _check(values, found)
        else:
            _check({table: values}, data)
    _check_target(stored, source, target, registry)


def is_timed(recipe: Recipe) -> bool:
    """Whether steps, frames and the room for a number of bytes follow from a `time`."""
    return any(stage.time for stage in recipe.stage)


def time_limit(stored: Recipe, asked: Recipe, folder: RunFolder) -> float | None:
    """The seconds that a resumed run may fit now, by the `time` asked for; None: no limit.

    Its steps stay the same. A stage that has that time already, planned or not, keeps to it.
    """
    own, given = ([stage.time for stage in each.stage] for each in (stored, asked))
    if not is_timed(asked) or given == own:
        return None
    checkpoint = folder.load_checkpoint() or {}
    budget, now = checkpoint.get("progress.budget"), given[checkpoint.get("progress.stage", 0)]
    return None if budget and now and now >= budget else sum(filter(None, given))


def as_stored(
    primitive: type[Primitive], asked: Mapping[str, Any], stored: Mapping[str, Any]
) -> dict[str, Any]:
    """What was `asked` for, with options as drawings with `stored` ones hold them.

    A file is what is in it; where a number was to be chosen, such as 0 columns, it was that.
    """
    other = {key: value for key, value in asked.items() if stored.get(key, value) != value}
    with suppress(Exception):  # a file that is gone is another one
        made = primitive({**stored, **other})
        given = made.options
        with suppress(Exception):  # of another canvas than the target's
            made.resolve_options(Canvas(64, 64))
        for key in other:
            value = getattr(made.options, key)
            is_chosen = value != getattr(given, key) and not isinstance(value, str)
            other[key] = stored[key] if is_chosen else value
    return {**asked, **other}


def _check_each(what: str, asked: Any, stored: list[dict[str, Any]], is_sought: bool) -> None:
    """Compare stages, or views. Where the count `is_sought`, a stage has how to repeat the fit."""
    if len(asked) != len(stored):
        raise differs(f"number of {what}s", len(asked), len(stored))
    for number, (mine, theirs) in enumerate(zip(asked, stored, strict=True), 1):
        prefix = f"{what} {number}: " if what == "view" or len(asked) > 1 else ""
        bounds = _BOUNDS if "time" in mine else ()
        became = [key for key in bounds if mine.get(key, MOST_STEPS) >= theirs.get(key, 0)]
        if is_sought and theirs.get("converge") == 0:
            became += ["converge", "start"]
        _check({k: v for k, v in mine.items() if k not in ("time", *became)}, theirs, prefix)


def _check(asked: dict[str, Any], stored: dict[str, Any], prefix: str = "") -> None:
    for key, value in asked.items():
        # What cannot be transparent has no key.
        found = stored.get(key, False if key == "alpha" else None)
        became = (key, value) in (("alpha", True), ("focus", "faces"))
        became |= key == "crop_at" and value in ("face", "face-or-whole")
        became |= key == "aspect" and _is_paper(value, found)
        if value is None or (found is not None and (value == "auto" or became)):
            continue
        if isinstance(value, dict) and "name" in value:
            _check_file(key, value, found)
            continue
        if key == "loss_files":
            for mine, theirs in zip(value, found or [], strict=False):
                _check_file("picture", mine, theirs)
            continue
        if key in _NAMES and found is not None:
            value, found = bare_name(value), bare_name(found)
        if key == "threads" and found is not None:
            value, found = available_threads(value), available_threads(found)
        if key == "symmetry":  # a stored one says where it repeats, if there is one
            value, found = (unplaced(str(each or "none")) for each in (value, found))
        if key == "film" and found is not None:  # its file may lie in another folder
            value, found = (re.sub(r"=.*[/\\]", "=", each) for each in (value, found))
        if key == "palette" and isinstance(value, list):
            value = [*dict.fromkeys(hex_colour(parse_colour(each)) for each in value)]
        if key == "still_size" and isinstance(found, int) and is_on_paper(str(value)):
            value = parse_pixels(value, asked.get("dpi"))  # as 0.3 stored it
        if isinstance(value, str) and isinstance(found, int | float):
            with suppress(ValueError):  # `no` and `3.` are no TOML, and mean false and 3
                value = converted(value, type(found))
        fewer = key == "palette" and isinstance(value, int) and found and len(found) <= value
        if value != found and not fewer:
            raise differs(f"{prefix}{key}", value, found)


def _check_target(
    stored: Recipe, source: str | None, target: Target | None, registry: Registry
) -> None:
    """Compare what is behind the name: an expression, the bytes of a file, the pictures of a set.

    The original of a file that was copied into the folder of the run may be gone: then names count.
    """
    table = stored.target
    asked = Source.parse(source or "")
    if target is not None:
        sha256: str | None = target.sha256
    elif asked.path is not None and not (source and os.path.exists(asked.path)):
        sha256 = table.sha256
        if source and _file_name(source) != _file_name(table.source):
            raise differs("target.source", source, table.source)
    elif asked.scheme is None and os.path.isfile(asked.rest):
        sha256 = file_hash(Path(asked.rest), "target")
    else:
        request = TargetRequest(size=table.size, max_pixels=table.max_pixels)
        sha256 = open_source(asked, registry, request).sha256
    if sha256 != table.sha256:
        name = target.source if target is not None else source
        raise UsageError(
            f"the run to resume has another target than {name!r}: {table.source!r} as it was then",
            hint="leave the target out, or start again with --overwrite",
        )


def _check_file(what: str, asked: dict[str, Any], stored: dict[str, Any] | str | None) -> None:
    """Compare a mask, a drawing to start from, or a plugin: its bytes where it is still there.

    What is stored is a text where something else than a file was asked for, such as circles.
    """
    path, known = Path(asked["name"]), stored if isinstance(stored, dict) else {"name": stored}
    if _file_name(asked["name"]) != _file_name(known["name"] or ""):
        raise differs(what, asked["name"], known["name"])
    sha256 = file_hash(path, what) if path.is_file() else asked.get("sha256")
    if sha256 is not None and sha256 != known.get("sha256"):
        raise UsageError(
            f"{what} {path} has changed since the run to resume began",
            hint="leave the option out, or start again with --overwrite",
        )


def _is_paper(asked: str, stored: str | None) -> bool:
    """Whether an aspect is that of the paper asked for, in either orientation."""
    same = stored and sorted(parse_aspect(stored)) == sorted(parse_aspect(asked))
    return bool(same and paper_sides(asked))


def _file_name(source: str) -> str:
    return source.replace("\\", "/").removeprefix("frames:").rstrip("/").rpartition("/")[2]


def differs(key: str, asked: object, stored: object) -> UsageError:
    """The error for a value that contradicts the run to resume."""
    return UsageError(
        f"the run to resume has {key} = {stored!r:.99}, not {asked!r:.99}",
        hint="leave the option out, or start again with --overwrite",
    )
