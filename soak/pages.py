"""Pages for browsers: a live page serves its user alone, and a gallery stays in its folder."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from html.parser import HTMLParser
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from soak._promise import Promise, Tally
from soak._runs import in_processes, leave, run, save_photo, start
from soak.security import MARKUP

PATIENCE = 300.0
"""The seconds in which an answer comes, or a run is over that is to stop, however busy the machine."""

FILES = 256
"""The number of files that a run whose page is flooded may open."""

# ---- the live page -------------------------------------------------------------------------------


def live_is_alone(tally: Tally, small: bool) -> None:
    """Requests for other hosts, from other pages, and to other addresses of this machine."""
    with _served() as (port, process):
        host = f"127.0.0.1:{port}"
        tally.case("its own page", _not(200, _ask(port, "GET / HTTP/1.1", Host=host)))
        for label in (
            "", "evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port + 1}",
            f"127.0.0.1:{port}.evil.example", f"evil@127.0.0.1:{port}", f"[::1]:{port}",
            f"0.0.0.0:{port}", f"127.1:{port}", f"localhost.:{port}", f"{host}, evil.example",
        ):  # fmt: skip
            for line in ("GET / HTTP/1.1", "GET /events HTTP/1.1"):
                tally.case(f"{line} for {label!r}", _not(403, _ask(port, line, Host=label)))
            answer = _post(port, {"action": "stop"}, Host=label)
            tally.case(f"stop for {label!r}", _not(403, answer))
        tally.case("no host", _not(403, _ask(port, "GET / HTTP/1.1")))
        twice = f"GET / HTTP/1.1\r\nHost: {host}"
        tally.case("two hosts", _not(403, _ask(port, twice, Host="evil.example")))
        for origin in (
            None, "", "null", "https://evil.example", f"https://{host}", f"http://127.0.0.1:{port + 1}",
            f"http://{host}.evil.example", f"http://{host}/",
        ):  # fmt: skip
            answer = _post(port, {"action": "stop"}, Host=host, Origin=origin)
            tally.case(f"stop from {origin!r}", _not(403, answer))
            if origin is not None:
                answer = _ask(port, "GET /events HTTP/1.1", Host=host, Origin=origin)
                tally.case(f"events from {origin!r}", _not(403, answer))
        for address in _addresses() if sys.platform.startswith("linux") else ():
            tally.case(f"at {address}", "it answers" if _answers(port, address) else None)
        tally.case("the run", None if process.is_alive() else "it was stopped")


def live_serves_itself(tally: Tally, small: bool) -> None:
    """Paths that lead elsewhere, methods that are none of its own, and what is no request."""
    with _served() as (port, process):
        host = {"Host": f"127.0.0.1:{port}"}
        for path in (
            "/../../../../etc/passwd", "//etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2fetc%2fpasswd",
            "/....//etc/passwd", "/_server.py", "/page.html", "/./page.html", "/../__init__.py",
            "/events/../_server.py", "/?/etc/passwd", "/#x", "file:///etc/passwd", "/etc/passwd%00.html",
            "/\\..\\..\\etc\\passwd", "http://evil.example/", "/" + "a" * 60_000, "/control", "*",
        ):  # fmt: skip
            for method in ("GET", "POST"):
                answer = _ask(port, f"{method} {path} HTTP/1.1", **host)
                tally.case(f"{method} {path[:40]}", _given_away(answer))
        for method in (
            "PUT",
            "DELETE",
            "HEAD",
            "OPTIONS",
            "TRACE",
            "CONNECT",
            "PATCH",
            "get",
            "X" * 9999,
        ):
            answer = _ask(port, f"{method} / HTTP/1.1", **host)
            tally.case(f"method {method[:9]}", _given_away(answer))
        many = {f"X-{number}": "x" for number in range(5000)}
        for label, data in {
            "nothing": b"\r\n\r\n",
            "noise": bytes(range(256)) * 100,
            "a greeting of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
            "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "a line without end": b"GET /" + b"a" * 200_000,
            "a header without end": b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000,
            "headers without end": _request("GET / HTTP/1.1", **many, **host),
            "a header in two lines": b"GET / HTTP/1.1\r\nHost:\r\n evil.example\r\n\r\n",
        }.items():
            tally.case(label, _given_away(_send(port, data)))
        for length in ("-1", "1e9", "9" * 5000, "1000000000000", "0x10", "+5"):
            origin = f"http://{host['Host']}"
            more = {"Origin": origin, "Content-Length": length, **host}
            answer = _ask(port, "POST /control HTTP/1.1", **more)
            tally.case(f"a body of {length[:20]} bytes", _given_away(answer))
        for asked in (
            [],
            {"action": "shell"},
            {"rate": 1e999},
            {"rate": "1"},
            "stop",
        ):
            answer = _post(port, asked, **host, Origin=f"http://{host['Host']}")
            tally.case(
                f"asked for {asked}", None if b" 400 " in answer[:20] else answer[:60].decode()
            )
        tally.case("its own page", _not(200, _ask(port, "GET / HTTP/1.1", **host)))
        tally.case("the run", None if process.is_alive() else "it was stopped")


def live_ends(tally: Tally, small: bool) -> None:
    """Slow or silent clients neither delay the run nor keep it from ending."""
    with _served(noisy=True) as (port, process), ExitStack() as open_:
        host = f"127.0.0.1:{port}"
        own = {"Host": host, "Origin": f"http://{host}"}
        begun = f"POST /control HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
        for data in (
            b"",
            b"GET",
            b"GET / HTTP/1.1\r\nHost: ",
            f"{begun}Content-Length: 900\r\n\r\nx".encode(),
        ):
            for _ in range(5 if small else 50):
                open_.enter_context(_connected(port)).sendall(data)
        for _ in range(3 if small else 30):  # they ask for everything, and take nothing
            listener = open_.enter_context(_connected(port, window=2048))
            listener.sendall(_request("GET /events HTTP/1.1", Host=host))
        tally.case("to go on", _not(204, _post(port, {"action": "resume"}, **own)))
        tally.case("many pictures", _not(204, _post(port, {"rate": 30}, **own)))
        time.sleep(1 if small else 3)  # while pictures heap up
        tally.case("another page", _not(200, _ask(port, "GET / HTTP/1.1", Host=host)))
        tally.case("to stop", _not(204, _post(port, {"action": "stop"}, **own)))
        # With the bug it never ends, so that a short wait notices it.
        process.join(5 if tally.first_failure else PATIENCE)
        tally.case("the end", "it goes on and on" if process.is_alive() else None)
        code = process.exitcode
        tally.case("the exit code", None if code == 130 else f"it is {code}")
        tally.case("the page", "it is there still" if _answers(port) else None)


def live_is_flooded(tally: Tally, small: bool) -> None:
    """More connections than the run may open files; then it saves."""
    if not sys.platform.startswith("linux"):
        tally.skips.append("open files are counted in /proc")
        return
    with _served(function=_with_few_files) as (port, process), ExitStack() as open_:
        host = f"127.0.0.1:{port}"
        _allow_files(5000)

        def is_full() -> bool:
            with suppress(OSError):  # it is gone
                return len(os.listdir(f"/proc/{process.pid}/fd")) >= FILES
            return False

        def connect(data: bytes) -> None:
            """Wait for a connection, or until the run has no file left for one."""
            while process.is_alive() and not is_full():
                # A new attempt is quicker than the kernel, which repeats its own after a second.
                with suppress(TimeoutError):
                    with suppress(ConnectionError):  # closed already, or it listens no more
                        opened = socket.create_connection(("127.0.0.1", port), 0.2)
                        open_.enter_context(opened).sendall(data)
                    return

        for data, clients in (
            (b"", FILES if small else 1000),
            (_request("GET /events HTTP/1.1", Host=host), 20),
            (b"GET / HTTP/1.1\r\nHost: ", FILES if small else 1000),
        ):
            for _ in range(clients):
                connect(data)
        tally.case("its files", f"all {FILES} are in use" if is_full() else None)
        # Connections are accepted in order, so an answer means that all were.
        tally.case("its page", _not(200, _ask(port, "GET / HTTP/1.1", Host=host)))
        tally.case("the run", None if process.is_alive() else f"it ended with {process.exitcode}")
        process.terminate()
        process.join(PATIENCE)
        tally.case("the end", None if process.exitcode == 130 else f"exit code {process.exitcode}")


def _with_few_files(line: list[str], folder: Path) -> None:
    """In the new process: a run that may open few files."""
    _allow_files(FILES)
    leave(line, folder)


def _allow_files(most: int) -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, hard), hard))


@contextmanager
def _served(
    *, noisy: bool = False, function: Callable[..., None] = leave
) -> Iterator[tuple[int, BaseProcess]]:
    """A run with a live page, paused: its port and its process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = save_photo(folder)
        if noisy:  # its pictures are large
            noise = np.random.default_rng(1).integers(0, 256, (300, 300, 3), np.uint8)
            Image.fromarray(noise).save(photo)
        line = [
            "fit",
            str(photo),
            "-p",
            "gaussian",
            "-n",
            "500" if noisy else "4",
            "--steps",
            "1000000",
        ]
        line += ["--seed", "1", "--threads", "1", "--no-video", "--live", "--out", str(folder)]
        errors = folder / "stderr.txt"
        errors.write_text("")
        process = start(function, line, folder)
        try:
            while not (found := re.search(r"live: http://[^:]+:(\d+)/", errors.read_text())):
                if not process.is_alive():
                    raise RuntimeError(f"there is no live page: {errors.read_text()[-300:]}")
                time.sleep(0.05)
            port = int(found[1])
            own = {"Host": f"127.0.0.1:{port}", "Origin": f"http://127.0.0.1:{port}"}
            _post(port, {"action": "pause"}, **own)
            yield port, process
        finally:
            process.kill()
            process.join()


def _addresses() -> list[str]:
    """Addresses of this machine but for the one that the page is at."""
    with suppress(OSError):
        mine = socket.gethostbyname_ex(socket.gethostname())[2]
        return ["127.0.0.2", *(each for each in dict.fromkeys(mine) if each != "127.0.0.1")]
    return ["127.0.0.2"]


def _connected(port: int, address: str = "127.0.0.1", *, window: int = 0) -> socket.socket:
    opened = socket.socket()
    try:
        if window:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        opened.settimeout(PATIENCE)
        opened.connect((address, port))
    except OSError:
        opened.close()
        raise
    return opened


def _answers(port: int, address: str = "127.0.0.1") -> bool:
    with suppress(OSError), _connected(port, address):
        return True
    return False


def _send(port: int, data: bytes) -> bytes:
    """What is answered, as far as it comes within some seconds."""
    answer = b""
    with suppress(OSError), _connected(port) as opened:
        with suppress(OSError):
            opened.sendall(data)
            opened.shutdown(socket.SHUT_WR)
        while len(answer) < 100_000 and (piece := opened.recv(10_000)):
            answer += piece
    return answer


def _request(line: str, **headers: str | None) -> bytes:
    lines = [line, *(f"{name}: {value}" for name, value in headers.items() if value is not None)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _ask(port: int, line: str, **headers: str | None) -> bytes:
    return _send(port, _request(line, **headers))


def _post(port: int, asked: object, **headers: str | None) -> bytes:
    body = json.dumps(asked).encode()
    more = {"Content-Length": str(len(body)), **headers}
    return _send(port, _request("POST /control HTTP/1.1", **more) + body)


def _not(status: int, answer: bytes) -> str | None:
    head = answer.split(b"\r\n")[0]
    right = head.startswith(b"HTTP/1.1 ") and head.split()[1] == str(status).encode()
    return None if right else f"it answers {head[:60]!r}"


def _given_away(answer: bytes) -> str | None:
    """Whether an answer is a refusal, or absent, and so reveals nothing."""
    if answer.startswith(b"HTTP/1.1 2") or b"root:" in answer or b"import " in answer:
        return f"it answers {answer[:80]!r}"
    return None


# ---- the gallery ---------------------------------------------------------------------------------

SLUGS = ("...toml", "..toml", ".toml", "-.toml", "a b.toml", "É.toml", "A.toml", "a\nb.toml",
         "con.toml", "a" * 65 + ".toml", "out&amp;.toml", "<b>.toml", "~.toml", "$HOME.toml")  # fmt: skip

RECIPE = 'seed = 1\n[target]\nsource = "photo.png"\n[primitive]\nname = "triangle"\ncount = 3\n'


def gallery_stays_inside(tally: Tally, small: bool) -> None:
    """Names of recipes and links that would lead out of the folder of a gallery."""
    links = (
        "out-quick", "out-quick/first", "out-quick/first/unfinished", "out-quick/first/final.png",
        "out-quick/first/run.json", "out-quick/first/failed.json", "out-quick/index.html",
        "recipes/second.toml",
    )  # fmt: skip
    cases: dict[str, Callable[[Path, Path, Path], None]] = {
        **{f"a recipe {slug!r}": _with_recipe(slug) for slug in (SLUGS[:3] if small else SLUGS)},
        **{f"a link {name}": _with_link(name) for name in (links[1:4] if small else links)},
        "a link in what is unfinished": _unfinished,
    }
    for label, prepare in cases.items():
        with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as work:
            folder = Path(name)
            gallery, outside = folder / "gallery", folder / "outside"
            (gallery / "recipes").mkdir(parents=True)
            outside.mkdir()
            (outside / "precious").write_text("as it was")
            save_photo(gallery / "recipes")
            (gallery / "recipes" / "first.toml").write_text(RECIPE)
            prepare(gallery, outside, Path(work))
            before = _contents(folder)
            line = ["gallery", "build", str(gallery), "--quick", "--quiet"]
            code, said = run(line, Path(work))
            after = _contents(folder)
            inside = os.path.join("gallery", "out-quick") + os.sep
            changed = [
                path
                for path in before.keys() | after.keys()
                if before.get(path) != after.get(path) and not f"{path}{os.sep}".startswith(inside)
            ]
            tally.case(
                label,
                f"it wrote {sorted(changed)[:3]}" if changed else None,
                None if code in (0, 2, 7) else f"exit {code}: {said.strip()[-300:]}",
            )


def _with_recipe(name: str) -> Callable[[Path, Path, Path], None]:
    def prepare(gallery: Path, outside: Path, work: Path) -> None:
        (gallery / "recipes" / name).write_text(RECIPE)

    return prepare


def _with_link(name: str) -> Callable[[Path, Path, Path], None]:
    def prepare(gallery: Path, outside: Path, work: Path) -> None:
        link = gallery / name
        link.parent.mkdir(parents=True, exist_ok=True)
        if link.suffix == ".toml":
            (outside / link.name).write_text(RECIPE)
            link.symlink_to(outside / link.name)
        else:
            link.symlink_to(outside / "precious" if link.suffix else outside)

    return prepare


def _unfinished(gallery: Path, outside: Path, work: Path) -> None:
    """A build that was killed, in whose folder there is a link."""
    line = ["gallery", "build", str(gallery), "--quick", "--quiet"]
    run(line, work, _die_at_the_end)
    outputs = gallery / "out-quick" / "first" / "unfinished" / "first.run" / "outputs"
    if outputs.is_dir():
        outputs.rmdir()
    outputs.symlink_to(outside)


def _die_at_the_end(line: list[str], folder: Path) -> None:
    from artgen.runs.files.folder import RunFolder

    def die(run: RunFolder, path: Path) -> Path:
        os._exit(9)

    RunFolder.stage_output = die  # type: ignore[method-assign]
    leave(line, folder)


def _contents(folder: Path) -> dict[str, Any]:
    """What every path in a folder is; links are not followed."""
    found: dict[str, Any] = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            link = os.readlink(path) if path.is_symlink() else None
            data = path.read_bytes() if link is None and path.is_file() else None
            found[str(path.relative_to(folder))] = (link, data)
    return found


def gallery_is_escaped(tally: Tally, small: bool) -> None:
    """Markup in the words of a piece, in its recipe and in the name of its target."""
    pages = {}
    for label in ("plain", MARKUP):
        with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as work:
            gallery = Path(name)
            photo = save_photo(gallery)
            photo.rename(gallery / f"{label.replace('/', ':')}.png")
            words = json.dumps(label)
            source = json.dumps(f"{label.replace('/', ':')}.png")
            piece = f"[piece]\ntitle = {words}\ntext = {words}\nalt = {words}\n# {label}\n"
            recipe = RECIPE.replace('"photo.png"', source)
            (gallery / "first.toml").write_text(recipe + piece)
            run(["gallery", "build", name, "--quick", "--quiet"], Path(work))
            page = gallery / "out-quick" / "index.html"
            pages[label] = _Tags(page.read_text(encoding="utf-8") if page.exists() else "")
    plain, marked = pages["plain"], pages[MARKUP]
    tally.case("the page", None if plain.tags["img"] else "it shows no piece")
    more = marked.tags - plain.tags
    tally.case("elements", f"there are more of them: {dict(more)}" if more else None)
    harmful = marked.attributes - plain.attributes
    tally.case("attributes", f"there are more of them: {dict(harmful)}" if harmful else None)


class _Tags(HTMLParser):
    """The elements of a page and the names of their attributes, counted."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: Counter[str] = Counter()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes.update(name for name, _ in attrs)


# ---- bugs ----------------------------------------------------------------------------------------


def _any_host() -> None:
    """Requests are for us, whoever sends them."""
    import artgen.live._server as server

    server._Handler._is_ours = lambda self, writing=False: True  # type: ignore[method-assign]


def _serve_files() -> None:
    """A path is that of a file, next to the page."""
    from http import HTTPStatus

    import artgen.live._server as server

    get = server._Handler.do_GET

    def serve(handler: server._Handler) -> None:
        path = Path(server.__file__).parent / handler.path.lstrip("/")
        if handler.path != "/" and len(handler.path) < 100 and path.is_file():
            handler._answer(HTTPStatus.OK, path.read_bytes())
        else:
            get(handler)

    server._Handler.do_GET = serve  # type: ignore[method-assign]


def _wait_for_all() -> None:
    """Whoever is connected is waited for, however long."""
    import artgen.live._server as server

    server._Server.daemon_threads = False
    server._Server.block_on_close = True
    server._Handler.timeout = None  # type: ignore[assignment]


def _accept_all() -> None:
    """Any number of connections is open at a time."""
    import artgen.live._server as server

    server.MOST_CONNECTIONS = 10**9


def _follow_links() -> None:
    """Links are taken for what they lead to."""
    import artgen.gallery._build as build
    import artgen.gallery._make as make
    import artgen.gallery._pieces as pieces

    pieces.refuse_link = build.refuse_link = lambda path: None
    make._has_links = lambda folder: False


def _as_it_is() -> None:
    """Words go into the page as they are."""
    import jinja2

    class Trusting(jinja2.Environment):
        def __init__(self, **options: Any) -> None:
            super().__init__(**{**options, "autoescape": False})

    jinja2.Environment = Trusting  # type: ignore[misc]


PROMISES = [
    Promise(
        "live-alone",
        "The live page answers requests on this machine only, for its own host, and accepts commands "
        "from its own page only.",
        "Other hosts, origins and addresses, in every kind of request.",
        live_is_alone,
        lambda: in_processes(_any_host),
        "host and origin are not checked",
    ),
    Promise(
        "live-files",
        "The live page serves itself and nothing else.",
        "Paths that lead elsewhere, odd methods, lengths and commands, huge headers, noise.",
        live_serves_itself,
        lambda: in_processes(_serve_files),
        "paths are opened as files next to the page",
    ),
    Promise(
        "live-ends",
        "No client of the live page can delay a run; the page ends with the run.",
        "Clients that send nothing, or part of a request, and clients that ask for all pictures and "
        "read none, while the run is stopped.",
        live_ends,
        lambda: in_processes(_wait_for_all),
        "at the end, the run waits for connected clients",
    ),
    Promise(
        "live-flood",
        "Connections to the live page without end neither end the run nor keep it from saving.",
        "A thousand clients that send nothing, or part of a request, and pages that listen, while "
        "the run may open 256 files.",
        live_is_flooded,
        lambda: in_processes(_accept_all),
        "the number of connections is not bounded",
    ),
    Promise(
        "gallery-inside",
        "A gallery writes to its own folder only.",
        "Recipes with names that lead elsewhere or are invalid, and links in place of its folders "
        "and files; everything around is compared.",
        gallery_stays_inside,
        lambda: in_processes(_follow_links),
        "links are followed",
    ),
    Promise(
        "gallery-markup",
        "The words of a gallery are shown as text, whatever they contain.",
        "Markup in titles, sentences, recipes and names of targets; the elements and attributes of "
        "the page are counted, with and without.",
        gallery_is_escaped,
        lambda: in_processes(_as_it_is),
        "words are not escaped",
    ),
]
