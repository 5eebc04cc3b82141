"""WebGPU through the package wgpu: the adapters of this machine, and kernels and buffers on one.

An adapter is a GPU by one of its drivers (Vulkan, Metal or DirectX 12). Nothing here knows what the
kernels compute.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from artgen.base.errors import DeviceLost, OutOfMemory, OutputError, UsageError, install_hint
from artgen.compiler.wgsl_bindings import Bindings, find_bindings

MISSING = f"WebGPU needs the package wgpu: {install_hint('webgpu')}"

MOST_GROUPS = 65535
"""Workgroups along one axis of a dispatch, on every device."""

_HARDWARE = ("DiscreteGPU", "IntegratedGPU")
_KINDS = (*_HARDWARE, "CPU")
"""The types of adapters, the most powerful one first; unknown ones are last."""

_LIMITS = ("max-buffer-size", "max-storage-buffer-binding-size")
"""The limits that a device is asked to have as large as the adapter can."""

_DEVICE_FILES = ("/dev/dri", "/dev/nvidiactl", "/dev/dxg")
"""On Linux, a GPU has one of them: by the kernel's own drivers, by NVIDIA's, and below Windows."""


class Adapter(NamedTuple):
    """An adapter; `hardware` if it is a GPU, and no program that computes on the CPU."""

    name: str
    hardware: bool
    handle: Any


def is_installed() -> bool:
    """Return whether the package wgpu is there."""
    return importlib.util.find_spec("wgpu") is not None


def can_have_hardware() -> bool:
    """Return whether an adapter may be a GPU, without enumerating them, which takes 0.3 s."""
    return sys.platform != "linux" or any(map(os.path.exists, _DEVICE_FILES))


@functools.cache
def find_adapters() -> tuple[Adapter, ...]:
    """The adapters of this machine, the most powerful ones first; none without the package wgpu.

    Raises OutputError where the package does not work.
    """
    if not is_installed():
        return ()
    try:
        return _enumerated()
    except Exception as error:
        raise OutputError(
            f"the package wgpu does not work here: {error}", hint="use --device cpu"
        ) from error


def _enumerated() -> tuple[Adapter, ...]:
    import wgpu
    from wgpu.backends.wgpu_native import extras

    # OpenGL lists the same devices once more, and can do less. Whoever used wgpu before in this
    # process has chosen already.
    with suppress(RuntimeError):
        extras.set_instance_extras(backends=["Vulkan", "Metal", "DX12"])
    # Without a folder for sockets of windows, Mesa prints errors.
    missing = "XDG_RUNTIME_DIR" not in os.environ
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    try:
        handles = wgpu.gpu.enumerate_adapters_sync()
    finally:
        if missing:
            del os.environ["XDG_RUNTIME_DIR"]
    found = []
    for handle in handles:
        kind, driver = handle.info["adapter_type"], handle.info["backend_type"]
        if not driver.startswith("OpenGL"):
            rank = _KINDS.index(kind) if kind in _KINDS else len(_KINDS)
            name = f"{handle.info['device']} ({driver})"
            found.append((rank, Adapter(name, kind in _HARDWARE, handle)))
    return tuple(adapter for _, adapter in sorted(found, key=lambda pair: pair[0]))


def find_adapter(device: str) -> Adapter:
    """The adapter of ``webgpu`` (the first one) or ``webgpu:N``.

    Raises UsageError without one, OutputError.
    """
    adapters = find_adapters()
    number = int(device.partition(":")[2] or 0)
    if number < len(adapters):
        return adapters[number]
    if not is_installed():
        raise UsageError(MISSING)
    if not adapters:
        raise UsageError(
            "no driver on this machine offers WebGPU an adapter",
            hint="install one for Vulkan, such as mesa-vulkan-drivers, or use --device cpu",
        )
    listed = ", ".join(f"webgpu:{i} {adapter.name}" for i, adapter in enumerate(adapters))
    raise UsageError(f"there is no device {device!r}", hint=f"there are {listed}")


class Device:
    """An adapter that is ready to compute. Methods raise DeviceLost if it fails or is lost."""

    def __init__(self, adapter: Adapter) -> None:
        limits = {name: adapter.handle.limits[name] for name in _LIMITS}
        self.name, self.is_lost = adapter.name, False
        self.largest = min(limits.values())
        """Bytes of the largest buffer."""
        self.submissions = self.bytes_read = 0
        with self._failures():
            self.handle = adapter.handle.request_device_sync(required_limits=limits)

    def compile(self, text: str) -> dict[str, Pipeline]:
        """The kernels of a WGSL module, by name. Raises OutputError with the text in a file."""
        import wgpu

        try:
            module, pipelines = self.handle.create_shader_module(code=text), {}
            for kernel, bindings in find_bindings(text).items():
                handle = self.handle.create_compute_pipeline(
                    layout="auto", compute={"module": module, "entry_point": kernel}
                )
                pipelines[kernel] = Pipeline(handle, handle.get_bind_group_layout(0), bindings)
            return pipelines
        except (wgpu.GPUError, wgpu.GPUPipelineError) as error:
            digest = hashlib.sha256(text.encode()).hexdigest()[:12]
            file = Path(tempfile.gettempdir()) / f"artgen-refused-{digest}.wgsl"
            file.write_text(text, encoding="utf-8")
            raise OutputError(
                f"{self.name} refused a shader, which is in {file}: {_reason(error)}",
                hint="use --device cpu",
            ) from error

    def upload(self, array: NDArray[Any]) -> Any:
        """A buffer with these numbers. Raises OutOfMemory."""
        buffer = self.allocate(array.nbytes)
        self.write(buffer, array)
        return buffer

    def write(self, buffer: Any, array: NDArray[Any]) -> None:
        """Write numbers to the start of a buffer, after all that was submitted before."""
        with self._failures():
            if array.nbytes:
                self.handle.queue.write_buffer(buffer, 0, np.ascontiguousarray(array))

    def uniform(self, array: NDArray[Any]) -> Any:
        """A uniform buffer with these numbers."""
        with self._failures():
            return self.handle.create_buffer_with_data(data=array, usage="UNIFORM")

    def allocate(self, size: int) -> Any:
        """A buffer of `size` bytes, zeros. Raises OutOfMemory."""
        if size > self.largest:
            raise OutOfMemory(
                f"{self.name} has buffers of {self.largest >> 20} MiB at most, and the drawing "
                f"needs one of {-(-size >> 20)} MiB",
                hint="try a smaller --count or --size, or --device cpu",
            )
        with self._failures():
            usage = "STORAGE|COPY_SRC|COPY_DST"
            return self.handle.create_buffer(size=max(16, size), usage=usage)

    def work(
        self, pipeline: Pipeline, buffers: Mapping[str, Any], groups: tuple[int, int]
    ) -> Dispatch:
        """A kernel with its buffers, by name, and the workgroups along x and y."""
        entries = [
            {"binding": each.binding, "resource": {"buffer": buffers[each.buffer]}}
            for each in pipeline.bindings
        ]
        with self._failures():
            bound = self.handle.create_bind_group(layout=pipeline.layout, entries=entries)
        return Dispatch(pipeline.handle, bound, groups)

    def run(
        self,
        work: Iterable[Dispatch | Copy],
        read: Sequence[tuple[Any, tuple[int, ...]]] = (),
    ) -> list[NDArray[np.float32]]:
        """Submit `work`, which is done in its order, and wait until it is done.

        Buffers to `read` are given with the shape of their first float32 numbers.
        """
        results = [np.empty(shape, np.float32) for _, shape in read]
        pairs = zip(read, results, strict=True)
        copied = [(buffer, array) for (buffer, _), array in pairs if array.nbytes]
        usage = "COPY_DST|MAP_READ"
        with self._failures():
            encoder = self.handle.create_command_encoder()
            _encode(encoder, work)
            copies = [self.handle.create_buffer(size=a.nbytes, usage=usage) for _, a in copied]
            for (buffer, array), copy in zip(copied, copies, strict=True):
                encoder.copy_buffer_to_buffer(buffer, 0, copy, 0, array.nbytes)
            # It can be mapped when all that is submitted is done, and holds nothing.
            fence = self.handle.create_buffer(size=4, usage=usage)
            encoder.clear_buffer(fence)
            self.handle.queue.submit([encoder.finish()])
            self.submissions += 1
            fence.map_sync("READ")
            fence.destroy()
            for (_, array), copy in zip(copied, copies, strict=True):
                copy.map_sync("READ")
                array[...] = np.frombuffer(copy.read_mapped(), np.float32).reshape(array.shape)
                copy.destroy()
                self.bytes_read += array.nbytes
        return results

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Raise OutOfMemory where memory is what the driver lacks, else DeviceLost."""
        import wgpu

        try:
            yield
        except wgpu.GPUOutOfMemoryError as error:
            hint = "try a smaller --count or --size, or --device cpu"
            raise OutOfMemory(f"{self.name} has no more memory", hint=hint) from error
        except (wgpu.GPUError, RuntimeError) as error:
            # The next run opens the adapter again.
            self.is_lost = True
            open_device.cache_clear()
            raise DeviceLost(
                f"{self.name} failed or was lost: {_reason(error)}",
                hint="go on with --resume; if it fails again, use --device cpu",
            ) from error


class Pipeline(NamedTuple):
    """A compiled kernel: its handle, the layout of its buffers, and their names."""

    handle: Any
    layout: Any
    bindings: Bindings


class Dispatch(NamedTuple):
    """A kernel to run with its buffers, and workgroups along x and y."""

    pipeline: Any
    buffers: Any
    groups: tuple[int, int]


class Copy(NamedTuple):
    """A buffer to copy to another of the same length."""

    source: Any
    to: Any


def _encode(encoder: Any, work: Iterable[Dispatch | Copy]) -> None:
    """Write commands, in as few passes as there can be."""
    kernels = None
    for each in work:
        if isinstance(each, Copy):
            if kernels is not None:
                kernels.end()
                kernels = None
            encoder.copy_buffer_to_buffer(each.source, 0, each.to, 0, each.source.size)
        elif 0 not in each.groups:
            kernels = kernels or encoder.begin_compute_pass()
            kernels.set_pipeline(each.pipeline)
            kernels.set_bind_group(0, each.buffers)
            kernels.dispatch_workgroups(*each.groups)
    if kernels is not None:
        kernels.end()


def _reason(error: Exception) -> str:
    """The last line of an error of wgpu, which says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    found = [line for line in lines if "error" in line.lower() and line != "Validation Error"]
    return (found or lines or [type(error).__name__])[-1]


@functools.cache
def open_device(device: str) -> Device:
    """The device ``webgpu`` or ``webgpu:N``. Raises UsageError where there is none, OutputError."""
    return Device(find_adapter(device))


def groups_of(count: int) -> tuple[int, int]:
    """Workgroups along x and y, at least `count`."""
    return min(count, MOST_GROUPS), -(-count // MOST_GROUPS)
