"""artgen from Python: fits in memory, step by step, and parts of plugins made on the way."""

from __future__ import annotations

from artgen.api.calls import fit, stream
from artgen.api.memory import register
from artgen.api.streams import Stream

__all__ = ["Stream", "fit", "register", "stream"]
