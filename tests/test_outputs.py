"""Files of every format, standard streams and pictures on the web."""

from __future__ import annotations

import io
import json
import re
import shutil
import socket
import threading
import zlib
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
import torch
from helpers import save_photo
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patheffects import withStroke
from PIL import Image

import artgen
from artgen.base.errors import InputError, UsageError
from artgen.cli import main
from artgen.exporters.films import _moving
from artgen.exporters.paths import _figure
from artgen.output import read_recipe
from artgen.output.parts import flat_parts
from artgen.raster import draw, windows
from artgen.runs.device import threads
from artgen.targets import Source, TargetRequest
from artgen.testing.elements import painted
from artgen.values.canvas import Canvas
from artgen.values.frame import parse_frame
from artgen_plugins import web as _url
from artgen_plugins.web import open_http

TINY = ("-p", "triangle", "-n", "4", "--steps", "6", "--quiet", "--seed", "1", "--no-video")


@pytest.fixture(scope="module")
def art():
    ramp = np.linspace(0, 1, 20 * 30 * 3).reshape(20, 30, 3)
    asked = {"count": 4, "steps": 8, "seed": 1, "engine_options": {"alpha": 1.0}}
    return artgen.fit(ramp, "rotated_ellipse", **asked)


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "avif", "pdf", "eps", "png", "svg", "tif"])
def test_every_format_carries_the_recipe(art, tmp_path, suffix):
    file = tmp_path / f"a.{suffix}"
    art.save(file, artgen.art.ExportRequest(size=60, dpi=200))
    assert read_recipe(file) == art.recipe.to_json()
    assert art.to_format(suffix) == art.to_format(suffix)


def test_photographs_look_like_the_drawing(art):
    drawn = art.render(60).astype(int)
    for suffix in ("jpg", "avif"):
        with Image.open(
            io.BytesIO(art.to_format(suffix, artgen.art.ExportRequest(60, dpi=200)))
        ) as shown:
            assert np.abs(np.asarray(shown.convert("RGB")).astype(int) - drawn).mean() < 3
            if suffix == "jpg":
                assert shown.info["dpi"] == (200, 200)
    with pytest.raises(UsageError, match="transparent"):
        art.to_format("jpg", artgen.art.ExportRequest(transparent=True))
    clear = art.to_format("avif", artgen.art.ExportRequest(transparent=True))
    assert Image.open(io.BytesIO(clear)).mode == "RGBA"


@pytest.mark.parametrize("blend", ["sum", "over"])
def test_large_stills_are_drawn_and_written_strip_by_strip(blend, monkeypatch):
    picture = np.linspace(0, 1, 30 * 4 * 3).reshape(30, 4, 3)
    made = artgen.fit(picture, "gaussian", count=20, steps=2, seed=1, blend=blend)
    request = artgen.art.ExportRequest(600, transparent=blend == "over", supersample=2)
    whole = made.render(600, transparent=request.transparent, supersample=2)
    once = made.to_format("png", request)
    monkeypatch.setattr(windows, "LARGE", 0)
    monkeypatch.setattr(windows, "STRIP", 0)
    strips = list(made.strips(600, transparent=request.transparent, supersample=2))
    assert [len(strip) for strip in strips] == [256, 256, 88]
    drawn = np.concatenate(strips)
    assert np.array_equal(drawn, made.render(600, transparent=request.transparent, supersample=2))
    # Parts of a strip are added in the order of the whole, so they differ by rounding only.
    assert np.abs(drawn.astype(int) - whole).max() <= 1
    for suffix in ("png", "tif"):
        data = made.to_format(suffix, request)
        assert data != once
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), drawn)
        with threads(1):
            assert made.to_format(suffix, request) == data


@pytest.mark.parametrize("suffix", ["svg", "pdf", "eps", "html", "json"])
def test_what_has_no_pixels_takes_no_samples_of_them(suffix, art, tmp_path, monkeypatch, capsys):
    """`--supersample` was ignored without a word, where no other file took it."""
    request = artgen.art.ExportRequest(supersample=2)
    with pytest.raises(UsageError, match=f"{suffix.upper()} has no pixels to average samples for"):
        art.to_format(suffix, request)
    monkeypatch.chdir(tmp_path)
    opaque = artgen.fit(np.eye(9), "triangle", count=2, steps=2, seed=1, min_alpha=1.0)
    opaque.save("a.art")
    files = ["-o", f"b.{suffix}", "-o", "b.png", "-o", "b.art"]
    assert main(["render", "a.art", *files, "--supersample", "2", "-q"]) == 0
    saved = artgen.load("a.art")
    assert Path(f"b.{suffix}").read_bytes() == saved.to_format(suffix)
    assert Path("b.png").read_bytes() == saved.to_format("png", request)


def test_windows_hold_the_parts_that_touch_them():
    made = artgen.fit(np.eye(9), "gaussian", count=30, steps=1, seed=1, backend="eager")
    canvas = Canvas(64, 48)
    whole = draw(made.drawing, made.primitive(), canvas)
    cut = windows.Windows(made.primitive(), made.drawing.tensors, canvas)
    for left, top, width, height in ((0, 0, 64, 48), (40, 8, 20, 16), (63, 47, 1, 1), (9, 0, 3, 9)):
        first, end, upper, lower = cut.boxes.unbind(1)
        touched = (first < left + width) & (end > left) & (upper < top + height) & (lower > top)
        assert cut.touching(left, top, width, height).tolist() == touched.nonzero()[:, 0].tolist()
    tensors, part = cut.window(40, 8, 20, 16)
    assert part.span == 48
    assert tensors["xy"].shape[1] < 30
    drawn = draw(replace(made.drawing, tensors=tensors), made.primitive(), part)
    assert torch.allclose(drawn, whole[:, 8:24, 40:60], atol=1e-5)


def test_a_page_of_shapes_has_its_length_in_points(art):
    page = art.to_format("pdf", artgen.art.ExportRequest(size=600, dpi=300))
    assert b"/MediaBox [ 0 0 144 96 ]" in page
    svg = art.to_format("svg", artgen.art.ExportRequest(size=600, dpi=300))
    assert b'width="50.8mm" height="33.867mm" viewBox="0 0 600 400"' in svg
    assert b'width="600" height="400" viewBox' in art.to_svg(600).encode()
    assert art.to_format("eps").count(b"%%BoundingBox: 0 0 23 15") == 1
    text = art.to_format("eps", artgen.art.ExportRequest(transparent=True))
    assert text.count(b"fill") < art.to_format("eps").count(b"fill")


@pytest.mark.parametrize("size", [None, 2])
def test_places_in_a_pdf_have_the_digits_that_are_seen(art, size):
    """Six digits after the point, a millionth of that, took half of the bytes again."""
    page = art.to_format("pdf", artgen.art.ExportRequest(size))
    streams = re.findall(rb"stream\r?\n(.*?)endstream", page, re.DOTALL)
    text = max((zlib.decompress(each) for each in streams), key=len).decode("latin1")
    lines = re.findall("^[-0-9. ]+ [mlc]$", text, re.MULTILINE)
    digits = {len(n.partition(".")[2]) for line in lines for n in line.split()[:-1]}
    assert max(digits) == (2 if size is None else 3)
    assert {len(n) for n in re.findall(r"0\.([0-9]+)", "".join(re.findall(".* rg", text)))} <= {
        1,
        2,
        3,
        4,
    }


@pytest.mark.parametrize("suffix", ["pdf", "eps"])
def test_settings_of_the_user_change_no_page(art, suffix, monkeypatch):
    """A matplotlibrc could leave out all colours, or outline all parts."""
    plain = art.to_format(suffix)
    monkeypatch.setitem(matplotlib.rcParams, "pdf.inheritcolor", True)
    monkeypatch.setitem(matplotlib.rcParams, "path.effects", [withStroke(linewidth=9)])
    assert art.to_format(suffix) == plain
    assert matplotlib.rcParams["pdf.inheritcolor"]


@pytest.mark.parametrize("dpi", [None, 150])
def test_a_size_on_paper_is_that_of_the_file(art, dpi):
    """From Python ``30cm`` was a page of 94 cm: pixels at 300 dots per inch, shown at 96."""
    asked = artgen.art.ExportRequest("2in", dpi=dpi)
    assert b"/MediaBox [ 0 0 144 96 ]" in art.to_format("pdf", asked)
    assert b'width="50.8mm" height="33.867mm"' in art.to_format("svg", asked)
    with Image.open(io.BytesIO(art.to_format("png", asked))) as shown:
        assert shown.width / shown.info["dpi"][0] == pytest.approx(2, rel=1e-3)


@pytest.mark.parametrize("length", ["15cm", "15x10cm", "150 mm"])
def test_vectors_have_exactly_the_length_that_was_asked_for(length, empty_folder, capsys):
    """One side was rounded to pixels: 149.944 mm; `fit` rounded both."""
    shape = ("--crop", "3:2") if "x" not in length else ()
    fit = ("fit", "sample:wolf", "-p", "circle", "-n", "2", "--steps", "2", "--no-video")
    asked = (*shape, "--size", length, "--dpi", "90")
    assert main([*fit, *asked, "-o", "a.svg", "-o", "a.pdf"]) == 0
    assert main(["render", "artgen-out/wolf-circle.art", *asked, "-o", "b.svg", "-o", "b.pdf"]) == 0
    for name in ("a", "b"):
        assert (
            b'width="150mm" height="100mm" viewBox="0 0 531 354"'
            in Path(f"{name}.svg").read_bytes()
        )
        [box] = re.findall(
            rb"/MediaBox \[ 0 0 ([0-9.]+) ([0-9.]+) \]", Path(f"{name}.pdf").read_bytes()
        )
        assert [float(side) / 72 * 2.54 for side in box] == pytest.approx([15, 10], abs=1e-4)
    with Image.open("artgen-out/wolf-circle.png") as still:
        assert still.size == (531, 354)


def test_a_border_of_a_colour_lies_around_what_is_transparent(art):
    """In vectors it lay below the drawing too."""
    frame = parse_frame("60x60", pad="#ff0000")
    asked = artgen.art.ExportRequest(frame, transparent=True)
    border = re.search('<path [^>]*fill="#ff0000"/>', art.to_format("svg", asked).decode())[0]
    places = np.array([[30.0, 5.0], [30.0, 30.0], [30.0, 55.0], [1.0, 11.0], [59.0, 49.0]])
    assert painted(border, places).tolist() == [True, False, True, False, False]
    figure = _figure(art.drawing, flat_parts(art.primitive(), art.drawing), asked)
    agg = FigureCanvasAgg(figure)
    agg.draw()
    drawn, shown = np.asarray(agg.buffer_rgba())[..., 3], art.render(frame, transparent=True)
    seen = np.asarray(Image.fromarray(shown[..., 3]).resize(drawn.shape))
    assert 0.1 < np.mean(seen > 127) < 0.9
    assert np.mean((drawn > 127) == (seen > 127)) > 0.9


@pytest.mark.parametrize("start", [None, "parts"])
def test_parts_appear_as_fast_as_asked_for(art, start):
    """`--speed` was for films alone, and dropped here without a word."""
    asked = artgen.art.ExportRequest(seconds=2.0, fps=6.0, speed=3.0, start=start)
    assert len(list(_moving(art, asked, ".mp4")[0])) == 4


def test_transparent_parts_are_no_eps():
    made = artgen.fit(np.eye(9), "triangle", count=2, steps=3)
    with pytest.raises(UsageError, match="EPS cannot hold transparent parts"):
        made.to_format("eps")
    splats = artgen.fit(np.eye(9), count=2, steps=1, backend="eager")
    with pytest.raises(UsageError, match="cannot be written as PDF"):
        splats.to_format("pdf")


def test_an_icon_holds_the_drawing_in_several_sizes(art):
    """`-o logo.ico` had no format."""
    made = art.to_format("ico", artgen.art.ExportRequest(transparent=True))
    with Image.open(io.BytesIO(made)) as icon:
        assert {(16, 16), (48, 48), (256, 256)} <= icon.info["sizes"]
        drawn = art.render(256, transparent=True)
        top = (256 - len(drawn)) // 2
        shown = np.asarray(icon)
    np.testing.assert_array_equal(shown[top : top + len(drawn)], drawn)
    assert shown[:top, :, 3].max() == 0
    with pytest.raises(UsageError, match="takes no size"):
        art.to_format("ico", artgen.art.ExportRequest(60))


def test_files_that_are_open_and_names_without_a_format(art, tmp_path):
    file = io.BytesIO()
    art.save(file, format="png")
    assert file.getvalue() == art.to_png() == art._repr_png_()
    assert art.to_svg(64).startswith("<svg")
    for what in (io.BytesIO(), tmp_path / "name"):
        with pytest.raises(UsageError, match="which format"):
            art.save(what)
    with pytest.raises(artgen.errors.PluginError, match="docx"):
        art.save(tmp_path / "a.docx")
    assert list(tmp_path.iterdir()) == []


def test_a_fit_writes_the_files_of_o(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_photo(tmp_path)
    line = ["fit", "photo.png", *TINY]
    assert main([*line, "-o", "a.jpg", "-o", "a.png", "--still-size", "40x40"]) == 0
    for name in ("a.jpg", "a.png"):
        assert Image.open(io.BytesIO((tmp_path / name).read_bytes())).size == (40, 40)
    assert (tmp_path / "a.png").read_bytes() == next(tmp_path.glob("artgen-out/*.png")).read_bytes()
    assert main([*line, "--overwrite", "-o", "a.xyz"]) == 2
    Path("several").mkdir()
    for name in ("one.png", "two.png"):
        shutil.copy("photo.png", f"several/{name}")
    for several in ([*line[:-3], "--seeds", "1,2"], ["fit", "several", *TINY]):
        assert main([*several, "-o", "b.png"]) == 2
        assert "-o works for a single run" in capsys.readouterr().err


def test_standard_streams_stand_for_files(tmp_path, monkeypatch, capfdbinary):
    monkeypatch.chdir(tmp_path)
    photo = save_photo(tmp_path).read_bytes()

    def piped(data):
        monkeypatch.setattr(
            "sys.stdin", SimpleNamespace(isatty=lambda: False, buffer=io.BytesIO(data))
        )

    piped(photo)
    assert main(["fit", "-", *TINY, "-o", "-"]) == 0
    shown = capfdbinary.readouterr().out
    assert Image.open(io.BytesIO(shown)).size == (24, 16)
    piped((tmp_path / "artgen-out/stdin-triangle.art").read_bytes())
    assert main(["render", "-", "-o", "-.svg"]) == 0
    assert capfdbinary.readouterr().out.startswith(b"<svg")
    # A video too, which is no file called `-.mp4`.
    assert main(["fit", "photo.png", *TINY[:-1], "-o", "-.mp4"]) == 0
    made = Path("artgen-out/photo-triangle.mp4").read_bytes()
    assert capfdbinary.readouterr().out == made
    assert not list(Path().glob("-*"))
    piped(b"no picture")
    assert main(["fit", "-", *TINY, "--name", "other", "--json"]) == 3
    told = capfdbinary.readouterr()
    assert b"error: standard input is not a picture that artgen can read" in told.err
    assert json.loads(told.out)["error"]["message"].startswith("standard input is not a picture")
    piped(b"")
    assert main(["fit", "-", *TINY]) == 3
    assert b"standard input is empty" in capfdbinary.readouterr().err
    # It is read once, with whatever flags the run may have been begun.
    piped(photo)
    assert main(["fit", "-", "--quiet", "--resume"]) == 2
    assert b"nothing to resume" in capfdbinary.readouterr().err


def test_a_file_of_o_that_cannot_be_written_is_told_in_the_one_object(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    save_photo(tmp_path)
    Path("few.py").write_text(
        "import artgen\n"
        "def few(art, request): raise artgen.errors.UsageError('too many parts for FEW')\n"
        "@artgen.hookimpl\n"
        "def artgen_exporters(): return [artgen.Spec('few', 'x', few)]\n"
    )
    line = ["fit", "photo.png", "-n", "4", "--steps", "1", "--backend", "eager", "--no-video"]
    line += ["--plugin", "few.py"]
    assert main([*line, "--json", "-o", "a.few"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert "too many parts for FEW" in told["error"]["message"]
    assert Path(told["outputs"]["art"]).exists()
    # The other files are written all the same.
    again = [*line, "--quiet", "--overwrite", "-o", "b.png", "-o", "a.few", "-o", "b.json"]
    assert main(again) == 2
    assert "a.few: too many parts for FEW" in capsys.readouterr().err
    assert [path.name for path in sorted(Path().glob("[ab].*"))] == ["b.json", "b.png"]


@pytest.mark.parametrize(
    "line", ["fit photo.png", "edit a.art rotate=9", "morph a.art a.art", "render a.art"]
)
def test_standard_output_is_not_for_json_and_a_picture(art, line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_photo(tmp_path)
    art.save("a.art")
    assert main([*line.split(), "--json", "-o", "-"]) == 2
    told = json.loads(capsys.readouterr().out)["error"]
    assert told["message"] == "--json and -o - both use standard output"


@contextmanager
def served(answers):
    """A server on this machine; `answers` maps paths to a status, headers and bytes."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, headers, body = answers[self.path]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"//127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_pictures_on_the_web_have_limits(tmp_path, monkeypatch):
    photo = save_photo(tmp_path).read_bytes()
    monkeypatch.setattr(_url, "LARGEST", len(photo))
    monkeypatch.setattr(_url, "_is_inside", "::1".__eq__)
    answers = {
        "/photo.png": (200, {"Content-Type": "image/png"}, photo),
        "/bucket": (200, {"Content-Type": "binary/octet-stream"}, photo),
        "/large.png": (200, {"Content-Type": "image/png"}, photo + b"x"),
        "/page": (200, {"Content-Type": "text/html"}, photo),
        "/short.png": (200, {"Content-Length": "99999"}, photo),
        "/gone.png": (404, {}, b""),
        "/another": (302, {"Location": "/photo.png"}, b""),
        "/circle": (302, {"Location": "/circle"}, b""),
        "/elsewhere": (302, {"Location": "http://[::1]:1/photo.png"}, b""),
        "/file": (302, {"Location": "file:///etc/passwd"}, b""),
        "/damaged.png": (200, {"Content-Type": "image/png"}, b"no picture"),
        "/H%C3%BCtte%20a%2Fb.png?s=%7C1": (200, {"Content-Type": "image/png"}, photo),
    }
    with served(answers) as base:
        # As a browser shows it; what is encoded already stays so.
        open_http(f"{base}/H\N{LATIN SMALL LETTER U WITH DIAERESIS}tte a%2Fb.png?s=|1")
        target = open_http(f"{base}/photo.png")
        assert (target.name, target.canvas.width) == ("photo", 24)
        assert target.source == f"http:{base}/photo.png"
        assert Source.parse(target.source).file_stem.startswith("photo")
        for path in ("another", "bucket"):
            assert open_http(f"{base}/{path}").sha256 == target.sha256
        for path, reason in {
            "large.png": "larger than",
            "page": "text/html",
            "short.png": "missing",
            "gone.png": "404",
            "elsewhere": "::1 is an address of this machine",
            "circle": "redirects more than 5 times",
            "file": "not an http or https URL",
            "damaged.png": "not a picture",
        }.items():
            with pytest.raises(InputError, match=reason):
                open_http(f"{base}/{path}")
    with pytest.raises(InputError, match="cannot download"):
        open_http("//127.0.0.1:1/photo.png")


def test_a_picture_in_use_is_not_downloaded_again(tmp_path, monkeypatch):
    """`artgen make KIND URL` asked for it twice, and may have got two pictures."""
    photo, asked = save_photo(tmp_path).read_bytes(), []
    monkeypatch.setattr(_url, "_download", lambda url: asked.append(url) or photo)
    first = open_http("//a.example/a.png")
    larger = open_http("//a.example/a.png", TargetRequest(size=12))
    assert (len(asked), larger.canvas.width, larger.sha256) == (1, 12, first.sha256)
    open_http("//a.example/b.png")
    del first, larger
    open_http("//a.example/a.png")
    assert [url[-5:] for url in asked] == ["a.png", "b.png", "a.png"]


@pytest.mark.parametrize(
    ("host", "number"),
    [
        *[(each, each) for each in ("127.0.0.1", "169.254.169.254", "10.1.2.3", "192.168.1.1")],
        ("[::1]", "::1"),
        ("localhost", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("pictures.example", "172.16.0.9"),
    ],
)
def test_addresses_of_this_machine_or_its_network_are_refused(host, number, monkeypatch):
    connected = []
    found = [(None, None, None, "", (number, 80))]
    monkeypatch.setattr(_url.socket, "getaddrinfo", lambda *args, **kwargs: found)
    monkeypatch.setattr(_url.socket, "create_connection", lambda *args: connected.append(args))
    with pytest.raises(InputError, match="an address of this machine or its network") as caught:
        open_http(f"//{host}/photo.png")
    assert number in caught.value.message
    assert "name its file" in (caught.value.hint or "")
    assert not connected


def test_every_address_of_a_host_is_tried(monkeypatch):
    """A host was out of reach if its first address was, as those of IPv6 often are."""
    tried, waits = [], []

    def connect(address, timeout, source):
        tried.append(address)
        if ":" in address[0]:
            raise OSError("no route")
        return SimpleNamespace(settimeout=waits.append)

    found = [(None, None, None, "", (number, 80)) for number in ("2600::1", "8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(_url.socket, "getaddrinfo", lambda *args, **kwargs: found)
    monkeypatch.setattr(_url.socket, "create_connection", connect)
    _url._connect_outside(("pictures.example", 80), 15.0)
    # What follows, such as the handshake of TLS, has all the time again.
    assert waits == [15.0]
    assert tried == [("2600::1", 80), ("8.8.8.8", 80)]
    del found[1]
    with pytest.raises(_url._Refused):
        _url._connect_outside(("pictures.example", 80), 15.0)
    del found[1]
    with pytest.raises(OSError, match="no route"):
        _url._connect_outside(("pictures.example", 80), 15.0)


def test_a_server_of_this_machine_is_never_asked(tmp_path):
    with served({}) as base, pytest.raises(InputError, match="an address of this machine"):
        open_http(f"{base}/photo.png")


def test_a_download_ends_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(_url, "SECONDS", -1.0)
    monkeypatch.setattr(_url, "_is_inside", "::1".__eq__)
    photo = save_photo(tmp_path).read_bytes()
    with (
        served({"/a.png": (200, {}, photo)}) as base,
        pytest.raises(InputError, match="takes longer"),
    ):
        open_http(f"{base}/a.png")


@pytest.mark.parametrize("begun", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_server_that_drips_ends_in_time(begun, monkeypatch):
    """The time was looked at between pieces of the body: bytes of a header went on for ever."""
    monkeypatch.setattr(_url, "SECONDS", 0.3)
    monkeypatch.setattr(_url, "_is_inside", "::1".__eq__)
    ended = threading.Event()

    def drip(server):
        with suppress(OSError), server.accept()[0] as opened:
            opened.sendall(begun)
            # So that a client without a limit comes back too.
            for _ in range(200):
                if ended.wait(0.02):
                    break
                opened.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        try:
            with pytest.raises(InputError, match=r"takes longer than 0\.3 seconds"):
                open_http(f"//127.0.0.1:{server.getsockname()[1]}/a.png")
        finally:
            ended.set()
            thread.join()
