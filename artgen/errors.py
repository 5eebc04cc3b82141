"""One exception tree; each class knows the exit code that the command line ends with.

::

    ArtgenError          1  something in artgen itself went wrong
    ├── UsageError       2  options that do not go together, an output that exists
    ├── InputError       3  a target, recipe or art file that cannot be used
    ├── PluginError      4  a plugin that is missing, broken or ambiguous
    ├── Diverged         5  the fit produced NaN or infinity and could not be recovered
    ├── OutputError      6  disk, permission, encoder
    │   └── OutOfMemory  6
    ├── GalleryError     7  a piece of a gallery failed or is not up to date
    └── Interrupted    130  stopped by the user
"""

from __future__ import annotations

import difflib
import os
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

__all__ = [
    "ArtgenError",
    "Diverged",
    "GalleryError",
    "InputError",
    "Interrupted",
    "OutOfMemory",
    "OutputError",
    "PluginError",
    "UsageError",
    "did_you_mean",
    "is_out_of_memory",
    "line_at_fault",
]

_LONGEST = 800
"""The letters of a message or of a hint."""


class ArtgenError(Exception):
    """Anything artgen raises on purpose: a message, and a hint with the next thing to try."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.message, self.hint = _shortened(message), hint and _shortened(hint)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


def _shortened(text: str) -> str:
    """Without its middle, where what was given is so long that nobody could read it."""
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]} ... {text[-half:]}"


class UsageError(ArtgenError):
    """Options that do not go together, unknown keys, an output that already exists."""

    exit_code = 2


class InputError(ArtgenError):
    """A target, recipe or art file that is missing, damaged or not what it claims to be."""

    exit_code = 3


class PluginError(ArtgenError):
    """A plugin that is missing, broken, ambiguous or refuses to work."""

    exit_code = 4


class Diverged(ArtgenError):
    """The loss or a parameter became NaN or infinite."""

    exit_code = 5


class OutputError(ArtgenError):
    """The result cannot be written: disk, permission, encoder."""

    exit_code = 6


class OutOfMemory(OutputError):
    """The fit or the drawing needs more memory than there is."""


class GalleryError(ArtgenError):
    """A piece of a gallery failed, is missing, or was made from something that changed."""

    exit_code = 7


class Interrupted(ArtgenError):
    """Stopped by the user before anything could be saved."""

    exit_code = 130


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the words nearest to `word`, or all of `known` when none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=3, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"known: {', '.join(names)}" if names else "there are none"


_NO_MEMORY = (
    *("out of memory", "allocate memory", "not enough memory", "failed to map segment"),
    "error return without exception set",
    # What oneDNN says, which torch multiplies with, whatever the reason.
    "could not create a primitive",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` is one of the many ways of Python and its libraries to run out of memory."""
    # Torch raises a plain RuntimeError, a library that cannot be loaded is an ImportError; one that
    # has no memory for its own exception leaves Python with a SystemError.
    told = isinstance(error, RuntimeError | ImportError | OSError | SystemError)
    return isinstance(error, MemoryError) or (told and any(p in str(error) for p in _NO_MEMORY))


def line_at_fault(error: BaseException) -> traceback.FrameSummary | None:
    """The innermost line on the way to `error` that is neither artgen's own nor torch's."""
    modules = [sys.modules.get(name) for name in ("artgen", "torch")]
    files = [module.__file__ for module in modules if module is not None and module.__file__]
    # With the separator, because `artgen_plugins` lies beside `artgen`.
    libraries = tuple(f"{Path(file).parent}{os.sep}" for file in files)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith(libraries):
            return frame
    return None
