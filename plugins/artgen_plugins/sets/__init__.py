"""Sets of pictures: IDX files as those of MNIST, `.npz` archives, and folders.

Files are hostile until proven otherwise: sizes are read in headers, and checked, before anything is
decompressed.
"""

from __future__ import annotations

import os
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from artgen.errors import printable, read_regular
from artgen.targets import (
    DEFAULT_REQUEST,
    PixelBudget,
    SetTarget,
    TargetRequest,
    file_safe,
    set_from_arrays,
)
from artgen_plugins.sets.folder import read_folder
from artgen_plugins.sets.idx import IDX_IMAGES, IDX_TRAINING, read_idx
from artgen_plugins.sets.npz import read_npz


def open_image_set(
    path: str | os.PathLike[str], request: TargetRequest = DEFAULT_REQUEST
) -> SetTarget:
    """Open a set: an IDX file of pictures, plain or gzipped, an `.npz`, or a folder.

    - IDX: labels are taken from the file beside it with `labels-idx1` in its name, and the test
      pictures from that with `t10k` or `test` in place of `train`.
    - `.npz`: arrays `images` or `x_train` and `x_test`, and `labels` or `y_train` and `y_test`.
    - folder: IDX files, or picture files; those of a subfolder `test` are to be judged on, and the
      names of (other) subfolders are classes.

    Where nothing says which pictures are to be judged on, it is one of six, always the same. A
    `request.size` is the longer side of the pictures. Raises InputError naming the file and the
    reason.
    """
    place = Path(path)
    where = printable(os.fspath(path)) or "the empty path"
    budget = PixelBudget(request.max_pixels, where)
    if place.is_dir():
        found = sorted(place.glob(f"{IDX_TRAINING}{IDX_IMAGES}*"))
        parts = read_idx(found[0], budget) if found else read_folder(place, request, budget)
    else:
        read = read_npz if place.suffix.lower() == ".npz" else read_idx
        parts = read(place, budget)
    base = place.name or place.resolve().name
    (training, labels), test = parts
    test_images, test_labels = test or (None, None)
    target = set_from_arrays(
        training,
        labels,
        request,
        where,
        test_images=test_images,
        test_labels=test_labels,
        source=printable(base),
        sha256=None if place.is_dir() else sha256(read_regular(place, where)).hexdigest(),
    )
    return replace(target, name=file_safe(base.removesuffix(".gz").removesuffix(".npz")))
