"""Every check of shapes lets a good shape pass, and catches what it is there for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import ParseError

import numpy as np
import pytest
from helpers import listed_under

from artgen import Preset, Shape, option
from artgen.families.shape.search_checks import _Triangle
from artgen.registry import Registry
from artgen.testing import advice, checks_of, claim, examine, judge
from artgen.testing.candidate import Candidate
from artgen.testing.elements import Unknown, painted

COUNTER = np.zeros(1)


class Dot(Shape):
    """A circle by its spans, and what bad ones below are derived from."""

    genes = 3
    gene_names = ("x", "y", "radius")

    @staticmethod
    def random(genes, rng, x, y, size):
        genes[0], genes[1], genes[2] = x, y, size * (0.2 + 0.8 * rng.random())

    @staticmethod
    def valid(genes):
        return genes[2] > 0

    @staticmethod
    def bounds(genes):
        return genes[1] - genes[2], genes[1] + genes[2]

    @staticmethod
    def span(genes, y):
        half = math.sqrt(max(0.0, genes[2] ** 2 - (y - genes[1]) ** 2))
        return genes[0] - half, genes[0] + half


class Arrow(Shape):
    """A dented outline, and what bad ones below are derived from."""

    genes, vertices = 4, 4

    @staticmethod
    def random(genes, rng, x, y, size):
        genes[0], genes[1] = x, y
        genes[2], genes[3] = size * (2 * rng.random() - 1), size * (2 * rng.random() - 1)

    @staticmethod
    def outline(genes, points):
        x, y, u, v = genes
        points[0, 0], points[0, 1] = x + u, y + v
        points[1, 0], points[1, 1] = x - u - v, y - v + u
        points[2, 0], points[2, 1] = x - 0.3 * u, y - 0.3 * v
        points[3, 0], points[3, 1] = x - u + v, y - v - u


class Wheel(Dot):
    """One with an option, a preset and both an outline and spans."""

    @dataclass(frozen=True)
    class Options:
        corners: int = option(24, "how many corners", low=12, high=64)

    presets = {"coarse": Preset(options={"corners": 12})}

    @property
    def vertices(self):  # type: ignore[override]
        return self.options.corners

    @staticmethod
    def outline(genes, points):
        for i in range(len(points)):
            turn = 2 * math.pi * i / len(points)
            points[i, 0] = genes[0] + genes[2] * math.cos(turn)
            points[i, 1] = genes[1] + genes[2] * math.sin(turn)


def subject_of(cls: type[Any]) -> Candidate:
    registry = Registry(environ={}, entry_points=())
    registry.register(cls)
    return Candidate(registry.entries("primitive")[0], registry, cls)


def outcome(cls: type[Any], check: str):
    [found] = [each for each in checks_of(cls) if each.__name__ == check]
    return judge(found, subject_of(cls))


@pytest.mark.parametrize("cls", [Dot, Arrow])
def test_the_good_ones_pass(cls):
    subject = subject_of(cls)
    outcomes = list(examine(subject.entry, subject.registry))
    assert [each for each in outcomes if each.status != "ok"] == []
    assert len(outcomes) == len(checks_of(cls)) + 1


def test_an_outline_and_spans_are_compared():
    assert outcome(Wheel, "bounds").status == outcome(Wheel, "outline").status == "ok"
    assert outcome(Arrow, "bounds").detail == "drawn by its outline"
    assert outcome(Dot, "outline").detail == "no outline"


BAD: list[tuple[str, str, type[Any]]] = []


bad = listed_under(BAD)


@bad("random", "Forgets.random does not set gene 1 (y)")
class Forgets(Dot):
    """Bad."""

    @staticmethod
    def random(genes, rng, x, y, size):
        genes[0], genes[2] = x, size


@bad("random", "Endless.random makes gene 2 (radius) infinite")
class Endless(Dot):
    """Bad."""

    @staticmethod
    def random(genes, rng, x, y, size):
        genes[0], genes[1], genes[2] = x, y, math.inf


@bad("random", "typically reaches")
class OneSize(Dot):
    """Bad."""

    @staticmethod
    def random(genes, rng, x, y, size):
        genes[0], genes[1], genes[2] = x, y, 1.0


@bad("random", "Rare.random makes")
class Rare(Dot):
    """Bad."""

    @staticmethod
    def valid(genes):
        return 0 < genes[2] < 0.003


@bad("random", "IndexError")
class Beyond(Dot):
    """Bad."""

    @staticmethod
    def random(genes, rng, x, y, size):
        genes[0], genes[1], genes[2], genes[3] = x, y, size, size


@bad("mutation", "Stuck.mutate never changes gene 2 (radius)")
class Stuck(Dot):
    """Bad."""

    @staticmethod
    def mutate(genes, rng, step):
        genes[int(2 * rng.random())] += step * rng.standard_normal()


@bad("mutation", "Jumps.mutate typically changes genes by")
class Jumps(Dot):
    """Bad."""

    @staticmethod
    def mutate(genes, rng, step):
        genes[int(3 * rng.random())] += 0.5 * rng.standard_normal()


@bad("mutation", "of 400 shapes valid")
class Fragile(Dot):
    """Bad."""

    @staticmethod
    def random(genes, rng, x, y, size):
        genes[0], genes[1], genes[2] = round(8 * x) / 8, y, size * (0.2 + 0.8 * rng.random())

    @staticmethod
    def valid(genes):
        return genes[0] == round(8 * genes[0]) / 8

    @staticmethod
    def mutate(genes, rng, step):
        for i in range(3):
            genes[i] += step * rng.standard_normal()


@bad("purity", "Greedy.span changes gene 0 (x)")
class Greedy(Dot):
    """Bad."""

    @staticmethod
    def span(genes, y):
        genes[0] += 0.001
        half = math.sqrt(max(0.0, genes[2] ** 2 - (y - genes[1]) ** 2))
        return genes[0] - half, genes[0] + half


@bad("purity", "gives another result when called again")
class Counting(Dot):
    """Bad."""

    @staticmethod
    def bounds(genes):
        COUNTER[0] += 1
        return genes[1] - genes[2] - COUNTER[0], genes[1] + genes[2]


@bad("compiled", "cannot be compiled: ")
class TextGenes(Dot):
    """Bad."""

    @staticmethod
    def random(genes, rng, x, y, size):
        genes[0], genes[1], genes[2] = x, y, float(f"{size}")


@bad("compiled", "valid gives another result when compiled")
class Rounds(Dot):
    """Bad."""

    @staticmethod
    def valid(genes):
        # Whole numbers have no end in Python, and 64 bits when compiled.
        return (int(genes[2] > 0) << 63) > 0


@bad("outline", "Gap.outline gives corner 3 as [nan, nan]")
class Gap(Arrow):
    """Bad."""

    vertices = 5

    @staticmethod
    def outline(genes, points):
        for i in (0, 1, 2, 4):
            points[i, 0], points[i, 1] = genes[0] + i * genes[2], genes[1] + i * i * genes[3]


@bad("outline", "NotConvex says it is convex, but has 2 spans in a row")
class NotConvex(Arrow):
    """Bad."""

    convex = True


@bad("bounds", "Generous.span is empty in")
class Generous(Dot):
    """Bad."""

    @staticmethod
    def bounds(genes):
        return genes[1] - 5 * genes[2], genes[1] + 5 * genes[2]


@bad("bounds", "UpsideDown.bounds gives")
class UpsideDown(Dot):
    """Bad."""

    @staticmethod
    def bounds(genes):
        return genes[1] + genes[2], genes[1] - genes[2]


@bad("bounds", "Pole.span gives -inf to inf")
class Pole(Dot):
    """Bad."""

    @staticmethod
    def span(genes, y):
        return -math.inf, math.inf


@bad("bounds", "by its outline, but from")
class TwoMinds(Wheel):
    """Bad."""

    @staticmethod
    def span(genes, y):
        return genes[0] - genes[2], genes[0] + genes[2]


@bad("coverage", "Overflows draws")
class Overflows(Dot):
    """Bad."""

    @staticmethod
    def bounds(genes):
        shrink = 1.0 if (int(genes[2] > 0) << 63) > 0 else 0.3
        return genes[1] - shrink * genes[2], genes[1] + shrink * genes[2]


@bad("svg", "WrongRadius.svg covers")
class WrongRadius(Dot):
    """Bad."""

    def svg(self, genes):
        return f'<circle cx="{genes[0]}" cy="{genes[1]}" r="{1.1 * genes[2]}"/>'


@bad("svg", "ParseError")
class NoElement(Dot):
    """Bad."""

    def svg(self, genes):
        return "a circle"


@bad("resolution", "levels on average")
class Hairy(Dot):
    """Bad."""

    @staticmethod
    def span(genes, y):
        half = genes[2] * (0.5 + 0.5 * math.sin(1e5 * y))
        return genes[0] - half, genes[0] + half


@bad("scoring", "is scored")
class Twisted(Dot):
    """Bad."""

    @staticmethod
    def bounds(genes):
        shrink = 1.0 if (int(genes[2] > 0) << 63) > 0 else 0.3
        return genes[1] - shrink * genes[2], genes[1] + shrink * genes[2]


@bad("cost", "makes the search slow")
class Slow(Dot):
    """Bad."""

    @staticmethod
    def span(genes, y):
        wave = 0.0
        for i in range(200):
            wave += math.sin(i * y)
        half = genes[2] + 1e-9 * wave
        return genes[0] - half, genes[0] + half


@pytest.mark.parametrize(
    ("check", "says", "cls"), BAD, ids=[f"{check}-{cls.__name__}" for check, _, cls in BAD]
)
def test_each_check_catches_its_own(check, says, cls):
    found = outcome(cls, check)
    assert found.status == "failed"
    assert says in found.detail
    assert found.hint
    assert "\n" not in found.detail + found.hint


def test_every_check_of_shapes_is_proved_to_catch_something():
    # Those of every primitive are proved with splats and fields.
    checks = {check for check in checks_of(Dot) if ".families.shape." in check.__module__}
    assert {check for check, _, _ in BAD} == {check.__name__ for check in checks}


def test_every_check_says_what_it_proves_and_what_to_do():
    for check in checks_of(Dot):
        assert claim(check).endswith(".")
        assert advice(check).endswith(".")
        assert claim(check) != advice(check)


def test_a_seed_from_elsewhere_is_noticed():
    class Elsewhere(Dot):
        """Bad."""

        @staticmethod
        def random(genes, rng, x, y, size):
            genes[0], genes[1], genes[2] = x, y, size * (0.2 + 0.8 * np.random.random())

    found = outcome(Elsewhere, "randomness")
    assert found.detail.startswith("elsewhere changes the global generator of numpy (")
    assert (
        "a first drawing with the same seed differs in genes" in outcome(Elsewhere, "seed").detail
    )


def test_a_mixture_is_checked_kind_by_kind():
    from artgen.testing.candidate import find_entries

    registry, [entry] = find_entries("triangle+circle")
    subject = Candidate(entry, registry, entry.load())
    for name in ("random", "mutation", "outline", "bounds"):
        [check] = [each for each in checks_of(subject.cls) if each.__name__ == name]
        assert judge(check, subject).status == "ok"


# ---- what an SVG element paints ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ('<rect x="-1" y="0" width="2" height="0.5"/>', 1.0),
        ('<circle r="1"/>', math.pi),
        ('<ellipse rx="1" ry="0.5" transform="rotate(30)"/>', math.pi / 2),
        ('<ellipse cx="0.5" rx="1" ry="0.5" transform="rotate(30 0.5 0)"/>', math.pi / 2),
        ('<polygon points="0,0 1,0 0,1"/>', 0.5),
        ('<polygon points="0 0 1 0 1 1 0 1" transform="translate(-.5) scale(2 1)"/>', 2.0),
        ('<rect width="1" height="1" transform="matrix(1 0 1 1 -1 -1)"/>', 1.0),
        ('<line x1="-1" x2="1" stroke="currentColor" stroke-width="0.3"/>', 0.6),
        ('<path d="M0,0h1v1h-1z"/>', 1.0),
        ('<path d="M0 0 1 0 1 1 0 1Z"/>', 1.0),
        ('<path d="M-1 0Q0 2 1 0"/>', 4 / 3),
        ('<path d="M-1,0c0,1 2,1 2,0"/>', 1.2),
        ('<path d="M-1 0H1" fill="none" stroke="currentColor" stroke-width="0.5"/>', 1.0),
        ('<path d="M-1-1h2v2h-2zm.5.5h1v1h-1z"/>', 4.0),
        ('<path fill-rule="evenodd" d="M-1-1h2v2h-2zm.5.5h1v1h-1z"/>', 3.0),
        ('<g fill-rule="evenodd"><path d="M-1-1h2v2h-2zm.5.5h1v1h-1z"/></g>', 3.0),
        ('<path d="M0 0A1 1 0 0 1 1 1Z"/>', math.pi / 4 - 0.5),
        ('<rect rx="0.5" width="2" height="1"/>', 1 + math.pi / 4),
        ('<circle r="1" transform="skewX(30)"/>', math.pi),
        ('<g transform="scale(.5)"><rect width="1" height="1"/><circle cx="-2" r="1"/></g>', 1.035),
        ('<rect fill="none" stroke="black" width="1" height="1" stroke-width="0.2"/>', 0.79),
    ],
)
def test_painted_points_make_up_the_area(text, area):
    side = 401
    axis = np.linspace(-2, 2, side)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    found = painted(text, points).sum() * (4 / (side - 1)) ** 2
    assert found == pytest.approx(area, abs=0.03)


@pytest.mark.parametrize(
    "text",
    [
        "<text>o</text>",
        '<path d="0 0 1 1"/>',
        '<rect width="10%" height="1"/>',
        '<circle r="1" transform="upside down"/>',
    ],
)
def test_what_is_not_understood_is_said(text):
    with pytest.raises(Unknown):
        painted(text, np.zeros((1, 2)))
    with pytest.raises(ParseError):
        painted("<circle", np.zeros((1, 2)))


def test_the_measure_of_cost_is_a_triangle():
    assert (_Triangle.genes, _Triangle.vertices, _Triangle.convex) == (6, 3, True)
