"""A real browser plays the video to its end and shows the right colours."""

from __future__ import annotations

import functools
import http.server
import threading

import numpy as np
import pytest
from skimage import data, filters, transform

from artgen.output import to_pixels, write_video

pytestmark = pytest.mark.browser

PAGE = '<!doctype html><title>video</title><video src="video.mp4" muted preload="auto"></video>'

PLAY_TO_THE_END = """
async () => {
  const video = document.querySelector("video");
  await new Promise((resolve, reject) => {
    video.addEventListener("ended", resolve);
    video.addEventListener("error", () => reject(new Error(video.error.message)));
    video.play().catch(reject);
  });
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  return {
    width: canvas.width,
    height: canvas.height,
    duration: video.duration,
    pixels: Array.from(context.getImageData(0, 0, canvas.width, canvas.height).data),
  };
}
"""


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture
def site(tmp_path):
    """A folder and the address at which it is served."""
    handler = functools.partial(QuietHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield tmp_path, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def progress():
    """Two seconds at 10 frames a second: from a blur to a photo with saturated patches, held."""
    photo = transform.resize(data.chelsea(), (128, 128), anti_aliasing=True)
    photo[:24, :24], photo[:24, -24:], photo[-24:, :24] = (1, 0, 0), (0, 1, 0), (0, 0, 1)
    for step in range(20):
        yield to_pixels(filters.gaussian(photo, max(0, 9 - step), channel_axis=-1))


def test_plays_to_the_end_and_ends_with_the_last_frame(site, page):
    folder, address = site
    frames = list(progress())
    write_video(folder / "video.mp4", frames, fps=10, comment='{"schema":1}')
    (folder / "index.html").write_text(PAGE)

    page.goto(address)
    result = page.evaluate(PLAY_TO_THE_END)

    assert (result["width"], result["height"]) == (128, 128)
    assert result["duration"] == pytest.approx(2.0, abs=0.01)
    shown = np.array(result["pixels"]).reshape(128, 128, 4)[..., :3]
    assert abs(shown - frames[-1]).mean() < 3
    assert abs(shown - frames[8]).mean() > 2 * abs(shown - frames[-1]).mean()
    # Chromium without a GPU converts with rounded coefficients, which costs pure green and blue
    # 12 levels. A missing or wrong colour tag costs red 23 and green 40.
    for patch in (np.s_[4:20, 4:20], np.s_[4:20, -20:-4], np.s_[-20:-4, 4:20]):
        assert abs(shown[patch].mean((0, 1)) - frames[-1][patch].mean((0, 1))).max() <= 15
