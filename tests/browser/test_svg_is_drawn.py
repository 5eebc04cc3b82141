"""A browser draws the SVG of every shape as artgen draws the still."""

from __future__ import annotations

import io

import numpy as np
import pytest
from helpers import BY_DAY
from PIL import Image

from artgen import fit
from artgen.art import ExportRequest
from artgen.exporters import export_svg
from artgen.families.shape.contract import Shape
from artgen.losses.metrics import psnr
from artgen.registry import Registry

pytestmark = pytest.mark.browser

SIZE = 96
QUICK = {"restarts": 2, "moves": 1, "candidates": 30, "patience": 20, "passes": 1}


def shipped():
    entries = Registry(environ={}).entries("primitive")
    return sorted(entry.name for entry in entries if issubclass(entry.load(), Shape))


@pytest.fixture
def shown(browser, tmp_path):
    """A function from an SVG file to what the browser shows, [height, width, 4]."""

    def shown(data, width, height, *, wait=0, **options):
        (tmp_path / "shown.svg").write_bytes(data)
        page = browser.new_page(viewport={"width": width, "height": height}, **options)
        page.goto((tmp_path / "shown.svg").as_uri())
        page.wait_for_timeout(wait)
        picture = page.screenshot(omit_background=True)
        page.close()
        return np.array(Image.open(io.BytesIO(picture)).convert("RGBA"))

    return shown


def art_of(name, count=40, **options):
    return fit(
        "sample:astronaut", name, count=count, size=SIZE, seed=1, engine_options=QUICK | options
    )


@pytest.fixture(scope="module")
def target():
    from artgen.targets import TargetRequest
    from artgen_plugins.samples.opener import open_sample

    return open_sample("astronaut", TargetRequest(size=SIZE)).pixels


# By night with textures that are drawn eagerly for seconds: a page draws them by day.
@pytest.mark.parametrize("colours", ["flat", pytest.param("own", marks=pytest.mark.nightly)])
def test_svg_of_stamps_is_the_still(colours, shown):
    given = {"count": 20, "steps": 20, "size": SIZE, "seed": 1, "backend": "eager"}
    stamps = {"stamp": "leaf,flower", "colours": colours}
    art = fit("sample:astronaut", "stamp", **given, **stamps)
    drawn = shown(export_svg(art, ExportRequest(size=300)), 300, 300)
    assert psnr(drawn[..., :3], art.render(300)) >= 35


# By night shapes of whose kind of outline another one is drawn by day.
@pytest.mark.parametrize(
    "name",
    [
        *(
            pytest.param(each, marks=[pytest.mark.nightly] * (each not in BY_DAY))
            for each in shipped()
        ),
        "bezier+rotated_ellipse+rectangle+line",
    ],
)
def test_svg_and_still_are_equally_near_to_the_target(name, shown, target):
    art = art_of(name)
    drawn = shown(export_svg(art, ExportRequest()), SIZE, SIZE)
    assert (drawn[..., 3] == 255).all()
    assert psnr(drawn[..., :3], target) == pytest.approx(art.psnr, abs=0.3)
    assert psnr(drawn[..., :3], art.render()) > 37  # Chromium is coarse about curves


def test_a_larger_one_is_the_larger_still(shown):
    # The mixture of test_page_draws.py, so that its kernels are compiled once.
    art = art_of("bezier+rotated_ellipse+rectangle+line", alpha=0.0)
    drawn = shown(export_svg(art, ExportRequest(size=400)), 400, 400)
    assert psnr(drawn[..., :3], art.render(400)) > 40


def test_what_is_transparent_shows_through(shown):
    art = art_of("circle", count=5)
    drawn = shown(export_svg(art, ExportRequest(transparent=True)), SIZE, SIZE).astype(float)
    still = art.render(transparent=True).astype(float)
    assert drawn[..., 3].min() == still[..., 3].min() == 0
    assert abs(drawn[..., 3] - still[..., 3]).mean() < 1
    weight = still[..., 3:] / 255
    assert abs((drawn - still)[..., :3] * weight).mean() < 1


def test_shapes_appear_and_stay_and_do_not_move_for_who_wants_none(shown):
    art = art_of("triangle", count=20)
    still = art.render()
    data = export_svg(art, ExportRequest(animate=1.0))
    nearest = [
        psnr(shown(data, SIZE, SIZE, **options)[..., :3], still)
        for options in ({"wait": 1200}, {"reduced_motion": "reduce"})
    ]
    assert min(nearest) > 40
    # So slow that the first picture has the first shape at most.
    slow = export_svg(art, ExportRequest(animate=3000.0))
    assert psnr(shown(slow, SIZE, SIZE)[..., :3], still) < 30
