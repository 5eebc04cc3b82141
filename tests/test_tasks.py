"""The everyday tasks of the documentation: each is one command, and all of them work."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artgen.cli import main

PAGE = Path(__file__).parents[1] / "docs/tasks.md"
COMMANDS = re.findall(r"^\| .*? \| `(artgen .*)` \|$", PAGE.read_text(encoding="utf-8"), re.M)

SMALL = {"--size": "24", "--steps": "2", "--video-seconds": "0.5", "--backend": "eager"}
"""What a fit gets unless it says so itself; the others are small already."""


def picture(width: int, height: int, shift: int = 0) -> Image.Image:
    row, column = np.mgrid[0:height, 0:width]
    planes = (column * 255 // width, row * 255 // height, (row + column + shift) % 7 * 36)
    return Image.fromarray(np.stack(planes, axis=2).astype(np.uint8))


@pytest.fixture
def workplace(empty_folder):
    """The files that the page names."""
    picture(36, 24).save("photo.jpg")
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


@pytest.mark.slow
def test_every_task_is_one_command(workplace, capfd):
    assert len(COMMANDS) >= 50
    assert len(set(COMMANDS)) == len(COMMANDS)
    for number, command in enumerate(COMMANDS):
        program, *arguments = shlex.split(command)
        assert program == "artgen"
        if arguments[0] == "fit":
            missing = {flag: value for flag, value in SMALL.items() if flag not in arguments}
            if "--quality" in arguments:
                missing.pop("--steps")
            if "walk.gif" in arguments:
                # A film has the length of its clip.
                missing.pop("--video-seconds")
            if "photos" not in arguments:
                missing.setdefault("--out", f"out{number}")
            if "--out" in arguments:
                missing.pop("--out")
            arguments += [word for pair in missing.items() for word in pair]
        if arguments[0] == "compare":
            arguments += ["--size", "24"]
        assert main(arguments) == 0, f"{command}\n{capfd.readouterr().err}"
    made = {path.name for path in workplace.iterdir()}
    named = re.findall(r"(?:-o|--video|--log) (\S+)", " ".join(COMMANDS))
    assert set(named) <= made
