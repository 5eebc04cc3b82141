"""Harmful files: damaged ones, and small ones that claim large sizes."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import random
import socket
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from soak._readers import READERS

__all__ = ["changed", "made", "places"]

Named = Iterator[tuple[str, bytes]]

_FORMS = {"PNG": "PNG", "JPEG": "JPEG", "WebP": "WEBP", "TIFF": "TIFF"}
"""The pictures that hold colour profiles."""


def changed(examples: list[bytes], rng: random.Random, count: int) -> Named:
    """Good files cut short, with flipped bits, replaced bytes, repeated or missing parts."""
    for number in range(count):
        data = bytearray(rng.choice(examples))
        place, length = rng.randrange(len(data)), rng.randrange(1, 9)
        kind = number % 5
        if kind == 0:
            del data[place:]
        elif kind == 1:
            for _ in range(length):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        elif kind == 2:
            data[place : place + length] = rng.choice([b"\0", b"\xff", b"9", b"[", b"-"]) * length
        elif kind == 3:
            data[place:place] = data[place : place + 8 * length]
        else:
            del data[place : place + length]
        yield f"change {number}", bytes(data)


def places(path: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """Other things than a file that a path may lead to, each with a function that creates it."""
    beside = path.with_name("beside")

    def listen() -> None:
        # The path of a socket may have a hundred letters, so it is bound from its folder.
        before = os.getcwd()
        os.chdir(path.parent)
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind(path.name)
        os.chdir(before)

    yield "nothing at all", lambda: None
    yield "a pipe", lambda: os.mkfifo(path)
    yield "a socket", listen
    yield "a folder", path.mkdir
    yield "a link to itself", lambda: path.symlink_to(path)
    yield "a link to nothing", lambda: path.symlink_to(beside)
    yield "a link to its folder", lambda: path.symlink_to(path.parent)
    for device in ("/dev/zero", "/dev/null", "/dev/full", "/dev/tty"):
        if os.path.exists(device):
            yield device, lambda device=device: path.symlink_to(device)


def _drawings() -> Named:
    """Drawings that expand, nest or repeat without an end, or whose numbers have none."""
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{}</svg>'
    entities = "".join(f'<!ENTITY e{k + 1} "{f"&e{k};" * 10}">' for k in range(12))
    yield "entities", f'<!DOCTYPE svg [<!ENTITY e0 "x">{entities}]>{svg.format("&e12;")}'.encode()
    yield (
        "a file as an entity",
        (
            f'<!DOCTYPE svg [<!ENTITY e SYSTEM "file:///etc/hostname">]>{svg.format("<text>&e;</text>")}'
        ).encode(),
    )
    for label, inside in (
        ("groups in groups", "<g>" * 20_000 + "</g>" * 20_000),
        ("itself, used", '<g id="a"><use href="#a"/></g>'),
        ("ever more uses", "".join(
            f'<g id="a{k}">{f"""<use href="#a{k - 1}"/>""" * 10}</g>' for k in range(1, 12))),
        ("100,000 segments", f'<path d="M0 0{"h1v1" * 50_000}z"/>'),
        ("10,000 contours", f'<path d="{"M1 1h1v1z" * 10_000}"/>'),
        ("10,000 classes", "<style>" + "".join(f".c{k}{{fill:#f00}}" for k in range(10_000)) + "</style>"
            + "".join(f'<rect class="c{k}" width="1" height="1"/>' for k in range(1000))),
        ("1,000 transformations", f'<path transform="{"scale(9) " * 1000}" d="M0 0h1v1z"/>'),
        ("no number", '<path d="M0 0h1e999v-1e999z"/>'),
        ("digits", f'<path d="M0 0h{"9" * 5000}v1z"/>'),
        ("an arc of no size", '<path d="M0 0A0 0 0 0 1 1e-300 0L5 5z"/>'),
        ("open brackets", f'<path transform="{"scale(" * 9999}" d="M0 0h1v1z"/>'),
    ):  # fmt: skip
        yield label, svg.format(inside).encode()
    for size in ("0", "-1", "1e999", "nan", "1e300"):
        yield (
            f"a width of {size}",
            f'<svg width="{size}" height="9"><path d="M0 0h1v1z"/></svg>'.encode(),
        )


def _answers(good: bytes) -> Named:
    """What no server should answer."""
    head, _, body = good.partition(b"\r\n\r\n")
    status = head.split(b"\r\n")[0]
    yield "more than it says", head.replace(b"%d" % len(body), b"5") + b"\r\n\r\n" + body
    yield "less than it says", head.replace(b"%d" % len(body), b"9" * 15) + b"\r\n\r\n" + body
    yield "a length below 0", head.replace(b"%d" % len(body), b"-1") + b"\r\n\r\n" + body
    yield "a length of words", head.replace(b"%d" % len(body), b"many") + b"\r\n\r\n" + body
    yield "a long line", status + b"\r\nX: " + b"x" * 200_000 + b"\r\n\r\n" + body
    yield "many lines", status + b"\r\n" + b"X: y\r\n" * 5000 + b"\r\n" + body
    yield "go on", b"HTTP/1.1 100 Continue\r\n\r\n" * 5000 + good
    yield "no type", status + b"\r\n\r\n" + body
    yield "a page", status + b"\r\nContent-Type: text/html\r\n\r\n<p>"
    yield "a status of words", good.replace(b"200", b"two")
    yield "control characters", good.replace(b"200 OK", b"404 \x1b]0;x\x07")
    for place in (
        b"",
        b"file:///etc/hostname",
        b"//[",
        b"http://[::1]/",
        b"http://\xff/",
        b"?" * 70_000,
    ):
        yield f"to {place[:20]!r}", b"HTTP/1.1 301 Moved\r\nLocation: " + place + b"\r\n\r\n"
    pieces = status + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    yield "a piece without an end", pieces + b"f" * 15 + b"\r\nabc"
    yield "a piece below 0", pieces + b"-5\r\nabc\r\n"


def made(name: str, good: dict[str, list[bytes]]) -> Named:
    """Small files that claim large sizes, and `good` ones of other kinds."""
    examples = good[name]
    yield "nothing", b""
    yield "zeros", bytes(10_000)
    yield "one line", b"x" * 1_000_000
    for other, reader in READERS.items():
        if reader.suffix != READERS[name].suffix:
            yield f"another kind: {other}", good[other][0]
    if name in ("PNG", "PNG in bands", "stamp", "palette"):
        yield from _pngs()
    if name in _FORMS:
        yield from _profiles(_FORMS[name])
    if name in ("PNG", "JPEG", "WebP"):
        yield from _exifs(_FORMS[name])
    if name in ("PNG", "WebP", "GIF", "TIFF"):
        yield from _animated(name, _FORMS.get(name, "GIF"))
    if name in ("JPEG", "WebP", "GIF", "TIFF", "BMP"):
        yield from _huge(name, examples[0])
    if name in ("art", "recipe in a file", "checkpoint", "key of a clip"):
        yield from _tensors(examples)
    if name == "numbers of an art":
        yield from _numbers(examples[0])
    if name == "set as npz":
        yield from _archives()
    if name == "set as IDX":
        yield from _sets(examples[0])
    if name == "SVG to start from":
        yield from _drawings()
    if name == "address":
        yield from _answers(examples[0])
    if name in ("recipe", "look"):
        for line in (
            "count = 99999999999", "count = -1", "count = nan", "name = '../../x'", "name = ''",
            "harmonics = 1e308", "seed = 1", "[primitive]", "x = " + "[" * 5000,
            "x = 0o7" + "7" * 9999, "count = " + "9" * 5000, "x = " + "{a=" * 5000, "x = 2026-13-45",
            ".".join("a" * 3000) + " = 1", "a." * 30_000 + "b = 1", "[" + "a." * 30_000 + "b]", f"name = '{'x' * 1_000_000}'",
        ):  # fmt: skip
            yield line[:30], examples[0].replace(b"count = 40", line.encode())
    if name == "expression":
        for text in ("9**9**9**9", "x" * 10_000, "(" * 5000, "-" * 5000 + "x", "__import__('os')",
                     "x.__class__", "1e999", "x?n=99999999999", "x?from=nan", "x?from=1&to=1",
                     "9" * 5000, f"x?n={'9' * 5000}"):  # fmt: skip
            yield text[:30], text.encode()
    if name == "table":
        yield "very many lines", b"1,2\n" * 200_001
        yield "a cell of 10 MB", b"1," + b"2" * 10_000_000
        yield "not finite", b"nan,inf\n1,2\n"
        yield "huge numbers", b"1e308,-1e308\n-1e308,1e308\n"
        yield "text of UTF-16", "1,2\n3,4\n".encode("utf-16")
        yield "a quote that does not end", b'1,"2\n' * 1000
    if name == "log":
        yield "a step beyond all", b'{"step": 1e999, "loss": 1}\n' * 3
        yield "a loss beyond all", b'{"step": 1, "loss": ' + b"9" * 400 + b"}\n" * 3
        yield "deep lines", b"[" * 100_000 + b"\n" + b"{}\n"
        yield "many digits", b'{"step": ' + b"9" * 5000 + b', "loss": 1}\n' * 3
    if name == "recipe in a video":
        yield "a list of other files", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
        yield "a script of other files", b"ffconcat version 1.0\nfile '/etc/passwd'\n"
        for size in (0, 1, 7, 2**31, 2**32 - 1):
            yield (
                f"a box of {size} bytes",
                examples[0][:4] + struct.pack(">I", size) + examples[0][8:],
            )
            yield f"the index of {size} bytes", _box(examples[0], b"moov", size)
    if name == "paths of an SVG":
        yield from _vectors()
    if name == "recipe in an SVG":
        laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
        yield "many laughs", f'<!DOCTYPE x [<!ENTITY a0 "ha">{laughs}]><svg>&a9;</svg>'.encode()
        outside = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>'
        yield "an entity from elsewhere", outside
        yield "deep elements", b"<svg>" + b"<g>" * 200_000
        yield "an attribute of 10 MB", b'<svg a="' + b"x" * 10_000_000 + b'"/>'


def _vectors() -> Named:
    """Drawings that ask for work that grows faster than they do."""
    plain, many = "http://www.w3.org/2000/svg", 1_000_000

    def drawing(inside: str, *, before: str = "", space: str = plain) -> bytes:
        return f'{before}<svg xmlns="{space}" viewBox="0 0 9 9">{inside}</svg>'.encode()

    def path(data: str) -> bytes:
        return drawing(f'<path d="{data}"/>')

    yield "contours around one another", path("M0 0h9v9z" * 1500)
    yield "more of them", path("M0 0h9v9z" * 100_000)
    yield "a contour up and down", path("M0 0" + "v9h.001v-9h.001" * 60_000)
    yield "arcs without spaces", path("M0 0a" + "1-1-10010-1" * 100_000)
    yield "a number of a megabyte", path("M" + "9" * many)
    rules = "".join(f".a.b{number}{{fill:red}}" for number in range(20_000))
    squares = '<rect class="a" width="3" height="3"/>' * 5000
    yield "many rules for many elements", drawing(f"<style>{rules}</style>{squares}")
    names = " ".join(f"n{number}" for number in range(200))
    pairs = "".join(f".n{a}.n{b}{{fill:red}}" for a in range(200) for b in range(a))
    matched = f'<rect class="{names}" width="3" height="3"/>' * 2000
    yield "many rules that fit", drawing(f"<style>{pairs}</style>{matched}")
    for text in ("a", "@", "/*", "@{a{}", "{", "}"):
        yield f"a style of {text}", drawing(f"<style>{text * (many // len(text))}</style>")
    yield "a transform of letters", drawing(f'<g transform="{"a" * many}"/>')
    yield "a length of digits", drawing(f'<rect width="{"1" * many}!" height="3"/>')
    yield "a long namespace", drawing("<g/>" * 100_000, space="x" * many)
    default = f'<!DOCTYPE svg [<!ATTLIST g a CDATA "{"x" * many}">]>'
    yield "a long default value", drawing("<g/>" * 100_000, before=default)


def _zeros(millions: int) -> bytes:
    """Zeros as zlib packs them, a million of them at a time: to pack all takes a second."""
    packer, piece = zlib.compressobj(), bytes(1_000_000)
    first, again = (packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    # An empty last block, and the checksum of Adler-32, which counts zeros and no more.
    end = b"\x03\0" + (millions * len(piece) % 65521 << 16 | 1).to_bytes(4)
    return first + again * (millions - 1) + end


def _pngs() -> Named:
    for width, height in ((0, 0), (1, 0), (2**31 - 1, 1), (60_000, 60_000), (8000, 7999)):
        yield f"a PNG of {width}x{height}", _png(width, height, b"")
    yield "a PNG that unpacks to 200 MB", _png(8000, 8000, _zeros(200))
    small, large = zlib.compress(bytes(52)), _zeros(100)
    yield "text of 100 MB in a PNG", _png(4, 4, small, (b"zTXt", b"a\0\0" + large))
    yield "a profile of 100 MB in a PNG", _png(4, 4, small, (b"iCCP", b"a\0\0" + large))
    yield "many chunks in a PNG", _png(4, 4, small, *[(b"tEXt", b"a\0b")] * 50_000)


def _profiles(form: str) -> Named:
    """Invalid colour profiles, and one with a false header."""
    good = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for label, profile in {
        "zeros as a profile": bytes(128),
        "noise as a profile": random.Random(1).randbytes(60_000),
        "half a profile": good[: len(good) // 2],
        "a profile of 4 GB": b"\xff\xff\xff\xff" + good[4:],
        "a profile of many parts": good[:128] + b"\xff\xff\xff\xff" + good[132:],
        **{
            f"a profile of {c}": good[:16] + c.encode() + good[20:]
            for c in ("CMYK", "GRAY", "Lab ")
        },
    }.items():
        yield label, _saved(form, icc_profile=profile)


def _exifs(form: str) -> Named:
    """Exif blocks with values, counts and places that make no sense."""
    for label, entries, following in (
        ("an orientation of 0", [(0x112, 3, 1, 0)], 0),
        ("an orientation of 65535", [(0x112, 3, 1, 65535)], 0),
        ("an orientation of text", [(0x112, 2, 0xFFFFFFFF, 8)], 0),
        ("an orientation elsewhere", [(0x112, 12, 1000, 0xFFFFFF00)], 0),
        ("a fraction by 0", [(0x11A, 5, 1, 8)], 0),
        ("Exif that leads to itself", [(0x8769, 4, 1, 8), (0x8825, 4, 1, 8)], 8),
        ("many entries", [(tag, 3, 1, 1) for tag in range(5000)], 0),
    ):
        block = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
        block += b"".join(struct.pack("<HHII", *entry) for entry in entries)
        yield label, _saved(form, exif=b"Exif\0\0" + block + struct.pack("<I", following))
    yield "noise as Exif", _saved(form, exif=b"Exif\0\0" + random.Random(2).randbytes(60_000))


def _animated(name: str, form: str) -> Named:
    frames = [Image.new("RGB", (3, 2), (7 * n % 256, n % 256, 0)) for n in range(300)]
    file = io.BytesIO()
    frames[0].save(file, form, save_all=True, append_images=frames[1:])
    data = file.getvalue()
    yield "300 frames", data
    yield "half of 300 frames", data[: len(data) // 2]
    if name == "GIF":
        yield "frames larger than the screen", data[:6] + struct.pack("<HH", 1, 1) + data[10:]
        yield (
            "a screen larger than allowed",
            data[:6] + struct.pack("<HH", 65535, 65535) + data[10:],
        )


def _huge(name: str, good: bytes) -> Named:
    """Sizes written into the header of a good file."""
    for side in (0, 9000, 65535):
        sides = struct.pack("<HH", side, side)
        if name == "JPEG":
            at = good.index(b"\xff\xc0") + 5
            yield (
                f"a JPEG of {side}x{side}",
                good[:at] + struct.pack(">HH", side, side) + good[at + 4 :],
            )
        elif name == "GIF":
            yield f"a GIF of {side}x{side}", good[:6] + sides + good[10:]
        elif name == "WebP":
            head = struct.pack("<4sI4s4sI", b"RIFF", 1000, b"WEBP", b"VP8X", 10)
            body = b"\x10\0\0\0" + 2 * struct.pack("<I", max(0, 256 * side - 1))[:3]
            yield f"a WebP of {256 * side} pixels", head + body + good[12:]
        elif name == "TIFF":
            for tag in (256, 257, 258, 277, 278, 279):
                yield f"a TIFF whose {tag} is {side}", _tiff(good, tag, side)
    if name == "TIFF":
        first = struct.unpack_from("<I", good, 4)[0]
        following = first + 2 + 12 * struct.unpack_from("<H", good, first)[0]
        yield (
            "a TIFF that goes on with itself",
            good[:following] + good[4:8] + good[following + 4 :],
        )
    if name == "BMP":
        header = struct.pack("<2sIHHIIiiHHIIIIII", b"BM", 54, 0, 0, 54, 40, 2**30, -(2**31), 1, 24, 0, 0, 0, 0, 0, 0)  # fmt: skip
        yield "a BMP of a billion pixels", header


def _tiff(data: bytes, tag: int, value: int) -> bytes:
    """A TIFF of little-endian numbers with another value of one tag."""
    at = struct.unpack_from("<I", data, 4)[0]
    (count,) = struct.unpack_from("<H", data, at)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, entry)[0] == tag:
            data = data[: entry + 8] + struct.pack("<I", value) + data[entry + 12 :]
    return data


def _tensors(examples: list[bytes]) -> Named:
    yield "a header of 2**63 bytes", struct.pack("<Q", 2**63) + b"{}"
    yield "a header beyond the file", struct.pack("<Q", 10_000) + b"{}"
    yield "deep JSON", _safetensors("[" * 100_000)
    for label, old, new in (
        ("overlapping tensors", '"data_offsets":[', '"data_offsets":[0,'),
        ("a huge shape", '"shape":[', '"shape":[9999999999,'),
        ("another type", '"F32"', '"I64"'),
        ("no dimensions", '"shape":[', '"shape":[],"other":['),
        ("a newer format", '\\"format\\":1', '\\"format\\":2'),
        ("a width of nothing", '\\"width\\":8', '\\"width\\":0'),
        ("a huge width", '\\"width\\":8', '\\"width\\":99999999'),
        ("another plugin", '\\"primitive\\":\\"', '\\"primitive\\":\\"os.system/'),
    ):
        for number, data in enumerate(examples):
            yield f"{label} ({number})", _edited(data, old, new)
    for number, data in enumerate(examples):
        for value in (b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\xff\xff\x7f\x7f"):
            yield f"parameters {value.hex()} ({number})", _refilled(data, value)


def _archives() -> Named:
    """Archives of arrays with wrong headers or compression."""
    small = np.zeros((4, 5, 6), np.uint8)
    whole = _npy("(4, 5, 6)") + small.tobytes()
    for label, data in {
        # Its header says 120 bytes: a reader that believes what follows shows it at 60 MB as at 300.
        "an array without end": _npy("(4, 5, 6)") + bytes(60_000_000),
        "an array too large": _npy("(1000000000, 1, 1)"),
        "an array of nothing, and too long": _npy(f"({2**70}, 0)"),
        "an array of negative size": _npy("(-4, -5, 6)"),
        "numbers of no bytes": _npy("(100000000,)", "|S0"),
        "objects": _npy("(1,)", "|O") + b"cos\nsystem\n(S'true'\ntR.",
        "a header of brackets": b"\x93NUMPY\x01\0" + struct.pack("<H", 9000) + b"(" * 9000,
        "a header of quotes": b"\x93NUMPY\x01\0" + struct.pack("<H", 90) + b"'" * 90,
        "a header of 4 GB": b"\x93NUMPY\x02\0" + struct.pack("<I", 2**32 - 1),
        "a version from the future": b"\x93NUMPY\x09\x09" + bytes(100),
    }.items():
        yield label, _zip({"images.npy": data})
    yield (
        "labels without end",
        _zip({"images.npy": whole, "labels.npy": _npy("(90000000,)") + bytes(90_000_000)}),
    )
    yield "names that lead away", _zip({"../../images.npy": whole, "/images.npy": whole})
    yield "many names", _zip({f"{n}.npy": b"" for n in range(20_000)})
    good = _zip({"images.npy": whole})
    for label, at in (("a password", 6), ("another kind of packing", 8)):
        for value in (1, 14, 99):
            data = bytearray(good)
            # Once before the member, once in the table at the end, where it is two bytes further.
            data[at] = data[data.index(b"PK\1\2") + at + 2] = value
            yield f"{label} ({value})", bytes(data)


def _sets(good: bytes) -> Named:
    # At the lowest level, which takes half the time; it is as much when unpacked.
    yield "more than 200 MB, packed", gzip.compress(good + bytes(200_000_000), 1)
    yield "packed twice", gzip.compress(gzip.compress(good))
    yield "pictures without end", good[:4] + b"\xff" * 12 + good[16:]
    yield "pictures of no rows", good[:4] + struct.pack(">III", 5, 0, 7)
    yield "a picture of a billion pixels", good[:4] + struct.pack(">III", 1, 32_000, 32_000)
    yield "numbers of another type", good[:2] + b"\x0e" + good[3:]


def _npy(shape: str, kind: str = "|u1") -> bytes:
    """The header of an array."""
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text


def _zip(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def _saved(form: str, **more: object) -> bytes:
    """A small picture that carries something."""
    file = io.BytesIO()
    Image.new("RGB", (6, 4), (9, 99, 199)).save(file, form, **more)
    return file.getvalue()


def _numbers(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Headers that claim many numbers, with as many zeros, which take few bytes, and without."""
    from artgen.art import numbers
    from artgen.base.header import deflate, inflate

    text, own = inflate(zlib.crc32(body).to_bytes(4, "little") + body)
    header = json.loads(text)
    many = lzma.compress(bytes(2 * numbers.MOST), lzma.FORMAT_RAW, filters=numbers._FILTERS)
    steps = lzma.compress(b"\x99" * 3000, lzma.FORMAT_RAW, filters=numbers._FILTERS)
    for size in (2 * numbers.MOST - 3, 2 * numbers.MOST, 10**12, 10**4000, 0):
        for label, packed in (("zeros", many), ("numbers", own), ("steps", steps), ("none", b"")):
            claimed = json.dumps({**header, "numbers": {"xy": [size]}})
            yield f"{len(str(size))} digits, {label}", deflate(claimed, packed)[4:]


def _box(data: bytes, kind: bytes, size: int) -> bytes:
    """An MP4 whose box of one kind claims another size."""
    at = data.index(kind) - 4
    return data[:at] + struct.pack(">I", size) + data[at + 4 :]


def _png(width: int, height: int, packed: bytes, *more: tuple[bytes, bytes]) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), *more, (b"IDAT", packed), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)


def _safetensors(text: str) -> bytes:
    header = json.dumps({"__metadata__": {"artgen": text}}).encode()
    return struct.pack("<Q", len(header)) + header


def _edited(data: bytes, old: str, new: str) -> bytes:
    """A safetensors file with a part of its header replaced."""
    length = struct.unpack("<Q", data[:8])[0]
    header = data[8 : 8 + length].decode().replace(old, new).encode()
    return struct.pack("<Q", len(header)) + header + data[8 + length :]


def _refilled(data: bytes, value: bytes) -> bytes:
    """A safetensors file with all its numbers replaced."""
    start = 8 + struct.unpack("<Q", data[:8])[0]
    return data[:start] + (value * (len(data) // 4 + 1))[: len(data) - start]
