"""Pictures behind http and https URLs, within limits of size, type and time.

No URL and no redirect may lead to an address of this machine or its network, so that neither a
page elsewhere nor the recipe of a stranger can make artgen ask there. The address is checked when
it is connected to.
"""

from __future__ import annotations

import io
import ipaddress
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, ClassVar
from urllib.parse import quote, urljoin, urlsplit
from weakref import WeakKeyDictionary

from artgen import __version__
from artgen.errors import InputError, printable
from artgen.targets import DEFAULT_REQUEST, ImageTarget, TargetRequest, image_from_bytes

LARGEST = 64 << 20
"""The most bytes of a picture."""

SECONDS = 60.0
"""The longest time that a download may take, with all redirects."""

_SILENCE = 15.0
"""The longest time in seconds in which nothing arrives."""

_MOST_REDIRECTS = 5
_PIECE = 1 << 16

_ANY = ("application/octet-stream", "binary/octet-stream")
"""What servers call files that they do not know; Amazon S3 has the second."""

_held: WeakKeyDictionary[ImageTarget, tuple[str, bytes]] = WeakKeyDictionary()
"""URLs and bytes of the pictures in use: opened again, in another size, they are the same ones."""


class Opener:
    """Opens the pictures behind URLs of one scheme."""

    known_deviations: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("opens", "request", "again"), "what it opens is on the web, which checks do not ask"
    )

    def __init__(self, scheme: str) -> None:
        self.scheme = scheme

    def __call__(self, rest: str, request: TargetRequest = DEFAULT_REQUEST) -> ImageTarget:
        """Open the picture behind ``scheme:rest``. Raises InputError."""
        return _open_url(f"{self.scheme}:{rest}", request)

    def check(self, url: str) -> None:
        """Raise InputError for a URL whose host is the number of an address that is not asked."""
        with suppress(ValueError):  # of a name, which is looked up when it is connected to
            if _is_inside(host := urlsplit(url).hostname or ""):
                raise _refusal(url, _Refused(f"{host} {_INSIDE}"))


open_http, open_https = Opener("http"), Opener("https")

_INSIDE = "is an address of this machine or its network"

_EMBEDDING = (0, 0xFFFF, 0x64_FF9B << 64)
"""Beginnings of IPv6 addresses that end in one of IPv4: compatible, mapped, NAT64 (RFC 6052)."""


class _Refused(Exception):
    """An address that is not asked."""


def _refusal(url: str, reason: _Refused) -> InputError:
    hint = "download the picture with another program, and name its file"
    return InputError(f"{printable(url)} is not downloaded: {reason}", hint=hint)


def _open_url(url: str, request: TargetRequest) -> ImageTarget:
    where = printable(url)
    try:
        data = dict(_held.values()).get(url) or _download(url)
    except _Refused as error:
        raise _refusal(url, error) from None
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        hint = "check the address, or save the picture and name its file"
        raise InputError(f"cannot download {where}: {reason}", hint=hint) from None
    target = image_from_bytes(data, request, where)
    _held[target] = url, data
    return target


def _download(url: str) -> bytes:
    """The bytes behind a URL. Raises ValueError, OSError, HTTPException, _Refused."""
    deadline = time.monotonic() + SECONDS
    try:
        return _follow(url, deadline)
    except TimeoutError:
        _left(deadline)
        raise


def _follow(url: str, deadline: float) -> bytes:
    """The bytes behind a URL and its redirects."""
    first = url
    for _ in range(_MOST_REDIRECTS + 1):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"it leads to {printable(url)}, which is not an http or https URL")
        if first.startswith("https:") and parts.scheme == "http":
            raise ValueError("it leads from https to http")
        cls = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = cls(parts.hostname, parts.port, timeout=_left(deadline))
        # What connects is looked up and checked at once: a name may change its address.
        vars(connection)["_create_connection"] = _connect_outside
        vars(connection)["response_class"] = lambda sock, **given: HTTPResponse(
            _Received(sock, deadline),  # type: ignore[arg-type]
            **given,
        )
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {"User-Agent": f"artgen/{__version__}", "Accept": "image/*"}
            # Browsers show letters and spaces as they are, but send them as bytes.
            connection.request("GET", quote(path, "!#$%&'()*+,/:;=?@[]~"), headers=headers)
            response = connection.getresponse()
            if response.status in (301, 302, 303, 307, 308):
                url = urljoin(url, response.headers.get("Location", ""))
                continue
            if response.status != 200:
                raise ValueError(f"the server answers {response.status} {response.reason}")
            return _read(response)
        finally:
            connection.close()
    raise ValueError(f"it redirects more than {_MOST_REDIRECTS} times")


def _left(deadline: float) -> float:
    """The seconds that the next piece may take. Raises ValueError after the deadline."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise ValueError(f"it takes longer than {SECONDS:g} seconds")
    return min(left, _SILENCE)


class _Received(io.RawIOBase):
    """What a socket receives until a deadline.

    The timeout of a socket holds for each piece, so that a byte now and then would go on for ever.
    """

    def __init__(self, connected: socket.socket, deadline: float) -> None:
        self.connected, self.deadline = connected, deadline
        self.raw = connected.makefile("rb", buffering=0)

    def makefile(self, mode: str) -> io.BufferedReader:
        """All that `HTTPResponse` asks of a socket."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read the next piece. Raises ValueError after the deadline, OSError."""
        self.connected.settimeout(_left(self.deadline))
        return self.raw.readinto(buffer)

    def close(self) -> None:
        """Let the socket go."""
        self.raw.close()
        super().close()


def _read(response: HTTPResponse) -> bytes:
    kind = response.headers.get_content_type()
    named = "Content-Type" in response.headers
    if named and not (kind.startswith("image/") or kind in _ANY):
        raise ValueError(f"it is {kind}, not a picture")
    data = bytearray()
    while piece := response.read1(_PIECE):
        data += piece
        if len(data) > LARGEST:
            raise ValueError(f"it is larger than {LARGEST >> 20} MiB")
    if (expected := response.length) not in (None, 0):
        raise ValueError(f"{expected} bytes are missing at its end")
    return bytes(data)


def _connect_outside(
    address: tuple[str, int], timeout: float, source: tuple[str, int] | None = None
) -> socket.socket:
    """Connect to a public address. Raises _Refused for one of this machine or its network."""
    host, port = address
    error = OSError(f"{host} has no address")
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, place in found:
        number = str(place[0])
        if _is_inside(number):
            leads = host if host == number else f"{host} is {number}, which"
            raise _Refused(f"{leads} {_INSIDE}")
        try:
            # Where the network has no IPv6, the first address leads nowhere.
            reached = socket.create_connection((number, port), timeout / len(found), source)
        except OSError as failed:
            error = failed
        else:
            reached.settimeout(timeout)
            return reached
    raise error


def _is_inside(number: str) -> bool:
    """Whether a numeric address is of this machine, or of a network that is not public."""
    found = ipaddress.ip_address(number.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        low = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)
        if embedded := found.sixtofour or (low if int(found) >> 32 in _EMBEDDING else None):
            return _is_inside(str(embedded))
    return found.is_multicast or not found.is_global
