"""A family that a plugin brings: the one of the guide, of which artgen itself knows nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from importlib.metadata import EntryPoint
from pathlib import Path
from xml.etree import ElementTree

import helpers
import numpy as np
import pytest
import torch
from helpers import PYTHON, video_frames
from test_guides import plugin_of
from test_resume import assert_same

import artgen
from artgen import Drawing, family
from artgen.animation.morph import morph
from artgen.art import Art, ExportRequest, load
from artgen.cli import main
from artgen.errors import PluginError, UsageError
from artgen.events import Advanced
from artgen.exporters import export_html, export_json, export_mp4, export_pdf, export_svg
from artgen.hookspecs import GROUP
from artgen.raster import draw
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs import run
from artgen.testing import Failed, add_checks, checks_of, examine

SOURCES = Path(artgen.__file__).parent


@pytest.fixture
def plugin(tmp_path):
    return plugin_of("family", tmp_path)


@pytest.fixture
def registry(plugin):
    return Registry(files=[plugin], environ={})


def recipe(photo: Path, steps: int = 60, seed: int = 5, count: int = 6, **tables: dict) -> Recipe:
    table = {"name": "bands", "count": count}
    asked = helpers.recipe(photo, {"steps": steps}, primitive=table, **tables)
    return helpers.changed(asked, {"seed": seed})


@pytest.fixture
def art(photo, registry):
    return run(recipe(photo, output={"history": 4, "video": False}), registry).art


def test_artgen_does_not_know_it():
    for path in SOURCES.rglob("*.py"):
        assert "Bands" not in path.read_text(encoding="utf-8"), path


def test_it_is_fitted_saved_and_loaded(photo, registry, tmp_path):
    losses = []

    def watch(event):
        losses.extend([event.loss] if hasattr(event, "loss") else [])

    outcome = run(recipe(photo), registry, out=tmp_path / "out", observers=[watch])
    assert min(losses) < 0.8 * losses[0]
    (saved,) = (tmp_path / "out").glob("*.art")
    loaded = load(saved, registry=registry)
    for name, tensor in outcome.art.drawing.tensors.items():
        assert torch.equal(loaded.drawing.tensors[name], tensor)
    assert loaded.to_bytes() == saved.read_bytes()
    (video,) = (tmp_path / "out").glob("*.mp4")
    assert len(video_frames(video)) == 8


def test_killed_it_resumes_to_the_same_bytes(photo, plugin, registry, tmp_path):
    asked = recipe(photo, steps=300)
    worker = """
import json, os, signal, sys
from pathlib import Path
from artgen.events import Advanced
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs import run

def die(event):
    if isinstance(event, Advanced) and event.step >= 120:
        os.kill(os.getpid(), signal.SIGKILL)

recipe, plugin, out = sys.argv[1:]
registry = Registry(files=[Path(plugin)], environ={})
recipe = Recipe.from_dict(json.loads(recipe))
run(recipe, registry, out=Path(out), observers=[die], checkpoint_every=50)
"""
    words = json.dumps(asked.to_dict()), str(plugin), str(tmp_path / "killed")
    killed = subprocess.run([*PYTHON, "-c", worker, *words], env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    steps = []

    def watch(event):
        steps.extend([event.step] if isinstance(event, Advanced) else [])

    run(asked, registry, out=tmp_path / "killed", resume=True, observers=[watch])
    assert 50 < steps[0] < 300
    run(asked, registry, out=tmp_path / "whole")
    assert_same(tmp_path / "killed", tmp_path / "whole")


def test_it_is_the_same_picture_at_three_sizes(art):
    primitive = art.primitive()
    small, middle, large = (
        draw(art.drawing, primitive, art.drawing.canvas.scaled(side)) for side in (12, 24, 240)
    )
    assert [tuple(image.shape) for image in (small, middle, large)] == [
        (3, 8, 12),
        (3, 16, 24),
        (3, 160, 240),
    ]
    # A row is the mean of those that take its place: coverage is exact at every size.
    for image in (small, middle):
        fold = large.shape[1] // image.shape[1]
        pooled = torch.nn.functional.avg_pool2d(large[None], fold)[0]
        torch.testing.assert_close(pooled, image, atol=1e-5, rtol=0)


def test_it_is_filmed(art, photo, registry, tmp_path):
    frames = list(art.frames(24))
    assert len(frames) > 4
    assert not np.array_equal(frames[0], frames[-1])
    other = run(recipe(photo, steps=10, seed=6, count=9), registry).art
    both = morph(art, other, seconds=1, hold=0)
    for time, end in ((0.0, art), (1.0, other)):
        difference = both.at(time).render(24).astype(int) - end.render(24).astype(int)
        assert np.abs(difference).max() <= 1
    assert both.at(0.5).drawing.tensors["colour"].shape == (3, 9)
    film = export_mp4(both, ExportRequest(size=24))
    (tmp_path / "morph.mp4").write_bytes(film)
    assert len(video_frames(tmp_path / "morph.mp4")) == 30


def test_it_is_listed_shown_and_checked(plugin, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(["plugins", "list", "--plugin", str(plugin)]) == 0
    assert "primitive: bands" in capsys.readouterr().out
    assert main(["plugins", "show", "bands", "--plugin", str(plugin), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["family"] == "stripes"
    assert shown["backend"]["name"] == "eager"
    assert main(["plugins", "check", str(plugin)]) == 0


def test_a_distribution_may_bring_it(plugin, monkeypatch):
    monkeypatch.syspath_prepend(plugin.parent)
    entry_point = EntryPoint("stripes", "stripes", GROUP)
    registry = Registry(environ={}, entry_points=[entry_point])
    (entry,) = registry.offered_by("stripes")
    assert {outcome.status for outcome in examine(entry, registry)} == {"ok"}


def test_its_objective_adds_options_to_the_engine(plugin, photo, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    common = [str(photo), "--plugin", str(plugin), "-e", "gradient", "-n", "4", "--steps", "40"]
    common += ["--seed", "1", "--size", "24", "-q"]
    # The catalogue knows the engine from now on, as it is without the plugin.
    bare = ["fit", str(photo), "-p", "gaussian", "--steps", "1", "-q", "--set", "engine.calm=1"]
    assert main(bare) == 2
    colours = []
    for calm in ("0", "100"):
        asked = ["-p", "bands", "--set", f"engine.calm={calm}", "--name", f"calm{calm}"]
        assert main(["fit", *common, *asked]) == 0
        art = load(tmp_path / "artgen-out" / f"calm{calm}.art", registry=Registry(files=[plugin]))
        assert art.recipe.stage[0].options["calm"] == float(calm)
        colours.append(float(art.drawing.tensors["colour"].square().mean()))
    assert colours[1] < 0.8 * colours[0]
    capsys.readouterr()
    assert main(["plugins", "show", "gradient", "--plugin", str(plugin)]) == 0
    assert "weight of the mean squared colour (stripes)" in capsys.readouterr().out
    assert main(["fit", *common, "-p", "gaussian", "--set", "engine.calm=1"]) == 2
    errors = capsys.readouterr().err
    assert "engine gradient has no option 'calm' for a splat" in errors
    assert "calm is an option of the engine for stripes primitives" in errors


def test_the_base_class_of_a_family_is_no_primitive(plugin):
    text = plugin.read_text().replace("@hookimpl\ndef artgen_primitives", "def unused")
    plugin.write_text(text)
    registry = Registry(files=[plugin], environ={})
    assert [entry.name for entry in registry.offered_by(plugin)] == ["bands"]


def test_checks_of_its_own_are_added(registry):
    bands = registry.load("primitive", "bands")

    def extreme(candidate):
        """A first drawing has medium colours."""
        _, drawing = candidate.drawing()
        if float(drawing.tensors["colour"].max()) > 0.1:
            raise Failed("too bright")

    add_checks(bands.__mro__[1], extreme)
    assert checks_of(bands)[-1] is extreme
    assert extreme not in checks_of(artgen.Splat)
    found = {each.check: each for each in examine(registry.find("primitive", "bands"), registry)}
    assert found["extreme"].detail.startswith("too bright (stripes.py, line ")


def test_it_is_exported(art):
    root = ElementTree.fromstring(export_svg(art, ExportRequest()))
    bands = root.findall(".//{http://www.w3.org/2000/svg}polygon")
    assert len(bands) == 6
    data = json.loads(export_json(art, ExportRequest()))
    assert [len(part["outline"]) for part in data["shapes"]] == [4] * 6
    assert [band.get("fill") for band in bands] == [part["colour"] for part in data["shapes"]]
    assert export_pdf(art, ExportRequest()).startswith(b"%PDF")
    assert b"<script>" in export_html(art, ExportRequest())
    with pytest.raises(UsageError, match="transparent"):
        export_svg(art, ExportRequest(transparent=True))
    with pytest.raises(UsageError, match="bands cannot be drawn on a transparent background"):
        art.render(transparent=True)


class Plain(artgen.Primitive):
    """One colour, of a family that answers nothing."""

    family = "plain"
    params = {"colour": artgen.Param(3)}


def test_what_a_family_does_not_answer_is_refused_by_name():
    registry = Registry(environ={})
    registry.register(Plain)
    drawing = Drawing("plain", {}, {"colour": torch.zeros(3, 1)}, 8, 8)
    art = Art(drawing, Recipe(), registry=registry)
    with pytest.raises(PluginError, match="Plain cannot be painted"):
        art.render(8)
    with pytest.raises(UsageError, match="Plain is of the family plain, which cannot be morphed"):
        morph(art, art)
    with pytest.raises(UsageError, match="plain is a plain and cannot be written as"):
        export_svg(art, ExportRequest())
    with pytest.raises(UsageError, match="plain is a plain: it has no parts"):
        family.pen_parts(Plain(), drawing)
    with pytest.raises(UsageError, match="Plain cannot run compiled"):
        family.choose_backend(Plain(), "cpu", "compiled")
    with pytest.raises(UsageError, match="Plain cannot start from Plain"):
        family.convert_parts(
            Plain(),
            Plain(),
            drawing,
            count=1,
            seed=0,
            target=torch.zeros(3, 8, 8),
            weight=None,
            background=(0.0, 0.0, 0.0),
        )
