"""Palettes: read from files of any kind, learned from pictures, and kept to exactly."""

from __future__ import annotations

import io
import itertools
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import changed, recipe, save_photo
from PIL import Image
from test_climb import GRAY, STAGE, TRIANGLES, layers_of, start
from test_resume import assert_same, kill_worker_at, resume

from artgen import Canvas, fit
from artgen.art import ExportRequest, load
from artgen.base.errors import InputError
from artgen.cli import main
from artgen.display.flat import draw_flat
from artgen.errors import UsageError
from artgen.events import Notice
from artgen.exporters import export_json
from artgen.families.shape.compositing import Compositing
from artgen.recipe import Recipe
from artgen.recipe.layers import lay_over, start_from
from artgen.registry import default
from artgen.runs import check_agreement, run
from artgen.targets import (
    MAPS,
    NAMED,
    TargetRequest,
    ground_colour,
    hex_colour,
    learn_palette,
    open_image,
    parse_colour,
    parse_palette,
    read_palette,
)
from artgen.values.drawing import Drawing
from artgen.values.frame import parse_frame
from artgen_plugins.triangle import Triangle
from artgen_plugins.voronoi import Voronoi

INKS = ("#101820", "#f2aa4c", "#ffffff", "#a4343a")
GPL = """GIMP Palette
Name: Inks
Columns: 2
# a comment
 16  24  32\tNight
242 170  76
255 255 255 Paper white
164\t52\t58
16 24 32 Night again
"""


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    return save_photo(tmp_path_factory.mktemp("photo"))


def png(pixels, **options):
    file = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(file, "PNG", **options)
    return file.getvalue()


def levels(colours):
    return np.array([list(bytes.fromhex(colour[1:])) for colour in colours])


# ---- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        GPL.encode(),
        b"\xef\xbb\xbf" + GPL.replace("\n", "\r\n").encode(),
        "\n".join(INKS).encode(),
        b"101820\n\n  F2AA4C  \r\n#FFFFFF\n#a4343a\n#101820",
        png([levels(INKS)]),
        png([[[*each, 255] for each in levels(INKS)] + [[1, 2, 3, 0]]]),
    ],
    ids=["gimp", "gimp from windows", "text", "untidy text", "png", "png with alpha"],
)
def test_every_kind_of_file_gives_the_same_colours(data, tmp_path):
    path = tmp_path / "palette.any"
    path.write_bytes(data)
    assert read_palette(path) == INKS


def test_a_gray_png_is_a_palette(tmp_path):
    (tmp_path / "names.txt").write_text("teal\n#abc\n0.1,0.2,0.3\nAABBCC\n")
    assert read_palette(tmp_path / "names.txt") == ("#008080", "#aabbcc", "#1a334d")
    (tmp_path / "gray.png").write_bytes(png([[0, 255, 128]]))
    assert read_palette(tmp_path / "gray.png") == ("#000000", "#ffffff", "#808080")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"#112233", "must have 2 to 256 colours, got 1 "),
        (b"#112233\n#112233\n", "must have 2 to 256 colours, got 1 "),
        (b"\n\n\n", "must have 2 to 256 colours, got 0 "),
        (b"GIMP Palette\nName: none\n#\n", "must have 2 to 256 colours, got 0 "),
        (b"#112233\nteel\n", "line 2: 'teel' is not a colour"),
        (b"#112233\n#11223g", "line 2"),
        (b"#1234\n#456", "line 1"),
        (b"GIMP Palette\n1 2 3\n1 2 256\n", "line 3: '1 2 256'"),
        (b"GIMP Palette\n1 2\n", "line 2"),
        (b"GIMP Palette\n-1 2 3\n", "line 2"),
        (b"GIMP Palette\n1 2 nan\n", "line 2"),
        ("GIMP Palette\n1 2 ²\n".encode(), "line 2"),
        (b"1 2 3\n4 5 6\n", "line 1"),
        (b"\xff\xfe\x00\x01", "neither text nor a PNG"),
        (b"\x00" * 50, "line 1"),
        (b"x" * 5000, "line 1"),
        (b"#112233\n" * 200_000, "too large"),
        (
            "\n".join(f"#{i:06x}" for i in range(257)).encode(),
            "must have 2 to 256 colours, got 257 ",
        ),
        (png([levels(INKS)])[:50], "cannot be decoded"),
        (
            png(np.random.default_rng(0).integers(0, 256, (40, 40, 3))),
            "must have 2 to 256 colours, got 1,600 ",
        ),
        (png([[[1, 2, 3, 0], [4, 5, 6, 0]]]), "must have 2 to 256 colours, got 0 "),
    ],
)
def test_what_is_no_palette_is_refused_by_name_and_line(data, message, tmp_path):
    path = tmp_path / "odd.gpl"
    path.write_bytes(data)
    with pytest.raises(InputError, match=message) as refused:
        read_palette(path)
    assert "odd.gpl" in refused.value.message
    assert len(refused.value.message) < len(str(path)) + 150
    assert refused.value.hint


def test_a_large_picture_is_no_palette_but_has_one(tmp_path):
    """The hint named --max-pixels, which is for targets."""
    Image.new("1", (2001, 2000)).save(tmp_path / "photo.png")
    with pytest.raises(InputError, match="more than 4,000,000") as refused:
        read_palette(tmp_path / "photo.png")
    assert refused.value.hint.endswith("photo.png:8 learns 8 colours, of up to 64 million pixels")


def test_deep_samples_folders_and_missing_files_are_refused(tmp_path):
    Image.fromarray(np.arange(4, dtype=np.uint16)[None]).save(tmp_path / "deep.png")
    for name, message in (("deep.png", "8 bits"), ("", "folder"), ("none.gpl", "cannot read")):
        with pytest.raises(InputError, match=message):
            read_palette(tmp_path / name)


# ---- learning ------------------------------------------------------------------------------------


def test_flat_colours_are_found_exactly_and_the_most_frequent_come_first():
    pixels = np.repeat(levels(INKS), [10, 40, 30, 20], axis=0).astype(np.uint8)[None]
    found = (INKS[1], INKS[2], INKS[3], INKS[0])
    assert learn_palette(pixels, 4) == found
    assert learn_palette(pixels, 9) == found
    weight = np.float32(pixels[..., 0] == 255)
    assert learn_palette(pixels, 4, weight) == (INKS[2],)
    assert learn_palette(pixels, 4, weight + np.float32(pixels[..., 0] == 16)) == (
        INKS[2],
        INKS[0],
    )


@pytest.mark.parametrize("count", [2, 5, 16])
def test_more_colours_are_nearer(count, astronaut):
    pixels = (255 * astronaut(96)).permute(1, 2, 0).round().byte().numpy()

    def error(colours):
        differences = pixels[:, :, None].astype(float) - levels(colours)
        return (differences**2).sum(3).min(2).mean()

    learned = learn_palette(pixels, count)
    assert len(set(learned)) == count
    assert learned == learn_palette(pixels, count)
    assert error(learned) < 0.8 * error(
        learn_palette(pixels, max(1, count // 2)) if count > 3 else ("#808080",)
    )
    rng = np.random.default_rng(count)
    drawn = pixels.reshape(-1, 3)[rng.choice(96 * 96, count)]
    assert error(learned) < error(["#" + bytes(each).hex() for each in drawn])


def test_many_colours_are_learned_too(astronaut):
    pixels = (255 * astronaut(64)).permute(1, 2, 0).round().byte().numpy()
    assert 200 < len(learn_palette(pixels, 256)) <= 256


def test_the_nearest_is_nearest_in_srgb():
    assert ground_colour(INKS, (0.9, 0.7, 0.3)) == "#f2aa4c"
    assert ground_colour(INKS, (0.0, 0.0, 0.0)) == "#101820"


# ---- searching -----------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [(0.6, 0.6), (0.1, 1.0)])
def test_a_shape_gets_the_best_of_the_colours(alpha, astronaut):
    target = astronaut(40)[:, :32]
    free, stack = layers_of(Triangle(), target, alpha)
    palette = levels(INKS) / 255
    layers = Compositing(Triangle(), free.target, free.weight, GRAY, alpha, palette)
    free.go_to(stack, 4)
    layers.go_to(stack, 4)
    for genes in stack.genes:
        fitted = layers.fit(0, genes)
        s = layers.nine
        trials = []
        for colour, a in itertools.product(palette, np.linspace(*alpha, 181)):
            gain, square = colour @ s[:3] - s[7], colour @ colour
            cost = s[6] * square - 2 * colour @ s[3:6] + s[8]
            trials.append((a * a * cost - 2 * a * gain, tuple(colour)))
        least, colour = min(trials)
        assert fitted.change == pytest.approx(least, abs=1e-3 * abs(least) + 1e-9)
        assert fitted.colour == pytest.approx(colour)
        assert fitted.change >= free.fit(0, genes).change - 1e-6


@pytest.mark.parametrize("alpha", [0.6, 0.0])
def test_candidates_are_scored_with_the_colours_they_would_get(alpha, astronaut):
    target, limits = astronaut(160), (alpha or 0.1, alpha or 1.0)
    free, stack = layers_of(Triangle(), target, limits)
    layers = Compositing(Triangle(), free.target, free.weight, GRAY, limits, levels(INKS) / 255)
    layers.go_to(stack, 4)
    layers.add_up(1)
    scores, changes = [], []
    for genes in stack.genes:
        arguments = (0, 0.1, 0.2, 0.1, 0.1, 0, 0.9, 0, genes.copy())
        scores.append(layers.search(np.random.default_rng(0), *arguments)[0])
        changes.append(layers.fit(0, genes).change)
    np.testing.assert_allclose(scores, changes, atol=0.1 * np.abs(changes).max())


def test_shapes_to_start_from_are_recoloured(astronaut):
    target = astronaut(40)[:, :32]
    palette = torch.tensor(levels(INKS) / 255).float()
    before = start(Triangle(), target, 6, passes=0)
    before.advance(6)
    engine = start(
        Triangle(), target, 6, drawing=before.drawing(best=False), passes=0, palette=palette
    )
    first = engine.drawing(best=True)
    engine.report()
    colours = first.tensors["colour"].T
    assert all((palette == colour).all(1).any() for colour in colours)
    free = before.drawing(best=False).tensors["colour"].T
    distance = (free[:, None] - palette).square().sum(2)
    assert torch.equal(colours, palette[distance.argmin(1)])


# ---- runs ----------------------------------------------------------------------------------------


def with_palette(photo, palette, **more):
    asked = recipe(photo, {**STAGE, **more.pop("stage", {})}, primitive=TRIANGLES)
    return changed(asked, {"target": {"palette": palette, **more}})


def colours_of(art):
    return {each["colour"] for each in json.loads(export_json(art, ExportRequest()))["shapes"]}


@pytest.mark.parametrize("precision", ["fp32", "auto", "fp16", "int8"])
@pytest.mark.parametrize("alpha", [0.75, 0.0])
def test_a_run_has_no_other_colours(precision, alpha, photo, registry):
    asked = with_palette(photo, list(INKS), stage={"alpha": alpha})
    art = run(changed(asked, {"run": {"precision": precision}}), registry).art
    assert art.recipe.target.palette == INKS
    assert art.recipe.target.background in INKS
    assert colours_of(art) <= set(INKS)
    assert len(colours_of(art)) > 1


def shown_in(pixels):
    """The colours of opaque pixels, as ``#rrggbb``."""
    flat = np.asarray(pixels).reshape(-1, np.shape(pixels)[-1])
    flat = flat[flat[:, -1] > 0] if flat.shape[1] == 4 else flat
    return {"#" + bytes(each[:3]).hex() for each in np.unique(flat, axis=0)}


@pytest.mark.parametrize(
    ("primitive", "options"),
    [
        ("triangle", {"steps": 30}),
        ("circle", {"engine": "genetic", "steps": 20}),
        ("rectangle", {"engine": "gradient", "steps": 5}),
        ("voronoi", {"steps": 20}),
        ("mesh", {"steps": 5}),
        ("mosaic", {}),
        ("stipple", {"background": "white"}),
    ],
)
def test_pictures_have_these_colours_alone(primitive, options, tmp_path):
    """They had thousands: colours mixed along edges and in parts that were not opaque.

    A number of colours for cells and meshes was forgotten without a background. Inks lie on paper.
    """
    target = Image.open(save_photo(tmp_path)).convert("RGB").resize((48, 32))
    art = fit(target, primitive, count=20, palette=4, seed=1, **options)
    palette = art.recipe.target.palette
    ground = {hex_colour(art.drawing.background)} if primitive in ("mosaic", "stipple") else set()
    allowed = {*palette, *ground}
    for size in (48, 301):
        assert shown_in(art.render(size)) <= allowed
    assert len(shown_in(art.render(301))) >= 3
    with Image.open(io.BytesIO(art.to_png(301))) as picture:
        assert picture.mode == "P"
        stored = np.reshape(picture.getpalette(), (-1, 3)).astype(np.uint8)
        np.testing.assert_array_equal(stored[: len(palette)], levels(palette))
        assert len(stored) <= len(allowed)
        np.testing.assert_array_equal(picture.convert("RGB"), art.render(301))


def test_with_smooth_edges_colours_mix(photo):
    art = fit(photo, "triangle", count=8, palette=4, steps=20, seed=1, edges="smooth")
    assert len(shown_in(art.render(200))) > 20
    assert (art.drawing.tensors["alpha"] == 0.75).all()
    asked = fit(
        photo, "triangle", count=8, palette=4, steps=20, seed=1, engine_options={"alpha": 0.5}
    )
    assert (asked.drawing.tensors["alpha"] == 0.5).all()
    assert shown_in(asked.render(200)) <= set(asked.recipe.target.palette)


def test_light_in_a_palette_mixes_unless_it_is_asked_not_to(photo):
    """Halos had the colours of tubes, as bands around them."""
    arts = {
        edges: fit(photo, "tube", count=60, palette=list(INKS), seed=1, edges=edges)
        for edges in (None, "smooth", "hard")
    }
    assert {edges: art.recipe.output.edges for edges, art in arts.items()} == {
        None: "smooth",
        "smooth": "smooth",
        "hard": "hard",
    }
    assert np.array_equal(arts[None].render(64), arts["smooth"].render(64))


def test_what_is_left_out_has_a_hard_edge(tmp_path):
    art = fit(save_photo(tmp_path), "circle", count=4, palette=list(INKS), steps=8, seed=1)
    with Image.open(io.BytesIO(art.to_png(200, transparent=True))) as picture:
        assert picture.mode == "P"
        pixels = np.asarray(picture.convert("RGBA"))
    np.testing.assert_array_equal(pixels, art.render(200, transparent=True))
    assert {0, 255} == set(np.unique(pixels[..., 3]))
    assert shown_in(pixels) <= set(INKS)


def two_halves(left, right, at):
    """A drawing of two cells on a canvas of 3 pixels, with the border at a pixel's share `at`."""
    x = 2 * (1 + at) - 3
    places = torch.tensor([[x - 4.0, x + 4.0], [0.0, 0.0]])
    colour = torch.tensor([left, right]).T.contiguous()
    return Drawing("voronoi", {}, {"sites": places, "colour": colour}, 3, 1)


@pytest.mark.parametrize("count", [3, 9, 10, 40, 256])
def test_a_border_has_one_of_its_two_colours(count):
    """The mean of black and white looked like the gray that lies between them."""
    grays = ["#" + 3 * f"{255 * k // (count - 1):02x}" for k in range(count)]
    for at in (0.1, 0.45, 0.55, 0.9):
        drawing = two_halves([0.0] * 3, [1.0] * 3, at)
        pixels = draw_flat(drawing, Voronoi(), drawing.canvas, grays)
        assert pixels[0, :, 0].tolist() == [0, 0 if at > 0.5 else 255, 255]


def test_earlier_recipes_keep_their_edges(photo, registry):
    """What a fit stored before edges were hard is drawn as it was."""
    art = run(with_palette(photo, 3), registry).art
    stored = art.recipe.to_dict()
    assert stored["output"].pop("edges") == "hard"
    earlier = Recipe.from_dict(stored)
    assert earlier.output.edges == "smooth"
    assert len(shown_in(replace(art, recipe=earlier).render(200))) > 10
    assert start_from({}, earlier.to_dict(), None)["output"]["edges"] == "smooth"
    asked = {"target": {"source": "cat.png", "palette": list(INKS)}}
    assert Recipe.from_dict(asked).output.edges is None


def test_hard_edges_need_a_palette(photo):
    with pytest.raises(UsageError, match="hard edges are for pictures in a palette"):
        fit(photo, "triangle", count=2, steps=2, edges="hard")


def test_frames_have_these_colours_alone(tmp_path):
    """One picture faded into the next, and frames that were too large for a GIF were averaged."""
    photo = tmp_path / "large.png"
    Image.open(save_photo(tmp_path)).convert("RGB").resize((492, 30)).save(photo)
    line = f"fit {photo} -p triangle -n 6 --steps 6 --palette 4 --seed 1 --fps 8 --quiet"
    film = f"--video {tmp_path}/a.gif --video-seconds 4 --out {tmp_path} --name a"
    assert main([*line.split(), *film.split()]) == 0
    palette = set(load(tmp_path / "a.art").recipe.target.palette)
    with Image.open(tmp_path / "a.gif") as frames:
        assert frames.n_frames > 4
        for number in range(frames.n_frames):
            frames.seek(number)
            assert shown_in(frames.convert("RGB")) <= palette


def test_the_edges_of_a_look_go_with_its_own_palette():
    smooth = {"look": "mosaic", "target": {"palette": 16}, "output": {"edges": "smooth"}}
    asked = {"target": {"palette": 5}}
    assert lay_over(smooth, {}, {})["output"] == {"edges": "smooth"}
    assert "output" not in lay_over(smooth, asked, {})
    both = {**asked, "output": {"edges": "smooth"}}
    assert lay_over(smooth, both, {})["output"] == {"edges": "smooth"}


def test_a_number_is_learned_and_stored_as_colours(photo, tmp_path, registry):
    done = run(with_palette(photo, 5), registry)
    stored = done.art.recipe.target.palette
    assert len(stored) == 5
    pixels = np.asarray(Image.open(photo).convert("RGB"))
    assert stored == learn_palette(pixels, 5)
    again = run(done.art.recipe, registry, search=[photo.parent])
    assert again.art.to_bytes() == done.art.to_bytes()
    toml = tmp_path / "again.toml"
    toml.write_text(done.art.recipe.to_toml())
    assert Recipe.from_toml(toml) == done.art.recipe


@pytest.mark.parametrize("border", ["red", "background"])
def test_a_border_is_no_part_of_what_is_learned(photo, registry, border):
    """The colour of the bars took the place of one of the picture."""
    asked = with_palette(photo, 5, aspect="1:2", pad=border, background="#00ff00")
    pixels, told = np.asarray(Image.open(photo).convert("RGB")), []
    made = run(asked, registry, observers=[told.append])
    assert made.art.recipe.target.palette == learn_palette(pixels, 5)
    # So it has not the colour that was asked for, which is said.
    said = [each.message for each in told if isinstance(each, Notice)]
    assert any("no red: name it in --palette" in each for each in said) == (border == "red")


def test_a_border_in_a_colour_of_the_palette_is_not_spoken_of(photo, registry):
    told = []
    asked = with_palette(photo, ["#ff0000", "#101820"], aspect="1:2", pad="red")
    run(asked, registry, observers=[told.append])
    assert not [each for each in told if isinstance(each, Notice) and "border" in each.message]


def test_a_palette_is_learned_where_the_border_alone_counts(photo, tmp_path):
    """Without a pixel that counts, NumPy had no largest share."""
    pixels = np.asarray(Image.open(photo).convert("RGB"))
    Image.fromarray(np.zeros_like(pixels)).save(tmp_path / "mask.png")
    request = TargetRequest(mask=tmp_path / "mask.png", frame=parse_frame(crop="1:2", pad="red"))
    assert open_image(photo, request).find_palette(5) == learn_palette(pixels, 5)


def test_the_background_is_of_the_palette_unless_stated(photo, registry):
    mean = run(recipe(photo, STAGE, primitive=TRIANGLES), registry).art.drawing.background
    found = run(with_palette(photo, list(INKS)), registry).art.recipe.target.background
    assert found == ground_colour(INKS, mean)
    stated = run(with_palette(photo, list(INKS), background="teal"), registry).art
    assert stated.recipe.target.background == "teal"
    assert colours_of(stated) <= set(INKS)


def test_what_shows_through_the_target_is_of_the_palette(tmp_path, registry):
    picture = np.random.default_rng(1).integers(0, 256, (16, 24, 4)).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "holes.png")
    done = run(with_palette(tmp_path / "holes.png", 4), registry)
    assert done.art.recipe.target.background in done.art.recipe.target.palette
    again = run(done.art.recipe, registry, search=[tmp_path])
    assert again.art.to_bytes() == done.art.to_bytes()


def test_what_is_transparent_does_not_count(tmp_path, registry):
    """Where alpha is fitted too, black was learned from it, and from colours half seen over it."""
    picture = np.zeros((16, 24, 4), np.uint8)
    picture[:4], picture[4:7] = (255, 0, 0, 255), (0, 0, 255, 128)
    Image.fromarray(picture).save(tmp_path / "logo.png")
    assert parse_palette(f"{tmp_path}/logo.png:3") == ("#ff0000", "#0000ff")
    asked = changed(with_palette(tmp_path / "logo.png", 3), {"output": {"transparent": True}})
    assert run(asked, registry).art.recipe.target.palette == ("#ff0000", "#0000ff")


def test_a_killed_run_keeps_its_palette(photo, tmp_path, registry):
    asked = with_palette(photo, 3)
    run(asked, registry, out=tmp_path / "whole")
    kill_worker_at(9, asked, tmp_path / "out", checkpoint_every=4)
    given = {"target": {"palette": 3}}
    assert resume(asked, registry, tmp_path / "out", given=Recipe.from_dict(given)) >= 5
    assert_same(tmp_path / "out", tmp_path / "whole")


def with_palette_of(colours) -> Recipe:
    return Recipe.from_dict({"target": {"palette": colours}})


def test_a_resumed_run_must_have_the_same_palette():
    stored = changed(Recipe(), {"target": {"palette": ["#000000", "#ffffff"]}})
    for agreeing in (2, 3, ("#000000", "#ffffff"), None):
        check_agreement(stored, with_palette_of(agreeing), default())
    for other in (("#000000", "#fffffe"), ["#000000", "#ffffff", "#ff0000"]):
        with pytest.raises(UsageError, match="palette"):
            check_agreement(stored, with_palette_of(other), default())
    for larger in (Recipe(), changed(stored, {"target": {"palette": list(INKS)}})):
        with pytest.raises(UsageError, match="palette"):
            check_agreement(larger, with_palette_of(3), default())


@pytest.mark.parametrize(
    ("palette", "message"),
    [
        (1, "from 2 to 256"),
        (257, "from 2 to 256"),
        (True, "from 2 to 256"),
        ([], "from 2 to 256"),
        ("inks.gpl", "from 2 to 256"),
        ([1, 2], "from 2 to 256"),
        ({"a": 1}, "from 2 to 256"),
    ],
)
def test_what_a_recipe_cannot_mean(palette, message):
    with pytest.raises(InputError, match=message):
        Recipe.from_dict({"target": {"palette": palette}})


def test_colours_of_a_recipe_are_checked(photo, registry):
    done = run(with_palette(photo, ["teal", "#FFF", "white", "0,0,0"]), registry)
    assert done.art.recipe.target.palette == ("#008080", "#ffffff", "#000000")
    with pytest.raises(UsageError, match="'teel' is not a colour"):
        run(with_palette(photo, ["teel", "white"]), registry)


def test_shapes_of_one_colour_show_on_their_background(photo, registry):
    for ink, ground in (("teal", "#ffffff"), ("#ffee88", "#000000")):
        art = run(with_palette(photo, [ink]), registry).art
        assert art.recipe.target.background == ground
        assert art.drawing.tensors["colour"].std(1).max() == 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("5", 5),
        ("#e63946,#f1faee", ("#e63946", "#f1faee")),
        ("teal", ("#008080",)),
        ("0.1,0.5,0.55", ("#1a808c",)),
        ("#FFF,white,Teal", ("#ffffff", "#008080")),
        ("gameboy", ("#0f380f", "#306230", "#8bac0f", "#9bbc0f")),
        ("gray:3", ("#000000", "#808080", "#ffffff")),
        ("viridis:2", ("#440154", "#fde725")),
    ],
)
def test_palettes_as_they_are_written(text, found):
    assert parse_palette(text) == found


def test_every_named_palette_can_be_used():
    for name in (*NAMED, *MAPS):
        colours = parse_palette(name)
        assert len(colours) == len(set(colours)) >= 4
        assert colours == tuple(hex_colour(parse_colour(each)) for each in colours)


def test_a_series_has_one_palette(tmp_path):
    """Each picture counts as much, however large it is, and what is transparent not at all."""
    small, large = np.zeros((8, 8, 4), np.uint8), np.zeros((64, 64, 4), np.uint8)
    small[:4], large[:] = (255, 0, 0, 255), (0, 0, 255, 255)
    large[:16] = (0, 255, 0, 255)
    for name, pixels in (("a", small), ("b", large)):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    assert parse_palette(f"{tmp_path}:3") == ("#ff0000", "#0000ff", "#00ff00")
    assert parse_palette(f"{tmp_path}/b.png:2") == ("#0000ff", "#00ff00")
    # Commas and hashes in names of files were those of colours.
    (tmp_path / "b.png").rename(tmp_path / "b, #2.png")
    assert parse_palette(f"{tmp_path}/b, #2.png:2") == ("#0000ff", "#00ff00")
    (tmp_path / "a,b.txt").write_text("teal\n#abc\n")
    assert parse_palette(f"{tmp_path}/a,b.txt") == ("#008080", "#aabbcc")


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        (".:1", UsageError, ".:1 asks for 1 colours"),
        ("tests/data:5", InputError, "holds no pictures"),
        ("missing:5", UsageError, "there is no palette 'missing:5'"),
        ("1", UsageError, "a palette of 1 colour cannot be learned"),
        ("gamboy", UsageError, "there is no palette 'gamboy' .did you mean gameboy"),
        ("viridis:1", UsageError, "viridis:1 has 1 colours"),
        ("#e63946,#f1fae", UsageError, "'#f1fae' is not a colour"),
        ("missing.gpl", InputError, "cannot read palette missing.gpl"),
    ],
)
def test_palettes_that_are_none(text, error, says):
    with pytest.raises(error) as refused:
        parse_palette(text)
    assert re.search(says, str(refused.value))


@pytest.mark.parametrize("name", ["gaussian", "fourier"])
def test_only_parts_that_can_are_asked_to(name, photo, registry):
    asked = recipe(photo, {"steps": 1}, primitive={"name": name, "count": None})
    with pytest.raises(UsageError, match=f"{name} cannot keep its colours to a palette"):
        run(changed(asked, {"target": {"palette": 4}}), registry)


def test_from_the_command_line(photo, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("inks.gpl").write_text(GPL)
    small = ["-p", "triangle", "-n", "6", "--set", "engine.passes=1", "--no-video", "-q"]
    assert main(["fit", str(photo), *small, "--palette", "inks.gpl"]) == 0
    art = load("artgen-out/photo-triangle.art")
    assert art.recipe.target.palette == INKS
    assert "inks" not in art.recipe.to_json()
    # The colours of one picture for another one.
    other = ["fit", "sample:cat", "--recipe", "artgen-out/photo-triangle.png", "--size", "24"]
    assert main([*other, "--no-video", "-q"]) == 0
    assert load("artgen-out/cat-triangle.art").recipe.target.palette == INKS
    for value, code in (("1", 2), ("300", 2), ("missing.gpl", 3), (str(photo), 3)):
        assert main(["fit", str(photo), *small, "--overwrite", "--palette", value]) == code
        error = capsys.readouterr().err
        assert "palette" in error
        assert "hint" in error


def test_from_python(photo, tmp_path):
    (tmp_path / "inks.gpl").write_text(GPL)
    options = {"count": 4, "seed": 1, "engine_options": {"passes": 0}}
    read = fit(photo, "triangle", palette=tmp_path / "inks.gpl", **options)
    listed = fit(photo, "triangle", palette=INKS, **options)
    assert read.to_bytes() == listed.to_bytes()
    assert read.drawing.canvas == Canvas(24, 16)


def test_the_colours_of_cga_follow_from_its_signal():
    """A channel is 170 where its bit is set, plus 85 with intensity; dark yellow is brown."""
    channels = [[170 * (i >> bit & 1) + 85 * (i >> 3) for bit in (2, 1, 0)] for i in range(16)]
    channels[6][1] //= 2
    assert NAMED["cga"].split() == ["{:02x}{:02x}{:02x}".format(*each) for each in channels]
