"""Hooks of hatchling: a package knows its commit, and its long description has absolute links.

The sdist keeps both, so that a wheel made from it has them too.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

STAMP = "artgen/_commit.txt"
"""The commit, which `artgen --version` shows."""

ADDRESS = "ARTGEN_REPOSITORY"
"""The variable with the address of the repository, such as ``https://github.com/OWNER/artgen``."""

_RELATIVE = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)\s]+)\)")


class Stamp(BuildHookInterface[Any]):
    """Adds the file `STAMP` to an sdist and to a wheel, but not to an editable installation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the file outside of the checkout; where there is no git, do without."""
        if version == "editable" or not (Path(self.root) / ".git").exists():
            return
        line = ["git", "describe", "--always", "--dirty", "--exclude=*"]
        try:
            commit = subprocess.check_output(line, cwd=self.root, text=True)
        except (OSError, subprocess.CalledProcessError):
            return
        self.folder = tempfile.TemporaryDirectory()
        stamp = Path(self.folder.name) / "commit.txt"
        stamp.write_text(commit, encoding="utf-8")
        build_data["force_include"][str(stamp)] = STAMP


class LongDescription(MetadataHookInterface):
    """Makes the README a page that can be read away from the repository, as on a package index."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the README, and the links to the repository where its address is known."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        address = os.environ.get(ADDRESS, "").rstrip("/")
        text = absolute(text, address, f"v{metadata['version']}")
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
        if address:
            log = f"{address}/blob/v{metadata['version']}/CHANGELOG.md"
            metadata["urls"] = {"Repository": address, "Changelog": log}


def absolute(markdown: str, address: str, tag: str) -> str:
    """Let relative links lead to the repository at `address`, as it was at `tag`.

    Without an address, links become their text, and pictures are left out.
    """

    def moved(match: re.Match[str]) -> str:
        picture, text, path = match.groups()
        if not address:
            return "" if picture else text
        return f"{picture}[{text}]({address}/{'raw' if picture else 'blob'}/{tag}/{path})"

    return _RELATIVE.sub(moved, markdown)
