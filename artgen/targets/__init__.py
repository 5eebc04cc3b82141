"""Targets: what is fitted to, read into arrays. Pictures, clips, curves, points, sets."""

from artgen.targets._idx import files_beside
from artgen.targets._open import find_opener, kind_by_name, open_source
from artgen.targets._sample import SAMPLES, check_sample, open_sample
from artgen.targets._source import Source, file_safe, is_reserved
from artgen.targets._table import open_table
from artgen.targets._target import Target, TargetTensors
from artgen.targets.clip import ClipTarget, is_clip, open_clip, open_frames, open_moving
from artgen.targets.colour import hex_colour, linear_to_srgb, parse_colour, srgb_to_linear
from artgen.targets.curve import curve_from_graph, open_curve
from artgen.targets.digits import open_digits
from artgen.targets.image import (
    PICTURE_SUFFIXES,
    ImageTarget,
    TargetRequest,
    image_from_array,
    open_image,
    picture_files,
)
from artgen.targets.image_set import SetTarget, open_image_set, set_from_arrays
from artgen.targets.palette import (
    MAPS,
    NAMED,
    ground_colour,
    learn_palette,
    parse_palette,
    read_palette,
)
from artgen.targets.points import open_points
from artgen.targets.samples import SampleTarget, curve_from_samples, points_from_samples

__all__ = [
    "MAPS",
    "NAMED",
    "PICTURE_SUFFIXES",
    "SAMPLES",
    "ClipTarget",
    "ImageTarget",
    "SampleTarget",
    "SetTarget",
    "Source",
    "Target",
    "TargetRequest",
    "TargetTensors",
    "check_sample",
    "curve_from_graph",
    "curve_from_samples",
    "file_safe",
    "files_beside",
    "find_opener",
    "ground_colour",
    "hex_colour",
    "image_from_array",
    "is_clip",
    "is_reserved",
    "kind_by_name",
    "learn_palette",
    "linear_to_srgb",
    "open_clip",
    "open_curve",
    "open_digits",
    "open_frames",
    "open_image",
    "open_image_set",
    "open_moving",
    "open_points",
    "open_sample",
    "open_source",
    "open_table",
    "parse_colour",
    "parse_palette",
    "picture_files",
    "points_from_samples",
    "read_palette",
    "set_from_arrays",
    "srgb_to_linear",
]
