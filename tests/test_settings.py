"""Settings of the user: their order, what they change, and how mistakes in them are reported."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace

import pytest

from artgen.base.errors import InputError, UsageError
from artgen.cli._flags import Common
from artgen.recipe import Recipe
from artgen.recipe.settings import Settings, read_settings
from artgen.registry import Registry


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A function that writes `config.toml`."""
    file = tmp_path / "config.toml"
    monkeypatch.setenv("ARTGEN_CONFIG", str(file))

    def write(text: str) -> None:
        file.write_text(text)

    write("")
    return write


def test_the_environment_comes_before_the_file(config, monkeypatch):
    assert read_settings() == (Settings(), dict.fromkeys(vars(Settings()), "default"))
    config('out = "~/art"\nthreads = 3\noverwrite = true')
    monkeypatch.setenv("ARTGEN_THREADS", "2")
    monkeypatch.setenv("ARTGEN_VIDEO", "none")
    monkeypatch.setenv("ARTGEN_DEVICE", "")
    settings, origins = read_settings()
    expected = Settings(os.path.expanduser("~/art"), threads=2, video="none", overwrite=True)
    assert settings == expected
    assert origins["out"] == origins["overwrite"] == "config.toml"
    assert (origins["threads"], origins["device"]) == ("ARTGEN_THREADS", "default")
    monkeypatch.setenv("ARTGEN_OUT", "2026")  # a folder, and no number
    assert read_settings()[0].out == "2026"


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("ou = 1", UsageError, "config.toml has no option 'ou'"),
        ("threads = 0", UsageError, "threads must be a whole number or nothing from 1, got 0"),
        ('video = "avi"', UsageError, "video must be mp4 or webm"),
        ("out", InputError, "config.toml is not TOML"),
    ],
)
def test_mistakes_name_the_file_and_the_key(config, text, error, says):
    config(text)
    with pytest.raises(error, match=says):
        read_settings()


def test_mistakes_name_the_variable(config, monkeypatch):
    monkeypatch.setenv("ARTGEN_OVERWRITE", "perhaps")
    with pytest.raises(UsageError, match=r"^ARTGEN_OVERWRITE must be true or false, got 'perhaps'"):
        read_settings()
    monkeypatch.delenv("ARTGEN_OVERWRITE")
    monkeypatch.setenv("ARTGEN_CONFIG", "no-such-file.toml")
    with pytest.raises(InputError, match="no-such-file"):
        read_settings()


def test_a_file_that_cannot_be_looked_for_is_as_if_there_were_none(monkeypatch):
    monkeypatch.delenv("ARTGEN_CONFIG", raising=False)

    def refused(path, **_):
        raise PermissionError(13, "Permission denied", str(path))

    # Of a home folder of somebody else: in a container, or after rights were dropped.
    monkeypatch.setattr(os, "stat", refused)
    assert read_settings()[0] == Settings()


def test_recipes_come_before_settings():
    settings = Settings(device="cuda", threads=3, video="gif")
    bare = settings.below(Recipe())
    assert (bare.run.device, bare.run.threads, bare.output.video_format) == ("cuda", 3, "gif")
    # They were not asked for: a resumed run need not agree with them.
    assert bare.requested() == {}
    assert settings.below(Recipe(), threads=False).run.threads is None
    asked = Recipe.from_dict({"run": {"device": "cpu"}, "output": {"video": False}})
    said = settings.below(asked)
    assert (said.run.device, said.run.threads) == ("cpu", 3)
    assert (said.output.video, said.output.video_format) == (False, "mp4")
    assert not Settings(video="none").below(Recipe()).output.video


def test_flags_come_before_settings(photo, config, empty_folder, call):
    config('out = "here"\nvideo = "none"\noverwrite = true\nthreads = 1')
    fit = ("fit", photo, "--size", 16, "-n", 4, "--steps", 1, "--backend", "eager", "--seed", 1)
    for _ in range(2):
        code, out, err = call(*fit, "--json")
        assert code == 0, err
    # Not that two flags exclude each other: only one was given.
    assert "there is nothing to resume" in call(*fit, "--resume")[2]
    assert call(*fit, "--skip-existing")[0] == 0
    summary = json.loads(out)
    assert summary["recipe"]["run"]["threads"] == 1
    assert not summary["recipe"]["output"]["video"]
    assert sorted(path.suffix for path in (empty_folder / "here").iterdir()) == [
        ".art",
        ".json",
        ".png",
    ]
    assert call(*fit, "--out", "there", "--video", "v.gif")[0] == 0
    assert (empty_folder / "there").is_dir()
    assert (empty_folder / "v.gif").exists()


def test_the_fit_of_a_thing_to_make_has_them(config, monkeypatch):
    from artgen.cli.make import _fit

    config("threads = 1")
    asked = []

    def run(recipe, *_, **__):
        asked.append(recipe.run.threads)
        return SimpleNamespace(require_art=lambda: "the drawing")

    monkeypatch.setattr("artgen.runs.run", run)
    assert _fit("sample:cat", {}, Registry(environ={}), Common(quiet=True)) == "the drawing"
    assert asked == [1]


def test_the_doctor_shows_them_and_where_they_come_from(config, monkeypatch):
    from artgen.cli._machine import _settings

    config('out = "/home/jane/art"')
    monkeypatch.setenv("ARTGEN_OVERWRITE", "1")
    shown = {check.name: check.detail for check in _settings()}
    assert shown["setting out"] == ".../art (config.toml)"
    assert shown["setting overwrite"] == "true (ARTGEN_OVERWRITE)"
    assert shown["setting threads"] == "all (default)"
    config("threads = 0")
    [failed] = _settings()
    assert failed.state == "fail"


def test_colours_can_be_switched_off(config, monkeypatch, call, empty_folder):
    config('colours = "never"')
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert call("fit", "nothing.png")[0] == 3
    assert os.environ.pop("NO_COLOR") == "1"
    config('colours = "always"')
    monkeypatch.setenv("NO_COLOR", "1")
    assert call("fit", "nothing.png")[0] == 3
    assert ("NO_COLOR" in os.environ, os.environ.pop("FORCE_COLOR")) == (False, "1")
