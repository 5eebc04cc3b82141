"""The everyday tasks of the documentation: each is one command, and all of them work."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from helpers import with_few_frames
from PIL import Image

from artgen import load
from artgen.cli import main

PAGE = Path(__file__).parents[1] / "docs/tasks.md"
COMMANDS = re.findall(r"^\| .*? \| `(artgen .*)` \|$", PAGE.read_text(encoding="utf-8"), re.M)

SMALL = {
    **{"--size": "24", "--steps": "2", "--backend": "eager"},
    **{"--video-seconds": "0.5", "--fps": "10"},
}
"""What a fit gets unless it says so itself; the others are small already."""


Proof = Callable[[Path], bool]


def image(test: Callable[[Image.Image], bool], name: str = "") -> Proof:
    """What a picture is like: of this name, or the only still in the folder of a fit."""

    def holds(out: Path) -> bool:
        [path] = [Path(name)] if name else out.glob("*.png")
        with Image.open(path) as opened:
            return test(opened)

    return holds


def largest(name: str, side: int) -> Proof:
    """The longer side of a picture in the workplace."""
    return image(lambda opened: max(opened.size) == side, name)


def colours(exactly: int) -> Proof:
    """A picture is a PNG of exactly this many colours, and has no others."""
    return image(
        lambda opened: (
            len(opened.palette.colors) == exactly
            and len(opened.convert("RGB").getcolors()) <= exactly
        )
    )


def seconds(name: str) -> float:
    with av.open(name) as video:
        return video.duration / av.time_base


def thing(kind: str, *names: str) -> dict[str, Proof]:
    """A thing has these files, and a guide."""
    folder = Path(f"artgen-out/photo-{kind}")
    wanted = ("guide-a4.pdf", "parts.csv", "picture.png", *names)
    return {f"make {kind} ": lambda out: all((folder / name).stat().st_size for name in wanted)}


PROOFS: dict[str, Proof] = {
    **thing("string", "sequence.txt", "read-aloud.html"),
    **thing("cross-stitch", "chart.csv", "chart.oxs"),
    **thing("beads", "chart.csv"),
    **thing("bricks", "plates.csv"),
    **thing("paint", "outlines.svg"),
    **thing("paper", *(f"layer-{k}.svg" for k in (1, 2, 3, 4))),
    **thing("plotter", "pen-1-1d1b20.gcode", "pens.csv"),
    **thing("embroidery", "design.dst", "design.pes", "stops.csv"),
    **thing("glass", "cartoon.svg", "pieces.svg", "glass.csv"),
    **thing("stencil", "stencil-1.svg", "stencil-2.svg"),
    **thing("block", "block-1.svg", "block-2.svg"),
    **thing("quilt", "templates.svg", "pattern.svg", "fabrics.csv", "sewing.csv"),
    **thing("filament", "model.3mf", "swaps.csv"),
    **thing("lithophane", "model.stl"),
    "fit photo.jpg --crop 1:1": image(lambda opened: opened.width == opened.height),
    "--still-size 1080x1920": image(lambda opened: opened.size == (1080, 1920)),
    "-n 60 --transparent": image(lambda opened: opened.getchannel("A").getextrema() == (0, 255)),
    "-o favicon.ico --transparent": image(lambda opened: opened.mode == "RGBA", "favicon.ico"),
    "--film wipe": lambda out: 'type="range"' in Path("slider.html").read_text(),
    "side-by-side": image(lambda opened: opened.width > 2 * opened.height, "both.png"),
    "--palette 5": colours(5),
    '--palette "#e63946,#1d3557"': colours(2),
    "--palette teal": colours(2),
    "--look engraving,newsprint": lambda out: (out / "photo-looks-sheet.png").exists(),
    "--seeds 1..3": lambda out: len(list(out.glob("*.art"))) == 3,
    "--dry-run": lambda out: not list(out.glob("*.*")),
    "--no-video": lambda out: (
        {path.suffix for path in out.glob("*.*")} == {".png", ".art", ".json"}
    ),
    "fit photos -p circle -n 20": lambda out: len(list(Path("artgen-out").glob("*.art"))) == 2,
    "--target-bytes 4kB": lambda out: next(out.glob("*.art")).stat().st_size <= 4000,
    "--max-bytes 200kB": lambda out: next(out.glob("*.mp4")).stat().st_size <= 200_000,
    "-o large.png --size 3840": largest("large.png", 3840),
    "-o print.png --size A6": image(
        lambda opened: sorted(opened.size) == [1240, 1748], "print.png"
    ),
    "-o large.tif --size 640": largest("large.tif", 640),
    "-o small.jpg --size 640": largest("small.jpg", 640),
    "-o A.svg": lambda out: Path("A.svg").read_text().count("<circle") == 6,
    "-o A.pdf": lambda out: Path("A.pdf").read_bytes().startswith(b"%PDF"),
    "-o A.html": lambda out: "<canvas" in Path("A.html").read_text(),
    "-o again.art": lambda out: Path("again.art").read_bytes() == Path("A.art").read_bytes(),
    "-o parts.json": lambda out: len(json.loads(Path("parts.json").read_text())["shapes"]) == 6,
    "-o other.art": lambda out: load("other.art").metrics["count"] == 4,
    "--split 2": lambda out: len(list(Path().glob("plate-*.art"))) == 2,
    "--page A4": lambda out: 'width="297mm" height="210mm"' in Path("plot.svg").read_text(),
    "--video making.gif": image(lambda opened: opened.n_frames > 1, "making.gif"),
    "-o grow.svg": lambda out: "animat" in Path("grow.svg").read_text(),
    "-o loop.gif --loop": image(lambda opened: opened.info["loop"] == 0, "loop.gif"),
    "-o slow.mp4 --speed 0.25": lambda out: (
        seconds("slow.mp4") == pytest.approx(4 * load("film.art").require_film().duration, abs=0.1)
    ),
    "--log run.jsonl": lambda out: len(Path("run.jsonl").read_text().splitlines()) >= 2,
}
"""What is so after a task that has these words."""


def picture(width: int, height: int, shift: int = 0) -> Image.Image:
    row, column = np.mgrid[0:height, 0:width]
    planes = (column * 255 // width, row * 255 // height, (row + column + shift) % 7 * 36)
    return Image.fromarray(np.stack(planes, axis=2).astype(np.uint8))


@pytest.fixture
def workplace(empty_folder):
    """The files that the page names."""
    picture(36, 24).save("photo.jpg")
    logo = picture(36, 24).convert("RGBA")
    logo.paste((0, 0, 0, 0), (0, 0, 18, 24))
    logo.save("logo.png")
    Path("photos").mkdir()
    for number in range(2):
        picture(24, 24, number).save(f"photos/{number}.png")
    Image.fromarray(np.tile(np.arange(36, dtype=np.uint8) * 7, (24, 1))).save("mask.png")
    Image.fromarray(np.eye(12, dtype=np.uint8) * 255).save("stamp.png")
    frames = [picture(24, 16, number) for number in range(3)]
    frames[0].save("walk.gif", save_all=True, append_images=frames[1:], duration=100)
    Path("drawing.svg").write_text('<svg viewBox="0 0 36 24"><circle cx="9" cy="9" r="6"/></svg>')
    Path("points.csv").write_text("x,y,label\n0,0,a\n1,0,b\n0,1,b\n1,1,a\n")
    fit = ["fit", "photo.jpg", "-p", "circle", "-n", "6", "--size", "24", "--no-video", "-q"]
    for name, seed in (("A", 1), ("B", 2), ("made", 3)):
        film = ["--history", "2"] if name == "A" else []
        assert main([*fit, "--seed", str(seed), "--out", ".", "--name", name, *film]) == 0
    # A film, and a drawing without one to export.
    Path("A.art").rename("film.art")
    assert main([*fit, "--seed", "1", "--out", ".", "--name", "A", "--overwrite"]) == 0
    return empty_folder


def smaller(arguments: list[str]) -> list[str]:
    """A command with at most 200 parts, and things half as large of a third of the pieces.

    That takes half the time; tests of each kind look into things of full size, and no proof below
    depends on the number of parts.
    """
    pairs = list(itertools.pairwise(["", *arguments]))
    if arguments[0] == "fit":
        return [str(min(int(word), 200)) if flag == "-n" else word for flag, word in pairs]
    if arguments[0] != "make" or arguments[1] == "stencil":  # whose bridges take longer
        return arguments
    shrunk = {"--pieces": lambda n: str(int(n) // 3), "--areas": lambda n: str(int(n) // 2)}
    shrunk |= dict.fromkeys(("--width", "--board"), lambda size: f"{int(size[:-2]) / 2:g}cm")
    return [shrunk.get(flag, str)(word) for flag, word in pairs]


def test_every_task_is_one_command(workplace, capfd):
    assert len(COMMANDS) >= 50
    assert len(set(COMMANDS)) == len(COMMANDS)
    proved: set[str] = set()
    for number, command in enumerate(COMMANDS):
        program, *arguments = shlex.split(command)
        assert program == "artgen"
        if arguments[0] == "fit":
            missing = {flag: value for flag, value in SMALL.items() if flag not in arguments}
            if "--quality" in arguments:
                # All of its steps, of fewer parts.
                missing["-n"] = "60"
                missing.pop("--steps")
            if "walk.gif" in arguments or "--tiles" in arguments:
                # A film has the frames of its clip, and tiles have none.
                missing.pop("--video-seconds"), missing.pop("--fps")
            if "photos" not in arguments:
                missing.setdefault("--out", f"out{number}")
            if "--out" in arguments:
                missing.pop("--out")
            arguments += [word for pair in missing.items() for word in pair]
        if arguments[0] == "looks":
            # `test_cli_looks` and `test_looks` look into such pictures.
            arguments += ["--out", f"out{number}", "--size", "24"]
        arguments = smaller(arguments)
        if arguments[0] == "compare":
            arguments += ["--size", "24"]
        assert main(with_few_frames(arguments)) == 0, f"{command}\n{capfd.readouterr().err}"
        for words, holds in PROOFS.items():
            if words in command:
                assert holds(Path(f"out{number}")), command
                proved.add(words)
    assert proved == set(PROOFS)
    made = {path.name for path in workplace.iterdir()}
    named = re.findall(r"(?:-o|--video|--log) (\S+)", " ".join(COMMANDS))
    assert set(named) - {"plate.art"} <= made
