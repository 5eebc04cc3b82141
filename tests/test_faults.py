"""A mistake in a plugin ends in one sentence with its file and line, and exit code 4."""

from __future__ import annotations

import contextlib
import json
import textwrap
from dataclasses import replace

import numpy as np
import pytest
import torch

import artgen.values.canvas
from artgen.base.errors import PluginError
from artgen.base.faults import line_at_fault, plugin_code
from artgen.cli._main import main
from artgen.registry import Registry

FIT = ["fit", "sample:astronaut", "--size", "16", "-n", "3", "--steps", "8", "--no-video", "-q"]
HEAD = "import artgen, torch\nfrom artgen import Param, Splat, init\n"
DISC = """
class Disc(Splat):
    params = {{"size": Param(init=init.from_spacing(0.6), lr=0.1, map="exp")}}
    {more}
    def footprint(self, dx, dy, p):
        return {weight}
    def radius(self, p):
        return 2 * p.size
"""
LOSS = "def bad{body}\n@artgen.hookimpl\ndef artgen_losses(): return [artgen.Spec('bad', 'x', bad)]"
TARGET = (
    "def bad{body}\n@artgen.hookimpl\ndef artgen_targets(): return [artgen.Spec('bad', 'x', bad)]"
)
SQUARE = "(image - target).square().mean()"
GOOD = "torch.exp(-(dx * dx + dy * dy) / p.size)"
OCTAGON = """class Octagon(artgen.Shape):
  genes, vertices = 3, 8
  @staticmethod
  def random(genes, rng, x, y, size): genes[:] = x
  @staticmethod
  def outline(genes, points):
    for i in range(8):
      points[i, 0] = i % 3
      points[i, 1] = i
"""
EMPTY = """  def start(self, problem): self.now = problem.drawing
  def drawing(self, best): return self.now
  def advance(self, steps): pass
  def report(self): return artgen.engines.Report(0, 1.0, None, False)
  def state_dict(self): return {}
  def load_state_dict(self, state): pass
@artgen.hookimpl
def artgen_engines(): return [artgen.Spec('bad', 'x', Bad)]
"""
FAMILY = """class Plain(artgen.Primitive):
  family, params = "plain", {{"colour": Param(3)}}
@artgen.family.paint.register(Plain)
def paint_plain({}):
  {}
"""

MISTAKES = {
    "arguments of a loss": (
        LOSS.format(body="(image, target): return 0"),
        ["--loss", "bad"],
        r"loss 'bad' of bad.py (bad.py, line 3) takes (image, target), but is called with (image, ",
    ),
    "error in a loss": (
        LOSS.format(body="(image, target, weight):\n  return image.nothing()"),
        ["--loss", "bad"],
        "loss 'bad' (bad.py, line 4: return image.nothing()) raised AttributeError: 'Tensor' obj",
    ),
    "gradient of a loss": (
        LOSS.format(
            body=f"(image, target, weight): return {SQUARE} + (image - image).abs().sqrt().mean()"
        ),
        ["--loss", "bad"],
        "loss 'bad' (bad.py, line 3) has a gradient that is NaN or infinite, for a finite picture",
    ),
    "arguments of a target": (
        TARGET.format(body="(rest): return rest"),
        ["bad:1"],
        "target 'bad' of bad.py (bad.py, line 3) takes (rest), but is called with (rest, request)",
    ),
    "array as a target": (
        TARGET.format(body="(rest, request): return torch.zeros(3).numpy()"),
        ["bad:1"],
        "target 'bad' of bad.py (bad.py, line 3) gave ndarray, not a target",
    ),
    "error in a target": (
        TARGET.format(body="(rest, request):\n  return {}[rest]"),
        ["bad:1"],
        "target 'bad' of bad.py (bad.py, line 4: return {}[rest]) raised KeyError: '1'",
    ),
    "error in a splat": (
        DISC.format(more="", weight="torch.exp(-dx * dx / p.sise)"),
        ["-p", "disc"],
        "primitive 'disc' of bad.py (bad.py, line 8: return torch.exp(-dx * dx / p.sise)) raised ",
    ),
    "shape of a splat": (
        DISC.format(more="", weight="torch.stack([dx * dy, dy * dx])"),
        ["-p", "disc"],
        "footprint of Disc (bad.py, line 7) gave a tensor of shape [2, 1, ",
    ),
    "colour of a splat": (
        DISC.format(more="", weight=GOOD).replace('"size"', '"colour": Param(init=0.5), "size"'),
        ["-p", "disc"],
        "Disc (bad.py, line 4) redefines the parameter colour with the shape [], not [3]",
    ),
    "bounds in a preset": (
        DISC.format(
            more="presets = {'far': artgen.Preset(params={'size': {'min': 2.0, 'max': 1.0}})}",
            weight=GOOD,
        ),
        ["-p", "disc", "--set", "preset=far"],
        "parameter 'size' in a preset of Disc (bad.py, line 4) raised ValueError: min must not be",
    ),
    "blend of a splat": (
        DISC.format(more="blend = 'ovr'", weight=GOOD),
        ["-p", "disc"],
        "blend of primitive 'disc' of bad.py (bad.py, line 4) is 'ovr', not one of sum, mean, ",
    ),
    "options of a splat": (
        DISC.format(more="class Options: hard: float = 1.5", weight=GOOD),
        ["-p", "disc"],
        "Options of primitive 'disc' of bad.py (bad.py, line 6) is not a dataclass, so its options",
    ),
    "option called as a key": (
        DISC.format(
            more="@__import__('dataclasses').dataclass(frozen=True)\n    class Options:\n"
            "        count: int = artgen.option(3, 'how many')",
            weight=GOOD,
        ),
        ["-p", "disc"],
        "Options of primitive 'disc' of bad.py (bad.py, line 6) has an option 'count', which is a",
    ),
    "option without a default": (
        DISC.format(
            more="@__import__('dataclasses').dataclass(frozen=True)\n    class Options:\n"
            "        spread: float",
            weight=GOOD,
        ),
        ["-p", "disc", "--set", "spread=2"],
        "Options of primitive 'disc' of bad.py (bad.py, line 6) has no default of 'spread'",
    ),
    "option of an engine called as a key": (
        "class Bad(artgen.Engine):\n  families = ('splat',)\n"
        "  @__import__('dataclasses').dataclass(frozen=True)\n  class Options:\n"
        "    steps: int = artgen.option(3, 'how many')\n" + EMPTY,
        ["-e", "bad"],
        "options of engine bad (bad.py, line 5) has an option 'steps', which is a key of every st",
    ),
    "NaN in a splat": (
        DISC.format(more="", weight="torch.sqrt(-1 - dx * dx) * p.size"),
        ["-p", "disc"],
        "footprint of primitive Disc (bad.py, line 7) gives NaN or infinity for finite parameters",
    ),
    "NaN in a field": (
        "class Plain(artgen.Field):\n  params = {'c': Param(3)}\n"
        "  def forward(self, xy, p):\n    return torch.sqrt(0 * xy[:, :1] - 1) + p.c",
        ["-p", "plain"],
        "forward of primitive Plain (bad.py, line 5) gives NaN or infinity for finite parameters",
    ),
    "rows of a field": (
        "class Plain(artgen.Field):\n  params = {'c': Param(3)}\n"
        "  def forward(self, xy, p):\n    return xy[:1, :1] + p.c",
        ["-p", "plain"],
        "forward of primitive Plain (bad.py, line 5) gave a tensor of shape [1, 3] for 256 positi",
    ),
    "arguments of a splat": (
        DISC.format(more="def ellipse(self): pass", weight=GOOD),
        ["-p", "disc"],
        "ellipse of primitive 'disc' of bad.py (bad.py, line 6) takes (self), but is called with (",
    ),
    "number for a method": (
        DISC.format(more="ellipse = 3", weight=GOOD),
        ["-p", "disc"],
        "ellipse of primitive 'disc' of bad.py (bad.py, line 4) is 3, not a function",
    ),
    "number for a method of an engine": (
        "class Bad(artgen.Engine):\n  advance = 7\n"
        "@artgen.hookimpl\ndef artgen_engines(): return [artgen.Spec('bad', 'x', Bad)]\n"
        "@artgen.hookimpl\ndef artgen_primitives(): return [artgen.Spec('disc', 'x', Disc)]\n"
        + DISC.format(more="engines = ('bad',)", weight=GOOD),
        ["-p", "disc"],
        "advance of engine 'bad' of bad.py (bad.py, line 3) is 7, not a function",
    ),
    "arguments of an engine": (
        "class Bad(artgen.Engine):\n  def advance(self): pass\n"
        "@artgen.hookimpl\ndef artgen_engines(): return [artgen.Spec('bad', 'x', Bad)]\n"
        "@artgen.hookimpl\ndef artgen_primitives(): return [artgen.Spec('disc', 'x', Disc)]\n"
        + DISC.format(more="engines = ('bad',)", weight=GOOD),
        ["-p", "disc"],
        "advance of engine 'bad' of bad.py (bad.py, line 4) takes (self), but is called with (self",
    ),
    "type of an attribute": (
        DISC.format(more="engines = 'gradient'", weight=GOOD),
        ["-p", "disc"],
        "engines of primitive 'disc' of bad.py (bad.py, line 4) is 'gradient', not tuple[str, ...]",
    ),
    "missing method": (
        DISC.format(more="", weight=GOOD).replace("def radius", "def radios"),
        ["-p", "disc"],
        "Disc (bad.py, line 4) does not define radius or ellipse",
    ),
    "radius of a splat": (
        DISC.format(more="", weight=GOOD).replace("2 * p.size", "2"),
        ["-p", "disc"],
        "radius of Disc (bad.py, line 9) gave int, not a tensor",
    ),
    "engine of a splat": (
        DISC.format(more="engines = ('gradiant',)", weight=GOOD),
        ["-p", "disc"],
        "Disc (bad.py, line 4) names an engine that is not there: unknown engine 'gradiant'",
    ),
    "initial values": (
        DISC.format(more="", weight=GOOD).replace("init.from_spacing(0.6)", "lambda c: 1"),
        ["-p", "disc"],
        "init of Disc.size (bad.py, line 5) raised TypeError: ",
    ),
    "written past the end": (
        OCTAGON.replace("range(8)", "range(9)"),
        ["-p", "octagon"],
        "Octagon.outline (bad.py, line 10: points[i, 0] = i % 3) raised IndexError: index 8 is out",
    ),
    "corners left out": (
        OCTAGON.replace("range(8)", "range(7)"),
        ["-p", "octagon"],
        "Octagon.outline (bad.py, line 7) does not set corner 7",
    ),
    "never valid": (
        OCTAGON + "  @staticmethod\n  def valid(genes): return genes[0] > 9",
        ["-p", "octagon"],
        "Octagon.valid (bad.py, line 12) rejects all of 200 shapes made by random",
    ),
    "cannot be compiled": (
        OCTAGON.replace("genes[:] = ", "len(locals()); genes[:] = "),
        ["-p", "octagon"],
        "Octagon.random (bad.py, line 6) cannot be compiled: ",
    ),
    "partition without a line": (
        "class Cells(artgen.Partition):\n  def lines(genes, y): return 0, 0",
        ["-p", "cells"],
        "Cells (bad.py, line 3) does not define line",
    ),
    "colours of a mesh": (
        "class Flat(artgen.Mesh):\n  def corner_colours(self, xy, triangles):\n"
        "    return triangles + len(xy)",
        ["-p", "flat", "-n", "6"],
        "corner_colours of Flat (bad.py, line 4) gave int64 [",
    ),
    "strokes of ink": (
        "class Five(artgen.Ink):\n  def place(self, sheet):\n"
        "    return artgen.ink.Marks(torch.zeros(3, 5).numpy(), torch.zeros(3).numpy())",
        ["-p", "five"],
        "place of Five (bad.py, line 4) gave strokes and ink of the shapes (3, 5) and (3,)",
    ),
    "channels of a field": (
        "class Plain(artgen.Field):\n  params = {'c': Param(2)}\n"
        "  def forward(self, xy, p): return xy * p.c",
        ["-p", "plain"],
        "Plain (bad.py, line 3) draws a tensor of shape [2, 16, 16], not [3, 16, 16]",
    ),
    "gradient of a field": (
        "class Plain(artgen.Field):\n  params = {'c': Param(3)}\n"
        "  def forward(self, xy, p): return 0 * xy[:, :1] + p.c.detach()",
        ["-p", "plain"],
        "Plain (bad.py, line 3) has no gradient: ",
    ),
    "families of an engine": (
        "class Bad(artgen.Engine):\n  families = ('splats',)\n" + EMPTY,
        ["-e", "bad"],
        "families of engine 'bad' (bad.py, line 3) names 'splats', which is no family of a primiti",
    ),
    "steps of an engine": (
        "class Bad(artgen.Engine):\n  families = ('splat',)\n" + EMPTY,
        ["-e", "bad"],
        "advance of engine Bad (bad.py, line 7) left step at 0",
    ),
    "report of an engine": (
        "class Bad(artgen.Engine):\n  families = ('splat',)\n"
        + EMPTY.replace("artgen.engines.Report(0, 1.0, None, False)", "1.0"),
        ["-e", "bad"],
        "report of engine Bad (bad.py, line 8) gave float, not Report",
    ),
    "state of an engine": (
        "class Bad(artgen.Engine):\n  families = ('splat',)\n"
        + EMPTY.replace(
            "def advance(self, steps): pass", "def advance(self, steps): self.step += 1"
        ).replace("return {}", "return None"),
        ["-e", "bad"],
        "state_dict of engine Bad (bad.py, line 9) raised AttributeError",
    ),
    "arguments of an observer": (
        "@artgen.hookimpl\ndef artgen_observe(events): pass",
        ["-p", "circle"],
        "plugin file bad.py cannot be used: artgen_observe (bad.py, line 3) takes (events), but is",
    ),
    "arguments of a family's function": (
        FAMILY.format("plain, tensors, canvas", "return"),
        ["-p", "plain"],
        "paint of Plain (bad.py, line 5) takes (plain, tensors, canvas), but is called with (",
    ),
    "error in a family's function": (
        FAMILY.format("plain, tensors, canvas, **_", "return tensors['top']"),
        ["-p", "plain"],
        "paint of Plain (bad.py, line 7: return tensors['top']) raised KeyError: 'top'",
    ),
    "result of a family's function": (
        FAMILY.format("plain, tensors, canvas, **_", "return"),
        ["-p", "plain"],
        "paint of Plain (bad.py, line 5) gave NoneType, not Tensor",
    ),
    "a function registered for no family": (
        FAMILY.replace("(Plain)\ndef", "\ndef").format("plain, tensors, canvas, **_", "return"),
        ["-p", "plain"],
        "paint.register takes the class of a family, got <function paint_plain",
    ),
}


PRESETS = {
    "options": ("options={'visibilty': 'off'}", "preset 'a' of Disc has no option 'visibilty'"),
    "parameter": ("params={'sise': {'lr': 1}}", "a preset of Disc (bad.py, line 4) sets no param"),
    "setting": ("params={'size': {'rl': 1}}", "a preset of Disc (bad.py, line 4) sets the unkn"),
    "target": (
        "target={'aspct': '1:1'}",
        "preset 'a' of Disc (bad.py, line 4) sets target.aspct, ",
    ),
    "engine": ("engines=('gradiant',)", "preset 'a' of Disc (bad.py, line 4) is for the unknown"),
}


def test_a_loss_of_a_preset_is_a_text(tmp_path):
    more = "presets = {'a': artgen.Preset(stage={'loss': len})}"
    (tmp_path / "bad.py").write_text(HEAD + DISC.format(more=more, weight=GOOD))
    disc = Registry(files=[tmp_path / "bad.py"]).load("primitive", "disc")
    with pytest.raises(PluginError, match=r"stage of Disc \(bad.py, line 4\): loss must be text"):
        artgen.fit(np.zeros((8, 8, 3), np.uint8), disc, preset="a", count=2, steps=1)


@pytest.mark.parametrize("name", PRESETS)
def test_a_misspelt_key_of_a_preset_is_refused(name, tmp_path):
    keys, message = PRESETS[name]
    more = f"presets = {{'a': artgen.Preset({keys})}}"
    (tmp_path / "bad.py").write_text(HEAD + DISC.format(more=more, weight=GOOD))
    disc = Registry(files=[tmp_path / "bad.py"]).load("primitive", "disc")
    with pytest.raises(PluginError) as caught:
        artgen.fit(np.zeros((8, 8, 3), np.uint8), disc, preset="a", count=2, steps=1)
    assert caught.value.message.startswith(message)
    assert "(bad.py, line 4)" in caught.value.message
    assert caught.value.hint


def test_save_names_the_line_of_an_exporter(tmp_path):
    art = artgen.fit(np.zeros((8, 8, 3), np.uint8), "gaussian", count=2, steps=1)
    source = "def bad(art, request): return 1 / 0\n@artgen.hookimpl\n"
    source += "def artgen_exporters(): return [artgen.Spec('bad', 'x', bad)]"
    (tmp_path / "bad.py").write_text(HEAD + source)
    loose = replace(art, registry=Registry(files=[tmp_path / "bad.py"]))
    with pytest.raises(PluginError, match=r"exporter 'bad' .*\(bad.py, line 3: .*ZeroDivision"):
        loose.save(tmp_path / "a.bad")
    registered = Registry()
    registered.register(lambda art, request: 1 / 0, "bad", kind="exporter")
    with pytest.raises(ZeroDivisionError):
        replace(art, registry=registered).save(tmp_path / "a.bad")
    assert not (tmp_path / "a.bad").exists()


@pytest.mark.parametrize("name", MISTAKES)
def test_ends_in_a_sentence_with_the_line(name, tmp_path, monkeypatch, capsys):
    source, arguments, message = MISTAKES[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.py").write_text(HEAD + textwrap.dedent(source))
    command = [*FIT[:1], *(FIT[1:] if arguments[0] != "bad:1" else FIT[2:]), *arguments]
    if "Field" in source:
        command = [each for each in command if each not in ("-n", "3")]
    assert main([*command, "--plugin", "bad.py"]) == 4
    error, hint = capsys.readouterr().err.splitlines()[-2:]
    assert error.startswith(f"error: {message}")
    assert len(hint) > len("hint: ")


def test_artgens_own_code_is_no_plugin_where_one_offers_it(tmp_path):
    (tmp_path / "lazy.py").write_text(
        HEAD + "@artgen.hookimpl\ndef artgen_losses():\n"
        "  return [artgen.Spec('lazy', 'x', 'artgen.losses:l1')]"
    )
    Registry(files=[tmp_path / "lazy.py"]).load("loss", "lazy")
    with pytest.raises(TypeError), plugin_code():
        artgen.values.canvas.Canvas("a", 1).scaled(2)


def test_an_exporter_gives_bytes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    source = "def bad(art, request): return 'x'\n@artgen.hookimpl\n"
    source += "def artgen_exporters(): return [artgen.Spec('txt', 'x', bad)]"
    (tmp_path / "bad.py").write_text(HEAD + source)
    assert main([*FIT, "--name", "a"]) == 0
    art = "artgen-out/a.art"
    assert main(["render", art, "-o", "a.txt", "--plugin", "bad.py"]) == 4
    assert "exporter 'txt' (bad.py, line 3) gave str, not bytes" in capsys.readouterr().err


def test_a_pattern_that_never_matches_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    source = "@artgen.hookimpl\ndef artgen_targets():\n"
    source += "  return [artgen.Spec('pgm', 'x', print, files=('*.PGM',))]"
    (tmp_path / "bad.py").write_text(HEAD + source)
    assert main([*FIT, "--plugin", "bad.py"]) == 4
    assert "patterns are in lower case, write '*.pgm'" in capsys.readouterr().err


def test_the_line_at_fault_is_never_that_of_a_library(tmp_path):
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads("[")
    line = line_at_fault(caught.value)
    assert line is not None
    assert line.line == 'json.loads("[")'
    with pytest.raises(RuntimeError, match="size") as caught, contextlib.suppress(KeyError):
        torch.ones(2) @ torch.ones(3)
    assert line_at_fault(caught.value).filename == __file__
    # Code of packages counts where they are plugins.
    (tmp_path / "lined.py").write_text(HEAD + "class Lined(Splat):\n  def radius(self, p): 1 / 0")
    registry = Registry(files=[tmp_path / "lined.py"])
    with pytest.raises(ZeroDivisionError) as caught:
        registry.load("primitive", "lined").radius(None, None)
    assert line_at_fault(caught.value).line.startswith("def radius")
