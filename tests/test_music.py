"""Music: beats that are heard where they are, scores, and films whose frames fall on the beats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io.wavfile
import torch
from helpers import recipe, save_photo, video_frames

import artgen
from artgen.animation import Samples, Shot
from artgen.animation.morph import morph
from artgen.art import ExportRequest
from artgen.cli import main
from artgen.errors import ArtgenError, InputError, UsageError
from artgen.recipe import Recipe
from artgen.registry import default
from artgen.runs import run
from artgen.runs.agreement import check_agreement
from artgen.targets import set_from_arrays
from artgen.values.frame import Frame
from artgen_plugins.music.form import (
    MOVES,
    MUSIC,
    Move,
    Player,
    check_move,
    poses_of,
    usual_moves,
)
from artgen_plugins.music.hearing import hear, read_sound
from artgen_plugins.music.score import Score, read_score
from artgen_plugins.music.songs import BEATS, beats_of, song

FRAME = 1 / 30
PHOTO = np.random.default_rng(1).integers(0, 255, (16, 24, 3), np.uint8)


def clicks(tempo: float, seconds: float = 8.0, rate: int = 44_100) -> tuple[Samples, np.ndarray]:
    """A sound of clicks in faint noise, and their times."""
    values = 0.002 * np.random.default_rng(0).normal(size=round(seconds * rate))
    times = np.arange(0.4, seconds - 0.3, 60 / tempo)
    wave = np.exp(-np.arange(800) / 150) * np.sin(np.arange(800) / 7)
    for at in times:
        values[round(at * rate) :][:800] += wave
    return Samples(values[None].astype(np.float32), rate), times


def off(found: np.ndarray, times: np.ndarray) -> float:
    """How far the nearest beat that was found is from each of the times, at most."""
    return float(np.abs(found[:, None] - times).min(axis=0).max())


@pytest.fixture(scope="module")
def shapes():
    return artgen.fit(PHOTO, "triangle", count=6, steps=6, seed=1)


def player(art, score: Score, size: int = 24) -> Player:
    return Player(Shot(art, Frame(size), 8.0), score, hear(score.sound, score.per_bar), 8.0)


def loudest(played: Player, by: str) -> float:
    """When a band is loudest, in seconds."""
    return float(np.argmax(played.heard.levels[by])) * played.heard.step


@pytest.mark.parametrize("tempo", [72, 97.3, 120, 160])
def test_beats_of_clicks_are_within_a_third_of_a_frame(tempo):
    sound, times = clicks(tempo)
    beats = hear(sound).beats
    assert len(beats) == len(times)
    assert off(beats, times) < FRAME / 3


def test_beats_and_bars_of_the_three_songs_are_within_half_a_frame():
    for name, (_, per_bar) in BEATS.items():
        heard, times = hear(song(name), per_bar), beats_of(name)
        assert len(heard.beats) == len(times)
        assert off(heard.beats, times) < FRAME / 2
        assert off(times[::per_bar], heard.bars) < FRAME / 2


def test_silence_and_a_steady_tone_have_no_beats_and_bands_are_told_apart():
    rate = 22_050
    t = np.arange(4 * rate) / rate
    assert len(hear(Samples(np.zeros((1, 4 * rate), np.float32), rate)).beats) == 0
    low_then_high = np.where(t < 2, np.sin(2 * np.pi * 80 * t), np.sin(2 * np.pi * 4000 * t))
    heard = hear(Samples(low_then_high[None].astype(np.float32), rate))
    assert heard.level("bass", 1.0) > 0.9 > 0.1 > heard.level("treble", 1.0)
    assert heard.level("treble", 3.0) > 0.9 > 0.1 > heard.level("bass", 3.0)


def test_sounds_are_read_and_what_is_none_is_refused_with_words(tmp_path):
    sound, _ = clicks(120, seconds=3)
    levels = (32_000 * sound.values[0]).astype(np.int16)
    scipy.io.wavfile.write(tmp_path / "a.wav", sound.rate, np.stack([levels, levels], 1))
    read = read_sound(tmp_path / "a.wav")
    assert (read.values.shape, read.rate) == ((2, 3 * 44_100), 44_100)
    np.testing.assert_allclose(read.values[1], levels / 32_768, atol=1e-4)
    broken = np.where(np.arange(8000) % 7 == 3, np.nan, 0.1).astype(np.float32)
    broken[:2] = np.inf, -np.inf
    scipy.io.wavfile.write(tmp_path / "nan.wav", 8000, broken)
    assert np.isfinite(read_sound(tmp_path / "nan.wav").values).all()
    # A title in Latin-1 was a sound that cannot be read.
    plain = (tmp_path / "a.wav").read_bytes()
    title = (
        b"LIST" + (14).to_bytes(4, "little") + b"INFOINAM" + (2).to_bytes(4, "little") + b"\xe9\x00"
    )
    (tmp_path / "tagged.wav").write_bytes(plain + title)
    assert read_sound(tmp_path / "tagged.wav").rate == 44_100
    (tmp_path / "b.wav").write_bytes(b"RIFF no sound")
    scipy.io.wavfile.write(tmp_path / "c.wav", 8000, np.zeros(100, np.int16))
    for name, says in (
        ("b.wav", "cannot read the sound"),
        ("c.wav", "shorter than half a second"),
        ("none.wav", "no sound"),
        ("a.txt", "no sound"),
    ):
        with pytest.raises(InputError, match=says):
            read_sound(tmp_path / name)


def test_a_score_says_what_moves_and_each_mistake_is_named(tmp_path):
    file = tmp_path / "score.toml"
    move = '[[move]]\nwhat = "size"\n'
    file.write_text(f'sound = "sample:waltz"\nseconds = 2\n{move}by = "bass"\nparts = "large"\n')
    score = read_score(str(file))
    assert score.moves == (Move("size", "bass", 0.3, "large"),)
    assert (score.per_bar, score.sound.values.shape[1]) == (3, 2 * 44_100)
    for text, says in (
        ("sound = 3", "sound = 3"),
        ("seconds = 2", "names no sound"),
        ('sound = "sample:waltz"\nstart = 30.0', "start is 30"),
        ('sound = "sample:waltz"\nstart = 19.9', r"start is 19\.9"),  # a tenth of a second is left
        ('sound = "sample:waltz"\nstart = -1', "start is -1"),
        (f'sound = "sample:waltz"\nstart = 1{"0" * 400}', "start is 1"),
        ('sound = "sample:waltz"\nper_bar = 0', "per_bar"),
        ('sound = "sample:waltz"\nvolume = 3', "unknown key 'volume'"),
        ('sound = "sample:waltz"\n[[move]]\nwhat = "jump"', "what = 'jump'"),
        ('sound = "sample:waltz"\n[[move]]\nby = "bass"', "does not say what moves"),
        (f'sound = "sample:waltz"\n{move}amount = nan', "amount = nan"),
        (f'sound = "sample:waltz"\n{move}amount = 90', "amount = 90"),
        ('sound = "sample:waltz"\nmove = [3]', "no table"),
        ("sound =", "cannot read the score"),
        (f"move = {'[' * 5000}", "cannot read the score"),
        (f"seconds = {'9' * 5000}", "cannot read the score"),
        ("a." * 50 + "a = 1", "cannot read the score"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=says):
            read_score(str(file))
    # The same within a recipe, or on the command line.
    within = read_score(
        '{sound = "sample:waltz", seconds = 2, move = [{what = "size", by = "bass", parts = "large"}]}'
    )
    assert within.moves == score.moves
    assert (within.sound.values == score.sound.values).all()
    for text in (
        "{sound}",
        "{}",
        f"{{move = {'[' * 5000}}}",
        f"{{seconds = {'9' * 5000}}}",
        '{sound = "sample:waltz", move = [{what = "jump"}]}',
    ):
        with pytest.raises(ArtgenError, match="the score"):
            read_score(text)
    with pytest.raises(UsageError, match="needs a sound"):
        read_score("")
    for text in ("sample:polka", "none.toml"):
        with pytest.raises(ArtgenError, match=r"polka|none\.toml"):
            read_score(text)


def test_the_frame_nearest_to_a_beat_shows_it_in_full_and_then_it_falls(shapes):
    played = player(shapes, Score(clicks(97.3)[0]))
    for at in played.heard.beats:
        nearest = round(at * 30) / 30
        assert played.loud("beat", nearest) > 0.8
        assert played.loud("beat", nearest - FRAME) < 0.25
        assert played.loud("beat", nearest) > played.loud("beat", nearest + 3 * FRAME) > 0.3
        assert played.loud("pause", nearest) < 0.2 < 0.75 < played.loud("pause", nearest - FRAME)


def test_each_move_changes_its_parts_on_the_beat_and_no_others(shapes):
    sound, times = clicks(60)
    own = shapes.drawing.tensors
    for what, name in (
        ("size", "genes"),
        ("spread", "genes"),
        ("sway", "genes"),
        ("turn", "genes"),
        ("bright", "colour"),
        ("colour", "colour"),
    ):
        played = player(shapes, Score(sound, moves=(Move(what, "beat", 0.5, "large"),)))
        on, before = played.drawing(float(times[2])), played.drawing(float(times[2]) - 0.1)
        changed = (on.tensors[name] != own[name]).any(0)
        assert changed.sum() == 2  # a third of six
        assert all(torch.equal(on.tensors[key], own[key]) for key in own if key != name)
        rest = (before.tensors[name] - own[name]).abs().max()
        assert rest < 0.2 * (on.tensors[name] - own[name]).abs().max()
        grey = {"colour": torch.full((3, 2), 0.4)}
    turned = MOVES["colour"](shapes.primitive(), grey, torch.zeros(2, 2), 0.5)
    torch.testing.assert_close(turned["colour"], grey["colour"])


@pytest.mark.parametrize(
    ("name", "options", "move", "says"),
    [
        ("siren", {"hidden": 4}, Move("order"), 'what = "order", and a siren drawing has no parts'),
        ("siren", {"hidden": 4}, Move("turn"), 'what = "turn", and a siren drawing has no parts'),
        ("voronoi", {"count": 4}, Move("size", parts="large"), "parts of voronoi have no sizes"),
        (
            "gaussian",
            {"count": 4, "blend": "sum"},
            Move("size", parts="dark"),
            "parts of gaussian have no colours",
        ),
    ],
)
def test_a_score_of_parts_that_a_drawing_does_not_have_is_refused(name, options, move, says):
    """It was left out without a word, or moved all parts."""
    art = artgen.fit(PHOTO, name, steps=1, seed=1, **options)
    shot = Shot(art, Frame(24), 8.0, given=Score(clicks(120)[0], moves=(move,)))
    with pytest.raises(UsageError, match=says):
        MUSIC.check_given(shot.given, art.primitive(), art.drawing)
    for usual in usual_moves(shot):
        check_move(usual, art.primitive(), art.drawing)


@pytest.mark.parametrize("moves", [("walk", "size"), ("film", "film"), ("pose", "size", "pose")])
def test_moves_that_cancel_one_another_are_refused(moves):
    """The last of them was shown."""
    art = artgen.fit(PHOTO, "triangle", count=1, steps=2, seed=1)
    score = Score(clicks(120)[0], moves=tuple(map(Move, moves)))
    with pytest.raises(UsageError, match=f"cancel one another: {', '.join(moves)} "):
        MUSIC.check_given(score, art.primitive(), art.drawing)


def test_poses_need_a_view_that_has_one():
    art = artgen.fit(PHOTO, "shard", count=4, steps=1, seed=1)
    score = Score(clicks(120)[0], moves=(Move("pose"),))
    with pytest.raises(UsageError, match="this drawing has one pose alone"):
        MUSIC.prepare(Shot(art, Frame(24), 8.0, given=score))


def test_a_third_or_a_half_of_one_part_may_be_none():
    art = artgen.fit(PHOTO, "triangle", count=1, steps=2, seed=1)
    moves = tuple(Move("size", "beat", 0.5, parts) for parts in ("dark", "large", "light"))
    sound, times = clicks(120)
    played = player(art, Score(sound, moves=moves)).drawing(float(times[2]))
    assert (played.tensors["genes"] != art.drawing.tensors["genes"]).any()


def test_parts_come_in_their_order_until_all_are_there(shapes):
    sound, times = clicks(120)
    for by in ("beat", "loudness", "pause"):
        played = player(shapes, Score(sound, moves=(Move("order", by),)))
        counts = [played.drawing(at).tensors["genes"].shape[1] for at in (0.0, *times, 8.0)]
        assert counts == sorted(counts)
        assert (counts[0], counts[-1]) == (1, 6)
        assert len(set(counts)) > 3


def test_a_morph_of_three_is_at_a_drawing_on_each_beat_and_goes_to_and_fro(shapes):
    others = [artgen.fit(255 - PHOTO[::step], "triangle", count=7, steps=6) for step in (1, -1)]
    arts = [shapes, *others]
    made = morph(*arts, seconds=1, hold=0.5)
    assert made.film.duration == 3.5
    assert [each.name for each in made.recipe.morph.others] == ["3.art"]
    for seconds, art in zip((0.2, 1.6, 3.2), arts, strict=True):
        assert np.abs(made.at(seconds).render(48).astype(int) - art.render(48)).max() <= 1
    sound, times = clicks(60)
    played = player(made, Score(sound, moves=(Move("film", "beat"),)))
    assert times[0] > 0.3
    for number, (at, which) in enumerate(zip(times, (0, 1, 2, 1, 0, 1), strict=False)):
        shown = played.frame(round(at * 30) / 30).astype(int)
        assert np.abs(shown - arts[which].render(24)).max() <= 1
        between = played.frame(at - 0.3).astype(int)
        # The first drawing was gone by the first beat: it stands until the second comes near.
        assert (np.abs(between - arts[which].render(24)).max() > 9) == (number > 0)
    around = morph(*arts, seconds=1, hold=0.5, loop=True)
    # By a band: where it is loudest, the last drawing, not the first again.
    played = player(around, Score(sound, moves=(Move("film", "bass"),)))
    assert played._place(Move("film", "bass"), loudest(played, "bass"), 3, True) == 2
    assert np.abs(around.at(4.5).render(48).astype(int) - shapes.render(48)).max() <= 1


@pytest.mark.parametrize("history", [True, False])
def test_parts_come_in_the_order_of_the_moment_of_a_film(history, shapes):
    """That of the drawing was taken: a moment with fewer parts was an IndexError."""
    if history:
        made = artgen.fit(PHOTO, "triangle", count=6, steps=6, seed=1, history=6)
    else:
        few = artgen.fit(255 - PHOTO, "triangle", count=3, steps=3, seed=1)
        made = morph(few, shapes, seconds=1, hold=0.5)
    moves = Move("film", "beat"), Move("order", "loudness")
    played = player(made, Score(clicks(60)[0], moves=moves))
    counts = [played.drawing(at).tensors["genes"].shape[1] for at in (0.0, 1.0, 3.0, 8.0)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1] == 6


def test_pieces_lie_as_the_next_picture_on_each_bar_of_the_waltz(tmp_path):
    """The third film of the gallery: measured by the beats of its song, in all 20 seconds."""
    save_photo(tmp_path)
    tables = [{"how": "pose=1", "target": f"{tmp_path}/photo.png"}]
    asked = {
        "seed": 1,
        "target": {"source": "sample:cat", "size": 24, "aspect": "3:2"},
        "view": tables,
        "primitive": {"name": "shard", "count": 12},
        "stage": [{"steps": 3}],
        "run": {"backend": "eager"},
        "output": {"video": False, "history": 4},
    }
    art = run(Recipe.from_dict(asked), default()).art
    shot = Shot(art, Frame(24), 8.0)
    [moved] = usual_moves(shot)
    assert moved == Move("pose", "bar")
    played = Player(shot, Score(song("waltz"), 3, (moved,)), hear(song("waltz"), 3), 20.0)
    assert poses_of(shot) == [0.0, 1.0]
    bars, own = beats_of("waltz")[::3], art.drawing.tensors
    for number, at in enumerate(bars):
        there = own["xy2"] if number % 2 else own["xy"]
        gaps = [
            float((played.drawing((round(30 * at) + off) / 30).tensors["xy"] - there).abs().max())
            for off in (-12, 0, 3)
        ]
        assert gaps[1] < 1e-3 > gaps[2]
        assert gaps[0] > 0.05 if number else gaps[0] == 0
    # By a band it goes as far as that is loud.
    loud = player(art, Score(song("waltz"), 3, (Move("pose", "bass"),)))
    share = loud.heard.level("bass", 5.0)
    between = own["xy"].lerp(own["xy2"], share)
    torch.testing.assert_close(loud.drawing(5.0).tensors["xy"], between, atol=1e-5, rtol=0)
    # A film does not end what a pose does, nor the pose the film, whichever stands first.
    film, pose = (
        player(art, Score(song("waltz"), 3, (Move(e, "bass"),))) for e in ("film", "pose")
    )
    for moves in (
        (Move("film", "bass"), Move("pose", "bass")),
        (Move("pose", "bass"), Move("film", "bass")),
    ):
        both = player(art, Score(song("waltz"), 3, moves)).drawing(5.0).tensors
        assert not torch.equal(both["xy"], film.drawing(5.0).tensors["xy"])
        assert not torch.equal(both["colour"], pose.drawing(5.0).tensors["colour"])


def test_a_codec_walks_a_class_with_each_beat():
    art = artgen.fit("sample:digits?n=60", "pca", rank=4)
    sound, times = clicks(60)
    [walk] = usual_moves(Shot(art, Frame(28), 8.0))
    assert walk == Move("walk", "beat")
    played = player(art, Score(sound, moves=(walk,)), size=28)
    frames = [played.frame(at).astype(int) for at in (times[0], times[1], times[1] + 0.2)]
    assert np.abs(frames[0] - frames[1]).max() > 40
    assert (frames[1] == frames[2]).all()  # it rests after the beat


def test_a_codec_of_a_set_without_labels_walks_its_pictures_by_a_band_to_the_last():
    pictures = np.random.default_rng(0).integers(0, 255, (60, 6, 6, 1), np.uint8)
    art = artgen.fit(set_from_arrays(pictures), "pca", rank=2)
    loud = Move("walk", "bass")
    played = player(art, Score(clicks(60)[0], moves=(loud,)), size=6)
    latents, labels, stations = played._walk
    assert stations == 8
    last = art.latent_space().draw(latents[896:897], labels[896:897])  # 7/8 of 1024
    at = loudest(played, "bass")
    assert (played.frame(at) == last[0]).all()
    assert (played.frame(at) != played.frame(0.0)).any()
    # An axis is one station: to the mean it came back.
    assert played._place(loud, at, 1, True) == 0.75


@pytest.mark.parametrize("walk", ["labels", "linear", "spherical:1,2,3", "axis:1"])
def test_a_walk_has_its_pictures_as_stations(walk):
    """With each beat it went through all pictures, or to a place between two."""
    art = artgen.fit("sample:letters?n=60", "pca", rank=4)
    played = player(art, Score(clicks(60)[0], moves=(Move("walk", "beat"),), walk=walk), size=28)
    latents, _, stations = played._walk
    assert stations == {"linear": 8, "spherical:1,2,3": 3, "axis:1": 1}.get(walk, 10)
    own = art.latent_space().latents
    at = latents[[round(n / stations * len(latents)) for n in range(stations)]]
    if walk != "axis:1":
        assert float(torch.cdist(at, own).amin(1).max()) < 0.1


def test_a_recipe_names_a_sound_without_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo, songs = save_photo(tmp_path), tmp_path / "songs"
    songs.mkdir()
    sound, _ = clicks(120, seconds=1)
    scipy.io.wavfile.write(songs / "song.wav", sound.rate, sound.values[0])
    film = {"film": f"music={songs / 'song.wav'}", "video_size": 16, "fps": 2}
    asked = recipe(photo, {"steps": 1}, primitive={"count": 2}, output=film)
    made = run(asked, default(), out=tmp_path, name="a").art.recipe
    assert made.output.film == "music=song.wav"
    run(made, default(), out=tmp_path, name="b", search=(tmp_path, songs))
    assert len(video_frames(tmp_path / "a.mp4")) == len(video_frames(tmp_path / "b.mp4")) == 2
    with pytest.raises(InputError, match="there is no sound") as refused:
        run(made, default(), out=tmp_path, name="c")
    assert "hold its name alone: bring the file" in refused.value.hint
    with pytest.raises(InputError, match=r"there is no score far\.toml") as refused:
        run(made.with_output(film="music=far.toml"), default(), out=tmp_path, name="d")
    assert "hold its name alone: bring the file" in refused.value.hint
    check_agreement(made, asked, default())
    for film in ("music=other.wav", "side-by-side=song.wav"):
        with pytest.raises(UsageError, match=f"has film = 'music=song.wav', not '{film}'"):
            check_agreement(made, asked.with_output(film=film), default())


def test_the_sound_of_a_recipe_lies_beside_it(tmp_path, monkeypatch, capsys):
    """The command looked for it where the user was, before the run and for `-o`."""
    monkeypatch.chdir(tmp_path)
    songs = tmp_path / "songs"
    songs.mkdir()
    save_photo(songs)
    sound, _ = clicks(120, seconds=1)
    scipy.io.wavfile.write(songs / "song.wav", sound.rate, sound.values[0])
    text = '[target]\nsource = "photo.png"\n[primitive]\nname = "gaussian"\ncount = 2\n'
    film = '[output]\nfilm = "music=song.wav"\nvideo_size = 16\nfps = 2\n'
    (songs / "a.toml").write_text(f"{text}[[stage]]\nsteps = 1\n{film}")
    line = ["fit", "--recipe", "songs/a.toml", "--out", "made", "-q"]
    assert main([*line, "-o", "a.png"]) == 0
    [video] = Path("made").glob("*.mp4")
    assert len(video_frames(video)) == 2
    assert main([*line, "--overwrite", "--video-seconds", "5"]) == 2
    assert "a film lasts as long as its sound" in capsys.readouterr().err


def test_the_command_writes_a_film_with_the_sound_in_time(shapes, tmp_path, monkeypatch, capsys):
    import av

    monkeypatch.chdir(tmp_path)
    shapes.save("a.art")
    sound, times = clicks(120, seconds=4)
    scipy.io.wavfile.write("song.wav", sound.rate, sound.values[0])
    line = ["render", "a.art", "--size", "32", "--fps", "30", "-q"]
    for suffix, codec in ((".mp4", "aac"), (".webm", "opus")):
        assert main([*line, "--film", "music=song.wav", "-o", f"a{suffix}"]) == 0
        assert len(video_frames(tmp_path / f"a{suffix}")) == 120
        with av.open(f"a{suffix}") as read:
            assert read.streams.audio[0].codec_context.name == codec
        assert off(hear(read_sound(tmp_path / f"a{suffix}")).beats, times) < FRAME / 2
    # Where the picture changes most, from one frame to the next, there is a beat.
    shown = video_frames(tmp_path / "a.mp4").astype(int)
    change = np.abs(np.diff(shown, axis=0)).mean((1, 2, 3))
    largest = 1 + np.sort(np.argsort(change)[-len(times) :])
    assert np.abs(largest / 30 - times).max() <= FRAME
    assert (
        main(["morph", "a.art", "a.art", "a.art", "--music", "song.wav", "--size", "32", "-q"]) == 0
    )
    assert len(video_frames(tmp_path / "a-a.mp4")) == 120
    photo = save_photo(tmp_path)
    asked = recipe(photo, {"steps": 2}, output={"film": "music=song.wav", "video_size": 32})
    run(asked, default(), out=tmp_path / "out", name="b")
    assert len(video_frames(tmp_path / "out/b.mp4")) == 32
    for film, says in (("music", "needs a sound"), ("wipe=photo.png", "its own target")):
        with pytest.raises(UsageError, match=says):
            run(recipe(photo, {"steps": 2}, output={"film": film}), default(), out=tmp_path)
    capsys.readouterr()
    for film, code, says in (
        ("music", 2, "needs a sound"),
        ("music=none.wav", 3, "there is no sound none.wav"),
        ("music=a.art", 3, "a.art is no sound"),
    ):
        assert main([*line, "--film", film, "-o", "b.mp4"]) == code
        assert says in capsys.readouterr().err
    mesh = artgen.fit(PHOTO, "mesh", count=8, steps=2)
    with pytest.raises(UsageError, match="no parts that music could move"):
        mesh.to_format("mp4", ExportRequest(film="music=song.wav"))
    assert MUSIC.takes is read_score


@pytest.mark.parametrize(
    "line",
    [
        "render a.art -o song.mp4 --film music=score.toml",
        "morph a.art a.art -o song.mp4 --music score.toml",
        "fit p.png -p circle -n 3 --steps 2 --video song.mp4 --film music=score.toml",
        "fit p.png -p circle -n 3 --steps 2 --name song --out . --film music=score.toml",
    ],
)
def test_a_sound_that_a_score_names_is_not_replaced(line, shapes, tmp_path, monkeypatch, capsys):
    """A video that lent its sound by a score was replaced by the film."""
    monkeypatch.chdir(tmp_path)
    shapes.save("a.art")
    save_photo(tmp_path).rename("p.png")
    Path("score.toml").write_text('sound = "song.mp4"\nseconds = 1.0\n', encoding="utf-8")
    film = ExportRequest(16, film="music={sound = 'sample:pulse', seconds = 1.0}", fps=4)
    Path("song.mp4").write_bytes(before := shapes.to_format("mp4", film))
    assert main([*line.split(), "--overwrite"]) == 2
    assert "song.mp4 cannot be both read and written" in capsys.readouterr().err
    assert Path("song.mp4").read_bytes() == before


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("render a.art --film music=sample:pulse --seconds 5", "--film music='{sound = "),
        ("fit p.png --film music=sample:pulse --video-seconds 5", "--film music='{sound = "),
        ("morph a.art a.art --music sample:pulse --seconds 1", "--music '{sound = "),
        ("morph a.art a.art --music sample:pulse --hold 2 -o a.webm", "--music '{sound = "),
    ],
)
def test_a_length_beside_a_sound_is_refused(line, says, shapes, tmp_path, monkeypatch, capsys):
    """A film of 5 seconds lasted 20, without a word."""
    monkeypatch.chdir(tmp_path)
    shapes.save("a.art")
    assert main(line.split()) == 2
    said = capsys.readouterr().err
    assert "a film lasts as long as its sound" in said
    assert says in said
