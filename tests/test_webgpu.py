"""WGSL kernels against plain torch, and fits on a WebGPU adapter; a program such as llvmpipe will do.

Without the package wgpu or an adapter these tests are skipped. `.ci/run` installs both.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from footprints import FUNCTIONS, Constant, Odd, OddFar, Shaded, Sheet
from helpers import recipe
from test_clips import recipe as clip_recipe
from test_resume import assert_same, kill_worker_at, resume

from artgen import Canvas, Context
from artgen.cli import main
from artgen.compiler.wgsl_printer import WgslPrinter, read_wgsl
from artgen.errors import DeviceLost, OutOfMemory, OutputError, UsageError
from artgen.events import Advanced, Notice
from artgen.raster import Backend, choose_backend, paint, splat_backend, webgpu, webgpu_device
from artgen.raster.webgpu_device import Adapter
from artgen.registry import Registry
from artgen.runner import check_agreement, resolve_device, run
from artgen_plugins.fourier import Fourier
from artgen_plugins.gaussian import Gaussian
from artgen_plugins.stamp import Stamp
from artgen_plugins.stroke import Stroke

BACKGROUND = (0.2, 0.4, 0.9)


def scene(splat, canvas, count=8, seed=0):
    rng = torch.Generator().manual_seed(seed)
    tensors = splat.initial(Context(rng, canvas, count))
    noise = {name: 0.1 * torch.randn(t.shape, generator=rng) for name, t in tensors.items()}
    return {name: tensor + noise[name].abs() for name, tensor in tensors.items()}


def picture_and_gradients(splat, tensors, canvas, **more):
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in tensors.items()}
    image = paint(splat, leaves, canvas, background=BACKGROUND, **more)
    incoming = torch.linspace(-1, 1, image.numel()).reshape(image.shape)
    gradients = torch.autograd.grad(image, list(leaves.values()), incoming, allow_unused=True)
    named = zip(leaves, gradients, strict=True)
    return image.detach(), {name: torch.zeros(1) if g is None else g for name, g in named}


def agree(splat, tensors, canvas, **more):
    """The picture to 1e-5, gradients to 1e-4 of their largest: ten times closer than promised."""
    compiled = Backend("compiled", footprint=webgpu.Footprint(splat, "webgpu"))
    image, gradients = picture_and_gradients(splat, tensors, canvas, backend=compiled, **more)
    expected, expected_gradients = picture_and_gradients(splat, tensors, canvas, **more)
    size = max(1.0, float(expected.abs().max()))
    torch.testing.assert_close(image, expected, atol=1e-5 * size, rtol=0)
    for name, gradient in expected_gradients.items():
        allowed = 1e-4 * float(gradient.abs().max()) + 1e-6 if gradient.numel() else 0
        torch.testing.assert_close(
            gradients[name], gradient.expand_as(gradients[name]), atol=allowed, rtol=0, msg=name
        )
    return image, gradients


# ---- the kernels ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "splat",
    [
        Gaussian({"scale": "inverse", "blend": "depth"}),
        Fourier({"harmonics": 3}),
        Fourier({"harmonics": 2, "form": "text", "blend": "mean"}),
        Odd(),
        OddFar(),
        Constant(),
        Sheet({"blend": "mean"}),
        Stroke(),
        Stroke({"blend": "over"}),
        Odd({"blend": "over"}),
        Shaded({"blend": "over"}),
        Shaded({"blend": "depth"}),
        Stamp({"stamp": "leaf,dab"}),
        Stamp({"blend": "sum"}),
    ],
    ids=lambda splat: f"{type(splat).__name__}-{splat.blend}",
)
def test_pictures_and_gradients_are_those_of_plain_torch(device, splat):
    canvas = Canvas(19, 21)
    image, gradients = agree(splat, scene(splat, canvas), canvas)
    assert image.std() > 0.01
    assert gradients["colour"].abs().min() > 0


@pytest.mark.parametrize("blend", ["sum", "mean", "normalized", "depth", "over"])
def test_every_blend(device, blend):
    splat, canvas = Gaussian({"blend": blend}), Canvas(18, 17)
    agree(splat, scene(splat, canvas), canvas, softness=0.5 * (blend == "over"))


@pytest.mark.parametrize("blend", ["sum", "over"])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 24), (24, 1), (16, 16), (33, 18)])
def test_canvases_of_any_size(device, width, height, blend):
    splat, canvas = Gaussian({"blend": blend}), Canvas(width, height)
    agree(splat, scene(splat, canvas, count=6), canvas)


@pytest.mark.parametrize(("blend", "width"), [("sum", 20), ("over", 20), ("sum", 300)])
def test_more_splats_than_a_workgroup_looks_at_together(device, blend, width):
    # Wider than 128 pixels, a cell is several tiles.
    splat, canvas = Gaussian({"blend": blend}), Canvas(width, 18)
    tensors = scene(splat, canvas, count=300)
    tensors["scale"] = torch.logspace(-3, -1, 300) * torch.tensor([[1.0], [0.7]])
    tensors["scale"][:, 77] = 3.0
    agree(splat, tensors, canvas)


def test_behind_what_hides_everything_nothing_is_drawn(device):
    splat, canvas = Gaussian({"blend": "over"}), Canvas(20, 18)
    tensors = scene(splat, canvas, count=300)
    tensors["scale"] = torch.tensor([[0.8], [0.5]]).repeat(1, 300)
    tensors["opacity"] = torch.full((300,), 0.9)
    tensors["z"] = torch.linspace(1, 3, 300)
    _, gradients = agree(splat, tensors, canvas)
    assert not gradients["colour"][:, -200:].any()


@pytest.mark.parametrize("blend", ["sum", "over"])
def test_one_splat_and_none(device, blend):
    splat, canvas = Gaussian({"blend": blend}), Canvas(9, 5)
    one = scene(splat, canvas, count=1)
    agree(splat, one, canvas)
    none = {name: tensor[..., :0] for name, tensor in one.items()}
    compiled = Backend("compiled", footprint=webgpu.Footprint(splat, "webgpu"))
    image, gradients = picture_and_gradients(splat, none, canvas, backend=compiled)
    assert gradients["scale"].shape == (2, 0)
    base = torch.tensor(BACKGROUND)[:, None, None]
    torch.testing.assert_close(image, base.expand(3, 5, 9))


@pytest.mark.parametrize("blend", ["sum", "over"])
def test_splats_that_cannot_be_drawn_leave_the_rest_alone(device, blend):
    splat, canvas = Gaussian({"blend": blend}), Canvas(19, 21)
    tensors = scene(splat, canvas, count=10)
    good = {name: tensor[..., 6:] for name, tensor in tensors.items()}
    tensors["xy"][0, 0] = torch.nan
    tensors["xy"][1, 1] = torch.inf
    tensors["scale"][0, 2] = torch.nan
    tensors["scale"][:, 3] = -1.0
    tensors["xy"][:, 4] = 1e30
    tensors["xy"][:, 5] = -7.0
    image, gradients = agree(splat, tensors, canvas)
    alone, _ = picture_and_gradients(splat, good, canvas)
    torch.testing.assert_close(image, alone)
    for gradient in gradients.values():
        assert gradient[..., :6].eq(0).all()


@pytest.mark.parametrize("blend", ["sum", "over"])
def test_large_pictures_are_drawn_in_strips_and_twice_alike(device, blend, monkeypatch):
    splat, canvas = Gaussian({"blend": blend}), Canvas(18, 40)
    tensors = scene(splat, canvas)
    whole, _ = agree(splat, tensors, canvas)
    compiled = Backend("compiled", footprint=webgpu.Footprint(splat, "webgpu"))
    monkeypatch.setattr(device, "largest", 18 * 16 * 5 * 4)
    image, gradients = agree(splat, tensors, canvas)
    assert torch.equal(image, whole)
    again = picture_and_gradients(splat, tensors, canvas, backend=compiled)[1]
    assert all(torch.equal(gradients[name], again[name]) for name in gradients)


def test_a_buffer_that_is_too_large_is_refused(device, monkeypatch):
    splat, canvas = Gaussian(), Canvas(16, 16)
    compiled = Backend("compiled", footprint=webgpu.Footprint(splat, "webgpu"))
    monkeypatch.setattr(device, "largest", 100)
    with pytest.raises(OutOfMemory, match="has buffers of 0 MiB at most") as refused:
        picture_and_gradients(splat, scene(splat, canvas), canvas, backend=compiled)
    assert "--count" in str(refused.value.hint)


# ---- functions -----------------------------------------------------------------------------------


def evaluate_all(device, inputs):
    """Every function of `FUNCTIONS` at its arguments, in one shader."""
    body = ""
    for number, (name, arguments) in enumerate(inputs.items()):
        places = [f"x[{2 * number + k}u * 4096u + i]" for k in range(len(arguments))]
        function = "pow" if name == "power" else name.split()[0]
        default = f"{function}({', '.join(places)})"
        text = WgslPrinter.templates.get(function, default).format(*places)
        body += f"  y[{number}u * 4096u + i] = {text};\n"
    code = (
        f"{read_wgsl('math')}\n@group(0) @binding(0) var<storage, read> x: array<f32>;\n"
        "@group(0) @binding(1) var<storage, read_write> y: array<f32>;\n"
        "@compute @workgroup_size(64) fn apply(@builtin(global_invocation_id) id: vec3u) {\n"
        f"  let i = id.x;\n{body}}}"
    )
    x = np.zeros((len(inputs), 2, 4096), np.float32)
    for number, arguments in enumerate(inputs.values()):
        x[number, : len(arguments)] = arguments
    handle = device.handle
    pipeline = handle.create_compute_pipeline(
        layout="auto",
        compute={"module": handle.create_shader_module(code=code), "entry_point": "apply"},
    )
    out = device.allocate(x.nbytes // 2)
    entries = [
        {"binding": k, "resource": {"buffer": b}} for k, b in enumerate((device.upload(x), out))
    ]
    group = handle.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)
    encoder = handle.create_command_encoder()
    commands = encoder.begin_compute_pass()
    commands.set_pipeline(pipeline)
    commands.set_bind_group(0, group)
    commands.dispatch_workgroups(64)
    commands.end()
    handle.queue.submit([encoder.finish()])
    (values,) = device.run([], [(out, (len(inputs), 4096))])
    return dict(zip(inputs, values.astype(float), strict=True))


def test_functions_are_accurate(device):
    rng = np.random.default_rng(0)
    inputs = {
        name: [rng.uniform(*bounds, 4096).astype(np.float32).astype(float) for bounds in ranges]
        for name, (_, *ranges) in FUNCTIONS.items()
    }
    for name, values in evaluate_all(device, inputs).items():
        expected = FUNCTIONS[name][0](*inputs[name])
        absolute = 5e-7 if name in ("sin", "cos", "tan", "atan", "atan2", "erf", "log") else 3e-7
        relative = 5e-6 if name == "power" else 3e-6 if name == "tan" else 1e-6
        error = np.abs(values - expected)
        assert (error <= absolute * (name[-1] != "0") + relative * np.abs(expected)).all(), name


# ---- devices -------------------------------------------------------------------------------------


@pytest.fixture
def adapters(monkeypatch):
    """A function that lets artgen find these adapters, and the package wgpu or not."""

    def found(*kinds: bool, installed: bool = True) -> None:
        there = tuple(Adapter(f"adapter {i}", kind, None) for i, kind in enumerate(kinds))
        monkeypatch.setattr(webgpu_device, "find_adapters", lambda: there)
        monkeypatch.setattr("artgen.runner._device.find_adapters", lambda: there)
        monkeypatch.setattr("artgen.runner._device.can_have_hardware", lambda: True)
        monkeypatch.setattr(webgpu_device, "is_installed", lambda: installed)

    return found


def test_auto_takes_hardware_alone(adapters, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    adapters(False)
    assert resolve_device("auto") == "cpu"
    assert resolve_device("webgpu") == "webgpu"
    adapters(True, False)
    assert resolve_device("auto") == "webgpu"
    assert resolve_device("webgpu:1") == "webgpu:1"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto") == "cuda"


def test_a_device_that_is_not_there_is_refused(adapters):
    adapters(True, False)
    with pytest.raises(UsageError, match="there is no device 'webgpu:2'") as refused:
        resolve_device("webgpu:2")
    assert refused.value.hint == "there are webgpu:0 adapter 0, webgpu:1 adapter 1"
    adapters()
    with pytest.raises(UsageError, match="no driver on this machine offers WebGPU an adapter"):
        resolve_device("webgpu")
    adapters(installed=False)
    with pytest.raises(UsageError, match=r"pip install 'artgen\[webgpu\]'"):
        resolve_device("webgpu")
    with pytest.raises(UsageError, match="there is no device 'webgpu:'"):
        resolve_device("webgpu:")


def test_without_the_package_there_are_no_adapters(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert webgpu_device.find_adapters.__wrapped__() == ()


def test_the_doctor_lists_adapters(adapters, monkeypatch, capsys):
    from artgen import doctor

    adapters(True, False)
    assert doctor._webgpu() == (
        "webgpu:0 adapter 0, a GPU; "
        "webgpu:1 adapter 1, a program on the CPU, used only where it is named"
    )
    adapters(installed=False)
    assert "artgen[webgpu]" in doctor._webgpu()


def test_a_package_that_does_not_work_is_named_and_auto_does_without(monkeypatch):
    def broken():
        raise OSError("libwgpu_native.so: wrong ELF class")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(webgpu_device, "is_installed", lambda: True)
    monkeypatch.setattr(webgpu_device, "_enumerated", broken)
    monkeypatch.setattr("artgen.runner._device.can_have_hardware", lambda: True)
    webgpu_device.find_adapters.cache_clear()
    assert resolve_device("auto") == "cpu"
    with pytest.raises(OutputError, match="the package wgpu does not work here"):
        resolve_device("webgpu")


# ---- fits ----------------------------------------------------------------------------------------


def fit(
    photo: Path, out: Path | None, *stages: dict, observers=(), resume=False, every=4, **tables
):
    tables = {"run": {"device": "webgpu"}, "output": {"video": False}, **tables}
    asked = recipe(photo, *(stages or [{"steps": 12}]), **tables)
    events: list = []
    result = run(
        asked,
        Registry(environ={}),
        out=out,
        observers=[events.append, *observers],
        name="fit",
        resume=resume,
        checkpoint_every=every,
    )
    return result, [event.message for event in events if isinstance(event, Notice)]


def test_drawing_with_gradients_submits_twice_and_reads_both(device):
    splat, canvas, count = Gaussian(), Canvas(18, 17), 8
    tensors = scene(splat, canvas, count)
    compiled = Backend("compiled", footprint=webgpu.Footprint(splat, "webgpu"))
    before = device.submissions, device.bytes_read
    for _ in range(10):
        picture_and_gradients(splat, tensors, canvas, backend=compiled)
    assert device.submissions - before[0] == 20
    # Two coordinates, two scales, an angle and a colour.
    assert device.bytes_read - before[1] == 10 * 4 * (3 * 18 * 17 + 8 * count)


@pytest.mark.slow
def test_a_killed_fit_goes_on_to_the_same_bytes(device, photo, tmp_path, registry):
    asked = recipe(photo, {"steps": 12}, run={"device": "webgpu"})
    kill_worker_at(8, asked, tmp_path / "killed", checkpoint_every=4)
    assert 0 < resume(asked, registry, tmp_path / "killed") < 12
    run(asked, registry, out=tmp_path / "whole")
    assert_same(tmp_path / "killed", tmp_path / "whole")


def test_a_run_whose_adapter_is_lost_goes_on_on_the_cpu(device, photo, tmp_path):
    steps = []

    def lose(event):
        if isinstance(event, Advanced):
            steps.append(event.step)
            if event.step == 8 and steps.count(8) == 1:
                webgpu_device.open_device("webgpu").handle.destroy()

    result, (notice,) = fit(photo, tmp_path / "lost", observers=[lose])
    assert "failed or was lost: Parent device is lost" in notice
    assert "continuing on the CPU from step " in notice
    resumed = int(notice.partition("from step ")[2].partition(";")[0])
    assert resumed in (4, 8)
    assert steps[-1] == 12
    assert (result.summary["device"], result.summary["steps"]) == ("cpu", 12)
    whole, _ = fit(photo, tmp_path / "whole")
    assert abs(result.summary["psnr"] - whole.summary["psnr"]) < 1
    assert not (tmp_path / "lost" / "fit.run").exists()
    # Without files there is no checkpoint.
    steps.clear()
    _, (notice,) = fit(photo, None, observers=[lose])
    assert "continuing on the CPU from step 0;" in notice
    assert steps[-1] == 12


@pytest.mark.slow
@pytest.mark.parametrize("lost_at", [4, 16], ids=["first", "later"])
def test_a_clip_whose_adapter_is_lost_goes_on_on_the_cpu(device, tmp_path, lost_at):
    """In the first fit of a scene, and after it, at the frames that follow."""
    notices, steps = [], []

    def lose(event):
        if isinstance(event, Notice):
            notices.append(event.message)
        if isinstance(event, Advanced):
            if event.step >= lost_at > max(steps, default=0):
                webgpu_device.open_device("webgpu").handle.destroy()
            steps.append(event.step)

    asked = clip_recipe(
        "sample:clip?n=6",
        target={"size": 16},
        primitive={"count": 6},
        run={"device": "webgpu", "backend": "compiled"},
        output={"video": False},
    )
    result = run(asked, Registry(environ={}), out=tmp_path, observers=[lose], name="c")
    (notice,) = notices
    assert "failed or was lost: Parent device is lost" in notice
    assert f"continuing on the CPU from {'step' if lost_at == 4 else 'frame'} " in notice
    assert result.art.film.keyframes == 6
    assert result.summary["device"] == "cpu"


def test_a_drawing_whose_adapter_is_lost_ends_with_advice(device):
    splat, canvas = Gaussian(), Canvas(16, 16)
    compiled = Backend("compiled", footprint=webgpu.Footprint(splat, "webgpu"))
    tensors = scene(splat, canvas)
    picture_and_gradients(splat, tensors, canvas, backend=compiled)
    device.handle.destroy()
    with pytest.raises(DeviceLost, match="failed or was lost: Parent device is lost") as lost:
        picture_and_gradients(splat, tensors, canvas, backend=compiled)
    assert lost.value.exit_code == 6
    assert "--resume" in str(lost.value.hint)


def test_a_shader_that_is_refused_is_in_a_file_and_the_cpu_takes_over(
    device, photo, tmp_path, monkeypatch
):
    monkeypatch.setattr(splat_backend, "_chosen", {})
    monkeypatch.setattr(webgpu.Footprint, "_load", lambda self, text: device.compile(text + "fn ("))
    result, (notice,) = fit(photo, tmp_path)
    assert notice.startswith("gaussian runs on the CPU, not on webgpu: ")
    assert "refused a shader" in notice
    file = Path(notice.partition("which is in ")[2].partition(": ")[0])
    assert file.read_text().endswith("fn (")
    file.unlink()
    assert (result.summary["device"], result.summary["backend"]) == ("cpu", "compiled")


def test_parts_without_kernels_for_webgpu_run_on_the_cpu_and_say_so(device, photo, tmp_path):
    result, notices = fit(photo, tmp_path, primitive={"name": "circle"})
    assert notices == ["circle runs on the CPU, not on webgpu: it draws splats with kernels alone"]
    assert result.summary["device"] == "cpu"


def test_a_run_that_was_moved_to_the_cpu_can_be_resumed_with_the_same_flags(registry):
    asked = recipe(Path("photo.png"), {"steps": 12}, run={"device": "webgpu"})
    stored = recipe(Path("photo.png"), {"steps": 12}, run={"device": "cpu"})
    check_agreement(stored, asked, registry)
    with pytest.raises(UsageError, match="device = 'webgpu', not 'cpu'"):
        check_agreement(asked, stored, registry)


def test_render_draws_what_a_fit_drew(device, photo, tmp_path, monkeypatch, capsys):
    fit(photo, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["render", "fit.art", "--device", "webgpu", "-o", "again.png", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outputs"] == ["again.png"]
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "fit.png").read_bytes()


def test_footprints_are_compared_with_plain_torch_before_use(device, monkeypatch):
    monkeypatch.setattr(splat_backend, "_chosen", {})
    assert choose_backend(Gaussian(), "webgpu").name == "compiled"
    wrong = WgslPrinter.templates | {"exp": "expm1_of({})"}
    monkeypatch.setattr(WgslPrinter, "templates", wrong)
    monkeypatch.setattr(splat_backend, "_chosen", {})
    choice = choose_backend(Gaussian(), "webgpu")
    assert choice.reason == "its kernels do not agree with plain torch on the picture"
