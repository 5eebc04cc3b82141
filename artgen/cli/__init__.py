"""The command line. One module per command; each imports what it needs when it is called."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: that of the process) and return the exit code."""
    try:
        # The import takes long enough for Ctrl-C to come.
        from artgen.cli._main import main as run

        return run(argv)
    except KeyboardInterrupt:
        return 130
