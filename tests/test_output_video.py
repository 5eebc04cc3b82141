"""Progress videos: read back, their tags, their layout, their schedule."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import struct
import subprocess
import sys

import av
import numpy as np
import pytest
from helpers import PATIENCE, video_frames

from artgen.base.errors import InputError, OutputError
from artgen.output import (
    atomic,
    frame_steps,
    measure_pace,
    paced_frames,
    probe_encoder,
    schedule,
    video,
    write_video,
)

FPS = 30


def flat(colour, height=32, width=48):
    return np.full((height, width, 3), colour, np.uint8)


def read(path):
    return video_frames(path).astype(int)


def boxes(path):
    """The types of the top-level boxes of an MP4 file, in order (ISO/IEC 14496-12, 4.2)."""
    data, position, kinds = path.read_bytes(), 0, []
    while position < len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        kinds.append(kind.decode())
        position += size
    return kinds


@pytest.mark.parametrize(
    "colour",
    [
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (0, 0, 0),
        (255, 255, 255),
        (128, 128, 128),
        (201, 80, 37),
    ],
)
def test_flat_colours_survive(tmp_path, colour):
    path = tmp_path / "flat.mp4"
    write_video(path, [flat(colour)] * 3, fps=FPS)
    frames = read(path)
    assert frames.shape == (3, 32, 48, 3)
    assert abs(frames - np.array(colour)).max() <= 3


def test_a_gradient_survives_in_order(tmp_path):
    path = tmp_path / "gradient.mp4"
    ramp = np.linspace(0, 255, 96).astype(np.uint8)
    frames = [np.broadcast_to(np.roll(ramp, 8 * k)[None, :, None], (64, 96, 3)) for k in range(6)]
    write_video(path, iter(frames), fps=FPS)
    back = read(path)
    assert len(back) == 6
    for k in range(6):
        errors = [abs(back[k] - other.astype(int)).mean() for other in frames]
        assert np.argmin(errors) == k
        assert errors[k] < 3


def test_tags_rate_and_layout(tmp_path):
    path = tmp_path / "tags.mp4"
    write_video(path, [flat((200, 100, 50))] * 45, fps=15)
    with av.open(path) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert context.name == "h264"
        assert context.pix_fmt == "yuv420p"
        assert (context.color_range, context.colorspace) == (1, 1)
        assert (context.color_primaries, context.color_trc) == (1, 1)
        assert stream.average_rate == 15
        assert stream.frames == 45
        assert stream.duration * stream.time_base == 3
    kinds = boxes(path)
    assert kinds[0] == "ftyp"
    assert kinds.index("moov") < kinds.index("mdat")


@pytest.mark.parametrize(
    ("height", "width", "padded"),
    [
        (33, 47, (34, 48)),
        (1, 1, (16, 16)),
        (1, 300, (16, 300)),
        (301, 2, (302, 16)),
        (16, 16, (16, 16)),
    ],
)
def test_sizes_are_padded_with_their_edge(tmp_path, height, width, padded):
    path = tmp_path / "odd.mp4"
    frame = np.zeros((height, width, 3), np.uint8)
    frame[:, -1] = 255
    write_video(path, [frame] * 2, fps=FPS)
    back = read(path)[-1]
    assert back.shape[:2] == padded
    top, left = (max(0, 16 - side) // 2 for side in (height, width))
    inside = back[top : top + height, left:]
    if width > 16:
        assert inside[:, width:].min(initial=255) >= 250  # the padding repeats the white edge
        assert inside[:, : width - 8].max() <= 8


@pytest.mark.parametrize("upright", [False, True])
def test_what_is_too_small_for_a_video_is_not_stretched(upright, tmp_path):
    """Its last row was repeated down to the sixteenth, so that a strip looked three times as high."""
    turned = (1, 0, 2) if upright else (0, 1, 2)
    frame = np.full((6, 40, 3), 255, np.uint8).transpose(turned)
    write_video(tmp_path / "strip.mp4", [frame] * 2, fps=FPS)
    back = read(tmp_path / "strip.mp4")[-1].transpose(turned)
    assert back.shape == (16, 40, 3)
    assert back[5:11].min() >= 250
    assert max(back[:5].max(), back[11:].max()) <= 8


def test_fewer_frames_than_the_encoder_looks_ahead(tmp_path):
    for count in (1, 2, 70):
        path = tmp_path / f"{count}.mp4"
        write_video(path, (flat((3 * k % 256, 0, 0)) for k in range(count)), fps=FPS)
        assert len(read(path)) == count


def test_no_frames(tmp_path):
    with pytest.raises(OutputError, match=r"none\.mp4: there are no frames"):
        write_video(tmp_path / "none.mp4", [], fps=FPS)
    assert list(tmp_path.iterdir()) == []


def test_other_formats_and_oversize_frames_are_refused(tmp_path):
    with pytest.raises(OutputError, match=r"video\.avi: unknown video format"):
        write_video(tmp_path / "video.avi", [flat((0, 0, 0))], fps=FPS)
    with pytest.raises(OutputError, match=r"cannot encode .*video\.mp4") as caught:
        write_video(tmp_path / "video.mp4", [flat((0, 0, 0), 16, 20_000)], fps=FPS)
    assert "smaller size" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_frames_of_another_size_or_type_are_named(tmp_path):
    for other in (flat((0, 0, 0), 34), flat((0, 0, 0)).astype(float)):
        with pytest.raises(ValueError, match="frame 1"):
            write_video(tmp_path / "mixed.mp4", [flat((0, 0, 0)), other], fps=FPS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("comment", ["", '{"name":"Straßenkatze 猫 🐈"}', "ü猫" * 5000])
def test_comment_round_trip(tmp_path, comment):
    path = tmp_path / "comment.mp4"
    write_video(path, [flat((9, 9, 9))], fps=FPS, comment=comment)
    assert (video.read_comment(path) or "") == comment


def test_bytes_are_deterministic(tmp_path):
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (64, 80, 3), dtype=np.uint8) for _ in range(12)]
    for name in ("a.mp4", "b.mp4"):
        write_video(tmp_path / name, frames, fps=FPS, comment="{}")
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cannot choose processors here")
def test_bytes_do_not_depend_on_the_number_of_processors(tmp_path):
    program = (
        "import os, sys, numpy as np, pathlib\n"
        "os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:int(sys.argv[2])]))\n"
        "from artgen.output import write_video\n"
        "rng = np.random.default_rng(0)\n"
        "frames = [rng.integers(0, 256, (256, 256, 3), dtype=np.uint8) for _ in range(12)]\n"
        "write_video(pathlib.Path(sys.argv[1]), frames, fps=30)\n"
    )
    for count in ("1", "64"):
        command = [sys.executable, "-c", program, str(tmp_path / f"{count}.mp4"), count]
        subprocess.run(command, check=True, timeout=PATIENCE)
    assert (tmp_path / "1.mp4").read_bytes() == (tmp_path / "64.mp4").read_bytes()


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_failing_frames_keep_the_earlier_video(tmp_path, failure):
    def failing():
        yield from [flat((0, 0, 255))] * 60
        raise failure

    path = tmp_path / "video.mp4"
    write_video(path, [flat((255, 0, 0))], fps=FPS)
    earlier = path.read_bytes()
    with pytest.raises(failure):
        write_video(path, failing(), fps=FPS)
    assert path.read_bytes() == earlier
    assert [entry.name for entry in tmp_path.iterdir()] == ["video.mp4"]


def test_unwritable_and_full_disks(tmp_path, monkeypatch):
    with pytest.raises(OutputError, match=r"gone/video\.mp4: No such file"):
        write_video(tmp_path / "gone" / "video.mp4", [flat((0, 0, 0))], fps=FPS)

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"video\.mp4: No space left"):
        write_video(tmp_path / "video.mp4", [flat((0, 0, 0))], fps=FPS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_disk_that_fills_up_while_encoding(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic.secrets, "token_hex", lambda count: "00")
    (tmp_path / ".video.part-00.mp4").symlink_to("/dev/full")
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    with pytest.raises(OutputError, match=r"video\.mp4: No space left"):
        write_video(tmp_path / "video.mp4", [noise] * 20, fps=FPS)
    assert list(tmp_path.iterdir()) == []


def test_read_comment_of_damaged_files(tmp_path):
    (tmp_path / "text.mp4").write_text("not a video")
    with pytest.raises(InputError, match=r"text\.mp4"):
        video.read_comment(tmp_path / "text.mp4")
    with pytest.raises(InputError, match=r"gone\.mp4"):
        video.read_comment(tmp_path / "gone.mp4")
    write_video(tmp_path / "good.mp4", [np.zeros((16, 16, 3), np.uint8)], fps=FPS, comment="{}")
    good = (tmp_path / "good.mp4").read_bytes()
    (tmp_path / "named.mp4").write_bytes(good.replace(b"VideoHandler", b"VideoHandle\xf2"))
    # Some builds of PyAV read over a name that is no text.
    with contextlib.suppress(InputError):
        assert video.read_comment(tmp_path / "named.mp4") == "{}"
    (tmp_path / "coded.mp4").write_bytes(good.replace(b"avc1", b"zzzz"))
    with pytest.raises(InputError, match=r"coded\.mp4: no decoder here knows"):
        list(video.read_frames(tmp_path / "coded.mp4", fps=FPS))


def test_the_installed_pyav_can_encode():
    probe_encoder()


def test_probe_names_a_missing_encoder(monkeypatch):
    def missing(*args, **kwargs):
        raise av.codec.codec.UnknownCodecError("libx264")

    monkeypatch.setattr(video, "_encode", missing)
    with pytest.raises(OutputError, match=r"cannot encode H\.264") as caught:
        probe_encoder()
    assert "pip install av" in caught.value.hint


def test_importing_the_outputs_stays_light():
    program = (
        "import sys, artgen.output; "
        "print([m for m in ('av', 'torch', 'PIL', 'imageio') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("total", [0, 1, 2, 49, 50, 51, 3000, 1_000_000])
def test_frame_steps(total):
    steps = frame_steps(total)
    assert steps[0] == 0
    assert steps[-1] == total
    assert all(a < b for a, b in itertools.pairwise(steps))
    # Every step at first, then gaps that grow by 2 %.
    assert steps[:30] == list(range(total + 1))[:30]
    gaps = np.diff(steps[:-1])
    assert all(gap <= 1 + 0.02 * (step + 1) for gap, step in zip(gaps, steps, strict=False))
    assert len(steps) < 710


def test_schedule_repeats_evenly_and_holds():
    shown = schedule([0, 10, 40], fps=10, seconds=5, hold=2)
    assert len(shown) == 50
    assert shown == [0] * 10 + [10] * 10 + [40] * 30


def test_schedule_chooses_evenly():
    stored = list(range(0, 3000, 3))
    shown = schedule(stored, fps=30, seconds=10, hold=2)
    assert len(shown) == 300
    assert shown[0] == 0
    assert shown[-60:] == [stored[-1]] * 60
    gaps = np.diff(shown[:240])
    assert gaps.min() >= 12
    assert gaps.max() <= 15


@pytest.mark.parametrize("fps", [1, 30])
@pytest.mark.parametrize("seconds", [0.01, 1, 2, 2.5, 10])
@pytest.mark.parametrize("hold", [0.0, 2.0])
@pytest.mark.parametrize("count", [1, 2, 7, 500])
def test_schedule_always_ends_with_the_last(fps, seconds, hold, count):
    stored = [step * step for step in range(count)]
    shown = schedule(stored, fps=fps, seconds=seconds, hold=hold)
    assert len(shown) == max(1, round(fps * seconds))
    assert shown == sorted(shown)
    assert shown[-1] == stored[-1]
    assert shown[0] == 0 or len(shown) == 1


def test_the_hold_takes_at_most_half_of_a_short_video():
    stored = list(range(10))
    assert schedule(stored, fps=10, seconds=2, hold=2) == [*stored, *[9] * 10]


def circles(count=240):
    """A soft disc that sharpens and moves: the encoder has something to code in every frame."""
    y, x = np.mgrid[-1:1:96j, -1:1:96j]
    noise = np.random.default_rng(7).uniform(0, 80, (96, 96, 3))
    for k in range(count):
        away = np.hypot(x - k / count, y)
        disc = 1 / (1 + np.exp((away - 0.5) * (10 + k / 4)))
        yield np.rint(170 * disc[..., None] + noise).astype(np.uint8)


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_nothing_flickers_while_the_last_frame_is_held(tmp_path, suffix):
    path, moving = tmp_path / f"hold{suffix}", list(circles())
    write_video(path, [*moving, *[moving[-1]] * 60], fps=FPS)
    with av.open(path) as container:
        keys = [index for index, frame in enumerate(container.decode(video=0)) if frame.key_frame]
    assert keys == [0]
    jumps = np.abs(np.diff(read(path)[240:], axis=0)).mean((1, 2, 3))
    assert jumps.max() < 1.2  # of 255
    assert jumps[20:].max() < 0.4


def test_a_long_video_has_key_frames_where_it_moves(tmp_path):
    path, moving = tmp_path / "long.mp4", list(circles(280))
    held = [*[moving[-1]] * 61, *[moving[-2]] * 5]
    write_video(path, [*moving, *held, *moving[-3::-1]], fps=FPS)
    with av.open(path) as container:
        keys = [index for index, frame in enumerate(container.decode(video=0)) if frame.key_frame]
    assert keys == [0, 341]  # The frame 340 is the one that was held.


def seconds_of_motion(frames, fps=FPS):
    """The change in each second, as the mean absolute difference of bytes."""
    changes = np.abs(np.diff(np.stack(frames).astype(float), axis=0)).mean((1, 2, 3))
    return [changes[k : k + fps].sum() for k in range(0, len(changes) // fps * fps, fps)]


def test_every_second_has_as_much_motion_whatever_the_steps():
    rng = np.random.default_rng(3)
    goal = rng.integers(0, 256, (24, 32, 3)).astype(float)
    wild = rng.integers(0, 256, (24, 32, 3)).astype(np.uint8)
    # Errors fall to a third at every step, then creep; before that, the picture is empty or wild.
    steps = list(range(120))
    shares = {k: 1 - (0.33**k if k < 4 else 0.04 * (119 - k) / 115) for k in steps}
    pictures = {k: np.rint(128 + shares[k] * (goal - 128)).astype(np.uint8) for k in steps}
    pictures |= {-2: wild, -1: np.full((24, 32, 3), 128, np.uint8)}
    read = pictures.__getitem__
    frames = list(paced_frames(read, [-2, -1, *steps], 240))
    assert len(frames) == 240
    motion = seconds_of_motion([*frames, read(119)])
    assert len(motion) == 8
    assert max(motion) < 1.5 * min(motion)
    assert np.abs(frames[0] - goal).mean() < 0.9 * np.abs(128 - goal).mean()
    assert np.abs(frames[-1] - goal).mean() < 2


def test_marks_on_paper_are_seen_from_the_first_ones_on():
    rng = np.random.default_rng(3)
    goal = rng.integers(0, 120, (40, 32, 3)).astype(np.uint8)

    def read(rows):
        paper = np.full_like(goal, 250)
        paper[:rows] = goal[:rows]
        return paper

    first = next(paced_frames(read, range(41), 240))
    done = (first == goal).all((1, 2)).sum()
    assert 4 <= done <= 6


def test_the_pace_reads_every_picture_once():
    reads = []

    def read(step):
        reads.append(step)
        return flat((step, 0, 0))

    for steps in ([3], [3, 9], [0, 100, 200]):
        reads.clear()
        assert measure_pace(read, steps)[1] == pytest.approx(np.diff(steps) / 3)
        assert sorted(reads) == sorted(steps)


def test_the_pace_reads_nothing_for_what_is_known():
    reads = []

    def read(step):
        reads.append(step)
        return flat((step, 0, 0))

    known = {(100, 120): 7.0, (120, 150): 11.0}
    assert measure_pace(read, [0, 100, 120, 150, 200], known)[1] == pytest.approx(
        [100 / 3, 7, 11, 50 / 3]
    )
    assert sorted(reads) == [0, 100, 150, 200]


def test_frames_of_a_picture_that_never_changes():
    assert [frame.max() for frame in paced_frames(lambda step: flat((9, 9, 9)), [0, 5], 3)] == [
        9
    ] * 3
