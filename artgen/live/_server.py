"""Web server of the live page on 127.0.0.1: the page, its stream of updates, and its buttons.

The server needs no framework and serves no other file or interface. It refuses requests for other
host names and from pages of other origins, so other sites in the same browser can neither see the
run nor stop it.
"""

from __future__ import annotations

import functools
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from artgen.base.errors import OutputError
from artgen.events import Event
from artgen.live._board import Board, Seen
from artgen.output.templates import render_page
from artgen.tasks import RunControl

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
HEARTBEAT = 5.0
"""Seconds between messages of an idle stream; a page that has gone is noticed then."""
SHARE = 0.01
"""Share of all CPU seconds that encoding may take, unless a picture rate is set."""
PAUSE = 0.25
"""Seconds between two messages, unless a higher rate is set."""
LAST_WORDS = 2.0
"""Seconds that pages have at the end to receive the last message."""
LARGEST_REQUEST = 1000
"""Bytes."""
FASTEST = 30.0
"""Highest rate, in pictures per second."""
MOST_CONNECTIONS = 32
"""Largest number of open connections: each takes a thread, and a file that the run may need."""

_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Connection": "close",
}


class Live:
    """A web page that shows the runs it observes, with buttons that set their `control`.

    Use it as a context manager and as an observer; `address` is the URL of the page. Commands of
    other buttons are passed to `change`, which returns whether it knows them. A `port` of 0 lets
    the system choose one. Raises OutputError where the port is not free.
    """

    def __init__(
        self,
        control: RunControl,
        change: Callable[[dict[str, Any]], bool] | None = None,
        *,
        port: int = 0,
    ) -> None:
        self.control, self.board, self.change = control, Board(), change
        self._pages = 0
        self._counting = threading.Condition()
        what = f"the live page on port {port}"
        self._server = _bind(port, what, hint="use another --live-port")
        self._server.live = self
        self._server.start()

    @property
    def port(self) -> int:
        """The TCP port."""
        return self._server.server_port

    @property
    def address(self) -> str:
        """The URL to open in a browser."""
        return f"http://{HOST}:{self.port}/"

    def __call__(self, event: Event) -> None:
        """Show an event of a run."""
        self.board(event)

    def fail(self, error: Exception) -> None:
        """Show an error until the next run starts."""
        self.board.fail(error)

    def execute(self, command: dict[str, Any]) -> None:
        """Execute the command of a button. Raises ValueError for any other command."""
        control = self.control
        match command:
            case {"action": "pause"}:
                control.paused = True
            case {"action": "resume"}:
                control.paused = False
            case {"action": "stop"}:
                control.request_stop()
            case {"rate": None}:
                control.rate = None
            case {"rate": int() | float() as rate} if 0 < rate <= FASTEST:
                control.rate = float(rate)
            case _ if self.change is None or not self.change(command):
                raise ValueError
        self.board.touch()

    def __enter__(self) -> Live:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception):
            self.fail(error)
        self.board.close()
        # The pages are informed that the run has ended.
        with self._counting:
            self._counting.wait_for(lambda: self._pages == 0, LAST_WORDS)
        self._server.stop()

    def stream(self, send: Any) -> None:
        """Pass updates to `send` until the end, at the rate that was set or that is cheap.

        Raises OSError if the page has gone.
        """
        self._count(1)
        try:
            control, seen = self.control, Seen()
            due_cpu = due = 0.0
            while True:
                if not self.board.wait(seen, HEARTBEAT):
                    send(None)
                    continue
                rate, began = control.rate, time.thread_time()
                cheap = time.process_time() >= due_cpu if rate is None else time.monotonic() >= due
                # A picture that will not change is sent whatever it costs.
                pictures = cheap or control.paused or self.board.settled
                message = self.board.updates(seen, pictures=pictures) | {
                    "paused": control.paused,
                    "stopping": control.stop_requested,
                    "rate": rate,
                    "saves": control.saves,
                }
                send(message)
                if message["closed"]:
                    return
                if "picture" in message:
                    due_cpu = time.process_time() + (time.thread_time() - began) / SHARE
                    due = time.monotonic() + 1 / (rate or 1)
                self.board.wait_for_end(PAUSE if rate is None else min(PAUSE, 1 / rate))
        finally:
            self._count(-1)

    def _count(self, pages: int) -> None:
        with self._counting:
            self._pages += pages
            self.control.watched = self._pages > 0
            self._counting.notify_all()


class _Server(ThreadingHTTPServer):
    """A server whose threads do not keep the process alive.

    One connection too many ends the oldest one that has not asked for anything yet; if all of them
    have, it is refused.
    """

    daemon_threads = True
    # The kernel drops what is beyond, and tries again after a second.
    request_queue_size = MOST_CONNECTIONS
    block_on_close = False
    # On Windows another process could take over the port; elsewhere it waits for old connections.
    allow_reuse_address = os.name != "nt"
    live: Live | None = None
    """The page of a run, which has a stream and buttons; None for a page alone."""

    def __init__(self, *given: Any, **options: Any) -> None:
        self.silent: dict[Any, None] = {}
        """Connections that have not sent a request yet, the oldest first."""
        self._open: set[Any] = set()
        self._lock = threading.Lock()
        super().__init__(*given, **options)

    def start(self) -> None:
        """Serve in a thread."""
        # Seconds between polls, which bound how long closing takes.
        self.thread = threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """End serving."""
        self.shutdown()
        self.server_close()
        self.thread.join()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread for a connection, or refuse it."""
        with self._lock:
            if len(self._open) >= MOST_CONNECTIONS:
                oldest = next(iter(self.silent), None)
                if oldest is None:
                    super().shutdown_request(request)
                    return
                self.silent.pop(oldest)
                self._open.discard(oldest)
                with suppress(OSError):
                    # Its thread reads the end of the connection and closes it.
                    oldest.shutdown(socket.SHUT_RDWR)
            self._open.add(request)
            self.silent[request] = None
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        self.heard(request)
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def heard(self, request: Any) -> None:
        """Note that a whole request has come."""
        with self._lock:
            self.silent.pop(request, None)

    @functools.cached_property
    def page(self) -> tuple[bytes, str]:
        """The page, and a policy that allows its own script and requests to this server."""
        nonce = secrets.token_urlsafe(16)
        text = render_page("artgen.live", nonce=nonce)
        policy = (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
            "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        )
        return text.encode(), policy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors of connections, such as a page that was closed."""


class _Handler(BaseHTTPRequestHandler):
    """Handler of one request."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "artgen", ""
    timeout = 30
    server: _Server

    def do_GET(self) -> None:
        """Answer with the page or the stream of updates."""
        self.server.heard(self.request)
        if not self._is_ours():
            self._answer(HTTPStatus.FORBIDDEN)
        elif self.path == "/":
            self._answer(HTTPStatus.OK, *self.server.page)
        elif self.path == "/events" and (live := self.server.live) is not None:
            self._stream(live)
        else:
            self._answer(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """Execute the command of a button; a page alone has none."""
        live = self.server.live
        if live is None:
            self._answer(HTTPStatus.METHOD_NOT_ALLOWED)
            return
        # Read the whole body before answering: closing the connection earlier loses the answer.
        given = self.headers.get("Content-Length", "")
        length = int(given) if given.isdecimal() and len(given) < 10 else LARGEST_REQUEST + 1
        body = self.rfile.read(length) if length <= LARGEST_REQUEST else b""
        self.server.heard(self.request)
        if not self._is_ours(writing=True):
            self._answer(HTTPStatus.FORBIDDEN)
        elif self.path != "/control":
            self._answer(HTTPStatus.NOT_FOUND)
        else:
            try:
                live.execute(json.loads(body))
            except (ValueError, RecursionError):
                self._answer(HTTPStatus.BAD_REQUEST)
            else:
                self._answer(HTTPStatus.NO_CONTENT)

    def log_message(self, format: str, *args: Any) -> None:
        """Write no log of requests."""

    def _is_ours(self, writing: bool = False) -> bool:
        """Return whether the request is for this host, and from this page or from no page."""
        port = self.server.server_port
        hosts = [f"{name}:{port}" for name in NAMES]
        if port == 80:  # Browsers leave it out.
            hosts += NAMES
        origin = self.headers.get("Origin")
        if self.headers.get_all("Host", []) not in [[host] for host in hosts]:
            return False
        if origin is None:
            return not writing
        return origin in [f"http://{host}" for host in hosts]

    def _answer(self, status: HTTPStatus, body: bytes = b"", policy: str | None = None) -> None:
        headers = {"Content-Length": str(len(body))}
        if policy is not None:
            headers["Content-Type"] = "text/html; charset=utf-8"
            headers["Content-Security-Policy"] = policy
        self._begin(status, headers)
        self.wfile.write(body)

    def _begin(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | _HEADERS).items():
            self.send_header(name, value)
        self.end_headers()

    def _stream(self, live: Live) -> None:
        self._begin(HTTPStatus.OK, {"Content-Type": "text/event-stream; charset=utf-8"})

        def send(message: dict[str, Any] | None) -> None:
            text = ":" if message is None else f"data: {json.dumps(message)}"
            self.wfile.write(f"{text}\n\n".encode())

        with suppress(OSError):
            live.stream(send)


def _bind(port: int, what: str, hint: str | None = None) -> _Server:
    """Make a server for `what` on a port of this machine. Raises OutputError."""
    try:
        return _Server((HOST, port), _Handler)
    except OSError as error:
        raise OutputError(f"cannot serve {what}: {error.strerror}", hint=hint) from None


@contextmanager
def serve_page(page: bytes) -> Iterator[tuple[str, threading.Thread]]:
    """Serve an HTML page, which has a policy of its own, on this machine.

    Gives its URL and the thread that serves, until the block ends. Raises OutputError.
    """
    server = _bind(0, "a page on this machine")
    server.page = page, "frame-ancestors 'none'"
    server.start()
    try:
        yield f"http://{HOST}:{server.server_port}/", server.thread
    finally:
        server.stop()
