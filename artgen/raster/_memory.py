"""Every device's way of running out of memory, as one error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from artgen.errors import OutOfMemory

__all__ = ["memory_errors"]

_PHRASES = ("out of memory", "allocate memory", "not enough memory")


@contextmanager
def memory_errors(message: str, hint: str) -> Iterator[None]:
    """Raise OutOfMemory(message, hint) where Python, a CPU or a GPU has no memory left."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        # Torch raises a plain RuntimeError where the CPU's memory is used up.
        if isinstance(error, RuntimeError) and not any(word in str(error) for word in _PHRASES):
            raise
        raise OutOfMemory(message, hint=hint) from None
