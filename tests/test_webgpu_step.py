"""Whole steps of a fit on a WebGPU device, against plain torch; see `artgen.compiler.step_program`.

Skipped without the package wgpu or an adapter, but for what is printed.
"""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch
from footprints import Odd, OddFar
from gpu_cases import BACKGROUND, scene
from helpers import assert_same_bits
from test_webgpu import fit

from artgen import Canvas, Drawing, Param, Splat
from artgen.compiler import step_printer
from artgen.compiler.step_printer import emit_step
from artgen.compiler.step_program import NoStep, evaluate
from artgen.engines.base import Problem
from artgen.engines.evaluation import summed_colour
from artgen.engines.gradient.engine import GradientEngine
from artgen.errors import Diverged
from artgen.events import Evaluated
from artgen.families.splat import backend as splat_backend
from artgen.families.splat.webgpu_program import CompiledProgram, LoadedProgram, WebGpuStepper
from artgen.losses import Loss, Term, exponential, l1, mse
from artgen.primitives import Map
from artgen.raster import choose_backend, paint
from artgen_plugins.gaussian import Gaussian
from artgen_plugins.stamp import Stamp

FUNCTIONS = {"mse": mse, "l1": l1, "exponential": exponential}
CANVAS, COUNT = Canvas(21, 18), 9
NAMES = ("red", "green", "blue", "background_weight", "beta1", "beta2", "epsilon", "decay")


class Mapped(Gaussian):
    """Every map that a parameter may have."""

    @property
    def params(self):
        return {
            "scale": Param(2, init=0.4, map="reciprocal"),
            "angle": Param(init=0.6, map="softplus"),
            "colour": Param(3, init=0.4, map=Map("tanh", 1.5, 0.1)),
        }


def loaded(device, program, decay=0.0):
    values = (*BACKGROUND, 1e-3, 0.9, 0.99, 1e-15, decay)
    sizes = {"N": COUNT, "W": CANVAS.width, "H": CANVAS.height, "S": 12, "R": 0}
    scene_values = dict(zip(NAMES, values, strict=True))
    steps = LoadedProgram(CompiledProgram(device, program), sizes, scene_values)
    rows = len(program.parameters)
    steps.write("bounds", np.tile(np.float32([-3e38, 3e38]), (rows, 1)))
    steps.write("table", np.float32(program.table))
    return steps


def rows_of(tensors):
    return torch.cat([tensor.detach().reshape(-1, COUNT) for tensor in tensors.values()]).numpy()


@pytest.mark.parametrize(
    ("splat", "loss", "softness"),
    [
        (Gaussian(), ((1.0, "mse"),), 0),
        (Gaussian({"blend": "mean"}), ((1.0, "mse"), (0.2, "l1")), 0),
        (Gaussian({"blend": "normalized"}), ((1.0, "l1"),), 0),
        (Gaussian({"blend": "depth"}), ((0.5, "exponential"),), 0),
        (Odd({"blend": "depth"}), ((1.0, "mse"),), 0),
        (Mapped(), ((1.0, "exponential"),), 0),
        (Gaussian({"blend": "over"}), ((1.0, "mse"),), 0),
        (Gaussian({"blend": "over"}), ((1.0, "l1"),), 0.3),
        (Odd({"blend": "over"}), ((1.0, "mse"),), 1),
        (Stamp({"blend": "sum"}), ((1.0, "mse"),), 0),
        (Stamp({"stamp": "leaf,flower", "colours": "own"}), ((1.0, "mse"),), 0.5),
    ],
    ids=lambda value: f"{type(value).__name__}-{value.blend}" if isinstance(value, Splat) else "",
)
def test_losses_and_gradients_are_those_of_plain_torch(device, splat, loss, softness):
    params, program = splat.parameters(), emit_step(splat, loss)
    raw = {
        name: params[name].map.inverse(tensor).requires_grad_()
        for name, tensor in scene(splat, CANVAS, COUNT).items()
    }
    rng = torch.Generator().manual_seed(5)
    goal = torch.rand(3, CANVAS.height, CANVAS.width, generator=rng)
    weight = torch.rand(CANVAS.height, CANVAS.width, generator=rng)
    steps, rows = loaded(device, program), len(program.parameters)
    steps.write("raw", rows_of(raw))
    steps.write("goal", goal.numpy())
    steps.write("weights", (weight / (3 * weight.sum())).numpy())
    # After the first step, the mean of the gradient is a tenth of it.
    schedule = np.zeros((1, 3 + rows), np.float32)
    schedule[:, :3] = 1, 1, softness
    steps.write("schedule", schedule)
    moments, report = steps.run(
        "start", "step", "evaluate", read={"moments": (2, rows, COUNT), "report": (4,)}
    )
    mapped = {name: param.map(raw[name]) for name, param in params.items()}
    image = paint(splat, mapped, CANVAS, background=BACKGROUND, softness=softness)
    sum(factor * FUNCTIONS[name](image, goal, weight) for factor, name in loss).backward()
    with torch.no_grad():
        image = paint(splat, mapped, CANVAS, background=BACKGROUND)
    expected = sum(factor * FUNCTIONS[name](image, goal, weight) for factor, name in loss)
    shown = mse(image.clamp(0, 1), goal, weight)
    np.testing.assert_allclose(report, [expected.item(), shown.item(), 0, 0], rtol=1e-5)
    # The order of depth has no gradient.
    gradients = rows_of(
        {n: torch.zeros_like(t) if t.grad is None else t.grad for n, t in raw.items()}
    )
    allowed = 1e-4 * np.abs(gradients).max(1, keepdims=True) + 1e-7
    assert (np.abs(moments[0] / 0.1 - gradients) <= allowed).all()
    assert (np.abs(gradients).max(1) > 1e-6).sum() >= rows - 1


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_ten_steps_of_the_optimizer_are_those_of_torch(device, optimizer):
    program = emit_step(Gaussian(), optimizer=optimizer)
    steps, rows = loaded(device, program, decay=0.1), len(program.parameters)
    rng = np.random.default_rng(0)
    raw = rng.uniform(-1, 1, (rows, COUNT)).astype(np.float32)
    raw[2:4] = 0  # a scale of 1, so that all raw gradients are those that arrive
    rates = np.linspace(0.01, 0.08, rows)
    rates[2:4] = 0
    names = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    leaves = [torch.from_numpy(row.copy()).requires_grad_() for row in raw]
    groups = [{"params": [x], "lr": r} for x, r in zip(leaves, rates, strict=True)]
    expected = names[optimizer](groups, betas=(0.9, 0.99), eps=1e-15, weight_decay=0.1)
    t = np.arange(1, 11)[:, None]
    schedule = np.hstack([1 - 0.9**t, np.sqrt(1 - 0.99**t), 0 * t, np.tile(rates, (10, 1))])
    steps.write("raw", raw)
    steps.write("schedule", schedule.astype(np.float32))
    bounds = np.tile(np.float32([-3e38, 3e38]), (rows, 1))
    bounds[0] = -0.5, 0.5
    steps.write("bounds", bounds)
    steps.lists["advance"] = steps.lists["step"][-2:]
    for _ in range(10):
        gradients = rng.normal(size=(COUNT, rows)).astype(np.float32)
        steps.write("gradients", gradients)
        (result,) = steps.run("advance", read={"raw": (rows, COUNT)})
        for leaf, gradient in zip(leaves, gradients.T, strict=True):
            leaf.grad = torch.from_numpy(gradient.copy())
        expected.step()
        with torch.no_grad():
            leaves[0].clamp_(-0.5, 0.5)
    np.testing.assert_allclose(result, torch.stack(leaves).detach(), atol=1e-5)


def test_what_has_no_step_says_why():
    for splat, loss, optimizer, reason in (
        (Gaussian(), ((1.0, "ssim"),), "adam", "the loss ssim has no kernel"),
        (Gaussian(), ((1.0, "mse"),), "adamw-centred", "the optimizer adamw-centred has no kernel"),
        (OddFar(), ((1.0, "mse"),), "adam", "the splats do not end"),
    ):
        with pytest.raises(NoStep, match=reason):
            emit_step(splat, loss, optimizer)


@pytest.mark.parametrize("blend", ["sum", "over"])
def test_the_program_is_data_whose_sizes_are_chosen_later(blend):
    program = json.loads(json.dumps(asdict(emit_step(Gaussian({"blend": blend})))))
    symbols = {"N": 5000, "W": 100, "H": 33, "S": 8, "R": 0}
    for name, expression in program["symbols"].items():
        symbols[name] = evaluate(expression, symbols)
    names = [parameter["name"] for parameter in program["parameters"]]
    more = ["z", "opacity"] if blend == "over" else []
    assert names == ["xy"] * 2 + ["scale"] * 2 + ["angle"] + ["colour"] * 3 + more
    sizes = {name: evaluate(b["numbers"], symbols) for name, b in program["buffers"].items()}
    assert (sizes["raw"], sizes["goal"]) == (len(names) * 5000, 3 * 33 * 100)
    for operations in program["lists"].values():
        for operation in operations:
            if "copy" in operation:
                source, to = operation["copy"]
                assert sizes[source] == sizes[to]
                continue
            kernel = program["kernels"][operation["kernel"]]
            assert f"fn {operation['kernel']}(" in program["modules"][kernel["module"]]
            assert {binding["buffer"] for binding in kernel["bindings"]} <= set(sizes)
            assert all(0 < evaluate(each, symbols) <= 65535 for each in operation["groups"])
            storage = [b for b in kernel["bindings"] if b["access"] != "uniform"]
            # What every device has.
            assert len(storage) <= 8


# ---- fits ----------------------------------------------------------------------------------------

# A large epsilon: Adam makes whole steps of gradients that are nothing but rounding.
GENTLE = {"rate": 0.3, "epsilon": 1e-7}


def test_200_steps_give_the_cpus_result_the_same_bytes_and_read_only_numbers(
    device, photo, tmp_path
):
    read = []

    def count(event):
        if isinstance(event, Evaluated):
            read.append(device.bytes_read)

    stage = {"steps": 200, "start": 1.0, "move": 0.0, **GENTLE}
    tables = {"target": {"size": 64}, "primitive": {"count": 32}}
    tables["output"] = {"video": False, "history": 0}
    results = {}
    for name, place in (("one", "webgpu"), ("two", "webgpu:0"), ("cpu", "cpu")):
        tables["run"] = {"device": place}
        results[name], notices = fit(
            photo, tmp_path / name, stage, every=1000, observers=[count], **tables
        )
        assert notices == []
    summary = results["one"].summary
    assert (summary["device"], summary["backend"]) == ("webgpu", "compiled")
    assert abs(summary["psnr"] - results["cpu"].summary["psnr"]) < 0.05
    drawings = [results[name].art.drawing.tensors for name in ("one", "two")]
    assert all(torch.equal(drawings[0][name], drawings[1][name]) for name in drawings[0])
    evaluations = len(read) // 3
    # Four numbers each: loss, squared error, what is not finite, and what has no room.
    assert evaluations > 30
    assert np.diff(read[:evaluations]).tolist() == [16] * (evaluations - 1)


def problem_of(device, *, seed=0, blend="sum", place="webgpu", **options):
    splat = Gaussian({"blend": blend})
    tensors = scene(splat, CANVAS, COUNT, seed)
    drawing = Drawing("gaussian", {"blend": blend}, tensors, CANVAS.width, CANVAS.height)
    goal = torch.rand(3, CANVAS.height, CANVAS.width, generator=torch.Generator().manual_seed(seed))
    return Problem(
        primitive=splat,
        drawing=drawing,
        target=goal,
        loss=Loss((Term(1.0, "mse", mse),)),
        total_steps=400,
        seed=seed,
        backend=choose_backend(splat, place),
        options={"start": 1.0, "move": 0.0, **options},
    )


def test_a_hundred_steps_are_two_submissions_and_read_nothing(device):
    engine = GradientEngine()
    engine.start(problem_of(device))
    engine.report()
    before = device.submissions, device.bytes_read
    engine.advance(100)
    assert (device.submissions - before[0], device.bytes_read - before[1]) == (2, 0)
    assert engine.step == 100
    improved = engine.report().improved
    # The best drawing is a copy on the device.
    assert (device.submissions - before[0], device.bytes_read - before[1]) == (3 + improved, 16)


@pytest.mark.parametrize("blend", ["sum", "over"])
def test_a_survey_is_what_torch_finds(device, blend):
    engine = GradientEngine()
    engine.start(problem_of(device, blend=blend, soften=0.5))
    engine.advance(5)
    survey = engine.descent.device.stepper.survey()[1]
    engine.descent.fetch()
    tensors, paint_again = engine.descent.mapped(), engine.objective.picture
    torch.testing.assert_close(survey.picture, paint_again(tensors), atol=1e-5, rtol=0)
    worth = summed_colour(paint_again, tensors, None)
    torch.testing.assert_close(survey.worth * 3 * CANVAS.width * CANVAS.height, worth)


def test_a_round_of_growth_reads_once(device, monkeypatch):
    engine = GradientEngine()
    engine.start(problem_of(device, move=0.3, every=0.01, until=0.02))
    engine.advance(4)
    reads, run_work = [], device.run

    def counted(work, read=()):
        reads.extend([len(read)] if read else [])
        return run_work(work, read)

    monkeypatch.setattr(device, "run", counted)
    engine.advance(1)
    # Parameters, moments, the best, the picture, and what each part adds to it.
    assert reads == [5]
    assert engine.made == COUNT + 2


def test_the_size_of_a_chunk_changes_nothing(device):
    states = []
    for chunks in ((1, 59), (7, 7, 46), (60,)):
        engine = GradientEngine()
        engine.start(problem_of(device, weight_decay=0.01, optimizer="adamw", coarse=0.1))
        for chunk in chunks:
            engine.advance(chunk)
        states.append(engine.state_dict())
    assert_same_bits(states[0], states[1])
    assert_same_bits(states[0], states[2])


def test_splats_over_one_another_are_fitted_as_on_the_cpu(device, photo, tmp_path):
    results = {}
    for place in ("webgpu", "cpu"):
        stage = {"steps": 60, **GENTLE}
        tables = {"primitive": {"count": 16, "blend": "over"}, "run": {"device": place}}
        results[place], notices = fit(photo, tmp_path / place, stage, **tables)
        assert notices == []
    assert abs(results["webgpu"].summary["psnr"] - results["cpu"].summary["psnr"]) < 0.05
    z, expected = (results[place].art.drawing.tensors["z"] for place in ("webgpu", "cpu"))
    # Learned while the order is soft.
    torch.testing.assert_close(z, expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    "options",
    [
        {"coarse": 0.1, "move": 0.2, "every": 0.025},
        {"optimizer": "adamw-uncorrected", "beta1": 0.95, "weight_decay": 0.1},
    ],
    ids=lambda options: next(iter(options)),
)
def test_steps_are_those_of_the_cpu(device, options):
    reports, engines = [], [GradientEngine(), GradientEngine()]
    for engine, place in zip(engines, ("webgpu", "cpu"), strict=True):
        engine.start(problem_of(device, place=place, **{**GENTLE, **options}))
        engine.advance(15)
        found = [engine.report()]
        engine.advance(30)
        reports.append([*found, engine.report()])
    assert not engines[0].notices
    assert not isinstance(getattr(engines[1].descent.device, "stepper", None), WebGpuStepper)
    for mine, theirs in zip(*reports, strict=True):
        assert (mine.loss, mine.psnr) == pytest.approx((theirs.loss, theirs.psnr), rel=1e-3)


def test_steps_without_room_are_taken_again_with_enough_to_the_same_bytes(device, monkeypatch):
    states = []
    for room in (1 << 16, 1):
        monkeypatch.setattr(step_printer, "ROOM", room)
        monkeypatch.setattr(step_printer, "ROOM_PER_SPLAT", 0)
        monkeypatch.setattr(splat_backend, "_chosen", {})
        engine = GradientEngine()
        engine.start(problem_of(device, blend="over", soften=0.02))
        engine.advance(7)
        engine.state_dict()
        engine.advance(53)
        engine.report()
        states.append(engine.state_dict())
        stepper = engine.descent.device.stepper
        assert (stepper._sizes["R"] > 0) == (room == 1)
    assert_same_bits(*states)


def test_more_splats_than_a_block_are_sorted(device):
    count, rng = 2500, np.random.default_rng(0)
    program = emit_step(Gaussian({"blend": "over"}))
    sizes = {"N": count, "W": 16, "H": 16, "S": 1, "R": 0}
    steps = LoadedProgram(CompiledProgram(device, program), sizes, dict.fromkeys(NAMES, 0.0))
    z = [parameter.name for parameter in program.parameters].index("z")
    raw = np.full((len(program.parameters), count), -9, np.float32)
    raw[z] = rng.normal(size=count).round(2)
    raw[z, 70:75] = np.nan, 0.0, -0.0, 9.0, -9.0
    steps.write("raw", raw)
    steps.lists["sort"] = [*steps.lists["draw"][1:14]]
    (order,) = steps.run("sort", read={"order": (2, count)})
    mapped = program.parameters[z].map(torch.from_numpy(raw[z]))
    expected = torch.argsort(mapped, stable=True)
    assert order.view(np.uint32)[1].tolist() == expected.tolist()


def test_nan_is_named_and_the_fit_returns_to_the_best_at_half_the_rate(device):
    engine = GradientEngine()
    engine.start(problem_of(device))
    engine.advance(20)
    best = engine.report().loss
    rates = engine._rates(50)
    spoilt = {name: raw.detach().clone() for name, raw in engine.descent.raw.items()}
    spoilt["angle"][3] = torch.nan
    engine.descent.device.stepper._loaded.write("raw", rows_of(spoilt))
    engine.advance(1)
    with pytest.raises(Diverged, match="angle became NaN or infinite at step 21"):
        engine.report()
    engine.recover(0.5)
    assert engine.report().loss == pytest.approx(best, rel=1e-5)
    halved = engine._rates(50)
    assert halved == {name: rate / 2 for name, rate in rates.items()}
    engine.advance(20)
    assert engine.report().loss < 2 * best


def test_a_fit_that_diverges_does_so_as_on_the_cpu(device, photo, tmp_path):
    found = {}
    for place in ("webgpu", "cpu"):
        stage = {"steps": 24, "rate": 1e25, "start": 1.0, "move": 0.0}
        result, notices = fit(photo, tmp_path / place, stage, run={"device": place})
        found[place] = [type(result.error), len(notices), notices[0]]
    assert found["webgpu"] == found["cpu"]
    assert found["cpu"][0] is Diverged
    assert "back to the best drawing, at half the learning rate" in found["cpu"][2]


def test_parts_are_added_as_on_the_cpu(device, photo, tmp_path):
    psnr = {}
    for place in ("webgpu", "cpu"):
        result, notices = fit(
            photo,
            tmp_path / place,
            {"steps": 60, **GENTLE},
            run={"device": place},
            primitive={"count": 20},
        )
        assert notices == []
        assert result.art.drawing.tensors["xy"].shape == (2, 20)
        psnr[place] = result.summary["psnr"]
    assert abs(psnr["webgpu"] - psnr["cpu"]) < 0.5


def test_losses_without_a_kernel_are_evaluated_by_torch_and_a_notice_says_so(
    device, photo, tmp_path
):
    stage = {"steps": 8, "loss": "mse+0.1*ssim"}
    result, notices = fit(photo, tmp_path, stage)
    assert notices == ["every step reads back from the device: the loss ssim has no kernel"]
    assert result.summary["device"] == "webgpu"


def test_a_notice_says_that_symmetry_has_no_steps_on_the_device(device, photo, tmp_path):
    repeated = {"count": 8, "symmetry": "p2"}
    result, notices = fit(photo, tmp_path, {"steps": 4}, primitive=repeated)
    why = "a plugin or --symmetry changes what is minimised"
    assert notices == [f"every step reads back from the device: {why}"]
    assert result.summary["device"] == "webgpu"
