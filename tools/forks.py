"""A Python that starts at once: a copy of a process that has imported torch, numba and artgen.

Tests start artgen in processes of its own, which would each import for seconds what others import
too. `serving` starts a server that imports it once, and forks a process for whoever asks:

    python -S -I tools/forks.py ADDRESS -c CODE | -m MODULE [ARGUMENTS]

does what `python` does with what follows the address. The process has the open files, the folder
and the environment of the one that asks. Signals to that one reach it, and both end in the same
way. Such processes are also what `multiprocessing` spawns in one of them.
"""

# Whoever asks imports this too, so that the rest is imported where it is used.
from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

VARIABLE = "ARTGEN_TEST_PYTHON"
"""The variable of the environment with the command line of a Python that starts at once."""

WORD = 8
"""Bytes of a number that is sent."""

MOST_FILES = 64
"""Open files that a process may be given."""

SPAWNED = """#!/bin/sh
case "$*" in
    *spawn_main*) exec {fork} "$@" ;;
    *) exec {python} "$@" ;;
esac
"""
"""What `multiprocessing` starts: a fork where it spawns a process, Python for its own servers."""


def python() -> list[str]:
    """Return the command line of Python: one that starts at once where a server serves."""
    import shlex

    return shlex.split(os.environ.get(VARIABLE, "")) or [sys.executable]


@contextmanager
def serving() -> Iterator[None]:
    """Serve in this block, on Linux."""
    import shlex
    import subprocess
    import tempfile

    if VARIABLE in os.environ or not sys.platform.startswith("linux"):
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(address := f"{folder}/forks")
            listener.listen(64)
            number = listener.fileno()
            command = [sys.executable, "-m", "tools.forks", str(number)]
            server = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[number])
        os.environ[VARIABLE] = line = shlex.join([sys.executable, "-S", "-I", __file__, address])
        with open(os.open(f"{address}-spawned", os.O_CREAT | os.O_WRONLY, 0o700), "w") as file:
            file.write(SPAWNED.format(fork=line, python=shlex.quote(sys.executable)))
        try:
            yield
        finally:
            del os.environ[VARIABLE]
            # The end of its stdin would wait for every process that a test left behind.
            server.terminate()
            server.communicate()


def serve(listener: socket.socket) -> list[str]:
    """Fork for whoever asks, until stdin ends; return in each new process, with its arguments."""
    # As tests/conftest.py does, before torch, numba and Triton are imported, which read them.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ["NUMBA_DISABLE_ERROR_MESSAGE_HIGHLIGHTING"] = "1"
    if not os.path.exists("/dev/nvidiactl"):
        os.environ.setdefault("TRITON_INTERPRET", "1")
    import multiprocessing

    import soak._preloaded  # noqa: F401

    multiprocessing.set_executable(f"{listener.getsockname()}-spawned")
    running: dict[int, tuple[int, socket.socket]] = {}
    while True:
        asking = [connection for _, connection in running.values()]
        for ready in select.select([0, listener, *running, *asking], [], [])[0]:
            if ready == 0:
                os._exit(0)
            elif ready is listener:
                connection, _ = listener.accept()
                asked, streams = _receive(connection)
                # Whoever asked may be gone.
                process = os.fork() if asked else None
                if process == 0:
                    for each in (listener, connection, *asking):
                        each.close()
                    return _become(asked, streams)
                for stream in streams:
                    os.close(stream)
                if process is None:
                    connection.close()
                    continue
                with suppress(OSError):
                    connection.sendall(process.to_bytes(WORD))
                running[os.pidfd_open(process)] = process, connection
            elif ready in running:
                process, connection = running.pop(ready)
                os.close(ready)
                code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
                with connection, suppress(OSError):
                    connection.sendall(code.to_bytes(WORD, signed=True))
            else:
                # Whoever asked was killed: so is what it asked for.
                for process, connection in running.values():
                    if connection is ready:
                        os.kill(process, signal.SIGKILL)


def _receive(connection: socket.socket) -> tuple[dict, list[int]]:
    size, streams, _, _ = socket.recv_fds(connection, WORD, MOST_FILES)
    with connection.makefile("rb") as file, suppress(ValueError):
        return json.loads(file.read(int.from_bytes(size))), streams
    return {}, streams


def _become(asked: dict, streams: list[int]) -> list[str]:
    """In the new process: take over what belongs to the one that asks."""
    # Above all of them first: one may have the number that another is to get.
    above = 1 + max(*streams, *asked["files"])
    moved = [os.dup2(stream, above + place) for place, stream in enumerate(streams)]
    for stream in streams:
        os.close(stream)
    for stream, number in zip(moved, asked["files"], strict=True):
        os.dup2(stream, number)
        os.close(stream)
    # Those of the server know other things of their files, such as whether one can seek in them.
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        way = {
            "mode": "w" if number else "r",
            "errors": "backslashreplace" if number == 2 else None,
        }
        lines = 1 if number == 2 or os.isatty(number) else -1
        stream = open(number, buffering=lines, closefd=False, **way)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    paths = asked["environment"].get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:1] = [asked["folder"], *(path for path in paths if path and path not in sys.path)]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    arguments: list[str] = asked["arguments"]
    return arguments


def run(arguments: list[str]) -> None:
    """Do what `python` does with such arguments."""
    import runpy
    from types import ModuleType

    kind, what, *rest = arguments
    if kind == "-m":
        sys.argv = [what, *rest]
        runpy.run_module(what, run_name="__main__", alter_sys=True)
        return
    sys.argv = [kind, *rest]
    main = sys.modules["__main__"] = ModuleType("__main__")
    exec(compile(what, "<string>", "exec"), vars(main))


def finish(arguments: list[str]) -> None:
    """Do what `python` does with such arguments, and end as it does, but at once.

    Python would free all that was imported, object by object: a third of a second, in copies of the
    server's pages.
    """
    import atexit
    import threading

    code: object = 0
    try:
        run(arguments)
    except SystemExit as end:
        code = 0 if end.code is None else end.code
    if not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        code = 120
    sys.stderr.flush()
    os._exit(code & 0xFF)


def ask(address: str, arguments: list[str]) -> int:
    """Let the server start a process, and return its exit code: -N where signal N ended it."""
    # But the one of the list itself, which is closed again.
    files = [number for number in map(int, os.listdir("/proc/self/fd")) if _is_open(number)]
    # `multiprocessing` repeats the flags of Python.
    while arguments[0] not in ("-c", "-m"):
        arguments = arguments[1:]
    asked = {
        **{"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)},
        "files": files,
    }
    data = json.dumps(asked).encode()
    passed_on = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        # The new process may write before this one knows its number: a signal waits until then.
        signal.pthread_sigmask(signal.SIG_BLOCK, passed_on)
        socket.send_fds(connection, [len(data).to_bytes(WORD)], files)
        connection.sendall(data)
        process = int.from_bytes(_answer(connection))
        for number in passed_on:
            signal.signal(number, lambda sent, _: os.kill(process, sent))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, passed_on)
        return int.from_bytes(_answer(connection), signed=True)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _answer(connection: socket.socket) -> bytes:
    answer = connection.recv(WORD)
    if not answer:
        raise ConnectionError("the server of processes is gone")
    return answer


def end(code: int) -> None:
    """End this process as one with this exit code did."""
    if code < 0:
        if code != -signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        end(ask(sys.argv[1], sys.argv[2:]))
    finish(serve(socket.socket(fileno=int(sys.argv[1]))))
