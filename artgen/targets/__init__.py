"""Targets: what is fitted to, read into arrays. Pictures, clips, curves, points, sets."""

from typing import TypeAlias

from artgen.targets._sample import SAMPLES, open_sample
from artgen.targets._source import file_safe, is_reserved, split_source
from artgen.targets._table import open_table
from artgen.targets.clip import ClipTarget, is_clip, open_clip, open_frames
from artgen.targets.clip_sample import is_clip_sample
from artgen.targets.colour import hex_colour, linear_to_srgb, parse_colour, srgb_to_linear
from artgen.targets.curve import open_curve
from artgen.targets.digits import is_digits, open_digits
from artgen.targets.image import ImageTarget, TargetRequest, image_from_array, open_image
from artgen.targets.image_set import SetTarget, is_image_set, open_image_set, set_from_arrays
from artgen.targets.palette import learn_palette, nearest_colour, read_palette
from artgen.targets.points import open_points
from artgen.targets.samples import SampleTarget, curve_from_samples, points_from_samples

__all__ = [
    "SAMPLES",
    "ClipTarget",
    "ImageTarget",
    "SampleTarget",
    "SetTarget",
    "Target",
    "TargetRequest",
    "curve_from_samples",
    "file_safe",
    "hex_colour",
    "image_from_array",
    "is_clip",
    "is_clip_sample",
    "is_digits",
    "is_image_set",
    "is_reserved",
    "learn_palette",
    "linear_to_srgb",
    "nearest_colour",
    "open_clip",
    "open_curve",
    "open_digits",
    "open_frames",
    "open_image",
    "open_image_set",
    "open_points",
    "open_sample",
    "open_table",
    "parse_colour",
    "points_from_samples",
    "read_palette",
    "set_from_arrays",
    "split_source",
    "srgb_to_linear",
]

Target: TypeAlias = ImageTarget | SampleTarget | SetTarget
