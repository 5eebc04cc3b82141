"""Every device's way of running out of memory, as one error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from artgen.errors import OutOfMemory, is_out_of_memory

__all__ = ["memory_errors"]


@contextmanager
def memory_errors(message: str, hint: str) -> Iterator[None]:
    """Raise OutOfMemory(message, hint) where Python, a CPU or a GPU has no memory left."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(message, hint=hint) from None
