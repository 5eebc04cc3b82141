"""The engine `pieces`: shapes keep apart or hang together, measured by other means than its own."""

import re
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from matplotlib.path import Path as Outline
from scipy.spatial.distance import cdist

import artgen
from artgen import Canvas, Engine
from artgen.errors import UsageError
from artgen.making import Motif
from artgen.plan import resolve
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen_makers.cutting import as_pieces
from artgen_makers.paper import Paper
from artgen_makers.pieces import Pieces
from artgen_makers.stencil import Stencil

GAP = 0.04

# No test here looks at the picture of the finished thing.
pytestmark = pytest.mark.usefixtures("small_pictures")


@cache
def fitted(meet, engine="pieces", count=14, gap=GAP, polish=False, **options):
    rule = {"gap": gap, "meet": meet} if engine == "pieces" else {}
    return artgen.fit(
        "sample:cat",
        "triangle",
        count=count,
        size=64,
        seed=3,
        max_size=0.5,
        background="#ffffff",
        palette="#8a4b20,#201812",
        engine=engine,
        polish=polish,
        engine_options={"alpha": 1.0, "passes": 1, "restarts": 2, **rule, **options},
    )


def corners(art):
    """The corners of each triangle, in shares of the shorter side."""
    shape = art.primitive()
    return [shape.polygon(genes) / 2 for genes in art.drawing.tensors["genes"].numpy().T]


def between(one, other):
    """The distance of two outlines by many points along them, 0 where they overlap."""
    along = np.linspace(0, 1, 60)[:, None, None]
    a, b = ((along * p + (1 - along) * np.roll(p, 1, 0)).reshape(-1, 2) for p in (one, other))
    if Outline(one).contains_points(b).any() or Outline(other).contains_points(a).any():
        return 0.0
    return cdist(a, b).min()


def hangs_together(shapes):
    reached, waiting = {0}, [0]
    while waiting:
        here = waiting.pop()
        near = {k for k in range(len(shapes)) if between(shapes[here], shapes[k]) == 0} - reached
        reached |= near
        waiting += near
    return len(reached) == len(shapes)


def distances(art):
    return [between(*pair) for pair in combinations(corners(art), 2)]


@pytest.mark.parametrize("meet", ["maybe", "never", "always"])
def test_shapes_overlap_or_are_apart(meet):
    found = distances(fitted(meet))
    assert all(each == 0 or each >= GAP for each in found)
    assert min(found) >= GAP if meet == "never" else min(found) == 0


@pytest.mark.parametrize("meet", ["maybe", "never", "always"])
def test_a_polish_keeps_to_the_rule_and_gains(meet):
    before, after = fitted(meet), fitted(meet, polish=True)
    found = distances(after)
    assert all(each == 0 or each >= GAP for each in found)
    assert min(found) >= GAP if meet == "never" else min(found) == 0
    assert meet != "always" or hangs_together(corners(after))
    assert after.metrics["psnr"] > before.metrics["psnr"] + 0.02


def test_a_polish_without_the_rule_breaks_it(monkeypatch):
    monkeypatch.setattr(Pieces, "constrain", Engine.constrain)
    assert min(distances(fitted.__wrapped__("never", polish=True))) < GAP


def test_what_would_break_the_rule_is_refused_before_the_fit():
    engines = [{"engine": name} for name in ("pieces", "climb")]
    recipe = Recipe.from_dict({"primitive": {"name": "triangle"}, "stage": engines})
    with pytest.raises(UsageError, match="climb does not keep to the rule of pieces"):
        resolve(recipe, Registry(), Canvas(64, 64))


def test_without_the_rule_there_are_slivers():
    assert any(0 < each < GAP for each in distances(fitted("", engine="climb")))


def test_shapes_that_meet_are_one_piece():
    shapes = corners(fitted("always"))
    assert len(shapes) == 14
    assert hangs_together(shapes)


def test_a_rule_that_cannot_be_met_says_for_how_many_shapes_there_was_room():
    with pytest.raises(UsageError, match=r"room for \d of 14 shapes with engine.gap = 0.3") as info:
        fitted("never", gap=0.3)
    number = int(re.search(r"room for (\d+)", str(info.value))[1])
    assert f"use -n {number}" in info.value.hint
    assert len(corners(fitted("never", gap=0.3, count=number))) == number
    assert 0 < len(corners(fitted("never", gap=0.3, converge=1e-6))) <= number


@pytest.mark.parametrize(
    ("primitive", "options", "problem"),
    [
        ("triangle", {"symmetry": "mirror"}, "copies of a symmetry"),
        ("triangle+ellipse", {}, "mixtures"),
        ("glyph", {}, "have tables"),
    ],
)
def test_shapes_that_the_rule_does_not_know_are_refused(primitive, options, problem):
    with pytest.raises(UsageError, match=problem):
        artgen.fit("sample:cat", primitive, count=2, size=32, seed=1, engine="pieces", **options)


def test_a_stencil_of_shapes_that_never_meet_has_a_hole_for_each_and_no_bridge():
    art = fitted("never")
    asked = {"width": 240.0, "narrow": 1.0, "frame": 20.0, "paints": "teal"}
    made = Stencil(asked).make(Motif("cat", art=art))
    assert made.parts[0].colour == "#008080"
    assert not made.notes
    inside = [name for name in made.files if name.endswith(".svg")]
    cut = sum(made.files[name].decode().count("<path") for name in inside)
    edges = np.array(art.drawing.canvas.reach) / 2
    seen = sum(bool((abs(each) < edges).all(1).any()) for each in corners(art))
    assert len(inside) == len(np.unique(art.drawing.tensors["colour"].numpy(), axis=1).T)
    assert seen <= cut <= len(corners(art))


def test_bridges_name_the_fit_that_needs_none():
    sheet = Stencil({"width": 240.0, "narrow": 2.0, "frame": 20.0})
    [note] = sheet.make(Motif("cat", art=fitted("", engine="climb", count=40))).notes
    command = note.partition(": artgen fit ")[2]
    assert command.startswith("sample:cat -p triangle -n 40 -e pieces --set engine.meet=never")
    # 2 mm of 200 x 134 mm.
    assert "engine.gap=0.015 " in command
    assert "--palette '#8a4b20,#201812'" in command
    assert not sheet.make(Motif("cat", art=fitted("never"))).notes
    many = artgen.fit("sample:cat", "triangle+ellipse", count=2, size=32, seed=1)
    assert as_pieces(Motif("cat", art=many), 3, "never", 0.01) == []
    [note] = Paper({"layers": 3}).make(Motif("cat", art=fitted("never"))).notes
    assert "engine.meet=always" in note
