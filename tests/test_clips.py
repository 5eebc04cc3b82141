"""Clips: read frame by frame, cut into scenes, fitted with parts that move, resumed to the byte."""

from __future__ import annotations

import dataclasses
import itertools
import json
import shutil
import time
from collections import Counter
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from av.video.reformatter import Colorspace
from helpers import changed, open_sample, save_photo, video_frames
from PIL import Image

import artgen
from artgen.art import ExportRequest
from artgen.base.errors import InputError, Interrupted, UsageError
from artgen.cli import main
from artgen.engines import Problem
from artgen.engines.gradient.engine import GradientEngine
from artgen.events import Advanced, Evaluated, PreviewDrawn
from artgen.exporters import export_mp4
from artgen.families.shape.climb import ClimbEngine
from artgen.losses import mse, parse_loss
from artgen.matching import carry
from artgen.output import write_video
from artgen.plan import resolve
from artgen.raster import draw
from artgen.recipe import Recipe
from artgen.registry import Registry, default
from artgen.runs import run
from artgen.runs.context import RunContext
from artgen.runs.elsewhere import StepSum
from artgen.runs.kinds.clip.keyframes import Keyframe, make_scenes
from artgen.runs.kinds.clip.motion import Motion
from artgen.runs.kinds.clip.plan import following_stage, plan_clip
from artgen.runs.kinds.clip.scene import FittedScene
from artgen.runs.kinds.clip.shot_detection import find_scenes
from artgen.runs.task import Run
from artgen.targets import (
    PICTURE_SUFFIXES,
    ClipTarget,
    TargetRequest,
    is_clip,
    open_clip,
    open_frames,
    open_moving,
)
from artgen.targets import animation as animation_module
from artgen.targets import clip as clip_module
from artgen.targets import target as target_module
from artgen.targets.source import ANIMATIONS, CONTAINERS
from artgen.tasks import RunControl
from artgen.values.canvas import Canvas
from artgen.values.drawing import Drawing
from artgen_plugins.samples import CLIPS


def moving(count: int, height: int = 24, width: int = 32) -> list[np.ndarray]:
    """A bright square that walks over a slope of gray, uint8 [height, width, 3]."""
    rows, columns = np.mgrid[:height, :width]
    frames = []
    for index in range(count):
        frame = np.repeat((columns * 4 + rows)[..., None], 3, axis=2).astype(np.uint8)
        frame[8:16, 4 + index : 12 + index] = (250, 120, 30)
        frames.append(frame)
    return frames


def save_animation(path: Path, frames: list[np.ndarray], **options: object) -> Path:
    first, *others = map(Image.fromarray, frames)
    first.save(path, save_all=True, append_images=others, duration=80, **options)
    return path


def recipe(source: str = "sample:clip?n=6", **tables: dict) -> Recipe:
    base = {
        "seed": 3,
        "target": {"source": source, "size": 32},
        "primitive": {"name": "gaussian", "count": 24},
        "stage": [{"steps": 12}],
        "run": {"device": "cpu", "threads": 1, "backend": "eager"},
        "clip": {"steps": 4},
    }
    return changed(Recipe.from_dict(base), tables)


# ---- reading -------------------------------------------------------------------------------------


def test_a_video_is_read_frame_by_frame(tmp_path):
    path, frames = tmp_path / "walk.mp4", moving(7)
    write_video(path, frames, fps=12)
    assert is_clip(path)
    clip = open_clip(path)
    assert (clip.fps, clip.canvas.width, clip.canvas.height) == (12, 32, 24)
    read = [frame.pixels for frame in clip.frames()]
    assert len(read) == 7
    for one, other in zip(read, frames, strict=True):
        assert np.abs(one.astype(int) - other).mean() < 12
    later = [frame.pixels for frame in clip.frames(5)]
    assert [frame.tolist() for frame in later] == [frame.tolist() for frame in read[5:]]
    assert np.array_equal(clip.pixels, read[0])


def test_frames_of_pixels_that_are_not_square_are_as_wide_as_they_are_shown(tmp_path):
    path, frames = tmp_path / "wide.mp4", moving(2, height=32)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(3, 2)
        for frame in (*(av.VideoFrame.from_ndarray(each) for each in frames), None):
            container.mux(stream.encode(frame))
    clip = open_clip(path)
    assert (clip.canvas.width, clip.canvas.height) == (48, 32)
    square = clip.pixels.astype(int)[8:16, 6:18]
    assert np.abs(square - (250, 120, 30)).mean() < 40


@pytest.mark.parametrize(
    ("width", "height", "colours"),
    [(32, 576, Colorspace.ITU601), (32, 578, Colorspace.ITU709), (1280, 32, Colorspace.ITU709)],
)
def test_colours_without_a_tag_are_those_of_players(tmp_path, width, height, colours):
    """FFmpeg takes all for BT.601, by which this red of high definition is (212, 9, 21)."""
    path, red = tmp_path / "red.mp4", (230, 30, 20)
    pixels = np.full((height, width, 3), red, np.uint8)
    frame = av.VideoFrame.from_ndarray(pixels).reformat(format="yuv420p", dst_colorspace=colours)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for each in (frame, None):
            container.mux(stream.encode(each))
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).colorspace == 2
    assert np.abs(open_clip(path).pixels.astype(int) - red).max() <= 4


@pytest.mark.parametrize(
    ("name", "options"), [("a.gif", {}), ("a.webp", {"lossless": True}), ("a.apng", {})]
)
def test_an_animation_is_a_clip_and_a_still_is_none(tmp_path, name, options):
    frames = moving(4)
    path = save_animation(tmp_path / name, frames, **options)
    assert is_clip(path)
    clip = open_clip(path)
    assert clip.fps == pytest.approx(12.5)
    read = [frame.pixels for frame in clip.frames()]
    assert len(read) == 4
    assert np.abs(read[3].astype(int) - frames[3]).mean() < 8
    still = tmp_path / f"still-{name}"
    Image.fromarray(frames[0]).save(still)
    assert not is_clip(still)


def test_a_picture_for_readers_without_animation_is_no_frame(tmp_path):
    """An APNG may begin with one, which was the first frame, for a tenth of a second."""
    first, *others = map(Image.fromarray, moving(4))
    path = tmp_path / "a.apng"
    options = {"format": "PNG", "save_all": True, "default_image": True}
    first.save(path, append_images=others, duration=500, **options)
    clip = open_clip(path)
    assert clip.fps == 2
    read = np.stack([frame.pixels for frame in clip.frames()])
    np.testing.assert_array_equal(read, np.stack(others))
    np.testing.assert_array_equal(next(clip.frames(2)).pixels, read[2])


def test_of_many_large_frames_the_first_give_the_rate(tmp_path, monkeypatch):
    """All were decoded when a file was opened: 10,000 frames of a few bytes may be of any size."""
    frames = list(map(Image.fromarray, moving(4)))
    path = tmp_path / "a.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[40, 40, 40, 400])
    assert open_clip(path).fps == pytest.approx(1000 * 4 / 520)
    monkeypatch.setattr(animation_module, "MOST_PIXELS", 3 * 24 * 32 + 5)
    assert open_clip(path).fps == pytest.approx(25)


def test_frames_of_a_folder_have_any_suffix_that_pictures_have(tmp_path):
    for suffix in PICTURE_SUFFIXES:
        Image.new("RGB", (8, 8)).save(tmp_path / f"1{suffix}")
    assert len(list(open_frames(str(tmp_path)).frames())) == len(PICTURE_SUFFIXES)


def test_notes_of_macos_beside_frames_are_no_pictures(tmp_path):
    """A folder that came from a Mac was refused; one of a set was read."""
    Image.new("RGB", (8, 8)).save(tmp_path / "1.png")
    (tmp_path / "._1.png").write_bytes(b"\0\5\x16\7")
    assert len(list(open_frames(str(tmp_path)).frames())) == 1


def test_every_suffix_of_a_clip_is_declared():
    registry = Registry(entry_points=[])
    for suffix in (*CONTAINERS, *ANIMATIONS):
        assert registry.find_opener(f"a{suffix}").name == "clip"


def test_a_folder_of_frames_is_ordered_by_number(tmp_path):
    for index, frame in enumerate(moving(11)):
        Image.fromarray(frame).save(tmp_path / f"shot{index + 1}.png")
    clip = open_frames(f"{tmp_path}?fps=10")
    assert (clip.fps, clip.source) == (10, f"frames:{tmp_path.name}?fps=10")
    read = [frame.pixels for frame in clip.frames()]
    assert np.array_equal(np.stack(read), np.stack(moving(11)))
    Image.fromarray(moving(1, 20)[0]).save(tmp_path / "shot12.png")
    with pytest.raises(InputError, match="frame 11 is 32x20"):
        list(open_frames(str(tmp_path)).frames())


def test_the_sample_moves_and_is_cut():
    clip = open_sample("clip?n=8", TargetRequest(size=48))
    assert isinstance(clip, ClipTarget)
    frames = [frame.image for frame in clip.frames()]
    assert len(frames) == 8
    assert frames[0].shape == (36, 48, 3)
    assert all(np.abs(a - b).max() > 0.01 for a, b in itertools.pairwise(frames))
    assert find_scenes(frames, 2.0) == [(0, 4), (4, 8)]
    with pytest.raises(InputError, match="no option"):
        open_sample("clip?speed=2")


def test_the_speed_of_a_sample():
    slow, fast = (
        [frame.image for frame in open_sample(name, TargetRequest(size=24)).frames()]
        for name in ("clip?n=4&pan=0.01&turn=0", "clip?n=4&pan=0.1&turn=6")
    )
    assert np.abs(fast[1] - fast[0]).mean() > 1.5 * np.abs(slow[1] - slow[0]).mean()
    with pytest.raises(InputError, match=r"pan=2 is not a number from 0 to 0\.1"):
        open_sample("clip?pan=2")
    with pytest.raises(InputError, match="turn=x is not a number"):
        open_sample("clip?turn=x")


@pytest.mark.parametrize("name", CLIPS[1:])
def test_clips_drawn_by_code(name):
    def frames(options: str, size: int = 24) -> list[np.ndarray]:
        clip = open_sample(f"{name}{options}", TargetRequest(size=size))
        assert isinstance(clip, ClipTarget)
        return [frame.pixels for frame in clip.frames()]

    slow, fast = frames("?n=3"), frames("?n=2&speed=2")
    assert (len(slow), slow[0].shape) == (3, (18, 24, 3))
    assert not np.array_equal(slow[0], slow[1])
    assert np.array_equal(slow[2], fast[1])
    assert frames("?n=1", 41)[0].shape == (31, 41, 3)
    with pytest.raises(InputError, match="no option"):
        open_sample(f"{name}?pan=1")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("text.mp4", b"no video at all"),
        ("empty.mp4", b""),
        ("list.mp4", b"ffconcat version 1.0\nfile '/etc/passwd'\n"),
        ("list.webm", b"#EXTM3U\n#EXTINF:1,\nhttp://example.com/a.ts\n"),
    ],
)
def test_files_that_are_no_videos(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError, match=name):
        open_clip(path)


def test_a_video_that_is_damaged_or_too_large(tmp_path):
    path = tmp_path / "walk.mp4"
    write_video(path, moving(20, 48, 64), fps=12)
    with pytest.raises(InputError, match="more than 100"):
        open_clip(path, TargetRequest(max_pixels=100))
    data = bytearray(path.read_bytes())
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) // 3])
    with pytest.raises(InputError, match=r"cut\.mp4"):
        list(open_clip(tmp_path / "cut.mp4").frames())
    with pytest.raises(InputError, match="No such file"):
        open_clip(tmp_path / "missing.mp4")
    (tmp_path / "coded.mp4").write_bytes(data.replace(b"avc1", b"zzzz"))
    with pytest.raises(InputError, match=r"coded\.mp4: no decoder here knows"):
        open_clip(tmp_path / "coded.mp4")
    with pytest.raises(InputError, match="cannot read"):
        open_moving(f"{'a' * 300}.gif")


# ---- scenes --------------------------------------------------------------------------------------


def test_cuts_are_distinguished_from_movement_and_flashes():
    rng = np.random.default_rng(0)
    one, other = rng.random((2, 48, 64, 3), dtype=np.float32)
    one[:, :32] *= 0.4
    panned = [np.roll(one, 2 * index, axis=1) for index in range(10)]
    assert find_scenes(panned, 2.0) == [(0, 10)]
    cut = [*panned, *(np.clip(0.3 * other + 0.01 * index, 0, 1) for index in range(6))]
    assert find_scenes(cut, 2.0) == [(0, 10), (10, 16)]
    assert find_scenes(cut, 0) == [(0, 16)]
    flash = [*panned[:5], np.ones_like(one), *panned[5:]]
    assert find_scenes(flash, 2.0) == [(0, 11)]
    assert find_scenes([one], 2.0) == [(0, 1)]


def test_lifespans_keep_the_order_of_the_places():
    born = [None, torch.tensor([0, 1, 0]), torch.tensor([0, 1, 0]), torch.tensor([3, 1, 0])]
    keys = [
        Keyframe({"xy": torch.full((2, 3), float(index)) + torch.arange(3) / 10}, since)
        for index, since in enumerate(born)
    ]
    [scene] = make_scenes(keys, 5, 10.0)
    assert scene.times == pytest.approx((0.5, 0.6, 0.7, 0.8))
    assert scene.lifespans.tolist() == [[0, 3, 0, 1, 0], [2, 3, 0, 3, 3]]
    for index, key in enumerate(keys):
        assert torch.equal(scene.tensors_at(scene.times[index])["xy"], key.tensors["xy"])
    still = make_scenes([Keyframe({"xy": torch.zeros(2, 3)})] * 2, 0, 10.0)
    assert still[0].lifespans is None


# ---- motion --------------------------------------------------------------------------------------


def test_the_motion_between_two_frames():
    canvas = Canvas(48, 36)
    frames = torch.from_numpy(np.random.default_rng(0).random((3, 36, 51), np.float32))
    frames = torch.nn.functional.avg_pool2d(frames, 3, 1, 1)
    motion = Motion(frames[:, :, 3:], frames[:, :, :48], canvas)
    found = motion(np.array([[0.0, 0.0], [0.4, -0.3]])) * 36 / 2
    assert torch.allclose(found, torch.tensor([[3.0], [0.0]]), atol=0.2)
    for width, height in ((3, 2), (200, 1)):
        still = torch.zeros(3, height, width)
        assert not Motion(still, still, Canvas(width, height))(np.zeros((1, 2))).any()


def test_motion_does_not_bleed_over_the_edge_of_an_object():
    canvas = Canvas(64, 48)
    still, own = torch.from_numpy(np.random.default_rng(0).random((2, 3, 48, 64), np.float32))
    still, own = (torch.nn.functional.avg_pool2d(each, 3, 1, 1) for each in (still, own))
    frames = []
    for left in (16, 20):
        frames.append(still.clone())
        frames[-1][:, 12:36, left : left + 24] = own[:, 12:36, 16:40]
    flow = Motion(*frames, canvas).flow
    near = np.zeros((48, 64), bool)
    near[8:40, 12:48] = True
    near[8:40, 40:44] = False  # what is hidden in the second frame moves nowhere
    wanted = np.zeros((2, 48, 64))
    wanted[0, 12:36, 16:40] = 4
    assert (np.hypot(*(flow - wanted))[near] > 1).mean() < 0.2


def turned(places: np.ndarray) -> torch.Tensor:
    """A turn by a tenth of a radian, and a step to the right."""
    cosine, sine = np.cos(0.1), np.sin(0.1)
    return torch.from_numpy(
        (places @ [[cosine, sine], [-sine, cosine]] - places + [0.1, 0]).T.astype(np.float32)
    )


def test_parts_are_carried_along():
    rng = torch.Generator().manual_seed(0)
    places = torch.rand(2, 5, generator=rng) - 0.5
    gaussian = default().load("primitive", "gaussian")()
    moved = carry(gaussian, {"xy": places, **splat_rest(5)}, turned)
    assert torch.allclose(moved["xy"], places + turned(places.double().numpy().T))
    triangle = default().load("primitive", "triangle")()
    shapes = {"genes": torch.rand(6, 4, generator=rng), "colour": torch.ones(3, 4)}
    shapes["alpha"] = torch.ones(4)
    corners = shapes["genes"].t().reshape(-1, 2).double().numpy()
    moved = carry(triangle, shapes, turned)["genes"].t().reshape(-1, 2)
    assert torch.allclose(
        moved.double(), torch.from_numpy(corners) + turned(corners).t(), atol=1e-4
    )
    siren = default().load("primitive", "siren")()
    assert carry(siren, shapes, turned) is shapes


def splat_rest(count: int) -> dict[str, torch.Tensor]:
    colours = {"colour": torch.zeros(3, count)}
    return {"scale": torch.ones(2, count), "angle": torch.zeros(count), **colours}


@pytest.mark.parametrize(("primitive", "count"), [("gaussian", 60), ("triangle", 30)])
def test_carried_parts_fit_what_jumps_better(primitive, count):
    psnr = []
    for motion in ("flow", "extrapolate"):
        asked = recipe(
            "sample:clip-balls?n=3&speed=2",
            target={"size": 40},
            primitive={"name": primitive, "count": count},
            stage=[{"steps": 40}],
            # Small rates, so that what counts is where parts were carried to.
            clip={"steps": 2, "motion": motion, "renew": 0.0, "rate": 0.15, "final": 1.0},
        )
        psnr.append(run(asked, default()).summary["psnr"])
    assert psnr[0] > psnr[1] + 0.3, psnr


def test_a_shape_that_left_is_replaced_where_the_error_is():
    triangle = default().load("primitive", "triangle")()
    goal = torch.zeros(3, 24, 24)
    goal[:, 4:20, 4:12] = 1
    genes = torch.tensor([[-0.7, -0.7, 0.0, -0.7, -0.7, 0.7], [3.0, 3.0, 4.0, 3.0, 3.0, 4.0]]).t()
    tensors = {"genes": genes.contiguous(), "colour": torch.ones(3, 2), "alpha": torch.ones(2)}
    drawing, loss = (
        Drawing("triangle", {}, tensors, 24, 24),
        parse_loss("mse", lambda _: mse, ["mse"]),
    )
    engine = ClimbEngine()
    engine.start(Problem(triangle, drawing, goal, loss, 2, seed=1, count=2, options={"alpha": 1.0}))
    before = engine.report().loss
    assert engine.renew(1).tolist() == [False, True]
    assert engine.report().loss < 0.8 * before
    assert torch.equal(engine.drawing(best=False).tensors["genes"][:, 0], genes[:, 0])


def test_splats_that_are_hidden_begin_again_where_the_error_is():
    gaussian = default().load("primitive", "gaussian")()
    places = torch.tensor([[-0.5, 0.5, 0.5], [-0.5, -0.5, 0.5]])
    tensors = {"xy": places, **splat_rest(3)}
    tensors |= {"scale": torch.full((2, 3), 0.1), "colour": torch.ones(3, 3)}
    drawing = Drawing("gaussian", {}, tensors, 24, 24)
    shown = draw(drawing, gaussian)
    # The second one is hidden now, and something else is at the lower left.
    changed = {**tensors, "xy": torch.tensor([[-0.5, -0.5, 0.5], [-0.5, 0.5, 0.5]])}
    goal = draw(dataclasses.replace(drawing, tensors=changed), gaussian)
    loss = parse_loss("mse", lambda _: mse, ["mse"])
    for target, renewed in ((shown, False), (goal, True)):
        engine = GradientEngine()
        engine.start(Problem(gaussian, drawing, target, loss, 2, seed=1, count=3))
        assert engine.renew(2).tolist() == [False, renewed, False]
    moved = engine.drawing(best=False).tensors["xy"]
    assert (moved[:, 1] - torch.tensor([-0.5, 0.5])).abs().max() < 0.4
    assert torch.equal(moved[:, ::2], places[:, ::2])


def test_shapes_that_are_replaced_begin_another_life_and_resume(tmp_path):
    asked = recipe(
        "sample:clip-balls?n=4&speed=3",
        primitive={"name": "triangle", "count": 8},
        clip={"steps": 3, "renew": 0.3},
        run={"backend": "compiled"},
    )
    whole = run(asked, default())
    [scene] = whole.art.film.scenes
    assert scene.lifespans is not None
    assert scene.lifespans.shape[1] > 8
    stop = StopAfter(2)
    run(asked, default(), out=tmp_path, name="c", observers=[stop], control=stop)
    again = run(asked, default(), out=tmp_path, name="c", resume=True)
    assert again.art.to_bytes() == whole.art.to_bytes()


def test_recipes_of_before_there_was_motion_are_repeated():
    old = {
        "schema": 1,
        "target": {"source": "sample:clip?n=4", "sha256": "0" * 64},
        "primitive": {"name": "triangle", "count": 5},
        "stage": [{"engine": "climb", "steps": 9}],
        "clip": {"steps": 5, "steady": 0.2, "renew": 0.01, "cut": 2.0, "side_by_side": False},
    }
    for schema in (1, 2):
        read = Recipe.from_dict(old | {"schema": schema})
        assert (read.clip.motion, read.clip.engine) == ("extrapolate", "climb")
        assert read.target.source == "sample:clip?n=4&pan=0.04&turn=2.5"
        assert Recipe.from_dict(read.to_dict()) == read
    written = Recipe.from_dict(old | {"schema": 2, "clip": {"steps": 5}})
    assert (written.clip.motion, written.clip.engine) == ("flow", None)


def test_recipes_of_before_rates_fell_in_each_frame_are_repeated():
    old = recipe(stage=[{"engine": "gradient", "steps": 9}]).to_dict()
    old["target"]["sha256"] = "0" * 64
    old["clip"] = {"motion": "flow", "engine": "gradient", "steps": 5, "steady": 0.2}
    read = Recipe.from_dict(old)
    assert (read.clip.rate, read.clip.final, read.clip.stretch) == (0.15, 1.0, 1.0)
    assert Recipe.from_dict(read.to_dict()) == read
    plan = plan_clip(resolve(recipe(), default(), Canvas(24, 16)))
    kept = plan.recipe.clip
    assert (kept.rate, kept.final, kept.stretch) == (0.5, 0.6, 5.0)
    assert following_stage(plan_clip(plan)) == following_stage(plan)


# ---- fitting -------------------------------------------------------------------------------------


def test_a_clip_becomes_a_film(tmp_path):
    outcome = run(recipe(clip={"side_by_side": True}), default(), out=tmp_path, name="c")
    film = artgen.load(tmp_path / "c.art").film
    assert (film.keyframes, film.fps, film.duration) == (6, 24, 0.25)
    assert len(film.scenes) == 2
    assert [time for scene in film.scenes for time in scene.times] == pytest.approx(
        [index / 24 for index in range(6)]
    )
    summary = json.loads((tmp_path / "c.json").read_text())
    assert summary["clip"].items() >= {"frames": 6, "scenes": 2, "fps": 24.0}.items()
    assert summary["clip"]["psnr_min"] <= summary["psnr"]
    assert summary["steps"] == 2 * 12 + 4 * 4
    assert summary["outputs"]["side_by_side"] == "c-side-by-side.mp4"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("c-side-by-side.mp4", "c.art", "c.json", "c.mp4", "c.png")
    ]
    shown = list(open_clip(tmp_path / "c.mp4").frames())
    assert len(shown) == 6
    drawn = list(outcome.art.frames())
    # H.264 halves the resolution of colours, which takes 3 levels of pictures this small and loud.
    frame = shown[3].pixels.astype(int)
    assert np.abs(frame - drawn[3]).mean() < 10 < np.abs(frame - drawn[2]).mean() / 3


def test_the_video_side_by_side_is_an_output_like_the_others(tmp_path):
    asked = recipe(clip={"side_by_side": True})
    beside = tmp_path / "c-side-by-side.mp4"
    beside.write_bytes(b"mine")
    with pytest.raises(UsageError, match=r"side-by-side\.mp4 exists"):
        run(asked, default(), out=tmp_path, name="c")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"mine"]
    # Far away it has to be known too, to be brought home.
    task = Run("c", asked, folder=tmp_path)
    assert task.places(asked)["side_by_side"] == beside
    assert "side_by_side" not in task.places(recipe())


def test_a_clip_that_stands_still_gets_better_and_does_not_flicker(tmp_path):
    save_animation(tmp_path / "still.webp", moving(1) * 6, lossless=True)
    # Pillow joins equal frames.
    for index, frame in enumerate(moving(1) * 5):
        Image.fromarray(frame).save(tmp_path / f"{index}.png")
    psnr = []

    def observe(event):
        if isinstance(event, artgen.events.Evaluated):
            psnr.append(event.psnr)

    run(
        recipe(
            f"frames:{tmp_path}",
            # Of so few steps the last have no new parts, so that these settle.
            stage=[{"steps": 12, "every": 0.05, "until": 0.5}],
            clip={"steps": 6},
            primitive={"name": "gaussian", "count": 12},
        ),
        default(),
        out=tmp_path / "out",
        name="c",
        observers=[observe],
    )
    assert psnr[-1] > psnr[-5]
    flicker = json.loads((tmp_path / "out" / "c.json").read_text())["clip"]["flicker"]
    assert flicker < 1e-3


def test_what_is_said_of_a_frame_counts_its_mask_alone(tmp_path):
    """Of the first frame that was so, of those that follow what the mask hides counted too.

    So it did in the end, and in how many steps a frame took.
    """
    mask = np.zeros((24, 32), np.uint8)
    mask[:, :16] = 255
    (tmp_path / "frames").mkdir()
    Image.fromarray(mask).save(tmp_path / "mask.png")
    for number in range(2):
        frame = np.full((24, 32, 3), 128, np.uint8)
        frame[:, 16:] = 255 * number
        Image.fromarray(frame).save(tmp_path / "frames" / f"{number}.png")
    told = []
    target = {"source": f"frames:{tmp_path}/frames", "mask": {"name": str(tmp_path / "mask.png")}}
    asked = recipe(
        target={**target, "size": 32},
        stage=[{"steps": 60}],
        clip={"cut": 0.0, "motion": "extrapolate"},
    )
    summary = run(asked, default(), observers=[told.append]).summary
    *_, first, second = [each.psnr for each in told if isinstance(each, Evaluated)]
    assert min(first, second) > 20
    assert summary["clip"]["psnr_min"] > 20
    assert summary["clip"]["flicker"] < 0.02
    assert summary["steps"] == 60 + summary["recipe"]["clip"]["steps"]


def test_parts_keep_their_places(tmp_path):
    art = artgen.fit("sample:clip?n=6", count=20, steps=10, size=32, seed=1, backend="eager")
    [scene, _] = art.film.scenes
    spacing = 2 / 20**0.5
    moved = (scene.tensors["xy"][1] - scene.tensors["xy"][0]).norm(dim=0)
    assert moved.median() < spacing / 2
    assert moved.max() > 0


def test_shapes_follow(tmp_path):
    art = artgen.fit("sample:clip?n=6", "triangle", count=6, steps=12, size=24, seed=1)
    assert art.recipe.clip.engine == "gradient"
    genes = art.film.scenes[0].tensors["genes"]
    assert genes.shape[:2] == (3, 6)
    assert (genes[1] - genes[0]).abs().max() > 0


def test_more_steps_are_more_passes_over_the_shapes(tmp_path):
    found = []
    for steps in (6, 18):
        asked = recipe(
            primitive={"name": "triangle", "count": 6},
            stage=[{"steps": 12}],
            clip={"steps": steps, "engine": "climb"},
        )
        found.append(run(asked, default()).summary)
    assert found[1]["psnr"] > found[0]["psnr"]
    assert found[1]["steps"] > found[0]["steps"]


@pytest.mark.parametrize(
    ("tables", "usual", "other"),
    [
        ({"stage": [{"rate": 2.0}]}, (0.5 * 2, "cosine", 0.6), 0.3 * 2),
        (
            {"primitive": {"name": "triangle"}, "stage": [{"engine": "climb"}]},
            (0.45, "constant", None),
            0.3,
        ),
    ],
)
def test_rates_of_a_frame(tables, usual, other):
    def options(**clip):
        asked = changed(recipe(), {**tables, "clip": clip})
        plan = plan_clip(resolve(asked, default(), Canvas(24, 16)))
        return following_stage(plan).options

    given = options()
    rate, schedule, final = usual
    assert (given["rate"], given["schedule"]) == (pytest.approx(rate), schedule)
    assert given.get("final") == final
    assert options(rate=0.3) == {**given, "rate": pytest.approx(other)}
    assert options(final=0.5) == {**given, "schedule": "cosine", "final": 0.5}


def test_a_clip_at_a_rate_of_nothing_stands_still():
    """It was divided by the rate of the first frame."""
    asked = changed(recipe(), {"stage": [{"rate": 0.0}]})
    plan = plan_clip(resolve(asked, default(), Canvas(24, 16)))
    assert plan.recipe.clip.rate == following_stage(plan).options["rate"] == 0


def test_a_frame_takes_more_steps_where_motion_did_not_carry_its_parts(tmp_path):
    """A square is there from the second frame on."""
    plain = np.full((24, 32, 3), 128, np.uint8)
    square = plain.copy()
    square[8:16, 8:16] = 255
    for number, frame in enumerate([plain, square, square]):
        Image.fromarray(frame).save(tmp_path / f"{number}.png")

    def steps(**clip):
        asked = recipe(f"frames:{tmp_path}", clip={"steps": 4, "cut": 0.0, **clip})
        return run(asked, default()).summary["steps"] - 12

    assert steps(stretch=1.0) == 4 + 4
    assert steps(stretch=1.5) == 6 + 4
    assert steps() == 20 + 4


def test_steps_beyond_those_planned_are_counted(tmp_path):
    """All steps were said to be done while frames that need more of them took them."""
    first, second = np.zeros((24, 32, 3), np.uint8), np.full((24, 32, 3), 200, np.uint8)
    first[:, ::4], second[::4] = 90, (255, 160, 0)
    pictures = [each.copy() for each in (first, first, second, second)]
    for square in pictures[1], pictures[3]:
        square[8:16, 8:16] = 255 - square[8:16, 8:16]
    for number, frame in enumerate(pictures):
        Image.fromarray(frame).save(tmp_path / f"{number}.png")
    seen: list[tuple[int, int]] = []
    seconds: list[float] = []

    def watch(event: object) -> None:
        if isinstance(event, Advanced | Evaluated):
            seen.append((event.step, event.total_steps))
            seconds.append(event.seconds)

    asked = recipe(f"frames:{tmp_path}", clip={"steps": 4})
    done = run(asked, default(), observers=[watch])
    assert len(done.art.film.scenes) == 2
    assert done.summary["steps"] > 2 * (12 + 4)
    assert seen == sorted(seen)
    assert seen[0][1] == 2 * (12 + 4)
    assert seen[-1] == (done.summary["steps"], done.summary["steps"])
    # Those of the second scene began anew, so that steps per second were too many.
    assert seconds == sorted(seconds)
    assert seconds[-1] == pytest.approx(done.summary["seconds"], abs=1e-3)


def test_a_field_follows(tmp_path):
    options = {"engine_options": {"batch": 256}, "hidden": 8}
    art = artgen.fit("sample:clip?n=6", "siren", steps=20, size=24, seed=1, **options)
    assert art.film.keyframes == 6
    assert art.film.scenes[0].lifespans is None


class StopAfter(RunControl):
    """Stops a run after so many pictures."""

    def __init__(self, pictures: int) -> None:
        super().__init__()
        self.left = pictures

    def __call__(self, event: object) -> None:
        if isinstance(event, PreviewDrawn):
            self.left -= 1
            if self.left <= 0:
                self.request_stop()


@pytest.mark.parametrize("pictures", [2, 4])
def test_a_resumed_clip_is_the_same(tmp_path, pictures):
    asked = recipe("sample:clip?n=8")
    whole = run(asked, default(), out=tmp_path / "whole", name="c")
    stop = StopAfter(pictures)
    partial = run(
        *(asked, default()), out=tmp_path / "part", name="c", observers=[stop], control=stop
    )
    assert isinstance(partial.error, Interrupted)
    assert 0 < partial.art.film.keyframes < 8
    assert partial.summary["stopped_by"] == "interrupted"
    again = run(asked, default(), out=tmp_path / "part", name="c", resume=True)
    assert again.error is None
    for suffix in ("art", "png", "mp4"):
        one, other = (tmp_path / where / f"c.{suffix}" for where in ("whole", "part"))
        assert one.read_bytes() == other.read_bytes(), suffix
    assert again.summary["steps"] == whole.summary["steps"]
    assert not (tmp_path / "part" / "c.run").exists()


def test_a_clip_stopped_in_its_first_fit_goes_on_there(tmp_path):
    asked = recipe("sample:clip?n=3")
    stop, logs = RunControl(), [tmp_path / "part.jsonl", tmp_path / "whole.jsonl"]

    def watch(event: object) -> None:
        if isinstance(event, Evaluated) and event.step >= 4:
            stop.request_stop()

    part = {"out": tmp_path / "part", "name": "c", "log": logs[0]}
    partial = run(asked, default(), observers=[watch], control=stop, **part)
    assert partial.art.film.keyframes == 1
    again = run(asked, default(), resume=True, **part)
    whole = run(asked, default(), out=tmp_path / "whole", name="c", log=logs[1])
    assert again.art.to_bytes() == whole.art.to_bytes()
    # What was evaluated before the stop was lost: the log went on from the keys alone.
    steps = [[json.loads(line)["step"] for line in log.read_text().splitlines()] for log in logs]
    assert steps[0] == steps[1]


def test_scenes_in_other_processes_give_the_same_bytes(tmp_path):
    from artgen.runs import Elsewhere
    from artgen.tasks import ProcessExecutor

    asked = recipe("sample:clip?n=6")
    run(asked, default(), out=tmp_path / "here", name="c")
    run(
        asked,
        Registry(),
        out=tmp_path / "there",
        name="c",
        elsewhere=Elsewhere(ProcessExecutor(2)),
    )
    for suffix in ("art", "png", "mp4"):
        one, other = (tmp_path / where / f"c.{suffix}" for where in ("here", "there"))
        assert one.read_bytes() == other.read_bytes(), suffix


def test_what_is_judged_before_the_first_step_does_not_count_for_the_scene_before():
    """All scenes but the last seemed done at once."""
    told: list[object] = []
    observe = StepSum(RunContext("c", told.append), [0, 10, 20], 30, time.perf_counter())
    for step in (0, 10, 20):
        observe(Evaluated("c", step, 30, 0.1, 20.0, 0.0))
    for step in (12, 3):
        observe(Advanced("c", step, 30, 0.0))
    observe(Evaluated("c", 6, 30, 0.1, 20.0, 0.0))
    for step in (10, 20):
        observe(Advanced("c", step, 30, 0.0))
    assert [event.step for event in told] == [0, 0, 0, 2, 5, 8, 12, 20]
    assert {event.total_steps for event in told} == {30}
    observe(Advanced("c", 27, 32, 0.0))  # a frame takes more than is planned
    observe(Advanced("c", 20, 31, 0.0))
    assert [(event.step, event.total_steps) for event in told[-2:]] == [(27, 32), (27, 33)]


class Far:
    """Another machine: tasks get copies of their files in a folder that is gone afterwards.

    Scenes are begun in the wrong order. Those whose stems are in `lost` were interrupted.
    """

    number = 1

    def __init__(self, folder, lost=()):
        self.folder, self.lost = folder, lost

    def run(self, work, tasks, observe, control):
        from artgen.tasks import pack, read_files, store_files, unpack

        for task in reversed(tasks):
            home = self.folder / task.stem
            packed = pack(task, read_files)
            left = {name: path.read_bytes() for name, path in task.resume_files().items()}
            store_files(home / "work", left)
            stop = RunControl()
            if task.stem in self.lost:
                stop.request_stop()
            yield task, work(unpack(packed, home).task, observe, stop)
            shutil.rmtree(home)


class Idle:
    """Every scene ends before it has a key."""

    number = 1

    def run(self, work, tasks, observe, control):
        yield from ((task, FittedScene(0)) for task in tasks)


def test_scenes_without_a_key_add_no_steps(tmp_path, monkeypatch):
    from artgen.runs import Elsewhere

    monkeypatch.chdir(tmp_path)
    save_animation(tmp_path / "cut.gif", [*moving(3), *(255 - picture for picture in moving(3))])
    events, elsewhere = [], Elsewhere(Idle())
    with pytest.raises(Interrupted, match="before anything could be saved"):
        run(recipe("cut.gif"), default(), elsewhere=elsewhere, observers=[events.append])
    assert not any(event.step for event in events if isinstance(event, Advanced))


def test_scenes_on_other_machines_give_the_same_bytes_and_go_on_here(tmp_path, monkeypatch):
    from artgen.runs import Elsewhere

    monkeypatch.chdir(tmp_path)
    save_animation(tmp_path / "cut.gif", [*moving(3), *(255 - picture for picture in moving(3))])
    asked = recipe("cut.gif")
    whole = run(asked, default(), out=tmp_path / "here", name="c")
    assert whole.summary["clip"]["scenes"] == 2
    seen = []
    far = Elsewhere(Far(tmp_path / "far"))
    run(asked, default(), out=tmp_path / "there", name="c", elsewhere=far, observers=[seen.append])
    steps = [event.step for event in seen if isinstance(event, Advanced)]
    assert steps == sorted(steps)
    assert steps[-1] == whole.summary["steps"]
    far = Elsewhere(Far(tmp_path / "far", lost=["c-001"]))
    part = run(asked, default(), out=tmp_path / "part", name="c", elsewhere=far)
    assert isinstance(part.error, Interrupted)
    assert part.art.film.keyframes == 3
    assert (tmp_path / "part/c.run/scenes/001/first/checkpoint.safetensors").exists()
    assert run(asked, default(), out=tmp_path / "part", name="c", resume=True).error is None
    for suffix in ("art", "png", "mp4"):
        files = [tmp_path / where / f"c.{suffix}" for where in ("here", "there", "part")]
        assert len({file.read_bytes() for file in files}) == 1, suffix


# ---- what does not go together -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tables", "reason"),
    [
        ({"stage": [{"time": 1.0}, {"steps": 3}]}, "time for some"),
        ({"primitive": {"count": "auto"}}, "auto"),
        ({"output": {"fps": 12}}, "rate"),
        ({"primitive": {"name": "voronoi", "count": 5}}, "genetic"),
        ({"target": {"source": "sample:cat"}}, "is not a clip"),
        ({"primitive": {"name": "pca", "count": None}}, "pca"),
        ({"clip": {"engine": "climb"}}, "climb does not follow gradient"),
        (
            {
                "primitive": {"name": "triangle"},
                "stage": [{"engine": "climb"}],
                "clip": {"engine": "climb", "rate": 0.1},
            },
            "climb has no learning rates",
        ),
    ],
)
def test_refusals(tables, reason):
    with pytest.raises(UsageError, match=reason):
        run(changed(recipe(), tables), default())


def test_the_files_of_a_recipe_are_in_any_folder(tmp_path, monkeypatch):
    """Scenes looked for them without their folders: a picture of a loss was found where it lay
    beside the clip alone, and masks were by `-j`."""
    monkeypatch.chdir(tmp_path)
    Path("woods").mkdir()
    save_photo(Path("woods"))
    stage = {"steps": 1, "loss": "mse+0.1*texture:woods/photo.png"}
    art = run(recipe("sample:clip?n=1", stage=[stage]), default()).art
    assert art.recipe.stage[0].loss_files[0].name == "photo.png"


def test_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small = ["--size", "24", "-n", "8", "--steps", "4", "--seed", "1", "--backend", "eager", "-q"]
    save_animation(tmp_path / "walk.gif", moving(3))
    assert main(["fit", "walk.gif", *small, "--set", "clip.steps=2", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["clip"]["frames"] == 3
    assert summary["recipe"]["clip"]["steps"] == 2
    again = ["fit", "--recipe", "artgen-out/walk-gaussian.art", "--out", "again", "-q"]
    assert main(again) == 0
    one, other = (Path(out) / "walk-gaussian.art" for out in ("artgen-out", "again"))
    assert one.read_bytes() == other.read_bytes()
    assert main(["fit", "walk.gif", *small, "--set", "clip.pace=2", "--overwrite"]) != 0
    # Elsewhere a clip is its first frame.
    assert main(["compare", "walk.gif", "-p", "gaussian:count=4", "--steps", "2", "-q"]) == 0


def test_a_folder_of_frames_is_resumed_from_where_it_is(tmp_path, monkeypatch):
    shots = tmp_path / "shots"
    shots.mkdir()
    for index, frame in enumerate(moving(3)):
        Image.fromarray(frame).save(shots / f"{index}.png")
    monkeypatch.chdir(tmp_path)
    command = ["fit", f"frames:{shots}?fps=5", "--size", "24", "-n", "8", "--backend", "eager"]
    stop = StopAfter(1)
    asked = changed(recipe(f"frames:{shots}?fps=5"), {"primitive": {"count": 8}})
    asked = changed(asked, {"target": {"size": 24}})
    run(
        *(asked, default()),
        out=Path("artgen-out"),
        observers=[stop],
        control=stop,
    )
    assert Path("artgen-out/shots-gaussian.run").exists()
    assert main([*command, "--resume", "-q"]) == 0
    assert artgen.load("artgen-out/shots-gaussian.art").film.fps == 5


def test_a_form_of_film_moves_as_the_clip_does(tmp_path, monkeypatch, capsys):
    """Half of the frames were doubles, and the target stood still beside the film."""
    monkeypatch.chdir(tmp_path)
    write_video(Path("walk.mp4"), moving(4), fps=12)
    small = ["-n", "4", "--size", "16", "--steps", "2", "--backend", "eager", "-q"]
    assert main(["fit", "walk.mp4", *small, "--film", "centres", "--name", "a"]) == 0
    assert main(["render", "artgen-out/a.art", "--film", "centres", "-o", "b.webm", "-q"]) == 0
    for file in ("artgen-out/a.mp4", "b.webm"):
        assert (open_clip(Path(file)).fps, len(video_frames(Path(file)))) == (12, 4)
    for command in (["fit", "walk.mp4", *small], ["render", "artgen-out/a.art", "-o", "c.mp4"]):
        capsys.readouterr()
        assert main([*command, "--film", "wipe"]) == 2
        assert "--film wipe shows one picture, and the target is a clip" in capsys.readouterr().err
    request = ExportRequest(film="side-by-side", photo=Image.new("RGB", (8, 6)))
    with pytest.raises(UsageError, match="the target is a clip"):
        export_mp4(artgen.load("artgen-out/a.art"), request)


def test_one_fit_opens_its_clip_once(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_animation(tmp_path / "walk.gif", moving(3))
    calls = Counter()

    def counted(module, name):
        function = getattr(module, name)

        def call(*arguments, **keywords):
            calls[name] += 1
            return function(*arguments, **keywords)

        monkeypatch.setattr(module, name, call)

    counted(clip_module, "make_clip")
    counted(target_module, "file_hash")
    for name in ("is_animated", "animation_rate", "animation_frames"):
        counted(animation_module, name)
    small = ["-n", "4", "--size", "16", "--steps", "2", "--backend", "eager", "-q"]
    assert main(["fit", "walk.gif", *small]) == 0
    assert calls.pop("animation_frames") <= 4  # for the first frame, the cuts, the fit, the metrics
    assert calls == {"is_animated": 1, "file_hash": 1, "animation_rate": 1, "make_clip": 1}
