"""The exceptions of artgen; each class has the exit code of the command line.

::

    ArtgenError          1  an internal error of artgen
    ├── UsageError       2  options that exclude each other, an output that exists
    ├── InputError       3  a target, recipe or art file that cannot be used
    ├── PluginError      4  a plugin that is missing, broken or ambiguous
    ├── Diverged         5  the fit produced NaN or infinity and could not recover
    ├── OutputError      6  disk, permission, encoder
    │   ├── OutOfMemory  6
    │   └── DeviceLost   6
    ├── GalleryError     7  a piece of a gallery failed or is not up to date
    └── Interrupted    130  stopped by the user
"""

from __future__ import annotations

import difflib
import errno
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import ClassVar, Self

_LONGEST = 800
"""Largest number of characters in a message or hint."""

_CONTROLS = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\r(?!\n)"
)
"""Characters that a terminal obeys, or that turn the direction of a line; no tabs or ends of it."""


def visible(text: str) -> str:
    """Return a text with its control characters as escapes, such as ``\\x1b``, for a terminal."""
    return _CONTROLS.sub(lambda each: each[0].encode("unicode_escape").decode(), text)


class ArtgenError(Exception):
    """Base class of errors that artgen raises: a message, and a hint what to try next."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.message, self.hint = _readable(message), hint and _readable(hint)
        super().__init__(self.message)

    def advise(self, hint: str) -> Self:
        """Add to the hint, and return the error."""
        self.hint = _readable(f"{self.hint}; {hint}" if self.hint else hint)
        return self

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


def _readable(text: str) -> str:
    """Cut the middle out of a text that is too long to read, and escape what is no text."""
    text, half = visible(text), _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]} ... {text[-half:]}"


class UsageError(ArtgenError):
    """Options that exclude each other, unknown keys, an output that already exists."""

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


def divergence(what: str) -> Diverged:
    """Return the error that says what is NaN or infinite, with the rate as the hint."""
    return Diverged(what, hint="lower the learning rate: --set engine.rate=0.3")


class OutputError(ArtgenError):
    """The result cannot be written: disk, permission, encoder."""

    exit_code = 6

    @classmethod
    def of(cls, what: str, error: OSError, hint: str = "choose another folder or name") -> Self:
        """Say that `what` fails, why, and what to try; `hint` is for errors that say little."""
        reason = error.strerror or str(error)
        hint = _SYSTEM_HINTS.get(error.errno or 0, hint)
        if error.errno == errno.ENOENT and error.filename and Path(error.filename).parent.is_dir():
            hint = "nothing can be created there: choose another folder"
        return cls(f"{what}: {reason}", hint=hint)


class OutOfMemory(OutputError):
    """The fit or the drawing needs more memory than is available."""


class DeviceLost(OutputError):
    """The device failed or was lost, with all that was on it."""


class GalleryError(ArtgenError):
    """A piece of a gallery failed, is missing or is out of date."""

    exit_code = 7


class Interrupted(ArtgenError):
    """Stopped by the user; the message says what was saved, if anything."""

    exit_code = 130


def ensure(holds: bool, rule: str) -> None:
    """Raise ValueError with the rule that data break, unless it holds."""
    if not holds:
        raise ValueError(rule)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint with the words most similar to `word`, or all of `known` if none is."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=3, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"known: {', '.join(names)}" if names else "there are none"


def install_hint(extra: str) -> str:
    """How to install what an extra of artgen brings, for the Python that runs it.

    The `pip` of a shell may be that of another one, which would look for an artgen of its own.
    """
    return f"{shlex.quote(sys.executable)} -m pip install 'artgen[{extra}]'"


_SYSTEM_HINTS: Mapping[int, str] = {
    errno.ENOSPC: "free some space or write to another disk",
    errno.EDQUOT: "free some space or write to another disk",
    errno.EFBIG: "write to another disk, or raise the limit that `ulimit -f` shows",
    errno.EACCES: "check the folder's permissions or write to another one",
    errno.EPERM: "check the folder's permissions or write to another one",
    errno.EROFS: "write to a folder on another disk",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EISDIR: "move that folder away or choose another name",
    errno.ENOTDIR: "a part of the path is a file: choose another folder",
    errno.EEXIST: "a part of the path is a file: choose another folder",
    errno.ENOENT: "create the folder first or write to another one",
    errno.ENXIO: "nobody reads that pipe: start the reader first",
}


_TYPES = {
    "boolean": "true or false",
    "dictionary": "a table",
    "integer": "a whole number",
    "list": "a list",
    "number": "a number",
    "string": "text",
    "tuple": "a list",
}


def explain_problem(problem: Mapping[str, object]) -> str:
    """Say what pydantic found, one of `ValidationError.errors()`: `must be text, got 3`."""
    if problem["type"] == "missing":
        return "is missing"
    message = str(problem["msg"]).removeprefix("Value error, ")
    if found := re.match(r"Input should be a valid (\w+)", message):
        message = f"must be {_TYPES.get(found[1], found[1])}"
    message, count = re.subn(r"^\w+ should|^must", "must", message)
    if not count:
        return message
    return f"{message.partition(' after validation')[0]}, got {problem['input']!r}"


_NO_MEMORY = (
    *("out of memory", "allocate memory", "not enough memory", "failed to map segment"),
    *("can't start new thread", "error return without exception set"),
    # The message of oneDNN, which torch uses for products, for any failure.
    "could not create a primitive",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether Python or one of its libraries ran out of memory."""
    # Libraries have exceptions of their own, torch raises a plain RuntimeError, a library that
    # cannot be loaded an ImportError, and one without memory for an exception a SystemError.
    if isinstance(error, ArtgenError):
        return False
    return isinstance(error, MemoryError) or any(phrase in str(error) for phrase in _NO_MEMORY)


MOST_BYTES = 4 << 30
"""What the options of a run may ask for at once, so that a machine of 8 GiB can bear them."""


def check_memory(needed: float, what: str, hint: str) -> None:
    """Raise UsageError if `what` needs so many bytes that a system without limits would end us."""
    if needed > MOST_BYTES:
        most, asked = f"{MOST_BYTES >> 30} GiB of memory", f"{needed / (1 << 30):,.0f}"
        raise UsageError(f"{what} would take more than {most}: about {asked}", hint=hint)


@contextmanager
def writing(what: str) -> Iterator[None]:
    """Raise `OutputError.of` with `what` where the system refuses."""
    try:
        yield
    except OSError as error:
        raise OutputError.of(what, error) from None


@contextmanager
def memory_errors(message: str, hint: str) -> Iterator[None]:
    """Raise OutOfMemory(message, hint) if Python, a library or a GPU runs out of memory."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(message, hint=hint) from None


def reading(where: str) -> AbstractContextManager[None]:
    """Raise OutOfMemory if memory runs out while the file `where` is read.

    It goes inside of handlers that blame the file for errors of decoders.
    """
    return memory_errors(
        f"there is not enough memory to read {where}", "use a smaller file, or free some memory"
    )
