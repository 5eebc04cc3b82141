"""A lock on a file, held by one process at a time and released by the system when that ends."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock

_UNKNOWN = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
"""Errors of file systems that know no locks."""


class FileLock:
    """Not held at first; `acquire` does not wait."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held: BaseFileLock | None = None

    def acquire(self) -> bool:
        """Take the lock; whether nobody else holds it.

        Where the file system knows no locks it always counts as taken by us. Raises OSError where
        the file cannot be created.
        """
        import filelock

        lock = filelock.FileLock(
            self.path, blocking=False, thread_local=False, fallback_to_soft=False
        )
        try:
            lock.acquire()
        except filelock.Timeout:
            return False
        except OSError as error:
            if error.errno not in _UNKNOWN:
                raise
        self._held = lock
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
        if self._held is not None:
            self._held.release()
            self._held = None
