"""Sets of pictures: IDX files as those of MNIST, `.npz` archives, folders, arrays.

A set is split into pictures to learn from and pictures to be judged on. All are brought to one
size, gray or RGB. Files are hostile until proven otherwise: sizes are read in headers, and checked,
before anything is decompressed.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from artgen.canvas import Canvas
from artgen.errors import InputError, UsageError
from artgen.subject import ImageSet
from artgen.targets._source import file_safe, printable
from artgen.targets.image import DEFAULT_REQUEST, TargetRequest

__all__ = ["SetTarget", "is_image_set", "open_image_set", "set_from_arrays"]

MOST_PICTURES = 200_000
_MOST_CLASSES = 64
_FOLDER_SIDE = 64
"""Pixels of the longer side of a folder's pictures, unless another size is asked for."""

_TEST_SHARE = 1 / 6
_KEPT, _KEPT_VALUES = 200, 2_000_000
"""So many test pictures, and values of pixels, belong to a drawing at most."""
_SHEET = 10, 4
"""Columns and rows of a sheet where classes do not say otherwise."""

_SPLITS = "train", "test"
"""Subfolders of these names are no classes."""

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp")
_IDX_IMAGES, _IDX_LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
_IDX_TRAINING, _IDX_TESTS = "train-", ("t10k-", "test-")

Pictures = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SetTarget:
    """A set of pictures, ready for codecs.

    `training` and `test` are uint8 [N, height, width, 1 or 3] with their classes, int64 [N], -1
    where none are known. `source` and `sha256` are those of `ImageTarget`; `canvas` is the size of
    the sheet that shows a fit.
    """

    name: str
    source: str
    sha256: str
    subject: ImageSet
    training: Pictures
    training_labels: Labels
    test: Pictures
    test_labels: Labels
    warnings: tuple[str, ...] = ()

    @property
    def canvas(self) -> Canvas:
        """The size of the sheet."""
        return self.subject.sheet

    @property
    def size(self) -> int:
        """The longer side of a picture, in pixels."""
        return int(max(self.test.shape[1:3]))

    @property
    def weight(self) -> None:
        """None: all pixels count the same."""


def is_image_set(path: Path) -> bool:
    """Whether a target at this path is a set, by what it is called: a folder, IDX or `.npz`."""
    return path.is_dir() or path.suffix.lower() == ".npz" or _IDX_IMAGES in path.name


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
    limit = _Limit(request.max_pixels, where)
    file: Path | None = None
    if place.is_dir():
        found = sorted(place.glob(f"{_IDX_TRAINING}{_IDX_IMAGES}*"))
        parts = _read_idx(found[0], limit) if found else _read_folder(place, request, limit)
    elif place.suffix.lower() == ".npz":
        file, parts = place, _read_npz(place, limit)
    else:
        file, parts = place, _read_idx(place, limit)
    sha256 = None if file is None else hashlib.sha256(file.read_bytes()).hexdigest()
    base = place.name or place.resolve().name
    return _make(
        parts, request, name=_stem(base), source=printable(base), sha256=sha256, where=where
    )


def set_from_arrays(
    images: ArrayLike,
    labels: ArrayLike | None = None,
    request: TargetRequest = DEFAULT_REQUEST,
    name: str = "set",
    *,
    test_images: ArrayLike | None = None,
    test_labels: ArrayLike | None = None,
    source: str | None = None,
    sha256: str | None = None,
) -> SetTarget:
    """Make a target of pictures [N, height, width] or [N, height, width, 1 or 3].

    They are uint8, or floats in 0 to 1; `labels` [N] are numbers or texts. Without `test_images`
    one of six is kept to be judged on. `source` is the name by which the set can be opened again,
    if any. Raises InputError naming `name`.
    """
    limit = _Limit(request.max_pixels, name)
    training = _part(images, labels, limit)
    test = None if test_images is None else _part(test_images, test_labels, limit)
    return _make(
        (training, test), request, name=name, source=source or name, sha256=sha256, where=name
    )


# ---- from pictures and labels to a target --------------------------------------------------------

_Part = tuple[Pictures, list[str] | None]
_Parts = tuple[_Part, _Part | None]


class _Limit:
    """Counts pixels and pictures, and refuses too many of them."""

    def __init__(self, pixels: int, where: str) -> None:
        self.pixels, self.left, self.where = pixels, pixels, where
        self.pictures = 0

    def take(self, count: int, height: int, width: int) -> None:
        """Allow for so many pictures. Raises InputError."""
        self.left -= count * height * width
        self.pictures += count
        if self.left < 0:
            raise InputError(
                f"{self.where} has more than {self.pixels:,} pixels in all",
                hint="use fewer or smaller pictures, or raise max_pixels if you trust it",
            )
        if self.pictures > MOST_PICTURES:
            raise InputError(
                f"{self.where} has more than {MOST_PICTURES:,} pictures", hint="leave some out"
            )


def _make(
    parts: _Parts, request: TargetRequest, *, name: str, source: str, sha256: str | None, where: str
) -> SetTarget:
    """Split, name the classes, and choose the pictures that belong to a drawing."""
    if request.mask is not None or request.alpha_weight:
        raise UsageError(
            f"{source} is a set of pictures, so it has neither a mask nor an alpha",
            hint="leave out --mask and --alpha-weight",
        )
    training, test = parts
    if test is None:
        training, test = _split(training, where)
    images = [_scaled(part[0], request.size) for part in (training, test)]
    if images[0].shape[1:] != images[1].shape[1:]:
        raise InputError(f"{where} has test pictures of another size than the others")
    texts = (training[1] or []) + (test[1] or [])
    known = training[1] is not None and test[1] is not None
    classes = sorted(set(texts), key=_in_order) if known else []
    if len(classes) > _MOST_CLASSES:
        raise InputError(
            f"{where} has {len(classes)} different labels", hint=f"at most {_MOST_CLASSES}"
        )
    numbers = {text: number for number, text in enumerate(classes)}
    labels = [
        np.array([numbers.get(text, -1) for text in part[1] or [""] * len(part[0])], np.int64)
        for part in (training, test)
    ]
    subject = _chosen(images[1], labels[1], tuple(classes), len(images[0]))
    return SetTarget(
        name=file_safe(name),
        source=source,
        sha256=sha256 or _hash(*images, *labels),
        subject=subject,
        training=images[0],
        training_labels=labels[0],
        test=images[1],
        test_labels=labels[1],
    )


def _chosen(
    pictures: Pictures, labels: Labels, classes: tuple[str, ...], training: int
) -> ImageSet:
    """The first test pictures, the classes taking turns, and a sheet of some of them."""
    kept = max(1, min(_KEPT, len(pictures), _KEPT_VALUES // math.prod(pictures.shape[1:])))
    order = np.arange(len(pictures))
    columns, rows = _SHEET
    if classes:
        turn = np.zeros(len(labels), np.int64)
        for label in range(len(classes)):
            mine = labels == label
            turn[mine] = np.arange(mine.sum())
        order = np.lexsort((labels, turn))
        columns = len(classes) if 4 <= len(classes) <= 16 else columns
    order = order[:kept]
    columns = min(columns, kept)
    rows = max(1, min(rows, kept // columns))
    return ImageSet(pictures[order], labels[order], classes, training, columns, rows)


def _split(part: _Part, where: str) -> tuple[_Part, _Part]:
    """Some to learn from, and one of six to be judged on, always the same."""
    pictures, labels = part
    count = len(pictures)
    if count < 2:
        raise InputError(f"{where} holds {count} picture", hint="a set has at least two")
    order = np.random.default_rng(0).permutation(count)
    tested = max(1, round(_TEST_SHARE * count))

    def some(numbers: NDArray[np.int64]) -> _Part:
        numbers = np.sort(numbers)
        return pictures[numbers], None if labels is None else [labels[n] for n in numbers]

    return some(order[tested:]), some(order[:tested])


def _scaled(pictures: Pictures, size: int | None) -> Pictures:
    """The pictures with a long side of `size` pixels."""
    height, width = pictures.shape[1:3]
    if size is None or max(height, width) == size:
        return np.ascontiguousarray(pictures)
    canvas = Canvas(width, height).scaled(size)
    return np.stack([_resampled(picture, canvas, (0.0, 0.0, 0.0)) for picture in pictures])


def _resampled(
    samples: NDArray[Any], canvas: Canvas, background: tuple[float, float, float]
) -> Pictures:
    """A picture [h, w, 1 to 4] at the size of the canvas, gray where it was."""
    from artgen.targets import _fit

    colour = _fit.over_background(*_fit.resample(samples, canvas), background)
    pixels = np.rint(colour * 255).astype(np.uint8)
    return pixels[:, :, :1] if samples.shape[2] == 1 else pixels


def _part(images: ArrayLike, labels: ArrayLike | None, limit: _Limit) -> _Part:
    """Arrays as pictures and labels. Raises InputError."""
    where = limit.where
    try:
        array = np.asarray(images)
    except (TypeError, ValueError) as error:
        raise InputError(f"{where} is not an array of pictures: {error}") from None
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[3] not in (1, 3) or 0 in array.shape:
        raise InputError(
            f"{where} has the shape {np.shape(images)}, which is not that of a set",
            hint="it takes [N, height, width] or [N, height, width, 1 or 3]",
        )
    limit.take(*array.shape[:3])
    if array.dtype.kind == "f":
        # The comparison is false for NaN.
        if not (array.min() >= 0 and array.max() <= 1):
            raise InputError(f"{where} has floats outside of 0 to 1", hint="divide by white")
        # One by one, since the floats of all of them may be many.
        array = np.stack([np.rint(picture * 255).astype(np.uint8) for picture in array])
    if array.dtype != np.uint8:
        raise InputError(
            f"{where} has pixels of type {array.dtype}", hint="it takes uint8, or floats in 0 to 1"
        )
    if labels is None:
        return array, None
    flat = np.asarray(labels).ravel()
    if len(flat) != len(array):
        raise InputError(f"{where} has {len(array)} pictures and {len(flat)} labels")
    return array, [str(label) for label in flat.tolist()]


def _in_order(label: str) -> tuple[float, str]:
    """Numbers by their value, then texts."""
    number = float(label) if label.isdecimal() else math.inf
    return number, label


def _stem(base: str) -> str:
    return base.removesuffix(".gz").removesuffix(".npz")


def _hash(*arrays: NDArray[Any]) -> str:
    """The SHA-256 of arrays, the same on machines of either byte order."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape} ".encode())
        digest.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()


# ---- IDX -----------------------------------------------------------------------------------------


def _read_idx(path: Path, limit: _Limit) -> _Parts:
    """The pictures of an IDX file and those that go with it."""
    training = _idx_part(path, limit)
    if path.name.startswith(_IDX_TRAINING):
        for prefix in _IDX_TESTS:
            beside = path.with_name(prefix + path.name.removeprefix(_IDX_TRAINING))
            other = _either(beside)
            if other is not None:
                return training, _idx_part(other, limit)
    return training, None


def _idx_part(path: Path, limit: _Limit) -> _Part:
    images = _idx_array(path, 3, limit)[..., None]
    beside = _either(path.with_name(path.name.replace(_IDX_IMAGES, _IDX_LABELS)))
    if beside is None or beside == path:
        return images, None
    labels = _idx_array(beside, 1, limit)
    if len(labels) != len(images):
        raise InputError(
            f"{printable(str(path))} has {len(images)} pictures, "
            f"{printable(str(beside))} has {len(labels)} labels"
        )
    return images, [str(label) for label in labels.tolist()]


def _either(path: Path) -> Path | None:
    """The file, or the same one with or without `.gz`, whichever is there."""
    bare = path.with_name(path.name.removesuffix(".gz"))
    for candidate in (path, bare, bare.with_name(f"{bare.name}.gz")):
        if candidate.is_file():
            return candidate
    return None


def _idx_array(path: Path, dimensions: int, limit: _Limit) -> NDArray[np.uint8]:
    """The bytes of an IDX file (LeCun, Cortes and Burges), [N] or [N, height, width]."""
    from artgen.targets._decode import read_bytes

    where = printable(str(path))
    data = read_bytes(str(path), where)
    hint = "an IDX file of bytes is meant, such as train-images-idx3-ubyte.gz"
    try:
        with _plain(data) as file:
            head = file.read(4 + 4 * dimensions)
            if len(head) < 4 + 4 * dimensions or head[:4] != bytes([0, 0, 8, dimensions]):
                raise InputError(
                    f"{where} is not an IDX file of bytes with {dimensions} dimensions", hint=hint
                )
            shape = [
                int.from_bytes(head[4 * n : 4 * n + 4], "big") for n in range(1, dimensions + 1)
            ]
            if 0 in shape:
                raise InputError(f"{where} is empty: its shape is {shape}", hint=hint)
            if dimensions == 3:
                limit.take(*shape)
            elif shape[0] > MOST_PICTURES:
                raise InputError(f"{where} has more than {MOST_PICTURES:,} labels", hint=hint)
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


# ---- archives ------------------------------------------------------------------------------------

_NAMES = {
    "training": ("images", "x_train", "train_images", "x"),
    "training_labels": ("labels", "y_train", "train_labels", "y"),
    "test": ("test_images", "x_test"),
    "test_labels": ("test_labels", "y_test"),
}


def _read_npz(path: Path, limit: _Limit) -> _Parts:
    """The arrays of an `.npz` by the names they usually have."""
    from artgen.targets._decode import read_bytes

    where = limit.where
    data = read_bytes(str(path), where)
    arrays: dict[str, NDArray[Any]] = {}
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            there = set(archive.namelist())
            for role, names in _NAMES.items():
                found = next((name for name in names if f"{name}.npy" in there), None)
                if found is not None:
                    arrays[role] = _npy(archive, f"{found}.npy", limit)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # on damaged archives zipfile and numpy raise nearly anything
        reason = str(error) or type(error).__name__
        raise InputError(
            f"{where} is damaged: {reason[:200]}", hint="save it with numpy.savez"
        ) from None
    if "training" not in arrays:
        raise InputError(
            f"{where} holds no pictures", hint=f"call them {' or '.join(_NAMES['training'])}"
        )
    training = _part(arrays["training"], arrays.get("training_labels"), limit)
    if "test" not in arrays:
        return training, None
    return training, _part(arrays["test"], arrays.get("test_labels"), limit)


def _npy(archive: zipfile.ZipFile, name: str, limit: _Limit) -> NDArray[Any]:
    """An array, once its header says that it is no larger than allowed."""
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read = np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        # Floats of pictures in colour take most, and no axis is longer than there are numbers.
        largest = 24 * limit.pixels
        size = math.prod(shape) * max(1, dtype.itemsize)
        if dtype.hasobject or size > largest or max(shape, default=0) > largest:
            raise InputError(
                f"{limit.where}: {name} has the shape {shape} and the type {dtype}",
                hint=f"at most {limit.pixels:,} pixels, as uint8 or floats",
            )
    with archive.open(name) as file:
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))


# ---- folders -------------------------------------------------------------------------------------


def _read_folder(folder: Path, request: TargetRequest, limit: _Limit) -> _Parts:
    """The picture files in a folder and its subfolders, in the order of their names."""
    files = sorted(
        path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file()
    )
    if len(files) < 2:
        raise InputError(
            f"folder {limit.where} holds {len(files) or 'no'} picture{'s' * (not files)}",
            hint=f"a set has at least two; looked for {', '.join(_SUFFIXES)}",
        )
    if len(files) > MOST_PICTURES:
        raise InputError(f"folder {limit.where} has more than {MOST_PICTURES:,} pictures")
    test = [path for path in files if path.relative_to(folder).parts[0] == "test"]
    training = [path for path in files if path.relative_to(folder).parts[0] != "test"]
    canvas = _common_canvas(files[0], request)
    if not (test and training):
        training, test = files, []
    parts = [
        _folder_part(folder, some, canvas, request, limit) for some in (training, test) if some
    ]
    if all((pictures == pictures[..., :1]).all() for pictures, _ in parts):
        parts = [(pictures[..., :1], labels) for pictures, labels in parts]
    return parts[0], parts[1] if test else None


def _folder_part(
    folder: Path,
    files: Iterable[Path],
    canvas: Canvas,
    request: TargetRequest,
    limit: _Limit,
) -> _Part:
    """Pictures in RGB, and their labels where all have one."""
    from artgen.targets._decode import decode_file, read_bytes

    pictures, labels = [], []
    for path in files:
        where = printable(str(path))
        limit.take(1, canvas.height, canvas.width)
        samples = decode_file(read_bytes(str(path), where), request.max_pixels, where).samples
        picture = _resampled(_cropped(samples, canvas), canvas, request.background)
        pictures.append(np.broadcast_to(picture, (*picture.shape[:2], 3)))
        inside = [part for part in path.relative_to(folder).parts[:-1] if part not in _SPLITS]
        labels.append("/".join(inside))
    return np.stack(pictures), labels if all(labels) else None


def _common_canvas(file: Path, request: TargetRequest) -> Canvas:
    """The size of all pictures: the aspect of the first, the side that is asked for."""
    from artgen.targets._decode import decode_file, read_bytes

    where = printable(str(file))
    samples = decode_file(read_bytes(str(file), where), request.max_pixels, where).samples
    canvas = Canvas(samples.shape[1], samples.shape[0])
    return canvas.scaled(request.size or min(max(samples.shape[:2]), _FOLDER_SIDE))


def _cropped(samples: NDArray[Any], canvas: Canvas) -> NDArray[Any]:
    """The largest part in the middle that has the canvas's aspect."""
    height, width = samples.shape[:2]
    tall = min(height, max(1, round(width * canvas.height / canvas.width)))
    wide = min(width, max(1, round(height * canvas.width / canvas.height)))
    top, left = (height - tall) // 2, (width - wide) // 2
    return samples[top : top + tall, left : left + wide]
