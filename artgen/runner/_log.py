"""`--log FILE.jsonl`: one JSON object per evaluation, written as it happens."""

from __future__ import annotations

import json
import math
from pathlib import Path

from artgen.errors import InputError, OutputError, UsageError
from artgen.events import Evaluated, Event

__all__ = ["JsonLines", "read_losses"]


class JsonLines:
    """An observer that writes step, loss, training loss, psnr and seconds.

    A resumed run keeps the lines up to the step it goes on from.
    """

    def __init__(self, path: Path, *, resumed_at: int | None, overwrite: bool) -> None:
        kept = ""
        try:
            if resumed_at is not None and path.exists():
                lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
                kept = "".join(line for line in lines if _step(line) <= resumed_at)
            elif path.exists() and not overwrite:
                raise UsageError(f"{path} exists", hint="use --overwrite or another --log")
            self.file = path.open("w", encoding="utf-8")
            self.file.write(kept)
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror}") from None
        self.last = max((_step(line) for line in kept.splitlines()), default=-1)

    def __call__(self, event: Event) -> None:
        """Write a line for every evaluation."""
        if not isinstance(event, Evaluated) or event.step <= self.last:
            return
        line = {
            "step": event.step,
            "loss": event.loss,
            "training_loss": event.training_loss,
            "psnr": None if event.psnr is None else round(event.psnr, 4),
            "seconds": round(event.seconds, 3),
        }
        try:
            self.file.write(json.dumps(line) + "\n")
            self.file.flush()
        except OSError as error:
            raise OutputError(f"cannot write {self.file.name}: {error.strerror}") from None

    def close(self) -> None:
        """Close the file."""
        self.file.close()


def read_losses(path: Path) -> dict[str, list[tuple[int, float]]]:
    """The step and the loss of every line of a log whose loss is finite.

    They are called "", or "test" where there are those of "training" too. Raises InputError naming
    the file, and the line that is not one of a log.
    """
    pairs: list[tuple[int, float]] = []
    training: list[tuple[int, float]] = []
    hint = "a log is written by --log"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"cannot read {path}: {reason}", hint="a log is written by --log"
        ) from None
    for number, line in enumerate(lines, 1):
        try:
            data = json.loads(line)
            pairs.append((int(data["step"]), float(data["loss"])))
            if data.get("training_loss") is not None:
                training.append((int(data["step"]), float(data["training_loss"])))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            # A kill may have cut off the last line.
            if number == len(lines) and pairs:
                break
            message = f"{path}, line {number} is not a line of a log"
            raise InputError(message, hint=hint) from None
    finite, trained = (
        [(step, loss) for step, loss in each if math.isfinite(loss)] for each in (pairs, training)
    )
    if not finite:
        raise InputError(f"{path} holds no losses", hint=hint)
    return {"training": trained, "test": finite} if trained else {"": finite}


def _step(line: str) -> float:
    """The step of a line; a line cut off by a kill counts as later than everything."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
