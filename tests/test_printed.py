"""What code prints is caught in its own thread."""

from __future__ import annotations

import sys
import threading

import pytest

from artgen.base.printed import caught


def test_blocks_that_overlap_in_threads_give_stdout_back(capsys):
    """Two fits at once left the text of the one's plugins as stdout for good."""
    before, entered, left = sys.stdout, threading.Event(), threading.Event()
    found = []

    def first() -> None:
        with caught() as printed:
            entered.set()
            left.wait(10)
            print("from the first")
        found.append(printed.getvalue())

    thread = threading.Thread(target=first)
    thread.start()
    entered.wait(10)
    print("from outside")
    with caught() as printed:
        print("from the second")
        with caught() as inner:
            print("inside")
        print("again")
    left.set()
    thread.join()
    assert sys.stdout is before
    assert found == ["from the first\n"]
    assert (printed.getvalue(), inner.getvalue()) == ("from the second\nagain\n", "inside\n")
    assert capsys.readouterr().out == "from outside\n"


def test_an_error_gives_stdout_back():
    before = sys.stdout
    with pytest.raises(ValueError, match="broken"), caught():
        raise ValueError("broken")
    assert sys.stdout is before
