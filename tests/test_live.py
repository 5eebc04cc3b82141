"""The live page over real HTTP: what it tells, what it refuses, and that watching changes nothing."""

from __future__ import annotations

import base64
import http.client
import io
import json
import math
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import helpers
import numpy as np
import pytest
from helpers import PATIENCE, run_script, wait_until
from PIL import Image

from artgen.base.errors import InputError, Interrupted
from artgen.events import Advanced, Evaluated, Finished, Notice, PreviewDrawn, Started
from artgen.live import Live
from artgen.live._board import Board, Seen
from artgen.live._server import MOST_CONNECTIONS
from artgen.output.templates import read_asset
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs import run
from artgen.tasks import RunControl

STARTED = {
    "target": {"source": "sample:cat"},
    "primitive": {"name": "gaussian", "count": 8},
    "stage": [{"engine": "gradient", "loss": "mse"}],
    "run": {"device": "cpu"},
}
PICTURE = np.full((6, 8, 3), 90, np.uint8)


@pytest.fixture(autouse=True)
def _every_page_hears_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("artgen.live._server.LAST_WORDS", PATIENCE)


@pytest.fixture
def live() -> Iterator[Live]:
    with Live(RunControl()) as live:
        yield live


def ask(
    live: Live, path: str, method: str = "GET", body: str | None = None, **headers: str
) -> http.client.HTTPResponse:
    """One request, its answer read."""
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=PATIENCE)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, given)
    answer = connection.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    connection.close()
    return answer


def press(live: Live, asked: object, **headers: str) -> int:
    origin = {"Origin": live.address.rstrip("/")} | headers
    return ask(live, "/control", "POST", json.dumps(asked), **origin).status


def hearing(live: Live) -> tuple[list[dict], threading.Thread]:
    """All messages to the end, and the thread that gathers them; it listens already."""
    heard: list[dict] = []
    begun = threading.Event()

    def listen() -> None:
        with listening(live) as messages:
            begun.set()
            heard.extend(messages)

    thread = threading.Thread(target=listen)
    thread.start()
    assert begun.wait(PATIENCE)
    return heard, thread


@contextmanager
def listening(live: Live) -> Iterator[Iterator[dict]]:
    """The messages of the stream, as they come."""
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=PATIENCE)
    connection.request("GET", "/events")
    answer = connection.getresponse()
    assert answer.getheader("Content-Type", "").startswith("text/event-stream")

    def messages() -> Iterator[dict]:
        for line in answer:
            if line.startswith(b"data: "):
                yield json.loads(line[6:], parse_constant=lambda text: pytest.fail(text))

    yield messages()
    answer.close()
    connection.close()


def shown(url: str) -> np.ndarray:
    head, data = url.split(",")
    assert head == "data:image/jpeg;base64"
    return np.array(Image.open(io.BytesIO(base64.b64decode(data))))


# ---- what is served, and to whom -----------------------------------------------------------------


def test_the_page_asks_for_nothing_from_elsewhere(live: Live) -> None:
    answer = ask(live, "/")
    page = answer.body.decode()
    assert answer.status == 200
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page
    assert "{{" not in page
    policy = answer.getheader("Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    nonce = policy.split("'nonce-")[1].split("'")[0]
    assert page.count(f'nonce="{nonce}"') == 2
    assert answer.getheader("Cache-Control") == "no-store"


def test_it_listens_on_this_machine_alone(live: Live) -> None:
    assert live.address == f"http://127.0.0.1:{live.port}/"
    assert live._server.server_address == ("127.0.0.1", live.port)


@pytest.mark.parametrize(
    "host", ["example.org", "127.0.0.1", "127.0.0.1:1", "evil.test:{port}", ""]
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/events"), ("POST", "/control")]
)
def test_another_host_is_refused(live: Live, host: str, method: str, path: str) -> None:
    answer = ask(live, path, method, Host=host.format(port=live.port))
    assert (answer.status, answer.body) == (403, b"")


@pytest.mark.parametrize("origin", ["https://example.org", "null", "http://127.0.0.1:1", None])
def test_another_origin_may_not_press_buttons(live: Live, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}
    answer = ask(live, "/control", "POST", '{"action": "stop"}', **headers)
    assert answer.status == 403
    assert not live.control.stop_requested
    if origin is not None:
        assert ask(live, "/events", **headers).status == 403


@pytest.mark.parametrize(
    "path",
    [
        "/../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/page.html",
        "/_server.py",
        "//etc/passwd",
        "/events/",
        "/?x",
        "/control",
        "/favicon.ico",
    ],
)
def test_nothing_else_is_served(live: Live, path: str) -> None:
    answer = ask(live, path)
    assert (answer.status, answer.body) == (404, b"")
    assert ask(live, "/events", "POST", "{}", Origin=live.address.rstrip("/")).status == 404
    assert ask(live, "/", "PUT", "{}").status == 501


def test_connections_without_end_leave_files_and_the_page(live: Live) -> None:
    before = threading.active_count()
    with ExitStack() as silent:
        for _ in range(3 * MOST_CONNECTIONS):
            silent.enter_context(socket.create_connection(("127.0.0.1", live.port), PATIENCE))
        assert ask(live, "/").status == 200
        wait_until(lambda: threading.active_count() <= before + MOST_CONNECTIONS + 3)


def test_whoever_asks_for_all_pages_gets_no_more_than_allowed(live: Live) -> None:
    with ExitStack() as pages:
        heard = [pages.enter_context(listening(live)) for _ in range(MOST_CONNECTIONS)]
        with pytest.raises(OSError):  # noqa: PT011
            ask(live, "/")
        live(Notice("cat", "still here"))
        assert any(message["notices"] == ["still here"] for message in heard[0])
    wait_until(lambda: live(Notice("cat", "is anyone there?")) or not live._server._open)
    assert ask(live, "/").status == 200


def test_localhost_is_a_name_of_it(live: Live) -> None:
    name = f"localhost:{live.port}"
    assert ask(live, "/", Host=name).status == 200
    assert press(live, {"action": "pause"}, Host=name, Origin=f"http://{name}") == 204


def test_port_80_is_left_out_by_browsers(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Live, "port", live.port)
    monkeypatch.setattr(live._server, "server_port", 80)
    assert ask(live, "/", Host="127.0.0.1").status == 200
    pause = '{"action": "pause"}'
    headers = {"Host": "localhost", "Origin": "http://localhost"}
    assert ask(live, "/control", "POST", pause, **headers).status == 204


def test_buttons_do_what_they_say(live: Live) -> None:
    control = live.control
    assert press(live, {"action": "pause"}) == 204
    assert control.paused
    assert press(live, {"action": "resume"}) == 204
    assert not control.paused
    assert press(live, {"rate": 4}) == 204
    assert control.rate == 4
    assert press(live, {"rate": None}) == 204
    assert control.rate is None
    assert press(live, {"action": "stop"}) == 204
    assert control.stop_requested


@pytest.mark.parametrize(
    "asked", [{}, [], 3, None, {"action": "explode"}, {"rate": 0}, {"rate": 1e9}, {"rate": "1"}]
)
def test_what_no_button_says_is_refused(live: Live, asked: object) -> None:
    assert press(live, asked) == 400
    origin = live.address.rstrip("/")
    assert ask(live, "/control", "POST", "{", Origin=origin).status == 400
    assert ask(live, "/control", "POST", "[" * 5000, Origin=origin).status == 400
    assert (live.control.stop_requested, live.control.rate) == (False, None)


# ---- what is reported --------------------------------------------------------------------------------


def test_a_page_hears_of_everything_once(live: Live) -> None:
    live(Started("cat", 0, 50, STARTED, PICTURE + 40))
    live(Evaluated("cat", 0, 50, 0.25, 6.0, 0.0))
    live(PreviewDrawn("cat", 0, PICTURE))
    with listening(live) as messages:
        first = next(messages)
        assert first["fresh"]
        assert first["points"] == [[0, 0.25, 6.0]]
        assert (first["primitive"], first["count"], first["step"]) == ("gaussian", 8, 0)
        assert abs(shown(first["target"]).astype(int) - 130).max() <= 2
        assert abs(shown(first["picture"]).astype(int) - 90).max() <= 2
        assert shown(first["errors"])[..., 0].mean() > shown(first["errors"])[..., 2].mean()
        live(Advanced("cat", 7, 50, 0.5))
        live(Evaluated("cat", 7, 50, float("nan"), None, 0.5))
        live(Notice("cat", "mind the gap"))
        second = next(messages)
        while not second["notices"]:
            second = next(messages)
        assert not second["fresh"]
        assert second["step"] == 7
        assert [0, 0.25, 6.0] not in second["points"]
        assert "picture" not in second
        assert "target" not in second
        # The next run of a batch begins anew.
        live(Started("dog", 0, 9, STARTED, None))
        third = next(message for message in messages if message["run"] == "dog")
        assert third["fresh"]
        assert (third["target"], third["points"], third["notices"]) == (None, [], [])


def test_numbers_that_json_lacks_are_left_out() -> None:
    """A PSNR of infinity, from a plugin's engine, left every page empty: browsers cannot read it."""
    board = Board()
    board(Started("cat", 0, 50, STARTED, None))
    board(Evaluated("cat", 0, 50, math.nan, math.inf, 0.0))
    message = board.updates(Seen(), pictures=False)
    assert message["points"] == [[0, None, None]]
    assert "NaN" not in json.dumps(message, allow_nan=False)


def test_the_curve_of_a_night_is_drawn(tmp_path: Path) -> None:
    """It has more points than a call takes arguments, so the page stood still."""
    page = read_asset("artgen.live", "page.html")
    [script] = re.findall(r"<script nonce=[^>]*>(.*)</script>", page, re.DOTALL)
    around = """
      const drawn = [], parts = {};
      const part = () => ({ replaceChildren() {}, append(each) { drawn.push(each); } });
      globalThis.document = {
        getElementById: (id) => (parts[id] ??= part()),
        createElementNS: (_, name) => ({ name, setAttribute(key, value) { this[key] = value; } }),
      };
      globalThis.EventSource = class {};
    """
    asked = """
      points = Array.from({ length: 300000 }, (_, k) => [k, 1 / (k + 1), k % 50]);
      draw();
      print(drawn.filter(({ name }) => name === "polyline").map(({ points }) => points.split(" ")));
    """
    lines = run_script(around + script + asked, tmp_path)
    assert [len(line) for line in lines] == [1001, 1001]
    assert [lines[0][0], lines[0][-1]] == ["56.0,12.0", "436.0,216.0"]
    # A page that is opened then gets all of them at once.
    shown = """
      const many = Array.from({ length: 300000 }, (_, k) => [k, 1, null]);
      show({ points: many, notices: [] });
      print(points.length);
    """
    assert run_script(around + script + shown, tmp_path) == 300_000


def test_pages_that_come_later_or_twice_hear_the_same(live: Live) -> None:
    live(Started("cat", 0, 50, STARTED, PICTURE))
    live(Evaluated("cat", 0, 50, 0.25, 6.0, 0.0))
    with listening(live) as one, listening(live) as other:
        assert next(one)["points"] == next(other)["points"] == [[0, 0.25, 6.0]]
        assert live.control.watched
    live(Notice("cat", "anybody there?"))
    live(Notice("cat", "nobody"))
    wait_until(lambda: live(Notice("cat", "hello?")) or not live.control.watched)


def test_errors_and_the_end_are_reported() -> None:
    with Live(RunControl()) as live:
        heard, thread = hearing(live)
        live.fail(InputError("the photo is gone", hint="look under the sofa"))
        live.fail(ValueError("no hint"))
    thread.join(PATIENCE)
    assert heard[-1]["closed"]
    assert heard[-1]["error"] == {"message": "ValueError('no hint')", "hint": None}


def test_what_ends_a_command_is_reported() -> None:
    with pytest.raises(Interrupted), Live(RunControl()) as live:
        raise Interrupted("enough")
    assert live.board.state.error == {"message": "enough", "hint": None}


# ---- with a real run -----------------------------------------------------------------------------


def recipe(photo: Path, steps: int) -> Recipe:
    return helpers.recipe(photo, {"steps": steps}, run={"backend": "eager"})


def files(out: Path) -> dict[str, bytes]:
    return {path.suffix: path.read_bytes() for path in out.iterdir() if path.suffix != ".json"}


def test_watching_and_pausing_change_nothing(
    photo: Path, tmp_path: Path, registry: Registry
) -> None:
    asked = recipe(photo, 120)
    run(asked, registry, out=tmp_path / "alone")
    with Live(RunControl()) as live:
        live.control.rate = 1000.0
        heard, thread = hearing(live)
        presses = iter([{"action": "pause"}])

        def resume() -> None:
            wait_until(lambda: any(message["paused"] for message in heard))
            press(live, {"action": "resume"})

        def meddle(event: object) -> None:
            if isinstance(event, Advanced) and event.step > 30:
                for pressed in presses:
                    press(live, pressed)
                    threading.Thread(target=resume).start()

        outcome = run(
            asked,
            registry,
            out=tmp_path / "watched",
            observers=[live, meddle],
            control=live.control,
        )
    thread.join(PATIENCE)
    assert outcome.error is None
    assert files(tmp_path / "watched") == files(tmp_path / "alone")
    assert any(message["paused"] for message in heard)
    last = heard[-1]
    assert last["closed"]
    assert last["summary"]["stopped_by"] == "steps"
    assert last["step"] == 120
    assert [m["pictured"] for m in heard if "picture" in m][-1] == 120
    pictures = [message["picture"] for message in heard if "picture" in message]
    final = np.array(Image.open(tmp_path / "watched/photo-gaussian.png"))
    assert abs(shown(pictures[-1]).astype(int) - final).mean() < 4
    points = [point for message in heard for point in message["points"]]
    assert [point[0] for point in points] == sorted({point[0] for point in points})
    assert points[-1][0] == 120


def test_after_a_slow_first_picture_the_second_is_not_long_in_coming(monkeypatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "process_time", lambda: now)
    control = RunControl()
    control.watched = True
    assert control.wants_preview()
    control.preview_drawn(2.0)
    assert not control.wants_preview()
    now = 1.0
    assert control.wants_preview()
    control.preview_drawn(0.02)
    now = 2.9
    assert not control.wants_preview()
    now = 3.1
    assert control.wants_preview()
    control.preview_drawn(9.0)  # something held it up, the one before took next to nothing
    assert not control.wants_preview()
    now = 5.2
    assert control.wants_preview()


def test_without_a_video_there_are_pictures_all_the_same(photo: Path, registry: Registry) -> None:
    seen: list[int] = []
    with Live(RunControl()) as live:

        def watch(event: object) -> None:
            if isinstance(event, PreviewDrawn):
                seen.append(event.step)

        asked = recipe(photo, 60)
        run(asked, registry, observers=[live, watch], control=live.control)
        assert seen == [60]
        live.control.watched, live.control.rate = True, 1e6
        run(asked, registry, observers=[live, watch], control=live.control)
    assert len(seen) > 4


def test_stop_saves(photo: Path, tmp_path: Path, registry: Registry) -> None:
    with Live(RunControl()) as live:

        def stop(event: object) -> None:
            if isinstance(event, Advanced) and event.step >= 20 and not live.control.stop_requested:
                press(live, {"action": "pause"})
                press(live, {"action": "stop"})

        outcome = run(
            recipe(photo, 4000),
            registry,
            out=tmp_path / "out",
            observers=[live, stop],
            control=live.control,
        )
        assert live.board.state.facts["summary"]["stopped_by"] == "interrupted"
    assert isinstance(outcome.error, Interrupted)
    assert (tmp_path / "out/photo-gaussian.png").exists()
    assert (tmp_path / "out/photo-gaussian.run").exists()


def test_nothing_is_drawn_for_nobody() -> None:
    control = RunControl()
    assert not control.wants_preview()
    control.watched = True
    assert control.wants_preview()
    control.preview_drawn(0.5)
    assert not control.wants_preview()
    control.rate = 1e9
    control.preview_drawn(0.5)
    assert control.wants_preview()


def test_the_command_says_where_the_page_is(
    photo: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    from artgen.cli import main

    monkeypatch.chdir(tmp_path)
    small = ("-n", "4", "--steps", "5", "--backend", "eager", "--no-video", "--threads", "1")
    assert main(["fit", "photo.png", *small, "--live"]) == 0
    out, err = capsys.readouterr()
    address = next(line for line in err.splitlines() if line.startswith("live: "))
    assert address.startswith("live: http://127.0.0.1:")
    assert "live" not in out
    port = int(address.rstrip("/").rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE).request("GET", "/")
    batch = ("--seeds", "1..2", "--json", "-q", "--live")
    assert main(["fit", "photo.png", *small, *batch]) == 0
    out, err = capsys.readouterr()
    assert len(json.loads(out)["runs"]) == 2
    assert err.count("live: ") == 1


def test_a_finished_run_has_a_summary(live: Live) -> None:
    live(Started("cat", 0, 50, STARTED, None))
    keys = ("psnr", "ssim", "mse", "accuracy", "steps", "seconds", "stopped_by", "seed")
    summary = dict.fromkeys(keys, 1) | {"outputs": {"still": "cat.png", "video": None}}
    live(Finished("cat", summary))
    with listening(live) as messages:
        assert next(messages)["summary"]["outputs"] == ["cat.png"]
