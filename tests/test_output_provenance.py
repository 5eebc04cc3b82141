"""Every output gives its recipe back; foreign and damaged files are refused by name."""

from __future__ import annotations

import json
import struct

import av
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from safetensors.torch import save_file

from artgen.base import png
from artgen.base.errors import InputError
from artgen.output import encode_photo, encode_png, read_recipe, write_video
from artgen.output.ownership import is_own

RECIPE = {"schema": 1, "seed": 7, "target": {"source": "Straßenkatze 猫 🐈.png"}}
TEXT = json.dumps(RECIPE, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
PIXELS = np.zeros((16, 16, 3), np.uint8)


def write_art(path, metadata):
    save_file({"xy": torch.zeros(2, 3)}, path, metadata)


def write_webm(path, comment):
    with av.open(path, "w") as container:
        container.metadata["comment"] = comment
        stream = container.add_stream("libvpx-vp9", rate=30)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(PIXELS, format="rgb24")))
        container.mux(stream.encode(None))


def test_png(tmp_path):
    path = tmp_path / "STILL.PNG"
    path.write_bytes(encode_png(PIXELS, TEXT))
    assert read_recipe(path) == TEXT


@pytest.mark.parametrize("zipped", [False, True])
def test_png_with_other_texts_around(tmp_path, zipped):
    texts = PngInfo()
    texts.add_itxt("Title", "a picture", zip=zipped)
    texts.add_itxt("artgen:recipe", TEXT, zip=zipped)
    Image.fromarray(PIXELS).save(tmp_path / "still.png", pnginfo=texts)
    assert read_recipe(tmp_path / "still.png") == TEXT


def page_with(recipe):
    return (
        '<!doctype html><title>x</title><script type="application/json" id="artgen-recipe">'
        f"{recipe}</script><script>1</script>"
    )


def test_page(tmp_path):
    path = tmp_path / "page.HTML"
    path.write_text(page_with(TEXT.replace("cat", "\\u003cb>")), encoding="utf-8")
    assert read_recipe(path) == TEXT.replace("cat", "<b>")
    path.write_text("<!doctype html><p>nothing</p>")
    with pytest.raises(InputError, match="contains no recipe"):
        read_recipe(path)
    path.write_text(page_with(TEXT).partition("</script>")[0], encoding="utf-8")
    with pytest.raises(InputError, match="cut short"):
        read_recipe(path)
    path.write_text(page_with("{"))
    with pytest.raises(InputError, match="JSON"):
        read_recipe(path)


def test_keywords_stand_at_the_end_of_a_large_pdf(tmp_path, monkeypatch):
    """Its first 16 MB were read: it held no recipe, and `--overwrite` took it for a foreign file."""
    monkeypatch.setattr("artgen.output.provenance._LARGEST_RECIPE", 1000)
    text = json.dumps(RECIPE)
    keywords = text.replace("\\", "\\\\").encode()
    drawn = bytes(100_000)
    path = tmp_path / "many.pdf"
    path.write_bytes(b"%PDF-1.4\n" + drawn + b"<< /Keywords (artgen:recipe " + keywords + b") >>")
    assert read_recipe(path) == text
    assert is_own(path)


def test_png_larger_than_pillow_dares_to_open(tmp_path):
    data = bytearray(encode_png(PIXELS, TEXT))
    data[16:24] = struct.pack(">II", 100_000, 100_000)
    (tmp_path / "huge.png").write_bytes(data)
    assert read_recipe(tmp_path / "huge.png") == TEXT


@pytest.mark.parametrize("suffix", ["jpg", "avif"])
def test_photo_larger_than_pillow_dares_to_open(tmp_path, suffix, monkeypatch):
    """A poster of more than 179 million pixels was refused as a bomb, its recipe with it."""
    path = tmp_path / f"poster.{suffix}"
    path.write_bytes(encode_photo(PIXELS, suffix, TEXT))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert json.loads(read_recipe(path)) == RECIPE


def test_mp4_with_a_long_recipe(tmp_path):
    text = json.dumps({"plugins": ["ü猫" * 4000]}, ensure_ascii=False)
    write_video(tmp_path / "video.mp4", [PIXELS], fps=30, comment=text)
    assert read_recipe(tmp_path / "video.mp4") == text


def test_webm(tmp_path):
    write_webm(tmp_path / "video.webm", TEXT)
    assert read_recipe(tmp_path / "video.webm") == TEXT


def test_art(tmp_path):
    write_art(tmp_path / "drawing.art", {"artgen": json.dumps({"format": 1, "recipe": RECIPE})})
    assert read_recipe(tmp_path / "drawing.art") == TEXT


def test_summary(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"psnr": 30.5, "recipe": RECIPE}))
    assert read_recipe(tmp_path / "run.json") == TEXT


def test_files_without_a_recipe(tmp_path):
    (tmp_path / "still.png").write_bytes(encode_png(PIXELS))
    write_video(tmp_path / "video.mp4", [PIXELS], fps=30)
    write_art(tmp_path / "foreign.art", {"format": "pt"})
    write_art(tmp_path / "bare.art", None)
    write_art(tmp_path / "empty.art", {"artgen": "{}"})
    (tmp_path / "other.json").write_text('{"recipe": "a string"}')
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(InputError, match="contains no recipe") as caught:
            read_recipe(path)
        assert path.name in str(caught.value)


def test_unknown_and_missing_files(tmp_path):
    (tmp_path / "photo.bmp").touch()
    with pytest.raises(InputError, match=r"photo\.bmp cannot hold") as caught:
        read_recipe(tmp_path / "photo.bmp")
    assert ".png" in caught.value.hint
    for suffix in ("png", "mp4", "art", "json"):
        with pytest.raises(InputError, match=rf"gone\.{suffix}.*No such file"):
            read_recipe(tmp_path / f"gone.{suffix}")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(InputError, match=r"folder\.png is a folder"):
        read_recipe(tmp_path / "folder.png")


@pytest.mark.parametrize(
    "suffix", ["png", "mp4", "webm", "gif", "webp", "apng", "pdf", "art", "json"]
)
@pytest.mark.parametrize("data", [b"", b"\x80\x04K\x01.", b"\xff" * 64, b"[" * 100_000])
def test_garbage_is_refused(tmp_path, suffix, data):
    path = tmp_path / f"garbage.{suffix}"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"garbage\."):
        read_recipe(path)


@pytest.mark.parametrize("encoding", ["wtf-8", "base64", "utf-32", "shift_jis"])
def test_an_svg_in_an_encoding_that_cannot_be_read(tmp_path, encoding):
    path = tmp_path / "strange.svg"
    path.write_text(f"<?xml version='1.0' encoding='{encoding}'?><svg></svg>")
    with pytest.raises(InputError, match=r"strange\.svg is damaged: its XML cannot be read"):
        read_recipe(path)


def test_every_cut_of_a_png_is_refused(tmp_path):
    data = encode_png(PIXELS, TEXT)
    end_of_recipe = data.index(b"IDAT") - 4
    for length in range(1, end_of_recipe):
        (tmp_path / "cut.png").write_bytes(data[:length])
        with pytest.raises(InputError, match="damaged"):
            read_recipe(tmp_path / "cut.png")


def test_a_flipped_bit_in_the_recipe_is_noticed(tmp_path):
    data = bytearray(encode_png(PIXELS, TEXT))
    data[data.index(b"artgen:recipe") + 30] ^= 1
    (tmp_path / "flipped.png").write_bytes(data)
    with pytest.raises(InputError, match="checksum"):
        read_recipe(tmp_path / "flipped.png")


@pytest.mark.parametrize(
    "text",
    ['\ufeff{"a":1}'.encode("utf-16-le"), '{"a":1}'.encode("utf-16-le"), b'{"a":"\xed\xa0\x80"}'],
)
def test_a_recipe_in_another_encoding_is_refused(tmp_path, text):
    data = encode_png(PIXELS)
    at = data.index(b"IDAT") - 4
    chunk = png.chunk(b"iTXt", b"artgen:recipe\0\0\0\0\0" + text)
    (tmp_path / "other.png").write_bytes(data[:at] + chunk + data[at:])
    with pytest.raises(InputError, match="damaged"):
        read_recipe(tmp_path / "other.png")


def test_a_description_that_is_a_number_is_no_recipe(tmp_path):
    tags = [(270, 3, 1, 5, True)]
    tifffile.imwrite(tmp_path / "number.tif", PIXELS, metadata=None, extratags=tags)
    with pytest.raises(InputError, match="contains no recipe"):
        read_recipe(tmp_path / "number.tif")


def test_a_decompression_bomb_is_refused(tmp_path):
    (tmp_path / "bomb.png").write_bytes(encode_png(PIXELS, '"' + " " * 20_000_000 + '"'))
    with pytest.raises(InputError, match="too large"):
        read_recipe(tmp_path / "bomb.png")


@pytest.mark.parametrize("side", [12_000, 65_535])
def test_an_animation_that_claims_many_pixels_is_not_painted(tmp_path, side):
    write_video(tmp_path / "a.gif", [np.zeros((8, 8, 3), np.uint8)] * 2, fps=5, comment="{}")
    data = (tmp_path / "a.gif").read_bytes()
    (tmp_path / "a.gif").write_bytes(data[:6] + 2 * side.to_bytes(2, "little") + data[10:])
    if side < 20_000:
        assert read_recipe(tmp_path / "a.gif") == "{}"
        return
    with pytest.raises(InputError, match=r"a\.gif is far larger than 90,000,000 pixels"):
        read_recipe(tmp_path / "a.gif")


@pytest.mark.parametrize("places", [[0, 10**30], [0, 2**50], [0, -1], [-1, 0], [4, 2]])
def test_small_headers_are_within_their_file(tmp_path, places):
    header = json.dumps({"small.": {"data_offsets": places}}).encode()
    path = tmp_path / "liar.art"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(16))
    with pytest.raises(InputError, match="its small header cannot be read: it claims the bytes"):
        read_recipe(path)


def test_safetensors_headers_are_bounded(tmp_path):
    path = tmp_path / "liar.art"
    for claimed in (17, 2**32, 2**64 - 1):
        path.write_bytes(struct.pack("<Q", claimed) + b'{"a":0}         ')
        with pytest.raises(InputError, match="header claims"):
            read_recipe(path)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", 100_000_001))
        file.truncate(200_000_000)  # sparse
    with pytest.raises(InputError, match="header claims"):
        read_recipe(path)
