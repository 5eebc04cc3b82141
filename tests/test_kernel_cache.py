"""The cache of kernels: hits, privacy, damage, other processes."""

from __future__ import annotations

import gc
import os
import stat
import subprocess
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers import PYTHON

import artgen
from artgen.base.waiting import listening
from artgen.cli._progress import Story
from artgen.compiler import kernel_cache, threads
from artgen.events import Evaluated, Notice
from artgen.registry import Registry

SOURCE = """
import numba as nb

@nb.njit((nb.int64,), cache=True)
def plus(x):
    return x + {number}
"""

COMPILING = "compiling kernels of artgen"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache that nothing was loaded from."""
    monkeypatch.setenv("ARTGEN_CACHE", str(tmp_path / "cache"))
    forget(monkeypatch)
    return tmp_path / "cache" / "kernels"


def forget(monkeypatch):
    monkeypatch.setattr(kernel_cache, "_loaded", {})


def load(number=1):
    """The kernel, checked; and whether it had to be compiled."""
    plus = kernel_cache.load(SOURCE.format(number=number)).plus
    assert plus(41) == 41 + number
    return bool(plus.stats.cache_misses)


def files(folder, pattern="*"):
    return sorted(path for path in folder.rglob(pattern) if path.is_file())


def test_kernels_are_compiled_once(cache, monkeypatch):
    assert load()
    before = {path: path.stat().st_mtime_ns for path in files(cache)}
    forget(monkeypatch)
    assert not load()
    assert {path: path.stat().st_mtime_ns for path in files(cache)} == before


def test_within_a_process_a_source_is_loaded_once(cache):
    source = SOURCE.format(number=1)
    assert kernel_cache.load(source) is kernel_cache.load(source)


def test_a_compilation_is_reported_before_it_begins(cache, monkeypatch):
    said = []
    with listening(lambda report: said.append((report, files(cache)))):
        assert load(1)
        forget(monkeypatch)
        assert not load(1)
    [(report, before)] = said
    assert before == []
    assert (report.what, report.kind) == (COMPILING, "compiling")


def test_a_run_says_that_it_compiles(cache, capsys):
    def compiled(image, target, weight):
        load()
        return (image - target).square().mean()

    said = []
    tell = Story(Registry(environ={}), print)
    blank = np.zeros((8, 8, 3), np.uint8)
    fit = partial(artgen.fit, blank, "gaussian", count=2, steps=3, backend="eager", loss=compiled)
    fit(observe=lambda event: said.append(event) or tell(event))
    notes = [event for event in said if isinstance(event, Notice)]
    assert [(event.message, event.level) for event in notes] == [
        (f"{COMPILING}, which is done once", "note")
    ]
    assert not any(isinstance(event, Evaluated) for event in said[: said.index(notes[0])])
    assert f"note: {COMPILING}, which is done once\n" in capsys.readouterr().out


def test_garbage_is_collected_rarely_while_kernels_are_compiled(cache):
    given: list[int] = []
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    try:
        kernel_cache.load("import gc\ngiven.append(gc.get_threshold()[0])", given)
        assert given[0] > 10_000
        assert gc.get_threshold() == (700, 10, 10)
    finally:
        gc.set_threshold(*before)


def test_every_source_has_a_folder_of_its_own(cache):
    assert load(1)
    assert load(2)
    assert len(list(cache.iterdir())) == 2


def test_the_folder_is_private(cache):
    old = os.umask(0)
    try:
        load()
    finally:
        os.umask(old)
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


def test_a_folder_that_was_open_is_closed(cache):
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    load()
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


def test_the_folder_of_somebody_else_is_not_trusted(cache, monkeypatch):
    cache.mkdir(parents=True)
    monkeypatch.setattr(os, "getuid", lambda: cache.stat().st_uid + 1, raising=False)
    assert load(5)
    assert files(cache) == []


def test_without_a_place_to_write_kernels_are_compiled_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("ARTGEN_CACHE", str(tmp_path / "file"))
    forget(monkeypatch)
    assert load(3)


def test_a_full_disk_does_not_matter(cache, monkeypatch):
    write = Path.write_text

    def full(path, *arguments, **keywords):
        if cache in path.parents:
            raise OSError(28, "No space left on device")
        return write(path, *arguments, **keywords)

    monkeypatch.setattr(Path, "write_text", full)
    assert load(4)


@pytest.mark.parametrize("pattern", ["*.nbi", "*.nbc"])
@pytest.mark.parametrize("damage", [b"", b"\0 what is this?"])
def test_damage_is_repaired(cache, monkeypatch, pattern, damage):
    load()
    (path,) = files(cache, pattern)
    path.write_bytes(damage)
    forget(monkeypatch)
    assert load()
    forget(monkeypatch)
    assert not load()


@pytest.mark.parametrize("damage", ["", "def plus(x): return 0"])
def test_a_source_that_was_changed_is_written_again(cache, monkeypatch, damage):
    load()
    (path,) = files(cache, "kernels.py")
    path.write_text(damage)
    forget(monkeypatch)
    load()
    assert path.read_text() == SOURCE.format(number=1)


def test_what_does_not_compile_raises(cache):
    with pytest.raises(NameError, match="nonsense"):
        kernel_cache.load("nonsense")


def test_several_processes_at_once(cache):
    code = (
        "import sys\n"
        "from artgen.compiler import kernel_cache\n"
        "module = kernel_cache.load(sys.argv[1])\n"
        "print(module.plus(1), sum(module.plus.stats.cache_misses.values()))\n"
    )
    command = [*PYTHON, "-c", code, SOURCE.format(number=1)]
    together = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[0].split() for process in together]
    # One compiles, the other waits for it.
    assert sorted(said) == [["2", "0"], ["2", "1"]]
    assert not load()


def test_another_process_compiles_ahead(cache, monkeypatch):
    monkeypatch.setattr(threads, "thread_count", lambda: 2)
    begun = note_processes(monkeypatch)
    kernel_cache.compile_ahead(SOURCE.format(number=1), SOURCE.format(number=2))
    [process] = begun
    assert process.wait() == 0
    assert not load(1)
    assert not load(2)
    kernel_cache.compile_ahead(SOURCE.format(number=1))
    assert begun == [process]


def test_what_another_process_cannot_compile_is_compiled_here(cache, monkeypatch):
    monkeypatch.setattr(threads, "thread_count", lambda: 2)
    begun = note_processes(monkeypatch)
    kernel_cache.compile_ahead("import nothing_of_this_name", SOURCE.format(number=1))
    [process] = begun
    assert process.wait() != 0
    assert load(1)


def test_one_thread_compiles_nothing_ahead(cache, monkeypatch):
    monkeypatch.setattr(threads, "thread_count", lambda: 1)
    begun = note_processes(monkeypatch)
    kernel_cache.compile_ahead(SOURCE.format(number=1))
    assert begun == []


def note_processes(monkeypatch):
    """The processes that the cache begins."""
    begun = []

    class Noted(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            begun.append(self)

    monkeypatch.setattr(kernel_cache.subprocess, "Popen", Noted)
    return begun


def test_kernels_are_compiled_again_when_a_module_that_they_import_changes(cache, monkeypatch):
    source = "from artgen.families.shape.span_kernels import cover\n"
    read = kernel_cache.read_kernels
    first = kernel_cache.load(source)
    # Read through one import more: `span_kernels` imports `jit`.
    edited = {"compiler.jit": read("compiler.jit") + "# edited\n"}
    monkeypatch.setattr(kernel_cache, "read_kernels", lambda name: edited.get(name) or read(name))
    assert kernel_cache.load(source) is not first
