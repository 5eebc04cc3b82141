"""Morphs: the parts of one drawing become those of another, and both ends are what they were."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

import artgen
from artgen import Art, Drawing
from artgen.animation.morph import morph
from artgen.art import load
from artgen.base.files import file_hash
from artgen.cli import main
from artgen.errors import UsageError
from artgen.matching import assign
from artgen.raster import draw
from artgen.recipe import Recipe
from artgen.registry import default


def drawn(name: str, width=24, height=16, background=(0.0, 0.0, 0.0), options=None, **tensors):
    """A drawing with exactly these numbers, [k, N] each."""
    primitive = default().load("primitive", name)(options or {})
    values = {key: torch.tensor(value, dtype=torch.float32) for key, value in tensors.items()}
    drawing = Drawing(name, primitive.option_values(), values, width, height, background)
    return Art(drawing, Recipe.from_dict({"primitive": {"name": name}}), registry=default())


def random_splats(count: int, seed: int, *, blend="sum", **more) -> Art:
    rng = np.random.default_rng(seed)
    tensors = {
        "xy": rng.uniform(-1, 1, (2, count)),
        "scale": rng.uniform(0.1, 0.3, (2, count)),
        "angle": rng.uniform(-9, 9, count),
        "colour": rng.uniform(0, 1, (3, count)),
    }
    if blend in ("depth", "over"):
        tensors["z"] = rng.uniform(1, 3, count)
    if blend == "over":
        tensors["opacity"] = rng.uniform(0.3, 0.9, count)
    arrays = {name: value.tolist() for name, value in tensors.items()}
    return drawn("gaussian", options={"blend": blend}, **arrays, **more)


def random_shapes(name: str, count: int, seed: int, **more) -> Art:
    rng = np.random.default_rng(seed)
    primitive = default().load("primitive", name)({})
    genes = np.zeros((count, max(member.genes for member in primitive.members)))
    kinds = rng.integers(len(primitive.members), size=count)
    for row, kind in zip(genes, kinds, strict=True):
        member = primitive.members[kind]
        own = np.zeros(member.genes)
        while not (own.any() and member.valid(own)):
            member.random(own, rng, *rng.uniform(-0.8, 0.8, 2), 0.5)
        row[: member.genes] = own
    tensors = {
        "genes": genes.T.tolist(),
        "colour": rng.uniform(0, 1, (3, count)).tolist(),
        "alpha": rng.uniform(0.5, 1, count).tolist(),
    }
    if len(primitive.members) > 1:
        tensors["kind"] = kinds.tolist()
    return drawn(name, **tensors, **more)


def assert_ends(made: Art, first: Art, second: Art, tolerance: int = 0) -> None:
    """The film begins with one drawing and ends with the other."""
    for seconds, art in ((0.0, first), (made.film.duration, second)):
        apart = made.at(seconds).render(48).astype(int) - art.render(48)
        assert np.abs(apart).max() <= tolerance


def coarse(count: int, seed: int, step: float) -> Art:
    """A file of precision auto whose numbers are multiples of a step."""
    art = random_shapes("triangle", count, seed)
    tensors = {name: torch.round(t / step) * step for name, t in art.drawing.tensors.items()}
    return replace(art, precision="auto", drawing=replace(art.drawing, tensors=tensors))


# ---- both ends -----------------------------------------------------------------------------------


@pytest.mark.parametrize("blend", ["sum", "mean", "normalized", "depth", "over"])
@pytest.mark.parametrize("counts", [(9, 9), (5, 9), (9, 5), (1, 9)])
def test_splats_of_any_number_become_one_another(blend, counts):
    first, second = (random_splats(n, i, blend=blend) for i, n in enumerate(counts))
    made = morph(first, second)
    # The order of the sum is another one.
    assert_ends(made, first, second, tolerance=1)
    middle = made.at(3.0).render(48).astype(int)
    assert np.abs(middle - first.render(48)).mean() > 2
    assert np.abs(middle - second.render(48)).mean() > 2


@pytest.mark.parametrize(
    "name", ["triangle", "rotated_ellipse", "line", "polygon", "triangle*3+ellipse"]
)
@pytest.mark.parametrize("counts", [(8, 8), (3, 8), (8, 3)])
def test_shapes_of_any_number_become_one_another(name, counts):
    first = random_shapes(name, counts[0], 1, background=(0.2, 0.4, 0.6))
    second = random_shapes(name, counts[1], 2, background=(0.9, 0.1, 0.0))
    made = morph(first, second)
    assert_ends(made, first, second)
    assert made.film.drawing(made.drawing, 3.0).background == pytest.approx((0.55, 0.25, 0.3))


def test_a_morph_has_the_finest_steps_of_its_drawings():
    first, second = coarse(3, 1, 1.0), coarse(5, 2, 2.0**-10)
    made = morph(first, second)
    assert made.precision == "auto"
    ends = made.film.drawing(made.drawing, made.film.duration).tensors
    for name, tensor in second.drawing.tensors.items():
        assert sorted(ends[name].flatten().tolist()) == sorted(tensor.flatten().tolist())
    alpha = morph(first, coarse(5, 2, 0.25)).film.scenes[0].tensors["alpha"]
    assert len(alpha.unique()) > 9  # What comes is seen little by little.


def test_a_morph_has_no_history_of_its_first_drawing():
    first, second = (random_shapes("triangle", 4, seed) for seed in (1, 2))
    made = morph(replace(first, history=("evaluated",), trajectory=object()), second)
    assert (made.history, made.trajectory) == ((), None)


def test_kinds_of_shapes_stay_what_they_are():
    first, second = (random_shapes("triangle*3+ellipse", 12, seed) for seed in (1, 2))
    for scene in morph(first, second).film.scenes:
        kinds = scene.tensors["kind"]
        assert torch.equal(kinds, kinds[:1].expand_as(kinds))


def test_sites_become_one_another():
    def sites(count, seed):
        rng = np.random.default_rng(seed)
        xy, colour = rng.uniform(-1, 1, (2, count)), rng.uniform(0, 1, (3, count))
        return drawn("voronoi", sites=xy.tolist(), colour=colour.tolist())

    assert_ends(morph(sites(4, 1), sites(9, 2)), sites(4, 1), sites(9, 2))
    assert_ends(morph(sites(9, 1), sites(4, 2)), sites(9, 1), sites(4, 2))


def test_networks_go_from_weight_to_weight():
    first, second = (
        artgen.fit("sample:cat", "mlp", hidden=4, layers=1, steps=2, size=16, seed=seed)
        for seed in (1, 2)
    )
    made = morph(first, second)
    assert_ends(made, first, second)
    for name, tensor in made.film.tensors_at(3.0).items():
        both = first.drawing.tensors[name], second.drawing.tensors[name]
        torch.testing.assert_close(tensor, (both[0] + both[1]) / 2)


# ---- the way -------------------------------------------------------------------------------------


def shares(made: Art, *moments: float) -> list[float]:
    """How far the way from -0.5 to 0.5 is."""
    return [float(made.film.tensors_at(moment)["xy"][0, 0]) + 0.5 for moment in moments]


def single(x: float, angle=0.0, **more) -> Art:
    tensors = {"xy": [[x], [0.0]], "scale": [[0.2], [0.1]], "angle": [angle]}
    return drawn("gaussian", **tensors, colour=[[1.0]] * 3, **more)


def test_it_stands_still_then_begins_and_ends_slowly():
    made = morph(single(-0.5), single(0.5), seconds=4, hold=1)
    assert made.film.duration == 6
    assert shares(made, 0, 1, 3, 5, 6) == pytest.approx([0, 0, 0.5, 1, 1])
    way = shares(made, *np.linspace(1, 5, 41))
    assert (np.diff(way) > 0).all()
    assert way[1] < 0.01 < way[20] - way[19]
    assert np.abs(way - (lambda u: 3 * u**2 - 2 * u**3)(np.linspace(0, 1, 41))).max() < 0.004


def test_a_loop_goes_back():
    made = morph(single(-0.5), single(0.5), seconds=2, hold=0.5, loop=True)
    assert made.film.duration == 5
    assert shares(made, 0, 0.5, 1.5, 2.5, 3, 4, 5) == pytest.approx([0, 0, 0.5, 1, 1, 0.5, 0])
    made = morph(single(-0.5), single(0.5), seconds=2, hold=0, loop=True)
    assert shares(made, 0, 1, 2, 3, 4) == pytest.approx([0, 0.5, 1, 0.5, 0])
    assert morph(single(-0.5), single(0.5), seconds=2, hold=0).film.duration == 2


def test_angles_turn_the_shorter_way():
    made = morph(single(-0.5, 0.1), single(0.5, 0.1 + 7 * np.pi))
    turned = [float(made.film.tensors_at(moment)["angle"]) for moment in (0, 3, 6)]
    assert turned == pytest.approx([0.1] * 3, abs=1e-5)
    made = morph(single(-0.5, 0.1), single(0.5, np.pi - 0.1))
    assert float(made.film.tensors_at(6)["angle"]) == pytest.approx(-0.1, abs=1e-5)


@pytest.mark.parametrize("name", ["gaussian", "fourier", "stroke"])
def test_periods_are_true(name, rng):
    primitive = default().load("primitive", name)({})
    canvas = artgen.Canvas(24, 16)
    tensors = primitive.initial(artgen.init.Context(rng, canvas, 6))
    # Round parts and straight ones have no angle.
    if "bend" in tensors:
        tensors["bend"] = tensors["bend"] + 0.5
    if "scale" in tensors:
        tensors["scale"] = tensors["scale"] * torch.tensor([[2.0], [0.5]])
    drawing = Drawing(name, primitive.option_values(), tensors, 24, 16)
    periods = {key: p.period for key, p in primitive.parameters().items() if p.period is not None}
    assert "angle" in periods
    for key, period in periods.items():
        further = replace(drawing, tensors={**tensors, key: tensors[key] - 3 * period})
        torch.testing.assert_close(
            draw(further, primitive), draw(drawing, primitive), atol=1e-4, rtol=0
        )
        other = replace(drawing, tensors={**tensors, key: tensors[key] + period / 2})
        assert (draw(other, primitive) - draw(drawing, primitive)).abs().max() > 0.01


def corners(*points: tuple[float, float]) -> Art:
    genes = [[number] for point in points for number in point]
    return drawn("triangle", genes=genes, colour=[[1.0]] * 3, alpha=[1.0])


def test_corners_find_one_another():
    a, b, c = (0.0, -0.5), (0.5, 0.5), (-0.5, 0.5)
    for other in ((b, c, a), (c, b, a), (b, a, c)):
        made = morph(corners(a, b, c), corners(*other))
        for moment in (0, 3, 6):
            genes = made.film.tensors_at(moment)["genes"][:, 0]
            assert genes.tolist() == pytest.approx([*a, *b, *c])


def test_the_same_corners_in_another_order_are_another_polygon():
    a, b, c, d = (0.0, -0.5), (0.5, 0.5), (0.0, 0.1), (-0.5, 0.5)
    first, second = (
        drawn("polygon", genes=[[n] for n in sum(order, ())], colour=[[1.0]] * 3, alpha=[1.0])
        for order in ((b, a, c, d), (a, b, c, d))
    )
    assert (first.render(48) != second.render(48)).any()
    assert_ends(morph(first, second), first, second)


def test_a_direction_that_is_turned_around_means_the_same():
    def ellipse(u, v):
        return drawn(
            "rotated_ellipse",
            genes=[[0.0], [0.1], [u], [v], [0.1]],
            colour=[[1.0]] * 3,
            alpha=[1.0],
        )

    made = morph(ellipse(0.3, 0.2), ellipse(-0.3, -0.2))
    assert made.film.tensors_at(3)["genes"][2:4, 0].tolist() == pytest.approx([0.3, 0.2])

    def line(*genes):
        return drawn("line", genes=[[g] for g in genes], colour=[[1.0]] * 3, alpha=[1.0])

    made = morph(line(0, 0, 0.5, 0.2, 0.1), line(0.5, 0.2, 0, 0, 0.1))
    assert made.film.tensors_at(3)["genes"][:, 0].tolist() == pytest.approx([0, 0, 0.5, 0.2, 0.1])


def test_the_order_of_shapes_changes_little_by_little():
    first, second = (random_shapes("circle", 40, seed) for seed in (3, 4))
    made = morph(first, second)
    assert len(made.film.scenes) > 4
    colours = [scene.tensors["colour"] for scene in made.film.scenes]

    def order(tensor):
        return [tuple(np.round(column, 5)) for column in tensor.T.numpy()]

    assert order(colours[0][0]) == order(first.drawing.tensors["colour"])
    assert order(colours[-1][-1]) == order(second.drawing.tensors["colour"])
    # Nothing jumps at a cut: all that changes is who lies above whom.
    for before, after in zip(made.film.scenes, made.film.scenes[1:], strict=False):
        one, other = (scene.tensors["colour"][k] for scene, k in ((before, -1), (after, 0)))
        assert sorted(order(one)) == sorted(order(other))


def test_an_order_that_changes_at_the_very_end_of_a_way_leads_on():
    """The last moment of that way was a scene of its own, as early as the end of the one before."""
    arts = [random_shapes("circle", 300, seed) for seed in (3, 4, 5)]
    film = morph(*arts, seconds=1, hold=0).film
    assert film.duration == 2
    reached, second = film.tensors_at(1.0)["colour"], arts[1].drawing.tensors["colour"]
    torch.testing.assert_close(reached.sort().values, second.sort().values)


def test_another_aspect_keeps_the_first_canvas():
    first, second = random_splats(4, 1), random_splats(4, 2, width=16, height=24)
    made = morph(first, second)
    assert (made.drawing.width, made.drawing.height) == (24, 16)
    assert made.at(6).render().shape == (16, 24, 3)


# ---- who becomes whom ----------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(30, 30), (30, 20), (20, 30), (0, 5), (1, 1)])
def test_the_assignment_costs_the_least(sizes):
    rng = np.random.default_rng(0)
    one, other = (rng.normal(size=(n, 5)) for n in sizes)
    i, j = assign(one, other)
    assert len(i) == min(sizes)
    assert len(set(i)) == len(set(j)) == min(sizes)
    cost = cdist(one, other, "sqeuclidean")
    best = linear_sum_assignment(cost)
    assert cost[i, j].sum() == pytest.approx(cost[best].sum())


@pytest.mark.parametrize(
    ("sizes", "factor"),
    # Where some are left over, the best assignment takes near neighbours only. Pieces leave over a
    # share of each, so they cannot.
    [((700, 700), 1.5), ((500, 801), 5), ((801, 500), 5)],
)
def test_many_are_assigned_in_pieces_that_cost_little_more(sizes, factor, monkeypatch):
    rng = np.random.default_rng(0)
    one, other = (rng.uniform(size=(n, 2)) for n in sizes)
    best = cdist(one, other, "sqeuclidean")[assign(one, other)].sum()
    monkeypatch.setattr("artgen.matching.LARGEST", 100)
    i, j = assign(one, other)
    assert len(set(i)) == len(set(j)) == len(i) == min(sizes)
    assert cdist(one, other, "sqeuclidean")[i, j].sum() < factor * best


def test_parts_prefer_what_is_near_and_alike():
    first = drawn(
        "gaussian",
        xy=[[-0.5, 0.5], [0, 0]],
        scale=[[0.1, 0.1], [0.1, 0.1]],
        angle=[0, 0],
        colour=[[1, 0], [0, 0], [0, 1]],
    )
    swapped = {n: t[..., [1, 0]] for n, t in first.drawing.tensors.items()}
    second = Art(
        Drawing("gaussian", first.drawing.options, swapped, 24, 16), Recipe(), registry=default()
    )
    made = morph(first, second)
    for name, tensor in made.film.tensors_at(3).items():
        torch.testing.assert_close(tensor, first.drawing.tensors[name])


# ---- refused -------------------------------------------------------------------------------------


def test_durations_out_of_bounds_are_refused_with_the_bounds():
    art = random_splats(4, 1)
    with pytest.raises(UsageError, match=r"seconds must be between 0\.1 and 21600, got 0\.05"):
        morph(art, art, seconds=0.05)
    with pytest.raises(UsageError, match="a film lasts at most 86400 s, not 151200"):
        morph(art, art, art, art, seconds=21600, hold=21600)
    with pytest.raises(UsageError, match="hold must be between 0 and 21600, got -1"):
        morph(art, art, hold=-1)
    assert morph(art, art, seconds=21600, hold=0).film.duration == pytest.approx(21600)


def test_what_cannot_become_one_another_is_refused():
    splats, triangles = random_splats(4, 1), random_shapes("triangle", 4, 1)
    with pytest.raises(UsageError, match="gaussian cannot be morphed into triangle"):
        morph(splats, triangles)
    with pytest.raises(UsageError, match="differ in blend: 'sum' and 'mean'"):
        morph(splats, random_splats(4, 1, blend="mean"))
    curve = artgen.fit("curve:x", "mlp", hidden=4, layers=1, steps=1)
    with pytest.raises(UsageError, match="only drawings of pictures"):
        morph(curve, curve)
    empty = random_shapes("triangle", 0, 1)
    with pytest.raises(UsageError, match="has no parts"):
        morph(triangles, empty)
    for how in ({"seconds": 0}, {"hold": -1}, {"seconds": float("nan")}, {"fps": 0}):
        with pytest.raises((UsageError, ValueError)):
            morph(splats, splats, **how)


# ---- the command ---------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, seed in (("a", 1), ("b", 2)):
        artgen.fit("sample:cat", "gaussian", count=5, steps=3, size=24, seed=seed).save(
            f"{name}.art"
        )
    random_shapes("triangle", 4, 1).save("shapes.art")


def printed(capsys, *arguments, expect=0):
    assert main([*arguments, "--json", "-q"]) == expect
    return json.loads(capsys.readouterr().out)


def test_a_morph_is_a_video_and_an_art(place, capsys):
    import av

    arguments = ["morph", "a.art", "b.art", "--seconds", "1", "--hold", "0.5", "--fps", "10"]
    data = printed(capsys, *arguments, "-o", "m.mp4", "-o", "m.art", "--size", "48")
    assert data == {
        "first": "a.art",
        "second": "b.art",
        "primitive": "gaussian",
        "width": 48,
        "height": 32,
        "duration": 2.0,
        "outputs": ["m.mp4", "m.art"],
    }
    with av.open("m.mp4") as container:
        assert len(list(container.decode(video=0))) == 20
    made = load("m.art")
    assert made.film.fps == 10
    assert made.recipe.morph.first.name == "a.art"
    assert made.recipe.morph.second.sha256 == file_hash(Path("b.art"), "art")
    info = printed(capsys, "info", "m.mp4")
    assert info["recipe"]["morph"]["second"]["name"] == "b.art"
    assert printed(capsys, "render", "m.art", "-o", "m.gif")["outputs"] == ["m.gif"]
    assert main(["morph", "a.art", "b.art", "--seconds", "0.2", "--hold", "0", "-q"]) == 0
    assert Path("a-b.mp4").exists()


def test_equal_morphs_have_equal_bytes(place, capsys):
    for name in ("1.art", "2.art"):
        printed(capsys, "morph", "a.art", "b.art", "-o", name, "--loop")
    assert Path("1.art").read_bytes() == Path("2.art").read_bytes()
    load("1.art").save("3.art")
    assert Path("1.art").read_bytes() == Path("3.art").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["a.art", "shapes.art"], 2, "cannot be morphed into triangle"),
        (["a.art", "missing.art"], 3, "does not exist"),
        (["a.art", "b.art", "-o", "m.xyz"], 2, "unknown format"),
        (["a.art", "b.art", "-o", "a.art"], 2, "both read and written"),
        (["a.art", "b.art", "--seconds", "0"], 2, "seconds"),
    ],
)
def test_mistakes_are_named(place, capsys, arguments, code, says):
    assert says in printed(capsys, "morph", *arguments, expect=code)["error"]["message"]


def test_a_sound_that_is_read_is_not_replaced(place, capsys):
    """The sound of a video can be moved to, and that video was not among what is read."""
    Path("song.mp4").touch()
    line = ["morph", "a.art", "b.art", "--music", "song.mp4", "-o", "song.mp4", "--overwrite"]
    assert "both read and written" in printed(capsys, *line, expect=2)["error"]["message"]


def test_a_morph_is_not_fitted(place, capsys):
    printed(capsys, "morph", "a.art", "b.art", "-o", "m.art")
    error = printed(capsys, "fit", "--recipe", "m.art", expect=2)["error"]
    assert "recipe is of a morph" in error["message"]
    assert error["hint"] == "use artgen morph a.art b.art"
