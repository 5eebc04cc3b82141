"""The run folder `STEM.run/`: everything needed to go on after a kill at any moment.

::

    recipe.json               the resolved recipe, canonical JSON
    inputs/                   copies of the files it speaks of: target, mask, init
    checkpoint.safetensors    the engine's exact state and the runner's progress
    frames/000000123.png      lossless 8-bit frames, by step

It exists from the first step until the outputs are written.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from artgen.errors import InputError, OutputError, UsageError
from artgen.output import FrameStore, atomic_write
from artgen.recipe import Recipe

__all__ = ["RunFolder"]

CHECKPOINT_FORMAT = 1


class RunFolder:
    """One run's folder; `create` makes it, `open` finds an earlier one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.inputs = path / "inputs"
        self.frames = FrameStore(path / "frames")

    @classmethod
    def create(cls, path: Path) -> RunFolder:
        """A new folder. Raises UsageError where there is one already."""
        try:
            path.mkdir()
            folder = cls(path)
            folder.inputs.mkdir()
        except FileExistsError:
            raise UsageError(
                f"{path} is left from an unfinished run",
                hint="go on with --resume, or start again with --overwrite",
            ) from None
        except OSError as error:
            raise OutputError(f"cannot create {path}: {error.strerror}") from None
        return folder

    @classmethod
    def open(cls, path: Path) -> tuple[RunFolder, Recipe]:
        """An earlier run's folder and its recipe. Raises UsageError where there is none."""
        file = path / "recipe.json"
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise UsageError(
                f"there is nothing to resume: {file} does not exist", hint="leave out --resume"
            ) from None
        except (OSError, ValueError) as error:
            raise InputError(
                f"cannot read {file}: {error}", hint="start again with --overwrite"
            ) from None
        return cls(path), Recipe.from_dict(data, where=str(file))

    def write_recipe(self, recipe: Recipe) -> None:
        """Store the resolved recipe."""
        atomic_write(self.path / "recipe.json", recipe.to_json().encode())

    def keep_input(self, path: Path) -> None:
        """Copy a file that the run depends on, so that a resume does not need the original."""
        try:
            shutil.copyfile(path, self.inputs / path.name)
        except shutil.SameFileError:
            pass
        except OSError as error:
            raise OutputError(f"cannot copy {path} to {self.inputs}: {error.strerror}") from None

    def save_checkpoint(self, state: dict[str, Any]) -> None:
        """Replace the checkpoint: tensors and plain values by flat names."""
        import torch
        from safetensors.torch import save

        tensors = {k: v.cpu().contiguous() for k, v in state.items() if isinstance(v, torch.Tensor)}
        values = {k: v for k, v in state.items() if k not in tensors}
        text = json.dumps({"format": CHECKPOINT_FORMAT, "values": values}, sort_keys=True)
        atomic_write(self._checkpoint, save(tensors, metadata={"artgen": text}))

    def load_checkpoint(self) -> dict[str, Any] | None:
        """The newest checkpoint, or None before the first. Raises InputError where damaged."""
        from safetensors import SafetensorError, safe_open

        if not self._checkpoint.exists():
            return None
        try:
            with safe_open(self._checkpoint, framework="pt") as data:
                header = json.loads((data.metadata() or {})["artgen"])
                tensors = {name: data.get_tensor(name) for name in data.keys()}  # noqa: SIM118
            if header["format"] != CHECKPOINT_FORMAT:
                raise ValueError(f"format {header['format']!r}")
            return {**header["values"], **tensors}
        except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
            raise InputError(
                f"checkpoint {self._checkpoint} cannot be used: {error}",
                hint="start again with --overwrite",
            ) from None

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is anything that a resume could use."""
        return self._checkpoint.exists()

    def remove(self) -> None:
        """Delete the folder and everything in it."""
        try:
            shutil.rmtree(self.path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise OutputError(f"cannot remove {self.path}: {error.strerror}") from None

    @property
    def _checkpoint(self) -> Path:
        return self.path / "checkpoint.safetensors"
