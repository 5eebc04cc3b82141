"""Packages of plugins: what is installed, and what the package index has.

pip answers for the index, so its settings count, those of private indexes too. No code of a package
runs: metadata is read, and nothing is built or installed.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from artgen.base.errors import InputError, PluginError

PREFIX = "artgen-"
"""What the names of packages of plugins begin with."""

_NAME = re.compile(r"[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?", re.ASCII)
_SECONDS = 60


class Unreachable(InputError):
    """The package index does not answer, or there is no pip."""


@dataclass(frozen=True)
class Package:
    """A package as its metadata describes it; `installed` is the version here, if any."""

    name: str
    version: str
    installed: str | None
    summary: str
    licence: str
    readme: str


def find_package(name: str) -> Package:
    """Describe the installed package `name`, else the newest one on the index.

    Raises PluginError if there is none, and Unreachable.
    """
    try:
        found = importlib.metadata.distribution(name)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        report = _pip(
            *("install", "--dry-run", "--no-deps", "--ignore-installed", "--only-binary=:all:"),
            *("--quiet", "--report=-", _checked(name)),
        )
        if report is None:
            raise PluginError(
                f"there is no package {name!r}, neither here nor on the package index",
                hint="`artgen plugins search WORD` looks for plugins",
            ) from None
        return _described(json.loads(report)["install"][0]["metadata"], installed=False)
    return _described(found.metadata.json, installed=True)


def versions_of(name: str) -> tuple[str, ...]:
    """Return the versions of a package on the index, the newest first; empty if it has none.

    Raises Unreachable.
    """
    answer = _pip("index", "versions", _checked(name)) or ""
    [line] = re.findall(r"^Available versions: (.*)$", answer, re.MULTILINE) or [""]
    return tuple(filter(None, line.split(", ")))


def _described(metadata: Mapping[str, Any], *, installed: bool) -> Package:
    """Read metadata in the form of PEP 566."""
    licence = metadata.get("license_expression") or metadata.get("license") or ""
    return Package(
        metadata["name"],
        metadata["version"],
        metadata["version"] if installed else None,
        metadata.get("summary") or "",
        licence.strip().partition("\n")[0],
        (metadata.get("description") or "").strip(),
    )


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise PluginError(f"{name!r} cannot be the name of a package", hint="check its spelling")
    return name


def _pip(*arguments: str) -> str | None:
    """Return what pip prints, None if it finds no such package. Raises Unreachable."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    try:
        done = subprocess.run(
            [*pip, "--retries=1", "--timeout=10", *arguments],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise Unreachable("the package index does not answer", hint="try again later") from None
    if done.returncode == 0:
        return done.stdout
    if "No module named pip" in done.stderr:
        raise Unreachable("the package index is asked through pip, which is not installed here")
    # pip says that it found nothing in both cases, but warns before if it had no connection.
    if re.search("connection|retrying|timed out", done.stderr, re.IGNORECASE):
        raise Unreachable(
            "the package index cannot be reached", hint="check the connection, or pip's settings"
        )
    return None
