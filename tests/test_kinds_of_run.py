"""Kinds of run: each answers for itself, and a plugin may bring one (docs/guides/run.md)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import recipe
from PIL import Image
from test_guides import plugin_of

import artgen
from artgen.base.errors import PluginError, UsageError
from artgen.cli import main
from artgen.recipe import KindTable, Recipe
from artgen.registry import Registry
from artgen.runs import Asked, PictureRun, RunKind, run
from artgen.runs.kind import find_kind
from artgen.testing import examine

STAGE = {"steps": 12}
BARE = {"video": False, "history": 0}


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    return plugin_of("run", tmp_path)


@pytest.fixture
def registry(grid: Path) -> Registry:
    return Registry(files=[grid], environ={})


def grid_of(photo: Path, output: dict = BARE, **kind: object) -> Recipe:
    return recipe(photo, STAGE, output=output).with_kind(KindTable(name="seeds", options=kind))


def test_a_plugin_brings_a_kind(photo: Path, tmp_path: Path, registry: Registry) -> None:
    asked, steps = grid_of(photo), list[int]()

    def watch(event: object) -> None:
        if isinstance(event, artgen.events.Advanced):
            steps.append(event.step)

    result = run(asked, registry, out=tmp_path / "grid", observers=[watch])
    assert steps == [12, 24, 36, 48]
    plain, scores = asked.with_kind(None), []
    for number, corner in enumerate([(0, 0), (0, 24), (16, 0), (16, 24)]):
        out = tmp_path / str(number)
        alone = run(plain.with_seed(asked.seed + number), registry, out=out)
        scores.append(alone.summary["psnr"])
        with Image.open(out / "photo-gaussian.png") as still:
            cell = np.asarray(still.convert("RGB"))
        with Image.open(tmp_path / "grid" / "photo-gaussian.png") as still:
            top, left = corner
            shown = np.asarray(still.convert("RGB"))[top : top + 16, left : left + 24]
        np.testing.assert_array_equal(shown, cell)
    assert result.summary["psnr"] == max(scores)
    # The file is that of the best one alone.
    best = tmp_path / str(int(np.argmax(scores))) / "photo-gaussian.art"
    assert (tmp_path / "grid" / "photo-gaussian.art").read_bytes() == best.read_bytes()


def test_its_options_are_checked_and_completed(photo: Path, registry: Registry) -> None:
    for wrong in ({"across": 10}, {"acros": 2}):
        with pytest.raises(UsageError, match="kind of run seeds"):
            find_kind(Asked(grid_of(photo, **wrong), registry))
    job = find_kind(Asked(grid_of(photo), registry)).prepare()
    assert job.recipe.to_dict()["kind"] == {"name": "seeds", "across": 2}
    other = grid_of(photo).with_kind(KindTable(name="seed"))
    with pytest.raises(PluginError, match="unknown run 'seed'"):
        find_kind(Asked(other, registry))


@pytest.mark.parametrize("name", ["tiles", "clip", "picture"])
def test_kinds_of_artgen_are_not_asked_for_by_name(name: str, photo: Path) -> None:
    """A kind of tiles without its table, or a clip without frames, was an internal error."""
    asked = Asked(recipe(photo, STAGE).with_kind(KindTable(name=name)), Registry(environ={}))
    with pytest.raises(UsageError, match=f"kind {name} follows from the target"):
        find_kind(asked)


def test_it_says_what_it_does_not_take(photo: Path, registry: Registry) -> None:
    with pytest.raises(UsageError, match="a grid of seeds has no video"):
        run(grid_of(photo, {"video": True}), registry)


def test_the_command_line_knows_it(
    photo: Path,
    grid: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    plugin = ["--plugin", str(grid)]
    arguments = ["-n", "4", "--steps", "3", "--seed", "1", "--size", "24", *plugin, "--json"]
    settings = ["--set", "kind.name=seeds", "--set", "kind.across=1", "--no-video"]
    assert main(["fit", str(photo), *arguments, *settings]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 3
    assert main(["fit", str(photo), *arguments, *settings, "--dry-run"]) == 0
    assert json.loads(capsys.readouterr().out)["recipe"]["kind"]["across"] == 1
    assert main(["plugins", "list", *plugin]) == 0
    listed = capsys.readouterr().out
    assert "    run: seeds\n" in listed
    assert "    run: picture, clip, tiles, samples, set\n" in listed
    assert main(["plugins", "check", str(grid), "--json"]) == 0


def test_what_is_no_kind_is_refused() -> None:
    with pytest.raises(PluginError, match=r"not a subclass of artgen\.runs\.RunKind"):
        Registry(environ={}).register(dict, "pairs", kind="run")


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("sample:cat", "PictureRun"),
        ("sample:clip-balls?n=2", "ClipRun"),
        ("curve:sin(x)", "SamplesRun"),
        ("points:spiral?n=60", "SamplesRun"),
        ("sample:digits", "SamplesRun"),
    ],
)
def test_a_target_says_its_kind(target: str, kind: str) -> None:
    registry = Registry(environ={})
    asked = Asked(Recipe.from_request({"target": {"source": target, "size": 16}}), registry)
    found = find_kind(asked)
    assert type(found).__name__ == kind
    assert isinstance(found, RunKind)
    # A recipe that names another kind is not asked for its target.
    tiled = replace(asked, recipe=Recipe.from_request({"tiles": {"side": 64}}))
    assert type(find_kind(tiled)).__name__ == "TiledRun"
    assert "inputs" not in vars(tiled)


def test_every_kind_is_found_and_describes_itself() -> None:
    registry = Registry(environ={})
    entries = registry.entries("run")
    assert [each.name for each in entries] == ["clip", "picture", "samples", "set", "tiles"]
    kinds = {each.name: each.load() for each in entries}
    assert all(issubclass(kind, RunKind) and kind.__doc__ for kind in kinds.values())
    assert {name for name, kind in kinds.items() if kind.divisible} == {"clip", "tiles"}
    assert issubclass(kinds["set"], PictureRun)


PLANTED = {
    "schema": ('"cells in a row and in a column"', '""'),
    "takes": ("recipe.output.video, ", "not recipe.output.video, "),
    "complete": (
        "def resume(self)",
        "def with_options(self, recipe):\n        return recipe\n\n    def resume(self)",
    ),
    "steps": ("done = (1 + number)", "done = (9 - number)"),
    "again": ("recipe.seed + number", "recipe.seed + int(np.random.default_rng().integers(10**6))"),
}
"""Changes of the guide's plugin, by the check that finds each."""


# Each makes four runs. By day `artgen plugins check` of the command line finds no mistake.
@pytest.mark.parametrize(
    "check",
    [
        pytest.param(each, marks=[pytest.mark.nightly] * (each in (None, "complete", "steps")))
        for each in (*PLANTED, None)
    ],
)
def test_a_check_finds_the_mistake(
    check: str | None, grid: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run is made once for all checks that look at it; each made it anew, six in all."""
    text = grid.read_text(encoding="utf-8")
    if check is not None:
        assert text.count(PLANTED[check][0]) == 1
        text = text.replace(*PLANTED[check])
    file = tmp_path / "planted.py"
    file.write_text(text, encoding="utf-8")
    registry = Registry(files=[file], environ={})
    made = list[Recipe]()

    def counted(asked: Recipe, *given: object, **options: object) -> object:
        made.append(asked)
        return run(asked, *given, **options)

    monkeypatch.setattr("artgen.testing.run_kind.run", counted)
    results = [*examine(registry.find("run", "seeds"), registry)]
    assert len(made) <= 4
    assert [each.check for each in results if each.status == "failed"] == ([check] if check else [])


RESUMED = """
import artgen
from artgen.runs import PictureRun

class Kind(PictureRun):
    "A picture that is resumed {how}."
    again = False
    def resume(self):
        {resume}
    def still(self, fitted, pixels):
        return 255 - pixels if self.again else pixels

@artgen.hookimpl
def artgen_runs():
    return [artgen.Spec("other", "Planted", Kind)]
"""


@pytest.mark.parametrize(
    ("resume", "status"), [("super().resume()", "ok"), ("self.again = True", "failed")]
)
def test_a_run_that_goes_on_otherwise_is_found(resume: str, status: str, tmp_path: Path) -> None:
    file = tmp_path / "planted.py"
    file.write_text(RESUMED.format(how=status, resume=resume), encoding="utf-8")
    registry = Registry(files=[file], environ={})
    results = {each.check: each for each in examine(registry.find("run", "other"), registry)}
    assert (results["resume"].status, results["resume"].detail != "") == (
        status,
        status == "failed",
    )
    assert all(each.status == "ok" for name, each in results.items() if name != "resume")


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["picture", "clip", "samples", "set", "tiles"])
def test_own_kinds_pass_the_checks(name: str) -> None:
    registry = Registry(environ={})
    results = [*examine(registry.find("run", name), registry)]
    assert len(results) == 8
    assert [each for each in results if each.status != "ok"] == []
