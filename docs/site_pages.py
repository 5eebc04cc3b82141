"""A hook of MkDocs: pages of the repository that are no files in docs/ become pages of the site.

All links in the repository work where its files are browsed; here they are moved along.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent
PAGES = {
    "README.md": "start.md",  # a README would be taken for the index
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/RESULTS.md": "results.md",
}
"""Files of the repository, and what they are called on the site."""
LINK = re.compile(r"```.*?```|`[^`]*`|(!?)\[([^\]]*)\]\(([^)\s]+)\)", re.DOTALL)


def on_files(files: Any, config: Any) -> Any:
    """Add the pages."""
    for source, name in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Let links lead to pages of the site; those to other files of the repository become text."""
    name = page.file.src_uri
    outside = {made: source for source, made in PAGES.items()}
    folder = (ROOT / outside.get(name, f"docs/{name}")).parent
    depth = name.count("/")

    def moved(match: re.Match[str]) -> str:
        mark, text, link = match.groups()
        if link is None:
            return match[0]  # code
        path, sharp, anchor = link.partition("#")
        if not path or "://" in link:
            return match[0]
        target = (folder / path).resolve().relative_to(ROOT.resolve()).as_posix()
        if not (target in PAGES or target.startswith("docs/")):
            return text
        there = PAGES.get(target, target.removeprefix("docs/"))
        return f"{mark}[{text}]({'../' * depth}{there}{sharp}{anchor})"

    return LINK.sub(moved, markdown)
