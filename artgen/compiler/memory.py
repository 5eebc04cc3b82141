"""One error for running out of memory on any device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from artgen.errors import OutOfMemory, is_out_of_memory


@contextmanager
def memory_errors(message: str, hint: str) -> Iterator[None]:
    """Raise OutOfMemory(message, hint) if Python, a CPU or a GPU runs out of memory."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(message, hint=hint) from None
