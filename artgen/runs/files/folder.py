"""The run folder `STEM.run/`: everything needed to go on after a kill at any moment.

::

    inputs/0/picture.png      copies of the files the recipe speaks of: target, mask, ...
    recipe.json               the resolved recipe, canonical JSON
    lock                      locked while a process works here
    checkpoint.safetensors    the engine's exact state and the runner's progress
    frames/000000123.npy      lossless 8-bit frames, by step
    history/000000123.safetensors   key drawings, by step, where the recipe asks for a history
    scenes/000/               of a clip: a scene's keys, by frame, and the folder of its first fit
    tiles/                    of a picture fitted in tiles: a folder for each, with its checkpoint
    outputs/                  what is being written, until all of it is

It exists from the first step until the outputs are written. `recipe.json` is written last and
removed first, so a folder without it is one that a kill left half made or half removed.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

from artgen.base.errors import InputError, OutputError, UsageError, writing
from artgen.base.lock import FileLock
from artgen.output import FrameStore, atomic_path, atomic_write
from artgen.output.atomic import put
from artgen.output.ownership import is_own
from artgen.recipe import Recipe
from artgen.runs.files.state_file import putting_to_use, read_checkpoint, write_checkpoint

_PATHS = re.compile(
    r"(scenes/\d+/first/)?("
    r"recipe\.json|lock|checkpoint\.safetensors|inputs(/[^/]+){0,2}|outputs(/[^/]+)?"
    r"|frames(/\d{9,}\.(npy|qoi|png))?|history(/\d+\.safetensors)?"
    r"|scenes(/\d+(/first|/keys(/\d+\.safetensors)?)?)?"
    r"|tiles(/[^/]+-\d+(/(input|output|checkpoint)\.safetensors)?)?"
    r"|(.*/)?\.[^/]*(\.part-|artgen-probe-)[^/]*"
    # What the Finder and the Explorer leave where one looks.
    r"|(.*/)?(\.DS_Store|\._[^/]*|Thumbs\.db|desktop\.ini))"
)
"""What a run writes into its folder, temporary files included."""


class RunFolder:
    """One run's folder; `create` makes it, `open` finds an earlier one.

    Both lock it until `unlock`, so that no other process works in it meanwhile.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.frames = FrameStore(path / "frames")
        self.history = path / "history"
        self.scenes = path / "scenes"
        self.tiles = path / "tiles"
        self._inputs = path / "inputs"
        self._recipe = path / "recipe.json"
        self.checkpoint = path / "checkpoint.safetensors"
        self._outputs = path / "outputs"
        self._lock = FileLock(path / "lock")

    @classmethod
    def create(cls, path: Path, recipe: Recipe, inputs: Sequence[Path]) -> RunFolder:
        """A new folder with the resolved recipe and copies of its inputs.

        Raises UsageError where there is one already, OutputError.
        """
        folder = cls(path)
        folder.refuse_unfinished()
        if path.exists():
            # A kill left it half made or half removed.
            folder.lock()
            folder.remove()
        with writing(f"cannot create {path}"):
            path.mkdir()
        folder.lock()
        try:
            folder._keep(inputs)
            folder.write_recipe(recipe)
        except BaseException:
            folder.remove()
            raise
        return folder

    @classmethod
    def open(cls, path: Path) -> tuple[RunFolder, Recipe]:
        """An earlier run's folder and its recipe. Raises UsageError where there is none."""
        folder = cls(path)
        if path.is_symlink():
            folder.check_own()
        if folder.resumable:
            folder.lock()
        try:
            data = json.loads(folder._recipe.read_text(encoding="utf-8"))
            if not isinstance(data, dict):
                raise ValueError("it is not a JSON object")
            recipe = Recipe.from_dict(data, where=str(folder._recipe))
        except FileNotFoundError:
            raise UsageError(
                f"there is nothing to resume: no {folder._recipe}, as when a run is done",
                hint="start again with --overwrite" if path.exists() else "leave out --resume",
            ) from None
        except (OSError, ValueError, RecursionError) as error:
            folder.unlock()
            raise InputError(
                f"cannot read {folder._recipe}: {error}", hint="start again with --overwrite"
            ) from None
        except InputError:
            folder.unlock()
            raise
        return folder, recipe

    @property
    def resumable(self) -> bool:
        """Whether a run began here and did not end."""
        return self._recipe.exists()

    def refuse_unfinished(self) -> None:
        """Raise UsageError where an unfinished run, or something else, is here."""
        if os.path.lexists(self.path) and not self.path.is_symlink() and self.resumable:
            raise refusal(self.path)
        self.check_own()

    def check_own(self) -> None:
        """Raise UsageError where something is here that no run wrote: it is never removed."""
        if not os.path.lexists(self.path):
            return
        plain = self.path.is_dir() and not self.path.is_symlink()
        other = next(self._others(), None) if plain else self.path
        if other is not None:
            raise UsageError(
                f"{other} was not written by a run",
                hint="move it away, or use another --name or --out",
            )

    def _others(self) -> Iterator[Path]:
        """What others put into the folder; links are not followed."""
        for place, folders, files in os.walk(self.path):
            for path in (Path(place, name) for name in (*folders, *files)):
                own = _PATHS.fullmatch(path.relative_to(self.path).as_posix())
                output = path.parent == self._outputs and path.is_file()
                if not own or path.is_symlink() or (output and not is_own(path)):
                    yield path

    def lock(self) -> None:
        """Keep other processes out. Raises UsageError where one is at work here, OutputError."""
        with writing(f"cannot write to {self.path}"):
            locked = self._lock.acquire()
        if not locked:
            raise refusal(self.path)

    def unlock(self) -> None:
        """Let other processes in."""
        self._lock.release()

    @property
    def inputs(self) -> list[Path]:
        """The folders that hold copies of the inputs; one each, as two may have the same name."""
        return sorted(self._inputs.glob("*"))

    def write_recipe(self, recipe: Recipe) -> None:
        """Store the resolved recipe."""
        atomic_write(self._recipe, recipe.to_json().encode())

    def save_checkpoint(self, state: dict[str, Any]) -> None:
        """Replace the checkpoint: tensors and plain values by flat names."""
        write_checkpoint(self.checkpoint, state)

    def load_checkpoint(self) -> dict[str, Any] | None:
        """The newest checkpoint, or None before the first. Raises InputError where damaged."""
        return read_checkpoint(self.checkpoint)

    def using_checkpoint(self) -> AbstractContextManager[None]:
        """Errors inside mean that the checkpoint is not one of this run: InputError."""
        return putting_to_use(self.checkpoint, "checkpoint")

    @property
    def milestones(self) -> list[Path]:
        """The files a resumed run continues from, one per scene of a clip; some may be missing.

        The folder of tiles changes with each that is done.
        """
        if self.tiles.is_dir():
            return [self.tiles]
        return [*map(scene_milestone, sorted(self.scenes.glob("*")))] or [self.checkpoint]

    @property
    def milestone(self) -> Path:
        """The file that changes whenever there is more to go on from."""
        return self.milestones[-1]

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is anything that a resume could use."""
        return any(path.exists() for path in self.milestones)

    def stage_output(self, path: Path) -> Path:
        """The path at which to write what will be published as `path`."""
        with writing(f"cannot create {self._outputs}"):
            self._outputs.mkdir(exist_ok=True)
        return self._outputs / path.name

    def publish(self, paths: Iterable[Path]) -> None:
        """Move what was written to its final place, now that all of it is there."""
        for path in paths:
            try:
                put(self._outputs / path.name, path)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    failed = OutputError.of(f"cannot write {path}", error)
                    raise failed.advise(f"it is complete in {self._outputs}") from None
                # The video may have been asked for on another disk.
                with atomic_path(path) as partial:
                    shutil.copyfile(self._outputs / path.name, partial)

    def remove(self) -> None:
        """Delete the folder, but for what others put into it."""
        self.unlock()
        if self.path.is_symlink():
            return
        with writing(f"cannot remove {self.path}"), suppress(FileNotFoundError):
            self._recipe.unlink(missing_ok=True)
            others = [*self._others()]
            if not others:
                shutil.rmtree(self.path)
            for path in self.path.iterdir() if others else ():
                if not any(each.is_relative_to(path) for each in others):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _keep(self, inputs: Sequence[Path]) -> None:
        """Copy the files that the run depends on, so that a resume does not need the originals."""
        for number, path in enumerate(inputs):
            folder = self._inputs / str(number)
            with writing(f"cannot copy {path} to {folder}"):
                folder.mkdir(parents=True)
                shutil.copyfile(path, folder / path.name)


def refusal(path: Path) -> UsageError:
    """The error for a run folder that exists: its run is still going, or was left unfinished."""
    if FileLock(path / "lock").is_held_elsewhere():
        return UsageError(
            f"a run is still going in {path}",
            hint="wait for it to end, or use another --name or --out",
        )
    return UsageError(
        f"{path} is left from an unfinished run",
        hint="continue with --resume, or start again with --overwrite",
    )


def scene_milestone(folder: Path) -> Path:
    """The same of a scene of a clip: its keys, and before there are any, that of its first fit."""
    keys = folder / "keys"
    return keys if keys.is_dir() else RunFolder(folder / "first").checkpoint
