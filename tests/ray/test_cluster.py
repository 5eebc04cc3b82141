"""Batches on a real cluster: the bytes of local ones, whatever happens to nodes and workers."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SMALL = ("--size", "48", "-n", "30", "--video-seconds", "1", "--backend", "eager")
RUNS, STEPS = (24, 900) if os.environ.get("ARTGEN_TEST_RAY") == "long" else (16, 150)
"""Of the batch whose node dies; the long runs take about 5 CPU seconds each."""

LOST = "its worker or node was lost"

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("empty_folder")]


class Command:
    """`artgen` as a process of its own, whose stderr is read while it goes on."""

    def __init__(self, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "artgen", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self.peak = 0.0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stderr:
            self.lines.append(line)
            self.peak = max(self.peak, peak_memory(self.process.pid))

    def wait_for(self, words: str, times: int = 1) -> None:
        while sum(words in line for line in self.lines) < times:
            assert self.process.poll() is None, self.text
            time.sleep(0.02)

    def hold(self, cluster) -> int:
        """Stop a worker, not of the head, whose run has said that it began: it cannot end."""
        while self.process.poll() is None:
            for worker in workers():
                run = named(worker)
                if run and f"{run}: " in self.text and cluster.node_of(worker):
                    os.kill(worker, signal.SIGSTOP)
                    if named(worker) == run:  # Otherwise it had ended before.
                        return worker
                    os.kill(worker, signal.SIGCONT)
            time.sleep(0.02)
        raise AssertionError(self.text)

    def end(self) -> tuple[int, str]:
        out = self.process.stdout.read()
        return self.process.wait(), out

    @property
    def text(self) -> str:
        return "".join(self.lines)


def artgen(*arguments: object) -> tuple[int, str, str]:
    command = Command(*arguments)
    code, out = command.end()
    return code, out, command.text


def peak_memory(pid: int) -> float:
    """MiB of a process at its peak; 0 where it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    line = next((line for line in status.splitlines() if line.startswith("VmHWM")), "VmHWM: 0")
    return int(line.split()[1]) / 1024


def files(folder: str, *suffixes: str) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in Path(folder).iterdir()
        if path.suffix in (suffixes or (".png", ".mp4", ".art"))
    }


def named(process: int) -> str:
    """The name of the run that a worker of Ray carries out, "" for other processes."""
    try:
        title = Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return ""
    found = re.match(rb"ray::([\w-]+-gaussian|Coordinator)", title)
    return found[1].decode() if found else ""


def workers(name: str = "-gaussian") -> list[int]:
    """The processes that carry out a run at this moment, or something else."""
    numbers = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal()]
    return [number for number in numbers if named(number).endswith(name)]


def pictures(folder: str, count: int) -> list[str]:
    Path(folder).mkdir()
    rng = np.random.default_rng(0)
    names = []
    for number in range(count):
        ramp = np.linspace(0, 255, 48)[:, None, None] + rng.normal(0, 30, (1, 64, 3))
        names.append(f"{folder}/p{number:02}.png")
        Image.fromarray(np.clip(ramp, 0, 255).astype(np.uint8)).save(names[-1])
    return names


def test_a_node_that_dies_changes_no_byte(cluster):
    targets = pictures("in", RUNS)
    budget = ("--steps", STEPS, "--checkpoint-every", 25, "--seed", 3, *SMALL)
    assert artgen("fit", *targets, *budget, "--out", "here", "-j", 2, "-q")[0] == 0
    command = Command("fit", *targets, *budget, "--out", "there", "--on", cluster.address)
    command.wait_for("all steps are done", times=4)
    worker = command.hold(cluster)
    cluster.kill(worker)
    code, out = command.end()
    assert code == 0, command.text
    assert LOST in command.text
    here, there = files("here"), files("there")
    assert len(here) == 3 * RUNS + 1
    assert here == there
    assert len(out.split()) == 4 * RUNS + 2  # the sheet, and its page
    assert not list(Path("there").glob("*.run"))
    assert 0 < command.peak <= 200


def test_a_worker_that_is_killed_goes_on_from_its_last_checkpoint(cluster):
    [target] = pictures("in", 1)
    budget = ("--steps", 4000, "--checkpoint-every", 100, "--seed", 3, *SMALL)
    assert artgen("fit", target, *budget, "--out", "here", "-j", 1, "-q")[0] == 0
    for kept in ((), ("--checkpoints", "kept")):
        shutil.rmtree("there", ignore_errors=True)
        command = Command(
            *("fit", target, *budget, "--out", "there", "--on", cluster.address, *kept),
            *("--log", "there.jsonl", "--overwrite"),
        )
        command.wait_for("step ", times=4)
        [worker] = workers()
        os.kill(worker, signal.SIGKILL)
        code, _ = command.end()
        assert code == 0, command.text
        assert LOST in command.text
        assert " from step " in command.text
        assert files("here") == files("there")
        steps = [json.loads(line)["step"] for line in Path("there.jsonl").read_text().splitlines()]
        assert steps == sorted(set(steps))
        assert (steps[0], steps[-1]) == (0, 4000)
    assert not list(Path("kept").rglob("*.safetensors"))


def test_ctrl_c_saves_what_runs_and_keeps_what_is_done(cluster):
    targets = pictures("in", 5)
    budget = ("--steps", 3000, "--seed", 3, *SMALL)
    command = Command("fit", *targets, *budget, "--json", "--on", cluster.address)
    command.wait_for("all steps are done")
    command.wait_for("step ", times=30)
    command.process.send_signal(signal.SIGINT)
    code, out = command.end()
    assert code == 130, command.text
    runs = json.loads(out)["runs"]
    states = [run.get("stopped_by") for run in runs]
    assert states.count("steps") >= 1
    assert states.count("interrupted") >= 1
    for run in runs:
        if run.get("stopped_by") == "interrupted":
            assert 0 < run["steps"] < 3000
            assert all(Path(run["outputs"][kind]).exists() for kind in ("still", "art"))
            assert (Path(run["outputs"]["checkpoint"]) / "checkpoint.safetensors").exists()
    assert workers() == []
    # Here or there, a run goes on wherever its folder is.
    assert artgen("fit", *targets, *budget, "-q", "--resume", "-j", 2)[0] == 0
    assert artgen("fit", *targets, *budget, "-q", "--out", "whole", "-j", 2)[0] == 0
    assert files("artgen-out", ".art") == files("whole", ".art")


def test_when_the_cluster_is_lost_what_is_done_is_kept(cluster):
    targets = pictures("in", 4)
    budget = ("--steps", 800, "--seed", 3, *SMALL)
    command = Command("fit", *targets, *budget, "--on", cluster.address)
    command.wait_for("all steps are done")
    [coordinator] = workers("Coordinator")
    os.kill(coordinator, signal.SIGKILL)
    code, _ = command.end()
    assert code == 6, command.text
    assert "the cluster was lost: " in command.text
    done = files("artgen-out")
    assert done
    assert artgen("fit", *targets, *budget, "-q", "--resume", "-j", 2)[0] == 0
    assert done.items() <= files("artgen-out").items()
    assert len(list(Path("artgen-out").glob("*.art"))) == 4


def test_masks_plugins_and_what_fails_travel(cluster):
    targets = pictures("in", 2)
    Path("bad.png").write_bytes(b"no picture")
    Image.new("L", (64, 48), 128).save("mask.png")
    Path("dab.py").write_text(
        "import torch\n"
        "from artgen import Param, Splat, init\n"
        "class Dab(Splat):\n"
        '    """A soft dab."""\n'
        '    params = {"size": Param(init=init.from_spacing(0.5), lr=0.1, map="exp")}\n'
        "    def footprint(self, dx, dy, p):\n"
        "        return torch.exp(-(dx * dx + dy * dy) / (p.size * p.size))\n"
        "    def radius(self, p):\n"
        "        return 2.6 * p.size\n"
    )
    asked = ("fit", targets[0], "bad.png", targets[1], "gone.png", "-p", "dab")
    asked += ("--plugin", "dab.py", "--mask", "mask.png", "--steps", 20, "--seed", 1, *SMALL)
    results = {}
    for out, where in (("here", ("-j", 1)), ("there", ("--on", cluster.address))):
        code, printed, err = artgen(*asked, "--out", out, "--json", "-q", *where)
        results[out] = json.loads(printed)
        assert code == 3, err
    messages = [
        [run.get("error", {}).get("message") for run in results[out]["runs"]]
        for out in ("here", "there")
    ]
    assert messages[0] == messages[1]
    assert "bad.png" in messages[0][1]
    assert "gone.png" in messages[0][3]
    assert files("here") == files("there")


def test_comparisons_and_galleries_are_the_same(cluster):
    pictures("in", 2)
    asked = ("compare", "in", "-p", "gaussian:count=20", "-p", "triangle:count=5", "--steps", 10)
    for out, where in (("here", ("-j", 1)), ("there", ("--on", cluster.address))):
        code, _, err = artgen(*asked, "--seed", 1, "--size", 48, "--out", out, "-q", *where)
        assert code == 0, err
    assert files("here", ".art") == files("there", ".art") != {}
    for name, where in (("one", ("-j", 1)), ("two", ("--on", cluster.address))):
        shutil.copytree("in", f"{name}/recipes")
        for number in (0, 1):
            Path(f"{name}/recipes/piece-{number}.toml").write_text(
                f'seed = 1\n[target]\nsource = "p{number:02}.png"\n[primitive]\ncount = 10\n'
            )
        code, _, err = artgen("gallery", "build", name, "--quick", "-q", *where)
        assert code == 0, err
    for piece in ("piece-0", "piece-1"):
        made = [
            files(f"{name}/out-quick/{piece}", ".png", ".mp4", ".art", ".jpg")
            for name in ("one", "two")
        ]
        assert made[0] == made[1]
        assert {"final.png", "progress.mp4", "drawing.art", "poster-2x.jpg"} <= made[0].keys()


def test_the_scenes_of_a_clip_go_on_where_their_worker_was_killed(cluster):
    asked = ("fit", "sample:clip?n=16", "--size", "48", "-n", "30", "--steps", 400, "--seed", 3)
    asked += ("--backend", "eager")
    assert artgen(*asked, "--out", "here", "--threads", 1, "-q")[0] == 0
    command = Command(*asked, "--out", "there", "--on", cluster.address, "-v")
    command.wait_for("step ", times=4)
    os.kill(workers()[0], signal.SIGKILL)
    code, _ = command.end()
    assert code == 0, command.text
    assert LOST in command.text
    assert files("here") == files("there") != {}
    assert (
        json.loads(Path("there/clip_n_16-993532-gaussian.json").read_text())["clip"]["scenes"] == 2
    )


def test_the_tiles_of_a_picture_go_on_where_their_worker_was_killed(cluster):
    [target] = pictures("in", 1)
    asked = ("fit", target, "-n", "30", "--steps", 300, "--seed", 3, "--tiles", 32)
    asked += ("--backend", "eager", "--set", "tiles.margin=6", "--no-video")
    assert artgen(*asked, "--out", "here", "--threads", 1, "-q")[0] == 0
    command = Command(
        *asked, "--out", "there", "--on", cluster.address, "--checkpoints", "kept", "-v"
    )
    while not (list(Path("kept").rglob("checkpoint.safetensors")) and workers()):
        assert command.process.poll() is None, command.text
        time.sleep(0.02)
    for worker in workers():
        os.kill(worker, signal.SIGKILL)
    code, _ = command.end()
    assert code == 0, command.text
    assert LOST in command.text
    assert files("here") == files("there") != {}


def test_another_artgen_on_a_node_is_refused(cluster, tmp_path):
    # The driver is the one that differs: it runs a copy with another line.
    import artgen as package

    source = Path(package.__file__).parent
    shutil.copytree(source, tmp_path / "other/artgen", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "other/artgen/canvas.py").open("a") as file:
        file.write("# another\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path / 'other'}:{source.parent / 'plugins'}"}
    asked = ["fit", "--seeds", "1,2", "--on", cluster.address, "--json", "-q", "--steps", "5"]
    done = subprocess.run(
        [sys.executable, "-m", "artgen", *asked],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    error = json.loads(done.stdout)["error"]
    assert error["type"] == "UsageError"
    assert "node 127.0.0.1" in error["message"]
    assert error["message"].count("(source ") == 2
    assert not Path("artgen-out").exists() or not list(Path("artgen-out").glob("*.png"))


def test_a_cluster_that_is_not_there(cluster):
    code, out, err = artgen("fit", "--seeds", "1,2", "--on", "ray://127.0.0.1:1", "--json")
    assert code == 2, err
    assert "cannot join ray://127.0.0.1:1" in json.loads(out)["error"]["message"]
