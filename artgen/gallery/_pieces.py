"""The pieces of a gallery: recipes in a folder, named by their files.

::

    DIR/recipes/SLUG.toml      (or DIR/SLUG.toml)
    DIR/out/index.html
    DIR/out/SLUG/final.png     and what else `FILES` names
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from artgen.errors import ArtgenError, InputError, UsageError, did_you_mean
from artgen.recipe import PieceTable, Recipe, Stage
from artgen.targets import (
    is_clip,
    is_clip_sample,
    is_digits,
    is_image_set,
    is_reserved,
    split_source,
)

__all__ = ["FILES", "SUMMARY", "WORKPLACE", "Gallery", "Piece", "open_gallery", "refuse_link"]

FILES = (
    "final.png",
    "progress.mp4",
    "drawing.art",
    "poster.jpg",
    "result.jpg",
    "target.jpg",
    "errors.jpg",
    "explore.html",
)
"""What a piece may consist of; the last three are those of pictures alone."""

SUMMARY = "run.json"
"""Written last: a piece that has it is complete."""

WORKPLACE = "unfinished"
"""The folder inside of that of a piece in which it is made."""

STILL_SIZE = 2048
"""Long side of a still whose recipe does not say, in pixels."""

_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_QUICK_SIZE, _QUICK_STILL, _QUICK_COUNT, _QUICK_STEPS = 96, 160, 40, 20


@dataclass(frozen=True)
class Piece:
    """One recipe: `source` is its file, `folder` where its files go.

    `recipe` is complete for a gallery; where the file cannot be used it is None, and `error` says
    why.
    """

    slug: str
    source: Path
    folder: Path
    recipe: Recipe | None
    error: ArtgenError | None = None

    @property
    def title(self) -> str:
        """As it is shown."""
        words = self.recipe.piece.title if self.recipe and self.recipe.piece else None
        return words or self.slug.replace("-", " ").replace("_", " ").capitalize()

    @property
    def words(self) -> PieceTable:
        """Title, text and description, as far as the recipe has them."""
        return (self.recipe and self.recipe.piece) or PieceTable()

    @property
    def text(self) -> str:
        """The recipe's file as it was written."""
        return self.source.read_text(encoding="utf-8", errors="replace")


@dataclass(frozen=True)
class Gallery:
    """A folder of recipes; a `quick` one makes everything small, in a folder of its own."""

    folder: Path
    pieces: tuple[Piece, ...]
    quick: bool = False

    @property
    def out(self) -> Path:
        """Where everything is written."""
        return _out(self.folder, self.quick)

    @property
    def page(self) -> Path:
        """The page that shows it."""
        return self.out / "index.html"

    def chosen(self, slugs: Sequence[str]) -> tuple[Piece, ...]:
        """The pieces called so; all of them where none is. Raises UsageError."""
        known = {piece.slug: piece for piece in self.pieces}
        for slug in slugs:
            if slug not in known:
                raise UsageError(
                    f"there is no piece {slug!r} in {self.folder}", hint=did_you_mean(slug, known)
                )
        return tuple(known[slug] for slug in slugs) or self.pieces


def open_gallery(folder: Path, *, quick: bool = False) -> Gallery:
    """The gallery in `folder`, whose pieces are read but not made.

    A recipe that cannot be used is a piece with an error. Raises InputError where there is none.
    """
    if not folder.is_dir():
        raise InputError(
            f"there is no gallery {folder}",
            hint="name a folder of recipes: artgen gallery build DIR",
        )
    found = sorted((folder / "recipes").glob("*.toml")) or sorted(folder.glob("*.toml"))
    if not found:
        raise InputError(
            f"gallery {folder} holds no recipes",
            hint=f"put TOML recipes into {folder / 'recipes'}; `artgen info FILE.png --recipe` "
            "prints one of what you made",
        )
    out = _out(folder, quick)
    refuse_link(out)
    return Gallery(folder, tuple(_read(path, out, quick) for path in found), quick)


def refuse_link(path: Path) -> None:
    """Raise UsageError where `path` is a symbolic link, which might lead outside of the gallery."""
    if path.is_symlink():
        raise UsageError(f"{path} is a symbolic link", hint="a gallery has its files in itself")


def _out(folder: Path, quick: bool) -> Path:
    return folder / ("out-quick" if quick else "out")


def _read(path: Path, out: Path, quick: bool) -> Piece:
    slug = path.stem
    try:
        if not _SLUG.fullmatch(slug) or is_reserved(slug):
            raise UsageError(
                f"{path.name} cannot be the name of a piece",
                hint="use lower-case letters, digits, '-' and '_', such as red-cat.toml",
            )
        refuse_link(path)
        refuse_link(out / slug)
        refuse_link(out / slug / WORKPLACE)
        recipe = _for_gallery(Recipe.from_toml(path))
        return Piece(slug, path, out / slug, _small(recipe, path.parent) if quick else recipe)
    except ArtgenError as error:
        # No folder of that name is ever touched.
        return Piece(slug, path, out, None, error)


def _for_gallery(recipe: Recipe) -> Recipe:
    """With a video that browsers play, and a large still."""
    size = recipe.output.still_size or STILL_SIZE
    return recipe.updated({"output": {"video": True, "video_format": "mp4", "still_size": size}})


def _small(recipe: Recipe, folder: Path) -> Recipe:
    """The same in a second or two: to see that it works, not how it looks."""
    count, size = recipe.primitive.count, recipe.target.size
    stages = [_short(stage) for stage in recipe.stage]
    # The pictures of a set are small, and would be enlarged.
    least = None if _is_set(recipe.target.source) else _QUICK_SIZE
    # A clip has a rate and a length of its own.
    moves = _is_clip(recipe.target.source, folder)
    video = {} if moves else {"video_seconds": 1.0, "fps": 12}
    return recipe.updated(
        {
            "target": {"size": min(size, _QUICK_SIZE) if size else least},
            "primitive": {"count": min(count, _QUICK_COUNT)} if isinstance(count, int) else {},
            "stage": stages,
            "output": {"still_size": _QUICK_STILL, **video},
            **({"clip": {"steps": 1}} if moves else {}),
        }
    )


def _is_clip(source: str, folder: Path) -> bool:
    scheme, rest = split_source(source)
    if scheme is None:
        return is_clip(folder / rest)
    return scheme == "frames" or (scheme == "sample" and is_clip_sample(rest))


def _is_set(source: str) -> bool:
    scheme, rest = split_source(source)
    if scheme is None:
        return is_image_set(Path(rest))
    return scheme == "sample" and is_digits(rest)


def _short(stage: Stage) -> dict[str, object]:
    data = stage.model_dump(mode="json", exclude_none=True)
    data.pop("time", None)
    return {**data, "steps": min(stage.steps or _QUICK_STEPS, _QUICK_STEPS)}
