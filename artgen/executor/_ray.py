"""Tasks on the machines of a Ray cluster, or on a Ray that is started on this one.

A task travels with its files in the object store and works in a temporary folder; its result comes
back as bytes, so machines share no disk. Beside the tasks there is one actor, the desk, on the node
that we talk to: there runs say how far they are, leave what another machine can go on from, and
hear that they shall stop. A task whose worker or node dies is started again by Ray, and goes on
from there.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import signal
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from artgen._process import prepare_process
from artgen.errors import ArtgenError, InputError, Interrupted, OutputError, UsageError
from artgen.events import Advanced, Event, Notice, Observer
from artgen.executor._checkpoints import Changes, Checkpoints, checkpoints_at
from artgen.executor._parcel import Parcel, pack, read, unpack, write
from artgen.executor._protocol import Told, Work, portable
from artgen.executor._versions import Pinned, describe, refuse_others
from artgen.output import atomic_write
from artgen.runner import Interruption, Task

__all__ = ["OnRay", "missing_ray"]

R = TypeVar("R")
TaskT = TypeVar("TaskT", bound=Task)

RETRIES = 3
"""So many times a run whose machine died is started again."""

_LOOK = 0.2
"""How often the driver looks for news, in seconds."""
_ANSWER = 120.0
"""How long it waits for a node to say what is installed there, in seconds."""


def missing_ray() -> UsageError | None:
    """What to say where Ray is not installed; None where it is. Imports nothing."""
    if importlib.util.find_spec("ray") is not None:
        return None
    return UsageError(
        "--on ray needs the package ray, which is not installed", hint="pip install 'artgen[ray]'"
    )


class OnRay:
    """Tasks on the cluster at `address`, ``ray://HOST:PORT``, or on a new one here (None).

    At most `number` at a time (None: as many as there is room for). `checkpoints` is a folder that
    all machines share, or a URL of fsspec; by default the object store keeps them. `pinned` has to
    be the same everywhere.
    """

    def __init__(
        self,
        address: str | None,
        *,
        number: int | None = None,
        checkpoints: str | None = None,
        pinned: Pinned,
    ) -> None:
        self.address, self.number, self.pinned = address, number, pinned
        self.checkpoints = None if checkpoints is None else checkpoints_at(checkpoints)

    def run(
        self,
        work: Work[TaskT, R],
        tasks: Sequence[TaskT],
        observe: Observer,
        interruption: Interruption,
    ) -> Iterator[tuple[TaskT, R | Exception]]:
        """In the order in which they are done.

        Raises UsageError where there is no Ray or no cluster, and where the cluster has another
        artgen, PluginError where it has another plugin.
        """
        with _joined(self.address, self._processors(tasks)):
            batch = _Batch(work, observe, self.checkpoints)
            batch.check(self.pinned, tasks)
            waiting, asked = deque(tasks), False
            while waiting or batch.away:
                if interruption.requested and not asked:
                    asked = True
                    waiting.clear()
                    batch.stop()
                while waiting and (self.number is None or len(batch.away) < self.number):
                    task = waiting.popleft()
                    try:
                        batch.send(task)
                    except ArtgenError as error:
                        yield task, error
                for task, result in batch.back():
                    if asked and result is None:
                        continue
                    yield task, result

    def _processors(self, tasks: Sequence[Task]) -> int | None:
        """How many a Ray of our own has: enough for as many as shall run at a time."""
        if self.number is None:
            return None
        return self.number * max((task.cpus for task in tasks), default=1)


@contextmanager
def _joined(address: str | None, processors: int | None) -> Iterator[None]:
    """Ray, connected to and left again; one that was there before is used and left alone."""
    failure = missing_ray()
    if failure is not None:
        raise failure
    # Nothing is told to anybody outside, and a Ray of our own listens to this machine alone.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address is None:
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    import ray

    if ray.is_initialized():
        yield
        return
    before: dict[int, Any] = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.getsignal(number)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if address is None:
            ray.init(address="local", num_cpus=processors, include_dashboard=False, **quiet)
        else:
            ray.init(address=address, **quiet)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        what = "Ray cannot be started" if address is None else f"cannot join {address}"
        raise UsageError(
            f"{what}: {reason}",
            hint="a cluster is joined as ray://HOST:10001, with its own versions of Python and Ray",
        ) from None
    finally:
        # Ray has its own ideas of what a signal means.
        _restore(before)
    try:
        yield
    except ray.exceptions.RayError as error:
        reason = str(error).strip().partition("\n")[0]
        raise OutputError(
            f"the cluster was lost: {reason}", hint="--resume keeps what is done, and does the rest"
        ) from None
    finally:
        ray.shutdown()
        _restore(before)


def _restore(handlers: Mapping[int, Any]) -> None:
    with suppress(ValueError):  # Another thread cannot, and Ray did not either.
        for number, handler in handlers.items():
            signal.signal(number, handler)


class _Batch:
    """The tasks of one `run` that are away, and the desk that they report to."""

    def __init__(
        self, work: Work[Any, Any], observe: Observer, checkpoints: Checkpoints | None
    ) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self.ray, self.observe = ray, observe
        self.work = ray.put(work)
        self.carry = ray.remote(_carry)
        # Where we are, since the others may go away. A wish (soft) would leave Ray to choose.
        near = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self.desk = ray.remote(num_cpus=0)(Desk).options(scheduling_strategy=near).remote()
        self.checkpoints: Checkpoints = checkpoints or _AtDesk(self.desk)
        self.at_url = checkpoints is not None
        self.away: dict[Any, Any] = {}
        self.pinned: Pinned = {}
        self.expected: dict[str, str] = {}
        self.hold = functools.cache(self._hold)

    def check(self, pinned: Pinned, tasks: Sequence[Task]) -> None:
        """Ask every node what is installed there, and whether there is room for the tasks."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        def look(asked: Pinned) -> dict[str, str] | None:
            # Sent as code, not by its name: there may be no artgen at all.
            try:
                from artgen.executor import describe
            except ImportError:
                return None
            return describe(asked)

        self.pinned, self.expected = pinned, describe(pinned)
        nodes = [node for node in self.ray.nodes() if node["Alive"]]
        asked = {}
        for node in nodes:
            there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            probe = self.ray.remote(num_cpus=0, max_retries=1)(look)
            reference = probe.options(scheduling_strategy=there).remote(dict(pinned))
            asked[reference] = node["NodeManagerAddress"]
        ready, _ = self.ray.wait(list(asked), num_returns=len(asked), timeout=_ANSWER)
        for reference in ready:
            node = f"node {asked[reference]}"
            try:
                found = self.ray.get(reference)
            except self.ray.exceptions.RayError:
                continue  # It went away; each run looks again.
            if found is None:
                raise UsageError(
                    f"artgen is not installed on {node}",
                    hint="install the same artgen on every machine",
                )
            for warning in refuse_others(self.expected, found, node):
                self.observe(Notice("", warning))
        for task in tasks[:1]:
            if not any(_has_room(node["Resources"], task) for node in nodes):
                wanted = f"{task.cpus} CPU" + f" and {task.gpus:g} GPU" * (task.gpus > 0)
                self.observe(Notice("", f"no node has {wanted} yet: runs wait for one that has"))

    def send(self, task: Task) -> None:
        """Send it off. Raises InputError for files that are missing."""
        left = task.left()
        if left:
            self.checkpoints.save(task.stem, {name: _bytes(path) for name, path in left.items()})
        elif self.at_url and not task.resume:
            self.checkpoints.drop(task.stem)
        parcel = pack(task, self.hold)
        kept = self.checkpoints if self.at_url else None
        carry = self.carry.options(num_cpus=task.cpus, num_gpus=task.gpus, max_retries=RETRIES)
        reference = carry.remote(self.work, parcel, self.desk, kept, self.pinned, self.expected)
        self.away[reference] = task

    def back(self) -> Iterator[tuple[Any, Any]]:
        """Wait a moment, pass on the news, and give what came back.

        A task that was called back before it began has the result None.
        """
        if not self.away:
            return
        ready, _ = self.ray.wait(list(self.away), num_returns=1, timeout=_LOOK)
        for event in self.ray.get(self.desk.news.remote()):
            self.observe(event)
        for reference in ready:
            task = self.away.pop(reference)
            try:
                result = self.ray.get(reference)
            except self.ray.exceptions.TaskCancelledError:
                result = None
            except self.ray.exceptions.RayError as error:
                reason = str(error).strip().partition("\n")[0]
                result = OutputError(
                    f"its worker or node was lost: {reason}", hint="--resume goes on"
                )
            if result is None or isinstance(result, Exception) or getattr(result, "error", None):
                self._bring_home(task)
            self.checkpoints.drop(task.stem)
            yield task, result

    def stop(self) -> None:
        """Let those that run come to an end, and call back those that did not begin."""
        begun = self.ray.get(self.desk.stop.remote())
        for reference, task in self.away.items():
            if task.stem not in begun:
                self.ray.cancel(reference)

    def _hold(self, path: Path) -> Any:
        return self.ray.put(read(path))

    def _bring_home(self, task: Task) -> None:
        """Put what a run left where a run here would have left it."""
        for name, data in self.checkpoints.load(task.stem).items():
            path = task.home(name)
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                atomic_write(path, data, durable=False)


def _has_room(resources: Mapping[str, float], task: Task) -> bool:
    return resources.get("CPU", 0) >= task.cpus and resources.get("GPU", 0) >= task.gpus


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None


# ---- on the workers ------------------------------------------------------------------------------


class Desk:
    """The actor between the driver and the runs."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.kept: dict[str, dict[str, Any]] = {}
        self.begun: set[str] = set()
        self.stopped = False

    def begin(self, run: str) -> bool:
        """Whether it may."""
        if run in self.begun:
            message = f"{run}: its worker or node was lost, it is started again"
            self.events.append(Notice(run, message))
        self.begun.add(run)
        return not self.stopped

    def tell(self, events: Sequence[Event]) -> bool:
        """Pass on events; whether the run shall stop."""
        self.events.extend(events)
        return self.stopped

    def news(self) -> list[Event]:
        """All events since the last time."""
        events, self.events = self.events, []
        return events

    def stop(self) -> set[str]:
        """Let no other begin; the names of those that did."""
        self.stopped = True
        return self.begun

    def keep(self, run: str, files: Mapping[str, bytes]) -> None:
        """Keep files in the object store; they are ours, whatever becomes of who sent them."""
        import ray

        self.kept.setdefault(run, {}).update({name: ray.put(data) for name, data in files.items()})

    def kept_of(self, run: str) -> dict[str, Any]:
        """References to the files of a run."""
        return self.kept.get(run, {})

    def drop(self, run: str) -> None:
        """Forget the files of a run."""
        self.kept.pop(run, None)


class _AtDesk:
    """Checkpoints in the object store."""

    def __init__(self, desk: Any) -> None:
        import ray

        self.ray, self.desk = ray, desk

    def save(self, run: str, files: Mapping[str, bytes]) -> None:
        """Waits until they are there."""
        self.ray.get(self.desk.keep.remote(run, dict(files)))

    def load(self, run: str) -> dict[str, bytes]:
        """From wherever the store has them."""
        references = self.ray.get(self.desk.kept_of.remote(run))
        names = list(references)
        return dict(zip(names, self.ray.get([references[n] for n in names]), strict=True))

    def drop(self, run: str) -> None:
        """Frees the store."""
        self.desk.drop.remote(run)


def _carry(
    work: Work[Any, Any],
    parcel: Parcel[Any],
    desk: Any,
    checkpoints: Checkpoints | None,
    pinned: Pinned,
    expected: Mapping[str, str],
) -> Any:
    """Unpack, work, and give the result, which may be an exception."""
    # Before torch is imported, as `main` does.
    prepare_process()
    import ray

    task = parcel.task
    kept = checkpoints or _AtDesk(desk)
    with tempfile.TemporaryDirectory(prefix="artgen-", ignore_cleanup_errors=True) as name:
        home = Path(name).resolve()
        try:
            refuse_others(expected, describe(pinned), f"node {ray.util.get_node_ip_address()}")
            if not ray.get(desk.begin.remote(task.stem)):
                return Interrupted("not started")
            whats = list(parcel.held)
            files = ray.get([parcel.held[what] for what in whats])
            if task.folder is not None:
                write(home / "work", kept.load(task.stem))
            here = unpack(Parcel(task, dict(zip(whats, files, strict=True)), parcel.names), home)
        except Exception as error:
            return portable(error)
        line = _Line(here.task, desk, kept)
        try:
            return work(here.task, line.observe, line.interruption)
        except Exception as error:
            return portable(here.as_said(error))
        finally:
            line.close()


class _Line:
    """Between a run and the desk: events there, checkpoints there, and the word to stop back."""

    def __init__(self, task: Task, desk: Any, kept: Checkpoints) -> None:
        self.task, self.desk, self.kept = task, desk, kept
        self.interruption = Interruption()
        self.told = Told(self._tell)
        self.changes = None if task.folder is None else Changes(task)
        self.answers: deque[Any] = deque()

    def observe(self, event: Event) -> None:
        """Called by the run, in its own thread."""
        self.told(event)
        if isinstance(event, Advanced) and self.changes is not None and self.changes.due():
            self.kept.save(self.task.stem, self.changes.take())

    def close(self) -> None:
        """The run ended: leave what it left."""
        import ray

        if self.changes is not None and self.changes.any():
            self.kept.save(self.task.stem, self.changes.take())
        ray.get(list(self.answers))

    def _tell(self, event: Event) -> None:
        import ray

        self.answers.append(self.desk.tell.remote([event]))
        while self.answers and ray.wait([self.answers[0]], timeout=0)[0]:
            if ray.get(self.answers.popleft()):
                self.interruption.request()
