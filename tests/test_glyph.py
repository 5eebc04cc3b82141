"""Letters of a font: their outlines, and functions that belong to one object of a shape."""

import json
from functools import partial
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib.textpath import TextPath

import artgen
from artgen.errors import InputError, PluginError, UsageError
from artgen.families.shape.spans import draw_shapes, load_functions
from artgen_plugins._fonts import EM
from artgen_plugins.glyph import Glyph

FONTS = Path(matplotlib.get_data_path(), "fonts", "ttf")
SANS = {"text": "8Q", "font": "DejaVuSans"}


def area(ring):
    x, y = ring.T
    return (x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def finely(contour):
    t = np.linspace(0, 1, 50)[:-1, None, None]
    weights = [(1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3]
    points = sum(weight * contour[:, k] for k, weight in enumerate(weights))
    return points.swapaxes(0, 1).reshape(-1, 2)


@pytest.mark.parametrize("number", [0, 1])
def test_letters_have_the_outlines_of_the_font(number):
    glyph = Glyph(SANS)
    contours = glyph.contours(np.array([0.3, -0.2, 0.4, 0.3, number + 0.5]))
    assert len(contours) == 3 - number
    font = matplotlib.font_manager.FontProperties(fname=FONTS / "DejaVuSans.ttf")
    rings = TextPath((0, 0), "8Q"[number], size=1000, prop=font).to_polygons()
    # Half an em is half a unit long here.
    areas = sorted(abs(area(finely(contour))) for contour in contours)
    assert areas == pytest.approx(sorted(abs(area(ring)) / 1e6 for ring in rings), rel=2e-3)
    points = np.concatenate(contours).reshape(-1, 2)
    upright = glyph.contours(np.array([0, 0, 0.5, 0, number + 0.5]))
    across = np.concatenate(upright).reshape(-1, 2) @ [[0.8, 0.6], [-0.6, 0.8]] + [0.3, -0.2]
    assert np.allclose(points, across)


def test_a_part_keeps_its_letter_and_repeated_letters_are_frequent():
    glyph, rng, genes = Glyph({"text": "A AB"}), np.random.default_rng(0), np.zeros(5)
    found = []
    for _ in range(300):
        glyph.random(genes, rng, 0.1, 0.2, 0.3)
        assert glyph.valid(genes)
        found.append(genes[4])
        glyph.mutate(genes, rng, 0.1)
        assert genes[4] == found[-1]
    assert set(found) == {0.5, 1.5}
    assert 170 < found.count(0.5) < 230


def test_letters_are_arguments_of_kernels():
    first, second = Glyph({"text": "AB"}), Glyph({"text": "OCD"})
    tensors = {
        "genes": torch.tensor([[0.0, 0.0, 0.8, 0.0, 1.5]]).T,
        "colour": torch.ones(3, 1),
        "alpha": torch.ones(1),
    }
    covered = []
    for glyph in (first, second):
        drawn = draw_shapes(glyph, tensors, artgen.Canvas(64, 64), (0.0, 0.0, 0.0))
        contours = glyph.contours(tensors["genes"][:, 0].double().numpy())
        expected = abs(sum(area(finely(contour)) for contour in contours))
        covered.append(float(drawn[0].mean()) * 4)
        assert covered[-1] == pytest.approx(expected, rel=1e-2)
    assert abs(covered[0] - covered[1]) > 0.1
    assert load_functions(first) is load_functions(second)


def test_only_arrays_are_bound_to_functions():
    glyph = Glyph({"text": "A"})
    glyph.random = partial(glyph.random.func, order=3)
    with pytest.raises(
        PluginError, match=r"_random \(glyph.py, line \d+\) gets order, which is no"
    ):
        load_functions(glyph)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"text": " "}, "text has no letters"),
        ({"text": "a\u4e00"}, "no outline of '\u4e00'"),
        ({"font": "none.ttf"}, "cannot read the font none.ttf: No such file"),
        ({"font": __file__}, "test_glyph.py: it is not a font"),
        ({"font": str(FONTS)}, "it is not a file"),
        ({"font": "{"}, "cannot read the font {"),
        ({"font": '{"A":[1,2]}', "text": "A"}, "no outline of 'A'"),
        ({"font": '{"A":[1e999]}', "text": "A"}, "cannot read the font"),
    ],
)
def test_what_cannot_be_read_is_named(options, problem):
    with pytest.raises(InputError) as refused:
        Glyph(options)
    assert problem in refused.value.message


def test_a_table_of_letters_is_as_long_as_all_of_its_numbers():
    nested = json.dumps({"A": [list(range(80))] * 8})
    assert Glyph({"font": nested, "text": "A"}).curves == 128


def test_a_drawing_holds_its_letters(tmp_path):
    font = tmp_path / "own.ttf"
    font.write_bytes((FONTS / "DejaVuSans.ttf").read_bytes())
    picture = np.random.default_rng(1).random((12, 16, 3))
    made = artgen.fit(picture, "glyph", count=4, steps=4, seed=1, text="8Q", font=str(font))
    made.save(tmp_path / "made.art")
    made.save(tmp_path / "made.svg")
    font.unlink()
    again = artgen.load(tmp_path / "made.art")
    assert np.array_equal(again.render(40), made.render(40))
    stored = json.loads(again.drawing.options["font"])
    assert list(stored) == ["8", "Q"]
    assert max(stored["8"]) < EM
    letters = again.drawing.tensors["genes"][4]
    holes = [2 if letter < 1 else 1 for letter in letters.tolist()]
    svg = (tmp_path / "made.svg").read_text()
    paths = [line for line in svg.split("<path")[1:] if "d=" in line]
    assert [path.count("z") + path.count("Z") for path in paths] == [hole + 1 for hole in holes]


def test_text_in_lines_is_read_in_order():
    glyph = Glyph({"text": "go on", "font": "DejaVuSansMono", "lines": 4})
    glyph.resolve_options(artgen.Canvas(62, 40))
    assert glyph.options.columns == 10
    wide = Glyph({"text": "go on", "font": "DejaVuSansMono", "lines": 60})
    wide.resolve_options(artgen.Canvas(1200, 100))
    assert Glyph(wide.option_values()).options.columns == wide.options.columns > 1000
    letters, rng, page = list(json.loads(glyph.options.font)), np.random.default_rng(0), {}
    bottoms = set()
    for x, y in rng.uniform(-1, 1, (600, 2)) * (1.55, 1):
        genes = np.zeros(5)
        glyph.random(genes, rng, x, y, 0.2)
        for _ in range(3):
            assert glyph.valid(genes)
            contours = np.concatenate(glyph.contours(genes)).reshape(-1, 2)
            line, column = int((genes[1] + 1) // 0.5), round((genes[0] + 1.55) / 0.31 - 0.5)
            page[line, column] = letters[int(genes[4])]
            if page[line, column] == "n":
                bottoms.add(round(float(contours[:, 1].max()) - 0.5 * line, 4))
            glyph.mutate(genes, rng, 0.1)
    rows = ["".join(page.get((row, column), " ") for column in range(10)) for row in range(4)]
    assert "".join(rows) == ("go on " * 7)[:40]
    # All letters stand on the baseline, whatever their size.
    assert np.ptp(list(bottoms)) < 1e-3


def test_a_wide_page_of_letters_is_drawn_again_from_its_file(tmp_path):
    """Its letters were held to be those of a square, and too small."""
    picture = np.random.default_rng(1).random((12, 36, 3))
    options = {"text": "go on", "font": "DejaVuSansMono", "lines": 29}
    artgen.fit(picture, "glyph", count=4, steps=4, seed=1, **options).save(tmp_path / "made.art")
    again = artgen.load(tmp_path / "made.art")
    assert again.drawing.options["columns"] > 135
    again.save(tmp_path / "made.svg")
    with pytest.raises(UsageError) as refused:
        artgen.fit(picture[:, :12], "glyph", count=4, columns=136, **options)
    assert refused.value.message == "letters in lines of 136 would be too small to see"
    assert refused.value.hint == "use at most 135 columns"


@pytest.mark.parametrize("columns", [1, 5, 18])
def test_lines_of_so_many_letters_fill_the_picture(columns):
    """Few columns made lines so high that most lay beyond the picture."""
    glyph = Glyph({"text": "go on", "font": "DejaVuSansMono", "lines": 4, "columns": columns})
    glyph.resolve_options(artgen.Canvas(60, 40))
    rng, page = np.random.default_rng(0), set()
    for x, y in rng.uniform(-1, 1, (900, 2)) * (1.5, 1):
        genes = np.zeros(5)
        glyph.random(genes, rng, x, y, 0.2)
        glyph.mutate(genes, rng, 0.1)
        contours = np.concatenate(glyph.contours(genes)).reshape(-1, 2)
        assert (np.abs(contours) < (1.5, 1.0)).all()
        page.add((int((genes[1] + 1) // 0.5), round((genes[0] + 1.5) * columns / 3 - 0.5)))
    places = {divmod(n, columns) for n in range(4 * columns)}
    # Where a word ends there is no letter.
    assert page == {
        place
        for place in places
        if columns == 1 or ("go on " * 12)[place[0] * columns + place[1]] != " "
    }
