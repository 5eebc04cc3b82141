"""The gradient engine: it learns, keeps bounds, and its state is exact to the bit."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from helpers import Blob, assert_same_bits
from torch import Tensor

from artgen import Canvas, Drawing, Field, Param, init
from artgen.engines import Problem
from artgen.engines.gradient.engine import GradientEngine
from artgen.engines.gradient.graphs import ROWS, StepGraph
from artgen.engines.gradient.optimizer import Optimizer
from artgen.errors import Diverged, OutOfMemory, UsageError
from artgen.family import Objective, objective_of
from artgen.init import Context
from artgen.losses import mse, parse_loss, rmse
from artgen.primitives import Map
from artgen.raster import draw, paint
from artgen_plugins.gaussian import Gaussian
from artgen_plugins.structure import ssim

LOSSES = {"mse": mse, "rmse": rmse, "ssim": ssim}


class Waves(Field):
    params = {
        "frequency": Param(16, 2, init=init.normal(3.0), lr=0.02),
        "phase": Param(16, init=init.normal(1.0), lr=0.02),
        "colour": Param(3, 16, init=init.normal(0.1), lr=0.02),
    }

    def forward(self, xy, p):
        return torch.sin(xy @ p.frequency.t() + p.phase) @ p.colour.t() + 0.5


def ramp(width=24, height=16) -> Tensor:
    """A picture that changes evenly: red to the right, green downwards."""
    x, y = torch.linspace(0, 1, width), torch.linspace(0, 1, height)[:, None]
    return torch.stack(
        [x.expand(height, -1), y.expand(-1, width), torch.full((height, width), 0.5)]
    )


def problem(primitive, target=None, loss="mse", steps=100, count=12, **more):
    target = ramp() if target is None else target
    height, width = target.shape[1:]
    rng = torch.Generator().manual_seed(5)
    tensors = primitive.initial(Context(rng, Canvas(width, height), count, target=target))
    drawing = Drawing("test", primitive.option_values(), tensors, width, height)
    mixture = parse_loss(loss, LOSSES.__getitem__, LOSSES)
    return Problem(primitive, drawing, target, mixture, steps, 9, **more)


def started(given) -> GradientEngine:
    engine = GradientEngine()
    engine.start(given)
    return engine


EVERY_KIND = {
    "splats": lambda: problem(Blob()),
    "splats over": lambda: problem(Blob({"blend": "over"}), options={"optimizer": "adamw"}),
    "splats ssim": lambda: problem(Blob({"blend": "depth"}), loss="mse+0.1*ssim"),
    "splats coarse": lambda: problem(Blob(), options={"coarse": 0.5}),
    "field": lambda: problem(Waves()),
    "field in batches": lambda: problem(Waves(), options={"batch": 64}),
    "field in batches, adamw": lambda: problem(
        Waves(), loss="rmse", options={"batch": 64, "optimizer": "adamw", "weight_decay": 0.01}
    ),
}

every_kind = pytest.mark.parametrize("make", EVERY_KIND.values(), ids=EVERY_KIND)


# ---- objectives ----------------------------------------------------------------------------------


def test_a_primitive_may_bring_an_objective_of_its_own():
    class Small(Blob):
        pass

    class SmallObjective(Objective):
        def loss(self, tensors, step):
            return super().loss(tensors, step) + tensors["size"].square().mean()

    @objective_of.register(Small)
    def _(primitive):
        return SmallObjective

    sizes = {}
    for primitive, options in ((Blob(), {"start": 1.0, "move": 0.0}), (Small(), {})):
        engine = started(problem(primitive, options=options))
        engine.advance(30)
        sizes[type(primitive)] = float(engine.drawing(best=False).tensors["size"].mean())
        assert engine.report().psnr is not None
        assert type(engine.objective) is objective_of(primitive)
    assert sizes[Small] < 0.8 * sizes[Blob]


def test_what_batches_of_a_field_leave_out_is_said():
    """It was ignored without a word."""
    given = problem(Waves(), options={"coarse": 0.5, "batch": 64})
    [notice] = started(given).notices
    assert "engine.coarse does nothing to batches" in notice
    assert not started(problem(Waves(), options={"coarse": 0.5, "batch": 0})).notices


def test_colours_of_a_fit_with_alpha_keep_to_0_and_1_after_their_map():
    """Their raw numbers did, which are colours from 0.5 to 0.73 under a sigmoid."""

    class Mapped(Blob):
        params = {**Blob.params, "colour": Param(3, init=0.5, lr=0.05, map="sigmoid")}

    given = problem(Mapped({"blend": "over"}))
    given = replace(given, drawing=replace(given.drawing, background=(-1.0, -1.0, -1.0)))
    engine = started(given)
    raw = {"colour": torch.tensor([[-3.0], [3.0], [40.0]])}
    engine.objective.after_step(raw)
    assert raw["colour"][:2].flatten().tolist() == [-3.0, 3.0]
    assert raw["colour"][2] < 40


# ---- learning ------------------------------------------------------------------------------------


@every_kind
def test_twenty_steps_lower_the_loss(make):
    before = torch.get_rng_state()
    engine = started(make())
    first = engine.report()
    engine.advance(20)
    last = engine.report()
    assert (first.step, last.step) == (0, 20)
    assert last.loss < 0.8 * first.loss
    assert last.psnr > first.psnr
    assert first.improved
    assert last.improved
    assert torch.equal(torch.get_rng_state(), before)


class Disc(Blob):
    """Two of them in fixed places, so that only their order can change."""

    params = {
        "xy": Param(2, lr=0),
        "size": Param(lr=0),
        "colour": Param(3, lr=0),
        "opacity": Param(lr=1e-6, map="sigmoid"),
    }

    def footprint(self, dx, dy, p):
        return torch.sigmoid(40 * (p.size - torch.hypot(dx, dy)))


@pytest.mark.parametrize(("soften", "learned"), [(0.5, True), (0.0, False)])
def test_the_order_of_over_is_learned_while_it_is_soft(soften, learned):
    primitive, canvas = Disc({"blend": "over"}), Canvas(32, 24)
    tensors = {
        "xy": torch.tensor([[-0.2, 0.2], [0.0, 0.0]]),
        "size": torch.tensor([0.5, 0.5]),
        "colour": torch.eye(3)[:, :2].contiguous(),
        "opacity": torch.tensor([0.95, 0.95]),
        "z": torch.tensor([1.0, 2.0]),
    }
    target = paint(primitive, {**tensors, "z": tensors["z"].flip(0)}, canvas)
    start = Drawing("test", primitive.option_values(), tensors, 32, 24)
    mixture = parse_loss("mse", LOSSES.__getitem__, LOSSES)
    options = {"soften": soften}
    engine = started(Problem(primitive, start, target, mixture, 200, 9, options=options))
    engine.advance(200)
    z = engine.drawing(best=False).tensors["z"]
    assert (z[1] < z[0]).item() is learned
    assert (engine.report().psnr > 50) is learned


@pytest.mark.parametrize(("width", "height"), [(24, 16), (23, 1), (3, 17)])
def test_the_first_steps_may_look_at_smaller_pictures(width, height):
    engine = started(problem(Blob(), ramp(width, height), options={"coarse": 0.2}))
    first, sizes = engine.report(), []
    while engine.step < 25:
        view = engine.objective._view(engine.step)
        sizes.append((view.canvas.width, view.canvas.height))
        assert view.target.shape == (3, view.canvas.height, view.canvas.width)
        engine.advance(5)
    small = [(max(1, round(width / k)), max(1, round(height / k))) for k in (4, 4, 2, 2, 1)]
    assert sizes == small
    assert engine.report().loss < first.loss


def test_the_start_is_the_given_drawing():
    given = problem(Blob())
    drawing = started(given).drawing(best=False)
    for name, tensor in given.drawing.tensors.items():
        torch.testing.assert_close(drawing.tensors[name], tensor)


def test_a_report_has_the_metrics_of_the_drawing():
    given = problem(Blob(), loss="rmse")
    engine = started(given)
    engine.advance(5)
    report = engine.report()
    image = draw(engine.drawing(best=False), given.primitive)
    assert report.loss == pytest.approx(rmse(image, given.target, None).item(), rel=1e-5)
    squares = (image.clamp(0, 1) - given.target).square()
    assert report.psnr == pytest.approx(-10 * math.log10(squares.mean().item()), abs=1e-3)


def test_the_best_drawing_is_that_of_the_lowest_report():
    engine = started(problem(Blob(), options={"schedule": "constant", "warmup": 0, "rate": 30.0}))
    losses, drawings = [], []
    for _ in range(12):
        engine.advance(1)
        losses.append(engine.report().loss)
        drawings.append(engine.drawing(best=False))
    lowest = losses.index(min(losses))
    assert lowest < 11
    assert_same_bits(engine.drawing(best=True).tensors, drawings[lowest].tensors)


def test_bounds_hold_after_every_step():
    primitive = Blob({"blend": "depth"})
    given = problem(primitive, options={"rate": 40.0, "warmup": 0})
    engine = started(given)
    low, high = primitive.parameters()["size"].bounds(
        Context(torch.Generator(), Canvas(24, 16), 12)
    )
    touched = set()
    for _ in range(15):
        engine.advance(1)
        size = engine.drawing(best=False).tensors["size"]
        assert low * (1 - 1e-5) <= size.min()
        assert size.max() <= high * (1 + 1e-5)
        touched |= {bool((size < 1.01 * low).any()), 2 * bool((size > 0.99 * high).any())}
    assert {1, 2} <= touched


def test_a_rate_of_zero_freezes_a_parameter():
    class Still(Blob):
        params = {
            "size": Param(init=init.from_spacing(0.6), map="exp", lr=0.0),
            "xy": Param(2, init=init.normal(0.5), lr=0.1),
        }

    given = problem(Still(), options={"move": 0.0})
    engine = started(given)
    engine.advance(5)
    moved = engine.drawing(best=False).tensors
    torch.testing.assert_close(moved["size"], given.drawing.tensors["size"])
    assert (moved["xy"] != given.drawing.tensors["xy"]).all()


# ---- rates ---------------------------------------------------------------------------------------


@pytest.fixture
def rates(monkeypatch):
    """The rate of each parameter in the last step."""
    found = {}
    step = Optimizer.step

    def spied(self, name, value, rate):
        found[name] = rate
        step(self, name, value, rate)

    monkeypatch.setattr(Optimizer, "step", spied)
    return found


def test_rates_rise_and_then_fall_along_half_a_cosine(rates):
    options = {"warmup": 3, "final": 0.1, "rate": 0.5}
    engine = started(problem(Blob(), steps=8, options=options))
    shares = []
    for _ in range(9):
        engine.advance(1)
        shares.append(rates["size"] / (0.05 * 0.5))
    cosine = [0.1 + 0.9 * (1 + math.cos(math.pi * k / 8)) / 2 for k in range(9)]
    warmup = [1 / 4, 2 / 4, 3 / 4] + 6 * [1]
    assert shares == pytest.approx([a * b for a, b in zip(cosine, warmup, strict=True)])
    assert shares[8] == pytest.approx(0.1)


def test_constant_rates_are_those_of_the_parameters(rates):
    engine = started(problem(Blob(), options={"schedule": "constant", "warmup": 0}))
    for _ in range(3):
        engine.advance(1)
        spacing = math.sqrt(6 / 12)
        assert rates["size"] == 0.05
        assert rates["xy"] == pytest.approx(
            Blob().parameters()["xy"].lr(Context(torch.Generator(), Canvas(24, 16), 12))
        )
        assert rates["xy"] < spacing


def test_the_first_step_of_adam_moves_every_value_by_its_rate():
    given = problem(Waves(), options={"schedule": "constant", "warmup": 0})
    engine = started(given)
    engine.advance(1)
    moved = engine.drawing(best=False).tensors["colour"] - given.drawing.tensors["colour"]
    torch.testing.assert_close(moved.abs(), torch.full((3, 16), 0.02), rtol=1e-3, atol=0)


# ---- exactness -----------------------------------------------------------------------------------


@every_kind
def test_chunks_affect_speed_only(make):
    states = []
    for chunk in (1, 7, 1000):
        engine = started(make())
        reports = []
        while engine.step < 28:
            engine.advance(min(chunk, 14 - engine.step % 14))
            if engine.step % 14 == 0:
                reports.append(engine.report())
        states.append((engine.state_dict(), reports))
    for state, reports in states[1:]:
        assert_same_bits(states[0][0], state)
        assert reports == states[0][1]


@every_kind
def test_a_restored_engine_goes_on_exactly(make):
    uninterrupted = started(make())
    uninterrupted.advance(10)
    uninterrupted.report()
    state = uninterrupted.state_dict()
    uninterrupted.advance(10)
    uninterrupted.report()

    assert all(isinstance(value, Tensor | int | float) for value in state.values())
    kept = {
        name: value.clone() if isinstance(value, Tensor) else value for name, value in state.items()
    }
    for _ in range(2):
        restored = started(make())
        restored.advance(3)
        restored.load_state_dict(state)
        assert_same_bits(restored.state_dict(), kept)
        restored.advance(10)
        restored.report()
        assert_same_bits(restored.state_dict(), uninterrupted.state_dict())
    # Going on does not change the state it was restored from.
    assert_same_bits(state, kept)


@pytest.mark.parametrize(
    ("primitive", "options"),
    [
        (Gaussian(), {"start": 1, "move": 0, "coarse": 0.3}),
        (Gaussian(), {"start": 0.5}),
        (Waves(), {"batch": 64}),
    ],
    ids=["splats", "growing splats", "a field"],
)
def test_steps_that_a_gpu_would_record_are_those_taken_one_by_one(primitive, options, monkeypatch):
    given = problem(primitive, count=12, steps=80, options=options)
    plain = started(given)
    plain.advance(80)
    replayed = []

    def recorded(step, generator):
        # As a recording does: none of what it reads is looked up again.
        return lambda: replayed.append(step())

    monkeypatch.setattr("artgen.engines.gradient.graphs.recorded", recorded)
    monkeypatch.setattr(type(plain.objective), "recordable", Objective.shrinking)
    engine = started(given)
    for steps in (1, 30, 49):
        engine.advance(steps)
    assert engine.step == 80
    assert len(replayed) > 30
    # Rates are float32 on a device, and growth multiplies what that changes.
    grows = options.get("start") == 0.5
    assert engine.report().loss == pytest.approx(plain.report().loss, rel=0.1 if grows else 1e-3)
    for name, value in plain.descent.raw.items():
        assert engine.descent.raw[name].shape == value.shape
        if not grows:
            torch.testing.assert_close(engine.descent.raw[name], value, atol=1e-3, rtol=0)


def test_a_step_that_cannot_be_recorded_is_taken_every_time(monkeypatch):
    monkeypatch.setattr("artgen.engines.gradient.graphs.recorded", lambda *given: None)
    taken = []
    graph = StepGraph(lambda rates: taken.append(rates.tolist()), 2, torch.Generator())
    graph.take([[step, 0.5] for step in range(ROWS + 3)])
    assert taken == [[step, 0.5] for step in range(ROWS + 3)]


def test_a_state_from_before_the_first_step_can_be_restored():
    engine = started(problem(Blob()))
    state = engine.state_dict()
    engine.advance(4)
    after = engine.state_dict()
    engine.load_state_dict(state)
    assert engine.step == 0
    engine.advance(4)
    assert_same_bits(engine.state_dict(), after)


def test_the_seed_decides_the_batches():
    given = problem(Waves(), options={"batch": 16})
    states = []
    for seed in (1, 1, 2):
        engine = started(replace(given, seed=seed))
        engine.advance(3)
        states.append(engine.state_dict()["raw.colour"])
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


# ---- trouble -------------------------------------------------------------------------------------


def test_recovering_goes_back_to_the_best_at_a_smaller_rate(rates):
    engine = started(problem(Blob(), options={"schedule": "constant", "warmup": 0}))
    engine.advance(5)
    engine.report()
    best = engine.drawing(best=True)
    engine.advance(5)
    engine.recover(0.5)
    assert engine.step == 10
    assert_same_bits(engine.drawing(best=False).tensors, best.tensors)
    engine.advance(1)
    assert rates["size"] == 0.025
    engine.recover(0.5)
    state = engine.state_dict()
    engine.advance(1)
    assert rates["size"] == 0.0125
    fresh = started(engine.problem)
    fresh.load_state_dict(state)
    fresh.advance(1)
    assert rates["size"] == 0.0125


def test_a_rate_far_too_high_diverges_and_recovers():
    class Free(Blob):
        params = {
            "size": Param(init=init.from_spacing(0.6), lr=0.0),
            "colour": Param(3, init=0.5, lr=1.0),
        }

    engine = started(problem(Free(), options={"rate": 1e38, "warmup": 0}))
    engine.report()
    engine.advance(3)
    with pytest.raises(Diverged, match=r"became NaN or infinite at step 3") as caught:
        engine.report()
    assert "engine.rate" in caught.value.hint
    engine.recover(1e-40)
    assert math.isfinite(engine.report().loss)


def test_a_part_that_is_lost_to_nan_is_noticed_although_the_picture_is_finite():
    class Cone(Blob):
        params = {
            "size": Param(init=0.5, lr=0.0),
            "xy": Param(2, init=0.0, lr=0.01),
        }

        def footprint(self, dx, dy, p):
            # The slope of the root is not defined at the centre of the middle pixel.
            return torch.relu(1 - torch.sqrt(dx * dx + dy * dy) / p.size)

    engine = started(problem(Cone(), target=ramp(9, 9)))
    engine.report()
    engine.advance(1)
    assert torch.isfinite(paint(Cone(), engine.drawing(best=False).tensors, Canvas(9, 9))).all()
    with pytest.raises(Diverged, match="xy became NaN or infinite at step 1"):
        engine.report()


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("could not create a primitive"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    ],
    ids=["python", "onednn", "cpu", "cuda"],
)
def test_running_out_of_memory_has_one_name(error):
    class Greedy(Blob):
        def footprint(self, dx, dy, p):
            raise error

    engine = started(problem(Greedy()))
    for work in (lambda: engine.advance(1), engine.report):
        with pytest.raises(OutOfMemory, match="more memory than there is"):
            work()


def test_other_errors_of_a_plugin_are_not_called_a_lack_of_memory():
    class Broken(Blob):
        def footprint(self, dx, dy, p):
            raise RuntimeError("unsupported memory format")

    with pytest.raises(RuntimeError, match="unsupported memory format"):
        started(problem(Broken())).advance(1)


@pytest.mark.parametrize("kind", [Blob, Waves])
def test_less_memory_makes_the_same_fit(kind):
    given = problem(kind())
    plain, limited = started(given), started(given)
    limited.limit_memory(1e-9)
    for engine in (plain, limited):
        engine.advance(5)
    one, other = plain.drawing(best=False).tensors, limited.drawing(best=False).tensors
    for name, tensor in one.items():
        torch.testing.assert_close(other[name], tensor, atol=1e-3, rtol=1e-3)
    assert limited.state_dict()["memory"] < plain.state_dict()["memory"]


def test_a_loss_of_whole_pictures_refuses_batches_of_pixels():
    with pytest.raises(UsageError, match="needs whole pictures, not batches") as caught:
        started(problem(Waves(), loss="mse+0.1*ssim", options={"batch": 64}))
    assert "engine.batch=0" in caught.value.hint
    started(problem(Waves(), loss="ssim", options={"batch": 0}))


def test_unknown_options_are_refused():
    with pytest.raises(UsageError, match="no option 'rat'"):
        started(problem(Blob(), options={"rat": 1}))


# ---- weights -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "options"), [(Blob, {}), (Waves, {}), (Waves, {"batch": 64})])
def test_masked_pixels_do_not_influence_the_fit(kind, options):
    weight = torch.ones(16, 24)
    weight[:, :8] = 0
    given = problem(kind(), weight=weight, options=options)
    noisy = given.target.clone()
    noisy[:, :, :8] = torch.rand(3, 16, 8, generator=torch.Generator().manual_seed(1))
    results = []
    for target in (given.target, noisy):
        engine = started(replace(given, target=target))
        engine.advance(5)
        report = engine.report()
        results.append((engine.drawing(best=False).tensors, report))
    assert_same_bits(results[0][0], results[1][0])
    assert results[0][1] == results[1][1]
    plain = started(replace(given, weight=None))
    plain.advance(5)
    assert not torch.equal(plain.drawing(best=False).tensors["colour"], results[0][0]["colour"])


def test_saturated_starts_can_still_move():
    class Shy(Blob):
        params = {
            "size": Param(init=init.from_spacing(0.6), lr=0.0),
            "colour": Param(3, init=0.0, lr=0.5, map=Map("sigmoid")),
        }

    engine = started(problem(Shy()))
    first = engine.report().loss
    engine.advance(60)
    assert engine.report().loss < 0.7 * first
