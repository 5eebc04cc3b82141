"""The poem: words in their order, every one whole, heavier where it is darker."""

from __future__ import annotations

import numpy as np
import pytest

import artgen
from artgen.errors import InputError, UsageError
from artgen.registry import default
from artgen_plugins.poem import HIGH, LOW, SHE_WALKS, THICK, THIN, Page, letters, words_of

DARK_LEFT = np.repeat(np.linspace(0, 255, 96, dtype=np.uint8)[None, :, None], 64, 0).repeat(3, 2)


@pytest.fixture(scope="module")
def drawn():
    return artgen.fit(DARK_LEFT, "poem", count=4000, steps=1, seed=1)


def test_the_font_has_all_of_ascii_and_other_letters_lose_their_accents():
    assert {chr(code) for code in range(33, 127)} == set(letters())
    assert letters()["l"].length == 21  # a capital's height
    assert words_of("Über  Gräser\nl\N{RIGHT SINGLE QUOTATION MARK}été") == [
        "Uber",
        "Graser",
        "l'ete",
    ]
    with pytest.raises(UsageError, match="no letter"):
        words_of("\N{SNOWMAN}")


def test_dark_places_have_heavy_letters_and_bright_ones_fine_letters(drawn):
    strokes = drawn.drawing.tensors["strokes"].numpy()
    x, radius = strokes[0], strokes[4]
    left, right = radius[x < -1], radius[x > 1]
    assert np.median(left) > 3 * np.median(right)
    assert radius.max() / radius.min() < 1.01 * THICK * HIGH / (THIN * LOW)
    picture = drawn.render(192).mean(2)
    thirds = [part.mean() for part in np.array_split(picture, 3, axis=1)]
    assert thirds[0] + 20 < thirds[1] < thirds[2] - 20


def test_an_outline_goes_through_letters():
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[:, :48], picture[:, 48:] = (20, 20, 160), (240, 130, 110)
    art = artgen.fit(picture, "poem", count=600, steps=1, seed=1, inks="#1414a0,#e0503c")
    tensors = art.drawing.tensors
    x, ink = tensors["strokes"][:3:2].mean(0).numpy(), tensors["ink"].round().numpy()
    assert (ink[x < -0.06] == 0).all()
    assert (ink[x > 0.06] == 1).all()


def test_words_are_whole_and_in_order_and_rows_end_at_the_edge():
    primitive = default().load("primitive", "poem")({})
    from artgen import Canvas, ink

    canvas = Canvas(96, 64)
    sheet = ink.Sheet(np.full((1, 64, 96), 0.5), canvas, 4000, np.random.default_rng(0))
    words, number, page = SHE_WALKS.split(), 0, Page(sheet, 1.4, 0.1, 0.5)
    for row in range(4):
        written, after = page.row(0.1 * row, words, number)
        counts = [
            sum(len(line) - 1 or 1 for line in letters()[c].lines)
            for c in "".join(words[number:after])
        ]
        assert [len(each) for each in written] == counts
        assert after > number
        reach = max(each.strokes[:, [0, 2]].max() for each in written)
        assert 1.3 < reach < 1.42
        number = after
    assert 1 < len(primitive.place(sheet)) <= 4000


def test_a_text_that_ends_like_the_name_of_a_file_is_opened_again(tmp_path):
    """The text of the file was itself taken for the name of a file."""
    for ending in ("txt", "TXT"):
        file = tmp_path / f"poem.{ending}"
        file.write_text(f"the rest is in more.{ending}", "utf-8")
        art = artgen.fit(DARK_LEFT, "poem", count=60, steps=1, text=str(file))
        assert art.primitive().options.text == f"the rest is in more.{ending}\n"


def test_a_word_longer_than_any_row_is_divided():
    """A text without a blank was one row, whatever its length."""
    assert [len(word) for word in words_of("a" * 150 + " b")] == [60, 60, 30, 1]


def test_the_text_of_a_file_is_kept_in_the_drawing(tmp_path):
    file = tmp_path / "poem.txt"
    file.write_text("Tyger Tyger, burning bright", "utf-8")
    art = artgen.fit(DARK_LEFT, "poem", count=300, steps=1, text=str(file))
    assert art.drawing.options["text"] == "Tyger Tyger, burning bright"
    loud = artgen.fit(DARK_LEFT, "poem", count=300, steps=1, text="tyger", capitals=True)
    assert loud.drawing.options["text"] == "tyger"
    with pytest.raises(UsageError, match="no letter"):
        artgen.fit(DARK_LEFT, "poem", count=300, steps=1, text="\N{SNOWMAN}")


def test_no_other_file_gets_into_a_drawing(tmp_path):
    """A recipe could name any file, whose words its output then held."""
    secret = tmp_path / "id"
    secret.write_text("do not tell", "utf-8")
    art = artgen.fit(DARK_LEFT, "poem", count=300, steps=1, text=str(secret))
    assert art.drawing.options["text"] == str(secret)
    for name, data, says in (
        ("missing.txt", None, "missing.txt"),
        ("bytes.txt", b"\xff\xfe", "cannot read the text"),
        ("long.txt", b"a " * (1 << 20), "long.txt"),
    ):
        if data is not None:
            (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=says):
            artgen.fit(DARK_LEFT, "poem", count=300, steps=1, text=str(tmp_path / name))
