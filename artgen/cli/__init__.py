"""The command line. One module per command; each imports what it needs when it is called."""

from __future__ import annotations

from artgen.cli._main import main

__all__ = ["main"]
