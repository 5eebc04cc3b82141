"""What a target is called: `sample:astronaut` has a scheme, a file has none."""

from __future__ import annotations

import os
import re

__all__ = ["file_safe", "is_reserved", "printable", "split_source"]

# Two characters at least, so that the drive in `C:\photo.png` is not a scheme. The optional part
# before the slash is the distribution that tells two plugins with the same scheme apart.
_SCHEME = re.compile(r"([A-Za-z0-9][\w.-]*/)?[A-Za-z][\w-]+", re.ASCII)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE | re.ASCII)


def split_source(source: str) -> tuple[str | None, str]:
    """Split `sample:astronaut` into ``("sample", "astronaut")``, a path into ``(None, path)``.

    A file that exists under the full name is a path, whatever it is called.
    """
    scheme, colon, rest = source.partition(":")
    if colon and _SCHEME.fullmatch(scheme) and not os.path.lexists(source):
        return scheme, rest
    return None, source


def file_safe(text: str) -> str:
    """`text` as a short file name: words of letters, digits, dots and dashes, joined by `_`."""
    return re.sub(r"[^\w.-]+", "_", text)[:48].strip("._-") or "image"


def is_reserved(stem: str) -> bool:
    """Whether Windows takes a file of this name, with any suffix, for a device."""
    return _RESERVED.fullmatch(stem) is not None


def printable(path: str) -> str:
    """`path` on one line of valid Unicode, whatever bytes the file system holds."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in path
    )
