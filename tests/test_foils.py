"""Foils: two screens of lines, each with its picture, and a third where one lies over the other."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import recipe
from PIL import Image

import artgen
from artgen import ink
from artgen.errors import UsageError
from artgen.losses import Sight
from artgen.registry import default
from artgen.runs import run
from artgen_plugins.foils import Foils

HALVES = np.zeros((64, 64), np.uint8)
HALVES[:, 32:] = 255
"""Dark on the left; turned, dark above; and four quarters like a chessboard."""


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("foils")
    chess = np.where((HALVES > 0) ^ (HALVES.T > 0), 255, 0).astype(np.uint8)
    names = {}
    for name, picture in (("both", chess), ("first", HALVES), ("second", HALVES.T)):
        names[name] = str(folder / f"{name}.png")
        Image.fromarray(picture).convert("RGB").save(names[name])
    asked = recipe(
        names["both"],
        {"engine": "place", "steps": 1},
        primitive={"name": "foils", "count": 6000},
        target={"size": 64},
        view=[
            {"how": "pose=1", "target": names["first"]},
            {"how": "pose=-1", "target": names["second"]},
        ],
        output={"video": False},
    )
    return run(asked, default(), out=folder / "out", name="a").art


def quarters(art, pose: float) -> np.ndarray:
    """The light that passes in the middle of each quarter, 0 to 1, [2, 2]."""
    drawing = Sight.of(f"pose={pose}").pose.drawing(art.drawing, art.primitive())
    shown = artgen.Art(drawing, art.recipe, registry=default()).render(128)[..., 1] / 255
    return np.array([[shown[y : y + 32, x : x + 32].mean() for x in (16, 80)] for y in (16, 80)])


def test_each_foil_shows_its_picture_and_both_together_the_third(fitted):
    first, second, both = (quarters(fitted, pose) for pose in (1, -1, 0))
    assert (first[:, 1] > first[:, 0] + 0.1).all()
    assert np.ptp(first, axis=0).max() < 0.03  # nothing of the others
    assert (second[1] > second[0] + 0.1).all()
    assert np.ptp(second, axis=1).max() < 0.03
    assert min(both[0, 1], both[1, 0]) > max(both[0, 0], both[1, 1]) + 0.03


def test_foils_pulled_away_by_less_than_all_have_their_pictures():
    """Both had the picture of the two together, without a word."""
    goals = {pose: np.tile(each / 255.0, (3, 1, 1)) for pose, each in ((1, HALVES), (-1, HALVES.T))}
    target, canvas = np.full((3, 64, 64), 0.5), artgen.Canvas(64, 64)

    def placed(by: float) -> np.ndarray:
        seen = {by * pose: goal for pose, goal in goals.items()}
        rng = np.random.default_rng(0)
        sheet = ink.Sheet(1 - target[:2], canvas, 2000, rng, target=target, goals=seen)
        return Foils().place(sheet).strokes

    assert np.array_equal(placed(0.5), placed(1.0))
    assert not np.array_equal(placed(0.5), placed(0.0))


def test_the_picture_is_the_same_at_sizes_at_which_lines_cannot_be_told_apart(fitted):
    large, small = fitted.render(256).astype(float), fitted.render(32).astype(float)
    means = large.reshape(32, 8, 32, 8, 3).mean((1, 3))
    assert np.abs(means - small).mean() < 8  # at random overlaps: 30


def test_lines_reach_all_edges():
    gray = np.full((64, 64, 3), 128, np.uint8)
    shown = artgen.fit(gray, "foils", count=2000).render(512)[..., 1]
    # Lines are fifteen pixels apart, and half of the lowest one is seen; so is half of the first.
    assert shown[:2].max() < 128
    assert shown[-2:].max() < 128


def test_light_inks_on_dark_paper_lie_where_a_picture_is_bright():
    """They were a negative."""
    look = {"inks": "#ffcc44,#eeeeff", "overprint": False, "background": "#101840"}
    shown = artgen.fit(HALVES, "foils", count=4000, **look).render(128)[..., 1].astype(float)
    assert shown[:, 80:].mean() > shown[:, :48].mean() + 40


def test_pictures_that_agree_are_shown_in_a_wider_range():
    """As wide as for any three, that of both was a sixth of the light."""
    shown = artgen.fit(HALVES, "foils", count=4000).render(128)[..., 1] / 255
    assert shown[:, 80:].mean() > shown[:, :48].mean() + 0.3


def test_the_ground_of_a_small_light_subject_stays_even():
    """What is hardly lighter than an empty ground stood out from it a sixth as much as the subject."""
    picture = np.full((64, 64, 3), 10, np.uint8)
    picture[20:44, 8:24], picture[20:44, 40:56] = 24, 255
    look = {"inks": "#ffcc44,#eeeeff", "overprint": False, "background": "#101840"}

    def faint(**options: float) -> float:
        shown = artgen.fit(picture, "foils", count=4000, **look, **options).render(128)
        across = shown[44:84].mean((0, 2))
        ground, faint, light = across[:10].mean(), across[20:44].mean(), across[84:108].mean()
        return float((faint - ground) / (light - ground))

    assert faint() > 0.12
    assert faint(even=0) < 0.06


def test_foils_need_two_inks():
    with pytest.raises(UsageError, match="two inks"):
        artgen.fit(HALVES, "foils", count=100, inks="#000000")
    with pytest.raises(UsageError, match="dark"):
        artgen.fit(HALVES, "foils", count=100, dark=0.7)
