"""Places and walks in latent space, metrics about codecs, and comparisons of them, to the files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import artgen
from artgen.animation.forms import Shot, form_frames
from artgen.cli import main
from artgen.errors import UsageError
from artgen.events import Advanced
from artgen.families.codec.plots import CODEC_PLOTS
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs import run
from artgen.targets import set_from_arrays
from artgen.values.frame import Frame
from artgen_plugins.atlas import Flat, _crisp

DIGITS = "sample:digits?n=240"


@pytest.fixture(scope="module")
def art():
    return artgen.fit(DIGITS, "pca", count=8, seed=0, threads=1)


@pytest.fixture(scope="module")
def space(art):
    return art.latent_space()


@pytest.fixture
def place(art, tmp_path, monkeypatch):
    """An empty folder with the codec in it."""
    monkeypatch.chdir(tmp_path)
    art.save("digits.art")
    return tmp_path


def printed(capsys, *arguments: str, expect: int = 0):
    code = main([*arguments, "--json", "-q"])
    data = json.loads(capsys.readouterr().out)
    assert code == expect, data
    return data


def test_an_atlas_shows_decoded_pictures_that_become_their_neighbours(art, space):
    def cells(sheet):
        """The middles of pictures of 28 pixels, with 2 between them, within a border of 7."""
        return sheet[6:-6, 6:-6].reshape(-1, 30, 4, 30, 3).swapaxes(1, 2)[:, :, 5:25, 5:25]

    shown = [*form_frames("atlas=4x4", Shot(art, Frame(132), 2.0), 6).frames]
    assert len({each.tobytes() for each in shown}) == 12
    numbers = [4 * row + (column + row) % 4 for row in range(4) for column in range(4)]
    drawn = space.draw(space.latents[numbers], space.labels[numbers])[:, 4:24, 4:24]
    first = cells(shown[0])
    assert np.abs(first.reshape(16, 20, 20, 3).astype(int) - drawn).max() <= 1
    # Half a second later each is what was to its right, and the last of a row the first.
    assert np.abs(cells(shown[3]).astype(int) - np.roll(first, -1, 1)).max() <= 1
    # Ten digits just fill three rows: each is there once, in order, the last two in the middle.
    ordered, *_ = form_frames("atlas=4x3", Shot(art, Frame(132), 2.0), 1).frames
    drawn = space.draw(space.latents[:10], space.labels[:10])[:, 4:24, 4:24]
    assert np.abs(cells(ordered)[:2].reshape(8, 20, 20, 3).astype(int) - drawn[:8]).max() <= 1
    middle = cells(np.roll(ordered, -30, 1))[2]
    assert np.abs(middle[:2].astype(int) - drawn[8:]).max() <= 1
    assert not cells(ordered)[2, (0, 3), :, 5:15].any()
    # In colours alone, which are sharp: black letters on white where they were white on black.
    flat, *_ = form_frames("atlas=4x3:white,black", Shot(art, Frame(264), 2.0), 1).frames
    assert (np.isin(flat, (0, 255)).all(2).mean()) > 0.8
    assert flat[:6].min() == 255
    for film in ("atlas=4x3:2:#ff0000", "atlas=4x3::#ff0000"):
        other, *_ = form_frames(film, Shot(art, Frame(132), 2.0), 1).frames
        np.testing.assert_array_equal(other[0, 0], (255, 0, 0))
    close, *_ = form_frames("atlas=4x2,0", Shot(art, Frame(112), 2.0), 1).frames
    drawn = space.draw(space.latents[:8], space.labels[:8])[..., 0].reshape(2, 4, 28, 28)
    assert np.abs(close[..., 0] - drawn.swapaxes(1, 2).reshape(56, 112).astype(int)).max() <= 1
    # The traces of other pictures go over into a ground that is given, where pictures meet too.
    clean, *_ = form_frames("atlas=4x2,0::black", Shot(art, Frame(112), 2.0), 1).frames
    faint = close < 7
    assert close[faint].any()
    assert not clean[faint].any()
    assert np.array_equal(clean[close > 21], close[close > 21])
    for film, says in (
        ("atlas=4x3:whyte", "whyte"),
        ("atlas=4x3::nvy", "nvy"),
        ("atlas=4x3:9:navy:2", "no grid"),
        ("atlas=0x3", "no grid"),
        ("atlas=4", "no grid"),
        ("atlas=4x3,2", "no grid"),
    ):
        with pytest.raises(UsageError, match=says):
            form_frames(film, Shot(art, Frame(132), 2.0), 6)


def test_pictures_in_colour_are_as_light_in_grays_as_they_look():
    """Their red alone was looked at, so that blue and green were black."""
    picture = np.zeros((1, 60, 60, 3), np.float32)
    picture[:, :, :20, 0], picture[:, :, 20:40] = 0.3, (0.2, 0.9, 0.9)
    shown = Flat.of(picture, ("#000000", "#ffffff"), None).draw(picture, 1)[0, 30, :, 0]
    assert shown[[10, 30, 50]].tolist() == [0, 255, 0]


def test_an_atlas_enlarges_edges_sharply_where_they_were():
    """The gray of the pixel with the edge says that this lies at 29.7."""
    picture = np.full((1, 60, 60, 3), 0.2, np.float32)
    picture[:, :, 29:] = 0.38
    picture[:, :, 30:] = 0.8
    colours = np.array([[0.2] * 3, [0.8] * 3], np.float32)
    flat = Flat(colours, colours, gray=True).draw(picture, 10)[0, 300, :, 0]
    assert set(np.unique(flat)) == {51, 204}
    assert abs(np.count_nonzero(flat == 51) / 10 - 29.7) < 0.2
    # Noise of a network.
    picture[:, 30, 10] = 0.9
    crisp = _crisp(picture, 10)[0, 300, :, 0].astype(int)
    assert crisp.min() == 51
    assert crisp.max() == 204
    assert abs(np.count_nonzero(crisp < 128) / 10 - 29.7) < 0.2
    # It was a pixel and a half wide.
    assert np.count_nonzero((crisp > 60) & (crisp < 195)) < 10


# ---- places --------------------------------------------------------------------------------------


def test_pictures_are_where_they_are_encoded(space):
    found = space.place("picture:3")
    torch.testing.assert_close(found.latent, space.latents[3])
    assert found.label == int(space.labels[3])
    # What is drawn there is the picture after the codec.
    drawn = space.draw(found.latent[None], torch.tensor([found.label]))[0]
    error = np.subtract(drawn, space.subject.pictures[3], dtype=float) / 255
    assert 0 < np.mean(error**2) < 0.05


def test_the_other_places(space):
    torch.testing.assert_close(space.place("mean").latent, space.latents.mean(0))
    mine = space.latents[space.labels == 7].mean(0)
    assert space.place("label:7").label == 7
    torch.testing.assert_close(space.place("label:7").latent, mine)
    numbers = space.place("1,2,3,4,5,6,7,-8.5")
    assert numbers.latent.tolist() == [1, 2, 3, 4, 5, 6, 7, -8.5]
    assert numbers.label == -1
    assert space.place("mean@4").label == 4
    assert torch.equal(space.place("random:3").latent, space.place("random:3").latent)
    assert not torch.equal(space.place("random:3").latent, space.place("random:4").latent)


def test_random_places_are_spread_like_the_pictures(space):
    drawn = torch.stack([space.place(f"random:{seed}").latent for seed in range(300)])
    assert (drawn.mean(0) - space.mean).abs().max() < 0.5
    torch.testing.assert_close(drawn.std(0), space.latents.std(0), rtol=0.25, atol=0.02)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("picture:99999", "unknown picture"),
        ("picture:-1", "unknown picture"),
        ("label:x", "unknown class"),
        ("mean@x", "unknown class"),
        ("1,2", "a latent takes 8 finite numbers, got 2"),
        ("1,2,3,4,5,6,7,nan", "a latent takes 8 finite numbers"),
        ("somewhere", "is not a point in latent space"),
        ("random:x", "seed must be from 0"),
    ],
)
def test_what_is_no_place_is_refused(text, message, space):
    with pytest.raises(UsageError, match=message):
        space.place(text)


# ---- walks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["linear", "spherical"])
def test_a_walk_comes_by_its_pictures_and_back(kind, space):
    latents, labels = space.walk(f"{kind}:3,1,8", 30)
    assert latents.shape == (30, 8)
    for frame, number in ((0, 3), (10, 1), (20, 8)):
        torch.testing.assert_close(latents[frame], space.latents[number], atol=1e-4, rtol=1e-4)
        assert labels[frame] == space.labels[number]
    # It never jumps: no step is much longer than the others.
    steps = (latents.roll(-1, 0) - latents).norm(dim=1)
    assert steps.max() < 0.3 * steps.sum() / 3


def test_on_a_great_circle_the_distance_lies_between(space):
    latents, _ = space.walk("spherical:0,1", 40)
    distance = (latents - space.mean).norm(dim=1)
    low, high = sorted((space.latents[:2] - space.mean).norm(dim=1).tolist())
    assert distance.min() > low - 1e-4
    assert distance.max() < high + 1e-4
    straight, _ = space.walk("linear:0,1", 40)
    assert (straight - space.mean).norm(dim=1).min() < low


def test_an_axis_is_walked_both_ways(space):
    latents, _ = space.walk("axis:1", 40)
    rows, deviations = space.axes
    along = (latents - space.mean) @ rows.t()
    assert along[:, 1:].abs().max() < 1e-4
    assert along[:, 0].max() == pytest.approx(2.5 * float(deviations[0]), rel=1e-3)
    assert along[:, 0].min() == pytest.approx(-2.5 * float(deviations[0]), rel=1e-3)
    assert deviations.tolist() == sorted(deviations.tolist(), reverse=True)


def test_all_labels_are_visited(space):
    latents, labels = space.walk("labels", 100)
    assert labels[::10].tolist() == list(range(10))
    for frame in range(0, 100, 10):
        nearest = (space.latents - latents[frame]).norm(dim=1).argmin()
        assert space.labels[nearest] == frame // 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sideways", "unknown walk"),
        ("labels:3", "unknown walk"),
        ("axis:0", "unknown axis"),
        ("axis:9", "unknown axis"),
        ("linear:1,x", "unknown picture"),
    ],
)
def test_what_is_no_walk_is_refused(text, message, space):
    with pytest.raises(UsageError, match=message):
        space.walk(text, 10)


def test_without_labels_there_is_no_walk_along_them():
    images = np.random.default_rng(0).random((12, 6, 6))
    space = artgen.fit(set_from_arrays(images), "pca", count=3, seed=0).latent_space()
    with pytest.raises(UsageError, match="no labels to walk along"):
        space.walk("labels", 10)
    assert space.walk("linear", 10)[1].tolist() == [-1] * 10


# ---- files ---------------------------------------------------------------------------------------


def test_a_walk_is_a_video(place, capsys):
    import av

    arguments = ["--walk", "labels", "--seconds", "0.5", "--size", "64"]
    data = printed(capsys, "render", "digits.art", *arguments, "-o", "a.mp4", "-o", "a.png")
    assert (data["width"], data["height"]) == (64, 64)
    with av.open("a.mp4") as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert [frame.shape for frame in frames] == [(64, 64, 3)] * 15
    assert np.abs(frames[0].astype(int) - frames[7]).mean() > 3
    with Image.open("a.png") as strip:
        assert strip.size == (160, 64)
    assert main(["info", "a.mp4", "-q"]) == 0
    assert main(["render", "digits.art", "--walk", "axis:1", "--seconds", "0.1", "-q"]) == 0
    assert Path("digits.mp4").exists()


def test_a_walk_may_be_the_video_of_a_fit(tmp_path, monkeypatch, capsys):
    import av

    monkeypatch.chdir(tmp_path)
    fit = ["fit", DIGITS, "-p", "pca", "-n", "8", "--seed", "0", "--name", "it"]
    data = printed(capsys, *fit, "--walk", "axis:1", "--video-seconds", "0.5", "--fps", "20")
    assert data["recipe"]["output"]["walk"] == "axis:1"
    with av.open("artgen-out/it.mp4") as container:
        fitted = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    walk = ["--walk", "axis:1", "--seconds", "0.5", "--fps", "20", "-o", "walk.mp4"]
    printed(capsys, "render", "artgen-out/it.art", *walk)
    with av.open("walk.mp4") as container:
        drawn = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(fitted) == 10
    np.testing.assert_array_equal(fitted, drawn)


@pytest.mark.parametrize(
    ("primitive", "walk", "message"),
    [
        ("pca", "axis:99", "unknown axis"),
        ("pca", "labls", "unknown walk"),
        ("gaussian", "labels", "not a codec"),
    ],
)
def test_a_walk_that_cannot_be_is_refused_at_once(
    primitive, walk, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    target = DIGITS if primitive == "pca" else "sample:cat"
    fit = ["fit", target, "-p", primitive, "--walk", walk]
    assert message in printed(capsys, *fit, expect=2)["error"]["message"]
    assert not list(Path("artgen-out").glob("*"))


def test_a_place_is_a_still(place, capsys):
    printed(capsys, "render", "digits.art", "--latent", "label:3", "-o", "a.png", "--size", "56")
    with Image.open("a.png") as still:
        assert still.size == (56, 56)
    printed(capsys, "render", "digits.art", "-o", "sheet.png")
    with Image.open("sheet.png") as still:
        assert still.width > 800


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--latent", "mean", "--walk", "labels"], "were both given"),
        (["-o", "a.mp4"], "this drawing has no film to make a video of"),
        (["-o", "a.svg"], "cannot be"),
        (["--latent", "mean", "--transparent"], "transparent"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments, message, place, capsys):
    error = printed(capsys, "render", "digits.art", *arguments, expect=2)["error"]
    assert message in error["message"]


def test_only_codecs_have_latents(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    artgen.fit("sample:cat", "gaussian", count=4, steps=1, size=16).save("cat.art")
    for flags in (["--latent", "mean"], ["--walk", "labels"]):
        error = printed(capsys, "render", "cat.art", *flags, "-o", "a.png", expect=2)["error"]
        assert "it is not a codec" in error["message"]
    error = printed(capsys, "plot", "cat.art", "--kind", "triples", expect=2)["error"]
    assert "it is not a codec" in error["message"]


# ---- plots of codecs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CODEC_PLOTS)
def test_every_plot_is_drawn(name, place, capsys):
    data = printed(capsys, "plot", "digits.art", "--kind", name, "--size", "320")
    assert data["kind"] == name
    with Image.open(f"digits-{name}.png") as picture:
        assert picture.size == (data["width"], data["height"])
        pixels = np.asarray(picture.convert("RGB"))
    assert pixels.std() > 10


def test_latents_of_one_number_lie_on_a_line(place, capsys):
    """They have no second axis, which was an internal error."""
    artgen.fit(DIGITS, "pca", count=1, seed=0, threads=1).save("one.art")
    printed(capsys, "plot", "one.art", "--kind", "scatter", "--size", "160")


def test_ranks_are_of_several_codecs(place, capsys, art):
    artgen.fit(DIGITS, "svd", count=4, seed=0, threads=1).save("svd.art")
    printed(capsys, "plot", "digits.art", "svd.art", "--kind", "ranks", "-o", "r.png")
    error = printed(capsys, "plot", "digits.art", "svd.art", "--kind", "triples", expect=2)
    assert "shows one codec" in error["error"]["message"]
    error = printed(capsys, "plot", "digits.art", "--kind", "nonsense", expect=2)["error"]
    assert "unknown plot" in error["message"]
    error = printed(
        capsys, "plot", "digits.art", "--kind", "ranks", "--target", "sample:cat", expect=2
    )["error"]
    assert "is not a set of pictures" in error["message"]


def test_another_set_has_names_of_its_own_and_pictures_of_the_same_size(place, capsys, monkeypatch):
    """Letters had the names of digits, K to Z none, and other sizes were an internal error."""
    named = []
    monkeypatch.setattr(
        "artgen.families.codec.plots.plot_scatter",
        lambda shown, classes, canvas, paper: (
            named.append(classes) or np.zeros((9, 9, 3), np.uint8)
        ),
    )
    command = ["plot", "digits.art", "--kind", "scatter", "--overwrite", "--target"]
    printed(capsys, *command, "sample:letters?n=60")
    assert named[0][:3] == ("A", "B", "C")
    error = printed(capsys, *command, "sample:flowers?n=20", expect=2)["error"]
    assert "pictures of another size or other channels than the set" in error["message"]


def test_learning_curves_have_two_losses(tmp_path, monkeypatch, capsys):
    from artgen.runs import read_losses

    monkeypatch.chdir(tmp_path)
    small = ["--set", "width=0.1", "--set", "latent=4", "--threads", "1", "--no-video"]
    arguments = ["fit", DIGITS, "-p", "autoencoder", "--steps", "4", *small, "--log", "a.jsonl"]
    data = printed(capsys, *arguments)
    assert data["floats"] == 4
    assert data["accuracy"] is None
    assert data["mse"] > 0
    assert data["psnr"] > 0
    losses = read_losses(Path("a.jsonl"))
    assert set(losses) == {"training", "test"}
    assert [step for step, _ in losses["test"]] == [0, 1, 2, 3, 4]
    assert [step for step, _ in losses["training"]] == [1, 2, 3, 4]
    assert main(["plot", "a.jsonl", "-q"]) == 0


# ---- comparisons ---------------------------------------------------------------------------------


def test_codecs_are_compared_by_what_they_store(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    data = printed(
        capsys,
        *("compare", DIGITS, "-p", "pca:count=8", "-p", "svd:count=3", "--csv", "all.csv"),
        *("-p", "autoencoder:width=0.1,latent=4,steps=3", "--threads", "1"),
    )
    rows = {row["contestant"]: row for row in data["rows"]}
    assert len(rows) == 3, "no JPEG stands beside codecs of sets"
    assert [row["floats"] for row in rows.values()] == [8, 3 * 57, 4]
    assert [row["picture_bytes"] for row in rows.values()] == [32, 4 * 3 * 57, 16]
    assert rows["svd:count=3"]["rank"] == 3
    assert all(row["mse"] > 0 and row["psnr"] > 0 for row in rows.values())
    assert all(Path(row["art"]).exists() for row in rows.values())
    assert len(Path("all.csv").read_text().splitlines()) == 4
    assert main(["compare", DIGITS, "-p", "pca:count=2", "--out", "b", "-q"]) == 0
    text = capsys.readouterr().out
    assert "SVD rank" in text
    assert "floats each" in text


def test_a_folder_is_one_set_for_codecs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for number in range(8):
        path = Path("set") / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)).save(path)
    data = printed(capsys, "compare", "set", "-p", "pca:count=2")
    assert [row["target"] for row in data["rows"]] == ["set"]
    data = printed(capsys, "fit", "set", "-p", "svd", "-n", "2", "--no-video", "--name", "it")
    assert data["target"]["name"] == "set"
    # Made again from the output, where the folder is; another one is refused.
    printed(capsys, "fit", "--recipe", "artgen-out/it.art", "--name", "again", "--no-video")
    Path("set/0.png").unlink()
    error = printed(capsys, "fit", "--recipe", "artgen-out/it.art", "--name", "no", expect=3)
    assert "SHA-256 differs" in error["error"]["message"]


# ---- going on ------------------------------------------------------------------------------------


@pytest.mark.parametrize("primitive", ["autoencoder", "pca"])
def test_a_run_that_was_killed_goes_on_exactly(primitive, tmp_path):
    class Killed(BaseException):
        pass

    def killer(event):
        if isinstance(event, Advanced) and event.step >= 6:
            raise Killed

    options = {"width": 0.1, "latent": 4} if primitive == "autoencoder" else {"rank": 9}
    stage = {"steps": 9, "augment": 0.5} if primitive == "autoencoder" else {"steps": 9}
    asked = Recipe.from_dict(
        {
            "seed": 5,
            "target": {"source": "sample:digits?n=60"},
            "primitive": {"name": primitive, **options},
            "stage": [stage],
            "output": {"fps": 8, "video_seconds": 1},
            "run": {"device": "cpu", "threads": 1, "arithmetic": "fp32"},
        }
    )
    registry = Registry(environ={})
    run(asked, registry, out=tmp_path / "whole", checkpoint_every=4, name="it")
    with pytest.raises(Killed):
        run(
            asked, registry, out=tmp_path / "cut", checkpoint_every=4, name="it", observers=[killer]
        )
    assert (tmp_path / "cut" / "it.run").exists()
    run(asked, registry, out=tmp_path / "cut", resume=True, name="it")
    for suffix in (".png", ".art", ".mp4"):
        cut, whole = (tmp_path / name / f"it{suffix}" for name in ("cut", "whole"))
        assert cut.read_bytes() == whole.read_bytes()


def test_a_set_in_files_is_found_again_when_a_run_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    images = np.random.default_rng(1).integers(0, 256, (24, 9, 9), dtype=np.uint8)
    np.savez("data/some.npz", images=images)
    arguments = ["fit", "data/some.npz", "-p", "pca", "-n", "3", "--no-video", "--name", "it"]
    from artgen.runs.loop import stages

    monkeypatch.setattr(stages.Loop, "run", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
    folder = Path("artgen-out/it.run")
    monkeypatch.setattr("artgen.runs.runner.RunFolder.has_checkpoint", True)
    assert main([*arguments, "-q"]) == 130
    assert folder.exists()
    assert not list(folder.glob("inputs/*")), "sets are not copied"
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    data = printed(capsys, *arguments, "--resume")
    assert data["floats"] == 3
