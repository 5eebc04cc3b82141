"""A headless Chromium for the tests in this folder."""

from __future__ import annotations

import os
import shutil

import pytest

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
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    ]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    """A new page of the browser."""
    return browser.new_page()
