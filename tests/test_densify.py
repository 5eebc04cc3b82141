"""Growth: parts appear where the picture is wrong, at steps fixed by the recipe, exactly again."""

from __future__ import annotations

import gc
import math
from dataclasses import replace
from pathlib import Path
from weakref import ref

import numpy as np
import pytest
import torch
from helpers import Blob, assert_same_bits, changed
from PIL import Image
from torch import Tensor

from artgen import Canvas, Drawing
from artgen.art import load
from artgen.base.errors import InputError, UsageError
from artgen.engines import Problem
from artgen.engines.evaluation import summed_colour
from artgen.engines.gradient.densify import (
    Densification,
    DensificationSchedule,
    error_density,
    pick_places,
)
from artgen.engines.gradient.engine import GradientEngine
from artgen.errors import Diverged
from artgen.families.splat import densify
from artgen.families.splat.densify import error_without
from artgen.families.splat.importance import added_error
from artgen.init import Context
from artgen.losses import Loss, Term, mse
from artgen.raster import paint
from artgen.raster.painting import draw
from artgen.recipe import Recipe
from artgen.recipe.texts import parse_count
from artgen.runs import run
from artgen.tasks import RunControl

MSE = Loss((Term(1.0, "mse", mse),))
CANVAS = Canvas(24, 16)


def checks(width=24, height=16, detailed=None) -> Tensor:
    """Gray, with a checkerboard of 2 × 2 pixels in the columns from `detailed` on."""
    row, column = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    board = ((row // 2 + column // 2) % 2).float()
    detailed = width // 2 if detailed is None else detailed
    return torch.where(column >= detailed, board, 0.5).expand(3, -1, -1).contiguous()


def problem(count=30, steps=100, target=None, primitive=None, **options) -> Problem:
    """A fit of `count` blobs that starts with as many as the engine wants."""
    primitive = primitive or Blob()
    target = checks() if target is None else target
    first = GradientEngine.first_count(primitive, options, count)
    height, width = target.shape[1:]
    canvas = Canvas(width, height)
    context = Context(torch.Generator().manual_seed(5), canvas, first, target=target)
    tensors = primitive.initial(context)
    drawing = Drawing("blob", primitive.option_values(), tensors, width, height)
    return Problem(primitive, drawing, target, MSE, steps, 9, count=count, options=options)


def started(given: Problem) -> GradientEngine:
    engine = GradientEngine()
    engine.start(given)
    return engine


# ---- the plan ------------------------------------------------------------------------------------


def test_rounds_grow_by_a_share_and_the_last_one_brings_what_is_missing():
    plan = DensificationSchedule(
        first=100, last=1000, add=0.5, every=0.1, until=0.4, total_steps=1000
    )
    assert plan.rounds == {100: 150, 200: 225, 300: 337, 400: 1000}


def test_rounds_do_not_depend_on_a_later_end():
    long = DensificationSchedule(100, 10_000, 0.35, 0.05, 0.6, 777).rounds
    steps = list(long)
    for end in range(1, len(steps)):
        short = DensificationSchedule(100, long[steps[end]], 0.35, 0.05, 0.6, 777).rounds
        assert [short[step] for step in steps[: end + 1]] == [long[s] for s in steps[: end + 1]]
        assert set(short.values()) == {*(long[step] for step in steps[: end + 1])}


@pytest.mark.parametrize("total", [1, 2, 5, 13])
@pytest.mark.parametrize("until", [0.0, 0.05, 0.6, 1.0])
def test_all_parts_come_however_short_the_fit(total, until):
    rounds = DensificationSchedule(3, 40, 0.1, 0.05, until, total).rounds
    assert max(rounds.values()) == 40
    assert list(rounds.values()) == sorted(rounds.values())
    assert max(rounds) < total
    assert max(DensificationSchedule(3, 40, 0.1, 1.0, until, total).rounds) < total


def test_twelve_rounds_of_a_twentieth_end_at_three_fifths():
    assert len(DensificationSchedule(1, 10**6, 0.35, 0.05, 0.6, 1000).rounds) == 12


def test_long_fits_have_smaller_rounds_at_most_five_for_one():
    finer = [
        DensificationSchedule(100, 1000, 0.4, 0.05, 0.5, steps, interval=50).finer
        for steps in (100, 1000, 1001, 4000, 100_000)
    ]
    assert finer == [1, 1, 2, 4, 5]
    whole = DensificationSchedule(100, 1000, 0.4, 0.05, 0.5, 4000).rounds
    divided = DensificationSchedule(100, 1000, 0.4, 0.05, 0.5, 4000, interval=50).rounds
    assert len(divided) == 4 * len(whole) == 40
    assert whole.keys() <= divided.keys()
    assert divided[2000] == whole[2000] == 1000
    assert divided[50] == 110


# ---- where ---------------------------------------------------------------------------------------


def test_error_density_is_high_where_the_picture_is_wrong():
    image, target = torch.zeros(3, 16, 24), torch.zeros(3, 16, 24)
    target[:, 4, 18] = 1
    density = error_density(image, target, None, blur=1.0)
    assert density.shape == (16, 24)
    assert float(density.sum()) == pytest.approx(1)
    assert int(density.argmax()) == 4 * 24 + 18
    assert float(density[4, 19]) > 0.5 * float(density[4, 18]) * 0.9
    assert float(density[4, 2]) < 1e-6


def test_the_exponent_concentrates_the_density():
    image, target = torch.zeros(3, 16, 24), torch.zeros(3, 16, 24)
    target[:, 4, 6], target[:, 10, 18] = 1, 0.5
    plain, squared = (error_density(image, target, None, 1.0, power) for power in (1.0, 2.0))
    torch.testing.assert_close(squared, plain**2 / (plain**2).sum())


def test_the_blur_is_that_of_the_options():
    def distances(blur: float) -> Tensor:
        densification = started(problem(blur=blur, exponent=1.0)).objective.densification
        image = densification.target.clone()
        image[:, 5, 7] += 1
        others = {"xy": torch.zeros(2, 0)}
        new = densification.new_parts(1, others, torch.arange(0), image, step=3)
        column, row = CANVAS.height * new["xy"][:, 0] / 2
        return torch.stack([column + CANVAS.width / 2 - 7.5, row + CANVAS.height / 2 - 5.5]).abs()

    assert float(distances(0.01).max()) <= 0.5
    assert float(distances(0.5).max()) > 0.5


def test_error_density_without_error_or_weight_is_uniform():
    image = torch.rand(3, 5, 7, generator=torch.Generator().manual_seed(0))
    flat = torch.full((5, 7), 1 / 35)
    torch.testing.assert_close(error_density(image, image, None, 2.0), flat)
    masked = error_density(image, 1 - image, torch.zeros(5, 7), 2.0)
    torch.testing.assert_close(masked, flat)


def test_places_lie_inside_different_pixels_of_the_density():
    density = torch.zeros(16, 24)
    density[3:7, 10:13] = 1 / 12
    xy = pick_places(density, 12, CANVAS, torch.Generator().manual_seed(1))
    column = (xy[0] * CANVAS.height + CANVAS.width) / 2
    row = (xy[1] * CANVAS.height + CANVAS.height) / 2
    places = set(zip(row.long().tolist(), column.long().tolist(), strict=True))
    assert places == {(i, j) for i in range(3, 7) for j in range(10, 13)}
    more = pick_places(density, 50, CANVAS, torch.Generator().manual_seed(1))
    assert more.shape == (2, 50)
    assert float(more[0].min()) >= (2 * 10 - 24) / 16


def test_new_parts_lack_nothing_of_a_start_and_fit_between_their_neighbours():
    given = problem()
    crowded = torch.stack([torch.linspace(0.9, 1.1, 60), torch.zeros(60)])
    target = torch.zeros(3, 16, 24)
    target[:, :, :2], target[:, :, -5:] = 0.8, 0.4
    image = torch.full((3, 16, 24), 0.1)
    densification = started(replace(given, seed=0)).objective.densification
    densification.target = target
    fresh = densification.parts_among(crowded, 40, image, 3, 1.0, 0.5)
    x = fresh["xy"][0]
    left = x < -1
    assert left.any()
    assert (~left).any()
    # Colours are a share of what the picture lacks; sizes follow the distance to all neighbours.
    assert torch.allclose(fresh["colour"][:, x < -1.4], torch.tensor(0.7 * 0.7), atol=0.02)
    near = (x > 0.9) & (x < 1.1) & (fresh["xy"][1].abs() < 0.2)
    assert near.any()
    assert float(fresh["size"][near].mean()) < float(fresh["size"][left].mean())
    again = densification.parts_among(crowded, 40, image, 3, 1.0, 0.5)
    assert_same_bits(fresh, again)


def test_what_is_off_the_canvas_dim_or_masked_contributes_little():
    tensors = {
        "xy": torch.tensor([[-0.7, 0.7, 0.7, 9.0], [0.0, -0.4, 0.4, 0.0]]),
        "size": torch.full((4,), 0.15),
        "colour": torch.tensor([[0.5, 0.5, 0.05, 0.9]]).expand(3, -1).contiguous(),
    }

    def worth(weight):
        return summed_colour(lambda some: paint(Blob(), some, CANVAS), tensors, weight)

    plain = worth(None)
    assert float(plain[3]) == 0
    assert float(plain[2]) == pytest.approx(0.1 * float(plain[1]), rel=0.05)
    weight = torch.ones(16, 24)
    weight[:, :12] = 0
    masked = worth(weight)
    assert float(masked[0]) == 0
    assert float(masked[1]) == pytest.approx(float(plain[1]))


def test_the_error_without_a_part_follows_from_its_colour_and_area():
    large = Canvas(96, 64)
    tensors = {
        "xy": torch.tensor([[-0.7, 0.0, 0.7], [0.0, -0.1, 0.1]]),
        "size": torch.tensor([0.2, 0.1, 0.05]),
        "colour": torch.tensor([[0.1, 0.2, 0.7]]).expand(3, -1).contiguous(),
    }

    def one(index):
        return {name: tensor[..., [index]] for name, tensor in tensors.items()}

    true = torch.stack([paint(Blob(), one(k), large).square().sum() for k in range(3)])
    colour = summed_colour(lambda some: paint(Blob(), some, large), tensors, None)
    found = error_without(Blob(), tensors, colour)
    torch.testing.assert_close(found / found.sum(), true / true.sum(), rtol=0.05, atol=0)
    # The largest part adds most colour, and is missed less than the smallest one.
    assert (colour.argmax(), found.argmax()) == (0, 2)


# ---- the engine ----------------------------------------------------------------------------------


def counts(engine: GradientEngine) -> int:
    return engine.drawing(best=False).tensors["xy"].shape[1]


def test_parts_come_in_rounds_until_there_are_all():
    engine = started(problem(count=30, steps=100, start=0.1, add=0.5, every=0.1, until=0.4))
    found = []
    for _ in range(10):
        engine.advance(10)
        found.append(counts(engine))
    assert found == [3, 4, 6, 9, 30, 30, 30, 30, 30, 30]


def test_growing_fits_a_photograph_better_than_starting_with_all(astronaut):
    photo = astronaut(64)[:, :32, 8:56].contiguous()
    psnrs = []
    for start, move in ((1.0, 0.0), (0.1, 0.02)):
        engine = started(problem(count=60, steps=150, target=photo, start=start, move=move))
        engine.advance(150)
        psnrs.append(engine.report().psnr)
    assert psnrs[1] > psnrs[0] + 0.3


def test_the_pixels_of_a_fit_are_freed_with_it():
    asked = problem(count=30, start=0.5, every=0.1)
    engine, pixels = started(asked), ref(asked.target)
    engine.advance(10)
    gc.disable()
    try:
        del asked, engine
        assert pixels() is None
    finally:
        gc.enable()


def test_a_round_keeps_the_moments_of_the_other_parts():
    engine = started(problem(count=30, start=0.5, move=0.0, every=0.1))
    engine.advance(10)
    before = engine.state_dict()
    engine._densify()
    after = engine.state_dict()
    old, new = before["raw.xy"].shape[1], after["raw.xy"].shape[1]
    assert new > old
    for name in ("raw", "exp_avg", "exp_avg_sq"):
        for parameter in ("xy", "size", "colour"):
            key = f"{name}.{parameter}"
            assert torch.equal(after[key][..., :old], before[key]), key
            if name != "raw":
                assert not after[key][..., old:].any()
    assert torch.equal(after["step.xy"], before["step.xy"])


def test_smaller_rounds_move_as_many_parts_together():
    given = problem(count=25, steps=40, start=1.0, move=0.2, every=0.5, until=1.0, interval=4)
    engine = started(given)
    made = []
    for steps in (5, 4, 4, 4, 4):
        engine.advance(steps)
        made.append(engine.made - 25)
    assert made == [1, 2, 3, 4, 5]


def test_a_part_far_off_the_canvas_is_moved_to_the_error():
    given = problem(count=20, start=1.0, move=0.05, every=0.1)
    tensors = {name: tensor.clone() for name, tensor in given.drawing.tensors.items()}
    tensors["xy"][:, 7] = 50.0
    engine = started(replace(given, drawing=replace(given.drawing, tensors=tensors)))
    engine.advance(10)
    assert float(engine.drawing(best=False).tensors["xy"].max()) > 40
    engine.advance(1)
    xy = engine.drawing(best=False).tensors["xy"]
    assert xy.shape[1] == 20
    assert float(xy.abs().max()) < 2
    assert float(xy[0, -1]) > -0.2


@pytest.mark.parametrize("converge", [0.0, 0.5])
def test_chunks_and_restarts_change_nothing(converge):
    options = {"start": 0.2, "add": 0.5, "every": 0.2, "interval": 4, "converge": converge}
    given = problem(count=25, steps=40, **options)
    plain = started(given)
    plain.advance(20)
    plain.report()
    middle = plain.state_dict()
    plain.advance(20)
    plain.report()

    chunked = started(given)
    for chunk in (1, 7, 1, 11):
        chunked.advance(chunk)
    chunked.report()
    for chunk in (13, 7):
        chunked.advance(chunk)
    chunked.report()
    assert_same_bits(chunked.state_dict(), plain.state_dict())

    restored = started(given)
    restored.load_state_dict(middle)
    assert_same_bits(restored.state_dict(), middle)
    restored.advance(20)
    restored.report()
    assert_same_bits(restored.state_dict(), plain.state_dict())
    assert restored.converged() == plain.converged()


def test_recovering_from_before_a_round_grows_again():
    engine = started(problem(count=24, steps=100, start=0.5, add=1.0, every=0.1))
    engine.advance(5)
    engine.report()
    engine.advance(10)
    assert counts(engine) == 24
    engine.recover(0.5)
    assert counts(engine) == 12
    engine.advance(1)
    assert counts(engine) == 24
    state = engine.state_dict()
    assert state["best.xy"].shape[1] == 12
    engine.advance(20)
    resumed = started(engine.problem)
    resumed.load_state_dict(state)
    resumed.advance(20)
    assert_same_bits(resumed.state_dict(), engine.state_dict())


def test_a_picture_that_is_lost_is_noticed_when_it_should_grow():
    engine = started(problem(count=24, start=0.5, every=0.1))
    engine.report()
    engine.advance(10)
    with torch.no_grad():
        engine.descent.raw["xy"][0, 3] = float("nan")
    with pytest.raises(Diverged, match="xy became NaN or infinite at step 10"):
        engine.advance(1)
    engine.recover(0.5)
    engine.advance(1)
    assert counts(engine) > 12


def test_a_picture_that_is_not_finite_is_called_a_picture(monkeypatch):
    engine = started(problem(count=24, start=0.5, every=0.1))
    engine.advance(10)
    broken = property(lambda self: lambda tensors: tensors["colour"].sum() * torch.tensor(math.nan))
    monkeypatch.setattr(Densification, "paint", broken)
    with pytest.raises(Diverged, match="the picture became NaN or infinite at step 10"):
        engine.advance(1)


@pytest.mark.parametrize("blend", ["mean", "normalized", "depth", "over"])
def test_blends_that_share_the_picture_start_with_all_parts(blend):
    primitive = Blob({"blend": blend})
    assert not primitive.can_densify
    assert primitive.can_move == (blend in ("normalized", "depth"))
    assert GradientEngine.first_count(primitive, {"start": 0.1}, 50) == 50
    engine = started(problem(count=20, primitive=primitive, start=0.1, every=0.1))
    engine.advance(12)
    assert counts(engine) == 20


@pytest.mark.parametrize("blend", ["normalized", "depth"])
def test_parts_that_share_the_picture_move(blend):
    primitive = Blob({"blend": blend})
    assert GradientEngine.first_count(primitive, {"start": 0.1}, 50) == 50
    engine = started(problem(count=30, primitive=primitive, relocate=0.2, every=0.1, blur=0.5))
    places = engine.drawing(best=False).tensors["xy"]
    engine.advance(12)
    assert counts(engine) == 30
    now = engine.drawing(best=False).tensors["xy"]
    # Steps move a part by less than a spacing; two pixels of the detail have no part at first.
    apart = (now[:, :, None] - places[:, None, :]).norm(dim=0).min(1).values
    assert int((apart > 0.2).sum()) >= 1
    left = now[0] < 0
    assert int(left.sum()) < int((places[0] < 0).sum())


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("blend", ["sum", "normalized", "depth"])
def test_parts_are_ranked_by_the_error_of_a_drawing_without_them(blend, weighted, monkeypatch):
    monkeypatch.setattr(densify, "MOST_POINTS", 1024)
    # Waves, as finer ones than the sample points would blur the comparison.
    across, down = torch.linspace(0, 9, 96), torch.linspace(1, 6, 64)
    target = (0.5 + 0.5 * torch.sin(across) * torch.sin(down[:, None])).expand(3, -1, -1)
    given = problem(count=40, primitive=Blob({"blend": blend}), target=target, start=1.0)
    drawing, splat = given.drawing, given.primitive

    def error(tensors: dict[str, Tensor], weight: Tensor) -> float:
        picture = draw(replace(drawing, tensors=tensors), splat)
        return float((weight * (picture - given.target).square()).sum())

    weight = torch.ones(64, 96)
    if weighted:
        weight[:, 48:] = 0.2
    objective = started(given).descent.objective
    objective.densification.weight = weight if weighted else None
    with torch.no_grad():
        image = objective.picture(drawing.tensors)
        if blend == "sum":  # a fit ranks parts that add up by a quicker estimate
            lacking = torch.cat([given.target - image, weight[None]])
            estimate = added_error(drawing, splat, None, lacking, 1024)
        else:
            estimate = objective.densification.rank(drawing.tensors, image, None)
    whole = error(dict(drawing.tensors), weight)
    others = [torch.arange(40) != i for i in range(40)]
    exact = torch.tensor(
        [error({n: t[..., kept] for n, t in drawing.tensors.items()}, weight) for kept in others]
    )
    added = (exact - whole) * drawing.canvas.pixel**2 / math.pi
    assert torch.corrcoef(torch.stack([estimate, added]))[0, 1] > 0.98
    assert float((estimate - added).abs().max()) < 0.1 * float(added.abs().max())


@pytest.mark.parametrize(("blend", "shown"), [("sum", 0.3), ("normalized", 0.9)])
def test_new_parts_have_the_colour_that_is_lacking_or_the_target_where_they_take_all(blend, shown):
    primitive = Blob({"blend": blend})
    engine = started(problem(count=8, primitive=primitive, target=torch.full((3, 16, 24), 0.9)))
    densification = engine.descent.objective.densification
    image = torch.full((3, 16, 24), 0.6)
    background = torch.tensor(densification.problem.drawing.background)
    if blend == "sum":
        image = image + background[:, None, None]
    wanted = densification.lacking(image)
    assert torch.allclose(wanted, torch.full((3, 16, 24), shown), atol=1e-6)


def test_a_drawing_to_go_on_from_keeps_its_parts():
    given = problem(count=20, start=1.0)
    engine = started(replace(given, options={"start": 0.1, "move": 0.0}))
    engine.advance(30)
    assert counts(engine) == 20


# ---- finding the count ---------------------------------------------------------------------------


@pytest.fixture
def photo(tmp_path: Path, astronaut) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray((255 * astronaut(48).permute(1, 2, 0).numpy()).astype(np.uint8)).save(path)
    return path


def automatic(source: Path, **stage: object) -> Recipe:
    return Recipe.from_dict(
        {
            "seed": 3,
            "target": {"source": str(source)},
            "primitive": {"name": "gaussian", "count": "auto"},
            "stage": [{"steps": 60, **stage}],
            "output": {"video": False},
            "run": {"device": "cpu", "threads": 1},
        }
    )


def test_the_recipe_of_a_found_count_makes_the_same_picture(photo, tmp_path, registry):
    first = run(automatic(photo, target_psnr=15.0, converge=0.1), registry, out=tmp_path / "one")
    count = first.art.recipe.primitive.count
    assert first.summary["stopped_by"] == "target-psnr"
    assert first.summary["psnr"] >= 15
    assert isinstance(count, int)
    assert first.summary["count"] <= count < 144
    second = run(first.art.recipe, registry, out=tmp_path / "two", search=[photo.parent])
    art = [(tmp_path / out / "photo-gaussian.art").read_bytes() for out in ("one", "two")]
    assert art[0] == art[1]
    assert second.art.recipe == first.art.recipe
    assert load(tmp_path / "one" / "photo-gaussian.art").recipe == first.art.recipe


def test_growth_ends_where_more_parts_gain_too_little(photo, registry):
    few = run(automatic(photo, converge=1000.0), registry)
    many = run(automatic(photo, converge=1e-9), registry)
    assert few.summary["count"] < many.summary["count"]
    again = run(few.art.recipe, registry, search=[photo.parent])
    assert_same_bits(dict(again.art.drawing.tensors), dict(few.art.drawing.tensors))


def test_an_interrupted_search_goes_on_as_if_nothing_had_happened(photo, tmp_path, registry):
    whole = run(automatic(photo), registry, out=tmp_path / "whole")
    control = RunControl()

    def stop(event: object) -> None:
        if getattr(event, "step", 0) >= 20:
            control.request_stop()

    out = tmp_path / "part"
    part = run(
        automatic(photo),
        registry,
        out=out,
        observers=[stop],
        control=control,
        checkpoint_every=10,
    )
    assert part.summary["stopped_by"] == "interrupted"
    shown = run(part.art.recipe, registry, search=[photo.parent])
    assert_same_bits(dict(shown.art.drawing.tensors), dict(part.art.drawing.tensors))
    resumed = run(automatic(photo), registry, out=out, resume=True)
    assert resumed.art.recipe == whole.art.recipe
    assert_same_bits(dict(resumed.art.drawing.tensors), dict(whole.art.drawing.tensors))


@pytest.mark.parametrize(("name", "options"), [("mlp", {}), ("gaussian", {"blend": "depth"})])
def test_a_count_that_cannot_be_found_is_refused(photo, registry, name, options):
    asked = changed(automatic(photo), {"primitive": {"name": name, **options}})
    with pytest.raises(UsageError, match="count"):
        run(asked, registry)


def test_counts_are_numbers_or_auto():
    assert parse_count("12") == 12
    assert parse_count("auto") == "auto"
    assert parse_count(None) is None
    for text in ("0", "many", "-1", "10000001"):
        with pytest.raises(UsageError, match="is not a number of parts"):
            parse_count(text)
    assert Recipe.from_dict({"primitive": {"count": "auto"}}).primitive.count == "auto"
    for value in ("many", 0, 2.5, True, 10_000_001):
        with pytest.raises(InputError, match=r"primitive\.count must be .* or auto"):
            Recipe.from_dict({"primitive": {"count": value}})
