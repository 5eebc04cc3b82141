"""Folders of picture files as sets; the names of subfolders are classes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen import Canvas
from artgen.errors import InputError
from artgen.targets import (
    PICTURE_SUFFIXES,
    PixelBudget,
    TargetRequest,
    read_picture,
    resample_picture,
)
from artgen_plugins.sets.idx import Part, Parts

_FOLDER_SIDE = 64
"""Pixels of the longer side of a folder's pictures, unless another size is asked for."""

_SPLITS = "train", "test"
"""Subfolders whose names are not classes."""


def read_folder(folder: Path, request: TargetRequest, budget: PixelBudget) -> Parts:
    """The picture files in a folder and its subfolders, in the order of their names."""
    # Other systems find notes of macOS beside pictures, `._NAME` each; thumbnails are in hidden
    # folders.
    there = sorted(folder.rglob("[!.]*"))
    shown = (p for p in there if not any(n[0] == "." for n in p.relative_to(folder).parts))
    files = [path for path in shown if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file()]
    if len(files) < 2:
        raise InputError(
            f"folder {budget.where} holds {len(files) or 'no'} picture{'s' * (not files)}",
            hint=f"a set has at least two; looked for {', '.join(PICTURE_SUFFIXES)}",
        )
    if len(files) > budget.most:
        raise InputError(
            f"folder {budget.where} has more than {budget.most:,} pictures", hint="leave some out"
        )
    test = [path for path in files if path.relative_to(folder).parts[0] == "test"]
    training = [path for path in files if path.relative_to(folder).parts[0] != "test"]
    canvas = _common_canvas(files[0], request)
    if not (test and training):
        training, test = files, []
    parts = [
        _folder_part(folder, some, canvas, request, budget) for some in (training, test) if some
    ]
    if all((pictures == pictures[..., :1]).all() for pictures, _ in parts):
        parts = [(pictures[..., :1], labels) for pictures, labels in parts]
    return parts[0], parts[1] if test else None


def _folder_part(
    folder: Path, files: Iterable[Path], canvas: Canvas, request: TargetRequest, budget: PixelBudget
) -> Part:
    """Pictures in RGB, and their labels where all have one."""
    pictures, labels = [], []
    for path in files:
        budget.take(1, canvas.height, canvas.width)
        samples = read_picture(path, request.max_pixels)[1].samples
        picture = resample_picture(_cropped(samples, canvas), canvas, request.background)
        pictures.append(np.broadcast_to(picture, (*picture.shape[:2], 3)))
        inside = [part for part in path.relative_to(folder).parts[:-1] if part not in _SPLITS]
        labels.append("/".join(inside))
    return np.stack(pictures), labels if all(labels) else None


def _common_canvas(file: Path, request: TargetRequest) -> Canvas:
    """The size of all pictures: the aspect of the first, the side that is asked for."""
    samples = read_picture(file, request.max_pixels)[1].samples
    canvas = Canvas(samples.shape[1], samples.shape[0])
    return canvas.scaled(request.size or min(max(samples.shape[:2]), _FOLDER_SIDE))


def _cropped(samples: NDArray[Any], canvas: Canvas) -> NDArray[Any]:
    """The largest part in the middle that has the canvas's aspect."""
    height, width = samples.shape[:2]
    tall = min(height, max(1, round(width * canvas.height / canvas.width)))
    wide = min(width, max(1, round(height * canvas.width / canvas.height)))
    top, left = (height - tall) // 2, (width - wide) // 2
    return samples[top : top + tall, left : left + wide]
