"""The pieces of a gallery: recipes in a folder, named by their files.

::

    DIR/recipes/SLUG.toml      (or DIR/SLUG.toml)
    DIR/out/index.html
    DIR/out/SLUG/final.png     and the other `FILES`
"""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from artgen.base.errors import ArtgenError, InputError, UsageError, did_you_mean
from artgen.recipe import ClipTable, PieceTable, Recipe
from artgen.registry import default
from artgen.targets import Source, is_reserved, kind_by_name

FILES = (
    "final.png",
    "progress.mp4",
    "drawing.art",
    "poster.jpg",
    "result.jpg",
    "target.jpg",
    "errors.jpg",
    "explore.html",
    "poster-2x.jpg",
    "thing.jpg",
    "make.zip",
    "guide-a4.pdf",
)
"""Files of a piece; those after the first five exist for pictures only, for things that are made of
them, or are newer."""

SUMMARY = "run.json"
"""Written last: a piece that has it is complete."""

WORKPLACE = "unfinished"
"""Subfolder in which a piece is made."""

STILL_SIZE = 2048
"""Default long side of a still, in pixels."""

VIDEO_SIZE = 1080
"""Default long side of a video, in pixels."""

VIDEO_FRAMES = 120
"""Default number of pictures of each stage that a video is made of: large ones take long."""

_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_QUICK_SIZE, _QUICK_STILL, _QUICK_COUNT, _QUICK_STEPS = 96, 160, 40, 20
_QUICK_MARKS = 2000
"""Marks of ink are placed at once, and a few of them show nothing."""


@dataclass(frozen=True)
class Piece:
    """One recipe: `source` is its file, `folder` the folder of its outputs.

    `recipe` includes the outputs that a gallery needs. It is None if the file cannot be used, for
    the reason in `error`.
    """

    slug: str
    source: Path
    folder: Path
    recipe: Recipe | None
    error: ArtgenError | None = None

    @property
    def title(self) -> str:
        """The title of the recipe, or one made from the slug."""
        return self.words.title or self.slug.replace("-", " ").replace("_", " ").capitalize()

    @property
    def words(self) -> PieceTable:
        """Title, text and description, as far as the recipe has them."""
        return (self.recipe and self.recipe.piece) or PieceTable()

    @property
    def text(self) -> str:
        """The text of the recipe file."""
        return self.source.read_text(encoding="utf-8", errors="replace")


_QUICK = "out-quick"
"""The folder of outputs of a quick gallery."""


@dataclass(frozen=True)
class Gallery:
    """A folder of recipes, and the folder `out` of all outputs."""

    folder: Path
    out: Path
    pieces: tuple[Piece, ...]

    @property
    def page(self) -> Path:
        """The page that shows the pieces."""
        return self.out / "index.html"

    @property
    def command(self) -> str:
        """The command that builds it."""
        quick = ["--quick"] if self.out.name == _QUICK else []
        return shlex.join(["artgen", "gallery", "build", str(self.folder), *quick])

    def chosen(self, slugs: Sequence[str]) -> tuple[Piece, ...]:
        """Return the pieces with these slugs, or all for an empty list. Raises UsageError."""
        known = {piece.slug: piece for piece in self.pieces}
        for slug in slugs:
            if slug not in known:
                raise UsageError(
                    f"gallery {self.folder} has no piece {slug!r}", hint=did_you_mean(slug, known)
                )
        return tuple(known[slug] for slug in slugs) or self.pieces


def open_gallery(folder: Path, *, quick: bool = False) -> Gallery:
    """Read the recipes in `folder` without making anything.

    A `quick` gallery has small versions, whose outputs are in a folder of their own. An unusable
    recipe becomes a piece with an error. Raises InputError if there is no recipe.
    """
    if not os.path.isdir(folder):
        raise InputError(
            f"there is no folder {folder}", hint="name a folder that contains TOML recipes"
        )
    recipes = sorted((folder / "recipes").glob("*.toml")) or sorted(folder.glob("*.toml"))
    if not recipes:
        raise InputError(
            f"gallery {folder} contains no recipes",
            hint=f"put TOML recipes into {folder / 'recipes'}; `artgen info FILE.png --recipe` "
            "prints the recipe of an output",
        )
    out = folder / (_QUICK if quick else "out")
    refuse_link(out)
    return Gallery(folder, out, _hung([_read(path, out, quick) for path in recipes]))


def _hung(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Those with an order, then one of each target, a second of each, and so on, by their names."""
    places: dict[str, tuple[bool, int, int, str]] = {}
    times = Counter[str]()
    for piece in sorted(pieces, key=lambda each: (each.words.order is None, each.slug)):
        target = piece.recipe.target.source.partition("?")[0] if piece.recipe else piece.slug
        order = piece.words.order
        places[piece.slug] = (order is None, order or 0, times[target], piece.slug)
        times[target] += 1
    return tuple(sorted(pieces, key=lambda piece: places[piece.slug]))


def refuse_link(path: Path) -> None:
    """Raise UsageError if `path` is a symbolic link, which might lead outside the gallery."""
    if path.is_symlink():
        raise UsageError(
            f"{path} is a symbolic link", hint="replace it by the file or folder it points to"
        )


def _read(path: Path, out: Path, quick: bool) -> Piece:
    slug = path.stem
    try:
        if not _SLUG.fullmatch(slug) or is_reserved(slug):
            raise UsageError(
                f"{path.name} is not a valid name for a piece",
                hint="use lower-case letters, digits, '-' and '_', such as red-cat.toml",
            )
        refuse_link(path)
        refuse_link(out / slug)
        refuse_link(out / slug / WORKPLACE)
        recipe = _for_gallery(Recipe.from_toml(path))
        return Piece(slug, path, out / slug, _small(recipe, path.parent) if quick else recipe)
    except ArtgenError as error:
        # `out` itself, so that no folder of a refused name is ever touched.
        return Piece(slug, path, out, None, error)


def _for_gallery(recipe: Recipe) -> Recipe:
    """Add a video that browsers play and a still, both large."""
    output = recipe.output
    return recipe.with_output(
        video=True,
        video_format="mp4",
        video_size=output.video_size or VIDEO_SIZE,
        frames=output.frames or VIDEO_FRAMES,
        still_size=output.still_size or STILL_SIZE,
    )


def _small(recipe: Recipe, folder: Path) -> Recipe:
    """Shrink a recipe to a second or two of work: to see that it works, not how it looks."""
    count, size = recipe.primitive.count, recipe.target.size
    for index, stage in enumerate(recipe.stage):
        steps = min(stage.steps or _QUICK_STEPS, _QUICK_STEPS)
        recipe = recipe.with_stage(index, steps=steps, time=None, replanned=None)
    source = Source.parse(recipe.target.source)
    source = source if source.path is None else source.at(folder / source.path)
    kind = kind_by_name(source, default())
    # The pictures of a set are small already; a size would enlarge them.
    least = None if kind == "set" else _QUICK_SIZE
    # A clip has its own frame rate and duration.
    video = {} if kind == "clip" else {"video_seconds": 1.0, "fps": 12}
    if isinstance(count, int):
        placed = all(stage.engine == "place" for stage in recipe.stage)
        most = _QUICK_MARKS if placed else _QUICK_COUNT
        recipe = recipe.with_primitive(count=min(count, most))
    if kind == "clip":
        clip = recipe.clip or ClipTable()
        recipe = recipe.replace(clip=clip.replace(steps=1))
    recipe = recipe.with_target(size=min(size, _QUICK_SIZE) if size else least)
    return recipe.with_output(still_size=_QUICK_STILL, video_size=None, **video)
