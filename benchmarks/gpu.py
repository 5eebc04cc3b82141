"""What `make gpu` runs: the tests of kernels on the real GPU, then benchmarks beside the CPU.

    python -m benchmarks.gpu

Everything is written into benchmarks/RESULTS.md, in sections that end in the name of the device.
Ends with 1 where there is no GPU that torch can use, or where a test fails.
"""

from __future__ import annotations

import os
import subprocess
import sys

import torch

from benchmarks import __main__ as command
from benchmarks._settings import ROOT


def main() -> int:
    if not torch.cuda.is_available():
        built = f"CUDA {torch.version.cuda}" if torch.version.cuda else "the CPU alone"
        print(f"There is no GPU that torch can use here; this torch is built for {built}.")
        return 1
    print(f"On {torch.cuda.get_device_name()}:", flush=True)
    files = [file for device in command.GPUS for file in ROOT.glob(f"tests/test_{device}*.py")]
    # Triton shall compile here, whatever the caller's environment says.
    environment = {**os.environ, "TRITON_INTERPRET": "0"}
    pytest = [sys.executable, "-m", "pytest", "-q", *map(str, sorted(files))]
    tests = subprocess.run(pytest, cwd=ROOT, env=environment)
    command.main([*command.ON_DEVICES, "--device", "cuda", "--write"])
    return min(1, tests.returncode)


if __name__ == "__main__":
    sys.exit(main())
