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
from footprints import FUNCTIONS
from gpu_cases import Cases, Gpu, MoreCases, picture_and_gradients, scene
from helpers import recipe
from test_clips import recipe as clip_recipe
from test_resume import assert_same, kill_worker_at, resume

from artgen import Canvas
from artgen.base.errors import DeviceLost, OutOfMemory, OutputError, UsageError
from artgen.cli import main
from artgen.compiler.elementary import MARK, with_functions
from artgen.compiler.printer import spelled
from artgen.compiler.templates import read_template
from artgen.compiler.wgsl_printer import WgslPrinter
from artgen.events import Advanced, Notice
from artgen.families.splat import backend as splat_backend
from artgen.families.splat import webgpu
from artgen.raster import choose_backend, webgpu_device
from artgen.raster.webgpu_device import Adapter
from artgen.registry import Registry
from artgen.runs import check_agreement, resolve_device, run
from artgen_plugins.gaussian import Gaussian


@pytest.fixture
def gpu(device):
    return Gpu("cpu", lambda splat: webgpu.Footprint(splat, "webgpu"), many=300)


# ---- the kernels ---------------------------------------------------------------------------------


class TestKernels(Cases):
    pass


class TestMoreKernels(MoreCases):
    pass


@pytest.mark.parametrize(("blend", "width"), [("sum", 20), ("over", 20), ("sum", 300)])
def test_more_splats_than_a_workgroup_looks_at_together(gpu, blend, width):
    # Wider than 128 pixels, a cell is several tiles.
    splat, canvas = Gaussian({"blend": blend}), Canvas(width, 18)
    tensors = scene(splat, canvas, count=300)
    tensors["scale"] = torch.logspace(-3, -1, 300) * torch.tensor([[1.0], [0.7]])
    tensors["scale"][:, 77] = 3.0
    gpu.agree(splat, tensors, canvas)


@pytest.mark.parametrize("blend", ["sum", "over"])
def test_large_pictures_are_drawn_in_strips_and_twice_alike(device, gpu, blend, monkeypatch):
    splat, canvas = Gaussian({"blend": blend}), Canvas(18, 40)
    tensors = scene(splat, canvas)
    whole, _ = gpu.agree(splat, tensors, canvas)
    compiled = gpu.backend(splat)
    monkeypatch.setattr(device, "largest", 18 * 16 * 5 * 4)
    image, gradients = gpu.agree(splat, tensors, canvas)
    assert torch.equal(image, whole)
    again = picture_and_gradients(splat, tensors, canvas, backend=compiled)[1]
    assert all(torch.equal(gradients[name], again[name]) for name in gradients)


def test_a_buffer_that_is_too_large_is_refused(device, gpu, monkeypatch):
    splat, canvas = Gaussian(), Canvas(16, 16)
    compiled = gpu.backend(splat)
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
        text = spelled(WgslPrinter.templates, function, places)
        body += f"  y[{number}u * 4096u + i] = {text};\n"
    code = (
        f"{read_template('wgsl/math.wgsl')}\n{MARK}\n@group(0) @binding(0) var<storage, read> x: array<f32>;\n"
        "@group(0) @binding(1) var<storage, read_write> y: array<f32>;\n"
        "@compute @workgroup_size(64) fn apply(@builtin(global_invocation_id) id: vec3u) {\n"
        f"  let i = id.x;\n{body}}}"
    )
    code = with_functions(WgslPrinter, code)
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
        monkeypatch.setattr("artgen.raster.backend.find_adapters", lambda: there)
        monkeypatch.setattr("artgen.raster.backend.can_have_hardware", lambda: True)
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
    from artgen.cli import _machine as doctor

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
    monkeypatch.setattr("artgen.raster.backend.can_have_hardware", lambda: True)
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
    # A note that kernels are compiled comes with a cold cache alone.
    notices = [
        each for each in events if isinstance(each, Notice) and "compiling" not in each.message
    ]
    return result, [each.message for each in notices]


def test_drawing_with_gradients_submits_twice_and_reads_both(device, gpu):
    splat, canvas, count = Gaussian(), Canvas(18, 17), 8
    tensors = scene(splat, canvas, count)
    compiled = gpu.backend(splat)
    before = device.submissions, device.bytes_read
    for _ in range(10):
        picture_and_gradients(splat, tensors, canvas, backend=compiled)
    assert device.submissions - before[0] == 20
    # Two coordinates, two scales, an angle and a colour.
    assert device.bytes_read - before[1] == 10 * 4 * (3 * 18 * 17 + 8 * count)


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


@pytest.mark.parametrize("lost_at", [4, 16], ids=["first", "later"])
def test_a_clip_whose_adapter_is_lost_goes_on_on_the_cpu(device, tmp_path, lost_at):
    """In the first fit of a scene, and after it, at the frames that follow."""
    notices, steps = [], []

    def lose(event):
        if isinstance(event, Notice) and "compiling" not in event.message:
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


def test_a_drawing_whose_adapter_is_lost_ends_with_advice(device, gpu):
    splat, canvas = Gaussian(), Canvas(16, 16)
    compiled = gpu.backend(splat)
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
    assert notices == ["circle runs on the CPU, not on webgpu: it has no kernels there"]
    assert result.summary["device"] == "cpu"


@pytest.mark.parametrize(("asked", "says"), [("auto", 0), ("cuda", 1)])
def test_beside_cuda_parts_whose_kernels_are_for_cpus_run_there(
    photo, tmp_path, monkeypatch, asked, says
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    result, notices = fit(photo, tmp_path, primitive={"name": "circle"}, run={"device": asked})
    assert result.summary["device"] == "cpu"
    assert notices == says * ["circle runs on the CPU, not on cuda: it has no kernels there"]


def test_a_run_that_was_moved_to_the_cpu_can_be_resumed_with_the_same_flags(registry):
    asked = recipe(Path("photo.png"), {"steps": 12}, run={"device": "webgpu"})
    stored = recipe(Path("photo.png"), {"steps": 12}, run={"device": "cpu"})
    check_agreement(stored, asked, registry)
    with pytest.raises(UsageError, match="device = 'webgpu', not 'cpu'"):
        check_agreement(asked, stored, registry)
    cuda = recipe(Path("photo.png"), {"steps": 12}, run={"device": "cuda"})
    with pytest.raises(UsageError, match="device = 'cpu', not 'cuda'"):
        check_agreement(stored, cuda, registry)
    circles = [each.with_primitive(name="circle") for each in (stored, cuda)]
    check_agreement(*circles, registry)  # which run on the CPU whatever is asked for


def test_render_draws_what_a_fit_drew(device, photo, tmp_path, monkeypatch, capsys):
    fit(photo, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["render", "fit.art", "--device", "webgpu", "-o", "again.png", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outputs"] == ["again.png"]
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "fit.png").read_bytes()


def test_footprints_are_compared_with_plain_torch_before_use(device, monkeypatch):
    monkeypatch.setattr(splat_backend, "_chosen", {})
    assert choose_backend(Gaussian(), "webgpu").name == "compiled"
    # No function that itself calls exp, which would be one that calls itself.
    wrong = WgslPrinter.templates | {"exp": "sin_of({})"}
    monkeypatch.setattr(WgslPrinter, "templates", wrong)
    monkeypatch.setattr(splat_backend, "_chosen", {})
    choice = choose_backend(Gaussian(), "webgpu")
    assert choice.reason == "its kernels do not agree with plain torch on the picture"
