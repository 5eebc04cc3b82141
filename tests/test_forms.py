"""Forms of film: side by side, wipe, a JPEG, centres, depth, parts that fly in, zoom, generations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import recipe, save_photo, video_frames
from PIL import Image

import artgen
from artgen.animation.forms import Shot, find_form, form_frames, form_still
from artgen.art import ExportRequest
from artgen.cli import main
from artgen.errors import PluginError, UsageError
from artgen.exporters import export_mp4, walk_frames
from artgen.exporters.films import photograph, shot_of
from artgen.families.shape.contract import Shape
from artgen.matching import appearance, move
from artgen.output import encode_within
from artgen.recipe import Recipe
from artgen.registry import Registry, default
from artgen.runs import run
from artgen.values.frame import Frame

PHOTO = np.random.default_rng(1).integers(0, 255, (16, 24, 3), np.uint8)


@pytest.fixture(scope="module")
def splats():
    art = artgen.fit(PHOTO, "gaussian", count=6, steps=8, seed=1)
    assert art.trajectory is not None
    return art


@pytest.fixture(scope="module")
def shapes():
    return artgen.fit(PHOTO, "triangle", count=5, steps=6, seed=1)


def frames(art, form, *, photo=None, seconds=2.0, fps=5.0, size=48):
    return list(form_frames(form, Shot(art, Frame(size), seconds, photo), fps).frames)


def test_side_by_side_shows_the_target_beside_the_progress(splats):
    photo = np.asarray(Image.fromarray(PHOTO).resize((48, 32)))
    shown = frames(splats, "side-by-side", photo=photo)
    assert len(shown) == 50  # as long as the film
    assert all((frame[:, :48] == photo).all() for frame in shown)
    assert (shown[-1][:, -48:] == splats.render(48)).all()
    assert not (shown[0][:, -48:] == shown[-1][:, -48:]).all()
    with pytest.raises(UsageError, match="no photo"):
        frames(splats, "side-by-side")


def test_what_is_clear_in_a_photo_shows_the_background(splats):
    """Colours that a clear pixel hides were shown."""
    clear = Image.new("RGBA", (24, 16), (250, 0, 0, 0))
    ground = np.rint(np.array(splats.drawing.background) * 255)
    request = ExportRequest(48, photo=clear)
    assert (photograph(splats, request, Frame(48)) == ground).all()
    form = find_form("side-by-side", default())
    shown = shot_of(splats, replace(request, other=clear), Frame(48), form)
    assert shown.other is not None
    assert (shown.other == ground).all()


def test_a_wipe_goes_from_the_target_to_the_drawing_and_back(shapes):
    photo = np.full((32, 48, 3), 9, np.uint8)
    shown = frames(shapes, "wipe", photo=photo, seconds=4)
    assert (shown[0] == photo).all()
    assert (shown[10] == shapes.render(48)).all()
    assert (shown[5][:, 40:] == photo[:, 40:]).all()
    assert (shown[5][:, :10] == shown[10][:, :10]).all()
    assert all((a == b).all() for a, b in zip(shown[1:], shown[:0:-1], strict=True))


def test_a_drawing_wipes_away_the_jpeg_of_its_bytes(splats):
    photo = np.asarray(Image.fromarray(PHOTO).resize((96, 64)))
    shown = frames(splats, "jpeg", photo=photo, seconds=4, fps=3, size=96)
    assert len(shown) == 12
    limit = len(splats.to_bytes())
    own = np.asarray(Image.fromarray(photo).resize((24, 16)))
    coded = encode_within(own, "JPEG", limit)
    assert 0 < coded.size <= limit
    large = np.asarray(Image.fromarray(coded.pixels).resize((96, 64), Image.Resampling.BICUBIC))
    words = 40  # Below this row are the bytes of both.
    assert (shown[0][:words] == large[:words]).all()
    assert (shown[0][words:] != large[words:]).any()
    still = splats.render(96)
    assert np.abs(shown[2][:words].astype(int) - still[:words]).mean() < 2
    assert (shown[1][:words, :10] == shown[2][:words, :10]).mean() > 0.9
    # Magnified, four times.
    assert np.abs(shown[6].astype(int) - still).mean() > 8
    assert all((a == b).all() for a, b in zip(shown[1:], shown[:0:-1], strict=True))
    # Where none is as small, it has fewer pixels.
    loud = np.random.default_rng(0).integers(0, 255, (400, 600, 3), np.uint8)
    smallest = replace(splats, drawing=replace(splats.drawing, width=600, height=400))
    assert encode_within(loud, "JPEG", len(smallest.to_bytes())) is None
    assert len(frames(smallest, "jpeg", photo=loud, seconds=1, fps=2, size=600)) == 2


def test_centres_are_dots_over_the_progress(splats):
    shown = frames(splats, "centres")
    x, y = splats.drawing.tensors["xy"][:, 0].tolist()
    assert (shown[-1][int(16 + 16 * y), int(24 + 16 * x)] >= 249).all()
    white = [(frame == 250).all(2).sum() for frame in shown]
    assert 0 < white[0] < 100
    assert white[-1] > 6


def test_centres_do_not_depend_on_how_many_are_drawn_at_a_time(splats, monkeypatch):
    whole = frames(splats, "centres")[-1]
    monkeypatch.setattr("artgen_plugins.films.TOGETHER", 2)
    np.testing.assert_array_equal(frames(splats, "centres")[-1], whole)


def test_depth_shows_what_lies_on_top_brightest(shapes):
    last = frames(shapes, "depth")[-1].astype(int).sum(2)
    tensors = {name: t[..., -1:] for name, t in shapes.drawing.tensors.items()}
    tensors["alpha"] = torch.ones(1)
    alone = replace(shapes.drawing, tensors=tensors, background=(0, 0, 0))
    covered = replace(shapes, drawing=alone).render(48).sum(2) > 0
    assert last[covered].mean() > last[~covered].mean() + 50
    plain = artgen.fit(PHOTO, "gaussian", count=4, steps=1)
    with pytest.raises(UsageError, match="no depth"):
        frames(plain, "depth")


def test_parts_fly_to_their_places(splats, shapes):
    for art in (splats, shapes, artgen.fit(PHOTO, "voronoi", count=5, steps=2)):
        shown = frames(art, "fly-in")
        assert len(shown) == 10
        assert (shown[-1] == art.render(48)).all()
        assert not (shown[0] == shown[4]).all()


@pytest.mark.parametrize(
    "name", ["triangle", "glyph", "blob", "polygon", "line", "triangle*3+ellipse"]
)
def test_moved_shapes_keep_their_form(name):
    art = artgen.fit(PHOTO, name, count=4, steps=8, seed=2)
    primitive, tensors = art.primitive(), dict(art.drawing.tensors)
    assert isinstance(primitive, Shape)
    by = torch.tensor([[0.5], [-0.25]]) * torch.arange(4)
    before, after = (appearance(primitive, t) for t in (tensors, move(primitive, tensors, by)))
    np.testing.assert_allclose(after.places, before.places + by.numpy().T, atol=1e-5)
    np.testing.assert_allclose(after.sizes, before.sizes, atol=1e-5)


def test_a_shape_whose_corners_appear_when_its_genes_change_does_not_fly(registry):
    tensors = {"genes": torch.zeros(3, 1), "colour": torch.ones(3, 1), "alpha": torch.ones(1)}
    with pytest.raises(UsageError, match="cannot fly in"):
        move(registry.load("primitive", "circle")(), tensors, torch.zeros(2, 1))


def test_a_zoom_goes_in_and_out_without_losing_edges(shapes):
    shown = frames(shapes, "zoom", seconds=2, fps=4)
    small = shapes.render(48).astype(int)
    assert np.abs(shown[0] - small).mean() < 6
    assert all((a == b).all() for a, b in zip(shown[1:], shown[:0:-1], strict=True))
    large = shapes.render(8 * 48)
    windows = np.lib.stride_tricks.sliding_window_view(large, (32, 48, 3))[::1, ::1, 0]
    nearest = np.abs(windows.astype(np.int16) - shown[4]).mean((2, 3, 4)).min()
    assert nearest < 3


def test_generations_fill_a_sheet_and_the_last_one_grows(shapes):
    shown = frames(shapes, "generations", size=60, seconds=4)
    tiles = shown[0].reshape(10, 4, 10, 6, 3)
    assert (tiles == tiles[:1, :, :1]).all()
    later = shown[13].reshape(10, 4, 10, 6, 3)
    assert not (later == later[:1, :, :1]).all()
    assert (shown[-1] == shapes.render(60)).all()


def test_folded_paper_sways_between_its_views(splats):
    views = ({"how": "slats=left"}, {"how": " slats = right"})
    folded = replace(splats, recipe=Recipe.from_dict({**splats.recipe.to_dict(), "view": views}))
    shot = Shot(folded, Frame(96), 2.0)
    # Strips of two colours, in turn.
    strips = np.repeat(np.array([[255, 0, 0], [0, 0, 255]] * 12, np.uint8), 4, axis=0)
    shot.__dict__["still"] = np.broadcast_to(strips, (64, 96, 3))
    shown = [*form_frames("sway", shot, 20).frames]
    red, _, blue = np.moveaxis(np.stack(shown).astype(float), -1, 0)
    more = (red - blue).sum((1, 2))
    # From the left one sees the strips of the one, from the right those of the other.
    assert more[0] > 0
    assert more.argmax() < 10 < more.argmin() < 32
    assert (red - blue)[more.argmax()].min() >= 0
    assert (blue - red)[more.argmin()].min() >= 0
    # Half a turn later the paper is bent the other way, as seen in a mirror.
    assert np.abs(red[20] - blue[0, :, ::-1]).mean() < 1
    for corner in shown[0][0, 0], shown[0][-1, -1]:
        assert (corner == round(0.93 * 255)).all()
    with pytest.raises(UsageError, match="not folded"):
        frames(splats, "sway")


def test_the_command_writes_them_and_refuses_others(splats, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    splats.save("a.art")
    save_photo(tmp_path)
    line = ["render", "a.art", "--fps", "5", "--seconds", "1", "--size", "32", "-q"]
    assert main([*line, "--film", "wipe=photo.png"]) == 0
    assert video_frames(tmp_path / "a.mp4").shape == (5, 22, 32, 3)
    assert main([*line, "--film", "zoom", "--max-bytes", "90kB", "-o", "b.webp"]) == 0
    capsys.readouterr()
    for given, code, says in (
        (["--film", "wobble"], 4, "form"),
        (["--film", "zoom=photo.png"], 2, "shows no target"),
        (["--film", "wipe=none.png"], 3, "none.png"),
        (["--film", "wipe="], 2, "--film wipe= says nothing after its ="),
        (["--film", "wipe=", "-o", "b.webp", "--overwrite"], 2, "--film wipe= says nothing"),
        (["--film", "zoom="], 2, "--film zoom= says nothing after its ="),
        (["--film", "zoom-into="], 2, "--film zoom-into= says nothing after its ="),
        (["--start", "photo=", "-o", "b.webp", "--overwrite"], 2, "--start photo= is unknown"),
        (["--film", "zoom", "--start", "blank"], 2, "--film and --start"),
        (["--film", "zoom", "--walk", "labels"], 2, "a walk is a film of its own"),
        (["--start", "parts", "--walk", "labels"], 2, "a walk is a film of its own"),
        (["--film", "zoom", "-o", "c.png"], 2, "not a video format"),
    ):
        assert main([*line, *given, *([] if "-o" in given else ["-o", "c.mp4"])]) == code
        assert says in capsys.readouterr().err
    replace(splats, trajectory=None).save("still.art")
    assert main(["render", "still.art", "--film", "zoom", "--at", "1", "-o", "c.png", "-q"]) == 2
    assert "--at is a moment of a film" in capsys.readouterr().err
    with pytest.raises(UsageError, match="no photo"):
        export_mp4(splats, ExportRequest(film="wipe"))


def test_small_and_empty_drawings_have_films(splats, shapes):
    """Tiles of a sheet had no pixel left, and of no parts none was the last to land."""
    assert frames(splats, "generations", size=2)[-1].shape == (1, 2, 3)
    tensors = {name: tensor[..., :0] for name, tensor in shapes.drawing.tensors.items()}
    empty = replace(shapes, drawing=replace(shapes.drawing, tensors=tensors))
    assert np.ptp(frames(empty, "fly-in"), axis=(0, 1, 2)).max() == 0


@pytest.mark.parametrize("speed", [0.0, -1.0, 1e-9])
def test_a_form_has_no_more_frames_than_a_film(splats, speed):
    """One that follows the film was drawn without end, or ended in an internal error."""
    with pytest.raises(UsageError, match=r"speed must be positive|frames, more than"):
        form_frames("centres", Shot(splats, Frame(48), 2.0), 5.0, speed)


def test_no_video_has_more_frames_than_a_film(splats):
    with pytest.raises(UsageError, match="frames, more than"):
        form_frames("zoom", Shot(splats, Frame(48), 1e6), 30.0)
    with pytest.raises(UsageError, match="frames, more than"):
        splats.building(48, seconds=1e6)
    codec = artgen.fit("sample:digits?n=300", "pca", seed=1)
    with pytest.raises(UsageError, match="frames, more than"):
        walk_frames(codec, ExportRequest(walk="labels", seconds=1e6))


def test_a_fit_shows_them_as_its_video(tmp_path):
    photo = save_photo(tmp_path)
    output = {"fps": 5, "video_seconds": 2, "film": "side-by-side", "video_size": 48}
    run(recipe(photo, {"steps": 4}, output=output), default(), out=tmp_path / "out", name="a")
    assert video_frames(tmp_path / "out/a.mp4").shape[1:] == (32, 98, 3)
    for primitive, film, says in (
        ({"name": "mlp", "count": None}, "centres", "no parts that a film could show"),
        ({"name": "mesh", "count": 8}, "fly-in", "do not move"),
        ({"name": "gaussian", "count": 8}, "views", "for a drawing with views"),
        ({"name": "gaussian", "count": 8}, "sway", "for a drawing with fold or slats"),
    ):
        asked = recipe(photo, {"steps": 4}, primitive=primitive, output={"film": film})
        with pytest.raises(UsageError, match=says):
            run(asked, default(), out=tmp_path / "out", name="b")
    clip = {"target": {"source": "sample:clip?n=3"}, "output": {"film": "side-by-side"}}
    with pytest.raises(UsageError, match="shows one picture"):
        run(Recipe.from_dict(clip), default(), out=tmp_path / "out", name="b")
    asked = recipe(photo, {"steps": 4}, output={"film": "wipe", "end": "photo"})
    with pytest.raises(UsageError, match="no start, end or walk"):
        run(asked, default(), out=tmp_path / "out", name="b")


def test_the_still_of_a_film_has_the_border_of_its_recipe(tmp_path):
    """It was cropped, and bars were said to be red."""
    output = {"film": "zoom-into", "still_size": "48x48", "video": False}
    target = {"aspect": "1:2", "pad": "red"}
    run(
        recipe(save_photo(tmp_path), {"steps": 2}, target=target, output=output),
        Registry(),
        out=tmp_path / "out",
        name="a",
    )
    with Image.open(tmp_path / "out/a.png") as still:
        red, green, blue = np.asarray(still.convert("RGB"))[24, 1].tolist()
    assert (still.size, red > green + 100, red > blue + 100) == ((48, 48), True, True)


def test_a_form_whose_frames_have_no_colours_is_at_fault(shapes):
    registry = Registry(environ={})
    gray = artgen.animation.Form(lambda shot: lambda share: shot.still[..., 0])
    registry.register(gray, "gray", "form")
    with pytest.raises(PluginError, match=r"form 'gray' \(test_forms.*a frame is of shape"):
        frames(replace(shapes, registry=registry), "gray")


def test_a_form_whose_frames_differ_in_size_is_at_fault(shapes):
    """The encoder failed where it was, with the exit code of an internal error."""

    def shrinking(shot):
        return lambda share: shot.still[: 12 if share else None]

    registry = Registry(environ={})
    registry.register(artgen.animation.Form(shrinking), "shrinking", "form")
    with pytest.raises(PluginError, match=r"form 'shrinking' \(test_forms.*frames differ in size"):
        frames(replace(shapes, registry=registry), "shrinking")


def test_what_a_form_takes_is_read_once_for_its_still(shapes):
    """It was read and checked for the still, then again for the frame that this is."""
    asked = []
    form = artgen.animation.Form(
        lambda shot: lambda share: shot.still, still=True, takes=lambda text: asked.append(text)
    )
    registry = Registry(environ={})
    registry.register(form, "told", "form")
    shot = Shot(replace(shapes, registry=registry), Frame(48), 1.0)
    assert form_still("told=this", shot, 10).shape == (32, 48, 3)
    assert asked == ["this"]
