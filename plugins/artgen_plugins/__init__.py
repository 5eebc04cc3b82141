"""What artgen ships as a plugin: primitives, samples, looks, an engine, a loss, icons."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from artgen import Spec, hookimpl
from artgen_makers import MAKERS
from artgen_plugins.samples import NAMES

SETS = ("*images-idx3-ubyte*", "*.npz", "*/")
IDX = bytes.fromhex("00000803 00000008 00000004 00000004") + bytes(range(128))
"""Eight pictures of 4 x 4 pixels, as MNIST stores them."""
CSV = b"x,y\n0,1\n1,3\n2,2\n"
PRIMITIVES = {
    "Gaussian": ("gaussian", "Anisotropic Gaussian splats."),
    "Fourier": ("fourier", "Petals with a Fourier-series outline."),
    "Stroke": ("stroke", "Brush strokes with bristles."),
    "Diagram": ("diagram", "Cells that meet at crisp edges or melt into each other."),
    "Stamp": ("stamp", "Copies of a picture, such as a leaf."),
    "Triangle": ("triangle", "Triangles."),
    "Rectangle": ("rectangle", "Upright rectangles."),
    "Square": ("square", "Upright squares."),
    "RotatedRectangle": ("rotated_rectangle", "Rectangles at any angle."),
    "Ellipse": ("ellipse", "Ellipses with upright axes."),
    "RotatedEllipse": ("rotated_ellipse", "Ellipses at any angle."),
    "Circle": ("circle", "Circles."),
    "Polygon": ("polygon", "Polygons with any number of corners."),
    "Blob": ("blob", "Smooth closed curves."),
    "Cloud": ("cloud", "Dots in a room that show a picture from each side."),
    "Shard": ("shard", "Pieces that lie in two ways."),
    "Glyph": ("glyph", "Letters of a font."),
    "Bezier": ("bezier", "Curved strokes."),
    "Brush": ("brush", "Curved strokes that run out thin."),
    "Line": ("line", "Straight strokes."),
    "Voronoi": ("voronoi", "Voronoi cells."),
    "Tiling": ("tiling", "Tiles of one outline that fit together, like a figure."),
    "Stipple": ("stipple", "Dots of ink, spread evenly."),
    "Hatch": ("hatch", "Masses of ink, and strokes between."),
    "String": ("string", "A thread around nails."),
    "Halftone": ("halftone", "Screens of dots or lines."),
    "Mosaic": ("mosaic", "Square stones or stitches."),
    "Panes": ("panes", "Panes of coloured glass in lead."),
    "Wash": ("wash", "Washes of watercolour, from pale to dark."),
    "Papercut": ("papercut", "Sheets of coloured paper, with shadows."),
    "Charcoal": ("charcoal", "Tones rubbed into the grain of paper."),
    "Draft": ("draft", "Lines along the contours and ruled tones, on a grid."),
    "Tube": ("tube", "Glowing lines along the contours."),
    "Path": ("path", "One line that never lifts."),
    "Foils": ("foils", "Two foils of lines that show three pictures."),
    "Poem": ("poem", "A text in rows whose weight is the tone."),
    "LowPoly": ("mesh", "Triangles that share their edges."),
    "MLP": ("mlp", "A small network from position to colour."),
    "HashGrid": ("hashgrid", "Grids of hashed features, mixed by a network."),
    "Siren": ("siren", "A network of sines."),
    "Latents": ("latents", "A picture in kilobytes: whole numbers, and networks."),
    "FourierFeatures": ("fourier_features", "Random waves, mixed by a network."),
    "Autoencoder": ("autoencoder", "An encoder and a decoder network for pictures."),
    "Conditional": ("conditional", "An autoencoder whose decoder also gets the class."),
    "VAE": ("vae", "A variational autoencoder."),
    "PCA": ("pca", "Mixtures of a few basis pictures."),
    "SVD": ("svd", "Low-rank approximation of every picture."),
}
"""The name and the summary of each, by its class, in the module of that name."""


@hookimpl
def artgen_primitives() -> list[Spec]:
    """Return a spec of each shipped primitive; listing them imports none."""
    return [
        Spec(name, summary, f"artgen_plugins.{name}:{cls}")
        for cls, (name, summary) in PRIMITIVES.items()
    ]


@hookimpl
def artgen_targets() -> list[Spec]:
    """Return the specs of the samples, with the name of each, and of computed targets."""
    opener = "artgen_plugins.samples.opener:open_sample"
    summary = "A bundled photograph, digits or clip"
    sampled = "A curve or labelled points"
    labelled = "Labelled points: random, two-moons, spiral"
    return [
        Spec("sample", summary, opener, example="astronaut", names=NAMES),
        Spec("blank", "A plain gray: blank:512x512", "artgen_plugins.words:blank", example="8x6"),
        Spec("curve", "A function of x, given by an expression", "artgen_plugins.curve:open_curve"),
        Spec("table", sampled, "artgen_plugins.table:open_table", ("*.csv",), CSV),
        Spec("set", "A set of pictures", "artgen_plugins.sets:open_image_set", SETS, IDX),
        Spec("https", "A picture on the web", "artgen_plugins.web:open_https"),
        Spec("http", "A picture on the web, unencrypted", "artgen_plugins.web:open_http"),
        Spec("points", labelled, "artgen_plugins.points:open_points"),
    ]


@hookimpl
def artgen_engines() -> list[Spec]:
    """Return the specs of the engines."""
    summary = "Automatic differentiation written in numpy, for fields with a graph"
    closed = "Closed forms, for codecs that have one"
    return [
        Spec("place", "Marks of ink, placed by algorithms", "artgen_plugins.place:PlaceEngine"),
        Spec("solve", closed, "artgen_plugins.solve:SolveEngine"),
        Spec("scratch", summary, "artgen_plugins.scratch:ScratchEngine"),
        Spec("pieces", "`climb` with gaps and joints, to cut", "artgen_makers.pieces:Pieces"),
    ]


@hookimpl
def artgen_losses() -> list[Spec]:
    """Return the specs of losses beside the plain ones of `artgen.losses`."""
    scales = "One minus the multi-scale structural similarity"
    space = "Mean squared error in the perceptual Oklab space"
    summary = "Distance from the patches of another picture: texture:FILE"
    return [
        Spec("texture", summary, "artgen_plugins.texture:texture"),
        Spec(
            "text", 'Likeness to words, by a CLIP: text:"a horse"@FILE', "artgen_plugins.words:text"
        ),
        Spec("ssim", "One minus the structural similarity", "artgen_plugins.structure:ssim"),
        Spec("ms-ssim", scales, "artgen_plugins.structure:ms_ssim"),
        Spec("bce", "Binary cross-entropy of pixels, for codecs", "artgen_plugins.bce:bce"),
        Spec("flip", "Perceptual difference LDR-FLIP", "artgen_plugins.perceptual:flip"),
        Spec("oklab", space, "artgen_plugins.perceptual:oklab"),
        Spec("pyramid", "The squared error at all scales", "artgen_plugins.pyramid:pyramid"),
    ]


@hookimpl
def artgen_exporters() -> list[Spec]:
    """Return the spec of icons."""
    return [Spec("ico", "An icon for pages and desktops", "artgen_plugins.icon:export_ico")]


@hookimpl
def artgen_forms() -> list[Spec]:
    """Return the specs of forms of film."""
    endless = "A picture made of itself, and a zoom into it without end"
    sharp = "A picture of latents becomes sharp, grid by grid"
    bends = "Straight tiles bend into the figure of a tiling, and back"
    films = {
        "side-by-side": "The target beside the progress",
        "views": "The drawing goes over to each of its views",
        "wipe": "A line that wipes the target away, and back",
        "centres": "The centres of the parts over the progress",
        "depth": "The progress with depths as colours",
        "fly-in": "Parts that fly to their places",
        "zoom": "A slow zoom to a place of much detail, and back",
        "generations": "A sheet of moments of the progress",
    }
    return [
        *_constants("films", films),
        Spec(
            "atlas", "Pictures of a codec, on one sheet: atlas=12x10", "artgen_plugins.atlas:ATLAS"
        ),
        Spec("jpeg", "The drawing beside a JPEG of its bytes", "artgen_plugins.jpeg_wipe:JPEG"),
        Spec("levels", sharp, "artgen_plugins.latents.film:LEVELS"),
        Spec("metamorphosis", bends, "artgen_plugins.metamorphosis:METAMORPHOSIS"),
        Spec("music", "Parts move to a sound: music=FILE", "artgen_plugins.music.form:MUSIC"),
        Spec("sway", "Folded paper that sways between its views", "artgen_plugins.films:SWAY"),
        Spec("zoom-into", endless, "artgen_plugins.endless:ZOOM_INTO"),
    ]


@hookimpl
def artgen_edits() -> list[Spec]:
    """Return the specs of operations on parts."""
    summaries = {
        "delete": "Leaves parts out",
        "keep": "Leaves all others out",
        "recolour": "Gives parts another colour, or those of a palette",
        "move": "Moves parts by shares of width and height",
        "scale": "Makes parts larger or smaller, around their middle",
        "rotate": "Turns parts by degrees, clockwise",
        "sort": "Puts parts in an order: size, luminance, x or y",
        "join": "Adds the parts of another drawing, in front",
    }
    return _constants("edits", summaries)


@hookimpl
def artgen_views() -> list[Spec]:
    """Return the specs of ways to look at a drawing."""
    summaries = {
        "plain": "As it is",
        "pose": "In another pose of its parts, such as pose=90",
        "first": "The first parts alone, a share such as first=0.5",
        "without": "All parts but those of a colour, such as without=red",
        "turn": "Turned clockwise by 90, 180 or 270 degrees",
        "mirror": "In a mirror beside it, or below it: mirror=y",
        "invert": "As a negative",
        "blur": "From far: sigma as a share of the shorter side",
        "fine": "From near, where detail alone counts",
        "glass": "Through glass of a colour, as gray",
        "fold": "Folded, so that its outer strips meet",
        "slats": "From the left or the right, folded into 24 strips",
        "foil": "Under a striped foil in one of several places, such as foil=1/3",
        "floor": "From an angle, on the floor",
        "cylinder": "In a round mirror that stands in its middle",
        "cone": "In a cone of mirror that stands in its middle, from above",
    }
    return _constants("views", summaries)


@hookimpl
def artgen_executors() -> list[Spec]:
    """Return the spec of the executor of Ray."""
    place, summary = "artgen_plugins.ray.executor:RayExecutor", "Ray on this machine, or a cluster"
    return [Spec("ray", summary, place, example="ray://HOST:PORT")]


@hookimpl
def artgen_makers() -> list[Spec]:
    """Return the kinds of things to make, of the package `artgen_makers`."""
    return [Spec(name, *facts) for name, facts in MAKERS.items()]


@hookimpl
def artgen_looks() -> list[Spec]:
    """Return the looks in `looks/*.toml`."""
    files = sorted(Path(__file__).parent.glob("looks/*.toml"))
    looks = {file.stem: tomllib.loads(file.read_text("utf-8")) for file in files}
    return [Spec(name, data.pop("summary"), data) for name, data in looks.items()]


def _constants(module: str, summaries: Mapping[str, str]) -> list[Spec]:
    """Return the specs of what a module has by these names, such as FLY_IN for ``fly-in``."""
    return [
        Spec(name, text, f"artgen_plugins.{module}:{name.upper().replace('-', '_')}")
        for name, text in summaries.items()
    ]
