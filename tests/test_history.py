"""Histories: the progress of a fit as a film, exactly the same after a kill."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import changed, recipe

import artgen
from artgen.art import load
from artgen.base.errors import Diverged
from artgen.cli import main
from artgen.events import Advanced
from artgen.film.trajectory import Trajectory, trajectory_of
from artgen.output import frame_steps
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs import run
from artgen.runs.loop.history import LIGHT_KEYS, paced
from artgen.values.drawing import Drawing

MLP = {"name": "mlp", "hidden": 8, "layers": 1, "count": None}
SHAPES = {"name": "triangle", "count": 5}


class Killed(BaseException):
    """The end of a run that nothing may catch."""


def fit(photo: Path, registry: Registry, *stages: dict, history: int = 6, out=None, **tables):
    tables["output"] = {"video": False, "history": history, "video_seconds": 3, "fps": 10}
    asked = recipe(photo, *stages, **tables)
    return run(asked, registry, out=out), asked


def test_it_ends_with_the_drawing_that_is_saved(photo, registry):
    outcome, _ = fit(photo, registry, {"steps": 60})
    art = outcome.art
    assert art.film.duration == 3
    assert art.film.fps == 10
    # Two of three seconds move, as in the progress video.
    (scene,) = art.film.scenes
    assert scene.times[-1] == 1.5
    assert 0 in scene.times
    for seconds in (1.5, 2.2, 3.0):
        last = art.film.drawing(art.drawing, seconds)
        assert all(torch.equal(t, last.tensors[name]) for name, t in art.drawing.tensors.items())
    np.testing.assert_array_equal(art.at(3.0).render(), art.render())


def test_it_changes_nothing_else(photo, registry):
    plain = run(recipe(photo, {"steps": 40}, output={"video": False}), registry)
    kept, _ = fit(photo, registry, {"steps": 40})
    assert kept.summary["psnr"] == plain.summary["psnr"]
    for name, tensor in plain.art.drawing.tensors.items():
        assert torch.equal(tensor, kept.art.drawing.tensors[name])
    assert plain.art.film is None
    assert "history" not in plain.art.recipe.to_json()


def test_its_keys_are_the_steps_of_the_video(photo, registry, monkeypatch):
    from artgen.runs.loop import recording

    steps = []
    add = recording.History.add
    monkeypatch.setattr(
        recording.History,
        "add",
        lambda self, step, *rest: (steps.append(step), add(self, step, *rest)),
    )
    fit(photo, registry, {"steps": 200}, {"steps": 9, "rate": 0.1}, history=5)
    first = frame_steps(200)
    chosen = [first[round(i * (len(first) - 1) / 4)] for i in range(5)]
    assert chosen[0] == 0
    assert chosen[-1] == 200
    # The second stage has no key where the first one ends.
    assert steps == [*chosen, 202, 204, 207, 209]


def test_parts_that_are_added_are_new_ones(photo, registry):
    # With this blur the last drawing is the best: parts that moved in the last round do not return.
    stage = {"steps": 60, "start": 0.25, "move": 0.1, "every": 0.1, "until": 0.8, "blur": 0.5}
    outcome, _ = fit(
        photo, registry, stage, history=40, primitive={"name": "gaussian", "count": 24}
    )
    (scene,) = outcome.art.film.scenes
    first, last = scene.lifespans
    assert (first == 0).sum() == 6
    assert len(first) > 24
    assert ((first == 0) & (last == scene.keyframes - 1)).any()
    assert scene.tensors_at(scene.times[-1])["xy"].shape[1] == 24
    counts = [scene.tensors_at(time)["xy"].shape[1] for time in scene.times]
    assert counts == sorted(counts)
    # What lives goes its way in small steps: nothing flies across the picture.
    xy = scene.tensors["xy"]
    for key in range(scene.keyframes - 1):
        both = (first <= key) & (key + 1 <= last)
        assert (xy[key + 1] - xy[key])[:, both].norm(dim=0).max() < 0.5


def test_every_key_is_the_drawing_of_its_step(photo, registry, monkeypatch):
    from artgen.runs.loop import recording

    seen = []
    add = recording.History.add

    def spy(self, step, stage, drawing, identities):
        seen.append(dict(drawing.tensors))
        add(self, step, stage, drawing, identities)

    monkeypatch.setattr(recording.History, "add", spy)
    for primitive, stage in (
        ({"name": "gaussian", "count": 24}, {"steps": 60, "start": 0.25, "move": 0.1}),
        (SHAPES, {"engine": "climb", "passes": 3, "candidates": 5, "patience": 5}),
        (MLP, {"steps": 20}),
        ({"name": "voronoi", "count": 4}, {"engine": "genetic", "steps": 6}),
    ):
        seen.clear()
        outcome, _ = fit(photo, registry, stage, history=12, primitive=primitive)
        times = [time for scene in outcome.art.film.scenes for time in scene.times]
        for time, tensors in list(zip(times, seen, strict=False))[: len(times) - 1]:
            there = outcome.art.film.tensors_at(time)
            assert all(torch.equal(tensor, there[name]) for name, tensor in tensors.items())


def test_a_shape_that_comes_from_elsewhere_is_a_new_one(photo, registry):
    stage = {"engine": "climb", "passes": 4, "moves": 8, "candidates": 20, "patience": 10}
    outcome, _ = fit(photo, registry, stage, history=100, primitive={"name": "circle", "count": 6})
    (scene,) = outcome.art.film.scenes
    assert scene.lifespans.shape[1] > 6
    assert scene.tensors_at(99)["alpha"].shape == (6,)


def test_between_stages_there_is_a_cut_but_not_in_a_network(photo, registry):
    stages = ({"steps": 10}, {"steps": 10, "rate": 0.1})
    outcome, _ = fit(photo, registry, *stages)
    assert len(outcome.art.film.scenes) == 2
    outcome, _ = fit(photo, registry, *stages, primitive=MLP)
    assert len(outcome.art.film.scenes) == 1
    assert outcome.art.film.scenes[0].lifespans is None


def test_where_nobody_knows_the_parts_there_are_cuts(photo, registry):
    voronoi = {"name": "voronoi", "count": 4}
    outcome, _ = fit(photo, registry, {"engine": "genetic", "steps": 6}, primitive=voronoi)
    scenes = outcome.art.film.scenes
    assert [scene.keyframes for scene in scenes] == [1] * 6
    assert all(a.times[0] < b.times[0] for a, b in pairwise(scenes))


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_it_is_rounded_like_the_drawing(photo, registry, precision):
    outcome, _ = fit(photo, registry, {"steps": 10, "move": 0}, run={"precision": precision})
    art = outcome.art
    last = art.film.tensors_at(3.0)
    assert all(torch.equal(t, last[name]) for name, t in art.drawing.tensors.items())


@pytest.mark.parametrize(
    ("primitive", "stages"),
    [
        ({"name": "gaussian", "count": 20}, [{"steps": 60, "start": 0.2}]),
        (SHAPES, [{"engine": "climb", "passes": 3}, {"engine": "gradient", "steps": 20}]),
        (MLP, [{"steps": 60, "batch": 64}]),
    ],
    ids=["splats", "shapes", "field"],
)
@pytest.mark.parametrize("killed_at", [9, 23])
def test_after_a_kill_it_is_the_same(tmp_path, photo, registry, primitive, stages, killed_at):
    _, asked = fit(photo, registry, *stages, out=tmp_path / "whole", primitive=primitive)

    def die(event):
        if isinstance(event, Advanced) and event.step >= killed_at:
            raise Killed

    with pytest.raises(Killed):
        run(asked, registry, out=tmp_path / "killed", observers=[die], checkpoint_every=7)
    assert list((tmp_path / "killed").glob("*.run/history/*.safetensors"))
    run(asked, registry, out=tmp_path / "killed", resume=True)
    (one,), (other,) = ((tmp_path / out).glob("*.art") for out in ("whole", "killed"))
    assert one.read_bytes() == other.read_bytes()
    assert load(one, registry=registry).film is not None
    assert not list((tmp_path / "killed").glob("*.run"))


def test_a_damaged_key_is_named(tmp_path, photo, registry):
    asked = recipe(photo, {"steps": 30}, output={"video": False, "history": 5})

    def die(event):
        if isinstance(event, Advanced) and event.step >= 29:
            raise Killed

    with pytest.raises(Killed):
        run(asked, registry, out=tmp_path, observers=[die], checkpoint_every=10)
    (folder,) = tmp_path.glob("*.run")
    sorted((folder / "history").iterdir())[0].write_bytes(b"no")
    with pytest.raises(artgen.errors.InputError, match=r"key drawing .* cannot be used"):
        run(asked, registry, out=tmp_path, resume=True)


def test_the_command_and_the_function(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = ["fit", "sample:cat", "-n", "6", "--size", "24", "--steps", "9", "--no-video", "-q"]
    assert main([*arguments, "--history", "4", "--seed", "1"]) == 0
    assert load("artgen-out/cat-gaussian.art").film.keyframes == 4
    assert main([*arguments, "--history", "0", "--seed", "1", "--overwrite"]) == 0
    assert load("artgen-out/cat-gaussian.art").film is None
    capsys.readouterr()
    assert main([*arguments, "--history", "1", "--overwrite", "--json"]) == 2
    assert "history" in json.loads(capsys.readouterr().out)["error"]["message"]
    art = artgen.fit("sample:cat", "gaussian", count=4, steps=5, size=16, history=3)
    assert art.film.keyframes == 3


def test_what_is_not_finite_is_no_key(photo, registry, monkeypatch):
    from artgen.runs.loop import recording

    check = recording.check_finite
    calls = []

    def sometimes(drawing):
        calls.append(drawing)
        if len(calls) == 4:
            raise Diverged("not finite")
        check(drawing)

    monkeypatch.setattr(recording, "check_finite", sometimes)
    outcome, _ = fit(photo, registry, {"steps": 12, "move": 0})
    assert outcome.art.film.keyframes in (5, 6)


@pytest.mark.parametrize(
    ("primitive", "stage"),
    [
        ({"name": "gaussian", "count": 24}, {"start": 0.25, "move": 0.1, "every": 0.1}),
        ({"name": "stroke", "count": 12}, {}),
        ({"name": "mlp", "hidden": 16, "layers": 2, "count": None}, {}),
    ],
    ids=["splats", "strokes", "field"],
)
def test_a_light_history_is_kept_by_default(photo, registry, tmp_path, primitive, stage):
    stage = {"steps": 60, **stage}
    plain = run(recipe(photo, stage, primitive=primitive, output={"video": False}), registry).art
    none, _ = fit(photo, registry, stage, history=0, primitive=primitive)
    assert none.art.trajectory is None
    assert len(plain.to_bytes()) - len(none.art.to_bytes()) < 0.15 * len(plain.to_bytes())
    plain.save(tmp_path / "a.art")
    art = load(tmp_path / "a.art", registry=registry)
    assert art.trajectory == plain.trajectory
    np.testing.assert_array_equal(art.render(), none.art.render())
    film = art.require_film()
    assert film.keyframes == LIGHT_KEYS
    np.testing.assert_array_equal(art.at(film.duration).render(), art.render())
    assert len(list(art.frames(16, fps=2))) == 2 * film.duration


@pytest.mark.parametrize(
    ("history", "primitive", "stage"),
    [
        (24, {"name": "gaussian", "count": 60}, {"steps": 120}),
        (None, {"name": "gaussian", "count": 60}, {"steps": 120}),
        (None, {"name": "siren", "hidden": 16, "layers": 2, "count": None}, {"steps": 80}),
        (40, {"name": "circle", "count": 40}, {"engine": "climb", "candidates": 20, "passes": 1}),
    ],
    ids=["splats", "light splats", "field", "shapes"],
)
def test_every_second_of_a_film_has_as_much_motion(registry, primitive, stage, history):
    output = {"video": False, "history": history, "video_seconds": 6, "fps": 10}
    asked = recipe("sample:coffee", stage, primitive=primitive, output=output)
    ratios = []
    # The pace of one fit depends on how the processor rounds, so the median of three is told.
    for seed in range(3):
        art = run(changed(asked, {"seed": seed, "target": {"size": 32}}), registry).art
        frames = np.stack([*art.frames(32)]).astype(int)
        motion = np.abs(np.diff(frames, axis=0)).mean((1, 2, 3))
        seconds = [motion[start : start + 10].sum() for start in range(0, 40, 10)]
        ratios.append(max(seconds) / min(seconds))
        assert motion[40:].max() == 0
        # It does not begin with an empty canvas, nor with noise.
        even = np.abs(frames[-1] - np.median(frames[-1], axis=(0, 1))).mean()
        assert np.abs(frames[0] - frames[-1]).mean() < even
    assert np.median(ratios) < 2.5, ratios


def test_keyframes_too_near_for_a_pace_are_evenly_apart():
    times = np.linspace(0, 0.3, 1000)
    scene = artgen.art.Scene(tuple(times), {"xy": torch.zeros(1000, 2, 1)})
    film = artgen.art.Film((scene,), 0.5, 30.0)

    def show(moment):
        last = 20 * (np.searchsorted(times, moment) % 2) if moment < 0.2 else 0
        return np.array([[[0] * 3, [250] * 3, [last] * 3]], np.uint8)

    assert paced(film, show) is film


@pytest.mark.parametrize("parts", [True, False])
def test_a_trajectory_is_close_to_a_way_with_one_pace(parts):
    rng = torch.Generator().manual_seed(1)
    pace = torch.tensor([1.0, 0.5, 0.2, 0.05, 0.0])
    final = {"xy": torch.rand(2, 40, generator=rng), "colour": torch.rand(40, generator=rng)}
    first = (torch.arange(40) // 15).sort().values if parts else torch.zeros(40, dtype=torch.int64)
    moved, lost = {}, torch.tensor([[0], [3]])
    for name, tensor in final.items():
        start = torch.rand(tensor.shape, generator=rng) / pace[first] - 0.5
        way = tensor + pace.view(-1, *[1] * tensor.dim()) * start
        # One more part ends on the way, and is no part of the drawing.
        moved[name] = torch.cat([way, way[..., :1]], -1) if parts else way
    lifespans = torch.cat([torch.stack([first, torch.full_like(first, 4)]), lost], 1)
    scene = artgen.art.Scene((0, 1, 2, 3, 4), moved, lifespans if parts else None)
    found = trajectory_of(artgen.art.Film((scene,), 5.0, 10.0), parts=parts)
    drawing = Drawing("gaussian", {}, final, 8, 8)
    film = found.film(drawing)
    for time in (0.0, 1.0, 2.5, 4.0, 5.0):
        exact = scene.tensors_at(time)
        for name, tensor in film.tensors_at(time).items():
            there = exact[name][..., : tensor.shape[-1]]
            spread = (moved[name][0] - moved[name][-1]).abs().max()
            assert tensor.shape[-1] == int((first <= int(time)).sum())
            assert (tensor - there).abs().max() < 0.1 * spread
    assert all(torch.equal(final[name], t) for name, t in film.tensors_at(4.0).items())


def test_small_files_shapes_and_codecs_have_no_light_history(photo, registry):
    for tables in (
        {"run": {"precision": "int8"}},
        {"primitive": {"count": None, "target_bytes": 4000}},
        {"primitive": SHAPES},
    ):
        stage = {"engine": "auto", "steps": 6}
        art = run(recipe(photo, stage, output={"video": False}, **tables), registry).art
        assert art.trajectory is None


def test_a_light_history_survives_a_kill_and_names_its_damage(tmp_path, photo, registry):
    asked = recipe(photo, {"steps": 60, "start": 0.2}, output={"video": False})
    run(asked, registry, out=tmp_path / "whole")

    def die(event):
        if isinstance(event, Advanced) and event.step >= 23:
            raise Killed

    with pytest.raises(Killed):
        run(asked, registry, out=tmp_path / "killed", observers=[die], checkpoint_every=7)
    run(asked, registry, out=tmp_path / "killed", resume=True)
    (one,), (other,) = ((tmp_path / out).glob("*.art") for out in ("whole", "killed"))
    data = one.read_bytes()
    assert data == other.read_bytes()
    art = load(one, registry=registry)
    for wrong in (art.trajectory.data[:-1], art.trajectory.data + b"0", b"\xff" * 48):
        broken = replace(art, trajectory=replace(art.trajectory, data=wrong))
        other.write_bytes(broken.to_bytes())
        with pytest.raises(artgen.errors.InputError, match="its trajectory"):
            load(other, registry=registry)


def test_a_light_history_without_times_is_even(photo, registry):
    art = run(recipe(photo, {"steps": 20}, output={"video": False}), registry).art
    table = art.trajectory.to_table()
    data = base64.b85encode(art.trajectory.data[2 * LIGHT_KEYS :]).decode()
    older = Trajectory.from_table({**table, "moving": 0.5, "data": data})
    assert older.times == pytest.approx(np.linspace(0, 0.5, LIGHT_KEYS), abs=1e-3)
    assert older.retimed(art.trajectory.times) == art.trajectory


def test_older_recipes_have_a_light_one():
    assert Recipe().output.history is None
