"""What `artgen` says: plain messages, hints that help, whole lines beside bars, and `--quiet`."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from artgen.base.errors import UsageError
from artgen.cli._console import load_module
from artgen.cli._flags import Common
from artgen.cli._progress import Story, progress
from artgen.events import Advanced, Evaluated, Finished, Started, Working
from artgen.plan.catalogue import facts_of
from artgen.plan.early import check_known_options
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs import RunFolder
from artgen.tasks import RunControl, graceful_signals

TINY = ("--size", "24", "-n", "8", "--steps", "4", "--threads", "1", "--no-video")

pytestmark = pytest.mark.usefixtures("empty_folder")


def save_pictures(folder: Path) -> None:
    folder.mkdir()
    for shade in (0, 90):
        Image.new("RGB", (8, 8), (shade, 30, 60)).save(folder / f"{shade}.png")


def test_wrong_names_are_reported_before_torch_is_loaded():
    # Options are known without torch once anything has loaded what has them.
    registry = Registry(environ={})
    for kind, name in (
        ("primitive", "triangle"),
        ("primitive", "gaussian"),
        ("engine", "gradient"),
    ):
        facts_of(registry.find(kind, name))
    lines = [
        "fit sample:cat --loss l3",
        "fit sample:cat -p gausian",
        "fit sample:cat -e gradint",
        "compare -p gaussian -p gausian",
        "compare -p gaussian:loss=l3",
        "compare -p gaussian@gradint",
        "fit sample:cat -p triangle --set siz=3",
        "fit sample:cat --set engine.rat=1",
        "fit http://127.0.0.1:1/photo.png",
    ]
    code = (
        "import sys\n"
        "from artgen.cli import main\n"
        f"print([main(line.split()) for line in {lines}], 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "[2, 4, 4, 4, 2, 4, 2, 2, 3] False\n", done.stderr
    for name in ("loss 'l3'", "primitive 'gausian'", "engine 'gradint'"):
        assert done.stderr.count(f"unknown {name}") == 2
    wrong = "Triangle has no option 'siz'\nhint: did you mean min_size or max_size?"
    assert wrong in done.stderr
    assert "engine gradient has no option 'rat'" in done.stderr


def test_every_option_of_what_is_shipped_passes_the_early_check():
    from artgen.base.options import describe_options
    from artgen.recipe import Recipe

    registry = Registry(environ={})
    for entry in registry.entries("primitive"):
        facts_of(entry)
        primitive = entry.load()()
        for engine in primitive.engines:
            known = registry.load("engine", engine).options_for(primitive)
            options = {each.name: each.default for each in describe_options(known)}
            stage = {"engine": engine, **options}
            table = {"name": entry.name, **primitive.option_values()}
            facts_of(registry.find("engine", engine))
            asked = Recipe.from_request({"primitive": table, "target": {}, "stage": [stage]})
            check_known_options(asked, registry)


@pytest.mark.parametrize(
    ("options", "stage", "message"),
    [
        ({"hiden": 1}, {}, "Siren has no option 'hiden'"),
        ({"hidden": "wide"}, {}, "Siren option hidden must be a whole number from"),
        ({"hidden": 0}, {}, "Siren option hidden must be a whole number from"),
        ({"reach": True}, {}, "Siren option reach must be a number or nothing from 1, got True"),
        ({}, {"rate": -1}, "engine gradient option rate must be a number from 0, got -1"),
        ({}, {"engine": "gradient", "rate": 10**400}, "engine gradient option rate must be a"),
        ({}, {"schedule": "sine"}, "must be cosine or constant or exponential or one-cycle"),
    ],
)
def test_wrong_options_are_found_by_what_the_catalogue_knows(options, stage, message):
    from artgen.recipe import Recipe

    registry = Registry(environ={})
    for kind, name in (("primitive", "siren"), ("engine", "gradient")):
        facts_of(registry.find(kind, name))
    table = {"primitive": {"name": "siren", **options}, "target": {}, "stage": [stage]}
    with pytest.raises(UsageError, match=message):
        check_known_options(Recipe.from_request(table), registry)


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("fit", "-n"), "'-n' requires an argument", "artgen fit --help"),
        (("gallery", "reel", "-o"), "'-o' requires an argument", "artgen gallery reel --help"),
        (("fit", "--size", "wide"), "--size 'wide' is not a size", "1080x1080"),
        (
            ("fit", "--size", "9" * 9),
            "must be a whole number of pixels from 1 to 65536",
            "1080x1080",
        ),
        (("fit", "--recipe", "r.toml"), "target.size must be a whole number, got 'wide'", ""),
        (("fit", "--set", "visibility_size=wide"), "must be a whole number from 1 to 256", "cells"),
        (("fit", "--focus", "5,5,5"), "'5,5,5' is not a circle in a picture", "0.5,0.3,0.1"),
        (("plugins", "search", " "), "the word to search for is empty", "artgen plugins list"),
        (("fit", "ftp://example.org/a.png"), "is a URL", "download"),
        (("fit", "sample:digits", *TINY), "cannot be fitted to a target of kind set", "-p "),
        (("fit", "empty", *TINY), "folder empty holds no pictures", ".png"),
        (("gallery", "open"), "there is no folder gallery", "folder that contains TOML recipes"),
        (("render", "noise.art"), "noise.art is not an .art file, or it is damaged", "copy it"),
        (("render", "logo.png"), "logo.png cannot be both the drawing and the output", ".art"),
        (("plot", "noise.art"), "cannot read noise.art: it is not a text file", "--log"),
        (("info", "damaged.art"), "damaged.art is damaged", "copy it"),
        (("info", "logo.png"), "logo.png is empty", "copy it"),
        (("info", "missing"), "cannot read missing: No such file", "check the path"),
        (("fit", "--recipe", "syntax.toml"), "syntax.toml is not a TOML recipe", "artgen info"),
    ],
)
def test_mistakes_are_explained_in_plain_words(call, arguments, message, hint):
    Path("empty").mkdir()
    Path("r.toml").write_text('[target]\nsize = "wide"\n')
    Path("syntax.toml").write_text("x = [1,")
    Path("logo.png").touch()
    Path("noise.art").write_bytes(bytes(range(256)))
    tensor = {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}
    header = json.dumps({"__metadata__": {"artgen": '{"recipe": {}}'}, "x": tensor}).encode()
    # Without the twelve bytes of the tensor.
    Path("damaged.art").write_bytes(len(header).to_bytes(8, "little") + header)
    code, out, err = call(*arguments)
    assert (code != 0, out) == (True, "")
    assert message in err
    assert hint in err
    assert not re.search("Input should|unable to parse|deserializ", err)


def test_a_run_that_is_still_going_is_not_called_unfinished(call):
    save_pictures(Path("set"))
    going = RunFolder.create(Path("90-gaussian.run"), Recipe(), ())
    arguments = ("fit", "set/90.png", *TINY, "--out", ".")
    for flags in ((), ("--resume",), ("--overwrite",)):
        code, _, err = call(*arguments, *flags)
        assert code == 2
        assert "a run is still going in 90-gaussian.run" in err
        assert "wait for it to end" in err
    going.unlock()
    assert "left from an unfinished run" in call(*arguments)[2]


def test_quiet_commands_print_nothing_where_all_went_well(call):
    save_pictures(Path("set"))
    assert call("fit", "set/0.png", "set/90.png", *TINY, "--log", "a.jsonl", "-q") == (0, "", "")
    one, other = "artgen-out/0-gaussian.art", "artgen-out/90-gaussian.art"
    assert call("render", one, "-q") == (0, "", "")
    assert call("morph", one, other, "-o", "m.art", "-q") == (0, "", "")
    assert call("plot", "a-0-gaussian.jsonl", "-q") == (0, "", "")
    assert call("plugins", "new", "petal", "--file", "-q") == (0, "", "")
    assert all(Path(name).is_file() for name in ("0-gaussian.png", "m.art", "petal.py"))


def test_an_option_for_one_format_leaves_the_others_as_they_are(call):
    fit = ("fit", "sample:cat", "-p", "triangle", *TINY)
    assert call(*fit)[0] == 0
    art = "artgen-out/cat-triangle.art"
    files = ("a.html", "a.svg", "a.png")
    outputs = [part for file in files for part in ("-o", file)]
    assert call("render", art, *outputs, "--animate", "6")[0] == 0
    assert all(Path(file).stat().st_size for file in files)
    assert "animation-delay" in Path("a.svg").read_text()
    code, _, err = call("render", art, "-o", "b.html", "--animate", "6")
    assert code == 2
    assert "cannot be animated" in err


def screen(text: str) -> list[str]:
    """The lines of a terminal of endless height after `text`, without colours."""
    rows, row = [""], 0
    for mark in re.findall(r"\x1b\[[\d;?]*[A-Za-z]|.|\n", text):
        if mark == "\n":
            row += 1
            rows += [""] * (row == len(rows))
        elif mark == "\x1b[2K":
            rows[row] = ""
        elif re.fullmatch(r"\x1b\[\d*A", mark):
            row -= int(mark[2:-1] or 1)
        elif len(mark) == 1 and mark != "\r":
            rows[row] += mark
    return [line.rstrip() for line in rows if line.strip()]


def test_bars_of_a_batch_neither_eat_lines_nor_leave_rows(registry, capsys, monkeypatch):
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    summary = {"mse": None, "accuracy": None, "psnr": 20.0, "steps": 4, "seconds": 1.0}
    recipe = {
        "primitive": {"name": "gaussian"},
        "stage": [{"engine": "gradient", "steps": 4}],
        "run": {"device": "cpu"},
        "seed": 1,
    }
    threads = threading.active_count()
    with progress(registry, Common(None, False, False, False), runs=3) as [story]:
        # Another thread that draws would move the cursor by the rows of an earlier drawing.
        assert threading.active_count() == threads
        for name in ("a", "b", "c"):
            story(Working(name, "reading the target"))
            story(Started(name, 0, 4, recipe))
            story(Evaluated(name, 1, 4, 0.1, 10.0, 0.1))
            story(Advanced(name, 4, 4, 0.2))
            story(Working(name, "writing the files"))
            story(Finished(name, {**summary, "stopped_by": "steps"}))
            story.ended(name)
            print(f"{name}.png", flush=True)
            print(f"{name}.art", flush=True)
    expected = []
    for name in ("a", "b", "c"):
        expected += [f"{name}: gaussian, gradient for 4 steps, cpu, seed 1"]
        expected += [f"{name}: 20.00 dB after 4 steps in 1.0 s, stopped by steps"]
        expected += [f"{name}.png", f"{name}.art"]
    err = capsys.readouterr().err
    assert screen(err) == expected
    for work in ("reading the target", "writing the files"):
        assert err.count(work) >= 3


def test_a_terminal_shows_what_is_being_loaded(tmp_path, capsys, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("loaded_once", "loaded_quietly"):
        (tmp_path / f"{name}.py").touch()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    load_module("loaded_once", quiet=False)
    assert capsys.readouterr().err == "loading torch\r\x1b[K"
    load_module("loaded_once", quiet=False)
    load_module("loaded_quietly", quiet=True)
    assert capsys.readouterr().err == ""


def test_an_interrupted_batch_is_reported_in_one_line(call, monkeypatch):
    save_pictures(Path("set"))
    controls: list[RunControl] = []

    @contextmanager
    def signals(control: RunControl, **_: object) -> Iterator[None]:
        controls.append(control)
        yield

    class Stop(Story):
        def advance(self, event: Advanced) -> None:
            controls[0].request_stop()

    @contextmanager
    def stopping(registry: Registry, *_: object, **__: object) -> Iterator[list[Story]]:
        yield [Stop(registry, lambda message: None)]

    monkeypatch.setattr("artgen.cli._runs.graceful_signals", signals)
    monkeypatch.setattr("artgen.cli._runs.progress", stopping)
    tiny = [*TINY[:-1], "--backend", "eager", "--no-video"]
    code, out, err = call("fit", "set/0.png", "set/90.png", *tiny, "--steps", "400")
    assert code == 130
    assert "artgen-out/0-gaussian.png" in out
    left = "1 of 2 runs ended early, 1 of 2 runs were not started: continue with --resume\n"
    assert err == left


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("fit", "-p", "tirangle"), 4, "unknown primitive 'tirangle'"),
        (("fit", "-e", "clim"), 4, "unknown engine 'clim'"),
        (("fit", "missing.jpg"), 3, "target missing.jpg does not exist"),
        (("fit", "sample:cta"), 3, "there is no sample 'cta'"),
        (("fit", "--mask", "missing.png"), 3, "mask missing.png does not exist"),
        (("fit", "--device", "gpu"), 2, "there is no device 'gpu'"),
        (("fit", "--background", "tael"), 2, "'tael' is not a colour"),
        (("render", "missing.art"), 3, "missing.art does not exist"),
        (("morph", "missing.art", "other.art"), 3, "missing.art does not exist"),
    ],
)
def test_mistakes_are_found_before_torch_is_loaded_and_outputs_are_checked(
    arguments, code, says, call, monkeypatch
):
    out = Path("artgen-out")
    out.mkdir()
    for stem in ("astronaut-gaussian", "missing", "missing-other"):
        for suffix in ("json", "png", "mp4"):
            (out / f"{stem}.{suffix}").touch()
            Path(f"{stem}.{suffix}").touch() if "missing" in stem and suffix != "png" else None
    Path("other.art").touch()

    def load(*names: object) -> None:
        raise AssertionError("the runs were made ready")

    monkeypatch.setattr("artgen.cli._runs.Session.run_one", load)
    monkeypatch.setattr("artgen.art.load", load)
    assert call(*arguments)[0] == code
    assert says in call(*arguments)[2]


def test_an_interruption_is_answered_at_once(capfd):
    control = RunControl()
    with graceful_signals(control, answer="interrupted: wait"):
        signal.raise_signal(signal.SIGINT)
        assert control.stop_requested
        assert capfd.readouterr().err == "\ninterrupted: wait\n"
