"""Settings: what the user prefers to the built-in defaults of the command line.

They come from `config.toml` in the user's folder of configurations and from ``ARTGEN_*`` of the
environment, which come first. Flags and recipes override both, and a recipe stores what a run used.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from artgen.base.errors import UsageError
from artgen.base.options import option, parse_options, parse_value
from artgen.base.toml import read_toml
from artgen.recipe import LARGEST_FILE, Recipe

_OF_VIDEOS = {"film", "start", "end", "loop", "walk", "max_bytes", "video_size"}
"""What is asked for of a video asks for one."""


@dataclass(frozen=True)
class Settings:
    """The values of all settings."""

    out: str = option("artgen-out", "folder for outputs")
    device: str = option("auto", "auto, cpu, cuda, cuda:1, mps, webgpu or webgpu:1")
    threads: int | None = option(None, "CPU threads per run", low=1)
    video: Literal["mp4", "webm", "gif", "webp", "apng", "none"] = option(
        "mp4", "format of the video of a fit, or none"
    )
    overwrite: bool = option(False, "replace files that exist")
    colours: Literal["auto", "always", "never"] = option("auto", "colours in the terminal")

    def below(self, recipe: Recipe, *, threads: bool = True) -> Recipe:
        """The recipe with settings where it says nothing; `threads` says whether those too.

        They do not count as asked for, so a resumed run need not agree with them.
        """
        run = {"device": self.device, "threads": self.threads if threads else None}
        output = {"video": False} if self.video == "none" else {"video_format": self.video}
        said = {"video", "video_format"} | (_OF_VIDEOS if self.video == "none" else set())
        if recipe.output.asked & said:
            output = {}
        run = {key: value for key, value in run.items() if key not in recipe.run.asked}
        return recipe.with_run(**run).with_output(**output)


def config_file() -> Path | None:
    """The path of `config.toml`; None where ``ARTGEN_CONFIG`` is empty."""
    asked = os.environ.get("ARTGEN_CONFIG")
    if asked is not None:
        return Path(asked) if asked else None
    import platformdirs

    return Path(platformdirs.user_config_dir("artgen")) / "config.toml"


def read_settings() -> tuple[Settings, dict[str, str]]:
    """The settings, and where each of them comes from.

    Raises InputError for a file that is not TOML, UsageError for an unknown key or a wrong value.
    """
    own = {each.name: each for each in fields(Settings)}
    origins = dict.fromkeys(own, "default")
    values: dict[str, Any] = {}
    file = config_file()
    if file is not None and (os.path.exists(file) or "ARTGEN_CONFIG" in os.environ):
        data = read_toml(file, str(file), LARGEST_FILE, f"{file} is not TOML")
        values = _checked(data, str(file))
        origins |= dict.fromkeys(values, "config.toml")
    for name, each in own.items():
        variable = f"ARTGEN_{name.upper()}"
        text = os.environ.get(variable, "")
        if text:
            value = text if isinstance(each.default, str) else parse_value(text)
            try:
                values |= _checked({name: value}, "")
            except UsageError as error:
                message = error.message.replace(f" option {name}", variable)
                raise UsageError(message, hint=error.hint) from None
            origins[name] = variable
    if "out" in values:
        values["out"] = os.path.expanduser(values["out"])
    return Settings(**values), origins


def _checked(values: Mapping[str, object], owner: str) -> dict[str, object]:
    parsed = parse_options(Settings, values, owner)
    return {name: getattr(parsed, name) for name in values}
