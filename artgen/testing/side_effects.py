"""What plugin code must not do on the side: read the clock, print, write files, draw at random."""

from __future__ import annotations

import datetime
import io
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from artgen.base.faults import root_of
from artgen.testing.candidate import Offer
from artgen.testing.run_checks import Failed

_CLOCKS = ("time", "time_ns", "perf_counter", "perf_counter_ns", "monotonic", "process_time")
CLOCK: dict[Any, str] = {getattr(time, name): f"reads time.{name}" for name in _CLOCKS}
CLOCK |= {datetime.datetime.now: "reads datetime.now", datetime.date.today: "reads date.today"}
CLOCK[time.strftime] = "reads time.strftime"
FILES: dict[Any, str] = {print: "prints", open: "opens a file", input: "asks for input"}


@contextmanager
def no_calls(offer: Offer, forbidden: Mapping[object, str]) -> Iterator[None]:
    """Raise Failed with file and line where code of the plugin calls a forbidden builtin."""
    root, found = root_of(offer.loaded), ""

    def watch(frame: FrameType, event: str, called: object) -> None:
        nonlocal found
        if event == "c_call" and not found:
            module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
            if module == root and type(called) is type(print) and called in forbidden:
                file = Path(frame.f_code.co_filename).name
                found = f"{offer.name} {forbidden[called]} ({file}, line {frame.f_lineno})"

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(before)
    if found:
        raise Failed(found)


@contextmanager
def check_side_effects(offer: Offer) -> Iterator[None]:
    """Raise Failed if the body changes global generators or settings, prints or writes files."""
    files, text, threads = set(os.listdir()), io.StringIO(), torch.get_num_threads()
    # A seed and threads that a plugin would hardly choose, so that setting one is a change, also
    # where an earlier call has set the same.
    with seeded(977_231):
        torch.set_num_threads(threads + 1)
        settings = _settings()
        try:
            with redirect_stdout(text):
                yield
            for name, value in _settings().items():
                if value != settings[name]:
                    raise Failed(f"{offer.name} changes {name}")
        finally:
            torch.set_num_threads(threads)
    if text.getvalue():
        raise Failed(f"{offer.name} prints {text.getvalue().splitlines()[0]!r} to stdout")
    more = sorted(set(os.listdir()) - files)
    if more:
        raise Failed(f"{offer.name} writes {more[0]} into the current folder")


@contextmanager
def check_pure(offer: Offer, code: object = None) -> Iterator[None]:
    """Raise Failed if the body, run in an empty folder, has side effects or reads the clock.

    `code` is what of the offer the plugin wrote, by default all of it.
    """
    own = replace(offer, loaded=offer.loaded if code is None else code)
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            chdir(folder),
            check_side_effects(own),
            no_calls(own, CLOCK),
        ):
            yield
    except Failed as failed:
        raise Failed(str(failed), own.loaded) from None


def differing(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> list[str]:
    """Return the names of tensors that are not the same in both."""
    both = one.keys() & other.keys()
    return [n for n in {**one, **other} if not (n in both and torch.equal(one[n], other[n]))]


def check_same(
    one: Mapping[str, Tensor], other: Mapping[str, Tensor], what: str, code: object = None
) -> None:
    """Raise Failed with `what`, such as "two fits differ", and the first tensor that does."""
    for name in differing(one, other):
        a, b = (each.get(name, torch.empty(0)) for each in (one, other))
        gap = f", by up to {float((a - b).abs().max()):.3g}" if a.shape == b.shape else ""
        raise Failed(f"{what} in {name}{gap}", code)


@contextmanager
def seeded(entropy: int) -> Iterator[None]:
    """Seed the global generators with `entropy`, and restore them afterwards."""
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()
    torch.manual_seed(entropy)
    np.random.seed(entropy)
    random.seed(entropy)
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])
        random.setstate(states[2])


def _settings() -> dict[str, object]:
    return {
        "the global generator of torch": torch.get_rng_state().tolist(),
        "the global generator of numpy": [np.asarray(x).tolist() for x in np.random.get_state()],
        "the global generator of Python": random.getstate(),
        "whether torch computes gradients": torch.is_grad_enabled(),
        "torch's default dtype": torch.get_default_dtype(),
        "torch's number of threads": torch.get_num_threads(),
        "the current folder": os.getcwd(),
    }
