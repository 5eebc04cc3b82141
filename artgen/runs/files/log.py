"""`--log FILE.jsonl`: a JSON object per evaluation, tile, and step that the engine measured."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from pathlib import Path

from artgen.base.errors import InputError, OutputError, writing
from artgen.base.files import read_regular
from artgen.events import Evaluated, Event, Measured, TileFitted
from artgen.output.atomic import at_once
from artgen.output.ownership import check_output

_HINT = "a log is written by --log"

_MARK = b'{"step": '
"""How a line begins."""


class JsonLines:
    """An observer that writes step, losses, psnr and seconds, and what an engine measured.

    A resumed run keeps the lines up to the step it goes on from. A pipe or device is written into.
    Raises UsageError where something else than a log is there, OutputError.
    """

    def __init__(self, path: Path, *, resumed_at: int | None, overwrite: bool) -> None:
        kept, self.path = "", path
        allowed = overwrite or resumed_at is not None
        check_output(path, overwrite=allowed, option="--log", mark=_MARK)
        with writing(f"cannot write {path}"):
            if resumed_at is not None and path.is_file():
                lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
                kept = "".join(f"{line}\n" for line in lines if _step(line) <= resumed_at)
            # Buffered by lines: a kill before the first event would take those that are kept.
            self.file = open(path, "w", 1, encoding="utf-8", opener=at_once)  # noqa: SIM115
            self.file.write(kept)
        self.last = max((_step(line) for line in kept.splitlines()), default=-1)

    def __call__(self, event: Event) -> None:
        """Write a line for every evaluation, every tile, and every step that was measured."""
        if not isinstance(event, Evaluated | Measured | TileFitted) or event.step <= self.last:
            return
        line: dict[str, object] = {"step": event.step}
        if isinstance(event, Measured):
            line |= event.metrics
        else:
            if isinstance(event, TileFitted):
                line |= {"tile": event.number, "tiles": event.tiles}
            else:
                line |= {"loss": event.loss, "training_loss": event.training_loss}
            line["psnr"] = None if event.psnr is None else round(event.psnr, 4)
            line["seconds"] = round(event.seconds, 3)
        try:
            self.file.write(json.dumps(line) + "\n")
            self.file.flush()
        except OSError as error:
            self.close()
            raise OutputError.of(f"cannot write {self.path}", error) from None

    def close(self) -> None:
        """Close the file. A line that could not be written was reported: it is refused again."""
        with suppress(OSError):
            self.file.close()

    def remove(self) -> None:
        """Delete the file, of a run that left nothing; a pipe or device stays."""
        with suppress(OSError):
            if self.path.is_file():
                self.path.unlink()


def read_losses(path: Path) -> dict[str, list[tuple[int, float]]]:
    """The step and the loss of every evaluation in a log whose loss is finite.

    They are called "", or "test" where there are those of "training" too. Raises InputError naming
    the file, and the line that is not one of a log.
    """
    [found] = _series(path, "loss").values()
    if not found:
        raise InputError(f"{path} holds no losses", hint=_HINT)
    [trained] = _series(path, "training_loss").values()
    return {"training": trained, "test": found} if trained else {"": found}


def read_generations(path: Path) -> dict[str, list[tuple[int, float]]]:
    """The `best`, `mean` and `diversity` of every generation in a log, with their steps.

    Raises InputError where there are none, and as `read_losses` does.
    """
    found = _series(path, "best", "mean", "diversity")
    if not found["best"]:
        message = f"{path} holds no generations, as the engine genetic logs them"
        raise InputError(message, hint=_HINT)
    return found


def _series(path: Path, *names: str) -> dict[str, list[tuple[int, float]]]:
    """Steps and values by name, of the lines in which all of these names have finite ones."""
    found: dict[str, list[tuple[int, float]]] = {name: [] for name in names}
    try:
        lines = read_regular(path, str(path), empty=True).decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise InputError(f"cannot read {path}: it is not a text file", hint=_HINT) from None
    for number, line in enumerate(lines, 1):
        try:
            data = json.loads(line)
            step = int(data["step"])
            if len(data) < 2 or not 0 <= step < 2**63:
                raise ValueError
            values = {n: float(data[n]) for n in names if data.get(n) is not None}
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            # A kill may have cut off the last line.
            if number == len(lines) > 1:
                break
            raise InputError(f"{path}, line {number} is not a line of a log", hint=_HINT) from None
        if len(values) == len(names) and all(map(math.isfinite, values.values())):
            for name, value in values.items():
                found[name].append((step, value))
    return found


def _step(line: str) -> float:
    """The step of a line; a line cut off by a kill counts as later than everything."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return float("inf")
