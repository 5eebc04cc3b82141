"""The computed sample pictures: the same every time, at any size, known by what is computed."""

from __future__ import annotations

import numpy as np
import pytest

from artgen.targets import SAMPLES, TargetRequest, open_sample
from artgen.targets._generated import GENERATED


@pytest.mark.parametrize("name", GENERATED)
def test_it_is_a_picture_and_the_same_one_again(name):
    assert name in SAMPLES
    pixels = GENERATED[name]()
    assert pixels.dtype == np.uint8
    assert pixels.shape[2] == 3
    assert min(pixels.shape[:2]) >= 480
    assert pixels.std() > 10
    assert np.array_equal(pixels, GENERATED[name]())


def test_the_hash_is_of_what_is_computed_not_of_how_it_was_rounded(monkeypatch):
    before = open_sample("stars", TargetRequest(size=64))
    stars = GENERATED["stars"]
    monkeypatch.setitem(GENERATED, "stars", lambda: stars() ^ 1)
    after = open_sample("stars", TargetRequest(size=64))
    assert after.sha256 == before.sha256
    assert not np.array_equal(after.image, before.image)
    assert before.source == "sample:stars"
    assert len({open_sample(name).sha256 for name in GENERATED}) == len(GENERATED)
