"""Curves and labelled points as targets: what they hold, and what is refused."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

import artgen
from artgen.errors import InputError, UsageError
from artgen.targets import (
    TargetRequest,
    curve_from_samples,
    points_from_samples,
)
from artgen.values.subject import Curve, Points, subject_from
from artgen_plugins.curve import open_curve
from artgen_plugins.points import open_points
from artgen_plugins.table import open_table

# ---- curves --------------------------------------------------------------------------------------


def test_the_default_curve_is_the_published_one():
    target = open_curve("")
    x, y = target.subject.x, target.subject.y
    assert (x[0], x[-1], len(x)) == (-1, 1, 200)
    np.testing.assert_allclose(y, 2.777 * x**2 + 0.123 - 1.5 * x**3 + np.sin(4 * x))
    # A field sees it as it is, as the published network did.
    np.testing.assert_allclose(target.subject.positions[:, 0], x, atol=1e-6)
    np.testing.assert_allclose(target.subject.values[:, 0], y, rtol=1e-6)


def test_an_interval_and_a_number_of_samples():
    curve = open_curve("sin(x)?from=-pi/2&to=2*pi&n=7").subject
    np.testing.assert_allclose(curve.x, np.linspace(-np.pi / 2, 2 * np.pi, 7))
    assert curve.positions.shape == (7, 1)
    np.testing.assert_allclose(curve.positions[[0, -1], 0], [-1, 1])


@pytest.mark.parametrize(
    ("text", "unit", "offset"),
    [
        ("2000*sin(3*x)", 1000, 0),
        ("0.05*x", 0.1, 0),
        ("5*x + 3", 10, 0),
        ("x + 300", 1, 300),
        ("7", 1, 7),
        ("0*x", 1, 0),
    ],
)
def test_fields_see_values_of_about_one(text, unit, offset):
    curve = open_curve(text).subject
    assert (curve.unit, curve.offset) == (pytest.approx(unit), pytest.approx(offset))
    assert np.abs(curve.values).max() <= 20
    np.testing.assert_allclose(curve.heights(curve.values[:, 0]), curve.y, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("sin(4*y)", "unknown name 'y'"),
        ("log(x)", "no finite value at x = -1"),
        ("x?from=1&to=1", "from must be less than to, got 1 and 1"),
        ("x?from=x", "'x' is not a number"),
        ("x?to=log(0)", "'log(0)' is not a number"),
        ("x?n=1", "n=1 is not a whole number from 2 to 100000"),
        ("x?n=9999999999999999999999", "is not a whole number"),
        ("x?n=two", "n=two is not a whole number"),
        ("x?steps=3", "there is no option 'steps'"),
        ("x?n=3&n=4", "n is given twice"),
        ("x?n", "'n' is not KEY=VALUE"),
        ("x?axes=X", "axes takes two values, such as axes=X,Y"),
        (
            "x?axes=X,",
            "curve:x?axes=X,: the name of an axis must have 1 to 40 printable characters",
        ),
    ],
)
def test_curves_that_cannot_be(rest, message):
    with pytest.raises(InputError) as caught:
        open_curve(rest)
    assert message in str(caught.value)


def test_the_hash_is_of_what_was_asked_for():
    hashes = {open_curve(rest).sha256 for rest in ("x", "x?n=9", "x?to=2", "2*x")}
    assert len(hashes) == 4
    assert open_curve("x").sha256 == open_curve("x", TargetRequest(size=99)).sha256


def test_the_size_is_that_of_the_plot():
    assert open_curve("x").canvas == artgen.Canvas(640, 400)
    assert open_curve("x", TargetRequest(size=160)).canvas == artgen.Canvas(160, 100)
    assert open_points("").canvas == artgen.Canvas(400, 400)


@pytest.mark.parametrize("opener", [open_curve, open_points])
def test_a_mask_is_for_pictures(opener, tmp_path):
    for request in (TargetRequest(mask=tmp_path), TargetRequest(alpha_weight=True)):
        with pytest.raises(UsageError, match="not a picture"):
            opener("", request)


# ---- points --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["random", "two-moons", "spiral"])
def test_points_depend_on_their_seed_alone(name):
    first, again = open_points(f"{name}?seed=3"), open_points(f"{name}?seed=3")
    other = open_points(f"{name}?seed=4")
    np.testing.assert_array_equal(first.subject.xy, again.subject.xy)
    assert not np.array_equal(first.subject.xy, other.subject.xy)
    assert first.sha256 == again.sha256 != other.sha256
    assert first.subject.xy.min() >= 0
    assert first.subject.xy.max() <= 1


def test_random_points_are_32_of_two_classes():
    points = open_points("").subject
    assert points.positions.shape == (32, 2)
    assert (points.classes, points.outputs) == (("0", "1"), 1)
    assert points.values.shape == (32, 1)
    assert set(points.values.ravel()) == {0, 1}
    # y points up in a table and down on a canvas.
    np.testing.assert_allclose(points.positions[:, 0], 2 * points.xy[:, 0] - 1, atol=1e-6)
    np.testing.assert_allclose(points.positions[:, 1], 1 - 2 * points.xy[:, 1], atol=1e-6)


def test_more_classes_have_an_output_each():
    points = open_points("spiral?classes=3&n=31").subject
    assert (points.inputs, points.outputs, len(points.xy)) == (2, 3, 31)
    np.testing.assert_array_equal(points.values.argmax(1), points.labels)
    np.testing.assert_array_equal(points.values.sum(1), 1)
    assert set(points.labels) == {0, 1, 2}


@pytest.mark.parametrize("seed", range(5))
def test_no_class_is_missing(seed):
    assert set(open_points(f"random?n=4&classes=4&seed={seed}").subject.labels) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("spirals", "there are no labelled points named 'spirals'"),
        ("random?noise=1", "there is no option 'noise'"),
        ("random?classes=1", "classes=1 is not a whole number from 2 to 8"),
        ("two-moons?classes=3", "from 2 to 2"),
        ("random?n=1", "n=1 is not a whole number from 2"),
        ("random?seed=-1", "seed=-1 is not a whole number from 0"),
    ],
)
def test_points_that_cannot_be(rest, message):
    with pytest.raises(InputError) as caught:
        open_points(rest)
    assert message in str(caught.value)


# ---- tables --------------------------------------------------------------------------------------


def table(tmp_path, text: str | bytes):
    path = tmp_path / "data.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return open_table(str(path))


def test_two_columns_are_a_curve(tmp_path):
    target = table(tmp_path, "\ufefftime, height\r\n3,30\n\n1,10.5\n2 , 2e1\n")
    curve = target.subject
    assert isinstance(curve, Curve)
    np.testing.assert_array_equal(curve.x, [1, 2, 3])
    np.testing.assert_array_equal(curve.y, [10.5, 20, 30])
    assert (curve.start, curve.end, curve.continuous) == (1, 3, False)
    assert (target.name, target.source) == ("data", "data.csv")
    assert target.sha256 == hashlib.sha256((tmp_path / "data.csv").read_bytes()).hexdigest()


def test_three_columns_are_points(tmp_path):
    points = table(tmp_path, "x,y,label\n0,0,no\n4,1,yes\n2,0.5,no\n").subject
    assert isinstance(points, Points)
    assert points.classes == ("no", "yes")
    np.testing.assert_array_equal(points.labels, [0, 1, 0])
    # Both axes fill the map, with a margin.
    assert np.abs(points.positions).max() == pytest.approx(1 / 1.12, rel=1e-5)
    np.testing.assert_allclose(np.abs(points.positions[:2]), 1 / 1.12, rtol=1e-5)


def test_labels_that_are_numbers_are_in_their_order(tmp_path):
    points = table(tmp_path, "0,0,10\n1,1,9\n2,2,b\n3,3,a\n").subject
    assert points.classes == ("9", "10", "a", "b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2\n3\n", "line 2 has 1 column "),
        ("1\n2\n", "line 1 has 1 column "),
        ("1,2,a,4\n", "line 1 has 4 columns"),
        ("1,2\n3,x\n", "line 2: '3,x' cannot be read"),
        ("1,2,a\n3,4,\n", "line 2: '3,4,' cannot be read"),
        ("x,y\n", "holds no numbers"),
        ("", "is empty"),
        ("1,2\n1,3\n", "fewer than two different values of x"),
        ("1,2,a\n3,4,a\n", "has 1 different label ("),
        ("1,2\n3,nan\n", "NaN, infinite or beyond"),
        ("1,2\n3,1e200\n", "NaN, infinite or beyond"),
        (b"1,2\n\xff,3\n", "is not a CSV file"),
        ('1,"2\n', "is not a CSV file"),
    ],
)
def test_tables_that_cannot_be(text, message, tmp_path):
    with pytest.raises(InputError) as caught:
        table(tmp_path, text)
    assert message in str(caught.value)
    assert "data.csv" in str(caught.value)


def test_a_missing_table(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        open_table(str(tmp_path / "none.csv"))


# ---- arrays --------------------------------------------------------------------------------------


def test_targets_of_arrays():
    curve = curve_from_samples([2, 0, 1], [4, 0, 1], name="squares").subject
    np.testing.assert_array_equal(curve.y, [0, 1, 4])
    points = points_from_samples(np.eye(2), [True, False]).subject
    assert points.classes == ("False", "True")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: curve_from_samples([1, 2], [1]), "has 2 values of x but 1 of y"),
        (lambda: curve_from_samples([[1, 2]], [1]), "has the shape (1, 2)"),
        (lambda: curve_from_samples(["a", "b"], [1, 2]), "is not an array of numbers"),
        (lambda: curve_from_samples([], []), "has the shape (0,)"),
        (lambda: points_from_samples(np.eye(3), [1, 2, 3]), "has points of the shape (3, 3)"),
        (lambda: points_from_samples(np.eye(2), [1]), "and 1 labels"),
        (lambda: points_from_samples(np.zeros((40, 2)), range(40)), "40 different labels"),
    ],
)
def test_arrays_that_cannot_be(make, message):
    with pytest.raises(InputError) as caught:
        make()
    assert message in str(caught.value)


# ---- as part of a drawing ------------------------------------------------------------------------

SUBJECTS = [
    open_curve("x*x?n=5").subject,
    curve_from_samples([1, 2], [1e9, 2e9]).subject,
    open_points("random?n=5&classes=3").subject,
]


@pytest.mark.parametrize("subject", SUBJECTS, ids=["expression", "samples", "points"])
def test_a_subject_comes_back_from_its_parts(subject):
    again = subject_from({"kind": subject.kind, **subject.header()}, subject.arrays())
    assert again.header() == subject.header()
    np.testing.assert_array_equal(again.positions, subject.positions)
    np.testing.assert_array_equal(again.values, subject.values)


@pytest.mark.parametrize("subject", SUBJECTS, ids=["expression", "samples", "points"])
def test_damaged_parts_are_refused(subject):
    header = {"kind": subject.kind, **subject.header()}
    arrays = subject.arrays()
    first = next(iter(arrays))
    damages = [
        ({**header, "kind": "cube"}, arrays),
        (header, {}),
        (header, {**arrays, first: arrays[first][:1]}),
        (header, {**arrays, first: np.full_like(arrays[first], np.nan)}),
        *(({k: v for k, v in header.items() if k != key}, arrays) for key in header),
    ]
    for damaged, parts in damages:
        with pytest.raises(ValueError):  # noqa: PT011
            subject_from(damaged, parts)


@pytest.mark.parametrize("far", [1.7e308, np.inf, np.nan])
def test_samples_of_a_file_whose_range_is_infinite_are_refused(far):
    """A plot of them ended with an internal error."""
    subject = open_curve("x").subject
    arrays = {"x": subject.x, "y": np.linspace(-1, 1, len(subject.x))}
    arrays["y"][[0, -1]] = -far, far
    with pytest.raises(ValueError, match="y holds NaN or too large numbers"):
        subject_from({"kind": "curve", **subject.header()}, arrays)
