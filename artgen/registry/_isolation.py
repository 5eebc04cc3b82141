"""Running plugin code so that whatever it raises becomes one sentence about that plugin."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Failure", "isolated"]


class Failure(Exception):
    """Plugin code went wrong; the message says how, the cause is what it raised."""


@contextmanager
def isolated() -> Iterator[None]:
    """Turn whatever the body raises, sys.exit included, into `Failure`; Ctrl-C passes through."""
    try:
        yield
    except (KeyboardInterrupt, GeneratorExit, Failure):
        # A generator that is closed early did not fail.
        raise
    except BaseException as error:
        raise Failure(_in_one_line(error)) from error


def _in_one_line(error: BaseException) -> str:
    """The exception's type and message: `ImportError: no module named 'x'`."""
    message = textwrap.shorten(str(error), width=300)
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
