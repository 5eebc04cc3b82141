"""Launch Triton kernels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def launch(kernel: Any, warps: int, programs: tuple[int, ...], *arguments: Tensor | int) -> None:
    """Run a kernel where its first argument is, if there are any programs."""
    first = arguments[0]
    assert isinstance(first, Tensor)
    if programs[0]:
        with torch.cuda.device_of(first):  # type: ignore[no-untyped-call]
            # Triton's own default for fusion is about to change, and it warns about that.
            kernel[programs](*arguments, num_warps=warps, enable_fp_fusion=True)
