"""The settings of a benchmark."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Settings"]

ROOT = Path(__file__).parents[1]
"""The folder in which `python -m benchmarks` works."""


@dataclass(frozen=True)
class Settings:
    """`quick` is for seconds on tiny scenes, `long` for `fits`, `genetic` and `scale`.

    `data` is a folder of pictures.

    With `cpu`, budgets of `fits` and `fields` are CPU seconds of one thread.
    `devices` are compared by `footprints`, `scaling`, `fits` and `fields`; with several of them,
    these fit less. With `serial`, `scaling` measures its tables of many threads alone.
    """

    quick: bool = False
    long: bool = False
    cpu: bool = False
    serial: bool = False
    data: Path | None = None
    devices: tuple[str, ...] = ("cpu",)
