"""The cases of `soak.commands`: what they are made of, and what is found wrong with how they end."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from artgen.cli import main
from artgen.recipe import Recipe
from soak._grammar import TEXTS, VALUES, Case, Grammar, read_grammar
from soak._pool import look, make
from soak.commands import MEMORY, Ended, Found, kind_of, problems_of

TRACEBACK = b"""Traceback (most recent call last):
  File "/x/artgen/cli/fit.py", line 3, in fit
  File "/lib/python/json/decoder.py", line 3, in decode
ValueError: of '%s'
error: unexpected ValueError: of 3
"""


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return read_grammar(["photo.png", "art-0.art"])


def test_every_command_option_and_key_is_a_place(grammar: Grammar):
    assert grammar.commands.keys() >= {"", "fit", "render", "gallery build", "plugins check"}
    fit = {place.name: place for place in grammar.commands["fit"]}
    assert fit["targets"].form == "argument"
    assert fit["--overwrite"].form == "switch"
    assert "triangle" in fit["--primitive"].fits
    assert (fit["--fps"].low, fit["--fps"].high) == (1, 120)
    keys = {place.name for place in grammar.keys}
    tables = {name: key.table for name, key in Recipe.declared().items() if key.table}
    assert keys >= Recipe.declared().keys()
    assert keys >= {f"{name}.{key}" for name, table in tables.items() for key in table.declared()}
    assert keys >= {"stage.restarts", "primitive.harmonics"}


def test_each_place_has_its_turn_with_each_kind_of_value(grammar: Grammar):
    singles = grammar.singles(grammar.options, 3)
    options = [place for place in grammar.options if place.form == "option"]
    assert len(set(singles)) == len(singles) < 5000
    assert all((place, kind) in set(singles) for place in options for kind in TEXTS)
    assert {kind for place in grammar.keys for kind in place.kinds} >= VALUES.keys()


def test_a_case_follows_from_its_seed_and_number(grammar: Grammar):
    cases = [grammar.case(7, number) for number in range(200)]
    assert cases == [grammar.case(7, number) for number in range(200)]
    assert cases != [grammar.case(8, number) for number in range(200)]
    assert {len(case.tried) for case in cases} >= {1, 2, 3}
    assert sum(bool(case.recipe) for case in cases) >= 100


@pytest.mark.parametrize(
    ("ended", "wrong"),
    [
        (Ended(0), None),
        (Ended(3, b"", b"error: no\n"), None),
        (Ended(130, interrupted=True), None),
        (Ended(130), "ended with 130"),
        (Ended(1, b"", TRACEBACK), "exit 1: ValueError: of '%s' in fit in artgen/cli/fit.py"),
        (Ended(2), "says nothing of its exit code 2"),
        (Ended(6, b"", b"error: unexpected OSError: no\n"), "unexpected OSError"),
        (Ended(0, b"", TRACEBACK), "a traceback"),
        (Ended(-signal.SIGXCPU, b"", b""), "takes more than 60 s"),
        (Ended(-signal.SIGSEGV, b"", b""), "ended with -11"),
        (Ended(-signal.SIGKILL, hung=True), "hangs"),
        (Ended(0, memory=MEMORY + 1), "takes 4096 MiB"),
        (Ended(0, outside=("os.remove /dev/full",)), "os.remove /dev/full"),
        (Ended(3, b"", b"error: \x1b]0;x\x07 is missing"), "control character in stderr"),
        (Ended(0, "a\u202e".encode()), "control character in stdout"),
    ],
)
def test_what_is_wrong_with_an_end(ended: Ended, wrong: str | None):
    problems = problems_of(Case(("fit", "photo.png")), ended)
    assert wrong in problems[0] if wrong else not problems


def test_what_turns_the_direction_of_a_line_is_shown_as_an_escape(capsys):
    """`--recipe` with U+202E in a name printed the rest of its message backwards."""
    assert main(["fit", "--recipe", "\u202ea.png"]) == 3
    assert r"\u202ea.png" in capsys.readouterr().err


def test_json_has_to_be_json():
    case = Case(("fit", "--json"))
    assert problems_of(case, Ended(0, b'{"a": 1}')) == []
    assert "--json printed" in problems_of(case, Ended(0, b"photo.png\n"))[0]
    assert problems_of(Case(("fit", "--json", "--help")), Ended(0, b"photo.png\n")) == []


def test_equal_failures_are_one_group():
    found = Found()
    for number, text in enumerate(("'a' has 3 pixels", "'b/c.png' has 17 pixels", "no")):
        found.add(1, number, Case(("fit",)), Ended(3), [text])
    assert found.cases == 3
    assert list(found.counts.values()) == [2, 1]
    assert "seed 1 case 0" in found.failures()[0]
    one, two = (f"exit 1: ValueError: {text} in f in artgen/a.py" for text in ("x", "of 'y'"))
    assert kind_of(one) == kind_of(two) != kind_of(one.replace("f in", "g in"))


@pytest.mark.skipif(sys.platform == "win32", reason="has no pipes in folders")
def test_files_are_made_as_they_were_seen(tmp_path: Path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    (first / "file").write_bytes(b"x")
    (first / "link").symlink_to("nowhere")
    (first / "folder").mkdir()
    os.mkfifo(first / "pipe")
    for path in first.iterdir():
        make(second / path.name, look(path))
        assert look(second / path.name) == look(path)
    (second / "file").write_bytes(b"y")
    assert look(second / "file") != look(first / "file")
    assert look(second / "none")[0] == "nothing"
