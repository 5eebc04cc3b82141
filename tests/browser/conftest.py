"""A headless Chromium for the tests in this folder."""

from __future__ import annotations

import os
import shutil

import pytest
from helpers import PATIENCE

CHROMIUM = os.environ.get("ARTGEN_CHROMIUM") or shutil.which("chromium")


@pytest.fixture(scope="session")
def browser():
    """The browser; tests that need one are skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium: install it or set ARTGEN_CHROMIUM to its path")
    sync_api = pytest.importorskip("playwright.sync_api")
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader",
        "--enable-unsafe-webgpu",
        "--use-webgpu-adapter=swiftshader",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    ]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        browser.new_page, browser.new_context = map(
            _patient, (browser.new_page, browser.new_context)
        )
        yield browser
        browser.close()


def _patient(make):
    """Let pages wait as long as it takes on a busy machine."""

    def made(**options):
        page_or_context = make(**options)
        page_or_context.set_default_timeout(1000 * PATIENCE)
        return page_or_context

    return made


@pytest.fixture(autouse=True)
def _every_page_hears_the_end(monkeypatch):
    monkeypatch.setattr("artgen.live._server.LAST_WORDS", PATIENCE)


@pytest.fixture
def page(browser):
    """A new page of the browser."""
    return browser.new_page()
