"""Whole steps of a fit on a WebGPU device, against plain torch; see `artgen.compiler.step_program`.

Skipped without the package wgpu or an adapter, but for what is printed.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from footprints import Odd, OddFar
from test_webgpu import BACKGROUND, scene

from artgen import Canvas, Param
from artgen.compiler.step_program import NoStep, emit_step, evaluate
from artgen.losses import exponential, l1, mse
from artgen.primitives import Map
from artgen.raster import paint
from artgen.raster.webgpu_program import LoadedProgram, compile_program
from artgen_plugins.gaussian import Gaussian

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
    sizes = {"N": COUNT, "W": CANVAS.width, "H": CANVAS.height, "S": 12}
    pipelines = compile_program(device, program)
    steps = LoadedProgram(device, program, pipelines, sizes, dict(zip(NAMES, values, strict=True)))
    rows = len(program.parameters)
    steps.write("bounds", np.tile(np.float32([-3e38, 3e38]), (rows, 1)))
    return steps


def rows_of(tensors):
    return torch.cat([tensor.detach().reshape(-1, COUNT) for tensor in tensors.values()]).numpy()


@pytest.mark.parametrize(
    ("splat", "loss"),
    [
        (Gaussian(), ((1.0, "mse"),)),
        (Gaussian({"blend": "mean"}), ((1.0, "mse"), (0.2, "l1"))),
        (Gaussian({"blend": "normalized"}), ((1.0, "l1"),)),
        (Gaussian({"blend": "depth"}), ((0.5, "exponential"),)),
        (Odd({"blend": "depth"}), ((1.0, "mse"),)),
        (Mapped(), ((1.0, "exponential"),)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Gaussian | Odd) else value[-1][1],
)
def test_losses_and_gradients_are_those_of_plain_torch(device, splat, loss):
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
    schedule = np.zeros((1, 2 + rows), np.float32)
    schedule[:, :2] = 1
    steps.write("schedule", schedule)
    moments, report = steps.run(
        "start", "step", "evaluate", read={"moments": (2, rows, COUNT), "report": (3,)}
    )
    mapped = {name: param.map(raw[name]) for name, param in params.items()}
    image = paint(splat, mapped, CANVAS, background=BACKGROUND)
    expected = sum(factor * FUNCTIONS[name](image, goal, weight) for factor, name in loss)
    expected.backward()
    shown = mse(image.clamp(0, 1), goal, weight)
    np.testing.assert_allclose(report, [expected.item(), shown.item(), 0], rtol=1e-5)
    gradients = rows_of({name: tensor.grad for name, tensor in raw.items()})
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
    schedule = np.hstack([1 - 0.9**t, np.sqrt(1 - 0.99**t), np.tile(rates, (10, 1))])
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
        (Gaussian({"blend": "over"}), ((1.0, "mse"),), "adam", "the blend over sorts its splats"),
        (OddFar(), ((1.0, "mse"),), "adam", "the splats do not end"),
    ):
        with pytest.raises(NoStep, match=reason):
            emit_step(splat, loss, optimizer)


def test_the_program_is_data_whose_sizes_are_chosen_later():
    program = json.loads(emit_step(Gaussian()).to_json())
    assert program["format"] == 1
    symbols = {"N": 5000, "W": 100, "H": 33, "S": 8}
    for name, expression in program["symbols"].items():
        symbols[name] = evaluate(expression, symbols)
    names = [parameter["name"] for parameter in program["parameters"]]
    assert names == ["xy", "xy", "scale", "scale", "angle", "colour", "colour", "colour"]
    sizes = {name: evaluate(b["numbers"], symbols) for name, b in program["buffers"].items()}
    assert (sizes["raw"], sizes["goal"]) == (8 * 5000, 3 * 33 * 100)
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
