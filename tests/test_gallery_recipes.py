"""The gallery's recipes: each is complete and has words; together they show all there is."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from artgen.gallery import examine, open_gallery
from artgen.gallery._reel import LONGEST_SECONDS, SPEED
from artgen.registry import Registry, kind_names

FOLDER = Path(__file__).parent.parent / "gallery"
PIECES = open_gallery(FOLDER).pieces


def test_every_shipped_primitive_and_engine_has_a_piece(registry):
    shown = {name for piece in PIECES for name in kind_names(piece.recipe.primitive.name)}
    assert shown == {entry.name for entry in registry.entries("primitive")}
    engines = {stage.engine for piece in PIECES for stage in piece.recipe.stage}
    assert engines == {entry.name for entry in registry.entries("engine")}


def test_every_blend_has_a_piece():
    blends = {piece.recipe.primitive.options.get("blend", "sum") for piece in PIECES}
    assert blends == {"sum", "mean", "normalized", "depth", "over"}


def test_every_look_has_a_piece():
    assert {piece.recipe.look for piece in PIECES} - {None} == {
        entry.name for entry in Registry(environ={}).entries("look")
    }


def test_no_subject_comes_more_than_three_times_and_no_two_pieces_are_of_one_kind():
    assert len(PIECES) == 55
    subjects = [piece.recipe.target.source.partition("?")[0] for piece in PIECES]
    subjects = ["sample:cat" if each == "sample:chelsea" else each for each in subjects]
    assert max(Counter(subjects).values()) <= 3
    kinds = [piece.recipe.primitive.name for piece in PIECES]
    assert len(set(zip(subjects, kinds, strict=True))) == len(PIECES)


def test_the_reel_of_highlights_takes_about_a_minute():
    highlights = [piece for piece in PIECES if piece.words.order is not None]
    seconds = [piece.recipe.output.video_seconds / SPEED for piece in highlights]
    assert 60 <= sum(min(each, LONGEST_SECONDS) for each in seconds) <= 90


FEW = 60
"""Pictures of a set to complete a recipe with: thousands are drawn as these are, for seconds."""


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.slug)
def test_it_can_be_made_and_is_worth_showing(piece, registry):
    source = re.sub(r"(?<=[?&]n=)\d+", str(FEW), piece.recipe.target.source)
    state = examine(replace(piece, recipe=piece.recipe.with_target(source=source)), registry)
    assert state.error is None
    assert piece.recipe.seed is not None
    assert piece.recipe.output.still_size >= 2048
    assert piece.words.title
    assert piece.words.alt
    assert piece.words.text
    assert piece.words.text.endswith((".", "?"))
