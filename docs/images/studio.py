"""Make the film of the studio: python docs/images/studio.py, with Chromium; it takes ten minutes.

The browser computes without a graphics card, so the film says how many times faster it is shown.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import time
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page, sync_playwright

from artgen.cli import main as artgen

HERE = Path(__file__).parent
SIZE = {"width": 1100, "height": 690}
WIDTH = 900
STYLE, CHOSEN, ALL = "facets", 370.0, 560.0
"""What is chosen after so many seconds, and the seconds of the whole."""
INTERVAL, FRAMES_PER_SECOND, HELD = 7.0, 9, 2000
"""Seconds between two frames, frames of the film per second, milliseconds of the last."""
ARGUMENTS = (
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
)


def main() -> None:
    """Write the film beside this file."""
    chromium = os.environ.get("ARTGEN_CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder, "studio.html")
        artgen(["studio", "-o", str(file), "-q"])
        browser = playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS])
        page = browser.new_page(viewport=SIZE, color_scheme="dark")
        page.set_default_timeout(600_000)
        page.goto(file.as_uri())
        shots = watch(page)
        browser.close()
    first, *others = [framed(shot) for shot in shots]
    lasts = [round(1000 / FRAMES_PER_SECOND)] * len(others) + [HELD]
    first.save(
        HERE / "studio.webp",
        save_all=True,
        append_images=others,
        duration=lasts,
        loop=0,
        quality=62,
        method=6,
    )


def watch(page: Page) -> list[bytes]:
    """Pictures of the page at even times, while a style is chosen."""
    page.wait_for_function(
        "() => document.querySelector('#sketches button:last-child canvas')?.width < 300"
    )
    began, shots, chosen = time.monotonic(), [], False
    while (passed := time.monotonic() - began) < ALL:
        if passed > CHOSEN and not chosen:
            chosen = True
            page.get_by_role("button", name=STYLE).click()
            page.wait_for_function("() => artgen.report()?.step")
        shots.append(page.screenshot())
        time.sleep(max(0.0, began + INTERVAL * len(shots) - time.monotonic()))
    return shots


def framed(shot: bytes) -> Image.Image:
    """A picture of the page with the speed of the film on it."""
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    picture = picture.resize(
        (WIDTH, round(WIDTH * picture.height / picture.width)), Image.Resampling.LANCZOS
    )
    text = f"{INTERVAL * FRAMES_PER_SECOND:.0f} times faster, no graphics card"
    font = ImageFont.load_default(15)
    ImageDraw.Draw(picture).text((WIDTH - 20, 22), text, "#ffa372", font, anchor="rs")
    return picture


if __name__ == "__main__":
    main()
