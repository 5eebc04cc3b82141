"""Standard streams that never stop work: they take every name, and outlive a closed pipe.

All that artgen prints passes here. Control characters in it come from recipes, files, servers and
plugins, so that a terminal shows them and obeys none; what rich draws goes to `as_it_is`.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from artgen.base.errors import visible

if TYPE_CHECKING:
    from rich.console import Console

_GONE = (errno.EPIPE, errno.EIO)
"""The reader of a pipe, or the terminal, went away: it has seen all that it wanted."""


class GuardedStream(io.TextIOWrapper):
    """A stream without control characters, that keeps its first failure instead of raising it.

    Then it discards everything.
    """

    failure: OSError | None = None

    def write(self, text: str) -> int:
        return self.write_as_it_is(visible(text))

    def write_as_it_is(self, text: str) -> int:
        """Write control characters too."""
        try:
            return super().write(text)
        except OSError as error:
            self._fail(error)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.failure = self.failure or error
        # What is still in the buffer goes there too, as Python writes it again at exit.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


class _AsItIs:
    """A guarded stream that takes control characters."""

    def __init__(self, stream: GuardedStream) -> None:
        self._stream, self.write = stream, stream.write_as_it_is

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def as_it_is(stream: TextIO) -> TextIO:
    """Return a stream for texts of artgen's own, such as those that erase a line."""
    return _AsItIs(stream) if isinstance(stream, GuardedStream) else stream  # type: ignore[return-value]


def terminal(stream: TextIO, **options: Any) -> Console:
    """Make a console of rich, which alone adds control characters to what it shows."""
    from rich import console
    from rich.segment import Segment

    class Console(console.Console):
        """A console whose texts hold no control characters."""

        def render(self, *given: Any) -> Any:
            for text, style, control in super().render(*given):
                yield Segment(text if control else visible(text), style, control)

    return Console(file=as_it_is(stream), **options)


def guard_streams() -> None:
    """Replace stdout and stderr, unless they are another program's or a test's."""
    codecs.register_error("artgen.escape", _escape)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the shell; its number must not become that of a file
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif type(stream) is io.TextIOWrapper and stream is getattr(sys, f"__{name}__"):
            guarded = GuardedStream(
                stream.buffer,
                encoding=stream.encoding,
                errors="artgen.escape",
                line_buffering=name == "stderr" or stream.isatty(),
            )
            setattr(sys, name, guarded)


def lost_output() -> OSError | None:
    """Why data for stdout could not be written, where somebody still waits for them."""
    failure = getattr(sys.stdout, "failure", None)
    return None if failure is None or failure.errno in _GONE else failure


def _escape(error: UnicodeError) -> tuple[str | bytes, int]:
    """Bytes of file names as they are; characters that the encoding lacks as escapes."""
    try:
        # On Windows, no encoding can represent such bytes.
        return codecs.lookup_error("strict" if os.name == "nt" else "surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)
