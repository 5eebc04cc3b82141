"""Output never stops work: closed pipes, full disks, and names that a terminal cannot show."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from artgen.base.errors import OutputError
from artgen.cli import _streams
from artgen.cli._pipes import write_stdout


@pytest.fixture
def stdout(monkeypatch: pytest.MonkeyPatch):
    """Make the standard stdout a file descriptor, and guard it."""

    streams = []

    def replaced(descriptor: int, encoding: str = "utf-8") -> _streams.GuardedStream:
        stream = io.TextIOWrapper(os.fdopen(descriptor, "wb"), encoding=encoding)
        streams.append(stream)
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "__stdout__", stream)
        _streams.guard_streams()
        assert isinstance(sys.stdout, _streams.GuardedStream)
        return sys.stdout

    yield replaced
    for stream in streams:
        sys.stdout.flush()
        stream.close()


def test_a_closed_pipe_is_no_failure(stdout):
    reading, writing = os.pipe()
    os.close(reading)
    stream = stdout(writing)
    for _ in range(3):
        print("name" * 9000, flush=True)
    assert stream.failure.errno == errno.EPIPE
    assert _streams.lost_output() is None


def test_a_closed_pipe_is_no_failure_for_a_picture(monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb", buffering=0) as pipe:
        stdout = SimpleNamespace(flush=lambda: None, buffer=pipe)
        monkeypatch.setattr(sys, "stdout", stdout)
        write_stdout(bytes(9))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a full disk, as Linux has it")
def test_a_full_disk_is_one(stdout, monkeypatch):
    stdout(os.open("/dev/full", os.O_WRONLY))
    print("name", flush=True)
    assert _streams.lost_output().errno == errno.ENOSPC
    with open("/dev/full", "wb", buffering=0) as full:
        monkeypatch.setattr(sys, "stdout", SimpleNamespace(flush=lambda: None, buffer=full))
        with pytest.raises(OutputError, match="cannot write to standard output: No space left"):
            write_stdout(bytes(9))


@pytest.mark.skipif(sys.platform == "win32", reason="names of bytes, as POSIX has them")
def test_every_name_can_be_printed(stdout):
    reading, writing = os.pipe()
    stdout(writing, "ascii")
    print("caf\N{LATIN SMALL LETTER E WITH ACUTE}", os.fsdecode(b"\xff.png"), flush=True)
    assert os.read(reading, 100) == b"caf\\xe9 \xff.png\n"
    os.close(reading)


def test_a_batch_goes_on_where_nobody_reads_and_names_are_strange(tmp_path: Path):
    names = ["\N{GREEK SMALL LETTER ALPHA}.png", "b.png", "c.png"]
    for name in names:
        Image.new("RGB", (6, 4), (9, 99, 199)).save(tmp_path / name)
    reading, writing = os.pipe()
    os.close(reading)
    flags = ["-n", "2", "--steps", "1", "--no-video", "--threads", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "artgen", "fit", *names, *flags],
        cwd=tmp_path,
        stdout=writing,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=False,
    )
    os.close(writing)
    assert done.returncode == 0
    assert len(list((tmp_path / "artgen-out").glob("*.art"))) == 3


@pytest.mark.skipif(
    sys.platform == "win32", reason="streams closed by the shell, as POSIX has them"
)
def test_data_are_whole_where_stderr_is_closed(tmp_path: Path):
    def listed(line: str) -> tuple[int, dict]:
        command = ["sh", "-c", f'exec "$0" -m artgen {line} --json 2>&-', sys.executable]
        done = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, check=False)
        return done.returncode, json.loads(done.stdout)

    Image.new("RGB", (6, 4), (9, 99, 199)).save(tmp_path / "a.png")
    code, result = listed("fit a.png -n 2 --steps 1 --no-video --threads 1 --name it")
    assert (code, result["steps"]) == (0, 1)
    assert (tmp_path / "artgen-out" / "it.art").exists()
    code, result = listed("fit missing.png -n 2 --steps 1")
    assert code == 3
    assert "missing.png" in result["error"]["message"]
