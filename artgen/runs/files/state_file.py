"""Files of state: tensors and plain values that a run goes on from.

Each is safetensors whose metadata hold JSON: the format, the values, and a digest of them and of
the tensors, so that a file in which a single bit has changed is refused and not gone on from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.base.errors import ArtgenError, InputError, reading, writing
from artgen.base.files import tensors_to_bytes
from artgen.output import atomic_write

if TYPE_CHECKING:
    from torch import Tensor


FORMAT = 1
"""The version of these files."""


def write_state(
    path: Path, tensors: Mapping[str, Tensor], values: Mapping[str, object], *, durable: bool = True
) -> None:
    """Write tensors, which may be anywhere, and values that JSON knows. Raises OutputError."""
    # Copies, because safetensors takes no tensors that share memory: an engine's may.
    stored = {
        name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()
    }
    header = {"format": FORMAT, "values": values, "digest": _digest(stored, values)}
    text = json.dumps(header, sort_keys=True)
    atomic_write(path, tensors_to_bytes(stored, text), durable=durable)


def write_checkpoint(path: Path, state: Mapping[str, object], *, durable: bool = True) -> None:
    """Write tensors and plain values under flat names. Raises OutputError."""
    from torch import Tensor

    tensors = {name: value for name, value in state.items() if isinstance(value, Tensor)}
    values = {name: value for name, value in state.items() if name not in tensors}
    write_state(path, tensors, values, durable=durable)


def read_checkpoint(path: Path) -> dict[str, Any] | None:
    """The state that `write_checkpoint` wrote, None where there is no file. Raises InputError."""
    if not path.is_file():
        return None
    tensors, values = read_state(path, "checkpoint")
    return {**values, **tensors}


def read_state(path: Path, what: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and values of a file, which is called `what` in errors.

    Raises InputError where it is missing, damaged or of another format.
    """
    from safetensors import safe_open

    with putting_to_use(path, what):
        if not path.is_file():
            raise ValueError("it is not a file" if path.exists() else "it does not exist")
        with safe_open(path, framework="pt") as data:
            header = json.loads((data.metadata() or {})["artgen"])
            # Copies, because Windows replaces no file that is mapped into memory.
            tensors = {name: data.get_tensor(name).clone() for name in data.keys()}  # noqa: SIM118
        if header["format"] != FORMAT:
            raise ValueError(f"another artgen wrote it, in format {header['format']!r}")
        values = dict(header["values"])
        # The first files had none.
        if "digest" in header and header["digest"] != _digest(tensors, values):
            raise ValueError("it is damaged")
    return tensors, values


@contextmanager
def putting_to_use(path: Path, what: str) -> Iterator[None]:
    """Errors of those who use what a file holds become InputError: it holds something else."""
    from safetensors import SafetensorError

    try:
        with reading(f"{what} {path}"):
            yield
    except ArtgenError:
        raise
    except Exception as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        if isinstance(error, SafetensorError):
            reason = "it is damaged"
        raise InputError(
            f"{what} {path} cannot be used: {reason}", hint="start again with --overwrite"
        ) from None


class StateStore:
    """A folder of files of state by number, of so many `digits`; in errors one is called `what`."""

    def __init__(self, folder: Path, what: str, digits: int, *, durable: bool = True) -> None:
        self.folder, self.what, self.digits, self.durable = folder, what, digits, durable

    def path(self, number: int) -> Path:
        """The file of a number."""
        return self.folder / f"{number:0{self.digits}d}.safetensors"

    def numbers(self) -> list[int]:
        """The numbers of the files, in order; none without the folder."""
        stems = (path.stem for path in self.folder.glob("*.safetensors"))
        return sorted(int(stem) for stem in stems if stem.isdecimal())

    def write(self, number: int, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
        """Write a file, and the folder where it is not there yet. Raises OutputError."""
        with writing(f"cannot create {self.folder}"):
            self.folder.mkdir(parents=True, exist_ok=True)
        write_state(self.path(number), tensors, values, durable=self.durable)

    @contextmanager
    def reading(self, number: int) -> Iterator[tuple[dict[str, Tensor], dict[str, Any]]]:
        """The content of a file, to be put to use in the block. Raises InputError."""
        with putting_to_use(self.path(number), self.what):
            yield read_state(self.path(number), self.what)


def _digest(tensors: Mapping[str, Tensor], values: Mapping[str, object]) -> str:
    found = hashlib.blake2b(json.dumps(values, sort_keys=True).encode(), digest_size=16)
    for name in sorted(tensors):
        tensor = tensors[name]
        found.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        found.update(tensor.numpy().tobytes())
    return found.hexdigest()
