"""What a video starts and ends with, loops, videos of parts, and files of a limited size."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from helpers import recipe, save_photo, video_frames
from PIL import GifImagePlugin, Image

import artgen
from artgen.art._moving import growing
from artgen.base.errors import OutputError, UsageError
from artgen.cli import main
from artgen.events import Evaluated, Notice
from artgen.output.spool import Spool, there_and_back, with_ends, write_limited
from artgen.output.video import Sound, write_video
from artgen.recipe import Recipe
from artgen.recipe.texts import parse_bytes
from artgen.registry import Registry
from artgen.runs import run


def noise(count, side=64):
    rng = np.random.default_rng(1)
    return [rng.integers(0, 255, (side, side, 3), np.uint8) for _ in range(count)]


def test_a_loop_goes_back_through_all_frames():
    frames = [frame for frame in noise(3) for _ in range(2)]
    shown = list(there_and_back(iter(frames)))
    assert len(shown) == 12
    assert all((a == b).all() for a, b in zip(shown, [*frames, *frames[::-1]], strict=True))
    with Spool(frames) as spool:
        assert len(list(spool)) == len(list(spool)) == 6
    assert list(there_and_back([])) == []


def test_pictures_at_the_ends_are_shown_and_faded():
    gray = [np.full((4, 4, 3), 100, np.uint8)] * 5
    white = np.full((4, 4, 3), 200, np.uint8)
    levels = [int(f[0, 0, 0]) for f in with_ends(gray, 10, np.uint8([[[0, 0, 0]]]), white)]
    assert levels[:10] == [0] * 10
    assert levels[-10:] == [200] * 10
    assert levels[16:21] == [100] * 5
    assert all(a <= b for a, b in pairwise(levels))
    assert len(levels) == 10 + 6 + 5 + 6 + 10


@pytest.mark.parametrize("suffix", [".mp4", ".webp", ".gif"])
def test_a_file_is_no_larger_than_asked_for(tmp_path, suffix):
    file, frames = tmp_path / f"a{suffix}", noise(3)
    write_limited(file, frames, fps=10, comment="{}", max_bytes=10**7)
    full = file.stat().st_size
    words = write_limited(file, frames, fps=10, comment="{}", max_bytes=full // 2)
    assert file.stat().st_size <= full // 2
    assert f"{file.stat().st_size:,} of {full // 2:,} bytes" in words
    with pytest.raises(OutputError, match="within 10 bytes"):
        write_limited(file, frames, fps=10, comment="{}", max_bytes=10)
    assert file.stat().st_size <= full // 2


def test_a_size_that_was_asked_for_stays_however_few_the_bytes(tmp_path, monkeypatch):
    """A limit made a GIF of 32 × 32 pixels of one asked for at 128 × 128, most of it palettes."""
    row, column = np.mgrid[0:96, 0:96]
    moving = [
        np.stack([(row + 3 * n) % 256, (column * n) % 256, (row * column // 64) % 256], axis=2)
        for n in range(25)
    ]
    frames, file = [frame.astype(np.uint8) for frame in moving], tmp_path / "a.gif"
    write_limited(file, frames, fps=12.5, comment="{}", max_bytes=10**7)
    full = file.stat().st_size
    taken = []
    for most in (full - 1, full // 3, full // 6):
        words = write_limited(file, frames, fps=12.5, comment="{}", max_bytes=most, sized=True)
        assert file.stat().st_size <= most
        with Image.open(file) as made:
            assert made.size == (96, 96)
        taken.append(words.partition(": ")[2])
    assert taken[0] == "11.1 frames per second"
    assert re.fullmatch(r"4 frames per second, \d+% of its length", taken[1])
    assert "one palette of" in taken[2]
    same = GifImagePlugin.LoadingStrategy.RGB_AFTER_DIFFERENT_PALETTE_ONLY
    monkeypatch.setattr(GifImagePlugin, "LOADING_STRATEGY", same)
    with Image.open(file) as made:
        for number in range(made.n_frames):
            made.seek(number)
            assert made.mode == "P"  # else it would have a palette of its own
    with pytest.raises(OutputError, match=r"within 900 bytes: the smallest takes") as caught:
        write_limited(file, frames, fps=12.5, comment="{}", max_bytes=900, sized=True)
    assert "smaller" in (caught.value.hint or "")
    words = write_limited(file, frames, fps=12.5, comment="{}", max_bytes=full // 40)
    assert words.endswith("of its size")


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_a_limit_of_bytes_is_used(tmp_path, suffix):
    """A third of the frames was left where two thirds took too much, with 22 % of the bytes unused."""
    file, frames = tmp_path / f"a{suffix}", list(noise(20))
    write_limited(file, frames, fps=12.5, comment="{}", max_bytes=10**7, sized=True)
    full = file.stat().st_size
    for share in (0.8, 0.5):
        most = int(share * full)
        write_limited(file, frames, fps=12.5, comment="{}", max_bytes=most, sized=True)
        assert 0.9 * most <= file.stat().st_size <= most


def test_the_frames_that_are_written_count(tmp_path):
    """More frames than a GIF may have were refused before any was left out."""
    frames = [np.full((4, 4, 3), n % 251, np.uint8) for n in range(450)]
    file = tmp_path / "a.gif"
    words = write_limited(file, frames, fps=12.5, comment="{}", max_bytes=10**7)
    assert "11.1 frames per second" in words
    with Image.open(file) as made:
        assert made.n_frames == 400
    with pytest.raises(OutputError, match="more than 400 frames"):
        write_limited(file, frames * 12, fps=12.5, comment="{}", max_bytes=10**7)


def test_render_keeps_the_size_that_was_asked_for(tmp_path, monkeypatch, capsys):
    """`render --size 96 --max-bytes` shrank the pictures, and kept every frame of them."""
    monkeypatch.chdir(tmp_path)
    # Forty parts: of five, the file was half comment and palette, and its limit within a twentieth.
    artgen.fit(np.eye(12), "circle", count=40, steps=40).save("a.art")
    line = ["render", "a.art", "--start", "parts", "--seconds", "2", "--size", "96"]
    assert main([*line, "-o", "full.gif"]) == 0
    most = Path("full.gif").stat().st_size * 6 // 10
    assert main([*line, "-o", "a.gif", "--max-bytes", str(most)]) == 0
    assert "frames per second" in capsys.readouterr().err
    with Image.open("a.gif") as made:
        assert made.size == (96, 96)


@pytest.mark.parametrize(
    ("text", "number"), [("10MB", 10**7), ("1.5 kB", 1500), ("7", 7), ("2MiB", 2**21)]
)
def test_sizes_of_files_are_read(text, number):
    assert parse_bytes(text) == number
    for wrong in ("", "MB", "-1", "0", "9XB", "1e9"):
        with pytest.raises(UsageError):
            parse_bytes(wrong)


@pytest.mark.parametrize("primitive", ["triangle", "gaussian", "voronoi"])
def test_parts_appear_one_after_the_other(primitive):
    art = artgen.fit(np.tile([0.0, 1.0], (8, 6)), primitive, count=6, steps=4, seed=1)
    frames = list(art.building(24, seconds=2, fps=10))
    assert len(frames) == 20
    assert (frames[-1] == art.render(24)).all()
    assert (frames[16] == frames[-1]).all()
    assert len({frame.tobytes() for frame in frames}) > 2


def test_parts_of_a_mean_are_as_bright_while_they_appear():
    """It was the mean of those that were there: one part alone was six times too bright."""
    art = artgen.fit(np.tile([0.0, 1.0], (8, 6)), "gaussian", count=6, steps=4, blend="mean")
    moving, colours = growing(art.primitive(), art.drawing), art.drawing.tensors["colour"]
    shown = moving(0.0).tensors["colour"]
    assert shown.shape == (3, 1)
    assert (6 * shown).sub(colours).abs().amax(0).min() < 1e-5
    assert torch.equal(moving(1.0).tensors["colour"], colours)


def test_networks_have_no_parts():
    art = artgen.fit(np.eye(8), "mlp", steps=1)
    with pytest.raises(UsageError, match="no parts that could appear"):
        art.building()


def test_a_fit_shows_the_photograph_first_and_last_within_its_bytes(tmp_path):
    photo, events = save_photo(tmp_path), []
    output = {"fps": 5, "video_seconds": 1, "start": "photo", "end": "photo", "loop": True}
    asked = recipe(photo, {"steps": 6}, output={**output, "max_bytes": 200_000, "video_size": 48})
    run(asked, Registry(), out=tmp_path / "out", name="a", observers=[events.append])
    frames = video_frames(tmp_path / "out/a.mp4")
    large = Image.open(photo).resize((48, 32), Image.Resampling.LANCZOS)
    for frame in (frames[0], frames[-1], frames[len(frames) // 2]):
        assert np.abs(frame.astype(int) - np.asarray(large)).mean() < 16
    # A second of the photograph, a fade, a second of the fit, and the same back: twice there.
    assert len(frames) == 2 * (5 + 3 + 5 + 3 + 5)
    assert any("bytes" in each.message for each in events if isinstance(each, Notice))


@pytest.mark.parametrize("gone", [False, True])
def test_a_photograph_in_a_video_is_as_sharp_as_its_file(tmp_path, gone):
    """It was the target, as small as it was fitted, enlarged."""
    squares = np.kron(np.random.default_rng(0).integers(0, 2, (8, 12)) * 255, np.ones((8, 8)))
    photo = np.repeat(squares.astype(np.uint8)[..., None], 3, axis=2)
    path = tmp_path / "photo.png"
    Image.fromarray(photo).save(path)
    output = {"fps": 5, "video_seconds": 1, "start": "photo", "video_size": 96}
    asked = recipe(path, {"steps": 2}, target={"size": 12}, output=output)

    def lose(event: object) -> None:
        if gone and isinstance(event, Evaluated):
            path.unlink(missing_ok=True)

    run(asked, Registry(), out=tmp_path / "out", name="a", observers=[lose])
    first = video_frames(tmp_path / "out/a.mp4")[0].astype(int)
    assert (np.abs(first - photo).mean() > 16) == gone


def test_render_makes_a_video_of_any_drawing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    artgen.fit(np.eye(12), "circle", count=5, steps=6).save("a.art")
    line = ["render", "a.art", "--start", "parts", "--seconds", "1", "--size", "32x64"]
    assert main([*line, "--loop", "--max-bytes", "50kB"]) == 0
    said = capsys.readouterr().err.splitlines()
    assert not any("drawing" in line for line in said)
    [note] = [line for line in said if "of 50,000" in line]
    size = Path("a.mp4").stat().st_size
    assert re.fullmatch(rf"note: a\.mp4: {size:,} of 50,000 bytes: quality \d+", note)
    assert video_frames(tmp_path / "a.mp4").shape == (60, 64, 32, 3)
    assert main([*line, "-o", "b.gif", "-v"]) == 0
    assert "b.gif: drawing the video" in capsys.readouterr().err.splitlines()
    save_photo(tmp_path)
    assert main([*line, "--start", "photo=photo.png", "-o", "c.mp4", "--fps", "5"]) == 0
    frames = video_frames(tmp_path / "c.mp4")
    assert frames.shape[0] == 5 + 3 + 5
    # The middle of the photograph, as the drawing is square and cropped to half of its width.
    middle = Image.open("photo.png").crop((8, 0, 16, 16)).resize((32, 64), Image.Resampling.LANCZOS)
    assert np.abs(frames[0].astype(int) - np.asarray(middle)).mean() < 16
    capsys.readouterr()
    assert main([*line, "--start", "photo", "-o", "d.mp4"]) == 3
    assert "use --start photo=FILE" in capsys.readouterr().err
    for given in (["--start", "parts"], ["--speed", "2"], ["--fps", "5"], ["--seconds", "3"]):
        assert main(["render", "a.art", *given, "-o", "a.png"]) == 2
        assert "is not a video format" in capsys.readouterr().err


def test_what_is_for_videos_leaves_other_files_as_they_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    artgen.fit(np.eye(16), "circle", count=2, seed=1, quality="draft").save("a.art")
    files = [word for name in ("a.gif", "a.png", "b.art") for word in ("-o", name)]
    given = ["--loop", "--start", "blank", "--seconds", "0.3", "--fps", "10", "--max-bytes", "9kB"]
    assert main(["render", "a.art", *files, *given, "-q"]) == 0
    with Image.open("a.png") as still:
        np.testing.assert_array_equal(
            np.asarray(still.convert("RGB")), artgen.load("a.art").render()
        )
    assert Path("a.art").read_bytes() == Path("b.art").read_bytes()


def sounding(path, suffix):
    """A clip of eight frames with a tone of a second."""
    encoders = {".mp4": ("libx264", "aac"), ".webm": ("libvpx-vp9", "libopus")}
    with av.open(str(path), "w") as container:
        pictures = container.add_stream(encoders[suffix][0], rate=8)
        pictures.width, pictures.height, pictures.pix_fmt = 32, 32, "yuv420p"
        tone = container.add_stream(encoders[suffix][1], rate=48_000)
        for level in range(8):
            pixels = np.full((32, 32, 3), 30 * level, np.uint8)
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        wave = np.sin(np.arange(48_000) / 20).astype(np.float32)[None].repeat(2, 0)
        sound = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(wave.T.reshape(1, -1)), "flt", "stereo"
        )
        sound.sample_rate = 48_000
        resampler = av.AudioResampler(format=tone.format, layout="stereo", rate=48_000)
        for frame in resampler.resample(sound):
            container.mux(tone.encode(frame))
        container.mux(pictures.encode(None))
        container.mux(tone.encode(None))


@pytest.mark.parametrize(("source", "written", "kept"), [(".mp4", ".mp4", 1), (".mp4", ".webm", 0)])
def test_the_sound_of_a_clip_is_kept(tmp_path, source, written, kept):
    clip, file = tmp_path / f"clip{source}", tmp_path / f"b{written}"
    sounding(clip, source)
    write_video(file, noise(8, 32), fps=8, sound=Sound(clip))
    with av.open(str(file)) as made:
        assert len(made.streams.audio) == kept
        if kept:
            samples = sum(frame.samples for frame in made.decode(audio=0))
            assert samples == pytest.approx(48_000, abs=3000)
    assert len(video_frames(file)) == 8


def test_a_fit_of_a_clip_keeps_its_sound(tmp_path):
    clip = tmp_path / "clip.mp4"
    sounding(clip, ".mp4")
    for name, output, begins in (
        ("plain", {}, 0.0),
        ("ends", {"start": "photo", "end": "photo", "loop": True, "max_bytes": 100_000}, 1.625),
    ):
        asked = recipe(clip, {"steps": 2}).to_dict() | {"output": output, "clip": {"steps": 1}}
        run(Recipe.from_dict(asked), Registry(), out=tmp_path / "out", name=name)
        with av.open(str(tmp_path / f"out/{name}.mp4")) as made:
            (sound,) = made.streams.audio
            times = [packet.pts * packet.time_base for packet in made.demux(sound) if packet.size]
        assert float(times[0]) == pytest.approx(begins, abs=0.05)
        assert float(times[-1] - times[0]) == pytest.approx(1, abs=0.1)


def test_sound_that_a_format_cannot_hold_is_told(tmp_path, monkeypatch, capsys):
    """The video of a clip with AAC was silent as WebM, without a word."""
    monkeypatch.chdir(tmp_path)
    sounding(Path("clip.mp4"), ".mp4")
    line = ["fit", "clip.mp4", "-n", "4", "--size", "16", "--steps", "2", "--backend", "eager"]
    for suffix, told in ((".mp4", False), (".gif", False), (".webm", True)):
        assert main([*line, "--video", f"a{suffix}", "--overwrite"]) == 0
        said = "webm cannot hold the sound of clip.mp4, which is aac, so the video is silent: use "
        assert (said + "--video FILE.mp4" in capsys.readouterr().err) == told
