"""The frames of a running fit on disk."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest
from PIL import Image

from artgen.base.errors import InputError, OutputError
from artgen.output import FrameStore, encode_png


def frame(step):
    return np.random.default_rng(step).integers(0, 256, (9, 13, 3), dtype=np.uint8)


@pytest.fixture
def store(tmp_path):
    return FrameStore(tmp_path / "frames")


def test_frames_come_back_without_loss_in_order(store, tmp_path):
    for step in (0, 12_345, 7, 1_000_000_000_000):
        store.add(step, frame(step % 1000))
    assert store.steps() == [0, 7, 12_345, 1_000_000_000_000]
    assert np.array_equal(store.read(7), frame(7))
    assert store.read(7).dtype == np.uint8
    assert (tmp_path / "frames" / "000012345.npy").is_file()


def test_the_folder_is_the_state(store, tmp_path):
    store.add(3, frame(3))
    again = FrameStore(tmp_path / "frames")
    assert again.steps() == [3]
    again.add(3, frame(4))
    assert np.array_equal(store.read(3), frame(4))


def test_changes_are_between_frames_that_follow_each_other(store, tmp_path):
    for step in (0, 5, 9):
        store.add(step, frame(step))
    change = np.abs(frame(5).astype(float) - frame(0)).mean()
    assert store.changes[0, 5] == pytest.approx(change)
    assert store.changes.keys() == {(0, 5), (5, 9)}
    assert FrameStore(tmp_path / "frames").changes == {}


def test_changes_of_dropped_frames_are_forgotten(store):
    for step in (0, 5, 9):
        store.add(step, frame(step))
    store.drop_after(5)
    store.add(12, frame(12))
    assert store.changes.keys() == {(0, 5)}


def test_frames_of_earlier_versions_are_read(store, tmp_path):
    store.add(5, frame(5))
    (tmp_path / "frames" / "000000003.png").write_bytes(encode_png(frame(3)))
    Image.fromarray(frame(4)).save(tmp_path / "frames" / "000000004.qoi")
    assert store.steps() == [3, 4, 5]
    for step in (3, 4, 5):
        assert np.array_equal(store.read(step), frame(step))
    store.drop_after(2)
    assert store.steps() == []


def test_empty(store):
    assert store.steps() == []
    store.drop_after(0)


def test_drop_after_keeps_the_step_itself(store):
    for step in (0, 5, 10, 15):
        store.add(step, frame(step))
    store.drop_after(10)
    assert store.steps() == [0, 5, 10]


def test_a_failed_write_leaves_no_half_frame(store, tmp_path, monkeypatch):
    store.add(0, frame(0))

    def full(source, destination):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        store.add(1, frame(1))
    assert [path.name for path in (tmp_path / "frames").iterdir()] == ["000000000.npy"]


def test_frames_do_not_wait_for_the_disk(store, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: pytest.fail("synced"))
    store.add(0, frame(0))
    assert store.steps() == [0]


def test_leftovers_of_a_killed_run_are_no_frames(store, tmp_path):
    store.add(0, frame(0))
    (tmp_path / "frames" / ".000000001.part-00ff.npy").write_bytes(b"half")
    (tmp_path / "frames" / "notes.txt").write_text("mine")
    assert store.steps() == [0]


def test_missing_and_damaged_frames_are_named(store, tmp_path):
    store.add(1, frame(1))
    path = tmp_path / "frames" / "000000001.npy"
    path.write_bytes(path.read_bytes()[:60])
    (tmp_path / "frames" / "000000003.npy").write_bytes(b"")
    for step in (1, 2, 3):
        with pytest.raises(InputError, match=f"00000000{step}.npy"):
            store.read(step)


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "frames").write_text("a file")
    with pytest.raises(OutputError, match="frames"):
        FrameStore(tmp_path / "frames").add(0, frame(0))
