"""`artgen render`, `info`, `plugins` and `doctor`, and what `artgen` says of itself."""

from __future__ import annotations

import inspect
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import PATIENCE
from PIL import Image

import artgen
import artgen._version
import artgen.cli._machine
from artgen.base.errors import OutputError
from artgen.cli import main
from artgen.cli._flags import Common, WithoutPlugins, flat
from artgen.cli._machine import Finding, examine
from artgen.cli.render import _say_what_is_cut
from artgen.registry import Registry
from artgen.values.frame import parse_frame

STEM = "artgen-out/astronaut-gaussian"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one finished run, video included."""
    folder = tmp_path_factory.mktemp("finished")
    before = Path.cwd()
    os.chdir(folder)
    try:
        arguments = ("--size", "24", "-n", "8", "--steps", "3", "--seed", "9", "--threads", "1")
        assert main(["fit", *arguments, "--video-seconds", "0.3", "--fps", "10", "-q"]) == 0
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def call(finished: Path, monkeypatch: pytest.MonkeyPatch, call):
    monkeypatch.chdir(finished)
    return call


def size_of(path: str) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def test_render_draws_at_any_size_into_any_files(call):
    code, out, err = call("render", f"{STEM}.art", "--size", "50", "-o", "a.png", "-o", "b.png")
    assert (code, out, err) == (0, "a.png\nb.png\n", "")
    assert size_of("a.png") == size_of("b.png") == (50, 50)


@pytest.mark.parametrize(
    ("flags", "width", "height", "said"),
    [
        ("--size 2x", 48, 48, None),
        ("--size 0.5x", 12, 12, None),
        ("--size 2x --crop 2:1", 48, 24, None),
        (
            "--size 32 --crop 2:1",
            32,
            16,
            None,
        ),  # said that 32 cuts, not the crop that was asked for
        ("--size 32x16", 32, 16, "32x16 cuts 50 % of the height off: --fit shows all in a border"),
        ("--size A6 --dpi 25.4", 105, 148, "A6 cuts 29 % of the width off"),
        ("--size 32x16 --fit", 32, 16, None),
        ("--size 32x16 -q", 32, 16, None),
    ],
)
def test_render_draws_a_multiple_and_says_what_a_size_cuts_off(call, flags, width, height, said):
    """`--size 2x` was no size, and a sheet of paper cut a drawing off without a word."""
    code, _, err = call("render", f"{STEM}.art", *flags.split(), "-o", "a.png", "--overwrite")
    assert (code, size_of("a.png")) == (0, (width, height))
    assert said in err if said else not err


def test_sides_that_cut_less_when_swapped_are_said(capsys):
    art = SimpleNamespace(drawing=SimpleNamespace(width=90, height=60))
    _say_what_is_cut("20x30cm", parse_frame("20x30cm"), art)
    assert capsys.readouterr().err.endswith("shows all in a border, and sides swapped more\n")


def test_render_is_the_still_again(call):
    call("render", f"{STEM}.art", "-o", "same.png")
    with Image.open("same.png") as mine, Image.open(f"{STEM}.png") as still:
        assert np.array_equal(np.array(mine), np.array(still))


def test_render_goes_to_the_current_folder_and_overwrites_nothing(call):
    assert call("render", f"{STEM}.art", "--overwrite")[1] == "astronaut-gaussian.png\n"
    code, out, err = call("render", f"{STEM}.art")
    assert (code, out) == (2, "")
    assert "astronaut-gaussian.png exists" in err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([f"{STEM}.art", "-o", "x.tqk"], 2, "known: apng, art, avif, eps, gif, "),
        ([f"{STEM}.art", "-o", "x"], 2, "x has an unknown format"),
        ([f"{STEM}.art", "--size", "0"], 2, "--size"),
        ([f"{STEM}.art", "--supersample", "9"], 2, "--supersample"),
        ([f"{STEM}.art", "--device", "abacus", "-o", "x.png"], 2, "abacus"),
        ([f"{STEM}.art", "-o", "nowhere/x.png"], 6, "nowhere"),
        ([f"{STEM}.png", "-o", "x.png"], 3, "is not an .art file"),
        (["missing.art", "-o", "x.png"], 3, "missing.art does not exist"),
        ([], 2, "ART"),
    ],
)
def test_render_refuses(call, arguments, code, words):
    found, out, err = call("render", *arguments)
    assert (found, out) == (code, "")
    assert words in err
    assert not Path("x.png").exists()


@pytest.mark.parametrize("suffix", [".png", ".mp4", ".art", ".json"])
def test_info_gives_the_recipe_of_every_output(call, suffix):
    code, out, _ = call("info", f"{STEM}{suffix}", "--recipe")
    assert code == 0
    recipe = tomllib.loads(out)
    assert (recipe["seed"], recipe["primitive"]["count"]) == (9, 8)
    code, text, _ = call("info", f"{STEM}{suffix}")
    assert code == 0
    assert text.endswith(out)
    assert ["seed", "9"] in [line.split() for line in text.splitlines()]


def test_info_knows_metrics_and_plugin(call):
    summary = json.loads(Path(f"{STEM}.json").read_text())
    art = json.loads(call("info", f"{STEM}.art", "--json")[1])
    assert art["metrics"]["psnr"] == summary["psnr"]
    assert art["plugin"] == f"artgen {artgen.__version__}"
    stored = json.loads(call("info", f"{STEM}.json", "--json")[1])
    assert (stored["kind"], stored["artgen"]) == ("summary", artgen.__version__)
    assert stored["recipe"] == art["recipe"] == summary["recipe"]


def test_info_refuses(call):
    Path("cut.art").write_bytes(Path(f"{STEM}.art").read_bytes()[:-9])
    assert "cut.art is damaged" in call("info", "cut.art")[2]
    for name in ("cut.art", "missing.png", "text.txt"):
        assert call("info", name)[0] == 3
    assert call("info", f"{STEM}.art", "--recipe", "--json")[0] == 2


def test_the_printed_recipe_makes_the_same_picture(call):
    Path("r.toml").write_text(call("info", f"{STEM}.png", "--recipe")[1])
    code, _, err = call("fit", "--recipe", "r.toml", "--name", "twin", "--no-video", "-q")
    assert (code, err) == (0, "")
    with Image.open("artgen-out/twin.png") as twin, Image.open(f"{STEM}.png") as still:
        assert np.array_equal(np.array(twin), np.array(still))


def test_plugins_list_tells_states_and_how_to_install(call):
    Path("broken.py").write_text(
        "import artgen\n\n@artgen.hookimpl\ndef artgen_losses():\n    1/0\n"
    )
    code, out, _ = call("plugins", "list")
    assert code == 0
    assert "primitive: gaussian" in out
    assert f"{sys.executable} -m pip install" in out
    code, _, err = call("plugins", "list", "--plugin", "broken.py")
    assert code == 4
    assert "ZeroDivisionError" in err


def test_plugins_show(call):
    code, out, _ = call("plugins", "show", "gaussian")
    assert code == 0
    for words in ("artgen_plugins.gaussian:Gaussian", "--set KEY=VALUE", "angle", "blend"):
        assert words in out
    assert "--set engine.KEY=VALUE" in call("plugins", "show", "gradient")[1]
    assert "artgen.losses:mse" in call("plugins", "show", "artgen/mse")[1]
    code, out, err = call("plugins", "show", "gausian")
    assert (code, out) == (4, "")
    assert "did you mean gaussian" in err


def test_plugins_show_agrees_with_the_code(call):
    data = json.loads(call("plugins", "show", "gaussian", "--json")[1])
    cls = Registry().load("primitive", "gaussian")
    assert data["count"] == cls.defaults.count
    assert data["engines"] == list(cls.engines)
    assert [p["name"] for p in data["parameters"]] == list(cls().parameters())
    # A symmetry that is none is not stored, nor what has no value until it is given.
    assert [o["name"] for o in data["options"] if o["default"] is None] == ["spot_colours"]
    names = [o["name"] for o in data["options"] if o["default"] not in (None, "none")]
    assert names == list(cls().option_values())
    assert "spot_colours" in cls({"spot_colours": "red", "blend": "over"}).option_values()


def test_doctor_is_well_here(call):
    code, out, err = call("doctor")
    assert (code, err) == (0, "")
    assert all(line.split()[0] in ("ok", "warn") for line in out.splitlines())
    names = {check.name for check in examine(Registry())}
    assert {"python", "torch", "av", "gpu", "video", "samples", "plugin artgen"} <= names


def test_doctor_draws_no_samples(monkeypatch):
    """Every one that is drawn was drawn, in ten seconds: they need nothing of the machine."""

    def drawn(*given: object) -> None:
        raise AssertionError(f"{given} is drawn")

    monkeypatch.setattr("artgen_plugins.samples.opener._open_subject", drawn)
    (found,) = [check for check in examine(Registry()) if check.name == "samples"]
    assert found.state == "ok"
    assert re.fullmatch(r"all \d\d photographs can be read", found.detail)


def test_doctor_tells_what_does_not_work_and_keeps_secrets(call, monkeypatch):
    def no_encoder() -> None:
        raise OutputError(f"no H.264 below {Path.home() / 'lib'}")

    monkeypatch.setattr("artgen.output.probe_encoder", no_encoder)
    code, out, err = call("doctor", "--json")
    data = json.loads(out)
    assert code == data["error"]["exit_code"] == 6
    assert not data["ok"]
    (video,) = [check for check in data["checks"] if check["state"] == "fail"]
    assert video["name"] == "video"
    assert "no H.264 below ~" in video["detail"]
    assert str(Path.home()) not in out
    assert "video" in err


def test_doctor_reports_without_secrets(call, monkeypatch):
    monkeypatch.setenv("ARTGEN_SECRET", "hunter2")
    code, out, _ = call("doctor", "--report")
    assert code == 0
    assert out.startswith("| | what | |")
    assert "| ok | torch | " in out
    assert "ARTGEN_SECRET" in out
    assert "hunter2" not in out
    assert str(Path.home()) not in out


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot read /srv/jane/x.py", "cannot read .../x.py"),
        ("cannot read 'C:\\Users\\jane\\x.py'", "cannot read '.../x.py'"),
        ("from ~/jane/x.py (/opt/jane/lib/a.so)", "from .../x.py (.../a.so)"),
        ("either/or, 3/4, https://a.b/c", "either/or, 3/4, https:/.../c"),
    ],
)
def test_of_paths_the_last_part_is_shown(text, shown):
    assert artgen.cli._machine._without_paths(text) == shown


def test_doctor_needs_no_plugin_of_others(monkeypatch):
    registry = Registry(environ={"ARTGEN_DISABLE_PLUGINS": "artgen_plugins"})
    checks = artgen.cli._machine._plugins(registry)
    assert [check.state for check in checks] == ["ok", "warn"]
    needed = (*artgen.cli._machine._NEEDED, "no-such-package")
    monkeypatch.setattr(artgen.cli._machine, "_NEEDED", needed)
    monkeypatch.setitem(artgen.cli._machine._MODULES, "no-such-package", "no_such_module")
    missing = [check for check in examine(registry) if check.state == "fail"]
    assert missing == [
        Finding("no-such-package", "fail", "ModuleNotFoundError: No module named 'no_such_module'")
    ]


def test_version_and_help(call):
    version, commit = re.escape(artgen.__version__), r"( \([0-9a-f]{7,}(-dirty)?\))?"
    code, out, err = call("--version")
    assert (code, err) == (0, "")
    assert re.fullmatch(f"artgen {version}{commit}\n", out)
    for arguments in ([], ["--help"], ["-h"]):
        code, out, _ = call(*arguments)
        assert code == 0
        assert all(name in out for name in ("fit", "render", "info", "plugins", "doctor"))
    assert "show" in call("plugins")[1]


def test_every_flag_has_help(call):
    import typer

    from artgen.cli._main import make_app

    command = typer.main.get_command(make_app())
    commands = {**command.commands, **command.commands["plugins"].commands}
    for name, sub in commands.items():
        for parameter in sub.params:
            assert getattr(parameter, "help", None), f"{name} {parameter.name}"
    for name in ("fit", "render", "info", "doctor", "list", "show"):
        flags = {flag for parameter in commands[name].params for flag in parameter.opts}
        assert {"--plugin", "--json", "--quiet", "-q", "--verbose", "-v"} <= flags


def test_a_group_of_flags_is_one_flag_per_field():
    def shown(files: list, *, common: Common) -> int:
        """Show files."""
        return len(files) + common.verbose

    def opened(*, common: WithoutPlugins) -> None:
        """Open a page."""

    command = flat(shown)
    assert (command.__name__, command.__doc__) == ("shown", "Show files.")
    names = ["files", "plugin", "as_json", "quiet", "verbose", "help_all"]
    assert list(inspect.signature(command).parameters) == names
    assert command(files=[1, 2], plugin=None, as_json=False, quiet=False, verbose=True) == 3
    assert list(inspect.signature(flat(opened)).parameters) == names[2:]


def test_unknown_commands_suggest(call):
    code, out, err = call("rendr")
    assert (code, out) == (2, "")
    assert "render" in err


@pytest.mark.parametrize("arguments", [["--help"], ["fit", "--help"], ["plugins", "list"]])
def test_starting_is_light(arguments):
    heavy = ("torch", "numpy", "PIL", "av", "skimage")
    script = (
        "import sys, artgen.cli\n"
        f"code = artgen.cli.main({arguments!r})\n"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr.strip()) == (0, "[]")
    assert done.stdout


def test_it_is_a_module_too():
    done = subprocess.run(
        [sys.executable, "-m", "artgen", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"artgen {artgen.__version__}")


@pytest.mark.parametrize("stamped", [False, True])
def test_the_version_of_a_package_has_the_commit_that_it_was_built_from(tmp_path, stamped):
    package = tmp_path / "artgen"
    package.mkdir()
    shutil.copy(artgen._version.__file__, package)
    if stamped:
        (package / "_commit.txt").write_text("0123abc\n")
    found = runpy.run_path(str(package / "_version.py"))["version_and_commit"]()
    assert found == artgen.__version__ + (" (0123abc)" if stamped else "")
