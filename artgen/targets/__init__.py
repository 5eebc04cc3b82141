"""Targets: what is fitted to, read into arrays at the fitting size."""

from artgen.targets._sample import SAMPLES, open_sample
from artgen.targets._source import file_safe, split_source
from artgen.targets.colour import linear_to_srgb, parse_colour, srgb_to_linear
from artgen.targets.image import ImageTarget, TargetRequest, image_from_array, open_image

__all__ = [
    "SAMPLES",
    "ImageTarget",
    "TargetRequest",
    "file_safe",
    "image_from_array",
    "linear_to_srgb",
    "open_image",
    "open_sample",
    "parse_colour",
    "split_source",
    "srgb_to_linear",
]
