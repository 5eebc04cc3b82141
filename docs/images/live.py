"""Make the picture of the live page: python docs/images/live.py.

Needs playwright and Chromium, as the tests in tests/browser do.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

CHROMIUM = os.environ.get("ARTGEN_CHROMIUM") or shutil.which("chromium")
FIT = ["fit", "sample:chelsea", "-p", "fourier", "-n", "160", "--steps", "700", "--seed", "1"]
SEEN_AT, SIZE = 260, {"width": 1100, "height": 760}
"""The step from which the page is shown, and its size in pixels."""


def main() -> None:
    """Write live.jpg beside this file."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "artgen", *FIT, "--live", "--out", folder],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        address = next(line.split()[1] for line in process.stderr if line.startswith("live: "))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(viewport=SIZE, color_scheme="dark")
            page.goto(address)
            page.wait_for_function(
                f"() => parseInt(document.getElementById('step').textContent) >= {SEEN_AT}",
                timeout=600_000,
            )
            shot = page.screenshot()
            browser.close()
        process.terminate()
        process.wait()
    Image.open(io.BytesIO(shot)).convert("RGB").save(Path(__file__).with_suffix(".jpg"), quality=82)


if __name__ == "__main__":
    main()
