"""A lock on a file, held by one process at a time and released by the system when that ends."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

_TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


class FileLock:
    """Not held at first; `acquire` does not wait."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock; whether nobody else holds it.

        Where the file system knows no locks it always counts as taken by us. Raises OSError where
        the file cannot be created.
        """
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(descriptor)
        except OSError as error:
            if error.errno in _TAKEN:
                os.close(descriptor)
                return False
        self._descriptor = descriptor
        return True

    def is_held_elsewhere(self) -> bool:
        """Whether another process, or another lock of this one, holds it."""
        try:
            held = self.path.exists() and not self.acquire()
        except OSError:
            return False
        self.release()
        return held

    def release(self) -> None:
        """Let others have it; nothing where it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
