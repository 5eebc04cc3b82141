"""The files of a case of `soak.commands`: good ones of every kind, damaged ones, devices and links."""

from __future__ import annotations

import os
import random
import socket
import stat
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image

from soak._promise import short
from soak._readers import READERS
from soak._runs import save_photo

__all__ = ["State", "look", "make", "make_pool", "walk"]

State: TypeAlias = tuple[str, object]
"""What a file is, and what it holds."""

_HOSTILE = "\x1b]0;gone\x07"
"""What would change the title of a terminal."""

_LOGO = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10">
<rect x="1" y="1" width="8" height="8" fill="#e63946"/><circle cx="14" cy="5" r="4"/></svg>"""


def make_pool(folder: Path) -> None:
    """Write the files into a folder, which becomes the current one."""
    os.chdir(folder)
    for name, reader in READERS.items():
        for number, data in enumerate(reader.examples()):
            Path(f"{short(name)}-{number}{reader.suffix}").write_bytes(data)
    photo = save_photo(folder).read_bytes()
    for name in ("-n.png", "a b ü.png", "a\x1b[31mb.png", "photos/one.png", "photos/two.png"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(photo)
    for name, (high, wide, mode) in {
        "wide.png": (1, 500, "RGB"),
        "tall.png": (4000, 1, "RGBA"),
        "mask.png": (16, 24, "L"),
        "logo.png": (16, 16, "LA"),
        "icon.ico": (16, 16, "RGBA"),
    }.items():
        noise = np.random.default_rng(1).integers(0, 256, (high, wide, 4), dtype=np.uint8)
        Image.fromarray(noise, "RGBA").convert(mode).save(name)
    for name in ("nothing", "folder.png", "pieces", "case", "out", "artgen-out"):
        Path(name).mkdir()
    Path("pieces/one.toml").write_text(
        'seed = 1\n[target]\nsource = "sample:coffee"\nsize = 16\n[primitive]\nname = "triangle"\n'
        "count = 3\n[[stage]]\nsteps = 2\n[output]\nvideo_seconds = 0.3\n[run]\nthreads = 1\n"
    )
    Path("look.toml").write_text('[primitive]\nname = "triangle"\n[target]\npalette = 3\n')
    Path("hostile.toml").write_text(f'[target]\nsource = "{_HOSTILE!r}.png"\n'.replace("'", ""))
    Path("hostile.json").write_text('{"recipe": {"target": {"source": "\\u001b]0;x\\u0007"}}}')
    Path("broken.py").write_text(f"raise ValueError({_HOSTILE!r})\n")
    Path("shapes.svg").write_text(_LOGO)
    Path("empty.png").write_bytes(b"")
    Path("cut.png").write_bytes(photo[: len(photo) // 2])
    Path("text.png").write_text("not a picture")
    Path("noise.art").write_bytes(random.Random(1).randbytes(3000))
    _with_artgen()
    os.mkfifo("pipe.png")
    os.mkfifo("pipe.art")
    os.mkfifo("pipe.mp4")
    Path("loop.png").symlink_to("loop.png")
    Path("dangling.png").symlink_to("nowhere.png")
    Path("link.png").symlink_to("photo.png")
    Path("artgen-out/linked.run").symlink_to("../photos")
    make(Path("socket.png"), ("socket", None))
    for name, minor in (("zero.png", 5), ("full.png", 7), ("full.jsonl", 7)):
        make(Path(name), ("device", os.makedev(1, minor)))


def _with_artgen() -> None:
    """A plugin, and the drawing of a codec."""
    from artgen.cli import main

    fit = ["fit", "sample:digits?n=40", "-p", "pca", "--set", "rank=2", "--seed", "1"]
    with redirect_stdout(StringIO()):
        main(["plugins", "new", "petal", "--file", "--quiet"])
        main([*fit, "--name", "codec", "--out", "made", "--no-video", "--quiet"])
    Path("made/codec.art").rename("codec.art")
    for path in Path("made").iterdir():
        path.unlink()
    Path("made").rmdir()


def walk(folder: Path) -> Iterator[Path]:
    """All that lies in a folder, folders before what they hold."""
    for path in sorted(folder.iterdir()):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from walk(path)


def look(path: Path) -> State:
    """What there is at a path."""
    try:
        status = path.lstat()
    except OSError:
        return "nothing", None
    mode = status.st_mode
    if stat.S_ISREG(mode):
        return "file", path.read_bytes()
    if stat.S_ISLNK(mode):
        return "link", os.readlink(path)
    if stat.S_ISCHR(mode):
        return "device", status.st_rdev
    names = {stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}
    return names[stat.S_IFMT(mode)], None


def make(path: Path, state: State) -> None:
    """Make what `look` saw; devices where the user may make them."""
    what, held = state
    if what == "file":
        assert isinstance(held, bytes)
        path.write_bytes(held)
    elif what == "link":
        path.symlink_to(str(held))
    elif what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "socket":
        with socket.socket(socket.AF_UNIX) as bound, suppress(OSError):  # where the path is long
            bound.bind(str(path))
    elif what == "device":
        assert isinstance(held, int)
        with suppress(PermissionError):
            os.mknod(path, stat.S_IFCHR | 0o666, held)
