"""Posters, calendars and postcards: sizes, marks, words, days, and what is refused."""

from __future__ import annotations

import datetime
import re
import zlib
from dataclasses import replace

import numpy as np
import pytest
from helpers import save_photo
from PIL import Image

import artgen
from artgen.cli import main
from artgen.errors import UsageError
from artgen.making import Motif
from artgen_makers.prints import Calendar, Postcards, Poster

MM = 72 / 25.4


@pytest.fixture
def motif():
    ramp = np.zeros((40, 60, 3), np.uint8)
    ramp[..., 0] = np.arange(60) * 4
    return Motif("ramp", photo=ramp)


def boxes(pdf: bytes, name: str) -> list[list[float]]:
    found = re.findall(rf"/{name} \[([\d. ]+)\]".encode(), pdf)
    return [[float(n) for n in each.split()] for each in found]


def contents(pdf: bytes) -> list[str]:
    """The operators of each page."""
    streams = re.findall(
        rb"<<  /Filter /FlateDecode /Length \d+ >>\nstream\n(.*?)\nendstream", pdf, re.DOTALL
    )
    return [zlib.decompress(each).decode("latin-1") for each in streams]


def test_a_poster_has_its_size_a_bleed_and_its_words(motif):
    made = Poster({"paper": "A4", "title": "Ämne (1)", "bleed": 5.0}).make(motif)
    pdf = made.files["poster.pdf"]
    [[left, top, right, bottom]] = boxes(pdf, "TrimBox")
    # The paper turns to the picture, which lies.
    assert (right - left) / MM == pytest.approx(297, abs=0.01)
    assert (bottom - top) / MM == pytest.approx(210, abs=0.01)
    assert left / MM == pytest.approx(5 + 8, abs=0.01)
    [page] = contents(pdf)
    assert page.count(" c ") > 20  # Letters are curves,
    assert "BT" not in page  # and need no font of the reader.
    assert page.count(" l S") == 8
    assert made.picture.shape[1] > made.picture.shape[0]
    assert (
        made.files == Poster({"paper": "A4", "title": "Ämne (1)", "bleed": 5.0}).make(motif).files
    )


@pytest.mark.parametrize(("maker", "paper"), [(Poster, (297, 210)), (Calendar, (210, 297))])
@pytest.mark.parametrize("bleed", [0.0, 3.0])
def test_the_guide_names_the_paper_that_is_printed(maker, paper, bleed, motif):
    """It named the paper after the cut, on which no page had room, not even without a bleed."""
    made = maker({"paper": "A4", "bleed": bleed, "margin": 10.0}).make(motif)
    pdf = made.files[f"{maker.title}.pdf"]
    [[*_, width, height]] = boxes(pdf, "MediaBox")
    more = 2 * (3 + 8) if bleed else 0
    assert (width / MM, height / MM) == pytest.approx([each + more for each in paper], abs=0.01)
    size = f"{paper[0] + more} x {paper[1] + more} mm"
    assert made.parts[0].name == size
    told = " ".join(re.findall(r"\((.*?)\) Tj", "".join(contents(made.files["guide-a4.pdf"]))))
    assert f"on paper of {size}" in told
    assert ("Cut along the marks" in told) == bool(bleed)
    # Marks are thinner than the lines of months.
    assert (" 0.1 w" in contents(pdf)[-1]) == bool(bleed)


def test_words_are_as_large_as_fits(motif):
    poster = Poster({"paper": "A4", "title": "W" * 60})
    layout = poster.sheet(motif, 297.0, 210.0, 0)
    [words] = layout.words
    from artgen_makers.prints import placed

    (_, begin), *_, (_, end) = placed(words, "DejaVuSans")
    assert 22 <= begin < end < 297 - 22


def test_words_that_nobody_could_read_are_refused(motif):
    """300 letters were a dotted line of a third of a millimetre."""
    with pytest.raises(UsageError, match="300 letters are too many for a line of 253 mm"):
        Poster({"paper": "A4", "title": "A" * 300}).sheet(motif, 297.0, 210.0, 0)


def test_panels_side_by_side_are_the_picture(motif):
    poster = Poster({"paper": "200x300mm", "panels": 3, "margin": 0.0, "bleed": 0.0})
    sheets = [poster.sheet(motif, 200.0, 300.0, k) for k in range(3)]
    seen = np.concatenate([sheet.pictures[0][1] for sheet in sheets], 1)
    middle = [sheet.pictures[0][1].mean((0, 1))[0] for sheet in sheets]
    assert middle == sorted(middle)
    assert seen.shape[0] <= 40
    assert len(boxes(poster.make(motif).files["poster.pdf"], "MediaBox")) == 3


def test_panels_lose_nothing_where_they_meet():
    """Each lost its own bleed at the seams, and what its sheet was too narrow for."""
    columns = np.arange(320)[None, :].repeat(220, 0)
    photo = np.stack([columns % 256, columns // 256, columns * 0], 2).astype(np.uint8)
    poster = Poster({"paper": "100x200mm", "panels": 3, "margin": 0.0, "bleed": 10.0})
    for k in range(3):
        [(box, pixels)] = poster.sheet(Motif("wide", photo=photo), 100.0, 200.0, k).pictures
        assert box == (-10, -10, 120, 220)
        assert np.array_equal(pixels, photo[:, 100 * k : 100 * k + 120])


def test_more_panels_than_pixels_show_each_one(motif):
    """Some had no pixel, and the poster ended with a traceback."""
    photo = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    poster = Poster({"paper": "100x100mm", "panels": 8, "margin": 0.0, "bleed": 0.0, "dpi": 20.0})
    layouts = [poster.sheet(Motif("few", photo=photo), 100.0, 100.0, k) for k in range(8)]
    shown = [layout.pictures[0][1].shape for layout in layouts]
    assert shown == [(1, 1, 3)] * 8
    assert len(boxes(poster.make(Motif("few", photo=photo)).files["poster.pdf"], "MediaBox")) == 8


def test_a_slim_picture_is_seen_on_its_sheet():
    """Less than half of a pixel wide, it was a traceback."""
    slim = Motif("slim", None, np.zeros((3000, 1, 3), np.uint8))
    assert Poster({"dpi": 30.0}).make(slim).picture.shape[0] == 1400


def test_named_paper_turns_to_a_panel(motif):
    pdf = Poster({"paper": "A4", "panels": 3, "margin": 0.0}).make(motif).files["poster.pdf"]
    left, top, right, bottom = boxes(pdf, "TrimBox")[0]
    assert ((right - left) / MM, (bottom - top) / MM) == pytest.approx((210, 297), abs=0.01)


def test_paper_may_be_large(motif):
    """A side of more than 655 mm was refused as an aspect ratio."""
    box, pixels = Poster({"paper": "A0"}).sheet(motif, 1189.0, 841.0, 0).pictures[0]
    assert box.width > 1100
    assert pixels.shape == (40, 60, 3)


def test_the_ground_is_written_as_a_code(motif):
    """Three numbers are a colour too, which the picture of the poster was not made with."""
    made = Poster({"paper": "A6", "ground": "0.5,0.5,0.5"}).make(motif)
    assert made.parts[0].colour == "#808080"


@pytest.mark.parametrize("maker", [Poster, Calendar])
@pytest.mark.parametrize(
    ("primitive", "paper", "words"),
    [
        ("wash", "#fdfbf5", "#26231f"),
        ("draft", "#1a4f9c", "#f4f1ea"),
        ("triangle", "#f7f5f0", "#26231f"),
    ],
)
def test_a_drawing_in_ink_lies_on_its_own_paper(maker, primitive, paper, words, motif):
    """The paper of a watercolour was a lighter rectangle on another one."""
    background = tuple(int(paper[k : k + 2], 16) / 255 for k in (1, 3, 5))
    if primitive == "triangle":
        background = (0.0, 0.0, 0.0)  # what is behind shapes is no paper
    art = artgen.fit(motif.photo, primitive, count=4, steps=2, seed=0)
    art = replace(art, drawing=replace(art.drawing, background=background))
    made = maker({"paper": "A5", "title": "a", "margin": 8.0, "dpi": 20.0})
    layout = made.sheet(Motif("ramp", art=art), 148.0, 210.0, 0)
    assert layout.ground == paper
    assert {each.colour for each in layout.words} == {words}
    own = maker({"paper": "A5", "ground": "#ff0000"}).sheet(Motif("a", art=art), 148.0, 210.0, 0)
    assert own.ground == "#ff0000"


def test_marks_of_cards_are_on_the_paper(motif):
    """With a large bleed those at its edges lay beside it."""
    cards = Postcards({"paper": "345x145mm", "card": "148x105mm", "bleed": 10.0})
    assert cards.make(motif).parts[1].number == 1


def test_a_tall_drawing_fills_a_card_that_lies_with_all_its_pixels():
    asked = []

    class Tall(Motif):
        aspect = 0.5

        def pixels(self, size):
            asked.append(size)
            return np.zeros((size, size // 2, 3), np.uint8)

    Postcards({"card": "150x100mm", "dpi": 25.4, "bleed": 0.0}).make(Tall("tall"))
    assert asked == [300]


@pytest.mark.parametrize(("year", "sunday"), [(2027, False), (2028, True), (1900, False)])
def test_a_calendar_has_every_day_below_its_weekday(year, sunday, motif):
    maker = Calendar({"year": year, "sunday": sunday, "paper": "A3"})
    layout = maker.sheet(motif, 297.0, 420.0, 0)
    heading, *numbers = [words for words in layout.words if words.text.isdigit()]
    assert heading.text == str(year)
    first = datetime.date(year, 1, 1)
    assert len(numbers) == (datetime.date(year + 1, 1, 1) - first).days
    letters = [words for words in layout.words if len(words.text) == 1 and words.text.isalpha()]
    for k, words in enumerate(numbers):
        day = first + datetime.timedelta(k)
        assert words.text == str(day.day)
        above = min(
            (each for each in letters if each.y < words.y),
            key=lambda each: abs(each.x - words.x) + (words.y - each.y) / 1000,
        )
        assert above.text == "MTWTFSS"[day.weekday()]
    assert max(words.y for words in numbers) < 420 - 10
    assert {words.size for words in numbers} == {words.size for words in letters}
    # The picture is as wide as the months.
    assert layout.pictures[0][0][::2] == (22.0, 253.0)
    high, lines = sorted({words.y for words in numbers}), {line[1] for line in layout.lines}
    assert min(abs(a - b) for a in high for b in lines) > 1


def test_a_tall_photo_stands_above_two_rows_of_months(motif):
    tall = Motif("tall", photo=np.ascontiguousarray(motif.photo.transpose(1, 0, 2)))
    layout = Calendar({"paper": "A3", "title": "Koi"}).sheet(tall, 297.0, 420.0, 0)
    box, pixels = layout.pictures[0]
    assert box.height > box.width
    assert pixels.shape == (60, 40, 3)  # More than a quarter would be cropped: it is whole.
    assert layout.words[0].text == "Koi 2027"


def test_postcards_fill_a_sheet_and_lie_behind_each_other(motif):
    made = Postcards({"paper": "A3", "card": "A6", "title": "Hello"}).make(motif)
    front, back = contents(made.files["postcards.pdf"])[-2:]
    assert front.count(" Do Q") == 4
    marks = [[line for line in page.splitlines() if " 0.1 w" in line] for page in (front, back)]
    assert marks[0] == marks[1]
    assert len(marks[0]) == 4 * 8
    assert boxes(made.files["postcards.pdf"], "MediaBox")[0][2:] == pytest.approx([1190.55, 841.89])
    assert [part.number for part in made.parts] == [1, 4]
    told = " ".join(re.findall(r"\((.*?)\) Tj", "".join(contents(made.files["guide-a4.pdf"]))))
    # The sheet lies: over its long edge, backs would stand on their heads.
    assert "turned over the short edge" in told


def test_a_small_card_has_no_margin_of_a_plotter(motif):
    made = Postcards({"paper": "A4", "card": "25x20mm", "dpi": 30.0}).make(motif)
    assert made.parts[1].number > 30


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("poster photo.png --margin 200", "leaves no picture"),
        ("poster photo.png --margin 0 --title a", "need paper around"),
        ("poster photo.png --title 漢", "no letter '漢'"),
        ("poster photo.png --title a --font nowhere.ttf", "no font nowhere.ttf"),
        ("poster photo.png --title a --font photo.png", "is not a font"),
        ("poster photo.png --paper A11", "unknown page"),
        ("calendar photo.png --margin 0", "need paper around"),
        ("calendar photo.png --paper 200x90mm", "no room"),
        ("postcards photo.png --paper A6 --card A5", "larger than A6"),
    ],
)
def test_what_cannot_be_printed_is_told(line, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_photo(tmp_path)
    assert main(["make", *line.split()]) == 2
    assert words in capsys.readouterr().err


def test_few_pixels_are_noted(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_photo(tmp_path)
    assert main(["make", "poster", "photo.png", "--paper", "A4"]) == 0
    assert "pixels per inch" in capsys.readouterr().err


def test_a_photo_has_all_of_its_pixels(tmp_path, monkeypatch):
    """It was read as for a fit, with 768 pixels at most, and then said to have too few."""
    monkeypatch.chdir(tmp_path)
    Image.linear_gradient("L").resize((900, 600)).save("photo.png")
    assert main(["make", "poster", "photo.png", "--paper", "A6", "--margin", "10"]) == 0
    pdf = next(tmp_path.rglob("poster.pdf")).read_bytes()
    assert max(map(int, re.findall(rb"/Width (\d+)", pdf))) == 900
