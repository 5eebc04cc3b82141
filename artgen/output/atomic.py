"""Atomic writes: files are written under a temporary name, then moved to the final one.

After a failure (an exception, Ctrl-C, a full disk) an earlier file is unchanged, and no temporary
file is left. A pipe or device stays what it is: it gets the bytes once all of them are there.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from artgen.base.errors import OutputError, writing


@contextmanager
def atomic_path(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary name in the folder of `path`, which is renamed to `path` on success.

    The caller writes a file of that name inside the ``with`` block. `durable` makes the file
    survive a power cut, which costs milliseconds. An exception removes the temporary file; an
    OSError is raised as OutputError. For a pipe or device, the temporary file is elsewhere.
    """
    # Cut a long stem, so that the temporary name is not too long where the final one is not.
    partial = path.with_name(f".{path.stem[:40]}.part-{secrets.token_hex(4)}{path.suffix}")
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if is_stream(path):
            partial = Path(tempfile.gettempdir(), partial.name)
        yield partial
        if durable:
            _sync(partial)
        put(partial, path)
        if durable:
            # Not every file system can sync a folder; the file itself is safe by now.
            with suppress(OSError):
                _sync(path.parent)
    except OSError as error:
        raise _output_error(path, error) from error
    finally:
        with suppress(OSError):
            partial.unlink()


def atomic_write(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write `data` to `path`, whole or not at all. Raises OutputError."""
    with atomic_path(path, durable=durable) as partial:
        partial.write_bytes(data)


def write_together(files: Mapping[Path, bytes]) -> None:
    """Write files by their paths, and move none to its place before all are complete.

    Folders that are missing are created, and removed where it fails. Raises OutputError.
    """
    missing = {each for path in files for each in path.parents if not each.exists()}
    try:
        with ExitStack() as moved:
            for path, data in files.items():
                with writing(f"cannot create {path.parent}"):
                    path.parent.mkdir(parents=True, exist_ok=True)
                partial = moved.enter_context(atomic_path(path))
                partial.write_bytes(data)
                # Here, for a disk may say only now that it is full.
                _sync(partial)
    except BaseException:
        for folder in sorted(missing, reverse=True):
            with suppress(OSError):
                folder.rmdir()
        raise


def put(complete: Path, path: Path) -> None:
    """Move a complete file to `path`; a pipe or device is written into. Raises OSError."""
    if is_stream(path):
        with complete.open("rb") as data, open(path, "wb", opener=at_once) as stream:
            shutil.copyfileobj(data, stream)
    else:
        os.replace(complete, path)


def is_stream(path: Path) -> bool:
    """Whether something is at `path` that is neither a file nor a folder: a pipe, a device."""
    return path.exists() and not (path.is_file() or path.is_dir())


def at_once(path: str, flags: int) -> int:
    """Open a file for writing; a pipe that nobody reads is an OSError, not a wait.

    It is an `opener` of Python's `open`.
    """
    if not hasattr(os, "O_NONBLOCK"):
        return os.open(path, flags, 0o666)
    descriptor = os.open(path, flags | os.O_NONBLOCK, 0o666)
    os.set_blocking(descriptor, True)
    return descriptor


def probe_folder(path: Path) -> None:
    """Create the folder `path` if it is missing, and check that files can be written to it.

    Raises OutputError, so that a run fails before its first step rather than after its last.
    """
    probe = path / f".artgen-probe-{secrets.token_hex(4)}"
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"artgen")
    except OSError as error:
        raise _output_error(path, error) from error
    finally:
        with suppress(OSError):
            probe.unlink()


def _sync(path: Path) -> None:
    """Wait until a file or folder has reached the disk."""
    # Windows syncs only writable handles, Unix opens folders only for reading.
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _output_error(path: Path, error: OSError) -> OutputError:
    if path.is_relative_to(tempfile.gettempdir()) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "free some space there, or let TMPDIR name a folder on another disk"
        return OutputError(f"cannot write {path}: {error.strerror}", hint=hint)
    return OutputError.of(f"cannot write {path}", error)
