"""Samples that work offline: photographs of scikit-image, drawn pictures, sets and clips.

This module names them, since names are listed and checked before anything is opened.
"""

PHOTOGRAPHS = (
    *("astronaut", "brick", "camera", "cat", "cell", "checkerboard", "chelsea", "clock"),
    *("coffee", "coins", "colorwheel", "grass", "gravel", "horse", "hubble_deep_field"),
    *("immunohistochemistry", "logo", "microaneurysms", "moon", "page", "retina", "rocket"),
    *("shepp_logan_phantom", "text"),
)
"""The functions of `skimage.data` whose pictures need no download."""

GENERATED = ("contours", "guilloche", "ridges", "stars")
"""The functions of `samples.generated`."""

SUBJECTS = (
    *("avenue", "balloons", "birches", "botanical", "bridge", "bust", "dancers", "dunes", "eye"),
    *("fern", "flamingo", "flock", "fruit", "gown", "harbour", "helmet", "heron", "jellyfish"),
    *("koi", "lake", "lighthouse", "lion", "locomotive", "macaw", "orbits", "owl", "peacock"),
    *("profile", "regatta", "ship", "stag", "stallion", "storm", "street", "sun", "sunhat"),
    *("swan", "tiger", "toucan", "trumpeter", "whale", "windows", "wolf"),
)
"""The modules of `samples.subjects`."""

SETS = ("birds", "butterflies", "cats", "digits", "faces", "flowers", "letters", "pots", "tiles")
CLIPS = ("clip", "clip-balls", "clip-flag", "clip-zoom")

NAMES = {
    **dict.fromkeys(sorted((*PHOTOGRAPHS, *GENERATED, *SUBJECTS)), "image"),
    **dict.fromkeys(CLIPS, "clip"),
    **dict.fromkeys(SETS, "set"),
}
"""What each name behind ``sample:`` is."""
