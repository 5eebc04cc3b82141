"""Polishing shapes: gradients of what is exported, valid shapes, exact runs."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from helpers import BY_DAY, recipe
from test_resume import assert_same, kill_worker_at, resume
from test_shapes import BACKGROUND, random_tensors, shipped

import artgen
from artgen import Canvas, Drawing, Shape
from artgen.cli import main
from artgen.engines import Problem
from artgen.engines.gradient.engine import GradientEngine
from artgen.errors import UsageError
from artgen.families.shape.paint import keep_valid
from artgen.families.shape.spans import draw_shapes
from artgen.losses import mse, parse_loss
from artgen.losses.metrics import psnr
from artgen.matching import appearance
from artgen.output import to_pixels
from artgen.raster import draw, paint
from artgen.runs import run
from artgen_plugins.square import Square
from artgen_plugins.triangle import Triangle

QUICK = {"restarts": 2, "moves": 1, "candidates": 30, "patience": 20, "passes": 1}


@pytest.fixture(scope="module")
def target(astronaut):
    return (astronaut(40)[:, :32] * 255).round() / 255


class Diamond(Shape):
    """As a user would write it: nothing is said about gradients."""

    genes, vertices, convex = 3, 4, True

    @staticmethod
    def random(genes, rng, x, y, size):
        genes[:] = x, y, size

    @staticmethod
    def valid(genes):
        return genes[2] > 0.05

    @staticmethod
    def outline(genes, points):
        x, y, r = genes
        points[0, 0], points[0, 1] = x, y - r
        points[1, 0], points[1, 1] = x + r, y
        points[2, 0], points[2, 1] = x, y + r
        points[3, 0], points[3, 1] = x - r, y


def leaves(tensors):
    return {name: tensor.clone().requires_grad_(name != "kind") for name, tensor in tensors.items()}


def smooth(canvas, seed=5):
    """Weights of pixels that change slowly, [3, height, width]."""
    rng = torch.Generator().manual_seed(seed)
    coarse = torch.randn(1, 3, 6, 6, generator=rng)
    size = (canvas.height, canvas.width)
    return torch.nn.functional.interpolate(coarse, size, mode="bicubic", align_corners=True)[0]


# ---- gradients -----------------------------------------------------------------------------------


def gradients_and_differences(shape, tensors, canvas):
    """By every gene: of a sum of pixels, from autograd and from drawing twice."""
    weight, step = smooth(canvas), 0.25 * canvas.pixel
    given = leaves(tensors)
    (paint(shape, given, canvas, background=BACKGROUND) * weight).sum().backward()
    differences = torch.zeros_like(tensors["genes"])
    for j, i in np.ndindex(*differences.shape):
        totals = []
        for change in (step, -step):
            moved = {**tensors, "genes": tensors["genes"].clone()}
            moved["genes"][j, i] += change
            picture = draw_shapes(shape, moved, canvas, BACKGROUND)
            totals.append(float((picture.double() * weight).sum()))
        differences[j, i] = (totals[0] - totals[1]) / (2 * step)
    return given["genes"].grad, differences


@pytest.mark.parametrize(
    "name",
    # Kernels for gradients take seconds to compile.
    [pytest.param(n, marks=[] if n in BY_DAY else pytest.mark.nightly) for n in shipped()],
)
def test_gradients_by_genes_are_those_of_the_picture(name, registry):
    shape, canvas = registry.load("primitive", name)(), Canvas(88, 72)
    tensors = random_tensors(shape, 6, canvas)
    found, expected = gradients_and_differences(shape, tensors, canvas)
    assert expected.norm() > 30
    assert (found - expected).norm() < 0.05 * expected.norm()


def test_gradients_of_shapes_by_others_work_too():
    shape, canvas = Diamond(), Canvas(72, 88)
    found, expected = gradients_and_differences(shape, random_tensors(shape, 6, canvas), canvas)
    assert (found - expected).norm() < 0.05 * expected.norm()


def test_level_edges_have_gradients():
    # A square moved up or down changes its top and its bottom row alone.
    canvas, r = Canvas(64, 64), 0.37
    tensors = {
        "genes": torch.tensor([[0.1], [0.03], [r]]),
        "colour": torch.ones(3, 1),
        "alpha": torch.ones(1),
    }
    _, y = canvas.pixel_centres()
    heights = torch.from_numpy(y).float()[:, None].expand(64, 64)
    for weight, gene, expected in (
        # The sum over y is area times height, and there are 32 pixels to a unit.
        (heights, 1, 3 * 32**2 * (2 * r) ** 2),
        (torch.ones(64, 64), 2, 3 * 32**2 * 8 * r),
    ):
        given = leaves(tensors)
        (paint(Square(), given, canvas) * weight).sum().backward()
        assert float(given["genes"].grad[gene]) == pytest.approx(expected, rel=0.02)


def test_gradients_by_colour_and_alpha_are_those_of_dense_compositing(registry):
    shape, canvas = registry.load("primitive", "triangle*3+ellipse")(), Canvas(40, 56)
    tensors = random_tensors(shape, 12, canvas)
    # Nothing is left of what is below an opaque shape, and no division may need it.
    tensors["alpha"][::4] = 1
    weight = smooth(canvas)

    given = leaves(tensors)
    picture = paint(shape, given, canvas, background=BACKGROUND)
    (picture.square() * weight).sum().backward()

    dense = {name: tensor.double() for name, tensor in tensors.items()}
    dense = {name: dense[name].requires_grad_() for name in ("colour", "alpha")}
    image = torch.tensor(BACKGROUND, dtype=torch.float64)[:, None, None].expand(3, 56, 40)
    for i in range(12):
        one = {name: tensor[..., i : i + 1] for name, tensor in tensors.items()}
        one = {**one, "colour": torch.ones(3, 1), "alpha": torch.ones(1)}
        share = dense["alpha"][i] * draw_shapes(shape, one, canvas, (0.0, 0.0, 0.0))[0].double()
        image = image + share * (dense["colour"][:, i, None, None] - image)
    (image.square() * weight).sum().backward()

    torch.testing.assert_close(picture.double(), image, atol=1e-5, rtol=0)
    for name, tensor in dense.items():
        scale = float(tensor.grad.abs().max())
        torch.testing.assert_close(
            given[name].grad.double(), tensor.grad, atol=1e-5 * scale, rtol=0
        )


def test_with_gradients_it_is_the_same_picture(registry):
    shape, canvas = registry.load("primitive", "triangle*3+ellipse")(), Canvas(50, 37)
    tensors = random_tensors(shape, 9, canvas)
    plain = draw_shapes(shape, tensors, canvas, BACKGROUND)
    assert torch.equal(paint(shape, leaves(tensors), canvas, background=BACKGROUND), plain)


def test_any_other_kind_is_the_last_one_for_gradients_and_partners_too(registry):
    shape, canvas = registry.load("primitive", "triangle*3+ellipse")(), Canvas(50, 37)
    tensors, gradients = random_tensors(shape, 9, canvas), []
    for kind in (1.0, 7.0, -1.0):
        given = leaves({**tensors, "kind": torch.full((9,), kind)})
        paint(shape, given, canvas, background=BACKGROUND).square().sum().backward()
        gradients.append(given["genes"].grad)
        looks = appearance(shape, {name: tensor.detach() for name, tensor in given.items()})
        assert looks.kind.tolist() == [1] * 9
    assert all(torch.equal(gradients[0], other) for other in gradients[1:])


def test_threads_do_not_change_gradients():
    shape, canvas = Triangle(), Canvas(70, 90)
    tensors = random_tensors(shape, 30, canvas)
    results = []
    for threads in (1, 2, 5):
        torch.set_num_threads(threads)
        try:
            given = leaves(tensors)
            paint(shape, given, canvas).square().sum().backward()
        finally:
            torch.set_num_threads(1)
        results.append([given[name].grad for name in ("genes", "colour", "alpha")])
    for other in results[1:]:
        assert all(map(torch.equal, results[0], other))


@pytest.mark.parametrize("size", [(1, 1), (2, 40), (33, 5)])
def test_any_size_has_gradients(size):
    canvas = Canvas(*size)
    given = leaves(random_tensors(Triangle(), 5, canvas))
    paint(Triangle(), given, canvas).sum().backward()
    assert all(tensor.grad.isfinite().all() for tensor in given.values())


def test_no_shapes_have_no_gradients():
    given = leaves(
        {"genes": torch.zeros(6, 0), "colour": torch.zeros(3, 0), "alpha": torch.zeros(0)}
    )
    paint(Triangle(), given, Canvas(8, 8)).sum().backward()
    assert given["genes"].grad.shape == (6, 0)


# ---- valid shapes --------------------------------------------------------------------------------


def test_only_changes_that_break_a_shape_are_taken_back():
    genes = torch.tensor([[0.0, 0.2, 0.1], [0.1, 0.2, 0.06]]).T.contiguous()
    before = {"genes": genes, "colour": torch.zeros(3, 2), "alpha": torch.ones(2)}
    wanted = torch.tensor([[0.3, 0.0, 0.2], [0.3, 0.0, -0.5]]).T
    kept = keep_valid(Diamond(), before, wanted)
    assert torch.equal(kept[:, 0], wanted[:, 0])
    # The place may change even where the size may not.
    assert kept[:2, 1].tolist() == pytest.approx([0.3, 0.0], abs=1e-6)
    assert kept[2, 1] == genes[2, 1]


def test_what_was_never_valid_may_go_anywhere():
    before = {"genes": torch.zeros(3, 1), "colour": torch.zeros(3, 1), "alpha": torch.ones(1)}
    wanted = torch.tensor([[0.1], [0.2], [0.01]])
    assert torch.equal(keep_valid(Diamond(), before, wanted), wanted)


# ---- the engine ----------------------------------------------------------------------------------


def engine_for(shape, target, count=20, *, steps=60, seed=1, opacity=None, palette=None, **options):
    canvas = Canvas(target.shape[2], target.shape[1])
    tensors = random_tensors(shape, count, canvas, seed, 0.4)
    if opacity is not None:
        tensors["alpha"] = torch.full((count,), opacity)
    start = Drawing("test", {}, tensors, canvas.width, canvas.height)
    engine = GradientEngine()
    engine.start(
        Problem(
            shape,
            start,
            target,
            parse_loss("mse", {"mse": mse}.__getitem__, ["mse"]),
            total_steps=steps,
            seed=0,
            count=count,
            palette=palette,
            options=options,
        )
    )
    return engine


@pytest.mark.parametrize("name", ["triangle", "triangle*3+ellipse"])
def test_it_improves_shapes_and_keeps_them_valid(name, registry, target):
    shape = registry.load("primitive", name)()
    engine = engine_for(shape, target)
    first = engine.report()
    kinds = engine.drawing(best=False).tensors.get("kind")
    for _ in range(6):
        engine.advance(10)
        tensors = engine.drawing(best=False).tensors
        for i, genes in enumerate(tensors["genes"].T.double().numpy()):
            member = shape.members[int(tensors["kind"][i]) if "kind" in tensors else 0]
            assert member.valid(genes[: member.genes])
    last = engine.report()
    assert last.psnr > first.psnr + 3
    assert tensors["colour"].min() >= 0
    assert tensors["colour"].max() <= 1
    assert kinds is None or torch.equal(kinds, tensors["kind"])


def test_its_metric_is_that_of_the_export(target):
    engine = engine_for(Triangle(), target)
    engine.advance(60)
    report = engine.report()
    exported = to_pixels(draw(engine.drawing(best=True), Triangle()).permute(1, 2, 0).numpy())
    goal = to_pixels(target.permute(1, 2, 0).numpy())
    assert report.psnr == pytest.approx(psnr(exported, goal), abs=0.05)


def opacities(engine):
    return engine.drawing(best=False).tensors["alpha"]


@pytest.mark.parametrize(
    ("opacity", "option", "learned"),
    [
        (0.75, "auto", True),
        (1.0, "auto", False),
        (0.75, "keep", False),
        (1.0, "learn", True),
    ],
)
def test_opacities_are_learned_unless_all_are_opaque(opacity, option, learned, target):
    engine = engine_for(Triangle(), target, steps=5, alpha=option, opacity=opacity)
    before = engine.drawing(best=False).tensors
    engine.advance(5)
    assert torch.equal(opacities(engine), before["alpha"]) != learned
    assert not torch.equal(engine.drawing(best=False).tensors["genes"], before["genes"])
    assert opacities(engine).min() >= 0
    assert opacities(engine).max() <= 1


def test_with_a_palette_colours_stay(target):
    inks = torch.tensor([[0.1, 0.1, 0.1], [0.9, 0.8, 0.6]])
    engine = engine_for(Triangle(), target, palette=inks)
    first = engine.report().psnr
    engine.advance(60)
    assert engine.report().psnr > first + 1
    for colour in engine.drawing(best=True).tensors["colour"].t():
        assert any(torch.equal(colour, ink) for ink in inks)


def test_the_first_steps_may_be_on_smaller_pictures(target):
    engine = engine_for(Triangle(), target, coarse=0.5)
    first = engine.report().psnr
    engine.advance(60)
    assert engine.report().psnr > first + 3


@pytest.mark.parametrize("name", ["triangle", "triangle*3+ellipse"])
def test_it_can_begin_with_random_shapes(name, target):
    art = artgen.fit(
        (target.permute(1, 2, 0) * 255).byte().numpy(),
        name,
        count=30,
        steps=40,
        seed=3,
        engine="gradient",
    )
    tensors = art.drawing.tensors
    assert tensors["alpha"].shape == (30,)
    assert art.psnr > 13
    if "kind" in tensors:
        assert set(tensors["kind"].tolist()) == {0.0, 1.0}


# ---- runs ----------------------------------------------------------------------------------------

TRIANGLES = {"name": "triangle", "count": 12}
STAGES = ({"engine": "climb", **QUICK}, {"engine": "gradient", "steps": 20})


@pytest.mark.parametrize("step", [30, 37])
def test_a_killed_polish_goes_on_exactly(step, photo, tmp_path, registry):
    asked = recipe(photo, *STAGES, primitive=TRIANGLES)
    whole = run(asked, registry, out=tmp_path / "whole").summary
    assert whole["steps"] == 24 + 20
    kill_worker_at(step, asked, tmp_path / "out", checkpoint_every=4)
    assert resume(asked, registry, tmp_path / "out") >= step - 4
    assert_same(tmp_path / "out", tmp_path / "whole")


def summary(out):
    (path,) = out.glob("*.json")
    return json.loads(path.read_text())


def test_polish_is_a_second_stage(photo, tmp_path):
    command = ["fit", str(photo), "-p", "triangle", "-n", "12", "--seed", "1", "--no-video", "-q"]
    plain = ["--set", "engine.patience=20", "--out", str(tmp_path / "plain")]
    assert main([*command, *plain]) == 0
    patience = ["--set", "1.patience=20", "--set", "2.rate=0.5"]
    polished = [*patience, "--polish", "--out", str(tmp_path / "polished")]
    assert main([*command, *polished]) == 0
    stages = [*patience, "-e", "climb,gradient", "--out", str(tmp_path / "stages")]
    assert main([*command, *stages]) == 0
    before, after = summary(tmp_path / "plain"), summary(tmp_path / "polished")
    assert after["engine"] == "climb,gradient"
    assert after["recipe"]["stage"][1]["rate"] == 0.5
    assert after["psnr"] > before["psnr"] + 0.2
    names = [tmp_path / name / "photo-triangle.art" for name in ("polished", "stages")]
    assert names[0].read_bytes() == names[1].read_bytes()


def test_polish_in_python(target):
    picture = (target.permute(1, 2, 0) * 255).byte().numpy()
    more = {"count": 10, "seed": 1, "engine_options": QUICK}
    plain = artgen.fit(picture, "triangle", **more)
    polished = artgen.fit(picture, "triangle", **more, polish=True)
    assert polished.psnr > plain.psnr + 0.1
    assert [stage.engine for stage in polished.recipe.stage] == ["climb", "gradient"]


@pytest.mark.parametrize(
    "more", [{"steps": 6}, {"target_psnr": 12.0, "quality": "draft"}, {"loss": "ssim", "steps": 6}]
)
def test_a_polish_means_the_same_in_python(more, photo, tmp_path):
    """Steps, target and loss were those of the search from Python, of the polish by their flags."""
    flags = [each for key in more for each in (f"--{key.replace('_', '-')}", str(more[key]))]
    command = ["fit", str(photo), "-p", "triangle", "-n", "3", "--seed", "1", "--polish"]
    less = ["--set", "1.patience=20", "--no-video", "-q", "--out", str(tmp_path)]
    assert main([*command, *less, *flags]) == 0
    same = {"count": 3, "seed": 1, "engine_options": {"patience": 20}, "polish": True}
    art = artgen.fit(photo, "triangle", **same, **more)
    assert art.recipe.to_dict()["stage"] == summary(tmp_path)["recipe"]["stage"]


def test_the_time_of_a_polish_is_that_of_both_stages(photo, monkeypatch):
    asked = []

    def run(recipe, *_, **__):
        asked.append(recipe)
        raise UsageError("not run")

    monkeypatch.setattr("artgen.api.memory.run", run)
    with pytest.raises(UsageError, match="not run"):
        artgen.fit(photo, "triangle", count=3, polish=True, time=45)
    assert [stage.time for stage in asked[0].stage] == [22.5, 22.5]


def test_a_polish_keeps_to_the_palette(target):
    picture = (target.permute(1, 2, 0) * 255).byte().numpy()
    more = {"count": 10, "seed": 1, "engine_options": QUICK, "palette": 3}
    plain = artgen.fit(picture, "triangle", **more)
    polished = artgen.fit(picture, "triangle", **more, polish=True)
    assert polished.psnr > plain.psnr
    assert len(polished.drawing.tensors["colour"].unique(dim=1).t()) <= 3


def test_only_shapes_are_polished(tmp_path, capsys):
    command = ["fit", "sample:cat", "-p", "gaussian", "--polish", "--out", str(tmp_path)]
    assert main(command) == 2
    assert "--polish refines shapes only, not gaussian" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())
    with pytest.raises(UsageError, match="refines shapes only"):
        artgen.fit(np.zeros((8, 8, 3), np.uint8), "gaussian", polish=True)


def test_other_losses_can_follow_a_search(photo, tmp_path, registry):
    stages = STAGES[0], {**STAGES[1], "loss": "l1+0.1*ssim"}
    done = run(recipe(photo, *stages, primitive=TRIANGLES), registry, out=tmp_path / "out").summary
    assert done["recipe"]["stage"][1]["loss"] == "l1+0.1*ssim"
    assert done["steps"] == 44
