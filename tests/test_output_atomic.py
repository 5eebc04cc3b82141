"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from artgen.base.errors import OutputError
from artgen.output import atomic_path, atomic_write, probe_folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_writes_and_replaces(tmp_path):
    path = tmp_path / "still.png"
    atomic_write(path, b"one")
    atomic_write(path, b"two")
    assert path.read_bytes() == b"two"
    assert names(tmp_path) == ["still.png"]


def test_temporary_name_is_a_hidden_neighbour_with_the_same_suffix(tmp_path):
    path = tmp_path / "progress.mp4"
    with atomic_path(path) as partial:
        assert partial.parent == tmp_path
        assert partial.suffix == ".mp4"
        assert partial.name.startswith(".progress.part-")
        partial.write_bytes(b"film")
        assert not path.exists()
    assert path.read_bytes() == b"film"


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_failure_keeps_the_earlier_file_and_leaves_nothing(tmp_path, failure):
    path = tmp_path / "still.png"
    atomic_write(path, b"earlier")

    def write_half():
        with atomic_path(path) as partial:
            partial.write_bytes(b"half")
            raise failure

    with pytest.raises(failure):
        write_half()
    assert path.read_bytes() == b"earlier"
    assert names(tmp_path) == ["still.png"]


@pytest.mark.parametrize(
    ("code", "hint"), [(errno.ENOSPC, "free some space"), (errno.EFBIG, "ulimit -f")]
)
def test_full_disk_is_an_output_error_that_says_so(code, hint, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(code, os.strerror(code))

    path = tmp_path / "still.png"
    atomic_write(path, b"earlier")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=rf"still\.png.*{os.strerror(code)}") as caught:
        atomic_write(path, b"later")
    assert hint in caught.value.hint
    assert caught.value.exit_code == 6
    assert path.read_bytes() == b"earlier"
    assert names(tmp_path) == ["still.png"]


def test_not_durable_skips_the_sync(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: pytest.fail("synced"))
    atomic_write(tmp_path / "frame.png", b"frame", durable=False)
    assert (tmp_path / "frame.png").read_bytes() == b"frame"


def test_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "still.png").mkdir()
    with pytest.raises(OutputError, match="directory") as caught:
        atomic_write(tmp_path / "still.png", b"picture")
    assert "move that folder away" in caught.value.hint
    assert names(tmp_path) == ["still.png"]


def test_missing_folder(tmp_path):
    with pytest.raises(OutputError, match=r"missing/still\.png"):
        atomic_write(tmp_path / "missing" / "still.png", b"picture")


def test_names_up_to_the_limit_work_and_longer_ones_are_refused(tmp_path):
    longest = "é" * 125 + ".png"  # 254 bytes, of 255 that most file systems allow
    atomic_write(tmp_path / longest, b"picture")
    with pytest.raises(OutputError, match=r"[Nn]ame too long") as caught:
        atomic_write(tmp_path / f"é{longest}", b"picture")
    assert caught.value.hint == "choose a shorter name"
    assert len(names(tmp_path)) == 1


@pytest.mark.skipif(os.name == "nt", reason="permissions are those of Unix")
def test_permissions_follow_the_umask(tmp_path):
    earlier = os.umask(0o027)
    try:
        atomic_write(tmp_path / "still.png", b"picture")
    finally:
        os.umask(earlier)
    assert stat.S_IMODE((tmp_path / "still.png").stat().st_mode) == 0o640


def test_probe_creates_the_folder_and_leaves_it_empty(tmp_path):
    probe_folder(tmp_path / "a" / "b")
    probe_folder(tmp_path / "a" / "b")
    assert names(tmp_path / "a" / "b") == []


def test_a_place_in_which_nobody_can_create_a_folder(tmp_path, monkeypatch):
    """As `/proc/nope`: the hint said to create the folder first."""

    def refused(path, *args):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))

    monkeypatch.setattr(os, "mkdir", refused)
    for folder in (tmp_path / "nope", tmp_path / "nope" / "deeper"):
        with pytest.raises(OutputError, match="No such file") as caught:
            probe_folder(folder)
        assert caught.value.hint == "nothing can be created there: choose another folder"


def test_probe_refuses_a_file_in_the_way(tmp_path):
    (tmp_path / "out").write_text("a file")
    for folder in (tmp_path / "out", tmp_path / "out" / "deeper"):
        with pytest.raises(OutputError, match="out") as caught:
            probe_folder(folder)
        assert "choose another folder" in caught.value.hint


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_probe_refuses_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="Permission denied"):
            probe_folder(tmp_path)
    finally:
        tmp_path.chmod(0o700)
