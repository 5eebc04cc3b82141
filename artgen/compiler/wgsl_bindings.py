"""The buffers that kernels are bound to, read off the text of a WGSL module."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

Access = Literal["uniform", "read-only-storage", "storage"]
"""The types of buffers, in the words of WebGPU."""

_ACCESS: dict[str, Access] = {
    "uniform": "uniform",
    "storage, read": "read-only-storage",
    "storage, read_write": "storage",
}
"""The access of a buffer by the address space and mode of its variable."""

_BUFFER = re.compile(r"@binding\((\d+)\) var<(.+?)> (\w+):")
_FUNCTION = re.compile(r"^(?:@compute .*\n)?fn (\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Binding:
    """A buffer that a kernel reads or writes, and its number in group 0."""

    binding: int
    buffer: str
    access: Access


Bindings: TypeAlias = tuple[Binding, ...]


def find_bindings(text: str) -> dict[str, Bindings]:
    """Return the buffers of each entry point of a module, those of functions that it calls too.

    A layout must have all that a kernel uses, and devices limit how many there are. No variable in
    a function has the name of a buffer.
    """
    text = re.sub("//.*", "", text)
    buffers = [Binding(int(n), name, _ACCESS[space]) for n, space, name in _BUFFER.findall(text)]
    starts = [*_FUNCTION.finditer(text)]
    ends = [*(each.start() for each in starts[1:]), len(text)]
    functions = {m[1]: text[m.start() : end] for m, end in zip(starts, ends, strict=True)}

    def reached(name: str, seen: set[str]) -> Iterator[str]:
        if name in functions and name not in seen:
            seen.add(name)
            yield functions[name]
            for called in re.findall(r"\b(\w+)\(", functions[name]):
                yield from reached(called, seen)

    kernels = {}
    for name, code in functions.items():
        if code.startswith("@compute"):
            words = set(re.findall(r"\w+", "".join(reached(name, set()))))
            kernels[name] = tuple(each for each in buffers if each.buffer in words)
    return kernels
