"""What a run goes on from: every bit comes back, and a file that changed is refused."""

from __future__ import annotations

import math

import pytest
import torch

from artgen.base.errors import InputError, UsageError
from artgen.runs.files.state_file import putting_to_use, read_state, write_state

TENSORS = {
    "xy": torch.linspace(-1, 1, 12).reshape(2, 6)[:, ::2],
    "wide": torch.tensor([math.pi, math.nan, -0.0], dtype=torch.float64),
    "same": torch.ones(()).expand(1, 1),
    "none": torch.zeros(3, 0, dtype=torch.int64),
    "generator": torch.arange(9, dtype=torch.uint8),
}
VALUES = {"step": 3, "best": math.inf, "of": [1, 2.5, None], "name": "ä"}


def test_all_comes_back(tmp_path):
    path = tmp_path / "a"
    write_state(path, TENSORS, VALUES)
    tensors, values = read_state(path, "it")
    assert values == VALUES
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == tensor.dtype
        assert tensors[name].shape == tensor.shape
        assert tensors[name].numpy().tobytes() == tensor.numpy().tobytes()


def test_any_flipped_bit_is_noticed(tmp_path):
    path = tmp_path / "a"
    write_state(path, {"xy": torch.ones(2, 3)}, {"step": 3})
    good = path.read_bytes()
    tensors = len(good) - 24
    accepted = []
    for place in (*range(0, tensors, 3), *range(tensors, len(good))):
        bad = bytearray(good)
        bad[place] ^= 1 << place % 8
        path.write_bytes(bad)
        try:
            read_state(path, "it")
        except InputError:
            continue
        accepted.append(good[place - 8 : place + 8])
    # Without its name there is no digest, as in the first files.
    assert all(b"digest" in each for each in accepted), accepted


@pytest.mark.parametrize(
    ("make", "says"),
    {
        "nothing": (lambda path: None, "it does not exist"),
        "a folder": (lambda path: path.mkdir(), "it is not a file"),
        "text": (lambda path: path.write_text("step 3"), "it is damaged"),
    }.values(),
)
def test_other_things_are_refused(tmp_path, make, says):
    make(tmp_path / "a")
    with pytest.raises(InputError, match=f"checkpoint .* cannot be used: .*{says}"):
        read_state(tmp_path / "a", "checkpoint")


def test_what_does_not_fit_is_refused_by_name(tmp_path):
    with (
        pytest.raises(InputError, match=r"key .*a cannot be used: it has no 'xy'"),
        putting_to_use(tmp_path / "a", "key"),
    ):
        {}["xy"]


def test_whatever_goes_wrong_with_what_a_file_holds_is_the_files_fault(tmp_path):
    use = putting_to_use(tmp_path / "a", "key")
    with pytest.raises(InputError, match="cannot be used: division by zero"), use:
        raise ZeroDivisionError("division by zero")
    use, refusal = putting_to_use(tmp_path / "a", "key"), UsageError("the primitive says so")
    with pytest.raises(UsageError) as caught, use:
        raise refusal
    assert caught.value is refusal
