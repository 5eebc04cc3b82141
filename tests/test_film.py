"""Films: drawings that move, in a file, at any moment, size and rate."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load as load_tensors
from safetensors.torch import save
from test_art import make_art

import artgen
from artgen.art import Art, ExportRequest, Film, Scene, load, quantised, quantised_film
from artgen.cli import main
from artgen.cli.info import _film
from artgen.errors import InputError, UsageError
from artgen.exporters import export_apng, export_gif, export_mp4, export_png, export_webp
from artgen.film.timeline import CUT, make_scenes

XY = torch.tensor([[[0.0, 1.0]], [[1.0, 3.0]], [[2.0, 2.0]]])
"""Two parts with one number, at three keys."""


def scene(*times: float, lifespans=None, tensors=None, **more) -> Scene:
    tensors = {"xy": XY[: len(times)]} if tensors is None else tensors
    return Scene(times, tensors, None if lifespans is None else torch.tensor(lifespans), **more)


def moving(art: Art, *times: float, duration: float = 2.0, fps: float = 10.0, **more) -> Art:
    """The art's parts move to the right by 0.2 from key to key."""
    keys = {name: torch.stack([t] * len(times)) for name, t in art.drawing.tensors.items()}
    name = "xy" if "xy" in keys else "genes"
    keys[name] = keys[name] + 0.2 * torch.arange(len(times))[:, None, None]
    film = Film((Scene(times, keys, **more),), duration, fps)
    return replace(art, film=quantised_film(film, art.precision))


# ---- what is there at a moment -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-1.0, [0.0, 1.0]),
        (0.0, [0.0, 1.0]),
        (0.5, [0.5, 2.0]),
        (1.0, [1.0, 3.0]),
        (1.5, [1.25, 2.75]),
        (3.0, [2.0, 2.0]),
        (9.0, [2.0, 2.0]),
    ],
)
def test_between_keys_numbers_are_on_a_straight_way(seconds, expected):
    film = Film((scene(0, 1, 3),), 4.0, 25.0)
    assert film.tensors_at(seconds)["xy"].tolist() == [expected]


def test_a_moment_that_is_a_key_but_for_rounding_is_that_key():
    film = Film((scene(0, 0.1, 0.3),), 1.0, 10.0)
    for seconds in (0.1 + 0.2, 0.3, 0.3 - 1e-9, 0.3 + 1e-9):
        assert torch.equal(film.tensors_at(seconds)["xy"], XY[2])
        assert film.moment(seconds) == (0, 2, 0.0)


def test_a_scene_of_a_morph_ends_where_the_order_of_its_parts_changes():
    """A stretch between two keys has the order of its middle, here at 0.2 and at 0.65."""
    a, b = {"x": torch.tensor([1.0, 2.0])}, {"x": torch.tensor([3.0, 6.0])}
    ground = torch.zeros(2, 3)
    made = make_scenes(a, b, np.array([[0.0, 1], [1, 0]]), [0.1, 0.3, 1], [0, 1, 2], ground)
    assert [scene.times for scene in made] == [(0, 1 - CUT), (1, 2)]
    first, second = (scene.tensors["x"].tolist() for scene in made)
    assert first == [pytest.approx([1.2, 2.4]), pytest.approx([1.6, 3.2])]
    assert second == [pytest.approx([3.2, 1.6]), pytest.approx([6.0, 3.0])]


def test_nothing_is_interpolated_across_a_cut():
    film = Film((scene(0, 1), scene(2, 3, tensors={"xy": torch.full((2, 1, 5), 7.0)})), 4.0, 25.0)
    assert film.tensors_at(1.999)["xy"].tolist() == [[1.0, 3.0]]
    assert film.tensors_at(2.0)["xy"].tolist() == [[7.0] * 5]
    assert film.keyframes == 4


def test_a_part_is_there_from_its_first_key_until_the_one_after_its_last():
    film = Film((scene(0, 1, 2, lifespans=[[0, 1], [1, 2]]),), 3.0, 25.0)

    def parts(seconds):
        return film.tensors_at(seconds)["xy"].tolist()[0]

    assert parts(0.5) == [0.5]
    assert parts(1.0) == [1.0, 3.0]
    # What ends stays where it was, what goes on moves.
    assert parts(1.5) == [1.0, 2.5]
    assert parts(2.0) == [2.0]


def test_the_background_moves_too():
    colours = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.5, 0.0]])
    base = make_art().drawing
    film = Film((Scene((0, 2), {"xy": XY[:2]}, background=colours),), 2.0, 25.0)
    assert film.drawing(base, 1.0).background == (0.5, 0.25, 0.0)
    still = Film((scene(0, 2),), 2.0, 25.0)
    assert still.drawing(base, 1.0).background == base.background


def test_slow_motion_has_more_moments():
    film = Film((scene(0, 1),), 2.0, 10.0)
    assert film.frame_times() == [i / 10 for i in range(20)]
    assert film.frame_times(5) == [i / 5 for i in range(10)]
    assert film.frame_times(10, 0.25)[:3] == pytest.approx([0, 0.025, 0.05])
    assert len(film.frame_times(10, 0.25)) == 80
    assert film.frame_times(0.01) == [0]
    for fps, speed in ((0, 1), (float("nan"), 1), (1e9, 1), (10, 0), (10, 1e-9), (10, 1e-320)):
        with pytest.raises(UsageError):
            film.frame_times(fps, speed)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: scene(tensors={}), "must have a keyframe"),
        (lambda: scene(1, 1), "keyframes of a scene must be in order"),
        (lambda: scene(1, 0), "keyframes of a scene must be in order"),
        (lambda: scene(0, float("nan")), "keyframes of a scene must be in order"),
        (lambda: scene(0, 1, tensors={"xy": XY}), "value for every keyframe"),
        (lambda: scene(0, 1, tensors={"xy": torch.tensor(1.0)}), "value for every keyframe"),
        (lambda: scene(0, 1, 2, lifespans=[[0, 0], [1, 3]]), "within its scene"),
        (lambda: scene(0, 1, 2, lifespans=[[2, 0], [1, 2]]), "within its scene"),
        (lambda: scene(0, 1, 2, lifespans=[[-1, 0], [1, 2]]), "within its scene"),
        (lambda: scene(0, 1, 2, lifespans=[[0], [1]]), "one part for each lifespan"),
        (lambda: scene(0, 1, 2, lifespans=[[0.0, 0.0], [1.0, 1.0]]), "numbers of keyframes"),
        (lambda: scene(0, 1, 2, lifespans=[0, 1]), "numbers of keyframes"),
        (lambda: scene(0, 1, background=torch.zeros(3, 3)), "colour for every keyframe"),
        (lambda: Film((), 1, 25), "must have a scene"),
        (lambda: Film((scene(0, 1),), 0.5, 25), "within the film"),
        (lambda: Film((scene(0, 1),), float("inf"), 25), "must last at most"),
        (lambda: Film((scene(0, 1),), 1, 0), "frames per second"),
        (lambda: Film((scene(0, 1),), 1, float("nan")), "frames per second"),
        (lambda: Film((scene(-1e9, 1),), 1, 25), "must not begin before"),
        (lambda: Film((scene(float("nan")),), 1, 25), "must not begin before"),
        (lambda: Film((scene(0, 1), scene(1, 2)), 3, 25), "scenes must be in order"),
        (lambda: Film((scene(0, 1), scene(0.5, 2)), 3, 25), "scenes must be in order"),
        (
            lambda: Film((scene(0, 1), scene(2, 3, tensors={"z": XY[:2]})), 3, 25),
            "the same tensors",
        ),
        (
            lambda: Film((scene(0, 1), scene(2, 3, tensors={"xy": torch.ones(2, 2, 2)})), 3, 25),
            "the same tensors",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()


# ---- in a file -----------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
@pytest.mark.parametrize("name", ["gaussian", "mlp"])
def test_loading_gives_the_film_that_was_saved(tmp_path, precision, name):
    art = make_art(precision, name)
    keys = {key: torch.stack([t, t + 0.1]) for key, t in art.drawing.tensors.items()}
    lifespans = torch.tensor([[0] * 9, [1] * 8 + [0]]) if name == "gaussian" else None
    film = Film(
        (Scene((0, 1), keys, lifespans, torch.rand(2, 3)), Scene((1.5, 2), keys)), 3.25, 24.0
    )
    art = replace(art, film=quantised_film(film, precision))
    art.save(tmp_path / "a.art")
    loaded = load(tmp_path / "a.art")
    assert (loaded.film.duration, loaded.film.fps, loaded.film.keyframes) == (3.25, 24.0, 4)
    for seconds in (0, 0.3, 1, 1.7, 3):
        one, other = (each.film.drawing(each.drawing, seconds) for each in (art, loaded))
        assert one.background == other.background
        for key, tensor in one.tensors.items():
            assert torch.equal(tensor, other.tensors[key])
    assert loaded.to_bytes() == art.to_bytes()
    # The first key is the still, in any precision.
    for key, tensor in quantised(art.drawing, precision).tensors.items():
        if lifespans is None or precision != "int8":
            assert torch.equal(loaded.film.scenes[1].tensors[key][0], tensor)


def test_only_a_film_needs_the_newer_format():
    def described(art):
        data = art.to_bytes()
        length = int.from_bytes(data[:8], "little")
        return json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["artgen"])

    art = make_art()
    assert described(art)["format"] == 1
    assert "film" not in described(art)
    assert described(moving(art, 0, 1))["format"] == 2


def tampered(path: Path, change, *, precision="fp32") -> Path:
    """A file with a film of three keys and lifespans, after `change(header, tensors)`."""
    lifespans = torch.tensor([[0] * 9, [2] * 9])
    data = moving(make_art(precision), 0, 1, 2, lifespans=lifespans).to_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["artgen"])
    tensors = load_tensors(data)
    change(header, tensors)
    path.write_bytes(save(tensors, metadata={"artgen": json.dumps(header)}))
    return path


DAMAGE = {
    "no film": lambda header, tensors: header.pop("film"),
    "a film of words": lambda header, tensors: header.update(film="long"),
    "no scenes": lambda header, tensors: header["film"].update(scenes=[]),
    "a scene too many": lambda header, tensors: header["film"]["scenes"].append({"times": [9]}),
    "no times": lambda header, tensors: header["film"]["scenes"][0].update(times=[]),
    "a time too many": lambda header, tensors: header["film"]["scenes"][0].update(
        times=[0, 1, 2, 3]
    ),
    "times back": lambda header, tensors: header["film"]["scenes"][0].update(times=[0, 2, 1]),
    "times of NaN": lambda header, tensors: header["film"]["scenes"][0].update(
        times=[0, 1, float("nan")]
    ),
    "keys after the end": lambda header, tensors: header["film"].update(duration=1.0),
    "an endless film": lambda header, tensors: header["film"].update(duration=1e12),
    "no rate": lambda header, tensors: header["film"].update(fps=0),
    "a huge rate": lambda header, tensors: header["film"].update(fps=1e9),
    "NaN": lambda header, tensors: tensors["film.0.xy"].fill_(float("nan")),
    "fewer keys": lambda header, tensors: tensors.update({"film.0.xy": tensors["film.0.xy"][:2]}),
    "a tensor less": lambda header, tensors: tensors.pop("film.0.xy"),
    "a tensor more": lambda header, tensors: tensors.update({"film.0.x": torch.zeros(3, 9)}),
    "a scene without a table": lambda header, tensors: tensors.update(
        {"film.1.xy": torch.zeros(3, 2, 9)}
    ),
    "a name of its own": lambda header, tensors: tensors.update({"film.x": torch.zeros(3)}),
    "half precision": lambda header, tensors: tensors.update(
        {"film.0.xy": tensors["film.0.xy"].half()}
    ),
    "lives of floats": lambda header, tensors: tensors.update({"film.lives.0": torch.zeros(2, 9)}),
    "lives of others": lambda header, tensors: tensors.update(
        {"film.lives.0": torch.zeros(2, 8, dtype=torch.int64)}
    ),
    "lives after the end": lambda header, tensors: tensors["film.lives.0"].fill_(3),
    "a background of two": lambda header, tensors: tensors.update(
        {"film.background.0": torch.zeros(3, 2)}
    ),
    "a background of NaN": lambda header, tensors: tensors.update(
        {"film.background.0": torch.full((3, 3), torch.nan)}
    ),
    "a background of numbers": lambda header, tensors: tensors.update(
        {"film.background.0": torch.zeros(3, 3, dtype=torch.int64)}
    ),
}


@pytest.mark.parametrize("change", DAMAGE.values(), ids=DAMAGE)
def test_damaged_films_are_refused(tmp_path, change):
    with pytest.raises(InputError, match="is damaged"):
        load(tampered(tmp_path / "a.art", change))


def test_what_is_tampered_with_is_a_good_film(tmp_path):
    assert load(tampered(tmp_path / "a.art", lambda header, tensors: None)).film.keyframes == 3


# ---- drawn ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def art() -> Art:
    still = artgen.fit("sample:cat", "triangle", count=6, steps=8, size=32, seed=1)
    return moving(still, 0, 1.5)


def test_a_moment_is_a_drawing_like_any_other(art):
    moment = art.at(0.75)
    assert moment.film is None
    assert moment.psnr is None
    shift = moment.drawing.tensors["genes"] - art.drawing.tensors["genes"]
    torch.testing.assert_close(shift, torch.full_like(shift, 0.1))
    np.testing.assert_array_equal(art.at(0).render(), art.render())
    for seconds in (-0.1, 2.1, float("nan")):
        with pytest.raises(UsageError, match="the film has no frame"):
            art.at(seconds)
    with pytest.raises(UsageError, match="has no film"):
        moment.at(0)
    for precision in ("fp16", "int8"):
        moment = art.stored(precision).at(0.75)
        stored = quantised(moment.drawing, precision)
        assert all(map(torch.equal, stored.tensors.values(), moment.drawing.tensors.values()))


def test_frames_are_the_moments_drawn(art):
    frames = list(art.frames(24, fps=4))
    assert [max(frame.shape) for frame in frames] == [24] * 8
    for index, frame in enumerate(frames):
        np.testing.assert_array_equal(frame, art.at(index / 4).render(24))
    # Past the last key nothing is drawn again.
    assert frames[6] is frames[7]
    assert frames[0] is not frames[1]
    with pytest.raises(UsageError, match="has no film"):
        replace(art, film=None).frames()


def frames_of(path: Path) -> list[np.ndarray]:
    import av

    with av.open(path) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_a_film_is_a_video_of_any_size_and_rate(art, tmp_path):
    import av

    (tmp_path / "a.mp4").write_bytes(export_mp4(art, ExportRequest(size=64, fps=5, speed=0.5)))
    frames = frames_of(tmp_path / "a.mp4")
    assert len(frames) == 20
    assert max(frames[0].shape) == 64
    drawn = art.at(1.0).render(64)
    height, width = drawn.shape[:2]
    assert np.abs(frames[10][:height, :width].astype(float) - drawn).mean() < 6
    with av.open(tmp_path / "a.mp4") as container:
        assert container.streams.video[0].average_rate == 5
        assert json.loads(container.metadata["comment"]) == art.recipe.to_dict()


def test_odd_rates_are_kept(art, tmp_path):
    import av

    (tmp_path / "a.mp4").write_bytes(export_mp4(art, ExportRequest(size=16, fps=30000 / 1001)))
    with av.open(tmp_path / "a.mp4") as container:
        rate = container.streams.video[0].average_rate
    assert (rate.numerator, rate.denominator) == (30000, 1001)


def test_frames_are_made_while_they_are_written(art, monkeypatch):
    """However long a film is, only a few of its frames are alive at a time."""
    import weakref

    from artgen.output import to_pixels

    alive, most = weakref.WeakSet(), 0

    class Counted(np.ndarray):
        def __hash__(self):
            return id(self)

    def counted(image):
        nonlocal most
        pixels = to_pixels(image).view(Counted)
        alive.add(pixels)
        most = max(most, len(alive))
        return pixels

    monkeypatch.setattr("artgen.display.views.to_pixels", counted)
    export_mp4(art, ExportRequest(size=16, fps=60))
    assert 0 < most < 10


def test_animations_keep_their_limits(art, tmp_path):
    kinds = ((export_gif, "gif", 12.5), (export_webp, "webp", 25), (export_apng, "apng", 25))
    for export, suffix, rate in kinds:
        path = tmp_path / f"a.{suffix}"
        # Half a second, for which thirty frames were asked.
        path.write_bytes(export(art, ExportRequest(size=1000, fps=60, speed=4.0)))
        with Image.open(path) as picture:
            assert 5 < picture.n_frames < rate / 2 + 1
            assert max(picture.size) <= 720


@pytest.mark.parametrize("request_", [{"transparent": True}, {"animate": 3.0}, {"speed": 0.0}])
def test_what_a_video_cannot_be(art, request_):
    with pytest.raises(UsageError):
        export_mp4(art, ExportRequest(**request_))


def test_a_film_takes_the_seconds_that_are_asked_for(art):
    """They were ignored where there was a film."""
    duration = art.require_film().duration
    for form in (None, "centres"):
        for speed in (1.0, 2.0):
            asked = ExportRequest(seconds=3 * duration, film=form, speed=speed, fps=10)
            slow = ExportRequest(film=form, speed=speed / 3, fps=10)
            assert export_mp4(art, asked) == export_mp4(art, slow)


def test_without_a_film_its_parts_appear():
    still = make_art()
    made = export_mp4(still, ExportRequest(seconds=1.0, fps=5))
    assert made == export_mp4(still, ExportRequest(seconds=1.0, fps=5, start="parts"))
    network = artgen.fit(np.eye(8), "mlp", steps=1, history=0)
    with pytest.raises(UsageError, match="has no film to make a video of"):
        export_mp4(network, ExportRequest())


def test_the_still_of_a_film_is_its_drawing(art):
    assert export_png(art, ExportRequest()) == export_png(replace(art, film=None), ExportRequest())


# ---- commands ------------------------------------------------------------------------------------


@pytest.fixture
def place(art, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    art.save("a.art")
    replace(art, film=None).save("still.art")


def printed(capsys, *arguments, expect=0):
    assert main([*arguments, "--json", "-q"]) == expect
    return json.loads(capsys.readouterr().out)


def test_render_draws_films_and_moments(place, capsys):
    printed(capsys, "render", "a.art", "-o", "a.webm", "--size", "32", "--fps", "5")
    assert len(frames_of(Path("a.webm"))) == 10
    for seconds, name in (("0", "0.png"), ("1.2", "1.png"), ("1.2", "1.svg")):
        printed(capsys, "render", "a.art", "--at", seconds, "-o", name)
    printed(capsys, "render", "still.art", "-o", "still.png")
    # What only videos have asks for one.
    shown = printed(capsys, "render", "a.art", "--size", "32", "--fps", "5", "--speed", "4")
    assert shown["outputs"] == ["a.mp4"]
    pictures = [np.array(Image.open(f"{name}.png")) for name in ("0", "1", "still")]
    np.testing.assert_array_equal(pictures[0], pictures[2])
    assert (pictures[0] != pictures[1]).any()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["a.art", "--at", "9"], "the film has no frame"),
        (["a.art", "--at", "1", "-o", "b.mp4"], "--at draws a still"),
        (["still.art", "--at", "1"], "has no film"),
    ],
)
def test_render_refuses_what_is_not_there(place, capsys, arguments, says):
    assert says in printed(capsys, "render", *arguments, expect=2)["error"]["message"]


def test_a_film_of_impossible_length_is_none():
    assert _film({"duration": 10**400, "fps": 30, "scenes": []}) is None
    assert _film({"duration": 2, "fps": 30, "scenes": []}) is not None


def test_info_tells_of_the_film(place, capsys):
    assert printed(capsys, "info", "a.art")["film"] == {
        "duration": 2.0,
        "fps": 10.0,
        "scenes": 1,
        "keyframes": 2,
    }
    assert printed(capsys, "info", "still.art")["film"] is None
    assert main(["info", "a.art"]) == 0
    assert "2 s at 10 fps, scenes: 1, keyframes: 2" in capsys.readouterr().out
