"""Everything that leaves artgen: stills, videos, and the recipe that each of them carries."""

from __future__ import annotations

from artgen.output.atomic import atomic_path, atomic_write, probe_folder
from artgen.output.error_map import WORST, embers, error_map
from artgen.output.frames import FrameStore
from artgen.output.image_codecs import available_codecs, encode_within
from artgen.output.pace import measure_pace, paced_frames
from artgen.output.provenance import read_recipe
from artgen.output.still import contact_sheet, encode_jpeg, encode_photo, encode_png, to_pixels
from artgen.output.strips import encode_png_strips, encode_tiff_strips
from artgen.output.video import (
    FORMATS,
    Sound,
    frame_counts,
    frame_steps,
    probe_encoder,
    read_frames,
    schedule,
    write_video,
)

__all__ = [
    "FORMATS",
    "WORST",
    "FrameStore",
    "Sound",
    "atomic_path",
    "atomic_write",
    "available_codecs",
    "contact_sheet",
    "embers",
    "encode_jpeg",
    "encode_photo",
    "encode_png",
    "encode_png_strips",
    "encode_tiff_strips",
    "encode_within",
    "error_map",
    "frame_counts",
    "frame_steps",
    "measure_pace",
    "paced_frames",
    "probe_encoder",
    "probe_folder",
    "read_frames",
    "read_recipe",
    "schedule",
    "to_pixels",
    "write_video",
]
