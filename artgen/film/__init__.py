"""Films as data: scenes of keyframes, light histories of a fit, the keys of a morph."""
