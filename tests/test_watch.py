"""`artgen fit --watch`: every save is fitted again, mistakes are reported and end nothing."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import PATIENCE, PYTHON

from artgen.cli import main
from artgen.cli._watching import SIZE, _small
from artgen.live import SavedFiles
from artgen.live._board import Board, Seen
from artgen.live.controls import Controls, describe_part
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.scaffold import create

PLUGIN = """
import torch
from artgen import Param, Splat, init

class Spot(Splat):
    "A spot."
    params = {"size": Param(init=init.from_spacing(0.5), lr=0.1, map="exp")}

    def footprint(self, dx, dy, p):
        return torch.exp(-(dx * dx + dy * dy) / (p.size * p.size))

    def radius(self, p):
        return 2.6 * p.size
"""
SMALL = ("--size", "16", "-n", "3", "--steps", "3", "--backend", "eager", "--threads", "1")


def save(path: Path, text: str) -> None:
    """As editors do: written beside it and moved into its place."""
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)


def test_a_save_stops_what_runs(tmp_path: Path) -> None:
    file = tmp_path / "spot.py"
    saved = SavedFiles([file])
    assert not saved.stop_requested
    file.write_text("1")
    assert saved.stop_requested
    saved.begin()
    assert not saved.stop_requested
    save(file, "2")
    assert saved.stop_requested
    saved.begin()
    file.unlink()
    assert saved.stop_requested
    assert not saved.ended
    saved.begin()
    saved.request_stop()
    assert saved.stop_requested
    assert saved.ended
    saved.wait()  # does not


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ((), "needs a file to watch"),
        (("--plugin", "spot.py", "--json"), "--watch and --json"),
        (("--plugin", "spot.py", "--resume"), "--watch and --resume"),
        (("--plugin", "spot.py", "--log", "x.jsonl"), "--watch and --log"),
        (("--plugin", "spot.py", "--seeds", "1..3"), "one target, not 3"),
        (("--plugin", "spot.py", "sample:cat", "sample:coffee"), "one target, not 2"),
    ],
)
def test_what_makes_no_sense_is_refused(more, says, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["fit", "--watch", *more]) == 2
    assert says in "".join(capsys.readouterr())


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("family", "size"), [("splat", SIZE), ("codec", None)])
def test_a_preview_is_small_but_for_sets_of_small_pictures(family, size, tmp_path) -> None:
    create("petal", family, Registry(environ={}), tmp_path, single_file=True)
    files = [tmp_path / "petal.py"]
    recipe = _small(Recipe(), Registry(files=files, environ={}), files)
    assert (recipe.primitive.name, recipe.target.size) == ("petal", size)


def test_from_the_first_mistake_to_ctrl_c(tmp_path: Path) -> None:
    file = tmp_path / "spot.py"
    file.write_text("class Spot(:\n")
    process = subprocess.Popen(
        [
            *PYTHON,
            "-m",
            "artgen",
            "fit",
            "sample:cat",
            "--watch",
            "--plugin",
            "spot.py",
            *SMALL,
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    lines: list[str] = []

    def until(text: str) -> str:
        for line in process.stderr:
            lines.append(line)
            if text in line:
                return line
        raise AssertionError("".join(lines))

    port = int(until("live: ").rstrip("/\n").rpartition(":")[2])
    assert "SyntaxError" in until("error: ")
    until("hint: ")

    save(file, PLUGIN)
    assert "spot" in until("cat-spot: spot x 3")
    until("all steps are done")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", "/events")
    answer = connection.getresponse()
    message = json.loads(answer.readline()[6:])
    assert message["error"] is None
    assert not message["saves"]
    assert (message["primitive"], message["step"]) == ("spot", 3)
    assert message["picture"].startswith("data:image/jpeg")
    connection.close()

    save(file, PLUGIN.replace("return torch.exp", "1 / 0\n        return torch.exp"))
    assert "ZeroDivisionError: division by zero (spot.py, line 10: 1 / 0)" in until("error: ")
    save(file, PLUGIN.replace("Spot", "Blob"))
    until("cat-blob: blob x 3")
    until("all steps are done")

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, "".join(lines) + err
    assert out == ""
    assert "Traceback" not in "".join(lines) + err
    assert [path.name for path in tmp_path.iterdir()] == ["spot.py"]


OPTIONS = PLUGIN.replace(
    '    "A spot."',
    """    "A spot."

    @dataclass(frozen=True)
    class Options:
        "Options."
        power: float = option(2.0, "steepness", low=1, high=8)
        kind: Literal["round", "square"] = option("round", "its form")
""",
).replace(
    "from artgen import",
    "from dataclasses import dataclass\nfrom typing import Literal\nfrom artgen import option,",
)


class TestStudio:
    @pytest.fixture
    def spot(self, tmp_path):
        file = tmp_path / "spot.py"
        file.write_text(OPTIONS)
        return file

    def test_choices_stay_while_the_file_is_edited(self, spot):
        saved = SavedFiles([spot])
        studio = Controls(Recipe(), saved)
        saved.begin()
        seeds = set()
        for command in (
            {"option": "power", "value": 4.5},
            {"target": "sample:coffee"},
            {"option": "gone", "value": 1},
        ):
            assert not saved.stop_requested
            assert studio.change(command)
            assert saved.stop_requested
            assert not saved.ended
            saved.begin()
            cls = Registry(files=[spot], environ={}).load("primitive", "spot")
            recipe = studio.recipe(Recipe().with_primitive(name="spot"), cls)
            seeds.add(recipe.seed)
        assert recipe.primitive.options == {"power": 4.5}
        assert recipe.target.source == "sample:coffee"
        assert len(seeds) == 1
        assert studio.change({"action": "reseed"})
        assert studio.seed not in seeds
        assert Controls(Recipe(seed=5), saved).seed == 5

    def test_another_target_has_another_hash(self, spot):
        """It was refused as not the target that the recipe was made with."""
        asked = Recipe().with_target(source="sample:cat", sha256="0" * 64)
        asked = asked.with_primitive(name="spot")
        studio = Controls(asked, SavedFiles([spot]))
        cls = Registry(files=[spot], environ={}).load("primitive", "spot")
        assert studio.recipe(asked, cls).target.sha256 == "0" * 64
        assert studio.change({"target": "sample:coffee"})
        assert studio.recipe(asked, cls).target.sha256 is None

    def test_numbers_that_may_be_texts_have_a_field_of_text(self, spot, registry):
        board = Board()
        halftone = registry.load("primitive", "halftone")
        Controls(Recipe(), SavedFiles([spot])).show(board, halftone())
        shown = board.updates(Seen(), pictures=False)["studio"]["options"]
        numbers = {each["name"]: each["number"] for each in shown}
        assert (numbers["angles"], numbers["margin"]) == (False, True)

    def test_other_commands_are_none_of_its(self, spot):
        studio = Controls(Recipe(), SavedFiles([spot]))
        assert not studio.change({"target": "/etc/passwd"})
        assert not studio.change({"option": "power", "value": [1]})
        assert not studio.saved.restarted

    def test_it_shows_the_options_and_the_part_alone(self, spot):
        board = Board()
        studio = Controls(Recipe(), SavedFiles([spot]))
        studio.show(board, Registry(files=[spot], environ={}).load("primitive", "spot")())
        seen = Seen()
        shown = board.updates(seen, pictures=False)["studio"]
        controls = {each["name"]: each for each in shown["options"]}
        assert (controls["power"]["low"], controls["power"]["high"]) == (1, 8)
        assert (controls["power"]["number"], controls["power"]["value"]) == (True, 2.0)
        assert controls["kind"]["choices"] == ["round", "square"]
        part = shown["part"]
        values = np.array(part["values"]).reshape(part["side"], part["side"])
        places = part["reach"] * (2 * np.arange(part["side"]) + 1 - part["side"]) / part["side"]
        squares = places**2 + places[:, None] ** 2
        # A Gaussian of size s is cut at 2.6 s, and a tenth more than that is shown.
        size = part["reach"] / 1.1 / 2.6
        expected = np.where(squares <= (2.6 * size) ** 2, np.exp(-squares / size**2), 0)
        np.testing.assert_allclose(values, expected, atol=1e-3)
        assert "studio" not in board.updates(seen, pictures=False)
        board.equip(checks=["ok"])
        assert board.updates(seen, pictures=False)["studio"]["checks"] == ["ok"]

    @pytest.mark.parametrize(("name", "alone"), [("triangle", True), ("mlp", False)])
    def test_only_parts_stand_alone(self, name, alone, registry):
        part = describe_part(registry.load("primitive", name)())
        assert (part is not None) == alone
        assert part is None or 0.9 < max(part["values"]) <= 1.0

    def test_checks_are_shown_as_they_come_and_end_with_the_next_change(self, spot):
        board = Board()
        studio = Controls(Recipe(), SavedFiles([spot]))
        spot.write_text("class Spot(:\n")
        studio.check(board, spot)
        studio._reader.join(60)
        assert "cannot be imported" in board.studio["checks"][0]
        studio.check(board, spot)
        process = studio._check
        studio.end_check()
        assert process.poll() is not None
