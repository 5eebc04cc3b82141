"""A page on this machine that shows a run while it goes on: `artgen fit --live` and `--watch`."""

from artgen.live._server import Live, serve_page
from artgen.live._watch import SavedFiles, watch

__all__ = ["Live", "SavedFiles", "serve_page", "watch"]
