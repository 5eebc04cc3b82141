"""Build a gallery: make the pieces that are out of date; a failed piece stops no other."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

from artgen.base.errors import ArtgenError, Interrupted
from artgen.base.plain import readable
from artgen.events import Observer
from artgen.gallery._make import PieceFiles, PieceTask, make
from artgen.gallery._pieces import FILES, SUMMARY, WORKPLACE, Gallery, Piece, refuse_link
from artgen.gallery._state import FAILURE, State, examine_to_make, folders_of, hashes, read_json
from artgen.output import atomic_write, probe_folder
from artgen.registry import Registry
from artgen.runs import Elsewhere
from artgen.tasks import RunControl, share_of_gpu


@dataclass(frozen=True)
class Built:
    """The result for one piece; `seconds` is the time it took, 0 if nothing was made.

    ``left`` means that the build was interrupted before the piece was finished.
    """

    piece: Piece
    status: Literal["built", "current", "failed", "left"]
    seconds: float = 0.0
    error: Exception | None = None


def build(
    gallery: Gallery,
    registry: Registry,
    *,
    only: Sequence[str],
    force: bool,
    threads: int | None,
    elsewhere: Elsewhere,
    observe: Observer,
    control: RunControl,
    begin: Callable[[list[State]], None],
) -> Iterator[Built]:
    """Make the pieces that are out of date (all with `force`), and yield each result as it comes.

    `threads` is the number of CPU threads of each fit. `observe` receives the events of the fits,
    which are carried out `elsewhere`. `begin` receives the pieces that are about to be made. Raises
    UsageError, OutputError, and errors of the executor itself; the error of a piece is in its
    result.
    """
    states = [examine_to_make(piece, registry, force) for piece in gallery.chosen(only)]
    probe_folder(gallery.out)
    todo: dict[str, State] = {}
    for state in states:
        if state.status == "failed" and state.key is None:
            yield Built(state.piece, "failed", error=state.error)
        elif state.status == "current" and not force:
            _note_witness(state)
            yield Built(state.piece, "current")
        else:
            todo[state.piece.slug] = state
    begin(list(todo.values()))
    tasks = [_task(state, threads, elsewhere) for state in todo.values()]
    results = elsewhere.executor.run(make, tasks, observe, control) if tasks else ()
    for task, result in results:
        state = todo.pop(task.stem)
        if isinstance(result, Interrupted):
            control.request_stop()
            yield Built(state.piece, "left", error=result)
            continue
        try:
            if isinstance(result, Exception):
                raise result
            _publish(replace(state, key=result.key), result)
        except Exception as error:
            _note_failure(state, error)
            yield Built(state.piece, "failed", error=error)
        else:
            yield Built(state.piece, "built", result.seconds)
    for state in todo.values():
        yield Built(state.piece, "left", error=Interrupted("not started"))


def _task(state: State, threads: int | None, elsewhere: Elsewhere) -> PieceTask:
    piece = state.piece
    assert piece.recipe is not None
    threads = piece.recipe.run.threads or threads
    return PieceTask(
        stem=piece.slug,
        recipe=piece.recipe,
        search=folders_of(piece),
        plugins=tuple(elsewhere.plugins),
        folder=piece.folder / WORKPLACE,
        resume=True,
        cpus=threads or 1,
        gpus=share_of_gpu(elsewhere.gpus, piece.recipe.run.device),
        threads=threads,
        key=state.key,
    )


def _publish(state: State, made: PieceFiles) -> None:
    """Move the files into place, the summary last: a piece with a summary is complete."""
    folder = state.piece.folder
    refuse_link(folder)
    probe_folder(folder)
    (folder / SUMMARY).unlink(missing_ok=True)
    for name in FILES:
        if name in made.files:
            atomic_write(folder / name, made.files[name])
        else:
            (folder / name).unlink(missing_ok=True)
    gallery = {**_mark(state), "files": hashes(folder, made.files)}
    atomic_write(folder / SUMMARY, readable({**made.summary, "gallery": gallery}))
    (folder / FAILURE).unlink(missing_ok=True)
    shutil.rmtree(folder / WORKPLACE, ignore_errors=True)


def _note_failure(state: State, error: Exception) -> None:
    """Record the error for `check`; files of an earlier build stay."""
    message = (
        error.message if isinstance(error, ArtgenError) else f"{type(error).__name__}: {error}"
    )
    # The same full disk or link has been reported already.
    with suppress(ArtgenError):
        refuse_link(state.piece.folder)
        probe_folder(state.piece.folder)
        atomic_write(state.piece.folder / FAILURE, readable({**_mark(state), "message": message}))


def _note_witness(state: State) -> None:
    """Record the code that makes the same of a piece, so that its target is not opened again."""
    folder = state.piece.folder
    summary = read_json(folder / SUMMARY) or {}
    if summary["gallery"].get("witness") == state.witness:
        return
    summary["gallery"] |= _mark(state)
    # What cannot be written is found out again; the piece is made.
    with suppress(ArtgenError):
        refuse_link(folder)
        atomic_write(folder / SUMMARY, readable(summary))


def _mark(state: State) -> dict[str, str | None]:
    """What says later whether something that the piece follows from has changed."""
    return {"key": state.key, "witness": state.witness}
