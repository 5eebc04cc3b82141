"""Views of parts before they are drawn: a cloud from its sides, pieces that lie in two ways."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import video_frames
from PIL import Image, ImageDraw

import artgen
from artgen.cli import main
from artgen.errors import PluginError
from artgen.family import posed
from artgen.losses import Pose, View, Views, Way, mse
from artgen_plugins.cloud import Cloud
from artgen_plugins.shard import Shard, _paired

SIZE = 48


def save(folder: Path, name: str, *boxes: tuple[int, int, int, int]) -> Path:
    """A white picture with black boxes, as large as the tests' fits."""
    picture = Image.new("RGB", (SIZE, SIZE), "white")
    for box in boxes:
        ImageDraw.Draw(picture).rectangle(box, "black")
    picture.save(folder / name)
    return folder / name


def read(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[Path, Path]:
    """A bar on the left, and another one on the right that is as high."""
    return save(tmp_path, "a.png", (4, 6, 14, 41)), save(tmp_path, "b.png", (26, 6, 43, 41))


def mapped(primitive, count=5):
    context = artgen.init.Context(torch.Generator().manual_seed(1), artgen.Canvas(8, 8), count)
    return primitive.initial(context)


@pytest.mark.parametrize("make", [Cloud, Shard])
def test_parts_as_they_are_are_those_of_pose_0(make):
    primitive = make()
    tensors = mapped(primitive)
    for name, tensor in posed(primitive, tensors, 0.0).items():
        assert torch.equal(tensor, tensors[name])


def test_a_cloud_is_turned_and_shards_go_their_way():
    tensors = mapped(Cloud())
    (x, y), depth = tensors["xy"], tensors["depth"]
    side = posed(Cloud(), tensors, 90.0)
    torch.testing.assert_close(side["xy"], torch.stack([depth, y]))
    behind = posed(Cloud(), side, 90.0)
    torch.testing.assert_close(behind["xy"], torch.stack([-x, y]))
    lying = mapped(Shard())
    there = posed(Shard(), lying, 1.0)
    assert torch.equal(there["xy"], lying["xy2"])
    assert torch.equal(there["colour"], lying["colour"])
    torch.testing.assert_close(
        posed(Shard(), lying, 0.5)["angle"], (lying["angle"] + lying["angle2"]) / 2
    )


def test_both_pictures_of_shards_are_moved_and_turned():
    """The second stayed where it was, and each of its pieces turned on the spot."""
    lying, by = mapped(Shard()), torch.tensor([[0.5], [-0.25]])
    moved = artgen.family.move(Shard(), lying, by)
    quarter = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
    turned = artgen.family.transform(Shard(), lying, quarter, by[:, 0])
    for pose, name in ((0.0, "xy"), (1.0, "xy2")):
        torch.testing.assert_close(posed(Shard(), moved, pose)["xy"], lying[name] + by)
        there = posed(Shard(), turned, pose)
        torch.testing.assert_close(there["xy"], quarter @ lying[name] + by)
        before = posed(Shard(), lying, pose)["angle"]
        torch.testing.assert_close(
            torch.cos(there["angle"] - before - math.pi / 2), torch.ones(5), atol=1e-4, rtol=0
        )


def test_many_shards_are_paired_in_groups(monkeypatch):
    """All were compared with all: 200,000 would have taken 160 GB."""
    first, second = torch.rand(2, 3, 50, generator=torch.Generator().manual_seed(0))
    best = _paired(first, second)
    monkeypatch.setattr("artgen_plugins.shard.TOGETHER", 8)
    found = _paired(first, second)
    assert found.sort().values.tolist() == list(range(50))
    apart, least = ((first - second[:, own]).square().sum() for own in (found, best))
    assert least <= apart < 0.5 * (first - second).square().sum()


@pytest.mark.parametrize(
    ("laid", "words"),
    [
        (None, "returned NoneType"),
        ({"xy": torch.zeros(2, 1)}, r"returned \['xy'\], not \['colour'"),
    ],
)
def test_a_view_that_lays_no_parts_is_named(laid, words):
    pose = Pose((("bad", Way(parts=lambda *_: laid), ""),))
    with pytest.raises(PluginError, match=rf"view 'bad'.*{words}"):
        pose(Cloud(), {"xy": torch.zeros(2, 1), "colour": torch.zeros(3, 1)})


def test_a_loss_of_views_takes_the_picture_of_each_pose():
    a, b = torch.rand(2, 3, 4, 5).unbind()
    views = Views((View("plain", a), View("pose=90,mirror", b)), mse)
    asked = [[(name, value) for name, _, value in pose.ways] for pose in views.poses]
    assert asked == [[], [("pose", "90")]]
    both = torch.cat([a, b.flip(2)])
    assert views.psnr(both) == [100, pytest.approx(100, abs=1e-6)]
    assert float(views(both, a, None)) == pytest.approx(0, abs=1e-9)
    assert views.psnr(torch.cat([a, b]))[1] < 30
    assert views.goals == {}  # A goal that is seen in a mirror is not where parts lie.


# Each has kernels of its own, for seven seconds.
@pytest.mark.parametrize(
    ("primitive", "pose", "count"),
    [("cloud", 90, 300), pytest.param("shard", 1, 24, marks=pytest.mark.nightly)],
)
def test_one_drawing_shows_both(primitive, pose, count, pictures, tmp_path):
    a, b = pictures
    art = artgen.fit(
        a, primitive, view=[f"pose={pose}:{b}"], count=count, size=SIZE, steps=60, seed=1
    )
    plain, other = art.metrics["views"]
    assert min(plain["psnr"], other["psnr"]) > 11
    assert plain["bound"] is None
    # Neither is seen in the other pose: the bars do not overlap.
    goals = [read(path) / 255 for path in pictures]
    shown = art.render() / 255
    assert ((shown - goals[0]) ** 2).mean() < 0.3 * ((shown - goals[1]) ** 2).mean()


def test_a_sheet_and_a_film_turn_it(pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flags = ["-p", "cloud", "-n", "200", "--size", str(SIZE), "--steps", "8", "--seed", "1"]
    fit = ["fit", "a.png", *flags, "--view", "pose=90:b.png", "-q", "--film", "views"]
    assert main([*fit, "--video-seconds", "2"]) == 0
    summary = json.loads(Path("artgen-out/a-cloud.json").read_text())
    assert [each["how"] for each in summary["views"]] == ["plain", "pose=90"]
    frames = video_frames(Path("artgen-out/a-cloud.mp4"))
    first, middle = frames[0].astype(float), frames[len(frames) // 2].astype(float)
    size = first.shape[1], first.shape[0]
    large = [np.asarray(Image.fromarray(read(path)).resize(size), float) for path in pictures]
    assert np.abs(first - large[0]).mean() < np.abs(first - large[1]).mean()
    assert np.abs(middle - large[1]).mean() < np.abs(middle - large[0]).mean()
    assert main(["render", "artgen-out/a-cloud.art", "-o", "sheet.png", "--film", "views"]) == 0
    with Image.open("sheet.png") as sheet:
        assert sheet.width > 2 * SIZE


def test_a_killed_fit_goes_on_to_the_same_bytes(pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flags = ["-p", "shard", "-n", "9", "--size", "24", "--seed", "1", "--no-video", "-q"]
    # Compiled kernels of shards are for the night, those of clouds are tried above.
    fit = ["fit", "a.png", *flags, "--backend", "eager", "--view", "pose=1:b.png"]
    assert main([*fit, "--steps", "12"]) == 0
    [still] = Path("artgen-out").glob("*.png")
    assert main(["fit", "--recipe", str(still), "--out", "again", "-q"]) == 0
    assert next(Path("again").glob("*.png")).read_bytes() == still.read_bytes()


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["-p", "gaussian", "--view", "pose=1:b.png"], "one pose alone"),
        (["-p", "triangle", "--view", "pose=1:b.png"], "one pose alone"),
        (["-p", "cloud", "--view", "pose=90"], "as they are"),
        (["-p", "cloud", "--view", "pose:b.png"], "a number"),
        (["-p", "cloud", "--view", "turn=180,pose=90:b.png"], "comes first"),
        (["-p", "shard", "-e", "evolve", "--view", "pose=1:b.png"], "evolve"),
    ],
)
def test_what_has_no_poses_is_refused(flags, says, pictures, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["fit", "a.png", *flags, "--steps", "4", "-n", "4"]) in (2, 4)
    assert says in capsys.readouterr().err
    assert not list(tmp_path.glob("artgen-out/*.art"))
