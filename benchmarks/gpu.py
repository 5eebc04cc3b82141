"""What `make gpu` runs: the tests of kernels on the real GPU, then benchmarks beside the CPU.

    python -m benchmarks.gpu

It uses CUDA where torch does, and WebGPU where an adapter is a GPU. Everything is written into
benchmarks/RESULTS.md, in sections that end in the name of the device. Ends with 1 where there is
neither, or where a test fails.
"""

from __future__ import annotations

import os
import subprocess
import sys

import torch

from artgen.raster.webgpu_device import find_adapters
from benchmarks import __main__ as command
from benchmarks._settings import ROOT


def main() -> int:
    found = {}
    if torch.cuda.is_available():
        found["cuda"] = torch.cuda.get_device_name()
    adapters = [adapter for adapter in find_adapters() if adapter.hardware]
    if adapters:
        found["webgpu"] = adapters[0].name
    if not found:
        built = f"CUDA {torch.version.cuda}" if torch.version.cuda else "the CPU alone"
        print(f"There is no GPU that torch can use here; this torch is built for {built}.")
        print("There is no GPU that WebGPU can use here either; artgen doctor lists adapters.")
        return 1
    failed = 0
    # Triton shall compile here, whatever the caller's environment says.
    environment = {**os.environ, "TRITON_INTERPRET": "0"}
    for device, name in found.items():
        print(f"On {name}, {device}:", flush=True)
        files = sorted(map(str, ROOT.glob(f"tests/test_{device}*.py")))
        if device == "cuda":
            # Grids and networks have kernels for it too, among those for a CPU.
            files.append(str(ROOT / "tests" / "test_grids.py"))
        pytest = [sys.executable, "-m", "pytest", "-q", *files]
        failed |= subprocess.run(pytest, cwd=ROOT, env=environment).returncode
        command.main([*command.GPUS[device], "--device", device, "--write"])
    return min(1, failed)


if __name__ == "__main__":
    sys.exit(main())
