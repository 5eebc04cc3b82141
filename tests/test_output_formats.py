"""WebM, WebP, GIF and APNG beside MP4: the same frames, within the limits of each, with the recipe inside."""

from __future__ import annotations

import json

import av
import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

from artgen.base.errors import OutputError
from artgen.cli import main
from artgen.output import FORMATS, probe_encoder, read_frames, read_recipe, write_video
from artgen.targets import open_clip

COLOURS = [(200, 40, 30), (30, 160, 60), (40, 60, 200), (230, 220, 200)]
RECIPE = json.dumps({"target": {"source": "Straßenkatze 猫 🐈.png"}}, ensure_ascii=False)


def flat(colour, height=48, width=64):
    return np.full((height, width, 3), colour, np.uint8)


def decoded(path):
    """All frames, read by somebody else's code."""
    if path.suffix in (".mp4", ".webm"):
        with av.open(str(path)) as film:
            return np.stack([frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)])
    return np.stack([frame[..., :3] for frame in iio.imiter(path, plugin="pillow", mode="RGB")])


def duration(path):
    total = 0
    with Image.open(path) as film:
        for index in range(film.n_frames):
            film.seek(index)
            film.load()  # of a WebP only a frame that was loaded knows how long it lasts
            total += film.info["duration"]
    return total


@pytest.mark.parametrize("suffix", FORMATS)
def test_colours_and_order_survive(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    write_video(path, [flat(colour) for colour in COLOURS for _ in range(3)], fps=12)
    frames = decoded(path)
    assert frames.shape[1:] == (48, 64, 3)
    shown = frames[:, 20:28, 20:28].mean((1, 2))
    nearest = [int(np.argmin(((np.array(COLOURS) - colour) ** 2).sum(1))) for colour in shown]
    assert sorted(set(nearest)) == nearest[:: max(1, len(nearest) // 4)][:4] == [0, 1, 2, 3]
    assert nearest == sorted(nearest)
    assert abs(shown - np.array(COLOURS)[nearest]).max() < 12


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_recipe_is_inside(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    write_video(path, [flat(colour) for colour in COLOURS], fps=10, comment=RECIPE)
    assert json.loads(read_recipe(path)) == json.loads(RECIPE)


@pytest.mark.parametrize(
    ("suffix", "side", "rate"), [(".gif", 480, 12.5), (".webp", 720, 25), (".apng", 480, 25)]
)
def test_animations_are_made_smaller_and_slower_but_last_as_long(tmp_path, suffix, side, rate):
    path = tmp_path / f"a{suffix}"
    # Hues apart: what hardly differs becomes one longer frame.
    frames = [flat(((37 * k) % 256, (91 * k) % 256, 99), 450, 900) for k in range(60)]
    write_video(path, frames, fps=30)
    found = decoded(path)
    assert max(found.shape[1:3]) == side
    assert len(found) == pytest.approx(2 * rate, abs=1)
    assert duration(path) == pytest.approx(2000, abs=1000 / rate + 1)
    assert abs(found[-1].mean((0, 1)) - frames[-1][0, 0]).max() < 12


@pytest.mark.parametrize(("suffix", "fps"), [(".gif", 12), (".webp", 24), (".apng", 24)])
def test_pauses_that_are_rounded_last_together_as_long_as_they_should(tmp_path, suffix, fps):
    frames = [flat((40 * k % 256, 90 * k % 256, 99), 16, 16) for k in range(3 * fps)]
    write_video(tmp_path / f"a{suffix}", frames, fps=fps)
    assert duration(tmp_path / f"a{suffix}") == 3000


@pytest.mark.parametrize(("suffix", "most"), [(".gif", 400), (".webp", 800), (".apng", 300)])
def test_longer_ones_are_refused(tmp_path, suffix, most):
    frames = (flat((k % 256, k // 256, 0), 16, 16) for k in range(most + 1))
    with pytest.raises(OutputError, match=f"more than {most} frames"):
        write_video(tmp_path / f"a{suffix}", frames, fps=12)
    assert list(tmp_path.iterdir()) == []


def test_an_apng_loses_nothing_and_repeats_for_ever(tmp_path):
    path = tmp_path / "a.apng"
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (3, 20, 30, 3), np.uint8)
    # The second frame is shown twice as long as the others.
    write_video(path, noise[[0, 1, 1, 2]], fps=12.5, comment=RECIPE)
    np.testing.assert_array_equal(decoded(path), noise)
    with Image.open(path) as film:
        assert (film.format, film.n_frames, film.info["loop"]) == ("PNG", 3, 0)
        shown = []
        for index in range(3):
            film.seek(index)
            shown.append(film.info["duration"])
    assert shown == [80, 160, 80]
    clip = open_clip(path)
    np.testing.assert_array_equal([frame.pixels for frame in clip.frames()], noise)
    assert clip.fps == pytest.approx(3 / 0.32)


def test_every_encoder_is_there():
    for suffix in FORMATS:
        probe_encoder(suffix)


@pytest.mark.parametrize(("fps", "expected"), [(10, 8), (20, 16), (5, 4)])
def test_frames_are_read_at_any_rate(tmp_path, fps, expected):
    write_video(tmp_path / "a.mp4", [flat((30 * k, 0, 0)) for k in range(8)], fps=10)
    frames = list(read_frames(tmp_path / "a.mp4", fps=fps))
    assert len(frames) == expected
    assert frames[0].shape == (48, 64, 3)
    assert abs(float(frames[-1][..., 0].mean()) - 210) < 6


SMALL = ["--size", "24", "-n", "6", "--steps", "4", "--video-seconds", "0.5", "--fps", "10"]


def fit(*arguments):
    return main(["fit", *SMALL, "--backend", "eager", "-q", *arguments])


@pytest.mark.parametrize("suffix", FORMATS)
def test_fit_writes_the_video_where_it_shall_be(tmp_path, monkeypatch, capsys, suffix):
    monkeypatch.chdir(tmp_path)
    assert fit("--video", f"films/a{suffix}", "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["outputs"]["video"] == f"films/a{suffix}"
    assert summary["recipe"]["output"]["video_format"] == suffix[1:]
    assert len(decoded(tmp_path / f"films/a{suffix}")) >= 1
    assert not (tmp_path / "artgen-out/astronaut-gaussian.mp4").exists()
    # A second one is refused, as any output that exists.
    assert fit("--video", f"films/a{suffix}", "--name", "other") == 2
    # The recipe alone makes the same kind of video.
    assert main(["fit", "--recipe", f"films/a{suffix}", "--out", "again", "-q"]) == 0
    assert (tmp_path / f"again/a{suffix}").exists()


def test_a_batch_has_a_video_each_and_a_sheet(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert fit("--video", "a.webp", "--seeds", "1,2", "--json") == 0
    data = json.loads(capsys.readouterr().out)
    names = [run["outputs"]["video"] for run in data["runs"]]
    assert names == ["a-astronaut-gaussian-s1.webp", "a-astronaut-gaussian-s2.webp"]
    assert all((tmp_path / name).exists() for name in (*names, data["sheet"]))
    assert fit("--video", "a.webp", "--seeds", "1,2", "--resume") == 0


@pytest.mark.parametrize("arguments", [["--video", "a.avi"], ["--video", "a.gif", "--no-video"]])
def test_fit_refuses(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    assert fit(*arguments) == 2
    assert "--video" in capsys.readouterr().err
