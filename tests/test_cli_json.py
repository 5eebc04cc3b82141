"""docs/json.md and the commands agree on every key."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from artgen.cli import main

DOCUMENT = Path(__file__).parent.parent / "docs" / "json.md"
PLUGIN = """
import torch
from artgen import Param, Preset, Splat, option
from dataclasses import dataclass

class Dab(Splat):
    '''Round dabs.'''
    @dataclass(frozen=True)
    class Options:
        hardness: float = option(1.0, "how hard the edge is", low=0)
    presets = {"hard": Preset(options={"hardness": 4.0})}
    params = {"size": Param(init=0.2, map="exp")}
    def footprint(self, dx, dy, p):
        return torch.exp(-(dx * dx + dy * dy) / (p.size * p.size))
    def radius(self, p):
        return 2.6 * p.size
"""

LOSS = """
import artgen

@artgen.hookimpl
def artgen_losses():
    return [artgen.Spec("huber", "Square near zero.", "artgen.losses:l1")]
"""


def documented() -> dict[str, set[str]]:
    """The keys of every table, by the heading above it; a row may describe several."""
    sections = re.split(r"^## ", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {
        section.partition("\n")[0]: {
            name
            for keys in re.findall(r"^\| (`[^|]+`) \|", section, re.MULTILINE)
            for name in keys.strip("`").split("`, `")
        }
        for section in sections
    }


def paths(value: Any, known: set[str], prefix: str = "") -> set[str]:
    """The keys of `value`; an object or a list is opened where the document opens it."""
    found = set()
    for key, item in value.items():
        path = f"{prefix}{key}"
        if any(name.startswith(f"{path}[].") for name in known):
            assert item, f"{path} is empty, so that its keys are not tested"
            for entry in item:
                found |= paths(entry, known, f"{path}[].")
        elif any(name.startswith(f"{path}.") for name in known):
            found |= paths(item, known, f"{path}.")
        else:
            found.add(path if path in known or f"{path}[]" not in known else f"{path}[]")
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("json")


@pytest.fixture
def call(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(folder)
    Path("dab.py").write_text(PLUGIN)
    Path("huber.py").write_text(LOSS)

    def run(*arguments: str) -> dict[str, Any]:
        main([*arguments, "--json", "-q"])
        return json.loads(capsys.readouterr().out)

    return run


def fit(call, *more: str) -> dict[str, Any]:
    arguments = ("--size", "16", "-n", "4", "--steps", "2", "--no-video", "--overwrite")
    return call("fit", *arguments, *more)


def shapes(call) -> dict[str, Any]:
    """The file, which is no answer of the command."""
    fit(call, "-p", "circle", "--name", "shapes")
    call("render", "artgen-out/shapes.art", "-o", "shapes.json", "--overwrite")
    return json.loads(Path("shapes.json").read_text())


def make(call) -> dict[str, Any]:
    more = ("--nails", "40", "--board", "12cm", "--thread", "0.6mm", "--name", "wound")
    return call("make", "string", "sample:cat", *more)


def morph(call) -> dict[str, Any]:
    """Of a drawing into itself."""
    fit(call)
    return call("morph", *3 * ["artgen-out/astronaut-gaussian.art"], "-o", "same.art")


def edit(call) -> dict[str, Any]:
    fit(call, "-p", "circle", "--name", "shapes")
    return call("edit", "artgen-out/shapes.art", "delete@smallest:1", "-o", "less.art")


def gallery(call, command: str, *more: str) -> dict[str, Any]:
    """Of one small piece, made before."""
    Path("show").mkdir(exist_ok=True)
    Path("show/piece.toml").write_text("[primitive]\ncount = 4\n")
    call("gallery", "build", "show", "--quick")
    return call("gallery", command, "show", "--quick", *more)


SHOW = "`artgen plugins show`"


@pytest.mark.parametrize(
    ("sections", "command"),
    [
        (["Failure"], lambda call: call("fit", "--count", "0")),
        (["Failure"], lambda call: call("no-such-command")),
        (["`artgen fit`"], fit),
        (
            ["`artgen fit`", "`artgen fit -o FILE`"],
            lambda call: fit(call, "-p", "circle", "-o", "also.svg", "--overwrite"),
        ),
        (["`artgen fit --dry-run`"], lambda call: fit(call, "--dry-run")),
        (
            ["`artgen fit`", "`artgen fit`, a clip"],
            lambda call: fit(call, "sample:clip?n=2", "--side-by-side"),
        ),
        (
            ["`artgen fit`", "`artgen fit`, several views"],
            lambda call: fit(call, "--view", "turn=180"),
        ),
        (
            ["`artgen fit`, several targets or `--seeds`"],
            lambda call: fit(call, "--seeds", "1,2"),
        ),
        (
            ["`artgen render`"],
            lambda call: (fit(call), call("render", "artgen-out/astronaut-gaussian.art"))[1],
        ),
        (["`artgen render -o FILE.json`"], shapes),
        (["`artgen make`"], make),
        (["`artgen morph`"], morph),
        (["`artgen edit`"], edit),
        *(
            (
                ["`artgen info`"],
                lambda call, s=suffix: (
                    fit(call),
                    call("info", f"artgen-out/astronaut-gaussian{s}"),
                )[1],
            )
            for suffix in (".art", ".png", ".json")
        ),
        (
            ["`artgen compare`", "Failure"],
            lambda call: call(
                *("compare", "-p", "gaussian:count=4", "-p", "vae"),
                *("--size", "16", "--steps", "2", "--csv", "all.csv", "--overwrite"),
            ),
        ),
        (["`artgen gallery build`"], lambda call: gallery(call, "build")),
        (["`artgen gallery check`"], lambda call: gallery(call, "check")),
        (["`artgen gallery open`"], lambda call: gallery(call, "open")),
        (["`artgen gallery reel`"], lambda call: gallery(call, "reel", "--height", "90")),
        (
            ["`artgen plot`"],
            lambda call: (
                fit(call, "--log", "log.jsonl"),
                call("plot", "log.jsonl", "--overwrite"),
            )[1],
        ),
        (["`artgen plugins list`"], lambda call: call("plugins", "list")),
        (["`artgen plugins search`"], lambda call: call("plugins", "search", "gaussian")),
        ([f"{SHOW}, a package"], lambda call: call("plugins", "show", "artgen-heart")),
        ([SHOW], lambda call: call("plugins", "show", "mse")),
        ([SHOW, f"{SHOW}, a look"], lambda call: call("plugins", "show", "gouache")),
        ([SHOW, f"{SHOW}, an engine"], lambda call: call("plugins", "show", "gradient")),
        (
            [SHOW, f"{SHOW}, a primitive"],
            lambda call: call("plugins", "show", "dab", "--plugin", "dab.py"),
        ),
        (["`artgen plugins new`"], lambda call: call("plugins", "new", "petal", "--file")),
        (
            ["`artgen plugins check`"],
            lambda call: call("plugins", "check", "huber.py"),
        ),
        (["`artgen studio`"], lambda call: call("studio", "-p", "gaussian", "--overwrite")),
        (["`artgen doctor`"], lambda call: call("doctor")),
    ],
)
def test_every_key_is_documented_and_every_documented_key_is_there(
    call, package_index, sections, command
):
    known = set().union(*(documented()[section] for section in sections))
    assert known
    assert paths(command(call), known) == known


def test_a_failed_run_of_a_batch(call):
    data = fit(call, "missing.png", "also-missing.png")
    assert set(data["runs"][0]) == {"error", "target", "seed"}


def test_every_section_is_tested():
    tested = {
        "Failure",
        "`artgen fit`",
        "`artgen fit -o FILE`",
        "`artgen fit`, a clip",
        "`artgen fit`, several views",
        "`artgen fit`, several targets or `--seeds`",
        "`artgen fit --dry-run`",
    }
    tested |= {
        f"`artgen {name}`"
        for name in (
            "render",
            "make",
            "morph",
            "edit",
            "info",
            "compare",
            "plot",
            "studio",
            "doctor",
        )
    }
    tested |= {f"`artgen plugins {name}`" for name in ("list", "search", "new", "check")}
    tested |= {f"`artgen gallery {name}`" for name in ("build", "check", "open", "reel")}
    tested |= {"`artgen render -o FILE.json`"}
    tested |= {SHOW, *(f"{SHOW}, {what}" for what in ("a look", "a package", "a primitive"))}
    tested |= {f"{SHOW}, an engine"}
    assert set(documented()) == tested
