"""The conformance kit passes what we ship, and every check catches what it is there for."""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import BY_DAY, listed_under

import artgen_plugins
from artgen import Field, Param, Preset, Shape, Splat, init, option, pixels
from artgen.errors import PluginError
from artgen.registry import Registry
from artgen.testing import advice, checks_of, claim, conformance, examine, judge
from artgen.testing.candidate import Candidate
from artgen_plugins.scratch import ScratchEngine

DATA = Path(__file__).parent / "data"
SIZE = Param(init=init.from_spacing(0.6), min=pixels(1 / 3), lr=0.1, map="exp")


# ---- what passes ---------------------------------------------------------------------------------

COMPILING = {"drawing", "randomness", "seed", "learning", "compiled", "cost", "options"}
"""The checks that fit or draw, for which a shape's kernels are compiled: seconds for each shape."""


MAKERS = (
    "block",
    "embroidery",
    "filament",
    "glass",
    "paper",
    "plotter",
    "quilt",
    "stencil",
    "string",
)
"""Makers that take seconds for a photo. `test_tasks` makes each by day, and tests of their own look
into their files; in these equal drawings give equal bytes."""

LONG = {
    # By day that of gaussian; the kernels of fourier are four, for its blends and waves.
    *("cloud-compiled", "fourier-compiled", "shard-compiled", "stamp-compiled", "stroke-compiled"),
    *("charcoal-drawing", "wash-drawing"),  # by day that of papercut, of whose filled rows they are
    *("string-marks", "string-seed"),  # by day those of stipple, halftone, mosaic and panes
    *("hatch-seed", "path-marks"),  # by day that of wash, those of stipple, halftone and mosaic
    # By day those of mlp and siren, and of `test_latents`: they fit a second and a third time.
    *("fourier_features-seed", "latents-seed"),
    # By day those of paint, beads, fabric, cross-stitch, lithophane, ...
    *(f"{name}-{check}" for name in MAKERS for check in ("makes", "purity", "purity0", "drawings")),
}
"""Checks of single primitives that take many seconds, and which others stand for."""


def _by_night(test):
    """Leave to the night what compiles the kernels of the other shapes, and what takes long."""
    [parametrized] = test.pytestmark
    cases = parametrized.args[1]
    for index, case in enumerate(cases):
        check, offer = case.values
        is_shape = isinstance(offer.loaded, type) and issubclass(offer.loaded, Shape)
        compiles = is_shape and offer.name not in BY_DAY and check.__name__ in COMPILING
        if compiles or case.id in LONG:
            late = pytest.mark.nightly
            cases[index] = pytest.param(check, offer, id=case.id, marks=late)
    return test


test_shipped = _by_night(conformance(artgen_plugins))
test_loose_file = conformance(DATA / "artgen-dab/src/artgen_dab/dab.py")


# ---- what does not -------------------------------------------------------------------------------


class Disc(Splat):
    """A soft disc, and what the bad ones below are derived from."""

    params: Mapping[str, Param] = {"size": SIZE}

    def footprint(self, dx, dy, p):
        return torch.exp(-(dx * dx + dy * dy) / (p.size * p.size))

    def radius(self, p):
        return 2.6 * p.size


class Waves(Field):
    """Plane waves, and what the bad ones below are derived from."""

    engines = ("gradient",)
    params: Mapping[str, Param] = {
        "frequency": Param(2, 9, init=init.normal(3.0), lr=0.05),
        "colour": Param(9, 3, init=init.normal(0.1), lr=0.01),
    }

    def forward(self, xy, p):
        return torch.sin(xy @ p.frequency) @ p.colour + 0.5


def outcome(cls: type[Any], check: str):
    registry = Registry(environ={}, entry_points=())
    # Engines and losses are those of the framework, primitives only this one.
    registry.register(cls)
    entry = registry.entries("primitive")[0]
    subject = Candidate(entry, registry, cls)
    [found] = [each for each in checks_of(cls) if each.__name__ == check]
    return judge(found, subject)


@pytest.mark.parametrize("cls", [Disc, Waves])
def test_the_good_ones_pass(cls):
    registry = Registry(environ={}, entry_points=())
    registry.register(cls)
    outcomes = list(examine(registry.entries("primitive")[0], registry))
    assert [each for each in outcomes if each.status != "ok"] == []
    assert len(outcomes) == len(checks_of(cls)) + 1


BAD: list[tuple[str, str, type[Any]]] = []


bad = listed_under(BAD)


@bad("deviations", "unknown check 'gradient' in known_deviations: did you mean gradients")
class UnknownDeviation(Disc):
    """Bad."""

    known_deviations = {"gradient": "why not"}


@bad("deviations", "known_deviations gives no reason for 'radius'")
class NoReason(Disc):
    """Bad."""

    known_deviations = {"radius": ""}


@bad("schema", "unknown engine 'gradeint': did you mean gradient")
class UnknownEngine(Disc):
    """Bad."""

    engines = ("gradeint",)


@bad("schema", "option rings must be a whole number from 1 to 8, got 9")
class DefaultOutOfBounds(Disc):
    """Bad."""

    @dataclass(frozen=True)
    class Options:
        # `option` itself refuses it.
        rings: int = field(default=9, metadata={"help": "how many", "low": 1, "high": 8})


@bad("names", "did you mean radius?")
class MisspeltRadius(Disc):
    """Bad."""

    def radious(self, p):
        return p.size


@bad("schema", "has no option 'rnigs'")
class PresetOfUnknownOption(Disc):
    """Bad."""

    @dataclass(frozen=True)
    class Options:
        rings: int = option(2, "how many", low=1, high=8)

    presets = {"many": Preset(options={"rnigs": 4})}


@bad("schema", "sets no parameter 'sice'")
class PresetOfUnknownParameter(Disc):
    """Bad."""

    presets = {"slow": Preset(params={"sice": {"lr": 0.1}})}


@bad("schema", "sets target.crop, which is no key of a target")
class PresetOfUnknownTarget(Disc):
    """Bad."""

    presets = {"square": Preset(target={"crop": "1:1"})}


@bad("schema", "tint is not a Param: 0.5")
class NoParam(Disc):
    """Bad."""

    @property
    def params(self):  # type: ignore[override]
        return {"size": SIZE, "tint": 0.5}


@bad("schema", "change in JSON")
class NotJson(Disc):
    """Bad."""

    @dataclass(frozen=True)
    class Options:
        ends: tuple[int, int] = option((1, 2), "where")


@bad("documentation", "has no docstring")
class NoDocstring(Disc):
    pass


@bad("documentation", "option rings of ForgottenHelp has no help")
class ForgottenHelp(Disc):
    """Bad."""

    @dataclass(frozen=True)
    class Options:
        rings: int = 3


@bad("documentation", "option rings of NoBounds has neither a low nor a high bound")
class NoBounds(Disc):
    """Bad."""

    @dataclass(frozen=True)
    class Options:
        rings: int = option(3, "how many")


@bad("options", "HardToNothing with hardness=0.0 on 36x24 pixels draws")
class HardToNothing(Disc):
    """Bad."""

    @dataclass(frozen=True)
    class Options:
        hardness: float = option(1.0, "how hard the edge is", low=0, high=8)

    def footprint(self, dx, dy, p):
        return super().footprint(dx, dy, p) / torch.tensor(self.options.hardness)


@bad("init", "gave [5], not a tensor [1]")
class OneShape(Disc):
    """Bad."""

    params = {"size": Param(init=lambda context, shape: torch.ones(5), map="exp")}


@bad("init", "TypeError: 'NoneType' object is not subscriptable")
class NeedsATarget(Disc):
    """Bad."""

    params = {
        "size": Param(init=lambda context, shape: context.target[0].mean().expand(shape) + 0.1)
    }


@bad("init", "init of size is NaN or infinite for 1 parts on 1x1 pixels")
class LogOfOne(Disc):
    """Bad."""

    params = {
        "size": Param(
            init=lambda context, shape: torch.full(shape, 0.0) / (context.count - 1), map="exp"
        )
    }


@bad("init", "size has min 2 above max 1 for 1 parts on 1x1 pixels")
class CrossedBounds(Disc):
    """Bad."""

    params = {"size": Param(init=0.5, min=pixels(1), max=1.0, map="exp")}


@bad("init", "init of size is -0.5, which its map 'exp' cannot reach")
class OutOfTheMap(Disc):
    """Bad."""

    params = {"size": Param(init=-0.5, map="exp")}


@bad("randomness", "seeding changes the global generator of torch")
class Seeding(Disc):
    """Bad: every check before has left the generator as this does."""

    def footprint(self, dx, dy, p):
        torch.manual_seed(0)
        return super().footprint(dx, dy, p)


@bad("randomness", "threading changes torch's number of threads")
class Threading(Disc):
    """Bad."""

    def footprint(self, dx, dy, p):
        torch.set_num_threads(1)
        return super().footprint(dx, dy, p)


def _global(context, shape):
    return 0.1 + 0.1 * torch.rand(shape)


def _numpy(context, shape):
    return torch.from_numpy(0.1 + 0.1 * np.random.rand(*shape)).float()


def _python(context, shape):
    return torch.full(shape, 0.1 + 0.1 * random.random())


def _fresh(context, shape):
    return torch.from_numpy(0.1 + 0.1 * np.random.default_rng().random(shape)).float()


for source, start in {"torch": _global, "numpy": _numpy, "Python": _python}.items():
    name = f"Random{source.title()}"
    cls = type(name, (Disc,), {"params": {"size": SIZE.replaced(init=start)}, "__doc__": "Bad."})
    bad("randomness", f"random_{source.lower()} changes the global generator of {source}")(cls)
    bad("seed", f"{name}: a first drawing with the same seed differs in size")(cls)


@bad("seed", "a first drawing with the same seed differs in size")
class Entropy(Disc):
    """Bad."""

    params = {"size": SIZE.replaced(init=_fresh)}


@bad("seed", "a fit with the same seed differs in")
class Forgetful(Disc):
    """Bad."""

    calls = [0]

    def footprint(self, dx, dy, p):
        self.calls[0] += 1
        return super().footprint(dx, dy, p) * (1 + 1e-3 * (self.calls[0] % 97))


@bad("drawing", "draws")
class LogOfNothing(Disc):
    """Bad."""

    def footprint(self, dx, dy, p):
        return torch.log(1 - (dx * dx + dy * dy) / (p.size * p.size))


@bad("round_trip", "AttributeError: 'Remembers' object has no attribute 'pixel'")
class Remembers(Disc):
    """Bad."""

    def resolve_options(self, canvas):
        self.pixel = canvas.pixel

    def footprint(self, dx, dy, p):
        return super().footprint(dx, dy, p) * min(1, 10 * self.pixel)


@bad("learning", "gradient did not lower the loss of Backwards in 30 steps")
class Backwards(Disc):
    """Bad."""

    params = {
        "size": SIZE.replaced(lr=1e-30),
        "xy": Param(2, init=0.0, lr=0.0),
        "colour": Param(3, init=-0.5, lr=0.0),
    }


@bad("finite", "the gradient of Cone.footprint in dx is NaN at dx = 0, dy = 0")
class Cone(Disc):
    """Bad."""

    def footprint(self, dx, dy, p):
        return torch.relu(1 - torch.sqrt(dx * dx + dy * dy) / p.size)


@bad("gradients", "the gradient of Detached.footprint in size is 0 along a random direction")
class Detached(Disc):
    """Bad."""

    def footprint(self, dx, dy, p):
        return torch.exp(-(dx * dx + dy * dy) / (p.size * p.size).detach())


@bad("gradients", "Useless.footprint does not depend on angle")
class Useless(Disc):
    """Bad."""

    params = {"size": SIZE, "angle": Param(init=0.0)}


@bad("gradients", "the gradient of WrongField.forward in frequency is")
class WrongField(Waves):
    """Bad."""

    def forward(self, xy, p):
        return torch.sin(xy @ p.frequency + (xy @ p.frequency).detach()) @ p.colour


@bad("bounds", "Unbounded at size = ")
class Unbounded(Disc):
    """Bad."""

    params = {"size": Param(init=0.3, lr=0.05)}

    def footprint(self, dx, dy, p):
        return torch.exp(-(dx * dx + dy * dy) / torch.sqrt(p.size))

    def radius(self, p):
        return p.size.abs() + 0.5


@bad("purity", "InPlace.footprint changes dx in place")
class InPlace(Disc):
    """Bad."""

    def footprint(self, dx, dy, p):
        dx *= 2
        return torch.exp(-(dx * dx + dy * dy) / (p.size * p.size))


@bad("purity", "gives another result when called again")
class Counts(Disc):
    """Bad."""

    calls = [0]

    def footprint(self, dx, dy, p):
        self.calls[0] += 1
        return super().footprint(dx, dy, p) * self.calls[0]


@bad("resolution", "levels between 36x24 and 108x72 pixels")
class Grid(Waves):
    """Bad."""

    def forward(self, xy, p):
        return super().forward(xy, p) * len(xy) / 1000


@bad("resolution", "levels between 36x24 and 108x72 pixels")
class SizeOfTile(Disc):
    """Bad."""

    def footprint(self, dx, dy, p):
        return super().footprint(dx, dy, p) * dx.abs().max()


@bad("device", "Table.footprint returns a tensor on cpu")
class Table(Disc):
    """Bad."""

    def footprint(self, dx, dy, p):
        table = torch.linspace(1, 0, 9)
        r = (dx * dx + dy * dy).sqrt() / p.size
        return table[(8 * r).clamp(0, 8).long()]


@bad("device", "returns a tensor on cpu")
class Homesick(Waves):
    """Bad."""

    def forward(self, xy, p):
        return torch.full((len(xy), 3), 0.5)


@bad("broadcasting", "WrongShape.footprint gives [1] for a batch of []")
class WrongShape(Disc):
    """Bad."""

    def footprint(self, dx, dy, p):
        return super().footprint(dx, dy, p)[..., None]


@bad("broadcasting", "differs from single parts")
class Neighbours(Disc):
    """Bad."""

    def footprint(self, dx, dy, p):
        return super().footprint(dx, dy, p) / (1 + p.size.mean())


@bad("radius", "is still 0.184 at dx")
class Short(Disc):
    """Bad."""

    def radius(self, p):
        return 1.3 * p.size


@bad("radius", "Shrinking has half axis -")
class Shrinking(Disc):
    """Bad."""

    params = {"size": Param(init=1.0, lr=0.1)}


@bad("blend", "falls to -0.488 with blend 'normalized'")
class Negative(Disc):
    """Bad."""

    blend = "normalized"

    def footprint(self, dx, dy, p):
        return super().footprint(dx, dy, p) - 0.49


@bad("blend", "has blend 'depth', but far = 0.5")
class Distant(Disc):
    """Bad."""

    blend = "depth"
    far = 0.5


@bad("compiled", "runs eagerly: a tensor decides")
class Decides(Disc):
    """Bad."""

    def footprint(self, dx, dy, p):
        return dx if dx > 0 else dy


@bad("cost", "more than 10000 in all")
class Expensive(Disc):
    """Bad."""

    def footprint(self, dx, dy, p):
        value = super().footprint(dx, dy, p)
        for _ in range(2000):
            value = value * torch.cos(1e-6 * dx)
        return value


@bad("cost", "more than 10000 in all")
class Everywhere(Disc):
    """Bad."""

    def radius(self, p):
        return torch.full_like(p.size, torch.inf)


@bad("positions", "gives [24, 4], expected [24, 3]")
class FourChannels(Waves):
    """Bad."""

    params = {**Waves.params, "colour": Param(9, 4, init=init.normal(0.1))}


@bad("positions", "when others are left out")
class Normalised(Waves):
    """Bad."""

    def forward(self, xy, p):
        return super().forward(xy - xy.mean(0), p)


@bad("samples", "Rigid.forward gives [4, 1] for the positions [4, 2] of a points target, expected")
class Rigid(Waves):
    """Bad."""

    targets = ("image", "points")

    def forward(self, xy, p):
        return super().forward(xy, p)[:, : self.inputs - 1]


class Linear(Waves):
    """A field with a graph."""

    engines = ("scratch",)
    params = {"slope": Param(3, 2, init=init.normal(0.5)), "start": Param(3, init=0.5)}

    def forward(self, xy, p):
        return xy @ p.slope.t() + p.start

    def graph(self, features, p):
        value = features.times(p["slope"])
        return value + p["start"].broadcast(0, features.shape[0])


@bad("graph", "Forgot.graph differs from forward")
class Forgot(Linear):
    """Bad."""

    def graph(self, features, p):
        return features.times(p["slope"])


@bad("cost", "operations per pixel, more than 2,000,000")
class Vast(Waves):
    """Bad."""

    params = {
        "frequency": Param(2, 300_000, init=init.normal(3.0)),
        "colour": Param(300_000, 3, init=init.normal(1e-3)),
    }


@pytest.mark.parametrize(
    ("check", "says", "cls"), BAD, ids=[f"{check}-{cls.__name__}" for check, _, cls in BAD]
)
def test_each_check_catches_its_own(check, says, cls):
    found = outcome(cls, check)
    assert found.status == "failed"
    assert says in found.detail
    assert found.hint
    assert "\n" not in found.detail + found.hint


def test_every_check_is_proved_to_catch_something():
    everything = {check.__name__ for cls in (Disc, Linear) for check in checks_of(cls)}
    assert {check for check, _, _ in BAD} == everything


def test_a_field_with_a_graph_passes():
    assert outcome(Linear, "graph").status == "ok"


def test_an_engine_brings_checks_of_the_primitives_that_name_it():
    def even(candidate):
        """All is even."""

    class Own(ScratchEngine):
        @classmethod
        def primitive_checks(cls):
            return (even,)

    class Mixed(Linear):
        engines = ("own", "scratch", "no such engine")

    registry = Registry(environ={}, entry_points=())
    registry.register(Own, "own", "engine")
    assert [check.__name__ for check in checks_of(Mixed, registry)[-2:]] == ["even", "graph"]
    assert checks_of(Mixed)[-1] is checks_of(Linear)[-1]
    assert len(checks_of(Waves)) == len(checks_of(Linear)) - 1


@pytest.mark.parametrize("cls", [Disc, Linear])
def test_every_check_says_what_it_proves_and_what_to_do(cls):
    for check in checks_of(cls):
        assert claim(check).endswith(".")
        assert advice(check).endswith(".")
        assert claim(check) != advice(check)


# ---- deviations, and whatever else a plugin does -------------------------------------------------


class Declared(Short):
    """A splat that says itself that it has hard edges."""

    known_deviations = {"radius": "its edges are hard on purpose"}


class Healed(Disc):
    """One that says so though it is not true."""

    known_deviations = {"radius": "its edges are hard on purpose"}


def test_a_declared_deviation_is_known():
    found = outcome(Declared, "radius")
    assert found.status == "known"
    assert found.detail.startswith("its edges are hard on purpose (Declared is still 0.184")


def test_a_deviation_that_is_none_fails():
    found = outcome(Healed, "radius")
    assert found.status == "failed"
    assert found.detail.startswith("Healed no longer deviates, though known_deviations says: its")
    assert found.hint == "remove 'radius' from known_deviations"


@pytest.mark.parametrize("error", [ValueError("no, not at all"), SystemExit(3), RecursionError()])
def test_whatever_a_plugin_raises_is_an_outcome_with_its_line(error):
    class Raises(Disc):
        def footprint(self, dx, dy, p):
            raise error

    found = outcome(Raises, "finite")
    assert found.status == "failed"
    assert found.error is error
    assert found.detail.startswith(type(error).__name__)
    assert "test_conformance.py, line" in found.detail
    assert "raise error" in found.detail


def test_ctrl_c_is_the_users():
    class Slow(Disc):
        def footprint(self, dx, dy, p):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outcome(Slow, "finite")


def test_what_cannot_be_loaded_is_an_outcome(tmp_path):
    path = tmp_path / "lazy.py"
    path.write_text(
        "import artgen\n@artgen.hookimpl\ndef artgen_losses():\n"
        "    return [artgen.Spec('zero', 'Nothing', 'artgen.losses:l1'), artgen.Spec('gone', 'None', 'gone:gone')]"
    )
    registry = Registry(files=[path])
    outcomes = [each for e in registry.offered_by(path) for each in examine(e, registry)]
    assert [
        (each.primitive, each.check, each.status) for each in outcomes if each.check == "loads"
    ] == [
        ("zero", "loads", "ok"),
        ("gone", "loads", "failed"),
    ]
    assert "No module named 'gone'" in outcomes[-1].detail


# ---- in a plugin's tests -------------------------------------------------------------------------

PLUGIN_TEST = """
from artgen.testing import conformance
from plugin import Splats

test_splats = conformance(Splats)
"""
PLUGIN = """
import torch
from artgen import Param, Splat, init

class Splats(Splat):
    '''Splats.'''

    known_deviations = {"radius": "hard edges", "seed": "no idea"}
    params = {"size": Param(init=init.from_spacing(0.5), map="exp")}

    def footprint(self, dx, dy, p):
        if dx.dim() == 4:
            1 / 0
        return torch.exp(-(dx * dx + dy * dy) / (p.size * p.size))

    def radius(self, p):
        return p.size
"""

pytest_plugins = ["pytester"]


def test_pytest_reports_each_check(pytester):
    pytester.makepyfile(test_plugin=PLUGIN_TEST, plugin=PLUGIN)
    result = pytester.runpytest_inprocess(
        "-q", "-rxfs", "-p", "no:cacheprovider", "-k", "not compiled"
    )
    text = result.stdout.str()
    assert "FAILED test_plugin.py::test_splats[splats-drawing] - ZeroDiv" in text
    assert "plugin.py:12: ZeroDivisionError" in text
    assert "drawing comes first" in text
    assert "hint: Correct this line. A drawing is finite" in text
    assert "1 failed, 4 passed, 16 skipped, 1 deselected" in text
    pytester.makepyfile(plugin=PLUGIN.replace("1 / 0", "pass"))
    result = pytester.runpytest_inprocess("-q", "-rx", "-p", "no:cacheprovider", "-k", "radius")
    assert "XFAIL test_plugin.py::test_splats[splats-radius]" in result.stdout.str()


def test_a_module_is_examined_through_its_hooks(monkeypatch):
    monkeypatch.syspath_prepend(DATA / "artgen-dab/src")
    module = importlib.import_module("artgen_dab")
    try:
        marks = conformance(module).pytestmark
        ids = [case.id for case in marks[0].args[1]]
        assert ids[0] == "dab-deviations"
        assert len(ids) == len(checks_of(Disc))
    finally:
        for name in [name for name in sys.modules if name.startswith("artgen_dab")]:
            del sys.modules[name]


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("gausian", "did you mean gaussian"),
        (Path("missing.py"), "does not exist"),
        ("missing.py", "does not exist"),
        (int, "not a subclass"),
        (random, "random offers nothing"),
    ],
)
def test_what_offers_no_primitive_is_refused(what, says):
    with pytest.raises(PluginError, match=says):
        conformance(what)
