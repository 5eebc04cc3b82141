"""The contact sheet of a comparison: all results beside the target, with maps of their errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from artgen.compare._rows import Row
from artgen.output import WORST, Pixels, contact_sheet, embers, error_map

_NARROWEST = 320
"""Smaller pictures are enlarged by a whole factor, so that captions find room."""
_LONGEST = 760
_DARK = (14, 14, 16)


def draw_sheet(name: str, goal: Pixels | None, shown: Sequence[tuple[Row, Pixels]]) -> Pixels:
    """All results beside the target, each over the map of its errors; same bytes, same line."""
    lines: dict[int | None, list[tuple[Pixels, str]]] = {}
    for row, pixels in shown:
        cell = pixels if goal is None else _stacked(pixels, error_map(pixels, goal))
        lines.setdefault(row.limit, []).append((_enlarged(cell), _caption(row)))
    first: list[tuple[Pixels, str]] = []
    if goal is not None:
        height, width = goal.shape[:2]
        caption = f"{name}\n{width}x{height}\nerrors: 0 to {WORST} of 255 and more"
        first = [(_enlarged(_stacked(goal, _scale(height, width))), caption)]
    if len(lines) == 1:
        return contact_sheet([*first, *next(iter(lines.values()))], longest=_LONGEST)
    columns = len(first) + max(map(len, lines.values()))
    blank = (np.full((1, 1, 3), _DARK, np.uint8), "")
    cells = []
    for line in lines.values():
        cells += [*first, *line, *[blank] * (columns - len(first) - len(line))]
    return contact_sheet(cells, columns=columns, longest=_LONGEST)


def _caption(row: Row) -> str:
    name = row.contestant
    if row.quality is not None:
        name += f", quality {row.quality}"
    elif row.error is not None:
        name += f", {row.stopped_by}"
    metrics = [
        None if row.psnr is None else f"{row.psnr:.2f} dB",
        None if row.ssim is None else f"SSIM {row.ssim:.3f}",
        None if row.ms_ssim is None else f"MS-SSIM {row.ms_ssim:.3f}",
        None if row.flip is None else f"FLIP {row.flip:.3f}",
        None if row.mse is None else f"mse {row.mse:.3g}",
        None if row.rank is None else f"as rank {row.rank}",
    ]
    cost = [
        f"{row.bytes:,} bytes" if row.floats is None else f"{row.floats:,} floats per picture",
        None if row.bpp is None else f"{row.bpp:.2f} bpp",
        None if row.seconds is None else f"{row.seconds:.1f} s",
    ]
    return "\n".join([name, *(" · ".join(filter(None, part)) for part in (metrics, cost))])


def _scale(height: int, width: int) -> Pixels:
    """The key to the colours of the error maps, at the size of one: a strip from 0 to 1."""
    picture = np.full((height, width, 3), _DARK, np.uint8)
    strip = max(1, height // 24)
    picture[-strip:] = embers(np.linspace(0, 1, width)[None])
    return picture


def _stacked(above: Pixels, below: Pixels) -> Pixels:
    gap = np.full((max(1, above.shape[1] // 64), above.shape[1], 3), _DARK, np.uint8)
    return np.concatenate([above, gap, below])


def _enlarged(picture: Pixels) -> Pixels:
    # Slivers would take gigabytes.
    factor = min(-(-_NARROWEST // picture.shape[1]), max(1, 4 * _LONGEST // len(picture)))
    return picture.repeat(factor, 0).repeat(factor, 1)
