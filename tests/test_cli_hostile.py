"""Odd values end commands in words, never in Python's, and signals leave no temporary files."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import PYTHON
from safetensors import safe_open
from safetensors.torch import save

from artgen.cli import main

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals")


@pytest.fixture(scope="module")
def arts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the drawings `gaussian.art` and `triangle.art`."""
    folder = tmp_path_factory.mktemp("arts")
    for primitive in ("gaussian", "triangle"):
        line = [
            "fit",
            "sample:astronaut",
            "-p",
            primitive,
            "-n",
            "3",
            "--steps",
            "3",
            "--size",
            "16",
        ]
        line += ["--seed", "1", "--no-video", "--name", primitive, "--out", str(folder), "-q"]
        assert main(line) == 0
    return folder


def changed(
    file: Path,
    out: Path,
    header: Callable[[dict[str, Any]], object] = lambda header: None,
    values: float | None = None,
) -> Path:
    """A copy of an .art file with another header, or with all numbers replaced."""
    with safe_open(file, framework="pt") as data:
        text = (data.metadata() or {})["artgen"]
        tensors = {name: data.get_tensor(name) for name in data.keys()}  # noqa: SIM118
    found = json.loads(text)
    header(found)
    if values is not None:
        tensors = {name: torch.full_like(tensor, values) for name, tensor in tensors.items()}
    out.write_bytes(save(tensors, metadata={"artgen": json.dumps(found)}))
    return out


@pytest.mark.parametrize("value", [1e38, -1e38])
def test_parts_beyond_all_canvases_are_morphed_and_plotted(arts, tmp_path, value, capsys):
    for primitive in ("gaussian", "triangle"):
        far = changed(arts / f"{primitive}.art", tmp_path / f"{primitive}.art", values=value)
        film, sheet = tmp_path / f"{primitive}-film.art", tmp_path / f"{primitive}.pdf"
        assert main(["morph", str(far), str(arts / f"{primitive}.art"), "-o", str(film)]) == 0
        assert main(["render", str(far), "-o", str(sheet), "--page", "A4"]) == 0
    assert "unexpected" not in capsys.readouterr().err


def test_a_metric_that_is_no_number_is_refused_by_name(arts, tmp_path, capsys):
    file = changed(
        arts / "gaussian.art", tmp_path / "a.art", lambda h: h["metrics"].update(psnr="<b>")
    )
    assert main(["render", str(file), "-o", str(tmp_path / "a.html")]) == 3
    assert "a.art is damaged: metrics.psnr" in capsys.readouterr().err


def test_no_json_is_written_of_a_drawing_of_nan(arts, tmp_path, capsys):
    file = changed(arts / "gaussian.art", tmp_path / "a.art", values=math.nan)
    assert main(["render", str(file), "-o", str(tmp_path / "a.json")]) == 3
    assert "holds NaN or infinite values" in capsys.readouterr().err


@pytest.mark.parametrize("table", ["primitive", "target"])
def test_half_a_character_in_a_recipe_is_refused(arts, tmp_path, capsys, table):
    key = "name" if table == "primitive" else "source"
    file = changed(
        arts / "gaussian.art",
        tmp_path / "a.art",
        lambda h: h["recipe"][table].update({key: "a\ud800b"}),
    )
    assert main(["info", "--recipe", str(file)]) == 3
    assert "not valid Unicode" in capsys.readouterr().err


def test_json_has_neither_nan_nor_infinity(tmp_path, capsys):
    file = tmp_path / "a.json"
    values = {"psnr": float("nan"), "loss": float("-inf"), "bytes": [float("inf")]}
    file.write_text(json.dumps({**values, "recipe": {"seed": 1}}))
    assert main(["info", "--json", str(file)]) == 0

    def refuse(word: str) -> None:
        raise AssertionError(word)

    data = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert data["metrics"]["psnr"] is None
    assert data["metrics"]["bytes"] == [None]


@pytest.mark.parametrize("flag", ["--graph", "--log", "--video", "--init", "--recipe"])
@pytest.mark.parametrize("path", ["", ".", "/"])
def test_a_path_without_a_name_is_refused(flag, path, capsys):
    assert main(["fit", "--steps", "1", flag, path]) == 2
    assert "names no file" in capsys.readouterr().err


def test_frames_of_no_folder_are_refused(empty_folder, photo, capsys):
    assert main(["fit", "frames:"]) == 3
    assert "the name of the target is empty" in capsys.readouterr().err


def test_a_missing_folder_is_found_before_the_first_step(empty_folder, photo, capsys):
    code = main(["fit", str(photo), "-p", "triangle", "-n", "2", "-o", "nowhere/a.svg"])
    assert (code, list(Path().rglob("*.art"))) == (6, [])
    assert "cannot write nowhere/a.svg: there is no folder nowhere" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ("--log artgen-out/a.json", "--log artgen-out/a.json is also the summary of the run"),
        ("--log ./artgen-out/a.png", "--log artgen-out/a.png is also the still of the run"),
        ("--log b.svg -o b.svg", "-o b.svg is also the log of the run"),
        ("-o artgen-out/a.json", "-o artgen-out/a.json is also the summary of the run"),
        ("-o artgen-out/a.png -o artgen-out/a.art -o a.json", None),
    ],
)
def test_two_outputs_of_one_name_are_refused(flags, told, empty_folder, photo, capsys):
    """The log was replaced by the picture, and the summary by a drawing as data."""
    Path("artgen-out").mkdir()
    asked = ("-p", "triangle", "-n", "2", "--steps", "2", "--name", "a", "--no-video")
    code = main(["fit", str(photo), *asked, *flags.split()])
    err = capsys.readouterr().err
    assert code == (2 if told else 0), err
    assert told is None or told in err
    assert bool(list(Path().rglob("*.art"))) == (told is None)


def test_every_failure_has_the_key_error(empty_folder, capsys):
    assert main(["compare", "sample:astronaut", "-p", "zork", "--json"]) == 4
    data = json.loads(capsys.readouterr().out)
    assert data["error"]["exit_code"] == 4
    assert "zork" in data["error"]["message"]
    assert main(["fit", "a.png", "b.png", "--json"]) == 3
    data = json.loads(capsys.readouterr().out)
    assert data["error"] == data["runs"][0]["error"]


@pytest.mark.parametrize("arguments", [["--help"], ["fit", "--json"]])
def test_an_interruption_while_the_command_line_is_imported_is_silent(arguments):
    """With `--json`, an object says that it was interrupted, where nothing was printed."""
    script = f"""
import sys

class Interrupting:
    def find_spec(self, name, *given):
        if name == "typer":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
from artgen.cli import main
sys.exit(main({arguments!r}))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "")
    if "--json" in arguments:
        assert json.loads(done.stdout)["error"]["exit_code"] == 130
    else:
        assert done.stdout == ""


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["SIGTERM", "SIGHUP"])
def test_a_signal_leaves_no_temporary_file(arts, tmp_path, number):
    """Sent in the middle of writing a file."""
    script = f"""
import os, signal, sys
from pathlib import Path
from artgen.cli import main
import artgen.output.atomic as atomic

def die(path):
    os.kill(os.getpid(), {int(number)})

signal.signal({int(number)}, signal.SIG_DFL)  # SIGHUP is ignored under nohup
atomic._sync = die
sys.exit(main({["render", str(arts / "gaussian.art"), "-o", str(tmp_path / "a.png"), "-q"]!r}))
"""
    done = subprocess.run([*PYTHON, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
    assert os.listdir(tmp_path) == []


def test_a_full_temporary_folder_is_told_apart(monkeypatch, tmp_path):
    import errno
    import tempfile

    from artgen.base.errors import OutputError
    from artgen.output import atomic_path

    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    for folder, hint in ((tmp_path, "TMPDIR"), (tmp_path.parent, "another disk")):
        with pytest.raises(OutputError) as caught, atomic_path(folder / "a.mp4"):
            raise OSError(errno.ENOSPC, "No space left on device")
        assert hint in str(caught.value.hint)


def test_an_interrupted_batch_says_once_what_was_not_started(empty_folder, photo, capsys):
    from artgen.tasks import RunControl

    names = [f"{number}.png" for number in range(200)]
    for name in names:
        Path(name).write_bytes(photo.read_bytes())
    original = RunControl.__init__

    def stopped(control: RunControl) -> None:
        original(control)
        control.request_stop()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunControl, "__init__", stopped)
        assert main(["fit", *names, "--steps", "1", "--no-video"]) == 130
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) < 5
    assert "200 of 200 runs were not started" in lines[-1]
