"""Signals, as a real process receives them: the best is saved, and the run can go on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import PATIENCE, PYTHON

from artgen.cli import main

STEPS = 1000
ARGUMENTS = [
    *("fit", "--size", "16", "-n", "3", "--steps", str(STEPS), "--seed", "1"),
    *("--no-video", "--threads", "1", "--json"),
]


def start(folder: Path) -> subprocess.Popen[str]:
    """A run that has taken its first steps."""
    process = subprocess.Popen(
        [*PYTHON, "-m", "artgen", *ARGUMENTS, "-v"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("step ") and not line.startswith("step 0/"):
            return process
    raise AssertionError(process.communicate())


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_the_best_and_the_run_can_be_resumed(
    number, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    process = start(tmp_path)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    data = json.loads(out)
    assert process.returncode == data["error"]["exit_code"] == 130
    assert "--resume" in err
    assert 0 < data["steps"] < STEPS
    assert (tmp_path / data["outputs"]["still"]).exists()
    assert (tmp_path / data["outputs"]["checkpoint"]).is_dir()

    monkeypatch.chdir(tmp_path)
    assert main(["fit", "--resume", "--json", "-q"]) == 0
    resumed = json.loads(capsys.readouterr().out)
    assert (resumed["steps"], resumed["stopped_by"]) == (STEPS, "steps")
    assert resumed["outputs"]["checkpoint"] is None
    assert not list((tmp_path / "artgen-out").glob("*.run"))
