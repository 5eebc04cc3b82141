"""Find, hash, read and pack files. Files of others must be regular and of a limited size."""

from __future__ import annotations

import difflib
import itertools
import os
import re
import shlex
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.base.errors import InputError, reading

if TYPE_CHECKING:
    from torch import Tensor

LARGEST = 2**30

PICTURES = ("PNG", "JPEG", "WEBP", "AVIF", "TIFF", "GIF", "BMP", "ICO")
"""The formats of pictures that are read. Pillow knows others, of which EPS runs a program."""

_USES = {
    ".art": (
        "drawing",
        "draw it with `artgen render {0}`, or start from it with `artgen fit --init {0}`",
    ),
    ".svg": ("shapes", "start from its shapes with `artgen fit -p triangle --init {0}`"),
    ".jsonl": ("log", "plot it with `artgen plot {0}`"),
    ".py": ("plugin", "use it with --plugin {0}"),
    **dict.fromkeys(
        (".tsv", ".txt", ".xlsx"),
        ("table", "save it as .csv: x,y in each line is a curve, and x,y,label are points"),
    ),
    **dict.fromkeys((".json", ".toml"), ("recipe", "use it with `artgen fit --recipe {0}`")),
    **dict.fromkeys(
        (".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".mp4", ".png", ".tif", ".tiff", ".webp"),
        ("picture", "fit it with `artgen fit {0}`"),
    ),
}
"""What files are, and what they are for, by their suffixes."""


class Damaged(Exception):
    """A file is not what its suffix claims; the message says why."""


_UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"


def printable(path: str | os.PathLike[str]) -> str:
    """Return `path` on one line of valid Unicode, whatever bytes the file system holds."""
    return "".join(c if c.isprintable() else _UNPRINTABLE for c in os.fspath(path))


def check_regular(path: str | os.PathLike[str], where: str) -> int:
    """Return the size of a regular file in bytes. Raises InputError naming `where`, or OSError.

    Anything else is refused: opening a pipe could wait for ever, and a device may have no end.
    """
    status = os.stat(path)
    if stat.S_ISDIR(status.st_mode):
        raise InputError(f"{where} is a folder", hint="name a file in it")
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{where} is a pipe, socket or device", hint="save it as a file first")
    return status.st_size


def open_regular(
    path: str | os.PathLike[str], where: str, largest: int | None = None, *, empty: bool = False
) -> BufferedReader:
    """Open a regular file of at most `largest` bytes for reading.

    An empty file is refused unless `empty`. Raises InputError naming `where`.
    """
    with input_errors(where):
        size = check_regular(path, where)
        if largest is not None and size > largest:
            limit = f"{largest >> 30} GiB" if largest >= LARGEST else f"{largest >> 20} MiB"
            raise InputError(f"{where} is larger than {limit}", hint="save a smaller copy")
        if not (size or empty):
            raise InputError(f"{where} is empty", hint="save or copy it anew")
        return Path(path).open("rb")


def read_regular(
    path: str | os.PathLike[str], where: str, largest: int = LARGEST, *, empty: bool = False
) -> bytes:
    """Read a regular file, with the limits of `open_regular`. Raises InputError naming `where`."""
    with input_errors(where), open_regular(path, where, largest, empty=empty) as file:
        return file.read()


def check_art(file: Path) -> None:
    """Raise InputError where `file` is not there, or does not begin as an .art file does.

    A drawing may also be a .json file, which is looked at when it is read.
    """
    if not os.path.isfile(file):  # which a name that is too long is not either
        reason = "is not a file" if os.path.exists(file) else "does not exist"
        raise InputError(f"{file} {reason}", hint="an .art file is written by artgen fit")
    if file.suffix.lower() == ".json":
        return
    with input_errors(str(file)), file.open("rb") as data:
        # The length of a header, which is a JSON object.
        begins = data.read(9)
    if begins[8:] != b"{":
        hint = use_of(file, "copy it again, or fit it again", expected="drawing")
        if (beside := file.with_suffix(".art")) != file and beside.is_file():
            hint = f"the drawing is in {beside}"
        raise InputError(f"{file} is not an .art file, or it is damaged", hint=hint)


def file_in(name: str, search: Iterable[Path]) -> Path | None:
    """The file `name` in the first folder of `search` that has one, if any."""
    return next((each / name for each in search if name and os.path.isfile(each / name)), None)


def _shown_as(path: Path) -> list[Path]:
    """The files beside `path` whose names are printed as its name."""
    try:
        return sorted(each for each in path.parent.iterdir() if printable(each.name) == path.name)
    except OSError:
        return []


def _similar_names(candidates: Sequence[Path]) -> list[str]:
    """The files that are there and have names most like `candidates`, which are not."""
    for path in candidates:
        with suppress(OSError, ValueError):
            names = itertools.islice(os.listdir(path.parent), _LISTED)
            if near := difflib.get_close_matches(path.name, names, n=2, cutoff=0.75):
                return [str(path.with_name(name)) for name in near]
    return []


_LISTED = 1000
"""The names of a folder that are compared with one that is misspelled."""

Stamp = tuple[int, int, int]
"""What changes with every save of a file: its time, its size and its number on the disk."""


def stamp_of(path: Path) -> Stamp | None:
    """The stamp of a file; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def use_of(file: str | os.PathLike[str], otherwise: str, *, expected: str | None = None) -> str:
    """What a file is for, by its suffix, as a hint; `otherwise` for others and for `expected` ones.

    Either may hold ``{0}``, which becomes the name of the file.
    """
    kind, use = _USES.get(Path(file).suffix.lower(), (expected, otherwise))
    return (otherwise if kind == expected else use).format(shlex.quote(os.fspath(file)))


def find_file(name: str, sha256: str | None, search: Sequence[Path], what: str) -> Path:
    """Return the first file `name` in the folders `search` that has the given hash (None: any).

    An absolute path is used as it is. Raises InputError if there is no such file, or none with that
    hash; `what` names the file in messages.
    """
    if not name:
        raise InputError(f"the name of the {what} is empty", hint="name a file or folder")
    path = Path(name)
    candidates = [path] if path.is_absolute() else [folder / path for folder in search]
    # A name that is too long is that of no file.
    found = [candidate for candidate in candidates if os.path.exists(candidate)]
    if not found and _UNPRINTABLE in path.name:
        # A recipe holds the name as it is shown, such as that of a screenshot of macOS.
        found = [file for each in candidates for file in _shown_as(each)]
    if not found:
        places = ", ".join(dict.fromkeys(str(folder.absolute()) for folder in search))
        hint = "check the path" if path.is_absolute() else f"looked in {places}"
        moved = what == "target" and sha256 is not None and not path.is_absolute()
        if moved:
            elsewhere = shlex.quote(f"FOLDER/{name}")
            hint += f"; if it lies elsewhere: artgen fit {elsewhere}, and the same flags"
        if what == "focus" and not path.suffix:
            hint = "write auto, faces, none, a circle such as 0.5,0.3,0.1, or a file"
        if what == "target" and len(name.split()) > 2 and not path.suffix:
            hint = (
                """name a picture; words are a loss: blank:512x512 --loss 'text:"a cat"@WEIGHTS'"""
            )
        if what == "picture" and not path.suffix:
            hint += """; a text stands in double quotes: --loss 'text:"a cat"@WEIGHTS'"""
        if what == "target" and (curve := re.fullmatch(r"\s*y\s*=\s*(.+)", name, re.S)):
            hint = f'a curve is "curve:{curve[1]}?from=-5&to=5", with -p mlp'
        elif any(map(os.path.islink, candidates)):
            hint = "it is a symbolic link to what is not there"
        elif not moved and (near := _similar_names(candidates)):
            hint = f"did you mean {' or '.join(near)}?"
        raise InputError(f"{what} {name} does not exist", hint=hint)
    for candidate in found:
        if sha256 is None or not candidate.is_file() or file_hash(candidate, what) == sha256:
            return candidate
    raise InputError(
        f"{what} {found[0]} is not the file the recipe was made with: its SHA-256 differs",
        hint=f"give the {what} on the command line to use it anyway",
    )


def numbered(name: str, is_taken: Callable[[str], bool], mark: str = "_") -> str:
    """Return the first of `name`, `name_2`, `name_3` and so on that is not taken."""
    others = (f"{name}{mark}{number}" for number in itertools.count(2))
    return next(each for each in itertools.chain([name], others) if not is_taken(each))


def tensors_to_bytes(tensors: dict[str, Tensor], header: str) -> bytes:
    """Return a safetensors file whose metadata hold the JSON text `header`. Raises MemoryError."""
    from safetensors.torch import save

    try:
        return save(tensors, metadata={"artgen": header})
    except BaseException as error:
        # Its Rust panics, which is no Exception, where Python has no memory for the bytes.
        if type(error).__name__ != "PanicException":
            raise
        raise MemoryError(f"out of memory: {error}") from None


def file_hash(path: Path, what: str = "") -> str:
    """Return the SHA-256 of a regular file as hexadecimal digits.

    Raises InputError, with `what` before the path.
    """
    import hashlib  # it loads OpenSSL, which takes as long as a table of flags

    where = f"{what} {printable(path)}".strip()
    with input_errors(where), open_regular(path, where, empty=True) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def input_errors(where: str) -> Iterator[None]:
    """Raise InputError naming `where` if it cannot be read, OutOfMemory if it is too large."""
    try:
        with reading(where):
            yield
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "check the path and its permissions"
        raise InputError(f"cannot read {where}: {reason}", hint=hint) from None
    except ValueError as error:
        raise InputError(f"{where} is not a file name: {error}") from None
