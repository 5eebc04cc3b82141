"""Help, the manual page, completion, and what follows a command."""

from __future__ import annotations

import re
import subprocess

import pytest

from artgen import __version__
from artgen.cli import _afterwards, main
from artgen.cli._afterwards import notified
from artgen.cli._help import USUAL, examples_of


def _commands() -> dict:
    import typer

    from artgen.cli._main import make_app

    return typer.main.get_command(make_app()).commands


def test_help_is_short_and_help_all_is_complete(call):
    """The short help lacked the looks, crops, steps, sizes of stills and `-o`."""
    short, full = call("fit", "--help")[1], call("fit", "--help-all")[1]
    wanted = "primitive look crop steps time still-size video-seconds max-bytes output"
    for flag in wanted.split():
        assert f"--{flag} " in short, flag
    assert "--max-pixels" not in short
    assert "--help-all" in short
    assert "Codecs only" in full
    assert "<bool>" not in full
    # What plugins bring is theirs to name.
    assert not re.search(r"\bray\b", full, re.IGNORECASE)
    for parameter in _commands()["fit"].params:
        assert max(parameter.opts, key=len) in full or parameter.name == "targets"
    # The short help left nothing behind.
    assert call("fit", "--help")[1] == short


@pytest.mark.parametrize("group", ["gallery", "plugins"])
def test_switches_have_no_type(call, group):
    assert "<bool>" not in call(group, "--help")[1]
    for name in _commands()[group].commands:
        assert "<bool>" not in call(group, name, "--help")[1]


def test_info_names_every_format_that_it_reads(call):
    from artgen.output.provenance import SUFFIXES

    shown = call("info", "--help")[1]
    assert {each for each in SUFFIXES if re.search(rf"{re.escape(each)}[,. ]", shown)} == SUFFIXES


def _leaves(commands, path=()):
    """Commands without commands of their own, by their names after `artgen`."""
    for name, command in commands.items():
        inner = getattr(command, "commands", None)
        yield from _leaves(inner, (*path, name)) if inner else [(" ".join((*path, name)), command)]


def test_tables_of_help_name_what_there_is():
    leaves = dict(_leaves(_commands()))
    for name, usual in USUAL.items():
        assert set(usual) <= {parameter.name for parameter in leaves[name].params}
    for name, leaf in leaves.items():
        examples = examples_of(leaf)
        flags = {flag for parameter in leaves[name].params for flag in parameter.opts}
        assert examples[-1].startswith(f"artgen {name}")
        for example in examples:
            words = example.split()
            assert words[1] in _commands()
            if example.startswith(f"artgen {name}"):
                assert {word for word in words if re.match("--?[a-z]", word)} <= flags


def test_examples_are_in_the_help_of_commands_within_groups(call):
    example = examples_of(dict(_leaves(_commands()))["plugins show"])[0]
    assert example in call("plugins", "show", "--help")[1]


def test_the_manual_page_has_every_flag(call):
    code, page, _ = call("--man")
    assert (code, page.splitlines()[0]) == (0, f'.TH ARTGEN 1 "" "artgen {__version__}"')
    assert r"\fB\-\-live\-port\fR PORT" in page
    assert '.SS "artgen plugins show"' in page
    # A line that begins with a dot is a macro.
    macros = {line.split()[0] for line in page.splitlines() if line.startswith(".")}
    assert macros <= {".TH", ".SH", ".B", ".I", ".SS", ".TP", ".PP", ".EX", ".EE"}


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("artgen fit -p tri", ["triangle"]),
        ("artgen fit -p circle+tri", ["circle+triangle"]),
        ("artgen fit -e gen", ["genetic"]),
        ("artgen fit --loss l1+0.1*ss", ["l1+0.1*ssim"]),
        ("artgen fit sample:astro", ["sample:astronaut"]),
        ("artgen fit --device cu", ["cuda"]),
        ("artgen fit -p fourier --set harm", ["harmonics="]),
        ("artgen fit -p triangle --set engine.pat", ["engine.patience="]),
        ("artgen fit -p gausian --set har", []),
        ("artgen fit -e auto --set har", []),
        ("artgen plugins show gauss", ["gaussian"]),
        ("artgen plugins show side-b", ["side-by-side"]),
    ],
)
def test_the_shell_completes_names(line, completed, capsys, monkeypatch):
    monkeypatch.setenv("_ARTGEN_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - 1))
    with pytest.raises(SystemExit, match="0"):
        main([])
    assert capsys.readouterr().out.split() == completed


def test_the_manual_page_is_the_same_in_every_process(monkeypatch, call):
    """`--help, -h` and `-h, --help` took turns."""
    import typer

    first = call("--man")[1]
    names = typer.core.TyperCommand.get_help_option_names
    monkeypatch.setattr(
        typer.core.TyperCommand, "get_help_option_names", lambda *given: names(*given)[::-1]
    )
    assert call("--man")[1] == first


def test_a_command_runs_at_the_end(tmp_path, capsys):
    file = tmp_path / "code"
    command = f'echo "$ARTGEN_EXIT_CODE" > "{file}"'
    assert notified(command, lambda: 5) == 5
    assert file.read_text() == "5\n"
    with pytest.raises(KeyboardInterrupt):
        notified(command, _interrupt)
    assert file.read_text() == "130\n"
    assert notified("exit 3", lambda: 0) == 0
    assert "warning: --notify 'exit 3' ended with exit code 3" in capsys.readouterr().err
    assert notified(None, lambda: 4) == 4


def test_what_a_command_at_the_end_prints_is_no_data(capfd):
    assert notified("echo done", lambda: 0) == 0
    assert capfd.readouterr() == ("", "done\n")


def _interrupt() -> int:
    raise KeyboardInterrupt


def test_fit_opens_the_picture_and_notifies(photo, empty_folder, call, monkeypatch):
    shown, commands = [], []
    monkeypatch.setattr("artgen.cli._runs.open_in_browser", lambda file: shown.append(file) or True)

    def run(command: str, **how) -> subprocess.CompletedProcess:
        commands.append((command, how["env"]["ARTGEN_EXIT_CODE"]))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(_afterwards.subprocess, "run", run)
    fit = ("fit", photo, "--size", 16, "-n", 4, "--steps", 1, "--backend", "eager", "--no-video")
    code, _, err = call(*fit, "--open", "--notify", "bell")
    assert code == 0, err
    assert [file.name for file in shown] == ["photo-gaussian.png"]
    assert commands == [("bell", "0")]
    # What is refused before the work begins, as files that exist, ends no work.
    assert call(*fit, "--notify", "bell")[0] == 2
    assert not commands[1:]
    lost = ("--overwrite", "--log", "nowhere/a.jsonl")
    assert call(*fit, *lost, "--notify", "bell")[0] == 6
    assert commands[1:] == [("bell", "6")]


def test_the_live_page_has_the_port_asked_for():
    from artgen.base.errors import OutputError
    from artgen.live import Live
    from artgen.tasks import RunControl

    with (
        Live(RunControl()) as first,
        pytest.raises(OutputError, match=f"cannot serve the live page on port {first.port}: "),
    ):
        Live(RunControl(), port=first.port)
