"""Edits: parts are changed as asked for, all others stay, and the recipe remembers it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import artgen
from artgen.art import load
from artgen.base.files import file_hash
from artgen.cli import main
from artgen.editing import edit, split
from artgen.errors import InputError, PluginError, UsageError
from artgen.registry import Registry, default
from artgen.testing import examine
from tests.test_morph import drawn, random_shapes, random_splats

BACK = (0.2, 0.4, 0.6)


def sites(count: int = 6, **more):
    rng = np.random.default_rng(3)
    xy, colour = rng.uniform(-1, 1, (2, count)), rng.uniform(0, 1, (3, count))
    return drawn("voronoi", sites=xy.tolist(), colour=colour.tolist(), **more)


def mesh():
    corners = [[-1.5, 1.5, -1.5, 1.5], [-1.0, -1.0, 1.0, 1.0]]
    inner = [[0.3, -0.4], [0.2, -0.1]]
    xy = np.concatenate([corners, inner], axis=1)
    colour = np.random.default_rng(3).uniform(0, 1, (6, 6))
    return drawn("mesh", xy=xy.tolist(), colour=colour.tolist())


def squares(*colours, **more):
    """Rotated rectangles of these colours in a row from left to right, each smaller."""
    count = len(colours)
    x = np.linspace(-0.9, 0.9, count)
    size = np.linspace(0.3, 0.1, count)
    genes = [x.tolist(), [0.0] * count, size.tolist(), [0.0] * count, (0.6 * size).tolist()]
    return drawn(
        "rotated_rectangle",
        genes=genes,
        colour=np.array(colours, float).T.tolist(),
        alpha=[1.0] * count,
        **more,
    )


RED, BLUE, WHITE = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 1.0)


def colours_of(art) -> list[tuple[float, ...]]:
    return [tuple(round(float(v), 3) for v in row) for row in art.drawing.tensors["colour"].T]


EVERY = {
    "over": lambda: random_splats(6, 1, blend="over"),
    "triangle": lambda: random_shapes("triangle", 6, 1),
    "rotated_ellipse": lambda: random_shapes("rotated_ellipse", 6, 1),
    "mixture": lambda: random_shapes("triangle*3+ellipse", 6, 1),
    "voronoi": sites,
}


# ---- which parts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    ("operation", "left"), [("delete@0,0,0.0001;0.5,0.5,1", 0), ("delete@colour:#123456", None)]
)
def test_what_leaves_or_finds_nothing_is_refused(name, operation, left):
    with pytest.raises(UsageError, match=r"leaves no parts|finds no parts"):
        edit(EVERY[name](), "move=0,0", operation) if left is None else edit(
            drawn_in_middle(EVERY[name]()), operation
        )


def drawn_in_middle(art):
    return edit(art, "scale=0.05") if art.drawing.primitive != "voronoi" else art


def test_the_smallest_and_the_largest_go():
    art = squares(RED, BLUE, WHITE)
    assert colours_of(edit(art, "delete@smallest:1")) == [RED, BLUE]
    assert colours_of(edit(art, "delete@largest:2")) == [WHITE]
    assert colours_of(edit(art, "keep@largest:2")) == [RED, BLUE]
    assert colours_of(edit(art, "keep@part:2")) == [BLUE]


def test_a_circle_a_colour_and_a_mask_choose(tmp_path):
    art = squares(RED, BLUE, WHITE)
    assert colours_of(edit(art, "delete@0.5,0.5,0.1")) == [RED, WHITE]
    assert colours_of(edit(art, "delete@colour:blue")) == [RED, WHITE]
    mask = np.zeros((16, 24), np.uint8)
    mask[:, :8] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    kept = edit(art, f"keep@{tmp_path / 'mask.png'}")
    assert colours_of(kept) == [RED]
    table = kept.recipe.edit[0]
    assert table.do == "keep@mask.png"
    assert table.file.sha256 == file_hash(tmp_path / "mask.png", "mask")
    Image.fromarray(mask[:, :9]).save(tmp_path / "narrow.png")
    with pytest.raises(InputError, match="another form than the drawing, 24:16"):
        edit(art, f"keep@{tmp_path / 'narrow.png'}")


# ---- what becomes of them ------------------------------------------------------------------------


@pytest.mark.parametrize("blend", ["sum", "mean", "normalized", "depth", "over"])
def test_splats_that_stay_look_as_they_did(blend):
    """A mean is divided by the number of parts, so those that stay were brighter."""
    art = random_splats(4, 1, blend=blend)
    tensors = dict(art.drawing.tensors)
    tensors["xy"] = torch.tensor([[-1.2, -1.2, 1.2, 1.2], [0.0] * 4])
    tensors["scale"] = torch.full((2, 4), 0.05)
    art = replace(art, drawing=replace(art.drawing, tensors=tensors))
    left = edit(art, "keep@0.1,0.5,0.3")
    assert left.drawing.tensors["xy"].shape == (2, 2)
    apart = left.render(48).astype(int)[:, :20] - art.render(48)[:, :20]
    assert np.abs(apart).max() <= 1


def test_a_mesh_keeps_its_corners():
    art = edit(mesh(), "delete@0.5,0.5,1")
    assert art.drawing.tensors["xy"].shape[1] == 4
    assert torch.equal(art.drawing.tensors["xy"], mesh().drawing.tensors["xy"][:, :4])
    art.render(24)


def test_colours_are_mapped_and_shades_stay_shades():
    art = squares(RED, (0.8, 0.1, 0.1), BLUE, background=RED)
    made = edit(art, "recolour=red=teal")
    teal = artgen.targets.parse_colour("teal")
    first, second, third = colours_of(made)
    assert first == pytest.approx(teal, abs=1e-3)
    assert second != (0.8, 0.1, 0.1)
    assert second[1] > second[0]
    assert third == BLUE
    assert made.drawing.background == pytest.approx(teal)
    part = edit(art, "recolour=red=teal@0.5,0.5,0.1")
    assert colours_of(part)[0] == RED
    assert part.drawing.background == RED


def test_limits_of_a_search_do_not_bend_what_is_turned_or_scaled():
    """Gene by gene they left another form: dots kept their size, and moved apart."""
    genes = [[0.0, 0.5], [0.1, -0.3], [0.05, 0.04]]
    more = {"colour": [[0.5, 1.0]] * 3, "alpha": [1.0, 1.0]}
    dots = drawn("circle", genes=genes, options={"max_size": 0.1}, **more)
    made = edit(dots, "scale=2").drawing.tensors["genes"]
    torch.testing.assert_close(made, 2 * torch.tensor(genes))
    # Curves are flattened to other corners in each position, so that letters were refused.
    one = {"colour": [[1.0]] * 3, "alpha": [1.0]}
    letter = drawn("glyph", genes=[[0.0], [0.0], [0.5], [0.0], [0.5]], **one)
    turned = edit(letter, "rotate=45").drawing.tensors["genes"][2:4, 0]
    torch.testing.assert_close(turned, torch.full((2,), 0.5 / 2**0.5))


def test_a_file_of_coarse_steps_takes_any_colour():
    art = replace(squares(RED, BLUE), precision="auto")
    made = edit(art, "recolour=red=teal")
    assert colours_of(made)[0] == pytest.approx(artgen.targets.parse_colour("teal"), abs=1 / 256)
    assert colours_of(made)[1] == BLUE


def test_colours_become_those_of_a_palette():
    made = edit(squares(RED, (0.9, 0.2, 0.1), BLUE), "recolour=#ff0000,#0000ff")
    assert colours_of(made) == [RED, RED, BLUE]
    assert made.drawing.background == RED or made.drawing.background == BLUE


@pytest.mark.parametrize("name", ["over", "triangle", "rotated_ellipse", "voronoi"])
def test_all_parts_move_scale_and_turn_as_the_picture_does(name):
    """The picture of the edit is the edited picture, as far as the canvas shows both."""
    art = EVERY[name]()
    drawing = replace(art.drawing, width=32, height=32)
    if name != "voronoi":
        art = edit(replace(art, drawing=drawing), "scale=0.5")
    else:
        art = replace(art, drawing=drawing)
    before = art.render(64).astype(int)
    turned = edit(art, "rotate=90").render(64).astype(int)
    assert np.abs(np.rot90(before, -1) - turned).mean() < 1.0
    if name == "voronoi":
        # Cells at the rim grow into what was beyond it: compared away from there.
        moved = edit(art, "move=0.125,0").render(64).astype(int)
        assert np.abs(before[16:-16, 16:-24] - moved[16:-16, 24:-16]).mean() < 0.5
        return
    moved = edit(art, "move=0.125,0").render(64).astype(int)
    assert np.abs(before[:, :-8] - moved[:, 8:]).mean() < 0.5
    larger = edit(art, "scale=2").render(64).astype(int)
    smaller = larger.reshape(32, 2, 32, 2, 3).mean((1, 3))
    inner = art.render(64)[16:48, 16:48]
    assert np.abs(smaller - inner).mean() < 12
    again = edit(art, "rotate=33", "rotate=-33", "scale=1.7", f"scale={1 / 1.7}")
    assert np.abs(again.render(64).astype(int) - before).mean() < 1.0


def test_what_has_no_such_parameters_is_refused():
    art = random_shapes("rectangle", 3, 1)
    edit(art, "rotate=0", "scale=1.2")
    with pytest.raises(UsageError, match="shapes of Rectangle cannot be turned"):
        edit(art, "rotate=30")


def test_stamps_turn():
    """The search alone did not find how: what they show changes by jumps."""
    art = artgen.fit("sample:cat", "stamp", count=6, steps=1, size=24, seed=1, backend="eager")
    again = edit(art, "rotate=35", "scale=0.6", "rotate=-35", f"scale={1 / 0.6}")
    assert np.abs(again.render(48).astype(int) - art.render(48)).mean() < 0.5
    assert np.abs(edit(art, "rotate=35").render(48).astype(int) - art.render(48)).mean() > 1


def test_a_circle_too_small_to_be_seen_hinders_no_turn():
    genes = [[0.3, -0.5], [0.1, 0.2], [0.2, 1e-8]]
    art = drawn("circle", genes=genes, colour=[[1.0, 0.0]] * 3, alpha=[1.0, 1.0])
    made = edit(art, "rotate=90@largest:1", "rotate=90")
    assert made.drawing.tensors["genes"][:2, 0].tolist() == pytest.approx([-0.1, 0.3], abs=1e-3)


def test_a_circle_turns_with_its_place():
    art = random_shapes("circle", 3, 1)
    made = edit(art, "rotate=30")
    radius = art.drawing.tensors["genes"][2]
    torch.testing.assert_close(made.drawing.tensors["genes"][2], radius, rtol=1e-3, atol=1e-4)
    assert not torch.allclose(made.drawing.tensors["genes"][:2], art.drawing.tensors["genes"][:2])


def test_sorting_decides_what_lies_in_front():
    art = squares(RED, WHITE, BLUE)
    assert colours_of(edit(art, "sort=luminance")) == [BLUE, RED, WHITE]
    assert colours_of(edit(art, "sort=-x")) == [BLUE, WHITE, RED]
    splats = edit(random_splats(5, 1, blend="over"), "sort=-size")
    depth, scale = splats.drawing.tensors["z"], splats.drawing.tensors["scale"].prod(0)
    assert (depth.diff() <= 0).all()
    assert (scale.diff() <= 0).all()


def test_two_drawings_are_joined(tmp_path):
    one, other = squares(RED, BLUE), squares(WHITE)
    other.save(tmp_path / "other.art")
    made = edit(one, f"join={tmp_path / 'other.art'}")
    assert colours_of(made) == [RED, BLUE, WHITE]
    assert made.recipe.edit[0].do == "join=other.art"
    random_splats(3, 1).save(tmp_path / "splats.art")
    with pytest.raises(UsageError, match="rotated_rectangle cannot be joined with gaussian"):
        edit(one, f"join={tmp_path / 'splats.art'}")


def test_a_drawing_is_taken_apart_by_colour():
    art = squares(RED, BLUE, (0.9, 0.1, 0.1))
    plates = split(art, "red,blue,white")
    assert {name: colours_of(plate) for name, plate in plates.items()} == {
        "#ff0000": [RED, (0.9, 0.1, 0.1)],
        "#0000ff": [BLUE],
    }
    assert len(split(art, 2)) == 2


@pytest.mark.parametrize("colours", [4, "red,blue"])
def test_a_drawing_without_parts_is_not_taken_apart(colours):
    """Learning colours raised a ValueError; with given ones, nothing was written and nothing said."""
    art = squares(RED)
    none = {key: tensor[..., :0] for key, tensor in art.drawing.tensors.items()}
    with pytest.raises(UsageError, match="a drawing without parts cannot be split"):
        split(replace(art, drawing=replace(art.drawing, tensors=none)), colours)


def test_the_words_for_one_colour_are_those_of_no_flag():
    """They were of a target, and of --palette, which `artgen edit --split` has not."""
    with pytest.raises(InputError, match="there is one colour") as refused:
        split(squares(RED, RED), 2)
    assert refused.value.hint == "name them, such as red,teal"


@pytest.mark.parametrize("precision", ["fp32", "auto", "fp16", "int8"])
def test_what_is_saved_is_what_was_made(precision, tmp_path):
    art = replace(random_splats(6, 1, blend="over"), precision=precision)
    made = edit(art, "delete@smallest:2", "rotate=20", "recolour=red=blue")
    made.save(tmp_path / "made.art")
    again = load(tmp_path / "made.art")
    assert again.to_bytes() == made.to_bytes()
    assert (again.render(24) == made.render(24)).all()
    assert [table.do for table in again.recipe.edit] == [
        "delete@smallest:2",
        "rotate=20",
        "recolour=red=blue",
    ]
    assert again.metrics["count"] == 4
    assert again.psnr is None


def test_a_palette_is_recoloured_with_its_parts():
    """Pictures of a palette have its colours alone, so new ones were drawn as the old ones."""
    art = squares(RED, BLUE, background=WHITE)
    recipe = art.recipe.replace(
        target=art.recipe.target.replace(palette=("#ff0000", "#0000ff", "#ffffff")),
        output=art.recipe.output.replace(edges="hard"),
    )
    made = edit(replace(art, recipe=recipe), "recolour=red=#00ff00")
    pixels = {tuple(pixel) for pixel in made.render(48).reshape(-1, 3).tolist()}
    assert pixels == {(0, 255, 0), (0, 0, 255), (255, 255, 255)}


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no operation"),
        ("remove@smallest:1", "is no operation"),
        ("delete=3", "is not how parts are edited"),
        ("delete@", "is not how parts are edited"),
        ("delete@smallest", "does not say how many"),
        ("delete@smallest:0", "does not say how many"),
        ("delete@part:0", "is no part of this drawing, which has 3"),
        ("delete@part:4", "is no part of this drawing, which has 3"),
        ("delete@somewhere", "is no place of parts"),
        # Words of --focus that are no circles: an IndexError, with exit code 1.
        ("delete@faces", "is no place of parts"),
        ("delete@none", "is no place of parts"),
        ("delete@auto", "is no place of parts"),
        ("delete@colour:nothing", "is not a colour"),
        ("delete@3,3,3", "is not a circle"),
        ("move", "is not how parts are edited"),
        ("move=1", "is no way to go"),
        ("move=nan,0", "is no way to go"),
        ("scale=0", "one number from"),
        ("scale=-1", "one number from"),
        ("rotate=north", "one number from"),
        ("rotate=30deg", "one number from"),
        ("rotate=inf", "one number from"),
        ("sort=beauty", "cannot be sorted"),
        ("recolour", "is not how parts are edited"),
        ("recolour=red=blue,green", "is no list of colours"),
        ("recolour=red=nothing", "is not a colour"),
        ("recolour=red=blue,#f00=teal", "gives one colour two others"),
        ("recolour=nothing", "there is no palette"),
    ],
)
def test_mistakes_are_named(text, says):
    with pytest.raises(UsageError, match=says) as caught:
        edit(squares(RED, BLUE, WHITE), text)
    if "place of parts" in says or "circle" in says:
        assert caught.value.hint.startswith("write smallest:10")  # not the words of --focus
    if says == "one number from":
        such = {"scale": "scale=1.5", "rotate": "rotate=30, in degrees"}
        assert caught.value.hint == f"write {such[text.partition('=')[0]]}"


def test_what_has_no_parts_or_moves_is_refused(tmp_path):
    network = artgen.fit("sample:cat", "mlp", hidden=4, layers=1, steps=1, size=16, seed=1)
    with pytest.raises(UsageError, match="mlp is of the family field, which has no parts"):
        edit(network, "delete@smallest:1")
    with pytest.raises(UsageError, match="colours of the parts of this gaussian add up"):
        edit(random_splats(3, 1), "recolour=red=blue")
    with pytest.raises(UsageError, match="voronoi have no size"):
        edit(sites(), "delete@smallest:1")
    with pytest.raises(UsageError, match="whose parts do not move"):
        edit(mesh(), "move=0.1,0")
    from artgen.animation.morph import morph

    both = morph(random_splats(3, 1), random_splats(3, 2))
    with pytest.raises(UsageError, match="this drawing moves"):
        edit(both, "delete@smallest:1")


# ---- the command ---------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    squares(RED, BLUE, WHITE).save("a.art")


def printed(capsys, *arguments, expect=0):
    assert main([*arguments, "--json", "-q"]) == expect
    return json.loads(capsys.readouterr().out)


def test_the_command_edits_and_splits(place, capsys):
    data = printed(capsys, "edit", "a.art", "delete@smallest:1", "-o", "b.art", "-o", "b.png")
    assert data == {
        "art": "a.art",
        "primitive": "rotated_rectangle",
        "parts": 2,
        "outputs": ["b.art", "b.png"],
    }
    assert printed(capsys, "info", "b.png")["recipe"]["edit"] == [{"do": "delete@smallest:1"}]
    assert main(["edit", "a.art", "--split", "red,blue", "-o", "c.art", "-q"]) == 0
    assert sorted(path.name for path in Path().glob("c-*.art")) == ["c-0000ff.art", "c-ff0000.art"]
    assert main(["edit", "a.art", "--split", "red,blue,lime", "-o", "d.art"]) == 0
    told = capsys.readouterr().err
    assert "note: no part is nearest to #00ff00, so no file is of it" in told
    assert main(["edit", "a.art", "--split", "2", "-o", "-.svg"]) == 2
    assert "--split writes several files" in capsys.readouterr().err
    assert main(["edit", "a.art", "rotate=10", "-q"]) == 0
    assert Path("a-edited.art").exists()


@pytest.mark.parametrize(
    ("operation", "parts"),
    [
        ("recolour=in/red@=1.txt", ["red", "red", "red"]),
        ("recolour=in/red@=1.txt@largest:2", ["red", "red", "white"]),
        ("recolour=in/red@=1.txt@in/all@=1.png", ["red", "red", "red"]),
        ("recolour=blue=red@in/all@=1.png", ["red", "red", "white"]),
        ("delete@largest:2", ["white"]),
    ],
)
def test_names_of_files_may_hold_the_marks_of_operations(place, operation, parts):
    """A palette or a drawing whose name holds = or @ was looked for under half of its name."""
    Path("in").mkdir()
    Path("in/red@=1.txt").write_text("red\nlime\n")
    drawing = load("a.art").drawing
    Image.new("L", (drawing.width, drawing.height), 255).save("in/all@=1.png")
    assert main(["edit", "a.art", operation, "-o", "b.art", "-q"]) == 0
    assert colours_of(load("b.art")) == [{"red": RED, "white": WHITE}[each] for each in parts]
    # Names alone are remembered, whatever their folder.
    assert load("b.art").recipe.edit[0].do == operation.replace("in/", "")


def test_what_an_operation_reads_is_not_replaced(place, capsys):
    Path("a.art").rename("a=@1.art")
    squares(RED).save("b.art")
    line = ["edit", "b.art", "join=a=@1.art", "-o", "a=@1.art", "--overwrite"]
    assert main(line) == 2
    assert "a=@1.art cannot be both read and written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("operations", "says"),
    [
        (["recolour=teal=gold"], ["'recolour=teal=gold' changes nothing"]),
        (["move=9,9"], ["'move=9,9' leaves no part whose middle is in the picture"]),
        (["move=9,9@smallest:1", "sort=size", "sort=size"], ["'sort=size' changes nothing"]),
        (["recolour=red=gold", "move=0.1,0"], []),
    ],
)
def test_what_nobody_asks_for_is_said(place, capsys, operations, says):
    """An output that was the input, or an empty sheet, came without a word."""
    assert main(["edit", "a.art", *operations]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")]
    assert said == [f"warning: {each}" for each in says]


def test_the_setting_overwrite_is_for_edits_too(place, monkeypatch):
    monkeypatch.setenv("ARTGEN_OVERWRITE", "true")
    for _ in range(2):
        assert main(["edit", "a.art", "rotate=10", "-q"]) == 0


def test_a_fit_goes_on_from_an_edit_and_does_not_repeat_it(place, capsys):
    assert main(["edit", "a.art", "delete@smallest:1", "-o", "b.art", "-q"]) == 0
    assert main(["edit", "a.art", "--precision", "auto", "-o", "small.art", "-q"]) == 0
    assert Path("small.art").stat().st_size < Path("a.art").stat().st_size / 2
    error = printed(capsys, "fit", "--recipe", "b.art", expect=2)["error"]
    assert "edited after its fit" in error["message"]
    arguments = ["fit", "sample:cat", "--init", "b.art", "-p", "rotated_rectangle", "--steps", "1"]
    printed(
        capsys, *arguments, "--size", "24", "-n", "2", "--no-video", "--out", ".", "--name", "c"
    )
    assert load("c.art").recipe.edit is None
    assert load("c.art").recipe.init.name == "b.art"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["a.art"], 2, "no operation was given"),
        (["missing.art", "rotate=3"], 3, "does not exist"),
        (["a.art", "rotate=3", "-o", "a.art"], 2, "a.art"),
        (["a.art", "rotate=3", "-o", "a.xyz"], 2, "unknown format"),
        (["a.art", "join=missing.art"], 3, "does not exist"),
        (["a.art", "delete@missing.png"], 3, "missing.png: No such file"),
    ],
)
def test_mistakes_of_the_command(place, capsys, arguments, code, says):
    assert says in printed(capsys, "edit", *arguments, expect=code)["error"]["message"]


def test_every_operation_is_tested():
    text = Path(__file__).read_text(encoding="utf-8")
    # Among mistakes it is a name alone.
    tried = "".join(line for line in text.splitlines() if not line.startswith('        ("'))
    assert all(f'"{name}' in tried for name in {each.name for each in default().entries("edit")})


PLUGIN = """
import artgen
from artgen.editing import Operation

def turned(parts, value):
    if value == "wrong":
        1 / 0
    return None if value == "none" else parts.composed(parts.chosen[::-1])

@artgen.hookimpl
def artgen_edits():
    return [artgen.Spec("turn-over", "Turns the stack over", Operation(turned, "all"))]
"""


def test_a_plugin_adds_an_operation(tmp_path, capsys):
    (tmp_path / "over.py").write_text(PLUGIN)
    registry = Registry(files=[tmp_path / "over.py"])
    art = replace(squares(RED, BLUE, WHITE), registry=registry)
    assert colours_of(edit(art, "turn-over=all")) == [WHITE, BLUE, RED]
    made = edit(art, "over.py/turn-over=all@part:2")
    assert [table.do for table in made.recipe.edit] == ["over.py/turn-over=all@part:2"]
    with pytest.raises(UsageError, match="is not how parts are edited") as refused:
        edit(art, "turn-over")
    assert "turn-over=all" in refused.value.hint
    with pytest.raises(UsageError, match="is no operation") as refused:
        edit(art, ["turn-over=all"])
    assert "a text of its own" in refused.value.hint
    with pytest.raises(UsageError, match="is no operation") as refused:
        edit(art, "turnover=all")
    assert "turn-over" in refused.value.hint
    with pytest.raises(PluginError, match=r"over\.py, line 7.*ZeroDivisionError"):
        edit(art, "turn-over=wrong")
    with pytest.raises(PluginError, match="gave NoneType, not a drawing"):
        edit(art, "turn-over=none")
    listed = printed(capsys, "edit", "--list", "--plugin", str(tmp_path / "over.py"))
    summary = {"usage": "turn-over=all", "summary": "Turns the stack over", "plugin": "over.py"}
    assert summary in listed["operations"]
    assert {"artgen"} == {each["plugin"] for each in listed["operations"] if each != summary}


@pytest.mark.parametrize("name", [each.name for each in default().entries("edit")])
def test_those_that_ship_pass_their_checks(name):
    registry = Registry(environ={})
    found = {each.check: each for each in examine(registry.find("edit", name), registry)}
    lacking = {each.detail for each in found.values() if each.status == "skipped"}
    assert lacking <= ({"needs a file, such as B.art"} if name == "join" else set())
    assert {each.status for each in found.values()} <= {"ok", "skipped"}


def test_what_is_no_operation_is_refused(tmp_path):
    (tmp_path / "over.py").write_text(PLUGIN.replace('Operation(turned, "all")', "turned"))
    registry = Registry(files=[tmp_path / "over.py"])
    art = replace(squares(RED), registry=registry)
    with pytest.raises(PluginError, match="is not an Operation") as refused:
        edit(art, "turn-over=all")
    assert refused.value.hint == "offer artgen.editing.Operation(function)"
