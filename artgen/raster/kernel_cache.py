"""Where kernels are kept: each source in a folder of its own, next to what numba made of it.

Numba caches functions of files only, so a source is written under its hash and imported. The
folder is the user's alone, since what is in it is run. ``ARTGEN_CACHE`` moves it.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numba

__all__ = ["load"]

_loading = threading.Lock()
_loaded: dict[str, ModuleType] = {}


def load(source: str, given: Sequence[Any] = ()) -> ModuleType:
    """Import kernels; those compiled before, by any process, are read from the cache.

    The source finds objects that are not in any file of its own under the name `given`; it must
    hold a hash of what it compiles of them. Raises whatever the compiler raises.
    """
    mathematics = Path(__file__).with_name("vector_math.py").read_bytes()
    key = hashlib.sha256(source.encode() + mathematics + numba.__version__.encode()).hexdigest()
    name = f"artgen_kernels_{key[:24]}"
    with _loading:
        if name not in _loaded:
            _loaded[name] = _load_anywhere(name, source, given)
        return _loaded[name]


def _load_anywhere(name: str, source: str, given: Sequence[Any]) -> ModuleType:
    """From the cache; where that is damaged, anew; where it cannot be written, elsewhere."""
    folder = _private_folder()
    if folder is not None:
        for _ in range(2):
            try:
                return _load_from(folder / name, name, source, given)
            except Exception:
                shutil.rmtree(folder / name, ignore_errors=True)
    return _load_from(_temporary_folder() / name, name, source, given)


def _load_from(folder: Path, name: str, source: str, given: Sequence[Any]) -> ModuleType:
    folder.mkdir(exist_ok=True)
    path = folder / "kernels.py"
    if not path.exists() or path.read_text(encoding="utf-8") != source:
        # Renamed when complete: another process may be reading.
        part = folder / f"{os.getpid()}.part"
        part.write_text(source, encoding="utf-8")
        part.replace(path)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    # Numba looks up what it cached by the name of the module, while that is being executed.
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    vars(module)["given"] = given
    spec.loader.exec_module(module)
    return module


def _private_folder() -> Path | None:
    """The cache, which nobody else can write to; None where there can be none."""
    import platformdirs

    asked = os.environ.get("ARTGEN_CACHE")
    folder = (Path(asked) if asked else Path(platformdirs.user_cache_dir("artgen"))) / "kernels"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        owned = not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()
    except OSError:
        return None
    return folder if owned and os.access(folder, os.W_OK) else None


@functools.cache
def _temporary_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="artgen-kernels-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
