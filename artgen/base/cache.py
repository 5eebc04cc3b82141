"""Folders of the cache, which are private: what lies in them is believed, or executed."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(name: str) -> Path | None:
    """Return a folder of the cache, writable by its owner alone; None if it cannot be created.

    ``ARTGEN_CACHE`` moves the cache.
    """
    import platformdirs

    asked = os.environ.get("ARTGEN_CACHE")
    folder = (Path(asked) if asked else Path(platformdirs.user_cache_dir("artgen"))) / name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        owned = not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()
    except OSError:
        return None
    return folder if owned and os.access(folder, os.W_OK) else None
