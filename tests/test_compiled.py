"""The compiled backend against the eager one in float64: pictures, gradients, bits and fallbacks."""

from __future__ import annotations

import math
import multiprocessing
import sys
import threading
from types import SimpleNamespace

import pytest
import torch
from footprints import Shaded
from helpers import assert_same_bits

from artgen import Canvas, Param, Splat, init
from artgen.compiler.record import Untraceable
from artgen.compiler.threads import share, thread_count
from artgen.engines import Problem
from artgen.engines.gradient.engine import GradientEngine
from artgen.engines.gradient.optimizer import Optimizer
from artgen.engines.gradient.schedule import AdamOptions
from artgen.errors import UsageError
from artgen.families.splat import cpu
from artgen.families.splat.cpu import Footprint
from artgen.families.splat.cpu_steps import FUNCTIONS, CpuStepper
from artgen.families.splat.objective import SplatObjective
from artgen.init import Context
from artgen.losses import Loss, Term, mse
from artgen.primitives import Map
from artgen.raster import EAGER, choose_backend, paint
from artgen.raster.backend import planned_backend
from artgen.values.drawing import Drawing
from artgen_plugins.fourier import Fourier
from artgen_plugins.gaussian import Gaussian
from artgen_plugins.stroke import Stroke

DOUBLE = torch.float64
BACKGROUND = (0.2, 0.4, 0.9)

PETALS = {"harmonics": 2, "sharpness": 2.0}
SPLATS = {
    "sum": lambda: Gaussian(),
    "mean": lambda: Gaussian({"blend": "mean"}),
    "normalized": lambda: Gaussian({"blend": "normalized"}),
    "depth": lambda: Gaussian({"blend": "depth"}),
    "notebook": lambda: Fourier(PETALS),
    "text": lambda: Fourier({**PETALS, "form": "text"}),
    "stroke": lambda: Stroke(),
    "over": lambda: Gaussian({"blend": "over"}),
    "strokes over": lambda: Stroke({"blend": "over"}),
}
every_splat = pytest.mark.parametrize("name", SPLATS)


def scene(splat, canvas, count=24, seed=3):
    """Initial parameters, moved about so that nothing is symmetric."""
    rng = torch.Generator().manual_seed(seed)
    tensors = splat.initial(Context(rng, canvas, count))
    for name, tensor in tensors.items():
        factor = 0.5 + torch.rand(tensor.shape, generator=rng)
        tensors[name] = tensor * factor if name != "xy" else tensor * 1.3
    return tensors


def drawn(splat, tensors, canvas, backend, dtype=torch.float32):
    """Picture and gradients for a fixed random incoming gradient."""
    rng = torch.Generator().manual_seed(7)
    incoming = torch.randn(3, canvas.height, canvas.width, generator=rng).to(dtype)
    leaves = {name: tensor.to(dtype).requires_grad_() for name, tensor in tensors.items()}
    image = paint(splat, leaves, canvas, background=BACKGROUND, backend=backend)
    gradients = torch.autograd.grad(image, list(leaves.values()), incoming, allow_unused=True)
    return image.detach(), dict(zip(tensors, gradients, strict=True))


def agree(splat, tensors, canvas, picture=1e-5, gradient=1e-4):
    backend = choose_backend(splat, asked="compiled")
    image, gradients = drawn(splat, tensors, canvas, backend)
    expected, wanted = drawn(splat, tensors, canvas, EAGER, DOUBLE)
    size = max(1.0, float(expected.abs().max()))
    assert image.dtype == torch.float32
    assert float((image - expected).abs().max()) <= picture * size
    for name, want in wanted.items():
        found = gradients[name]
        if want is None:
            assert found is None or not found.any()
            continue
        assert torch.isfinite(found).all()
        limit = gradient * float(want.abs().max()) + 1e-6
        assert float((found - want).abs().max()) <= limit, name


# ---- pictures and gradients ----------------------------------------------------------------------


@every_splat
@pytest.mark.parametrize(
    ("width", "height"), [(61, 47), (7, 5), (1, 1), (1, 300), (300, 1), (8, 32)]
)
def test_pictures_and_gradients_are_those_of_plain_torch(name, width, height):
    splat, canvas = SPLATS[name](), Canvas(width, height)
    agree(splat, scene(splat, canvas), canvas)


# Kernels of its own for each, which take four seconds; by day also `Shaded` in Triton's.
@pytest.mark.parametrize("blend", [pytest.param("normalized", marks=pytest.mark.nightly), "over"])
def test_colours_that_depend_on_the_pixel(blend):
    splat, canvas = Shaded({"blend": blend}), Canvas(21, 17)
    agree(splat, scene(splat, canvas), canvas)


@pytest.mark.parametrize("name", ["sum", "text"])
def test_one_splat(name):
    splat, canvas = SPLATS[name](), Canvas(33, 20)
    agree(splat, scene(splat, canvas, count=1), canvas)


def test_no_splats():
    splat, canvas = Gaussian(), Canvas(9, 9)
    tensors = {name: tensor[..., :0] for name, tensor in scene(splat, canvas).items()}
    image, gradients = drawn(splat, tensors, canvas, choose_backend(splat))
    assert torch.equal(image, torch.tensor(BACKGROUND)[:, None, None].expand(3, 9, 9))
    assert gradients["scale"].shape == (2, 0)


@every_splat
def test_splats_off_the_canvas_do_nothing(name):
    splat, canvas = SPLATS[name](), Canvas(40, 24)
    tensors = scene(splat, canvas)
    tensors["xy"][:, ::2] = torch.tensor([[50.0], [-80.0]])
    tensors["xy"][0, 1] = 1e30
    agree(splat, tensors, canvas)


def test_radius_zero_and_huge():
    splat, canvas = Disc(), Canvas(32, 32)
    tensors = scene(splat, canvas)
    tensors["size"] = torch.tensor([0.0, 1e-30, 1e4, 3e9, math.inf, 0.3]).repeat(4)
    tensors["xy"][:, 0] = 1 / 32  # the centre of a pixel, where a radius of 0 is still drawn
    agree(splat, tensors, canvas)


@pytest.mark.parametrize("parameter", ["xy", "scale", "angle"])
def test_a_splat_with_nan_is_not_drawn(parameter):
    splat, canvas = Gaussian(), Canvas(40, 24)
    tensors = scene(splat, canvas)
    without = {name: tensor[..., 1:] for name, tensor in tensors.items()}
    tensors[parameter][..., 0] = math.nan
    backend = choose_backend(splat)
    image, gradients = drawn(splat, tensors, canvas, backend)
    expected, _ = drawn(splat, without, canvas, backend)
    assert torch.equal(image, expected)
    assert all(torch.isfinite(gradient).all() for gradient in gradients.values())
    assert not gradients[parameter][..., 0].any()


def test_nan_that_no_extent_shows_is_seen():
    splat, canvas = Gaussian(), Canvas(40, 24)
    tensors = scene(splat, canvas)
    tensors["colour"][0, 0] = math.nan
    image, _ = drawn(splat, tensors, canvas, choose_backend(splat))
    assert image.isnan().any()


def test_double_precision_is_taken_too():
    splat, canvas = Gaussian(), Canvas(12, 12)
    tensors = scene(splat, canvas)
    image, gradients = drawn(splat, tensors, canvas, choose_backend(splat), DOUBLE)
    expected, _ = drawn(splat, tensors, canvas, EAGER, DOUBLE)
    assert torch.allclose(image, expected, atol=1e-5)
    assert gradients["scale"].dtype == DOUBLE


@pytest.mark.parametrize("name", ["sum", "depth", "over"])
def test_many_splats_are_drawn_in_the_order_of_their_places(name, monkeypatch):
    monkeypatch.setattr(cpu, "SORTED_FROM", 10)
    splat, canvas = SPLATS[name](), Canvas(61, 47)
    tensors = scene(splat, canvas, count=40)
    tensors["xy"][0, 3], tensors["xy"][1, 5], tensors["xy"][0, 7] = math.nan, math.inf, 1e30
    image, gradients = drawn(splat, tensors, canvas, choose_backend(splat))
    assert not gradients["xy"][:, [3, 5, 7]].any()
    fine = [i for i in range(40) if i not in (3, 5)]
    agree(splat, {name: tensor[..., fine] for name, tensor in tensors.items()}, canvas)
    assert image.isfinite().all()


# ---- bits ----------------------------------------------------------------------------------------


@pytest.fixture
def threads(monkeypatch):
    monkeypatch.setattr(cpu, "SHARED_FROM", 5)
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", ["sum", "depth", "text"])
def test_the_bits_are_the_same_for_any_number_of_threads(name, threads):
    splat, canvas = SPLATS[name](), Canvas(150, 140)
    tensors, backend = scene(splat, canvas, count=60), choose_backend(splat)
    results = []
    for number in (1, 2, 3, 2, 1):
        threads(number)
        image, gradients = drawn(splat, tensors, canvas, backend)
        results.append([image, *gradients.values()])
    for other in results[1:]:
        assert all(map(torch.equal, results[0], other))


class Bold(Gaussian):
    """A footprint that reads the colour of its part."""

    @property
    def params(self):
        return {**super().params, "colour": Param(3, init=init.uniform(0.2, 0.8), lr=0.05)}

    def footprint(self, dx, dy, p):
        return torch.exp(-(dx * dx + dy * dy) / p.scale[0] ** 2 * (1 + p.colour[0]))


def fit_of(splat, *, count=60, weighted=False, taken=True, **options):
    """A fit by gradient descent that was begun, by kernels that take its steps or by torch."""
    canvas, rng = Canvas(45, 37), torch.Generator().manual_seed(5)
    target = torch.rand(3, canvas.height, canvas.width, generator=rng)
    weight = torch.rand(canvas.height, canvas.width, generator=rng) if weighted else None
    tensors = scene(splat, canvas, count=count)
    options["warmup"] = 0
    drawing = Drawing("test", splat.option_values(), tensors, 45, 37, background=BACKGROUND)
    loss, backend = Loss([Term(0.5, "mse", mse)]), choose_backend(splat)
    engine = GradientEngine()
    with pytest.MonkeyPatch.context() as patch:
        if not taken:
            patch.setattr(SplatObjective, "stepper", lambda *given: None)
        given = splat, drawing, target, loss, 10, 1, weight
        engine.start(Problem(*given, backend=backend, options=options))
    engine.objective.densification = None
    assert (engine.descent.device is not None) == (taken and not isinstance(splat, Bold))
    return engine


def stepped(engine, steps):
    """Raw values and moments after these steps, all by name."""
    engine.advance(steps)
    return {k: v for k, v in engine.state_dict().items() if k.startswith(("raw.", "exp_avg"))}


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
@pytest.mark.parametrize("splat", [Gaussian(), Gaussian({"scale": "inverse"}), Bold()])
@pytest.mark.parametrize("weighted", [False, True])
def test_steps_by_kernels_are_those_of_torch(splat, weighted, optimizer, threads):
    options = {"optimizer": optimizer, "weighted": weighted}
    options |= {"weight_decay": 0.1} if optimizer == "adamw" else {}
    threads(1)
    expected = stepped(fit_of(splat, taken=False, **options), 1)
    alone = stepped(fit_of(splat, **options), 1)
    assert alone.keys() == expected.keys()
    for name, theirs in expected.items():
        largest = float(theirs.abs().max())
        if name.startswith("exp_avg."):
            # After a step, the gradient times a tenth.
            assert torch.allclose(alone[name], theirs, rtol=1e-4, atol=1e-6 * largest), name
        # Adam makes one step of every gradient, however small that is and so however inexact.
        known = expected[name.replace("raw.", "exp_avg.")].abs()
        known = known > 1e-3 * known.max()
        assert torch.allclose(alone[name][known], theirs[known], rtol=1e-4, atol=1e-5 * largest), (
            name
        )
    further = stepped(fit_of(splat, **options), 9)
    threads(3)
    shared = stepped(fit_of(splat, **options), 9)
    assert all(torch.equal(shared[name], value) for name, value in further.items())


def test_steps_use_the_same_memory_again(threads):
    engine = fit_of(Gaussian(), count=60)
    for count in (7, 60, 25):
        fresh = fit_of(Gaussian(), count=count)
        engine.descent.adopt(fresh.descent.raw, 0)
        engine.step = 0
        assert_same_bits(stepped(engine, 3), stepped(fresh, 3))


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_step_goes_through_the_map_of_each_parameter(function, optimizer):
    count, steps, bounds = 21, 4, (0.4, 1.6)
    rng, map_ = torch.Generator().manual_seed(2), Map(function, 1.5)
    raw = (0.3 + 1.5 * torch.rand(2, count, generator=rng)).requires_grad_()
    incoming = torch.randn(steps, 2, count, generator=rng)
    options = AdamOptions(optimizer=optimizer, weight_decay=0.2 if optimizer == "adamw" else 0.0)
    splat = SimpleNamespace(parameters=lambda: {"value": Param(2, map=map_)})
    stepper = CpuStepper(splat, [("value", (1,)), ("value", (0,))], None, options)
    stepper.load(raw.detach().clone(), torch.zeros(2, 2, count), torch.tensor([bounds] * 2))
    torchs = Optimizer(options, {})
    for step, gradient in enumerate(incoming, 1):
        raw.grad = None
        map_(raw).backward(gradient)
        with torch.no_grad():
            torchs.step("value", raw, 0.1)
            raw.clamp_(*bounds)

        def scene_of(tensors, gradient=gradient):
            rows = gradient.flip(0).T.contiguous().numpy()
            mapped = tensors["value"].flip(0).contiguous().numpy()
            before, take = (rows, cpu._no_ranks, mapped), cpu._adam().descend
            return SimpleNamespace(descend=lambda *given: take(*before, *given, 0, count))

        stepper.scene_of = scene_of
        first, second = (1 - beta**step for beta in (options.beta1, options.beta2))
        stepper.take(torch.tensor([[first, second**0.5, 0, 0.1, 0.1]], dtype=torch.float64))
        torch.testing.assert_close(stepper.read()[0], raw.detach(), rtol=1e-5, atol=1e-6)
    means = torchs.moments["value"]["exp_avg"], torchs.moments["value"]["exp_avg_sq"]
    torch.testing.assert_close(stepper.read()[1], torch.stack(means), rtol=1e-5, atol=1e-7)


@pytest.mark.skipif(not torch.set_flush_denormal(False), reason="no such mode of the processor")
def test_shared_work_takes_the_smallest_numbers_as_0_and_leaves_the_mode_as_it_was() -> None:
    def smallest(_: int) -> float:
        return sys.float_info.min / 2

    try:
        for before in (False, True):
            torch.set_flush_denormal(before)
            assert share(smallest, range(8)) == [0.0] * 8
            assert (smallest(0) == 0) is before
    finally:
        torch.set_flush_denormal(False)


def test_an_error_is_raised_when_no_thread_is_at_work(threads):
    """Others went on in memory that whoever caught the error used again."""
    threads(3)
    together, caught, begun, at_work = threading.Barrier(3), threading.Event(), [], {*()}

    def work(item):
        begun.append(item)
        at_work.add(item)
        if item < 3:
            together.wait()
        if threading.current_thread() is threading.main_thread():
            at_work.remove(item)
            raise ValueError("no memory")
        caught.wait(0.05)
        at_work.remove(item)

    with pytest.raises(ValueError, match="no memory"):
        share(work, range(50))
    assert not at_work
    caught.set()
    assert len(begun) < 6


def test_torch_divides_no_operation_of_a_step_that_kernels_take(threads, monkeypatch):
    threads(3)
    splat, canvas = Gaussian(), Canvas(45, 37)
    drawing = Drawing("gaussian", {}, scene(splat, canvas), 45, 37, background=BACKGROUND)
    loss = Loss([Term(1.0, "mse", mse)])
    target = torch.zeros(3, canvas.height, canvas.width)
    seen = []
    original = Map.__call__

    def mapped(self, raw):
        seen.append((torch.get_num_threads(), thread_count()))
        return original(self, raw)

    monkeypatch.setattr(Map, "__call__", mapped)
    for backend, expected in ((choose_backend(splat), (1, 3)), (EAGER, (3, 3))):
        engine = GradientEngine()
        engine.start(Problem(splat, drawing, target, loss, 10, 1, backend=backend))
        seen.clear()
        engine.advance(1)
        assert {*seen} == {expected}
        assert (torch.get_num_threads(), thread_count()) == (3, 3)


def test_several_threads_of_python_draw_at_once(threads):
    threads(2)
    splat, canvas = Gaussian(), Canvas(90, 70)
    tensors, backend = scene(splat, canvas, count=60), choose_backend(splat)
    expected, _ = drawn(splat, tensors, canvas, backend)
    images = []
    workers = [
        threading.Thread(target=lambda: images.append(drawn(splat, tensors, canvas, backend)[0]))
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert len(images) == 4
    assert all(torch.equal(image, expected) for image in images)


def _draw_in_a_fork(splat, tensors, canvas, backend, expected):
    torch.set_num_threads(2)
    with torch.no_grad():
        image = paint(splat, tensors, canvas, backend=backend)
    raise SystemExit(0 if torch.equal(image, expected) else 1)


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="the system cannot fork"
)
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_draws(threads):
    threads(2)
    splat, canvas = Gaussian(), Canvas(90, 70)
    tensors, backend = scene(splat, canvas), choose_backend(splat)
    with torch.no_grad():
        expected = paint(splat, tensors, canvas, backend=backend)
    child = multiprocessing.get_context("fork").Process(
        target=_draw_in_a_fork, args=(splat, tensors, canvas, backend, expected)
    )
    child.start()
    child.join(30)
    assert child.exitcode == 0


# ---- fits ----------------------------------------------------------------------------------------


def test_a_fit_reaches_the_same_quality(astronaut):
    target = astronaut(32)
    splat, canvas = Gaussian(), Canvas(32, 32)
    start = splat.initial(Context(torch.Generator().manual_seed(0), canvas, 40, target))

    def quality(backend):
        leaves = {name: tensor.clone().requires_grad_() for name, tensor in start.items()}
        optimizer = torch.optim.Adam(leaves.values(), lr=0.005)
        for _ in range(200):
            optimizer.zero_grad()
            error = (paint(splat, leaves, canvas, backend=backend) - target).square().mean()
            error.backward()
            optimizer.step()
        return -10 * math.log10(float(error.detach()))

    compiled, eager = quality(choose_backend(splat, asked="compiled")), quality(EAGER)
    assert compiled > 17
    assert compiled == pytest.approx(eager, abs=0.05)


# ---- footprints of all kinds ---------------------------------------------------------------------


class Disc(Splat):
    """A hard disc: constant, so nothing but colours has a gradient."""

    params = {"size": Param(init=0.3)}

    def footprint(self, dx, dy, p):
        return torch.ones_like(dx)

    def radius(self, p):
        return p.size


class Flat(Disc):
    """It depends on the splat alone."""

    def footprint(self, dx, dy, p):
        return torch.exp(-p.size)


class Everything(Disc):
    """One of every operation, per pixel and per splat."""

    params = {"size": Param(init=0.5), "bend": Param(3, init=0.7)}

    def footprint(self, dx, dy, p):
        b = p.bend
        a = torch.expm1(dx * b[0]) + torch.log1p(b[0] * b[0]) + torch.log(dy * dy + b[1] ** 2)
        a = a + torch.tan(dx) + torch.tan(b[0]) + torch.atan(dy * 3) + torch.atan2(dy, b[1] + dx)
        a = a + torch.erf(dx * b[2]) + torch.sigmoid(dy) * torch.tanh(b[1]) + (dy * dy + 1) ** 0.3
        a = a + torch.floor(4 * dx) * dy - torch.trunc(3 * dy) * dx - torch.floor(7 * b[0]) * dx
        a = (
            a
            + torch.minimum(dx, dy * b[0]).abs() * torch.sign(dx)
            + b.amax(0) * torch.maximum(dx, dy)
        )
        some = ((dx > dy) | ~(dx <= 0.1)) & torch.logical_not(b[0] > b[1] + 5)
        a = torch.where(some, a, 0.5 * a) + (dx >= 0) * b[2] + (b[0] < b[1]) * dy + (dx != dy) * dx
        a = torch.where(b[0] > 0.6, a, -a) + (torch.floor(dx * 9) % 2 == 0) * dy
        return a * torch.sqrt(dx * dx + dy * dy + 0.01) / (2 + torch.cos(dx))


NAMES = ("dx", "g", "class", "U", "f32", "exp", "v3", "a b", "naïve", "'''")


class Odd(Disc):
    """Odd names, two axes, a colour and a centre that are read, a parameter that is not."""

    params = {
        "size": Param(init=0.5),
        "colour": Param(3, init=0.5),
        "m": Param(2, 2, init=0.4),
        "idle": Param(2),
        **{name: Param(init=0.4) for name in NAMES},
    }

    def footprint(self, dx, dy, p):
        u, v = p.m[0, 0] * dx + p.m[0, 1] * dy, p.m[1, 0] * dx + p.m[1, 1] * dy
        named = sum(k * getattr(p, name) * dx for k, name in enumerate(NAMES))
        return torch.exp(-u * u - v * v) * named + p.colour.sum(0) * torch.sin(p.xy[0] + dx)


@pytest.mark.parametrize("cls", [Disc, Flat, Everything, Odd])
def test_footprints_of_all_kinds(cls):
    splat, canvas = cls(), Canvas(40, 24)
    agree(splat, scene(splat, canvas, count=12), canvas)


def test_a_class_that_is_defined_again_gets_its_own_kernels():
    canvas = Canvas(20, 20)

    def define(factor):
        class Again(Disc):
            def footprint(self, dx, dy, p):
                return factor * dx

        return Again()

    for factor in (1.0, 3.0):
        splat = define(factor)
        agree(splat, scene(splat, canvas, count=6), canvas)


# ---- the choice ----------------------------------------------------------------------------------


class Decides(Disc):
    def footprint(self, dx, dy, p):
        if p.size > 1:
            return dx
        return dy


class Unknown(Disc):
    def footprint(self, dx, dy, p):
        return torch.special.bessel_j0(dx)


@pytest.mark.parametrize(
    ("cls", "reason"), [(Decides, "if p.size > 1:"), (Unknown, "special.bessel_j0(dx)")]
)
def test_what_cannot_be_compiled_runs_eagerly_with_a_reason(cls, reason):
    backend = choose_backend(cls())
    assert backend.name == "eager"
    assert reason in backend.reason
    assert planned_backend(cls()) == backend
    with pytest.raises(UsageError, match=f"{cls.__name__} cannot run compiled: .*test_compiled"):
        choose_backend(cls(), asked="compiled")


class Lies(Disc):
    """Kernels that do not do what torch does must not be used."""

    def footprint(self, dx, dy, p):
        return dx * (2.0 if type(dx) is torch.Tensor else 1.0)


def test_kernels_that_disagree_with_torch_are_not_used():
    backend = choose_backend(Lies())
    assert (backend.name, backend.footprint) == ("eager", None)
    assert "do not agree with plain torch on the picture" in backend.reason


def test_whatever_the_compiler_throws_the_fit_goes_on(monkeypatch):
    class Unlucky(Disc):
        pass

    def fail(source, of):
        raise RuntimeError("no such target\nand many more lines")

    monkeypatch.setattr(cpu.kernel_cache, "load", fail)
    backend = choose_backend(Unlucky())
    assert backend.name == "eager"
    assert backend.reason == "its kernels cannot be compiled: RuntimeError: no such target"


def test_behind_what_hides_everything_nothing_is_drawn():
    splat, canvas = SPLATS["over"](), Canvas(40, 40)
    tensors = scene(splat, canvas, count=3000)
    tensors["scale"] = torch.full((2, 3000), 0.3)
    tensors["opacity"] = torch.full((3000,), 0.9)
    tensors["z"] = torch.linspace(1, 3, 3000)
    image, gradients = drawn(splat, tensors, canvas, choose_backend(splat))
    expected, wanted = drawn(splat, tensors, canvas, EAGER)
    assert float((image - expected).abs().max()) < 2e-4
    assert gradients["colour"][:, :50].any()
    assert not gradients["colour"][:, -500:].any()
    for name in ("xy", "scale", "colour", "opacity"):
        error = (gradients[name] - wanted[name]).abs().max()
        assert float(error) < 1e-3 * float(wanted[name].abs().max())


@pytest.mark.parametrize("choose", [choose_backend, planned_backend])
def test_other_reasons_to_run_eagerly(choose):
    from artgen_plugins.mlp import MLP

    assert "only splats" in choose(MLP()).reason


def test_the_choice_is_made_once():
    assert choose_backend(Gaussian()) is choose_backend(Gaussian())
    assert choose_backend(Gaussian(), asked="eager") is EAGER


def test_the_plan_is_what_is_chosen():
    for make in (SPLATS["sum"], SPLATS["notebook"]):
        planned, chosen = planned_backend(make()), choose_backend(make())
        assert (planned.name, planned.reason) == (chosen.name, chosen.reason)
        assert planned.footprint is None


def test_a_footprint_says_why_it_cannot_be_traced():
    with pytest.raises(Untraceable, match="a tensor decides"):
        Footprint(Decides())
