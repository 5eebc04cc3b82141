"""Seeds of runs, and those of their parts, derived from the one of its recipe."""

from __future__ import annotations

import secrets
from typing import Literal

_STRIDES = {
    "climb": 1,
    "stage": 7919,
    "frame": 104_729,
    "epoch": 104_729,
    "step": 15_485_863,
    "tile": 32_452_843,
}


def new_seed() -> int:
    """A seed from 0 to 2**32 - 1, for a run that names none."""
    return secrets.randbits(32)


def derived_seed(
    seed: int | None,
    part: Literal["climb", "stage", "frame", "epoch", "step", "tile"],
    number: int,
) -> int:
    """The seed of part `number` of a run with `seed`, from 0 to 2**63 - 1; number 0 has `seed`."""
    return ((seed or 0) + _STRIDES[part] * number) % 2**63
