"""Long runs take no more memory, files or time per step at the end than at the beginning."""

from __future__ import annotations

import json
import os
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from threading import Thread
from typing import Any

from soak._promise import Promise, Tally
from soak._runs import fit, in_processes, save_photo, start

GROWTH = 8.0
"""The MiB by which the resident memory may grow between the second third and the last."""

SLOWER = 1.5
"""How many times slower a step may get: machines are shared."""


def long_run(tally: Tally, small: bool) -> None:
    """A run with video, checkpoints, log and live page is watched from inside."""
    if not sys.platform.startswith("linux"):
        tally.skips.append("memory and handles are read from /proc")
        return
    steps = 3000 if small else 100_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start(_run_watched, folder, steps).join()
        notes = [json.loads(line) for line in (folder / "notes.jsonl").read_text().splitlines()]
        lines = (folder / "log.jsonl").read_text().splitlines()
        third = len(notes) // 3
        second, last = notes[third : 2 * third], notes[2 * third :]

        def middle(part: list[dict[str, float]], key: str) -> float:
            return statistics.median(each[key] for each in part)

        grown = middle(last, "memory") - middle(second, "memory")
        slower = middle(last, "seconds") / middle(second, "seconds")
        handles = max(each["handles"] for each in last) - max(each["handles"] for each in second)
        tally.measurements = {
            "steps": f"{steps:,}",
            "memory": f"{middle(last, 'memory'):.0f} MiB, {grown:+.1f} since the second third",
            "time per step": f"{slower:.2f} times that of the second third",
            "handles": f"{handles:+.0f}",
            "lines of the log": f"{len(lines)}",
        }
        tally.case("memory", f"it grew by {grown:.1f} MiB" if grown > GROWTH else None)
        tally.case("handles", f"{handles} more" if handles > 0 else None)
        # Judged in the full size alone: tests do not depend on the clock.
        slow = slower > SLOWER and not small
        tally.case("speed", f"a step takes {slower:.2f} times as long" if slow else None)
        readable = all(isinstance(json.loads(line), dict) for line in lines)
        tally.case("log", None if readable and 20 <= len(lines) < 200 else f"{len(lines)} lines")
        video = folder / "out" / "it.mp4"
        tally.case("video", None if video.exists() else "there is none")


PER_PIXEL = 320
"""The bytes of memory that a fit takes at most for every pixel of its size."""


def peak_memory(tally: Tally, small: bool) -> None:
    """Peak memory of fits at two sizes; the difference is due to the pixels."""
    if not sys.platform.startswith("linux"):
        tally.skips.append("memory is read from /proc")
        return
    # The difference is some 40 MiB, many times what allocators take beside it.
    sides = (160, 400) if small else (384, 1024, 2048)
    for primitive in ("gaussian", "mlp") if small else ("gaussian", "fourier", "triangle", "mlp"):
        with tempfile.TemporaryDirectory() as name:
            peaks = []
            for side in sides:
                found = Path(name) / f"{side}.txt"
                start(_note_peak, primitive, side, Path(name), found).join()
                peaks.append(float(found.read_text()))
            for side, peak in zip(sides[1:], peaks[1:], strict=True):
                each = (peak - peaks[0]) * 2**20 / (side**2 - sides[0] ** 2)
                cost = f"{each:.0f} bytes per pixel"
                tally.measurements[f"{primitive} at {side}x{side}"] = f"{peak:.0f} MiB, {cost}"
                # Other allocators and pages take other sizes: judged exactly in the full size alone.
                most = 2 * PER_PIXEL if small else PER_PIXEL
                tally.case(f"{primitive} at {side}x{side}", cost if each > most else None)


def _note_peak(primitive: str, side: int, folder: Path, found: Path) -> None:
    out = folder / str(side)
    line = ["fit", "sample:astronaut", "-p", primitive, "--size", str(side), "--seed", "1"]
    line += ["--steps", "6", "--still-size", str(side), "--threads", "2", "--quiet"]
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak; see proc(5)
    if fit([*line, "--out", str(out)], folder):
        os._exit(1)
    status = Path("/proc/self/status").read_text()
    found.write_text(str(int(status.split("VmHWM:")[1].split()[0]) / 1024))
    os._exit(0)


def _run_watched(folder: Path, steps: int) -> None:
    from artgen.events import Advanced, Event
    from artgen.live import Live
    from artgen.recipe import Recipe
    from artgen.registry import Registry
    from artgen.runs import run
    from artgen.tasks import RunControl

    notes = (folder / "notes.jsonl").open("w")
    page_size = os.sysconf("SC_PAGESIZE") / 2**20
    before = [0, time.process_time()]

    def watch(event: Event) -> None:
        if not isinstance(event, Advanced) or event.step - before[0] < steps / 300:
            return
        now = time.process_time()
        memory = int(Path("/proc/self/statm").read_text().split()[1]) * page_size
        handles = len(os.listdir("/proc/self/fd"))
        seconds = (now - before[1]) / (event.step - before[0])
        note = {"memory": memory, "handles": handles, "seconds": seconds}
        notes.write(json.dumps(note) + "\n")
        before[:] = [event.step, now]

    table: dict[str, Any] = {
        "seed": 1,
        "target": {"source": str(save_photo(folder))},
        "primitive": {"name": "gaussian", "count": 20},
        "stage": [{"steps": steps}],
        "run": {"threads": 1},
    }
    with Live(RunControl()) as page:
        listening = socket.create_connection(("127.0.0.1", page.port))
        host = f"Host: 127.0.0.1:{page.port}"
        listening.sendall(f"GET /events HTTP/1.1\r\n{host}\r\n\r\n".encode())
        listening.recv(1)  # so that its files are open from the start
        Thread(target=_listen, args=(listening,), daemon=True).start()
        run(
            Recipe.from_dict(table),
            Registry(environ={"ARTGEN_PLUGINS": ""}),
            out=folder / "out",
            name="it",
            observers=[watch, page],
            control=page.control,
            checkpoint_every=max(1, steps // 100),
            log=folder / "log.jsonl",
        )
    notes.close()
    os._exit(0)


def _listen(opened: socket.socket) -> None:
    """A page that takes all that it is shown."""
    while opened.recv(2**16):
        pass


def _hoard() -> None:
    """Every checkpoint is kept in memory, and its file open."""
    from artgen.runs.files.folder import RunFolder

    save, kept = RunFolder.save_checkpoint, []

    def hoarding(folder: RunFolder, state: dict[str, Any]) -> None:
        save(folder, state)
        kept.append((os.open(folder.path, os.O_RDONLY), bytearray(os.urandom(2**20))))

    RunFolder.save_checkpoint = hoarding  # type: ignore[method-assign]


def _copy() -> None:
    """Whatever is drawn is kept, 300 times over."""
    import numpy as np

    from artgen.runs.job import Job

    draw, kept = Job.draw, []

    def copying(job: Job, drawing: Any) -> Any:
        picture = draw(job, drawing)
        kept.append(np.repeat(picture.pixels, 300, axis=0))
        return picture

    Job.draw = copying  # type: ignore[method-assign]


PROMISES = [
    Promise(
        "peak-memory",
        "A fit takes at most 320 bytes of memory per pixel of its fitting size, in addition to the "
        "memory of a small fit.",
        "Fits of several sizes record their peak.",
        peak_memory,
        lambda: in_processes(_copy),
        "every drawing is kept",
    ),
    Promise(
        "long-runs",
        "A long run with video, checkpoints, log and live page needs no more memory, handles or "
        "time per step at its end than in the middle.",
        "A run of 100,000 steps records them.",
        long_run,
        lambda: in_processes(_hoard),
        "checkpoints stay in memory, and their folder stays open",
    ),
]
