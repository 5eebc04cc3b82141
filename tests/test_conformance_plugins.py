"""Checks of losses, observers, targets, exporters and engines find planted mistakes, by line."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from artgen.registry import Registry
from artgen.testing import _offer as offer_of
from artgen.testing import checks_for, examine, judge

HEAD = "import sys, time, random\nimport numpy as np, torch\nimport artgen\n"
HOOKS = {"loss": "artgen_losses"}
OFFER = """
@artgen.hookimpl
def {hook}():
    return [artgen.Spec("bad", "Planted.", {of})]
"""
SQUARE = "(image - target).square()"

LOSSES = {
    "unknown kind": ("marks", "@artgen.for_targets('images')\ndef bad(image, target, weight): 0"),
    "curve without a mark": ("marks", "@artgen.for_targets('curve')\ndef bad(i, t, w): 0"),
    "a number": ("scalar", f"def bad(image, target, weight): return float({SQUARE}.mean())"),
    "no mean": ("scalar", f"def bad(image, target, weight): return {SQUARE}"),
    "detached": ("scalar", f"def bad(image, target, weight): return {SQUARE}.mean().detach()"),
    "double": ("scalar", f"def bad(image, target, weight): return {SQUARE}.double().mean()"),
    "root of 0": ("finite", f"def bad(image, target, weight): return {SQUARE}.mean().sqrt()"),
    "logarithm": ("finite", "def bad(image, target, weight): return (target - image.log()).mean()"),
    "sum of weights": (
        "finite",
        f"def bad(image, target, weight):\n  e = {SQUARE}.mean(0)\n"
        "  return e.mean() if weight is None else (e * weight).sum() / weight.sum()",
    ),
    "rounded": (
        "gradients",
        "def bad(image, target, weight):\n"
        f"  return {SQUARE}.mean() + (image.detach() - target).abs().mean()",
    ),
    "likeness": ("likeness", f"def bad(image, target, weight): return -{SQUARE}.mean()"),
    "weights ignored": ("weights", f"def bad(image, target, weight): return {SQUARE}.mean()"),
    "weights not divided": (
        "weights",
        f"def bad(image, target, weight):\n  e = {SQUARE}.mean(0)\n"
        "  return (e if weight is None else e * weight).mean()",
    ),
    "state": (
        "purity",
        f"calls = []\ndef bad(image, target, weight):\n  calls.append(1)\n"
        f"  return {SQUARE}.mean() * len(calls)",
    ),
    "in place": (
        "purity",
        f"def bad(image, target, weight):\n  target.clamp_(0.2, 0.8)\n  return {SQUARE}.mean()",
    ),
    "random": (
        "purity",
        f"def bad(image, target, weight): return {SQUARE}.mean() + 0 * torch.rand(())",
    ),
    "neighbours": (
        "pixels",
        "@artgen.per_pixel\ndef bad(image, target, weight):\n"
        "  return (image.diff(dim=-1) - target.diff(dim=-1)).square().mean()",
    ),
    "number of pixels": (
        "pixels",
        f"@artgen.per_pixel\ndef bad(image, target, weight): return {SQUARE}.sum()",
    ),
}

WATCH = "@artgen.hookimpl\ndef artgen_observe(event):\n  "
AT = "if isinstance(event, artgen.events.{}): "
OBSERVERS = {
    "psnr of a curve": (
        "events",
        AT.format("Evaluated") + "print(f'{event.psnr:.1f}', file=sys.stderr)",
    ),
    "target of a curve": ("events", AT.format("Started") + "event.target.mean()"),
    "unknown field": ("events", AT.format("Advanced") + "event.total"),
    "exit": ("events", AT.format("Finished") + "sys.exit()"),
    "missing start": (
        "runs",
        AT.format("Started") + "seen[event.run] = 0\n  seen[event.run] += 1",
    ),
    "resumed": ("runs", AT.format("Started") + "assert event.step == 0"),
    "one at a time": (
        "runs",
        AT.format("Started") + "seen.update(now=event.run)\n  assert seen.get('now') == event.run",
    ),
    "pictures": ("purity", AT.format("PreviewDrawn") + "event.pixels[:] = 255"),
    "recipe": ("purity", AT.format("Started") + "event.recipe.pop('seed')"),
    "an answer": ("purity", "return event.run"),
    "seed": ("result", "torch.manual_seed(0)"),
    "random": ("result", "random.random()"),
    "settings": ("result", "torch.set_default_dtype(torch.float64)"),
    "stdout": ("result", "print(event)"),
}

KINDS = {"loss": LOSSES, "observer": OBSERVERS}
PLANTED = [(kind, name) for kind, table in KINDS.items() for name in table]


def planted(kind: str, source: str, folder: Path):
    """The offer of a loose plugin."""
    path = folder / "planted.py"
    hook = HOOKS.get(kind, f"artgen_{kind}s")
    offer = "" if kind == "observer" else OFFER.format(hook=hook, of="bad")
    path.write_text(HEAD + textwrap.dedent(source) + "\n" + offer)
    registry = Registry(files=[path], environ={})
    [entry] = [each for each in registry.offered_by(path) if each.kind == kind]
    return offer_of(entry, registry, entry.load())


@pytest.mark.parametrize(("kind", "name"), PLANTED, ids=[f"{k}-{n}" for k, n in PLANTED])
def test_a_planted_mistake_is_found_with_its_line(kind, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check, source = KINDS[kind][name]
    if kind == "observer":
        source = "seen = {}\n" + WATCH + source
    offer = planted(kind, source, tmp_path)
    [found] = [each for each in checks_for(offer) if each.__name__ == check]
    import torch

    dtype = torch.get_default_dtype()
    try:
        outcome = judge(found, offer)
    finally:
        torch.set_default_dtype(dtype)
    assert outcome.status == "failed"
    assert re.search(r"\(planted\.py, line \d+", outcome.detail)
    assert outcome.hint


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_at_least_eight_planted_mistakes(kind):
    assert len(KINDS[kind]) >= 8


@pytest.mark.parametrize("kind", ["loss"])
def test_what_artgen_ships_passes(kind):
    registry = Registry(environ={})
    for entry in registry.entries(kind):
        assert [each for each in examine(entry, registry) if each.status != "ok"] == []
