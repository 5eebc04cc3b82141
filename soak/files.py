"""Whatever is in a file, reading it ends soon, within bounds of memory, with a result or an error.

The error is one that artgen raises on purpose. Every reader gets its own process with little
address space, so that a crash of a decoder is found out as well.
"""

from __future__ import annotations

import json
import os
import random
import struct
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from soak._promise import Promise, Tally
from soak._readers import READERS, Reader
from soak._runs import allow_memory, in_processes, start

SECONDS = 10.0
"""What reading one file may take."""

FUZZ_SECONDS = 600
"""For how long a reader is fuzzed in full size."""

MEMORY = 3 << 30
"""The bytes of address space that reading may take, beyond those that a process begins with."""


def hostile_files(tally: Tally, small: bool) -> None:
    """Good files cut short and changed at random, and those made to do harm."""
    for name in READERS:
        with tempfile.TemporaryDirectory() as folder:
            results = Path(folder) / "results.json"
            process = start(_read_all, name, Path(folder), results, 30 if small else 3000)
            process.join()
            found = json.loads(results.read_text()) if results.exists() else {}
            failures = [f"{name}: {each}" for each in found.get("failures", [])]
            if process.exitcode != 0:
                at = found.get("at", "the start")
                failures.append(f"{name}: the process ended with {process.exitcode} at {at}")
            tally.add(found.get("cases", 0), failures)


def fuzzed_files(tally: Tally, small: bool) -> None:
    """The same readers, with files that a fuzzer makes to reach every line."""
    import importlib.util
    import subprocess

    if importlib.util.find_spec("atheris") is None:
        tally.skips.append("atheris is not installed")
        return
    seconds = 2 if small else FUZZ_SECONDS
    tally.figures["seconds each"] = str(seconds)
    for name in ["table"] if small else READERS:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-m", "soak.fuzz", name, str(seconds), folder],
                capture_output=True,
                text=True,
            )
            told = done.stderr[-600:] if done.returncode else None
            tally.case(f"{name}, {seconds} s", told)


def _read_all(name: str, folder: Path, results: Path, changes: int) -> None:
    """In the new process: read the files of one kind and write down what went wrong."""
    reader = READERS[name]
    examples = reader.examples()
    for number, data in enumerate(examples):  # imports and compiles what is needed
        path = folder / f"good{number}{reader.suffix}"
        path.write_bytes(data)
        reader.read(path)
    if sys.platform.startswith("linux"):
        allow_memory(MEMORY)
    rng, failures, cases = random.Random(name), [], 0
    for told, data in (*made(reader, name, examples), *changed(examples, rng, changes)):
        path = folder / f"file{reader.suffix}"
        path.write_bytes(data)
        results.write_text(json.dumps({"cases": cases, "failures": failures, "at": told}))
        problem = judged(reader, path)
        cases += 1
        failures += [f"{told}: {problem}"] if problem else []
    results.write_text(json.dumps({"cases": cases, "failures": failures}))
    os._exit(0)


def judged(reader: Reader, path: Path) -> str | None:
    """What is wrong with the way in which a file is read, or None."""
    from artgen.errors import ArtgenError

    began = time.perf_counter()
    try:
        reader.read(path)
    except ArtgenError as error:
        if not 2 <= error.exit_code <= 6:
            return f"exit code {error.exit_code}: {error}"
        if len(str(error)) > 2000:
            return f"an error of {len(str(error))} characters"
    except BaseException as error:
        return f"{type(error).__name__}: {error}"[:300]
    seconds = time.perf_counter() - began
    return f"it took {seconds:.0f} s" if seconds > SECONDS else None


def changed(examples: list[bytes], rng: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
    """Good files, cut short, with bits flipped, bytes replaced, parts doubled or taken out."""
    for number in range(count):
        data = bytearray(rng.choice(examples))
        place, length = rng.randrange(len(data)), rng.randrange(1, 9)
        kind = number % 5
        if kind == 0:
            del data[place:]
        elif kind == 1:
            for _ in range(length):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        elif kind == 2:
            data[place : place + length] = rng.choice([b"\0", b"\xff", b"9", b"[", b"-"]) * length
        elif kind == 3:
            data[place:place] = data[place : place + 8 * length]
        else:
            del data[place : place + length]
        yield f"change {number}", bytes(data)


def made(reader: Reader, name: str, examples: list[bytes]) -> Iterator[tuple[str, bytes]]:
    """Files that are small and ask for a lot."""
    yield "nothing", b""
    yield "zeros", bytes(10_000)
    yield "one line", b"x" * 1_000_000
    if name in ("PNG", "palette"):
        for width, height in ((0, 0), (1, 0), (2**31 - 1, 1), (60_000, 60_000), (8000, 7999)):
            yield f"a PNG of {width}x{height}", _png(width, height, b"")
        yield "a PNG that unpacks to 200 MB", _png(8000, 8000, zlib.compress(bytes(200_000_000)))
    if name == "PNG":
        yield (
            "text of 100 MB in a PNG",
            _png(
                4,
                4,
                zlib.compress(bytes(52)),
                (b"zTXt", b"a\0\0" + zlib.compress(bytes(100_000_000))),
            ),
        )
    if name == "BMP":
        header = struct.pack("<2sIHHIIiiHHIIIIII", b"BM", 54, 0, 0, 54, 40, 2**30, -(2**31), 1, 24, 0, 0, 0, 0, 0, 0)  # fmt: skip
        yield "a BMP of a billion pixels", header
    if name in ("art", "recipe in a file", "checkpoint"):
        yield "a header of 2**63 bytes", struct.pack("<Q", 2**63) + b"{}"
        yield "a header beyond the file", struct.pack("<Q", 10_000) + b"{}"
        yield "deep JSON", _safetensors("[" * 100_000)
        for told, old, new in (
            ("overlapping tensors", '"data_offsets":[', '"data_offsets":[0,'),
            ("a huge shape", '"shape":[', '"shape":[9999999999,'),
            ("another type", '"F32"', '"I64"'),
            ("no dimensions", '"shape":[', '"shape":[],"other":['),
            ("a newer format", '\\"format\\":1', '\\"format\\":2'),
            ("a width of nothing", '\\"width\\":8', '\\"width\\":0'),
            ("a huge width", '\\"width\\":8', '\\"width\\":99999999'),
            ("another plugin", '\\"primitive\\":\\"', '\\"primitive\\":\\"os.system/'),
        ):
            for number, data in enumerate(examples):
                yield f"{told} ({number})", _edited(data, old, new)
        for number, data in enumerate(examples):
            for value in (b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\xff\xff\x7f\x7f"):
                yield f"parameters {value.hex()} ({number})", _refilled(data, value)
    if name == "recipe":
        for line in (
            "count = 99999999999", "count = -1", "count = nan", "name = '../../x'", "name = ''",
            "harmonics = 1e308", "seed = 1", "[primitive]", "x = " + "[" * 5000, "x = 0o7" + "7" * 9999,
        ):  # fmt: skip
            yield line[:30], examples[0].replace(b"count = 40", line.encode())
    if name == "expression":
        for text in ("9**9**9**9", "x" * 10_000, "(" * 5000, "-" * 5000 + "x", "__import__('os')",
                     "x.__class__", "1e999", "x?n=99999999999", "x?from=nan", "x?from=1&to=1"):  # fmt: skip
            yield text[:30], text.encode()
    if name == "table":
        yield "very many lines", b"1,2\n" * 200_001
        yield "a cell of 10 MB", b"1," + b"2" * 10_000_000
        yield "not finite", b"nan,inf\n1,2\n"
        yield "huge numbers", b"1e308,-1e308\n-1e308,1e308\n"


def _png(width: int, height: int, packed: bytes, *more: tuple[bytes, bytes]) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), *more, (b"IDAT", packed), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)


def _safetensors(text: str) -> bytes:
    header = json.dumps({"__metadata__": {"artgen": text}}).encode()
    return struct.pack("<Q", len(header)) + header


def _edited(data: bytes, old: str, new: str) -> bytes:
    """A safetensors file with a part of its header replaced."""
    length = struct.unpack("<Q", data[:8])[0]
    header = data[8 : 8 + length].decode().replace(old, new).encode()
    return struct.pack("<Q", len(header)) + header + data[8 + length :]


def _refilled(data: bytes, value: bytes) -> bytes:
    """A safetensors file with all its numbers replaced."""
    start_ = 8 + struct.unpack("<Q", data[:8])[0]
    return data[:start_] + (value * (len(data) // 4 + 1))[: len(data) - start_]


def read_trusting() -> None:
    """Numbers of tables are read without a look at what they are."""
    import artgen.targets._table as table

    def row(cells: list[str], columns: int | None, where: str) -> list[float | str]:
        return [float(cells[0]), float(cells[1]), *cells[2:]]

    table._row = row


@contextmanager
def _trusting_fuzzers() -> Iterator[None]:
    """The same in the processes of the fuzzer."""
    os.environ["ARTGEN_SOAK_TRUSTING"] = "1"
    try:
        yield
    finally:
        del os.environ["ARTGEN_SOAK_TRUSTING"]


PROMISES = [
    Promise(
        "hostile-files",
        "Whatever is in a file, reading it ends within seconds and bounds of memory, with a result "
        "or with an error that names the file.",
        "Every accepted format: cut short, bits flipped, parts doubled or taken out, huge and "
        "absurd headers, bombs; each reader in a process of its own with 3 GiB to spare.",
        hostile_files,
        lambda: in_processes(read_trusting),
        "tables are read without checks",
    ),
    Promise(
        "fuzzed-files",
        "The same, for files that a fuzzer makes.",
        "Coverage-guided fuzzing with atheris, where that is installed.",
        fuzzed_files,
        _trusting_fuzzers,
        "tables are read without checks",
    ),
]
