"""What a compiler knows of the kernels for CUDA: nothing here has been measured on a GPU.

Triton compiles every kernel for every architecture, without a GPU. Registers and spilled bytes per
thread are ptxas's, shared memory is per block, and resident warps are those that registers, shared
memory and blocks allow on a multiprocessor.

The bounds are a roofline, for lanes that are all used. Instructions per evaluation are those of the
loop over splats or pixels in the machine code; branches that are seldom taken count too. *Issued*
is how many evaluations the schedulers can issue, which no real run exceeds. *From memory* is what
the bandwidth allows where no read comes from a cache.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import io
import itertools
import multiprocessing
import os
import re
import subprocess
import tempfile
import typing
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from artgen import Splat
from artgen.errors import UsageError
from artgen.registry import default
from benchmarks._report import Table, figure
from benchmarks._settings import Settings
from benchmarks.superellipse import Superellipse

UNUSUAL = ((("form", "text"),), (("harmonics", 16),))
"""Options of `fourier` that give other kernels."""

WHOLE = {"width", "height", "levels", "count", "parts", "largest", "inputs", "outputs"}
ARRAYS = dict.fromkeys(("box", "start", "splat", "end"), "*i32")
ARRAYS |= dict.fromkeys(("places", "sums", "base", "columns"), "*i64")
"""Arguments that are whole numbers, and arrays of these; the others are arrays of float32."""


class Multiprocessor(NamedTuple):
    """What can be resident: warps, blocks, and KiB of shared memory (CUDA programming guide)."""

    warps: int
    blocks: int
    shared: int
    reserved: int
    """KiB of shared memory per block that the system takes."""


ARCHITECTURES = {
    75: Multiprocessor(32, 16, 64, 0),
    80: Multiprocessor(64, 32, 164, 1),
    86: Multiprocessor(48, 16, 100, 1),
    89: Multiprocessor(48, 24, 100, 1),
    90: Multiprocessor(64, 32, 228, 1),
    120: Multiprocessor(48, 24, 100, 1),
}
"""By compute capability, times ten."""

REGISTERS, REGISTER_UNIT = 65536, 256
"""Per multiprocessor, and how many a warp is given at a time."""


class Device(NamedTuple):
    """A GPU: capability, multiprocessors, boost clock in GHz, bandwidth in GB/s (data sheets)."""

    name: str
    capability: int
    multiprocessors: int
    clock: float
    bandwidth: float


DEVICES = (
    Device("RTX 4090", 89, 128, 2.52, 1008),
    Device("H100 SXM", 90, 132, 1.98, 3350),
)

LANES, SPECIAL = 128, 16
"""Lanes of FP32 and of special functions per multiprocessor and clock, on both devices."""


class Kernels(NamedTuple):
    """The kernels of a footprint for a number of features; `options` are those of the splat."""

    splat: type[Splat]
    channels: int
    options: tuple[tuple[str, Any], ...] = ()
    over: bool = False

    @property
    def name(self) -> str:
        """Footprint, features or blend, and what is unusual."""
        kind = "over" if self.over else f"{self.channels} features"
        unusual = (f"{name} {value}" for name, value in self.options)
        return ", ".join((self.splat.__name__.lower(), kind, *unusual))


class Layers(NamedTuple):
    """The kernels of a hash grid with two features, and of its network."""

    layers: int
    width: int

    @property
    def name(self) -> str:
        return f"hashgrid, {self.layers} layers of {self.width}"


@dataclass(frozen=True)
class Compiled:
    """What is known of a compiled kernel; sizes are in bytes.

    `instructions` and `special` are those in the loop, per evaluation; `read` is what an evaluation
    reads. All three are zero where there is no loop over evaluations, or none was asked for.
    """

    registers: int
    spilled: int
    shared: int
    warps: int
    """Warps per block."""
    instructions: float
    special: float
    read: float

    def resident(self, capability: int) -> int:
        """How many warps a multiprocessor can hold."""
        limit = ARCHITECTURES[capability]
        per_warp = -(-32 * self.registers // REGISTER_UNIT) * REGISTER_UNIT
        shared = self.shared + 1024 * limit.reserved
        blocks = min(limit.blocks, limit.warps // self.warps, REGISTERS // per_warp // self.warps)
        return self.warps * (min(blocks, 1024 * limit.shared // shared) if shared else blocks)


Known: typing.TypeAlias = dict[str, Compiled]
"""What is known of kernels, by their names."""


def footprints() -> list[Kernels]:
    """Every shipped footprint by what it can draw, and one that is not shipped."""
    found, registry = [], default()
    for entry in registry.entries("primitive"):
        make = entry.load()
        if not issubclass(make, Splat):
            continue
        found += [Kernels(make, 3), Kernels(make, 4)]
        if "over" in typing.get_args(typing.get_type_hints(make.Options).get("blend")):
            found.append(Kernels(make, 4, over=True))
    fourier = registry.load("primitive", "fourier")
    found += [Kernels(fourier, 3, options) for options in UNUSUAL]
    return [*found, Kernels(Superellipse, 4)]


def compile_all(
    jobs: Sequence[tuple[Kernels | Layers, int]], *, count: bool = True
) -> Iterator[Known | None]:
    """Compile kernels for capabilities, in processes; yield what is known by kernel, in order.

    None stands for an architecture that this ptxas does not know. Instructions are counted with
    `count`. Raises UsageError without Triton.
    """
    if importlib.util.find_spec("triton") is None:
        raise UsageError("there is no Triton", hint="pip install 'artgen[triton]'")
    with (
        tempfile.TemporaryDirectory() as cache,
        ProcessPoolExecutor(
            os.cpu_count(), multiprocessing.get_context("spawn"), _use_compiler, (cache,)
        ) as pool,
    ):
        yield from pool.map(_compile, *zip(*jobs, strict=True), itertools.repeat(count))


def _use_compiler(cache: str) -> None:
    """Make Triton compile in this process, even where it is asked to interpret."""
    os.environ |= {
        "TRITON_INTERPRET": "0",
        "TRITON_CACHE_DIR": cache,
        "TRITON_ALWAYS_COMPILE": "1",  # ptxas reports nothing of what is in a cache
        "TRITON_DUMP_PTXAS_LOG": "1",
    }


def _compile(kernels: Kernels | Layers, capability: int, count: bool) -> Known | None:
    from triton.runtime.errors import PTXASError

    look = _inspect_layers if isinstance(kernels, Layers) else _inspect_footprint
    try:
        return look(kernels, capability, count)
    except PTXASError as error:
        if "is not defined for option 'gpu-name'" in str(error):
            return None
        raise


def _inspect_footprint(kernels: Kernels, capability: int, count: bool) -> Known:
    from artgen.families.splat import cuda

    source, module = cuda.Footprint(kernels.splat(dict(kernels.options))).kernels(
        kernels.channels, kernels.over
    )
    # A splat is read once for the pixels of a tile: its number, box, centre, frame, and the rest.
    splat = 11 + source.prepared + kernels.channels
    read = {"forward": 4 * splat / cuda.SIDE**2, "backward": 4 * (kernels.channels + 2)}
    if kernels.over:
        read["backward"] = 4 * (splat + source.leaves + kernels.channels) / cuda.SIDE**2
    found = {}
    for name in ("prepare", "forward", "backward", "finish"):
        warps = module.WARPS[name]
        evaluations = cuda.SIDE**2 / (32 * warps) if name in read and count else 0
        kernel = getattr(module, name)
        found[name] = inspect(kernel, capability, warps, evaluations, read.get(name, 0))
    return found


def _inspect_layers(layers: Layers, capability: int, _: bool) -> Known:
    from artgen.compiler.grid_printer import cuda_grid_kernels
    from artgen.nn import cuda

    grid = {"BLOCK": cuda.POSITIONS}
    network = {"BLOCK": cuda.ROWS}
    return {
        name: inspect(getattr(module, name), capability, warps, sizes=sizes)
        for module, names, warps, sizes in (
            (cuda_grid_kernels(2, 2), ("interpolate", "scatter"), cuda.GRID_WARPS, grid),
            (
                cuda.network_kernels(layers.layers, layers.width),
                ("forward", "backward"),
                cuda.NETWORK_WARPS,
                network,
            ),
        )
        for name in names
    }


def inspect(
    kernel: Any,
    capability: int,
    warps: int,
    evaluations: float = 0,
    read: float = 0,
    sizes: Mapping[str, int] = MappingProxyType({}),
) -> Compiled:
    """Compile a kernel as it is launched, and read what ptxas and the machine code say.

    `evaluations` are those of a thread in a turn of the loop; 0 if there is none to be counted.
    `sizes` are the arguments that are constants.
    """
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    whole = dict.fromkeys(WHOLE, "i32") | dict.fromkeys(sizes, "constexpr")
    types = {name: (ARRAYS | whole).get(name, "*fp32") for name in kernel.arg_names}
    # Torch's memory begins at multiples of 16 bytes, which a launch finds out.
    aligned = {
        (place,): [["tt.divisibility", 16]]
        for place, kind in enumerate(types.values())
        if kind.startswith("*")
    }
    report = io.StringIO()
    with contextlib.redirect_stdout(report):
        made = triton.compile(
            ASTSource(kernel, signature=types, constexprs=sizes, attrs=aligned),
            target=GPUTarget("cuda", capability, 32),
            options={"enable_fp_fusion": True, "num_warps": warps},
        )
    used = re.search(r"Used (\d+) registers", report.getvalue())
    spilled = re.search(r"(\d+) bytes spill stores", report.getvalue())
    if not used or not spilled:
        raise UsageError("this Triton keeps what ptxas reports to itself", hint="use a newer one")
    machine = _disassembled(made.asm["cubin"]) if evaluations else ""
    loop = hot_loop(machine)
    return Compiled(
        registers=int(used[1]),
        spilled=int(spilled[1]),
        shared=made.metadata.shared,
        warps=warps,
        instructions=len(loop) / (evaluations or 1),
        special=sum("MUFU" in line for line in loop) / (evaluations or 1),
        read=read,
    )


def _disassembled(cubin: bytes) -> str:
    """What nvdisasm prints of machine code; Triton brings it along."""
    from triton.backends import nvidia

    program = Path(nvidia.__path__[0], "bin", "nvdisasm")
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        command = [program, "-c", file.name]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def hot_loop(machine: str) -> list[str]:
    """The instructions of the innermost loop that holds at least half of the loop around it.

    `machine` is what nvdisasm prints. Shorter loops inside, of sine's reduction for one, are rare.
    """
    lines, labels, loops = [], {}, []
    for line in machine.splitlines():
        if label := re.match(r"(\.L_\w+):", line):
            labels[label[1]] = len(lines)
        elif re.match(r"\s+/\*[0-9a-f]{4,}\*/", line):
            lines.append(line)
            jump = re.search(r"BRA.* `\((\.L_\w+)\)", line)
            if jump and labels.get(jump[1], len(lines)) < len(lines) - 1:
                loops.append((labels[jump[1]], len(lines)))
    if not loops:
        return []
    first, last = max(loops, key=_length)
    while inner := [
        (start, stop)
        for start, stop in loops
        if first <= start < stop <= last and (last - first) / 2 <= stop - start < last - first
    ]:
        first, last = max(inner, key=_length)
    return lines[first:last]


def _length(loop: tuple[int, int]) -> int:
    return loop[1] - loop[0]


def issued(kernel: Compiled, device: Device) -> float:
    """The evaluations per second that the schedulers of a device can issue."""
    clocks = max(kernel.instructions / LANES, kernel.special / SPECIAL)
    return device.multiprocessors * device.clock * 1e9 / clocks


def run(settings: Settings) -> Iterator[Table]:
    chosen = slice(1) if settings.quick else slice(None)
    every, capabilities = [*footprints(), Layers(3, 64)][chosen], sorted(ARCHITECTURES)
    if settings.quick:
        capabilities = [device.capability for device in DEVICES]
    jobs = list(itertools.product(every, capabilities))
    known = dict(zip(jobs, compile_all(jobs), strict=True))
    note = f"Compiled by the ptxas of Triton {importlib.metadata.version('triton')}."
    for title, columns, rows in (
        ("Registers per thread / resident warps", resource_columns(capabilities), resource_rows),
        ("10⁹ evaluations per second, at most", BOUND_COLUMNS, bound_rows),
    ):
        cells = []
        for kernels in every:
            here = {each: known[kernels, each] for each in capabilities if known[kernels, each]}
            named = rows(here, capabilities)
            cells += [[f"{kernels.name}: {kernel}", *row] for kernel, row in named]
        yield Table(title, columns, cells, note)


def resource_columns(capabilities: Sequence[int]) -> list[str]:
    return ["", *(f"sm_{each}" for each in capabilities), "spilled, B", "shared, B"]


def resource_rows(
    known: Mapping[int, Known], capabilities: Sequence[int]
) -> Iterator[tuple[str, list[str]]]:
    """The kernels with a cell per capability, a dash where ptxas does not know it.

    Those that run once per splat are left out.
    """
    for name in next(iter(known.values())):
        if name in ("prepare", "finish"):
            continue
        each = {capability: kernels[name] for capability, kernels in known.items()}
        cells = [
            f"{each[capability].registers} / {each[capability].resident(capability)}"
            if capability in each
            else "-"
            for capability in capabilities
        ]
        spilled = max(kernel.spilled for kernel in each.values())
        shared = max(kernel.shared for kernel in each.values())
        yield name, [*cells, str(spilled), str(shared)]


BOUND_COLUMNS = (
    *("", "special functions", "bytes"),
    *(
        f"{device.name}: {what}"
        for device in DEVICES
        for what in ("instructions", "issued", "from memory")
    ),
)


def bound_rows(known: Mapping[int, Known], _: Sequence[int]) -> Iterator[tuple[str, list[str]]]:
    """The kernels that evaluate a footprint: what an evaluation takes, and what devices allow."""
    for name in (name for name, kernel in known[DEVICES[0].capability].items() if kernel.read):
        cells: list[float] = []
        for device in DEVICES:
            kernel = known[device.capability][name]
            memory = device.bandwidth / kernel.read
            cells += [kernel.instructions, issued(kernel, device) / 1e9, memory]
        yield name, [figure(cell) for cell in (kernel.special, kernel.read, *cells)]
