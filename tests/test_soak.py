"""Every promise in its small size, and that its trial notices a bug: see `python -m soak`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from artgen.base.errors import ArtgenError
from artgen.cli._console import describe
from soak import compatibility, fuzz, outside, security
from soak._promise import AREAS, Promise, Tally, choose, every_promise, short
from soak._readers import READERS, good_files
from soak._runs import start

posix = pytest.mark.skipif(sys.platform == "win32", reason="forks processes")
each_promise = pytest.mark.parametrize("promise", every_promise(), ids=lambda promise: promise.name)


def _tried(tally: Tally) -> None:
    """Skip the test, and say why, where there was nothing to try a promise with."""
    if not tally.cases:
        assert tally.skips
        pytest.skip(f"not tried: {', '.join(tally.skips)}")


@posix
@each_promise
def test_a_promise_is_kept(promise: Promise):
    tally = promise.check(small=True)
    assert tally.failures == []
    _tried(tally)


@posix
@pytest.mark.nightly
@pytest.mark.parametrize(
    ("promise", "piece"),
    [
        pytest.param(promise, piece, id=f"{promise.name}-{short(piece)}")
        for promise in every_promise()
        if promise.small_pieces
        for piece in promise.pieces
        if piece not in promise.small_pieces
    ],
)
def test_the_other_pieces_of_a_promise_are_kept(promise: Promise, piece: str):
    tally = promise.check(small=True, piece=piece)
    assert tally.failures == []
    _tried(tally)


# The trials themselves are tried every time; that they would notice a bug, for one or more of most areas.
LONG_BUGS = {"after-the-fit", "any-command", "gallery-inside", "kills-of-commands", "live-ends"}
LONG_BUGS |= {"long-runs", "no-room", "not-finite", "nothing-given-away", "other-filesystem"}
LONG_BUGS |= {"other-targets", "peak-memory", "stopped", "two-at-once"}
"""Those that take seconds each to be noticed."""


@posix
@pytest.mark.parametrize(
    "promise",
    [
        pytest.param(each, id=each.name, marks=[pytest.mark.nightly] * (each.name in LONG_BUGS))
        for each in every_promise()
    ],
)
def test_a_bug_is_noticed(promise: Promise):
    # A bug that cannot be made any more would fail in every process, which is no notice of it.
    with promise.bug():
        process = start(os.getpid)
        process.join()
    assert process.exitcode == 0
    tally = promise.check_with_bug()
    if not tally.failures:
        _tried(tally)
        pytest.fail(f"{tally.cases} cases did not notice the bug")


@pytest.mark.parametrize("name", READERS)
def test_what_reads_reads_its_examples_and_refuses_half_of_them(name: str, tmp_path: Path):
    reader = READERS[name]
    path = tmp_path / f"file{reader.suffix}"
    refused = 0
    for data in good_files()[name]:
        path.write_bytes(data)
        assert reader.read(path) is not None
        path.write_bytes(data[: len(data) // 2])
        try:
            reader.read(path)
        except ArtgenError:
            refused += 1
    # Half of a font still has its first letters.
    assert refused or name in ("expression", "font", "log", "table")


@pytest.mark.parametrize(
    ("name", "decoder"),
    [
        ("PNG", "PIL.ImageFile.ImageFile.load"),
        ("JPEG", "PIL.ImageOps.exif_transpose"),
        ("BMP", "PIL.Image.Image.convert"),
        ("table", "csv.reader"),
        ("set as IDX", "artgen_plugins.sets.idx._plain"),
        ("set as npz", "numpy.lib.format.read_array"),
        ("recipe in a picture", "zlib.crc32"),
        ("recipe in a video", "av.open"),
        ("recipe in an animation", "PIL.Image.open"),
        ("art", "safetensors.safe_open"),
        ("video", "av.open"),
        ("WebM", "av.VideoFrame.to_ndarray"),
        ("checkpoint", "safetensors.safe_open"),
    ],
)
@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("can't allocate memory")], ids=["python", "torch"]
)
def test_a_reader_without_memory_does_not_blame_the_file(
    name: str, decoder: str, error: Exception, tmp_path: Path, monkeypatch
):
    reader = READERS[name]
    path = tmp_path / f"file{reader.suffix}"
    path.write_bytes(good_files()[name][0])

    def fail(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(decoder, fail)
    with pytest.raises((ArtgenError, MemoryError, RuntimeError)) as raised:
        reader.read(path)
    described = describe(raised.value)
    assert described["exit_code"] == 6
    assert "not enough memory" in described["message"]


@posix
def test_the_page_shows_the_results():
    from soak import _results

    page = _results.PAGE.read_text(encoding="utf-8")
    assert _results.shown(page, _results.read()) == page


@posix
def test_results_are_kept_row_by_row(tmp_path, monkeypatch):
    from soak import _results

    monkeypatch.setattr(_results, "FILE", tmp_path / "results.json")
    monkeypatch.setattr(_results, "PAGE", tmp_path / "page.md")
    _results.PAGE.write_text(f"before\n{_results.BEGIN}\na former table\n{_results.END}\nafter\n")
    (kills, gradient), (_, batches) = choose(["kills"])[:2]
    row = _results.Row(30, 1, ("x" * 999,), (), {}, 2, "2026-01-02", "0.1.0")
    _results.record(kills, gradient, row)
    _results.record(kills, batches, _results.Row(9, 0, (), (), {}, None, "2026-01-01", "0.1.0"))
    rows = _results.read()
    assert rows["kills:gradient"].cases == 30
    assert len(rows["kills:gradient"].failures[0]) < 999
    page = _results.PAGE.read_text()
    assert page.startswith("before\n")
    assert page.endswith("after\n")
    assert "a former table" not in page
    assert "| 39 | 1 | 2 | 2026-01-01, 0.1.0 |" in page
    assert "Not tested: climb, climb, then gradient, genetic" in page


@posix
def test_a_killed_run_that_starts_anew_is_not_resumed(tmp_path, monkeypatch):
    killed = tmp_path / "0.4.0" / "killed-triangle.run"
    shutil.copytree(compatibility.FOLDER / "0.4.0" / killed.name, killed)
    (killed / "checkpoint.safetensors").unlink()
    monkeypatch.setattr(compatibility, "FOLDER", tmp_path)
    compatibility.old_checkpoints(tally := Tally(), True)
    assert tally.failures == ["0.4.0/killed-triangle: its checkpoint is not used"]


def test_a_fuzzer_that_tries_no_file_fails(tmp_path):
    (tmp_path / "printed.txt").write_text("")
    fuzz._count(tally := Tally(), "table", tmp_path, 0)
    assert tally.failures == ["table: no file was tried"]


@posix
def test_a_command_that_refuses_everything_keeps_no_promise(monkeypatch):
    run = outside.run
    monkeypatch.setattr(
        outside, "run", lambda line, folder: run(line, folder) if "it" in line else (2, "no")
    )
    outside.numbers(numbers := Tally(), True)
    assert len(numbers.failures) == numbers.cases
    monkeypatch.setattr(security, "run", lambda line, folder: (2, "no"))
    security.outputs_give_nothing_away(outputs := Tally(), True)
    assert "gaussian.mp4: it is not written" in outputs.failures


def test_words_choose_what_is_tried():
    assert {promise.name for promise, _ in choose(["disk"])} >= {"no-room", "two-at-once"}
    assert [piece for _, piece in choose(["fuzz:set-as-idx"])] == ["set as IDX"]
    assert [promise.name for promise, _ in choose(["disk:no-room", "disk:no-room"])] == ["no-room"]
    assert len(choose(["fuzz"], small=True)) == 1 < len(choose(["fuzz"]))
    assert {promise.name for promise, _ in choose([])} == {p.name for p in every_promise(AREAS)}
    with pytest.raises(ValueError, match="no fuzz:nothing"):
        choose(["fuzz:nothing"])


def test_a_trial_that_breaks_is_a_failure_and_no_end(capsys):
    from soak.__main__ import _tried

    def broken(tally, small):
        raise KeyError("x")

    promise = every_promise(["disk"])[0]
    row = _tried(Promise("a", "b", "c", broken, promise.bug, "d"), "", True)
    assert row.failed
    assert "KeyError" in row.failures[0]
