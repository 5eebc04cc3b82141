"""What the guides' files do, beyond that their commands run (see test_docs)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import recipe

from artgen import fit
from artgen.art import ExportRequest
from artgen.events import Advanced
from artgen.registry import Registry
from artgen.runs import run
from artgen.tasks import RunControl
from artgen.testing import examine

GUIDES = sorted((Path(__file__).parent.parent / "docs" / "guides").glob("*.md"))


def plugin_of(guide: str, folder: Path) -> Path:
    """The file that a guide writes."""
    [page] = [path for path in GUIDES if path.stem == guide]
    found = re.search(
        r"^<!-- file: ([^\n]+) -->\n```python\n(.*?)^```$", page.read_text(), re.M | re.S
    )
    path = folder / found[1]
    path.write_text(found[2])
    return path


def stills(out: Path) -> dict[str, bytes]:
    return {end: next(out.glob(f"*{end}")).read_bytes() for end in (".png", ".mp4", ".art")}


def test_the_engine_is_one(photo, tmp_path):
    registry = Registry(files=[plugin_of("engine", tmp_path)], environ={})
    table = {"name": "bubble", "count": 6}
    asked = recipe(photo, {"steps": 150}, primitive=table, run={"backend": "eager"})
    losses = []

    def watch(event):
        if hasattr(event, "loss"):
            losses.append(event.loss)

    run(asked, registry, out=tmp_path / "whole", observers=[watch])
    assert min(losses) < 0.8 * losses[0]
    control = RunControl()

    def stop(event):
        if isinstance(event, Advanced) and event.step >= 40:
            control.request_stop()

    run(asked, registry, out=tmp_path / "out", observers=[stop], control=control)
    assert stills(tmp_path / "out") != stills(tmp_path / "whole")
    run(asked, registry, out=tmp_path / "out", resume=True)
    assert stills(tmp_path / "out") == stills(tmp_path / "whole")


def test_the_loss_sees_edges_and_weights(tmp_path):
    edges = Registry(files=[plugin_of("loss", tmp_path)], environ={}).load("loss", "edges")
    target = torch.rand(3, 9, 12, generator=torch.Generator().manual_seed(0))
    tinted = target + torch.tensor([0.1, 0.0, -0.2])[:, None, None]
    assert float(edges(tinted, target, None)) == pytest.approx(0, abs=1e-6)
    flat = torch.full_like(target, 0.5)
    assert 0.1 < float(edges(flat, target, None)) < 1
    weight = torch.zeros(9, 12)
    assert float(edges(flat, target, weight)) == 0
    weight[:, :6] = 1
    cut = target.clone()
    cut[:, :, 6:] = 0
    assert float(edges(cut, target, weight)) == pytest.approx(0, abs=1e-6)


def test_the_exporter_writes_a_picture_of_letters(tmp_path):
    typed = Registry(files=[plugin_of("exporter", tmp_path)], environ={}).load("exporter", "txt")
    picture = np.zeros((32, 64, 3), np.uint8)
    picture[:, 32:] = 255
    art = fit(picture, "gaussian", count=40, steps=60, seed=1, backend="eager")
    lines = typed(art, ExportRequest(size=40)).decode().splitlines()
    assert {len(line) for line in lines} == {40}
    assert len(lines) == 10
    assert lines[5][3] in "@%"
    assert lines[5][-4] in " ."


def test_the_target_is_the_same_again(tmp_path):
    registry = Registry(files=[plugin_of("target", tmp_path)], environ={})
    from artgen.errors import InputError
    from artgen.targets import TargetRequest

    letters = registry.load("target", "letters")
    once, again = (letters("art", TargetRequest(size=64)) for _ in range(2))
    assert once.sha256 == again.sha256
    assert max(once.pixels.shape) == 64
    with pytest.raises(InputError):
        letters("x" * 201, TargetRequest())


@pytest.mark.parametrize("guide", ["field", "engine"])
def test_their_primitives_pass_the_checks(guide, tmp_path):
    path = plugin_of(guide, tmp_path)
    registry = Registry(files=[path], environ={})
    [entry] = [each for each in registry.offered_by(path) if each.kind == "primitive"]
    assert [each for each in examine(entry, registry) if each.status != "ok"] == []
