"""Sets of pictures are read from IDX files, archives, folders and arrays, and refused in words."""

from __future__ import annotations

import colorsys
import gzip
import io
import string
import zipfile

import numpy as np
import pytest
from helpers import open_sample
from PIL import Image
from scipy.ndimage import label

from artgen.errors import InputError, UsageError
from artgen.registry import default
from artgen.targets import Source, TargetRequest, files_beside, kind_by_name, set_from_arrays
from artgen_plugins.samples import SETS, butterflies, cats, faces, pots, tiles
from artgen_plugins.samples._contents import contents
from artgen_plugins.samples.clips import open_clip
from artgen_plugins.samples.flowers import CLASSES, HUES
from artgen_plugins.samples.sets import drawn, open_set
from artgen_plugins.sets import open_image_set

RNG = np.random.default_rng(3)


def images(count: int, side: int = 8, *channels: int) -> np.ndarray:
    return RNG.integers(0, 256, (count, side, side, *channels)).astype(np.uint8)


def idx(array: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return head + array.astype(np.uint8).tobytes()


# ---- arrays --------------------------------------------------------------------------------------


def test_one_of_six_is_kept_to_be_judged_on():
    pictures, labels = images(60), np.arange(60) % 3
    target = set_from_arrays(pictures, labels)
    assert target.training.shape == (50, 8, 8, 1)
    assert target.test.shape == (10, 8, 8, 1)
    both = np.concatenate([target.training, target.test])[..., 0]
    assert sorted(map(bytes, both)) == sorted(map(bytes, pictures))
    again = set_from_arrays(pictures, labels)
    np.testing.assert_array_equal(again.test, target.test)
    assert again.sha256 == target.sha256
    assert set_from_arrays(pictures, labels[::-1].copy()).sha256 != target.sha256


def test_labels_are_classes_in_order():
    target = set_from_arrays(images(24), ["10", "9", "b", "a"] * 6)
    assert target.subject.classes == ("9", "10", "a", "b")
    assert set_from_arrays(images(24)).subject.classes == ()
    assert (set_from_arrays(images(24)).test_labels == -1).all()


def test_the_sheet_shows_a_class_per_column():
    target = set_from_arrays(images(600), np.arange(600) % 10)
    subject = target.subject
    assert (subject.columns, subject.rows) == (10, 4)
    np.testing.assert_array_equal(subject.labels[:40].reshape(4, 10), [range(10)] * 4)
    # They are test pictures, which nothing has learned from.
    tests = {picture.tobytes() for picture in target.test}
    assert all(picture.tobytes() in tests for picture in subject.pictures)
    assert len(subject.pictures) == 100
    assert target.canvas.width > 10 * 84


def test_floats_are_levels():
    target = set_from_arrays(np.full((6, 4, 4), 0.5), test_images=np.ones((2, 4, 4)))
    assert (target.training == 128).all()
    assert (target.test == 255).all()


def test_a_set_that_would_fill_the_memory_at_a_size_is_refused(monkeypatch):
    """MNIST with `--size 256` took 9 GB."""
    monkeypatch.setattr("artgen.base.errors.MOST_BYTES", 24 * 32 * 32)
    assert set_from_arrays(images(24), request=TargetRequest(size=32)).training.shape[1] == 32
    with pytest.raises(UsageError, match="a set of 24 pictures of 33x33 would take more than"):
        set_from_arrays(images(24), request=TargetRequest(size=33))


def test_a_size_is_that_of_the_pictures():
    target = set_from_arrays(images(12, 8, 3), request=TargetRequest(size=16))
    assert target.training.shape[1:] == (16, 16, 3)
    assert target.size == 16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((3, 4)),), "not that of a set"),
        ((np.zeros((3, 4, 4, 2)),), "not that of a set"),
        ((np.zeros((0, 4, 4)),), "not that of a set"),
        ((np.full((3, 4, 4), 2.0),), "outside of 0 to 1"),
        ((np.full((3, 4, 4), np.nan),), "outside of 0 to 1"),
        ((np.zeros((3, 4, 4), np.int32),), "pixels of type int32"),
        ((np.zeros((3, 4, 4)), [1, 2]), "3 pictures and 2 labels"),
        ((np.zeros((1, 4, 4)),), "holds 1 picture"),
        ((np.zeros((99, 4, 4)), list(range(99))), "99 different labels"),
    ],
)
def test_what_is_no_set_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        set_from_arrays(*arguments)


def test_too_much_is_refused():
    with pytest.raises(InputError, match="more than 100 pixels"):
        set_from_arrays(images(20), request=TargetRequest(max_pixels=100))
    with pytest.raises(UsageError, match="fitting at 9000x9000 pixels exceeds"):
        set_from_arrays(images(20), request=TargetRequest(9000))
    with pytest.raises(InputError, match="of another size"):
        set_from_arrays(images(4), test_images=images(4, 6))
    with pytest.raises(UsageError, match="no mask, focus or alpha"):
        set_from_arrays(images(4), request=TargetRequest(alpha_weight=True))


# ---- IDX -----------------------------------------------------------------------------------------


@pytest.fixture
def mnist(tmp_path):
    """A folder like MNIST's, gzipped in part."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    arrays = {
        "train-images-idx3-ubyte.gz": images(30),
        "train-labels-idx1-ubyte": np.arange(30) % 5,
        "t10k-images-idx3-ubyte": images(10),
        "t10k-labels-idx1-ubyte.gz": np.arange(10) % 5,
    }
    for name, array in arrays.items():
        data = idx(array)
        (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return folder, arrays


def test_idx_files_belong_together(mnist):
    folder, arrays = mnist
    for path in (folder, folder / "train-images-idx3-ubyte.gz"):
        assert kind_by_name(Source.parse(str(path)), default()) == "set"
        target = open_image_set(path)
        np.testing.assert_array_equal(target.training[..., 0], arrays["train-images-idx3-ubyte.gz"])
        np.testing.assert_array_equal(target.test[..., 0], arrays["t10k-images-idx3-ubyte"])
        np.testing.assert_array_equal(target.test_labels, arrays["t10k-labels-idx1-ubyte.gz"])
        assert target.subject.classes == ("0", "1", "2", "3", "4")
        assert target.source == path.name


def test_files_of_an_idx_set_are_those_beside_its_pictures(mnist):
    folder, arrays = mnist
    (folder / "photo.png").touch()
    beside = [folder / name for name in sorted(arrays)]
    assert files_beside(folder / "t10k-images-idx3-ubyte") == beside
    assert files_beside(folder / "photo.png") == []


def test_an_idx_file_alone_is_split(tmp_path):
    path = tmp_path / "some-images-idx3-ubyte"
    path.write_bytes(idx(images(12)))
    target = open_image_set(path)
    assert (len(target.training), len(target.test)) == (10, 2)
    assert target.subject.classes == ()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-1], "should hold"),
        (lambda data: data + b"x", "has more"),
        (lambda data: b"\0\0\x08\x01" + data[4:], "not an IDX file"),
        (lambda data: data[:10], "not an IDX file"),
        (lambda data: gzip.compress(data)[:-9], "damaged"),
        (lambda data: b"\x1f\x8bnonsense", "damaged"),
        (lambda data: data[:4] + (2**31).to_bytes(4, "big") + data[8:], "more than"),
        (lambda data: data[:4] + bytes(4) + data[8:], "is empty"),
    ],
)
def test_a_damaged_idx_file_is_refused(damage, message, tmp_path):
    path = tmp_path / "x-images-idx3-ubyte"
    path.write_bytes(damage(idx(images(12))))
    with pytest.raises(InputError, match=message):
        open_image_set(path)


def test_a_bomb_is_not_unpacked(tmp_path):
    """A gigabyte of zeros in a megabyte: no more is unpacked than the header announces."""
    path = tmp_path / "x-images-idx3-ubyte.gz"
    head = idx(images(12))[:16]
    path.write_bytes(gzip.compress(head + bytes(2**26)))
    with pytest.raises(InputError, match="should hold 768 bytes and has more"):
        open_image_set(path)


def test_labels_that_do_not_fit_are_refused(mnist):
    folder, _ = mnist
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(np.arange(29)))
    with pytest.raises(InputError, match=r"30 pictures, .* has 29 labels") as refused:
        open_image_set(folder)
    assert "of one set" in refused.value.hint


def test_a_folder_of_too_many_pictures_is_refused(tmp_path, monkeypatch):
    for number in range(3):
        Image.new("RGB", (4, 4)).save(tmp_path / f"{number}.png")
    monkeypatch.setattr("artgen.targets.image_set.PixelBudget.most", 2)
    with pytest.raises(InputError, match="has more than 2 pictures") as refused:
        open_image_set(tmp_path)
    assert refused.value.hint == "leave some out"


# ---- archives ------------------------------------------------------------------------------------


def test_an_archive_has_the_usual_names(tmp_path):
    pictures, labels = images(12, 8, 3), list("abcabcabcabc")
    np.savez(tmp_path / "own.npz", images=pictures, labels=labels)
    own = open_image_set(tmp_path / "own.npz")
    assert own.training.shape == (10, 8, 8, 3)
    assert own.subject.classes == ("a", "b", "c")
    np.savez(
        tmp_path / "keras.npz",
        x_train=pictures,
        y_train=np.arange(12),
        x_test=pictures[:3],
        y_test=[0, 1, 2],
    )
    keras = open_image_set(tmp_path / "keras.npz")
    np.testing.assert_array_equal(keras.test, pictures[:3])
    assert len(keras.training) == 12


def test_an_archive_that_lies_is_refused(tmp_path):
    np.savez(tmp_path / "none.npz", something=np.zeros(3))
    with pytest.raises(InputError, match="holds no pictures"):
        open_image_set(tmp_path / "none.npz")
    np.savez(tmp_path / "code.npz", images=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match="type object"):
        open_image_set(tmp_path / "code.npz")
    (tmp_path / "bad.npz").write_bytes(b"PK nonsense")
    with pytest.raises(InputError, match="damaged"):
        open_image_set(tmp_path / "bad.npz")
    # A header that announces terabytes, without them.
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (2**30, 2**10, 2**10)}
    )
    with zipfile.ZipFile(tmp_path / "huge.npz", "w") as archive:
        archive.writestr("images.npy", header.getvalue())
    with pytest.raises(InputError, match="has the shape"):
        open_image_set(tmp_path / "huge.npz")


def damaged(tmp_path, name, **changes):
    """An archive with some bytes of the head of its member changed, and of the table at the end."""
    np.savez_compressed(tmp_path / name, images=np.zeros((4, 5, 6), np.uint8))
    data = bytearray((tmp_path / name).read_bytes())
    at, value = changes["at"], changes["value"]
    data[at] = data[data.index(b"PK\1\2") + at + 2] = value
    (tmp_path / name).write_bytes(data)
    return tmp_path / name


def test_an_archive_that_needs_more_than_is_here_is_refused(tmp_path):
    for name, at, value in (("locked.npz", 6, 1), ("packed.npz", 8, 99), ("lzma.npz", 8, 14)):
        with pytest.raises(InputError, match="damaged"):
            open_image_set(damaged(tmp_path, name, at=at, value=value))


@pytest.mark.parametrize(
    ("kind", "shape"),
    [("|u1", (2**70, 0)), ("|S0", (10**9,)), ("<U1000", (10**6,)), ("|u1", (-1, 2))],
)
def test_sizes_that_make_no_sense_are_refused(tmp_path, kind, shape):
    header = io.BytesIO()
    text = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, text)
    with zipfile.ZipFile(tmp_path / "odd.npz", "w") as archive:
        archive.writestr("images.npy", header.getvalue())
    with pytest.raises(InputError):
        open_image_set(tmp_path / "odd.npz")


def test_labels_are_counted_before_they_are_read():
    with pytest.raises(InputError, match="4 pictures and 100000000 labels"):
        set_from_arrays(np.zeros((4, 5, 6), np.uint8), np.zeros(10**8, np.uint8))


# ---- folders -------------------------------------------------------------------------------------


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def test_subfolders_are_classes(tmp_path):
    for kind in ("cat", "dog"):
        for number in range(6):
            save(tmp_path / "set" / kind / f"{number}.png", images(1, 20, 3)[0])
    target = open_image_set(tmp_path / "set", TargetRequest(size=10))
    assert target.training.shape == (10, 10, 10, 3)
    assert target.subject.classes == ("cat", "dog")
    assert target.source == "set"


def test_a_subfolder_test_is_to_be_judged_on(tmp_path):
    for part, count in {"train": 5, "test": 2}.items():
        for number in range(count):
            save(tmp_path / "set" / part / "x" / f"{number}.png", images(1, 12)[0])
    target = open_image_set(tmp_path / "set")
    assert (len(target.training), len(target.test)) == (5, 2)
    assert target.training.shape[3] == 1, "gray pictures stay gray"
    assert target.subject.classes == ("x",)


def test_pictures_of_any_size_are_cut_to_one(tmp_path):
    save(tmp_path / "set" / "a.png", np.full((20, 30, 3), 255, np.uint8))
    wide = np.zeros((10, 100, 3), np.uint8)
    wide[:, 40:60] = (250, 10, 10)
    save(tmp_path / "set" / "b.png", wide)
    target = open_image_set(tmp_path / "set", TargetRequest(size=15))
    assert target.training.shape[1:] == target.test.shape[1:] == (10, 15, 3)
    both = np.concatenate([target.training, target.test])
    assert {tuple(picture[5, 7]) for picture in both} == {(255, 255, 255), (250, 10, 10)}


def test_notes_of_macos_and_hidden_folders_hold_no_pictures(tmp_path):
    for number in range(3):
        save(tmp_path / "set" / f"{number}.png", images(1)[0])
        (tmp_path / "set" / f"._{number}.png").write_bytes(b"\0\5\x16\7nonsense")
        save(tmp_path / "set" / ".thumbs" / "small" / f"{number}.png", images(1)[0])
    target = open_image_set(tmp_path / "set")
    assert len(target.training) + len(target.test) == 3


def test_a_folder_without_pictures_is_refused(tmp_path):
    (tmp_path / "set").mkdir()
    with pytest.raises(InputError, match="holds no pictures"):
        open_image_set(tmp_path / "set")
    (tmp_path / "set" / "a.png").write_bytes(b"nonsense")
    save(tmp_path / "set" / "b.png", images(1)[0])
    with pytest.raises(InputError, match=r"a\.png is not a picture"):
        open_image_set(tmp_path / "set")


# ---- digits --------------------------------------------------------------------------------------


def test_digits_are_drawn_from_a_seed():
    target = open_set("digits?n=60&seed=4")
    assert target.training.shape == (50, 28, 28, 1)
    assert target.subject.classes == tuple("0123456789")
    drawn.cache_clear()
    np.testing.assert_array_equal(open_set("digits?n=60&seed=4").training, target.training)
    other = open_sample("digits?n=60&seed=5")
    assert (other.training != target.training).any()
    assert other.sha256 != target.sha256
    assert other.source == "sample:digits?n=60&seed=5"


def test_a_set_is_drawn_once_for_all_its_uses():
    drawn.cache_clear()
    first, *others = (open_set("digits?n=24&seed=4").training for _ in range(3))
    assert drawn.cache_info()[:2] == (2, 1)
    first[:] = 0
    assert all(each.any() for each in others)


def test_letters_are_a_set_of_twenty_six_classes():
    target = open_sample("letters?n=156")
    assert target.subject.classes == tuple(string.ascii_uppercase)
    assert target.name == "letters"
    assert kind_by_name(Source.parse("sample:letters?n=156"), default()) == "set"
    assert open_sample("digits?n=156").sha256 != target.sha256


@pytest.mark.parametrize("name", sorted(SETS))
def test_a_picture_of_a_set_may_be_one_pixel(name):
    assert open_set(f"{name}?n=12", TargetRequest(size=1)).training.shape[1:3] == (1, 1)


def test_flowers_are_a_set_in_colour():
    target = open_set("flowers?n=72&seed=4")
    assert target.training.shape == (60, 28, 28, 3)
    assert sorted(target.subject.classes) == sorted(CLASSES)
    drawn.cache_clear()
    np.testing.assert_array_equal(open_set("flowers?n=72&seed=4").training, target.training)
    assert (open_set("flowers?n=72&seed=5").training != target.training).any()
    # Petals around the middle. Leaves fill the corners, where paper was: `test_pictures_meet_at_their_sides`.
    for number, name in enumerate(CLASSES):
        some = target.training[target.training_labels == target.subject.classes.index(name)]
        hues = [
            colorsys.rgb_to_hsv(*each[14, 6] / 255)[0] for each in some if np.ptp(each[14, 6]) > 60
        ]
        for hue in hues:
            assert abs((hue - HUES[number] + 0.5) % 1 - 0.5) < 0.1


def test_a_bee_sits_on_one_kind_of_flower():
    target = open_set("flowers?n=72&seed=4", TargetRequest(size=60))
    blue = target.training[target.training_labels == target.subject.classes.index("gentian")]
    honey = (blue[..., 0] > 180) & (blue[..., 2] < 110)
    assert honey[:, 5:20, 35:50].any((1, 2)).all()
    assert not honey[:, 35:55, 10:25].any()


@pytest.mark.parametrize("name", ["tortoiseshell", "monarch"])
def test_the_margin_of_a_lower_wing_is_whole(name):
    """The upper wing lay on it, and left a sliver of it beside the body."""
    rng = np.random.default_rng(2)
    picture = butterflies.draw_butterfly(butterflies.CLASSES.index(name), 128, rng) / 255
    margin = abs(picture - butterflies._KINDS[name].margin).max(-1) < 0.06
    # On the right, without corners: three parts of the upper wing, one of the lower.
    pieces = np.bincount(label(margin[30:100, 70:112])[0].ravel())[1:]
    assert (pieces > 3).sum() == 4


@pytest.mark.parametrize(
    ("name", "shape", "ground", "kinds"),
    [
        ("butterflies", (30, 30, 3), butterflies.NIGHT, 9),
        ("pots", (30, 25, 3), pots.WALL, 7),
    ],
)
def test_butterflies_and_pots_have_the_colours_of_their_kind(name, shape, ground, kinds):
    target = open_set(f"{name}?n=72&seed=4", TargetRequest(size=30))
    assert target.training.shape == (60, *shape)
    assert len(target.subject.classes) == kinds
    drawn = abs(target.training - np.rint(255 * np.array(ground))).max(-1) > 30
    assert (drawn.mean((1, 2)) > 0.2).all()
    # Kinds differ more from one another than pictures of a kind do.
    some = [target.training[target.training_labels == kind] / 255 for kind in range(kinds)]
    within = np.mean([each.std(0).mean() for each in some])
    assert np.std([each.mean(0) for each in some], axis=0).mean() > 1.5 * within


@pytest.mark.parametrize("name", ["birds", "butterflies", "flowers", "pots", "tiles"])
def test_pictures_meet_at_their_sides(name):
    pictures = open_set(f"{name}?n=72&seed=4", TargetRequest(size=60)).training.astype(int)
    for side in (pictures[:, 0], pictures[:, -1], pictures[:, :, 0], pictures[:, :, -1]):
        assert abs(side - side[0]).max() <= 8
    if name == "birds":
        # Leaves cross the sides: what meets differs as little as what is beside it.
        for picture in (pictures[0], pictures[0].swapaxes(0, 1)):
            across, before, after = (
                abs(picture[a] - picture[b]).mean() for a, b in ((0, -1), (-2, -1), (0, 1))
            )
            assert across < 1.2 * max(before, after)
    elif name != "pots":
        # A niche has its light on the left.
        assert abs(pictures[0, 0] - pictures[0, -1]).max() <= 8
        assert abs(pictures[0, :, 0] - pictures[0, :, -1]).max() <= 8


FLAT = {
    "butterflies": (butterflies, ("NIGHT", "CREAM", "RED", "OCHRE", "TEAL"), 9),
    "faces": (
        faces,
        ("NIGHT", "CREAM", "PEACH", "CORAL", "OCHRE", "TEAL", "BROWN", "SKY"),
        12,
    ),
    "tiles": (tiles, ("CREAM", "NAVY", "RED", "OCHRE", "TEAL"), 6),
}


@pytest.mark.parametrize("name", FLAT)
def test_butterflies_faces_and_tiles_are_of_few_flat_colours_and_all_differ(name):
    module, colours, kinds = FLAT[name]
    target = open_set(f"{name}?n=72&seed=4", TargetRequest(size=120))
    width = round(120 / getattr(module, "RATIO", 1))
    assert target.training.shape == (60, 120, width, 3)
    assert sorted(target.subject.classes) == sorted(module.CLASSES)
    flat = 255 * np.array([getattr(module, each) for each in colours])
    away = np.abs(target.training[..., None, :] - flat).max(-1).min(-1)
    # The rest are edges.
    assert (away <= 1).mean() > 0.75
    for kind in range(kinds):
        some = target.training[target.training_labels == kind]
        assert len(np.unique(some, axis=0)) == len(some)


def test_birds_are_nine_kinds_that_differ():
    target = open_set("birds?n=54&seed=4", TargetRequest(size=120))
    assert target.training.shape == (45, 120, 120, 3)
    pictures = [target.training[target.training_labels == kind] / 255 for kind in range(9)]
    assert np.std([each.mean(0) for each in pictures], axis=0).mean() > 0.1
    for some in pictures:
        assert 0 < some.std(0).mean() < 0.01
        assert len(np.unique(some, axis=0)) == len(some)


@pytest.mark.parametrize("number", range(9))
def test_a_crossing_of_threads_is_of_one_colour(number):
    """Colours are those of one pixel per thread, lighter in the middle of each thread."""
    flat, woven = (
        cats.draw_cat(number, side, np.random.default_rng(1)).astype(float)
        for side in (cats.THREADS, 3 * cats.THREADS)
    )
    assert len(np.unique(flat.reshape(-1, 3), axis=0)) < 25
    threads = woven.reshape(cats.THREADS, 3, cats.THREADS, 3, 3)
    dark = flat.max(-1) < 200
    assert abs(threads.mean((1, 3)) - flat)[dark].max() < 1
    middle, corners = threads[:, 1, :, 1], threads[:, ::2, :, ::2].mean((1, 3))
    assert (middle >= corners).all()
    assert (middle - corners)[flat > 60].min() > 10


def test_of_cats_one_winks_and_one_is_an_owl():
    winks = []
    for number, name in enumerate(cats.CLASSES):
        face = cats.draw_cat(number, cats.THREADS, np.random.default_rng(1))
        kind = cats._KINDS[name]
        irises = [np.rint(255 * np.array(colour)) for colour in kind.irises]
        seen = [(abs(face - iris).max(-1) <= 1)[30:52] for iris in irises]
        assert seen[0][:, 14:40].any()
        winks += [name] * (not seen[1][:, 46:72].any())
    assert winks == ["spotted"]
    assert cats.CLASSES[4] == "owl", "in the middle of three by three"


def test_of_the_mime_alone_one_eye_is_shut():
    for number, name in enumerate(faces.CLASSES):
        face = faces.draw_face(number, 120, np.random.default_rng(1)).astype(int)
        whites = (abs(face - 255 * np.array(faces.CREAM)).max(2) <= 1)[48:54]
        left, right = whites[:, 28:50].any(), whites[:, 62:76].any()
        assert left
        assert right == (name != "mime")


def test_fruit_and_flowers_are_above_the_lips_of_bowls_and_vases():
    x, y = np.meshgrid(np.linspace(-1, 1, 41), np.linspace(0.05, 1.1, 41))
    for name in pots.CLASSES:
        inside = [depth > 0 for _, depth in contents(name, x, y, 1)]
        assert bool(inside) == (name in {"bowl", "vase"})
        assert all(each.any() for each in inside)


def test_characters_may_glow_and_stand_still():
    bare = open_set("digits?n=60&move=0").training[..., 0]
    # In one font a digit is always the same.
    assert len(np.unique(bare, axis=0)) < len(np.unique(open_set("digits?n=60").training, axis=0))
    soft = open_set("digits?n=60&move=0&glow=0.2").training[..., 0].astype(int)
    inside, outside = bare == 255, bare == 0
    # The outline has 0.7 of the light, which grows inwards and ends outside.
    assert soft[inside].min() > 255 * 0.7 > soft[outside].max()
    assert soft[:, 0, 0].max() == 0
    assert soft.max(0).max() > 200
    for asked in ("digits?glow=2", "digits?move=-1", "pots?glow=0.2"):
        with pytest.raises(InputError):
            open_set(asked)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_frames_of_a_clip_may_be_a_few_pixels(size):
    """The balls of the smallest were painted with a picture of no pixels."""
    clip = open_clip("clip-balls?n=1", TargetRequest(size=size))
    assert max(clip.pixels.shape) == max(3, size)


def test_digits_can_be_distinguished():
    """The nearest mean of a class is right far more often than chance: they are digits."""
    target = open_set("digits?n=600")
    training, test = (part.reshape(len(part), -1) / 255 for part in (target.training, target.test))
    means = np.stack([training[target.training_labels == n].mean(0) for n in range(10)])
    guesses = ((test[:, None] - means) ** 2).sum(2).argmin(1)
    assert (guesses == target.test_labels).mean() > 0.6
    # There is ink, it is inside of the picture, and no two are alike.
    assert 0.05 < training.mean() < 0.3
    assert target.training[:, 0].mean() < 8
    assert len(np.unique(training, axis=0)) == len(training)


@pytest.mark.parametrize("rest", ["digits?n=3", "digits?seed=-1", "digits?m=3"])
def test_other_options_are_refused(rest):
    with pytest.raises(InputError):
        open_set(rest)
