"""`--log FILE.jsonl`: one JSON object per evaluation, written as it happens."""

from __future__ import annotations

import json
from pathlib import Path

from artgen.errors import OutputError, UsageError
from artgen.events import Evaluated, Event

__all__ = ["JsonLines"]


class JsonLines:
    """An observer that writes step, loss, psnr and seconds.

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


def _step(line: str) -> float:
    """The step of a line; a line cut off by a kill counts as later than everything."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
