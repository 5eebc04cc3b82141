"""The fields that are shipped, how they are fitted, and what they show between the pixels."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
import torch
from PIL import Image

import artgen
from artgen import Canvas, Drawing, Field, Param, Params, init
from artgen.engines import Problem
from artgen.engines.gradient.engine import GradientEngine
from artgen.errors import UsageError
from artgen.families.field.objective import FieldTrial
from artgen.families.field.paint import FIELD_PIECE
from artgen.init import Context
from artgen.losses import mse, parse_loss
from artgen.losses.metrics import psnr
from artgen.raster import draw, paint
from artgen.runs.arithmetic import resolve_arithmetic
from artgen.targets.samples import MOST_SAMPLES
from artgen_plugins.fourier_features import FourierFeatures
from artgen_plugins.hashgrid import HashGrid
from artgen_plugins.mlp import MLP
from artgen_plugins.siren import Siren

FIELDS = {"mlp": MLP, "siren": Siren, "hashgrid": HashGrid, "fourier_features": FourierFeatures}
DOUBLE = torch.float64


def made(kind, width=32, height=None, inputs=2, outputs=3, preset=None, **options):
    field = kind(options, preset=preset)
    field.inputs, field.outputs = inputs, outputs
    field.resolve_options(Canvas(width, height or width))
    return field


def initial(field, width=32, height=None, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return field.initial(Context(rng, Canvas(width, height or width), 1))


def started(field, tensors, target, steps=10, arithmetic="fp32", weight=None, **options):
    height, width = target.shape[1:]
    drawing = Drawing("test", field.option_values(), tensors, width, height)
    engine = GradientEngine()
    loss = parse_loss("mse", {"mse": mse}.__getitem__, ["mse"])
    engine.start(
        Problem(
            field, drawing, target, loss, steps, 0, weight, options=options, arithmetic=arithmetic
        )
    )
    return engine


# ---- colours of a palette ----------------------------------------------------------------------

FLAG = ("#d02030", "#f0e0b0", "#103070")


def flag(colours=FLAG, size=24):
    """Stripes of colours, one of them between the others in light: uint8 [size, 3·size/2, 3]."""
    rows = [np.array(tuple(bytes.fromhex(each[1:])), np.uint8) for each in colours]
    return np.repeat(np.repeat(np.stack(rows)[:, None], size // 3, 0), size * 3 // 2, 1)


def test_scores_of_four_classes_are_no_colours_with_an_alpha():
    """The fourth was taken for one, where several samples are averaged."""
    art = artgen.fit("points:spiral?classes=4&n=40", "mlp", hidden=4, steps=1, seed=1)
    once, canvas = (art.drawing, art.primitive()), Canvas(8, 8)
    fine = draw(*once, canvas.enlarged(2))
    assert fine.shape[0] == 4
    smooth = torch.nn.functional.avg_pool2d(fine, 2)
    torch.testing.assert_close(draw(*once, canvas, supersample=2), smooth)


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_of_a_palette_has_its_colours_alone(name, tmp_path):
    # Three stripes are there after 60 steps: more would only make their edges smoother.
    art = artgen.fit(flag(), name, palette=FLAG, seed=1, steps=60)
    shown = art.render(240)
    found, counts = np.unique(shown.reshape(-1, 3), axis=0, return_counts=True)
    assert {f"#{bytes(each).hex()}" for each in found} == set(FLAG)
    assert counts.min() > 0.25 * counts.sum()
    art.save(tmp_path / "flag.art")
    again = artgen.load(tmp_path / "flag.art")
    np.testing.assert_array_equal(again.render(240), shown)
    assert again.primitive().palette.shape == (3, 3)
    # A page draws the mean of the colours by their softmax, as the picture with soft edges does.
    art.save(tmp_path / "flag.html")


def test_scores_are_of_the_nearest_colours():
    field = made(MLP, colours=",".join(FLAG))
    target = torch.from_numpy(flag(size=6)).permute(2, 0, 1).float() / 255
    goal = field.goal(target + 0.02)
    assert goal.shape == (3, 6, 9)
    assert goal.argmax(0)[:, 0].tolist() == [0, 0, 1, 1, 2, 2]
    assert (goal.sum(0) == 1).all()
    plain = made(MLP)
    assert plain.goal(target) is target


def test_the_engine_scratch_learns_scores_too():
    art = artgen.fit(flag(), "mlp", palette=FLAG, engine="scratch", seed=1, steps=150)
    shown = art.render()
    assert np.mean((shown == flag()).all(2)) > 0.9


def test_colours_are_for_pictures():
    with pytest.raises(UsageError, match="colours are for pictures"):
        artgen.fit("points:random", "mlp", colours="#000000,#ffffff", steps=1)
    with pytest.raises(UsageError, match="'#00' is not a colour"):
        MLP({"colours": "#00"})


# ---- what each of them is ------------------------------------------------------------------------


@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (2, 3), (2, 5), (3, 3)])
@pytest.mark.parametrize("kind", FIELDS.values())
def test_a_field_has_as_many_inputs_and_outputs_as_it_is_asked(kind, inputs, outputs):
    field = made(kind, inputs=inputs, outputs=outputs)
    tensors = initial(field)
    positions = 2 * torch.rand(7, inputs, generator=torch.Generator().manual_seed(1)) - 1
    values = field.forward(positions, Params(tensors))
    assert values.shape == (7, outputs)
    assert values.std() > 0
    # Each position on its own.
    one = field.forward(positions[3:4], Params(tensors))
    torch.testing.assert_close(values[3:4], one, atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", FIELDS.values())
def test_a_point_has_one_colour_at_every_resolution(kind):
    field = made(kind, 32, 20)
    drawing = Drawing("x", field.option_values(), initial(field, 32, 20), 32, 20)
    small = draw(drawing, field)
    large = draw(drawing, field, Canvas(96, 60))
    torch.testing.assert_close(large[:, 1::3, 1::3], small, atol=1e-3, rtol=0)
    # The drawing knows what was taken from the target.
    again = kind(dict(drawing.options))
    assert torch.equal(draw(drawing, again), small)


@pytest.mark.parametrize("kind", FIELDS.values())
def test_small_presets_have_at_most_ten_thousand_parameters(kind):
    if "small" not in kind.presets:
        pytest.skip("it has no preset of this name")
    field = made(kind, 64, preset="small")
    weights = {n: t for n, t in initial(field, 64).items() if n not in ("table",)}
    assert sum(tensor.numel() for tensor in weights.values()) <= 10_000


def test_a_siren_is_the_published_formula_and_starts_as_published():
    field = made(Siren, 40, 20, hidden=50, layers=3, omega=20.0)
    tensors = initial(field, 40, 20)
    w = {name: tensor.double() for name, tensor in tensors.items()}
    picture = paint(field, tensors, Canvas(40, 20)).double()
    for row, column in [(0, 0), (7, 30)]:
        xy = torch.tensor([(2 * column + 1 - 40) / 40, (2 * row + 1 - 20) / 40], dtype=DOUBLE)
        value = xy
        for layer in range(3):
            value = torch.sin(20 * (w[f"weight{layer}"] @ value + w[f"bias{layer}"]))
        colour = w["weight3"] @ value + w["bias3"]
        torch.testing.assert_close(picture[:, row, column], colour, atol=1e-4, rtol=0)
    for name, bound in [("weight0", 1 / 2), ("weight1", math.sqrt(6 / 50) / 20)]:
        assert 0.9 * bound < tensors[name].abs().max() <= bound


def test_random_waves_are_normal_never_finer_than_pixels_and_stay(astronaut):
    field = made(FourierFeatures, 32, waves=2000)
    tensors = initial(field)
    assert tensors["waves"].std().item() == pytest.approx(32 / 12, rel=0.05)
    wild = made(FourierFeatures, 32, waves=200, sigma=30.0)
    assert initial(wild)["waves"].abs().max() == 16
    engine = started(field, tensors, astronaut(32), batch=64)
    engine.advance(3)
    after = engine.drawing(best=False).tensors
    assert torch.equal(after["waves"], tensors["waves"])
    assert not torch.equal(after["weight0"], tensors["weight0"])


def test_the_finest_grid_has_a_cell_per_pixel_and_cells_are_square():
    field = made(HashGrid, 60, 30, levels=3, base=15)
    assert field.cells == [[15, 8], [30, 15], [60, 30]]
    assert made(HashGrid, 30, 60, levels=2, base=15).cells == [[8, 15], [30, 60]]
    assert initial(field, 60, 30)["table"].shape == (16 * 9 + 31 * 16 + 61 * 31, 2)
    # Not even a picture smaller than the coarsest grid is a problem.
    assert made(HashGrid, 4, 4, levels=2).cells == [[16, 16], [16, 16]]
    # What is found for the longest curve, and for a strip, can be given.
    curve = made(HashGrid, MOST_SAMPLES, 1, inputs=1)
    assert HashGrid(curve.option_values()).options == curve.options


# ---- fitting -------------------------------------------------------------------------------------


class Ramp(Field):
    """Colours that change evenly, and a note of where they were asked for."""

    params = {"slope": Param(3, 2, init=init.normal(0.0), lr=0.01)}
    asked: list[torch.Tensor] = []

    def forward(self, xy, p):
        self.asked.append(xy)
        return xy @ p.slope.t()


@pytest.mark.parametrize("jitter", [0.0, 0.25, 1.0])
def test_jitter_asks_between_the_pixels_for_what_is_between_them(jitter):
    Ramp.asked.clear()
    start = {"slope": torch.zeros(3, 2)}
    engine = started(Ramp(), start, torch.rand(3, 20, 40), batch=2000, jitter=jitter)
    engine.advance(1)
    # In pixels from the centre of the nearest one.
    xy = torch.cat(Ramp.asked) * 10 + torch.tensor([20, 10]) - 0.5
    offset = xy - xy.round()
    moved = (offset.abs() > 1e-3).any(1)
    assert moved.double().mean().item() == pytest.approx(jitter, abs=0.01)
    if jitter:
        assert offset[moved].std(0).tolist() == pytest.approx([12**-0.5] * 2, rel=0.1)


def test_between_the_pixels_of_a_ramp_is_the_ramp():
    # Only at the edges the cubic goes flat.
    slope = torch.tensor([[0.3, 0.0], [0.0, 0.3], [0.2, 0.2]])
    target = paint(Ramp(), {"slope": slope}, Canvas(64, 64))
    engine = started(Ramp(), {"slope": 0 * slope}, target, 300, batch=512, jitter=1.0)
    engine.advance(300)
    learned = engine.drawing(best=False).tensors["slope"]
    torch.testing.assert_close(learned, slope, atol=3e-3, rtol=0)


def test_a_batch_in_pieces_is_a_batch(astronaut):
    """Gradients of a batch that threads share are those of the whole, for any number of threads."""
    target = astronaut(32)
    batch = 2 * FIELD_PIECE + 100
    results = []
    before = torch.get_num_threads()
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        try:
            field = made(HashGrid, levels=4, log2_rows=8)
            engine = started(field, initial(field), target, batch=batch, jitter=0.5)
            engine.advance(4)
            results.append(engine.drawing(best=False).tensors)
            assert torch.get_num_threads() == threads
        finally:
            torch.set_num_threads(before)
    for name, tensor in results[0].items():
        assert torch.equal(tensor, results[1][name])
        assert torch.equal(tensor, results[2][name])


def test_pieces_add_up_to_the_gradient_of_the_loss():
    canvas = Canvas(30, 20)
    target = torch.rand(3, 20, 30, generator=torch.Generator().manual_seed(0))
    weight = torch.rand(20, 30, generator=torch.Generator().manual_seed(1))
    start = {"slope": torch.zeros(3, 2)}
    Ramp.asked.clear()
    # So small an epsilon makes of Adam's first step the sign of the gradient; so large a one, itself.
    options = {"epsilon": 1e6, "rate": 1e6, "warmup": 0, "schedule": "constant"}
    engine = started(
        Ramp(), start, target, weight=weight, batch=FIELD_PIECE + 7, optimizer="adam", **options
    )
    engine.advance(1)
    xy = torch.cat(Ramp.asked)
    column = ((xy[:, 0] * 20 + 30 - 1) / 2).round().long()
    row = ((xy[:, 1] * 20 + 20 - 1) / 2).round().long()
    assert len(xy) == FIELD_PIECE + 7
    slope = start["slope"].clone().requires_grad_()
    error = ((xy @ slope.t() - target[:, row, column].t()) ** 2).mean(1)
    share = weight[row, column]
    ((error * share).sum() / share.sum()).backward()
    moved = engine.drawing(best=False).tensors["slope"]
    torch.testing.assert_close(moved, -0.01 * slope.grad, atol=1e-5, rtol=1e-3)
    assert canvas.pixel == pytest.approx(0.1)


class Steep(Field):
    """Parameters with a map, and one that is not used."""

    params = {
        "slope": Param(3, 2, init=init.normal(0.0), lr=0.01, map="exp"),
        "spare": Param(3, init=1.0, lr=0.01, map="exp"),
    }

    def forward(self, xy, p):
        return xy @ p.slope.t()


def test_mapped_parameters_of_a_batch_in_pieces_are_learned(monkeypatch):
    """The second piece went back through the maps again, which torch had forgotten by then."""
    start = {"slope": torch.full((3, 2), 0.5), "spare": torch.ones(3)}
    target = torch.rand(3, 20, 30, generator=torch.Generator().manual_seed(0))
    found = []
    for piece in (100, 30):
        monkeypatch.setattr("artgen.families.field.objective.FIELD_PIECE", piece)
        engine = started(Steep(), start, target, batch=100)
        engine.advance(2)
        found.append(engine.drawing(best=False).tensors)
    torch.testing.assert_close(found[0]["slope"], found[1]["slope"])
    assert not torch.equal(found[0]["slope"], start["slope"])
    assert torch.equal(found[0]["spare"], start["spare"])


# ---- bfloat16 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FIELDS.values())
def test_steps_in_bfloat16_learn_too_and_drawings_are_float32(kind, astronaut):
    target = astronaut(32)
    engines = {}
    for arithmetic in ("fp32", "bf16"):
        field = made(kind)
        engine = started(
            field, initial(field), target, 60, arithmetic=arithmetic, batch=1024, rate=1.0
        )
        first = engine.report().psnr
        engine.advance(60)
        engines[arithmetic] = engine
        assert engine.report().psnr > first + 3
    fp32, bf16 = (engine.drawing(best=False).tensors for engine in engines.values())
    assert any(not torch.equal(fp32[name], bf16[name]) for name in fp32)
    assert all(tensor.dtype == torch.float32 for tensor in bf16.values())
    assert engines["bf16"].report().psnr == pytest.approx(engines["fp32"].report().psnr, abs=0.7)
    # The primitive that draws is not the one that takes the steps.
    assert engines["bf16"].problem.primitive.arithmetic == "fp32"


@pytest.fixture
def instructions(monkeypatch):
    """Have torch tell a processor with or without instructions for bfloat16."""

    def tell(**names):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, **names})

    return tell


@pytest.mark.parametrize("faster", ["fp32", "bf16"])
def test_the_faster_arithmetic_is_found_and_stored(faster, monkeypatch, instructions):
    instructions(amx_bf16=True, avx512_bf16=False)
    seconds = {"fp32": 2.0, "bf16": 1.0 if faster == "bf16" else 1.8}
    monkeypatch.setattr(FieldTrial, "seconds", lambda self, arithmetic: seconds[arithmetic])
    art = artgen.fit(picture(32), "siren", steps=2, seed=0)
    assert art.recipe.run.arithmetic == faster
    # On few positions the processor's overhead is more than it wins, and noise could decide.
    assert artgen.fit(picture(16), "siren", steps=2, seed=0).recipe.run.arithmetic == "fp32"


@pytest.mark.parametrize(
    ("names", "trials"),
    [
        ({"amx_bf16": False, "avx_ne_convert": False}, 0),
        # Two that are lost are enough; of other kinds of processors nothing is known.
        ({"avx_ne_convert": True, "amx_bf16": False}, 2),
        ({}, 2),
    ],
)
def test_bfloat16_is_not_tried_for_long_where_it_is_slow(names, trials, monkeypatch, instructions):
    instructions(**names)
    tried = []

    def seconds(trial, arithmetic):
        tried.append(arithmetic)
        return {"fp32": 1.0, "bf16": 50.0}[arithmetic]

    monkeypatch.setattr(FieldTrial, "seconds", seconds)
    assert resolve_arithmetic("auto", MLP(), "cpu", 0) == "fp32"
    assert tried == ["fp32", "bf16"] * trials


def test_what_is_asked_for_is_not_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(
        FieldTrial,
        "seconds",
        lambda self, arithmetic: {"fp32": 1.0, "bf16": 9.0}[arithmetic],
    )
    field = MLP()
    assert resolve_arithmetic("auto", field, "cpu", 256) == "fp32"
    assert resolve_arithmetic("bf16", field, "cpu", 256) == "bf16"
    assert resolve_arithmetic("fp32", field, "cpu", 0) == "fp32"
    assert resolve_arithmetic("auto", field, "cpu", None) == "fp32"
    with pytest.raises(UsageError, match="bf16 is for fields"):
        resolve_arithmetic("bf16", field, "cpu", None)


def test_the_probe_measures_both(monkeypatch):
    """It went by the clock on the wall: on a busy machine equal commands gave other bytes."""
    monkeypatch.undo()
    monkeypatch.setattr(time, "perf_counter", lambda: pytest.fail("is the clock on the wall"))
    probe = FieldTrial(torch.device("cpu"), 64)
    assert probe.seconds("fp32") > 0
    assert probe.seconds("bf16") > 0


def test_splats_and_our_own_gradients_know_float32_only():
    assert artgen.fit(picture(), "gaussian", count=3, steps=1).recipe.run.arithmetic == "fp32"
    art = artgen.fit(picture(), "mlp", steps=1, engine="scratch")
    assert art.recipe.run.arithmetic == "fp32"


# ---- between the pixels --------------------------------------------------------------------------


def picture(side=16):
    ramp = np.linspace(0, 255, side).astype(np.uint8)
    return np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], ramp[::-1, None]), axis=2)


QUICK = {
    "hashgrid": {"steps": 120, "log2_rows": 9},
    "siren": {"steps": 300},
    "fourier_features": {"steps": 300},
    "mlp": {"steps": 300, "hidden": 128},
}
"""Enough to fit 20x20 pixels well."""


def gain_over_bicubic(photo, name, **settings):
    """Fit the photograph at half its size and draw it at its own: dB above bicubic enlarging."""
    side = photo.shape[1]
    original = Image.fromarray((255 * photo.permute(1, 2, 0) + 0.5).to(torch.uint8).numpy())
    small = original.resize((side // 2, side // 2), Image.Resampling.BOX)
    bicubic = np.asarray(small.resize((side, side), Image.Resampling.BICUBIC))
    drawn = artgen.fit(small, name, seed=0, threads=1, **settings).render(side)
    return psnr(drawn, np.asarray(original)) - psnr(bicubic, np.asarray(original))


@pytest.mark.parametrize("name", FIELDS)
def test_drawn_twice_as_large_it_is_no_worse_than_bicubic(name, astronaut):
    stage = {"batch": 1024, "jitter": 0.5}
    assert gain_over_bicubic(astronaut(40), name, engine_options=stage, **QUICK[name]) > -0.5


def test_without_jitter_a_field_may_show_anything_between_the_pixels(astronaut):
    stage = {"batch": 1024, "jitter": 0.0}
    assert gain_over_bicubic(astronaut(40), "siren", engine_options=stage, **QUICK["siren"]) < -2
