"""Triton kernels against plain torch: on a GPU where there is one, else in Triton's interpreter."""

from __future__ import annotations

import itertools
import sys
import warnings

import numpy as np
import pytest
import torch
from footprints import FUNCTIONS, Odd
from gpu_cases import Cases, Gpu, MoreCases
from hypothesis import given, settings
from hypothesis import strategies as st
from torch._subclasses.fake_tensor import FakeTensorMode

import artgen
from artgen import Canvas, Drawing
from artgen.base.errors import install_hint
from artgen.compiler import kernel_cache
from artgen.compiler.elementary import MARK, with_functions
from artgen.compiler.printer import spelled
from artgen.compiler.triton_printer import TritonPrinter
from artgen.engines import Problem
from artgen.engines.gradient import graphs
from artgen.engines.gradient.engine import GradientEngine
from artgen.families.splat import backend as splat_backend
from artgen.families.splat import cuda
from artgen.families.splat.tiles import Extent
from artgen.init import Context
from artgen.losses import Loss, Term, mse
from artgen.raster import choose_backend
from artgen.registry import default
from artgen_plugins.fourier import Fourier
from artgen_plugins.gaussian import Gaussian
from artgen_plugins.hashgrid import HashGrid
from benchmarks.cuda_static import ARCHITECTURES, Kernels, Layers, compile_all, footprints
from benchmarks.superellipse import Superellipse

ON_GPU = torch.cuda.is_available()
DEVICE = "cuda" if ON_GPU else "cpu"


@pytest.fixture
def triton(monkeypatch):
    """Triton; few programs, because the interpreter runs them one after the other."""
    module = pytest.importorskip("triton", reason="needs artgen[triton]")
    if not ON_GPU:
        monkeypatch.setattr(cuda, "PROGRAMS", 32)
    # Lanes without a pixel or a splat compute with zeros, of which numpy warns.
    with np.errstate(all="ignore"):
        yield module


@pytest.fixture
def gpu(triton):
    return Gpu(DEVICE, cuda.Footprint, many=110)


# ---- the kernels ---------------------------------------------------------------------------------


class TestKernels(Cases):
    pass


class TestMoreKernels(MoreCases):
    pass


def test_gradients_do_not_depend_on_the_number_of_programs(gpu, monkeypatch):
    splat, canvas = Gaussian(), Canvas(40, 40)
    tensors = gpu.scene(splat, canvas, count=3)
    for programs in (1, 7, 32):
        monkeypatch.setattr(cuda, "PROGRAMS", programs)
        gpu.agree(splat, tensors, canvas)


@pytest.mark.skipif(sys.platform != "linux", reason="Triton's compiler is for Linux")
@pytest.mark.parametrize(
    "every_gpu", [False, pytest.param(True, marks=pytest.mark.nightly)], ids=["one", "six"]
)
def test_the_real_compiler_takes_every_kernel_and_spills_hardly_anything(every_gpu):
    pytest.importorskip("triton", reason="needs artgen[triton]")
    # Of those that differ in the number of features or of harmonics alone, one.
    every = [k for k in footprints() if k.over or (k.channels == 3 and "harmonics" not in str(k))]
    every += [Kernels(Superellipse, 3), Kernels(Odd, 3), Kernels(Odd, 4, over=True)]
    names_by_day = {"stroke, over", "fourier, 3 features", "odd, over"}
    if not every_gpu:
        # Each takes three seconds; these have the most registers, features and numbers between them.
        every = [kernels for kernels in every if kernels.name in names_by_day]
    every += [Layers(3, 32)]
    jobs = [(kernels, 86) for kernels in every]
    # All of them for six generations of GPUs take minutes.
    some = every if every_gpu else [Kernels(Gaussian, 3)]
    others = [each for each in ARCHITECTURES if each != 86] if every_gpu else [90]
    jobs += itertools.product(some, others)
    names = []
    for (kernels, capability), known in zip(jobs, compile_all(jobs, count=False), strict=True):
        if known is None:
            # The oldest and the newest may not be known to this version.
            assert capability in (75, 120)
            continue
        names.append(kernels.name)
        for name, kernel in known.items():
            # Triton 3.9 spills nothing; 3.7, which torch 2.13 brings, two numbers of one kernel.
            assert kernel.spilled <= 8, f"{kernels.name}: {name} on sm_{capability}"
            assert 4 <= kernel.resident(capability) <= 64
        assert {"forward", "backward"} < set(known)
    assert names_by_day <= set(names)


# ---- on a GPU, or without Triton -----------------------------------------------------------------

needs_gpu = pytest.mark.skipif(not ON_GPU, reason="needs a GPU")


@needs_gpu
def test_kernels_are_chosen_where_there_is_a_gpu(triton, monkeypatch):
    monkeypatch.setattr(splat_backend, "_chosen", {})
    for splat in (Gaussian(), Fourier(), Odd()):
        choice = choose_backend(splat, "cuda")
        assert choice.name == "compiled", choice.reason


@needs_gpu
def test_all_that_is_shipped_is_fitted_on_a_gpu_to_the_same_bits_each_time(triton):
    found = {}
    for entry in default().entries("primitive"):
        codec = issubclass(default().load("primitive", entry.name), artgen.Codec)
        options = {"size": None if codec else 32, "steps": 6, "seed": 1, "device": DEVICE}
        first, second = (
            artgen.fit("sample:digits?n=40" if codec else "sample:chelsea", entry.name, **options)
            for _ in range(2)
        )
        same = [torch.equal(v, second.drawing.tensors[k]) for k, v in first.drawing.tensors.items()]
        drawn = np.array_equal(first.render(64, device=DEVICE), second.render(64, device=DEVICE))
        if not all([*same, drawn]):
            found[entry.name] = same, drawn
    assert not found


@needs_gpu
def test_a_gpu_is_never_waited_for_and_gives_the_same_bits_again(gpu):
    splat, canvas = Gaussian(), Canvas(200, 150)
    footprint, tensors = cuda.Footprint(splat), gpu.scene(splat, canvas, count=500)
    leaves = {name: tensor.requires_grad_() for name, tensor in tensors.items()}
    incoming = torch.rand(3, 150, 200, device=DEVICE)

    def step():
        image = footprint.draw_features(splat, leaves, leaves["colour"], canvas)
        return [image, *torch.autograd.grad(image, list(leaves.values()), incoming)]

    first = step()  # compiles
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch says that it does not see every wait
        torch.cuda.set_sync_debug_mode("error")
    try:
        second = step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@needs_gpu
@pytest.mark.parametrize(
    ("splat", "options"),
    [
        (Gaussian(), {"start": 0.25, "coarse": 0.2}),
        (Gaussian({"blend": "depth"}), {"start": 0.25}),
        (HashGrid(), {"batch": 512, "jitter": 0.5}),
    ],
    ids=["sum", "depth", "field"],
)
def test_recorded_steps_give_the_same_bits(triton, monkeypatch, splat, options):
    def fit():
        canvas, rng = Canvas(60, 40), torch.Generator().manual_seed(5)
        target = torch.rand(3, 40, 60, generator=rng)
        tensors = splat.initial(Context(rng, canvas, 50, target=target))
        drawing = Drawing("test", splat.option_values(), tensors, 60, 40)
        engine = GradientEngine()
        mixture = Loss([Term(1.0, "mse", mse)])
        backend = choose_backend(splat, "cuda")
        given = splat, drawing, target, mixture, 90, 1
        engine.start(Problem(*given, device="cuda", backend=backend, options=options))
        engine.advance(90)
        return engine

    kept = []
    record = graphs.recorded

    def recorded(*given):
        kept.append(record(*given))
        return kept[-1]

    monkeypatch.setattr(graphs, "recorded", recorded)
    first, second = fit().state_dict(), fit().state_dict()
    assert kept
    assert None not in kept
    monkeypatch.setattr(graphs, "recorded", lambda *given: None)
    plain = fit().state_dict()
    for other in (second, plain):
        for name, value in first.items():
            same = torch.equal(value, other[name]) if torch.is_tensor(value) else None
            assert same or value == other[name], name


def test_without_triton_a_gpu_runs_plain_torch_and_says_why(monkeypatch):
    monkeypatch.setattr(splat_backend, "_chosen", {})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    choice = choose_backend(Gaussian(), "cuda:1")
    assert choice.name == "eager"
    assert choice.reason == f"kernels for CUDA need Triton: {install_hint('triton')}"


# ---- functions -----------------------------------------------------------------------------------


def evaluate(name, *arguments):
    """A function of the kernels, applied to arrays."""
    names = [f"x{k}" for k in range(len(arguments))]
    result = spelled(TritonPrinter.templates, "pow" if name == "power" else name, names)
    loads = "".join(f"    {x} = tl.load({x} + k)\n" for x in names)
    source = (
        f"import triton\nimport triton.language as tl\n{MARK}\n"
        f"@triton.jit\ndef apply({', '.join(names)}, out, SIZE: tl.constexpr):\n"
        f"    k = tl.arange(0, SIZE)\n{loads}    tl.store(out + k, {result})\n"
    )
    kernels = kernel_cache.load(with_functions(TritonPrinter, source))
    inputs = [torch.from_numpy(a.astype(np.float32)).to(DEVICE) for a in arguments]
    out = torch.empty_like(inputs[0])
    kernels.apply[1,](*inputs, out, len(out), enable_fp_fusion=True)
    return out.cpu().double().numpy()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_accurate(triton, name):
    expected, *ranges = FUNCTIONS[name]
    rng = np.random.default_rng(0)
    inputs = [rng.uniform(*bounds, 4096).astype(np.float32).astype(np.float64) for bounds in ranges]
    error = evaluate(name.split()[0], *inputs) - expected(*inputs)
    absolute = 5e-7 if name in ("sin", "cos", "tan", "atan", "atan2", "log", "log1p") else 0
    # A GPU has 2^x alone: of a large x, x log2(e) is rounded by as much as it is large.
    of_exp = ON_GPU and name in ("exp", "expm1", "sigmoid")
    relative = 3e-5 if of_exp else 4e-6 if name == "power" else 1e-6
    assert (np.abs(error) <= absolute + relative * np.abs(expected(*inputs))).all()


def test_functions_at_their_ends(triton):
    inf, nan = np.inf, np.nan
    x = np.array([0.0, -0.0, inf, -inf, nan, 1.0, -1.0, 200.0])
    with np.errstate(all="ignore"):
        for name in ("exp", "expm1", "tanh", "atan", "sigmoid", "sign", "erf", "floor", "trunc"):
            # exp(200) is too large for a float32.
            expected = FUNCTIONS[name][0](x).astype(np.float32)
            np.testing.assert_allclose(evaluate(name, x), expected, rtol=1e-6, err_msg=name)
        for name in ("log", "log1p"):
            np.testing.assert_allclose(evaluate(name, x), FUNCTIONS[name][0](x), rtol=1e-6)
        for name in ("minimum", "maximum"):
            np.testing.assert_array_equal(
                evaluate(name, x, x[::-1]), FUNCTIONS[name][0](x, x[::-1])
            )
    base = np.array([0.0, 0.0, -2.0, -2.0, -2.0, 3.0, nan, nan])
    exponent = np.array([2.0, 0.0, 2.0, 3.0, 0.5, 0.0, 0.0, 1.0])
    powers = evaluate("power", base, exponent)
    np.testing.assert_allclose(powers, [0, 1, 4, -8, nan, 1, 1, nan], rtol=1e-6)


# ---- lists ---------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(
    count=st.integers(0, 40),
    seed=st.integers(0, 1000),
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    largest=st.sampled_from([0.01, 0.3, 3.0, 1e12]),
)
def test_every_tile_finds_every_splat_that_reaches_it_once(count, seed, width, height, largest):
    canvas, rng = Canvas(width, height), torch.Generator().manual_seed(seed)
    grid = cuda._grid(canvas, torch.device("cpu"))
    centres = 3 * torch.rand(count, 2, generator=rng) - 1.5
    extent = Extent(
        largest * torch.rand(count, generator=rng),
        largest * torch.rand(count, generator=rng),
        4 * torch.rand(count, generator=rng),
    )
    box = cuda.find_boxes(centres, extent, canvas)
    start, splat = cuda.list_splats(box, grid)
    assert len(splat) == 9 * count
    x, y = (torch.from_numpy(centre) for centre in canvas.pixel_centres())
    dx, dy = (
        x[None, None, :] - centres[:, 0, None, None],
        y[None, :, None] - centres[:, 1, None, None],
    )
    f = extent.frame[..., None, None]
    inside = (f[0] * dx + f[1] * dy) ** 2 + (f[2] * dx + f[3] * dy) ** 2 <= 1
    for i, (left, right, top, bottom) in enumerate(box.tolist()):
        assert inside[i].sum() == inside[i, top:bottom, left:right].sum()
    for top in range(0, height, 16):
        for left in range(0, width, 16):
            found = []
            for level in range(grid.levels):
                side = 16 << level
                cell = grid.base[level] + top // side * grid.columns[level] + left // side
                found += splat[start[cell] : start[cell + 1]].tolist()
            assert len(found) == len(set(found))
            reaching = inside[:, top : top + 16, left : left + 16].flatten(1).any(1)
            assert set(reaching.nonzero()[:, 0].tolist()) <= set(found)


def test_splats_that_cannot_be_drawn_are_listed_nowhere():
    canvas = Canvas(40, 30)
    centres = torch.tensor([[torch.nan, 0], [0, torch.inf], [0, 0], [0, 0], [9, 9], [1e38, 0]])
    radius = torch.tensor([1.0, 1.0, torch.nan, -1.0, 1.0, 1.0])
    box = cuda.find_boxes(centres, Extent(radius, torch.ones(6), torch.zeros(6)), canvas)
    start, _ = cuda.list_splats(box, cuda._grid(canvas, torch.device("cpu")))
    assert (start == 0).all()


def test_listing_asks_nothing_of_the_device():
    canvas = Canvas(100, 60)
    grid = cuda._grid(canvas, torch.device("cpu"))
    with FakeTensorMode(allow_non_fake_inputs=True):
        # Fake tensors have no data: a shape or a branch that depends on data raises.
        extent = Extent(torch.ones(5), torch.ones(5), torch.ones(5))
        box = cuda.find_boxes(torch.zeros(5, 2), extent, canvas)
        _, splat = cuda.list_splats(box, grid)
    assert splat.shape == (45,)
