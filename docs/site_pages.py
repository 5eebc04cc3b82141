"""A hook of MkDocs: pages of the repository that are no files in docs/ become pages of the site.

All links in the repository work where its files are browsed; here they are moved along.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "benchmarks/RESULTS.md")
LINK = re.compile(r"```.*?```|`[^`]*`|(!?)\[([^\]]*)\]\(([^)\s]+)\)", re.DOTALL)


def on_files(files: Any, config: Any) -> Any:
    """Add the pages."""
    for name in PAGES:
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Let links lead to pages of the site; those to other files of the repository become text."""
    outside = page.file.src_uri in PAGES
    folder = (ROOT if outside else ROOT / "docs") / page.file.src_uri
    depth = page.file.src_uri.count("/")

    def moved(match: re.Match[str]) -> str:
        mark, text, link = match.groups()
        if link is None:
            return match[0]  # code
        path, sharp, anchor = link.partition("#")
        if not path or "://" in link:
            return match[0]
        target = (folder.parent / path).resolve().relative_to(ROOT.resolve())
        inside = target.parts[:1] == ("docs",)
        if not (inside or target.as_posix() in PAGES):
            return text
        name = target.relative_to("docs") if inside else target
        return f"{mark}[{text}]({'../' * depth}{name.as_posix()}{sharp}{anchor})"

    return LINK.sub(moved, markdown)
