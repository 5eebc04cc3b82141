"""What `artgen` says: plain messages, hints that help, whole lines beside bars, and `--quiet`."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from PIL import Image

from artgen.base import process
from artgen.base.errors import OutputError, UsageError
from artgen.cli._console import describe, load_module
from artgen.cli._flags import Common
from artgen.cli._progress import Story, _bar, _Bars, progress
from artgen.events import Advanced, Evaluated, Finished, Started, Working
from artgen.plan.catalogue import facts_of
from artgen.plan.early import check_options
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs import RunFolder
from artgen.runs.files.log import JsonLines
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
        "fit sample:cat",
        "fit sample:coffee -o there.svg",
        "compare sample:cat -p gaussian -p triangle",
        "compare -p gaussian",
    ]
    there = ("cat-single-line.png", "cat-triangle.art", "astronaut-compare.png")
    for name in (*(f"artgen-out/{each}" for each in there), "there.svg"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    code = (
        "import sys\n"
        "from artgen.cli import main\n"
        f"print([main(line.split()) for line in {lines}], 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "[2, 4, 4, 4, 2, 4, 2, 2, 3, 2, 2, 2, 2] False\n", done.stderr
    for name in ("loss 'l3'", "primitive 'gausian'", "engine 'gradint'"):
        assert done.stderr.count(f"unknown {name}") == 2
    wrong = "Triangle has no option 'siz'\nhint: did you mean min_size or max_size?"
    assert wrong in done.stderr
    assert "engine gradient has no option 'rat'" in done.stderr
    assert "cat-single-line.png exists" in done.stderr
    assert "there.svg exists" in done.stderr


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
            check_options(asked, registry, load=False)


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
        check_options(Recipe.from_request(table), registry, load=False)


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
        (("fit", "--focus", "face"), "focus face does not exist", "write auto, faces, none"),
        (("fit", "--focus", "5,5,5"), "'5,5,5' is not a circle in a picture", "0.5,0.3,0.1"),
        (("plugins", "search", " "), "the word to search for is empty", "artgen plugins list"),
        (("fit", "ftp://example.org/a.png"), "is a URL", "download"),
        (("fit", "sample:digits", *TINY), "cannot be fitted to a target of kind set", "-p "),
        (("fit", "empty", *TINY), "folder empty holds no pictures", ".png"),
        (("gallery", "open"), "there is no folder gallery", "folder that contains TOML recipes"),
        (("render", "noise.art"), "noise.art is not an .art file, or it is damaged", "copy it"),
        (("render", "logo.png"), "logo.png is not an .art file", "artgen fit logo.png"),
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
    summary = {"mse": None, "accuracy": None, "psnr": 20.0, "steps": 4}
    summary |= {"seconds": 1.0, "total_seconds": 2.5}
    recipe = {
        "primitive": {"name": "gaussian"},
        "stage": [{"engine": "gradient", "steps": 4}],
        "run": {"device": "cpu"},
        "seed": 1,
    }
    threads = threading.active_count()
    with progress(registry, Common(None, False, False, False), runs=3) as story:
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
        ended = "20.00 dB after 4 steps in 1.0 s, 2.5 s since the start: all steps are done"
        expected += [f"{name}: {ended}"]
        expected += [f"{name}.png", f"{name}.art"]
    err = capsys.readouterr().err
    assert screen(err) == expected
    for work in ("reading the target", "writing the files"):
        assert err.count(work) >= 3


def test_the_bar_of_a_run_of_unknown_length_is_not_full(registry):
    """After its first step it was, as if nothing were left to do."""
    recipe = {"primitive": {"name": "own"}, "stage": [], "run": {"device": "cpu"}, "seed": 1}
    bar = _bar()
    story = _Bars(registry, bar, 1)
    story(Started("it", 0, 0, recipe))
    story(Advanced("it", 3, 0, 0.1))
    [task] = bar.tasks
    assert (task.completed, task.total) == (3, None)
    story(Advanced("it", 4, 9, 0.1))
    story(Advanced("it", 5, 0, 0.1))
    assert (task.completed, task.total) == (5, 9)


def test_a_weighted_psnr_is_called_so(call):
    """With a focus the last line of a fit said 23.64 dB where its progress had said 24.91."""
    err = call("fit", "sample:cat", *TINY, "--focus", "0.5,0.5,0.2", "--json")[2]
    assert re.search(r"step 4/4 .* [0-9.]+ dB weighted", err)
    assert re.search(r"[0-9.]+ dB unweighted after 4 steps", err)
    assert "weighted" not in call("fit", "sample:cat", *TINY, "--json", "--overwrite")[2]


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


def test_a_pipe_is_told_what_is_being_loaded(tmp_path, capsys, monkeypatch):
    """Half a minute of nothing where stderr was no terminal looked like a command that hangs."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "loaded_into_a_pipe.py").touch()
    load_module("loaded_into_a_pipe", quiet=False)
    load_module("loaded_into_a_pipe", quiet=False)
    assert capsys.readouterr().err == "loading torch\n"


def test_the_summary_has_the_time_since_the_command_began(call, monkeypatch):
    """It had that of fitting alone, about half of what one had waited for."""

    def begin_waiting() -> None:
        process._began = time.monotonic() - 10_000

    monkeypatch.setattr(process, "begin_waiting", begin_waiting)
    code, out, err = call("fit", "sample:cat", *TINY, "--seeds", "1,2", "--json")
    assert code == 0
    first, second = json.loads(out)["runs"]
    assert first["seconds"] < 10_000 <= first["total_seconds"]
    assert second["seconds"] <= second["total_seconds"] < 10_000
    assert f", {first['total_seconds']:.1f} s since the start: all steps are done\n" in err


def test_the_process_ends_with_its_last_line():
    """Python took the objects of torch apart, for a second or more, before the prompt returned."""
    script = """
import atexit, os, sys
from artgen.cli import main

class Torch:
    def __del__(self, write=os.write):
        write(1, b"taken apart")

torch = Torch()
sys.argv = ["artgen", *sys.argv[1:]]
code = main()
atexit.register(print, "temporary files are removed")
sys.exit(code)
"""
    for arguments, code in ((["--version"], 0), (["fit", "--zork"], 2)):
        line = [sys.executable, "-c", script, *arguments]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert done.stdout.endswith("temporary files are removed\n")


LONG = "x" * 300


def test_an_unknown_option_is_told_without_numpy():
    work = "from artgen.cli import main; main(['fit', '--zork'])"
    code = f"import sys; {work}; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n", done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message", "hint"),
    [
        ("fit photo.png --crop 16/9", 2, "--crop '16/9' is not an aspect ratio", "write 16:9, or"),
        ("fit photo.png --crop wide", 2, "--crop 'wide' is not an aspect ratio", "write 9:16, or"),
        ("fit photo.png --crop 16x9", 2, "a still of 16 by 9 pixels", "write 16:9 for the aspect"),
        ("fit photo.png --pad red --crop-at 0,0", 2, "--pad and --crop-at were both", "leave one"),
        ("fit phto.png", 3, "phto.png does not exist", "did you mean photo.png?\n"),
        ("fit photo.png --time 1m", 2, "--time '1m' is not a number of seconds", "write 60\n"),
        ("fit photo.png --time 1.5h", 2, "is not a number of seconds", "write 5400\n"),
        ("fit photo.png --steps 1e3", 2, "is not a number of steps", "write 1000\n"),
        ("fit photo.png -n 2k", 2, "'2k' is not a number of parts", "write 2000\n"),
        ("fit photo.png -n 1e9", 2, "'1e9' is not a number of parts", "use 1 to 10000000"),
        ("fit photo.png --target-bytes 4apples", 2, "is not a file size", "write 10MB or 500kB\n"),
        ("compare photo.png --bytes 4kB", 2, "must be a whole number, got '4kB'", "write 4000\n"),
        ("fit photo.png --fps 30fps", 2, "must be a whole number, got '30fps'", "write 30\n"),
        ("compare photo.png -p mlp --time 1m", 2, "must be a number, got '1m'", "write 60\n"),
        ("fit -p string --nails 200", 2, "--nails", "of string: write --set nails=200\n"),
        ("fit -p siren --rate=0.1", 2, "--rate", "gradient: write --set engine.rate=0.1\n"),
        ("fit --set nails=20", 2, "has no option 'nails'", "string has it: write -p string\n"),
        ("fit --set steps=20", 2, "has no option 'steps'", "write --steps 20\n"),
        ("fit photo.png -triangle", 2, "no such option: -t", "write -p triangle\n"),
        ("fit photo.png -p thread", 4, "'thread'", "thread is a look: --look thread\n"),
        ("fit photo.png --look triangle", 4, "'triangle'", "is a primitive: -p triangle\n"),
        ("fit photo.png -p climb", 4, "'climb'", "climb is an engine: -e climb\n"),
        (
            "fit photo.png --look papercut",
            4,
            "'papercut'",
            "mean paper-cut? papercut is a primitive",
        ),
        ("fit --look linocut --polish", 2, "not hatch", "hatch is what the look linocut is drawn"),
        ("fit --look linocut --transparent", 2, "hatch cannot", "what the look linocut is drawn"),
        ("fit --look thread --set foo=3", 2, "String has no", "what the look thread is drawn with"),
        (
            "fit points:spiral --crop 1:1",
            2,
            "cannot be cropped",
            "what crops: --crop, or a look",
        ),
        (
            "fit --look riso --set inks=whyte",
            2,
            "'whyte' is not a colour",
            "a CSS name such as teal",
        ),
        ("fit photo.png --focus 3,3,3", 2, "error: --focus is wrong: '3,3,3'", ""),
        ("fit photo.png --loss text:a/x+text:b/x", 2, "error: --loss names files", ""),
        ("fit photo.png --watercolour", 2, "--watercolour", "write --look watercolour\n"),
        ("render a.art --scale 2", 2, "no such option: --scale", "write --size 2x for twice"),
        ("render a.art --svg", 2, "--svg", "write -o FILE.svg\n"),
        ("fit --aspect 1:1", 2, "no such option: --aspect", "write --crop 1:1\n"),
        ("fit --overwite", 2, "no such option: --overwite\n", "did you mean --overwrite"),
        ("fit photo.png -qx", 2, "no such option: -x\n", "see `artgen fit --help`"),
        ("photo.png", 2, "no such command 'photo.png'", "fit it with `artgen fit photo.png`\n"),
        ("a.art", 2, "no such command", "draw it with `artgen render a.art`, or start"),
        ("triangle", 2, "no such command", "write artgen fit -p triangle\n"),
        ("fit a.art", 3, "a.art is not a picture that artgen can read", "`artgen render a.art`"),
        ("fit run.jsonl", 3, "is not a picture", "plot it with `artgen plot run.jsonl`"),
        ("fit points.tsv", 3, "is not a picture", "x,y in each line is a curve"),
        ("fit photo.png --zork", 2, "no such option: --zork", "see `artgen fit --help`"),
        ("plot a.art --kind triples --target x", 2, "--target is for scatter", "--kind ranks"),
        ("render photo.png", 3, "photo.png is not an .art file", "fit it with `artgen fit photo"),
        ("morph a.art look.toml", 3, "look.toml is not an .art file", "artgen fit --recipe look"),
        ("render a.art -o out.stl", 2, "out.stl has an unknown format", "known: apng, art, avif"),
        (["fit", "y = sin(x)"], 3, "does not exist", '"curve:sin(x)?from=-5&to=5"'),
        (["fit", "a cat on the moon"], 3, "does not exist", "words are a loss"),
        ("fit broken.png", 3, "broken.png does not exist", "a symbolic link to what is not there"),
        ("fit --palette 1", 2, "a palette of 1 colour cannot be learned", "such as black,teal"),
        ("fit --loss mse2", 2, "error: unknown loss 'mse2'\n", "did you mean mse"),
        ("compare photo.png", 2, "nothing to compare", "compare photo.png -p gaussian -p triangle"),
        ("fit HTTP://127.0.0.1/a.png", 3, "is an address of this machine", "download"),
        (f"fit {LONG}.png", 3, "does not exist", "looked in"),
        (f"render a.art -o {LONG}.png", 6, "File name too long", "choose a shorter name"),
        (
            "fit --resume out/it.run/",
            2,
            "takes no folder, and out/it.run is no target",
            "write --resume --out out --name it\n",
        ),
        (f"make stencil photo.png --name {LONG}", 6, "cannot create", "choose a shorter name"),
        (f"render a.art --plugin {LONG}.py", 4, "does not exist", "check its path"),
        (f"gallery build {LONG}", 3, "there is no folder", "name a folder that contains TOML"),
    ],
)
def test_what_sent_people_away_says_what_to_do(call, arguments, code, message, hint):
    """Each of these was refused with a message that did not help: a new user gave up on it."""
    Image.new("RGB", (8, 8)).save("photo.png")
    Path("broken.png").symlink_to("nowhere.png")
    Path("a.art").write_bytes(bytes(8) + b"{}")
    for name in ("run.jsonl", "look.toml", "points.tsv"):
        Path(name).write_text("x")
    found, out, err = call(*(arguments.split() if isinstance(arguments, str) else arguments))
    assert (found, out) == (code, ""), err
    assert message in err
    assert hint in err.partition("hint: ")[2]


def test_a_photo_that_lies_elsewhere_is_named_beside_its_recipe(call):
    """A hint named other photos of the folder, which could not be it, or only where it is not."""
    Path("photos").mkdir()
    Image.new("RGB", (8, 8)).save("photos/my photo 1.png")
    Image.new("RGB", (8, 8), "red").save("my photo 2.png")
    made = ("fit", "photos/my photo 1.png", "-p", "circle", *TINY, "--name", "made", "--no-video")
    assert call(*made)[0] == 0
    again = ("--recipe", "artgen-out/made.png", "--name", "again", "--no-video")
    code, _, err = call("fit", *again)
    assert (code, "my photo 1.png does not exist" in err) == (3, True)
    assert "if it lies elsewhere: artgen fit 'FOLDER/my photo 1.png', and the same flags" in err
    assert "my photo 2" not in err
    assert call("fit", "photos/my photo 1.png", *again)[0] == 0


def test_a_drawing_without_background_says_how_to_render_it_so(call, tmp_path):
    """`render` laid a transparent drawing on its background, and did not say so."""
    Image.new("RGBA", (8, 8), (9, 9, 9, 0)).save("logo.png")
    assert call("fit", "logo.png", "-p", "triangle", *TINY, "--transparent")[0] == 0
    art = next(Path("artgen-out").glob("*.art"))
    note = "fitted without its background: --transparent leaves it out"
    assert note in call("render", str(art), "-o", "a.png")[2]
    assert note not in call("render", str(art), "-o", "b.png", "--transparent")[2]
    code, _, err = call("render", str(art), "-o", "c.gif", "--seconds", "0.2")
    assert (code, note in err) == (0, False)  # a video cannot be transparent


def test_parts_that_will_be_transparent_are_refused_as_eps_before_the_fit(call):
    line = ["fit", "sample:cat", "-p", "circle", *TINY, "-o", "a.eps"]
    for option in ("engine.alpha=0.5", "max_alpha=0.5"):
        code, _, err = call(*line, "--set", option)
        assert code == 2
        assert "EPS cannot hold transparent parts" in err
    assert not Path("artgen-out").exists()
    assert call(*line, "--set", "engine.alpha=1.0")[0] == 0


@pytest.mark.parametrize("suffix", ["jpg", "html", "gif"])
def test_a_file_that_cannot_be_transparent_is_refused_before_the_fit(call, suffix):
    """It was refused after the fit."""
    clear = ("fit", "sample:cat", "-p", "triangle", *TINY, "--transparent")
    code, _, err = call(*clear, "-o", f"a.{suffix}", "-o", "a.svg")
    assert (code, "cannot be transparent" in err) == (2, True)
    assert [*Path().iterdir()] == []


def test_what_plugins_print_is_no_part_of_a_result(call):
    """A file on standard output began with it."""
    lines = "from artgen_plugins.gaussian import Gaussian\n", "class Chatty(Gaussian):\n"
    body = "    def footprint(self, dx, dy, p):\n        print('hello')\n"
    last = "        return super().footprint(dx, dy, p)\n"
    Path("chatty.py").write_text("".join([*lines, body, last]))
    plugin = ("--plugin", "chatty.py")
    code, out, err = call("fit", "sample:cat", "-p", "chatty", *plugin, *TINY, "--json")
    assert (code, json.loads(out)["steps"], "hello" in err) == (0, 4, True)
    code, out, err = call("render", "artgen-out/cat-chatty.art", *plugin, "-o", "a.png")
    assert (code, out.split(), "hello" in err) == (0, ["a.png"], True)


def test_json_names_the_files_of_o_that_were_written(call):
    """It named none of them, so neither those beside one that failed."""
    fit = ("fit", "sample:cat", "-p", "triangle", *TINY, "--json")
    fit = (*fit, "--set", "engine.alpha=0")  # its parts turn out to be transparent
    code, out, _ = call(*fit, "-o", "a.svg", "-o", "a.eps")
    assert (code, json.loads(out)["exports"]) == (2, ["a.svg"])


def test_the_border_of_a_picture_is_not_called_transparent(call):
    """`--fit` makes a transparent border, for which there was a note on the target's alpha."""
    Image.new("RGB", (24, 10)).save("photo.png")
    fit = ("fit", "photo.png", "-p", "triangle", *TINY, "--crop", "1:1", "--fit")
    code, _, err = call(*fit)
    assert code == 0
    assert "is transparent in" not in err


def test_what_the_system_refuses_is_told_with_what_to_try(tmp_path):
    """`--log /dev/full` ended with `unexpected OSError`, as the buffer was written once more."""

    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        def close(self) -> None:
            if not self.closed:
                super().close()
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    log = JsonLines(tmp_path / "a.jsonl", resumed_at=None, overwrite=False)
    log.file.close()
    log.file = Full()
    refusal = pytest.raises(OutputError, match=r"cannot write .*a\.jsonl: No space left")
    with refusal as caught, closing(log):
        log(Evaluated("it", 1, 4, 0.1, 10.0, 0.1))
    assert caught.value.hint == "free some space or write to another disk"
    told = describe(OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), "long.png"))
    assert told["message"] == "the system refuses long.png: File name too long"
    assert (told["hint"], told["exit_code"]) == ("choose a shorter name", 6)


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
    def stopping(registry: Registry, *_: object, **__: object) -> Iterator[Story]:
        yield Stop(registry, lambda message: None)

    monkeypatch.setattr("artgen.cli._runs.graceful_signals", signals)
    monkeypatch.setattr("artgen.cli._runs.progress", stopping)
    tiny = [*TINY[:-1], "--backend", "eager", "--no-video"]
    code, out, err = call("fit", "set/0.png", "set/90.png", *tiny, "--steps", "400")
    assert code == 130
    assert "artgen-out/0-gaussian.png" in out
    left = "1 of 2 runs ended early, 1 of 2 runs were not started: continue with --resume"
    note = "primitive: gaussian, since flags say how (add --look single-line for a line)"
    assert err == f"{note}\n{left}\n"


def test_a_file_of_the_name_of_an_unknown_part_is_told(call, empty_folder):
    """`artgen fit -p dab` beside dab.py asked: did you mean draft?"""
    Path("dab.py").write_text("")
    code, _, err = call("fit", "-p", "dab")
    assert code == 4
    assert err == ("error: unknown primitive 'dab'\nhint: pass --plugin dab.py if it is in there\n")


def test_of_a_file_that_was_passed_what_it_offers_is_told(call, empty_folder):
    """The hint was to pass it."""
    splat = "class Blot(artgen.Splat):\n  footprint = radius = None\n"
    hook = "@artgen.hookimpl\ndef artgen_losses(): return [artgen.Spec('dim', 'x', print)]\n"
    Path("dab.py").write_text(f"import artgen\n{splat}")
    Path("spot.py").write_text(f"import artgen\n{splat}{hook}")
    for name in ("dab", "dab.py"):
        err = call("fit", "-p", name, "--plugin", "dab.py")[2]
        assert err == f"error: unknown primitive {name!r}\nhint: dab.py offers primitive blot\n"
    code, _, err = call("fit", "-p", "spot", "--plugin", "spot.py")
    said = "hint: spot.py offers loss dim, and lacks the hook artgen_primitives"
    assert (code, err.splitlines()[1]) == (4, said)


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
def test_mistakes_are_found_before_outputs_are_checked(arguments, code, says, call, monkeypatch):
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


def test_a_view_that_is_wrong_is_explained_for_flags_and_for_recipes(call):
    """The hint was that of the flag, also for a view of a recipe."""
    Path("v.toml").write_text('[[view]]\nhow = "turn=45"\n')
    err = call("fit", "sample:cat", "-p", "triangle", *TINY, "--recipe", "v.toml")[2]
    assert 'use --view turn=VALUE:PICTURE, or how = "turn=VALUE" in a recipe' in err
    Path("v.toml").write_text('[[view]]\nhow = "turn=90"\nweight = -1\n')
    assert "view.1.weight must be greater than 0" in call("fit", "--recipe", "v.toml")[2]


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ("--max-bytes 9kB", "--no-video and --max-bytes were both given"),
        ("--film wipe", "--no-video and --film were both given"),
        ("--fps 9 --history 0", "--no-video and --fps were both given"),
        ("--pad red", "--pad changes nothing of a picture in its own shape"),
        ("--crop-at face --size 20", "--crop-at changes nothing"),
    ],
)
def test_a_flag_without_effect_is_refused(call, flags, says):
    """It was ignored without a word."""
    code, _, err = call("fit", "sample:cat", "-p", "triangle", *TINY, *flags.split())
    assert (code, says in err) == (2, True), err


def test_flags_that_have_an_effect_are_taken(call):
    fit = ("fit", "sample:cat", "-p", "triangle", *TINY, "--fps", "9", "--overwrite")
    assert call(*fit, "--film", "zoom-into")[0] == 0  # whose first frame is the still
    assert call(*fit, "--still-size", "20x10", "--crop-at", "0.5,0.2")[0] == 0
    for flags in (["--crop-at", "face"], ["--fit", "--size", "20"]):
        err = call("render", "artgen-out/cat-triangle.art", *flags)[2]
        assert f"{flags[0]} changes nothing" in err


def test_a_command_of_a_group_is_found_without_it(call):
    assert "did you mean artgen plugins list?" in call("list")[2]


def test_the_hint_of_a_bound_is_not_the_refused_number(call):
    """It said: write 1e-06."""
    code, _, err = call("render", "a.art", "-o", "a.mp4", "--speed", "0.000001")
    assert (code, "0.001" in err, "hint: write" in err) == (2, True, False)
    code, _, err = call("render", "a.art", "--dpi", "1e9")
    assert (code, "10000" in err, "hint: write" in err) == (2, True, False)
