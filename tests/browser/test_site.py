"""The documentation as a site: everybody can read it, on any screen, in light and dark."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from accessibility import serious_faults

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
PAGES = ("index", "start", "tasks", "films", "changelog", "guides/shape")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the site."""
    pytest.importorskip("material", reason="make docs installs MkDocs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True)
    return folder


# Colours change no size: before a change each width is seen in one scheme, by night in both.
@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        *[(1440, "light"), (390, "dark")],
        pytest.param(1440, "dark", marks=pytest.mark.nightly),
        pytest.param(390, "light", marks=pytest.mark.nightly),
    ],
)
def test_everybody_can_read_it(browser, site, scheme, width):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    for name in PAGES:
        page.goto((site / f"{name}.html").as_uri())
        # Material wraps tables once the page is there.
        page.wait_for_function(
            "() => !document.querySelector('.md-typeset table:not([class])')"
            " || document.querySelector('.md-typeset__scrollwrap[tabindex]')"
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert serious_faults(page) == [], name
    page.close()


def test_its_first_pages_show_pictures(browser, site):
    page = browser.new_page()
    for name in ("index", "start"):
        page.goto((site / f"{name}.html").as_uri())
        picture = page.locator(".md-content img").first
        assert (
            picture.evaluate("async img => { await img.decode(); return img.naturalWidth; }") > 500
        )
        assert picture.get_attribute("alt")
        assert picture.bounding_box()["y"] < 400
    page.close()
