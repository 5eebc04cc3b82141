"""IDX files of pictures and labels, as those of MNIST, plain or gzipped."""

from __future__ import annotations

import gzip
import math
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen.errors import InputError, printable, read_regular, reading
from artgen.targets import PixelBudget

Part = tuple[NDArray[Any], NDArray[Any] | list[str] | None]
Parts = tuple[Part, Part | None]

IDX_IMAGES, _IDX_LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
IDX_TRAINING, _IDX_TESTS = "train-", ("t10k-", "test-")


def read_idx(path: Path, budget: PixelBudget) -> Parts:
    """The pictures of an IDX file and those that go with it."""
    training = _idx_part(path, budget)
    if path.name.startswith(IDX_TRAINING):
        for prefix in _IDX_TESTS:
            beside = path.with_name(prefix + path.name.removeprefix(IDX_TRAINING))
            other = _either(beside)
            if other is not None:
                return training, _idx_part(other, budget)
    return training, None


def _idx_part(path: Path, budget: PixelBudget) -> Part:
    images = _idx_array(path, 3, budget)[..., None]
    beside = _either(path.with_name(path.name.replace(IDX_IMAGES, _IDX_LABELS)))
    if beside is None or beside == path:
        return images, None
    labels = _idx_array(beside, 1, budget)
    if len(labels) != len(images):
        raise InputError(
            f"{printable(path)} has {len(images)} pictures, "
            f"{printable(beside)} has {len(labels)} labels",
            hint="take both files of one set, and whole",
        )
    return images, [str(label) for label in labels.tolist()]


def _either(path: Path) -> Path | None:
    """The file, or the same one with or without `.gz`, whichever is there."""
    bare = path.with_name(path.name.removesuffix(".gz"))
    for candidate in (path, bare, bare.with_name(f"{bare.name}.gz")):
        if candidate.is_file():
            return candidate
    return None


def _idx_array(path: Path, dimensions: int, budget: PixelBudget) -> NDArray[np.uint8]:
    """The bytes of an IDX file (LeCun, Cortes and Burges), [N] or [N, height, width]."""
    where = printable(path)
    data = read_regular(path, where)
    hint = "use an IDX file of bytes, such as train-images-idx3-ubyte.gz"
    try:
        with reading(where), _plain(data) as file:
            head = file.read(4 + 4 * dimensions)
            if len(head) < 4 + 4 * dimensions or head[:4] != bytes([0, 0, 8, dimensions]):
                raise InputError(
                    f"{where} is not an IDX file of bytes with {dimensions} dimensions", hint=hint
                )
            shape = np.frombuffer(head[4:], ">u4").tolist()
            if 0 in shape:
                raise InputError(f"{where} is empty: its shape is {shape}", hint=hint)
            if dimensions == 3:
                budget.take(*shape)
            elif shape[0] > budget.most:
                raise InputError(f"{where} has more than {budget.most:,} labels", hint=hint)
            size = math.prod(shape)
            # One more than there may be, so that what is too much is noticed, not unpacked.
            content = file.read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{where} is damaged: {error}", hint="save or copy it anew") from None
    if len(content) != size:
        found = "more" if len(content) > size else f"{len(content):,}"
        raise InputError(f"{where} should hold {size:,} bytes and has {found}", hint=hint)
    return np.frombuffer(content, np.uint8).reshape(shape)


def _plain(data: bytes) -> gzip.GzipFile | BytesIO:
    """The bytes, unpacked while they are read where they are gzipped."""
    packed = data[:2] == b"\x1f\x8b"
    return gzip.GzipFile(fileobj=BytesIO(data)) if packed else BytesIO(data)
