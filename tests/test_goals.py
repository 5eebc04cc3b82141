"""Views: one drawing that shows several pictures, each when it is seen in another way."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import save_photo, video_frames
from PIL import Image

from artgen import fit, load
from artgen.art import ExportRequest
from artgen.base.errors import UsageError
from artgen.cli import main
from artgen.editing import named
from artgen.losses import Sight, View, Views, mse
from artgen.recipe import Recipe
from artgen.registry import default
from artgen.testing import examine
from artgen_plugins import films
from artgen_plugins.triangle import Triangle

FLAGS = ["--steps", "20", "-n", "12", "--seed", "1", "--no-video", "-q"]

WAYS = {each.name: each.load() for each in default().entries("view")}

DIM = """import artgen
def dim(picture, value): return picture * float(value)
@artgen.hookimpl
def artgen_views():
    return [artgen.Spec("dim", "In twilight", artgen.losses.Way(dim, example="0.5"))]
"""


def noise(height=24, width=36, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(3, height, width, generator=generator, dtype=torch.float64)


def seen(how, picture):
    return View(how, picture).sight.see(picture)


def save_other(folder: Path) -> Path:
    path = folder / "other.png"
    wave = np.sin(np.arange(24 * 16).reshape(16, 24, 1) / [3, 5, 7])
    Image.fromarray((127 + 127 * wave).astype(np.uint8)).save(path)
    return path


@pytest.mark.parametrize(
    "how", ["turn=180,turn=180", "turn=90,turn=270", "mirror,mirror", "mirror=y,mirror=y", "plain"]
)
def test_what_is_undone_is_the_picture(how):
    assert torch.equal(seen(how, noise()), noise())


def test_each_way_is_its_formula():
    picture = noise()
    assert torch.allclose(seen("invert,invert", picture), picture)
    assert torch.equal(seen("turn=90", picture), picture.flip(1).mT)
    assert torch.allclose(seen("glass=red", picture), picture[:1].expand(3, -1, -1))
    assert torch.allclose(seen("glass=cyan", picture), picture[1:].mean(0).expand(3, -1, -1))
    assert torch.allclose(seen("fine=0.1", picture), picture - seen("blur=0.1", picture) + 0.5)
    assert torch.equal(seen("foil=1/1", picture), picture)
    left, right = (seen(f"slats={side}", noise(8, 48)) for side in ("left", "right"))
    columns = noise(8, 48)
    assert torch.equal(left[:, :, ::4], columns[:, :, 0::4])
    assert torch.equal(right[:, :, 3::4], columns[:, :, 3::4])
    assert seen("blur=0.2", picture).std() < 0.1 * picture.std()
    assert torch.allclose(seen("blur=0.1", torch.full((3, 9, 7), 0.3)), torch.tensor(0.3))
    # A floor as wide far off is seen as it is; one that widens shows its middle near the eye.
    ramp = torch.linspace(0, 1, 30).expand(3, 20, 30)
    assert torch.allclose(seen("floor=1", ramp)[:, :, 1:-1], ramp[:, :, 1:-1])
    near, far = seen("floor=3", ramp)[0, [-1, 0], 1:-1]
    assert near[-1] - near[0] < 0.4 < 0.8 < far[-1] - far[0]
    # The foot of the mirror shows the place in front of it.
    below = torch.zeros(3, 40, 40)
    below[:, 28:32, 19:21] = 1
    bottom, top = seen("cylinder=0.2", below)[0, [-6, 5], 19]
    assert bottom > 0.5 > top
    # A cone shows the same place below its tip, the nearer to the rim the nearer that lies.
    cone = seen("cone=0.2", below)[0]
    assert cone[28:36, 19].max() > 0.9
    assert cone[4:16, 19].max() < 0.1
    assert (cone[0, 0], cone[19, 4]) == (1, 0)
    folded = seen("fold=0.5", picture)
    assert torch.equal(folded, torch.cat([picture[:, :, :9], picture[:, :, 27:]], 2))


def test_parts_are_left_out_by_their_order_and_by_their_colour():
    shapes = Triangle()
    tensors = {
        "genes": torch.zeros(6, 4),
        "alpha": torch.full((4,), 0.5),
        "colour": torch.tensor([[0.9, 0, 0], [0, 0, 0.9], [0.9, 0.1, 0], [0, 0, 0]]).T,
    }
    for how, share, alpha in (
        ("first=0.5", 1.0, [0.5, 0.5, 0, 0]),
        ("first=0.5", 0.5, [0.5, 0.5, 0.5, 0]),
        ("without=red", 1.0, [0, 0.5, 0, 0.5]),
        ("without=red,first=0.5", 1.0, [0, 0.5, 0, 0]),
        ("without=black+#0000e6", 1.0, [0.5, 0, 0.5, 0]),
    ):
        laid = Sight.of(how).pose(shapes, tensors, share)
        torch.testing.assert_close(laid["alpha"], torch.tensor(alpha), atol=0.02, rtol=0)
        assert laid["genes"] is tensors["genes"]


def test_the_first_parts_show_one_picture_and_all_of_them_another(tmp_path):
    art = fit(
        save_photo(tmp_path),
        view=[f"first=0.5:{save_other(tmp_path)}"],
        count=200,
        steps=200,
        seed=1,
    )
    [whole, first] = art.metrics["views"]
    assert min(whole["psnr"], first["psnr"]) > 17
    assert whole["bound"] is None


def test_without_some_inks_another_picture_is_seen(tmp_path):
    first, second = np.full((2, 24, 24, 3), 255, np.uint8)
    first[:, :12], first[:, 12:] = (230, 40, 40), (255, 190, 190)
    second[8:16] = 0
    for name, pixels in (("first", first), ("second", second)):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    goal = f"without=red+pink:{tmp_path / 'second.png'}"
    art = fit(
        tmp_path / "first.png",
        view=[goal],
        blend="over",
        spot_colours="black,white,red,pink",
        background="white",
        count=80,
        steps=150,
        seed=1,
        # Compiled for two pictures of four inks, it takes as long again.
        backend="eager",
    )
    inks = torch.tensor([[0, 0, 0], [255, 255, 255], [255, 0, 0], [255, 192, 203]]) / 255
    assert torch.equal(art.drawing.tensors["colour"].T, inks.repeat(20, 1))
    with pytest.raises(UsageError, match="no such ink"):
        fit(
            save_photo(tmp_path),
            view=["without=tomato:sample:horse"],
            spot_colours="red,black",
            blend="over",
            backend="eager",  # it is refused before a step, but after kernels are compiled
        )
    # One picture for both would be their mean, which is 10.7 dB from each.
    mean = np.square((first / 255 - second / 255) / 2).mean()
    each = [view["psnr"] for view in art.metrics["views"]]
    assert min(each) > -10 * np.log10(mean) + 8


@pytest.mark.parametrize("name", [each for each in WAYS if WAYS[each].parts is None])
def test_every_way_of_the_picture_has_the_gradient_of_its_formula(name):
    how = f"{name}={WAYS[name].example}" if WAYS[name].example else name
    picture = noise(6, 9).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: seen(how, x), picture, fast_mode=True)
    assert seen(how, noise()).shape[0] == 3


@pytest.mark.parametrize("name", WAYS)
def test_those_that_ship_pass_their_checks(name):
    found = examine(default().find("view", name), default())
    assert {each.status for each in found} == {"ok"}, found


def test_the_nearest_picture_is_the_least_squared_error():
    """Turned by 180 degrees, two pictures average each other, each as its weight says."""
    a, b = noise(seed=1).float(), noise(seed=2).float()
    views = Views((View("plain", a, 3), View("turn=180", b)), mse)
    nearest = views.nearest(torch.full_like(a, 0.5))
    assert torch.allclose(nearest, (3 * a + b.flip(1, 2)) / 4, atol=1e-3)
    colours = Views((View("glass=red", a), View("glass=cyan", b)), mse)
    assert min(colours.psnr(colours.nearest(torch.full_like(a, 0.5)))) > 40


def test_a_fit_shows_both_and_no_more_than_can_be_reached(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_photo(tmp_path)
    save_other(tmp_path)
    views = ["--view", "glass=red", "--view", "2*glass=cyan:other.png"]
    assert main(["fit", "photo.png", *views, *FLAGS[:-1], "--json"]) == 0
    output = capsys.readouterr()
    assert "views: at most" in output.err
    summary = json.loads(output.out)
    assert [view["how"] for view in summary["views"]] == ["glass=red", "glass=cyan"]
    weights = np.array([view["weight"] for view in summary["views"]])
    errors = {
        key: weights @ [10 ** (-view[key] / 10) for view in summary["views"]]
        for key in ("psnr", "bound")
    }
    assert weights.tolist() == [1, 2]
    assert errors["bound"] < errors["psnr"] < 0.2
    [other] = [v["target"] for v in summary["recipe"]["view"] if "target" in v]
    assert other["name"] == "other.png"
    assert len(other["sha256"]) == 64


def test_the_recipe_of_an_output_repeats_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_photo(tmp_path)
    save_other(tmp_path)
    view = ["--view", "turn=180:other.png"]
    assert main(["fit", "photo.png", *view, *FLAGS, "--out", "a"]) == 0
    [still] = Path("a").glob("*.png")
    assert main(["fit", "--recipe", str(still), "--out", "b", "--no-video", "-q"]) == 0
    [again] = Path("b").glob("*.png")
    assert still.read_bytes() == again.read_bytes()
    plain = main(["fit", "photo.png", *FLAGS, "--out", "c"])
    assert plain == 0
    assert next(Path("c").glob("*.png")).read_bytes() != still.read_bytes()


@pytest.mark.parametrize("primitive", ["triangle", "voronoi", "mlp"])
def test_every_engine_goes_to_the_picture_of_all_views(primitive, tmp_path):
    """Engines that know one goal fit the picture nearest to all; the others fit the views."""
    options = {"engine_options": {"batch": 0}} if primitive == "mlp" else {}
    art = fit(
        save_photo(tmp_path),
        primitive,
        view=[f"turn=180:{save_other(tmp_path)}"],
        count=None if primitive == "mlp" else 150,
        steps=200,
        seed=1,
        **options,
    )
    weighted = [
        10 ** (-view[key] / 10) for key in ("psnr", "bound") for view in art.metrics["views"]
    ]
    assert sum(weighted[2:]) < sum(weighted[:2]) < 1.6 * sum(weighted[2:])


def test_a_plugin_adds_a_way(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_photo(tmp_path)
    Path("dim.py").write_text(DIM)
    views = ["--view", "dim=0.5", "--plugin", "dim.py", "--json"]
    assert main(["fit", "photo.png", *views, *FLAGS]) == 0
    [view] = json.loads(capsys.readouterr().out)["views"]
    assert (view["how"], view["bound"] > view["psnr"]) == ("dim=0.5", True)
    assert (
        main(["fit", "photo.png", "--view", "dim=x", "--plugin", "dim.py", "--name", "b", *FLAGS])
        == 4
    )
    assert "dim.py, line 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("view", "says"),
    [
        ("turned=180", "did you mean turn"),
        ("turn=45", "90, 180 or 270"),
        ("blur", "a number from 0.001 to 0.5"),
        ("glass=black", "lets light through"),
        ("foil=4/3", "such as 1/3"),
        ("foil=1/\N{SUPERSCRIPT THREE}", "such as 1/3"),
        ("slats=up", "left or right"),
        ("turn=90", "16 x 24 pixels, and the target is not"),
        ("fold=0.5", "12 x 16 pixels, and the target is not"),
        ("cone=0.9", "a number from 0.02 to 0.4"),
        ("first=1:other.png", "a number from 0.01 to 0.99"),
        ("without=red:other.png", "add up"),
        ("0*mirror", "greater than 0"),
        (":other.png", "HOW:PICTURE"),
        ("mirror:nothing.png", "does not exist"),
        ("mirror:curve:sin(x)", "not a picture"),
    ],
)
def test_wrong_views_are_refused(view, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_photo(tmp_path)
    save_other(tmp_path)
    code = {"turned=180": 4, "mirror:nothing.png": 3}.get(view, 2)
    assert main(["fit", "photo.png", "--view", view, *FLAGS]) == code
    assert says in capsys.readouterr().err


def test_a_focus_of_a_look_is_told_how_to_undo(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_photo(tmp_path)
    look = ["--look", "engraving", "--focus", "0.5,0.5,0.3", "--view", "turn=180:sample:cat"]
    assert main(["fit", "photo.png", *look, "--size", "32", "--no-video"]) == 2
    assert "--focus none undoes the focus of a look" in capsys.readouterr().err


@pytest.mark.parametrize(
    "more",
    [["--alpha-weight", "--mask", "photo.png"], ["--transparent"], ["--tiles", "16"]],
)
def test_what_does_not_go_with_views_is_refused(more, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_photo(tmp_path)
    assert main(["fit", "photo.png", "--view", "turn=180:sample:cat", *more, *FLAGS]) == 2
    assert "views" in capsys.readouterr().err
    assert main(["fit", "curve:sin(x)", "-p", "mlp", "--view", "mirror", *FLAGS[:2]]) == 2


@pytest.mark.parametrize("how", ["fold=0.5", "fold=0.3", "slats=left", "slats=right", "turn=270"])
def test_a_film_folds_and_turns_the_paper_itself(how):
    """The film of a fold was two pictures that faded into each other."""
    picture = 0.3 + 0.6 * torch.rand(3, 24, 96, generator=torch.Generator().manual_seed(3))
    picture = picture.repeat_interleave(4, 1).repeat_interleave(4, 2)
    sight = Sight.of(how)
    assert sight.moves
    seen = sight.see(picture)
    first, last = sight.between(picture, 1e-6), sight.between(picture, 1 - 1e-6)
    _, height, width = seen.shape
    left = (last.shape[2] - width) // 2
    assert (first[:, :96, :384] - picture).abs().mean() < 0.03
    assert (last[:, :height, left : left + width] - seen).abs().mean() < 0.03
    for beside in (last[:, :, : max(0, left - 2)], last[:, :, left + width + 2 :]):
        assert (beside < 0.06).all()
    # On the way there is ground beside it, and paper is as bright as it was, or in shade.
    middle = sight.between(picture, 0.5)
    ground = (middle < 0.06).all(0)
    assert 0.03 < ground.float().mean() < 0.8
    assert middle.max() <= picture.max() + 1e-5
    assert not Sight.of("mirror").moves
    assert not Sight.of("fold,mirror").moves


def test_a_sheet_names_colours(tmp_path, monkeypatch):
    assert named("without=#00007f+#f00,blur=0.02") == "without=navy+red,blur=0.02"
    assert named("glass=teal") == "glass=teal"
    monkeypatch.chdir(tmp_path)
    save_photo(tmp_path)
    assert main(["fit", "photo.png", "--view", "glass=#ff0000", *FLAGS, "--name", "a"]) == 0
    art = load("artgen-out/a.art")
    told = []
    sheet = films.contact_sheet
    monkeypatch.setattr(
        films, "contact_sheet", lambda cells, **more: told.extend(cells) or sheet(cells, **more)
    )
    art.to_format("png", ExportRequest(film="views"))
    assert [caption for _, caption in told] == ["as it is", "glass=red"]


def test_a_sheet_and_a_film_show_all_views(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_photo(tmp_path)
    views = ["--view", "invert", "--view", "turn=90:sample:cat"]
    assert main(["fit", "photo.png", *views, *FLAGS, "--name", "a"]) == 0
    drawing = ["render", "artgen-out/a.art"]
    assert main([*drawing, "-o", "sheet.png", "--film", "views", "--size", "120"]) == 0
    sheet = np.asarray(Image.open("sheet.png").convert("RGB")).astype(int)
    still = np.asarray(Image.open("artgen-out/a.png").convert("RGB").resize((120, 80))).astype(int)
    height, width = sheet.shape[:2]
    shown = [
        (abs(sheet[y : y + 80, x : x + 120] - picture).mean(), kind)
        for kind, picture in (("plain", still), ("inverted", 255 - still))
        for y in range(0, height - 80, 2)
        for x in range(0, width - 120, 2)
    ]
    assert {kind for error, kind in shown if error < 12} == {"plain", "inverted"}
    film = [*drawing, "-o", "film.mp4", "--film", "views", "--size", "48", "--seconds", "2"]
    assert main([*film, "--fps", "10"]) == 0
    frames = video_frames(Path("film.mp4")).astype(int)
    assert len(frames) == 20
    assert abs(frames[5] - (255 - frames[0])).mean() < 8
    assert abs(frames[10] - frames[0]).mean() < 8
    assert frames[15][:, :6].mean() < 30  # beside what is turned by 90 degrees is nothing
    assert main([*drawing, "-o", "sheet.svg", "--film", "views"]) == 2
    filmed = [flag for flag in FLAGS if flag != "--no-video"]
    assert main(["fit", "photo.png", *filmed, "--film", "views", "--name", "b"]) == 2
    assert "for a drawing with views" in capsys.readouterr().err
    assert main(["fit", "photo.png", *FLAGS, "--name", "b"]) == 0
    assert main(["render", "artgen-out/b.art", "-o", "b.png", "--film", "views"]) == 2
    assert "has no views" in capsys.readouterr().err


def test_a_view_says_how_the_picture_is_drawn(tmp_path, monkeypatch, capsys):
    """It was the usual look, one line, which shows no second picture."""
    monkeypatch.chdir(tmp_path)
    save_photo(tmp_path)
    asked = ["fit", "photo.png", "--view", "turn=180", "--steps", "5", "--no-video", "--json"]
    assert main(asked) == 0
    assert json.loads(capsys.readouterr().out)["primitive"] == "gaussian"


def test_views_are_tables_of_a_recipe():
    recipe = Recipe.from_dict({"view": [{"how": "mirror"}, "2*turn=180,blur=0.1:in/a.png"]})
    [first, second] = recipe.view
    assert (first.how, first.target, first.weight) == ("mirror", None, 1)
    assert (second.how, second.target.name, second.weight) == ("turn=180,blur=0.1", "in/a.png", 2)
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    with pytest.raises(UsageError, match="how is missing"):
        Recipe.from_request({"view": [{"weight": 2.0}]})
