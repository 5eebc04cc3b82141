"""Control characters from outside never reach a terminal: it shows them as escapes."""

from __future__ import annotations

import io
import json
import sys
import tomllib
from collections.abc import Callable

import pytest
from rich.text import Text

from artgen.base.errors import InputError
from artgen.cli import main
from artgen.cli._console import print_json
from artgen.cli._streams import GuardedStream, as_it_is, terminal
from artgen.recipe import Recipe

EVIL = "a\x1b]0;owned\x07b\x9b31mc\rd\x7fe"
"""Texts that set the title of a window, colour what follows, and go back to the start of a line."""

OBEYED = set("\x1b\x07\x9b\r\x7f")


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Callable[[str], str]]:
    """Guard stdout and stderr from when it is called; it gives a function: what was printed."""

    def begin() -> Callable[[str], str]:
        streams = {}
        for name in ("stdout", "stderr"):
            streams[name] = GuardedStream(io.BytesIO(), encoding="utf-8", write_through=True)
            monkeypatch.setattr(sys, name, streams[name])
        return lambda name: streams[name].buffer.getvalue().decode()

    return begin


def test_recipes_of_others_are_shown_without_control_characters(guarded, tmp_path):
    """`artgen info` once gave them to the terminal as they were."""
    printed = guarded()
    file = tmp_path / "a.json"
    file.write_text(json.dumps({"recipe": {"target": {"source": EVIL}}}))
    for more in ([], ["--recipe"], ["--json"]):
        assert main(["info", str(file), *more]) == 0
    assert r"a\x1b]0;owned\x07b" in printed("stdout")
    assert not OBEYED & set(printed("stdout"))


def test_what_is_printed_as_toml_or_json_is_the_same_when_read(guarded, tmp_path):
    printed = guarded()
    text = EVIL + "\u2028f"
    recipe = Recipe.from_dict({"target": {"source": text}})
    assert not OBEYED & set(recipe.to_toml())
    assert tomllib.loads(recipe.to_toml())["target"]["source"] == text
    print_json({"source": text})
    assert json.loads(printed("stdout")) == {"source": text}


def test_errors_hold_no_control_characters(guarded, empty_folder):
    """Not for users of Python either, who see their traceback on a terminal."""
    printed = guarded()
    error = InputError(f"the server answers 500 {EVIL}", hint=EVIL)
    assert not OBEYED & set(str(error))
    assert main(["fit", f"{EVIL}.png"]) == 3
    assert r"a\x1b]0;owned\x07b" in printed("stderr")
    assert not OBEYED & set(printed("stderr"))


def test_texts_of_plugins_are_shown_without_control_characters(guarded, empty_folder):
    printed = guarded()
    (empty_folder / "evil.py").write_text(
        "from artgen import Spec, hookimpl\n"
        f"text = {EVIL!r}\n"
        "print(text)\n"
        "@hookimpl\n"
        "def artgen_losses():\n"
        "    return [Spec('evil', text, 'artgen.losses:mse')]\n"
    )
    assert main(["plugins", "show", "evil", "--plugin", "evil.py"]) == 0
    for name in ("stdout", "stderr"):
        assert r"\x1b]0;owned" in printed(name)
        assert not OBEYED & set(printed(name))


def test_bars_and_tables_have_the_control_characters_of_rich_alone(guarded):
    printed = guarded()
    console = terminal(sys.stdout, force_terminal=True, color_system="standard", width=80)
    console.print(Text(EVIL, style="bold red"))
    shown = printed("stdout")
    assert shown.startswith("\x1b[1;31m")
    assert r"a\x1b]0;ownedb\x9b31mc" in shown  # rich itself drops some
    assert not OBEYED - {"\x1b"} & set(shown)


def test_help_is_in_colour_where_it_is_asked_for(guarded, monkeypatch):
    printed = guarded()
    monkeypatch.setattr("typer.rich_utils.FORCE_TERMINAL", True)
    monkeypatch.setattr("typer.rich_utils.COLOR_SYSTEM", "standard")
    assert main(["info", "--help"]) == 0
    assert "\x1b[1m" in printed("stdout")
    assert r"\x1b" not in printed("stdout")


def test_texts_of_artgen_itself_erase_a_line(guarded):
    printed = guarded()
    print("\r\x1b[K", end="", file=as_it_is(sys.stderr), flush=True)
    assert printed("stderr") == "\r\x1b[K"
