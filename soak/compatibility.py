"""Files of earlier versions are read, and those of newer ones refused by name."""

from __future__ import annotations

import json
import os
import shutil
import struct
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image

import artgen
from artgen import ArtgenError
from artgen.recipe import Recipe
from soak._promise import Promise, Tally
from soak._runs import fit, in_processes, run, start

FOLDER = Path(__file__).parent / "fixtures"
"""One folder per version of artgen that has changed a format: arts beside their stills, and runs
that were killed after two checkpoints. `python -m soak.compatibility` adds that of this version."""


def old_arts(tally: Tally, small: bool) -> None:
    """Art files of every version are drawn as before, up to rounding."""
    for path in sorted(FOLDER.glob("*/*.art")):
        name = f"{path.parent.name}/{path.stem}"
        try:
            pixels = _shown(artgen.load(path))
        except ArtgenError as error:
            tally.case(name, str(error))
            continue
        still = np.asarray(Image.open(path.with_suffix(".png")))
        far = np.abs(pixels.astype(int) - still).max() if pixels.shape == still.shape else 255
        tally.case(name, f"it differs by {far} levels" if far > 2 else None)


def _shown(art: artgen.Art) -> Any:
    """The still, or a moment of the film."""
    return art.render() if art.film is None else art.at(art.film.duration / 3).render()


def old_checkpoints(tally: Tally, small: bool) -> None:
    """Runs that were killed under an earlier version can be resumed."""
    for killed in sorted(FOLDER.glob("*/*.run")):
        with tempfile.TemporaryDirectory() as name:
            out = Path(name)
            shutil.copytree(killed, out / killed.name)
            line = ["fit", "--resume", "--out", str(out), "--name", killed.stem]
            code, printed = run(line, out)
            tally.case(
                f"{killed.parent.name}/{killed.stem}",
                printed.strip()[-300:] if code else None,
                "its checkpoint is not used" if "starts anew" in printed else None,
            )


def newer_formats(tally: Tally, small: bool) -> None:
    """Arts and recipes of a format that does not exist yet."""
    with tempfile.TemporaryDirectory() as name:
        for path in sorted(FOLDER.glob("*/*.art")):
            data = path.read_bytes()
            length = struct.unpack("<Q", data[:8])[0]
            header = json.loads(data[8 : 8 + length])
            inner = json.loads(header["__metadata__"]["artgen"])
            header["__metadata__"]["artgen"] = json.dumps(inner | {"format": 99})
            text = json.dumps(header).encode()
            newer = Path(name) / path.name
            newer.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
            tally.case(path.stem, _not_refused(lambda newer=newer: artgen.load(newer)))
        recipe = Path(name) / "newer.toml"
        recipe.write_text("schema = 99\n")
        tally.case("recipe", _not_refused(lambda: Recipe.from_toml(recipe)))


def _not_refused(read: Any) -> str | None:
    try:
        read()
    except ArtgenError as error:
        return None if "99" in str(error) else f"the format is not named: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "it was read"


# ---- bugs ----------------------------------------------------------------------------------------


def _smaller() -> Any:
    """A version in which a parameter means something else."""
    import artgen.art._reading as art

    decode = art.decode

    def halved(tensors: Any, precision: Any) -> Any:
        return {name: tensor / 2 for name, tensor in decode(tensors, precision).items()}

    return patch.object(art, "decode", halved)


def _renamed() -> None:
    """A version in which a tensor of the state has another name."""
    from artgen.runs.files.folder import RunFolder

    load = RunFolder.load_checkpoint

    def renamed(folder: RunFolder) -> Any:
        state = load(folder) or {}
        return {name.replace("best.", "finest."): value for name, value in state.items()}

    RunFolder.load_checkpoint = renamed  # type: ignore[method-assign]


def _optimistic() -> Any:
    """A version that accepts every format."""
    import artgen.art._reading as art

    return patch.object(art, "FORMAT", 1000)


PROMISES = [
    Promise(
        "old-arts",
        "`.art` files of earlier versions give the same pictures.",
        "Small files of every version that changed the format are drawn and compared with stills.",
        old_arts,
        _smaller,
        "parameters are halved",
    ),
    Promise(
        "old-checkpoints",
        "Runs killed under an earlier version of the same format can be resumed.",
        "Folders of killed runs are resumed.",
        old_checkpoints,
        lambda: in_processes(_renamed),
        "a tensor of the state has another name",
    ),
    Promise(
        "newer-formats",
        "Files of a newer format are refused because of their format number.",
        "The number in good files is raised.",
        newer_formats,
        _optimistic,
        "every format is accepted",
    ),
]


def _make(folder: Path) -> None:
    """Write the fixtures of this version."""
    folder.mkdir(parents=True)
    target = np.linspace(0, 255, 12 * 16 * 3).reshape(12, 16, 3).astype(np.uint8)
    for name, precision, options in (
        ("gaussian", "fp32", {"count": 6, "steps": 30}),
        ("fourier", "int8", {"count": 4, "steps": 30}),
        ("stroke", "fp16", {"count": 5, "steps": 30}),
        ("triangle", "fp32", {"count": 5}),
        ("rotated_ellipse", "int8", {"count": 5}),
        ("mlp", "fp16", {"hidden": 6, "layers": 1, "steps": 30}),
        ("voronoi", "auto", {"count": 40, "steps": 30}),
        ("latents", "fp32", {"steps": 60}),
        ("gaussian", "fp16", {"count": 9, "steps": 30, "history": 5}),
    ):
        art = artgen.fit(target, name, seed=1, precision=precision, **options)
        stem = name if art.film is None else f"{name}-film"
        art.save(folder / f"{stem}.art")
        Image.fromarray(_shown(art)).save(folder / f"{stem}.png")
    Image.fromarray(target).save(folder / "target.png")
    for name, more in (("gaussian", ["-n", "4", "--steps", "60"]), ("triangle", ["-n", "6"])):
        line = [
            "fit", str(folder / "target.png"), "-p", name, "--seed", "1", "--threads", "1",
            "--no-video", "--checkpoint-every", "2", "--out", str(folder), "--name",
            f"killed-{name}", "--quiet", *more,
        ]  # fmt: skip
        process = start(_die, line, folder)
        process.join()
    (folder / "stderr.txt").unlink(missing_ok=True)


def _die(line: list[str], folder: Path) -> None:
    from artgen.runs.files.folder import RunFolder

    save, made = RunFolder.save_checkpoint, []

    def save_and_die(run: RunFolder, state: Any) -> None:
        save(run, state)
        made.append(None)
        if len(made) == 2:
            os._exit(9)

    RunFolder.save_checkpoint = save_and_die  # type: ignore[method-assign]
    fit(line, folder)


if __name__ == "__main__":
    _make(FOLDER / artgen.__version__)
