"""Tasks on the machines of a Ray cluster, or on a Ray that is started on this one.

A task is sent with its files in the object store and runs in a temporary folder. Its result comes
back as bytes, so machines share no disk. One actor, the coordinator, runs on the node that we are
connected to: tasks report their events to it, store their checkpoints there, and read from it
whether to stop. A task whose worker or node dies is started again by Ray and resumes from its
checkpoint.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import signal
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from artgen import ArtgenError
from artgen.errors import Interrupted, OutputError, UsageError, install_hint, read_regular
from artgen.events import Advanced, Event, Notice, Observer
from artgen.tasks import (
    Payload,
    RunControl,
    Task,
    Throttled,
    Work,
    pack,
    portable,
    prepare_process,
    read_files,
    store_files,
    unpack,
)
from artgen_plugins.ray.checkpoints import Changes, Checkpoints, checkpoints_at, is_newer
from artgen_plugins.ray.versions import Pinned, describe, pin, refuse_others

R = TypeVar("R")
TaskT = TypeVar("TaskT", bound=Task)

RETRIES = 3
"""How many times a run whose machine died is started again."""

_POLL_SECONDS = 0.2
"""Seconds between two reads of events by the driver."""
_ANSWER = 120.0
"""Seconds to wait for a node to report what is installed there."""


class RayExecutor:
    """Runs tasks on the cluster at `place`, ``ray://HOST:PORT``, or on a new one here, ``ray``.

    At most `number` run at a time (None: as many as there is room for). `checkpoints` is a folder
    that all machines share, or a URL of fsspec (None: the object store). artgen, and the plugins of
    `registry` that `recipes` name, must be the same everywhere. Raises UsageError without Ray.
    """

    def __init__(
        self,
        place: str,
        number: int | None,
        checkpoints: str | None,
        recipes: Iterable[Any],
        registry: Any,
    ) -> None:
        # A folder of this name is found too, but comes from no file.
        if not getattr(importlib.util.find_spec("ray"), "origin", None):
            raise UsageError(
                "--on ray needs the package ray, which is not installed",
                hint=install_hint("ray"),
            )
        self.address = None if place == "ray" else place
        self.number, self.pinned = number, pin(recipes, registry)
        self.checkpoints = None if checkpoints is None else checkpoints_at(checkpoints)
        self._batch: _Batch | None = None

    @contextmanager
    def session(self, work: Work[Any, Any], *, tasks: int, cpus: int = 1) -> Iterator[None]:
        """Stay connected for the block, and let processes import what `work` needs.

        Raises UsageError as `run` does.
        """
        with _joined(self.address, self.number and self.number * cpus):
            self._batch = self._new_batch()
            self._batch.prepare(work, min(tasks, self.number or tasks), cpus)
            try:
                yield
            finally:
                self._batch = None

    def run(
        self,
        work: Work[TaskT, R],
        tasks: Sequence[TaskT],
        observe: Observer,
        control: RunControl,
    ) -> Iterator[tuple[TaskT, R | Exception]]:
        """Yield results in the order in which they are done.

        Raises UsageError where there is no cluster, and where the cluster has another artgen,
        PluginError where it has another plugin.
        """
        most_cpus = max((task.cpus for task in tasks), default=1)
        with _joined(self.address, self.number and self.number * most_cpus):
            batch = self._batch or self._new_batch()
            batch.begin(work, observe, self.pinned, tasks)
            waiting, asked = deque(tasks), False
            most = self.number
            if most is not None and self._batch is not None and self.address is None:
                # The Ray started here has room for no more; the others wait close to the workers.
                most *= 2
            while waiting or batch.running:
                if control.stop_requested and not asked:
                    asked = True
                    waiting.clear()
                    batch.stop()
                while waiting and (most is None or len(batch.running) < most):
                    task = waiting.popleft()
                    try:
                        batch.send(task)
                    except ArtgenError as error:
                        yield task, error
                for task, result in batch.poll():
                    if asked and result is None:
                        continue
                    yield task, result

    def _new_batch(self) -> _Batch:
        return _Batch(self.checkpoints, started_here=self.address is None)


@contextmanager
def _joined(address: str | None, processors: int | None) -> Iterator[None]:
    """Connect to Ray, or start it, for the block; a Ray initialized before is left running."""
    # No usage statistics; a Ray started here listens to this machine alone.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address is None:
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        # Its workers would give way to all other processes, unlike those of `-j`.
        os.environ.setdefault("RAY_worker_niceness", "0")
    import ray

    if ray.is_initialized():
        yield
        return
    before: dict[int, Any] = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    ours = {"num_cpus": processors, "include_dashboard": False} if address is None else {}
    try:
        ray.init(address or "local", log_to_driver=False, logging_level="ERROR", **ours)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        what = "Ray cannot be started" if address is None else f"cannot join {address}"
        raise UsageError(
            f"{what}: {reason}",
            hint="join a cluster as ray://HOST:10001, with the same versions of Python and Ray",
        ) from None
    finally:
        # Ray installs signal handlers of its own.
        _restore(before)
    try:
        yield
    except ray.exceptions.RayError as error:
        reason = str(error).strip().partition("\n")[0]
        raise OutputError(
            f"the cluster was lost: {reason}", hint="run it again; artgen fit takes --resume"
        ) from None
    finally:
        ray.shutdown()
        _restore(before)


def _restore(handlers: Mapping[int, Any]) -> None:
    with suppress(ValueError):  # Another thread cannot, and Ray did not either.
        for number, handler in handlers.items():
            signal.signal(number, handler)


class _Batch:
    """Remote tasks of one `run`, or of all in a session, and the coordinator they report to."""

    def __init__(self, checkpoints: Checkpoints | None, *, started_here: bool) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self.ray = ray
        self.execute = ray.remote(_execute)
        # With soft=True Ray could choose another node.
        self.on = functools.partial(NodeAffinitySchedulingStrategy, soft=False)
        # On our own node, since the others may go away.
        near = self.on(ray.get_runtime_context().get_node_id())
        coordinator = ray.remote(num_cpus=0)(Coordinator).options(scheduling_strategy=near)
        self.coordinator = coordinator.remote()
        self.checkpoints: Checkpoints = checkpoints or _InObjectStore(self.coordinator)
        self.at_url, self.started_here = checkpoints is not None, started_here
        self.running: dict[Any, Any] = {}
        self.pinned: Pinned = {}
        self.expected: dict[str, str] = {}
        self.hold = functools.cache(lambda path: ray.put(read_files(path)))

    def prepare(self, work: Work[Any, Any], tasks: int, cpus: int) -> None:
        """Import what `work` needs in as many processes as there will be tasks at a time."""
        room = int(self.ray.cluster_resources().get("CPU", 0)) // cpus
        importing = self.ray.remote(_import_work).options(num_cpus=cpus)
        reference = self.ray.put(work)
        self.imports = [importing.remote([reference]) for _ in range(min(tasks, room))]

    def begin(
        self,
        work: Work[Any, Any],
        observe: Observer,
        pinned: Pinned,
        tasks: Sequence[Task],
    ) -> None:
        """Get ready for tasks; what is installed is compared before the first."""
        self.work, self.observe = self.ray.put(work), observe
        if self.expected:
            return
        self.pinned, self.expected = pinned, describe(pinned)
        nodes = [node for node in self.ray.nodes() if node["Alive"]]
        # A Ray that was started here has what is here.
        if not self.started_here:
            self._compare(nodes)
        for task in tasks[:1]:
            if not any(_has_room(node["Resources"], task) for node in nodes):
                wanted = f"{task.cpus} CPU" + f" and {task.gpus:g} GPU" * (task.gpus > 0)
                self.observe(Notice("", f"no node has {wanted} yet: runs wait for one that has"))

    def _compare(self, nodes: Sequence[Any]) -> None:
        """Compare what is installed on every node with what is here."""

        def look(asked: Pinned) -> dict[str, str] | None:
            # Sent as code, not by its name: there may be no artgen at all.
            try:
                from artgen_plugins.ray.versions import describe
            except ImportError:
                return None
            return describe(asked)

        asked = {}
        for node in nodes:
            probe = self.ray.remote(num_cpus=0, max_retries=1)(look)
            there = probe.options(scheduling_strategy=self.on(node["NodeID"]))
            reference = there.remote(dict(self.pinned))
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

    def send(self, task: Task) -> None:
        """Submit a task. Raises InputError for files that are missing."""
        left = task.resume_files()
        if left and not is_newer(self.checkpoints, task):
            if self.at_url:  # files of an older one would lie among them
                self.checkpoints.drop(task.stem)
            self.checkpoints.save(
                task.stem, {n: read_regular(path, str(path)) for n, path in left.items()}
            )
        elif self.at_url and not task.resume:
            self.checkpoints.drop(task.stem)
        payload = pack(task, self.hold)
        kept = self.checkpoints if self.at_url else None
        execute = self.execute.options(
            name=task.stem, num_cpus=task.cpus, num_gpus=task.gpus, max_retries=RETRIES
        )
        reference = execute.remote(
            [self.work], payload, self.coordinator, kept, self.pinned, self.expected
        )
        self.running[reference] = task

    def poll(self) -> Iterator[tuple[Any, Any]]:
        """Wait a moment, pass on events, and yield the tasks that ended with their results.

        A task that was cancelled before it began has the result None.
        """
        if not self.running:
            return
        ready, _ = self.ray.wait(list(self.running), num_returns=1, timeout=_POLL_SECONDS)
        for event in self.ray.get(self.coordinator.take_events.remote()):
            self.observe(event)
        for reference in ready:
            task = self.running.pop(reference)
            try:
                result = self.ray.get(reference)
            except self.ray.exceptions.TaskCancelledError:
                result = None
            except self.ray.exceptions.RayError as error:
                reason = str(error).strip().partition("\n")[0]
                result = OutputError(f"its worker or node was lost: {reason}")
            if result is None or isinstance(result, Exception) or getattr(result, "error", None):
                self._keep_checkpoint(task)
            self.checkpoints.drop(task.stem)
            yield task, result

    def stop(self) -> None:
        """Ask running tasks to end, and cancel those that did not begin."""
        begun = self.ray.get(self.coordinator.stop.remote())
        for reference, task in self.running.items():
            if task.stem not in begun:
                self.ray.cancel(reference)

    def _keep_checkpoint(self, task: Task) -> None:
        """Write the checkpoint of a run where a local run would have written it."""
        for name, data in self.checkpoints.load(task.stem).items():
            task.keep(name, data)


def _has_room(resources: Mapping[str, float], task: Task) -> bool:
    return resources.get("CPU", 0) >= task.cpus and resources.get("GPU", 0) >= task.gpus


class Coordinator:
    """The actor between the driver and the runs."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.kept: dict[str, dict[str, Any]] = {}
        self.begun: set[str] = set()
        self.stopped = False

    def begin(self, run: str) -> bool:
        """Whether the run may begin."""
        if run in self.begun:
            message = f"{run}: its worker or node was lost, it is started again"
            self.events.append(Notice(run, message))
        self.begun.add(run)
        return not self.stopped

    def report(self, events: Sequence[Event]) -> bool:
        """Store events for the driver; whether the run should stop."""
        self.events.extend(events)
        return self.stopped

    def take_events(self) -> list[Event]:
        """All events since the last call."""
        events, self.events = self.events, []
        return events

    def stop(self) -> set[str]:
        """Let no other run begin; the names of those that did."""
        self.stopped = True
        return self.begun

    def keep(self, run: str, files: Mapping[str, bytes]) -> None:
        """Keep files in the object store; this actor owns them, so they outlive the sender."""
        import ray

        self.kept.setdefault(run, {}).update({name: ray.put(data) for name, data in files.items()})

    def kept_of(self, run: str) -> dict[str, Any]:
        """References to the files of a run."""
        return self.kept.get(run, {})

    def drop(self, run: str) -> None:
        """Release the files of a run."""
        self.kept.pop(run, None)


class _InObjectStore:
    """Checkpoints in the object store."""

    def __init__(self, coordinator: Any) -> None:
        import ray

        self.ray, self.coordinator = ray, coordinator

    def save(self, run: str, files: Mapping[str, bytes]) -> None:
        """Store the files of a run, and wait until they are stored."""
        self.ray.get(self.coordinator.keep.remote(run, dict(files)))

    def load(self, run: str) -> dict[str, bytes]:
        """All stored files of a run."""
        references = self.ray.get(self.coordinator.kept_of.remote(run))
        names = list(references)
        return dict(zip(names, self.ray.get([references[n] for n in names]), strict=True))

    def drop(self, run: str) -> None:
        """Delete the files of a run."""
        self.coordinator.drop.remote(run)

    def changed(self, run: str) -> float:
        """Never: nothing is left of an earlier one."""
        return 0.0


def _import_work(held: Sequence[Any]) -> None:
    """Import the modules of a function in the object store."""
    # Before torch is imported, as `main` does: so the reference is in a list, which Ray hands over.
    prepare_process()
    import ray

    ray.get(held[0])


def _execute(
    held: Sequence[Any],
    payload: Payload[Any],
    coordinator: Any,
    checkpoints: Checkpoints | None,
    pinned: Pinned,
    expected: Mapping[str, str],
) -> Any:
    """Unpack the task, run it, and return the result, which may be an exception.

    `held` is a reference to the work, which is read where errors are caught.
    """
    # Before torch is imported, as `main` does.
    prepare_process()
    import ray

    task = payload.task
    kept = checkpoints or _InObjectStore(coordinator)
    with tempfile.TemporaryDirectory(prefix="artgen-", ignore_cleanup_errors=True) as name:
        home = Path(name).resolve()
        try:
            refuse_others(expected, describe(pinned), f"node {ray.util.get_node_ip_address()}")
            if not ray.get(coordinator.begin.remote(task.stem)):
                return Interrupted("not started")
            work: Work[Any, Any] = ray.get(held[0])
            whats = list(payload.held)
            files = ray.get([payload.held[what] for what in whats])
            if task.folder is not None:
                store_files(home / "work", kept.load(task.stem))
            here = unpack(Payload(task, dict(zip(whats, files, strict=True)), payload.names), home)
        except Exception as error:
            return portable(error)
        channel = _Channel(here.task, coordinator, kept)
        try:
            return work(here.task, channel.observe, channel.control)
        except Exception as error:
            return portable(here.as_said(error))
        finally:
            channel.close()


class _Channel:
    """Sends events and checkpoints of a run to the coordinator, and receives the stop request."""

    def __init__(self, task: Task, coordinator: Any, kept: Checkpoints) -> None:
        self.task, self.coordinator, self.kept = task, coordinator, kept
        self.control = RunControl()
        self.throttled = Throttled(self._report)
        self.changes = None if task.folder is None else Changes(task)
        self.answers: deque[Any] = deque()

    def observe(self, event: Event) -> None:
        """Report an event; called in the thread of the run."""
        self.throttled(event)
        if isinstance(event, Advanced) and self.changes is not None and self.changes.due():
            self.changes.send(functools.partial(self.kept.save, self.task.stem))

    def close(self) -> None:
        """Store the last checkpoint, and wait until every report has arrived."""
        import ray

        if self.changes is not None and self.changes.any():
            self.kept.save(self.task.stem, self.changes.take())
        ray.get(list(self.answers))

    def _report(self, event: Event) -> None:
        import ray

        self.answers.append(self.coordinator.report.remote([event]))
        while self.answers and ray.wait([self.answers[0]], timeout=0)[0]:
            if ray.get(self.answers.popleft()):
                self.control.request_stop()
