"""Files for plotters: an interpreter draws them again, and a simulated controller takes the time."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import replace
from importlib import resources
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from artgen import fit, load
from artgen.cli import main
from artgen.errors import UsageError
from artgen.making import Motif, Page, hex_colour, parse_colour
from artgen_makers.motion import SHIPPED, Profile, read_profile, seconds
from artgen_makers.plotter import Line, Plotter, Wait, Wet, clipped, dipped, dried
from tests.test_making import pages

MACHINE = Profile("gcode", (300, 200), 2400, 6000, 800, up=("UP",), down=("DOWN",))


def interpret(text, profile):
    """Read G-code: what was drawn with the pen down, ways in the air, seconds waited, pens."""
    at, down, drawn, air, waited = np.zeros(2), False, [], 0.0, 0.0
    lines = [line for line in text.splitlines() if line and not line.startswith(";")]
    ups, downs = profile.up[0], profile.down[0]
    for line in lines:
        if line == ups:
            down = False
        elif line == downs:
            down = True
            drawn.append([at])
        elif found := re.fullmatch(r"G4 P([\d.]+)", line):
            if line not in (*profile.up, *profile.down):
                waited += float(found[1])
        elif found := re.fullmatch(r"G([01]) X(-?[\d.]+) Y(-?[\d.]+)(?: F\d+)?", line):
            to = np.array([float(found[2]), float(found[3])])
            if found[1] == "1":
                assert down
                drawn[-1].append(to)
            elif line not in profile.footer:
                assert not down, "the pen travels on the paper"
                air += math.dist(at, to)
            at = to
    return [np.array(each) for each in drawn], air, waited


def made(drawing, tmp_path, *arguments):
    out = tmp_path / "out"
    code = main(
        ["make", "plotter", str(drawing), "-q", "--out", str(out), "--name", "x", *arguments]
    )
    assert code == 0
    return out / "x"


@pytest.mark.parametrize(
    ("name", "sides"),
    [("A5", (148, 210)), pytest.param("A4", (210, 297), marks=pytest.mark.nightly)],
)
def test_a_file_is_the_drawing(name, sides, drawing, tmp_path):
    folder = made(drawing, tmp_path, "--pens", "2", "--page", name)
    profile = read_profile("grbl-servo")
    page = Page(*sides, pens=2)
    plot = Motif("x", load(drawing)).plot(page)
    rows = list(csv.DictReader((folder / "pens.csv").read_text().splitlines()[1:]))
    assert len(rows) == len(plot.layers) == 2
    for layer, row in zip(plot.layers, rows, strict=True):
        assert layer.colour == row["colour"]
        text = (folder / row["file"]).read_text()
        assert "artgen make plotter curves.art" in text.splitlines()[0]
        drawn, air, _ = interpret(text, profile)
        asked = [path * [1, -1] + [0, plot.page.height] for path in layer.paths]
        if plot.page.height > profile.bed[1]:
            # The paper lies on its side: its left one is below.
            asked = [path[:, ::-1] for path in layer.paths]
        assert len(drawn) == len(asked) == int(row["lines"])
        for one, other in zip(drawn, asked, strict=True):
            assert np.abs(one - other).max() <= 0.001
        length = sum(float(np.hypot(*np.diff(each, axis=0).T).sum()) for each in drawn)
        assert float(row["metres drawn"]) == pytest.approx(length / 1000, abs=0.01)
        assert float(row["metres in the air"]) == pytest.approx(air / 1000, abs=0.01)


def test_pens_of_an_earlier_plot_are_gone_and_what_is_named_by_hand_stays(drawing, tmp_path):
    """One pen was drawn anew, and the file of the second one still lay beside it."""
    folder = made(drawing, tmp_path, "--pens", "2", "--page", "A6")
    _, second = sorted(folder.glob("pen-*"))
    mine = second.with_stem(f"{second.stem}-slow")
    mine.write_bytes(second.read_bytes())
    other = folder / "pen-9-aabbcc.gcode"
    other.write_text("G0 X0\n")
    made(drawing, tmp_path, "--pens", "1", "--page", "A6", "--overwrite")
    left = {*folder.glob("pen-*")}
    assert left > {mine, other}
    assert second not in left
    assert len(left) == 3
    # Other names, as of a machine with another language, are no pen's.
    made(drawing, tmp_path, "--pens", "1", "--page", "A6", "--one-file", "--overwrite")
    assert {*folder.glob("pen-*")} == {mine, other}
    assert (folder / "drawing.gcode").exists()


def test_the_rows_of_a_photo_are_no_closer_than_the_pen_is_wide():
    photo = np.zeros((4, 4, 3), np.uint8)
    counts = [
        Plotter({"page": page, "pen_width": width, "panels": True}).recipe(photo)["primitive"][
            "count"
        ]
        for page, width in (("A3", 0.3), ("A6", 0.3), ("A6", 0.6), ("A6", 5.0))
    ]
    assert counts[0] == 52_000
    assert counts[1] == pytest.approx(4 * counts[2], rel=0.01)
    # On A6 with its margins, rows that are 3.7 pens apart.
    assert counts[1] == pytest.approx(75 * 118 / (0.35 * (3.7 * 0.3) ** 2), abs=1)
    assert counts[3] == 1000


def test_a_photo_becomes_a_line_of_each_pen_that_is_named():
    """Two named pens were one of black."""
    asked = (Plotter({"pens": pens}) for pens in ("", "3", "red", "red,blue"))
    made = [each.recipe(np.zeros((4, 4, 3), np.uint8)) for each in asked]
    inks = [each["primitive"].get("inks") for each in made]
    assert inks == [None, None, None, "#ff0000,#0000ff"]
    assert not any("background" in each["target"] for each in made)


@pytest.mark.parametrize(
    ("pens", "paper", "inks"),
    [
        ("", "black", "#ffffff"),
        ("2", "navy", "#ffffff"),
        ("gold", "#222222", "#ffffff"),
        ("#101010", "#333333", None),
        ("black,white", "tan", "#000000,#ffffff"),
        ("", "tan", None),
    ],
)
def test_a_photo_on_coloured_paper_is_no_negative(pens, paper, inks):
    """On dark paper light pens drew what is dark, and by default the pen was black."""
    made = Plotter({"pens": pens, "paper": paper}).recipe(np.zeros((4, 4, 3), np.uint8))
    assert made["target"]["background"] == hex_colour(parse_colour(paper))
    assert made["primitive"].get("inks") == inks
    light = "#ffffff" in (inks or "")
    assert made["primitive"].get("overprint", True) != light
    assert ("focus" in made["target"]) != light


@pytest.mark.parametrize(
    ("asked", "paper"),
    [
        ({}, "#14171f"),
        ({"paper": "white", "pens": "navy"}, "#ffffff"),
        ({"paper": "tan"}, "#d2b48c"),
        ({"pens": "gold", "page": "A5"}, "#14171f"),
        ({"pens": "black"}, "#ffffff"),
    ],
)
def test_a_drawing_on_dark_paper_keeps_it(asked, paper):
    """Its light pens were plotted on white paper, also where they were named."""
    night = fit("sample:cat", primitive="stipple", count=30, size=32, preset="night", seed=1)
    assert Plotter(asked).page_of(Motif("x", night)).paper == paper


@pytest.mark.parametrize(("cover", "paper"), [(True, "#ffffff"), (False, "#d2b48c")])
def test_a_drawing_of_light_ink_keeps_its_paper(cover, paper):
    """White lines were plotted on white, since tan is not dark. Ink that multiplies is not light."""
    options = {"inks": "black,white", "overprint": cover, "background": "tan"}
    tan = fit("sample:cat", primitive="stipple", count=30, size=32, seed=1, **options)
    assert Plotter().page_of(Motif("x", tan)).paper == paper


def test_a_photo_is_not_fitted_for_paper_that_no_machine_reaches():
    """It was, and then refused."""
    with pytest.raises(UsageError, match="2000 x 840 mm is larger than the machine"):
        Plotter({"page": "840x2000mm"}).recipe(np.zeros((4, 4, 3), np.uint8))
    turned = Plotter({"page": "200x290mm"}).recipe(np.zeros((4, 4, 3), np.uint8))
    assert turned["primitive"]["name"] == "path"


@pytest.mark.parametrize("profile", ["grbl-servo", "hpgl"])
def test_a_name_is_no_command_to_a_machine(profile, drawing, tmp_path):
    """GRBL obeys some characters and all bytes from 0x80 wherever they stand, in comments too."""
    named = tmp_path / 'wow!?~;\u00fc".art'
    named.write_bytes(drawing.read_bytes())
    folder = made(named, tmp_path, "--page", "A6", "--profile", profile)
    [file] = folder.glob("pen-*")
    text = file.read_bytes()
    assert not set(text) & {*b"!?~$%\x18\x85", *range(0x80, 0x100)}
    assert text.count(b'"') == (2 if profile == "hpgl" else 0)
    assert b"wow____" in text


def test_all_pens_in_one_file_with_pauses(drawing, tmp_path):
    folder = made(drawing, tmp_path, "--pens", "3", "--one-file")
    text = (folder / "drawing.gcode").read_text()
    pens = re.findall(r"^; pen \d: (#\w+), (\d+) lines$", text, re.MULTILINE)
    assert text.splitlines().count("M0") == len(pens) - 1 > 0
    drawn, _, _ = interpret(text, read_profile("grbl-servo"))
    assert len(drawn) == sum(int(count) for _, count in pens)


def test_a_machine_that_does_not_wait_has_a_file_for_each_pen(drawing, tmp_path, capsys):
    """All colours were drawn with one pen."""
    shipped = resources.files("artgen_makers").joinpath("profiles/grbl-servo.toml").read_text()
    lines = [line for line in shipped.splitlines() if not line.startswith("pause")]
    (tmp_path / "own.toml").write_text("\n".join(lines))
    asked = [
        "make",
        "plotter",
        str(drawing),
        "--pens",
        "3",
        "--profile",
        str(tmp_path / "own.toml"),
    ]
    assert main([*asked, "--one-file", "--out", str(tmp_path / "one")]) == 2
    assert "does not wait for another pen" in capsys.readouterr().err
    assert main([*asked, "--out", str(tmp_path / "each")]) == 0


def test_panels_hold_all_that_is_drawn(drawing, tmp_path):
    folder = made(drawing, tmp_path, "--page", "A2", "--panels")
    profile, total, names = read_profile("grbl-servo"), 0.0, []
    for path in sorted(folder.glob("panel-*.gcode")):
        drawn, _, _ = interpret(path.read_text(), profile)
        points = np.concatenate(drawn)
        assert (points >= -1e-6).all()
        assert (points <= np.array(profile.bed) + 1e-3).all()
        total += sum(float(np.hypot(*np.diff(each, axis=0).T).sum()) for each in drawn)
        names.append(path.name)
    assert len(names) == 4
    # Files are sent in the order of their names; the first has the edge of the paper below it.
    ends = [interpret((folder / name).read_text(), profile)[0] for name in names[::3]]
    first, last = (np.concatenate(each)[:, 1] for each in ends)
    assert first.min() > 2
    assert first.max() == pytest.approx(210)
    assert last.min() == pytest.approx(0)
    assert last.max() < 208
    plot = Motif("x", load(drawing)).plot(Page(420, 594))
    lines = [path for layer in plot.layers for path in layer.paths]
    asked = sum(float(np.hypot(*np.diff(each, axis=0).T).sum()) for each in lines)
    # Four crosses of two lines of 10 mm, of which one lies on the seam and is drawn twice.
    assert total == pytest.approx(asked + 4 * (20 + 10), abs=1)


def test_the_guide_tells_of_crosses_where_there_are_any(drawing, tmp_path):
    """Without a margin it sent the user to look for crosses that nobody had drawn."""
    for margin in ("10", "0"):
        flags = "--page", "A3", "--panels", "--fill", "none", "--margin", margin, "--overwrite"
        text = "".join(pages(made(drawing, tmp_path, *flags) / "guide-a4.pdf"))
        assert ("crosses" in text) == (margin == "10")


def test_hpgl_is_the_drawing(drawing, tmp_path):
    folder = made(drawing, tmp_path, "--profile", "hpgl", "--page", "A5", "--one-file")
    text = (folder / "drawing.hpgl").read_text()
    assert text.startswith("IN;CO ")
    drawn, _, _ = interpret(
        (made(drawing, tmp_path / "g", "--page", "A5", "--one-file") / "drawing.gcode").read_text(),
        read_profile("grbl-servo"),
    )
    found = []
    for up, down in re.findall(r"PU([-\d,]+);\nPD([-\d,]+);PU;", text):
        numbers = np.array(f"{up},{down}".split(","), float) / 40
        found.append(numbers.reshape(-1, 2))
    assert len(found) == len(drawn)
    assert max(np.abs(a - b).max() for a, b in zip(found, drawn, strict=True)) < 0.02


def simulated(points, speed, profile):
    """The time of a controller, by small steps along the way: it brakes in time for each corner."""
    steps = np.diff(points, axis=0)
    lengths = np.hypot(*steps.T)
    units = steps / lengths[:, None]
    count = np.maximum(2, (lengths / 0.01).astype(int))
    limit = []
    for k, each in enumerate(count):
        limit += [speed / 60] * (each - 1)
        if k + 1 < len(count):
            turn = math.acos(float(np.clip(units[k] @ units[k + 1], -1, 1)))
            # The circle that touches both steps and passes the corner at the junction deviation.
            half = (math.pi - turn) / 2
            radius = profile.junction * math.sin(half) / max(1 - math.sin(half), 1e-12)
            limit.append(min(speed / 60, math.sqrt(profile.acceleration * radius)))
    fast = np.array([0.0, *limit, 0.0])
    gaps = np.repeat(lengths / count, count)
    assert len(fast) == len(gaps) + 1
    for way in (1, -1):
        fast, gaps = fast[::way].copy(), gaps[::way]
        for k, gap in enumerate(gaps):
            reached = math.sqrt(fast[k] ** 2 + 2 * profile.acceleration * gap)
            fast[k + 1] = min(fast[k + 1], reached)
        fast, gaps = fast[::way], gaps[::way]
    return float((2 * gaps / (fast[1:] + fast[:-1])).sum())


@pytest.mark.parametrize("name", SHIPPED)
def test_the_time_is_that_of_a_simulated_controller(name):
    profile, rng = read_profile(name), np.random.default_rng(3)
    turn = np.linspace(0, 6 * np.pi, 400)
    ways = [
        np.array([[0.0, 0], [50, 0]]),
        np.array([[0.0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]),
        np.stack([40 + turn * np.cos(turn), 40 + turn * np.sin(turn)], 1),
        np.cumsum(rng.normal(0, 2, (60, 2)), 0),
    ]
    for way in ways:
        assert seconds(way, profile.draw, profile) == pytest.approx(
            simulated(way, profile.draw, profile), rel=0.03
        )


def test_time_by_hand():
    # 100 mm at 40 mm/s: speeding up to it takes 0.05 s and 1 mm, and so does slowing down.
    way = np.array([[0.0, 0], [100, 0]])
    assert seconds(way, 2400, MACHINE) == pytest.approx(2 * 0.05 + 98 / 40)
    # 1 mm is too short for it.
    assert seconds(way / 100, 2400, MACHINE) == pytest.approx(2 * math.sqrt(1 / 800))
    assert seconds(np.zeros((3, 2)), 2400, MACHINE) == 0


def test_nothing_touches_wet_ink():
    rng = np.random.default_rng(5)
    paths = [np.stack([c, c + rng.normal(0, 8, 2)]) for c in rng.uniform(0, 100, (60, 2))]
    # Two pens: the second meets what the first has drawn.
    wet = Wet(np.full(2, -50.0), np.full(2, 200.0), 0.5)
    first, second = (list(dried(each, 30, MACHINE, wet)) for each in (paths[:20], paths[20:]))
    actions = [*first, None, *second]
    lines = [each.points for each in actions if isinstance(each, Line)]
    assert sorted(map(repr, lines)) == sorted(map(repr, paths))
    clock, at, done = 0.0, np.zeros(2), []
    for action in actions:
        if isinstance(action, Wait):
            clock += action.seconds
            continue
        if action is None:
            at = np.zeros(2)
            continue
        points = action.points
        dense = points[0] + np.linspace(0, 1, 200)[:, None] * (points[1] - points[0])
        for (begin, end), when in done:
            if clock - when < 30 - 1e-6:
                share = (dense - begin) @ (end - begin) / np.square(end - begin).sum()
                nearest = begin + share.clip(0, 1)[:, None] * (end - begin)
                assert np.hypot(*(dense - nearest).T).min() > 0.5
        clock += seconds(np.stack([at, points[0]]), MACHINE.travel, MACHINE) + 2 * MACHINE.lift
        clock += seconds(points, MACHINE.draw, MACHINE)
        done.append((points, clock))
        at = points[-1]


def test_a_line_that_waits_may_have_braces_of_its_own(drawing, tmp_path, monkeypatch):
    """A `}` of a profile was a traceback."""
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(
        'language = "gcode"\nbed = [300, 300]\ndraw = 1000\ntravel = 1000\nacceleration = 500\n'
        'up = ["U"]\ndown = ["D"]\nwait = "G4 P{} ; }"\n'
    )
    folder = made(drawing, tmp_path, "--profile", "mine.toml", "--page", "A6", "--dry", "60")
    text = "".join(each.read_text() for each in folder.glob("*.gcode"))
    assert re.search(r"^G4 P[\d.]+ ; }$", text, re.MULTILINE)


def test_a_brush_is_dipped_in_time():
    turn = np.linspace(0, 2 * np.pi, 300)
    paths = [np.stack([30 * np.cos(turn), 30 * np.sin(turn)], 1), np.array([[0.0, 0], [5, 0]])]
    actions = list(dipped(paths, 50))
    length, since, lines = 0.0, math.inf, []
    for action in actions:
        if isinstance(action, Line):
            far = float(np.hypot(*np.diff(action.points, axis=0).T).sum())
            length, since = length + far, since + far
            lines.append(action.points)
            assert since <= 50 + 1e-6
        else:
            since = 0.0
    whole = sum(float(np.hypot(*np.diff(path, axis=0).T).sum()) for path in paths)
    assert length == pytest.approx(whole)
    # The circle goes on where the brush left it.
    assert all((a[-1] == b[0]).all() for a, b in pairwise(lines[:-1]))


def test_lines_are_compared_with_wet_ink_until_one_is_dry(monkeypatch):
    """All of the next 200 were, for each line."""
    paths = [np.array([[0.0, 3 * y], [1, 3 * y]]) for y in range(100)]
    looked, real = [], np.argmin
    monkeypatch.setattr(np, "argmin", lambda dry_at: looked.append(len(dry_at)) or real(dry_at))
    actions = list(dried(paths, 30, MACHINE, Wet(np.zeros(2), np.full(2, 300.0), 0.5)))
    assert [each.points[0, 1] for each in actions] == [path[0, 1] for path in paths]
    assert looked == [1] * 100


def test_a_brush_is_dipped_as_often_as_it_is_empty():
    """What rounding left in it drew lines without length, and no end of them."""
    rng = np.random.default_rng(1)
    for far in rng.uniform(5, 300, 40):
        paths = [np.array([[0.0, 0], [far, 0]]), np.array([[0.0, 0], [20_000, 0]])]
        actions = list(islice(dipped(paths, 300), 500))
        dips = sum(not isinstance(each, Line) for each in actions)
        assert dips == math.ceil((far + 20_000) / 300)
        assert len(actions) == 2 * dips + 1


def test_pieces_of_a_path_in_a_box():
    low, high = np.zeros(2), np.array([10.0, 10])
    path = np.array([[-5.0, 5], [5, 5], [5, 15], [8, 15], [8, 2], [8, 2], [12, 2]])
    pieces = clipped(path, low, high)
    assert [piece.tolist() for piece in pieces] == [
        [[0, 5], [5, 5], [5, 10]],
        [[8, 10], [8, 2], [8, 2], [10, 2]],
    ]
    assert clipped(path + 100, low, high) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bed = [1, 2, 3]", "bed"),
        ("language = 'german'", "'german'"),
        ("speed = 3", "unknown key 'speed'"),
        ("language = 'gcode'", "lacks the key 'bed'"),
        ("bed = ", "no TOML"),
        pytest.param(f"draw = {'9' * 5000}", "no TOML", id="too many digits"),
        ("draw = true", "draw = True"),
        ("draw = 0", "too small"),
        ("acceleration = nan", "acceleration"),
        ("wait = 'G4'", "wait"),
        ("wait = '{}{0.__class__}'", "wait"),
        ('up = ["a\\nb"]', "up"),
    ],
)
def test_a_wrong_profile_is_told(text, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    good = 'language = "gcode"\nbed = [200, 100]\ndraw = 1\ntravel = 1\nacceleration = 1\n'
    good += 'up = ["U"]\ndown = ["D"]\n'
    for name in ("mine.toml", "MINE.TOML"):
        Path(name).write_text(good)
    assert (
        read_profile("mine.toml")
        == read_profile("MINE.TOML")
        == replace(
            MACHINE, bed=(200.0, 100.0), draw=1, travel=1, acceleration=1, up=("U",), down=("D",)
        )
    )
    key = text.partition(" = ")[0]
    others = [line for line in good.splitlines() if not line.startswith(key)]
    told = text if "lacks" in message else "\n".join([*others, text])
    Path("mine.toml").write_text(told)
    with pytest.raises(UsageError, match=r"profile mine\.toml") as caught:
        read_profile("mine.toml")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--profile", "robot"], "use one of grbl-servo"),
        (["--page", "A0"], "use --panels"),
        (["--page", "A0", "--panels", "--profile", "tiny.toml"], "the most"),
        (["--fill", "paint"], "hatch, none or solid"),
        (["--pens", "0"], "1 to 16"),
        (["--pens", "red,blau"], "blau"),
        (["--pot", "here"], "x,y"),
        (["--dip", "0.5"], "5 mm"),
        (["--dip", "100", "--dry", "5"], "exclude each other"),
        (["--pot", "10,10"], "add --dip"),
        (["--dip", "100", "--pot", "298,0"], "reaches 297 x 210"),
        (["--dip", "100", "--pot", "-1,0"], "reaches 297 x 210"),
        (["--dry", "60", "--profile", "hpgl"], "HPGL knows no waiting"),
        (["--margin", "200"], "margin"),
    ],
)
def test_what_cannot_be_plotted_is_told(arguments, message, drawing, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Motif, "plot", None)  # nothing is computed before
    tiny = ('language = "gcode"', "bed = [5, 5]", "draw = 1", "travel = 1", "acceleration = 1")
    Path("tiny.toml").write_text("\n".join([*tiny, 'up = ["U"]', 'down = ["D"]']))
    assert main(["make", "plotter", str(drawing), "-q", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not Path("artgen-out/curves-plotter").exists()
