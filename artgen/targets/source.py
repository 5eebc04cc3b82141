"""Sources, the names of targets: `sample:astronaut` has a scheme, a file has none."""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from artgen.base.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray


# Two characters at least, so that the drive in `C:\photo.png` is not a scheme. The optional part
# before the slash is the distribution, which distinguishes two plugins with the same scheme.
_SCHEME = re.compile(r"([A-Za-z0-9][\w.-]*/)?[A-Za-z][\w-]+", re.ASCII)
_WEB = ("http", "https")
_FRAMES = "frames"  # the only scheme whose rest is a path
CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".webm": "matroska", ".mkv": "matroska"}
ANIMATIONS = {".gif": "GIF", ".webp": "WEBP", ".apng": "PNG"}
"""The suffixes of files that hold several frames, with the format that is tried for each."""

MOST_FRAMES = 10_000
"""Longer clips are refused."""


def opened_as(video: Path) -> dict[str, Any]:
    """How PyAV opens a file: by its suffix, so that it follows no list of other files.

    Tags may be in any encoding: none is used. Raises KeyError for another suffix.
    """
    return {"format": CONTAINERS[video.suffix.lower()], "metadata_errors": "replace"}


LONGEST_STEM = 48
"""Characters of a name that stand in names of outputs."""

_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Source:
    """`sample:astronaut` has the `scheme` sample and the `rest` astronaut; a path has no scheme."""

    scheme: str | None
    rest: str

    @classmethod
    def parse(cls, text: str) -> Source:
        """Split off a scheme, if there is one. A file of the full name is a path."""
        scheme, colon, rest = text.partition(":")
        if colon and _SCHEME.fullmatch(scheme) and not os.path.lexists(text):
            return cls(scheme.lower() if scheme.lower() in _WEB else scheme, rest)
        return cls(None, text)

    def __str__(self) -> str:
        return self.rest if self.scheme is None else f"{self.scheme}:{self.rest}"

    @property
    def path(self) -> str | None:
        """The file or folder that is read, None where it is not known from the name."""
        if self.scheme is None:
            return self.rest
        return self.rest.partition("?")[0] if self.scheme == _FRAMES else None

    def at(self, path: str | os.PathLike[str]) -> Source:
        """The same target at another path. Only for sources that name a file or folder."""
        _, mark, query = self.rest.partition("?") if self.scheme else ("", "", "")
        return replace(self, rest=f"{os.fspath(path)}{mark}{query}")

    @property
    def stem(self) -> str:
        """The beginning of the names of outputs, not yet safe as part of one.

        Raises InputError for a URL that is none.
        """
        if self.scheme is None:
            return Path(self.rest).stem
        if self.path is not None:
            return Path(self.path).name
        if self.scheme in _WEB:
            try:
                place = urlsplit(str(self))
            except ValueError as error:
                raise InputError(f"{self} is not a URL: {error}", hint="check it") from None
            return Path(place.path).stem or place.hostname or self.scheme
        return self.rest or self.scheme

    @property
    def file_stem(self) -> str:
        """The stem, safe as part of a file name, and different for different text after a scheme.

        Where characters of such a text are replaced, six digits of a hash of the source follow; of
        the name of a file, those of its stem where it is cut.
        """
        safe, is_file = file_safe(self.stem), self.path is not None
        if safe == self.stem or (is_file and len(self.stem) <= LONGEST_STEM):
            return safe
        return f"{safe}-{content_hash(self.stem if is_file else str(self))[:6]}"


def stems_of(sources: Collection[str]) -> dict[str, str]:
    """The stem of each source; of files that only the suffix tells apart, with it: ``a-jpg``.

    Of files that only replaced characters tell apart, digits of a hash of the name follow.
    """
    stems = {each: Source.parse(each).file_stem for each in sources}
    ends = {each: Path(Source.parse(each).path or "").suffix[1:] for each in sources}
    long = {each: f"{stems[each]}-{file_safe(end)}" for each, end in ends.items() if end}
    times = Counter(each.casefold() for each in (*stems.values(), *long.values()))
    apart = {k: v for k, v in long.items() if times[stems[k].casefold()] > 1 == times[v.casefold()]}
    stems |= apart
    times = Counter(map(str.casefold, stems.values()))
    return {
        each: f"{stem}-{content_hash(name)[:6]}"
        if times[stem.casefold()] > 1 and file_safe(name := Source.parse(each).stem) != name
        else stem
        for each, stem in stems.items()
    }


class SourceOptions:
    """The rest of a source after its scheme: ``sin(x)?from=0&to=2`` is `what`, then options.

    `name` is the beginning of the names of outputs. Raises InputError naming the `source` for an
    option that is not `known` or comes twice.
    """

    def __init__(self, scheme: str, rest: str, known: Sequence[str]) -> None:
        source = Source(scheme, rest)
        self.source, self.name, self._given = str(source), source.file_stem, dict[str, str]()
        what, _, query = rest.partition("?")
        self.what = what.strip()
        for part in filter(None, query.split("&")):
            key, equals, value = (text.strip() for text in part.partition("="))
            if not (equals and value):
                raise InputError(f"{self.source}: {part!r} is not KEY=VALUE")
            if key not in known:
                hint = did_you_mean(key, known)
                raise InputError(f"{self.source}: there is no option {key!r}", hint=hint)
            if key in self._given:
                raise InputError(f"{self.source}: {key} is given twice")
            self._given[key] = value

    def __contains__(self, key: str) -> bool:
        return key in self._given

    def text(self, key: str, default: str) -> str:
        """Return the value of an option."""
        return self._given.get(key, default)

    def pair(self, key: str) -> tuple[str, str] | None:
        """Return the two values of an option with a comma in between. Raises InputError."""
        if key not in self:
            return None
        first, comma, second = (part.strip() for part in self._given[key].partition(","))
        if not comma:
            raise InputError(f"{self.source}: {key} takes two values, such as {key}=X,Y")
        return first, second

    def number(self, key: str, default: int, low: int, high: int) -> int:
        """Return the value of an option, from `low` to `high`. Raises InputError."""
        text = self._given.get(key, str(default))
        digits = text.isascii() and text.isdecimal() and len(text) <= 19
        if not (digits and low <= int(text) <= high):
            problem = f"{key}={text} is not a whole number from {low} to {high}"
            raise InputError(f"{self.source}: {problem}")
        return int(text)

    def decimal(self, key: str, default: float, low: float, high: float) -> float:
        """Return the value of an option, from `low` to `high`. Raises InputError."""
        text = self._given.get(key, str(default))
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise InputError(f"{self.source}: {key}={text} is not a number from {low} to {high}")
        return value


def file_safe(text: str) -> str:
    """`text` as a short file name: words of letters, digits, dots and dashes, joined by `_`."""
    return re.sub(r"[^\w.-]+", "_", text)[:LONGEST_STEM].strip("._-") or "image"


def is_reserved(stem: str) -> bool:
    """Whether Windows takes a file of this name, with any suffix, for a device."""
    return _RESERVED.fullmatch(stem) is not None


def content_hash(*parts: str | NDArray[Any]) -> str:
    """Return the SHA-256 of texts and arrays, the same on machines of either byte order.

    Of computed data it hashes how they are computed, since the results differ by rounding.
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            digest.update(part.encode(errors="surrogateescape"))
        else:
            digest.update(part.astype(part.dtype.newbyteorder("<"), copy=False).tobytes())
    return digest.hexdigest()
