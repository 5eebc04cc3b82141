"""The cache of kernels: each source in a folder of its own, with the machine code of numba.

Numba caches functions of files only, so a source is written under its hash and imported. The hash
covers the modules of artgen that the source imports, whose functions are compiled into it. The
folder is writable by the user alone, because its contents are executed.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import numba

from artgen.base.cache import cache_folder
from artgen.base.lock import FileLock
from artgen.base.process import collecting_rarely
from artgen.base.waiting import report

_IMPORT = re.compile(r"^from artgen\.(\S+) import", re.MULTILINE)

_loading = threading.Lock()
_loaded: dict[str, ModuleType] = {}


@functools.cache
def read_kernels(*modules: str) -> str:
    """Return the joined text of modules below `artgen`, such as ``raster.common_kernels``."""
    files = (Path(__file__).parents[1].joinpath(*module.split(".")) for module in modules)
    return "\n\n".join(file.with_suffix(".py").read_text(encoding="utf-8") for file in files)


def _texts(source: str, seen: set[str]) -> Iterator[str]:
    """Yield a source, then once each the modules of artgen that it imports, directly or not."""
    yield source
    for module in _IMPORT.findall(source):
        if module not in seen:
            seen.add(module)
            yield from _texts(read_kernels(module), seen)


def load(source: str, given: Sequence[object] = (), *, of: str = "artgen") -> ModuleType:
    """Import kernels; those that any process compiled before are read from the cache.

    `of` names what they draw or compute, for the report that they are compiled.

    The source refers to the objects of a plugin by the name `given`, and must contain a hash of the
    code that it compiles of them. Raises the errors of the compiler.
    """
    name = _name(source)
    with _loading:
        if name not in _loaded:
            _loaded[name] = _load_anywhere(name, source, given, of)
        return _loaded[name]


@functools.cache
def load_shipped(*modules: str, of: str) -> ModuleType:
    """Load the kernels of modules of artgen, which need nothing of a plugin: see `load`."""
    return load(read_kernels(*modules), of=of)


def compile_ahead(*sources: str) -> None:
    """Let another process compile what this one loads soon, if no process ever did.

    Numba compiles on one thread at a time. `load` waits for the other process where it must, and
    compiles itself what that one failed to. Nothing is done where artgen uses one thread.
    """
    from artgen.compiler.threads import thread_count  # here, since it imports torch

    folder = cache_folder("kernels")
    if folder is None or thread_count() < 2:
        return
    missing = [each for each in sources if not (folder / _name(each) / "compiled").exists()]
    if not missing:
        return
    program = f"from {__name__} import load\nfor source in {missing!r}:\n    load(source)"
    null = subprocess.DEVNULL
    with suppress(OSError):
        other = subprocess.Popen(
            [sys.executable, "-P", "-"], stdin=subprocess.PIPE, stdout=null, stderr=null
        )
        # Killed before it is waited for.
        atexit.register(other.wait)
        atexit.register(other.kill)
        assert other.stdin is not None
        with other.stdin as script:
            script.write(program.encode())


def _name(source: str) -> str:
    parts = "\0".join((*_texts(source, set()), numba.__version__))
    return f"artgen_kernels_{hashlib.sha256(parts.encode()).hexdigest()[:24]}"


def _load_anywhere(name: str, source: str, given: Sequence[object], of: str) -> ModuleType:
    """Load from the cache; rebuild damaged entries; fall back to a temporary folder."""
    folder = cache_folder("kernels")
    if folder is not None:
        for _ in range(2):
            try:
                return _load_from(folder / name, name, source, given, of)
            except Exception:
                shutil.rmtree(folder / name, ignore_errors=True)
    return _load_from(_temporary_folder() / name, name, source, given, of)


def _load_from(
    folder: Path, name: str, source: str, given: Sequence[object], of: str
) -> ModuleType:
    """Load from a folder; of several processes at once, one compiles and the others wait."""
    folder.mkdir(exist_ok=True)
    path, compiled = folder / "kernels.py", folder / "compiled"
    if _holds(path, source) and compiled.exists():
        return _execute(path, name, given)
    report(f"compiling kernels of {of}", kind="compiling")
    lock = FileLock(folder / "lock")
    while not lock.acquire():
        time.sleep(0.02)
    try:
        if not _holds(path, source):
            compiled.unlink(missing_ok=True)
            path.write_text(source, encoding="utf-8")
        with collecting_rarely():
            module = _execute(path, name, given)
        compiled.touch()
        return module
    finally:
        lock.release()


def _holds(path: Path, source: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == source


def _execute(path: Path, name: str, given: Sequence[object]) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    # Numba looks up what it cached by the name of the module, while that is being executed.
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    vars(module)["given"] = given
    spec.loader.exec_module(module)
    return module


@functools.cache
def _temporary_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="artgen-kernels-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
