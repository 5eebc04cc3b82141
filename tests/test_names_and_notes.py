"""Names of files, and files that others left: what a system, a camera or a person puts there."""

from __future__ import annotations

import os
import re
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import artgen
from artgen.cli import main
from artgen.errors import InputError, UsageError
from artgen.output.video import lost_sound
from artgen.runs.files.folder import RunFolder
from artgen.targets.image import pictures_in
from artgen.targets.source import LONGEST_STEM, stems_of

SMALL = ["-p", "circle", "-n", "4", "--size", "16", "--no-video", "-q"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (16, 16), "red").save("a.png")
    return tmp_path


@pytest.mark.parametrize("mark", ["\u202f", "\u3000", "\u200d"], ids=["narrow", "wide", "joiner"])
def test_a_file_is_found_by_its_name_as_it_is_shown(mark, here, capsys):
    """A screenshot of macOS has a narrow space before AM: no recipe of it could be used again."""
    name = f"Shot 10.12{mark}AM.png"
    Path("a.png").rename(name)
    assert main(["fit", name, *SMALL, "--name", "b"]) == 0
    assert main(["fit", "--recipe", "artgen-out/b.art", *SMALL[4:], "--name", "c"]) == 0
    assert artgen.load("artgen-out/c.art").recipe.target.source == "Shot 10.12\ufffdAM.png"
    # One that merely looks like it is another file.
    Path(name).write_bytes(b"other")
    assert main(["fit", "--recipe", "artgen-out/b.art", *SMALL[4:], "--name", "d"]) == 3
    assert "is not the file the recipe was made with" in capsys.readouterr().err


def test_long_names_that_begin_alike_have_outputs_of_their_own(here):
    """The second of four pictures of one prompt was taken for the first, and skipped."""
    names = [f"{'a_cat_painted_in_oil_' * 4}{end}.png" for end in ("one", "two")]
    for name in names:
        Image.open("a.png").save(name)
        assert main(["fit", name, *SMALL, "--skip-existing"]) == 0
    stills = [path.name for path in Path("artgen-out").glob("*.png")]
    assert len(stills) == 2
    assert all(len(name) < LONGEST_STEM + 20 for name in stills)
    assert main(["fit", *names, *SMALL, "--overwrite"]) == 0
    assert len({*stems_of(names).values()}) == 2
    assert stems_of(["short name.png"]) == {"short name.png": "short_name"}


def test_names_that_agree_once_they_are_safe_are_told_apart():
    """A folder with `photo (1).jpg` and `photo_1.jpg` was refused as one name."""
    stems = stems_of(["photo (1).jpg", "photo_1.jpg", "other (1).jpg"])
    assert stems["photo_1.jpg"] == "photo_1"
    assert stems["other (1).jpg"] == "other_1"
    assert re.fullmatch("photo_1-[0-9a-f]{6}", stems["photo (1).jpg"])
    # Wherever the files are, and in whatever order they come.
    elsewhere = stems_of(["x/photo_1.jpg", "x/photo (1).jpg"])
    assert elsewhere["x/photo (1).jpg"] == stems["photo (1).jpg"]


def test_tiles_refuse_flags_of_the_video_that_they_do_not_have(here, capsys):
    """`--loop` with `--tiles` made no video, without a word; a recipe may say it for others too."""
    line = ["fit", "a.png", "-p", "gaussian", "-n", "8", "--tiles", "16", "--steps", "2"]
    for flags in (["--loop"], ["--end", "photo"], ["--fps", "12"], ["--max-bytes", "1MB"]):
        assert main([*line, *flags]) == 2
        said = capsys.readouterr().err
        assert f"--tiles and {flags[0]} were both given" in said
        assert "--start parts" in said
    Path("parts.toml").write_text('[output]\nstart = "parts"\n')
    assert main([*line, "--recipe", "parts.toml", "--fps", "12", "--dry-run"]) == 0
    Path("loop.toml").write_text("[output]\nloop = true\n")
    assert main([*line, "--recipe", "loop.toml", "--dry-run"]) == 0


def test_a_clip_refuses_parts_that_appear(here, capsys):
    """It had the usual video, without a word."""
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue", "lime")]
    frames[0].save("clip.gif", save_all=True, append_images=frames[1:], duration=100)
    assert main(["fit", "clip.gif", "-p", "circle", "-n", "4", "--start", "parts"]) == 2
    assert "is a clip, which cannot have parts that appear" in capsys.readouterr().err
    assert not Path("artgen-out").exists()


def test_notes_of_a_file_manager_are_not_files_of_others(here):
    """One `.DS_Store` in the folder of a run blocked its name for ever."""
    run = Path("artgen-out/a.run")
    for place in (run, run / "frames"):
        place.mkdir(parents=True)
        for name in (".DS_Store", "._frames", "Thumbs.db", "desktop.ini"):
            (place / name).write_bytes(b"note")
    RunFolder(run).check_own()
    assert main(["fit", "a.png", *SMALL, "--name", "a", "--overwrite"]) == 0
    assert not run.exists()
    run.mkdir()
    (run / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="was not written by a run"):
        RunFolder(run).check_own()


def test_a_name_longer_than_the_system_takes_is_that_of_no_file(here, capsys):
    """`compare` ended with exit code 6, as if an output had failed."""
    for command in ("compare", "fit"):
        assert main([command, "a" * 300, "a.png", "-p", "circle"]) == 3
        assert "does not exist" in capsys.readouterr().err


def test_a_folder_that_may_not_be_read_is_bad_input(here, monkeypatch):
    def refused(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refused)
    with pytest.raises(InputError, match="cannot read folder p: Permission denied"):
        pictures_in(Path("p"), "p")


def test_a_link_to_itself_in_the_place_of_an_output_is_refused(here, capsys):
    """Python 3.11 raises RuntimeError where such a link is resolved."""
    Path("artgen-out").mkdir()
    Path("artgen-out/a.png").symlink_to("a.png")
    assert main(["fit", "a.png", *SMALL, "--name", "a"]) == 2
    assert "is a symbolic link" in capsys.readouterr().err


def video(path: Path, *, title: str = "") -> None:
    """A video of two frames with a track of sound."""
    with av.open(str(path), "w") as out:
        out.metadata.update({"title": title} if title else {})
        stream, sound = out.add_stream("mpeg4", rate=2), out.add_stream("aac", rate=8000)
        stream.width = stream.height = 32
        for shade in (0, 255):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), shade, np.uint8))
            out.mux(stream.encode(frame))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
        silence.sample_rate = 8000
        out.mux(sound.encode(silence))
        out.mux(sound.encode(None))
        out.mux(stream.encode(None))


def test_tags_in_another_encoding_do_not_matter(here):
    """A title in Latin-1 was said to be a damaged video."""
    video(Path("b.mp4"), title="caf#")
    written = Path("b.mp4").read_bytes()
    assert written.count(b"caf#") == 1
    Path("b.mp4").write_bytes(written.replace(b"caf#", b"caf\xe9"))
    assert main(["fit", "b.mp4", *SMALL[:6], "-q", "--name", "b"]) == 0
    assert lost_sound(Path("b.mp4"), ".webm")


def test_a_track_without_a_decoder_is_left_out(here):
    """The spatial sound of a new phone ended the fit with an AttributeError."""
    video(Path("b.mp4"))
    written = Path("b.mp4").read_bytes()
    pictures, mark, sound = written.partition(b"mp4a")
    assert mark
    Path("b.mp4").write_bytes(pictures + b"zzzz" + sound.replace(b"esds", b"free", 1))
    with av.open("b.mp4") as read:
        assert [each.codec_context for each in read.streams.audio] == [None]
    assert lost_sound(Path("b.mp4"), ".mp4") is None
    assert main(["fit", "b.mp4", *SMALL[:6], "-q", "--name", "b"]) == 0


def test_what_an_edit_reads_is_not_written(here, capsys):
    """`join=B.art -o B.art` replaced the drawing that it read."""
    for name in ("b", "c"):
        assert main(["fit", "a.png", *SMALL, "--name", name]) == 0
    one, two = "artgen-out/b.art", "artgen-out/c.art"
    before = Path(two).read_bytes()
    assert main(["edit", one, f"join={two}", "-o", two, "--overwrite"]) == 2
    assert "cannot be both read and written" in capsys.readouterr().err
    assert Path(two).read_bytes() == before


def test_colours_are_written_apart_and_together(here, monkeypatch, capsys):
    """A file that is not written was in the way; a full disk left some of the colours."""
    photo = np.zeros((16, 16, 3), np.uint8)
    photo[:8, :, 0] = photo[8:, :, 2] = 255
    Image.fromarray(photo).save("two.png")
    assert main(["fit", "two.png", *SMALL, "--palette", "red,blue", "--name", "b"]) == 0
    Path("plate.svg").touch()
    line = ["edit", "artgen-out/b.art", "--split", "2", "-o", "plate.svg", "-q"]
    write, written = Path.write_bytes, []

    def full(path, content):
        written.append(path)
        if len(written) == 2:
            raise OSError(28, os.strerror(28))
        return write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        assert main(line) == 6
    assert [path.name for path in here.glob("plate*")] == ["plate.svg"]
    assert main(line) == 0
    assert len([*here.glob("plate-*.svg")]) == 2
