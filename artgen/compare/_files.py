"""The kind of a comparison and the files that it writes, known before torch is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from artgen.base.errors import PluginError
from artgen.compare._rows import Contestant
from artgen.output import check_output
from artgen.plan.catalogue import facts_of
from artgen.plan.names import find_primitive
from artgen.registry import Registry
from artgen.runs import claim_file
from artgen.targets import stems_of

CURVE = "curve.svg"
"""The end of the name of a plot of a target's curves."""


def of_sets(contestants: Iterable[Contestant], registry: Registry) -> bool:
    """Whether all contestants are codecs: then a folder is a set, not many targets."""
    kinds = set()
    for each in contestants:
        with suppress(PluginError):
            kinds.add(tuple(facts_of(find_primitive(each.recipe, registry))["targets"]))
    return kinds == {("set",)}


def file_of(out: Path, stem: str, end: str) -> Path:
    """Return where a file of a target is written: ``compare.png``, or of a contestant."""
    return out / f"{stem}-{end}"


def check_files(
    contestants: Sequence[Contestant],
    targets: Sequence[str],
    out: Path,
    *,
    curve: bool = False,
    overwrite: bool,
) -> None:
    """Raise UsageError where two results would be written to one file, or one exists already."""
    owners: dict[str, str] = {}
    read = [*map(Path, targets), *(each.file for each in contestants if each.file)]
    for source, stem in stems_of(targets).items():
        drawings = (f"{contestant.stem}.art" for contestant in contestants)
        for end in ("compare.png", *([CURVE] if curve else ()), *drawings):
            path = file_of(out, stem, end)
            hint = "rename one of them, or compare them one by one"
            claim_file(str(path), source, owners, hint)
            check_output(path, overwrite=overwrite, option="--out", inputs=read)
