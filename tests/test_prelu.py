"""The kernels of PReLU and of means of pixels against plain torch in double precision."""

from __future__ import annotations

import pytest
import torch

from artgen import nn

PICTURES = [(3, 64, 6, 4), (5, 8, 7, 9), (2, 16, 2, 2)]
SHAPES = [(4, 784), (3, 5), (1, 5), (2, 3, 1, 1), (1, 64, 2, 2), *PICTURES]


def plain(value, slope, halve):
    result = torch.nn.functional.prelu(value, slope)
    return torch.nn.functional.avg_pool2d(result, 2) if halve else result


def scene(shape, dtype):
    rng = torch.Generator().manual_seed(len(shape) + shape[1])
    value = torch.randn(shape, generator=rng).to(dtype)
    if len(shape) == 4:
        value = torch.empty_like(value, memory_format=torch.channels_last).copy_(value)
    return value.requires_grad_(), torch.rand(shape[1], generator=rng).requires_grad_()


def result_and_gradients(function, value, slope, halve):
    result = function(value, slope, halve=halve)
    rng = torch.Generator().manual_seed(0)
    incoming = torch.randn(result.shape, generator=rng).bfloat16().to(result.dtype)
    return result.detach(), *torch.autograd.grad(result, (value, slope), incoming)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    ("shape", "halve"), [(s, False) for s in SHAPES] + [(s, True) for s in PICTURES]
)
def test_kernels_do_what_plain_torch_does(shape, dtype, halve):
    value, slope = scene(shape, dtype)
    assert (value.permute(0, 2, 3, 1) if value.dim() == 4 else value).is_contiguous()
    mine = result_and_gradients(nn.prelu, value, slope, halve)
    assert mine[0].dtype == mine[1].dtype == dtype
    precise = [tensor.detach().double().requires_grad_() for tensor in (value, slope)]
    expected = result_and_gradients(plain, *precise, halve)
    # Values and their gradients are rounded once, to the eight bits of bfloat16 or 24 of float32.
    rounding = 2**-8 if dtype == torch.bfloat16 else 2**-22
    for got, exact in zip(mine[:2], expected[:2], strict=True):
        torch.testing.assert_close(got.double(), exact, atol=1e-6, rtol=rounding)
    torch.testing.assert_close(mine[2].double(), expected[2], atol=1e-4, rtol=1e-5)


def test_other_layouts_and_numbers_are_torchs():
    value, slope = scene((2, 3, 4, 6), torch.float64)
    slope = slope.detach().double()
    torch.testing.assert_close(nn.prelu(value, slope, halve=True), plain(value, slope, True))
    rows = value.detach().float().contiguous()
    torch.testing.assert_close(nn.prelu(rows, slope.float()), plain(rows, slope.float(), False))


def test_any_number_of_threads_gives_the_same_bits():
    found = []
    before = torch.get_num_threads()
    for threads in (1, 3):
        torch.set_num_threads(threads)
        value, slope = scene((9, 4, 50, 50), torch.float32)
        found.append(
            [result_and_gradients(nn.prelu, value, slope, halve) for halve in (False, True)]
        )
    torch.set_num_threads(before)
    for one, three in zip(*found, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, three, strict=True))
