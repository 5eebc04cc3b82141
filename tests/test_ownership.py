"""Files of the user are kept: artgen replaces and removes those that it wrote, and nothing else."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import artgen
from artgen.base.errors import OutputError, UsageError
from artgen.output import atomic_write, check_output
from artgen.output.ownership import is_own, remove_own
from artgen.recipe import Recipe
from artgen.runs import RunFolder

pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
full_disk = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has it")

FIT = ("fit", "photo.png", "-n", "4", "--steps", "3", "--seed", "1", "--no-video", "-q")


@pytest.fixture
def folder(photo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(photo.parent)
    return photo.parent


@pytest.fixture(scope="module")
def art() -> artgen.Art:
    return artgen.fit(np.eye(8), "triangle", count=2, steps=2, seed=1)


@pytest.mark.parametrize(
    "line",
    [
        (*FIT, "--out", ".", "--name", "photo", "--overwrite"),
        (*FIT, "-o", "photo.png", "--overwrite"),
        ("render", "a.art", "-o", "photo.png", "--overwrite"),
        ("render", "a.art", "-o", "b.mp4", "--start", "photo=photo.png", "-o", "photo.png"),
    ],
    ids=["name", "output", "another command", "not even asked to"],
)
def test_a_photograph_is_never_replaced(folder, call, art, line):
    """With --overwrite, a fit called like its target replaced the target by its still."""
    art.save("a.art")
    before = Path("photo.png").read_bytes()
    code, _, err = call(*line)
    assert code == 2
    assert "photo.png" in err
    assert Path("photo.png").read_bytes() == before
    assert {path.name for path in folder.iterdir()} - {"artgen-out"} == {"photo.png", "a.art"}


def test_an_input_is_no_output_even_if_artgen_wrote_it(folder, call, art):
    """The still of an earlier fit was replaced while it was the target of the next one."""
    Path("photo.png").write_bytes(art.to_png())
    art.save("start.art")
    os.link("start.art", "same.art")
    code, _, err = call(*FIT, "--out", ".", "--name", "photo", "--overwrite")
    assert (code, "photo.png cannot be both read and written" in err) == (2, True)
    started = (*FIT, "-p", "triangle", "--init", "start.art", "--out", ".", "--overwrite")
    code, _, err = call(*started, "--name", "same")
    assert (code, "same.art cannot be both read and written" in err) == (2, True)
    code, _, err = call("morph", "start.art", "same.art", "-o", "same.art", "--overwrite")
    assert (code, "cannot be both" in err) == (2, True)


def test_own_files_are_known_by_their_recipe_and_are_replaced(tmp_path, art):
    for suffix in ("png", "jpg", "svg", "pdf", "json", "html", "gif", "webp", "mp4", "tif", "art"):
        file = tmp_path / f"a.{suffix}"
        art.save(file)
        assert is_own(file), suffix
        art.save(file, overwrite=True)
    for suffix in ("png", "jpg", "gif", "webp", "tif"):
        file = tmp_path / f"mine.{suffix}"
        Image.new("RGB", (4, 4)).save(file)
        with pytest.raises(UsageError, match="was not written by artgen") as caught:
            art.save(file, overwrite=True)
        assert "move it away" in caught.value.hint
        remove_own(file)
        assert file.exists()
    log = tmp_path / "log.jsonl"
    log.write_text('{"step": 0, "loss": 1}\n')
    check_output(log, overwrite=True, option="--log", mark=b'{"step": ')
    log.write_text("diary")
    with pytest.raises(UsageError, match="was not written by artgen"):
        check_output(log, overwrite=True, option="--log", mark=b'{"step": ')


def test_links_are_not_replaced(folder, call, art):
    """A link to a file elsewhere became a file."""
    art.save("a.art")
    Path("elsewhere.png").write_bytes(art.to_png())
    Path("link.png").symlink_to("elsewhere.png")
    Path("nowhere.png").symlink_to("missing.png")
    for name in ("link.png", "nowhere.png"):
        code, _, err = call("render", "a.art", "-o", name, "--overwrite")
        assert (code, f"{name} is a symbolic link" in err) == (2, True)
        assert Path(name).is_symlink()


# ---- the folder of a run -------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["notes.txt", "frames/mine.png", "outputs/poster.png", "a/b.txt"])
def test_overwriting_keeps_files_of_the_user_in_the_folder_of_a_run(folder, call, place):
    """With --overwrite, the folder of an earlier run was deleted with all that lay in it."""
    mine = Path("artgen-out/photo-gaussian.run", place)
    mine.parent.mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(mine, "PNG")
    code, _, err = call(*FIT, "--overwrite")
    assert (code, "was not written by a run" in err) == (2, True)
    assert mine.is_file()
    assert call(*FIT)[0] == 2
    assert sorted(path.name for path in Path("artgen-out").iterdir()) == ["photo-gaussian.run"]


def test_what_others_put_into_the_folder_meanwhile_is_left_there(tmp_path):
    """The end of a run deleted its folder with all that lay in it."""
    path = tmp_path / "it.run"
    folder = RunFolder.create(path, Recipe(), ())
    for name in ("frames", "scenes/000/first/frames", "tiles/coarse-00000", "inputs/0"):
        (path / name).mkdir(parents=True)
    for name in ("frames/000000001.npy", "scenes/000/first/frames/000000001.npy", "inputs/0/x.png"):
        (path / name).touch()
    folder.check_own()
    (path / "frames" / "mine.txt").touch()
    (path / "link").symlink_to(tmp_path)
    folder.remove()
    left = [each.relative_to(path).as_posix() for each in path.rglob("*") if not each.is_dir()]
    assert sorted(each for each in left if "000000001" not in each) == ["frames/mine.txt"]
    assert (path / "link").is_symlink()
    assert tmp_path.is_dir()
    assert not (path / "recipe.json").exists()


@pytest.mark.parametrize("flag", ["--overwrite", "--resume", "-v"])
def test_a_linked_folder_of_a_run_is_not_followed(folder, call, flag):
    """With --overwrite, what a link called STEM.run led to was emptied."""
    precious = folder / "precious"
    precious.mkdir()
    (precious / "recipe.json").write_text("{}")
    Path("artgen-out").mkdir()
    Path("artgen-out/photo-gaussian.run").symlink_to(precious)
    code, _, err = call(*FIT, flag)
    assert (code, "photo-gaussian.run was not written by a run" in err) == (2, True)
    assert [path.name for path in precious.iterdir()] == ["recipe.json"]


# ---- pipes and devices ---------------------------------------------------------------------------


@pipes
def test_a_pipe_is_written_into_and_stays(folder, call, art):
    """A pipe was replaced by a file."""
    art.save("a.art")
    os.mkfifo("pipe.png")
    reader = os.open("pipe.png", os.O_RDONLY | os.O_NONBLOCK)
    try:
        # Nothing is overwritten in a pipe.
        for flags in ((), ("--overwrite",)):
            assert call("render", "a.art", "-o", "pipe.png", *flags)[0] == 0
            assert os.read(reader, 2**20) == art.to_png()
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(os.stat("pipe.png").st_mode)
    code, _, err = call("render", "a.art", "-o", "pipe.png", "--overwrite")
    assert (code, "start the reader first" in err) == (6, True)
    assert sorted(path.name for path in folder.iterdir()) == ["a.art", "photo.png", "pipe.png"]


@pipes
def test_a_log_goes_into_a_pipe(folder, call):
    """A run that failed deleted the pipe or device that its log was written into."""
    os.mkfifo("log")
    assert call(*FIT, "--log", "log")[0] == 6
    reader = os.open("log", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert call(*FIT, "--log", "log", "--overwrite")[0] == 0
        assert os.read(reader, 2**16).startswith(b'{"step": 0')
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(os.stat("log").st_mode)


@full_disk
def test_a_device_that_is_full_is_a_full_disk_and_stays(folder, call, art):
    """A device was replaced by a file, and deleted as the log of a run that failed."""
    art.save("a.art")
    Path("full.png").symlink_to("/dev/full")
    for line in (
        ("render", "a.art", "-o", "full.png", "--overwrite"),
        (*FIT, "--log", "full.png", "--overwrite"),
    ):
        code, _, err = call(*line)
        assert (code, "No space left" in err) == (6, True)
        assert Path("full.png").is_symlink()
        assert Path("full.png").is_char_device()
    assert not list(folder.glob("*.part-*"))


def test_a_device_without_a_name_of_its_own(tmp_path, monkeypatch):
    """What `stat` calls a device is opened and written into, never moved over or deleted."""
    device = tmp_path / "device.png"
    device.write_bytes(b"")
    inode, is_file = device.stat().st_ino, Path.is_file
    monkeypatch.setattr(Path, "is_file", lambda path: path != device and is_file(path))
    atomic_write(device, b"picture")
    assert device.read_bytes() == b"picture"
    assert device.stat().st_ino == inode
    remove_own(device)
    assert device.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["device.png"]


def test_a_folder_in_place_of_an_output_is_refused_before_the_fit(folder, call):
    """It ended with exit code 6 after all steps."""
    Path("artgen-out/photo-gaussian.png").mkdir(parents=True)
    code, _, err = call(*FIT, "--overwrite")
    assert (code, "photo-gaussian.png is a folder" in err) == (2, True)
    with pytest.raises(OutputError, match="directory"):
        atomic_write(Path("artgen-out/photo-gaussian.png"), b"")


def test_a_path_that_the_system_refuses_is_told_before_the_fit(folder, call):
    """Looking for an earlier run there was an error of the system in its own words."""
    code, _, err = call(*FIT, "--out", "/".join(["x" * 99] * 50))
    assert (code, err.startswith("error: cannot write")) == (6, True)
    assert "choose a shorter name" in err
    # Below a file there is no folder: a run was begun, and left to resume.
    Path("notes.txt").write_text("notes")
    code, _, err = call(*FIT, "--log", "notes.txt/log.jsonl")
    assert (code, "cannot write notes.txt/log.jsonl" in err) == (6, True)
    assert not Path("artgen-out").exists()
