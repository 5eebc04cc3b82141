"""The live page in a real browser: it fills with pictures, its buttons work, nothing goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from accessibility import serious_faults
from helpers import PATIENCE, wait_until

from artgen.events import PreviewDrawn, Started
from artgen.live import Live, SavedFiles
from artgen.live.controls import Controls
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs import run
from artgen.tasks import RunControl

pytestmark = pytest.mark.browser


@pytest.fixture
def fitting() -> Iterator[tuple[Live, threading.Thread, list]]:
    """A run in another thread, shown by a page, that goes on until it is stopped."""
    asked = Recipe.from_dict(
        {
            "seed": 1,
            "target": {"source": "sample:chelsea", "size": 96},
            "primitive": {"name": "gaussian", "count": 60},
            "stage": [{"steps": 40_000}],
            "run": {"backend": "eager", "device": "cpu", "threads": 1},
        }
    )
    outcomes: list = []
    with Live(RunControl()) as live:

        def work() -> None:
            registry = Registry(environ={})
            outcomes.append(run(asked, registry, observers=[live], control=live.control))

        thread = threading.Thread(target=work)
        thread.start()
        yield live, thread, outcomes
        live.control.request_stop()
        thread.join()


def step_of(page) -> int:
    return int(page.inner_text("#step").split("/")[0])


@pytest.mark.parametrize("scheme", [pytest.param("dark", marks=pytest.mark.nightly), "light"])
def test_it_shows_pauses_and_stops(browser, fitting, scheme, monkeypatch) -> None:
    live, thread, outcomes = fitting
    waits = threading.Event()
    wait_if_paused = live.control.wait_if_paused

    def wait() -> None:
        if live.control.paused:
            waits.set()
        wait_if_paused()

    monkeypatch.setattr(live.control, "wait_if_paused", wait)
    page = browser.new_page(color_scheme=scheme)
    wrong: list[str] = []
    asked: set[str] = set()
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: asked.add(request.url.split("#")[0]))
    page.goto(live.address)
    for image in ("picture", "target", "errors"):
        page.wait_for_function(f"() => document.getElementById('{image}').naturalWidth === 96")
    page.wait_for_function("() => document.querySelectorAll('#curve polyline').length === 2")
    assert page.inner_text("#title") == "gaussian \u00d7 60"
    assert "dB" in page.inner_text("#psnr")
    assert page.inner_text("#state") == "running"

    page.click("#pause")
    page.wait_for_function("() => document.getElementById('state').textContent === 'paused'")
    assert waits.wait(PATIENCE)
    held = live.board.state.facts["step"]
    page.wait_for_function(
        f"() => parseInt(document.getElementById('step').textContent) === {held}"
    )
    page.wait_for_timeout(400)
    assert step_of(page) == held
    assert page.inner_text("#pause") == "Resume"
    assert serious_faults(page) == []
    page.keyboard.press("Enter")  # the button still has the focus
    page.wait_for_function(f"() => parseInt(document.getElementById('step').textContent) > {held}")

    page.select_option("#rate", "15")
    page.wait_for_function("() => document.getElementById('rate').value === '15'")
    before = page.get_attribute("#picture", "src")
    page.wait_for_function(
        "before => document.getElementById('picture').src !== before", arg=before
    )
    assert live.control.rate == 15

    page.click("#stop")
    page.wait_for_function("() => document.getElementById('state').textContent.startsWith('done')")
    thread.join(PATIENCE)
    assert outcomes[0].summary["stopped_by"] == "interrupted"
    assert page.is_disabled("#stop")
    assert serious_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert wrong == []
    assert {url for url in asked if not url.startswith("data:")} == {
        live.address,
        f"{live.address}events",
        f"{live.address}control",
    }
    page.close()


def test_it_says_what_went_wrong_and_that_it_is_over(page) -> None:
    with Live(RunControl()) as live:
        page.goto(live.address)
        live.fail(ValueError("no <b>luck</b>"))
        page.wait_for_selector("#error:not([hidden])")
        assert page.inner_text("#message") == "ValueError('no <b>luck</b>')"
    page.wait_for_function("() => document.getElementById('stop').disabled")


def test_before_there_is_a_drawing_a_box_of_the_targets_shape_stands_for_it(page) -> None:
    """There were pictures of broken files, and all moved when the first one came."""
    recipe = {
        "seed": 1,
        "target": {"source": "sample:cat"},
        "primitive": {"name": "gaussian", "count": 3},
        "stage": [{"engine": "gradient", "loss": "mse"}],
        "run": {"device": "cpu"},
    }
    target = np.zeros((24, 32, 3), np.uint8)
    with Live(RunControl()) as live:
        page.set_viewport_size({"width": 1280, "height": 1000})
        page.goto(live.address)
        live(Started("cat", 0, 10, recipe, target))
        page.wait_for_function("() => document.getElementById('target').naturalWidth === 32")
        drawing, errors = page.locator("#picture").bounding_box(), page.locator("#errors")
        assert drawing["width"] / drawing["height"] == pytest.approx(32 / 24, abs=0.02)
        # Replaced by an image, no browser draws its sign of a broken one.
        assert "svg" in page.locator("#picture").evaluate("i => getComputedStyle(i).content")
        height = page.locator("#target").bounding_box()["height"]
        assert errors.bounding_box()["height"] == pytest.approx(height, abs=1)
        live(PreviewDrawn("cat", 1, target))
        page.wait_for_function("() => document.getElementById('picture').naturalWidth === 32")
        assert page.locator("#picture").bounding_box() == pytest.approx(drawing, abs=1.5)


PLUGIN = """
import torch
from dataclasses import dataclass
from typing import Literal
from artgen import Param, Splat, init, option

class Spot(Splat):
    @dataclass(frozen=True)
    class Options:
        power: float = option(2.0, "steepness", low=1, high=8)
        arms: Literal[3, 4] = option(3, "arms")
    params = {"size": Param(init=init.from_spacing(0.6), map="exp")}
    def footprint(self, dx, dy, p):
        return torch.exp(-((dx * dx + dy * dy) / p.size**2) ** (self.options.power / 2))
    def radius(self, p):
        return 3 * p.size
"""


def test_the_choices_of_watch(page, tmp_path) -> None:
    file = tmp_path / "spot.py"
    file.write_text(PLUGIN)
    saved = SavedFiles([file])
    saved.rate = 15  # pictures at once, not as a share of the processor
    studio = Controls(Recipe.from_dict({"target": {"source": "sample:cat"}}), saved)
    spot = Registry(files=[file], environ={}).load("primitive", "spot")
    recipe = {
        "seed": 1,
        "target": {"source": "sample:cat"},
        "primitive": {"name": "spot", "count": 3},
        "stage": [{"engine": "gradient", "loss": "mse"}],
        "run": {"device": "cpu"},
    }
    target = np.zeros((24, 32, 3), np.uint8)
    with Live(saved, studio.change) as live:

        def preview(level: int) -> None:
            studio.show(live.board, spot(studio.options))
            live(Started("cat", 0, 10, recipe, target))
            live(PreviewDrawn("cat", 1, np.full_like(target, level)))

        preview(60)
        page.goto(live.address)
        page.wait_for_function("() => document.getElementById('picture').naturalWidth === 32")
        assert page.is_hidden("#earlier")
        first = page.get_attribute("#picture", "src")

        page.locator("#option-power").press("End")
        assert page.inner_text(".option output") == "8"
        page.locator("#option-power").blur()
        page.select_option("#targets", "sample:coffee")
        chosen = ({"power": 8}, "sample:coffee")
        wait_until(lambda: (studio.options, studio.target) == chosen)
        assert saved.stop_requested

        saved.begin()
        preview(200)
        page.wait_for_selector("#earlier:not([hidden])")
        page.wait_for_function(
            "first => document.getElementById('picture').src !== first", arg=first
        )
        assert page.get_attribute("#before", "src") == first
        assert page.input_value("#targets") == "sample:coffee"
        page.select_option("#option-arms", "4")
        wait_until(lambda: studio.options == {"power": 8, "arms": 4})

        # A saved file has another option: its field appears, and the keys stay where they are.
        page.focus("#option-power")
        file.write_text(
            PLUGIN.replace(
                "    params", '        soft: bool = option(False, "soft")\n    params', 1
            )
        )
        spot = Registry(files=[file], environ={}).load("primitive", "spot")
        preview(90)
        page.wait_for_selector("#option-soft")
        assert page.evaluate("document.activeElement.id") == "option-power"
        page.hover("#part")
        assert page.inner_text("#value").startswith("1 at (")
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
            assert serious_faults(page) == []
