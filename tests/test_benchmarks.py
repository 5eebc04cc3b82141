"""The benchmarks run and print tables, and what they compare draws the same picture."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from artgen import Canvas, Params
from artgen.base.errors import InputError
from artgen.families.splat.cpu import emit_for_cpu
from artgen.raster.webgpu_device import Adapter
from artgen.registry import default
from artgen_plugins.gaussian import Gaussian
from benchmarks import __main__ as command
from benchmarks import check, fits, genetic, gpu, handwritten, ideas, sets, shapes, startup
from benchmarks._contenders import (
    Dense,
    Eager,
    Handwritten,
    Published,
    Unavailable,
    draw_tiles,
    padded_tiles,
)
from benchmarks._measure import interleaved, peak_memory
from benchmarks._report import Sample, Table, figure, update_sections
from benchmarks._scenes import Scene, make_scene, spacing
from benchmarks._settings import Settings
from benchmarks.cuda_static import Compiled, hot_loop
from benchmarks.footprints import compare, relative_error
from benchmarks.superellipse import Superellipse


def test_the_command_sets_how_threads_wait_before_torch_is_imported():
    code = "import sys, benchmarks.__main__; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def splat(name):
    return Superellipse() if name == "superellipse" else default().load("primitive", name)()


def wide_scene(name, count=25):
    """A canvas that no tile fits, with splats that reach beyond it."""
    scene = make_scene(splat(name), count, 64, 7.0)
    incoming = torch.randn(3, 45, 70, generator=torch.Generator().manual_seed(1))
    return Scene(scene.splat, Canvas(70, 45), scene.tensors, incoming)


def picture_and_gradients(contender):
    return [contender.forward(), *contender.gradients()]


# What others try as well: `footprints` is compared on two devices below, fits and kernels have tests of their own.
BY_NIGHT = {"batches", "blob", "clips", "codecs", "cuda-static", "footprints", "genetic"}
BY_NIGHT |= {"scale", "shapes", "start"}
# What these measure has tests of its own by day: makers, faces, fields, inks, pages, meshes, films.
BY_NIGHT |= {"faces", "fields", "ideas", "ink", "live", "making", "mesh", "vectors", "video"}
"""Those that compile kernels which nothing else needs, or start processes that do, for minutes in all."""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.nightly] * (name in BY_NIGHT))
        for name in command.BENCHMARKS
    ],
)
def test_every_benchmark_runs(name, capsys):
    if name == "cuda-static":
        pytest.importorskip("triton", reason="needs artgen[triton]")
    command.main(["--quick", *(["--cpu"] if name == "fits" else []), name])
    printed = capsys.readouterr().out
    assert printed.startswith(f"## {name}\n")
    command_line = f"`python -m benchmarks {name}{' --cpu' * (name == 'fits')}`"
    assert f"{command_line}, commit " in printed
    tables = re.findall(
        r"^### .+\n\n\| .+\|\n\| ---[-| :]+\|\n(?:\| .+\|\n)+", printed, re.MULTILINE
    )
    assert len(tables) == {
        "footprints": 4,
        "scaling": 6,
        "scale": 2,
        "shapes": 2,
        "peers": 2,
        "blob": 2,
        "mesh": 3,
        "ink": 2,
        "clips": 2,
        "densification": 2,
        "diagram": 2,
        "video": 2,
        "autograd": 3,
        "fields": 2,
        "cuda-static": 2,
        "making": 8,
        "faces": 2,
        "curve": 3,
        "longer": 2,
        "small": 2,
    }.get(name, 1)
    if name == "footprints":
        assert printed.count("| compiled ") == 4
        assert printed.count("| numba by hand ") == 2
        assert "numba by hand: nobody wrote one." in printed
    if name == "fits":
        assert " 0.2 CPU s |" in printed
    if name == "start":
        assert re.search(r"\| gaussian +\| +[\d.]+ \| +[\d.]+( \(.+\))? \|", printed)


def test_footprints_are_compared_on_two_devices():
    # The CPU under another name stands for a GPU.
    table = compare(make_scene(splat("gaussian"), 5, 16, 4.0), ("cpu", "cpu:0"), quick=True)
    names = [row[0] for row in table.rows]
    # Beside another device, the CPU has what is shipped and what all are compared with.
    assert [name for name in names if "cpu:0" not in name] == ["compiled", "eager"]
    assert {"compiled, cpu:0", "eager, cpu:0", "dense torch, cpu:0"} <= {*names}
    assert all(float(row[-1]) < 1e-4 for row in table.rows)
    assert "torch.compile, tiles, cpu:0: compiling takes too long for --quick." in table.note


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--device", "cuda", "video"], "--device is for footprints, scaling, fits, fields"),
        (["--device", "cuda:99", "fits"], "device 'cuda:99' is not available"),
    ],
)
def test_devices_that_cannot_be_compared_are_refused(arguments, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(["--quick", *arguments])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_without_a_gpu_there_is_nothing_to_run_on_one(monkeypatch, capsys):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(gpu, "find_adapters", lambda: (Adapter("a program", False, None),))
    assert gpu.main() == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("There is no GPU that torch can use here; this torch")
    assert said[1].startswith("There is no GPU that WebGPU can use here either")


@pytest.mark.parametrize("devices", [("cuda",), ("webgpu",), ("cuda", "webgpu")])
def test_on_a_gpu_tests_run_before_the_benchmarks(monkeypatch, devices):
    ran = []

    def run(command, **options):
        ran.append([*command[1:4], *(Path(file).name for file in command[4:])])
        assert options["env"]["TRITON_INTERPRET"] == "0"
        return SimpleNamespace(returncode=5)

    adapters = (Adapter("a GPU", "webgpu" in devices, None),)
    monkeypatch.setattr("torch.cuda.is_available", lambda: "cuda" in devices)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda: "a GPU")
    monkeypatch.setattr(gpu, "find_adapters", lambda: adapters)
    monkeypatch.setattr("subprocess.run", run)
    monkeypatch.setattr(command, "main", ran.append)
    assert gpu.main() == 1
    for device, tests, benchmarks in zip(devices, ran[::2], ran[1::2], strict=True):
        assert tests[:4] == ["-m", "pytest", "-q", f"test_{device}.py"]
        names = ["footprints", "scaling", "fits", "fields"][: 4 if device == "cuda" else 3]
        assert benchmarks == [*names, "--device", device, "--write"]


def test_an_unknown_benchmark_is_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(["--quick", "footprint"])
    assert stopped.value.code == 2
    assert "did you mean footprints?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--quick", "video"], "--quick"),
        (["--serial", "scaling"], "--serial measures a part"),
        (["--device", "cpu:0", "fits"], "there is no section fits-cpu:0"),
        (["--device", "webgpu", "fields"], "there is no section fields-webgpu"),
    ],
)
def test_what_has_no_place_is_not_written_down(arguments, message, monkeypatch, capsys):
    monkeypatch.setattr(command, "run", None)
    with pytest.raises(SystemExit) as stopped:
        command.main(["--write", *arguments])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_a_benchmark_that_cannot_run_does_not_end_the_others(monkeypatch, tmp_path, capsys):
    def tables(settings):
        yield Table("T", ("", "s"), [("a", "1")])

    def impossible(settings):
        raise InputError("needs a thing")
        yield

    modules = {"benchmarks.video": impossible, "benchmarks.blob": tables}
    monkeypatch.setattr(
        "importlib.import_module", lambda name: SimpleNamespace(run=modules[name], __doc__="What.")
    )
    monkeypatch.setattr(command, "RESULTS", tmp_path / "RESULTS.md")
    with pytest.raises(SystemExit) as stopped:
        command.main(["video", "blob", "--write", "--long", "--data", str(tmp_path)])
    assert stopped.value.code == InputError.exit_code
    assert "video: needs a thing" in capsys.readouterr().err
    text = (tmp_path / "RESULTS.md").read_text()
    assert "## blob" in text
    assert "## video" not in text
    assert "`python -m benchmarks blob --long --data DIR`, commit" in text


def test_a_folder_without_pictures_is_refused(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("no picture")
    Image.new("RGB", (3, 2)).save(tmp_path / "other.png")
    assert fits.full_size(tmp_path) == {str(tmp_path / "other.png"): 3}
    with pytest.raises(InputError, match="no picture kodim"):
        fits.full_size(tmp_path, "kodim*")
    (tmp_path / "other.png").unlink()
    with pytest.raises(SystemExit) as stopped:
        command.main(["fits", "--data", str(tmp_path)])
    assert stopped.value.code == 3
    assert "holds no picture" in capsys.readouterr().err


def test_a_sheet_is_coded_in_gray_with_its_error():
    sheet = sets._sheet(np.arange(5 * 36, dtype=np.uint8).reshape(5, 6, 6, 1))
    assert sheet.shape == (18, 12)
    size, error = sets._coded(sheet, "PNG")
    assert (size < 18 * 12, error) == (True, 0)
    (size, error), (larger, less) = (sets._coded(sheet, "JPEG", quality=q) for q in (10, 90))
    assert size < larger
    assert 0 < less < error < 0.05


def test_shapes_are_not_measured_without_pictures(tmp_path):
    with pytest.raises(InputError, match="holds no picture"):
        shapes.pictures(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "gaussian",
        pytest.param("superellipse", marks=pytest.mark.nightly),
    ],  # it compiles for seconds
)
def test_kernels_by_hand_agree_with_eager(name):
    scene = wide_scene(name)
    mine, theirs = (picture_and_gradients(kind(scene)) for kind in (Handwritten, Eager))
    for ours, reference in zip(mine, theirs, strict=True):
        assert relative_error([ours], [reference]) < 2e-5
    assert all(float(tensor.abs().max()) > 0.1 for tensor in theirs)


def test_the_hot_loop_is_the_innermost_long_one():
    def line(place, text):
        return f"        /*{place:04x}*/   {text} ;"

    machine = [line(0, "MOV R1, R2"), ".L_x_1:", line(16, "LDG R1"), ".L_x_2:"]
    machine += [line(32 + 16 * k, "MUFU.EX2 R1, R2") for k in range(8)]
    machine += [".L_x_3:", line(160, "IADD3 R3"), line(176, "@P1 BRA `(.L_x_3)")]
    machine += [line(192, "@P0 BRA `(.L_x_2)"), line(208, "@!P0 BRA `(.L_x_1)")]
    machine += [line(224, "EXIT"), ".L_x_4:", line(240, "BRA `(.L_x_4)")]
    loop = hot_loop("\n".join(machine))
    assert len(loop) == 11
    assert sum("MUFU" in each for each in loop) == 8
    assert hot_loop(line(0, "EXIT")) == []


def test_warps_are_limited_by_registers_shared_memory_and_the_hardware():
    few = Compiled(32, 0, 0, 4, 1, 0, 0)
    assert [few.resident(capability) for capability in (75, 80, 86)] == [32, 64, 48]
    # 168 registers for 32 lanes are 21 units of 256: 12 warps in 65536, in blocks of 4.
    assert replace(few, registers=168).resident(90) == 12
    assert replace(few, registers=168, warps=8).resident(90) == 8
    assert replace(few, shared=49 * 1024).resident(86) == 8


def test_there_are_no_kernels_by_hand_for_others():
    with pytest.raises(Unavailable, match="nobody"):
        Handwritten(make_scene(splat("fourier"), 3, 16))


@pytest.mark.parametrize("name", ["gaussian", "fourier", "superellipse"])
def test_dense_and_tiled_torch_agree_with_eager(name, monkeypatch):
    monkeypatch.setattr(Dense, "SIZES", (2**12, 2**14))
    scene = wide_scene(name)
    reference = picture_and_gradients(Eager(scene))
    assert relative_error(picture_and_gradients(Dense(scene)), reference) < 2e-5
    tiled = draw_tiles(scene.splat, scene.canvas, scene.tensors, *padded_tiles(scene))
    gradients = torch.autograd.grad(tiled, list(scene.tensors.values()), scene.incoming)
    assert relative_error([tiled.detach(), *gradients], reference) < 2e-5


def test_the_published_petal_is_the_same_picture():
    scene = wide_scene("fourier")
    mine, theirs = (picture_and_gradients(kind(scene)) for kind in (Published, Eager))
    # Sharp edges are cut, those as published are not: only the gradients feel the difference.
    assert relative_error(mine[:1], theirs[:1]) < 2e-5
    assert relative_error(mine, theirs) < 1e-3
    with pytest.raises(Unavailable):
        Published(wide_scene("gaussian"))


def test_errors_are_relative_to_the_worst_tensor():
    theirs = [torch.tensor([10.0, 1.0]), torch.tensor([0.1])]
    mine = [torch.tensor([10.1, 1.0]), torch.tensor([0.12])]
    assert relative_error(mine, theirs) == pytest.approx(0.2, rel=1e-5)


def test_the_superellipse_ends_at_its_ellipse():
    scene = make_scene(Superellipse(), 200, 64)
    p = Params({name: tensor.detach()[..., None] for name, tensor in scene.tensors.items()})
    turn = torch.linspace(0, 6.28, 100)
    extent = [axis[:, None] for axis in scene.extent()]
    u, v = extent[0] * turn.cos(), extent[1] * turn.sin()
    c, s = extent[2].cos(), extent[2].sin()
    weight = scene.splat.footprint(c * u - s * v, s * u + c * v, p)
    assert float(weight.max()) < 1.1e-3
    assert float(scene.splat.footprint(0 * turn, 0 * turn, p).min()) > 0.9
    assert sum(t.shape[0] if t.dim() > 1 else 1 for t in scene.tensors.values()) == 12


def test_covered_pixels_are_those_inside_the_ellipses():
    scene = wide_scene("gaussian", count=9)
    x, y = (torch.from_numpy(centres) for centres in scene.canvas.pixel_centres())
    xy, frame = scene.tensors["xy"].detach(), scene.extent().frame[..., None, None]
    dx, dy = x - xy[0][:, None, None], y[:, None] - xy[1][:, None, None]
    u, v = frame[0] * dx + frame[1] * dy, frame[2] * dx + frame[3] * dy
    assert scene.covered() == int((u * u + v * v <= 1).sum())


def test_coverage_does_not_depend_on_the_number_of_splats():
    few, many = (make_scene(splat("gaussian"), n, 128, spacing(n, 128)) for n in (400, 3200))
    assert few.covered() == pytest.approx(many.covered(), rel=0.2)


def test_actions_take_turns_until_their_time_is_used_up(monkeypatch):
    clock, calls = [0.0], []
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    monkeypatch.setattr("time.sleep", lambda _: None)
    durations = {"quick": iter([1.0, 5.0, 2.0]), "slow": iter([4.0, 8.0])}

    def action(name):
        def act():
            calls.append(name)
            clock[0] += next(durations[name])

        return act

    medians = interleaved({n: action(n) for n in durations}, rounds=3, seconds=10)
    assert calls == ["quick", "slow", "quick", "slow", "quick"]
    assert medians == {"quick": 2.0, "slow": 6.0}


def test_ideas_are_compared_on_one_thread(monkeypatch):
    used = []

    def fit(goal, *_):
        used.append(torch.get_num_threads())
        return torch.zeros(3, 21, 32)

    monkeypatch.setattr(ideas, "fitted", fit)
    monkeypatch.setattr("benchmarks.same_ideas.torch_ripple.fit", fit)
    monkeypatch.setattr(ideas, "IDEAS", {"ripple": ideas.IDEAS["ripple"]})
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert len(list(ideas.run(Settings(quick=True)))) == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert set(used) == {1}


def test_a_command_that_ends_otherwise_is_not_measured(tmp_path):
    with pytest.raises(RuntimeError, match=r"gausian .* ended with 4, not 0"):
        startup.waited(startup.MISTAKES["a wrong name"], str(tmp_path), str(tmp_path))


def test_the_rehearsal_of_genetic_takes_a_fifth_of_the_budget(monkeypatch):
    asked = []

    @dataclass
    class Problem:
        total_steps: int = 0

    def timed(searcher, problem, budget):
        asked.append(problem.total_steps)
        return 0.001 * problem.total_steps

    monkeypatch.setattr(genetic, "_timed", timed)
    assert genetic._generations(Problem(), 10.0) == 10_000
    assert 2_000 <= asked[-1] < 2_500


def test_what_is_short_runs_some_times_before_it_counts(monkeypatch):
    clock, durations = [0.0], iter([0.04, 0.02, 0.03, 0.015, 0.01])
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    monkeypatch.setattr("time.sleep", lambda _: None)

    def action():
        clock[0] += next(durations)

    assert interleaved({"it": action}, rounds=2)["it"] == pytest.approx(0.015)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_peak_memory_counts_what_is_freed_again():
    def action():
        torch.ones(16 * 2**20)

    assert 60 < peak_memory(action) < 100
    assert peak_memory(lambda: None) < 10
    assert peak_memory() > 60


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0, "0"),
        (0.0012345, "0.00123"),
        (0.9996, "1.00"),
        (12.34, "12.3"),
        (1234.4, "1,230"),
        (5, "5.00"),
    ],
)
def test_values_have_three_significant_digits(value, text):
    assert figure(value) == text


def test_tables_are_markdown():
    table = Table("Title", ("", "ms"), [("a", "1.25"), ("longer", "10")], "A note.")
    assert str(table).splitlines() == [
        "### Title",
        "",
        "|        |   ms |",
        "| ------ | ---: |",
        "| a      | 1.25 |",
        "| longer |   10 |",
        "",
        "A note.",
    ]


def test_a_sample_is_its_median_and_shows_its_spread():
    sample = Sample([3.0, 1.0, 2.0])
    assert (sample, sample.least, sample.largest, sample.runs) == (2.0, 1.0, 3.0, 3)
    assert figure(sample.times(1000)) == "2,000 (1,000 to 3,000)"
    assert figure(Sample([2.0])) == "2.00"


def test_the_check_says_which_figures_moved(tmp_path, monkeypatch, capsys):
    file = tmp_path / "RESULTS.md"
    rows = [("steady", "2.00 (1.90 to 2.20)"), ("slower", "2.00"), ("far", "2.00 (1.90 to 99)")]
    update_sections(file, {"times": str(Table("T", ("", "s"), rows))}, ["times"])
    now = {"steady": [2.1, 2.5], "slower": [2.1, 2.5], "far": [9.0], "new": [1.0]}

    def measured(quick):
        return ((("times", "T", name, "s"), Sample(values)) for name, values in now.items())

    monkeypatch.setattr(check, "measured", measured)
    assert check.main(file) == 1
    verdicts = [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()]
    new = "not in RESULTS.md times | T | new | s: 1.00, was -"
    assert verdicts == ["as before", "moved", "moved", new]
    now = {"steady": now["steady"]}
    assert check.main(file) == 0


def test_the_check_misses_a_row_that_is_gone():
    table = Table("T", ("", "s"), [("there", "2.00")])
    assert [now for _, now in check._of_table("times", table, "there", "s")] == [2.0]
    with pytest.raises(ValueError, match="times has no row 'gone'"):
        list(check._of_table("times", table, "gone", "s"))


def test_writing_a_section_keeps_the_others(tmp_path):
    path = tmp_path / "RESULTS.md"
    order = ("first", "second", "third")
    update_sections(path, {"third": "three"}, order)
    update_sections(path, {"first": "one\n\n### a table"}, order)
    update_sections(path, {"third": "new"}, order)
    update_sections(path, {"third": "new"}, order[:2])
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# Results\n")
    assert text.endswith("## first\n\none\n\n### a table\n\n## third\n\nnew\n")
    assert "three" not in text


@pytest.mark.parametrize(
    ("splat", "by_hand"),
    [(Gaussian(), handwritten.GAUSSIAN), (Superellipse(), handwritten.SUPERELLIPSE)],
)
def test_generated_kernels_sum_no_more_than_those_by_hand(splat, by_hand):
    assert emit_for_cpu(splat).leaves <= by_hand.sums
