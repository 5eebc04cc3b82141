"""Options that ask for more memory than a machine of 8 GiB has are refused before it is taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import open_sample, recipe, save_photo

from artgen import Canvas, ink
from artgen.base import errors
from artgen.errors import InputError, UsageError
from artgen.registry import Registry
from artgen.runs import run
from artgen.targets import TargetRequest
from artgen_plugins import pca, stipple


@pytest.mark.parametrize(
    ("name", "options", "stage", "said"),
    [
        ("mlp", {"hidden": 256}, {}, r"fitting the [\d,]+ numbers of mlp would"),
        ("gaussian", {"count": 10_000}, {}, "numbers of gaussian with 10,000 parts would"),
        ("gaussian", {"count": 100}, {"history": 400}, "numbers of gaussian with 100 parts would"),
        ("mlp", {"hidden": 16}, {"batch": 30_000}, "a step on 30,000 samples would"),
        (
            "triangle",
            {"count": 8},
            {"engine": "genetic", "population": 100, "islands": 10, "elite": 2},
            "10 islands of 100 individuals would",
        ),
    ],
)
def test_options_that_take_too_much_memory_are_refused(
    name: str,
    options: dict[str, Any],
    stage: dict[str, Any],
    said: str,
    tmp_path: Path,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their largest values together took tens of gigabytes, and the system ended the process."""
    monkeypatch.setattr(errors, "MOST_BYTES", 1 << 20)
    table = {"name": name, "count": None, **options}
    output = {"video": False, "history": stage.get("history", 0)}
    stage = {key: value for key, value in stage.items() if key != "history"}
    asked = recipe(save_photo(tmp_path), {"steps": 1, **stage}, primitive=table, output=output)
    with pytest.raises(UsageError, match=said) as refused:
        run(asked, registry)
    assert "smaller" in str(refused.value.hint) or "fewer" in str(refused.value.hint)


def test_a_step_on_all_pictures_may_take_too_much_memory(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step on all pictures kept what the layers made of each of them."""
    monkeypatch.setattr(errors, "MOST_BYTES", 1 << 20)
    source = "sample:digits?n=4000"
    asked = recipe(
        Path(source),
        {"engine": "gradient", "steps": 1, "batch": 0},
        target={"source": source, "size": 8},
        primitive={"name": "autoencoder", "count": None, "network": "dense", "latent": 2},
        output={"video": False},
    )
    with pytest.raises(UsageError, match="a step on 3,334 samples would"):
        run(asked, registry)


def test_usual_options_are_far_from_the_limit() -> None:
    """A tenth of the memory is enough for a million Gaussians."""
    errors.check_memory(28 * 9 * 1_000_000, "a million splats", "")
    with pytest.raises(UsageError, match="more than 4 GiB of memory: about 1,024"):
        errors.check_memory(1 << 40, "this", "")


def test_samples_and_plugins_refuse_what_takes_too_much(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures were drawn before they were counted, and comparisons of all pairs just begun."""
    with pytest.raises(InputError, match="more than 64,000,000 pixels in all"):
        open_sample("digits?n=70000", TargetRequest(size=256))
    monkeypatch.setattr(pca, "LARGEST", 9)
    for name, rank, said in (
        ("pca", 2, "pca compares all 10 pictures with one another, at most 9"),
        ("svd", 4096, "svd would store 1,052,672 numbers"),
    ):
        source = "sample:digits?n=12"
        asked = recipe(
            Path(source),
            {"steps": 1},
            target={"source": source, "size": 128},
            primitive={"name": name, "count": None, "rank": rank},
            output={"video": False},
        )
        with pytest.raises(UsageError, match=said):
            run(asked, registry)
    monkeypatch.setattr(stipple, "MOST", 9)
    sheet = ink.Sheet(np.ones((1, 9, 9)), Canvas(9, 9), 10, np.random.default_rng(0))
    with pytest.raises(UsageError, match="10 dots of one ink take too much memory, at most 9"):
        stipple.Stipple().place(sheet)


def test_a_library_that_panics_without_memory_is_out_of_memory(monkeypatch):
    """The checkpoint of `siren` with `hidden = 4096` under 4 GiB ended with exit code 1."""
    import safetensors.torch

    from artgen.base.errors import is_out_of_memory
    from artgen.base.files import tensors_to_bytes

    panic = type("PanicException", (BaseException,), {})

    def save(tensors, metadata):
        raise panic("PyObject pointer is null")

    monkeypatch.setattr(safetensors.torch, "save", save)
    with pytest.raises(MemoryError) as caught:
        tensors_to_bytes({}, "{}")
    assert is_out_of_memory(caught.value)


def test_a_system_that_does_not_say_its_peak_is_not_an_error(monkeypatch, tmp_path):
    from artgen.runs import memory

    monkeypatch.setattr(memory.sys, "platform", "linux")
    status = tmp_path / "status"
    monkeypatch.setattr(memory, "Path", lambda name: status)
    status.write_text("Name:\tpython\nVmHWM:\t  12 kB\n")
    assert memory.peak_memory() == 12 * 1024
    status.write_text("Name:\tpython\n")
    assert memory.peak_memory() is None
