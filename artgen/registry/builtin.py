"""What artgen offers besides primitives, registered as that of any plugin is."""

from __future__ import annotations

from base64 import b64decode

from artgen.hookspecs import Spec, hookimpl

CLIPS = ("*.gif", "*.webp", "*.apng", "*.mp4", "*.m4v", "*.mov", "*.webm", "*.mkv")
PICTURES = ("*.png", "*.jpg", "*.jpeg", "*.bmp", "*.tif", "*.tiff")
SETS = ("*images-idx3-ubyte*", "*.npz", "*/")

PNG = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAQAAAADCAAAAACRn/EaAAAAF0lEQVR42mNkEBERYQwQERFhCRAREQEACTgBW9FM8BwA"
    "AAAASUVORK5CYII="
)
"""A picture of 4 x 3 gray pixels."""
GIF = b64decode(
    "R0lGODlhAgACAIEAAAAAAP///wAAAAAAACH5BAAKAAAALAAAAAACAAIAAAgHAAMAABAgIAAh+QQBCgACACwAAAAAAgACAIEA"
    "AAD///8AAAAAAAAIBwABBAgAICAAOw=="
)
"""An animation of two frames of 2 x 2 pixels."""
IDX = bytes.fromhex("00000803 00000008 00000004 00000004") + bytes(range(128))
"""Eight pictures of 4 x 4 pixels, as MNIST stores them."""


@hookimpl
def artgen_engines() -> list[Spec]:
    """The engines in `artgen.engines`."""
    return [
        Spec(
            "gradient",
            "Gradient descent on all parts at once",
            "artgen.engines.gradient.engine:GradientEngine",
        ),
        Spec(
            "climb",
            "Hill climbing, shape by shape",
            "artgen.families.shape.climb:ClimbEngine",
        ),
        Spec(
            "genetic",
            "Genetic algorithm on whole pictures",
            "artgen.engines.genetic.engine:GeneticEngine",
        ),
        Spec(
            "place", "Marks of ink, placed by algorithms", "artgen.families.ink.search:PlaceEngine"
        ),
        Spec(
            "solve",
            "Closed forms, for codecs that have one",
            "artgen.families.codec.solve:SolveEngine",
        ),
    ]


@hookimpl
def artgen_losses() -> list[Spec]:
    """The losses in `artgen.losses`."""
    return [
        Spec("mse", "Mean squared error", "artgen.losses:mse"),
        Spec("l1", "Mean absolute error", "artgen.losses:l1"),
        Spec("exponential", "Mean of e^|error| - 1", "artgen.losses:exponential"),
        Spec("rmse", "Root of the mean squared error", "artgen.losses:rmse"),
        Spec("ssim", "One minus the structural similarity", "artgen.losses:ssim"),
        Spec("ms-ssim", "One minus the multi-scale structural similarity", "artgen.losses:ms_ssim"),
        Spec(
            "cross-entropy",
            "Cross-entropy of classes, for labelled points",
            "artgen.losses:cross_entropy",
        ),
        Spec("bce", "Binary cross-entropy of pixels, for codecs", "artgen.losses:bce"),
        Spec("flip", "Perceptual difference LDR-FLIP", "artgen.losses:flip"),
        Spec("oklab", "Mean squared error in the perceptual Oklab space", "artgen.losses:oklab"),
    ]


@hookimpl
def artgen_targets() -> list[Spec]:
    """The schemes and kinds of files in `artgen.targets`."""
    return [
        # Any other file may be a picture: its content decides.
        Spec("image", "A picture file", "artgen.targets:open_image", (*PICTURES, "*"), PNG),
        Spec(
            "clip",
            "A video, or an animated GIF, WebP or PNG",
            "artgen.targets:open_moving",
            CLIPS,
            GIF,
        ),
        Spec(
            "table",
            "A curve or labelled points",
            "artgen.targets:open_table",
            ("*.csv",),
            b"x,y\n0,1\n1,3\n2,2\n",
        ),
        Spec("set", "A set of pictures", "artgen.targets:open_image_set", SETS, IDX),
        Spec("https", "A picture on the web", "artgen.targets.web:open_https"),
        Spec("http", "A picture on the web, unencrypted", "artgen.targets.web:open_http"),
        Spec(
            "frames",
            "A folder of pictures as a clip",
            "artgen.targets:open_frames",
            example={"1.png": PNG, "2.png": PNG},
        ),
        Spec("curve", "A function of x, given by an expression", "artgen.targets:open_curve"),
        Spec("points", "Labelled points: random, two-moons, spiral", "artgen.targets:open_points"),
    ]


@hookimpl
def artgen_exporters() -> list[Spec]:
    """The file formats in `artgen.exporters`."""
    video = "A film, or a walk through the latents of a codec"
    return [
        Spec("png", "A still with its recipe inside", "artgen.exporters:export_png"),
        Spec("jpg", "A still in a small file, with its recipe", "artgen.exporters:export_jpg"),
        Spec("jpeg", "The same as jpg", "artgen.exporters:export_jpg"),
        Spec("avif", "A still in a smaller file, with its recipe", "artgen.exporters:export_avif"),
        Spec("tif", "A still of any size, with its recipe", "artgen.exporters:export_tiff"),
        Spec("tiff", "The same as tif", "artgen.exporters:export_tiff"),
        Spec("mp4", video, "artgen.exporters:export_mp4"),
        Spec("webm", video, "artgen.exporters:export_webm"),
        Spec("gif", video, "artgen.exporters:export_gif"),
        Spec("webp", video, "artgen.exporters:export_webp"),
        Spec("apng", video, "artgen.exporters:export_apng"),
        Spec("svg", "Shapes as vectors, with their recipe inside", "artgen.exporters:export_svg"),
        Spec("html", "A page that zooms without end", "artgen.exporters:export_html"),
        Spec("json", "Shapes as data, with their recipe", "artgen.exporters:export_json"),
        Spec("pdf", "Filled shapes, or lines for pens on paper", "artgen.exporters:export_pdf"),
        Spec("eps", "Filled opaque shapes, for print", "artgen.exporters:export_eps"),
    ]


@hookimpl
def artgen_runs() -> list[Spec]:
    """The kinds of run in `artgen.runs`."""
    return [
        Spec("picture", "A drawing of one picture", "artgen.runs.picture.run:PictureRun"),
        Spec("clip", "A film of a clip, frame by frame", "artgen.runs.clip.run:ClipRun"),
        Spec("tiles", "A drawing of a large picture, in tiles", "artgen.runs.tiles.run:TiledRun"),
        Spec("samples", "A curve or labelled points", "artgen.runs.samples.run:SamplesRun"),
        Spec("set", "A codec of a set of pictures", "artgen.runs.samples.run:SetRun"),
    ]
