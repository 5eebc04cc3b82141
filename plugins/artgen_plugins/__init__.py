"""The primitives that artgen ships, registered through the same hook as any plugin."""

from __future__ import annotations

from artgen import Spec, hookimpl


@hookimpl
def artgen_primitives() -> list[Spec]:
    """Return a spec of each shipped primitive; listing them imports none."""
    return [
        Spec("gaussian", "Anisotropic Gaussian splats.", "artgen_plugins.gaussian:Gaussian"),
        Spec("fourier", "Petals with a Fourier-series outline.", "artgen_plugins.fourier:Fourier"),
        Spec("stroke", "Brush strokes with bristles.", "artgen_plugins.stroke:Stroke"),
        Spec("stamp", "Copies of a picture, such as a leaf.", "artgen_plugins.stamp:Stamp"),
        Spec("triangle", "Triangles.", "artgen_plugins.triangle:Triangle"),
        Spec("rectangle", "Upright rectangles.", "artgen_plugins.rectangle:Rectangle"),
        Spec("square", "Upright squares.", "artgen_plugins.square:Square"),
        Spec(
            "rotated_rectangle",
            "Rectangles at any angle.",
            "artgen_plugins.rotated_rectangle:RotatedRectangle",
        ),
        Spec("ellipse", "Ellipses with upright axes.", "artgen_plugins.ellipse:Ellipse"),
        Spec(
            "rotated_ellipse",
            "Ellipses at any angle.",
            "artgen_plugins.rotated_ellipse:RotatedEllipse",
        ),
        Spec("circle", "Circles.", "artgen_plugins.circle:Circle"),
        Spec("polygon", "Polygons with any number of corners.", "artgen_plugins.polygon:Polygon"),
        Spec("blob", "Smooth closed curves.", "artgen_plugins.blob:Blob"),
        Spec("glyph", "Letters of a font.", "artgen_plugins.glyph:Glyph"),
        Spec("bezier", "Curved strokes.", "artgen_plugins.bezier:Bezier"),
        Spec("line", "Straight strokes.", "artgen_plugins.line:Line"),
        Spec("voronoi", "Voronoi cells.", "artgen_plugins.voronoi:Voronoi"),
        Spec("stipple", "Dots of ink, spread evenly.", "artgen_plugins.stipple:Stipple"),
        Spec("string", "A thread around nails.", "artgen_plugins.string:String"),
        Spec("halftone", "Screens of dots or lines.", "artgen_plugins.halftone:Halftone"),
        Spec("mosaic", "Square stones or stitches.", "artgen_plugins.mosaic:Mosaic"),
        Spec("path", "One line that never lifts.", "artgen_plugins.path:Path"),
        Spec("mesh", "Triangles that share their edges.", "artgen_plugins.mesh:LowPoly"),
        Spec("mlp", "A small network from position to colour.", "artgen_plugins.mlp:MLP"),
        Spec(
            "hashgrid",
            "Grids of hashed features, mixed by a network.",
            "artgen_plugins.hashgrid:HashGrid",
        ),
        Spec("siren", "A network of sines.", "artgen_plugins.siren:Siren"),
        Spec(
            "fourier_features",
            "Random waves, mixed by a network.",
            "artgen_plugins.fourier_features:FourierFeatures",
        ),
        Spec(
            "autoencoder",
            "An encoder and a decoder network for pictures.",
            "artgen_plugins.autoencoder:Autoencoder",
        ),
        Spec(
            "conditional",
            "An autoencoder whose decoder also gets the class.",
            "artgen_plugins.conditional:Conditional",
        ),
        Spec("vae", "A variational autoencoder.", "artgen_plugins.vae:VAE"),
        Spec("pca", "Mixtures of a few basis pictures.", "artgen_plugins.pca:PCA"),
        Spec("svd", "Low-rank approximation of every picture.", "artgen_plugins.svd:SVD"),
    ]
