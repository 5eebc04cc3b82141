"""Every promise in its small size, and that its trial notices a bug: see `python -m soak`."""

from __future__ import annotations

import sys

import pytest

from soak.__main__ import BEGIN, PAGE, table
from soak._promise import Promise, Tally, every_promise

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="forks processes"),
    pytest.mark.parametrize("promise", every_promise(), ids=lambda promise: promise.name),
]


def test_a_promise_is_kept(promise: Promise):
    tally = promise.check(small=True)
    assert tally.cases or tally.skips
    assert tally.failures == []


def test_a_bug_is_noticed(promise: Promise):
    tally = promise.check_with_bug()
    assert tally.failures or tally.skips


def test_the_page_names_it(promise: Promise):
    page = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2]
    row = table([(promise, Tally(), Tally())]).splitlines()[-1]
    assert row.split(" | ")[0] in page
