"""`target_bytes`: as many parts as fit into a file, at the precision they are saved at."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from helpers import changed, recipe

import artgen
from artgen import Field, Param, option
from artgen.base.errors import UsageError
from artgen.cli import main
from artgen.plan import find_names, make_plan, resolve
from artgen.recipe import Recipe
from artgen.recipe.layers import lay_over
from artgen.registry import Registry
from artgen.runs import run
from artgen.runs.kinds.picture import run as picture
from artgen.values.canvas import Canvas

CANVAS = Canvas(24, 16)


class Wave(Field):
    """A field whose size grows with one option, by more than a constant."""

    @dataclass(frozen=True)
    class Options:
        width: int = option(4, "how wide it is", low=2, high=64)
        bands: int | None = option(None, "from the target")

    size_option = "width"

    def resolve_options(self, canvas):
        self.options = replace(self.options, bands=self.options.bands or canvas.width)

    @property
    def params(self):
        width = self.options.width
        return {"inner": Param(width, width), "outer": Param(3, width), "bias": Param(3)}

    def forward(self, xy, p):
        return (xy[:, :1] * p.outer.sum(1)) + p.bias


@pytest.fixture
def registry():
    registry = Registry(environ={})
    registry.register(Wave)
    return registry


def planned(registry, precision="fp32", **primitive):
    recipe = changed(Recipe(), {"primitive": primitive, "run": {"precision": precision}})
    return resolve(recipe, registry, CANVAS)


@pytest.mark.parametrize(
    ("precision", "limit", "count"),
    [
        ("fp32", 320, 10),
        ("fp32", 319, 9),
        ("fp32", 32, 1),
        ("fp16", 320, 20),
        # Eight values of a byte, and two float32 for the range of each of the eight rows.
        ("int8", 320, 32),
        ("int8", 8_000_064, 1_000_000),
    ],
)
def test_the_largest_count_that_fits(registry, precision, limit, count):
    plan = planned(registry, precision, name="gaussian", target_bytes=limit)
    assert plan.count == count
    stored = plan.recipe.to_dict()["primitive"]
    assert stored["count"] == count
    assert "target_bytes" not in stored


def test_it_beats_the_count_of_a_preset_but_keeps_its_options(registry):
    plan = planned(registry, name="fourier", preset="splats-v1", target_bytes=4000)
    preset = planned(registry, name="fourier", preset="splats-v1")
    assert plan.count != preset.count
    assert plan.primitive.options == preset.primitive.options


def test_too_few_bytes_for_a_single_part(registry):
    with pytest.raises(UsageError, match="one part of gaussian takes 32 bytes at fp32") as caught:
        planned(registry, name="gaussian", target_bytes=31)
    assert "int8" in caught.value.hint


def test_a_mesh_has_four_vertices_at_least(registry):
    """With three, as it was planned, a corner of the picture is outside."""
    assert planned(registry, name="mesh", target_bytes=130).count == 4
    with pytest.raises(UsageError, match="4 parts of mesh takes 128 bytes at fp32, more than 127"):
        planned(registry, name="mesh", target_bytes=127)
    recipe = Recipe.from_dict({"primitive": {"name": "mesh", "count": "auto"}})
    assert resolve(recipe, registry, Canvas(6, 5)).count == 4


@pytest.mark.parametrize("count", [5, "auto"])
def test_a_count_beside_it_is_refused(registry, count):
    with pytest.raises(UsageError, match="both"):
        planned(registry, name="gaussian", target_bytes=100, count=count)


@pytest.mark.parametrize("limit", [60, 61, 500, 5000, 17_932, 10**6])
def test_a_field_grows_by_the_option_it_names(registry, limit):
    def size(width):
        return 4 * (width * width + 3 * width + 3)

    plan = planned(registry, name="wave", target_bytes=limit)
    expected = max(width for width in range(2, 65) if size(width) <= limit)
    assert plan.primitive.options == Wave.Options(width=expected, bands=24)
    assert plan.recipe.primitive.options == {"width": expected, "bands": 24}
    assert plan.count is None


def test_an_option_that_the_user_set_stays(registry):
    plan = planned(registry, name="wave", width=3, target_bytes=1000)
    assert plan.primitive.options.width == 3
    with pytest.raises(UsageError, match="wave takes 84 bytes at fp32, more than 83"):
        planned(registry, name="wave", width=3, target_bytes=83)


def test_the_smallest_field_is_too_large(registry):
    with pytest.raises(UsageError, match="the smallest wave takes 52 bytes"):
        planned(registry, name="wave", target_bytes=51)


def test_a_field_that_does_not_say_how_has_to_fit(registry, monkeypatch):
    monkeypatch.setattr(Wave, "size_option", None)
    assert planned(registry, name="wave", target_bytes=124).primitive.options.width == 4
    with pytest.raises(UsageError, match="more than 123") as caught:
        planned(registry, name="wave", target_bytes=123)
    assert "plugins show wave" in caught.value.hint


def test_flags_for_count_and_bytes_replace_each_other():
    stored = {"primitive": {"name": "gaussian", "count": 50, "blend": "mean"}}
    data = lay_over(stored, {"primitive": {"target_bytes": 900}}, {})
    assert data["primitive"] == {"name": "gaussian", "blend": "mean", "target_bytes": 900}
    back = lay_over(data, {"primitive": {"count": 7}}, {})
    assert back["primitive"] == {"name": "gaussian", "blend": "mean", "count": 7}
    with pytest.raises(UsageError, match="target_bytes is not an option"):
        lay_over({}, {}, {}, ["target_bytes=5"])


def test_parameter_bytes_leave_out_the_header(registry):
    recipe = changed(Recipe(), {"primitive": {"name": "gaussian", "parameter_bytes": 320}})
    plan = make_plan(find_names(recipe, registry), CANVAS, header=lambda plan: 300)
    assert plan.count == 10
    recipe = changed(Recipe(), {"primitive": {"name": "gaussian", "target_bytes": 320}})
    with pytest.raises(UsageError, match="a file of one part of gaussian takes 332 bytes at fp32"):
        make_plan(find_names(recipe, registry), CANVAS, header=lambda plan: 300)


ALL_AT_ONCE = {"engine_options": {"start": 1.0}}
"""Else the best drawing may be an early one, with fewer parts."""


@pytest.mark.parametrize(
    ("target", "limit", "asked", "unused"),
    [
        ("sample:cat", 5000, {"steps": 3, **ALL_AT_ONCE}, 250),
        ("sample:cat", 4000, {"steps": 3, "precision": "int8", **ALL_AT_ONCE}, 250),
        ("sample:cat", 9999, {"steps": 3, "primitive": "mlp", "precision": "fp16"}, 900),
        ("curve:x/2", 20_000, {"steps": 3, "primitive": "mlp"}, 900),
        ("sample:cat", 5000, {"time": 0.05}, 5000),
    ],
)
def test_the_whole_file_is_as_large_as_asked_for(target, limit, asked, unused):
    art = artgen.fit(target, target_bytes=limit, size=24, threads=1, seed=1, **asked)
    assert limit - unused < len(art.to_bytes()) <= limit


def test_a_header_is_long_enough_for_all_that_a_run_adds(tmp_path, registry, monkeypatch):
    found = []

    def keep(*arguments, header):
        def kept(plan):
            found.append(header(plan))
            return found[-1]

        return make_plan(*arguments, header=kept)

    monkeypatch.setattr(picture, "make_plan", keep)
    asked = recipe("sample:cat", {"time": 0.05}, target={"size": 24, "source": "sample:cat"})
    table = {"primitive": {"name": "gaussian", "count": None, "target_bytes": 5000}}
    result = run(changed(asked, table), registry)
    assert result.art is not None
    steps = result.art.recipe.stage[0].steps
    checked = [(steps + i, 9000 + i) for i in range(62)]
    stage = {"steps": 9999, "replanned": checked, "stop": 9000, "evaluations": 9000}
    longer = result.art.recipe.with_stage(0, **stage).with_output(frames=9000)
    file = replace(result.art, recipe=longer).to_bytes()
    assert len(file) - result.art.metrics["bytes"] <= found[0] == found[-1]


@pytest.mark.parametrize(
    ("source", "output", "says"),
    [("sample:cat", {"history": 2}, "history"), ("sample:clip?n=2", {}, "number of bytes")],
)
def test_films_are_refused(source, output, says, registry):
    asked = {"target": {"source": source, "size": 24}, "output": {"video": False, **output}}
    asked["primitive"] = {"name": "gaussian", "target_bytes": 5000}
    with pytest.raises(UsageError, match=says):
        run(changed(Recipe(), asked), registry)


def test_the_result_says_what_rounding_cost(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found = {}
    for precision in ("fp32", "int8"):
        small = ("--size", "24", "-n", "20", "--steps", "30", "--threads", "1", "--no-video")
        names = ("--seed", "2", "--precision", precision, "--name", precision, "--json")
        assert main(["fit", "sample:cat", *small, *names]) == 0
        printed = capsys.readouterr()
        found[precision] = json.loads(printed.out)
        assert ("int8 cost" in printed.err) == (precision == "int8")
    lost = found["fp32"]["psnr"] - found["int8"]["psnr"]
    cost = found["int8"]["precision_cost"]
    assert cost == pytest.approx(lost, abs=1e-9)
    assert f"int8 cost {cost:.2f} dB" in printed.err
    assert found["fp32"]["precision_cost"] is None


def test_on_the_command_line_made_again_and_resumed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    flags = ("--target-bytes", "3000", "--precision", "int8", "--size", "24", "--no-video")
    arguments = ("fit", *flags, "--steps", "4", "--threads", "1", "--seed", "2", "--json", "-q")
    assert main([*arguments]) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["file_bytes"] == Path(first["outputs"]["art"]).stat().st_size <= 3000
    assert first["recipe"]["primitive"]["count"] == first["count"]
    again = ("fit", "--recipe", first["outputs"]["art"], "--out", "again", "--json", "-q")
    assert main([*again]) == 0
    second = json.loads(capsys.readouterr().out)
    assert second["recipe"] == first["recipe"]
    assert Path(second["outputs"]["art"]).read_bytes() == Path(first["outputs"]["art"]).read_bytes()


def test_a_resumed_batch_agrees_with_what_became_of_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small = ("--size", "24", "--steps", "2", "--threads", "1", "--no-video", "-q", "--seeds", "2,3")
    assert main(["fit", "--target-bytes", "3000", *small]) == 0
    assert main(["fit", "--target-bytes", "3000", "--resume", *small]) == 0
    assert main(["fit", "--count", "500", "--resume", *small]) == 2


def test_a_drawing_to_start_from_has_its_size(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small = ("--size", "24", "--steps", "2", "--threads", "1", "--no-video", "-q")
    assert main(["fit", "-n", "4", *small]) == 0
    start = "artgen-out/astronaut-gaussian.art"
    assert main(["fit", "--init", start, "--target-bytes", "900", "--name", "b", *small]) == 2
    assert "leave out --target-bytes" in capsys.readouterr().err
