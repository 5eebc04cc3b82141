"""Does everything that artgen needs work here? What `artgen doctor` shows.

The answers are meant to be pasted into a public issue: no user name, no host name, no path.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from artgen._version import version_and_commit
from artgen.base import waiting
from artgen.base.errors import ArtgenError
from artgen.recipe.settings import read_settings
from artgen.registry import Registry

_NEEDED = (
    *("torch", "numpy", "pillow", "av", "scikit-image", "matplotlib", "safetensors"),
    *("pydantic", "pluggy", "typer", "rich"),
)
"""Distributions, in the order they are shown."""

_MODULES = {"pillow": "PIL", "scikit-image": "skimage"}
"""The modules of distributions that have another name."""

_FOLDERS = re.compile(r"""(?<![\w\])])(?:[A-Za-z]:|~|\.{3})?[\\/](?:[^\\/\s'"|:<>]+[\\/])+""")
"""The folders of an absolute path, on any system."""


@dataclass(frozen=True)
class Finding:
    """A result: `state` is ``ok``, ``warn`` (artgen works without it) or ``fail``."""

    name: str
    state: Literal["ok", "warn", "fail"]
    detail: str


def examine(registry: Registry) -> list[Finding]:
    """Run all checks, which takes a few seconds. Failures are returned, not raised."""
    return [
        Finding("artgen", "ok", version_and_commit()),
        Finding("python", "ok", f"{platform.python_version()} on {platform.system()}"),
        *(_check(name, _package, name) for name in _NEEDED),
        _check("cpu", _cpu),
        _check("gpu", _gpu),
        _check("webgpu", _webgpu),
        _check("video", _video),
        _check("samples", _samples, registry),
        _check("temporary files", _temporary),
        *_settings(),
        *_plugins(registry),
    ]


def report(checks: Sequence[Finding]) -> str:
    """Format all checks as Markdown for a bug report, with further facts about the machine.

    Environment variables are listed by name, without their values.
    """
    prefixes = ("ARTGEN_", "OMP_", "MKL_", "NUMBA_", "CUDA_", "TORCH_", "TRITON_")
    names = sorted(name for name in os.environ if name.startswith(prefixes))
    facts = [
        ("machine", platform.machine()),
        ("implementation", platform.python_implementation()),
        ("kernels", _check("", _kernels).detail),
        ("environment", ", ".join(names) or "nothing set"),
    ]
    lines = ["| | what | |", "|---|---|---|"]
    lines += [f"| {each.state} | {each.name} | {_in_cell(each.detail)} |" for each in checks]
    lines += [f"| | {name} | {_in_cell(value)} |" for name, value in facts]
    return "\n".join(lines)


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|")


def _check(name: str, look: Callable[..., str], *arguments: object) -> Finding:
    """Return ``ok`` with the result of `look`, or ``fail`` with the reason if it raises."""
    waiting.report(f"checking {name}")
    try:
        return Finding(name, "ok", _without_paths(look(*arguments)))
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return Finding(name, "fail", _without_paths(reason))


def _without_paths(text: str) -> str:
    """Shorten paths in messages of libraries to their last part, since they may contain names."""
    # Known folders first, since they may contain spaces.
    home = os.path.expanduser("~")
    known = {home, sys.prefix, sys.base_prefix, tempfile.gettempdir(), os.getcwd()}
    for folder in sorted(known, key=len, reverse=True):
        if len(folder) > 1:
            text = text.replace(folder, "~" if folder == home else "...")
    return _FOLDERS.sub(".../", text)


def _package(distribution: str) -> str:
    importlib.import_module(_MODULES.get(distribution, distribution))
    return importlib.metadata.version(distribution)


def _cpu() -> str:
    import torch

    return f"{os.cpu_count()} cores, threads of torch: {torch.get_num_threads()}"


def _gpu() -> str:
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return ", ".join(f"cuda:{i} {name}" for i, name in enumerate(names))
    if torch.backends.mps.is_available():
        return "mps"
    built = f"cuda {torch.version.cuda}" if torch.version.cuda else "the CPU alone"
    return f"none that torch can use, it was built for {built}"


def _webgpu() -> str:
    from artgen.raster.webgpu_device import MISSING, find_adapters, is_installed

    kinds = ("a program on the CPU, used only where it is named", "a GPU")
    found = [
        f"webgpu:{i} {adapter.name}, {kinds[adapter.hardware]}"
        for i, adapter in enumerate(find_adapters())
    ]
    return "; ".join(found) or ("no driver offers an adapter" if is_installed() else MISSING)


def _video() -> str:
    from artgen.output import probe_encoder

    probe_encoder()
    return "H.264 in MP4"


def _samples(registry: Registry) -> str:
    from skimage import data

    from artgen.targets import open_source, pictures

    # The others are drawn: they need nothing of the machine, and ten seconds.
    samples = [s for s in pictures(registry) if s.scheme == "sample" and hasattr(data, s.rest)]
    for source in samples:
        open_source(source, registry)
    return f"all {len(samples)} photographs can be read"


def _kernels() -> str:
    from artgen.compiler import kernel_cache

    kernel_cache.load("def probe():\n    return 1\n").probe()
    return "can be written and imported"


def _temporary() -> str:
    with tempfile.TemporaryFile() as file:
        file.write(b"artgen")
    return "can be written"


def _settings() -> list[Finding]:
    """Show each setting and where it comes from, or what is wrong with them."""
    try:
        settings, origins = read_settings()
    except ArtgenError as error:
        return [Finding("settings", "fail", _without_paths(str(error)))]
    shown = {name: f"{_shown(getattr(settings, name))} ({origins[name]})" for name in origins}
    return [Finding(f"setting {name}", "ok", _without_paths(shown[name])) for name in origins]


def _shown(value: object) -> str:
    return "all" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _plugins(registry: Registry) -> list[Finding]:
    """Check the plugins: only artgen's own are required."""
    checks = []
    for info in registry.plugins:
        state: Literal["ok", "warn", "fail"] = "ok" if info.status == "ok" else "warn"
        if info.status in ("broken", "incompatible") and info.origin == "built-in":
            state = "fail"
        detail = f"{info.distribution} {info.version} {info.status}"
        if info.reason:
            detail += f": {info.reason}"
        checks.append(Finding(f"plugin {info.name}", state, _without_paths(detail)))
    return checks
