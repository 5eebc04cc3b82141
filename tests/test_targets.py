"""Image targets: every kind of picture file comes in right, everything else is refused clearly."""

from __future__ import annotations

import hashlib
import io
import os
import socket
import struct
import subprocess
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tifffile
from helpers import PATIENCE, PYTHON, open_sample
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageCms

import artgen
from artgen.base.errors import InputError, PluginError, UsageError
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs.opening import read_target
from artgen.targets import (
    Source,
    TargetRequest,
    image_from_array,
    linear_to_srgb,
    open_image,
    parse_colour,
    srgb_to_linear,
)
from artgen.values.canvas import Canvas
from artgen.values.frame import parse_frame
from artgen_plugins.samples import GENERATED, PHOTOGRAPHS, SUBJECTS

FORMATS = ("png", "jpeg", "webp", "tiff", "gif", "bmp")


@pytest.fixture
def save(tmp_path):
    """Write an array or Pillow image to a file and return its path."""

    def save(picture, name="picture.png", **options):
        if not isinstance(picture, Image.Image):
            picture = Image.fromarray(np.asarray(picture))
        path = tmp_path / name
        picture.save(path, **options)
        return path

    return save


@pytest.fixture
def photo():
    """A smooth picture with detail, uint8 [60, 90, 3]."""
    y, x = np.mgrid[0:60, 0:90]
    waves = [np.sin(x / 7), np.cos(y / 9), np.sin((x + y) / 11)]
    return (127.5 + 127 * np.stack(waves, axis=2)).astype(np.uint8)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


# What comes in right


def test_a_png_is_read_exactly(save):
    pixels = noise(7, 5, 3)
    path = save(pixels, "My photo (1).png")
    target = open_image(path)
    np.testing.assert_array_equal(target.pixels, pixels)
    np.testing.assert_array_equal(target.image, pixels.astype(np.float32) / np.float32(255))
    assert target.image.dtype == np.float32
    assert target.name == "My_photo_1"
    assert target.source == "My photo (1).png"
    assert target.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (target.original_width, target.original_height) == (5, 7)
    assert target.canvas == Canvas(5, 7)
    assert target.weight is None
    assert target.warnings == ()


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_read(save, photo, kind):
    target = open_image(str(save(photo, f"photo.{kind}")))
    error = np.abs(target.pixels.astype(int) - photo).mean()
    assert error < {"jpeg": 6, "webp": 6, "gif": 12}.get(kind, 1e-9)


def test_the_largest_picture_of_an_icon_is_read(tmp_path, photo):
    """Icons of pages, which logos often are, were "not a picture"."""
    path, picture = tmp_path / "logo.ico", Image.fromarray(photo).convert("RGBA")
    picture.putpixel((3, 2), (0, 0, 0, 0))
    picture.save(path, sizes=[(16, 16), (90, 60)])
    target = open_image(path)
    np.testing.assert_array_equal(target.pixels[20:], photo[20:])
    assert target.rgba[2, 3, 3] == 0
    path.write_bytes(path.read_bytes()[:900])
    refused(path, match="cannot be decoded|not a picture")


def test_a_still_in_avif_is_read_again(tmp_path, photo):
    """AVIF was written, and not a picture when it was read."""
    path = tmp_path / "photo.avif"
    Image.fromarray(photo).save(path, quality=100, subsampling="4:4:4")
    assert np.abs(open_image(path).pixels.astype(int) - photo).mean() < 4


def test_the_content_decides_not_the_suffix(save, photo):
    path = save(photo, "photo.png", format="JPEG")
    assert open_image(path).pixels.shape == photo.shape


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_a_tiff_whose_white_is_zero_is_no_negative(tmp_path, kind):
    """That of more than 8 bits was read with its tones turned over."""
    most = 1 if kind is np.float32 else np.iinfo(kind).max
    picture = (np.array([[0, 0.2], [0.6, 1]]) * most).astype(kind)
    tifffile.imwrite(tmp_path / "scan.tif", most - picture, photometric="miniswhite")
    target = open_image(tmp_path / "scan.tif")
    np.testing.assert_array_equal(target.pixels[..., 0], [[0, 51], [153, 255]])


def test_exif_orientation_is_applied(save, photo):
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = np.rot90(photo, -1)
    for kind in ("png", "tiff", "webp"):
        options = {"lossless": True} if kind == "webp" else {}
        target = open_image(save(photo, f"phone.{kind}", exif=exif, **options))
        np.testing.assert_array_equal(target.pixels, upright)
        assert (target.original_width, target.original_height) == (60, 90)


def test_damaged_exif_is_a_warning(save, photo):
    target = open_image(save(photo, exif=b"Exif\0\0nonsense"))
    np.testing.assert_array_equal(target.pixels, photo)
    assert any("EXIF" in warning for warning in target.warnings)


def swapped_profile():
    """An sRGB profile whose red and green primaries have changed places."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red], profile[green] = profile[green], profile[red]
    return bytes(profile)


def test_colour_profiles_are_converted_to_srgb(save):
    red = np.full((4, 4, 3), (255, 0, 0), np.uint8)
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert abs(open_image(save(red, icc_profile=plain)).pixels.astype(int) - red).max() <= 1
    target = open_image(save(red, icc_profile=swapped_profile()))
    assert abs(target.pixels.astype(int) - (0, 255, 0)).max() <= 1
    assert target.warnings == ()


def profile_of(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A profile of these tags. Format: ICC.1:2010, sections 7.2 and 7.3."""
    good = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    table, data, start = b"", b"", 132 + 12 * len(tags)
    for name, value in tags.items():
        value += bytes(-len(value) % 4)
        table += struct.pack(">4sII", name, start + len(data), len(value))
        data += value
    size = struct.pack(">I", start + len(data))
    header = size + good[4:16] + space + good[20:128]
    return header + struct.pack(">I", len(tags)) + table + data


def xyz(*values: float) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *(round(value * 65536) for value in values))


def gamma(exponent: float) -> bytes:
    return struct.pack(">4s4xIH", b"curv", 1, round(exponent * 256))


WHITE = {b"wtpt": xyz(0.9642, 1.0, 0.8249)}
P3 = np.array(
    [[0.51512, 0.29198, 0.1571], [0.2412, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]]
)
SRGB = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.7141]]
)


def encoded(linear):
    """Encode linear light as 8-bit sRGB. Source: IEC 61966-2-1."""
    linear = np.clip(linear, 0, 1)
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(255 * curve)


def test_wide_colours_of_display_p3_are_converted(save):
    tags = {name: xyz(*P3[:, k]) for k, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
    curves = {name: gamma(2.0) for name in (b"rTRC", b"gTRC", b"bTRC")}
    profile = profile_of(b"RGB ", {**WHITE, **tags, **curves})
    colours = np.array([[[128, 128, 128], [230, 120, 60], [90, 140, 100], [255, 0, 0]]], np.uint8)
    target = open_image(save(colours, icc_profile=profile))
    assert target.warnings == ()
    expected = encoded((colours / 255.0) ** 2 @ (np.linalg.inv(SRGB) @ P3).T)
    assert abs(target.pixels - expected).max() <= 2
    assert abs(target.pixels[0, 1].astype(int) - colours[0, 1]).max() > 5


def test_gray_profiles_are_converted(save):
    profile = profile_of(b"GRAY", {**WHITE, b"kTRC": gamma(1.0)})
    gray = np.array([[0, 64, 128, 255]], np.uint8)
    target = open_image(save(gray, icc_profile=profile))
    assert target.warnings == ()
    assert abs(target.pixels - encoded(gray / 255.0)[..., None]).max() <= 2


def test_a_heic_picture_is_refused_with_the_formats_that_are_read(tmp_path):
    path = tmp_path / "phone.heic"
    path.write_bytes(struct.pack(">I8sI8s", 24, b"ftypheic", 0, b"mif1heic") + bytes(200))
    assert "PNG, JPEG" in refused(path, match="phone.heic is not a picture").hint


def test_a_colour_profile_leaves_the_alpha_alone(save):
    picture = np.full((4, 4, 4), (255, 0, 0, 255), np.uint8)
    picture[:2, :, 3] = 0
    path = save(picture, icc_profile=swapped_profile())
    pixels = open_image(path, TargetRequest(background=(0, 0, 1))).pixels
    np.testing.assert_array_equal(pixels[:2], np.full((2, 4, 3), (0, 0, 255)))
    assert abs(pixels[2:].astype(int) - (0, 255, 0)).max() <= 1


def test_an_unusable_colour_profile_is_a_warning(save, photo):
    target = open_image(save(photo, icc_profile=b"this is not a profile"))
    np.testing.assert_array_equal(target.pixels, photo)
    assert [w for w in target.warnings if w.startswith("colour profile ignored: ")]


def test_16_bit_gray_keeps_its_values(save):
    values = np.array([[0, 160, 1600], [32768, 65000, 65535]], np.uint16)
    expected = (values / 65535).astype(np.float32)
    for name in ("gray.png", "gray.tiff"):
        image = open_image(save(values, name)).image
        np.testing.assert_allclose(image, np.repeat(expected[..., None], 3, axis=2), atol=1e-7)
    # Big-endian TIFF, which Pillow calls I;16B.
    image = open_image(
        save(Image.frombytes("I;16B", (3, 2), values.astype(">u2").tobytes()), "b.tif")
    )
    np.testing.assert_allclose(image.image[..., 0], expected, atol=1e-7)


def test_16_bit_gray_may_have_one_transparent_value(save):
    path = save(np.array([[1000, 2000]], np.uint16), transparency=1000)
    image = open_image(path, TargetRequest(background=(1, 1, 1))).image
    np.testing.assert_allclose(image[0, :, 0], [1, 2000 / 65535], atol=1e-6)


def test_32_bit_tiffs(save):
    values = np.array([[0, 300, 65535]], np.int32)
    np.testing.assert_allclose(
        open_image(save(values, "i.tiff")).image[0, :, 0], values[0] / 65535, atol=1e-7
    )
    with pytest.raises(InputError, match=r"i\.tiff has 32-bit samples outside"):
        open_image(save(values * 2, "i.tiff"))
    with pytest.raises(InputError, match=r"i\.tiff has 32-bit samples of at most 255, where white"):
        open_image(save(values // 257, "i.tiff"))
    assert open_image(save(0 * values, "i.tiff")).image.max() == 0
    floats = np.array([[0, 0.25, 1]], np.float32)
    np.testing.assert_array_equal(open_image(save(floats, "f.tiff")).image[0, :, 1], floats[0])
    with pytest.raises(InputError, match="NaN"):
        open_image(save(floats * np.nan, "f.tiff"))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBa", "YCbCr", "LAB"])
def test_every_8_bit_mode_shows_what_it_looks_like(mode):
    picture = Image.fromarray(noise(6, 8, 3) // 128 * 255).convert("RGB")
    converted = picture.convert("RGBA" if mode in ("RGBa", "PA") else "RGB").convert(mode)
    expected = np.asarray(converted.convert("RGB"))
    target = image_from_array(converted, name=mode)
    assert abs(target.pixels.astype(int) - expected).max() <= 1


def test_cmyk_jpegs(save):
    colours = np.full((16, 16, 3), (200, 60, 30), np.uint8)
    path = save(Image.fromarray(colours).convert("CMYK"), "print.jpg", quality=95)
    assert abs(open_image(path).pixels.astype(int) - (200, 60, 30)).max() <= 4


def test_palette_transparency(save):
    picture = Image.new("P", (2, 1))
    picture.putpalette([255, 0, 0, 0, 255, 0])
    picture.putdata([0, 1])
    path = save(picture, "palette.png", transparency=bytes([0, 255]))
    pixels = open_image(path, TargetRequest(background=(0, 0, 1))).pixels
    np.testing.assert_array_equal(pixels, [[[0, 0, 255], [0, 255, 0]]])


def test_of_an_animation_the_first_frame_is_used(save):
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "lime", "blue")]
    for kind in ("gif", "webp", "png", "tiff"):
        options = {"lossless": True} if kind == "webp" else {}
        path = save(frames[0], f"film.{kind}", save_all=True, append_images=frames[1:], **options)
        target = open_image(path)
        np.testing.assert_array_equal(target.pixels, np.full((6, 8, 3), (255, 0, 0)))
        assert target.warnings == ("first of 3 frames used",)


# Transparency


def test_transparency_is_blended_in_linear_light():
    half = np.full((2, 2, 4), (1.0, 1.0, 1.0, 0.5), np.float32)
    over_black = image_from_array(half).image
    np.testing.assert_allclose(over_black, 0.7353569, atol=1e-6)  # sRGB of half the light
    over_red = image_from_array(half, TargetRequest(background=(1, 0, 0))).image
    np.testing.assert_allclose(over_red[0, 0], [1, 0.7353569, 0.7353569], atol=1e-6)


@pytest.mark.parametrize("size", [None, 16, 5, 64])
def test_hidden_colours_do_not_leak(size):
    picture = np.full((16, 16, 4), (255, 0, 0, 0), np.uint8)
    picture[4:12, 4:12] = (0, 255, 0, 255)
    target = image_from_array(picture, TargetRequest(size=size, background=(0, 0, 0)))
    assert target.image[..., 0].max() < 1e-6
    assert target.image[..., 1].max() > 0.9


def test_resampling_keeps_a_flat_colour_flat():
    picture = noise(40, 30, 4)
    picture[..., :3] = (100, 150, 200)
    target = image_from_array(
        picture, TargetRequest(size=20, background=(100 / 255, 150 / 255, 200 / 255))
    )
    assert abs(target.pixels.astype(int) - (100, 150, 200)).max() <= 1


def test_an_opaque_alpha_changes_nothing(photo):
    opaque = np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])
    request = TargetRequest(size=31)
    np.testing.assert_array_equal(
        image_from_array(opaque, request).image, image_from_array(photo, request).image
    )


# Fitting size


def test_the_size_is_the_long_side(photo):
    assert image_from_array(photo, TargetRequest(size=45)).image.shape == (30, 45, 3)
    assert image_from_array(photo, TargetRequest(size=180)).image.shape == (120, 180, 3)
    assert image_from_array(photo).image.shape == (60, 90, 3)
    large = image_from_array(np.zeros((100, 1000), np.uint8))
    assert large.image.shape == (77, 768, 3)
    assert (large.original_width, large.original_height) == (1000, 100)


def test_shrinking_is_antialiased():
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255
    centre = image_from_array(stripes, TargetRequest(size=16)).image[4:-4, 4:-4]
    assert abs(centre - 0.5).max() < 0.02


def test_resampling_agrees_with_pillow(photo):
    expected = Image.fromarray(photo).resize((45, 30), Image.Resampling.LANCZOS)
    pixels = image_from_array(photo, TargetRequest(size=45)).pixels
    assert abs(pixels.astype(int) - np.asarray(expected)).max() <= 1


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 300), (300, 1), (7, 5)])
@pytest.mark.parametrize("size", [None, 1, 3, 40])
def test_small_and_thin_pictures(save, width, height, size):
    path = save(noise(height, width, 3))
    target = open_image(path, TargetRequest(size=size))
    assert max(target.image.shape[:2]) == (size or max(width, height))
    assert min(target.image.shape[:2]) >= 1


def test_a_fitting_size_beyond_the_pixel_limit_is_refused(photo):
    with pytest.raises(UsageError, match=r"60000x40000 pixels exceeds 64,000,000"):
        image_from_array(photo, TargetRequest(size=60_000))


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 0},
        {"max_pixels": 0},
        {"background": (0, 2, 0)},
        {"background": (0, float("nan"), 0)},
    ],
)
def test_requests_are_checked(wrong):
    with pytest.raises(UsageError):
        TargetRequest(**wrong)


# Loss weight


def test_a_mask_weighs_the_loss(save, photo):
    mask = np.zeros((60, 90), np.uint8)
    mask[:, 45:] = 255
    mask[0, 0] = 51
    target = image_from_array(photo, TargetRequest(mask=save(mask, "mask.png")))
    assert target.weight.shape == (60, 90)
    assert target.weight.dtype == np.float32
    np.testing.assert_allclose(target.weight, mask / 255, atol=1e-6)
    assert target.weight.max() == 1


def test_what_is_hidden_is_no_detail_of_a_crop():
    """Programs that cut out leave the colours of the background under alpha 0."""
    picture = np.zeros((40, 120, 4), np.uint8)
    picture[:, :60, :3] = noise(40, 60, 3)
    picture[10:30, 80:100] = 200, 90, 30, 255
    target = image_from_array(picture, TargetRequest(frame=parse_frame(crop="1:1", at="auto")))
    assert target.frame.at[0] == pytest.approx(0.75, abs=0.05)


def test_a_border_counts_in_full_for_a_mask_and_is_outside_of_a_focus(save, photo):
    """The border had the full weight of a picture of the focus, ten times that of a circle's."""
    black = save(np.zeros((60, 90), np.uint8), "black.png")
    frame = parse_frame(crop="1:1", pad="red")
    mask = image_from_array(photo, TargetRequest(mask=black, frame=frame)).weight
    focus = image_from_array(photo, TargetRequest(focus=black, frame=frame)).weight
    assert mask[0, 0] == 1
    assert mask[45, 45] == 0
    np.testing.assert_allclose(focus, 0.1, atol=1e-6)


def test_a_mask_is_resized_to_the_fitting_size(save, photo):
    mask = save(np.full((20, 30), 255, np.uint8), "mask.png")
    target = image_from_array(photo, TargetRequest(mask=mask, size=45))
    np.testing.assert_array_equal(target.weight, np.ones((30, 45)))
    # 451x300 scaled to half a size: the shorter side is rounded down or up.
    picture = np.zeros((300, 451), np.uint8)
    for height in (149, 150):
        mask = save(np.full((height, 225), 255, np.uint8), "mask.png")
        assert image_from_array(picture, TargetRequest(mask=mask)).weight.shape == (300, 451)


def test_a_mask_of_another_aspect_is_refused(save):
    mask = save(np.full((5, 5), 255, np.uint8), "mask.png")
    with pytest.raises(InputError, match=r"mask\.png is 5x5 pixels, but array is 7x5"):
        image_from_array(noise(5, 7, 3), TargetRequest(mask=mask))


def test_alpha_weighs_the_loss_when_asked(save, photo):
    alpha = noise(60, 90)
    picture = np.dstack([photo, alpha])
    assert image_from_array(picture).weight is None
    target = image_from_array(picture, TargetRequest(alpha_weight=True))
    np.testing.assert_allclose(target.weight, alpha / 255, atol=1e-6)
    mask = save(noise(60, 90, seed=1), "mask.png")
    both = image_from_array(picture, TargetRequest(alpha_weight=True, mask=mask))
    np.testing.assert_allclose(both.weight, alpha / 255 * noise(60, 90, seed=1) / 255, atol=1e-6)


def test_alpha_weight_of_an_opaque_picture_is_a_warning(photo):
    target = image_from_array(photo, TargetRequest(alpha_weight=True))
    assert target.weight is None
    assert target.warnings == ("alpha weight ignored: the picture is opaque",)


def test_a_weight_of_zero_everywhere_is_refused(save, photo):
    black = save(np.zeros((60, 90), np.uint8), "mask.png")
    with pytest.raises(InputError, match=r"mask .*mask\.png is 0 everywhere"):
        image_from_array(photo, TargetRequest(mask=black))
    clear = np.dstack([photo, np.zeros((60, 90), np.uint8)])
    with pytest.raises(InputError, match=r"clear: its alpha is 0 everywhere"):
        image_from_array(clear, TargetRequest(alpha_weight=True), "clear")


def test_a_broken_mask_is_named(tmp_path, photo):
    mask = tmp_path / "mask.png"
    mask.write_text("white, please")
    with pytest.raises(InputError, match=r"mask\.png is not a picture"):
        image_from_array(photo, TargetRequest(mask=mask))


# Hostile files


def refused(path, request=None, match=""):
    """Open a file that must be refused, without warnings; return the error."""
    with pytest.raises(InputError, match=match) as caught:
        open_image(path, request or TargetRequest())
    assert os.path.basename(str(path)) in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value


def test_files_that_are_not_there_or_not_files(tmp_path):
    refused(tmp_path / "missing.png", match="No such file")
    refused(tmp_path, match="is a folder")
    empty = tmp_path / "empty.png"
    empty.touch()
    refused(empty, match="is empty")
    text = tmp_path / "text.png"
    text.write_text("hello")
    refused(text, match="is not a picture")
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    refused(loop, match="cannot read")
    refused(text / "inside.png", match="cannot read")
    for name in ("", "zero\0byte.png"):
        with pytest.raises(InputError):
            open_image(name)


def test_special_files_do_not_hang(tmp_path):
    fifo = tmp_path / "fifo.png"
    os.mkfifo(fifo)
    refused(fifo, match="is a pipe, socket or device")
    refused("/dev/zero", match="is a pipe, socket or device")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        refused(tmp_path / "socket", match="is a pipe, socket or device")


def test_a_file_without_read_permission(save, photo):
    path = save(photo)
    open_image(path)  # so that nothing is left to import without the user's rights
    path.chmod(0)
    user = os.geteuid()
    if user == 0:  # root may read everything, so become nobody
        os.seteuid(65534)
    try:
        refused(path, match="Permission denied")
    finally:
        os.seteuid(user)


def test_a_file_beyond_a_gigabyte_is_not_read(tmp_path):
    path = tmp_path / "sparse.png"
    with path.open("wb") as file:
        file.truncate(2**30 + 1)
    refused(path, match="larger than 1 GiB")


def test_undecodable_file_names_are_shown(tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9\n.png")
    Image.new("RGB", (2, 2)).save(path, format="PNG")
    target = open_image(path)
    assert target.name == "caf"
    assert target.source == "caf\ufffd\ufffd.png"
    with pytest.raises(InputError, match="caf\ufffd\ufffd"):
        open_image(path.replace("png", "gif"))


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_truncated_files(tmp_path, kind, share):
    buffer = io.BytesIO()
    Image.fromarray(noise(64, 64, 3)).save(buffer, kind)
    data = buffer.getvalue()
    path = tmp_path / f"cut.{kind}"
    path.write_bytes(data[: int(len(data) * share)])
    refused(path, match="cannot be decoded: |is not a picture")


def huge_png(width, height):
    """A well-formed PNG header with hardly any data behind it."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [
        chunk(b"IHDR", header),
        chunk(b"IDAT", zlib.compress(b"\0" * 99)),
        chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


# 1e10: beyond Pillow's error; 1e8: Pillow only warns; 6.5e7: Pillow is content.
@pytest.mark.parametrize(
    ("width", "height", "says"),
    [
        (100_000, 100_000, "far larger than"),
        (10_000, 10_000, "10000x10000"),
        (8_100, 8_100, "8100x8100"),
    ],
)
def test_huge_headers(tmp_path, width, height, says):
    path = tmp_path / "huge.png"
    path.write_bytes(huge_png(width, height))
    before = Image.MAX_IMAGE_PIXELS
    refused(path, match=f"{says}.*64,000,000")
    assert before == Image.MAX_IMAGE_PIXELS


def test_the_pixel_limit_is_ours_to_raise(tmp_path, monkeypatch, save, photo):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert open_image(save(photo), TargetRequest(max_pixels=60 * 90)).pixels.shape == photo.shape
    refused(save(photo), TargetRequest(max_pixels=60 * 90 - 1), match="90x60")
    with pytest.raises(InputError, match="90x60"):
        image_from_array(Image.fromarray(photo), TargetRequest(max_pixels=60 * 90 - 1))


def test_other_formats_are_not_even_tried(tmp_path, save, photo):
    for kind in ("ppm", "tga", "pcx"):
        refused(save(photo, f"photo.{kind}"), match="is not a picture")
    postscript = tmp_path / "photo.eps"
    postscript.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    refused(postscript, match="is not a picture")


@settings(max_examples=150)
@given(data=st.data(), kind=st.sampled_from(FORMATS))
def test_damaged_files_are_read_or_refused(tmp_path_factory, data, kind):
    buffer = io.BytesIO()
    Image.fromarray(noise(9, 8, 3)).save(buffer, kind)
    content = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / f"damaged.{kind}"
    path.write_bytes(content)
    try:
        image = open_image(path, TargetRequest(max_pixels=10_000)).image
    except InputError:
        return
    assert np.isfinite(image).all()


# Arrays

unit_floats = st.floats(0, 1, width=16)


@settings(max_examples=100)
@given(
    st.one_of(
        arrays.arrays(
            dtype,
            st.one_of(
                st.tuples(st.integers(1, 9), st.integers(1, 9)),
                st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4)),
            ),
            elements=unit_floats if dtype.startswith("f") else None,
        )
        for dtype in ("u1", "<u2", ">u2", "f2", "f4", "f8", "?")
    ),
    st.one_of(st.none(), st.integers(1, 20)),
)
def test_arrays_of_every_kind(array, size):
    target = image_from_array(array, TargetRequest(size=size))
    height, width = array.shape[:2]
    assert target.canvas == Canvas(width, height).scaled(size or max(width, height))
    assert target.image.dtype == np.float32
    assert 0 <= target.image.min() <= target.image.max() <= 1
    if array.dtype == np.uint8 and array.ndim == 2 and size is None:
        np.testing.assert_array_equal(target.pixels, np.repeat(array[..., None], 3, axis=2))


def test_arrays_are_copied_and_named():
    array = np.zeros((4, 4, 3), np.float32)
    target = image_from_array(array, name="../my art")
    array[:] = 1
    assert target.image.max() == 0
    assert target.name == "my_art"
    assert target.source == "../my art"


def test_the_hash_of_an_array_tells_pictures_apart():
    array = np.arange(12, dtype=np.uint16).reshape(3, 4)
    digest = image_from_array(array).sha256
    assert digest == image_from_array(array.astype(">u2")).sha256
    assert digest == image_from_array(np.asfortranarray(array)).sha256
    others = [array.reshape(4, 3), array + np.uint16(1), array.astype(np.uint8)]
    assert digest not in [image_from_array(other).sha256 for other in others]


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.zeros((3, 8, 8)), "shape"),
        (np.zeros(5), "shape"),
        (np.zeros((0, 5)), "shape"),
        (np.zeros((4, 4), np.int64), "int64"),
        (np.zeros((4, 4), np.complex64), "complex64"),
        (np.full((4, 4), np.nan), "NaN"),
        (np.full((4, 4), np.inf), "infinite"),
        (np.full((4, 4), 255.0), "0..1"),
        (np.full((4, 4), -0.1), "0..1"),
        ([[1, 2], [3]], "not an array"),
        ("astronaut", "no picture: str"),
    ],
)
def test_arrays_that_are_not_pictures(array, match):
    with pytest.raises(InputError, match=match) as caught:
        image_from_array(array, name="mine")
    assert "mine" in caught.value.message


# Samples


@pytest.mark.parametrize("name", ["chelsea", "camera", "horse", "logo", "shepp_logan_phantom"])
def test_samples(name):
    target = open_sample(name, TargetRequest(size=40))
    assert target.name == name
    assert target.source == f"sample:{name}"
    assert target.image.std() > 0.01
    assert target.sha256 == open_sample(name).sha256


def test_the_cat_is_the_real_one():
    from skimage.data import chelsea

    np.testing.assert_array_equal(open_sample("cat").pixels, chelsea())


@pytest.mark.parametrize(
    "names",
    [
        (*PHOTOGRAPHS, *GENERATED),
        # Drawn by programs, for seconds: by day those of test_generated_samples.
        pytest.param(SUBJECTS, marks=pytest.mark.nightly),
    ],
    ids=["pictures", "subjects"],
)
def test_every_sample_works_offline(names, monkeypatch):
    def no_network(*_):
        raise AssertionError("a sample tried to reach the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    for name in names:
        assert max(open_sample(name, TargetRequest(size=8)).pixels.shape) == 8


def test_an_unknown_sample_names_the_nearest():
    with pytest.raises(InputError, match="no sample 'astronut'") as caught:
        open_sample("astronut")
    assert "astronaut" in caught.value.hint


# Sources and colours


def test_bytes_that_are_no_text_have_a_stem_of_their_own():
    first, second = (Source.parse(os.fsdecode(b"curve:" + each)) for each in (b"\xfe", b"\xff"))
    assert first.file_stem != second.file_stem
    assert first.file_stem.isascii()


def test_sources(tmp_path, monkeypatch):
    assert Source.parse("sample:astronaut") == Source("sample", "astronaut")
    assert Source.parse("art-kit/sample:a:b") == Source("art-kit/sample", "a:b")
    paths = [
        "photo.png",
        "a/b.png",
        "C:\\photo.png",
        "C:/photo.png",
        "./sample:x",
        "2024-01-01T12:30.png",
        ":x",
    ]
    for path in paths:
        assert Source.parse(path) == Source(None, path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sample:astronaut").touch()
    assert Source.parse("sample:astronaut") == Source(None, "sample:astronaut")


@pytest.mark.parametrize(
    ("text", "path", "moved", "stem"),
    [
        ("a/b.png", "a/b.png", "/x", "b"),
        ("frames:a/walk?fps=5", "a/walk", "frames:/x?fps=5", "walk"),
        ("sample:cat", None, None, "cat"),
        ("points:", None, None, "points"),
    ],
)
def test_a_source_knows_its_path_and_its_stem(text, path, moved, stem):
    source = Source.parse(text)
    assert (str(source), source.path, source.stem) == (text, path, stem)
    if path is not None:
        assert str(source.at("/x")) == moved


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("black", (0, 0, 0)),
        (" Red ", (255, 0, 0)),
        ("#fff", (255, 255, 255)),
        ("#1B7F8c", (27, 127, 140)),
        ("0,0.2,1", (0, 51, 255)),
    ],
)
def test_colours(text, expected):
    assert parse_colour(text) == pytest.approx(tuple(value / 255 for value in expected))


@pytest.mark.parametrize(
    "text",
    ["", "blak", "#ff", "#ff000080", "1,2,3", "0,0", "0,0,nan", "0,0,x", "-0.1,0,0", "rgb(1,2,3)"],
)
def test_not_colours(text):
    with pytest.raises(UsageError, match="is not a colour") as caught:
        parse_colour(text)
    assert "teal" in caught.value.hint


def test_linear_light_and_back():
    values = np.linspace(0, 1, 1001, dtype=np.float32)
    np.testing.assert_allclose(linear_to_srgb(srgb_to_linear(values)), values, atol=1e-6)
    assert srgb_to_linear(np.float32([0.5]))[0] == pytest.approx(0.21404114, abs=1e-6)


# Manners


def test_opening_leaves_the_process_as_it_was(save, photo):
    path = save(photo, icc_profile=b"junk", exif=b"Exif\0\0junk")
    before = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    open_image(path)
    assert (Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before


def test_threads_leave_the_process_as_it_was(save, photo):
    path = save(photo)
    before = Image.MAX_IMAGE_PIXELS
    with ThreadPoolExecutor(8) as pool:
        for target in pool.map(open_image, [path] * 32):
            np.testing.assert_array_equal(target.pixels, photo)
    assert before == Image.MAX_IMAGE_PIXELS


def test_importing_targets_is_light():
    code = "import sys, artgen.targets; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "PIL", "skimage", "imageio", "av"} & set(done.stdout.split())


# Transparency and kinds of files


@pytest.mark.parametrize("background", ["auto", "teal"])
def test_a_transparent_array_is_fitted_like_its_file(tmp_path, background):
    rgba = np.zeros((12, 16, 4), np.uint8)
    rgba[:, :8] = 250, 120, 30, 255
    rgba[:4, 8:] = 20, 90, 200, 128
    file = tmp_path / "half.png"
    Image.fromarray(rgba).save(file)
    arts = [
        artgen.fit(target, "triangle", count=3, steps=3, seed=1, background=background)
        for target in (rgba, file)
    ]
    assert arts[0].drawing.background == arts[1].drawing.background
    assert np.array_equal(arts[0].render(), arts[1].render())
    for name, tensor in arts[0].drawing.tensors.items():
        assert tensor.equal(arts[1].drawing.tensors[name])


def test_a_target_is_laid_over_another_background():
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[0, 0] = 255, 0, 0, 255
    black = image_from_array(rgba)
    teal = image_from_array(rgba, TargetRequest(background=(0.0, 0.5, 0.5)))
    assert np.array_equal(black.over((0.0, 0.5, 0.5)).image, teal.image)
    assert np.array_equal(black.flat().over((0.0, 0.5, 0.5)).image, black.image)
    opaque = image_from_array(rgba[:, :, :3])
    assert opaque.over((1.0, 1.0, 1.0)) is opaque


PGM16 = """
import numpy as np

import artgen


def open_pgm16(path, request):
    with open(path, "rb") as file:
        width, height = map(int, file.readline().split())
        pixels = np.frombuffer(file.read(), ">u2").reshape(height, width)
    return artgen.targets.image_from_array(pixels.astype(np.uint16), request)


@artgen.hookimpl
def artgen_targets():
    return [artgen.Spec("pgm16", "A deep picture", open_pgm16, files=("*.pgm16",))]
"""


@pytest.fixture
def deep(tmp_path):
    """A plugin file that opens `.pgm16`, and a file of that kind."""
    file = tmp_path / "Ramp.PGM16"
    ramp = np.linspace(0, 65535, 12 * 8).astype(">u2")
    file.write_bytes(b"12 8\n" + ramp.tobytes())
    plugin = tmp_path / "deep.py"
    plugin.write_text(PGM16)
    return plugin, file


def test_a_plugin_opens_a_new_kind_of_file(deep, tmp_path, monkeypatch):
    plugin, file = deep
    monkeypatch.chdir(tmp_path)
    command = [
        *(*PYTHON, "-m", "artgen", "fit", file.name, "--plugin", plugin.name),
        *("-p", "circle", "-n", "2", "--steps", "2", "--no-video", "--quiet"),
    ]
    subprocess.run(command, check=True, timeout=PATIENCE)
    with Image.open("artgen-out/Ramp-circle.png") as still:
        assert still.size == (12, 8)
    Path("artgen-out/Ramp.PGM16").symlink_to(file)
    again = [*PYTHON, "-m", "artgen", "fit", "--recipe", "artgen-out/Ramp-circle.json"]
    again += ["--plugin", plugin.name, "--name", "again", "--quiet"]
    subprocess.run(again, check=True, timeout=PATIENCE)
    [first, second] = (Path(f"artgen-out/{n}.png").read_bytes() for n in ("Ramp-circle", "again"))
    assert first == second


@pytest.mark.parametrize("source", ["image:a/picture.png", "pgm16:a/Ramp.PGM16"])
def test_a_file_behind_a_scheme_is_beside_its_recipe_too(source, deep, save, tmp_path, monkeypatch):
    """It was looked for where the user is, other files of a recipe beside it."""
    plugin, file = deep
    (tmp_path / "a").mkdir()
    for each in (file, save(Image.new("RGB", (12, 8)))):
        Path(each).rename(tmp_path / "a" / Path(each).name)
    (tmp_path / "blank").mkdir()
    monkeypatch.chdir(tmp_path / "blank")
    registry = Registry(files=[plugin], environ={"ARTGEN_PLUGINS": ""})
    asked = Recipe().with_target(source=source)
    assert read_target(asked, registry, (tmp_path, Path())).pixels.shape == (8, 12, 3)
    # A text that is none stays what it is, whatever lies there.
    (tmp_path / "cat").write_text("no picture")
    sample = Recipe().with_target(source="sample:cat", size=24)
    assert max(read_target(sample, registry, (tmp_path, Path())).pixels.shape) == 24


def test_the_most_specific_pattern_opens_a_file(deep, tmp_path):
    plugin, file = deep
    registry = Registry(files=[plugin], environ={"ARTGEN_PLUGINS": ""})
    assert registry.find_opener(str(file)).name == "pgm16"
    names = {"a.csv": "table", "A.CSV": "table", "a.gif": "clip", "a.npz": "set", "a.x": "image"}
    names["train-images-idx3-ubyte.gz"] = "set"
    for name, opener in names.items():
        assert registry.find_opener(name).name == opener
    assert registry.find_opener(str(tmp_path)).name == "set"
    loose = tmp_path / "loose.py"
    loose.write_text(plugin.read_text().replace("*.pgm16", "*.png"))
    assert registry.find_opener("a.png").name == "image"
    assert Registry(files=[loose], entry_points=[]).find_opener("a.png").name == "pgm16"
    twin = tmp_path / "twin.py"
    twin.write_text(plugin.read_text())
    with pytest.raises(PluginError, match=r"opened by deep.py and twin.py"):
        Registry(files=[plugin, twin], entry_points=[]).find_opener(str(file))
