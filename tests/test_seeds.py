"""Seeds of the parts of a run."""

from __future__ import annotations

import pytest

from artgen.base.seeds import derived_seed


@pytest.mark.parametrize(
    ("part", "number", "expected"),
    [("stage", 1, 7924), ("frame", 2, 209_463), ("epoch", 3, 314_192), ("climb", 1, 6)],
)
def test_derived_seeds_are_those_of_version_0_1(part, number, expected):
    assert derived_seed(5, part, number) == expected
    assert derived_seed(5, part, 0) == derived_seed(None, part, 0) + 5 == 5
    assert 0 <= derived_seed(2**63 - 1, part, number) < 2**63
