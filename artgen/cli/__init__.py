"""The command line. One module per command; each imports what it needs when it is called."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: that of the process) and return the exit code."""
    codes: list[int] = []
    if argv is None:
        atexit.register(_leave, codes)  # the first one is called last
    try:
        # The import takes long enough for Ctrl-C to come.
        from artgen.base.process import begin_waiting

        begin_waiting()
        from artgen.cli._main import main as run

        codes.append(run(argv))
    except KeyboardInterrupt:
        from artgen.base.errors import Interrupted
        from artgen.cli._console import print_failure

        as_json = "--json" in (sys.argv if argv is None else argv)
        codes.append(print_failure(Interrupted("interrupted"), as_json=as_json))
    return codes[0]


def _leave(codes: Sequence[int]) -> None:
    """End the process, whose command returned.

    Python would take apart a million objects of torch and of compilers first, while the user waits.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    if codes:
        os._exit(codes[0])
