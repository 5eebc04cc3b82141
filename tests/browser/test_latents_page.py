"""A page of `latents` decodes the bytes of the file: the same whole numbers, the same picture."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from listening import listen
from test_page_draws import drawn

import artgen
from artgen import family
from artgen.art import Art, ExportRequest
from artgen.exporters import export_html

pytestmark = pytest.mark.browser

DECODE = """async ([script, facts, text]) => {
  const found = new Function("piece", `class Unable extends Error {} class Stage {}
    ${script}
    return decode;`)({ facts });
  const data = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), { weights, grids } = await found(data, facts);
  const numbers = Object.entries(weights).map(([name, values]) => [name, Array.from(values)]);
  return Object.fromEntries(numbers.concat(grids.map(({ channels, height, width, stride }, level) => [`grid${level}`,
    channels.flatMap(({ q }) => Array.from({ length: height * width },
      (_, i) => q[(Math.floor(i / width) + 2) * stride + (i % width) + 2]))])));
}"""


@pytest.fixture(scope="module")
def art():
    """With latents and weights of any size, as hardly a fit has them."""
    fitted = artgen.fit("sample:coffee", "latents", size=65, steps=8, rate=2.0, seed=1)
    rng = torch.Generator().manual_seed(4)
    tensors = {}
    for name, tensor in fitted.drawing.tensors.items():
        noise = torch.randn(tensor.shape, generator=rng)
        tensors[name] = tensor + (noise.pow(3) if name.startswith("grid") else 0.02 * noise)
    tensors["grid0"][0, 0, :3] = torch.tensor([-255.0, 255.0, -300.0])
    tensors["scale"][2] = -64.0
    tensors["level"][0, :2] = torch.tensor([63.9, -511 / 64])
    latents = fitted.primitive()
    coded = family.unpack(latents, family.pack(latents, tensors))
    return Art(replace(fitted.drawing, tensors=coded), fitted.recipe, fitted.metrics)


@pytest.fixture
def visit(browser, tmp_path):
    """A function that opens the bytes of a page."""
    complaints = []

    def visit(data):
        (tmp_path / "page.html").write_bytes(data)
        page = browser.new_page()
        listen(page, complaints, "file:", "data:", "blob:")
        page.goto((tmp_path / "page.html").as_uri())
        return page

    yield visit
    assert complaints == []


def test_the_latents_are_the_same_whole_numbers(art, page):
    latents, drawing = art.primitive(), art.drawing
    own = family.page_script(latents, drawing)
    data = base64.b64encode(own.data).decode()
    found = page.evaluate(DECODE, [own.script, json.loads(json.dumps(own.facts)), data])
    assert found.keys() == drawing.tensors.keys()
    for name, tensor in drawing.tensors.items():
        np.testing.assert_array_equal(found[name], tensor.numpy().ravel(), err_msg=name)


def test_the_picture_is_that_of_python_at_any_size(art, visit):
    page = visit(export_html(art, ExportRequest()))
    for side in (20, 41, 60, 65, 130, 333):
        picture = art.render(side).astype(int)
        height, width = picture.shape[:2]
        assert abs(drawn(page, width=width, height=height) - picture).max() <= 1, side
    large = art.render(4 * 65).astype(int)
    height, width = large.shape[:2]
    left, top, across, down = 100, 60, 64, 32
    x, y = ((2 * left + across - width) / height, (2 * top + down - height) / height)
    near = drawn(page, width=across, height=down, x=x, y=y, zoom=height / down)
    assert abs(near - large[top : top + down, left : left + across]).max() <= 1


def test_parts_are_the_grids_from_the_coarsest(art, visit):
    page = visit(export_html(art, ExportRequest()))
    height, width = art.render(65).shape[:2]
    for shown in (1, 4):
        finer = {f"grid{level}" for level in range(len(art.primitive().levels) - shown)}
        tensors = {k: 0 * v if k in finer else v for k, v in art.drawing.tensors.items()}
        coarse = Art(replace(art.drawing, tensors=tensors), art.recipe, art.metrics)
        picture = coarse.render(65).astype(int)
        found = drawn(page, width=width, height=height, parts=shown)
        assert abs(found - picture).max() <= 1, shown


def changed(page, change):
    """The page with other bytes, which `change` makes of those that it holds."""
    text = page.decode()
    piece = json.loads(re.search(r'id="piece">(.*?)</script>', text, re.DOTALL)[1])
    numbers = re.search(r'id="numbers">(.*?)</script>', text, re.DOTALL)[1]
    data = base64.b64decode(numbers)[: piece["rows"][0]["count"]]
    made = change(bytearray(data))
    made = made if isinstance(made, str) else base64.b64encode(bytes(made)).decode()
    text = text.replace(numbers, made).replace(
        f'"count":{len(data)},', f'"count":{3 * len(made) // 4},'
    )
    return text.encode()


def flipped(bit):
    def change(data):
        data[bit // 8 % len(data)] ^= 1 << bit % 8
        return data

    return change


def forged(at, value):
    """With a checksum that is right: what an attacker writes."""

    def change(data):
        data[at : at + 1] = value
        data[1:5] = zlib.crc32(data[5:]).to_bytes(4, "little")
        return data

    return change


@pytest.mark.parametrize(
    "change",
    [
        *map(flipped, (3, 1000)),
        forged(5, b"\xff"),
        forged(300, b""),
        # Each is a page: by night more of the same.
        *(
            pytest.param(change, marks=pytest.mark.nightly)
            for change in (
                *map(flipped, (11, 41, 5001, 9999)),
                *(forged(6, b"\xff"), forged(5, b"\x14"), forged(303, b"????")),
            )
        ),
        lambda data: data[:3],
        lambda data: b"",
        lambda data: "no base64!",
    ],
)
def test_damaged_bytes_are_reported(change, art, visit):
    page = visit(changed(export_html(art, ExportRequest()), change))
    page.locator("#notice").wait_for()
    assert "are damaged" in page.locator("#reason").inner_text()
    assert page.locator("#poster").is_visible()
