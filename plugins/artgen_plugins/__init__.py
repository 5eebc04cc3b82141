"""The primitives that artgen ships, registered like anyone else's."""

from __future__ import annotations

from artgen import Spec, hookimpl


@hookimpl
def artgen_primitives() -> list[Spec]:
    """Every shipped primitive, as a light spec: listing them imports none of them."""
    return [
        Spec("gaussian", "Anisotropic Gaussian splats.", "artgen_plugins.gaussian:Gaussian"),
        Spec("fourier", "Petals with a Fourier-series outline.", "artgen_plugins.fourier:Fourier"),
        Spec("stroke", "Brush strokes with bristles.", "artgen_plugins.stroke:Stroke"),
        Spec("mlp", "A small network from position to colour.", "artgen_plugins.mlp:MLP"),
        Spec(
            "hashgrid",
            "Grids of hashed features, and a network.",
            "artgen_plugins.hashgrid:HashGrid",
        ),
        Spec("siren", "A network of sines.", "artgen_plugins.siren:Siren"),
        Spec(
            "fourier_features",
            "Random waves, and a network.",
            "artgen_plugins.fourier_features:FourierFeatures",
        ),
    ]
