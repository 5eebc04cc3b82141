"""``-`` in place of a file: read from standard input, or written to standard output."""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from artgen.base.errors import InputError, writing
from artgen.base.files import LARGEST

STDIO = "-"
_KEPT = list[str]()
"""The paths of standard input as a file."""


def is_stdout(file: Path) -> bool:
    """Whether a file stands for standard output: ``-``, a PNG, or ``-.svg`` and so on."""
    return file.parent == Path() and file.stem == STDIO


def write_stdout(content: bytes) -> None:
    """Write bytes to standard output; a reader that went away has seen all that it wanted.

    Raises OutputError.
    """
    sys.stdout.flush()
    with writing("cannot write to standard output"), suppress(BrokenPipeError):
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def from_stdin(suffix: str = "") -> Path:
    """Keep standard input as a file ``stdin`` until the program ends. Raises InputError."""
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError(
            "nothing is piped into standard input", hint="give a file in place of -, or < FILE"
        )
    data = sys.stdin.buffer.read(LARGEST + 1)
    if not data or len(data) > LARGEST:
        state = f"larger than {LARGEST >> 30} GiB" if data else "empty"
        raise InputError(f"standard input is {state}", hint="check the command before the pipe")
    folder = tempfile.mkdtemp(prefix="artgen-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = Path(folder, f"stdin{suffix}")
    file.write_bytes(data)
    _KEPT.append(str(file))
    return file


def as_piped(text: str) -> str:
    """The text with standard input called so, where it has the path of its file."""
    for path in _KEPT:
        text = text.replace(path, "standard input")
    return text
