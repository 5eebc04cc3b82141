"""Building a gallery: what is not up to date is made, and one that fails stops no other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from artgen.errors import ArtgenError, Interrupted
from artgen.events import Event, Observer
from artgen.executor import Executor, Here, share_of_gpu
from artgen.gallery._make import Made, Order, make
from artgen.gallery._pieces import FILES, SUMMARY, WORKPLACE, Gallery, Piece, refuse_link
from artgen.gallery._state import FAILURE, State, examine, folders_of, hashes
from artgen.output import atomic_write, probe_folder
from artgen.registry import Registry
from artgen.runner import Interruption

__all__ = ["Built", "build"]


@dataclass(frozen=True)
class Built:
    """What became of a piece; `seconds` is how long its making took, 0 where nothing was made.

    ``left`` are those that were not begun, or not finished, when the build was interrupted.
    """

    piece: Piece
    status: Literal["built", "current", "failed", "left"]
    seconds: float = 0.0
    error: Exception | None = None


def build(
    gallery: Gallery,
    registry: Registry,
    *,
    only: Sequence[str] = (),
    force: bool = False,
    plugins: Sequence[Path] = (),
    threads: int | None = None,
    gpus: float | None = None,
    executor: Executor | None = None,
    observers: Sequence[Observer] = (),
    interruption: Interruption | None = None,
    begin: Callable[[list[State]], None] = lambda states: None,
) -> Iterator[Built]:
    """Make what is not up to date (with `force`: all), and tell of every piece as it is done.

    `plugins` are the loose files of `registry`, for other processes; `threads` are those of each
    fit, `gpus` its share of graphics processors. `observers` see events of the fits, which
    `executor` carries out, by default here. `begin` is called with what is about to be made.
    Raises UsageError, OutputError, and what keeps the executor from its work; what is wrong with a
    piece is in its result.
    """
    stop = interruption or Interruption()
    states = [examine(piece, registry) for piece in gallery.chosen(only)]
    probe_folder(gallery.out)
    todo: dict[str, State] = {}
    for state in states:
        if state.key is None:
            yield Built(state.piece, "failed", error=state.error)
        elif state.status == "current" and not force:
            yield Built(state.piece, "current")
        else:
            todo[state.piece.slug] = state
    begin(list(todo.values()))
    orders = [_order(state, plugins, threads, gpus) for state in todo.values()]

    def observe(event: Event) -> None:
        for observer in observers:
            observer(event)

    results = (executor or Here()).run(make, orders, observe, stop) if orders else ()
    for order, result in results:
        state = todo.pop(order.stem)
        if isinstance(result, Interrupted):
            stop.request()
            yield Built(state.piece, "left", error=result)
            continue
        try:
            if isinstance(result, Exception):
                raise result
            _publish(state, result)
        except Exception as error:
            _note_failure(state, error)
            yield Built(state.piece, "failed", error=error)
        else:
            yield Built(state.piece, "built", result.seconds)
    for state in todo.values():
        yield Built(state.piece, "left", error=Interrupted("not begun"))


def _order(state: State, plugins: Sequence[Path], threads: int | None, gpus: float | None) -> Order:
    piece = state.piece
    assert piece.recipe is not None
    assert state.key is not None
    recipe = piece.recipe
    if threads is not None and recipe.run.threads is None:
        recipe = recipe.updated({"run": {"threads": threads}})
    return Order(
        stem=piece.slug,
        recipe=recipe.to_dict(),
        search=folders_of(piece),
        plugins=tuple(plugins),
        folder=piece.folder / WORKPLACE,
        resume=True,
        cpus=recipe.run.threads or 1,
        gpus=share_of_gpu(gpus, recipe.run.device),
        key=state.key,
    )


def _publish(state: State, made: Made) -> None:
    """Put the files in place, the summary last, so that a piece which has one is complete."""
    folder = state.piece.folder
    refuse_link(folder)
    probe_folder(folder)
    (folder / SUMMARY).unlink(missing_ok=True)
    for name in FILES:
        if name in made.files:
            atomic_write(folder / name, made.files[name])
        else:
            (folder / name).unlink(missing_ok=True)
    gallery = {"key": state.key, "files": hashes(folder, made.files)}
    atomic_write(folder / SUMMARY, _json({**made.summary, "gallery": gallery}))
    (folder / FAILURE).unlink(missing_ok=True)
    shutil.rmtree(folder / WORKPLACE, ignore_errors=True)


def _note_failure(state: State, error: Exception) -> None:
    """So that `check` can tell what went wrong; files from before stay."""
    message = (
        error.message if isinstance(error, ArtgenError) else f"{type(error).__name__}: {error}"
    )
    try:
        refuse_link(state.piece.folder)
        probe_folder(state.piece.folder)
        atomic_write(state.piece.folder / FAILURE, _json({"key": state.key, "message": message}))
    except ArtgenError:
        pass  # A full disk has been told of already, a link too.


def _json(data: object) -> bytes:
    return f"{json.dumps(data, indent=2, ensure_ascii=False)}\n".encode()
